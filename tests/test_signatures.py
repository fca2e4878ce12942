"""What is read from functions, and the function that is written for all of them."""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable
from typing import Any

import pytest

from coursekit.signatures import (
    MISSING,
    REQUIRED,
    Method,
    Missing,
    common_keywords,
    common_parameters,
    names,
    read_method,
    write_body,
    write_parameters,
)


def read(function: Callable[..., Any]) -> Method:
    return read_method(function, "word", sys._getframe(1))


def test_a_method_is_read_whole() -> None:
    def turn(
        photo: str, degrees: int | float = 90, *more: bytes, smooth: bool = True, **rest: Any
    ) -> str: ...

    one = read(turn)

    assert str(one) == "word(photo: str, degrees: int | float = 90, *more: bytes, smooth=..., **keywords)"
    assert [parameter.kinds for parameter in one.parameters] == [(str,), (int, float)]
    assert one.place == f"tests/test_signatures.py:{turn.__code__.co_firstlineno}"


def test_without_a_frame_it_takes_anything() -> None:
    def turn(photo: list[int], degrees: Nowhere): ...  # noqa: F821

    assert [one.kinds for one in read_method(turn, "turn", None).parameters] == [(object,), (object,)]


def test_types_are_named_as_one_writes_them() -> None:
    class Local: ...

    assert names([int, type(None), Local]) == "int | None | Local"


def test_defaults_that_differ_are_left_to_each_method() -> None:
    def one(x: int, y: int = 1): ...

    def two(x: str, y: int = 2): ...

    x, y = common_parameters([read(one), read(two)])

    assert (x.name, x.default, x.by_name) == ("x", REQUIRED, True)
    assert (y.name, y.default) == ("y", MISSING)
    assert read(one).kinds(1, [x, y]) == (int, Missing)


def test_defaults_that_agree_stay() -> None:
    def one(x: int, y: int = 300): ...

    def two(x: str, y: int = 300): ...

    assert common_parameters([read(one), read(two)])[1].default == 300


@pytest.mark.parametrize(("first", "second"), [(1, True), (0, 0.0), (None, 0), ([], [])])
def test_defaults_that_only_look_alike_are_not_shared(first: Any, second: Any) -> None:
    def one(x: int, y=first): ...

    def two(x: str, y=second): ...

    assert common_parameters([read(one), read(two)])[1].default is MISSING


def test_a_parameter_without_a_common_name_takes_those_before_it_along() -> None:
    def one(x: int, size: int): ...

    def two(x: str, width: int): ...

    assert [one.name for one in common_parameters([read(one), read(two)])] == ["argument_0", "argument_1"]


def test_keywords_are_shared_or_passed() -> None:
    def one(x: int, *, size=1): ...

    def two(x: str, *, size=1): ...

    def three(x: str, *, size=2): ...

    def four(x: str, **more): ...

    assert common_keywords([read(one), read(two)]) == {"size": 1}
    assert common_keywords([read(one), read(three)]) is None
    assert common_keywords([read(one), read(four)]) is None


def test_the_function_that_is_written() -> None:
    def one(x: int, y=1, *, size=2): ...

    common = common_parameters([read(one)])
    parameters, defaults = write_parameters(common, {"size": 2}, has_rest=False)

    assert parameters == "x, y=_defaults_[1], *, size=_defaults_[2]"
    assert defaults == [REQUIRED, 1, 2]
    body = write_body(common, {"size": 2}, [0], 7)
    assert "return _chosen_[_type_(x)](x, y, size=size)\n" in body
    assert "return _choose_(7, x, y)(x, y, size=size)\n" in body


@pytest.mark.parametrize(
    ("note", "kind"), [("int |", SyntaxError), ("typing.Nothing", AttributeError), ("nothing", NameError)]
)
def test_an_annotation_that_is_wrong_says_where_it_stands(note: str, kind: type[Exception]) -> None:
    def one(x): ...

    one.__annotations__["x"] = note
    with pytest.raises(kind, match=r"word at tests/test_signatures.py:\d+, parameter x: "):
        read(one)


def test_a_base_class_of_typing_is_a_type_as_others_are() -> None:
    def one(x: typing.Generic): ...  # type: ignore[valid-type]

    assert read(one).parameters[0].kinds == (typing.Generic,)
