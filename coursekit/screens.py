"""Screens: where training shows how far it is: a notebook, a terminal, or plain lines for logs and pages."""

from __future__ import annotations

import html
import sys
from collections.abc import Sequence
from typing import Any

from torch import nn

Row = dict[str, float]


class Screen:
    """What a screen is told; this one shows nothing."""

    def caption(self, text: str) -> None:
        """Say something about the fit that begins."""

    def begin(self, text: str, count: int | None) -> None:
        """Tell that a pass over `count` batches begins (None: nobody knows how many)."""

    def move(self, done: int) -> None:
        """Tell that so many of its batches are done."""

    def row(self, row: Row) -> None:
        """Tell the numbers of an epoch that is over."""

    def close(self) -> None:
        """Training is over: take down what moves."""


class PlainScreen(Screen):
    """Prints a row an epoch, for logs and for output that is kept.

    >>> screen = PlainScreen()
    >>> screen.row({"epoch": 1, "train loss": 0.6931, "accuracy": 0.5, "seconds": 2.04})
    epoch  train loss  accuracy  seconds
        1       0.693     0.500      2.0
    >>> screen.row({"epoch": 2, "train loss": 0.00042, "accuracy": 0.75, "seconds": 1.9})
        2     0.00042     0.750      1.9
    """

    def __init__(self) -> None:
        self.names: list[str] = []

    def caption(self, text: str) -> None:
        self.write(text)

    def row(self, row: Row) -> None:
        if not set(row) <= set(self.names):
            self.names = list(row)
            self.write("  ".join(self.names))
        self.write("  ".join(format_number(name, row).rjust(len(name)) for name in self.names))

    def write(self, text: str) -> None:
        """Write one line."""
        print(text, flush=True)


class TerminalScreen(PlainScreen):
    """Rows, and under them a bar by tqdm that is gone when training is."""

    bar: Any = None

    def begin(self, text: str, count: int | None) -> None:
        from tqdm import tqdm

        self.close()
        self.bar = tqdm(total=count, desc=text, leave=False, unit="batch")

    def move(self, done: int) -> None:
        self.bar.update(done - self.bar.n)

    def write(self, text: str) -> None:
        self.close()
        super().write(text)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        self.bar = None


class NotebookScreen(Screen):
    """A table and a bar in one output of the cell, drawn anew as training goes; at the end the table alone.

    No widgets are used: a saved notebook, or a page without a kernel, shows an HTML table and no empty boxes.
    """

    def __init__(self) -> None:
        self.text = self.doing = ""
        self.rows: list[Row] = []
        self.done = 0
        self.count: int | None = None
        self.handle: Any = None

    def caption(self, text: str) -> None:
        self.text = text

    def begin(self, text: str, count: int | None) -> None:
        self.doing, self.done, self.count = text, 0, count
        self.draw()

    def move(self, done: int) -> None:
        self.done = done
        self.draw()

    def row(self, row: Row) -> None:
        self.rows.append(row)
        self.draw()

    def close(self) -> None:
        self.doing = ""
        self.draw()

    def draw(self) -> None:
        """Show what there is now in the place of what there was."""
        from IPython.display import display

        if self.handle is None:
            self.handle = display(self, display_id=True)
        else:
            self.handle.update(self)

    def __repr__(self) -> str:
        lines: list[str] = [self.text] if self.text else []
        plain = PlainScreen()
        plain.write = lines.append  # type: ignore[assignment, method-assign]
        for row in self.rows:
            plain.row(row)
        return "\n".join([*lines, self.doing] if self.doing else lines)

    def _repr_html_(self) -> str:
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in names)
        rows = ["".join(f"<td>{format_number(name, row)}</td>" for name in names) for row in self.rows]
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        table = f'<table class="dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        text = f"<p>{html.escape(self.text)}</p>" if self.text else ""
        return text + (table if rows else "") + (self._bar() if self.doing else "")

    def _bar(self) -> str:
        """The line that moves, while there is something to wait for."""
        doing = html.escape(self.doing)
        total = f'max="{self.count}" value="{self.done}" ' if self.count else ""
        return f'<p>{doing} <progress {total}aria-label="{doing}"></progress> batch {self.done}</p>'


SCREENS: dict[str, type[Screen]] = {
    "notebook": NotebookScreen,
    "terminal": TerminalScreen,
    "plain": PlainScreen,
    "off": Screen,
}


def find_style() -> str:
    """The style that fits where this runs: a notebook, a terminal, or a file that someone reads later.

    >>> find_style() in SCREENS
    True
    """
    # Asking what is loaded already: outside notebooks IPython is neither needed nor imported.
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if getattr(shell, "kernel", None) is not None:
        return "notebook"
    return "terminal" if sys.stdout.isatty() and sys.stderr.isatty() else "plain"


def format_number(name: str, row: Row) -> str:
    """The number of that name as it stands in a table; nothing when the row has none.

    >>> [format_number("loss", {"loss": loss}) for loss in (0.25, 0.00001234, 12345.6)]
    ['0.250', '1.23e-05', '1.23e+04']
    >>> format_number("epoch", {"epoch": 3}), format_number("seconds", {"seconds": 3}), format_number("a", {})
    ('3', '3.0', '')
    """
    if name not in row:
        return ""
    value = row[name]
    if name == "seconds":
        return f"{value:.1f}"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.3f}" if value == 0 or 0.001 <= abs(value) < 1000 else f"{value:.3g}"


def describe_learning(groups: Sequence[Sequence[nn.Parameter]]) -> str:
    """How much of a model learns, in a sentence.

    >>> import torch
    >>> head, body = [nn.Parameter(torch.ones(2, 3))], [nn.Parameter(torch.ones(1000), requires_grad=False)]
    >>> describe_learning([body, head])
    '6 of 1,006 parameters learn.'
    """
    parameters = [parameter for group in groups for parameter in group]
    count = sum(parameter.numel() for parameter in parameters)
    learning = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    return f"{'All' if learning == count else f'{learning:,} of'} {count:,} parameters learn."
