"""What a data block does, shown on one item and one batch, and what goes wrong where.

>>> from .datablock import DataBlock
>>> from .tensors import Category, Target
>>> animals = [{"weight": grams, "label": name} for grams, name in ((31, "lamb"), (80, "calf"), (40, "lamb"))]
>>> block = DataBlock(Target, Category, split=([0, 1], [2]), input_from="weigth")
>>> print(block.summary(animals).failed()[0])
It fails at taking the input, on the input of item 0.
    went in   a record of 2 (weight, label)
    came out  nothing: it raised KeyError
What it says: an item has no 'weigth'; it has weight, label. Did you mean 'weight'?
The usual cause: The column or key has another name: capital letters and spaces count.
What to do: Copy the names from the first item above into input_from= and target_from=.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from textwrap import indent
from typing import TYPE_CHECKING, Any

from .advice import advice
from .blocks import Sampled
from .files import file_of, readable
from .finding import Chosen
from .leaks import check_labels, kinds_of, unseen_kinds
from .samples import elements
from .sentences import sentence, take_said
from .tensors import Mask, VolumeMask, plain
from .transforms import Pipeline, Summary
from .walks import Halted, Walk, told

if TYPE_CHECKING:
    from .datablock import DataBlock
    from .splits import Split

MOST_KINDS = 12


class BlockSummary:
    """One item and one batch on their way through a data block; prints as text, and as HTML in a notebook.

    Attributes:
        parts: Pairs of a heading and what stands below it, lines or a table; as far as it went.
        failure: What failed; None if nothing did.
    """

    def __init__(self, block: DataBlock, source: Any, batch_size: int = 8) -> None:
        self.parts: list[tuple[str, list[str] | Summary]] = []
        self.failure: Halted | None = None
        try:
            self.look(block, source, batch_size)
        except Halted as failure:
            self.failure = failure
        except Exception as error:  # What nobody thought of is told like the rest.
            self.failure = Halted("looking at the data", {"the source": told(source)}, error)

    def look(self, block: DataBlock, source: Any, batch_size: int) -> None:
        """Go through everything once, from finding items to a finished batch."""
        self.add("The block", [attempted("reading the block", source, lambda: sentence(block))])
        block = block.unlearned()
        items = attempted("finding items", source, lambda: block.find_items(source))
        self.add(f"Found {counted(len(items))}; the first", first_item(items))
        sample = attempted("saying where things are", items[0], lambda: block.sample(items))
        block = replace(
            block, **dict(zip(("input_from", "target_from"), (t for _, t in sample.sides), strict=False))
        )
        self.parts[0] = ("The block", [sentence(block)])
        sides = zip(("input", "target"), (take for _, take in sample.sides), strict=False)
        self.add("Where things are", [f"{side}: {take_said(take)}" for side, take in sides])
        Walk().taken(items[0], sample)
        attempted("looking at the labels", items, lambda: check_labels(items, sample))
        split = attempted("splitting", items, lambda: block.split_items(items, sample))
        self.add("Split", split_lines(items, sample, split))
        self.make(block, items, sample, split, batch_size)

    def make(self, block: DataBlock, items: Sequence, sample: Sampled, split: Split, batch_size: int) -> None:
        """Let the steps learn, and make an item, a batch, and a few of those that are held out."""
        further = attempted("putting the steps together", items[0], lambda: block.further_steps(sample))
        whole = attempted("putting the steps together", items[0], lambda: Pipeline(sample, *further))
        steps = attempted("putting the steps together", items[0], lambda: Pipeline(*block.batch_steps()))
        learn(whole, items, split[0])
        self.walk_item(items, split[0][0], whole)
        numbers = spread(split[0], batch_size)
        self.walk_batch([walked(items, number, whole) for number in numbers], numbers, steps)
        held = [*unseen_kinds(items, sample, split)[:1], *spread(split[1], batch_size)]
        calm = whole.calm()
        Walk().together([walked(items, number, calm) for number in held], held)
        self.add(
            "All of it works", [f"{counted(len(numbers))} to learn from, {len(held)} held out were made."]
        )

    def walk_item(self, items: Sequence, number: int, whole: Pipeline) -> None:
        """Show one item on its way."""
        walk, file = Walk(), file_of(items[number])
        try:
            walked(items, number, whole, walk)
        finally:
            self.add(
                f"One item, number {number}{f', from {file}' if file else ''}",
                walk.rows and Summary(walk.rows),
            )

    def walk_batch(self, samples: list, numbers: Sequence[int], steps: Pipeline) -> None:
        """Show one batch on its way."""
        walk = Walk()
        try:
            batch = walk.together(samples, numbers)
            attempted("learning from batches", batch, lambda: steps.setup([batch]))
            walk.through(steps.steps, batch, "")
        finally:
            self.add(f"One batch, of {counted(len(samples))}", walk.rows and Summary(walk.rows))
        self.add("Mind", [line for x in elements(batch).values() for line in mask_lines(x)])

    def add(self, title: str, lines: Any) -> None:
        """Put one part down, if it says anything."""
        if lines:
            self.parts.append((title, lines))

    def failed(self) -> list[str]:
        """What failed, in words; nothing if nothing did."""
        return [] if self.failure is None else [failure_said(self.failure)]

    def __repr__(self) -> str:
        parts = [(title, lines if isinstance(lines, list) else [repr(lines)]) for title, lines in self.parts]
        texts = [f"{title}\n{indent(chr(10).join(lines), '    ')}" for title, lines in parts]
        return readable("\n\n".join([*texts, *self.failed()]))

    def _repr_html_(self) -> str:
        # No headings: nobody knows how deep in a page the summary stands.
        shown = [
            f"<p><strong>{html.escape(title)}</strong></p>{laid_out(lines)}" for title, lines in self.parts
        ]
        return readable("".join([*shown, *map(wrapped, self.failed())]))


def wrapped(text: str) -> str:
    """A text for a page, its lines as they are, and the long ones folded."""
    return f'<pre style="white-space: pre-wrap">{html.escape(text)}</pre>'


def attempted(name: str, given: Any, do: Callable[[], Any]) -> Any:
    """Do it; an error is told with what there was."""
    try:
        return do()
    except Exception as error:
        learning = [note for note in getattr(error, "__notes__", ()) if note.endswith("was set up")]
        step = learning[0].removeprefix("while ").removesuffix(" was set up") if learning else name
        several = isinstance(given, Sequence) and not isinstance(given, str | tuple)
        there = counted(len(given)) if several else told(given)
        raise Halted(step, {"given": there}, error) from error


def learn(whole: Pipeline, items: Sequence, train: Sequence[int]) -> None:
    """Let steps learn from the training items; if they cannot, find the item at which they fail."""
    try:
        attempted("learning", items[train[0]], lambda: whole.setup(Chosen(items, train)))
    except Halted as failure:
        alike = None
        for number in train:
            try:
                walked(items, number, whole)
            except Halted as halted:
                if str(halted.error) == str(failure.error):
                    raise halted from None
                alike = alike or (halted if halted.step == failure.step else None)
        if alike:
            alike.error = failure.error
            raise alike from None
        raise


def walked(items: Sequence, number: int, whole: Pipeline, walk: Walk | None = None) -> Any:
    """One item after all its steps; what halts it is told with its number and its file."""
    raw = items[number]
    sample: Any = whole.steps[0]
    try:
        return (walk or Walk()).item(raw, sample, whole.steps[1:])
    except Halted as halted:
        halted.item, halted.file = number, file_of(raw)
        raise


def spread(numbers: Sequence[int], count: int) -> Sequence[int]:
    """So many of the numbers, from all over them: neighbours are often alike.

    >>> spread([0, 1, 2, 3, 4, 5, 6], 3)
    [0, 2, 4]
    """
    return numbers[:: max(1, len(numbers) // count)][:count]


def mask_lines(x: Any) -> list[str]:
    """What is odd about the numbers in masks."""
    if not isinstance(x, Mask | VolumeMask) or not x.numel():
        return []
    there, named = plain(x).unique().tolist(), len(x.vocab or ())
    beyond = [number for number in there if number >= named] if named else []
    if there == [0, 255] or beyond:
        number = (beyond or there)[-1]
        classes = f"the {named} names in its vocab are of 0 to {named - 1}" if named else "classes are 0, 1 …"
        return [
            f"a mask holds the number {number}, and {classes}. If it stands for a class, number the classes "
            "one after the other; target_from may be a function that gives the array: array // 255."
        ]
    return []


def first_item(items: Sequence) -> list[str]:
    """What the first item holds, a line for each part."""
    first = items[0]
    if isinstance(first, dict):
        return [f"{name}: {told(value)}" for name, value in first.items()]
    if isinstance(first, tuple):
        return [f"position {place}: {told(value)}" for place, value in enumerate(first)]
    return [told(first)]


def split_lines(items: Sequence, sample: Sampled, split: Split) -> list:
    """How many items there are on each side; of a few kinds, how many of each."""
    lines: list = [f"{counted(len(split[0]))} to learn from, {len(split[1])} held out"]
    aside = len(items) - len(split[0]) - len(split[1])
    lines += [f"{counted(aside)} on neither side"] if aside else []
    if kinds := kinds_of(items, sample):
        learned, held = (Counter(str(kinds[number]) for number in side) for side in split)
        some = [name for name, _ in (learned + held).most_common(MOST_KINDS)]
        lines += [f"{name}: {learned[name]} to learn from, {held[name]} held out" for name in some]
        rest = len(learned | held) - len(some)
        lines += [f"and {rest} more kinds"] if rest else []
        if len(learned) == 1:
            lines += [f"Mind: all items to learn from are {some[0]!r}, so there is nothing to tell apart."]
    return lines


def failure_said(failure: Halted) -> str:
    """Say what failed: at which step, on which item, with what on both sides, why, and what to do."""
    side = f"the {failure.side} of " if failure.side else ""
    where = "" if failure.item is None else f", on {side}item {failure.item}"
    file = f" ({failure.file})" if failure.file else ""
    cause, remedy = advice(failure.step, failure.error, failure.item)
    words = getattr(failure.error, "args", None)
    said = str(words[0]) if isinstance(failure.error, KeyError) and words else str(failure.error)
    one = len(failure.given) == 1
    went_in = [f"    went in   {what if one else f'{name}: {what}'}" for name, what in failure.given.items()]
    came_out = f"    came out  nothing: it raised {type(failure.error).__name__}"
    return "\n".join(
        [
            f"It fails at {failure.step}{where}{file}.",
            *went_in,
            came_out,
            f"What it says: {said}",
            f"The usual cause: {cause}",
            f"What to do: {remedy}",
        ]
    )


def counted(count: int) -> str:
    """A number of items, as people write it.

    >>> counted(1), counted(2624)
    ('1 item', '2,624 items')
    """
    return f"{count:,} item{'s' * (count != 1)}"


def laid_out(lines: list[str] | Summary) -> str:
    """Lines as HTML; a table has its own."""
    if isinstance(lines, Summary):
        return lines._repr_html_()
    return f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in lines)}</ul>"
