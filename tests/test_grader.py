"""What a learner reads when their code does what nobody asked for: one clear sentence, tested in words."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coursekit.grader import checking, exercises, process
from coursekit.grader.case import Case
from coursekit.grader.checking import check
from coursekit.grader.exercises import UnknownExercise, load, words
from coursekit.grader.report import Message, Report, Result
from coursekit.grader.scenario import Scenario
from coursekit.grader.starter import solution
from coursekit.kit import write_files

Checked = Callable[..., Report]

TINY = '''"""# Tiny

One question.
"""

from coursekit.grader import Wrong, check

yours = {"splits.group_split": "hold out whole groups", "splits.random_split": "hold out items"}


@check(points=2, rounds=1, lesson="A section")
def it_splits(kit, case):
    """Think of the groups."""
    groups = case.shuffled("groups", ["a", "b", "c"])
    yield "split", kit.group_split(groups, valid=0.5, seed=1)


wrong = []
'''


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checked:
    """Check the text of a `splits.py` against an exercise of one check."""
    shelf, kit = tmp_path / "exercises", tmp_path / "mykit"
    shelf.mkdir()
    kit.mkdir()
    monkeypatch.setattr(exercises, "folder", lambda: shelf)

    def run(text: str, exercise: str = TINY, seconds: float = 20.0, **options: object) -> Report:
        (shelf / "tiny.py").write_text(exercise)
        (kit / "splits.py").write_text(text)
        return check("tiny", kit, seconds=seconds, **options)  # type: ignore[arg-type]

    return run


def body(lines: str) -> str:
    """A `group_split` with this body."""
    return "def group_split(groups, valid=0.2, seed=0):\n" + "\n".join(
        f"    {line}" for line in lines.split("\n")
    )


MISDEEDS = {
    "a loop without end": (
        body("while True:\n    pass"),
        "stopped",
        "Your code was still running after 1 second and was stopped: look for a loop that never ends.",
    ),
    "exit()": (body("exit()"), "raised", "Your code ended Python: take out exit(), quit() or sys.exit()."),
    "os._exit": (
        "import os\n" + body("os._exit(0)"),
        "stopped",
        "Your code ended Python (exit status 0) before the check was over: take out os._exit() and the like.",
    ),
    "a crash": (
        "import ctypes\n" + body("ctypes.string_at(0)"),
        "stopped",
        "Python itself crashed while your code ran (a segmentation fault).",
    ),
    "killed": (
        "import os, signal\n" + body("os.kill(os.getpid(), signal.SIGKILL)"),
        "stopped",
        "Python was ended by the system while your code ran, most likely for asking for too much memory.",
    ),
    "huge output": (
        body("while True:\n    print('x' * 100_000)"),
        "stopped",
        "Your code printed more than 10 MB and was stopped: look for a print inside a loop.",
    ),
    "a forged answer": (
        "import os\n"
        + body(
            "for number in range(3, 30):\n    try: os.write(number, b'x' * 100)\n    except OSError: pass"
        ),
        "stopped",
        "What came back from your code cannot be read.",
    ),
    "input()": (body("input()"), "raised", "Nobody can type while a check runs: take out input()."),
    "no end of calls": (
        body("return group_split(groups)"),
        "raised",
        "group_split calls itself again and again; nothing tells it when to stop.",
    ),
    "the starter": (
        body("raise NotImplementedError('group_split is yours to write: hold out whole groups')"),
        "unwritten",
        "You have not written group_split yet.",
    ),
    "nothing at all": (
        "",
        "unwritten",
        "You have not written group_split yet. Write group_split in mykit/splits.py",
    ),
    "a slip in the name": (
        "def group_spilt(groups, valid, seed): return [0], [1, 2]",
        "unwritten",
        "Is group_spilt, in line 1, meant to be group_split?",
    ),
    "no return": (
        body("split = [0], [1, 2]"),
        "differs",
        "Yours is None, ours a tuple: is a `return` missing?",
    ),
    "a set": (
        body("return {0}, [1, 2]"),
        "differs",
        "At [0] yours is a set, which cannot be compared; ours is a list.",
    ),
    "an object that equals everything": (
        "class Equal:\n    def __eq__(self, other): return True\n    __repr__ = exit\n\n\n"
        + body("return Equal()"),
        "differs",
        "Yours is a splits.Equal, which cannot be compared; ours is a tuple.",
    ),
    "a tuple that is not one": (
        "class Sly(tuple):\n    def __iter__(self): exit()\n\n\n" + body("return Sly()"),
        "differs",
        "Yours is a splits.Sly, which cannot be compared; ours is a tuple.",
    ),
    "a nest without end": (
        body("nest = []\nnest.append(nest)\nreturn nest, [0]"),
        "differs",
        "At [0][0] yours is a list, ours a whole number.",
    ),
    "too much": (
        body("import torch\nreturn torch.zeros(1).expand(10**9), [0]"),
        "differs",
        "it is too large",
    ),
    "a tensor without numbers": (
        body("import torch\nreturn torch.zeros(3, device='meta'), [0]"),
        "differs",
        "At [0] yours is a tensor, which cannot be compared (it is not dense",
    ),
    "another signature": (
        "def group_split(groups): return [0], [1, 2]",
        "raised",
        "TypeError: group_split() got an unexpected keyword argument 'valid'",
    ),
}


@pytest.mark.parametrize("name", MISDEEDS)
def test_each_misdeed_has_its_sentence(name: str, checked: Checked) -> None:
    text, kind, sentence = MISDEEDS[name]
    (result,) = checked(text, seconds=1 if name == "a loop without end" else 20).results

    assert result.kind == kind, result.message
    assert sentence in result.message
    assert not result.passed
    assert len(result.message.splitlines()) < 24, "at most a screen"


def test_a_process_that_was_ended_leaves_nothing_behind(checked: Checked, tmp_path: Path) -> None:
    """The whole group is ended, and the next check is unharmed."""
    note = tmp_path / "still here"
    beat = f"import time\nwhile True:\n    open({str(note)!r}, 'a').write('.')\n    time.sleep(0.05)"
    begun = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {beat!r}])"
    checked(body(f"{begun}\nwhile True: pass"), seconds=3)
    written = note.stat().st_size
    time.sleep(0.5)

    assert note.stat().st_size == written
    assert checked(body("return [], []")).results[0].kind == "differs"


def test_a_traceback_shows_the_learners_lines_only(checked: Checked) -> None:
    (result,) = checked("def half(x):\n    return x / 0\n\n\n" + body("return half(4)")).results

    assert "mykit/splits.py, line 6, in group_split" in result.message
    assert "mykit/splits.py, line 2, in half\n        return x / 0" in result.message
    assert "ZeroDivisionError: division by zero" in result.message
    assert "coursekit" not in result.message
    assert "Your code raised ZeroDivisionError before it gave an answer." in result.message


def test_a_message_shows_call_values_hint_and_section(checked: Checked) -> None:
    (result,) = checked(body("print('seen', len(groups))\nreturn [0, 1], [2]")).results
    lines = result.message.splitlines()

    assert lines[0].startswith("    groups = ['")
    assert lines[1] == "    kit.group_split(groups, valid=0.5, seed=1)"
    assert lines[2] == "        yours   ([0, 1], [2])"
    assert lines[3].startswith("        ours    ([")
    assert "Your code printed:\n    seen 3" in result.message
    assert lines[-2:] == ["Hint: Think of the groups.", 'Read again: lesson tiny, "A section".']


def test_a_message_shows_the_definitions_that_a_call_needs() -> None:
    text = """
class Picture: ...
class Scan(Picture): "Not in colours."
class Outline: ...
def one(kit, case):
    "The hint."
    factor = case.integer("factor", 2, 9)
    @kit.method
    def turn(x: Picture):
        degrees = 90
        return factor * degrees
    def helper(x): return x
    yield "before", turn(Picture())
    @turn.method
    def _(x: Scan): return 0
    yield "after", turn(Scan()) * factor
"""
    scenario = Scenario.cut(text, "one")
    yields = [number for number, line in enumerate(scenario.source.splitlines(), 1) if "yield" in line]

    assert scenario.call(yields[0], {"factor": 3}, {"factor": 3}).splitlines() == [
        "class Picture: ...",
        "factor = 3",
        "@kit.method",
        "def turn(x: Picture):",
        "    degrees = 90",
        "    return factor * degrees",
        "turn(Picture())",
    ]
    assert scenario.call(yields[1], {"factor": 3}, {"factor": 3}).splitlines()[-4:] == [
        "    return factor * degrees",
        "@turn.method",
        "def _(x: Scan): return 0",
        "turn(Scan()) * factor",
    ]


def test_a_call_names_the_device_it_was_made_on() -> None:
    text = """
def one(kit, case):
    start = kit.start.to(case.device)
    yield "first", kit.first(start, device=case.device)
"""
    scenario = Scenario.cut(text, "one")

    assert scenario.call(3, {}, {}).splitlines() == [
        "start = kit.start.to('cpu')",
        "kit.first(start, device='cpu')",
    ]
    assert scenario.call(3, {}, {}, device="cuda").endswith("kit.first(start, device='cuda')")


def test_an_error_in_a_helper_is_shown_at_the_line_that_asked(checked: Checked) -> None:
    mark = "@check(points=2, rounds=1, lesson="
    helper = f"def split(kit):\n    return kit.group_split('abc', valid=0.5)\n\n\n{mark}"
    exercise = TINY.replace(mark, helper).replace("kit.group_split(groups, valid=0.5, seed=1)", "split(kit)")
    (result,) = checked(body("return 1 / 0"), exercise).results

    assert result.message.splitlines()[0] == "    split(kit)"


def test_a_file_that_is_no_python_is_named_with_its_line(checked: Checked) -> None:
    report = checked("def group_split(groups:\n    return\n")

    assert "mykit/splits.py" in report.problem
    assert "line 1" in report.problem
    assert report.points == 0
    assert report.text().splitlines()[-3:] == ["Nothing was checked.", "", "Tiny · 0 of 2 points."]
    assert "<p>Nothing was checked.</p>" in report.html()
    assert "it splits" not in report.text() + report.html()


def test_an_error_while_a_file_is_read_is_named_with_its_line(checked: Checked) -> None:
    report = checked("import nonsense_that_is_not_there\n\n" + body("return nonsense_that_is_not_there"))

    assert "mykit/splits.py, line 1" in report.problem
    assert "No module named 'nonsense_that_is_not_there'" in report.problem


def test_a_kit_that_is_not_there_is_said_before_anything_runs(tmp_path: Path) -> None:
    nowhere = check("first_model", tmp_path / "nowhere")
    empty = check("first_model", tmp_path)

    assert nowhere.problem.endswith("`coursekit start first_model` begins one.")
    assert empty.problem == (
        f"There is no {tmp_path.name}/metrics.py and {tmp_path.name}/splits.py yet. "
        "`coursekit start first_model` makes them."
    )
    assert not nowhere.passed
    assert nowhere.points == empty.points == 0


def test_an_unknown_exercise_names_the_nearest() -> None:
    with pytest.raises(
        UnknownExercise, match=r"There is no exercise 'frist_model'\. Did you mean 'first_model'\?"
    ):
        load("frist_model")
    with pytest.raises(UnknownExercise, match=r"There are: .*first_model"):
        load("zzz")
    assert "first_model" in words()


def test_every_definition_the_exercise_does_not_ask_for_is_ours(checked: Checked) -> None:
    """Unless the whole kit is to be used."""
    text = "def check_split(split, count): return 1 / 0\n\n\n" + body("return [1, 2], [0]")
    exercise = TINY.replace("kit.group_split(groups, valid=0.5, seed=1)", "kit.check_split(([0], [1]), 2)")

    assert checked(text, exercise).passed
    assert not checked(text, exercise, whole_kit=True).passed


JUDGED = '''

@check(points=1, rounds=1)
def it_is_judged(kit, case):
    """Any split will do."""
    yield "split", kit.group_split(["a", "b"], valid=0.5, seed=1)


@it_is_judged.judge
def _(seen, case, ours):
    train, valid = seen["split"]
    if JUDGE:
        yield "split", "The sides are not as long as each other."
'''


def judged(condition: str) -> str:
    return TINY + JUDGED.replace("JUDGE", condition)


def test_a_judge_takes_any_right_answer_and_sees_the_form_first(checked: Checked) -> None:
    fair = judged("len(train) != len(valid)")

    assert checked(body("return [9], [7]"), fair).results[1].passed
    assert (
        "The sides are not as long as each other." in checked(body("return [9], []"), fair).results[1].message
    )
    assert "one of several right answers" in checked(body("return [9], []"), fair).results[1].message
    assert "Yours has 3 parts, ours 2." in checked(body("return [], [], []"), fair).results[1].message
    assert "At [0] yours is a tensor, ours a list." in (
        checked(body("import torch\nreturn torch.zeros(2), []"), fair).results[1].message
    )


def test_a_fault_of_the_course_is_never_the_learners(checked: Checked) -> None:
    broken_judge = checked(body("return [0], [1]"), judged("1 / 0")).results[1]
    broken_scenario = checked(
        body("return [0], [1]"), TINY.replace("kit.group_split(", "kit.no_such_part(")
    ).results[0]

    assert broken_judge.kind == broken_scenario.kind == "ours"
    assert "That is a fault of the course, not yours." in broken_judge.message
    assert "This is a fault of the course and not of your code." in broken_scenario.message


def test_what_the_learners_process_says_of_itself_counts_for_nothing(checked: Checked) -> None:
    """A kit that finds the pipe and says that all is done has only shown nothing."""
    text = (
        "import gc\n\n\ndef group_split(groups, valid, seed):\n"
        "    for thing in gc.get_objects():\n"
        "        if type(thing).__name__ == '_Job':\n"
        "            thing.say({'is': 'done', 'draws': {'dict': []}})\n"
        "            thing.say({'is': 'done', 'passed': True, 'points': 2, 'draws': {'dict': []}})\n"
        "    return [0], [1]\n"
    )

    assert checked(text).points == 0


def test_the_learners_side_holds_no_expected_value(checked: Checked) -> None:
    """Neither judges, hints and wrong answers nor what ours gives can be found in the process."""
    text = (
        "import gc, sys\n\n\ndef group_split(groups, valid, seed):\n"
        "    things = [t for t in gc.get_objects() if type(t) in (dict, list, tuple)]\n"
        "    texts = [s for t in things for s in (t.values() if type(t) is dict else t) if type(s) is str]\n"
        "    words = [w[::-1] for w in ('spuorg eht fo knihT', 'rehto hcae sa gnol sa ton')]\n"
        "    assert any('case.shuffled' in text for text in texts)\n"
        "    found = [word for word in words if any(word in text for text in texts)]\n"
        "    return found, [name for name in sys.modules if name.startswith('coursekit_exercise')]\n"
    )
    message = checked(text, judged("True")).results[0].message

    assert "yours   ([], [])" in message


def test_the_report_is_escaped_and_its_json_is_whole(checked: Checked) -> None:
    report = checked(body("raise ValueError('<script>alert(1)</script>\\x1b[31m')"))
    page, data = report.html(), json.loads(report.to_json())

    assert "<script>" not in page
    assert report._repr_html_().count("<script>") == 1  # ours, in a notebook
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page + report.text() + report.to_json()
    assert "<details open><summary>✗ it splits · 0 of 2 points</summary>" in page
    assert data["word"] == "tiny"
    assert (data["points"], data["of"]) == (0, 2)
    assert data["results"][0]["kind"] == "raised"
    assert "<script>" in data["results"][0]["message"]


def test_a_report_has_one_line_for_what_passed(checked: Checked) -> None:
    ours = "import random\n\n\ndef group_split(groups, valid, seed):\n    return ([1, 2], [0])"
    text = checked(
        ours, TINY.replace('yield "split", kit.group_split(groups, valid=0.5, seed=1)', 'yield "n", 3')
    ).text()

    assert text.splitlines() == [
        "✓ it splits · 2 of 2 points",
        "",
        "Tiny · 2 of 2 points. All of it is yours now.",
    ]


def test_a_new_python_serves_where_there_is_no_fork(
    checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = process.start
    monkeypatch.setattr(process, "start", lambda new_python=False: start(new_python=True))

    assert checked(body("while True: pass"), seconds=3).results[0].kind == "stopped"
    assert "At [0] yours has 0 items, ours" in checked(body("return [], []"), seconds=20).results[0].message


EVERYTHING = (
    TINY
    + '''

@check(points=1, rounds=1)
def it_asks_in_every_way(kit, case):
    """Any way will do."""
    items = case.integer("items", 3, 5)
    yield "an error", case.raises(lambda: kit.random_split(items, valid=case.choice("share", [3.0, 2.0])))
    print("not the kit")
    case.printed
    kit.random_split(items)
    yield "what was printed", case.printed
    (case.folder / "note.txt").write_text(str(case.floats("numbers", 2)))
    yield "what lies in the folder", [(one.name, one.read_text()) for one in case.folder.iterdir()]
    table = case.tensor("a tensor", (items, 2), low=0, high=9)
    yield "a sum", float(table.sum()) + sum(case.integers("more", 3, 1, 9))
'''
)

WAYS = """
def random_split(count, valid=0.2, seed=0):
    if not 0 < valid < 1:
        raise {error}("a share lies between 0 and 1")
    {then}
    return list(range(1, count)), [0]
"""


def test_errors_prints_and_files_can_be_asked_for(checked: Checked) -> None:
    def result(error: str = "ValueError", then: str = "pass") -> tuple[bool, str]:
        found = checked(WAYS.format(error=error, then=then), EVERYTHING).results[1]
        return found.passed, found.message

    assert result() == (True, "")
    assert "Yours raises KeyError, ours ValueError." in result(error="KeyError")[1]
    assert "kit.random_split(" in result(error="KeyError")[1]
    assert "Yours is 'hello\\n', ours ''." in result(then="print('hello')")[1]
    assert "Agrees: an error. Not yet: what was printed." in result(then="print('hello')")[1]


def test_every_device_is_asked_the_same(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first stands in for a second device: draws are played back, and the report names both."""
    monkeypatch.setattr(checking, "devices_here", lambda: ("cpu", "cpu"))

    assert (
        "✓ it asks in every way · 1 of 1 point · cpu, cpu"
        in checked(WAYS.format(error="ValueError", then="pass"), EVERYTHING).text()
    )


def test_the_same_mistake_elsewhere_is_said_to_be_the_same(checked: Checked) -> None:
    exercise = (
        TINY.replace("wrong = []", "")
        + '''
wrong = [
    Wrong(
        "takes all",
        {"splits.group_split": "def group_split(groups, valid, seed):\\n  return [], [*range(len(groups))]"},
        caught_by=it_splits,
        says="You hold out all {groups}.",
    )
]


@check(points=1, rounds=1)
def it_splits_again(kit, case):
    """Think once more."""
    yield "split", kit.group_split(["a", "b"], valid=0.5, seed=1)
'''
    )
    first, second = checked(body("return [], [n for n, _ in enumerate(groups)]"), exercise).results

    assert "You hold out all ['" in first.message
    assert 'It is the same mistake as in "it splits".' in second.message


def test_no_check_is_named_that_did_not_tell_the_mistake(checked: Checked) -> None:
    """A sentence about a draw cannot be told where that draw was not made."""
    before = """
@check(points=1, rounds=1)
def it_comes_before(kit, case):
    '''Think ahead.'''
    yield "split", kit.group_split(["a", "b"], valid=0.5, seed=1)


@check(points=2, rounds=1, lesson"""
    exercise = TINY.replace("@check(points=2, rounds=1, lesson", before).replace("wrong = []", "")
    takes_all = "def group_split(groups, valid, seed):\\n  return [], [*range(len(groups))]"
    exercise += (
        f'wrong = [Wrong("takes all", {{"splits.group_split": "{takes_all}"}}, '
        'caught_by=it_splits, says="You hold out all {groups}.")]\n'
    )
    first, second = checked(body("return [], [n for n, _ in enumerate(groups)]"), exercise).results

    assert "same mistake" not in first.message
    assert "You hold out all ['" in second.message


def test_a_known_mistake_is_told_where_it_is_first_met(tmp_path: Path) -> None:
    """Not where it belongs: a learner reads the first failing check."""
    wrong = next(one for one in load("first_model").wrong if "argmax(dim=0)" in one.says)
    write_files(tmp_path, solution("first_model", wrong.replace))
    first, second, *_ = check("first_model", tmp_path).results

    assert wrong.says in first.message
    assert wrong.says in second.message


def test_what_is_printed_without_end_is_not_counted(checked: Checked) -> None:
    (many,) = checked(body("for n in range(20_000): print(n)\nreturn 1")).results
    (few,) = checked(body("for n in range(20): print(n)\nreturn 1")).results

    assert "… and more, not kept" in many.message
    assert "… 32 more lines" in few.message, "the check asks twice"


@pytest.fixture
def no_reserve() -> Iterator[None]:
    process.release()
    yield
    process.release()


@pytest.mark.usefixtures("no_reserve")
def test_a_python_that_cannot_start_says_so(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_COMMAND", [*process._COMMAND[:3], "no_such_module"])

    with pytest.raises(
        process.CannotStart, match=r"Python could not be started to run the code: .*no_such_module"
    ):
        checked(body("return [], []"))


def test_the_reserve_is_started_again_when_it_was_ended(checked: Checked) -> None:
    process.reserve()
    assert process._warm is not None
    os.kill(process._warm.process.pid, 9)
    process._warm.process.wait()

    assert checked(body("return [], []")).results[0].kind == "differs"


def test_a_fault_in_what_is_written_is_told_before_what_is_not_written_yet() -> None:
    """Whoever writes the last part first still reads of that one."""
    results = [
        Result(
            "first", "the first part", passed=False, of=1, kind="unwritten", parts=Message(hint="Write it.")
        ),
        Result(
            "second", "the second part", passed=False, of=1, kind="differs", parts=Message(hint="Look again.")
        ),
    ]

    assert "Look again." in Report("word", "Word", tuple(results), ("cpu",)).text()
    assert "Write it." not in Report("word", "Word", tuple(results), ("cpu",)).text()
    assert "Write it." in Report("word", "Word", tuple(results[:1]), ("cpu",)).text()


def test_what_was_drawn_is_kept_for_the_report_in_the_dtype_that_the_learner_got() -> None:
    import torch

    case = Case(1)
    given = case.tensor("places", (2,), dtype=torch.float64)
    assert given.dtype == case.drawn["places"].dtype == torch.float64
    given += 1
    assert not torch.equal(given, case.drawn["places"])
