"""Turn the Markdown of a lesson (MyST: directives, roles, labels) into Markdown that any notebook shows.

Every directive and role that a lesson may use has one entry here; anything else is an error that names it, so
nothing a notebook cannot show is ever left standing.

>>> plain_markdown("The {term}`loss <loss function>` of a {kit}`Learner`.")
'The loss of a `kit.Learner`.'
>>> print(plain_markdown(":::{predict}\\nHigher or lower?\\n:::"))
> **Before you run it**
>
> Higher or lower?
"""

from __future__ import annotations

import ast
import csv
import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from .quizzes import Answer, Quiz, QuizError, parse

_PACKAGE = Path(__file__).resolve().parent
_OPEN = re.compile(r"^\s*(?P<fence>`{3,}|:{3,})\{(?P<name>[\w:-]+)\}\s*(?P<argument>.*?)\s*$")
_CODE = re.compile(r"^\s*(?P<fence>`{3,}|~{3,})(?!.*`)")
_ROLE = re.compile(r"(?<!`)\{(?P<name>[\w:+-]+)\}`(?P<text>[^`]+)`")
_LABEL = re.compile(r"^\((?P<label>[^)\s]+)\)=\s*$")
_TITLED = re.compile(r"^(?P<text>.+?)\s*<(?P<target>[^>]+)>$", re.DOTALL)


class UnknownSyntax(ValueError):
    """A directive or role that notebooks cannot show; `line` holds the words of the offending line."""

    def __init__(self, message: str, line: str) -> None:
        super().__init__(message)
        self.line = line


def plain_markdown(text: str, titles: Mapping[str, str] | None = None) -> str:
    """Turn MyST Markdown into plain Markdown.

    Args:
        text: The Markdown of one cell.
        titles: What a reference without words of its own says, by label.

    Raises:
        UnknownSyntax: A directive or role that is not known, or a reference that has no words.
    """
    lines = iter(text.splitlines())
    result: list[str] = []
    for line in lines:
        if match := _OPEN.match(line):
            body = _body(lines, match["fence"], line)
            result += _directive(match["name"], match["argument"], body, line, titles or {})
        elif match := _CODE.match(line):
            result += [line, *_body(lines, match["fence"], line), match["fence"]]
        elif not _LABEL.match(line) and not line.startswith("% ") and not line.startswith("+++"):
            result.append(_inline(line, titles or {}))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(result)).strip("\n")


def labels(text: str) -> dict[str, str]:
    """The headings that have a label, by label.

    >>> labels("(worst)=\\n## The worst mistakes\\n")
    {'worst': 'The worst mistakes'}
    """
    lines = [line for line in text.splitlines() if line.strip()]
    return {
        match["label"]: below.lstrip("# ").strip()
        for line, below in itertools.pairwise(lines)
        if (match := _LABEL.match(line)) and below.startswith("#")
    }


def definition(name: str) -> tuple[str, Path]:
    """The source of a definition of the library and its file, such as `metrics.accuracy` or `typed.KEEPS`.

    Raises:
        LookupError: There is no such module, or nothing of that name in it.

    >>> definition("lessons.nothing")
    Traceback (most recent call last):
        ...
    LookupError: coursekit/lessons.py has no definition 'nothing'
    """
    codes, path = definitions(name)
    return codes[0], path


def definitions(name: str) -> tuple[list[str], Path]:
    """All definitions of one name in one place, as `definition` gives the first: a function has its methods.

    >>> len(definitions("geometry.rotate")[0]) > 2
    True
    """
    folder, rest = _PACKAGE, name
    while (folder / rest.partition(".")[0]).is_dir() and "." in rest:
        folder, rest = folder / rest.partition(".")[0], rest.partition(".")[2]
    module, _, inner = rest.partition(".")
    path = folder / f"{module}.py"
    if not path.is_file() or not inner:
        raise LookupError(f"{name!r} is no definition of coursekit; write it as module.name")
    source = path.read_text(encoding="utf-8")
    found, inside = [], ast.parse(source).body
    for part in inner.split("."):
        found = [node for node in inside if _name_of(node) == part]
        if not found:
            raise LookupError(f"coursekit/{module}.py has no definition {inner!r}")
        inside = getattr(found[0], "body", [])
    return [_text_of(node, source.splitlines()) for node in found], path


def _text_of(node: ast.stmt, lines: list[str]) -> str:
    first = min(part.lineno for part in [node, *getattr(node, "decorator_list", [])])
    return inspect.cleandoc("\n" + "\n".join(lines[first - 1 : node.end_lineno]))


def _name_of(node: ast.stmt) -> str:
    """What a function, a class or a constant is called; nothing for another statement."""
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return getattr(node.targets[0] if isinstance(node, ast.Assign) else node.target, "id", "")
    return getattr(node, "name", "")


def _body(lines: Iterator[str], fence: str, opening: str) -> list[str]:
    """The lines up to the fence that closes."""
    body: list[str] = []
    for line in lines:
        bare = line.strip()
        if len(bare) >= len(fence) and set(bare) == {fence[0]}:
            return body
        body.append(line)
    raise UnknownSyntax(f"`{opening.strip()}` is opened and never closed", opening)


def _options(body: list[str]) -> tuple[dict[str, str], list[str]]:
    """The `:name: value` lines at the head of a directive, and what follows."""
    options: dict[str, str] = {}
    rest = list(body)
    while rest and (match := re.match(r"^\s*:([\w-]+):\s*(.*)$", rest[0])):
        options[match[1]] = match[2]
        rest.pop(0)
    return options, rest


def _directive(name: str, argument: str, body: list[str], line: str, titles: Mapping[str, str]) -> list[str]:
    options, lines = _options(body)

    def convert(part: list[str]) -> list[str]:
        return plain_markdown("\n".join(part), titles).splitlines()

    if name == "quiz" or (name == "predict" and argument):
        try:
            quiz = parse(argument, lines)
        except QuizError as error:
            raise UnknownSyntax(str(error), [*lines, line][min(error.line, len(lines))]) from error
        return _quiz(quiz, _ADMONITIONS.get(name, "Question"), convert)
    if name in _ADMONITIONS:
        return _quoted(argument or _ADMONITIONS[name], convert(lines))
    if name not in _DIRECTIVES:
        raise UnknownSyntax(f"the directive {{{name}}} cannot be shown in a notebook", line)
    return _DIRECTIVES[name](argument, options, lines, convert)


Converter = Callable[[list[str]], list[str]]

_ADMONITIONS = {
    "note": "Note",
    "tip": "Tip",
    "warning": "Warning",
    "important": "Important",
    "admonition": "",
    "predict": "Before you run it",
}


def _quoted(title: str, lines: list[str]) -> list[str]:
    inside = "\n".join(lines).strip("\n").splitlines()
    return ["", f"> **{title}**", ">", *(f"> {line}".rstrip() for line in inside), ""]


def _folded(title: str, options: Mapping[str, str], lines: list[str], convert: Converter) -> list[str]:
    return ["", f"<details><summary>{title}</summary>", "", *convert(lines), "", "</details>", ""]


def _quiz(quiz: Quiz, label: str, convert: Converter) -> list[str]:
    """A quiz where nothing can be clicked: the question, what there is to choose from, and folded answers."""
    names = [chr(ord("A") + number) for number in range(len(quiz.answers))]
    shown = [quiz.answers[place].text for place in quiz.shown_order()]
    choices = [f"- **{name}**: {text}" for name, text in zip(names, shown, strict=True)]
    choices = choices if quiz.kind in {"single", "multiple", "order"} else []
    if quiz.kind == "order":
        told = [f"{place}. {answer.text}" for place, answer in enumerate(quiz.answers, start=1)]
    else:
        told = [line for pair in zip(names, quiz.answers, strict=True) for line in _told(quiz, *pair)]
    answers = [*told, *([""] if told else []), *quiz.closing.splitlines()]
    title = f"**{label}.** {quiz.hint}"
    question = [*quiz.question.splitlines(), "", *choices]
    return ["", title, "", *convert(question), *_folded("Show the answer", {}, answers, convert)]


def _told(quiz: Quiz, name: str, answer: Answer) -> list[str]:
    """What is said of one answer, as an item of a list."""
    if quiz.kind in {"number", "printed"}:
        name = f"`{answer.text}`"
    first, *others = answer.why.splitlines()
    verdict = f"**{name}** is right." if answer.right else f"Not **{name}**."
    return [f"- {verdict} {first}", *(f"  {line}".rstrip() for line in others)]


def _source(name: str, options: Mapping[str, str], lines: list[str], convert: Converter) -> list[str]:
    code, path = definition(name)
    return ["", f"From `coursekit/{path.name}`:", "", "```python", *code.splitlines(), "```", ""]


def _exercise(word: str, options: Mapping[str, str], lines: list[str], convert: Converter) -> list[str]:
    return ["", *convert(exercise_markdown(word).splitlines()), ""]


def _formula(argument: str, options: Mapping[str, str], lines: list[str], convert: Converter) -> list[str]:
    return ["", "$$", *lines, "$$", ""]


def _table(caption: str, options: Mapping[str, str], lines: list[str], convert: Converter) -> list[str]:
    """A table, or, where its file did not travel with the package, the word where it stands."""
    if "file" in options:
        path = _PACKAGE.parent / "lessons" / options["file"]
        if not path.is_file():
            return ["", f"*{caption} (a table in the book's page)*", ""]
        lines = path.read_text(encoding="utf-8").splitlines()
    header, *rows = list(csv.reader(line for line in lines if line.strip()))
    ruler = ["---"] * len(header)
    return ["", *(f"| {' | '.join(row)} |" for row in [header, ruler, *rows]), "", f"*{caption}*", ""]


def _made_page(title: str, options: Mapping[str, str], lines: list[str], convert: Converter) -> list[str]:
    """A notebook has the folder itself."""
    return ["", f"*{title}*: `python -m http.server --directory page`, in a terminal.", ""]


_DIRECTIVES = {
    "folded": _folded,
    "made-page": _made_page,
    "source": _source,
    "exercise": _exercise,
    "math": _formula,
    "csv-table": _table,
}


def exercise_markdown(word: str) -> str:
    """The task of an exercise, what is the learner's, and how to start it, as Markdown."""
    from .grader.exercises import load

    exercise = load(word)
    yours = "\n".join(f"- `{name}`: {what}" for name, what in exercise.yours.items())
    task = re.sub(r"^#+ (.*)$", r"**\1**", exercise.task, flags=re.MULTILINE)
    return f"{task}\n\n**Yours to write**\n\n{yours}\n\nStart it with `coursekit start {word}` in a terminal."


def _inline(line: str, titles: Mapping[str, str]) -> str:
    def role(match: re.Match[str]) -> str:
        titled = _TITLED.match(match["text"])
        words = titled["text"] if titled else match["text"]
        name = match["name"]
        if name == "kit":
            return f"`kit.{words}`"
        if name == "math":
            return f"${match['text']}$"
        if name in {"cite:t", "cite:p"}:
            cited = re.sub(r"([^\W\d]+)(\d{4}\w?)", r"\1, \2", words)
            return f"({cited})" if name == "cite:p" else cited
        if name == "ref" and not titled:
            words = titles.get(words, "")
        if name not in {"term", "ref", "doc"} or not words or (name == "doc" and not titled):
            raise UnknownSyntax(f"{match[0]} has no words that a notebook can show", line)
        return words

    pieces = re.split(r"(``.+?``)", line)  # text between double backticks only shows what a role looks like
    line = "".join(piece if piece.startswith("``") else _ROLE.sub(role, piece) for piece in pieces)
    line = re.sub(r"!\[([^\]]*)\]\((?!https?:)[^)]*\)", r"*Picture in the book: \1*", line)
    line = re.sub(r"\]\((?!https?:|/|\.\.)([\w-]+)\.md(#[^)]*)?\)", r"](\1.ipynb)", line)
    line = re.sub(r"\[([^\]]+)\]\((?:\.\./|/)[^)]*\)", r"\1", line)
    line = re.sub(r"^\[\^(\w+)\]:\s*", r"<sup>\1</sup> ", line)
    return re.sub(r"\[\^(\w+)\]", r"<sup>\1</sup>", line)
