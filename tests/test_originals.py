"""Our modules, read and compiled once; what has changed is read again."""

from __future__ import annotations

import os
from pathlib import Path

from coursekit import api, definitions
from coursekit.originals import Original, docstring, get_ready, homes, modules, source_of, statements


def test_every_public_name_has_its_home_among_the_modules() -> None:
    assert sorted(homes()) == sorted(api.__all__)
    assert set(homes().values()) <= set(modules())


def test_a_module_that_is_ready_is_not_read_again() -> None:
    get_ready(["splits", "metrics"])
    path, text = source_of("splits")
    before = statements.cache_info().misses, docstring.cache_info().misses

    assert [one.names for one in statements(text, str(path))] == [one.names for one in definitions.read(text)]
    assert (docstring(text) or "").startswith("Hold some items back")
    assert (statements.cache_info().misses, docstring.cache_info().misses) == before


def test_the_code_of_a_file_is_new_when_the_file_is(tmp_path: Path) -> None:
    file = tmp_path / "thing.py"
    file.write_text("value = 1\n")
    first = Original("a.thing", str(file)).get_code("a.thing")
    assert Original("b.thing", str(file)).get_code("b.thing") is first
    file.write_text("value = 2\n")
    os.utime(file, ns=(1, 1))

    names: dict[str, object] = {}
    second = Original("a.thing", str(file)).get_code("a.thing")
    assert second is not None
    exec(second, names)
    assert names["value"] == 2
