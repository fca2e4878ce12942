"""The page of data sets, made from their table: what each holds, whose it is, how it is loaded, and a sample.

    ```{datasets}
    ```

A sample is made where the set is on this machine already; building the page fetches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from figure_cells import data_line
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import coursekit
from coursekit import sources
from coursekit.sources import Source, location, table

# The module that loads a set says what kind of set it is.
GROUPS = {
    "photo_sets": "Photos",
    "array_sets": "Small pictures, bands and sounds, in arrays",
    "scan_sets": "Scans",
    "table_sets": "Tables and texts",
    "backbones": "Networks that have learned already",
}
PLACES = {
    "package": "inside the package `{0.package}`",
    "edition": "a course edition, of the project's data release",
    "by hand": "had by `{0.command}`",
}


def group(source: Source) -> str:
    """The module of the function that loads a set."""
    function = source.load.removeprefix("kit.").partition("(")[0]
    return str(getattr(coursekit, function).__module__).rpartition(".")[2]


def facts(source: Source, lessons: list[str]) -> Iterator[str]:
    """What the table says of a set, as a Markdown list."""
    place = PLACES[source.kind].format(source)
    many = f"There are {source.items:,}: " if source.items > 1 else ""
    yield f"- **One item:** {source.item}. {many}{source.size}, {place}."
    yield f"- **Whose:** {source.attribution}, {{cite:p}}`{source.citation}`; from <{source.origin}>."
    yield f"- **Licence:** [{source.licence}]({source.licence_url})."
    if lessons:
        yield f"- **Used in:** {', '.join(f'{{doc}}`/lessons/{word}`' for word in lessons)}."


def missing(source: Source) -> str:
    """Why there is no sample of a set."""
    remedy = {
        "package": f"its package is not installed (`pip install {source.package}`)",
        "edition": "`COURSEKIT_DATA` names no folder that holds it",
        "by hand": f"nobody has got it there (`{source.command}`)",
    }
    return f"No sample: where this page was made, {remedy[source.kind]}."


class Datasets(SphinxDirective):
    """All data sets of the table, a section for each kind."""

    def run(self) -> list[nodes.Node]:
        for module in (sources, *(getattr(coursekit, name) for name in GROUPS)):
            self.env.note_dependency(str(module.__file__))
        self.env.note_dependency(str(Path(str(sources.__file__)).with_suffix(".toml")))
        groups: dict[str, list[Source]] = {name: [] for name in GROUPS}
        for source in table().values():
            groups[group(source)].append(source)
        return [self.section(f"data-{name}", GROUPS[name], found) for name, found in groups.items() if found]

    def section(self, name: str, title: str, found: list[Source]) -> nodes.section:
        section = nodes.section("", nodes.title("", title), ids=[name.replace("_", "-")])
        section += [self.entry(source) for source in found]
        return section

    def entry(self, source: Source) -> nodes.section:
        entry = nodes.section("", nodes.title("", source.title))
        entry["ids"] = [f"data-set-{source.name.replace('_', '-')}"]
        entry += self.look(source)
        entry += nodes.literal_block(source.load, source.load, language="python")
        lessons = [word for word in source.lessons if f"lessons/{word}" in self.env.found_docs]
        self.state.nested_parse(list(facts(source, lessons)), self.content_offset, entry)
        return entry

    def look(self, source: Source) -> list[nodes.Node]:
        """A sample: a picture with the data's licence under it, some rows, some lines, or why not."""
        from data_samples import sample  # which loads torch, that a build without this page does not need

        if location(source.name) is None:
            note = nodes.container(classes=["not-executed"])
            self.state.nested_parse([missing(source)], self.content_offset, note)
            return [note]
        seen = sample(source, eval(source.load, {"kit": coursekit}))  # Our own table, not a stranger's.
        if isinstance(seen, str):
            return [nodes.literal_block(seen, seen, language="text")]
        if hasattr(seen, "to_html"):
            return [nodes.raw("", seen.to_html(max_cols=8, border=0), format="html")]
        return [self.figure(source, seen)] if seen is not None else []

    def figure(self, source: Source, seen: Any) -> nodes.figure:
        from data_samples import drawn

        file = Path(self.env.srcdir) / "_build" / "samples" / f"{source.name}.webp"
        alt = drawn(seen, file)
        image = nodes.image(uri=f"/_build/samples/{file.name}", alt=alt)
        return nodes.figure("", image, nodes.caption("", "", data_line(source.name)))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("datasets", Datasets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
