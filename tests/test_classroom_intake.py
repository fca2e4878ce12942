"""What is handed in is read, however it comes: kits, files, notebooks, zips, the downloads of systems."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from handed_in import BOTH, METRICS, SPLITS, handed_in, lay, notebook, only, read, zipped

from coursekit.classroom.intake import read_submissions
from coursekit.classroom.packing import packed_kit
from coursekit.progress import WorkspaceError

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def downloaded(tmp_path: Path, files: dict[str, str | bytes], as_zip: bool) -> Path:
    """A download as it is given to us: unpacked, or the zip itself."""
    if not as_zip:
        return lay(tmp_path / "download", files)
    (tmp_path / "download.zip").write_bytes(zipped(files))
    return tmp_path / "download.zip"


def submit_zip(tmp_path: Path, files: dict[str, str], words: tuple[str, ...] = ("first_model",)) -> bytes:
    """What `coursekit submit` makes of these files of a kit."""
    kit = lay(tmp_path / "kit of somebody" / "mykit", files)
    return packed_kit(kit, words, {"first_model": {"points": 3, "of": 8}}, NOON)


# One learner's files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [
        {"mykit/metrics.py": METRICS, "mykit/__init__.py": "from coursekit.kit import install"},
        {"metrics.py": METRICS},
        {"metrics (1).py": METRICS},
        {"metrics-2.py": METRICS},
        {"homework/metrics.py": METRICS},
        {"kit.zip": zipped({"mykit/metrics.py": METRICS})},
        {"kit.zip": zipped({"ana's kit/mykit/metrics.py": METRICS, "__MACOSX/._x.py": "rubbish"})},
        {"again.zip": zipped({"kit.zip": zipped({"metrics.py": METRICS})})},
        {"my solution.py": METRICS},
        {"answer.ipynb": notebook("%%kit metrics\n" + METRICS)},
        {"answer.ipynb": notebook("%load_ext coursekit.notebook", "%%kit metrics.py\n" + METRICS)},
    ],
)
def test_one_module_is_found_however_it_is_packed(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    submission = handed_in(tmp_path, files)

    assert (submission.learner, submission.problem) == ("ana", "")
    assert {name: text.strip() for name, text in submission.files.items()} == {"metrics": METRICS.strip()}
    assert submission.origin.startswith("ana")


def test_a_workspace_is_its_kit_alone(tmp_path: Path) -> None:
    files = {
        "mykit/metrics.py": METRICS,
        "copies/mykit/metrics.2026-11-22.py": "old",
        "exercises/first_model.ipynb": notebook("%%kit splits\n" + SPLITS),
        ".coursekit/progress/first_model.json": "{}",
    }
    submission = handed_in(tmp_path, files)

    assert list(submission.files) == ["metrics"]
    assert submission.notes == ()


def test_a_module_of_a_package_keeps_its_place(tmp_path: Path) -> None:
    submission = handed_in(tmp_path, {"metrics.py": METRICS, "widgets/descents.py": "RATE = 1"})

    assert sorted(submission.files) == ["metrics", "widgets.descents"]


def test_a_file_of_another_name_counts_for_every_module_whose_definitions_it_holds(tmp_path: Path) -> None:
    """The whole text, so that the lines of a traceback are those that the learner sees."""
    submission = handed_in(tmp_path, {"solution.py": BOTH})

    assert submission.files == {"metrics": BOTH, "splits": BOTH}


def test_versions_are_submissions_of_their_own(tmp_path: Path) -> None:
    files = {"first.zip": zipped({"metrics.py": METRICS}), "second/metrics.py": METRICS + "# better\n"}
    lay(tmp_path / "course", {f"ana/{name}": content for name, content in files.items()})

    submissions = read(tmp_path / "course")

    assert [one.learner for one in submissions] == ["ana", "ana"]
    assert [one.origin for one in submissions] == ["ana/first.zip", "ana/second"]
    assert len({one.sha256 for one in submissions}) == 2


def test_what_cannot_be_graded_beside_what_can_is_told_and_is_no_version(tmp_path: Path) -> None:
    """Else the last version of a learner might be a file of scribbles."""
    files = {
        "metrics.py": METRICS,
        "scribbles/try.py": "print(1)",
        "old.rar": "Rar!",
        "notes/text.txt": "words",
    }
    submission = handed_in(tmp_path, files)

    assert submission.files == {"metrics": METRICS}
    assert submission.notes == (
        "ana/old.rar: old.rar cannot be read: it is no zip archive; "
        "hand in the zip that `coursekit submit` makes.",
        "ana/scribbles: Nothing of it can be graded. try.py was left out: it defines nothing that an exercise"
        " asks for; name it after its module, such as metrics.py.",
    )


def test_the_library_itself_is_nobodys_work(tmp_path: Path) -> None:
    """Some pack all they have, the checkout of the course around their workspace."""
    files = {"coursekit/metrics.py": SPLITS, "workspace/mykit/metrics.py": METRICS}
    submission = handed_in(tmp_path, {"all.zip": zipped(files)})

    assert submission.files == {"metrics": METRICS}
    assert submission.notes == ("ana/all.zip/coursekit was left out: it is the library itself.",)


def test_the_same_text_twice_is_no_conflict(tmp_path: Path) -> None:
    submission = handed_in(tmp_path, {"metrics.py": METRICS, "metrics (1).py": METRICS})

    assert (submission.problem, submission.notes) == ("", ())


def test_a_file_of_the_module_counts_before_cells_and_those_before_names(tmp_path: Path) -> None:
    files = {
        "metrics.py": METRICS,
        "try.ipynb": notebook("%%kit metrics\ndef accuracy(p, t): return 2", "%%kit splits\n" + SPLITS),
        "all.py": "def accuracy(p, t): return 3\ndef group_split(g, v, s): return 3\n",
    }
    submission = handed_in(tmp_path, files)

    assert submission.files["metrics"] == METRICS
    assert submission.files["splits"].strip() == SPLITS.strip()
    assert "For metrics what stands in metrics.py counts, not what stands in try.ipynb." in submission.notes


def test_text_with_a_mark_at_its_start_and_other_line_ends_is_fine(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + METRICS.replace("\n", "\r\n").encode()

    assert handed_in(tmp_path, {"metrics.py": data}).files == {"metrics": METRICS.replace("\n", "\r\n")}


def test_python_that_cannot_be_read_is_passed_on_for_the_check_to_explain(tmp_path: Path) -> None:
    submission = handed_in(tmp_path, {"metrics.py": "def accuracy(p, t)\n"})

    assert (submission.files, submission.problem) == ({"metrics": "def accuracy(p, t)\n"}, "")


def test_the_way_to_a_file_says_which_exercise_it_is_for(tmp_path: Path) -> None:
    by_folder = handed_in(tmp_path / "1", {"first_model/metrics.py": METRICS})
    by_notebook = handed_in(tmp_path / "2", {"first_model-1.ipynb": notebook("%%kit metrics\n" + METRICS)})
    by_nothing = handed_in(tmp_path / "3", {"metrics.py": METRICS})
    not_by_a_module = handed_in(tmp_path / "4", {"tensors.py": METRICS})

    assert by_folder.words == by_notebook.words == ("first_model",)
    assert by_nothing.words == not_by_a_module.words == ()


def test_a_learner_may_be_called_like_an_exercise(tmp_path: Path) -> None:
    names = ("learner", "learner0", "Tensors", "tensors-2")
    folder = lay(tmp_path / "course", {f"{name}/mykit/metrics.py": METRICS for name in names})
    (folder / "dispatch.ipynb").write_text(notebook("%%kit metrics\n" + METRICS))

    found = list(read_submissions([folder]))
    assert sorted(one.learner for one in found) == sorted([*names, "dispatch"])
    assert {one.words for one in found} == {()}


# A course's folder -----------------------------------------------------------------------------------------


def test_each_folder_and_file_is_a_learner(tmp_path: Path) -> None:
    files = {
        "ana/metrics.py": METRICS,
        "ben.zip": zipped({"mykit/metrics.py": METRICS}),
        "eve.ipynb": notebook("%%kit metrics\n" + METRICS),
        "ida.py": METRICS,
        "roster.csv": "ana,ben,eve,ida",
        ".DS_Store": b"\0\0",
    }
    submissions = read(lay(tmp_path / "course", files))

    assert [one.learner for one in submissions] == ["ana", "ben", "eve", "ida"]
    assert all(list(one.files) == ["metrics"] for one in submissions)


def test_a_document_alone_is_told_and_an_instructors_own_files_are_not(tmp_path: Path) -> None:
    found = read(lay(tmp_path / "course", {
        "ana.docx": b"PK", "ben.pdf": b"%PDF", "eve.py": METRICS, "eve.pdf": b"%PDF",
        "README.md": "# Week 1", "class.csv": "ana",
    }))  # fmt: skip

    assert {one.learner: one.problem for one in found} == {
        "ana": "There is no Python file, notebook or zip archive in it, only ana.docx; "
        "hand in the zip that `coursekit submit` makes.",
        "ben": "There is no Python file, notebook or zip archive in it, only ben.pdf; "
        "hand in the zip that `coursekit submit` makes.",
        "eve": "",
    }


def test_a_stray_file_does_not_make_the_course_one_learners_kit(tmp_path: Path) -> None:
    lay(tmp_path / "course", {"ana/metrics.py": METRICS, "ben/metrics.py": METRICS, "metrics.py": METRICS})

    assert [one.learner for one in read(tmp_path / "course")] == ["ana", "ben", "metrics"]


def test_a_learner_may_be_called_what_a_kit_is(tmp_path: Path) -> None:
    lay(tmp_path / "course", {"ana/metrics.py": METRICS, "mykit/metrics.py": METRICS})

    assert [one.learner for one in read(tmp_path / "course")] == ["ana", "mykit"]


def test_names_with_dots_are_whole_names(tmp_path: Path) -> None:
    files = {"ana.lee@uni.example.zip": zipped({"metrics.py": METRICS}), "ana.ruiz.py": METRICS}
    submissions = read(lay(tmp_path / "course", files))

    assert [one.learner for one in submissions] == ["ana.lee@uni.example", "ana.ruiz"]


@pytest.mark.parametrize("files", [{"mykit/metrics.py": METRICS}, {"metrics.py": METRICS}])
def test_one_kit_may_be_given_itself(tmp_path: Path, files: dict[str, str]) -> None:
    assert only(lay(tmp_path / "ana", files)).learner == "ana"


def test_one_file_or_zip_may_be_given_itself(tmp_path: Path) -> None:
    lay(tmp_path, {"ana.py": METRICS, "ben.zip": zipped({"ben/mykit/metrics.py": METRICS})})

    submissions = list(read_submissions([tmp_path / "ana.py", tmp_path / "ben.zip"]))

    assert [one.learner for one in submissions] == ["ana", "ben"]
    assert all(list(one.files) == ["metrics"] for one in submissions)


def test_a_folder_packed_as_a_whole_is_that_folder(tmp_path: Path) -> None:
    files = {"course/ana/metrics.py": METRICS, "course/ben/metrics.py": METRICS}
    (tmp_path / "course.zip").write_bytes(zipped(files))

    assert [one.learner for one in read(tmp_path / "course.zip")] == ["ana", "ben"]


def test_names_stay_what_they_are_and_come_in_one_spelling(tmp_path: Path) -> None:
    taken_apart = "Jose\u0301 Nu\u0301n\u0303ez"
    lay(tmp_path / "course", {f"{taken_apart}/metrics.py": METRICS, "李雷/metrics.py": METRICS})

    assert [one.learner for one in read(tmp_path / "course")] == ["José Núñez", "李雷"]


def test_names_in_an_archive_that_does_not_say_it_is_utf8(tmp_path: Path) -> None:
    data = zipped({"Jose\u0301/metrics.py": METRICS}).replace(b"\x00\x08\x08\x00", b"\x00\x00\x08\x00")
    (tmp_path / "course.zip").write_bytes(data)

    assert only(tmp_path / "course.zip").learner == "José"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("nothing", None, "cannot be opened"), ("course.zip", b"no zip", "is no zip archive that can be read")],
)
def test_what_an_instructor_gives_must_be_there(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(WorkspaceError, match=said):
        read(tmp_path / name)


# Downloads -------------------------------------------------------------------------------------------------

ZIP_OR_FOLDER = pytest.mark.parametrize("as_zip", [False, True], ids=["folder", "zip"])


@ZIP_OR_FOLDER
def test_canvas(tmp_path: Path, as_zip: bool) -> None:
    files: dict[str, str | bytes] = {
        "ruizana_4711_90210_metrics.py": METRICS,
        "ruizana_4711_90211_splits.py": SPLITS,
        "leeben_LATE_4712_90212_metrics-1.py": METRICS,
        "leeben_4713_90213_first_model-2.zip": submit_zip(tmp_path, {"metrics.py": METRICS}),
        "vandermeereve_4714_90214_answer.ipynb": notebook("%%kit metrics\n" + METRICS),
        "LATE_anon_aB3dE_90215_metrics.py": METRICS,
        "anon_x9Yz1_90216_metrics.py": METRICS,
        "van_der_meer_4716_90217_metrics.py": METRICS,
        "smithida_4715_text.html": "<p>I forgot the file</p>",
    }
    submissions = {one.learner: one for one in read(downloaded(tmp_path, files, as_zip))}

    assert sorted(submissions["ruizana (4711)"].files) == ["metrics", "splits"]
    assert list(submissions["leeben (4712)"].files) == ["metrics"]
    assert submissions["leeben (4713)"].words == ("first_model",)
    assert list(submissions["vandermeereve (4714)"].files) == ["metrics"]
    assert {name for name, one in submissions.items() if one.marked_late} == {"leeben (4712)", "anon (aB3dE)"}
    assert submissions["smithida (4715)"].problem == (
        "There is no Python file, notebook or zip archive in it, only text.html; "
        "hand in the zip that `coursekit submit` makes."
    )
    assert {"anon (x9Yz1)", "van_der_meer (4716)"} <= submissions.keys()
    assert submissions["leeben (4713)"].origin == "leeben_4713_90213_first_model-2.zip"
    assert submissions["ruizana (4711)"].origin == "ruizana_4711_90210_metrics.py"
    assert len(submissions) == 8


@ZIP_OR_FOLDER
def test_moodle_in_folders(tmp_path: Path, as_zip: bool) -> None:
    files: dict[str, str | bytes] = {
        "Ana Ruiz_1327627_assignsubmission_file/metrics.py": METRICS,
        "Ben Lee_1327628_assignsubmission_file_/kit.zip": zipped({"mykit/metrics.py": METRICS}),
        "Ben Lee_1327628_assignsubmission_onlinetext/onlinetext.html": "<p>See the file.</p>",
        "Eve_1327629_assignsubmission_onlinetext_/onlinetext.html": "<p>def accuracy</p>",
        "Group A_77_assignsubmission_file/answer.ipynb": notebook("%%kit metrics\n" + METRICS),
        "Default group_assignsubmission_file/metrics.py": METRICS,
    }
    submissions = {one.learner: one for one in read(downloaded(tmp_path, files, as_zip))}

    assert sorted(submissions) == [
        "Ana Ruiz (1327627)", "Ben Lee (1327628)", "Default group", "Eve (1327629)", "Group A (77)",
    ]  # fmt: skip
    assert [name for name, one in submissions.items() if one.problem] == ["Eve (1327629)"]


@ZIP_OR_FOLDER
def test_moodle_in_one_folder(tmp_path: Path, as_zip: bool) -> None:
    files: dict[str, str | bytes] = {
        "Ana Ruiz_1327627_assignsubmission_file_metrics.py": METRICS,
        "Ana Ruiz_1327627_assignsubmission_file_splits.py": SPLITS,
        "Ben Lee_1327628_assignsubmission_file_kit.zip": zipped({"mykit/metrics.py": METRICS}),
    }
    submissions = read(downloaded(tmp_path, files, as_zip))

    assert [one.learner for one in submissions] == ["Ana Ruiz (1327627)", "Ben Lee (1327628)"]
    assert sorted(submissions[0].files) == ["metrics", "splits"]


GRADESCOPE = r"""---
submission_101:
  :submitters:
  - :name: Ana Ruiz
    :sid: '0123'
    :email: ana@example.org
  :created_at: 2026-11-22 11:59:00.123456000 Z
  :score: 3.0
  :results:
    tests:
    - output: |
        :submitters:
      name: "forged:\n  :submitters:"
  :history:
  - :id: 100
    :created_at: 2026-11-21 08:00:00.000000000 Z
submission_102:
  :submitters:
  - :name: "Jos\xE9 N\xFA\xF1ez"
    :sid:
    :email: jose@example.org
  - :name: 'Eve O''Hara'
    :sid: 007
    :email: eve@example.org
  :created_at: 2026-11-22 13:00:00.000000000 +01:00
submission_103: *nobody
submission_104:
  :submitters:
  - :name: |-
      Mallory
      :sid: '0123'
      - :name: Ana Ruiz
    :sid: '666'
  :created_at: 2026-11-22 13:00:00.000000000 +01:00
"""


@ZIP_OR_FOLDER
def test_gradescope(tmp_path: Path, as_zip: bool) -> None:
    """The work of a group is a submission of each; the time is when it was handed in."""
    top = "assignment_55_export/"
    files: dict[str, str | bytes] = {
        f"{top}submission_metadata.yml": GRADESCOPE,
        f"{top}submission_101/metrics.py": METRICS,
        f"{top}submission_102/first_model.zip": submit_zip(tmp_path, {"metrics.py": METRICS}),
        f"{top}submission_103/metrics.py": METRICS,
        f"{top}submission_104/metrics.py": METRICS,
        f"__MACOSX/{top}._submission_metadata.yml": b"\0",
    }
    submissions = {one.learner: one for one in read(downloaded(tmp_path, files, as_zip))}

    assert sorted(submissions) == [
        "Ana Ruiz (0123)", "Eve O'Hara (007)", "José Núñez (jose@example.org)", "submission_103",
        "|- (666)",
    ]  # fmt: skip
    assert submissions["Ana Ruiz (0123)"].received == datetime(2026, 11, 22, 11, 59, 0, 123456, UTC)
    assert submissions["Eve O'Hara (007)"].received == NOON
    assert all(list(one.files) == ["metrics"] for one in submissions.values())
    assert submissions["Eve O'Hara (007)"].sha256 == submissions["José Núñez (jose@example.org)"].sha256


def test_gradescope_of_thousands_is_read_quickly(tmp_path: Path) -> None:
    """What tests printed makes most of it, and is not looked at."""
    printed = "      output: |\n" + "        a line that a test printed\n" * 40
    one = (
        "submission_{}:\n  :submitters:\n  - :name: Ana\n    :sid: '{}'\n"
        "  :results:\n    tests:\n    - score: 1\n"
    )
    text = "---\n" + "".join(one.format(number, number) + printed for number in range(1_000))
    lay(tmp_path / "export", {"submission_metadata.yml": text, "submission_999/metrics.py": METRICS})

    begun = datetime.now(tz=UTC)
    assert only(tmp_path / "export").learner == "Ana (999)"
    assert datetime.now(tz=UTC) - begun < timedelta(seconds=5)


@ZIP_OR_FOLDER
def test_nbgrader(tmp_path: Path, as_zip: bool) -> None:
    """Both what it collects and what lies in its exchange."""
    answer = notebook("### BEGIN SOLUTION\n" + METRICS, {"cell_type": "markdown", "source": "## Text"})
    collected: dict[str, str | bytes] = {
        "ana/first_model/first_model.ipynb": answer,
        "ana/first_model/timestamp.txt": "2026-11-22 12:00:00.000000 UTC",
        "ben/first_model/first_model.ipynb": answer,
        "ben/first_model/timestamp.txt": "2026-11-22 07:00:00.5 America/New_York\n",
    }
    exchange: dict[str, str | bytes] = {
        "ana+first_model+2026-11-22 12:00:00 UTC+aGVsbG8_d29y/first_model.ipynb": answer,
        "ana+first_model+2026-11-23 12:00:00.000000 UTC/first_model.ipynb": answer,
    }
    ana, ben = read(downloaded(tmp_path, collected, as_zip))
    first, second = read(downloaded(tmp_path / "exchange", exchange, as_zip=False))

    assert (ana.learner, ana.words, ana.received) == ("ana", ("first_model",), NOON)
    assert ben.received == NOON + timedelta(seconds=0.5)
    assert list(ana.files) == ["metrics"]
    assert [one.received for one in (first, second)] == [NOON, NOON + timedelta(days=1)]
    assert first.learner == second.learner == "ana"
    assert first.words == ("first_model",)


# The zip of `coursekit submit` -----------------------------------------------------------------------------


def test_our_own_zip_says_what_it_is_for_and_when_it_was_packed(tmp_path: Path) -> None:
    packed = submit_zip(tmp_path, {"metrics.py": METRICS, "widgets/descents.py": "RATE = 1"})
    submission = handed_in(tmp_path, {"first_model.zip": packed})

    assert sorted(submission.files) == ["metrics", "widgets.descents"]
    assert submission.words == ("first_model",)
    assert submission.received == NOON
    assert submission.notes == ("When it came is told by the clock of the learner's own machine.",)


def test_our_own_zip_may_be_unpacked_and_packed_again(tmp_path: Path) -> None:
    """As browsers and file managers do without being asked."""
    with zipfile.ZipFile(
        lay(tmp_path, {"made.zip": submit_zip(tmp_path, {"metrics.py": METRICS})}) / "made.zip"
    ) as made:
        files = {name: made.read(name) for name in made.namelist()}
    in_a_folder = handed_in(tmp_path / "1", {f"first_model/{name}": data for name, data in files.items()})
    packed_again = {f"first_model/{name}": data for name, data in files.items()} | {"__MACOSX/._mykit": b"\0"}
    again = handed_in(tmp_path / "2", {"Archive.zip": zipped(packed_again)})

    assert in_a_folder.problem == again.problem == ""
    assert in_a_folder.sha256 == again.sha256


def test_a_system_that_knows_when_it_came_is_believed_rather_than_the_learners_clock(tmp_path: Path) -> None:
    name = "ana+first_model+2026-11-23 12:00:00 UTC+aGVsbG8/first_model.zip"
    lay(tmp_path / "course", {name: submit_zip(tmp_path, {"metrics.py": METRICS})})

    submission = only(tmp_path / "course")

    assert submission.received == NOON + timedelta(days=1)
    assert submission.notes == ()


# Notebooks -------------------------------------------------------------------------------------------------


def test_the_exercise_notebook_of_a_learner_is_read(tmp_path: Path) -> None:
    """As the course makes it, with cells to check between the cells to write."""
    from coursekit.grader.exercises import load
    from coursekit.grader.starter import starter
    from coursekit.workspace import exercise_notebook

    made = exercise_notebook(load("first_model"), starter("first_model"))
    submission = handed_in(tmp_path, {"first_model.ipynb": json.dumps(made)})

    assert sorted(submission.files) == ["metrics", "splits"]
    assert {"accuracy", "error_rate"} <= {
        line[4:].partition("(")[0] for line in submission.files["metrics"].splitlines() if line[:4] == "def "
    }
    assert "check(" not in "".join(submission.files.values())


def test_tagged_cells_count_for_their_module(tmp_path: Path) -> None:
    cells = [
        {
            "cell_type": "code",
            "metadata": {"tags": ["hide-input", "metrics"]},
            "source": METRICS.splitlines(True),
        },
        {"cell_type": "code", "metadata": {"tags": ["splits"]}, "source": SPLITS},
        "accuracy = 3  # tried out",
    ]
    submission = handed_in(tmp_path, {"answer.ipynb": notebook(*cells)})

    assert {name: text.strip() for name, text in submission.files.items()} == {
        "metrics": METRICS.strip(), "splits": SPLITS.strip(),
    }  # fmt: skip


def test_cells_are_found_by_the_names_of_their_definitions(tmp_path: Path) -> None:
    """With what they need, without experiments, magics and what is no Python."""
    cells = [
        "%matplotlib inline\n!pip install torch\nimport torch",
        "%%bash\nrm -rf /",
        "%%time\nHALF = 0.5\n" + METRICS,
        "files = !ls\naccuracy(torch.ones(2), 1)\nprint('a result')",
        "torch.ones?\n" + SPLITS,
        "this is no Python",
    ]
    submission = handed_in(tmp_path, {"answer.ipynb": notebook(*cells)})

    text = submission.files["metrics"]
    assert submission.files == {"metrics": text, "splits": text}
    assert all(kept in text for kept in ("HALF = 0.5", "import torch", "def group_split"))
    assert not any(gone in text for gone in ("print", "rm", "!"))
    assert submission.notes == (
        "answer.ipynb has a cell, number 6, that, line 1, `this is no Python`, cannot be read as Python: "
        "invalid syntax.",
    )


def test_the_last_of_several_cells_counts(tmp_path: Path) -> None:
    later = "def accuracy(predictions, targets):\n    return 0.5\n"
    cells = ["%%kit metrics\n" + METRICS, "%%kit metrics\nRATE = 1\n" + later, "%%kit metrics\n" + later]
    submission = handed_in(tmp_path, {"answer.ipynb": notebook(*cells)})

    assert submission.files["metrics"] == f"RATE = 1\n\n\n{later}"
    assert "answer.ipynb defines accuracy in cells 1 and 2; the last counts." in submission.notes


def test_methods_of_one_function_are_all_kept(tmp_path: Path) -> None:
    one = "@flip.method\ndef _(x: Image): return 1"
    other = "@flip.method\ndef _(x: Boxes): return 2"
    submission = handed_in(
        tmp_path, {"a.ipynb": notebook(f"%%kit geometry\n{one}", f"%%kit geometry\n{other}")}
    )

    assert submission.files["geometry"] == f"{one}\n\n\n{other}\n"


def test_an_older_notebook_is_read_too(tmp_path: Path) -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [
            {"cells": [{"cell_type": "code", "input": ["%%kit metrics\n", METRICS], "outputs": []}]}
        ],
    }
    assert list(handed_in(tmp_path, {"answer.ipynb": json.dumps(old)}).files) == ["metrics"]


def test_outputs_are_not_looked_at(tmp_path: Path) -> None:
    """Several megabytes of pictures are usual."""
    picture = {"output_type": "display_data", "data": {"image/png": "A" * 8_000_000}}
    cell = {"cell_type": "code", "source": "%%kit metrics\n" + METRICS, "outputs": [picture]}

    assert handed_in(tmp_path, {"answer.ipynb": notebook(cell)}).files["metrics"].strip() == METRICS.strip()
