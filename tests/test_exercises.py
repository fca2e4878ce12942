"""Every exercise is proved: ours passes, the starter nothing, each known mistake is caught and named."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import torch

from coursekit.grader import Right, Wrong
from coursekit.grader.checking import check
from coursekit.grader.encoding import Array
from coursekit.grader.exercises import folder, load, words
from coursekit.grader.observing import Kit, Side
from coursekit.grader.reference import ask_reference
from coursekit.grader.report import Report, Result
from coursekit.grader.starter import solution, sources, starter
from coursekit.kit import write_files

WRONG = [
    pytest.param(word, wrong, id=f"{word}: {wrong.title}") for word in words() for wrong in load(word).wrong
]
RIGHT = [
    pytest.param(word, right, id=f"{word}: {right.title}") for word in words() for right in load(word).right
]


def checked(files: dict[str, str], word: str, folder: Path, device: str | None = None) -> Report:
    kit = folder / "mykit"
    kit.mkdir(exist_ok=True)
    write_files(kit, files)
    return check(word, kit, device=device)


def result_of(report: Report, name: str) -> Result:
    return next(result for result in report.results if result.name == name)


@pytest.mark.parametrize("word", words())
def test_our_library_passes(word: str, tmp_path: Path) -> None:
    report = checked(solution(word), word, tmp_path)

    assert report.passed, report.text()


@pytest.mark.parametrize("word", words())
def test_the_starter_passes_nothing_and_says_what_is_unwritten(word: str, tmp_path: Path) -> None:
    report = checked(starter(word), word, tmp_path)

    assert report.points == 0, report.text()
    assert {result.kind for result in report.results} == {"unwritten"}
    assert "You have not written" in report.results[0].message


@pytest.mark.parametrize(("word", "wrong"), WRONG)
def test_a_known_mistake_is_caught_and_named(word: str, wrong: Wrong, tmp_path: Path) -> None:
    report = checked(solution(word, wrong.replace), word, tmp_path)
    result = result_of(report, wrong.caught_by.name)

    assert not result.passed, f"{wrong.title} passes {result.title}"
    assert result.kind not in ("unusable", "ours", "unwritten", "stopped"), result.message
    assert in_the_words_of(wrong, result.message), result.message


def in_the_words_of(wrong: Wrong, message: str) -> bool:
    """Whether a message holds a mistake's sentence, whatever numbers are filled in."""
    pattern = re.sub(r"\\\{\w+\\\}", ".+?", re.escape(wrong.says))
    return re.search(pattern, message, re.DOTALL) is not None


@pytest.mark.parametrize(("word", "right"), RIGHT)
def test_another_right_way_passes(word: str, right: Right, tmp_path: Path) -> None:
    report = checked(solution(word, right.replace), word, tmp_path)

    assert report.passed, report.text()


@pytest.mark.parametrize("word", words())
def test_a_scenario_asks_for_more_than_true_or_false(word: str) -> None:
    """A yielded boolean can be guessed."""
    exercise = load(word)
    with Side(Kit()) as side:
        for one in exercise.checks:
            for run in ask_reference(side, one, exercise.source, 0, ("cpu",)):
                assert run.seen, f"{one.name} yields nothing"
                for seen in run.seen:
                    single = (
                        isinstance(seen.value, Array) and seen.value.dtype == "bool" and not seen.value.shape
                    )
                    assert not isinstance(seen.value, bool), (
                        f"{one.name} yields {seen.label} as True or False"
                    )
                    assert not single, f"{one.name} yields {seen.label} as one True or False"


@pytest.mark.parametrize("word", words())
def test_an_exercise_is_complete(word: str) -> None:
    exercise = load(word)

    assert len(exercise.checks) >= 5
    assert len(exercise.wrong) >= 5
    assert {wrong.caught_by.name for wrong in exercise.wrong} == {one.name for one in exercise.checks}
    for full in exercise.yours:
        module, _, name = full.rpartition(".")
        assert sources(module, [name])


@pytest.mark.parametrize("word", words())
def test_a_check_points_at_a_section_that_is_there(word: str) -> None:
    lesson = folder().parent / "lessons" / f"{word}.md"
    if not lesson.exists():
        pytest.skip(f"lesson {word} is not written yet")
    headings = set(re.findall(r"^#+ +(.*?) *$", lesson.read_text(encoding="utf-8"), re.MULTILINE))
    for one in load(word).checks:
        assert one.lesson in headings, f"{one.name} points at {one.lesson!r}; {word} has {sorted(headings)}"


@pytest.mark.parametrize("word", words())
def test_the_starter_keeps_what_is_documented_and_nothing_of_the_body(word: str) -> None:
    for module, text in starter(word).items():
        begun, ours = (
            [node for node in ast.parse(whole).body if hasattr(node, "name")]
            for whole in (text, solution(word)[module])
        )
        for node, whole in zip(begun, ours, strict=True):
            if isinstance(node, ast.FunctionDef) and isinstance(whole, ast.FunctionDef):
                documented = ast.get_docstring(node)
                assert (node.name, ast.unparse(node.args)) == (whole.name, ast.unparse(whole.args))
                assert documented == ast.get_docstring(whole)
                assert ast.unparse(node.body[-1]).startswith("raise NotImplementedError(")
                assert len(node.body) == 1 + (documented is not None), "one of several methods may have none"


@pytest.mark.parametrize(("word", "wrong"), WRONG)
def test_a_mistake_has_its_own_sentence(word: str, wrong: Wrong) -> None:
    others = [other.says for other in load(word).wrong if other.title != wrong.title]

    assert wrong.says not in others


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_no_step_of_the_loop_waits_for_a_gpu(tmp_path: Path) -> None:
    asks = next(one for one in load("learner").wrong if one.title.startswith("asks for the loss"))
    kits = solution("learner"), solution("learner", asks.replace)
    reports = [checked(kit, "learner", tmp_path, device="cuda") for kit in kits]

    assert [result_of(report, asks.caught_by.name).passed for report in reports] == [True, False]
