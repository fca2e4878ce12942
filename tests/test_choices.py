"""What a person reads when no method fits, or several do; and the choice itself, step by step."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sized

import pytest

from coursekit.choices import (
    AmbiguousMethodError,
    Column,
    NoMethodError,
    ancestor,
    as_near,
    few,
    lineage,
    nearest,
    rank,
    table,
)
from coursekit.dispatch import method
from coursekit.signatures import Missing

HERE = "tests/test_choices.py"


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


class Scale:
    @method
    def encode(self, x: int): ...
    @method
    def encode(self, x: Animal): ...


class Fine(Scale):
    @method
    def encode(self, x: float): ...
    @method
    def encode(self, x: int): ...


class TestErrors:
    def test_no_method_in_one_screen(self) -> None:
        with pytest.raises(NoMethodError) as caught:
            greet([])
        first = greet.methods.listed()[0].function.__code__.co_firstlineno

        assert str(caught.value) == (
            "greet has no method for (list).\n"
            "It can take: Animal, Cat.\n"
            "Closest:\n"
            f"  greet(who: Animal), {HERE}:{first}; here who is list\n"
            f"  greet(who: Cat), {HERE}:{first + 6}; here who is list\n"
            "To add one, write @greet.method above def _(who: list)."
        )

    def test_the_closest_come_first(self) -> None:
        @method
        def of(x: int, y: str): ...
        @method
        def of(x: str, y: Plant): ...
        @method
        def of(x: Cat, y: int): ...

        with pytest.raises(NoMethodError) as caught:
            of(Animal(), 1)
        closest = str(caught.value).split("Closest:\n")[1].splitlines()

        assert closest[0].startswith("  of(x: Cat, y: int), ")
        assert closest[0].endswith("; here x is Animal")

    def test_an_argument_too_few_is_named(self) -> None:
        @method
        def of(x: int, y: int): ...
        @method
        def of(x: str): ...

        with pytest.raises(NoMethodError, match=r"of has no method for \(int\)(.|\n)*; here y is left out"):
            of(1)

    def test_inside_a_class_self_goes_without_saying(self) -> None:
        with pytest.raises(NoMethodError) as caught:
            Fine().encode([])
        lines = str(caught.value).splitlines()

        assert lines[:2] == ["Fine.encode has no method for (list).", "It can take: float, int, Animal."]
        assert lines[-1] == "To add one, write @Fine.encode.method above def _(self, x: list)."

    def test_a_first_argument_that_is_taken_need_not_be_said_again(self) -> None:
        @method
        def of(x: Cat | Lion, y: str): ...

        for x, y in ((Cat(), 3), (Lion(), Animal())):
            with pytest.raises(NoMethodError) as caught:
                of(x, y)
            assert "could be several" not in str(caught.value)
        with pytest.raises(
            NoMethodError, match=r"Animal could be several of these; say which, such as Cat\(x\)"
        ):
            of(Animal(), "")

    def test_two_classes_of_one_name_are_told_apart(self) -> None:
        again = type("Cat", (), {})
        with pytest.raises(NoMethodError, match="Two different classes have the same name here"):
            greet(again())

    def test_ambiguity_names_the_candidates_and_what_would_settle_it(self) -> None:
        with pytest.raises(AmbiguousMethodError) as caught:
            meet(Cat(), Lion())
        lines = [one.function.__code__.co_firstlineno for one in meet.methods]

        assert str(caught.value) == (
            "meet is ambiguous for (Cat, Lion): these methods fit equally well.\n"
            f"  meet(one: Cat, other: Animal), {HERE}:{lines[0]}\n"
            f"  meet(one: Animal, other: Cat), {HERE}:{lines[1]}\n"
            "To settle it, write @meet.method above def _(one: Cat, other: Cat)."
        )

    def test_what_would_settle_it_keeps_what_else_an_argument_may_be(self) -> None:
        @method
        def of(x: Animal, title: str | None = None): ...
        @of.method
        def _(x: Cat, title=None): ...

        with pytest.raises(AmbiguousMethodError, match=r"above def _\(x: Cat, title: str \| None\)\."):
            of(Cat(), None)

    def test_of_unions_that_overlap_it_names_what_they_share(self) -> None:
        @method
        def of(x: int | str): ...
        @of.method
        def _(x: int | float): ...

        with pytest.raises(AmbiguousMethodError, match=r"above def _\(x: int\)\."):
            of(1)

    def test_what_the_error_asks_for_settles_it(self) -> None:
        @method
        def of(one: Cat, other: Animal):
            return 1

        @method
        def of(one: Animal, other: Cat):
            return 2

        with pytest.raises(AmbiguousMethodError):
            of(Lion(), Cat())

        @of.method
        def _(one: Cat, other: Cat):
            return 3

        assert of(Lion(), Cat()) == 3

    def test_two_abstract_classes_that_fit_are_ambiguous(self) -> None:
        @method
        def of(x: Sized): ...
        @method
        def of(x: Iterable): ...

        with pytest.raises(AmbiguousMethodError, match=r"of\(x: Sized\)(.|\n)*of\(x: Iterable\)"):
            of([])

    def test_equal_methods_with_different_defaults_are_ambiguous_only_when_left_out(self) -> None:
        @method
        def of(x: int, y: int = 1):
            return y

        @method
        def of(x: int, y: str = "a"):
            return y

        assert (of(1, 5), of(1, "b")) == (5, "b")
        with pytest.raises(AmbiguousMethodError):
            of(1)

    def test_errors_are_type_errors_without_a_second_one_behind(self) -> None:
        with pytest.raises(TypeError) as caught:
            greet(1)

        assert caught.value.__suppress_context__

    def test_the_traceback_shows_the_generated_lines(self) -> None:
        with pytest.raises(NoMethodError) as caught:
            greet(1)

        assert "return _choose_(" in "".join(traceback.format_exception(caught.value))


class TestTheChoice:
    def test_a_lineage_goes_from_near_to_far_and_ends_with_what_merely_fits(self) -> None:
        column = Column.of(0, [(object,), (Animal,), (Sized,), (Cat,)])
        sized_cat = type("SizedCat", (Lion,), {"__len__": lambda self: 9})

        assert lineage(Lion, column) == [Cat, Animal, object]
        assert lineage(sized_cat, column) == [Cat, Animal, object, Sized]
        assert lineage(Missing, column) == []

    def test_nearness_is_decided_by_ancestors_then_by_the_narrower_choice(self) -> None:
        assert as_near((Cat,), (Animal,), Lion)
        assert not as_near((Animal,), (Cat,), Lion)
        assert as_near((Cat,), (Cat, Plant), Lion)
        assert not as_near((Cat, Plant), (Cat,), Lion)

    def test_what_merely_fits_is_further_than_an_ancestor_but_nearer_than_anything(self) -> None:
        assert as_near((list,), (Sized,), list)
        assert not as_near((Sized,), (list,), list)
        assert as_near((Sized,), (object,), list)
        assert not as_near((object,), (Sized,), list)

    def test_the_part_of_a_union_that_fits_counts(self) -> None:
        assert ancestor(Lion, (Plant, Animal, Cat)) is Cat
        assert ancestor(list, (Callable, Sized)) is Sized

    def test_the_nearest_are_those_that_none_is_nearer_than(self) -> None:
        anything, cat_first, cat_last = [(object,)] * 2, [(Cat,), (object,)], [(object,), (Cat,)]

        assert nearest([anything, cat_first], [Lion, Lion]) == [1]
        assert nearest([anything, cat_last, cat_first], [Lion, Lion]) == [1, 2]
        assert nearest([anything, anything], [Lion, Lion]) == [0, 1]

    def test_a_method_nearer_in_one_argument_and_as_near_in_the_other_wins(self) -> None:
        first = Column.of(0, [(Animal,), (Cat,), (Plant,)])
        second = Column.of(1, [(Animal,), (Animal,), (Animal,)])

        assert rank([(first, Lion), (second, Cat)], 3) == ([1], [0])
        assert rank([(first, int), (second, Cat)], 3) == ([], [])

    def test_what_was_left_out_decides_last(self) -> None:
        given = Column.of(0, [(Animal,), (Cat,)])
        left_out = Column.of(1, [(Missing,), (bool, Missing)])

        assert rank([(given, Cat), (left_out, Missing)], 2) == ([1], [0])
        assert rank([(left_out, Missing)], 2) == ([0], [1])

    def test_long_lists_are_cut(self) -> None:
        assert few(["a"] * 8) == ["a"] * 8
        assert few(["a"] * 9)[-1] == "... 9 in all"

    def test_tables_have_heads_that_a_screen_reader_finds(self) -> None:
        assert table([["method", "place"], ["<b>", "a"]]).count('scope="col"') == 2
        assert "<b>" not in table([["method"], ["<b>"]])
