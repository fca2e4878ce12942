"""What a learner reads: one line for what is right, a message that teaches for what is not."""

from __future__ import annotations

import importlib.resources
import json
from dataclasses import dataclass, field
from typing import Any

from .showing import NOTHING, message_html, report_html
from .wording import clean, count

FORMAT = 2


@dataclass(frozen=True)
class Message:
    """A failed check in parts, in the order they are shown; each may be empty.

    Attributes:
        call: What was asked, as lines a learner could type.
        trace: The learner's own lines on the way to an error, and the error.
        yours, ours: What came and what our library gives.
        sentences: What is wrong, the nearest known mistake, what already agrees.
        printed: What the learner's code printed meanwhile.
        hint: What to think of next.
        where: The section of the lesson to read again.
    """

    call: str = ""
    trace: str = ""
    yours: str = ""
    ours: str = ""
    sentences: tuple[str, ...] = ()
    printed: str = ""
    hint: str = ""
    where: str = ""

    def text(self) -> str:
        """The message as plain lines, at most a screen."""
        parts = [self._shown(), *self.sentences]
        if self.printed:
            parts.append("Your code printed:\n" + _indented(self.printed))
        parts += [f"Hint: {self.hint}" if self.hint else "", self.where]
        return clean("\n".join(part for part in parts if part), 8000)

    def _shown(self) -> str:
        """The call, and under it either the error or the two values."""
        lines = [self.call] if self.call else []
        if self.trace:
            lines.append(self.trace)
        elif self.yours:
            lines += [f"    yours   {self.yours}", f"    ours    {self.ours}"]
        return _indented("\n".join(lines)) if lines else ""

    def html(self) -> str:
        """The message as escaped HTML."""
        return message_html(self)


@dataclass(frozen=True)
class Result:
    """One check's outcome.

    Attributes:
        name, title: The check's name, and the same as words.
        passed: Whether every run on every device was right.
        points, of: What it earned, and what it counts.
        kind: "" when passed, else what sort of fault: "differs", "judged", "changed", "again", "slow",
            "raised", "unwritten", "stopped", "unusable", or "ours" when the course is at fault.
        parts: The message, in parts.
        seconds: How long the learner's code took.
        mistake: The title of the known mistake that it looks like, or "".
    """

    name: str
    title: str
    passed: bool
    of: int
    kind: str = ""
    parts: Message = field(default_factory=Message)
    seconds: float = 0.0
    mistake: str = ""

    @property
    def points(self) -> int:
        """What was earned: all or nothing."""
        return self.of if self.passed else 0

    @property
    def message(self) -> str:
        """The message as text; empty when passed."""
        return self.parts.text()

    def heading(self, devices: tuple[str, ...]) -> str:
        """One line: passed or not, the check, its points, and where it ran if there were several places."""
        mark = "✓" if self.passed else "✗"
        earned = f"{self.points} of {count(self.of, 'point')}"
        where = f" · {', '.join(devices)}" if len(devices) > 1 else ""
        return f"{mark} {self.title} · {earned}{where}"


@dataclass(frozen=True, repr=False)
class Report:
    """All checks of one exercise, for a terminal, a notebook or a file.

    Attributes:
        problem: A sentence about the whole kit when nothing could be run at all, else "".
        seed: All inputs follow from it; the same seed asks the same again. None while it is a secret.
    """

    word: str
    title: str
    results: tuple[Result, ...]
    devices: tuple[str, ...]
    problem: str = ""
    seed: int | None = None

    @property
    def points(self) -> int:
        """What was earned."""
        return sum(result.points for result in self.results)

    @property
    def of(self) -> int:
        """What could be earned."""
        return sum(result.of for result in self.results)

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(result.passed for result in self.results)

    @property
    def first_fault(self) -> Result | None:
        """The fault to read first: one in what was written, before what is not written yet."""
        failed = [result for result in self.results if not result.passed]
        return next((result for result in failed if result.kind != "unwritten"), next(iter(failed), None))

    def summary(self) -> str:
        """One line: the exercise and its points."""
        done = " All of it is yours now." if self.passed else ""
        return f"{self.title} · {self.points} of {count(self.of, 'point')}.{done}"

    def text(self) -> str:
        """The report for a terminal: the first fault in full, the others in a line each."""
        if self.problem:
            return "\n".join([clean(self.problem), NOTHING, "", self.summary()])
        lines, first = [], self.first_fault
        for result in self.results:
            lines.append(result.heading(self.devices))
            if result is first:
                lines += [_indented(result.message, 2), ""]
            elif not result.passed and result.parts.sentences:
                lines.append(f"    {clean(result.parts.sentences[0], 200)}")
        return "\n".join([*lines, "", self.summary()])

    def html(self) -> str:
        """The report for a page: escaped, without a script, readable on light and dark ground."""
        return report_html(self)

    def _repr_html_(self) -> str:
        script = importlib.resources.files(__package__).joinpath("report.js").read_text("utf-8")
        return f"{self.html()}<script>{script}</script>"

    def __repr__(self) -> str:
        return self.text()

    def to_json(self) -> str:
        """The report as JSON, whole: `from_json` gives an equal one.

        Its parts are `format`, `word`, `title`, `points`, `of`, `devices`, `seed`, `problem` and `results`:
        of each check its `name`, `title`, `passed`, `points`, `of`, `kind`, `message` as one text, that
        message's `parts`, and `seconds`.
        """
        about: dict[str, Any] = {"format": FORMAT, "word": self.word, "title": self.title}
        more = {"devices": self.devices, "seed": self.seed, "problem": self.problem}
        about |= {"points": self.points, "of": self.of}
        results = [
            vars(result) | {"points": result.points, "message": result.message, "parts": vars(result.parts)}
            for result in self.results
        ]
        # Half characters, which no file can hold, may come from a learner's code: all but ASCII is escaped.
        return json.dumps({**about, **more, "results": results}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that `to_json` wrote.

        Raises:
            ValueError: It is no report, or one of another format.
        """
        try:
            data = json.loads(text)
            if data["format"] != FORMAT:
                had = f"This report has the format {data['format']!r}"
                raise ValueError(f"{had}; this coursekit reads the format {FORMAT}.")
            results = tuple(_result(one) for one in data["results"])
            about = data["word"], data["title"], results, tuple(data["devices"])
            return cls(*about, data["problem"], data["seed"])
        except (LookupError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"This is no report in JSON ({type(error).__name__}: {error}).") from None


def _result(data: dict[str, Any]) -> Result:
    parts = Message(**data["parts"] | {"sentences": tuple(data["parts"]["sentences"])})
    about = data["name"], data["title"], data["passed"], data["of"], data["kind"], parts, data["seconds"]
    return Result(*about, data["mistake"])


def _indented(text: str, width: int = 4) -> str:
    return "\n".join(" " * width + line if line else line for line in text.split("\n"))
