"""A report as HTML: escaped, without a script, and readable on light and on dark ground.

What passed is a line, what did not is folded, and the fault to read first is open. Of two values that differ
the part that differs is marked.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from .wording import clean

if TYPE_CHECKING:
    from .report import Message, Report, Result

NOTHING = "Nothing was checked."
PASSED = ' class="right"'
# The two colours are told apart by everybody, and have 3:1 or more against white and near-black. Words never
# take them, and a mark, a hatch and an open border say the same.
STYLE = """<style>
.coursekit-report { --right: var(--blue, #0072b2); --wrong: var(--orange, #d55e00); max-width: 46rem;
  line-height: 1.5; }
.coursekit-report p { margin: .5em 0; }
.coursekit-report .points { margin: .2em 0 .4em; font-size: 1.1em; font-weight: 600; }
.coursekit-report .bar { display: flex; gap: 3px; height: .7em; margin: 0 0 .8em; }
.coursekit-report .bar span { border: 2px solid var(--wrong); border-radius: .3em;
  background: repeating-linear-gradient(135deg, transparent 0 4px, var(--wrong) 4px 5px); }
.coursekit-report .bar .right { border-color: var(--right); background: var(--right); }
.coursekit-report details, .coursekit-report .passed { margin: .35em 0; padding: .25em .8em;
  border-left: 4px solid var(--right); }
.coursekit-report details { border-left-color: var(--wrong); }
.coursekit-report summary { min-height: 1.6em; cursor: pointer; }
.coursekit-report details[open] summary { font-weight: 600; }
.coursekit-report pre, .coursekit-report dd { margin: .5em 0; padding: .5em .8em; border-radius: .3em;
  background: rgba(128, 128, 128, .12); color: inherit; font-family: var(--mono, monospace); font-size: .93em;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.coursekit-report dl { display: grid; grid-template-columns: max-content 1fr; gap: .3em .8em; margin: .5em 0;
  align-items: baseline; }
.coursekit-report dt, .coursekit-report dd { margin: 0; }
.coursekit-report mark { color: inherit; background: rgba(213, 94, 0, .25); border-radius: .2em; }
.coursekit-report .hint { padding: .4em .8em; border: 1px dashed currentcolor; border-radius: .4em; }
</style>"""


def report_html(report: Report) -> str:
    """A report, its points first."""
    first = report.first_fault
    rows = [_row(result, report.devices, result is first) for result in report.results]
    bar = _bar(report.results)
    if report.problem:
        rows, bar = [f"<p><strong>{escaped(report.problem)}</strong></p><p>{NOTHING}</p>"], ""
    about = f'<div class="coursekit-report" role="group" aria-label="{escaped(report.title)}">'
    return f'{about}{STYLE}<p class="points">{escaped(report.summary())}</p>{bar}{"".join(rows)}</div>'


def message_html(message: Message) -> str:
    """A message: what was asked, what came, what is wrong, what to think of next."""
    parts = [f"<pre>{escaped(message.call)}</pre>" if message.call else ""]
    if message.trace:
        parts.append(f"<pre>{escaped(message.trace)}</pre>")
    elif message.yours:
        yours, ours = _marked(message.yours, message.ours)
        parts.append(f"<dl><dt>yours</dt><dd>{yours}</dd><dt>ours</dt><dd>{ours}</dd></dl>")
    parts += [f"<p>{escaped(sentence)}</p>" for sentence in message.sentences]
    if message.printed:
        parts.append(f"<p>Your code printed:</p><pre>{escaped(message.printed)}</pre>")
    if message.hint:
        parts.append(f'<p class="hint"><strong>Hint:</strong> {escaped(message.hint)}</p>')
    parts.append(f"<p>{escaped(message.where)}</p>" if message.where else "")
    return "".join(parts)


def escaped(text: str) -> str:
    """A text in which nothing is HTML, nor a control character."""
    return html.escape(clean(text))


def _bar(results: Sequence[Result]) -> str:
    """A part for each check, as wide as its points; the words beside it say the same."""
    parts = [
        f'<span{PASSED if result.passed else ""} style="flex: {max(result.of, 1)}"></span>'
        for result in results
    ]
    return f'<div class="bar" aria-hidden="true">{"".join(parts)}</div>'


def _row(result: Result, devices: tuple[str, ...], is_open: bool) -> str:
    heading = escaped(result.heading(devices))
    if result.passed:
        return f'<div class="passed">{heading}</div>'
    opened = " open" if is_open else ""
    return f"<details{opened}><summary>{heading}</summary>{message_html(result.parts)}</details>"


def _marked(yours: str, ours: str) -> tuple[str, str]:
    """Two values as HTML, with a mark on what lies between their common beginning and end.

    >>> _marked("tensor([1, 2, 3])", "tensor([1, 5, 3])")
    ('tensor([1, <mark>2</mark>, 3])', 'tensor([1, <mark>5</mark>, 3])')
    >>> _marked("4.5", "5.0")
    ('4.5', '5.0')
    """
    both = [re.findall(r"[\w.]+|\W", clean(value)) for value in (yours, ours)]
    before = _alike(*both)
    after = _alike(*(tokens[before:][::-1] for tokens in both))
    if not before + after:
        return escaped(yours), escaped(ours)
    shown = []
    for tokens in both:
        end = len(tokens) - after
        middle = html.escape("".join(tokens[before:end]))
        mark = f"<mark>{middle}</mark>" if middle else ""
        shown.append(html.escape("".join(tokens[:before])) + mark + html.escape("".join(tokens[end:])))
    return shown[0], shown[1]


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """With how many equal parts two begin."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
