"""What crosses between the two sides: everything plain arrives as it was, nothing else arrives at all."""

from __future__ import annotations

import io
import json
import math
import struct
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import coursekit
from coursekit.grader.encoding import Array, BrokenEncoding, Raised, Record, Refused, decode, encode, plain
from coursekit.grader.frames import read_frame, write_frame


def crossed(value: Any, kit: str = "coursekit") -> Any:
    """A value after it went over a pipe."""
    node, buffers = encode(value, kit)
    pipe = io.BytesIO()
    write_frame(pipe, {"value": node}, buffers)
    pipe.seek(0)
    frame = read_frame(pipe)
    assert frame is not None
    return decode(frame[0]["value"], frame[1])


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
trees = st.recursive(
    leaves,
    lambda inside: st.lists(inside) | st.lists(inside).map(tuple) | st.dictionaries(st.text(), inside),
    max_leaves=20,
)


@given(trees)
def test_plain_values_arrive_as_they_were(value: Any) -> None:
    came = crossed(value)

    assert came == value
    assert repr(came) == repr(value)


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool, torch.uint8]
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3)])
def test_tensors_arrive_with_shape_and_dtype(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = (torch.rand(shape) * 9).to(dtype)
    came = crossed(tensor)

    assert (came.type, came.shape, came.device) == ("Tensor", shape, "cpu")
    assert torch.equal(plain(came), tensor)
    assert plain(came).dtype == dtype


def test_a_view_and_a_tensor_with_a_gradient_arrive_as_numbers() -> None:
    tensor = torch.arange(6.0, requires_grad=True).reshape(2, 3).T

    assert plain(crossed(tensor)).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert crossed(torch.nn.Parameter(torch.ones(1))).type == "torch.nn.parameter.Parameter"


def test_a_semantic_type_arrives_by_its_name_in_the_kit_with_its_metadata() -> None:
    came = crossed(coursekit.tensors.Category(1, vocab=("sound", "broken")))

    assert came.type == "labels.Category"
    assert came.metadata == {"vocab": ("sound", "broken")}
    assert crossed(coursekit.tensors.Category(1), kit="").type == "coursekit.labels.Category"


def test_arrays_and_tables_arrive() -> None:
    assert plain(crossed(np.array([[1.5], [2.5]]))).tolist() == [[1.5], [2.5]]
    assert crossed(np.float32(0.5)) == Array("numpy number", "float32", (), "cpu", np.float32(0.5))
    assert plain(crossed(np.array(["a", "bc"]))).tolist() == ["a", "bc"]
    table = crossed(pd.DataFrame({"n": [1, 2], "name": ["a", "b"]}, index=[5, 6]))
    assert isinstance(table, Record)
    assert table.type == "pandas.DataFrame"
    assert table.fields["values"] == [[1, 2], ["a", "b"]]
    assert table.fields["index"] == [5, 6]


def test_an_error_arrives_as_its_types_and_text() -> None:
    came = crossed(KeyError("no such thing"))

    assert came == Raised(
        "KeyError", ("KeyError", "LookupError", "Exception", "BaseException"), "no such thing"
    )


class Equal:
    """Equal to everything, and prints what it likes."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("it was asked to compare itself")

    def __repr__(self) -> str:
        raise AssertionError("it was asked to print itself")

    __hash__ = None  # type: ignore[assignment]


class Sly(torch.Tensor):
    pass


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Equal(), "Equal"),
        ({1}, "set"),
        (range(3), "range"),
        (lambda: 1, "function"),
        (Sly(torch.zeros(1)), "Sly"),
        (torch.zeros(2).to_sparse(), "Tensor"),
        (torch.zeros(2, device="meta"), "Tensor"),
        (np.array([Equal()], dtype=object), "numpy.ndarray"),
        (type("Text", (str,), {})("a"), "Text"),
        (type("Number", (int,), {})(1), "Number"),
    ],
)
def test_anything_else_is_refused_by_its_name(value: Any, name: str) -> None:
    came = crossed(value)

    assert isinstance(came, Refused)
    assert came.type.endswith(name)


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(2, dtype=torch.float8_e4m3fn),
        torch.zeros([1] * 50),
        np.zeros(2, dtype=np.longdouble),
        np.zeros([1] * 50),
    ],
)
def test_numbers_that_cannot_be_computed_with_everywhere_do_not_cross(value: Any) -> None:
    assert isinstance(crossed(value), Refused)


@pytest.mark.parametrize(
    "dtype", ["qint8", "quint8", "qint32", "bits8", "int4", "float8_e4m3fn", "complex32"]
)
def test_no_dtype_gets_in_that_ends_who_looks_at_it(dtype: str) -> None:
    with pytest.raises(BrokenEncoding, match="no dtype that can cross"):
        decode(a_tensor(dtype, [2]), [bytes(16)])


def test_no_shape_gets_in_that_ends_who_prints_it() -> None:
    with pytest.raises(BrokenEncoding, match="too many sizes"):
        decode(a_tensor("float32", [1] * 200_000), [bytes(4)])


def a_tensor(dtype: str, shape: list[int]) -> Any:
    about = {"type": "Tensor", "dtype": dtype, "shape": shape, "device": "cpu", "metadata": {"dict": []}}
    return {"tensor": {**about, "data": 0}}


def test_characters_that_there_are_not_do_not_get_in() -> None:
    node = {"numpy": {"type": "numpy.ndarray", "dtype": "<U1", "shape": [2], "data": 0}}

    with pytest.raises(BrokenEncoding, match="characters"):
        decode(node, [b"\xff" * 8])


def test_keys_made_to_share_a_hash_are_refused_before_they_cost_time() -> None:
    alike = [[number * sys.hash_info.modulus, 0] for number in range(100_000)]

    with pytest.raises(BrokenEncoding, match="made to be alike"):
        decode({"dict": alike}, [])


def test_depth_count_and_size_are_bounded() -> None:
    nest: list = []
    nest.append(nest)
    deep = crossed(nest)
    while isinstance(deep, list):
        (deep,) = deep

    assert deep == Refused("list", "it is nested too deep or has too many parts")
    assert crossed(torch.zeros(1).expand(10**9)) == Refused("Tensor", "it is too large (shape (1000000000,))")
    assert crossed([b"x" * 100_000_000] * 2)[1] == Refused("bytes", "it is too large")


@pytest.mark.parametrize(
    "node",
    [
        {
            "tensor": {
                "type": "Tensor",
                "dtype": "float32",
                "shape": [2],
                "device": "cpu",
                "metadata": None,
                "data": 0,
            }
        },
        {
            "tensor": {
                "type": "Tensor",
                "dtype": "load",
                "shape": [],
                "device": "cpu",
                "metadata": None,
                "data": 0,
            }
        },
        {
            "tensor": {
                "type": "Tensor",
                "dtype": "float32",
                "shape": [],
                "device": "cpu",
                "metadata": None,
                "data": 9,
            }
        },
        {"numpy": {"type": "a", "dtype": "O", "shape": [1], "data": 0}},
        {"dict": [[[1], 2]]},
        {"unknown": 1},
        {"two": 1, "tags": 2},
        {"float": "one"},
        {"raised": ["a"]},
        {"bytes": 7},
        json.loads("[" * 300 + "]" * 300),
    ],
)
def test_what_is_not_in_the_form_is_refused_whole(node: Any) -> None:
    with pytest.raises(BrokenEncoding):
        decode(node, [b"12345678" * 2])


@given(st.binary(max_size=60))
def test_no_bytes_do_harm(content: bytes) -> None:
    with pytest.raises(BrokenEncoding):
        read_frame(io.BytesIO(b"ckg1" + content + b"x"))


@pytest.mark.parametrize(
    "head",
    [
        struct.pack(">4sQQ", b"ckg1", 2**40, 0),
        struct.pack(">4sQQ", b"ckg1", 0, 2**40),
        struct.pack(">4sQQ", b"none", 2, 0),
        struct.pack(">4sQQ", b"ckg1", 2, 0) + b"{}",
        struct.pack(">4sQQ", b"ckg1", 15, 0) + b'{"sizes": [-1]}',
        struct.pack(">4sQQ", b"ckg1", 14, 4) + b'{"sizes": [1]}abcd',
        struct.pack(">4sQQ", b"ckg1", 2, 0),
    ],
)
def test_a_message_with_wrong_sizes_is_refused_before_it_is_read(head: bytes) -> None:
    with pytest.raises(BrokenEncoding):
        read_frame(io.BytesIO(head))


def test_not_a_number_arrives() -> None:
    assert math.isnan(crossed([float("nan"), float("-inf")])[0])
    assert crossed(float("-inf")) == -math.inf
