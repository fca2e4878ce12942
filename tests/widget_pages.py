"""Pages that hold nothing but widgets, as files, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from browsing import WINDOWS, violations, visit
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

HEAD = (
    "<!doctype html><html lang='en'><meta charset='utf-8'><title>Widgets</title>"
    "<meta name='viewport' content='width=device-width'>"
    "<style>:root { color-scheme: light dark } body { color: canvastext; background: canvas }</style>"
)


@contextmanager
def page_with(
    browser: Browser, folder: Path, *made: Any, window: str = "light", **more: Any
) -> Iterator[Tab]:
    """A tab with a page of these widgets, opened from a file; afterwards it must not have complained."""
    html = "".join(one._repr_html_() for one in made)
    (folder / "page.html").write_text(f"{HEAD}<main><h1>Widgets</h1>{html}</main></html>", encoding="utf-8")
    seen = visit(browser, "file://", **WINDOWS[window], **more)
    seen.tab.goto((folder / "page.html").as_uri())
    yield seen.tab
    assert [said for said in seen.complaints if "willReadFrequently" not in said] == []  # tests read often
    seen.tab.context.close()


def demand_access(tab: Tab) -> None:
    """Nothing is to be scrolled to sideways, and axe finds nothing wrong."""
    assert not tab.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert violations(tab) == []
