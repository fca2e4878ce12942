"""Formulas become MathML while the book is built, so a page needs no script, font or network to show them."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

# latex2mathml passes what it does not know through as text that still begins with a backslash.
UNKNOWN = re.compile(r">\s*\\([A-Za-z]+)")


def mathml(latex: str, block: bool = False) -> str:
    """Turn LaTeX into MathML; a command that the converter does not know raises `ValueError` with its name.

    >>> mathml("x^2")[:5]
    '<math'
    >>> mathml(r"\\nonsense{x}")
    Traceback (most recent call last):
        ...
    ValueError: \\nonsense is not a command that can be turned into MathML
    """
    if block and r"\\" in latex and r"\begin" not in latex:
        latex = rf"\begin{{aligned}}{latex}\end{{aligned}}"
    try:
        result = convert(latex, display="block" if block else "inline")
    except Exception as error:  # the converter raises a class of its own for each kind of slip
        raise ValueError(f"{latex!r} cannot be turned into MathML: {type(error).__name__} {error}") from error
    if unknown := UNKNOWN.search(result):
        raise ValueError(f"\\{unknown[1]} is not a command that can be turned into MathML")
    return result


def _write(translator: Any, node: nodes.Element, block: bool) -> None:
    try:
        formula = mathml(node.astext(), block)
    except ValueError as error:
        logger.warning(str(error), location=node)
        formula = f"<code>{translator.encode(node.astext())}</code>"
    if block:
        anchor = f' id="{node["ids"][0]}"' if node["ids"] else ""
        formula = f'<div class="formula"{anchor}>{formula}</div>\n'
    translator.body.append(formula)
    raise nodes.SkipNode


def write_inline(translator: Any, node: nodes.math) -> None:
    _write(translator, node, block=False)


def write_block(translator: Any, node: nodes.math_block) -> None:
    _write(translator, node, block=True)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (write_inline, None), (write_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
