"""Items are found in whatever data come as, read when they are asked for, and taken apart by name."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy
import pandas
import pytest
import torch
from torch.utils.data import IterableDataset, TensorDataset

import coursekit as kit
from coursekit.finding import (
    INPUT_NAMES,
    Chosen,
    Table,
    cell,
    column,
    find_items,
    has_numbers,
    is_cheap,
    is_missing,
    taken,
    usual_take,
)

FRAME = pandas.DataFrame({"age": [39, 50], "job": ["nurse", "baker"], "pay": [1.5, None]}, index=[7, 7])


def test_rows_of_a_table_are_records_of_pythons_own_values():
    row = find_items(FRAME)[0]

    assert row == {"age": 39, "job": "nurse", "pay": 1.5}
    assert [type(value) for value in row.values()] == [int, str, float]
    assert find_items(FRAME)[-1]["job"] == "baker"


def test_what_pandas_says_is_missing_is_none():
    frame = pandas.DataFrame(
        {"n": pandas.array([1, None], dtype="Int64"), "t": [pandas.NaT, pandas.Timestamp(0)]}
    )

    assert find_items(frame)[0]["t"] is None
    assert find_items(frame)[1]["n"] is None


def test_a_row_is_read_when_it_is_asked_for():
    frame = pandas.DataFrame({"a": range(200_000)})
    items = find_items(frame)

    assert isinstance(items, Table)
    assert items[199_999] == {"a": 199_999}
    assert len(column(items, "a")) == 200_000


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(ValueError, match="more than one column 'a'"):
        find_items(pandas.DataFrame([[1, 2]], columns=["a", "a"]))


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_csv_file_is_read_whatever_parts_its_columns(tmp_path: Path, mark: str):
    file = tmp_path / "animals.csv"
    file.write_text(f"name{mark}says\nlamb{mark}baa\n", encoding="utf-8")

    assert list(find_items(str(file))) == [{"name": "lamb", "says": "baa"}]


def test_a_german_spreadsheet_keeps_its_amounts_and_its_names(tmp_path: Path):
    """Decimals have commas there, and what begins with zeros is a name: of a file, a patient, a town."""
    (tmp_path / "a.csv").write_text(
        "patient;größe;plz;fehlt\n0007;1,60;01067;\n0008;;80331;\n", encoding="utf-8-sig"
    )
    items = find_items(tmp_path / "a.csv")

    assert items[0] == {
        "patient": "0007",
        "größe": 1.6,
        "plz": "01067",
        "fehlt": pytest.approx(float("nan"), nan_ok=True),
    }
    assert column(items, "plz") == ["01067", "80331"]


def test_a_name_in_other_letters_is_the_one_that_was_meant():
    item = {"Patient ": 1, "weight": 3}

    with pytest.raises(KeyError, match=r"no 'patient'; it has Patient , weight\. Did you mean 'Patient '\?"):
        taken(item, "patient")
    with pytest.raises(KeyError, match=r"no 'age'; it has Patient , weight\. Say where"):
        taken(item, "age")


def test_a_packed_table_is_read(tmp_path: Path):
    (tmp_path / "a.csv.xz").write_bytes(lzma.compress(b"age,label\n3,x\n"))

    assert list(find_items(tmp_path / "a.csv.xz")) == [{"age": 3, "label": "x"}]


def test_a_table_in_another_encoding_says_how_to_read_it(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes("name\nBäcker\n".encode("cp1252"))

    with pytest.raises(ValueError, match=r"not written in UTF-8.*encoding='cp1252'"):
        find_items(tmp_path / "a.csv")


@pytest.mark.parametrize(
    "source", [{"x": torch.zeros(3, 2), "y": ["a", "b", "c"]}, {"x": [1, 2, 3], "y": "abc"}]
)
def test_columns_of_one_length_are_records(source):
    if isinstance(source["y"], str):
        with pytest.raises(ValueError, match="'x' has 3, 'y' has no"):
            find_items(source)
    else:
        assert list(find_items(source)[2]) == ["x", "y"]


def test_arrays_side_by_side_are_tuples():
    photos, labels = numpy.zeros((4, 3, 8, 8), dtype=numpy.uint8), numpy.array(list("abab"))
    items = find_items((photos, labels))

    assert items[1][1] == "b"
    assert items[1][0].shape == (3, 8, 8)
    data = kit.DataBlock(kit.Image, kit.Category, split=([0, 1], [2, 3])).loaders((photos, labels))
    assert data.vocab == ("a", "b")
    with pytest.raises(ValueError, match="equally long; 0 has 4, 1 has 3"):
        find_items((photos, labels[:3]))


def test_sequences_iterables_and_data_sets_of_torch():
    class Odd:
        def __len__(self):
            return 3

        def __getitem__(self, number):
            return 2 * number + 1

    pairs = TensorDataset(torch.arange(3), torch.arange(3) * 2)

    assert list(find_items(Odd())) == [1, 3, 5]
    assert [int(y) for _, y in find_items(pairs)] == [0, 2, 4]
    assert list(find_items(number for number in range(3))) == [0, 1, 2]
    assert find_items(("cat_1.jpg", "dog_2.jpg"))[1] == "dog_2.jpg"
    assert not is_cheap(find_items(pairs))
    assert is_cheap(Chosen(find_items(FRAME), [1]))


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ([], ValueError, "no item was found"),
        ({}, ValueError, "no item was found"),
        (FRAME[:0], ValueError, "no item was found"),
        ({"b", "a"}, TypeError, "A set has no order"),
        (7, TypeError, "items are found in tables, folders, arrays, lists and data sets; the int 7 came"),
    ],
)
def test_nothing_to_find_items_in(source, error, words):
    with pytest.raises(error, match=words):
        find_items(source)


def test_a_kind_of_source_of_ones_own():
    class Herd:
        animals = ("lamb", "ewe")

    @find_items.method
    def _(source: Herd):
        return list(source.animals)

    assert find_items(Herd()) == ["lamb", "ewe"]


def test_a_folder_is_split_by_its_folders(tmp_path: Path):
    for name in ("train/cat/1", "train/dog/2", "test/cat/3", "test/dog/4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.txt").write_text(name)
    data = kit.DataBlock(kit.Text, kit.Category, split=kit.FolderSplit("test")).loaders(tmp_path)

    assert [str(text) for text, _ in data.decode_batch(next(iter(data.valid)))] == [
        "test/cat/3",
        "test/dog/4",
    ]


@pytest.mark.parametrize(
    ("item", "take"),
    [({"image": 1}, "image"), ((1, 2), 0), ("a.jpg", None), ({"file": 1, "photo": 2}, "photo")],
)
def test_inputs_have_usual_places(item, take):
    assert usual_take(item, INPUT_NAMES, 0) == take


def test_without_a_usual_place_the_columns_are_listed():
    with pytest.raises(KeyError, match="none of photo, file, image, text, input; it has age, job"):
        usual_take({"age": 1, "job": 2}, INPUT_NAMES, 0)
    with pytest.raises(KeyError, match=r"holds no target that could be found; it is the str 'a\.jpg'"):
        usual_take("a.jpg", ("label",), 1)


def test_several_are_taken_in_the_form_that_asks():
    item = {"a": 1, "b": 2, "c": 3}

    assert taken(item, ("a", ["b", "c"])) == (1, {"b": 2, "c": 3})
    assert taken(item, {"x": "a", "y": lambda one: one["b"]}) == {"x": 1, "y": 2}
    assert taken(item, None) is item
    assert column(Chosen([item, item], [1]), "c") == [3]


def test_missing_is_none_or_nan():
    assert [is_missing(value) for value in (None, float("nan"), 0, "", "nan")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert cell(numpy.float32(1.5)) == 1.5
    assert type(cell(numpy.str_("a"))) is str


def test_a_data_set_of_hugging_face_is_read_lazily_with_names_for_numbers():
    datasets = pytest.importorskip("datasets", reason="datasets (Hugging Face) is not installed")
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=["cat", "dog"]),
            "tags": [datasets.Value("string")],
        }
    )
    photos = [
        {"image": numpy.full((8, 8, 3), n, dtype=numpy.uint8), "label": n % 2, "tags": ["a"]}
        for n in range(6)
    ]
    source = datasets.Dataset.from_list(photos, features=features)
    items = find_items(source)
    data = kit.DataBlock(kit.Image, kit.Category, split=kit.StratifiedSplit()).loaders(source)
    both = find_items(datasets.DatasetDict({"train": source, "test": source}))

    assert items[1]["label"] == "dog"
    assert column(items, "label") == ["cat", "dog"] * 3
    assert not is_cheap(items)
    assert data.one_batch()[0].shape == (4, 3, 8, 8)
    assert data.vocab == ("cat", "dog")
    assert [both[0]["part"], both[-1]["part"]] == ["train", "test"]


def test_what_looks_like_such_a_data_set_is_read_as_one():
    class Label:
        names = ("cat", "dog")

    class Plain:
        feature = None

    class Rows:
        column_names = ("text", "label", "tags")
        features = {"text": Plain(), "label": Label(), "tags": type("List", (), {"feature": Label()})()}  # noqa: RUF012
        rows = ({"text": "a", "label": 1, "tags": [0, 1]}, {"text": "b", "label": -1, "tags": []})

        def __len__(self):
            return len(self.rows)

        def __getitem__(self, asked):
            return [row[asked] for row in self.rows] if isinstance(asked, str) else self.rows[asked]

    items = find_items(Rows())

    assert list(items) == [
        {"text": "a", "label": "dog", "tags": ["cat", "dog"]},
        {"text": "b", "label": None, "tags": []},
    ]
    assert column(items, "label") == ["dog", None]


class Numbers(IterableDataset):
    def __iter__(self):
        return iter(range(5))


def test_it_is_known_what_can_only_be_walked_through():
    assert has_numbers([1])
    assert not has_numbers(Numbers())
    assert not has_numbers(x for x in "ab")
    assert list(find_items(Numbers())) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("form", ["tuple", "dict"])
def test_columns_of_pandas_go_by_place_and_not_by_their_index(form: str):
    """What is left of a shuffled table has an index that names other places."""
    kinds = pandas.Series(["a", "b", "c"], index=[2, 0, 1])
    numbers = numpy.array([10, 11, 12])
    items = find_items((numbers, kinds) if form == "tuple" else {0: numbers, 1: kinds})

    assert [(item[0], item[1]) for item in items] == [(10, "a"), (11, "b"), (12, "c")]
    assert column(items, 1) == ["a", "b", "c"]


def test_a_table_beside_a_column_gives_records_as_inputs():
    table = pandas.DataFrame({"age": [3, 5], "job": ["nurse", "baker"]}, index=[7, 3])
    items = find_items((table, pandas.Series(["ill", "well"], index=[7, 3])))

    assert items[1] == ({"age": 5, "job": "baker"}, "well")


def test_some_of_what_was_found_are_items_again():
    items = find_items({"weight": [3, 4, 5], "label": ["lamb", "calf", "kid"]})

    assert list(items[1:]) == [{"weight": 4, "label": "calf"}, {"weight": 5, "label": "kid"}]
    assert column(items[:-3:-1], "label") == ["kid", "calf"]
    assert len(items[5:]) == 0
