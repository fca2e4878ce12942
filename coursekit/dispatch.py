"""One word, many meanings: choose the function that runs by the types of what it is given.

Write the same word several times, each with `@method` and the types it is for:

>>> @method
... def double(x: int): return x + x
>>> @method
... def double(x: str): return f"{x} and {x}"
>>> double(4), double("tea")
(8, 'tea and tea')

Every positional argument has a say. For each, the method that names the nearest of its type's ancestors fits
best (its own class before its bases, in the order of `type(x).__mro__`). The method that is at least as near
as every other one in all arguments, and nearer in some, runs. If there is no such method the call is
ambiguous, and that is an error rather than a guess. `A | B`, a tuple of types, `None`, `Any` and abstract
base classes are understood; without an annotation a parameter takes anything. An `int` is not a `float` here:
write `int | float`.

Elsewhere `@double.method` adds to the word, under any name. `double.methods` lists what there is, and
`double.which(True)` says what would run, and why. Inside a class the methods of its bases are inherited, and
its own are asked first.

How a call is fast: the word is a plain function, generated to fit its methods, that looks its types up in
dictionaries. Types it has not seen are worked out once.
"""

from __future__ import annotations

import inspect
import linecache
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .choices import (
    AmbiguousMethodError,
    Call,
    Choice,
    Column,
    NoMethodError,
    ambiguous,
    no_method,
    rank,
    table,
)
from .signatures import (
    MISSING,
    NOT_READY,
    Method,
    Missing,
    Parameter,
    common_keywords,
    common_parameters,
    read_method,
    write_body,
    write_parameters,
)

if TYPE_CHECKING:  # To a type checker each method is one more signature of the same function.
    from typing import overload as method


def runner(one: Callable[..., Any], reach: int, call: Call) -> Callable[..., Any]:
    """Leave out of a call the optional arguments that were not given: a method has defaults of its own.

    `reach` says how many arguments may be passed by place; those after it go by name.
    """
    common, given = call.common, call.given
    count = next(
        (number for number in range(len(common)) if number >= reach or given[number] is Missing), None
    )
    if count is None:
        return one
    later = {common[place].name: place for place in range(count, len(common)) if given[place] is not Missing}

    def run_with_fewer(*values: Any, **keywords: Any) -> Any:
        return one(*values[:count], **{name: values[number] for name, number in later.items()}, **keywords)

    return run_with_fewer


def ask_bases(owner: type, word: str) -> Callable[..., Any]:
    """Make the call that asks the bases of a class, in the order that Python asks them."""

    def ask(first: Any, *values: Any, **keywords: Any) -> Any:
        return getattr(super(owner, first), word)(*values, **keywords)

    return ask


class Methods:
    """The methods of one word, and the choice among them. `word.methods` is this: a list to look at.

    >>> @method
    ... def area(side: int): return side * side
    >>> @method
    ... def area(width: int, height: int): return width * height
    >>> [str(one) for one in area.methods]
    ['area(side: int)', 'area(width: int, height: int)']
    """

    def __init__(self, first: Callable[..., Any]) -> None:
        source = inspect.unwrap(first)
        self.word, self.place = source.__name__, f"<methods of {source.__module__}.{source.__qualname__}>"
        self.in_class = "." in source.__qualname__.split("<locals>.")[-1]
        self.known: dict[Any, Method] = {}  # by the types they are for
        self.unread: list[tuple[Callable[..., Any], types.FrameType]] = []  # a name in them is not there yet
        self.lock = threading.RLock()
        self.generation = 0  # how often a method was added
        # Found when the function is fitted to the methods: those, what they share, what chooses among them.
        self.fitted: list[Method] = []
        self.common: list[Parameter] = []
        self.columns: list[Column] = []
        self.has_rest = False  # whether a method has `*values`, and so a column of its own, the last
        self.chosen: dict[Any, Any] = {}  # what runs, by the types of a call: a dictionary for each
        self.names = {"_chosen_": self.chosen, "_choose_": self.choose, "_start_": self.start}
        self.names |= {"_type_": type, "_KeyError_": KeyError}
        self.function: Any = self.generate("*_values_, **_keywords_", NOT_READY, [])
        self.not_ready = self.function.__code__
        for name in ("__module__", "__qualname__", "__doc__"):
            setattr(self.function, name, getattr(source, name))
        # For help until the first call, which fits the function to its methods; types differ from one to one.
        bare = [p.replace(annotation=p.empty) for p in inspect.signature(source).parameters.values()]
        self.function.__signature__ = inspect.Signature(bare)
        self.function.method, self.function.methods, self.function.which = self.method, self, self.which

    def generate(self, parameters: str, body: str, defaults: Sequence[Any]) -> Any:
        """Make a function of the parameters and the body written for it; tracebacks can show its lines."""
        text = f"def {self.word}({parameters}):\n{body}"
        linecache.cache[self.place] = len(text), None, text.splitlines(keepends=True), self.place
        made = {"_defaults_": defaults}
        exec(compile(text, self.place, "exec"), self.names, made)
        return made[self.word]

    def add(self, function: Callable[..., Any], frame: types.FrameType) -> None:
        """Take a method in; one with names that are not there yet is read before the next call."""
        with self.lock:
            try:
                self.include(function, frame)
            except NameError:
                self.unread.append((function, frame))
            self.generation += 1
            self.function.__code__ = self.not_ready
            self.chosen.clear()

    def include(self, function: Callable[..., Any], frame: types.FrameType) -> None:
        """Read a method and list it, in the place of one that is for the same types."""
        one = read_method(function, self.word, frame)
        parts = (*one.parameters, one.rest)
        self.known[tuple(part and frozenset(part.kinds) for part in parts)] = one

    def method(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Add a method from anywhere, as a decorator; its own name need not be the word's."""
        self.add(checked(function), sys._getframe(1))
        return self.function if function.__name__ == self.word else function

    def listed(self) -> list[Method]:
        """List all methods, after reading those that had to wait."""
        with self.lock:
            while self.unread:
                self.include(*self.unread[0])
                self.unread.pop(0)
            return list(self.known.values())

    def start(self, values: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Answer the first call after a change."""
        self.fit(values)
        return self.function(*values, **keywords)

    def fit(self, values: Sequence[Any]) -> None:
        """Fit the function to its methods and those it inherits, if that is still to be done."""
        with self.lock:
            if self.function.__code__ is not self.not_ready:
                return
            methods = self.fitted = self.listed()
            everyone = [*methods, *self.inherited(self.call(values, ()))]
            self.common, keywords = common_parameters(everyone), common_keywords(everyone)
            self.has_rest = any(one.rest is not None for one in methods)
            rows = [
                [one.kinds(place, self.common) for one in methods]
                for place in range(len(self.common) + self.has_rest)
            ]
            # Where every method takes anything there is nothing to choose by.
            choosing = [place for place, row in enumerate(rows) if any(kinds != (object,) for kinds in row)]
            self.columns = [Column.of(place, rows[place]) for place in choosing]
            parameters, defaults = write_parameters(self.common, keywords, self.has_rest)
            body = write_body(self.common, keywords, choosing, self.generation)
            ready, function = self.generate(parameters, body, defaults), self.function
            # In this order for a call from another thread: what is not ready takes any arguments, and waits.
            function.__defaults__, function.__kwdefaults__ = ready.__defaults__, ready.__kwdefaults__
            function.__signature__ = inspect.signature(ready)
            function.__code__ = ready.__code__

    def choose(self, generation: int, *values: Any) -> Callable[..., Any]:
        """Work out what runs for a call whose types were not seen yet, and remember it."""
        with self.lock:
            if generation != self.generation:  # Another thread added a method since this call began.
                return lambda *again, **more: self.function(*(v for v in again if v is not MISSING), **more)
            call = self.call(values, tuple(map(type, values)))
            asked = self.asked(call)
            choice = self.find(call, asked)
            if choice is not None:
                one = choice.method
                run = runner(one.function, len(self.common if one.rest else one.parameters), call)
            elif len(bases := self.bases(call)) > 1:
                run = runner(ask_bases(bases[0], self.word), len(self.common), call)
            else:
                raise self.no_method(call) from None
            *steps, last = self.key(call)
            level = self.chosen
            for kind in steps:
                level = level.setdefault(kind, {})
            level[last] = run
            return run

    def key(self, call: Call) -> list[Any]:
        """List what leads to what runs, a dictionary for each: faster than one key of several types."""
        fixed = [call.given[column.position] for column in self.columns if column.position < len(self.common)]
        rest = [tuple(call.given[len(self.common) :])] if self.has_rest else []
        return [*fixed, *rest] or [None]

    def call(self, values: Sequence[Any], given: tuple[type, ...]) -> Call:
        """Describe a call; inside a class, with the classes that have the word."""
        if not (self.in_class and values):
            return Call(self.word, given, self.common, [])
        kind = values[0] if isinstance(values[0], type) else type(values[0])
        having = [base for base in kind.__mro__[:-1] if self.word in vars(base)]
        classes = [base for base in having if not isinstance(vars(base)[self.word], staticmethod)]
        return Call(self.word, given, self.common, classes)

    def bases(self, call: Call) -> list[type]:
        """List the class that these methods stand in, and those of its bases that have the word too."""
        classes = enumerate(call.classes)
        mine = [number for number, base in classes if methods_of(vars(base)[self.word]) is self]
        return call.classes[mine[0] :] if mine else []

    def inherited(self, call: Call) -> list[Method]:
        """List what the bases of a class have to say to this word."""
        result = []
        for base in self.bases(call)[1:]:
            there = vars(base)[self.word]
            words, plain = methods_of(there), getattr(there, "__func__", there)
            if words is not None:
                result += words.listed()
            elif hasattr(plain, "__code__"):
                result.append(read_method(plain, self.word, None))
        return result

    def asked(self, call: Call) -> list[tuple[Column, type]]:
        """Say which column is asked about which type."""
        fixed = self.columns[:-1] if self.has_rest else self.columns
        asked = [(column, call.given[column.position]) for column in fixed]
        if self.has_rest:
            asked += [(self.columns[-1], kind) for kind in (*call.given[len(self.common) :], Missing)]
        return asked

    def find(self, call: Call, asked: Sequence[tuple[Column, type]]) -> Choice | None:
        """Choose the method for a call, if one of these fits; raise if none of several fits best."""
        best, beaten = rank(asked, len(self.fitted))
        if len(best) > 1:
            raise AmbiguousMethodError(ambiguous(call, [self.fitted[number] for number in best])) from None
        return (
            Choice(call, self.fitted[best[0]], [self.fitted[number] for number in beaten]) if best else None
        )

    def no_method(self, call: Call) -> NoMethodError:
        """Say that nothing fits, in view of all methods of the word, inherited or not."""
        everywhere = [one for base in call.classes for one in methods_of(vars(base)[self.word]) or ()]
        return NoMethodError(no_method(call, everywhere or self.listed()))

    def which(self, *values: Any, **keywords: Any) -> Choice:
        """Say which method would run for these arguments, or for arguments of these types, and why.

        >>> @method
        ... def area(side: int): return side * side
        >>> area.which(True)
        area(bool) runs area(side: int), <doctest coursekit.dispatch.Methods.which[0]>:1
          side: bool is a kind of int

        Raises what the call would raise.
        """
        self.fit(values)
        bound = self.function.__signature__.bind(*values, **keywords)
        bound.apply_defaults()
        given = tuple(value if isinstance(value, type) else type(value) for value in bound.args)
        call = self.call(values, given)
        choice = self.find(call, self.asked(call))
        if choice is None:
            below = self.bases(call)[1:]
            words = methods_of(vars(below[0])[self.word]) if below else None
            if words is not None:
                return words.which(*values, **keywords)
            inherited = self.inherited(call)
            if not inherited:
                raise self.no_method(call)
            choice = Choice(call, inherited[0], [])
        return choice

    def __iter__(self) -> Iterator[Method]:
        return iter(self.listed())

    def __len__(self) -> int:
        return len(self.listed())

    def __repr__(self) -> str:
        rows = [f"  {one}, {one.place}" for one in self]
        return "\n".join([f"{self.word} has {len(rows)} method{'s' * (len(rows) != 1)}:", *rows])

    def _repr_html_(self) -> str:
        return table([["method", "written at"], *([str(one), one.place] for one in self)])


def methods_of(value: Any) -> Methods | None:
    """Find the methods of a word, also of one that is a static or class method; `None` of anything else."""
    found = getattr(getattr(value, "__func__", value), "methods", None)
    return found if isinstance(found, Methods) else None


def checked(function: Any) -> Callable[..., Any]:
    """Refuse what is no function."""
    if isinstance(function, (staticmethod, classmethod)) or not hasattr(inspect.unwrap(function), "__code__"):
        raise TypeError(
            f"@method stands directly above a function; this is a {type(function).__name__}. "
            "Put other decorators above @method."
        )
    return function


def method(function: Callable[..., Any]) -> Callable[..., Any]:  # type: ignore[no-redef]
    """Make a function one of the methods of its name, chosen by the types of all positional arguments.

    >>> @method
    ... def kind_of(x: int | float): return "number"
    >>> @method
    ... def kind_of(x): return "something else"
    >>> kind_of(1.5), kind_of("a")
    ('number', 'something else')

    The name is looked up where the function is defined: in its module, its class or the function around it.
    Found there, it gains a method (one for the same types is replaced); else it begins there. So two modules,
    and two classes, do not share a word unless one imports it.

    Raises `TypeError` for an annotation that cannot choose, such as `list[int]`. A call raises
    `NoMethodError` or `AmbiguousMethodError`, both a `TypeError`.
    """
    frame = sys._getframe(1)
    methods = methods_of(frame.f_locals.get(checked(function).__name__))
    if methods is None:
        if not function.__name__.isidentifier():
            raise TypeError(
                "A word has the name of its first method, and a lambda has none: write it with def."
            )
        methods = Methods(function)
    methods.add(function, frame)
    return methods.function
