"""Steps that can be taken back: each knows how to encode a value for the model and decode it for people.

A transform finds its method by the type it is given, so pictures can be resized while labels pass untouched.
A tuple or dictionary is a sample of several values: what is asked of it is done to each of its elements, and
it stays what it was, a named tuple included. A list is one value, as a tensor is.

>>> class Double(Transform):
...     @method
...     def encode(self, x: int): return x * 2
...     @method
...     def decode(self, x: int): return x // 2
>>> pipeline = Pipeline(Double(), Double())
>>> pipeline.encode((3, "label"))
(12, 'label')
>>> pipeline.summary((3, "label"))
step    element    in               out                                way back
Double  element 0  the int 3        the int 6                          decode
Double  element 1  the str 'label'  passes through: no method for str
Double  element 0  the int 6        the int 12                         decode
Double  element 1  the str 'label'  passes through: no method for str

The steps that come with the library are in `steps`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from random import Random
from typing import Any, ClassVar

from .choices import NoMethodError
from .choices import table as html_table
from .dispatch import method
from .display import show
from .samples import describe, each, elements, last_note, list_some, named, note_step, setting_said, shortened


class Step:
    """What every step has besides encoding and decoding: chance, a name, a word on its types.

    Attributes:
        random: Whether encoding the same value twice may give different results; such results are not kept
            in memory in place of new draws.
    """

    random = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for word in ("encode", "decode"):
            function = vars(cls).get(word)
            annotations = getattr(function, "__annotations__", {})
            asked = next((kind for name, kind in annotations.items() if name != "return"), Any)
            if not hasattr(function, "methods") and asked not in (Any, "Any", object, "object"):
                raise TypeError(
                    f"{cls.__name__}.{word} is written for {getattr(asked, '__name__', asked)}, and without "
                    f"@method above it would be given everything: write @method above def {word}."
                )

    def reseed(self, *numbers: int) -> None:
        """Start chance again from these numbers; a step without chance has nothing to do."""

    def calm(self) -> Any:
        """This step without chance: itself, or None if there is nothing left of it."""
        return None if self.random else self

    def acts_on(self, x: Any, direction: str = "encode") -> bool:
        """Whether this step has a method for a value of this type; if not, the value passes through.

        >>> from .steps import Categorize
        >>> Categorize(["cat"]).acts_on("cat"), Categorize(["cat"]).acts_on("cat", "decode")
        (True, False)
        """
        word = getattr(type(self), direction)
        if not hasattr(word, "which"):
            return True  # A plain function takes whatever comes.
        passing = getattr(Transform, direction).which(Transform, object).method
        return word.which(self, x).method is not passing

    def __repr__(self) -> str:
        settings = [f"{name}={setting_said(value)}" for name, value in vars(self).items() if name[0] != "_"]
        return f"{type(self).__name__}({', '.join(settings)})"


class Transform(Step):
    """One step that can be taken and, where that makes sense, taken back.

    To make your own, subclass it and write `encode` for each type it should act on, and `decode` for each
    that can be turned back, with `@method` above. A type without a method passes through unchanged, in both
    directions; `Pipeline.summary` says so. An `encode` that names no type takes whatever comes, tuples whole.

    Raises:
        TypeError: An `encode` or `decode` names a type and has no `@method` above it, so that the type would
            have no say; raised where the class is written.

    >>> class Double(Transform):
    ...     @method
    ...     def encode(self, x: int): return x * 2
    ...     @method
    ...     def decode(self, x: int): return x // 2
    >>> Double().encode((3, "label"))
    (6, 'label')
    >>> Double().decode({"x": 6})
    {'x': 3}
    """

    def setup(self, items: Iterable) -> None:
        """Learn what this step needs from the training items, before any is encoded; by default nothing."""

    @method
    def encode(self, x: Any) -> Any:
        """Turn what people use into what the model uses; a type without a method passes through."""
        return x

    @method
    def encode(self, x: tuple | dict) -> Any:
        return each(self, "encode", self.encode, x)

    @method
    def decode(self, x: Any) -> Any:
        """Turn it back, as far as that can be done; a type without a method passes through."""
        return x

    @method
    def decode(self, x: tuple | dict) -> Any:
        return each(self, "decode", self.decode, x)


class Steps(Transform):
    """What can be said of steps in a row, whatever runs them: chance, a summary, and what can be shown.

    Attributes:
        steps: The transforms, in the order they encode.
    """

    steps: Sequence[Transform]

    @property
    def random(self) -> bool:
        """Whether any of the steps draws by chance."""
        return any(step.random for step in self.steps)

    def reseed(self, *numbers: int) -> None:
        """Start all chance again: for each step from these numbers and its place, so none are alike."""
        for place, step in enumerate(self.steps):
            step.reseed(*numbers, place)

    def calm(self) -> Pipeline:
        """The same steps without those that draw: for what must not move, such as held-out items."""
        steps = [step.calm() for step in self.steps]
        return Pipeline(*[step for step in steps if step is not None])

    def acts_on(self, x: Any, direction: str = "encode") -> bool:
        """Whether any of the steps has a method for a value of this type."""
        return any(step.acts_on(x, direction) for step in self.steps)

    def summary(self, x: Any) -> Summary:
        """Walk one sample through, and say of each step what it does to each element, and if it can go back.

        Where a step raises, the summary ends with what it raised.

        >>> class Fussy(Transform):
        ...     @method
        ...     def encode(self, x: str): raise ValueError("no texts today")
        >>> Pipeline(Fussy()).summary((1, "cow"))
        step   element    in             out                                way back
        Fussy  element 1  the str 'cow'  raises ValueError: no texts today
        """
        return Summary.of(self.steps, x)

    def showable(self, x: Any) -> Any:
        """Decode as far as `show` can draw: undo the steps, the last one first, and keep the last such value.

        Raises:
            TypeError: `show` can draw none of what comes out on the way.
        """
        stages = [x, *(made for _, _, made in walk(self.steps[::-1], "decode", x))]
        for stage in reversed(stages):
            if drawable(stage):
                return stage
        raise TypeError(
            f"show can draw nothing on the way back from {describe(x)}, not even the end, "
            f"{describe(stages[-1])}. To draw it, write @show.method above a function that takes it."
        )

    def show(self, x: Any, **options: Any) -> Any:
        """Draw an encoded value in people's terms: `show` of what `showable` makes of it."""
        return show(self.showable(x), **options)

    def explain(self, error: Exception, direction: str, place: int, given: Any, sample: Any) -> None:
        """Add to an error which step had been given what, and which steps before had let that pass through.

        Args:
            error: What the step raised.
            direction: "encode" or "decode".
            place: The place of the step, counted in the order they run.
            given: What the step was given.
            sample: What the first step was given.
        """
        steps = self.steps if direction == "encode" else self.steps[::-1]
        note_step(error, steps[place], direction, given)
        path, passed = last_note(error).path, []
        with suppress(Exception):  # This walk is to explain an error; one of its own must not hide it.
            for step, before, _ in walk(steps[:place], direction, sample):
                element = elements(before).get(path, before)
                passed += [] if step.acts_on(element, direction) else [type(step).__name__]
        if passed:
            error.add_note(f"{list_some(passed)} had no method for it and had let it pass through")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.steps))})"


class Pipeline(Steps):
    """Several transforms as one: encoded first to last, decoded last to first.

    Args:
        steps: The transforms, in the order they encode.

    Raises:
        TypeError: A step that cannot encode, such as a plain function, a class or a list of steps.

    >>> from .steps import Categorize
    >>> pipeline = Pipeline(Categorize(["sound", "broken"]))
    >>> pipeline.decode(pipeline.encode("broken"))
    'broken'
    """

    def __init__(self, *steps: Transform) -> None:
        for step in steps:
            if isinstance(step, type) or not hasattr(step, "encode"):
                raise TypeError(
                    f"Pipeline takes steps, such as Pipeline(Resize(160), ToFloat()); {step!r} is none."
                )
        self.steps = steps

    def setup(self, items: Iterable) -> None:
        """Set the steps up one after another, each on items that the steps before it have encoded."""
        for step in self.steps:
            try:
                step.setup(items)
            except Exception as error:
                error.add_note(f"while {type(step).__name__} was set up")
                raise
            items = Encoded(items, step)

    def encode(self, x: Any) -> Any:
        """Encode with each step in turn."""
        made = x
        for place, step in enumerate(self.steps):
            try:
                made = step.encode(made)
            except Exception as error:
                self.explain(error, "encode", place, made, x)
                raise
        return made

    def decode(self, x: Any) -> Any:
        """Undo the steps, the last one first."""
        made = x
        for place, step in enumerate(reversed(self.steps)):
            try:
                made = step.decode(made)
            except Exception as error:
                self.explain(error, "decode", place, made, x)
                raise
        return made


class Encoded:
    """Items that are encoded only when someone walks through them: most steps need no look at the items.

    >>> from .steps import Categorize
    >>> [int(code) for code in Encoded(["dog"], Categorize(["cat", "dog"]))]
    [1]
    """

    def __init__(self, items: Iterable, step: Transform) -> None:
        self.items, self.step = items, step

    def __iter__(self) -> Iterator[Any]:
        return map(self.step.encode, self.items)


class Seeded(Transform):
    """What a step that draws by chance has besides drawing: chance that follows from its seed alone.

    >>> step = Seeded()
    >>> step.reseed(1, 7)
    >>> first = step.generator.random()
    >>> step.reseed(1, 7)
    >>> step.generator.random() == first
    True
    """

    random = True
    apply: ClassVar[Any]
    _generator: Random | None = None

    def reseed(self, *numbers: int) -> None:
        """Start chance again: after the same numbers the same draws follow, on every machine."""
        # The kind of step is among the seeds, lest steps of two kinds draw alike.
        self._generator = Random(" ".join(map(str, (type(self).__name__, *numbers))))

    @property
    def generator(self) -> Random:
        """Where chance comes from; until the first `reseed` it follows from the settings of the step."""
        if self._generator is None:
            self._generator = Random(repr(self))
        return self._generator

    def draw(self, chance: Random) -> Any:
        """Draw what is to be done to one sample."""
        raise NotImplementedError(f"{type(self).__name__} says what it draws: def draw(self, chance).")

    def acts_on(self, x: Any, direction: str = "encode") -> bool:
        """Whether this step has a method for a value of this type; if not, the value passes through."""
        if direction == "decode":
            return super().acts_on(x, direction)
        there: Any = RandomTransform.apply
        here: Any = type(self).apply
        passing = there.which(RandomTransform, object, object).method
        return here.which(self, x, self.draw(Random(0))).method is not passing


class RandomTransform(Seeded):
    """A step that draws by chance, once for each sample: picture, mask and points of one tuple move together.

    To make your own, write `draw`, which is given a `random.Random` and gives anything, and `apply` for each
    type it should act on, with `@method` above; give a type to `x` alone. What has no method passes through.
    Nothing is decoded, unless you write that, too. Among `batch_transforms` a sample is a whole batch, drawn
    for once: draw a seed there, and in `apply` a number for each item.

    All chance follows from the numbers given to `reseed`. A loader gives its seed, the pass and the number of
    the item, so that an item is drawn alike in any number of workers and in any order.

    >>> class Shift(RandomTransform):
    ...     def draw(self, chance): return chance.randint(1, 6)
    ...     @method
    ...     def apply(self, x: int, drawn): return x + drawn
    >>> shift = Shift()
    >>> shift.reseed(1)
    >>> shift.encode((10, 20, "label"))
    (13, 23, 'label')
    """

    def encode(self, x: Any) -> Any:
        """Draw, and do what was drawn to every element of the sample."""
        return self.apply(x, self.draw(self.generator))

    @method
    def apply(self, x: Any, drawn: Any) -> Any:
        """Do what was drawn to one value; a type without a method passes through."""
        return x

    @method
    def apply(self, x: tuple | dict, drawn: Any) -> Any:
        return each(self, "encode", lambda element: self.apply(element, drawn), x)


class Summary:
    """What each step of a pipeline does to each element of a sample; it prints as a table.

    >>> from .steps import ToFloat
    >>> Summary.of([ToFloat()], 3)
    step     element    in         out                                way back
    ToFloat  the value  the int 3  passes through: no method for int
    """

    heads = ("step", "element", "in", "out", "way back")

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        self.rows = rows

    @classmethod
    def of(cls, steps: Sequence[Transform], x: Any) -> Summary:
        """Walk a sample through the steps."""
        rows = []
        for step in steps:
            name, parts = type(step).__name__, elements(x)
            try:
                made = step.encode(x)
            except Exception as error:
                note_step(error, step, "encode", x)
                path = last_note(error).path
                raised = shortened(f"raises {type(error).__name__}: {error}", 90)
                rows.append([name, named(path), describe(parts.get(path, x)), raised, ""])
                break
            after = elements(made)
            for path, element in parts.items():
                became = done(step, element, after.get(path, made))
                rows.append([name, named(path), describe(element), *became])
            x = made
        return cls(rows)

    def __repr__(self) -> str:
        lines = [self.heads, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.heads))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        return html_table([self.heads, *self.rows])


def done(step: Transform, element: Any, made: Any) -> tuple[str, str]:
    """Say what a step made of an element, and if it can turn that back."""
    if not step.acts_on(element):
        return f"passes through: no method for {type(element).__name__}", ""
    back = "decode" if step.acts_on(made, "decode") else f"none: no decode for {type(made).__name__}"
    return "unchanged" if made is element else describe(made), back


def walk(steps: Sequence[Transform], direction: str, x: Any) -> Iterator[tuple[Transform, Any, Any]]:
    """Go through steps one by one: each step, what it is given, what it makes of it."""
    for step in steps:
        made = getattr(step, direction)(x)
        yield step, x, made
        x = made


def takes(word: Any, *values: Any) -> bool:
    """Whether a dispatched word has a method for values of these types.

    >>> from .geometry import resize
    >>> from .tensors import Category, Keypoints
    >>> takes(resize, Keypoints([[1, 2]]), 4), takes(resize, Category(1), 4)
    (True, False)
    """
    return _takes(word.methods, word.methods.generation, tuple(map(type, values)))


@cache
def _takes(methods: Any, generation: int, kinds: tuple[type, ...]) -> bool:
    """Ask once for each combination of types; a method added later is another generation."""
    try:
        methods.which(*kinds)
    except NoMethodError:
        return False
    return True


def drawable(x: Any) -> bool:
    """Whether `show` can draw a value, or every element of a sample."""
    return all(takes(show, element) for element in elements(x).values())
