"""Figures that come out of code cells: alternative text, caption, number, the data's licence, a name.

A cell says so in its metadata: `alt`, `caption`, `data`, `name`. A picture without an authored alternative
text, in a cell or in the text, is a warning that names file and line, and the build fails on warnings.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils import new_document
from myst_parser.parsers.sphinx_ import MystParser
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from widgets import name_widget, widgets_in

from coursekit.lessons import figure_titles, sources_of

logger = logging.getLogger(__name__)

LABELS = {
    "gpu": "Larger on a GPU: change this cell",
    "skip-execution": "Not run when this page was made",
}


def cells(document: nodes.document) -> list[nodes.container]:
    return [node for node in document.findall(nodes.container) if node.get("nb_element") == "cell_code"]


def data_line(names: str | list[str]) -> nodes.inline:
    """The words `Data: ELPV, CC BY-NC-SA 4.0.`, with links."""
    line = nodes.inline("", "Data: ", classes=["data-line"])
    for number, (title, origin, licence, address) in enumerate(sources_of(names)):
        line += nodes.Text("; " if number else "")
        line += nodes.reference("", title, refuri=origin, internal=False)
        line += nodes.Text(", ")
        line += nodes.reference("", licence, refuri=address, internal=False)
    line += nodes.Text(".")
    return line


class FigureCells(SphinxTransform):
    """Give each figure of a cell what the cell's metadata say, and name what is missing."""

    default_priority = 200  # before Sphinx collects images and names

    def apply(self, **_: Any) -> None:
        found = cells(self.document)
        titles = figure_titles([cell["cell_metadata"] for cell in found])
        names = {}
        for cell, title in zip(found, titles, strict=True):
            self.label(cell)
            if title and (name := cell["cell_metadata"].get("name")):
                names[nodes.fully_normalize_name(name)] = title
            if cell["exec_count"]:
                self.dress(cell, title)
            elif title and name:
                cell["names"].append(nodes.fully_normalize_name(name))
                self.document.note_explicit_target(cell, cell)
        self.env.metadata[self.env.docname]["figure_names"] = names
        for image in self.document.findall(nodes.image):
            if not image.get("alt", "").strip():
                logger.warning("a figure without alternative text: give its cell `alt`", location=image)

    def label(self, cell: nodes.container) -> None:
        for tag in cell["cell_metadata"].get("tags", []):
            if tag in LABELS:
                cell.insert(0, nodes.paragraph("", LABELS[tag], classes=["cell-label"]))

    def dress(self, cell: nodes.container, title: str) -> None:
        """An alternative text for the cell's picture, and a caption under what came out."""
        about = cell["cell_metadata"]
        bundles = [node for node in cell.findall(nodes.container) if node.get("nb_element") == "mime_bundle"]
        pictures = [
            bundle for bundle in bundles if next(bundle.findall(nodes.image), None) or widgets_in(bundle)
        ]
        if len(pictures) > 1:
            logger.warning("two figures in one cell: give each a cell of its own", location=cell)
        if about.get("alt") and not pictures:
            logger.warning("this cell has `alt`, and no figure came out of it", location=cell)
        for bundle in pictures:
            for image in bundle.findall(nodes.image):
                image.source, image.line = cell.source, cell.line
                image["alt"] = " ".join(str(about.get("alt", "")).split())
            for widget in widgets_in(bundle):
                name_widget(widget, " ".join(str(about.get("alt", "")).split()), cell)
        if {"caption", "data", "name"} & set(about):
            self.frame(cell, (pictures or bundles)[-1:], title)

    def frame(self, cell: nodes.container, bundles: list[nodes.container], title: str) -> None:
        """Put an output and its caption into a figure."""
        if not bundles:
            logger.warning("this cell has a caption, and nothing to put it under", location=cell)
            return
        figure = nodes.figure(classes=["cell-figure"])
        figure.source, figure.line = cell.source, cell.line
        bundles[0].replace_self(figure)
        figure += [bundles[0], self.caption(cell, title)]
        if name := cell["cell_metadata"].get("name"):
            figure["names"].append(nodes.fully_normalize_name(name))
            self.document.note_explicit_target(figure, figure)

    def caption(self, cell: nodes.container, title: str) -> nodes.caption:
        about, caption = cell["cell_metadata"], nodes.caption()
        caption.source, caption.line = cell.source, cell.line
        if title:
            caption += nodes.strong("", f"{title.capitalize()}. ")
        if text := about.get("caption"):
            caption += [*self.markdown(text), nodes.Text(" ")]
        if data := about.get("data"):
            try:
                caption += data_line(data)
            except LookupError as error:
                logger.warning(str(error), location=cell)
        return caption

    def markdown(self, text: str) -> list[nodes.Node]:
        """The inline content of one paragraph of Markdown."""
        part = new_document(self.document["source"], self.document.settings)
        MystParser().parse(text, part)
        return [child for paragraph in part.children for child in paragraph.children]


def name_figures(app: Sphinx, document: nodes.document) -> None:
    """References say "figure 2", not the whole caption."""
    page = app.env.docname
    labels = app.env.get_domain("std").data["labels"]
    for name, title in app.env.metadata[page].get("figure_names", {}).items():
        anchor = document.nameids.get(name)
        if anchor:
            labels[name] = (page, anchor, title)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(FigureCells)
    app.connect("doctree-read", name_figures, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
