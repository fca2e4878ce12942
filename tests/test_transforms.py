"""Transforms find their method by type, reach into tuples and dictionaries, and can be taken back."""

import pickle
from collections import OrderedDict, namedtuple
from copy import deepcopy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.dispatch import method
from coursekit.tensors import Boxes, Category, Image, Text
from coursekit.transforms import Pipeline, RandomTransform, Transform


class Add(Transform):
    """Adds to numbers, and only to numbers."""

    def __init__(self, amount):
        self.amount = amount

    @method
    def encode(self, x: int | float):
        return x + self.amount

    @method
    def decode(self, x: int | float):
        return x - self.amount


class Times(Transform):
    @method
    def encode(self, x: int | float):
        return x * 3

    @method
    def decode(self, x: int | float):
        return x / 3


def test_what_has_no_method_passes_through():
    assert Add(1).encode("text") == "text"


def test_tuples_and_dictionaries_are_walked_into():
    assert Add(1).encode((1, "a", {"b": (2,)})) == (2, "a", {"b": (3,)})


def test_a_subclass_inherits_methods_and_may_add_one():
    class AddToText(Add):
        @method
        def encode(self, x: str):
            return x + str(self.amount)

    assert AddToText(1).encode((1, "a")) == (2, "a1")
    assert Add(1).encode("a") == "a"


@given(st.integers(-1000, 1000))
def test_a_pipeline_undoes_its_last_step_first(x):
    pipeline = Pipeline(Add(1), Times())

    assert pipeline.encode(x) == (x + 1) * 3
    assert pipeline.decode(pipeline.encode(x)) == x


def test_each_step_is_set_up_on_what_the_steps_before_it_made():
    class Remember(Transform):
        def setup(self, items):
            self.items = list(items)

    remember = Remember()
    Pipeline(Times(), remember).setup([1, 2])

    assert remember.items == [3, 6]


def test_steps_that_learn_nothing_leave_the_items_alone():
    def items():
        raise AssertionError("nobody should look")
        yield

    Pipeline(Times(), Add(1)).setup(items())


def test_an_error_in_set_up_names_the_step_that_learns_and_the_one_that_failed():
    class Refuse(Transform):
        @method
        def encode(self, x: int):
            raise RuntimeError("no")

    class Walk(Transform):
        def setup(self, items):
            list(items)

    with pytest.raises(RuntimeError, match="no") as caught:
        Pipeline(Refuse(), Walk()).setup([(1,)])

    assert caught.value.__notes__ == [
        "while Refuse was to encode element 0, the int 1",
        "while Walk was set up",
    ]


def test_an_error_passes_with_a_note_that_says_where():
    class Fussy(Transform):
        @method
        def encode(self, x: Image):
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no") as caught:
        Pipeline(Add(1), Fussy()).encode((1, Image(torch.zeros(3, 2, 2))))

    assert caught.value.__notes__ == [
        "while Fussy was to encode element 1, an Image of shape (3, 2, 2), torch.float32",
        "Add had no method for it and had let it pass through",
    ]


Pair = namedtuple("Pair", "amount name")


@pytest.mark.parametrize(
    ("sample", "encoded"),
    [
        (Pair(1, "a"), Pair(2, "a")),
        (OrderedDict(b=1, a=2), OrderedDict(b=2, a=3)),
        (((1, (2,)), "a"), ((2, (3,)), "a")),
        ((), ()),
        ({}, {}),
        ([1, 2], [1, 2]),
        (None, None),
    ],
)
def test_a_sample_stays_what_it_was_and_a_list_is_one_value(sample, encoded):
    step = Add(1)

    assert step.encode(sample) == encoded
    assert type(step.encode(sample)) is type(sample)
    assert step.decode(step.encode(sample)) == sample


def test_none_may_have_a_method():
    class Fill(Transform):
        @method
        def encode(self, x: None):
            return 0

    assert Fill().encode((1, None)) == (1, 0)


def test_a_method_for_tuples_takes_them_whole():
    class Swap(Transform):
        @method
        def encode(self, x: tuple):
            return x[::-1]

    assert Swap().encode((1, "a")) == ("a", 1)


def test_an_encode_without_types_takes_whatever_comes():
    class Count(Transform):
        def encode(self, x):
            return len(x)

    assert Count().encode((1, 2, 3)) == 3
    assert Count().acts_on(None)


def test_a_type_that_would_have_no_say_is_refused_where_it_is_written():
    with pytest.raises(TypeError, match=r"Double\.encode is written for int.*write @method above def encode"):

        class Double(Transform):
            def encode(self, x: int):
                return 2 * x


def test_a_method_may_be_added_later_and_by_others():
    class Late(Transform):
        @method
        def encode(self, x: int):
            return x + 1

    late = Late()
    assert late.encode((1, "a")) == (2, "a")

    @Late.encode.method
    def _(self, x: str):
        return x.upper()

    assert late.encode((1, "a")) == (2, "A")


def test_steps_are_copied_and_pickled():
    pipeline = Pipeline(Add(1), Times())

    for same in (deepcopy(pipeline), pickle.loads(pickle.dumps(pipeline))):
        assert same.encode((1, "a")) == (6, "a")


class Fussy(Transform):
    """Takes no boxes."""

    @method
    def encode(self, x: Boxes):
        raise RuntimeError("no boxes")

    @method
    def decode(self, x: int):
        raise RuntimeError("no way back")


def test_an_error_names_the_way_to_the_element():
    with pytest.raises(RuntimeError, match="no boxes") as caught:
        Fussy().encode({"photo": 1, "things": ("cat", Boxes([[0, 0, 2, 2]]))})

    assert caught.value.__notes__ == [
        "while Fussy was to encode element 1 of element 'things', Boxes of shape (1, 4), torch.float32"
    ]


def test_an_error_says_who_let_the_element_pass():
    with pytest.raises(RuntimeError, match="no boxes") as caught:
        Pipeline(Add(1), Times(), Fussy()).encode((1, Boxes([[0, 0, 2, 2]])))

    assert caught.value.__notes__[1:] == ["Add, Times had no method for it and had let it pass through"]


def test_only_those_are_named_that_let_it_pass():
    class Box(Transform):
        @method
        def encode(self, x: int):
            return Boxes([[0, 0, x, x]])

    with pytest.raises(RuntimeError, match="no boxes") as caught:
        Pipeline(Add(1), Box(), Times(), Fussy()).encode((1,))

    assert caught.value.__notes__[1:] == ["Times had no method for it and had let it pass through"]


def test_an_error_in_decoding_says_so():
    with pytest.raises(RuntimeError, match="no way back") as caught:
        Pipeline(Fussy(), Add(1)).decode((1, 2))

    assert caught.value.__notes__ == ["while Fussy was to decode element 0, the int 0"]


def test_an_error_is_not_hidden_by_one_of_its_explanation():
    class Once(Transform):
        def __init__(self):
            self.done = False

        def encode(self, x):
            if self.done:
                raise OSError("twice")
            self.done = True
            return x

    with pytest.raises(RuntimeError, match="no boxes"):
        Pipeline(Once(), Fussy()).encode((Boxes([[0, 0, 2, 2]]),))


def test_a_summary_says_what_each_step_does_to_each_element():
    summary = Pipeline(Add(1), Fussy()).summary((1, "cat"))

    assert [row[:4] for row in summary.rows] == [
        ["Add", "element 0", "the int 1", "the int 2"],
        ["Add", "element 1", "the str 'cat'", "passes through: no method for str"],
        ["Fussy", "element 0", "the int 2", "passes through: no method for int"],
        ["Fussy", "element 1", "the str 'cat'", "passes through: no method for str"],
    ]
    assert "<table" in summary._repr_html_()


def test_a_summary_says_where_there_is_no_way_back():
    class Half(Transform):
        @method
        def encode(self, x: int):
            return x / 2

    assert Pipeline(Half()).summary(3).rows == [
        ["Half", "the value", "the int 3", "the float 1.5", "none: no decode for float"]
    ]
    assert Pipeline(Half()).decode(1.5) == 1.5
    assert not Half().acts_on(1.5, "decode")


def test_a_summary_ends_where_a_step_raises():
    rows = Pipeline(Add(1), Fussy(), Times()).summary((Boxes([[0, 0, 2, 2]]), 1)).rows

    assert [row[0] for row in rows] == ["Add", "Add", "Fussy"]
    assert rows[-1][1:4] == [
        "element 0",
        "Boxes of shape (1, 4), torch.float32",
        "raises RuntimeError: no boxes",
    ]


class Word:
    """Something that `show` cannot draw."""

    def __init__(self, letters):
        self.letters = letters


class Spell(Transform):
    @method
    def encode(self, x: str):
        return Word(x)

    @method
    def decode(self, x: Word):
        return x.letters


class Number(Transform):
    @method
    def encode(self, x: Word):
        return Text(x.letters)

    @method
    def decode(self, x: Text):
        return Word(str(x))


def test_what_is_shown_is_decoded_as_far_as_it_can_be_drawn():
    whole, last = Pipeline(Spell(), Number()), Pipeline(Number())

    assert whole.showable(Text("crack")) == "crack"
    assert type(last.decode(Text("crack"))) is Word
    assert type(last.showable(Text("crack"))) is Text


def test_a_pair_is_drawn_in_peoples_terms():
    from matplotlib import pyplot

    pipeline = Pipeline(Spell(), Number())
    pipeline.show((Image(torch.zeros(3, 8, 8)), pipeline.encode("crack")))

    assert "crack" in pyplot.gcf().axes[0].get_title()
    pyplot.close("all")


def test_what_cannot_be_drawn_at_all_is_said_in_words():
    with pytest.raises(TypeError, match=r"show can draw nothing on the way back from .*write @show\.method"):
        Pipeline(Add(1)).showable({1, 2})


class Shift(RandomTransform):
    """Adds to numbers and to the coordinates of boxes what it drew."""

    def draw(self, chance):
        return chance.randint(1, 1000)

    @method
    def apply(self, x: int, drawn):
        return x + drawn

    @method
    def apply(self, x: Boxes, drawn):
        return Boxes(x.data + drawn)


@pytest.mark.parametrize("sample", [(0, (0, {"a": 0}), "label"), {"a": 0, "b": (0, 0), "c": "label"}])
def test_a_random_step_draws_once_for_a_sample(sample):
    from coursekit.samples import elements

    numbers = {x for x in elements(Shift().encode(sample)).values() if isinstance(x, int)}

    assert len(numbers) == 1
    assert numbers != {0}


def test_draws_follow_from_the_numbers_of_the_seed_alone():
    def drawn(*numbers):
        step = Shift()
        step.reseed(*numbers)
        return [step.encode(0) for _ in range(5)]

    assert drawn(1, 2, 3) == drawn(1, 2, 3) == [496, 313, 142, 519, 974]
    assert drawn(1, 2, 3) != drawn(1, 3, 2)
    assert len(set(drawn(0))) > 1


def test_two_steps_of_one_kind_draw_apart_and_all_chance_is_in_one_seed():
    pipeline = Pipeline(Shift(), Pipeline(Shift(), Shift()), Times())
    pipeline.reseed(7)
    drawn = [step.encode(0) for step in (pipeline.steps[0], *pipeline.steps[1].steps)]

    assert pipeline.random
    assert len(set(drawn)) == 3
    assert not Pipeline(Times()).random


def test_a_random_step_says_what_it_acts_on_and_has_no_way_back():
    assert Shift().acts_on(1)
    assert not Shift().acts_on("label")
    assert not Shift().acts_on(1, "decode")
    assert Pipeline(Shift()).summary((1, "a")).rows[1][3] == "passes through: no method for str"


def test_a_random_step_names_the_element_of_an_error():
    class Bad(Shift):
        @method
        def apply(self, x: Category, drawn):
            raise RuntimeError("not a place")

    with pytest.raises(RuntimeError, match="not a place") as caught:
        Pipeline(Bad()).encode((0, (Category(1),)))

    assert caught.value.__notes__ == [
        "while Bad was to encode element 0 of element 1, a Category of shape (), torch.int64"
    ]


def test_a_step_that_draws_nothing_is_refused_in_words():
    class Idle(RandomTransform):
        pass

    with pytest.raises(NotImplementedError, match=r"Idle says what it draws: def draw\(self, chance\)"):
        Idle().encode(1)


def test_a_calm_pipeline_has_the_same_steps_without_chance():
    add, double = Add(1), Times()
    calm = Pipeline(add, Shift(), Pipeline(Shift(), double)).calm()

    assert not calm.random
    assert calm.steps[0] is add
    assert calm.steps[1].steps == (double,)
    assert calm.encode((1, "a")) == (6, "a")


@pytest.mark.parametrize("step", [lambda x: x, Times, [Times()], None])
def test_what_is_no_step_is_refused_where_it_is_given(step):
    with pytest.raises(TypeError, match=r"Pipeline takes steps, such as .* is none\."):
        Pipeline(step)
