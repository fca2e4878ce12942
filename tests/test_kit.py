"""A learner's definitions stand in for ours, by name, inside our other modules too."""

from __future__ import annotations

import importlib
import importlib.resources
import inspect
import os
import pickle
import subprocess
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas
import pytest
import torch
from matplotlib import pyplot
from test_setup import environment, interpreter

import coursekit
from coursekit.grader.exercises import load
from coursekit.grader.mistakes import as_files
from coursekit.kit import (
    KitError,
    KitWarning,
    drop,
    folder_of,
    install,
    modules,
    remove,
    write_files,
    written,
)

ROOT = str(Path(coursekit.__file__).parents[1])
OURS = coursekit.random_split(2)

Write = Callable[[str, str], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty kit, and no trace of it afterwards."""
    kit = tmp_path / "mykit"
    kit.mkdir()
    yield kit
    remove()


@pytest.fixture
def write(folder: Path) -> Write:
    """Write a learner's file."""

    def write(name: str, text: str) -> Path:
        file = folder / name
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    return write


def refused(folder: Path, module: str = "splits") -> str:
    """The one sentence that a kit which cannot be put together gives."""
    with pytest.raises(KitError) as caught:
        importlib.import_module(f".{module}", install(folder=folder).__name__)
    return str(caught.value)


# What stands in for what ----------------------------------------------------------------------------------


def test_an_empty_kit_is_our_library_under_another_name(folder: Path):
    kit = install(folder=folder)

    assert kit.group_split(["a", "b"]) == coursekit.group_split(["a", "b"])
    assert kit.group_split is not coursekit.group_split
    assert kit.group_split.__module__ == "mykit.splits"
    assert dir(kit) == dir(coursekit)


def test_our_functions_use_the_learners_ones(folder: Path, write: Write):
    write(
        "splits.py", "def group_split(groups, valid=0.2, seed=0):\n    return ['mine'], [len(list(groups))]\n"
    )
    kit = install(folder=folder)

    assert kit.random_split(50) == (["mine"], [50])
    assert coursekit.random_split(2) == OURS


def test_other_modules_use_the_learners_definitions(folder: Path, write: Write):
    write("metrics.py", "def accuracy(predictions, targets):\n    return 'mine'\n")
    kit = install(folder=folder)

    assert kit.accuracy(None, None) == "mine"
    assert kit.api.accuracy is kit.metrics.accuracy
    assert kit.Learner.__module__ == "mykit.learner"
    assert coursekit.accuracy is not kit.accuracy


def test_types_of_a_kit_are_not_those_of_another(folder: Path):
    kit = install(folder=folder)

    assert kit.Image is not coursekit.Image
    assert not isinstance(kit.Image(torch.zeros(3, 2, 2)), coursekit.Image)


def test_a_class_a_constant_and_helpers_of_their_own(folder: Path, write: Write):
    write(
        "splits.py",
        """
        from math import floor as whole

        HALF = 0.5

        def half_of(number):
            return whole(number * HALF)

        class Groups(list):
            size = half_of(9)

        Split = Groups

        def group_split(groups, valid=half_of(3), seed=0):
            return Groups([valid]), later()

        def later():
            return ["later"]
        """,
    )
    splits = install(folder=folder).splits

    assert splits.group_split([]) == ([1], ["later"])
    assert splits.Split is splits.Groups
    assert splits.Groups.size == 4


def test_an_imported_name_stands_in_too(folder: Path, write: Write):
    write("splits.py", "from operator import add as random_split\n")

    assert install(folder=folder).splits.random_split(1, 2) == 3


def test_the_learners_order_in_the_file_does_not_matter(folder: Path, write: Write):
    write("splits.py", "def random_split(count): return group_split(count)\n\ndef group_split(x): return x\n")

    assert install(folder=folder).random_split("as it came") == "as it came"


def test_a_starter_counts_as_absent_until_it_is_asked_for(folder: Path, write: Write):
    write("splits.py", "def group_split(groups, valid, seed):\n    raise NotImplementedError('Write it.')\n")

    assert install(folder=folder).random_split(2) == OURS
    with pytest.raises(NotImplementedError, match="Write it"):
        install(folder=folder, asked={"splits.group_split"}).random_split(2)


def test_only_the_chosen_definitions_with_their_helpers(folder: Path, write: Write):
    write(
        "splits.py",
        """
        def helper(): return ["mine"], []

        BROKEN = 1 / 0

        def group_split(groups, valid=0.2, seed=0): return helper()

        def random_split(count): return "never used"
        """,
    )
    kit = install(folder=folder, only={"splits.group_split"})

    assert kit.random_split(3) == (["mine"], [])
    assert not hasattr(kit.splits, "BROKEN")


def test_a_module_that_is_not_chosen_is_ours(folder: Path, write: Write):
    write("splits.py", "this is no Python")

    assert install(folder=folder, only={"metrics.accuracy"}).random_split(2) == OURS


def test_what_is_asked_for_and_not_there_says_so(folder: Path, write: Write):
    write("splits.py", "def group_splits(groups): ...\n")
    kit = install(folder=folder, only={"splits.group_split"})

    with pytest.raises(NotImplementedError) as caught:
        kit.random_split(3)
    assert str(caught.value) == (
        "Write group_split in mykit/splits.py: it is not there yet. "
        "Is group_splits, in line 1, meant to be group_split?"
    )


def test_a_missing_file_leaves_nothing_of_ours_to_pass_with(folder: Path):
    with pytest.raises(
        NotImplementedError, match=r"Write accuracy in mykit/metrics.py: it is not there yet\."
    ):
        install(folder=folder, only={"metrics.accuracy"}).accuracy(1, 2)


def test_a_class_that_is_not_there_says_so_too(folder: Path):
    module = importlib.import_module(
        install(folder=folder, only={"transforms.Pipeline"}).__name__ + ".transforms"
    )

    with pytest.raises(
        NotImplementedError, match=r"Write Pipeline in mykit/transforms.py: it is not there yet\."
    ):
        module.Pipeline()


def test_what_is_written_is_listed_with_its_place(folder: Path, write: Write):
    write(
        "splits.py",
        "def mine(): ...\n\ndef group_split(g): return 1\n\ndef random_split(n): raise NotImplementedError\n",
    )

    assert written(folder) == {"splits.group_split": "mykit/splits.py:3"}


# Where the lines are --------------------------------------------------------------------------------------


def test_a_traceback_shows_each_line_in_its_own_file(folder: Path, write: Write):
    file = write("splits.py", "# Mine.\n\ndef group_split(groups, valid, seed):\n    return 1 / seed\n")

    with pytest.raises(ZeroDivisionError) as caught:
        install(folder=folder).random_split(3)
    ours, theirs = traceback.extract_tb(caught.value.__traceback__)[-2:]

    assert (Path(ours.filename).name, ours.name) == ("splits.py", "random_split")
    assert Path(ours.filename).parent == Path(coursekit.__file__).parent
    assert (theirs.filename, theirs.lineno, theirs.line) == (str(file), 4, "return 1 / seed")


def test_the_source_of_both_sides_can_be_shown(folder: Path, write: Write):
    write("metrics.py", '\n\nclass Recall:\n    """Mine."""\n\ndef accuracy(p, t): return 0\n')
    metrics = install(folder=folder).metrics

    assert inspect.getsource(metrics.accuracy) == "def accuracy(p, t): return 0\n"
    assert inspect.getsource(metrics.Recall) == 'class Recall:\n    """Mine."""\n'
    assert inspect.getsource(metrics.error_rate) == inspect.getsource(coursekit.error_rate)
    assert inspect.getsource(metrics.Metric) == inspect.getsource(coursekit.Metric)


def test_data_files_are_found_under_the_kits_name(folder: Path, write: Write):
    write("sources.py", "MORE = 1\n")
    kit = install(folder=folder)

    assert kit.sources.table()
    assert importlib.resources.files("mykit").joinpath("sources.toml").is_file()


def test_values_of_a_kit_can_be_pickled(folder: Path, write: Write):
    write("splits.py", "def group_split(groups): ...\n")
    kit = install(folder=folder)

    assert pickle.loads(pickle.dumps(kit.group_split)) is kit.group_split


# Again, and elsewhere -------------------------------------------------------------------------------------


def test_dropping_keeps_the_package_and_reads_the_files_again(folder: Path, write: Write):
    write("splits.py", "def group_split(groups, valid=0, seed=0): return 'first'\n\ndef mine(): ...\n")
    kit = install(folder=folder)
    assert kit.random_split(2) == "first"
    write("splits.py", "def group_split(groups, valid=0, seed=0): return 'second'\n")

    assert "mykit.splits" in drop()
    assert importlib.import_module("mykit") is kit
    assert kit.random_split(2) == "second"
    assert not hasattr(kit.splits, "mine")


def test_installing_another_folder_keeps_the_package(folder: Path, write: Write, tmp_path: Path):
    write("splits.py", "def group_split(groups, valid=0, seed=0): return 'first'\n")
    kit = install(folder=folder)

    assert install(folder=tmp_path / "empty") is kit
    assert folder_of() == tmp_path / "empty"
    assert kit.random_split(2) == OURS


def test_two_kits_live_side_by_side(folder: Path, write: Write, tmp_path: Path):
    write("splits.py", "def group_split(groups, valid=0, seed=0): return 'mine'\n")
    mine, theirs = install(folder=folder), install("theirkit", tmp_path / "none")
    try:
        assert (mine.random_split(2), theirs.random_split(2)) == ("mine", OURS)
    finally:
        remove("theirkit")


def test_a_kit_in_a_fresh_process_is_imported_by_its_name_alone(folder: Path, write: Write):
    from coursekit.workspace import Workspace

    Workspace(folder.parent).make()
    write("splits.py", "def group_split(groups, valid=0, seed=0): return 'mine'\n")
    code = (
        "import mykit as kit; from mykit.splits import random_split; print(random_split(2), kit.splits.Split)"
    )
    path = os.pathsep.join([ROOT, os.environ.get("PYTHONPATH", "")])
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.startswith("mine tuple[")


def test_nothing_of_ours_is_left_in_a_whole_kit(folder: Path):
    """All modules come under the kit's name; what puts them together is all that keeps its own."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from coursekit.kit import install, modules, LIBRARY\n"
        "kit = install(folder=sys.argv[2]); [getattr(kit, name) for name in dir(kit)]\n"
        "print([name for name in sys.modules if name.startswith('coursekit')])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, ROOT, str(folder)], capture_output=True, text=True, check=True
    )

    assert answer.stdout == (
        "['coursekit', 'coursekit.definitions', 'coursekit.originals', 'coursekit.kit']\n"
    )


ON_EVERY_PYTHON = """
import inspect, sys, traceback
sys.path.insert(0, sys.argv[1])
from coursekit.kit import KitError, install

kit = install(folder=sys.argv[2])
assert inspect.getsource(kit.splits.Groups) == "class Groups(list):\\n    size = 3\\n"
assert inspect.getsource(kit.splits.group_split).startswith("def group_split")
assert kit.splits.random_split.__module__ == "mykit.splits"
try:
    kit.splits.random_split(3)
except ZeroDivisionError as error:
    print([(frame.lineno, frame.line) for frame in traceback.extract_tb(error.__traceback__)][-1])
"""


@pytest.mark.parametrize("version", environment.SUITABLE)
def test_a_kit_is_put_together_on(version: str, folder: Path, write: Write):
    """Classes know their lines in another way from Python 3.13 on."""
    write(
        "splits.py",
        "# Mine.\n\nclass Groups(list):\n    size = 3\n\n\ndef group_split(*given):\n    return 1 / 0\n",
    )
    answer = subprocess.run(
        [interpreter(version), "-I", "-W", "error", "-c", ON_EVERY_PYTHON, ROOT, str(folder)],
        capture_output=True,
        text=True,
    )

    assert (answer.stdout, answer.stderr) == ("(8, 'return 1 / 0')\n", "")


# What a learner reads -------------------------------------------------------------------------------------


def test_a_misspelt_file(folder: Path, write: Write):
    write("metrcs.py", "def accuracy(p, t): ...\n")

    assert refused(folder) == "mykit/metrcs.py matches no module of coursekit; did you mean metrics.py?"


def test_a_file_that_is_like_no_module(folder: Path, write: Write):
    write("zzz.py", "")

    assert refused(folder).startswith("mykit/zzz.py matches no module of coursekit; there are ")
    assert "metrics.py" in refused(folder)


def test_a_misspelt_file_of_another_exercise_does_not_stop_a_check(folder: Path, write: Write):
    write("lossss.py", "")

    assert install(folder=folder, only={"splits.group_split"})


def test_an_unknown_module_of_a_kit(folder: Path):
    with pytest.raises(ModuleNotFoundError, match="mykit has no module metrix; did you mean metrics\\?"):
        importlib.import_module(f"{install(folder=folder).__name__}.metrix")


def test_a_syntax_error(folder: Path, write: Write):
    write("splits.py", "import random\n\ndef group_split(groups)\n    return 1\n")

    assert refused(folder) == (
        "mykit/splits.py, line 3, `def group_split(groups)`, cannot be read as Python: expected ':'."
    )


def test_a_file_that_is_no_text(folder: Path):
    (folder / "splits.py").write_bytes(b"\xff\xfe\x00")

    assert refused(folder) == "mykit/splits.py cannot be read: it is no text in UTF-8."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("TABLE = {colour: 1}", "NameError: name 'colour' is not defined"),
        ("from .metrics import recal", "ImportError: cannot import name 'recal' from 'mykit.metrics'"),
        ("exit(3)", "SystemExit: 3"),
    ],
)
def test_an_error_while_the_file_is_run(folder: Path, write: Write, line: str, said: str):
    write("splits.py", f"import random\n{line}\n")

    assert refused(folder).startswith(f"mykit/splits.py, line 2, `{line}`, raised {said}")


def test_the_error_behind_it_shows_the_learners_lines_first(folder: Path, write: Write):
    file = write("splits.py", "def table():\n    return {}['a']\n\nTABLE = table()\n")

    with pytest.raises(KitError) as caught:
        _ = install(folder=folder).splits
    cause = caught.value.__cause__
    assert isinstance(cause, KeyError)
    assert [frame.filename for frame in traceback.extract_tb(cause.__traceback__)] == [str(file)] * 2


def test_a_definition_that_our_module_cannot_use(folder: Path, write: Write):
    write("metrics.py", "def Metric(): ...\n")

    sentence = refused(folder, "metrics")
    assert sentence.startswith(
        "mykit/metrics.py does not fit the rest of our metrics.py, which raised TypeError"
    )


@pytest.mark.parametrize("first", ["metrics", "learner"])
def test_a_circle_of_imports(folder: Path, write: Write, first: str):
    write("metrics.py", "from .learner import Learner\n\ndef accuracy(p, t, wanted=Learner): ...\n")

    assert refused(folder, first) == (
        "mykit/metrics.py, line 1, `from .learner import Learner`, closes a circle of imports: what it asks "
        "for needs metrics itself, which is not ready yet. Import it inside the function that uses it."
    )


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (
            "def group_splitt(groups): ...",
            "mykit/splits.py, line 1, defines group_splitt, which our splits does not have; "
            "did you mean group_split?",
        ),
        (
            "def accuracy(p, t): ...",
            "mykit/splits.py, line 1, defines accuracy: that belongs in metrics.py, here nothing uses it.",
        ),
        (
            "from coursekit.metrics import accuracy",
            "mykit/splits.py, line 1, imports coursekit, whose types are not this kit's: "
            "write `from .tensors import Image` and the like.",
        ),
    ],
)
def test_what_probably_should_be_otherwise_is_warned_of(folder: Path, write: Write, text: str, note: str):
    write("splits.py", f"{text}\n")

    with pytest.warns(KitWarning) as caught:
        _ = install(folder=folder).splits
    assert [str(warning.message) for warning in caught] == [note]
    assert caught[0].filename == str(folder / "splits.py")


def test_helpers_of_their_own_are_nothing_to_warn_of(folder: Path, write: Write):
    write("splits.py", "def _group_split(): ...\ndef group_split(): ...\ndef group_splits(): ...\n")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert install(folder=folder).splits.group_splits() is None


def test_every_module_of_the_library_may_be_stood_in_for(folder: Path):
    assert {"metrics", "splits", "learner", "transforms"} <= set(modules())
    assert not any(name.startswith("_") for name in modules())


@pytest.mark.parametrize("number", [0, 1])
def test_the_whole_library_runs_on_a_dispatcher_of_somebody_elses(folder: Path, number: int):
    """Every word of every module: what is shown, turned, encoded and decoded is theirs to choose."""
    write_files(folder, as_files(load("dispatch").right[number].replace))
    kit = install(folder=folder)
    photos = [kit.Image(torch.rand(3, 8, 10)) for _ in range(8)]
    table = pandas.DataFrame({"photo": photos, "label": list("abababab")})
    block = kit.DataBlock(
        inputs=kit.Image, targets=kit.Category, split=kit.random_split(8), item_transforms=[kit.Resize(6)]
    )
    data = block.loaders(table, batch_size=2)
    inputs, _ = data.one_batch()
    kit.show((photos[0], "a photo"))
    data.show_batch(2)

    assert inspect.getsourcefile(kit.method) == str(folder / "dispatch.py")
    assert tuple(inputs.shape) == (2, 3, 6, 6)
    assert data.vocab == ("a", "b")
    assert [type(part).__name__ for part in data.train.items[0]] == ["Image", "Category"]
    with pytest.raises(kit.choices.NoMethodError, match="resize"):
        kit.resize("a photo", 3)
    pyplot.close("all")
