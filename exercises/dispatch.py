"""# The dispatcher

Every `show`, every `resize` and every step of a pipeline asks the same question: which method is for *this*?
So far our code answered. Now yours will. There are two parts to write, and the first is small.

1. `nearest(fitting, kinds)` in `choices.py`: several methods fit a call; which of them is nearest? It gets
   what each of them takes (for every argument a tuple of types) and the types of the arguments. It gives the
   places of those that no other is nearer than. One place: the call is clear. Several: it is a draw.
2. `method(function)` in `dispatch.py`: the decorator. It finds the word that the function belongs to, or
   begins it, adds the function, and gives the word back. How a word is made is up to you: a class with a
   `__call__`, or a function with tables beside it.

What a word must be able to do:

- Called, it runs the method that `nearest` chooses among those that fit. In a draw it raises
  `AmbiguousMethodError`, and if nothing fits `NoMethodError`, both of `choices.py`. Either names the types of
  the call and the methods in question.
- It chooses once for each combination of types, and chooses again when a method came.
- `@word.method` adds a method from anywhere; one for the same types takes the old one's place.
- Methods keep their own defaults, and arguments may be given by name.
- In a class it is bound as functions are. What the class takes it takes itself; for the rest it asks its
  bases.
- `word.methods` and `word.which` show what it has and what would run; `word.__name__` is what it is called.

Reading annotations is not the point here, so that is given. What our module has is there in yours, with
nothing to import: the two errors, `methods_of(thing)`, which is the list of a word, or `None` for anything
else, and `Methods(function)`, an empty list for the word that begins with this function. On such a list:

- `add(function, frame)` reads a function and puts it in; `frame`, from `sys._getframe(1)`, is where the
  definition stands, and `frame.f_locals` are the names there.
- Walking through it gives each method with its `.function` and its `.parameters`; `str` of a method is how
  it is written.
- A parameter has a `.name`, the `.kinds` it takes as a tuple of types (unions, `None`, `Any` and missing
  annotations are tuples by then; `self` is a parameter too), and a `.default`, which is
  `inspect.Parameter.empty` where there is none.
- `which(*values)` answers too, so let your word carry both.

Your own `nearest` comes by `from .choices import nearest`. Sixty to ninety lines do it. When they pass, our
library runs on them: shapes, figures, pipelines and all.

Before you begin: one method takes `(Scan, Picture)`, another `(Picture, Scan)`. Which should run for two
scans?
"""

from __future__ import annotations

import re

from coursekit.grader import Right, Wrong, check

yours = {
    "choices.nearest": "of the methods that fit a call, those that no other is nearer than",
    "dispatch.method": "the decorator that adds a function to its word",
}


class Picture: ...


class Scan(Picture): ...


class CTScan(Scan): ...


class Outline: ...


class TracedScan(CTScan, Outline): ...


class TracedPicture(Outline, CTScan): ...


class Counted(type):
    """A kind of class that counts how often anybody looks at its family."""

    looks = 0

    @property
    def __mro__(cls):
        Counted.looks += 1
        return type.__dict__["__mro__"].__get__(cls)

    def __subclasscheck__(cls, other):
        Counted.looks += 1
        return super().__subclasscheck__(other)

    def __instancecheck__(cls, other):
        Counted.looks += 1
        return super().__instancecheck__(other)


@check(points=2, lesson="The nearest wins")
def the_nearest_ancestor_is_found(kit, case):
    """`kind.__mro__` lists the type and then its bases, nearest first: where in it is each method?"""
    order = case.shuffled("order", [0, 1, 2])
    fitting = [[[(object,)], [(Picture,)], [(Scan,)]][number] for number in order]
    yield "a CT scan", kit.choices.nearest(fitting, [CTScan])
    yield "a picture", kit.choices.nearest([[(object,)], [(Picture,)]], [Picture])
    yield "of two bases the first", kit.choices.nearest([[(Picture,)], [(Outline,)]], [TracedPicture])


@check(points=2, lesson="Every argument has a say")
def every_argument_has_a_say(kit, case):
    """Compare two by two: the nearer is at least as near in every argument, and nearer in one."""
    order = case.shuffled("order", [0, 1, 2])
    methods = [[(Picture,), (Picture,)], [(Picture,), (Scan,)], [(object,), (Scan,)]]
    yield "two scans", kit.choices.nearest([methods[number] for number in order], [Scan, Scan])
    last = [[(Scan,), (object,), (Outline,)], [(Scan,), (object,), (object,)]]
    yield "the last argument decides", kit.choices.nearest(last, [CTScan, int, Outline])


@check(points=2, lesson="When nobody wins")
def a_draw_names_all_who_are_in_it(kit, case):
    """A gain in one argument does not pay for a loss in another: then it is a draw, and both are given."""
    order = case.shuffled("order", [0, 1, 2])
    methods = [[(CTScan,), (Picture,)], [(Picture,), (Scan,)], [(object,), (object,)]]
    yield "two CT scans", kit.choices.nearest([methods[number] for number in order], [CTScan, CTScan])
    methods = [[(CTScan,), (object,)], [(Scan,), (CTScan,)]]
    yield "far behind is behind, too", kit.choices.nearest(methods, [CTScan, CTScan])


@check(points=1, lesson="Several at once, or nothing")
def a_union_is_as_near_as_its_nearest_part(kit, case):
    """Of `Outline | Scan` only the part counts that the argument is."""
    order = case.shuffled("order", [0, 1])
    methods = [[(Picture,)], [(Outline, Scan)]]
    yield "a CT scan", kit.choices.nearest([methods[number] for number in order], [CTScan])


@check(points=2, lesson="A table instead of a chain")
def the_type_decides(kit, case):
    """The same decorator meets the same name again: it must find the word it made the first time."""
    first, second = case.integers("numbers", 2, 3, 50)

    @kit.method
    def double(x):
        return ["two of", type(x).__name__]

    @kit.method
    def double(x: int):
        return x + x

    @kit.method
    def double(x: str):
        return f"{x} and {x}"

    yield "a number", double(first)
    yield "another number", double(second)
    yield "a text", double("tea")
    yield "anything else", double(2.5)


@check(points=2, lesson="The nearest wins")
def the_nearest_class_wins(kit, case):
    """Gather all that fit (`issubclass`), then let `nearest` choose; the order in the file says nothing."""

    @kit.method
    def corners(x: Picture):
        return "water"

    @kit.method
    def corners(x: Scan):
        return "air"

    @kit.method
    def kept(x: Scan):
        return "in units"

    @kit.method
    def kept(x: Picture):
        return "in colours"

    yield "general first", [corners(Picture()), corners(Scan())]
    yield "inherited", corners(CTScan())
    yield "special first", [kept(Scan()), kept(CTScan()), kept(Picture())]


@check(points=1, lesson="Several at once, or nothing")
def unions_and_none_are_types_too(kit, case):
    """`parameter.kinds` is a tuple of types, and `issubclass(kind, that_tuple)` understands it."""

    @kit.method
    def corners(x: Outline | Scan | None):
        return "nothing there"

    @kit.method
    def corners(x: Picture | str):
        return "water"

    yield "each of the first", [corners(Outline()), corners(CTScan()), corners(None)]
    yield "each of the second", [corners(Picture()), corners("a file")]


@check(points=2, lesson="Every argument has a say")
def all_arguments_choose(kit, case):
    """The key to what runs is the types of all arguments, not only of the first."""

    @kit.method
    def lay(over: Picture, under: Picture):
        return "blend"

    @kit.method
    def lay(over: Picture, under: Outline):
        return "draw around"

    @kit.method
    def lay(over: Scan, under: Picture):
        return "match the spacing"

    yield "by the second", [lay(Picture(), Picture()), lay(Picture(), Outline())]
    yield "by both", [lay(CTScan(), Scan()), lay(CTScan(), Outline())]


@check(points=2, lesson="When nobody wins")
def a_draw_is_an_error(kit, case):
    """If `nearest` gives more than one place, raise `AmbiguousMethodError` with all of them in it."""

    @kit.method
    def lay(over: Scan, under: object):
        return "scan over anything"

    @kit.method
    def lay(over: Picture, under: Outline):
        return "picture over outline"

    yield "a draw", case.raises(lambda: lay(CTScan(), Outline()))
    yield "no draw", [lay(CTScan(), 3), lay(Picture(), Outline())]

    @lay.method
    def _(over: Scan, under: Outline):
        return "settled"

    yield "settled", lay(CTScan(), Outline())


@a_draw_is_an_error.judge
def _(seen, case, ours):
    words = re.findall(r"\w+", seen["a draw"].text)
    missing = [name for name in ("CTScan", "Scan", "Picture") if name not in words]
    if missing:
        methods = "lay(over: Scan, under) and lay(over: Picture, under: Outline)"
        yield (
            "a draw",
            f"The message lacks {missing[0]}; let it name the types of the call and both methods, {methods}.",
        )
    for label in ("no draw", "settled"):
        if seen[label] != ours[label]:
            yield label, f"Yours is {seen[label]!r}, ours {ours[label]!r}."


@check(points=2, lesson="When nobody wins")
def nothing_that_fits_is_an_error(kit, case):
    """Raise `NoMethodError`, and think of who reads it: what came, and what would have come close?"""

    @kit.method
    def turn(x: Picture, degrees: int | float):
        return "turned"

    @kit.method
    def turn(x: None, degrees: str):
        return "nothing"

    yield "a number by a name", case.raises(lambda: turn(Scan(), "right"))
    yield "one argument too few", case.raises(lambda: turn(Scan()))
    yield "a list", case.raises(lambda: turn([], 90))


@nothing_that_fits_is_an_error.judge
def _(seen, case, ours):
    for label, came in (("a number by a name", ["Scan", "str"]), ("a list", ["list", "int"])):
        words = re.findall(r"\w+", seen[label].text)
        missing = [name for name in came if name not in words]
        if missing:
            yield label, f"The message does not say what came: {missing[0]} is not in it."
        elif not {"Picture", "float"} <= set(words):
            yield (
                label,
                "The message does not say what would have fitted: turn(x: Picture, degrees: int | float).",
            )


@check(points=2, lesson="Where the choice is remembered")
def a_method_added_later_counts(kit, case):
    """What was chosen before may be wrong now: forget it when a method comes."""

    @kit.method
    def corners(x: Picture):
        return "water"

    yield "before", corners(CTScan())

    @corners.method
    def _(x: Scan):
        return "air"

    yield "a nearer one came", corners(CTScan())

    @corners.method
    def for_ct(x: Scan):
        return "air, again"

    yield "one for the same type takes its place", corners(CTScan())
    held_elsewhere = corners

    @kit.method
    def corners(x: Outline):
        return "nothing"

    yield "through a name held elsewhere", held_elsewhere(Outline())


@check(points=2, lesson="Whose word is it?")
def two_words_of_one_name_are_two(kit, case):
    """Look for the word where the function stands, in `frame.f_locals`; keep no list of all words."""

    def in_one_module():
        @kit.method
        def size(x: Picture):
            return "in pixels"

        return size

    def in_another():
        @kit.method
        def size(x: Scan):
            return "in millimetres"

        return size

    pixels, millimetres = in_one_module(), in_another()
    yield "the first", pixels(Scan())
    yield "the second", millimetres(Scan())
    yield "what only the first takes", case.raises(lambda: millimetres(Picture()))


@check(points=3, lesson="Words inside a class")
def a_class_adds_to_what_it_inherits(kit, case):
    """`__get__` gives the word its object; what no method of the class takes, `super(owner, first)` may."""
    factor = case.integer("factor", 3, 9)

    class Scale:
        def __init__(self, factor):
            self.factor = factor

        @kit.method
        def encode(self, x: int):
            return self.factor * x

        @kit.method
        def encode(self, x: Picture):
            return f"picture times {self.factor}"

    class Fine(Scale):
        @kit.method
        def encode(self, x: Scan):
            return "finely, " + super().encode(x)

    class Whole(Fine):
        @kit.method
        def encode(self, x: object):
            return "anything"

    yield "its own", Scale(factor).encode(7)
    yield "another of the same class", Scale(factor + 1).encode(7)
    yield "inherited", Fine(factor).encode(7)
    yield "its own, then its base's", Fine(factor).encode(CTScan())
    yield "its own before its base's", Whole(factor).encode(7)
    yield "nothing fits", case.raises(lambda: Fine(factor).encode("text"))


@check(points=2, lesson="Whose word is it?")
def defaults_and_names_work_as_ever(kit, case):
    """Hand over only what you were given; a method fits if what was left out has a default, its own."""
    degrees = case.integer("degrees", 1, 80)

    @kit.method
    def turn(x: Picture, degrees: int = 90):
        return f"picture by {degrees}"

    @kit.method
    def turn(x: Outline, degrees: int = 45, *, rim: str = "thin"):
        return f"outline by {degrees}, {rim}"

    @kit.method
    def cut(x: Picture, corner: int | None = None):
        return f"cut at {corner}"

    @kit.method
    def cut(x: Picture, corner: int, size: int):
        return f"cut at {corner}, {size} wide"

    yield "its own default", [turn(Picture()), turn(Outline())]
    yield "by place", turn(Outline(), degrees)
    yield "by name", turn(Scan(), degrees=degrees)
    yield "for one of them only", turn(Outline(), rim="thick")
    yield "all by name", turn(degrees=degrees, x=Outline())
    yield "no other is needed", cut(Picture())
    yield "one is left out, and one has to come", [cut(Picture(), degrees), cut(Picture(), degrees, 9)]


@check(points=1, lesson="Ask it why")
def it_can_be_looked_at(kit, case):
    """A word carries its name and its list of methods: `__name__`, `methods`, and the list's own `which`."""

    @kit.method
    def turn(x: Picture, degrees: int = 90):
        return "a picture"

    @turn.method
    def _(x: Scan, degrees: int = 90):
        return "a scan"

    yield "what there is", [str(one) for one in turn.methods]
    yield "what would run", str(turn.which(CTScan()).method)
    yield "what it is called", turn.__name__


@check(points=2, lesson="Where the choice is remembered")
def it_chooses_once_and_remembers(kit, case):
    """Keep what was chosen in a dictionary: the types of the arguments lead to the method."""
    calls = case.integer("calls", 20, 60)

    class Whole(metaclass=Counted):
        pass

    class Part(Whole):
        pass

    @kit.method
    def size(x: Whole):
        return "whole"

    @kit.method
    def size(x: Part):
        return "part"

    def looks(calls):
        before = Counted.looks
        [size(Part()) for _ in range(calls)]
        return Counted.looks - before

    yield "the first call", size(Part())
    yield "looks at the family in later calls", looks(calls)


@check(points=3, lesson="Words inside a class")
def our_library_runs_on_it(kit, case):
    """Our modules say `from .dispatch import method`, and here that is yours: a word serves many objects."""
    small = case.integer("small", 3, 5)
    photo = kit.Image(case.tensor("photo", (3, 6, 8), low=0.0))
    mask = kit.Mask(case.labels("mask", 48, 3).reshape(6, 8))
    yield "two kinds resized", [kit.resize(photo, small), kit.resize(mask, small)]
    yield "one step", kit.Resize(small).encode(photo)
    yield "the same step with another size", kit.Resize(small + 2).encode(photo)
    yield "all of a sample", kit.rotate({"photo": photo, "mask": mask, "label": "sound"}, 90)
    steps = kit.Pipeline(kit.Resize(small), kit.Categorize(["broken", "sound"]))
    yield "into numbers", steps.encode((photo, "sound"))
    yield "and back", steps.decode(steps.encode((photo, "sound")))
    yield "what the pipeline says of itself", str(steps.summary((photo, "sound")))


HEAD = """
import functools
import inspect
import sys
import types

from .choices import AmbiguousMethodError, NoMethodError, nearest

"""

WORD = '''
class Word:
    """A name, its methods, and what was chosen before."""

    def __init__(self, first):
        functools.update_wrapper(self, first)
        self.known, self.chosen, self.owner = Methods(first), {}, None
        self.methods, self.which = self.known, self.known.which

    def __set_name__(self, owner, name):
        self.owner = owner

    def __get__(self, instance, owner=None):
        return self if instance is None else types.MethodType(self, instance)

    def add(self, function, frame):
        self.known.add(function, frame)
        self.chosen.clear()
        return self

    def method(self, function):
        return self.add(function, sys._getframe(1))

    def __call__(self, *values, **keywords):
        key = (*map(type, values), *((name, type(value)) for name, value in keywords.items()))
        if key not in self.chosen:
            self.chosen[key] = self.choose(values, keywords)
        return self.chosen[key](*values, **keywords)

    def choose(self, values, keywords):
        kinds = [type(value) for value in (*values, *keywords.values())]
        fitting, takes = [], []
        for one in self.known:
            by_name = {part.name: part.kinds for part in one.parameters}
            allowed = [one.kinds(place, ()) for place in range(len(values))]
            allowed += [by_name.get(name, (object,)) for name in keywords]
            if all(map(issubclass, kinds, allowed)) and can_take(one.function, values, keywords):
                fitting.append(one)
                takes.append(allowed)
        best = [fitting[place] for place in nearest(takes, kinds)]
        if len(best) == 1:
            return best[0].function
        call = f"{self.__name__}({', '.join(kind.__name__ for kind in kinds)})"
        if best:
            both = " and ".join(map(str, best))
            raise AmbiguousMethodError(f"{call} could be {both}: none is nearer than the other.")
        owner, word = self.owner, self.__name__
        if owner and hasattr(super(owner, values[0]), word):
            return lambda first, *more, **named: getattr(super(owner, first), word)(*more, **named)
        there = " or ".join(map(str, self.known))
        raise NoMethodError(f"{call} has no method; there is {there}.")


def can_take(function, values, keywords):
    try:
        inspect.signature(function).bind(*values, **keywords)
    except TypeError:
        return False
    return True

'''

METHOD = """
def method(function):
    frame = sys._getframe(1)
    there = frame.f_locals.get(function.__name__)
    word = getattr(there, "__func__", there)
    if methods_of(there) is None:
        word = Word(function)
    return word.add(function, frame)
"""


def _word(*changes: tuple[str, str]) -> dict[str, str]:
    """A `method` that works, with some of its lines written otherwise."""
    text = HEAD + WORD + METHOD
    for old, new in changes:
        assert old in text, f"no such line: {old}"
        text = text.replace(old, new)
    return {"dispatch.method": text}


def _nearest(body: str) -> dict[str, str]:
    """A `nearest` that knows how far each method is in each argument, and decides by these lines."""
    lines = "\n".join("    " + line for line in body.splitlines())
    return {"choices.nearest": f"{FAR}def nearest(fitting, kinds):\n{lines}\n"}


FAR = '''
def far(kind, allowed):
    """How many steps up its family the nearest of these types is."""
    line = kind.__mro__
    return min(line.index(base) if base in line else len(line) for base in allowed)


'''
ALL = "steps = [list(map(far, kinds, takes)) for takes in fitting]\n"
NUMBERS = "range(len(steps))"

wrong = [
    Wrong(
        "takes the first that fits",
        _nearest("return [0]"),
        caught_by=the_nearest_ancestor_is_found,
        says="You take the first method that fits, so the order in which they were written decides.",
    ),
    Wrong(
        "takes the last that fits",
        _nearest("return [len(fitting) - 1]"),
        caught_by=the_nearest_ancestor_is_found,
        says="You take the last method that fits: whoever comes later changes what your call does.",
    ),
    Wrong(
        "asks for the very same type",
        _nearest(
            "return [place for place, takes in enumerate(fitting)\n"
            "        if all(kind in allowed for kind, allowed in zip(kinds, takes))]"
        ),
        caught_by=the_nearest_ancestor_is_found,
        says="You look for the very type of the argument. A CT scan is a scan as well: go up `kind.__mro__`.",
    ),
    Wrong(
        "takes the longest family",
        _nearest(
            "depth = [[max(len(base.__mro__) for base in part) for part in takes] for takes in fitting]\n"
            "return [place for place, one in enumerate(depth)\n"
            "        if not any(other != one and all(a >= b for a, b in zip(other, one)) for other in depth)]"
        ),
        caught_by=the_nearest_ancestor_is_found,
        says="You take the class that has the most ancestors itself. Near is what stands early in the "
        "`__mro__` of the argument's type, and of two bases the first does.",
    ),
    Wrong(
        "looks at the first argument",
        _nearest(
            "steps = [far(kinds[0], takes[0]) for takes in fitting]\n"
            "return [place for place, step in enumerate(steps) if step == min(steps)]"
        ),
        caught_by=every_argument_has_a_say,
        says="Only the first argument decided: the types of the others are in `kinds` too.",
    ),
    Wrong(
        "wants to be nearer everywhere",
        _nearest(
            ALL + f"return [one for one in {NUMBERS} if not any(\n"
            f"    all(a < b for a, b in zip(steps[other], steps[one])) for other in {NUMBERS})]"
        ),
        caught_by=every_argument_has_a_say,
        says="You ask a method to be nearer in every argument; as near will do, if it is nearer in one.",
    ),
    Wrong(
        "adds the steps up",
        _nearest(
            ALL + "return [place for place, one in enumerate(steps) if sum(one) == min(map(sum, steps))]"
        ),
        caught_by=a_draw_names_all_who_are_in_it,
        says="You add the steps of all arguments up, so being near in one pays for being far in another. "
        "Nobody who wrote the two methods said that.",
    ),
    Wrong(
        "compares from left to right",
        _nearest(ALL + "return [place for place, one in enumerate(steps) if one == min(steps)]"),
        caught_by=a_draw_names_all_who_are_in_it,
        says="You compare from left to right, as a dictionary sorts words: the first argument decides.",
    ),
    Wrong(
        "goes by the furthest part of a union",
        {
            "choices.nearest": _nearest(
                ALL + f"return [one for one in {NUMBERS} if not any(steps[other] != steps[one] and\n"
                f"    all(a <= b for a, b in zip(steps[other], steps[one])) for other in {NUMBERS})]"
            )["choices.nearest"].replace("return min(", "return max(")
        },
        caught_by=a_union_is_as_near_as_its_nearest_part,
        says="You measure a union by its furthest part; a part that the argument is not does not count.",
    ),
    Wrong(
        "is no decorator at all",
        {"dispatch.method": "def method(function):\n    function.method = method\n    return function\n"},
        caught_by=the_type_decides,
        says="The last definition simply took the place of the others, as it does in Python without you.",
    ),
    Wrong(
        "begins a new word each time",
        _word(("if methods_of(there) is None:\n        word", "word")),
        caught_by=the_type_decides,
        says="Each definition begins a new word with one method. "
        "Look first whether the name is a word already where the function stands.",
    ),
    Wrong(
        "remembers the answer",
        _word(
            (
                "self.chosen[key] = self.choose(values, keywords)",
                "self.chosen[key] = self.answer(values, keywords)",
            ),
            ("return self.chosen[key](*values, **keywords)", "return self.chosen[key]"),
            (
                "    def choose(",
                "    def answer(self, values, keywords):\n"
                "        return self.choose(values, keywords)(*values, **keywords)\n\n    def choose(",
            ),
        ),
        caught_by=the_type_decides,
        says="You remember the answer of the first call; remember which method to ask, and ask it each time.",
    ),
    Wrong(
        "asks in the order of definition",
        _word(("for place in nearest(takes, kinds)]", "for place in range(len(takes))][:1]")),
        caught_by=the_nearest_class_wins,
        says="The first definition that fits runs, like a chain of `isinstance`: "
        "let `nearest` choose among all that fit.",
    ),
    Wrong(
        "knows exact types only",
        _word(
            (
                "all(map(issubclass, kinds, allowed))",
                "all(kind in types or object in types for kind, types in zip(kinds, allowed))",
            )
        ),
        caught_by=the_nearest_class_wins,
        says="`type(x) == Scan` leaves out everything that is a scan by inheritance: `issubclass` does not.",
    ),
    Wrong(
        "reads only the first of a union",
        _word(
            ("allowed = [one.kinds(place, ()) for", "allowed = [one.kinds(place, ())[:1] for"),
        ),
        caught_by=unions_and_none_are_types_too,
        says="Only the first type of each union is taken; `issubclass` takes a whole tuple of types.",
    ),
    Wrong(
        "has the first argument choose",
        _word(
            (
                "best = [fitting[place] for place in nearest(takes, kinds)]",
                "best = [fitting[place] for place in nearest([one[:1] for one in takes], kinds[:1])][-1:]",
            ),
            ("all(map(issubclass, kinds, allowed))", "all(map(issubclass, kinds[:1], allowed))"),
        ),
        caught_by=all_arguments_choose,
        says="The type of the first argument alone chooses, as in `functools.singledispatch`. "
        "The others have a say too.",
    ),
    Wrong(
        "remembers by the first argument",
        _word(("key = (*map(type, values),", "key = (*map(type, values[:1]),")),
        caught_by=all_arguments_choose,
        says="What was chosen is remembered by the type of the first argument, "
        "and found again for a call whose second is another.",
    ),
    Wrong(
        "settles a draw in silence",
        _word(("if len(best) == 1:", "if best:")),
        caught_by=a_draw_is_an_error,
        says="In a draw you run the first, and nobody will ever know that there was a question.",
    ),
    Wrong(
        "says only that it is ambiguous",
        _word(("{call} could be {both}: none is nearer than the other.", "this call is ambiguous")),
        caught_by=a_draw_is_an_error,
        says="The message lacks CTScan; let it name the types of the call and both methods, "
        "lay(over: Scan, under) and lay(over: Picture, under: Outline).",
    ),
    Wrong(
        "gives nothing where nothing fits",
        _word(
            (
                'raise NoMethodError(f"{call} has no method; there is {there}.")',
                "return lambda *values, **keywords: None",
            )
        ),
        caught_by=nothing_that_fits_is_an_error,
        says="Where nothing fits, yours goes on as if nothing had been asked; "
        "the error will come much later, and somewhere else.",
    ),
    Wrong(
        "does not say what would have fitted",
        _word(("{call} has no method; there is {there}.", "{call} has no method.")),
        caught_by=nothing_that_fits_is_an_error,
        says="The message does not say what would have fitted: turn(x: Picture, degrees: int | float).",
    ),
    Wrong(
        "keeps what is stale",
        _word(("        self.chosen.clear()\n", "")),
        caught_by=a_method_added_later_counts,
        says="What was chosen before the new method came is still in your dictionary: "
        "an old call goes on as it did, a new one does not.",
    ),
    Wrong(
        "keeps all words in one list",
        _word(
            ("class Word:", "WORDS = {}\n\n\nclass Word:"),
            ("there = frame.f_locals.get(function.__name__)", "there = WORDS.get(function.__name__)"),
            ("word = Word(function)", "word = WORDS[function.__name__] = Word(function)"),
        ),
        caught_by=two_words_of_one_name_are_two,
        says="All words of one name are one word: whoever defines `size` in another module changes yours.",
    ),
    Wrong(
        "does not ask the bases",
        _word(("if owner and hasattr(", "if False and hasattr(")),
        caught_by=a_class_adds_to_what_it_inherits,
        says="The word of a class hides its base's: what the base could take is refused.",
    ),
    Wrong(
        "is not bound",
        _word(
            ("    def __get__(self, instance, owner=None):", "    def unused(self, instance, owner=None):")
        ),
        caught_by=a_class_adds_to_what_it_inherits,
        says="Called through an object, your word does not get that object: a class needs `__get__` for it, "
        "a function has it.",
    ),
    Wrong(
        "fills in one method's defaults",
        _word(
            (
                "return self.chosen[key](*values, **keywords)",
                "given = inspect.signature(self.__wrapped__).bind(*values, **keywords)\n"
                "        given.apply_defaults()\n"
                "        return self.chosen[key](*given.args, **given.kwargs)",
            ),
        ),
        caught_by=defaults_and_names_work_as_ever,
        says="What was left out is filled in from the first method of the word; each has its own defaults.",
    ),
    Wrong(
        "drops what comes by name",
        _word(("return self.chosen[key](*values, **keywords)", "return self.chosen[key](*values)")),
        caught_by=defaults_and_names_work_as_ever,
        says="What is given by name does not arrive at the method: pass `**keywords` on.",
    ),
    Wrong(
        "takes a default of None for none",
        _word(
            (
                "    try:\n        inspect",
                "    for part in list(inspect.signature(function).parameters.values())[len(values):]:\n"
                "        if part.default is None and part.name not in keywords:\n"
                "            return False\n"
                "    try:\n        inspect",
            )
        ),
        caught_by=defaults_and_names_work_as_ever,
        says="A default of `None` is one: where there is none, `.default` is `inspect.Parameter.empty`.",
    ),
    Wrong(
        "misses nothing that must come",
        _word((".bind(*values", ".bind_partial(*values")),
        caught_by=defaults_and_names_work_as_ever,
        says="A method fits only if each argument that was left out has a default; "
        "`.default` is `inspect.Parameter.empty` where there is none.",
    ),
    Wrong(
        "has no name",
        _word(
            ("functools.update_wrapper(self, first)", "self.word = first.__name__"),
            ("self.__name__", "self.word"),
        ),
        caught_by=it_can_be_looked_at,
        says="A function has a `__name__`, and who writes messages uses it: "
        "`functools.update_wrapper(self, function)` gives your word its name and its docstring.",
    ),
    Wrong(
        "keeps its list to itself",
        _word(("        self.methods, self.which = self.known, self.known.which\n", "")),
        caught_by=it_can_be_looked_at,
        says="Your word does not carry its list: with `word.methods` and `word.which` people, and our "
        "pipelines, see what it can do.",
    ),
    Wrong(
        "chooses anew each time",
        _word(("if key not in self.chosen:", "if True:")),
        caught_by=it_chooses_once_and_remembers,
        says="In {calls} more calls with a type it had met, your word looked at the family {yours} times: "
        "it works the same choice out again and again.",
    ),
    Wrong(
        "remembers whose method it was",
        _word(
            (
                "return best[0].function\n",
                "return best[0].function.__get__(values[0]) if self.owner else best[0].function\n",
            ),
            (
                "return self.chosen[key](*values, **keywords)",
                "return self.chosen[key](*values[bool(self.owner) :], **keywords)",
            ),
            (
                "return lambda first, *more, **named: getattr(super(owner, first), word)(*more, **named)",
                "return getattr(super(owner, values[0]), word)",
            ),
        ),
        caught_by=our_library_runs_on_it,
        says="The first object that was asked is remembered with the method, so a second one of its class "
        "gets the first one's settings.",
    ),
]

right = [
    Right(
        "a class, and steps counted",
        {
            **_nearest(
                ALL + "def nearer(one, other):\n"
                "    return one != other and all(a <= b for a, b in zip(one, other))\n"
                "return [place for place, one in enumerate(steps)\n"
                "        if not any(nearer(other, one) for other in steps)]"
            ),
            **_word(),
        },
    ),
    Right(
        "a function with tables beside it, and a tournament",
        {
            "choices.nearest": """
def nearest(fitting, kinds):
    alive = list(range(len(fitting)))
    for one in list(alive):
        for other in list(alive):
            if beats(fitting[other], fitting[one], kinds):
                alive.remove(one)
                break
    return alive


def beats(one, other, kinds):
    won = lost = 0
    for mine, theirs, kind in zip(one, other, kinds):
        for ancestor in (*kind.__mro__, None):
            if (ancestor in mine) != (ancestor in theirs):
                won, lost = won + (ancestor in mine), lost + (ancestor in theirs)
            if ancestor in mine or ancestor in theirs:
                break
    return won > 0 and not lost
""",
            "dispatch.method": '''
import sys

from . import choices
from .signatures import REQUIRED


def method(function):
    frame = sys._getframe(1)
    word = frame.f_locals.get(function.__name__)
    word = word if methods_of(word) else begin(function)
    word.methods.add(function, frame)
    return word


def begin(first):
    name, methods, memory = first.__name__, Methods(first), {}

    def word(*values, **named):
        types = tuple(type(value) for value in values)
        key = methods.generation, types, tuple((key, type(value)) for key, value in named.items())
        if key not in memory:
            memory[key] = choose(values, named)
        return memory[key](*values, **named)

    def add(function):
        methods.add(function, sys._getframe(1))
        return word

    def choose(values, named):
        rows = [(one, taken(one, values, named)) for one in methods]
        rows = [(one, [allowed for _, allowed in pairs]) for one, pairs in rows if pairs is not None]
        kinds = [type(value) for value in (*values, *named.values())]
        best = choices.nearest([allowed for _, allowed in rows], kinds) if rows else []
        if len(best) == 1:
            return rows[best[0]][0].function
        came = f"({', '.join(kind.__name__ for kind in kinds)})"
        if best:
            several = "; ".join(str(rows[place][0]) for place in best)
            raise choices.AmbiguousMethodError(f"{name} is ambiguous for {came}: {several}")
        if methods.in_class and (bases := above(values[0])):
            return lambda first, *rest, **more: getattr(super(bases[0], first), name)(*rest, **more)
        raise choices.NoMethodError(f"{name} cannot take {came}, only {'; '.join(map(str, methods))}")

    def above(first):
        """The class whose word this is, if one of those after it has the word too."""
        line = (first if isinstance(first, type) else type(first)).__mro__
        having = [base for base in line if name in vars(base)]
        mine = [place for place, base in enumerate(having) if vars(base)[name] is word]
        return having[mine[0] : mine[0] + 1] if mine and len(having) > mine[0] + 1 else []

    word.__name__, word.__doc__, word.__annotations__ = name, first.__doc__, first.__annotations__
    word.method, word.methods, word.which = add, methods, methods.which
    return word


def taken(one, values, named):
    """Each value with what may stand in its place; None where the call cannot be."""
    places, open_ones = list(one.parameters), dict(named)
    pairs = []
    for value in values:
        part = places.pop(0) if places else one.rest
        if part is None:
            return None
        pairs.append((value, part.kinds))
    for part in places:
        if part.name not in named and part.default is REQUIRED:
            return None
    for key, value in named.items():
        mine = [part.kinds for part in places if part.name == key]
        if not mine and key not in one.keywords and not one.any_keyword:
            return None
        pairs.append((value, mine[0] if mine else (object,)))
    return pairs if all(isinstance(value, allowed) for value, allowed in pairs) else None
''',
        },
    ),
]
