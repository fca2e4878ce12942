"""Screens: what stays after training is a table, in a terminal, a log and a notebook alike."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from coursekit.screens import (
    NotebookScreen,
    PlainScreen,
    TerminalScreen,
    find_style,
    format_number,
)

ROWS = [
    {"epoch": 1, "train loss": 0.69, "valid loss": 0.7, "recall of <b>": 0.5, "seconds": 12.34},
    {"epoch": 2, "train loss": 0.5, "recall of <b>": float("nan"), "seconds": 1.0},
]


class Terminal(io.StringIO):
    """A terminal as far as anyone asks."""

    def isatty(self):
        return True


def play(screen) -> None:
    """An ordinary fit of two epochs."""
    screen.caption("Only the head learns.")
    for row in ROWS:
        screen.begin(f"epoch {row['epoch']} of 2, training", 20)
        screen.move(7)
        screen.move(20)
        screen.row(row)
    screen.close()


def test_a_log_has_a_line_an_epoch_and_no_control_characters(capsys):
    play(PlainScreen())
    said = capsys.readouterr()

    assert said.out.splitlines() == [
        "Only the head learns.",
        "epoch  train loss  valid loss  recall of <b>  seconds",
        "    1       0.690       0.700          0.500     12.3",
        "    2       0.500                        nan      1.0",
    ]
    assert said.err == ""


def test_new_numbers_get_a_new_head(capsys):
    screen = PlainScreen()
    screen.row({"epoch": 1})
    screen.row({"epoch": 2, "mine": "word"})

    assert capsys.readouterr().out.splitlines() == ["epoch", "    1", "epoch  mine", "    2  word"]


def test_a_terminal_has_a_bar_that_goes_away(capsys, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    play(TerminalScreen())
    said = terminal.getvalue()

    assert "epoch 1 of 2, training" in said
    assert said.count("\n") == 0, "a bar that stays would be followed by a new line"
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_a_notebook_has_one_output_that_ends_as_a_table(monkeypatch):
    shown = []

    class Handle:
        def update(self, screen):
            shown.append(screen._repr_html_())

    def display(screen, display_id):
        assert display_id
        shown.append(screen._repr_html_())
        return Handle()

    pytest.importorskip("IPython")
    monkeypatch.setattr("IPython.display.display", display)
    screen = NotebookScreen()
    play(screen)

    assert '<progress max="20" value="7" aria-label="epoch 1 of 2, training"></progress> batch 7' in shown[1]
    assert "<progress" not in shown[-1]
    assert shown[-1].count("<table") == 1
    assert '<th scope="col">recall of &lt;b&gt;</th>' in shown[-1]
    assert shown[-1].count("<tr>") == 3
    assert repr(screen).splitlines()[0] == "Only the head learns."
    assert len(repr(screen).splitlines()) == 4


def test_an_executed_notebook_keeps_the_table_alone(tmp_path):
    """In a real kernel: one output, no widget, no bar."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    code = (
        "from coursekit.screens import SCREENS, find_style\n"
        "print(find_style())\n"
        "screen = SCREENS[find_style()]()\n"
        "screen.begin('epoch 1 of 1, training', 3)\n"
        "screen.move(2)\n"
        "screen.row({'epoch': 1, 'train loss': 0.5})\n"
        "screen.close()\n"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    printed, table = notebook.cells[0].outputs

    assert printed.text == "notebook\n"
    assert set(table.data) == {"text/plain", "text/html"}
    assert table.data["text/plain"] == "epoch  train loss\n    1       0.500"
    assert "<progress" not in table.data["text/html"]


def test_the_style_follows_the_place(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))

    assert find_style() == "plain"

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())

    assert find_style() == "terminal"

    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))

    assert find_style() == "notebook"


@pytest.mark.parametrize(
    ("number", "shown"), [(0.0, "0.000"), (0.5, "0.500"), (123.4, "123.400"), (4e-7, "4e-07"), (1e9, "1e+09")]
)
def test_numbers_are_readable_at_any_size(number, shown):
    assert format_number("loss", {"loss": number}) == shown
