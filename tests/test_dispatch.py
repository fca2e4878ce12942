"""Dispatch: which method runs, what is refused, and in which words."""

# Annotations are written here in every way there is, the old ones too.
# ruff: noqa: B024, UP006, UP007, UP045
from __future__ import annotations

import abc
import copy
import functools
import html
import inspect
import pickle
import shutil
import sys
import threading
import traceback
import types
import typing
from collections.abc import Callable, Sized
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Protocol, TypeVar, Union, runtime_checkable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.choices import AmbiguousMethodError, NoMethodError
from coursekit.dispatch import method

HERE = "tests/test_dispatch.py"


class Animal: ...


class Cat(Animal): ...


class Lion(Cat): ...


class Plant: ...


class Sundew(Plant, Animal): ...


@method
def greet(who: Animal) -> str:
    """Say hello."""
    return "animal"


@method
def greet(who: Cat) -> str:
    return "cat"


@method
def meet(one: Cat, other: Animal) -> str:
    return "cat, animal"


@method
def meet(one: Animal, other: Cat) -> str:
    return "animal, cat"


class TestWhichMethodRuns:
    def test_the_nearest_ancestor_wins(self) -> None:
        assert [greet(kind()) for kind in (Animal, Cat, Lion)] == ["animal", "cat", "cat"]

    def test_every_argument_has_a_say(self) -> None:
        assert meet(Cat(), Animal()) == "cat, animal"
        assert meet(Animal(), Lion()) == "animal, cat"

    def test_of_two_bases_the_first_wins(self) -> None:
        @method
        def of(x: Animal):
            return "animal"

        @method
        def of(x: Plant):
            return "plant"

        assert of(Sundew()) == "plant"

    def test_unions_tuples_and_none(self) -> None:
        @method
        def of(x: int | str):
            return "int | str"

        @method
        def of(x: Union[bytes, float]):
            return "bytes, float"

        @method
        def of(x: (list, dict)):
            return "list, dict"

        @method
        def of(x: None):
            return "none"

        assert [of(x) for x in (1, "a", b"a", 1.0, [], {}, None)] == [
            "int | str",
            "int | str",
            "bytes, float",
            "bytes, float",
            "list, dict",
            "list, dict",
            "none",
        ]

    def test_optional_takes_none(self) -> None:
        @method
        def of(x: Optional[int]):
            return "optional"

        assert of(None) == of(3) == "optional"

    def test_any_and_no_annotation_take_anything(self) -> None:
        @method
        def of(x: int, y: Any):
            return "int, any"

        @method
        def of(x, y: str):
            return "any, str"

        assert of(1, None) == "int, any"
        assert of(None, "a") == "any, str"

    def test_bool_is_an_int_unless_it_has_its_own(self) -> None:
        @method
        def of(x: int):
            return "int"

        assert of(True) == "int"

        @method
        def of(x: bool):
            return "bool"

        assert of(True) == "bool"
        assert of(1) == "int"

    def test_an_int_is_not_a_float(self) -> None:
        @method
        def of(x: float):
            return "float"

        with pytest.raises(NoMethodError, match=r"has no method for \(int\)"):
            of(1)

    def test_the_narrower_union_wins(self) -> None:
        @method
        def of(x: int | str):
            return "wide"

        @method
        def of(x: int):
            return "narrow"

        assert of(1) == "narrow"
        assert of("a") == "wide"

    def test_abstract_base_classes(self) -> None:
        @method
        def of(x: Sized):
            return "sized"

        @method
        def of(x: Callable):
            return "callable"

        @method
        def of(x: list):
            return "list"

        assert [of(x) for x in ("abc", {}, len, [])] == ["sized", "sized", "callable", "list"]

    def test_an_abstract_class_of_ones_own_with_a_registered_stranger(self) -> None:
        class Shape(abc.ABC): ...

        class Square(Shape): ...

        Shape.register(str)

        @method
        def of(x: Shape):
            return "shape"

        @method
        def of(x):
            return "else"

        assert [of(x) for x in (Square(), "triangle", 3)] == ["shape", "shape", "else"]

    def test_protocols_that_can_be_checked(self) -> None:
        @runtime_checkable
        class Purrs(Protocol):
            def purr(self) -> None: ...

        class Kitten:
            def purr(self) -> None: ...

        @method
        def of(x: Purrs):
            return "purrs"

        @method
        def of(x):
            return "silent"

        assert of(Kitten()) == "purrs"
        assert of(Animal()) == "silent"

    def test_annotated_type_variables_and_bare_generics(self) -> None:
        kind = TypeVar("kind", bound=Animal)

        @method
        def of(x: Annotated[int, "metres"]):
            return "int"

        @method
        def of(x: kind):
            return "animal"  # type: ignore[valid-type]

        @method
        def of(x: typing.List):
            return "list"

        assert [of(x) for x in (1, Lion(), [])] == ["int", "animal", "list"]

    def test_two_words_of_one_name_in_two_places_share_nothing(self) -> None:
        def place(answer: str):
            @method
            def of(x: int):
                return answer

            return of

        first, second = place("first"), place("second")

        assert (first(1), second(1)) == ("first", "second")
        assert first.methods is not second.methods

    def test_the_same_module_composed_twice_shares_nothing(self) -> None:
        source = "from coursekit.dispatch import method\n@method\ndef of(x: int): return __name__\n"
        spaces = [{"__name__": "first"}, {"__name__": "second"}]
        for space in spaces:
            exec(source, space)

        assert [space["of"](1) for space in spaces] == ["first", "second"]
        assert [len(space["of"].methods) for space in spaces] == [1, 1]

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_it_agrees_with_looking_at_every_method(self, data: st.DataObject) -> None:
        """Against the definition, written out: fits, and at least as near as every other in each argument."""
        kinds = [Animal, Cat, Lion, Plant, Sundew, object]
        signature = st.tuples(st.sampled_from(kinds), st.sampled_from(kinds))
        signatures = data.draw(st.lists(signature, min_size=1, max_size=6, unique=True))
        space: dict[str, Any] = {}
        for one in signatures:
            add(space, one)
        call = data.draw(st.tuples(*[st.sampled_from(kinds[:-1])] * 2))
        fitting = [one for one in signatures if all(map(issubclass, call, one))]
        near = [
            tuple(kind.__mro__.index(asked) for kind, asked in zip(call, one, strict=True)) for one in fitting
        ]
        best = [
            one
            for one, far in zip(fitting, near, strict=True)
            if all(map(all, ([a <= b for a, b in zip(far, o, strict=True)] for o in near)))
        ]

        reason = None
        try:
            found = [space["word"](*(kind() for kind in call))]
        except (NoMethodError, AmbiguousMethodError) as error:
            found = []
            reason = type(error)

        assert found == best
        assert reason is (None if best else AmbiguousMethodError if fitting else NoMethodError)


def add(space: dict[str, Any], kinds: tuple[type, ...]) -> None:
    """Add a method for two kinds, which answers with them, to the word in a namespace."""

    def word(a, b):
        return kinds

    word.__annotations__ = dict(zip("ab", kinds, strict=True))
    if "word" in space:
        space["word"].method(word)
    else:
        space["word"] = method(word)


class TestArguments:
    def test_by_keyword(self) -> None:
        assert greet(who=Lion()) == "cat"
        assert meet(other=Animal(), one=Cat()) == "cat, animal"

    def test_a_default_of_each_method(self) -> None:
        @method
        def of(x: int, y: int = 1):
            return "int", y

        @method
        def of(x: str, y: int = 2):
            return "str", y

        @method
        def of(x: str, y: str):
            return "str", y

        assert [of(1), of("a"), of(1, 5), of("a", y=6), of("a", "b")] == [
            ("int", 1),
            ("str", 2),
            ("int", 5),
            ("str", 6),
            ("str", "b"),
        ]

    def test_help_knows_the_parameters_before_the_first_call(self) -> None:
        @method
        def of(x: int, y: int | None = None, *, scale: int = 2): ...

        assert str(inspect.signature(of)) == "(x, y=None, *, scale=2)"

    def test_a_word_needs_a_name(self) -> None:
        with pytest.raises(TypeError, match="a lambda has none: write it with def"):
            method(lambda x: x)

    def test_a_default_that_all_share(self) -> None:
        @method
        def of(x: int, y: int | None = None):
            return "int", y

        @method
        def of(x: str, y: int | None = None):
            return "str", y

        assert [of(1), of("a", 3), of(y=4, x=1)] == [("int", None), ("str", 3), ("int", 4)]
        assert str(inspect.signature(of)) == "(x, y=None)"

    def test_a_default_may_be_of_another_type_than_its_annotation(self) -> None:
        @method
        def of(x: int, y: str = None):  # type: ignore[assignment]  # noqa: RUF013
            return y

        assert of(1) is None

    def test_leaving_out_an_argument_in_the_middle(self) -> None:
        @method
        def of(x: int, y: int = 1, z: int = 2):
            return x, y, z

        @method
        def of(x: str, y: int = 10, z: int = 20):
            return x, y, z

        assert of(0, z=5) == (0, 1, 5)
        assert of("a", z=5) == ("a", 10, 5)

    def test_different_numbers_of_arguments(self) -> None:
        @method
        def of():
            return 0

        @method
        def of(x: int):
            return 1

        @method
        def of(x: int, y: int):
            return 2

        assert [of(), of(1), of(1, 2)] == [0, 1, 2]

    def test_varargs(self) -> None:
        @method
        def of(*values: int):
            return "ints", values

        @method
        def of(first: str, *values: int):
            return "str", first, values

        @method
        def of(one: int, two: int):
            return "two"

        assert of() == ("ints", ())
        assert of(1) == ("ints", (1,))
        assert of(1, 2) == "two"
        assert of(1, 2, 3) == ("ints", (1, 2, 3))
        assert of("a", 1) == ("str", "a", (1,))
        with pytest.raises(NoMethodError, match=r"\(int, str\)"):
            of(1, "a")

    def test_many_varargs_cost_no_more_than_one_after_the_other(self) -> None:
        @method
        def of(*values: int):
            return "int"

        @method
        def of(*values: object):
            return "object"

        assert of(*range(200)) == "int"
        assert of(*range(200), None) == "object"

    def test_keywords_pass_through(self) -> None:
        @method
        def of(x: int, *, scale: int = 2):
            return x * scale

        @method
        def of(x: str, **more: int):
            return x, more

        assert of(3) == 6
        assert of(3, scale=5) == 15
        assert of("a", tint=1) == ("a", {"tint": 1})

    def test_keywords_that_all_share_stay_in_the_signature(self) -> None:
        @method
        def of(x: int, *, scale: int = 2):
            return x * scale

        @method
        def of(x: str, *, scale: int = 2):
            return x * scale

        assert of("a", scale=3) == "aaa"
        assert str(inspect.signature(of)) == "(x, *, scale=2)"

    def test_a_method_may_take_by_keyword_what_another_takes_by_place(self) -> None:
        @method
        def of(x: int, size: int):
            return "int", size

        @method
        def of(x: str, *, size: int):
            return "str", size

        assert of(1, size=2) == ("int", 2)
        assert of("a", size=3) == ("str", 3)

    def test_parameters_named_differently_go_by_place(self) -> None:
        @method
        def of(photo: int, degrees: int = 90):
            return "photo", degrees

        @method
        def of(mask: str, degrees: int = 90):
            return "mask", degrees

        assert of("a", degrees=3) == ("mask", 3)
        assert of(1) == ("photo", 90)
        with pytest.raises(TypeError, match=r"degrees|argument|method"):
            of(photo=1)

    def test_positional_only_parameters(self) -> None:
        @method
        def of(x: int, /, y: int = 1):
            return x, y

        assert of(1, y=3) == (1, 3)

    def test_parameters_may_be_called_anything(self) -> None:
        @method
        def of(type: int, KeyError: int, of: int):
            return type, KeyError, of

        assert of(1, KeyError=2, of=3) == (1, 2, 3)

    def test_what_a_method_raises_is_not_touched(self) -> None:
        @method
        def of(x: dict):
            return x["colour"]

        with pytest.raises(KeyError, match="colour") as caught:
            of({})
        assert caught.value.__context__ is None

    def test_a_method_that_raises_a_key_error_runs_once(self) -> None:
        """The function's own look-up fails with one too; the two are told apart."""
        runs = []

        @method
        @functools.cache
        def of(x: int):
            runs.append(x)
            return {}[x]

        for _ in range(2):
            with pytest.raises(KeyError) as caught:
                of(5)
        told = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert told[1:] == ["of", "of"]
        assert runs == [5, 5]


class TestDefining:
    def test_a_method_for_the_same_types_takes_the_place_of_the_old(self) -> None:
        @method
        def of(x: int | str):
            return "old"

        @method
        def of(x: str | int):
            return "new"

        assert of(1) == "new"
        assert len(of.methods) == 1

    def test_from_another_module_under_any_name(self) -> None:
        @method
        def of(x: int):
            return "int"

        assert of(1) == "int"
        with pytest.raises(NoMethodError):
            of("a")

        @of.method
        def _(x: str):
            return "str"

        @of.method
        def for_none(x: None):
            return "none"

        assert (of("a"), of(None), of(1)) == ("str", "none", "int")
        assert for_none(None) == "none"

    def test_the_imported_word_is_found_where_it_was_imported(self) -> None:
        space: dict[str, Any] = {}
        exec("from coursekit.dispatch import method\n@method\ndef of(x: int): return 'int'\n", space)
        other = {"of": space["of"], "method": method}
        exec("@method\ndef of(x: str): return 'str'\n@of.method\ndef of(x: None): return 'none'\n", other)

        assert other["of"] is space["of"]
        assert [space["of"](x) for x in (1, "a", None)] == ["int", "str", "none"]

    def test_an_added_method_is_seen_at_once_also_when_it_is_nearer(self) -> None:
        @method
        def of(x: Animal):
            return "animal"

        assert of(Cat()) == "animal"

        @of.method
        def _(x: Cat, loudly: bool = False):
            return "cat"

        assert of(Cat()) == of(Lion(), loudly=True) == "cat"

    def test_a_name_imported_earlier_keeps_working(self) -> None:
        @method
        def of(x: int):
            return "int"

        kept = of

        @method
        def of(x: int, y: int):
            return "two"

        assert kept is of
        assert kept(1, 2) == "two"

    def test_names_defined_later_are_looked_up_at_the_first_call(self) -> None:
        @method
        def of(x: Later):
            return "later"

        @method
        def of(x: int | Later):
            return "int or later"

        class Later: ...

        assert of(Later()) == "later"
        assert of(1) == "int or later"

    def test_a_name_that_never_comes_is_named(self) -> None:
        @method
        def of(x: Nowhere): ...  # noqa: F821

        with pytest.raises(NameError, match=rf"of at {HERE}:\d+, parameter x: name 'Nowhere' is not defined"):
            of(1)

    def test_annotations_inside_a_class_see_the_class_and_what_is_around_it(self) -> None:
        class Outside: ...

        class Holder:
            class Inside: ...

            @method
            def of(self, x: Inside):
                return "inside"

            @method
            def of(self, x: Outside):
                return "outside"

        assert Holder().of(Holder.Inside()) == "inside"
        assert Holder().of(Outside()) == "outside"

    def test_annotations_need_not_be_postponed(self) -> None:
        space: dict[str, Any] = {"method": method}
        source = "@method\ndef of(x: int | None, y: 'list' = ()): return x\n"
        exec(compile(source, "now.py", "exec", dont_inherit=True), space)

        assert space["of"](None) is None
        assert space["of"](3, []) == 3

    def test_a_wrapped_function_is_read_through_its_wrapper(self) -> None:
        def twice(function):
            @functools.wraps(function)
            def wrapper(*values):
                return function(*values), function(*values)

            return wrapper

        @method
        @twice
        def of(x: int):
            return x

        @method
        def of(x: str):
            return x

        assert of(1) == (1, 1)
        assert of("a") == "a"

    @pytest.mark.parametrize(
        ("note", "reason"),
        [
            (
                list[int],
                "only the type of an argument is looked at, and that is list whatever is inside. "
                "Annotate list, and look inside in the method.",
            ),
            (dict[str, int] | None, "dict\\[str, int\\] cannot choose a method"),
            ((int, tuple[int, ...]), "Annotate tuple"),
            (Literal["a"], "Literal\\['a'\\] is no type that an argument could be an instance of"),
            (type[int], "type\\[int\\] is no type that an argument could be an instance of"),
            (3, "3 is no type"),
            (len, "is no type"),
        ],
    )
    def test_what_cannot_choose_is_refused_where_it_is_written(self, note: Any, reason: str) -> None:
        def of(x): ...

        of.__annotations__["x"] = note
        with pytest.raises(TypeError, match=rf"of at {HERE}:\d+, parameter x: .*{reason}"):
            method(of)

    def test_a_protocol_that_cannot_be_checked_is_refused(self) -> None:
        class Purrs(Protocol):
            def purr(self) -> None: ...

        with pytest.raises(TypeError, match=r"parameter x: .*@runtime_checkable"):

            @method
            def of(x: Purrs): ...

    def test_parametric_annotations_where_nothing_is_chosen_are_welcome(self) -> None:
        @method
        def of(x: int, *, sizes: list[int] = ()) -> list[int]:
            return [x, *sizes]  # type: ignore[assignment]

        assert of(1, sizes=[2]) == [1, 2]

    @pytest.mark.parametrize("thing", [staticmethod(len), classmethod(len), len, 3, Animal])
    def test_what_is_no_function_is_refused(self, thing: Any) -> None:
        with pytest.raises(TypeError, match="@method stands directly above a function; this is a "):
            method(thing)


class Scale:
    @method
    def encode(self, x: int) -> str:
        return "scale int"

    @method
    def encode(self, x: Animal) -> str:
        return "scale animal"

    @classmethod
    @method
    def create(cls, x: int) -> tuple[type, str]:
        return cls, "int"

    @classmethod
    @method
    def create(cls, x: str) -> tuple[type, str]:
        return cls, "str"

    @staticmethod
    @method
    def read(x: int) -> str:
        return "read int"

    @staticmethod
    @method
    def read(x: str) -> str:
        return "read str"


class Fine(Scale):
    @method
    def encode(self, x: float) -> str:
        return "fine float"

    @method
    def encode(self, x: int) -> str:
        return "fine, " + super().encode(x)

    @classmethod
    @method
    def create(cls, x: float) -> tuple[type, str]:
        return cls, "float"


class TestInsideClasses:
    def test_a_class_adds_to_what_it_inherits(self) -> None:
        assert [Fine().encode(x) for x in (1.5, 2, Lion())] == [
            "fine float",
            "fine, scale int",
            "scale animal",
        ]
        assert [Scale().encode(x) for x in (2, Lion())] == ["scale int", "scale animal"]

    def test_a_class_without_methods_of_its_own_inherits_all(self) -> None:
        class Same(Fine): ...

        assert Same().encode(1.5) == "fine float"
        assert Same().encode(Cat()) == "scale animal"

    def test_what_a_class_takes_it_takes_before_its_bases(self) -> None:
        class Whole(Scale):
            @method
            def encode(self, x):
                return "anything"

        assert Whole().encode(1) == "anything"

    def test_plain_methods_mix_with_dispatched_ones(self) -> None:
        class Base:
            def encode(self, x):
                return "plain"

        class Middle(Base):
            @method
            def encode(self, x: int):
                return "int, " + super().encode(x)

        class Top(Middle):
            def encode(self, x):
                return "top, " + super().encode(x)

        assert Middle().encode("a") == "plain"
        assert Top().encode(1) == "top, int, plain"

    def test_two_bases_are_asked_in_pythons_order(self) -> None:
        class Root:
            def of(self, x):
                return "root"

        class Left(Root):
            @method
            def of(self, x: int):
                return "left"

        class Right(Root):
            @method
            def of(self, x: str):
                return "right"

        class Both(Left, Right): ...

        assert [Left().of("a"), Both().of("a"), Both().of(1), Both().of(None)] == [
            "root",
            "right",
            "left",
            "root",
        ]

    def test_class_methods_and_static_methods(self) -> None:
        assert [Scale.create(1), Fine.create("a"), Fine.create(1.5)] == [
            (Scale, "int"),
            (Fine, "str"),
            (Fine, "float"),
        ]
        assert (Scale.read(1), Fine().read("a")) == ("read int", "read str")

    def test_two_classes_do_not_share_a_word(self) -> None:
        class One:
            @method
            def of(self, x: int):
                return 1

        class Two:
            @method
            def of(self, x: str):
                return 2

        with pytest.raises(NoMethodError):
            Two().of(1)

    def test_a_method_is_added_from_outside(self) -> None:
        class Open(Scale):
            @method
            def encode(self, x: int):
                return "open"

        @Open.encode.method
        def _(self, x: None):
            return "none"

        assert Open().encode(None) == "none"
        with pytest.raises(NoMethodError):
            Scale().encode(None)

    def test_by_keyword_and_with_defaults(self) -> None:
        class Box:
            @method
            def of(self, x: int, y: int = 2):
                return x, y

            @method
            def of(self, x: str, y: int = 3):
                return x, y

        class Child(Box):
            @method
            def of(self, x: None, y: int = 4):
                return x, y

        assert [Box().of(x="a"), Child().of(None), Child().of(1), Child().of("a", y=9)] == [
            ("a", 3),
            (None, 4),
            (1, 2),
            ("a", 9),
        ]


class TestLookingAtIt:
    def test_methods_are_listed_with_their_place(self) -> None:
        text = repr(greet.methods)

        assert text.startswith(f"greet has 2 methods:\n  greet(who: Animal), {HERE}:")
        assert len(greet.methods) == len(list(greet.methods)) == 2

    def test_methods_are_a_table_in_a_notebook(self) -> None:
        @method
        def of(x: int | None = None): ...

        text = of.methods._repr_html_()

        assert '<th scope="col">method</th>' in text
        assert html.escape("of(x: int | None = None)") in text

    def test_a_table_escapes_what_it_shows(self) -> None:
        @method
        def of(x: str = "<b>"): ...

        assert "<b>" not in of.methods._repr_html_()

    def test_arguments_given_by_name(self) -> None:
        @method
        def of(x: Lion, times: int = 1): ...

        assert repr(of.which(times=3, x=Lion)) == repr(of.which(Lion, 3))
        with pytest.raises(TypeError, match="'x'"):
            of.which()

    def test_which_says_what_runs_and_why(self) -> None:
        choice = greet.which(Lion())
        line = choice.method.function.__code__.co_firstlineno

        assert choice.method.function(None) == "cat"
        assert repr(choice) == (
            f"greet(Lion) runs greet(who: Cat), {HERE}:{line}\n"
            "  who: Lion is a kind of Cat\n"
            f"  fits less nearly: greet(who: Animal), {HERE}:{line - 6}"
        )
        assert "<th" in choice._repr_html_()

    def test_which_takes_types_as_well(self) -> None:
        assert str(greet.which(Lion)) == str(greet.which(Lion()))

    def test_which_raises_what_the_call_would(self) -> None:
        with pytest.raises(NoMethodError, match=r"greet has no method for \(int\)"):
            greet.which(int)
        with pytest.raises(AmbiguousMethodError):
            meet.which(Cat, Cat)

    def test_which_looks_into_the_bases_of_a_class(self) -> None:
        class Base:
            def of(self, x): ...

        class Child(Base):
            @method
            def of(self, x: int): ...

        assert repr(Fine.encode.which(Fine, Lion)).startswith(
            "Scale.encode(Lion) runs encode(self, x: Animal)"
        ) or repr(Fine.encode.which(Fine, Lion)).startswith("Fine.encode(Lion) runs encode(self, x: Animal)")
        assert "runs of(self, x)" in repr(Child.of.which(Child, str))

    def test_which_before_the_first_call(self) -> None:
        @method
        def of(x: int, y: int = 3): ...

        assert "runs of(x: int, y: int = 3)" in repr(of.which(1))

    def test_the_word_is_a_plain_function_with_the_first_methods_words(self) -> None:
        assert isinstance(greet, types.FunctionType)
        assert (greet.__name__, greet.__module__, greet.__doc__) == ("greet", __name__, "Say hello.")
        assert pickle.loads(pickle.dumps(greet)) is greet
        assert copy.deepcopy(greet) is greet

    def test_bound_words_can_be_looked_at_too(self) -> None:
        assert len(Scale().encode.methods) == 2

    def test_doctest_finds_the_words_of_a_module(self) -> None:
        import doctest

        assert any(
            test.name.endswith(".greet")
            for test in doctest.DocTestFinder(exclude_empty=False).find(sys.modules[__name__])
        )


class TestTogether:
    def test_many_threads_call_while_methods_come(self) -> None:
        kinds = [type(f"Kind{number}", (), {}) for number in range(60)]
        space: dict[str, Any] = {}

        def add_kind(kind: type, arguments: int) -> None:
            def of(x, *rest):
                return kind

            def with_more(x, y=0):
                return kind

            function = (of, with_more)[arguments % 2]
            function.__name__ = "of"
            function.__annotations__ = {"x": kind}
            space["of"] = space["of"].method(function) if "of" in space else method(function)

        add_kind(kinds[0], 0)
        errors: list[BaseException] = []
        ready = threading.Event()

        def call() -> None:
            while not ready.is_set():
                try:
                    assert space["of"](kinds[0]()) is kinds[0]
                except BaseException as error:
                    errors.append(error)
                    return

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number, kind in enumerate(kinds[1:]):
            add_kind(kind, number)
            assert space["of"](kind()) is kind
        ready.set()
        for thread in threads:
            thread.join()

        assert errors == []

    def test_compiled_code_sees_through_it(self) -> None:
        @method
        def double(x: torch.Tensor):
            return x * 2

        @method
        def double(x: int):
            return x + x

        double(torch.ones(2))
        double(3)
        compiled = torch.compile(lambda x: double(x) + double(3), backend="eager", fullgraph=True)

        assert compiled(torch.ones(2)).tolist() == [8.0, 8.0]

    def test_a_type_checker_sees_overloads(self, tmp_path: Path) -> None:
        """Beside copies of three files, since the whole package would take mypy a minute."""
        mypy = pytest.importorskip("mypy.api")
        package = tmp_path / "words"
        package.mkdir()
        for name in ("dispatch", "choices", "signatures"):
            shutil.copy(Path(inspect.getfile(method)).with_name(f"{name}.py"), package)
        (package / "__init__.py").touch()
        (tmp_path / "use.py").write_text(
            "from words.dispatch import method\n"
            "@method\n"
            "def double(x: int) -> int: ...\n"
            "@method\n"
            "def double(x: str) -> str: ...\n"
            "reveal_type(double(1))\n"
            "reveal_type(double('a'))\n"
            "double([])\n"
        )
        options = ["--config-file=", f"--cache-dir={tmp_path}/cache", "--disable-error-code=no-overload-impl"]
        found, _, _ = mypy.run([*options, str(tmp_path / "use.py")])
        told = [
            line.split(": ", 1)[1] for line in found.splitlines() if line.startswith(str(tmp_path / "use.py"))
        ]

        assert told[0].endswith('Revealed type is "int"') or told[0].endswith(
            'Revealed type is "builtins.int"'
        )
        assert told[1].endswith('Revealed type is "str"') or told[1].endswith(
            'Revealed type is "builtins.str"'
        )
        assert "No overload variant" in told[2]
