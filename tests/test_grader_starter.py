"""A starter keeps what a definition promises and nothing of how it keeps it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from textwrap import dedent

import pytest

from coursekit.definitions import is_written, read
from coursekit.grader import starter as module
from coursekit.grader.exercises import words
from coursekit.grader.starter import solution, sources, starter, with_marks, without_body


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("def f(x): return x", 'def f(x):\n    raise NotImplementedError("f is yours to write: it")'),
        (
            """
            @decorated(1)
            async def f(
                x: int,  # the first
                y: str = "ä",
            ) -> list[int]:
                # First this,
                # then that.
                return [x]
            """,
            """
            @decorated(1)
            async def f(
                x: int,  # the first
                y: str = "ä",
            ) -> list[int]:
                raise NotImplementedError("f is yours to write: it")
            """,
        ),
        (
            '''
            class f:
                """What it is."""

                size: int = 3

                def __init__(self, x):
                    self.x = x

                @property
                def half(self):
                    """Half of it."""
                    # how
                    return self.x / 2
            ''',
            '''
            class f:
                """What it is."""

                size: int = 3

                def __init__(self, x):
                    raise NotImplementedError("f.__init__ is yours to write")

                @property
                def half(self):
                    """Half of it."""
                    raise NotImplementedError("f.half is yours to write")
            ''',
        ),
    ],
)
def test_only_the_bodies_go(text: str, wanted: str) -> None:
    assert without_body(dedent(text).strip(), {"f": "it"}) == dedent(wanted).strip()


def test_the_imports_that_signature_body_and_examples_use_come_along() -> None:
    files = starter("first_model")

    assert "import torch\n" in files["metrics"]
    assert "from torch import Tensor" in files["metrics"]
    assert "Mapping" not in files["metrics"]
    assert "import random\n" in files["splits"]
    for text in files.values():
        ast.parse(text)


def test_a_type_that_the_library_named_is_written_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its name is not in the learner's file."""
    text = "Pair = tuple[int, int]\nSIZE = 3 * 4\n"
    text += "def f(ä: Pair, *, b: list[Pair] = SIZE) -> Pair: return ä\n"
    (tmp_path / "some.py").write_text(text, encoding="utf-8")

    assert ") -> tuple[list[int], list[int]]:\n" in starter("first_model")["splits"]
    monkeypatch.setattr(module, "_LIBRARY", tmp_path)
    assert sources("some", ["f"]) == [
        "def f(ä: tuple[int, int], *, b: list[tuple[int, int]] = SIZE) -> tuple[int, int]: return ä"
    ]


def test_a_definition_that_the_library_lacks_is_named() -> None:
    with pytest.raises(LookupError, match=r"no definition metrics\.acuracy; an exercise asks for it"):
        sources("metrics", ["acuracy"])
    with pytest.raises(LookupError, match=r"no module metricks; an exercise asks for it"):
        sources("metricks", ["accuracy"])


def test_every_method_of_a_name_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = "def turn(x: int): return 1\n\n\n@turn.method\ndef turn(x: str): return 2\n"
    (tmp_path / "some.py").write_text(text)
    monkeypatch.setattr(module, "_LIBRARY", tmp_path)
    (found,) = sources("some", ["turn"])

    assert found.count("def turn") == 2
    assert without_body(found, {}).count("NotImplementedError") == 2


def test_a_solution_takes_other_definitions() -> None:
    files = solution("first_model", {"metrics.accuracy": "def accuracy(predictions, targets):\n    return 7"})

    assert "return 7" in files["metrics"]
    assert "def error_rate" in files["metrics"]
    assert "def group_split" in files["splits"]


@pytest.mark.parametrize("word", words())
def test_what_stands_between_the_marks_is_the_answer_and_all_of_it(word: str) -> None:
    for text in solution(word).values():
        marked = with_marks(text, "# begin", "# end")
        cut = re.sub(r"( *)# begin\n(.*\n)*?\1# end", r"\1raise NotImplementedError()", marked)

        assert ast.dump(ast.parse(marked)) == ast.dump(ast.parse(text))
        assert not [s.names for s in read(cut) if not s.is_import and is_written(s.node)]
