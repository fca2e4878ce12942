"""What a lesson can say beyond Markdown and quizzes: exercise, source, folded, and the kit role.

`coursekit/lessons.py` knows the same words and turns each into plain Markdown for notebooks.
"""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from coursekit.grader.exercises import folder
from coursekit.markdown import definition, exercise_markdown


class Details(nodes.Element):
    """A part that is folded until it is asked for; it works without a script."""


def open_details(translator: nodes.NodeVisitor, node: Details) -> None:
    translator.body.append(f"<details><summary>{translator.encode(node['summary'])}</summary>\n")


def close_details(translator: nodes.NodeVisitor, node: Details) -> None:
    translator.body.append("</details>\n")


class LessonDirective(SphinxDirective):
    """A directive whose content is Markdown."""

    has_content = True

    def markdown(self, lines: list[str], into: nodes.Element) -> nodes.Element:
        start = self.content_offset
        if lines and lines[0] in self.content:
            start += list(self.content).index(lines[0])
        self.state.nested_parse(lines, start, into)
        return into

    def box(self, kind: str, label: str) -> nodes.container:
        return nodes.container("", nodes.paragraph("", label, classes=["label"]), classes=[kind])


class Folded(LessonDirective):
    """An aside under its title, folded."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        details = self.markdown(list(self.content), Details(summary=self.arguments[0]))
        return [nodes.container("", details, classes=["folded"])]


class Source(SphinxDirective):
    """A definition of the library, shown from its file."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        try:
            code, path = definition(self.arguments[0])
        except (OSError, LookupError) as error:
            raise self.error(str(error)) from error
        self.env.note_dependency(str(path))
        block = nodes.literal_block(code, code, language="python")
        name = nodes.paragraph("", f"coursekit/{path.name}", classes=["source-name"])
        return [nodes.container("", name, block, classes=["source"])]


class ExerciseBox(LessonDirective):
    """The task of an exercise, what is the learner's, and how to start."""

    required_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        word = self.arguments[0]
        try:
            task = exercise_markdown(word)
        except (LookupError, TypeError, SyntaxError) as error:
            raise self.error(str(error)) from error
        self.env.note_dependency(str(folder() / f"{word}.py"))
        box = self.box("exercise", "Exercise")
        box["ids"].append(f"exercise-{word.replace('_', '-')}")
        self.markdown(task.splitlines(), box)
        if self.config.run_address:
            address = f"{self.config.run_address}exercise/{word}"
            link = nodes.reference("", "Open this exercise", refuri=address, classes=["main-action"])
            box += nodes.paragraph("", "", link)
        return [box]


class KitRole(SphinxRole):
    """A public name as lessons say it, `kit.Learner`, with a link to its entry in the reference."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        name = nodes.literal("", f"kit.{self.text}", classes=["kit"])
        where = {"refdomain": "py", "reftype": "obj", "reftarget": f"coursekit.{self.text}"}
        target = addnodes.pending_xref("", name, refexplicit=True, refwarn=True, **where)
        target["refdoc"] = self.env.docname
        self.set_source_info(target)
        return [target], []


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(Details, html=(open_details, close_details))
    for directive in (Folded, Source):
        app.add_directive(directive.__name__.lower(), directive)
    app.add_directive("exercise", ExerciseBox)
    app.add_role("kit", KitRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
