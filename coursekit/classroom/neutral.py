"""Texts of learners where they could do harm: a spreadsheet, a terminal, a page, the name of a file.

A name or a message is written by whoever hands something in. Wherever it goes it is to be read there, and
nothing else: no formula, no colour, no tag, no folder.

>>> cell("=HYPERLINK(A1)"), line("Ana\\u202e\\x1b[2J"), tag("<b>")
("'=HYPERLINK(A1)", 'Ana\\\\u202e\\\\x1b[2J', '&lt;b&gt;')
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata

from ..grader.wording import clean

# What a spreadsheet takes for the beginning of a formula, also as the wide forms that some make plain again.
# It may follow a separator, as not every spreadsheet divides a line at the same one, and stand behind quotes.
_FORMULA = re.compile(r"""((?:^|[,;|\t])[\s"']*?)(?=[=+\-@|%\uff1d\uff0b\uff0d\uff20])""")
_LONGEST = 200


def line(text: str, most: int = _LONGEST) -> str:
    """One line for a terminal or a table: what is not to be seen is shown, and line ends become spaces.

    Marks that turn the direction of a line and those that stack up on one letter are shown as their numbers.
    """
    shown = clean(" ".join(text.split()), most)
    return "".join(_number(one) if _stacks(shown, at) else one for at, one in enumerate(shown))


def _stacks(text: str, at: int) -> bool:
    """Whether a mark is the third or later on the same letter: no language needs so many."""
    return at > 2 and all(unicodedata.combining(one) for one in text[at - 2 : at + 1])


def _number(one: str) -> str:
    return ascii(one)[1:-1]


def cell(text: str, most: int = _LONGEST) -> str:
    """A cell of a spreadsheet that is text: an apostrophe stands before whatever would begin a formula.

    >>> cell("Ana"), cell("-1"), cell("x;=1+1"), cell("ana@uni.example")
    ('Ana', "'-1", "x;'=1+1", 'ana@uni.example')
    """
    return _FORMULA.sub(r"\1'", line(text, most))


def tag(text: str, most: int = 4000) -> str:
    """Text for a page or for an attribute in one; line ends stay.

    >>> tag('"><script>')
    '&quot;&gt;&lt;script&gt;'
    """
    return html.escape(clean(text, most))


def file_name(text: str) -> str:
    """A name for a file that says whose it is: letters, digits and dashes, and no two learners share one.

    >>> file_name("Ana Bo")
    'Ana-Bo-4c49d40d'
    >>> file_name("../../etc") == file_name("..-..-etc")
    False
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "learner"
    return f"{readable}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
