"""# There, and back again

A model eats numbers and answers in numbers; people do not. Between the two stand steps, and each of them
knows both ways: `encode` for the model, `decode` for people. You write the few classes that all steps of
the library are made from. When yours pass, every photo, mask and label in it goes through them.

1. `samples.each(step, direction, do, x)`: do something to each element of a tuple or dictionary, and give
   back one of the same kind: a named tuple keeps its names. If `do` raises, the error goes on, with a note
   (there is `note_step(error, step, direction, element, path)`; for element 2 the path is `(2,)`).
2. `transforms.Transform`: an `encode` and a `decode`, both with a method for anything, which gives it back
   as it is, and one for `tuple | dict`, which asks `each`. And a `setup(items)` that learns nothing.
3. `transforms.Pipeline`: several steps as one. It keeps them in `self.steps`. Its `setup` lets each step
   learn from the items as that step will meet them later. (`Encoded(items, step)` are items that are
   encoded only when somebody walks through them, and again each time.) If a step raises, add the note
   (`note_step` once more, without a path) and let the error go on.
4. `transforms.RandomTransform`: chance, once for a sample. `self.draw(self.generator)` says what was drawn;
   `apply(x, drawn)` does it to one value. It has a method for anything and one for `tuple | dict`.
5. `steps.Categorize`: names to numbers and back; a batch of numbers becomes a list of names. The only names
   it may learn are those of the training items. An item may be a sample: `elements(item).values()` are all
   values in it, and names are the texts. In the library a name may be a number, too. You need one `encode`
   only, for `x: str`; `Transform` then sees to samples and photos. Delete the others, and `acts_on`.

`Transform` gets from `Step` what you need not write: a name to print, a seed, and a check that nobody
forgets `@method`. `Pipeline` gets from `Steps` its `summary` and `show`, and `RandomTransform` from `Seeded`
its `generator`. None of these needs an import: `mykit` finds in the library what a module there has.

Before you begin: coat over pullover. You put them on in that order; which do you take off first?
"""

from __future__ import annotations

from coursekit.grader import Right, Wrong, check

yours = {
    "samples.each": "do something to each element, and give back a sample of the same kind",
    "transforms.Transform": "a step that finds its method by type, in both directions",
    "transforms.Pipeline": "several steps as one",
    "transforms.RandomTransform": "a step that draws once for each sample",
    "steps.Categorize": "names to numbers, learned from the training items, and back",
}


def _steps_that_add_and_double(kit):
    """Two steps for whole numbers: one adds, one doubles."""

    class Add(kit.Transform):
        def __init__(self, amount):
            self.amount = amount

        @kit.method
        def encode(self, x: int):
            return x + self.amount

        @kit.method
        def decode(self, x: int):
            return x - self.amount

    class Double(kit.Transform):
        @kit.method
        def encode(self, x: int):
            return 2 * x

        @kit.method
        def decode(self, x: int):
            return x // 2

    return Add, Double


def _told(function):
    """What an error says, with its notes; or what came instead of one."""
    try:
        return ["no error", function()]
    except NotImplementedError:
        raise
    except Exception as error:
        return [type(error).__name__, " ".join([str(error), *getattr(error, "__notes__", ())])]


@check(points=1, lesson="A sample stays together")
def a_sample_is_afterwards_what_it_was(kit, case):
    """A named tuple is made by `type(x)._make(...)`. And a new dictionary leaves the old one alone."""
    from collections import namedtuple

    n = case.integer("n", 2, 9)
    given = {"eggs": n, "name": "Berta"}
    yield "a pair", kit.samples.each("a step", "encode", str, (n, "ten"))
    yield "a dictionary", kit.samples.each("a step", "encode", str, given)
    yield "what was given, afterwards", given
    Hen = namedtuple("Hen", "eggs name")
    hen = kit.samples.each("a step", "encode", str, Hen(n, "Berta"))
    yield "a named tuple", [type(hen).__name__, *hen]


@check(points=1, lesson="A step that knows its types")
def what_has_no_method_passes(kit, case):
    """The method for anything gives back what it was given."""
    Add, _ = _steps_that_add_and_double(kit)
    n = case.integer("n", 2, 9)
    yield "its own type", Add(n).encode(10)
    yield "another type", Add(n).encode("ten")
    yield "on the way back", Add(n).decode("ten")
    yield "nothing", Add(n).encode(None)
    yield "a list is one value", Add(n).encode([1, 2])


@check(points=2, lesson="A sample stays together")
def each_element_finds_its_own_method(kit, case):
    """Ask the step itself again for every element: then a tuple in a tuple needs no code of its own."""
    Add, _ = _steps_that_add_and_double(kit)
    n = case.integer("n", 2, 9)
    label = kit.Category(1, vocab=("broken", "sound"))
    yield "a pair", Add(n).encode((10, "ten"))
    yield "with a label", Add(n).encode((label, 10))
    yield "a dictionary", Add(n).encode({"count": 10, "name": "ten"})
    yield "one in the other", Add(n).encode((1, {"a": (2, "b")}))
    yield "and back", Add(n).decode((11, {"a": (12, "b")}))
    yield "nothing in it", [Add(n).encode(()), Add(n).encode({})]


@check(points=2, lesson="The last step first")
def decoding_gives_back_the_original(kit, case):
    """Undo the last step first."""
    Add, Double = _steps_that_add_and_double(kit)
    amount, x = case.integer("amount", 3, 9), case.integer("x", 10, 20)
    pipeline = kit.Pipeline(Add(amount), Double())
    yield "encoded", pipeline.encode((x, "label"))
    yield "decoded", pipeline.decode(pipeline.encode((x, "label")))
    yield "no steps at all", [kit.Pipeline().encode(x), kit.Pipeline().decode(x)]


@check(points=3, lesson="What may be learned, and from what")
def a_step_learns_from_what_it_will_meet(kit, case):
    """`items = Encoded(items, step)` after each step's `setup`: the next one sees what this one makes."""
    Add, Double = _steps_that_add_and_double(kit)

    class FromZero(kit.Transform):
        low = 0

        def setup(self, items):
            self.low = min(items)
            self.high = max(items)

        @kit.method
        def encode(self, x: int):
            return x - self.low

    amount, items = case.integer("amount", 3, 9), case.integers("items", 5, 5, 50)
    first, middle, last = FromZero(), FromZero(), FromZero()
    kit.Pipeline(first, Add(amount), middle, Double(), last).setup(items)
    yield "lowest and highest, met by three", [[one.low, one.high] for one in (first, middle, last)]
    yield "the items afterwards", items


@check(points=1, lesson="What may be learned, and from what")
def items_are_looked_at_only_by_those_who_learn(kit, case):
    """Hand on `Encoded(items, step)`: it encodes nothing before somebody walks through it."""
    looks = []

    class Look(kit.Transform):
        @kit.method
        def encode(self, x: int):
            looks.append(x)
            return x

    Add, _ = _steps_that_add_and_double(kit)
    count = case.integer("items", 2, 5)
    kit.Pipeline(Look(), Add(1), Look()).setup(list(range(count)))
    yield "how many items were encoded", len(looks)


@check(points=2, lesson="What passes, and what fails")
def an_error_comes_through_and_says_where(kit, case):
    """Catch it, add a note with the step and the element, and `raise` it again."""
    Add, _ = _steps_that_add_and_double(kit)

    class Fussy(kit.Transform):
        @kit.method
        def encode(self, x: str):
            raise ValueError("no texts today")

        @kit.method
        def decode(self, x: str):
            raise ValueError("no texts today")

    place = case.integer("place", 0, 4)
    sample = tuple("text" if number == place else number for number in range(5))
    pipeline = kit.Pipeline(Add(1), Fussy())
    yield "a step alone", _told(lambda: Fussy().encode(sample))
    yield "a dictionary", _told(lambda: Fussy().encode({"a": 1, "word": "text"}))
    yield "in a pipeline", _told(lambda: pipeline.encode(sample))
    yield "on the way back", _told(lambda: pipeline.decode(sample))


@an_error_comes_through_and_says_where.judge
def _(seen, case, ours):
    for label, (kind, told) in seen.items():
        place = "word" if label == "a dictionary" else str(case["place"])
        if kind == "no error":
            yield label, f"Fussy raised a ValueError, and nobody heard of it: {told!r} came back."
        elif kind != "ValueError":
            yield label, f"Fussy raised a ValueError; what came out was a {kind}."
        elif "no texts today" not in told:
            yield label, f"The error's own words are lost: {told!r}."
        elif "Fussy" not in told or place not in told.replace("Fussy", ""):
            yield label, f"Neither the error nor a note names both the step and the element: {told!r}."


def _step_that_adds_what_it_drew(kit):
    """Moves numbers by what it drew, and says how often it drew."""

    class Shift(kit.RandomTransform):
        draws = 0

        def draw(self, chance):
            self.draws += 1
            return chance.randint(1, 1_000_000)

        @kit.method
        def apply(self, x: int, drawn):
            return x + drawn

    return Shift()


@check(points=3, lesson="One draw for a sample")
def one_draw_moves_the_whole_sample(kit, case):
    """Draw in `encode`, once. For a sample, `apply` has `each` hand the same draw on to every element."""
    shift = _step_that_adds_what_it_drew(kit)
    n = case.integer("n", 10, 90)
    moved = shift.encode((0, n, {"a": 2 * n, "b": (3 * n, "label")}))
    yield "one sample", [moved[0], moved[1] - n, moved[2]["a"] - 2 * n, moved[2]["b"][0] - 3 * n]
    yield "what has no method", moved[2]["b"][1]
    yield "how often it drew", shift.draws
    yield "three samples", [shift.encode(0), shift.encode((0,))[0], shift.encode({"a": 0})["a"]]


@one_draw_moves_the_whole_sample.judge
def _(seen, case, ours):
    if len(set(seen["one sample"])) > 1:
        yield "one sample", "The elements of one sample were moved by different amounts."
    elif seen["one sample"][0] == 0:
        yield "one sample", "Nothing was moved."
    if seen["what has no method"] != "label":
        yield "what has no method", f"A text has no method here; {seen['what has no method']!r} came back."
    if seen["how often it drew"] != 1:
        yield "how often it drew", f"There was one sample, and {seen['how often it drew']} draws."
    if len(set(seen["three samples"])) < 3:
        yield "three samples", "Two samples got the same draw: draw anew for each."


@check(points=2, lesson="One draw for a sample", another_day=True)
def the_same_seed_gives_the_same_draws(kit, case):
    """All chance comes from `self.generator`, which `reseed` starts again; you need not seed anything."""
    shift = _step_that_adds_what_it_drew(kit)
    seed = case.integer("seed", 1, 99)
    for time in ("once", "once more"):
        shift.reseed(seed, 7)
        yield time, [shift.encode(0) for _ in range(3)]
    shift.reseed(seed + 1, 7)
    yield "another seed", [shift.encode(0) for _ in range(3)]


@the_same_seed_gives_the_same_draws.judge
def _(seen, case, ours):
    if seen["once"] != seen["once more"]:
        yield "once more", "After the same `reseed` other draws followed."
    if len(seen["another seed"]) != len(seen["once"]):
        yield "another seed", "As many draws as there are samples were to come."
    elif seen["another seed"] == seen["once"]:
        yield "another seed", "Another seed gave the same draws."


@check(points=2, lesson="What may be learned, and from what", another_day=True)
def names_are_learned_in_an_order_that_lasts(kit, case):
    """Sort what is learned, for a set has another order tomorrow; keep what is given. Both are tuples."""
    items = case.shuffled("items", ["sound", "broken", "dirty", "sound", "broken", "wet"])
    names = kit.Categorize()
    names.setup(items)
    yield "the vocabulary", names.vocab
    yield "codes", [names.encode(item) for item in items]
    given = kit.Categorize(["wet", "dirty", "broken", "sound"])
    given.setup(items)
    yield "names that were given", given.vocab
    photo = kit.Image(case.tensor("photo", (3, 1, 2), low=0))
    of_samples = kit.Categorize()
    of_samples.setup([(photo, item) for item in items])
    yield "the vocabulary of samples", of_samples.vocab
    yield "a sample", of_samples.encode((photo, "dirty"))


@check(points=2, lesson="There and back")
def numbers_become_names_again(kit, case):
    """A batch has an axis: then give a list of names."""
    vocab = case.shuffled("vocab", ["broken", "dirty", "sound", "wet"])
    names = kit.Categorize(vocab)
    yield "each name there and back", [names.decode(names.encode(name)) for name in vocab]
    codes = kit.Category(case.labels("codes", 5, classes=4), vocab=vocab)
    yield "a batch", names.decode(codes)
    yield "in a sample", names.decode((codes[0], "text"))


@check(points=1, lesson="What may be learned, and from what")
def a_name_that_was_never_seen_is_refused(kit, case):
    """Raise a `ValueError` that names it; any number would be that of another kind."""
    names = kit.Categorize()
    names.setup(case.shuffled("items", ["broken", "dirty", "sound"]))
    yield "a new name", case.raises(lambda: names.encode("burnt"))
    yield "the vocabulary afterwards", names.vocab


@check(points=3, lesson="What may be learned, and from what")
def it_carries_the_data_block(kit, case):
    """Here the library's own loaders run on your classes."""
    import torch

    kinds = case.shuffled("kinds", ["sound", "broken", "dirty", "sound", "broken", "dirty"])
    shades = case.integers("shades", 6, 0, 255)
    table = [
        {"photo": torch.full((3, 4, 4), shade, dtype=torch.uint8), "label": kind}
        for shade, kind in zip(shades, kinds, strict=True)
    ]
    held_out = [number for number, kind in enumerate(kinds) if kind in kinds[:number]]
    train = [number for number in range(6) if number not in held_out]
    block = kit.DataBlock(kit.Image, kit.Category, split=(train, held_out), item_transforms=[kit.Resize(2)])
    data = block.loaders(table, batch_size=2)
    batch = next(iter(kit.Loader(data.train.items, 4, data.train.batch_transforms)))
    yield "the names of the training items", data.vocab
    yield "a batch", batch
    yield "the batch, decoded", data.decode_batch(batch)
    yield "a held-out batch", next(iter(data.valid))


def _definition(full, text):
    return {full: text.strip() + "\n"}


def _each(*lines):
    return _definition("samples.each", "\n    ".join(["def each(step, direction, do, x):", *lines]))


def _transform(anything="return x", back="return x", there="self.encode, x", home="self.decode, x"):
    """A `Transform` with these lines in its methods for anything, and these calls in those for samples."""
    return _definition(
        "transforms.Transform",
        f"""
class Transform(Step):
    def setup(self, items):
        pass

    @method
    def encode(self, x: Any):
        {anything}

    @method
    def encode(self, x: tuple | dict):
        return each(self, "encode", {there})

    @method
    def decode(self, x: Any):
        {back}

    @method
    def decode(self, x: tuple | dict):
        return each(self, "decode", {home})
""",
    )


RUN = """
        for step in {steps}:
            try:
                x = step.{direction}(x)
            except Exception as error:
                note_step(error, step, "{direction}", x)
                raise
        return x"""
LEARN = """
        for step in self.steps:
            step.setup(items)
            items = Encoded(items, step)"""


def _pipeline(learn=LEARN, there=None, back=None):
    """A `Pipeline` with these bodies of its methods."""
    there = there or RUN.format(steps="self.steps", direction="encode")
    back = back or RUN.format(steps="reversed(self.steps)", direction="decode")
    return _definition(
        "transforms.Pipeline",
        f"""
class Pipeline(Steps):
    def __init__(self, *steps):
        self.steps = steps

    def setup(self, items):{learn}

    def encode(self, x):{there}

    def decode(self, x):{back}
""",
    )


def _random(draw="return self.apply(x, self.draw(self.generator))", element="self.apply(one, drawn)"):
    """A `RandomTransform` with this `encode`, and this done to each element of a sample."""
    return _definition(
        "transforms.RandomTransform",
        f"""
class RandomTransform(Seeded):
    def encode(self, x):
        {draw}

    @method
    def apply(self, x: Any, drawn: Any):
        return x

    @method
    def apply(self, x: tuple | dict, drawn: Any):
        return each(self, "encode", lambda one: {element}, x)
""",
    )


def _categorize(
    learn="self.vocab = self.vocab or tuple(sorted(set(texts)))",
    code="""if x not in self.vocab:
            raise ValueError(f"{x!r} is not one of {self.vocab}")
        return Category(self.vocab.index(x), vocab=self.vocab)""",
    name="return self.vocab[int(x)] if x.ndim == 0 else [self.vocab[int(one)] for one in x]",
):
    """A `Categorize` with these bodies."""
    return _definition(
        "steps.Categorize",
        f"""
class Categorize(Transform):
    def __init__(self, vocab=None):
        self.vocab = tuple(vocab or ())

    def setup(self, items):
        texts = [one for item in items for one in elements(item).values() if isinstance(one, str)]
        {learn}

    @method
    def encode(self, x: str):
        {code}

    @method
    def decode(self, x: Category):
        {name}
""",
    )


wrong = [
    Wrong(
        "forgets to give it back",
        _transform(anything="pass"),
        caught_by=what_has_no_method_passes,
        says="What has no method came back as None: the method for anything has to `return x`.",
    ),
    Wrong(
        "refuses what it does not know",
        _transform(
            anything='raise TypeError(f"no method for {type(x).__name__}")',
            back='raise TypeError(f"no method for {type(x).__name__}")',
        ),
        caught_by=what_has_no_method_passes,
        says="You refuse what has no method. Then no step could stand where labels come by: let them pass.",
    ),
    Wrong(
        "drops what it does not know",
        _each(
            "if isinstance(x, dict):",
            "    return {name: do(one) for name, one in x.items() if step.acts_on(one)}",
            "return tuple(do(one) for one in x if step.acts_on(one, direction))",
        ),
        caught_by=each_element_finds_its_own_method,
        says="An element without a method is gone from the sample. It passes, and keeps its place.",
    ),
    Wrong(
        "makes a list",
        _each(
            "if isinstance(x, dict):",
            "    return {name: do(one) for name, one in x.items()}",
            "return [do(one) for one in x]",
        ),
        caught_by=each_element_finds_its_own_method,
        says="You made a list of a tuple. The next step would take it for one value, and let it pass.",
    ),
    Wrong(
        "encodes on the way back",
        _transform(home="self.encode, x"),
        caught_by=each_element_finds_its_own_method,
        says="In `decode` you asked every element's `encode`: it went further there instead of back.",
    ),
    Wrong(
        "loses the names of a tuple",
        _each(
            "if isinstance(x, dict):",
            "    return {name: do(one) for name, one in x.items()}",
            "return tuple(do(one) for one in x)",
        ),
        caught_by=a_sample_is_afterwards_what_it_was,
        says="The named tuple came back a plain one; from here on `hen.eggs` would fail.",
    ),
    Wrong(
        "writes into what it was given",
        _each(
            "if isinstance(x, dict):",
            "    for name in x:",
            "        x[name] = do(x[name])",
            "    return x",
            "return x._make(map(do, x)) if hasattr(x, '_make') else tuple(map(do, x))",
        ),
        caught_by=a_sample_is_afterwards_what_it_was,
        says="You wrote into the dictionary you were given: asked for again, the item is encoded twice.",
    ),
    Wrong(
        "undoes the first step first",
        _pipeline(back=RUN.format(steps="self.steps", direction="decode")),
        caught_by=decoding_gives_back_the_original,
        says="You undid the first step first. What was put on last has to come off first.",
    ),
    Wrong(
        "gives every step the sample itself",
        _pipeline(
            there="\n        for step in self.steps:\n            made = step.encode(x)\n        return made"
        ),
        caught_by=decoding_gives_back_the_original,
        says="Every step was given the sample as it came: all that shows is what the last one did.",
    ),
    Wrong(
        "learns from the items as they came",
        _pipeline(learn="\n        for step in self.steps:\n            step.setup(items)"),
        caught_by=a_step_learns_from_what_it_will_meet,
        says="Every step learned from the items as they came. Later it meets what the steps before it make "
        "of them, and that is something else.",
    ),
    Wrong(
        "learns from what it has itself encoded",
        _pipeline(
            learn="\n        for step in self.steps:\n            items = Encoded(items, step)\n"
            "            step.setup(items)"
        ),
        caught_by=a_step_learns_from_what_it_will_meet,
        says="You encoded the items with a step before that step had learned anything.",
    ),
    Wrong(
        "lets the items run out",
        _pipeline(
            learn="\n        for step in self.steps:\n            step.setup(items)\n"
            "            items = map(step.encode, items)"
        ),
        caught_by=a_step_learns_from_what_it_will_meet,
        says="`map` can be walked through once; whoever comes later finds nothing. `Encoded` begins again.",
    ),
    Wrong(
        "encodes everything beforehand",
        _pipeline(
            learn="\n        for step in self.steps:\n            step.setup(items)\n"
            "            items = [step.encode(item) for item in items]"
        ),
        caught_by=items_are_looked_at_only_by_those_who_learn,
        says="You encoded {yours} items, and nobody asked for one: with photos, each is a file to be opened.",
    ),
    Wrong(
        "swallows errors",
        _pipeline(
            there="\n        for step in self.steps:\n            try:\n                x = step.encode(x)\n"
            "            except Exception:\n                continue\n        return x"
        ),
        caught_by=an_error_comes_through_and_says_where,
        says="A step failed and you went on without it: the model would learn from items not encoded.",
    ),
    Wrong(
        "does not say where",
        _each(
            "if isinstance(x, dict):",
            "    return {name: do(one) for name, one in x.items()}",
            "return x._make(map(do, x)) if hasattr(x, '_make') else tuple(map(do, x))",
        ),
        caught_by=an_error_comes_through_and_says_where,
        says="The error comes through, but nobody learns which element it was. In `each` you know.",
    ),
    Wrong(
        "raises an error of its own",
        _each(
            "made = {}",
            "for place, one in x.items() if isinstance(x, dict) else enumerate(x):",
            "    try:",
            "        made[place] = do(one)",
            "    except Exception as error:",
            "        raise RuntimeError(f'{type(step).__name__}, element {place!r}: {error}')",
            "return remade(x, list(made.values()))",
        ),
        caught_by=an_error_comes_through_and_says_where,
        says="You raised another error; whoever is ready for the first waits in vain. Add a note to that.",
    ),
    Wrong(
        "draws for every element",
        _random(element="self.encode(one)"),
        caught_by=one_draw_moves_the_whole_sample,
        says="Every element got a draw of its own: the mask no longer lies on its photo.",
    ),
    Wrong(
        "forgets dictionaries",
        _definition(
            "transforms.RandomTransform",
            """
class RandomTransform(Seeded):
    def encode(self, x):
        return self.apply(x, self.draw(self.generator))

    @method
    def apply(self, x: Any, drawn: Any):
        return x

    @method
    def apply(self, x: tuple | dict, drawn: Any):
        return tuple(self.apply(one, drawn) for one in x)
""",
        ),
        caught_by=one_draw_moves_the_whole_sample,
        says="Of a dictionary you made a tuple of its names: let `each` walk through the sample.",
    ),
    Wrong(
        "draws once for all time",
        _random(
            draw="self.drawn = getattr(self, 'drawn', None) or self.draw(self.generator)\n"
            "        return self.apply(x, self.drawn)"
        ),
        caught_by=one_draw_moves_the_whole_sample,
        says="You kept the first draw: from then on every sample is moved alike.",
    ),
    Wrong(
        "draws from chance that nobody can repeat",
        _random(draw="import random\n        return self.apply(x, self.draw(random))"),
        caught_by=the_same_seed_gives_the_same_draws,
        says="You drew from Python's own chance, which `reseed` does not reach: draw from `self.generator`.",
    ),
    Wrong(
        "begins chance anew for every sample",
        _random(draw="self.reseed(0)\n        return self.apply(x, self.draw(self.generator))"),
        caught_by=the_same_seed_gives_the_same_draws,
        says="You started chance again yourself, so no seed from outside counts.",
    ),
    Wrong(
        "keeps the order of the items",
        _categorize(learn="self.vocab = self.vocab or tuple(dict.fromkeys(texts))"),
        caught_by=names_are_learned_in_an_order_that_lasts,
        says="You numbered the names as they came: shuffle the items, and the model's 0 means another kind.",
    ),
    Wrong(
        "keeps the order of a set",
        _categorize(learn="self.vocab = self.vocab or tuple(set(texts))"),
        caught_by=names_are_learned_in_an_order_that_lasts,
        says="A set has no order: in a new Python the same names come in another one.",
    ),
    Wrong(
        "learns what it was told",
        _categorize(learn="self.vocab = tuple(sorted(set(texts)))"),
        caught_by=names_are_learned_in_an_order_that_lasts,
        says="The names were given, in an order that somebody chose, and you learned them over again.",
    ),
    Wrong(
        "takes a sample for a name",
        _categorize(learn="self.vocab = self.vocab or tuple(sorted(set(items), key=str))"),
        caught_by=names_are_learned_in_an_order_that_lasts,
        says="An item may be a sample, photo and name: learn from the texts among its elements.",
    ),
    Wrong(
        "decodes one at a time",
        _categorize(name="return self.vocab[int(x)]"),
        caught_by=numbers_become_names_again,
        says="`int` takes one number. A batch of them has an axis, `x.ndim == 1`: go through it.",
    ),
    Wrong(
        "learns while it encodes",
        _categorize(
            code="if x not in self.vocab:\n            self.vocab += (x,)\n"
            "        return Category(self.vocab.index(x), vocab=self.vocab)"
        ),
        caught_by=a_name_that_was_never_seen_is_refused,
        says="You gave it the next number. The model has no score for that: it was made for fewer kinds.",
    ),
    Wrong(
        "takes the first kind for it",
        _categorize(
            code="place = self.vocab.index(x) if x in self.vocab else 0\n"
            "        return Category(place, vocab=self.vocab)"
        ),
        caught_by=a_name_that_was_never_seen_is_refused,
        says="You took it for the first kind. Nothing fails, and the model learns something false.",
    ),
    Wrong(
        "hands over a bare number",
        _categorize(code="return self.vocab.index(x)"),
        caught_by=it_carries_the_data_block,
        says="A bare number does not know what it stands for: make it a `Category`, with its `vocab`.",
    ),
]

right = [
    Right(
        "written out",
        {
            "samples.each": """
def each(step, direction, do, x):
    places = list(x) if isinstance(x, dict) else range(len(x))
    made = []
    for place in places:
        try:
            made.append(do(x[place]))
        except Exception as error:
            error.add_note(f"{type(step).__name__} could not {direction} element {place!r}")
            raise
    if isinstance(x, dict):
        return type(x)(zip(places, made))
    return type(x)(*made) if hasattr(x, "_fields") else tuple(made)
""",
            "transforms.Transform": """
class Transform(Step):
    def setup(self, items):
        return None

    @method
    def encode(self, x):
        return x

    @method
    def encode(self, x: tuple):
        return each(self, "encode", self.encode, x)

    @method
    def encode(self, x: dict):
        return each(self, "encode", self.encode, x)

    @method
    def decode(self, x):
        return x

    @method
    def decode(self, x: tuple):
        return each(self, "decode", self.decode, x)

    @method
    def decode(self, x: dict):
        return each(self, "decode", self.decode, x)
""",
            "transforms.Pipeline": """
import functools


class Pipeline(Steps):
    def __init__(self, *steps):
        self.steps = list(steps)

    def setup(self, items):
        for number, step in enumerate(self.steps):
            step.setup(Encoded(items, Pipeline(*self.steps[:number])))

    def encode(self, x):
        return functools.reduce(lambda made, step: self.one(step, "encode", made), self.steps, x)

    def decode(self, x):
        return functools.reduce(lambda made, step: self.one(step, "decode", made), self.steps[::-1], x)

    def one(self, step, direction, x):
        try:
            return getattr(step, direction)(x)
        except Exception as error:
            error.add_note(f"in {type(step).__name__}.{direction}")
            raise
""",
            "steps.Categorize": """
class Categorize(Transform):
    def __init__(self, vocab=None):
        self.vocab = () if vocab is None else tuple(vocab)

    def setup(self, items):
        if not self.vocab:
            found = [value for item in items for value in elements(item).values()]
            self.vocab = tuple(sorted({value for value in found if isinstance(value, str)}))

    @method
    def encode(self, x: str):
        numbers = {name: number for number, name in enumerate(self.vocab)}
        if x not in numbers:
            raise ValueError(f"never seen: {x}")
        return Category(numbers[x], vocab=self.vocab)

    @method
    def decode(self, x: Category):
        if x.ndim:
            return [self.decode(one) for one in x]
        return self.vocab[x.item()]
""",
        },
    ),
    Right(
        "chance handed down in the step",
        {
            "transforms.RandomTransform": """
class RandomTransform(Seeded):
    def encode(self, x):
        drawn = self.draw(self.generator)
        return self.apply(x, drawn)

    @method
    def apply(self, x, drawn):
        return x

    @method
    def apply(self, x: tuple, drawn):
        return tuple(self.apply(one, drawn) for one in x)

    @method
    def apply(self, x: dict, drawn):
        return {name: self.apply(one, drawn) for name, one in x.items()}
""",
        },
    ),
]
