r"""Questions that a page can check: what a quiz says, and what is wrong with one that cannot be read.

A quiz is Markdown. Its marks say of which kind it is:

    - ( ) and - (x)      one choice is right
    - [ ] and - [x]      any number of choices are right
    - = 75 ± 1 %         a number, and how far off still counts; `- != 60` is a mistake people make
    - = `(5, 3)`         what is printed; `- !=` as well
    1. and 2. and 3.     things in their right order
    none of these        open: the reader writes, and compares with what stands below `---`

Below a mark, indented and after an empty line, stands why it is right or wrong. Below a line `---` stands
what there is to say about the whole.

>>> text = "What is 2 + 2?\n\n- = 4\n\n  Two and two.\n- != 22\n\n  Texts are joined."
>>> quiz = parse("sum", text.splitlines())
>>> quiz.kind, [(answer.right, answer.value, answer.why) for answer in quiz.answers]
('number', [(True, 4.0, 'Two and two.'), (False, 22.0, 'Texts are joined.')])
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MARK = re.compile(r"- (?P<mark>\([ x]\)|\[[ x]\]|!?=) +(?P<text>\S.*)")
_PLACE = re.compile(r"(?P<mark>\d+\.) +(?P<text>\S.*)")
_NEARLY_A_MARK = re.compile(r"[-*+]\s*(\(.?\)|\[.?\]|!?=)(?![(\[])")
_NUMBER = re.compile(r"(?P<value>-?[\d,]*\.?\d+(e-?\d+)?)( ± (?P<within>\d*\.?\d+))?( ?(?P<unit>\D.*))?")
_PRINTED = re.compile(r"`+ ?(?P<text>.+?) ?`+")
_KINDS = {"(": "single", "[": "multiple", "=": "number", "!": "number"}


class QuizError(ValueError):
    """A quiz that cannot be read; `line` counts from 0 within it."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Answer:
    """One choice, number, text or place, and why it is right or wrong; `text` and `why` are Markdown."""

    right: bool
    text: str
    why: str
    line: int
    value: float | None = None
    within: float = 0.0
    unit: str = ""

    def agrees(self, given: str) -> bool:
        """Whether what a cell printed is this answer: a number near enough, or the same text."""
        if self.value is None:
            return squeezed(given) == squeezed(self.text)
        try:
            return abs(float(given.replace(",", "")) - self.value) <= self.within + 1e-9
        except ValueError:  # what was printed is no number
            return False


@dataclass(frozen=True)
class Quiz:
    """A question and its answers; `closing` is what there is to say when it has been answered.

    `lines` are the numbers of the line with the question's first words and of the closing's.
    """

    name: str
    kind: str
    question: str
    answers: tuple[Answer, ...]
    closing: str
    lines: tuple[int, int]

    @property
    def hint(self) -> str:
        """What the reader is asked to do."""
        unit = self.answers[0].unit if self.answers else ""
        return {
            "single": "Choose one.",
            "multiple": "Choose all that are right.",
            "number": f"Answer with a number, in {unit}." if unit else "Answer with a number.",
            "printed": "Write what is printed.",
            "order": "Put them in order.",
            "open": "Write a few words, then compare.",
        }[self.kind]

    def shown_order(self) -> list[int]:
        """The answers as they are shown: choices as written, places mixed, always in the same way."""
        places = list(range(len(self.answers)))
        if self.kind == "order":
            chance = random.Random(self.name)
            while places == sorted(places):
                chance.shuffle(places)
        return places


def squeezed(text: str) -> str:
    """What counts in a printed text: no spaces, and one kind of quotes.

    >>> squeezed('( 5, "a" )')
    "(5,'a')"
    """
    return re.sub(r"\s+", "", text.strip("`")).replace('"', "'")


def parse(name: str, lines: Sequence[str]) -> Quiz:
    """Read a quiz from the lines of its directive.

    Raises:
        QuizError: It cannot be read, or lacks what every quiz needs; `line` is the place.

    >>> parse("late", ["Is it late?", "", "- (x) Yes."])
    Traceback (most recent call last):
        ...
    coursekit.quizzes.QuizError: the answer 'Yes.' needs an explanation, indented below it
    """
    if not _NAME.fullmatch(name):
        raise QuizError(f"a quiz needs a name of small letters, digits and hyphens; {name!r} came")
    lines = [line.rstrip() for line in lines]
    middle = len(lines) - lines[::-1].index("---") - 1 if "---" in lines else len(lines)
    mark = _MARK if any(map(_MARK.fullmatch, lines)) else _PLACE
    first = next((n for n, line in enumerate(lines[:middle]) if mark.fullmatch(line)), middle)
    _no_slips(lines[:middle])
    question, closing = _text(lines[:first]), _text(lines[middle + 1 :])
    if not question:
        raise QuizError("a quiz begins with its question")
    answers = [_answer(lines, place, mark) for place in _places(lines, first, middle, mark)]
    kind = _kind(lines, answers, mark)
    quiz = Quiz(name, kind, question, tuple(answers), closing, (_start(lines, 0), _start(lines, middle + 1)))
    _check(quiz)
    return quiz


def _no_slips(lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        if _NEARLY_A_MARK.match(line) and not _MARK.fullmatch(line):
            marks = "'- ( ) ', '- (x) ', '- [ ] ', '- [x] ', '- = ' or '- != '"
            raise QuizError(f"{line!r} is no answer: answers begin {marks}, and have words", number)


def _places(lines: Sequence[str], first: int, end: int, mark: re.Pattern[str]) -> list[tuple[int, int]]:
    """Where each answer begins and ends."""
    starts = [number for number in range(first, end) if mark.fullmatch(lines[number])]
    for number in range(first, end):
        if lines[number] and number not in starts and not lines[number].startswith("  "):
            raise QuizError(
                f"{lines[number]!r} is neither an answer nor indented below one; what is said of all answers "
                "stands below a line '---'",
                number,
            )
    return list(zip(starts, [*starts, end][1:], strict=True))


def _answer(lines: Sequence[str], place: tuple[int, int], mark: re.Pattern[str]) -> Answer:
    start, end = place
    match = mark.fullmatch(lines[start])
    assert match is not None
    gap = next((number for number in range(start, end) if not lines[number]), end)
    text = " ".join([match["text"], *(line.strip() for line in lines[start + 1 : gap])])
    right = match["mark"] in {"(x)", "[x]", "="} or mark is _PLACE
    answer = Answer(right, text, _text(lines[gap:end]), start)
    if "=" not in match["mark"]:
        return answer
    if printed := _PRINTED.fullmatch(text):
        return Answer(right, printed["text"], answer.why, start)
    number = _NUMBER.fullmatch(text)
    if number is None:
        raise QuizError(f"{text!r} is neither a number, such as 75 ± 1 %, nor a text in `backticks`", start)
    value, within = float(number["value"].replace(",", "")), float(number["within"] or 0)
    return Answer(right, text, answer.why, start, value, within, number["unit"] or "")


def _kind(lines: Sequence[str], answers: Sequence[Answer], mark: re.Pattern[str]) -> str:
    if not answers:
        return "open"
    if mark is _PLACE:
        return "order"
    kinds = [_KINDS[lines[answer.line][2]] for answer in answers]
    kinds = [
        "printed" if kind == "number" and lines[answer.line].endswith("`") else kind
        for answer, kind in zip(answers, kinds, strict=True)
    ]
    for answer, kind in zip(answers, kinds, strict=True):
        if kind != kinds[0]:
            raise QuizError(f"all answers are of one kind, and {answer.text!r} is of another", answer.line)
    return kinds[0]


def _check(quiz: Quiz) -> None:
    """Say what a quiz lacks."""
    if quiz.kind in {"order", "open"}:
        if not quiz.closing:
            raise QuizError("below a line '---' has to stand what a good answer says", quiz.lines[0])
        if quiz.kind == "order" and len(quiz.answers) < 3:
            raise QuizError("an order needs at least three things", quiz.answers[0].line)
        return
    for answer in quiz.answers:
        if not answer.why:
            words = f"the answer {answer.text!r} needs an explanation, indented below it"
            raise QuizError(words, answer.line)
    right = [answer for answer in quiz.answers if answer.right]
    if not right:
        raise QuizError("no answer is marked as right", quiz.answers[0].line)
    if quiz.kind == "single" and len(right) > 1:
        raise QuizError("two answers are right; where several may be, write [x] and [ ]", right[1].line)
    if quiz.kind in {"single", "multiple"} and len(quiz.answers) < 2:
        raise QuizError("one choice alone is no choice", quiz.answers[0].line)
    for wrong in quiz.answers:
        if not wrong.right and quiz.kind == "number" and any(one.agrees(str(wrong.value)) for one in right):
            raise QuizError(f"the mistake {wrong.text} would count as right", wrong.line)


def _text(lines: Sequence[str]) -> str:
    """Lines without what all are indented by, and without empty ones around them."""
    filled = [line for line in lines if line]
    margin = min((len(line) - len(line.lstrip()) for line in filled), default=0)
    return "\n".join(line[margin:] for line in lines).strip("\n")


def _start(lines: Sequence[str], first: int) -> int:
    """The first line from `first` on that says something."""
    return next((number for number in range(first, len(lines)) if lines[number]), first)
