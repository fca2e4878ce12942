"""`coursekit doctor` says what is wrong in a sentence each."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from coursekit import diagnosis


def test_this_machine_is_sound():
    found = list(diagnosis.findings())

    assert all(fine for fine, _ in found), found
    assert (True, "cpu computes rightly") in found


def test_a_python_that_is_too_old(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    fine, sentence = diagnosis.python()

    assert not fine
    assert sentence.endswith("coursekit is tried with 3.11, 3.12 and 3.13 alone.")


def test_a_workspace_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(dir: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("COURSEKIT_WORKSPACE", str(tmp_path))
    monkeypatch.setattr(diagnosis.tempfile, "TemporaryFile", refuse)

    assert diagnosis.place() == (
        False,
        f"The workspace {tmp_path} cannot be written to (Permission denied): "
        "choose another with COURSEKIT_WORKSPACE=FOLDER.",
    )


def test_a_torch_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch):
    def broken(name: str) -> Any:
        raise OSError("libcudnn.so.9: no such file")

    monkeypatch.setattr(importlib, "import_module", broken)

    assert list(diagnosis.devices()) == [
        (
            False,
            "torch cannot be imported (OSError: libcudnn.so.9: no such file): install it again.",
        )
    ]


def test_a_device_that_is_there_but_does_not_compute():
    def ones(*size: int, device: str) -> Any:
        raise RuntimeError("CUDA error: out of memory\nCompile with `TORCH_USE_CUDA_DSA`")

    torch = types.SimpleNamespace(ones=ones)

    assert diagnosis._computes(torch, "cuda:0") == (
        False,
        "cuda:0 is there but does not compute: CUDA error: out of memory",
    )
