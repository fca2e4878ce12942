"""Code with a tag around each piece that the style sheet colours, and none around the others.

Names, dots and brackets are most pieces of a program and look like plain text; the tags around them were more
than half of a long lesson's elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pygments.formatters import HtmlFormatter
from pygments.token import STANDARD_TYPES, Token, _TokenType
from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

RULE = re.compile(r"^\.highlight :is\((.+?)\)", re.MULTILINE)


@cache
def coloured() -> frozenset[str]:
    """The kinds of pieces that `code.css` has a rule for, by Pygments' short names.

    >>> "k" in coloured(), "n" in coloured()
    (True, False)
    """
    text = (Path(__file__).parents[1] / "styles" / "code.css").read_text(encoding="utf-8")
    return frozenset(re.findall(r"\.(\w+)", " ".join(RULE.findall(text))))


class PlainCode(HtmlFormatter):  # type: ignore[type-arg]
    """Pygments' HTML, where what has no colour has no tag."""

    def format_unencoded(self, tokens: Iterable[tuple[_TokenType, str]], file: Any) -> None:
        super().format_unencoded(self.plain(tokens), file)

    def plain(self, tokens: Iterable[tuple[_TokenType, str]]) -> Iterator[tuple[_TokenType, str]]:
        for kind, text in tokens:
            yield kind if STANDARD_TYPES.get(kind) in coloured() else Token.Text, text


def setup(app: Sphinx) -> dict[str, bool]:
    PygmentsBridge.html_formatter = PlainCode
    return {"parallel_read_safe": True, "parallel_write_safe": True}
