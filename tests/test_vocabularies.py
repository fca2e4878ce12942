"""Names, words and kinds are learned from the training items alone; the rest is numbered or refused."""

from __future__ import annotations

import datetime

import numpy
import pytest
import torch

import coursekit as kit


def loaders(inputs, rows, split, **changes):
    return kit.DataBlock(inputs, kit.Category, split, **changes).loaders(rows, batch_size=2)


def test_a_kind_never_seen_and_an_amount_that_is_missing_have_their_numbers():
    rows = [
        {"age": 20, "job": "nurse", "label": "a"},
        {"age": 40, "job": "baker", "label": "b"},
        {"age": None, "job": "miner", "label": "a"},
        {"age": 1000, "job": None, "label": "b"},
    ]
    data = loaders(kit.Row, rows, ([0, 1], [2, 3]), input_from=["age", "job"])
    held_out, _ = next(iter(data.valid))
    trained, _ = data.one_batch()

    assert trained.vocabs == (None, ("unseen", "baker", "nurse"))
    assert held_out[:, 1].tolist() == [0, 0]
    assert torch.isnan(held_out[0, 0])
    assert held_out[1, 0] == (1000 - 30) / 10  # the scale is that of the ages 20 and 40
    assert data.decode_batch((held_out, torch.tensor([0, 1])))[0][0]["job"] == "unseen"


def test_missing_is_a_kind_where_it_was_learned():
    table = kit.Tabulate()
    table.setup([{"job": "a"}, {"job": float("nan")}, {"job": None}])

    assert table.vocabs == {"job": ("unseen", "a", "missing")}
    assert table.encode({"job": None})["job"] == "missing"
    assert table.decode(table.encode({"job": "a"})) == {"job": "a"}


def test_numbers_can_be_kinds():
    table = kit.Tabulate(kinds=["ward"])
    table.setup([{"ward": 7, "sick": True}, {"ward": 12, "sick": False}])

    assert table.vocabs == {"ward": ("unseen", "12", "7"), "sick": ("unseen", "False", "True")}
    with pytest.raises(ValueError, match="takes 'bed' as kinds; the row has ward, sick"):
        kit.Tabulate(kinds=["bed"]).setup([{"ward": 7, "sick": True}])


@pytest.mark.parametrize(
    ("cells", "error", "words"),
    [
        ({"age": 1}, ValueError, "lacks the column 'job'; it has age"),
        ({"age": "old", "job": "a"}, ValueError, "'age' of a Row holds 'old', which is no number"),
        ([1, "a"], TypeError, r"made of columns by their names.*input_from=\['age', 'job'\]"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(cells, error, words):
    table = kit.Tabulate()
    table.setup([{"age": 1, "job": "a"}])

    with pytest.raises(error, match=words):
        table.encode(cells)


def test_words_are_learned_from_the_training_texts_alone():
    rows = [
        {"text": "The lamb is ill", "label": "a"},
        {"text": "the lamb is well", "label": "b"},
        {"text": "a secret lamb", "label": "a"},
    ]
    data = loaders(kit.Tokenize(), rows, ([0, 1], [2]))
    texts, _ = next(iter(data.valid))

    assert texts.vocab == ("", "<unseen>", "is", "lamb", "the")
    assert texts.tolist() == [[1, 1, 3]]
    assert data.decode_batch((texts, torch.tensor([0])))[0][0] == "<unseen> <unseen> lamb"


def test_shorter_texts_are_filled_up_with_the_empty_word_and_cut_again():
    rows = [{"text": text, "label": "ab"[n]} for n, text in enumerate(["one two three", "one"])]
    data = loaders(kit.Tokenize(least=1), [*rows, {"text": "two", "label": "a"}], ([0, 1], [2]))
    texts, labels = data.one_batch()

    assert sorted((texts == 0).sum(1).tolist()) == [0, 2]
    assert sorted(text for text, _ in data.decode_batch((texts, labels))) == ["one", "one two three"]


@pytest.mark.parametrize(
    ("step", "items", "error", "words"),
    [
        (
            kit.Tokenize(),
            ["each word once"],
            ValueError,
            r"keeps words that .* 2 times; .* 3 words\. Give least=1",
        ),
        (kit.Tokenize(), [3], TypeError, "Tokenize takes texts; the int 3 came"),
        (kit.MultiCategorize(), ["", []], ValueError, "none has a name"),
        (
            kit.MultiCategorize(),
            [3],
            TypeError,
            "takes a list of names, or a text of several; the int 3 came",
        ),
    ],
)
def test_what_cannot_be_learned_is_refused(step, items, error, words):
    with pytest.raises(error, match=words):
        step.setup(items)


def test_the_most_frequent_words_stay():
    words = kit.Tokenize(most=1, least=1)
    words.setup(["b a a"])

    assert words.vocab == ("", "<unseen>", "a")
    with pytest.raises(ValueError, match="knows no words yet"):
        kit.Tokenize().encode("a")


@pytest.mark.parametrize(
    ("items", "separator"), [(["a;b", "c"], ";"), (["a|b, c"], "|"), (["a,b"], ","), (["a b"], " ")]
)
def test_the_mark_between_names_is_found(items, separator):
    step = kit.MultiCategorize()
    step.setup(items)

    assert step.separator == separator


def test_names_never_learned_are_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"'shep' is not one of the 2 names .*Did you mean 'sheep'"):
        kit.MultiCategorize(["cow", "sheep"]).encode(["shep"])
    assert kit.MultiCategorize(["cow", "sheep"]).encode([]).tolist() == [0, 0]


@pytest.mark.parametrize(
    "dates", [["2024-05-31", "2024-06-01"], ["31.5.24", None], [datetime.date(2024, 5, 31), None]]
)
def test_dates_are_neither_amounts_nor_kinds(dates: list) -> None:
    with pytest.raises(ValueError, match=r"holds dates \(\'?(2024-05-31|31\.5\.24).*\['day'\]\)\.dt\.month"):
        kit.Tabulate().setup([{"day": date} for date in dates])


@pytest.mark.parametrize("texts", [["1,60", "1,7", "2"], ["1.234,5", "-3,1"], ["1,000", "20"]])
def test_texts_that_are_numbers_are_no_kinds_unless_it_is_said(texts: list[str]) -> None:
    rows = [{"height": text} for text in texts]

    with pytest.raises(ValueError, match=r"texts that are numbers .*decimal=',', thousands='\.'"):
        kit.Tabulate().setup(rows)
    kinds = kit.Tabulate(kinds=["height"])
    kinds.setup(rows)
    assert kinds.vocabs == {"height": ("unseen", *sorted(texts))}


def test_names_with_numbers_in_them_are_kinds() -> None:
    table = kit.Tabulate()
    table.setup([{"version": "1.2.3", "code": "01000", "size": "3,5 mm", "ward": "12"}])

    assert all(table.vocabs.values())


def test_an_array_of_numbers_is_a_row() -> None:
    table = kit.Tabulate()
    table.setup([numpy.array([1.0, 2.0]), torch.tensor([numpy.nan, 3.0])])

    row = table.encode(numpy.array([5.0, numpy.nan]))
    assert row.names == ("column 0", "column 1")
    assert row[:1].tolist() == [5.0]
    assert table.encode(torch.tensor([1.0, 2.0])).tolist() == [1.0, 2.0]
