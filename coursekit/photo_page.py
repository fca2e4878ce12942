"""The page on which people drop a photo for a model to answer: one page, whoever computes the answer.

It shows photo, answer and probabilities. A script that it is given says how to answer: it defines
`answerTo(file)`, which gives the answer's names and pairs of a name and its probability.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent


def photo_page(title: str, note: str, scripts: Sequence[str], photos: Sequence[str] = ()) -> str:
    """Write the page.

    Args:
        title: What stands above it.
        note: Where the photos go, in a sentence.
        scripts: Code of scripts, or addresses of such, which end in `.js`; in this order.
        photos: Addresses of photos to try.

    >>> page = photo_page("Cat & dog", "Nothing leaves.", ["a.js", "let b;"], ["photos/1.png"])
    >>> "Cat &amp; dog" in page, page.count("<script"), "Photo 1" in page
    (True, 3, True)
    """
    elements = [
        f'<script src="{escape(one)}"></script>' if one.endswith(".js") else f"<script>\n{one}</script>"
        for one in scripts
    ]
    parts = {
        "title": escape(title),
        "note": escape(note),
        "photos": choices(photos),
        "scripts": "\n".join(elements),
    }
    text = (FOLDER / "photo_page.html").read_text(encoding="utf-8")
    # At once, so that a title such as "{note}" stays what it is.
    return re.sub(r"\{(title|note|photos|scripts)\}", lambda found: parts[found[1]], text)


def choices(photos: Sequence[str]) -> str:
    """Photos as buttons, each with its number; nothing where there are none.

    >>> choices([])
    ''
    """
    buttons = [
        f'<button type="button"><img src="{escape(photo)}" alt="Photo {number}" loading="lazy"></button>'
        for number, photo in enumerate(photos, 1)
    ]
    return f'<fieldset id="photos"><legend>or try</legend>{"".join(buttons)}</fieldset>\n' if photos else ""
