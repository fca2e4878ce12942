"""What a submission can read of ours: never the body of anything that its exercise asks for."""

from __future__ import annotations

import ast
import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from coursekit.definitions import FLAGS, lines_of, read
from coursekit.grader.exercises import load, words
from coursekit.grader.starter import by_module, sources
from coursekit.originals import modules, source_of
from coursekit.sandbox import Sandbox, why_not
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


# Looks through all that a job can read: files, then what lies in memory once all of the library is imported.
# Words come backwards, and numbers for bytecode, so that it does not find what it looks for in itself.
WALK = """
import contextlib, gc, hashlib, importlib, os, pkgutil, sys, types

def files(words):
    texts = [word[::-1].encode() for word in words]
    read = 0
    for folder, folders, names in os.walk("/"):
        # That copies of ours in there are covered is tried elsewhere.
        folders[:] = [one for one in folders if one not in ("site-packages", "dist-packages")]
        for name in names:
            path = os.path.join(folder, name)
            if not name.endswith((".py", ".pyc", ".pyi", ".txt", ".json", ".toml")):
                continue
            try:
                content = open(path, "rb").read()
            except OSError:
                continue
            read += 1
            if any(text in content for text in texts):
                yield path
    if read < 50:
        yield f"only {read} files could be looked at"

def memory(words, codes):
    import coursekit
    for module in pkgutil.iter_modules(coursekit.__path__, "coursekit."):
        if not module.name.startswith("coursekit.sandbox"):
            # Some want what is asked for as soon as they are imported.
            with contextlib.suppress(NotImplementedError):
                importlib.import_module(module.name)
    gc.unfreeze()
    seen, waiting = set(), [*gc.get_objects(), *sys.modules.values()]
    looked = 0
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if type(thing) is types.CodeType:
            looked += 1
            if hashlib.sha256(thing.co_code).hexdigest() in codes:
                yield f"{thing.co_filename}, {thing.co_name}"
            waiting += thing.co_consts
        elif type(thing) is types.FunctionType:
            waiting.append(thing.__code__)
        elif type(thing) is str:
            if len(thing) > 30 and any(word[::-1] in thing for word in words):
                yield thing[:300]
        elif type(thing) in (dict, list, tuple, set, frozenset):
            waiting += gc.get_referents(thing)
    if looked < 1000:
        yield f"only {looked} functions could be looked at"

def walk(kit, case):
    words, codes = case.choice("words", []), set(case.choice("codes", []))
    yield "files", list(files(words))
    yield "memory", list(memory(words, codes))
"""


@pytest.mark.soak
@pytest.mark.parametrize("word", words())
def test_nothing_that_is_asked_for_is_anywhere_in_a_running_sandbox(word: str, tmp_path: Path) -> None:
    """Neither as text nor as bytecode, in any file or anywhere in memory."""
    if reasons := why_not():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(" ".join(reasons))
    with Sandbox(masked_library(word, tmp_path / word)) as place, place.start() as job:
        kit = {"do": "kit", "name": "coursekit", "folder": None, "files": None, "only": None, "asked": []}
        list(job.ask(kit | {"home": None}, [], 60))
        draws = {"dict": [["words", telling_lines(word)], ["codes", bytecode(word)]]}
        asked = {"do": "run", "source": WALK, "name": "walk", "seed": 1, "draws": draws, "device": "cpu"}
        answers = [message for message, _ in job.ask(asked | {"replay_only": False}, [], 300)]

    assert [answer["is"] for answer in answers] == ["yield", "yield", "done"], answers
    assert [answer["value"] for answer in answers[:2]] == [[], []]


def not_asked(word: str) -> Iterator[str]:
    """The text of each of our modules, without what an exercise asks for."""
    asked = by_module(load(word))
    for module in modules():
        text = source_of(module)[1]
        lines = lines_of(text)
        for statement in reversed(read(text)):
            if asked.get(module, {}).keys() & set(statement.names):
                del lines[statement.first - 1 : statement.last]
        yield "\n".join(lines)


def telling_lines(word: str) -> list[str]:
    """The longest line of each long body that is asked for, of those that no neighbour has; backwards."""
    found, others = [], "\n".join(not_asked(word))
    for module, parts in by_module(load(word)).items():
        for text in sources(module, list(parts)):
            for node in (one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.FunctionDef)):
                body = node.body[ast.get_docstring(node, clean=False) is not None :]
                lines = text.splitlines()[body[0].lineno - 1 : body[-1].end_lineno] if body else []
                own = [
                    line.strip() for line in lines if len(line.strip()) > 30 and line.strip() not in others
                ]
                found += [line[::-1] for line in sorted(own, key=len)[-1:]]
    assert found, "nothing is looked for"
    return found


def bytecode(word: str) -> list[str]:
    """The number of the bytecode of each long function that is asked for, of those that no neighbour has."""
    texts = [text for module, parts in by_module(load(word)).items() for text in sources(module, list(parts))]
    found = numbers(texts) - numbers(not_asked(word))
    assert found, "nothing is looked for"
    return sorted(found)


def numbers(texts: Iterable[str]) -> set[str]:
    """A number for the bytecode of each long function in some texts."""
    waiting = [compile(text, "asked", "exec", flags=FLAGS, dont_inherit=True) for text in texts]
    found = set()
    while waiting:
        code = waiting.pop()
        waiting += [constant for constant in code.co_consts if hasattr(constant, "co_code")]
        if code.co_name.isidentifier() and len(code.co_code) > 100 and code.co_flags & 2:
            found.add(hashlib.sha256(code.co_code).hexdigest())
    return found
