"""Quizzes on a page: all of it is there to be read, and `scripts/quiz.js` makes it something to answer.

A `quiz` is one by itself; a `predict` with a name is one before a cell. What the right answer says a cell
printed is looked up in what that cell did print, so no answer grows stale.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from lesson_directives import Details, LessonDirective
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from coursekit.quizzes import Answer, Quiz, QuizError, parse, squeezed

logger = logging.getLogger(__name__)


class Tag(nodes.Element):
    """An element of HTML that docutils has no node for: its `tag`, and its `given` attributes."""


def open_tag(translator: Any, node: Tag) -> None:
    translator.body.append(translator.starttag(node, node["tag"], "", **node.get("given", {})))


def close_tag(translator: Any, node: Tag) -> None:
    translator.body.append(f"</{node['tag']}>\n")


class QuizDirective(LessonDirective):
    """A question with answers that are explained."""

    required_arguments = 1
    option_spec = {"seen": directives.unchanged_required}  # noqa: RUF012 - docutils asks for it
    label, classes = "Question", ("quiz",)

    def run(self) -> list[nodes.Node]:
        try:
            quiz = parse(self.arguments[0], list(self.content))
            self.note(quiz.name)
        except QuizError as error:
            return [self.fault(str(error), error.line)]
        self.quiz = quiz
        box = Tag(tag="div", classes=[*self.classes], ids=[f"quiz-{quiz.name}"])
        box["given"] = {"data-quiz": f"{quiz_page(self.env.docname)}/{quiz.name}", "data-kind": quiz.kind}
        if "seen" in self.options:
            box["seen"], box["quiz"] = self.options["seen"], quiz
        self.set_source_info(box)
        hint = nodes.inline("", quiz.hint, classes=["hint"])
        box += nodes.paragraph("", "", nodes.Text(f"{self.label} "), hint, classes=["label"])
        box += self.part(quiz.question, quiz.lines[0], Tag(tag="div", classes=["question"]))
        if quiz.kind in {"single", "multiple", "order"}:
            box += self.choices()
        box += self.reasons()
        return [box]

    def fault(self, words: str, line: int) -> nodes.system_message:
        """Say what is wrong, and where: `line` counts from 0 within the quiz."""
        return self.state_machine.reporter.error(words, line=self.lineno + self.content_offset + line + 1)

    def note(self, name: str) -> None:
        """Keep the quizzes of this page, each by a name of its own."""
        names = self.env.metadata[self.env.docname].setdefault("quizzes", [])
        if name in names:
            raise QuizError(f"another quiz of this page is called {name!r}")
        names.append(name)

    def part(self, text: str, line: int, into: nodes.Element) -> nodes.Element:
        self.state.nested_parse(text.splitlines(), self.content_offset + line, into)
        return into

    def words(self, answer: Answer) -> list[nodes.Node]:
        """What an answer says, as the inside of a line."""
        if answer.value is not None:
            return [nodes.Text(answer.text)]
        if self.quiz.kind == "printed":
            return [nodes.literal(answer.text, answer.text)]
        found = self.part(answer.text, answer.line, nodes.Element())
        if len(found) != 1 or not isinstance(found[0], nodes.paragraph):
            self.fault("an answer is one paragraph; what explains it stands indented below it", answer.line)
        return [child for block in found.children for child in block.children]

    def choices(self) -> Tag:
        """What there is to choose from, or to put in order."""
        listed = Tag(tag="ul", classes=["choices"])
        for place in self.quiz.shown_order():
            given = {"data-place": str(place)} if self.quiz.kind == "order" else {}
            listed += Tag("", *self.words(self.quiz.answers[place]), tag="li", given=given)
        return listed

    def reasons(self) -> Details:
        """Why each answer is right or wrong, folded."""
        quiz, folded = self.quiz, Details(summary="Show the answer")
        listed = Tag(tag="ol" if quiz.kind == "order" else "ul", classes=["reasons"])
        for answer in quiz.answers:
            item = Tag(tag="li", given=expected(quiz, answer))
            verdict = "" if quiz.kind == "order" else "Right: " if answer.right else "Not: "
            item += nodes.paragraph(
                "", "", nodes.strong("", verdict), *self.words(answer), classes=["verdict"]
            )
            listed += self.part(answer.why, answer.line + 2, item)
        folded += [listed] if quiz.answers else []
        if quiz.closing:
            folded += self.part(quiz.closing, quiz.lines[1], Tag(tag="div", classes=["closing"]))
        return folded


def expected(quiz: Quiz, answer: Answer) -> dict[str, str]:
    """What a script has to know of an answer."""
    given = {"data-right": ""} if answer.right else {}
    if answer.value is not None:
        return given | {"data-value": repr(answer.value), "data-within": repr(answer.within)}
    return given | ({"data-text": squeezed(answer.text)} if quiz.kind == "printed" else {})


class Predict(QuizDirective):
    """Something to guess before the next cell is run; with a name, a quiz."""

    required_arguments, optional_arguments = 0, 1
    label, classes = "Before you run it", ("quiz", "predict")

    def run(self) -> list[nodes.Node]:
        if self.arguments:
            return super().run()
        self.assert_has_content()
        return [self.markdown(list(self.content), self.box("predict", self.label))]


def quiz_page(page: str) -> str:
    """What the quizzes of a page are called after: a lesson's word, another page's address."""
    return page.removeprefix("lessons/")


class SeenAnswers(SphinxTransform):
    """Hold the right answers to what the cells of the page printed."""

    default_priority = 210  # when all outputs are there

    def apply(self, **_: Any) -> None:
        found = [
            *self.document.findall(lambda node: (isinstance(node, Tag) and "seen" in node) or is_cell(node))
        ]
        if not any(is_cell(node) and node["exec_count"] for node in found):
            return  # this page was not executed, and says so
        for place, node in enumerate(found):
            if isinstance(node, Tag):
                near = [*found[place + 1 :], *reversed(found[:place])]
                self.compare(node, [printed(cell) for cell in near if is_cell(cell)])

    def compare(self, box: Tag, texts: list[str]) -> None:
        quiz, pattern = box["quiz"], box["seen"]
        try:
            match = next(filter(None, (re.search(pattern, text, re.MULTILINE) for text in texts)), None)
        except re.error as error:
            logger.warning(f"`seen` is no regular expression: {error}", location=box)
            return
        if match is None:
            logger.warning(f"no cell of this page printed what `seen` looks for: {pattern}", location=box)
        elif match.groups() and not any(one.agrees(match[1]) for one in quiz.answers if one.right):
            right = " or ".join(one.text for one in quiz.answers if one.right)
            logger.warning(f"the answer is {right}, and the cell printed {match[1]}", location=box)


def is_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def printed(cell: nodes.container) -> str:
    """All that a cell put out as text."""
    outputs = [node for node in cell.findall(nodes.container) if node.get("nb_element") == "cell_code_output"]
    return "\n".join(block.astext() for one in outputs for block in one.findall(nodes.literal_block))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(Tag, html=(open_tag, close_tag))
    app.add_directive("quiz", QuizDirective)
    app.add_directive("predict", Predict)
    app.add_transform(SeenAnswers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
