"""What `import coursekit as kit` offers: one list, kept in order, each name with words and an example."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import coursekit
from coursekit import api

PACKAGE = Path(coursekit.__file__).parent


def test_the_list_is_what_is_shown() -> None:
    """Every name the file defines is in `__all__`, in order, and `dir(kit)` says the same."""
    defined = [
        name for name, value in vars(api).items() if not name.startswith("_") and not inspect.ismodule(value)
    ]
    defined.remove("annotations")

    assert sorted(defined) == list(api.__all__) == sorted(set(api.__all__)) == dir(coursekit)


def test_no_public_name_is_a_module() -> None:
    """Else `kit.show` would be a function or a module, by who asked first."""
    modules = {path.stem for path in PACKAGE.iterdir()}

    assert sorted(modules & set(api.__all__)) == []


@pytest.mark.parametrize("name", api.__all__)
def test_a_public_name_has_words_and_an_example(name: str) -> None:
    value = getattr(coursekit, name)
    words = inspect.getdoc(value) or ""
    first = words.partition("\n")[0]

    assert first.endswith((".", "?", ":")), f"{name}: its first line should be a sentence, and is {first!r}"
    if not (isinstance(value, type) and issubclass(value, Exception)):
        assert ">>> " in words, f"{name} has no example"


def test_nothing_heavy_is_imported_until_a_name_is_asked_for() -> None:
    program = (
        "import sys, coursekit, coursekit.cli; print(sorted({'torch', 'numpy', 'pandas'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"


def test_a_name_that_is_not_there_says_where_to_look() -> None:
    with pytest.raises(AttributeError, match=r"coursekit has no 'Lerner'"):
        coursekit.Lerner  # noqa: B018
