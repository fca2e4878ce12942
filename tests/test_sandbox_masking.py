"""What a submission can read of ours: never the body of anything that its exercise asks for."""

from __future__ import annotations

import ast
import stat
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from coursekit.grader.exercises import load, words
from coursekit.grader.starter import by_module, sources
from coursekit.sandbox.masking import masked_library

# A body of so few characters may stand anywhere: `return self.items`.
TELLING = 60


@pytest.fixture(scope="module", params=words())
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """An exercise, and the library made up for it."""
    return request.param, masked_library(request.param, tmp_path_factory.mktemp("library"))


@cache
def flat(text: str) -> str:
    """A text without its comments and the way it is laid out."""
    return " ".join(ast.unparse(ast.parse(text)).split())


def bodies(tree: ast.AST) -> Iterator[str]:
    """What each function in a text does, without its docstring, its comments and the way it is laid out."""
    for node in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)):
        body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        yield "\n".join(map(ast.unparse, body))


def asked_bodies(word: str) -> dict[str, str]:
    """The bodies of everything that an exercise asks for."""
    found = {}
    for module, parts in by_module(load(word)).items():
        for name, text in zip(parts, sources(module, list(parts)), strict=True):
            for number, body in enumerate(bodies(ast.parse(text))):
                found[f"{module}.{name} {number}"] = body
    return found


def test_no_body_that_is_asked_for_can_be_read(library: tuple[str, Path]) -> None:
    word, folder = library
    texts = {path: flat(path.read_text()) for path in folder.rglob("*.py")}
    asked = {name: body for name, body in asked_bodies(word).items() if len(body) >= TELLING}

    assert asked, "nothing is looked for"
    for name, body in asked.items():
        for path, text in texts.items():
            assert " ".join(body.split()) not in text, f"{name} can be read in {path.relative_to(folder)}"


def test_no_definition_that_is_asked_for_has_a_body(library: tuple[str, Path]) -> None:
    """Short ones too: in its own place each says that it is not there."""
    word, folder = library
    for module, parts in by_module(load(word)).items():
        tree = ast.parse(folder.joinpath("coursekit", *module.split(".")).with_suffix(".py").read_text())
        found = [node for node in tree.body if getattr(node, "name", "") in parts]

        assert {node.name for node in found if hasattr(node, "name")} == set(parts)
        for node in found:
            for body in bodies(node):
                assert body.startswith("raise NotImplementedError("), f"{module}: {body}"


def test_what_judges_and_what_belongs_to_the_course_is_not_there(library: tuple[str, Path]) -> None:
    _, folder = library
    there = {
        path.relative_to(folder / "coursekit").as_posix() for path in folder.rglob("*") if path.is_file()
    }
    text = "".join(path.read_text() for path in folder.rglob("*.py"))

    assert {path for path in there if path.startswith("grader/") and path.endswith(".py")} == {
        f"grader/{name}.py" for name in ("__init__", "case", "encoding", "frames", "runner", "warm")
    }
    assert not [path for path in there if path.startswith(("_exercises", "classroom", "cli", "lessons"))]
    assert not [path for path in there if path.endswith((".pyc", ".so"))]
    assert "def masked_library" not in text
    assert "judge_function" not in text


def test_everybody_may_read_it_and_nobody_else_may_write(library: tuple[str, Path]) -> None:
    _, folder = library
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}

    assert modes == {0o755, 0o644}


def test_every_other_module_is_ours_to_the_letter(library: tuple[str, Path]) -> None:
    import coursekit

    word, folder = library
    ours, asked = Path(coursekit.__file__).parent, by_module(load(word))
    for path in (folder / "coursekit").rglob("*"):
        place = path.relative_to(folder / "coursekit")
        module = ".".join(place.with_suffix("").parts)
        if path.is_file() and path.name not in ("__init__.py", "wanted.json") and module not in asked:
            assert path.read_bytes() == (ours / place).read_bytes()


def test_it_can_be_imported_and_says_what_is_missing(tmp_path: Path) -> None:
    """All public names are there; only what is asked for does not work."""
    folder = masked_library("first_model", tmp_path / "made" / "here")
    asked = (
        "import coursekit as kit\n"
        "print(kit.__file__, kit.fold_split([3, 4], 2, 0))\n"
        "for name in dir(kit): getattr(kit, name)\n"
        "try: kit.group_split(['a'], 0.5, 1)\n"
        "except NotImplementedError as error: print(error)\n"
    )
    command = [sys.executable, "-P", "-B", "-c", asked]
    environment = {"PYTHONPATH": str(folder), "PATH": "", "MPLBACKEND": "Agg"}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    assert answer.stdout.startswith(f"{folder}/coursekit/__init__.py ([1], [0])"), answer
    assert "group_split is yours to write: hold out whole groups" in answer.stdout
