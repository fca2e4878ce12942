"""Categories, several at once, amounts, texts and rows: from words to numbers and back."""

from __future__ import annotations

import re
from typing import Any

import pandas
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from coursekit.tensors import Category, MultiCategory, Row, Target, Text, collate_typed, plain

ANIMALS = ("cat", "cow", "dog")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: MultiCategory(["cat"]), "of names needs the vocabulary: vocab=('cat', 'dog')."),
        (lambda: MultiCategory(["hen"], vocab=ANIMALS), "The vocabulary of this MultiCategory has no 'hen'"),
        (lambda: MultiCategory([1, 0], vocab=ANIMALS), "MultiCategory has 3 names and 2 numbers."),
        (lambda: Text("no hen", vocab=("no",)), "The vocabulary of this Text has no 'hen'; it is ('no',)."),
        (lambda: Category("x", vocab=tuple("abcdefghijk")), "'h' and 3 more."),
        (
            lambda: Row({"job": "nurse"}),
            "holds 'nurse', which is no number. If it is a kind of thing, name the kinds of this column: ",
        ),
        (lambda: Row({"age": 3}, vocabs={"job": ("a",)}), "Row has no column 'job'; it has age."),
        (lambda: Row({"job": "hen"}, vocabs={"job": ANIMALS}), "The vocabulary of this Row has no 'hen'"),
        (lambda: Row([1.0, 2.0], names=("age",)), "Row has 1 names and 2 numbers."),
    ],
)
def test_what_cannot_be_is_refused_with_what_came(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


@given(some.sets(some.sampled_from(ANIMALS)))
def test_several_categories_there_and_back(names: set[str]) -> None:
    several = MultiCategory(names, vocab=ANIMALS)

    assert str(several) == ", ".join(name for name in ANIMALS if name in names)
    assert several.dtype == torch.float32


def test_a_batch_of_several_categories() -> None:
    batch = collate_typed([MultiCategory(["dog"], vocab=ANIMALS), MultiCategory([], vocab=ANIMALS)])

    assert str(batch) == "dog; "
    assert batch[0].vocab == ANIMALS


@given(some.text())
def test_a_text_is_its_characters_there_and_back(text: str) -> None:
    assert str(Text(text)) == text


def test_a_text_of_words() -> None:
    text = Text(["no", "crack"], vocab=("crack", "no"))

    assert plain(text).tolist() == [1, 0]
    assert str(text) == "no crack"
    assert str(text[1:]) == "crack"
    assert Text("").shape == (0,)


def test_amounts_stay_amounts() -> None:
    price = Target(250_000, unit="€")

    assert str(price / 2) == "125000 €"
    assert (price * 2).unit == "€"
    assert str(collate_typed([price, price])) == "250000 €, 250000 €"
    assert str(Target(0.25)) == "0.25"


def test_a_row_is_read_by_the_names_of_its_columns() -> None:
    row = Row({"age": 39, "job": "nurse"}, vocabs={"job": ("baker", "nurse")})

    assert (row["age"], row["job"], str(row)) == (39.0, "nurse", "age 39, job nurse")
    with pytest.raises(KeyError, match="this row has no column 'name'; it has age, job"):
        row["name"]


def test_a_row_comes_from_a_table_and_what_is_missing_is_nan() -> None:
    table = pandas.DataFrame({"age": [39, None], "hours": [40.0, 20.0]})

    assert plain(Row(table.iloc[0])).tolist() == [39, 40]
    assert plain(Row(table.iloc[1])).isnan().tolist() == [True, False]
    assert plain(Row({"age": None})).isnan().all()


def test_rows_in_a_batch_and_some_of_the_columns() -> None:
    row = Row({"age": 39, "job": "nurse"}, vocabs={"job": ("baker", "nurse")})
    batch = collate_typed([row, row])

    assert batch["age"].tolist() == [39, 39]
    assert type(batch["age"]) is torch.Tensor
    assert batch[1]["job"] == "nurse"
    assert (row[1:].names, row[1:]["job"]) == (("job",), "nurse")
    assert batch[:, 1:].vocabs == (("baker", "nurse"),)


def test_what_is_no_character_is_shown_as_such() -> None:
    assert str(Text([72, -1, 0x110000])) == "H\ufffd\ufffd"
