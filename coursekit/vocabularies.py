"""Steps that learn names from the training items: of several kinds at once, of words, of cells of a table.

>>> tags = MultiCategorize()
>>> tags.setup(["cat; dog", "cow"])
>>> tags.vocab, tags.decode(tags.encode(["dog", "cow"]))
(('cat', 'cow', 'dog'), ['cow', 'dog'])
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from .dispatch import method
from .labels import cell_number
from .samples import describe, list_some
from .tensors import MultiCategory, Row, Text, plain
from .transforms import Transform

# A kind that no training item had, and one that was not said.
UNSEEN, MISSING = "unseen", "missing"
# Texts that are dates, and texts that are numbers as Germany or America writes them.
DATES = re.compile(r"\d{4}-\d\d?-\d\d?([T ].*)?|\d\d?[./]\d\d?[./]\d{2,4}")
NUMBERS = re.compile(r"[-+]?(\d+|\d{1,3}([.,]\d{3})+)([.,]\d+)?")
# A column with so many names, nearly each in one row only, holds texts, not kinds.
MANY_KINDS = 50


class MultiCategorize(Transform):
    """Number several names at once: `["cat", "dog"]` becomes 1 for each name that holds and 0 for the rest.

    Args:
        vocab: The names in the order of their numbers. Without it they are learned from the training items.
        separator: What parts the names where an item holds them in one text. Without it, the first of
            `;`, `|` and `,` that any training item has, else a space.

    >>> MultiCategorize(["cat", "cow", "dog"]).encode(["cat", "dog"]).tolist()
    [1.0, 0.0, 1.0]
    """

    def __init__(self, vocab: Iterable[str] | None = None, separator: str | None = None) -> None:
        self.vocab: tuple = tuple(vocab) if vocab is not None else ()
        self.separator = separator

    def setup(self, items: Iterable) -> None:
        """Learn the separator and the sorted names, unless they were given.

        Raises:
            ValueError: No item has a name.
        """
        held = list(items)
        texts = [one for one in held if isinstance(one, str)]
        if self.separator is None and texts:
            self.separator = next((mark for mark in ";|," if any(mark in text for text in texts)), " ")
        if not self.vocab:
            self.vocab = tuple(sorted({name for one in held for name in self.names(one)}))
        if not self.vocab:
            raise ValueError("MultiCategorize learns names from the training items, and none has a name.")

    def names(self, x: Any) -> list[str]:
        """The names that one item holds.

        Raises:
            TypeError: Neither a text nor a list of names came.
        """
        if isinstance(x, str):
            return [name.strip() for name in x.split(self.separator or ";") if name.strip()]
        x = x.tolist() if hasattr(x, "tolist") else x
        if not isinstance(x, list | tuple | set | frozenset):
            raise TypeError(
                f"MultiCategorize takes a list of names, or a text of several; {describe(x)} came."
            )
        return [str(name) for name in x]

    def encode(self, x: Any) -> MultiCategory:
        """Number the names of one item; none at all is 0 everywhere.

        Raises:
            ValueError: A name that no training item had.
        """
        if isinstance(x, MultiCategory):
            return x
        names = self.names(x)
        for name in names:
            if name not in self.vocab:
                near = get_close_matches(name, self.vocab, n=1)
                raise ValueError(
                    f"{name!r} is not one of the {len(self.vocab)} names seen in the training items "
                    f"({list_some(self.vocab)})." + (f" Did you mean {near[0]!r}?" if near else "")
                )
        return MultiCategory(names, vocab=self.vocab)

    @method
    def decode(self, x: MultiCategory) -> list:
        """The names of one item; of a batch, those of each."""
        rows = plain(x) if x.is_batch else plain(x)[None]
        names = [[self.vocab[n] for n in (row > 0.5).nonzero().flatten().tolist()] for row in rows]
        return names if x.is_batch else names[0]


class Tokenize(Transform):
    """Take texts apart into words and marks, and number those that the training texts have.

    Number 0, the empty word, fills shorter texts of a batch up; number 1 stands for every other word.

    Args:
        vocab: The words in the order of their numbers, these two first. Without it they are learned from the
            training texts, frequent ones first.
        most: How many words to keep at most.
        least: How often a word must be there to be kept.

    >>> words = Tokenize(least=1)
    >>> words.setup(["The lamb is well.", "The ewe is not."])
    >>> words.vocab[:4], words.decode(words.encode("The calf is well."))
    (('', '<unseen>', '.', 'is'), 'the <unseen> is well .')
    """

    def __init__(self, vocab: Iterable[str] | None = None, most: int = 30_000, least: int = 2) -> None:
        self.vocab: tuple = tuple(vocab) if vocab is not None else ()
        self.most, self.least = most, least

    def setup(self, items: Iterable) -> None:
        """Count the words of the training texts, unless they were given."""
        if self.vocab:
            return
        counts = Counter(word for text in items for word in words_of(text))
        often = sorted(
            (word for word, count in counts.items() if count >= self.least), key=lambda w: (-counts[w], w)
        )
        self.vocab = ("", "<unseen>", *often[: self.most])
        if not often:
            raise ValueError(
                f"Tokenize keeps words that the training texts have {self.least} times; there is none in "
                f"{sum(counts.values())} words. Give least=1."
            )

    @method
    def encode(self, x: str) -> Text:
        """Number the words of a text."""
        if not self.vocab:
            raise ValueError("Tokenize knows no words yet: call setup(training texts), or give the vocab.")
        numbers = self.numbers()
        return Text([numbers.get(word, 1) for word in words_of(x)], vocab=self.vocab)

    @method
    def decode(self, x: Text) -> Any:
        """The words of a text, a space between; of a batch, a list of these."""
        texts = plain(x).tolist() if x.is_batch else [plain(x).tolist()]
        said = [" ".join(self.vocab[number] for number in text if number) for text in texts]
        return said if x.is_batch else said[0]

    def numbers(self) -> dict[str, int]:
        """The number of each word."""
        if self.__dict__.get("_numbers") is None:
            self._numbers = {word: number for number, word in enumerate(self.vocab)}
        return self._numbers


def words_of(text: Any) -> list[str]:
    """The words and marks of a text, in small letters.

    >>> words_of("It isn't his, §4.")
    ['it', "isn't", 'his', ',', '§', '4', '.']

    Raises:
        TypeError: It is no text.
    """
    if not isinstance(text, str):
        raise TypeError(f"Tokenize takes texts; {describe(text)} came.")
    return re.findall(r"\w+(?:['\u2019]\w+)*|[^\w\s]", text.lower())


class Tabulate(Transform):
    """Make a `Row` of the cells of a table: amounts as they are, kinds by the numbers learned in training.

    A column of texts, or of True and False, is one of kinds. Of these, number 0 is "unseen", for what no
    training item has, "missing" is a kind of its own if training items lack it, and the rest is sorted. A
    missing amount is NaN. An array of numbers is a row as well, of columns that have numbers for names.

    Args:
        kinds: Further columns to take as kinds, though they hold numbers, such as a postal code.
        vocabs: For each column the names of its kinds, or None for one of amounts. Without it, both are
            learned from the training items.

    Raises:
        ValueError: While learning, a column of texts that differ in nearly every row, of dates, or of texts
            that are numbers.

    >>> table = Tabulate()
    >>> table.setup([{"age": 39, "job": "nurse"}, {"age": None, "job": "baker"}])
    >>> print(table.encode({"age": 41, "job": "nurse"}), "|", table.encode({"age": None, "job": "miner"}))
    age 41, job nurse | age nan, job unseen
    """

    def __init__(self, kinds: Sequence[str] = (), vocabs: Mapping[str, Any] | None = None) -> None:
        self.kinds, self.vocabs = tuple(kinds), dict(vocabs or {})

    def setup(self, items: Iterable) -> None:
        """Learn which columns are of kinds and which names those have, unless that was given."""
        if self.vocabs:
            return
        rows = [checked(item) for item in items]
        names = list(rows[0]) if rows else []
        if unknown := [name for name in self.kinds if name not in names]:
            raise ValueError(f"Tabulate takes {unknown[0]!r} as kinds; the row has {list_some(names, 12)}.")
        columns = {name: [cell for row in rows for cell in one_or_many(row[name])] for name in names}
        self.vocabs = {name: self.learned(name, column) for name, column in columns.items()}

    def learned(self, name: str, values: list) -> tuple[str, ...] | None:
        """The names of the kinds in a column, or None if it holds amounts."""
        types = set(map(type, values))
        if name not in self.kinds:
            if types <= {int, float, type(None)}:
                return None
            check_cells(name, [value for value in values if not absent(value)])
            if not any(issubclass(kind, str | bool) for kind in types):
                return None
        there = set(map(kind_in, values))
        if len(there) > MANY_KINDS and 2 * len(there) > len(values):
            raise ValueError(
                f"the column {name!r} of a Row holds {len(there)} different texts in {len(values)} rows "
                f"({values[0]!r:.40}, ...): these are no kinds of thing. Leave the column out of the row; "
                "or, if the words matter, make it an input of its own: inputs=(Row, Text)."
            )
        return (UNSEEN, *sorted(there - {UNSEEN}))

    def encode(self, x: Any) -> Row:
        """Make the row of one item; of arrays, one for each column, a batch of rows.

        Raises:
            ValueError: A column is not there, or holds a text where the training items had amounts.
        """
        if isinstance(x, Row):
            return x
        x = checked(x)
        if lacking := [name for name in self.vocabs if name not in x]:
            raise ValueError(f"the row lacks the column {lacking[0]!r}; it has {list_some(x, 12)}.")
        if all(isinstance(cells, np.ndarray) for cells in x.values()):
            columns = [self.numbers(name, x[name]) for name in self.vocabs]
            vocabs = tuple(self.vocabs.values())
            return Row(np.stack(columns, axis=1), names=tuple(map(str, self.vocabs)), vocabs=vocabs)
        cells = {name: self.cell(x[name], vocab) for name, vocab in self.vocabs.items()}
        return Row(cells, vocabs={name: vocab for name, vocab in self.vocabs.items() if vocab is not None})

    @staticmethod
    def cell(value: Any, vocab: tuple[str, ...] | None) -> Any:
        """What goes into the row for one cell."""
        if vocab is None:
            return None if absent(value) else value
        return kind if (kind := kind_in(value)) in vocab else UNSEEN

    def numbers(self, name: str, cells: np.ndarray) -> np.ndarray:
        """What goes into many rows for the cells of one column."""
        vocab = self.vocabs[name]
        if vocab is not None:
            codes = {kind: code for code, kind in enumerate(vocab)}
            kinds = [kind if (kind := kind_in(value)) in codes else UNSEEN for value in cells.tolist()]
            return np.array([codes[kind] for kind in kinds], dtype=np.float32)
        if cells.dtype != object:
            return cells.astype(np.float32)
        return np.array(
            [cell_number(name, self.cell(value, None), None) for value in cells], dtype=np.float32
        )

    @method
    def decode(self, x: Row) -> Any:
        """The cells of a row by the names of its columns."""
        return x if x.is_batch else {name: x[name] for name in x.names or ()}


def checked(cells: Any) -> dict:
    """The cells of a row by name; a `TypeError` says how to have some."""
    if isinstance(cells, Mapping):
        return dict(cells)
    if hasattr(cells, "tolist") and getattr(cells, "ndim", 0) == 1:
        return {f"column {place}": cell for place, cell in enumerate(cells.tolist())}
    raise TypeError(
        f"a Row is made of columns by their names; {describe(cells)} came. "
        "Give their names in a list: input_from=['age', 'job']."
    )


def check_cells(name: str, cells: list) -> None:
    """Refuse a column that would be taken for one of kinds, or for amounts, and is neither."""
    texts = list(dict.fromkeys(cell for cell in cells if isinstance(cell, str)))
    moments = any(hasattr(kind, "isoformat") for kind in set(map(type, cells)))
    if moments or (texts and all(map(DATES.fullmatch, texts))):
        raise ValueError(
            f"the column {name!r} of a Row holds dates ({str(cells[0])!r:.40}, ...), which are neither "
            "amounts nor kinds. Make numbers of what matters about them: table['month'] = "
            f"pandas.to_datetime(table[{name!r}]).dt.month, for instance."
        )
    if any(re.search("[.,]", text) for text in texts) and all(map(NUMBERS.fullmatch, texts)):
        raise ValueError(
            f"the column {name!r} of a Row holds texts that are numbers ({texts[0]!r}, ...), and each would "
            "be a kind of its own. Read the table such that they are amounts, pandas.read_csv(path, "
            f"decimal=',', thousands='.'); or say that they are kinds: Tabulate(kinds=[{name!r}])."
        )


def one_or_many(cells: Any) -> list:
    """What a cell, or an array of cells, holds."""
    return cells.tolist() if isinstance(cells, np.ndarray) else [cells]


def kind_in(value: Any) -> str:
    """The name of the kind that a cell holds."""
    return MISSING if absent(value) else str(value)


def absent(value: Any) -> bool:
    """Whether a cell holds nothing: None or NaN."""
    return value is None or value != value
