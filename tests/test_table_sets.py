"""Every table and every text opens, with as many rows as the table of data sets says."""

from __future__ import annotations

import re

import pandas
import pytest
from sets import had

from coursekit.sources import table
from coursekit.table_sets import open_table, open_text

TABLES = {
    name: re.findall(r'"(\w[\w.]*)"', source.load)
    for name, source in table().items()
    if "open_table" in source.load
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_a_row_for_each_item(name: str) -> None:
    rows = had(open_table, *TABLES[name])

    assert len(rows) == table()[name].items or name == "animal_husbandry"
    assert not any(column.startswith("Unnamed") for column in rows)
    assert len(rows.columns) > 1


def test_of_several_tables_one_is_chosen() -> None:
    ratings, films = had(open_table, "movielens", "ratings"), had(open_table, "movielens", "movies")

    assert ratings.columns.tolist() == ["userId", "movieId", "rating", "timestamp"]
    assert (ratings["userId"].nunique(), ratings["movieId"].nunique()) == (671, 9066)
    assert set(ratings["movieId"]) <= set(films["movieId"])
    with pytest.raises(KeyError, match="'movielens' has several parts, so say which: links, movies, ratings"):
        open_table("movielens")
    with pytest.raises(KeyError, match="'movielens' has no part 'films': links, movies, ratings, tags"):
        open_table("movielens", "films")


def test_ratings_inside_the_package_are_the_same() -> None:
    edition, package = had(open_table, "movielens", "ratings"), open_table("film_ratings")
    columns = ["userId", "movieId", "rating", "timestamp"]

    assert edition.equals(package[columns].astype(edition.dtypes))


def test_the_same_houses_in_a_package_and_as_a_file() -> None:
    assert had(open_table, "ames_housing")["Sale_Price"].tolist() == open_table("ames")["Sale_Price"].tolist()


def test_dates_can_be_put_in_order() -> None:
    hours, oil = had(open_table, "bicycles"), had(open_table, "transformer")

    assert hours["dteday"].is_monotonic_increasing
    assert str(hours["dteday"].iloc[-1]) == "2012-12-31 00:00:00"
    assert oil["date"].diff().dropna().unique().tolist() == [pandas.Timedelta(hours=1)]


def test_pigs_are_weighed_each_week() -> None:
    pigs = open_table("pigs")

    assert (pigs["Pig"].nunique(), pigs["Time"].max()) == (72, 12)
    assert (pigs.groupby("Pig")["Weight"].last() > pigs.groupby("Pig")["Weight"].first()).all()


def test_tumours_have_names() -> None:
    assert open_table("breast_cancer")["target"].value_counts().to_dict() == {"benign": 357, "malignant": 212}


def test_texts_are_whole() -> None:
    assert len(had(open_text, "shakespeare")) == 1_115_394
    assert had(open_text, "names").split()[:2] == ["emma", "olivia"]
    assert len(had(open_text, "names").split()) == table()["names"].items


@pytest.mark.parametrize(("part", "words"), [("valid", 213_886), ("test", 241_211)])
def test_wikitext_in_parts(part: str, words: int) -> None:
    assert len(had(open_text, "wikitext2", part).split()) == words


def test_what_is_no_table_says_how_it_is_loaded() -> None:
    with pytest.raises(ValueError, match=r"'digits' is no table: it is loaded by kit\.digits\(\)\."):
        open_table("digits")
    with pytest.raises(KeyError, match="no data set is called 'pig'; did you mean 'pigs'"):
        open_table("pig")
