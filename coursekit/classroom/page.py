"""The frame of the pages that people read of a grade book: one file each, which asks nobody for anything.

What a page shows was written by learners. It is escaped where it is put in; and if that should ever fail, the
policy in its head lets no script run and nothing be fetched. The colours are the book's, by day and by night,
and whatever a colour says is said in words beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from .neutral import tag

PAGE = Path(__file__).with_suffix(".html")


def page(title: str, parts: Sequence[str]) -> str:
    """A whole page.

    Args:
        title: Plain text, for the tab.
        parts: HTML, one below the other.

    >>> page("<Ana>", ["<h1>Ana</h1>"]).count("<Ana>")
    0
    """
    before, after = _frame()
    return before.replace("{title}", tag(title, 200)) + "\n".join(part for part in parts if part) + after


@cache
def _frame() -> tuple[str, str]:
    """What stands above the parts of every page, and what below."""
    before, _, after = PAGE.read_text(encoding="utf-8").partition("{parts}")
    return before, after


def bar(shares: Sequence[tuple[str, float]], said: str) -> str:
    """A bar of shares, one after the other, that is as wide as there is room.

    Args:
        shares: The sort of each part ("right", "wrong", "stopped", "unwritten", "many"), and its share, 0..1.
        said: What is to be seen, in words.

    >>> bar([("right", 0.25), ("wrong", 0.5)], "1 right").count("<rect")
    2
    """
    drawn, at = [], 0.0
    for sort, share in shares:
        if share > 0:
            drawn.append(f'<rect class="{sort}" x="{1000 * at:.1f}" width="{1000 * share:.1f}" height="10"/>')
        at += share
    box = f'viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{tag(said)}"'
    return f'<svg class="bar" {box}>{"".join(drawn)}</svg>'


def legend(names: Sequence[tuple[str, str]]) -> str:
    """What each colour of the bars says: pairs of sort and words."""
    swatch = '<svg viewBox="0 0 10 10" aria-hidden="true"><rect class="{}" width="10" height="10"/></svg>'
    items = "".join(f"<li>{swatch.format(sort)}{tag(words)}</li>" for sort, words in names)
    return f'<ul class="legend">{items}</ul>'


def columns(counts: Sequence[tuple[str, int]], thing: str) -> str:
    """A histogram: a column for each label, as high as its count.

    Args:
        counts: What stands below each column, and how many there are.
        thing: What is counted, such as "learners".

    >>> columns([("0", 2), ("1", 0)], "learners").count('aria-label="0: 2 learners"')
    1
    """
    most = max([count for _, count in counts], default=0) or 1
    return (
        f'<ol class="columns">{"".join(_column(label, count, most, thing) for label, count in counts)}</ol>'
    )


def _column(label: str, count: int, most: int, thing: str) -> str:
    high = 100 * count / most
    return (
        f'<li><span aria-hidden="true">{count or ""}</span>'
        f'<svg viewBox="0 0 10 100" preserveAspectRatio="none" role="img" '
        f'aria-label="{tag(f"{label}: {count} {thing}")}">'
        f'<rect class="many" y="{100 - high:.1f}" width="10" height="{high:.1f}"/></svg>'
        f'<span aria-hidden="true">{tag(label)}</span></li>'
    )
