"""Tables get a frame to scroll in; those that pandas writes also lose their border and empty headers."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

# pandas gives the name of the index a header row of its own, empty but for that name.
INDEX_NAME = re.compile(
    r"(<thead>\s*<tr[^>]*>\s*)<th></th>(.*?</tr>)\s*<tr>\s*<th>([^<]+)</th>(?:\s*<th></th>)*\s*</tr>",
    re.DOTALL,
)
STYLE = re.compile(r"<style scoped>.*?</style>", re.DOTALL)


def tidy(table: str) -> str:
    """A pandas table as plain HTML that a screen reader can follow.

    >>> tidy('<table border="1" class="dataframe"><tr style="text-align: right;"><th></th></tr></table>')
    '<table class="dataframe"><tr><td></td></tr></table>'
    """
    table = INDEX_NAME.sub(r"\1<th>\3</th>\2", table)
    table = STYLE.sub("", table).replace(' border="1"', "").replace(' style="text-align: right;"', "")
    return re.sub(r"<th>\s*</th>", "<td></td>", table)


class TidyTables(SphinxPostTransform):
    """Frame each table, and rewrite those that came out of a cell."""

    default_priority = 210
    formats = ("html",)

    def run(self, **_: Any) -> None:
        for table in list(self.document.findall(nodes.table)):
            frame = nodes.container(classes=["table-frame"])
            table.parent.replace(table, frame)  # not replace_self, which would give both the same id
            frame += table
        for raw in list(self.document.findall(nodes.raw)):
            if "<table" in (text := raw.astext()):
                raw.replace_self(nodes.raw("", f'<div class="table-frame">{tidy(text)}</div>', format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_post_transform(TidyTables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
