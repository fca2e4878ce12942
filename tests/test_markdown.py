"""Lessons' Markdown as any notebook shows it."""

from __future__ import annotations

import pytest

from coursekit.markdown import UnknownSyntax, definition, plain_markdown


@pytest.mark.parametrize(
    ("lesson", "notebook"),
    [
        ("{term}`label`", "label"),
        ("{term}`labels <label>`", "labels"),
        ("{kit}`Learner.fit`", "`kit.Learner.fit`"),
        ("{math}`x^2` and $y$", "$x^2$ and $y$"),
        ("{cite:t}`Deitsch2019` {cite:p}`Tan2019`", "Deitsch, 2019 (Tan, 2019)"),
        ("{ref}`the table <worst>`", "the table"),
        ("{ref}`worst`", "figure 2"),
        ("{doc}`the set-up page </book/setup>`", "the set-up page"),
        ("a role looks like ``{term}`x` ``", "a role looks like ``{term}`x` ``"),
        ("[next](production.md)", "[next](production.ipynb)"),
        ("[next](production.md#shipping)", "[next](production.ipynb)"),
        ("[set up](../book/setup.md)", "set up"),
        ("[away](https://example.org/a.md)", "[away](https://example.org/a.md)"),
        ("![A cell.](../book/assets/a.svg)", "*Picture in the book: A cell.*"),
        ("Why [^one].\n\n[^one]: Because.", "Why <sup>one</sup>.\n\n<sup>one</sup> Because."),
        ("(worst)=\n## Worst\n\n% not shown\ntext", "## Worst\n\ntext"),
        ("```python\n{term}`x`\n```", "```python\n{term}`x`\n```"),
        (":::{note}\nMind *this*.\n:::", "> **Note**\n>\n> Mind *this*."),
        (":::{admonition} Own words\nMind.\n:::", "> **Own words**\n>\n> Mind."),
        ("```{math}\nx^2\n```", "$$\nx^2\n$$"),
        ("```{csv-table} Sums\n\na,b\n1,2\n```", "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n*Sums*"),
        ("```{csv-table} Sums\n:file: nowhere.csv\n```", "*Sums (a table in the book's page)*"),
    ],
)  # fmt: skip
def test_what_a_lesson_says_becomes_plain(lesson: str, notebook: str) -> None:
    assert plain_markdown(lesson, {"worst": "figure 2"}) == notebook


def test_what_stands_in_a_note_is_converted_too() -> None:
    lesson = "::::{note}\n:::{folded} More\nInside.\n:::\n::::"

    assert plain_markdown(lesson).splitlines() == [
        "> **Note**", ">", "> <details><summary>More</summary>", ">", "> Inside.", ">", "> </details>",
    ]  # fmt: skip


def test_the_library_is_shown_from_its_file() -> None:
    shown = plain_markdown(":::{source} splits.group_split\n:::")

    assert shown.startswith("From `coursekit/splits.py`:\n\n```python\ndef group_split(")
    assert shown.endswith("\n```")


def test_a_method_is_shown_without_its_indentation() -> None:
    code, path = definition("markdown.UnknownSyntax.__init__")

    assert (code.splitlines()[0], path.name) == (
        "def __init__(self, message: str, line: str) -> None:",
        "markdown.py",
    )


def test_a_constant_is_shown_too() -> None:
    code, _ = definition("typed.KEEPS")

    assert code.startswith("KEEPS: dict[str, str] = {\n    # ")
    assert code.endswith("}")


@pytest.mark.parametrize(
    ("lesson", "words"),
    [
        (":::{tab-set}\nx\n:::", "the directive {tab-set} cannot be shown in a notebook"),
        ("{eval}`x`", "{eval}`x` has no words that a notebook can show"),
        ("{ref}`elsewhere`", "{ref}`elsewhere` has no words that a notebook can show"),
        (":::{note}\nnever closed", "`:::{note}` is opened and never closed"),
    ],
)
def test_what_a_notebook_cannot_show_is_named(lesson: str, words: str) -> None:
    with pytest.raises(UnknownSyntax) as caught:
        plain_markdown(lesson)

    assert str(caught.value) == words
    assert caught.value.line == lesson.splitlines()[0]


@pytest.mark.parametrize(
    "name", ["nowhere.x", "splits", "splits.nothing", "splits.group_split.inner", "markdown.ast"]
)
def test_a_definition_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(LookupError, match="definition"):
        definition(name)
