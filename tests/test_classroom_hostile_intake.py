"""What is handed in to break the reader, or is broken: each gets one sentence, and the next learner is read.

Nothing of it is run, unpacked, followed or waited for; and it takes neither much time nor much memory.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from handed_in import METRICS, SPLITS, Content, handed_in, lay, notebook, only, read, zipped

import coursekit
from coursekit.classroom.assembling import MOST_NOTES
from coursekit.classroom.contents import MOST_DEEP, MOST_ITEMS
from coursekit.classroom.intake import read_submissions
from coursekit.classroom.manifest import NAME, digest, written
from coursekit.classroom.submission import Submission

SUBMIT = "hand in the zip that `coursekit submit` makes"
FEW_SECONDS = 5.0  # of one core; most take milliseconds
MEMORY = 400 * 2**20


@pytest.fixture(autouse=True)
def _quick_and_small() -> Iterator[None]:
    begun = time.process_time()
    yield
    assert time.process_time() - begun < FEW_SECONDS


def refused(tmp_path: Path, files: dict[str, Content]) -> str:
    """The problem of a submission of which nothing is graded; the learner beside it is read all the same."""
    lay(tmp_path / "course", {f"ana/{name}": content for name, content in files.items()})
    lay(tmp_path / "course", {"zoe/metrics.py": METRICS})
    *theirs, next_one = read(tmp_path / "course")
    assert (next_one.learner, next_one.problem, list(next_one.files)) == ("zoe", "", ["metrics"])
    (submission,) = theirs
    assert (submission.learner, submission.files) == ("ana", {})
    assert_readable(submission)
    return submission.problem


def left_out(tmp_path: Path, files: dict[str, Content]) -> tuple[str, ...]:
    """What is noted of files that are left out beside a `splits.py` that is graded."""
    submission = handed_in(tmp_path, {**files, "splits.py": SPLITS})
    assert (submission.problem, submission.files) == ("", {"splits": SPLITS})
    assert_readable(submission)
    return submission.notes


def assert_readable(submission: Submission) -> None:
    """Sentences, safe to print, and not too many."""
    said = [*submission.notes, *([submission.problem] if submission.problem else [])]
    assert len(submission.notes) <= MOST_NOTES
    assert all(sentence.isprintable() and sentence.endswith(".") for sentence in said)
    assert all(len(sentence) < 800 for sentence in said)
    assert submission.learner.isprintable()
    assert submission.origin.isprintable()


# Text ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (METRICS.encode("utf-16"), "is text in UTF-16; save it as UTF-8"),
        (b"\xfe\xff" + METRICS.encode("utf-16-be"), "is text in UTF-16; save it as UTF-8"),
        (METRICS.encode("utf-16-le"), "holds a NUL byte, which Python does not read"),
        ("# naïve\n".encode("latin-1"), "is no text in UTF-8; save it as UTF-8"),
        (b"# -*- coding: latin-1 -*-\n# na\xefve\n", "is no text in UTF-8; save it as UTF-8"),
        (b"\xed\xa0\x80", "is no text in UTF-8; save it as UTF-8"),
        (METRICS.encode() + b"\0", "holds a NUL byte, which Python does not read"),
        (bytes(range(256)), "is no text in UTF-8; save it as UTF-8"),
        (b"PK\x03\x04" + bytes(100), "holds a NUL byte, which Python does not read"),
        (b"#" * 100_001, "is larger than 100,000 bytes"),
    ],
)
def test_what_is_no_text_of_python_is_left_out(tmp_path: Path, data: bytes, said: str) -> None:
    assert left_out(tmp_path, {"metrics.py": data}) == (f"metrics.py was left out: it {said}.",)


NESTED = {
    "elif": "if a: pass\n" + "elif a: pass\n" * 5_000,
    "attributes": "a" + ".b" * 40_000,
    "calls": "a" + "()" * 40_000,
    "sums": "+".join(["a"] * 40_000),
    "branches": "1 if a else " * 4_000 + "1",
    "brackets": "x = " + "[" * 190 + "]" * 190,
}
TANGLED = {
    "signs": "-" * 99_000 + "1",
    "nots": "not " * 20_000 + "1",
    "lambdas": "lambda:" * 10_000 + "1",
    "parentheses": "(" * 40_000 + ")" * 40_000,
    "open brackets": "[" * 99_000,
    "open dictionaries": "{1:" * 30_000,
    "awaits": "await " * 10_000 + "1",
    "stars": "*" * 90_000,
    "powers of nothing": "**" * 40_000,
    "formats in formats": "f'{" * 20_000,
    "decorators": "@" * 90_000,
    "walrus": "(a:=" * 90 + "1" + ")" * 90,
    "a long number": "9" * 99_000,
    "a number of digits": "x = 0x" + "f" * 99_000,
    "a huge power": "x = 9**9**9**9",
    "a huge text": "x = 'a' * 10**12",
    "a huge shift": "x = 1 << 10**12",
    "one long line": "a = " + "1, " * 10_000,
    "a long name": "a" * 99_000,
    "names that grow": "\ufdfa" * 30_000 + " = 1",
    "marks on marks": "# " + "e\u0301" * 30_000,
    "many formats": 'f"' + "{a}" * 5_000 + '"',
    "many lines": "a\n" * 10_000,
    "line ends": "\r\n\x0c\x0b\x85\u2028" * 9_000,
    "backslashes": "\\\n" * 40_000,
    "an open text": "'''" + "a" * 90_000,
    "escapes that are none": "'" + "\\d" * 40_000 + "'",
    "tall indents": "".join(" " * deep + "if a:\n" for deep in range(99)) + " " * 99 + "a",
    "nested functions": "".join(" " * deep + "def f():\n" for deep in range(99)) + " " * 99 + "pass",
    "spaces": " " * 90_000 + "x\n(",
    "names of another alphabet": "".join(f"\u0430ccurac{number} = 1\n" for number in range(4_000)),
    "half characters": "'\\ud800' * 3",
}

COPIED = {
    "in one another": "".join(" " * deep + "try: a\n" + " " * deep + "finally:\n" for deep in range(18))
    + " " * 18
    + "a",
    "with many returns": "def f():\n try:\n"
    + "  if a: return\n" * 2_000
    + " finally:\n"
    + "  a; b; c\n" * 2_000,
    "with many continues": "for a in b:\n try:\n"
    + "  if a: continue\n" * 2_000
    + " finally:\n"
    + "  a; b; c\n" * 2_000,
}


@pytest.mark.parametrize("text", COPIED.values(), ids=COPIED)
def test_text_that_grows_when_it_is_compiled_is_left_out(tmp_path: Path, text: str) -> None:
    notes = left_out(tmp_path, {"metrics.py": text})

    assert notes == ("metrics.py was left out: it has `finally` with too many ways through it to be read.",)


def test_many_cells_that_grow_are_too_much_together(tmp_path: Path) -> None:
    grows = (
        "".join(" " * deep + "try: a\n" + " " * deep + "finally:\n" for deep in range(14)) + " " * 14 + "a"
    )

    assert left_out(tmp_path, {"a.ipynb": notebook(*[grows] * 150)}) == (
        "a.ipynb was left out: it has too much code in it.",
    )


def test_an_ordinary_finally_is_fine(tmp_path: Path) -> None:
    inner = "        try: print(p)\n        finally: print(t)\n"
    text = f"def accuracy(p, t):\n    try:\n        return 1\n    finally:\n{inner}"

    assert handed_in(tmp_path, {"metrics.py": text}).files == {"metrics": text}


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
def test_text_nested_too_deeply_to_be_walked_through_is_left_out(tmp_path: Path, text: str) -> None:
    notes = left_out(tmp_path, {"metrics.py": text})

    assert notes == ("metrics.py was left out: it is nested too deeply to be read.",)


@pytest.mark.parametrize("text", TANGLED.values(), ids=TANGLED)
def test_text_made_to_choke_a_parser_chokes_nothing(tmp_path: Path, text: str) -> None:
    """Passed on or left out: what is passed on can be parsed and walked through by whoever reads it next."""
    import ast

    submission = handed_in(tmp_path, {"metrics.py": text, "splits.py": SPLITS})

    assert_readable(submission)
    for passed_on in submission.files.values():
        try:
            ast.unparse(ast.parse(passed_on))
        except (SyntaxError, ValueError):
            continue


@pytest.mark.parametrize(
    "text", [*NESTED.values(), *TANGLED.values(), *COPIED.values()], ids=[*NESTED, *TANGLED, *COPIED]
)
def test_the_same_in_a_file_of_no_module_and_in_a_cell(tmp_path: Path, text: str) -> None:
    cells = [text[:40_000], f"%%kit metrics\n{text[:40_000]}", "%%kit splits\n" + SPLITS]
    files: dict[str, Content] = {"solution.py": text, "a.ipynb": notebook(*cells)}
    submission = handed_in(tmp_path, files)

    assert submission.files["splits"].strip() == SPLITS.strip()
    assert_readable(submission)


def test_nothing_is_run(tmp_path: Path) -> None:
    """Neither on reading nor on asking what it defines, as annotations, defaults and decorators would be."""
    mark = tmp_path / "was run"
    run = f"open({str(mark)!r}, 'w')"
    text = (
        f"{run}\n@{run}\ndef accuracy(a: {run} = {run}) -> {run}: pass\nclass A(metaclass={run}): b = {run}\n"
    )
    files = {"metrics.py": text, "solution.py": text, "a.ipynb": notebook(f"!touch '{mark}'", text)}
    files |= {
        "mine/sitecustomize.py": text,
        "mine/conftest.py": text,
        "mine/accuracy.pth": f"import os; {run}",
    }
    lay(tmp_path / "course", {f"ana/{name}": content for name, content in files.items()})

    assert read(tmp_path / "course")
    assert not mark.exists()


def test_letters_that_are_not_what_they_seem_are_told(tmp_path: Path) -> None:
    text = "# \u202e turned\ndef \u0430ccuracy(predictions, targets): ...\n"
    submission = handed_in(tmp_path, {"metrics.py": text})

    assert submission.notes == (
        "metrics.py turns the direction of line 1 with the letter U+202E, right-to-left override.",
        "metrics.py defines a name that looks like accuracy but holds the letter U+0430, "
        "cyrillic small letter a.",
    )
    assert_readable(submission)


# Names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["\uff4detrics.py", "m\u0435trics.py", "Metrics.py", "METRICS.PY", "metrics.py.py"]
)
def test_a_name_that_only_looks_like_a_modules_does_not_stand_in_for_it(tmp_path: Path, name: str) -> None:
    """What such a file defines counts by its names, and never before the true one."""
    other = "def accuracy(predictions, targets):\n    return 0\n"
    submission = handed_in(tmp_path, {"metrics.py": METRICS, name: other})

    assert submission.files == {"metrics": METRICS}
    assert submission.notes == (f"For metrics what stands in metrics.py counts, not what stands in {name}.",)


def test_two_files_that_claim_one_module_are_for_a_person_to_decide(tmp_path: Path) -> None:
    files: dict[str, Content] = {"metrics.py": METRICS, "metrics-1.py": METRICS + "# better\n"}

    assert refused(tmp_path, files) == (
        "metrics-1.py and metrics.py both hold metrics, and differ; hand in the one that counts."
    )


@pytest.mark.parametrize(
    "name",
    ["\x1b[2J\x1b]0;owned\x07ana", "ana\r\nben", "a\u202eana", "a\u0000b"[:1] + "\x7f", b"\xff\xfeana"],
)
def test_names_with_escapes_are_shown_and_not_obeyed(tmp_path: Path, name: str | bytes) -> None:
    folder = os.fsdecode(name)
    lay(tmp_path / "course" / folder, {"metrics.py": METRICS, f"no module{folder}.py": "RATE = 1"})

    submission = only(tmp_path / "course")

    assert submission.files == {"metrics": METRICS}
    assert len(submission.notes) == 1
    assert_readable(submission)


def test_a_name_of_nothing_that_can_be_seen_is_a_name(tmp_path: Path) -> None:
    lay(tmp_path / "course", {" /metrics.py": METRICS, "\u2003/metrics.py": METRICS})

    assert [one.learner for one in read(tmp_path / "course")] == ["nobody", "nobody"]


# Folders ---------------------------------------------------------------------------------------------------


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = lay(tmp_path / "elsewhere", {"metrics.py": "SECRET = 1", "mykit/metrics.py": "SECRET = 2"})
    ana = lay(tmp_path / "course", {"ana/splits.py": SPLITS}) / "ana"
    (ana / "metrics.py").symlink_to(secret / "metrics.py")
    (ana / "mykit").symlink_to(secret / "mykit")
    (ana / "round").symlink_to(ana)

    submission = only(tmp_path / "course")

    assert submission.files == {"splits": SPLITS}
    assert submission.notes == tuple(
        f"ana/{name} was left out: it is a link, and links are not followed."
        for name in ("metrics.py", "mykit", "round")
    )


def test_a_link_in_place_of_a_learner_is_refused(tmp_path: Path) -> None:
    lay(tmp_path / "elsewhere", {"metrics.py": "SECRET = 1"})
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "ana").symlink_to(tmp_path / "elsewhere")

    assert only(tmp_path / "course").problem == (
        "Nothing of it can be graded. ana was left out: it is a link, and links are not followed."
    )


def test_pipes_sockets_and_devices_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = lay(tmp_path / "course", {"ana/splits.py": SPLITS}) / "ana"
    os.mkfifo(ana / "metrics.py")
    monkeypatch.chdir(ana)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("losses.py")
        if can_make_devices := os.geteuid() == 0:
            os.mknod(ana / "loop.py", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        submission = only(tmp_path / "course")

    assert submission.files == {"splits": SPLITS}
    assert submission.notes == (
        *(["ana/loop.py was left out: it is a device, not a file."] if can_make_devices else []),
        "ana/losses.py was left out: it is a socket, not a file.",
        "ana/metrics.py was left out: it is a pipe, not a file.",
    )


def test_a_file_that_became_a_pipe_or_a_link_meanwhile_is_not_opened(tmp_path: Path) -> None:
    """The look and the opening are two moments."""
    from coursekit.classroom.contents import LeftOut, in_folder

    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(METRICS)
    a, b = in_folder(tmp_path)
    (tmp_path / "a.py").unlink()
    (tmp_path / "b.py").unlink()
    os.mkfifo(tmp_path / "a.py")
    (tmp_path / "b.py").symlink_to("/etc/passwd")

    with pytest.raises(LeftOut, match="is no ordinary file"):
        a.read(100)
    with pytest.raises(LeftOut, match="cannot be opened"):
        b.read(100)


def test_files_that_may_not_be_read_are_named(tmp_path: Path) -> None:
    """As an ordinary user, since nothing is closed to root."""
    open_to_all = Path(tempfile.mkdtemp())
    open_to_all.chmod(0o755)
    ana = lay(open_to_all / "course", {"ana/splits.py": SPLITS, "ana/metrics.py": METRICS}) / "ana"
    lay(open_to_all / "course", {"ben/metrics.py": METRICS, "zoe/metrics.py": METRICS})
    try:
        (ana / "metrics.py").chmod(0)
        (open_to_all / "course" / "ben").chmod(0)
        said = as_ordinary_user(open_to_all / "course")
    finally:
        (open_to_all / "course" / "ben").chmod(0o700)
        shutil.rmtree(open_to_all)

    assert said == [
        ["ana", ["splits"], "", ["metrics.py was left out: it cannot be opened: Permission denied."]],
        ["ben", [], "Nothing of it can be graded. ben was left out: it cannot be opened: Permission denied.",
         ["ben was left out: it cannot be opened: Permission denied."]],
        ["zoe", ["metrics"], "", []],
    ]  # fmt: skip


def as_ordinary_user(folder: Path) -> list[list[object]]:
    """What somebody who is not root reads of a folder; all that it takes is loaded before."""
    program = """if True:
        import json, os, sys
        from pathlib import Path
        from coursekit.classroom.intake import read_submissions
        folder = Path(sys.argv[1])
        list(read_submissions([folder]))
        if os.getuid() == 0:
            os.setgroups([])
            os.setresgid(60001, 60001, 60001)
            os.setresuid(60001, 60001, 60001)
        told = [[s.learner, sorted(s.files), s.problem, list(s.notes)] for s in read_submissions([folder])]
        print(json.dumps(told))
        """
    root = Path(coursekit.__file__).parents[1]
    command = [sys.executable, "-c", program, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_folder_of_very_many_files_is_refused_before_they_are_looked_at(tmp_path: Path) -> None:
    many = lay(tmp_path / "course", {"ana/metrics.py": METRICS, "zoe/metrics.py": METRICS}) / "ana"
    for number in range(MOST_ITEMS + 1):
        os.close(os.open(many / f"{number}.py", os.O_CREAT))
    ana, zoe = read(tmp_path / "course")

    assert (
        ana.problem
        == f"Nothing of it can be graded. ana was left out: it holds more than {MOST_ITEMS:,} files."
    )
    assert zoe.problem == ""


def test_very_many_files_in_many_folders_are_refused(tmp_path: Path) -> None:
    files = {f"{number // 500}/{number}.txt": "" for number in range(MOST_ITEMS + 1)}

    assert refused(tmp_path, files) == (
        f"Nothing of it was read, as it holds more than {MOST_ITEMS:,} files; {SUBMIT}."
    )


def test_folders_in_folders_without_end_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, {"a/" * 40 + "metrics.py": METRICS}) == (
        f"Nothing of it was read, as it has folders more than {MOST_DEEP} deep; {SUBMIT}."
    )


def test_a_hundred_megabytes_are_not_read(tmp_path: Path) -> None:
    ana = lay(tmp_path / "course", {"ana/splits.py": SPLITS}) / "ana"
    for name in ("metrics.py", "a.ipynb", "b.zip"):
        with (ana / name).open("wb") as stream:
            stream.truncate(100 * 2**20)
    tracemalloc.start()
    submission = only(tmp_path / "course")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 20 * 2**20
    assert submission.files == {"splits": SPLITS}
    assert submission.notes == (
        "a.ipynb was left out: it is larger than 32 MiB.",
        "metrics.py was left out: it is larger than 100,000 bytes.",
        "ana/b.zip: b.zip cannot be read: it is larger than 64 MiB.",
    )


def test_many_large_notebooks_are_too_much_together(tmp_path: Path) -> None:
    ana = lay(tmp_path / "course", {"ana/z.py": METRICS}) / "ana"
    for number in range(6):
        with (ana / f"{number}.ipynb").open("wb") as stream:
            stream.truncate(30 * 2**20)

    submission = only(tmp_path / "course")

    assert submission.files == {"metrics": METRICS}
    assert submission.notes[-1] == "5.ipynb was left out: it is too much: more than 64 MiB were handed in."


@pytest.mark.parametrize("files", [{}, {"essay.docx": "words", ".hidden.py": METRICS}, {"empty/": ""}])
def test_nothing_to_grade_is_said_as_such(tmp_path: Path, files: dict[str, str]) -> None:
    (tmp_path / "course" / "ana").mkdir(parents=True)
    lay(tmp_path / "course" / "ana", {name: text for name, text in files.items() if not name.endswith("/")})
    there = ", only essay.docx" if files.get("essay.docx") else ""

    assert only(tmp_path / "course").problem == (
        f"There is no Python file, notebook or zip archive in it{there}; {SUBMIT}."
    )


def test_an_empty_file_is_not_what_was_asked_for(tmp_path: Path) -> None:
    assert refused(tmp_path, {"solution.py": ""}) == (
        "Nothing of it can be graded. solution.py was left out: it defines nothing that an exercise asks "
        "for; name it after its module, such as metrics.py."
    )


# Archives --------------------------------------------------------------------------------------------------


def member(name: str, mode: int = 0, **about: object) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = mode << 16
    for key, value in about.items():
        setattr(made, key, value)
    return made


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../metrics.py", "would lie outside its archive"),
        ("mykit/../../metrics.py", "would lie outside its archive"),
        ("/etc/metrics.py", "would lie outside its archive"),
        ("\\metrics.py", "would lie outside its archive"),
        ("..\\metrics.py", "would lie outside its archive"),
        ("C:\\metrics.py", "would lie outside its archive"),
        ("C:metrics.py", "would lie outside its archive"),
        ("metrics.py:stream", "would lie outside its archive"),
        ("a/" * 20 + "metrics.py", f"lies more than {MOST_DEEP} folders deep"),
        ("\x1b[31m/../metrics.py", "would lie outside its archive"),
    ],
)
def test_a_member_outside_its_archive_is_left_out(tmp_path: Path, name: str, said: str) -> None:
    notes = left_out_of(tmp_path, [(name, METRICS)])

    assert len(notes) == 1
    assert notes[0].endswith(f"was left out: it {said}.")


def left_out_of(tmp_path: Path, members: list[tuple[str | zipfile.ZipInfo, Content]]) -> tuple[str, ...]:
    """What is noted of members that are left out of an archive, beside a `splits.py` that is graded."""
    submission = handed_in(tmp_path, {"kit.zip": zipped([*members, ("splits.py", SPLITS)])})
    assert (submission.problem, submission.files) == ("", {"splits": SPLITS})
    assert_readable(submission)
    return submission.notes


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (stat.S_IFLNK, "is a link, and links are not followed"),
        (stat.S_IFIFO, "is a pipe, not a file"),
        (stat.S_IFCHR, "is a device, not a file"),
        (stat.S_IFSOCK, "is a socket, not a file"),
    ],
)
def test_links_and_devices_in_an_archive_are_left_out(tmp_path: Path, kind: int, said: str) -> None:
    notes = left_out_of(tmp_path, [(member("metrics.py", kind | 0o777), "/etc/passwd")])

    assert notes == (f"ana/kit.zip/metrics.py was left out: it {said}.",)


@pytest.mark.parametrize("second", [METRICS, METRICS + "# other\n"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_left_out(tmp_path: Path, second: str) -> None:
    """Unpackers do not agree on which of the two there is."""
    notes = left_out_of(tmp_path, [("metrics.py", METRICS), ("./metrics.py", second)])

    assert notes == ("ana/kit.zip/metrics.py was left out: it stands in its archive twice.",)


@pytest.mark.parametrize(
    "members",
    [[("metrics.py", METRICS), ("metrics.py/x.py", "")], [("metrics.py/x.py", ""), ("metrics.py", "")]],
)
def test_a_file_that_is_a_folder_too_is_left_out(tmp_path: Path, members: list[tuple[str, str]]) -> None:
    notes = left_out_of(tmp_path, list(members))

    assert notes == ("ana/kit.zip/metrics.py was left out: it stands in its archive twice.",)


def test_a_password_is_asked_for_in_vain(tmp_path: Path) -> None:
    data = bytearray(zipped({"metrics.py": METRICS}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1

    assert refused(tmp_path, {"kit.zip": bytes(data)}).startswith("kit.zip holds no Python file")
    (zoe, ana) = sorted(read(tmp_path / "course"), key=lambda one: one.learner, reverse=True)
    assert ana.notes == ("ana/kit.zip/metrics.py was left out: it is locked with a password.",)
    assert not zoe.notes


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_kinds_of_compression_are_not_opened(tmp_path: Path, method: int) -> None:
    """Of these a small piece may become a very large one before anybody can stop it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("metrics.py", METRICS)
    lay(tmp_path / "course", {"ana/kit.zip": buffer.getvalue()})

    assert only(tmp_path / "course").notes == (
        "ana/kit.zip/metrics.py was left out: it is compressed in a way that is not read here.",
    )


def lying(data: bytes, size: int) -> bytes:
    """A zip whose only member says that it has another size than it has, in both places."""
    made = bytearray(data)
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", made, made.index(mark) + at, size)
    return bytes(made)


@pytest.mark.parametrize("size", [len(METRICS) + 1, 99_999])
def test_a_member_that_is_smaller_than_it_says_is_what_it_is(tmp_path: Path, size: int) -> None:
    submission = handed_in(tmp_path, {"kit.zip": lying(zipped({"metrics.py": METRICS}), size)})

    assert submission.files == {"metrics": METRICS}


@pytest.mark.parametrize("size", [0, 10, len(METRICS) - 1])
def test_a_member_that_is_larger_than_it_says_is_left_out(tmp_path: Path, size: int) -> None:
    submission = handed_in(tmp_path, {"kit.zip": lying(zipped({"metrics.py": METRICS}), size)})

    assert submission.problem == (
        "Nothing of it can be graded. metrics.py was left out: "
        "it is damaged, or not as large as its archive says."
    )


def test_a_bomb_that_says_it_is_small_is_not_blown_up(tmp_path: Path) -> None:
    bomb = lying(zipped({"metrics.py": b"#" * 50_000_000}), 1_000)
    tracemalloc.start()
    submission = handed_in(tmp_path, {"kit.zip": bomb})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 20 * 2**20
    assert "damaged" in submission.problem


@pytest.mark.parametrize("name", ["metrics.py", "a.ipynb", "b.zip", "data.bin"])
def test_a_bomb_that_says_how_large_it_is_is_not_opened(tmp_path: Path, name: str) -> None:
    data = zipped({name: b"#" * 70_000_000, "splits.py": SPLITS})
    tracemalloc.start()
    lay(tmp_path / "course", {"ana/kit.zip": data})
    submissions = read(tmp_path / "course")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 20 * 2**20
    assert submissions[0].files == {"splits": SPLITS}


def test_members_made_of_the_same_bytes_are_refused(tmp_path: Path) -> None:
    """A table of contents that names one member many times makes an endless archive of a small one."""
    one = zipped({"metrics.py": METRICS})
    table, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entries = b"".join(
        one[table:end].replace(b"metrics.py", f"metric{n:03}.py"[-10:].encode()) for n in range(50)
    )
    last = bytearray(one[end:])
    struct.pack_into("<HHLL", last, 8, 50, 50, len(entries), table)

    assert refused(tmp_path, {"kit.zip": one[:table] + entries + last}) == (
        "kit.zip cannot be read: it is made to fool its reader: several of its files are the same bytes."
    )


def test_an_archive_of_a_hundred_thousand_files_is_refused_by_its_table(tmp_path: Path) -> None:
    buffer = io.BytesIO(b"")
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0)
    table = b"".join(entry + b"%06d" % number for number in range(100_000))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65_535, 65_535, len(table), 0, 0)
    buffer.write(table + end)
    tracemalloc.start()
    said = refused(tmp_path, {"kit.zip": buffer.getvalue()})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert said == f"kit.zip cannot be read: it holds more than {MOST_ITEMS:,} files."
    assert peak < 40 * 2**20


def test_an_archive_of_some_thousand_files_is_refused_too(tmp_path: Path) -> None:
    data = zipped({f"{number}.py": "" for number in range(MOST_ITEMS + 1)})

    assert refused(tmp_path, {"kit.zip": data}) == (
        f"Nothing of it was read, as it holds more than {MOST_ITEMS:,} files; {SUBMIT}."
    )


def test_an_archive_in_an_archive_in_an_archive_is_not_opened(tmp_path: Path) -> None:
    two = zipped({"two.zip": zipped({"metrics.py": METRICS})})

    assert handed_in(tmp_path / "1", {"one.zip": two}).files == {"metrics": METRICS}
    assert refused(tmp_path / "2", {"zero.zip": zipped({"one.zip": two})}) == (
        "two.zip cannot be read: it is an archive in an archive in an archive."
    )


def test_very_many_kits_are_not_all_graded(tmp_path: Path) -> None:
    """Each would take its time."""
    files = {f"{number}.zip": zipped({"metrics.py": f"RATE = {number}"}) for number in range(200)}

    assert refused(tmp_path, files) == "There are 200 kits in it; hand in the one that counts."


def test_an_archive_that_holds_itself_ends(tmp_path: Path) -> None:
    """Each level is a whole zip again; only so many are opened."""
    data = zipped({"metrics.py": METRICS})
    for _ in range(30):
        data = zipped({"more.zip": data})

    assert refused(tmp_path, {"kit.zip": data}).endswith("it is an archive in an archive in an archive.")


def tarred(kind: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{kind}") as archive:
        archive.addfile(tarfile.TarInfo("metrics.py"), io.BytesIO())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("kit.tar.gz", tarred("gz")),
        ("kit.tgz", tarred("gz")),
        ("kit.tar", tarred("")),
        ("kit.rar", b"Rar!\x1a\x07\x01\x00"),
        ("kit.7z", b"7z\xbc\xaf\x27\x1c"),
    ],
    # The bytes hold the time, and all workers must give a test the same name.
    ids=["tar.gz", "tgz", "tar", "rar", "7z"],
)
def test_other_archives_are_answered_with_what_to_do(tmp_path: Path, name: str, data: bytes) -> None:
    assert refused(tmp_path, {name: data}) == f"{name} cannot be read: it is no zip archive; {SUBMIT}."


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive at all",
        b"Rar!\x1a\x07\x01\x00",
        tarred("gz"),
        zipped({"metrics.py": METRICS})[:-10],
        zipped({"metrics.py": METRICS})[20:],
        b"PK\x05\x06" + b"\xff" * 18,
        b"PK\x06\x06" + b"\xff" * 100 + b"PK\x06\x07" + b"\xff" * 16 + b"PK\x05\x06" + b"\xff" * 18,
    ],
    ids=["empty", "text", "rar", "tar", "no end", "no beginning", "rubbish end", "rubbish of 64 bits"],
)
def test_a_broken_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    assert refused(tmp_path, {"kit.zip": data}).startswith("kit.zip cannot be read: it ")


def test_no_change_of_one_byte_breaks_the_reader(tmp_path: Path) -> None:
    """Each byte of a small zip in turn; read as a course, for speed, and as a learner's."""
    whole = zipped([(member("mykit/metrics.py"), METRICS)])
    lay(tmp_path / "course", {f"a{at:03}.zip": whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
                              for at in range(len(whole))})  # fmt: skip
    submissions = read(tmp_path / "course")

    assert len(submissions) == len(whole)
    for submission in submissions:
        assert_readable(submission)
        assert all(text == METRICS for text in submission.files.values())


# Our own zip -----------------------------------------------------------------------------------------------

NOT_OURS = [b"", b"[]", b"{}", b"[" * 99_000, b"\xff", b"1" * 99_000, b'{"format": 1, "version": 1}']


def packed(kit: dict[str, bytes], **changes: object) -> dict[str, Content]:
    """The members of our own zip; changed afterwards."""
    from datetime import UTC, datetime

    made = json.loads(written(["first_model"], kit, {}, datetime.now(tz=UTC)))
    return {NAME: json.dumps(made | changes), **kit}


@pytest.mark.parametrize("manifest", NOT_OURS)
def test_a_damaged_manifest_is_refused(tmp_path: Path, manifest: bytes) -> None:
    said = refused(tmp_path, {"kit.zip": zipped({NAME: manifest, "mykit/metrics.py": METRICS})})

    assert said == f"{NAME} is damaged; pack it again with `coursekit submit`."


def test_a_manifest_of_the_future_is_refused(tmp_path: Path) -> None:
    members = packed({"mykit/metrics.py": METRICS.encode()}, version=2)

    assert refused(tmp_path, {"kit.zip": zipped(members)}) == (
        f"{NAME} was packed by a newer coursekit than this one, which has to be updated to read it."
    )


@pytest.mark.parametrize(
    "changes", [{"words": 3}, {"files": []}, {"files": {"a.py": 3}}, {"files": {"a.py": {}}}]
)
def test_a_manifest_of_the_wrong_form_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    members = packed({"mykit/metrics.py": METRICS.encode()}, **changes)

    assert refused(tmp_path, {"kit.zip": zipped(members)}).startswith(f"{NAME} is damaged")


def test_files_that_are_not_what_was_packed_are_refused(tmp_path: Path) -> None:
    made = packed({"mykit/metrics.py": METRICS.encode(), "mykit/splits.py": SPLITS.encode()})
    gone = {name: data for name, data in made.items() if "splits" not in name}
    changed = {**made, "mykit/splits.py": "RATE = 1"}
    told = "hand in the zip as `coursekit submit` made it."

    assert refused(tmp_path / "1", {"kit.zip": zipped(gone)}) == (
        f"mykit/splits.py was packed, and is missing; {told}"
    )
    assert refused(tmp_path / "2", {"kit.zip": zipped(changed)}) == (
        f"mykit/splits.py is not the file that was packed; {told}"
    )


def test_a_manifest_cannot_point_outside_and_adds_nothing(tmp_path: Path) -> None:
    outside = {"../../secret.py": {"sha256": digest(b""), "bytes": 0}}
    members = packed({"mykit/metrics.py": METRICS.encode()})
    more = zipped({**members, "mykit/splits.py": SPLITS})

    assert refused(tmp_path / "1", {"kit.zip": zipped(packed({}, files=outside))}).startswith(
        "../../secret.py was"
    )
    added = handed_in(tmp_path / "2", {"kit.zip": more})
    assert list(added.files) == ["metrics"]
    assert "mykit/splits.py was left out: it was not packed by `coursekit submit`." in added.notes


def test_what_a_manifest_says_of_times_and_points_decides_nothing(tmp_path: Path) -> None:
    for packed_at in ("yesterday", 3, None, "2026-11-22T10:00:00", "9999-99-99", "2026-11-22"):
        members = packed({"mykit/metrics.py": METRICS.encode()}, packed=packed_at, checked="100%")
        folder = tmp_path / str(packed_at)

        assert handed_in(folder, {"kit.zip": zipped(members)}).received is None


# Notebooks -------------------------------------------------------------------------------------------------

BROKEN = "is broken: no notebook can be read from it; open it, and save it again"
OLD = "is no notebook in the form of today; open it in Jupyter, and save it again"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", BROKEN),
        ("{", BROKEN),
        ('{"nbformat": 4, "cells": [', BROKEN),
        ("[" * 100_000, BROKEN),
        ('{"a":' * 100_000, BROKEN),
        ('{"nbformat": ' + "9" * 100_000 + "}", BROKEN),
        (notebook("x").encode("utf-16"), "is no text in UTF-8, so no notebook"),
        (b"\xff\xff", "is no text in UTF-8, so no notebook"),
        ("[]", "is no notebook: it is JSON of another kind"),
        ("3", "is no notebook: it is JSON of another kind"),
        ("{}", OLD),
        ('{"nbformat": 2, "worksheets": []}', OLD),
        ('{"nbformat": 5, "cells": []}', OLD),
        ('{"nbformat": "4", "cells": []}', OLD),
        ('{"nbformat": 4}', "is no notebook that can be read: it has no cells"),
        ('{"nbformat": 4, "cells": {}}', "is no notebook that can be read: it has no cells"),
        ("[" + "[]," * 1_000_000 + "[]]", "has too much in it; clear its outputs and save it again"),
        (notebook("a = 1\n" * 20_000), "has more than 100,000 letters of code"),
    ],
)
def test_a_notebook_that_is_none_is_left_out(tmp_path: Path, content: Content, said: str) -> None:
    assert left_out(tmp_path, {"answer.ipynb": content}) == (f"answer.ipynb was left out: it {said}.",)


@pytest.mark.parametrize(
    "content",
    [
        notebook(),
        json.dumps({"nbformat": 4, "cells": [3, None, [], {}, {"cell_type": "code", "source": 3}]}),
        notebook({"cell_type": "code", "source": [1, None, []], "metadata": 3}),
        notebook({"cell_type": "code", "source": "x = 1", "metadata": {"tags": 3}}),
        notebook({"cell_type": "code", "source": "x = 1", "metadata": {"tags": [3, [], {}]}}),
        notebook({"cell_type": "code", "source": "def accuracy(): ...\0"}),
        notebook({"cell_type": "raw", "source": METRICS}, {"cell_type": "markdown", "source": METRICS}),
        json.dumps({"nbformat": 3, "worksheets": [3, {}, {"cells": [3, {"cell_type": "code", "input": 3}]}]}),
        json.dumps({"nbformat": 3, "worksheets": {"cells": 3}}),
        json.dumps({"nbformat": 3}),
        notebook("%%bash\nrm -rf /", "%%html\n<script>", "%%writefile metrics.py\n" + METRICS),
        "\ufeff" + notebook("print('nothing')"),
    ],
)
def test_a_notebook_with_nothing_that_counts_says_how_to_mark_it(tmp_path: Path, content: str) -> None:
    assert left_out(tmp_path, {"answer.ipynb": content}) == (
        "answer.ipynb was left out: it defines nothing that an exercise asks for; begin a cell with %%kit "
        "and its module.",
    )


@pytest.mark.parametrize(
    "line", ["", "no_module", "../../etc/passwd", "\x1b[2J", "metrics splits", "x" * 50_000]
)
def test_a_cell_for_no_module_is_named(tmp_path: Path, line: str) -> None:
    content = notebook("%%kit metrics\n" + METRICS, f"%%kit {line}\nRATE = 1")
    submission = handed_in(tmp_path, {"answer.ipynb": content})

    assert submission.notes == ("answer.ipynb says %%kit in cell 2, and then no module of coursekit.",)
    assert_readable(submission)


def test_copied_cells_and_ids_are_no_matter(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "id": "same", "metadata": {}, "source": "%%kit metrics\n" + METRICS}
    submission = handed_in(tmp_path, {"answer.ipynb": notebook(cell, cell, cell)})

    assert submission.files == {"metrics": METRICS}
    assert submission.notes[0] == "answer.ipynb defines accuracy in cells 1 and 2; the last counts."


def test_thousands_of_cells_are_joined_quickly(tmp_path: Path) -> None:
    cells = [f"%%kit metrics\ndef accuracy(): return {number}" for number in range(2_000)]
    submission = handed_in(tmp_path, {"answer.ipynb": notebook(*cells)})

    assert submission.files == {"metrics": "def accuracy(): return 1999\n"}
    assert_readable(submission)


# Downloads -------------------------------------------------------------------------------------------------


def test_names_that_imitate_a_system_are_names(tmp_path: Path) -> None:
    names = [
        "_1_2_a.py",
        "a_1_2_.py",
        "__LATE_1_2_x.py",
        "+a+2026-13-45 99:99:99+x",
        "x_assignsubmission_y",
        "a++b",
    ]
    lay(tmp_path / "course", {(n if n.endswith(".py") else f"{n}/metrics.py"): METRICS for n in names})

    for submission in read(tmp_path / "course"):
        assert_readable(submission)
        assert submission.received is None


BAD_METADATA = {
    "nothing": "",
    "no yaml": "submission_1:\n  :submitters: [[[\n",
    "endless": "submission_1:\n  :submitters:\n  - :name: &a [x, x]\n"
    + "".join(f"  - :name: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)),
    "objects": "submission_1:\n  :submitters:\n  - :name: !!python/object/apply:os.system ['touch owned']\n",
    "deep": "submission_1:\n  :submitters: " + "[" * 50_000 + "\n",
    "long": "submission_1:\n  :submitters:\n" + "  - :name: a\n" * 100_000,
    "keys": "submission_1:\n  :submitters:\n  - 3\n  - {}\n  - :sid: 3\n",
}


@pytest.mark.parametrize("text", BAD_METADATA.values(), ids=BAD_METADATA)
def test_metadata_that_is_none_costs_the_names_and_not_the_submissions(tmp_path: Path, text: str) -> None:
    lay(tmp_path / "export", {"submission_metadata.yml": text, "submission_1/metrics.py": METRICS})

    submissions = read(tmp_path / "export")

    assert all(list(one.files) == ["metrics"] for one in submissions)
    assert submissions
    for one in submissions:
        assert_readable(one)
    assert not Path("owned").exists()


# All together ----------------------------------------------------------------------------------------------


def test_one_reader_survives_it_all_with_little_memory(tmp_path: Path) -> None:
    """A hundred and fifty learners, most of them hostile: each has a row, in order, and memory stays flat."""
    bomb = zipped({"metrics.py": b"#" * 2_000_000})
    made: list[Callable[[], dict[str, Content]]] = [
        lambda: {"metrics.py": METRICS},
        lambda: {"kit.zip": bomb},
        lambda: {"metrics.py": "a" + ".b" * 1_000, "a.ipynb": "[" * 50_000},
    ]
    for number in range(150):
        files = made[number % 3]()
        lay(tmp_path / "course" / f"learner {number:03}", files)
    seen = 0
    tracemalloc.start()
    for submission in read_submissions([tmp_path / "course"]):
        assert submission.learner == f"learner {seen:03}"
        assert bool(submission.problem) == bool(seen % 3)
        seen += 1
        if seen == 30:
            tracemalloc.reset_peak()
            after_some = tracemalloc.get_traced_memory()[0]
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert seen == 150
    assert now - after_some < 2 * 2**20
    assert peak < MEMORY
