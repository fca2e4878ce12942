"""One word, every shelf: what belongs together has one name, and nothing lies about without a place."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent

TOP_LEVEL = {
    ".ci", ".github", ".gitignore", ".pre-commit-config.yaml", "CITATION.cff", "CONTRIBUTING.md", "LICENSE",
    "Makefile", "README.md", "_config.yml", "_toc.yml", "benchmarks", "book", "coursekit", "exercises",
    "lessons", "pyproject.toml", "requirements", "tests",
}  # fmt: skip

# Tests of the whole, which belong to no module.
TESTS_OF_THE_WHOLE = {
    *(
        "all_of_coursekit",
        "benchmarks",
        "book",
        "change_one_thing",
        "complaints",
        "degenerate_answers",
        "exercises",
    ),
    *(
        "host_waits",
        "hostile",
        "hostile_course",
        "instructors",
        "layers",
        "layout",
        "lesson_ways",
        "own_data",
    ),
    *(
        "own_types",
        "pages",
        "pages_carried",
        "pages_course",
        "pages_firefox",
        "pages_light",
        "pages_progress",
        "pages_quizzes",
    ),
    *("pages_search", "pages_speed", "pages_terms", "pages_touch", "public_names", "setup", "transformers"),
}


def tracked() -> list[str]:
    """The files that git knows; without git, a skip that says so."""
    try:
        answer = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    return answer.stdout.splitlines()


def words(folder: str, ending: str) -> set[str]:
    return {file.stem for file in (ROOT / folder).glob(f"*{ending}")}


LESSONS, EXERCISES = words("lessons", ".md"), words("exercises", ".py")
MODULES = {file.stem for file in (ROOT / "coursekit").glob("*.py")} - {"__init__"}
PARTS = {file.parent.name for file in (ROOT / "coursekit").glob("*/__init__.py")}
TESTS = {word.removeprefix("test_") for word in words("tests", ".py") if word.startswith("test_")}


def test_nothing_else_lies_at_the_top() -> None:
    assert {path.split("/")[0] for path in tracked()} == TOP_LEVEL


def test_a_word_is_lower_case_and_whole() -> None:
    every = LESSONS | EXERCISES | MODULES | PARTS | TESTS

    assert [word for word in sorted(every) if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", word)] == []


def test_each_lesson_has_one_place_in_the_book() -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    placed = [file.removeprefix("lessons/") for file in files if file.startswith("lessons/")]

    assert sorted(placed) == sorted(LESSONS)


def test_each_exercise_belongs_to_a_lesson() -> None:
    assert sorted(EXERCISES - LESSONS) == []


def test_each_module_has_its_tests_and_each_test_file_its_module() -> None:
    """`api` is tested by `test_public_names`; a package may have several files of tests, a lesson one."""
    tested = {
        module for module in MODULES | PARTS if any(t == module or t.startswith(f"{module}_") for t in TESTS)
    }
    homeless = {
        t
        for t in TESTS - TESTS_OF_THE_WHOLE - LESSONS
        if not any(t == m or t.startswith(f"{m}_") for m in MODULES | PARTS)
    }

    assert sorted((MODULES | PARTS) - tested) == ["api"]
    assert sorted(homeless) == []


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_maps_what_is_there() -> None:
    """Each line of the map begins with one name or several, a folder's with a slash, and goes on in words."""
    lines = readme().partition("## The map")[2].partition("```text\n")[2].partition("```")[0].splitlines()
    names = [name for line in lines for name in re.split(r", ", re.split(r" {2,}", line)[0])]

    assert sorted(name.removesuffix("/") for name in names) == sorted(TOP_LEVEL - {".gitignore", "README.md"})
    assert [name for name in names if name.endswith("/") != (ROOT / name).is_dir()] == []


def test_the_readme_names_every_module() -> None:
    rows = re.findall(r"^\| \w+ \|.*$", readme().partition("## The library")[2], re.MULTILINE)
    named = [word for row in rows for word in re.findall(r"`(\w+)/?`", row)]

    assert sorted(named) == sorted(MODULES | PARTS)


def test_the_package_says_what_its_modules_are() -> None:
    words = (ROOT / "coursekit" / "__init__.py").read_text(encoding="utf-8").split('"""')[1]
    named = set(re.findall(r"`(\w+)`", words))

    assert sorted(named & (MODULES | PARTS)) == sorted(MODULES | PARTS)


def test_licences_and_citation_are_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))

    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "CC BY 4.0" in (ROOT / "book" / "LICENSE.md").read_text(encoding="utf-8")
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])


def test_no_file_depends_on_where_it_was_written() -> None:
    """No address of a package index, and no path of one machine."""
    forbidden = re.compile(
        "|".join(
            [
                "p" + r"ypi\.org",
                "python" + r"hosted\.",
                "registry" + r"\.npmjs",
                "/home/" + r"\w",
                "/roo" + "t/",
            ]
        )
    )
    texts = [ROOT / path for path in tracked() if not path.endswith((".png", ".jpg", ".woff2", ".gif"))]

    assert [
        str(file.relative_to(ROOT))
        for file in texts
        if file.exists() and forbidden.search(file.read_text("utf-8"))
    ] == []
