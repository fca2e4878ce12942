"""A file of tensors comes back as it was, is written whole or not at all, and can do no harm."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from coursekit.tensor_files import read_file, write_file

FORM = "numbers 1"


def forged(file: Path, header: Any, numbers: bytes = b"") -> None:
    """A file with a header of one's own."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + numbers)


def with_text(file: Path, text: str) -> None:
    """A file that is sound, but for the JSON in it."""
    save_file({}, file, {"coursekit": f"{FORM}\n{zlib.crc32(text.encode())}\n{text}"})


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    data = {
        "plain": [None, True, 3, 10**30, 0.1, float("inf"), "ü", [], {}, (1, [2])],
        3: {"deep": {(1, 2): "a tuple as a name"}},
        "tensors": [
            torch.tensor(2.5),
            torch.zeros(0, 3),
            torch.tensor([True]),
            torch.ones(2, dtype=torch.bfloat16),
        ],
        "turned": torch.arange(6).reshape(2, 3).T,
        "part": torch.arange(6)[::2],
    }
    write_file(tmp_path / "x", data, FORM)
    found = read_file(tmp_path / "x", FORM)

    assert found["plain"] == data["plain"]
    assert found[3] == data[3]
    for one, two in zip(found["tensors"], data["tensors"], strict=True):
        assert one.dtype == two.dtype
        assert torch.equal(one, two)
    assert torch.equal(found["turned"], data["turned"])
    assert torch.equal(found["part"], data["part"])


def test_others_read_its_tensors_by_their_paths(tmp_path: Path) -> None:
    write_file(tmp_path / "x", {"model": {"weight": torch.ones(2)}}, FORM)

    assert list(load_file(tmp_path / "x")) == ["model.weight"]


def test_two_savings_of_the_same_are_the_same_file(tmp_path: Path) -> None:
    for name in "xy":
        write_file(tmp_path / name, {"b": torch.ones(2), "a": 1}, FORM)

    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_what_is_no_data_is_named_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(
        TypeError, match=r"a file holds numbers.*; state\.0\.seen is of the type set\. Let state_dict"
    ):
        write_file(tmp_path / "x", {"state": [{"seen": {1}}]}, FORM)
    with pytest.raises(ValueError, match="two tensors would have one name"):
        write_file(tmp_path / "x", {"a.b": torch.ones(1), "a": {"b": torch.zeros(1)}}, FORM)
    assert list(tmp_path.iterdir()) == []


class Harm:
    """What a pickle would run when it is loaded."""

    def __reduce__(self) -> tuple:
        return os.mkdir, ("harmed",)


HOSTILE: dict[str, Any] = {
    "a pickle": lambda file: file.write_bytes(pickle.dumps(Harm())),
    "torch's pickle": lambda file: torch.save({"a": torch.ones(1)}, file),
    "nothing": lambda file: file.write_bytes(b""),
    "a header as long as the world": lambda file: file.write_bytes(struct.pack("<Q", 2**62) + b"{}"),
    "a tensor larger than the file": lambda file: forged(
        file, {"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}, b"0123"
    ),
    "sizes that overflow": lambda file: forged(
        file, {"a": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 4]}}, b"0123"
    ),
    "tensors that overlap": lambda file: forged(
        file, {name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for name in "ab"}, b"0123"
    ),
    "JSON nested without end": lambda file: forged(file, b'{"a":' * 50_000),
    "data nested without end": lambda file: with_text(file, "[" * 100_000 + "]" * 100_000),
    "data nested deeper than Python": lambda file: with_text(file, "[" * 900 + "]" * 900),
    "a number without end": lambda file: with_text(file, "9" * 1_000_000),
    "a tensor that is not there": lambda file: with_text(file, '{"tensor": "../../secret"}'),
    "a word that is never written": lambda file: with_text(
        file, '{"make": "os.system", "of": ["mkdir harmed"]}'
    ),
    "names that are no names": lambda file: with_text(file, '{"dict": [[[1], 2]]}'),
    "pairs that are no pairs": lambda file: with_text(file, '{"dict": [1, 2]}'),
    "no checksum": lambda file: save_file({"a": torch.ones(1)}, file, {"coursekit": FORM}),
    "no word on what it is": lambda file: save_file({"a": torch.ones(1)}, file),
    "a version that is no number": lambda file: write_file(file, 1, "numbers ⅷ"),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_file_is_one_sentence_and_runs_nothing(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    HOSTILE[how](tmp_path / "x")
    with pytest.raises(ValueError, match=r"x could not be read as a numbers: ") as error:
        read_file(tmp_path / "x", FORM)

    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_only_ordinary_files_are_opened(tmp_path: Path) -> None:
    write_file(tmp_path / "real", 1, FORM)
    (tmp_path / "link").symlink_to("real")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "."):
        with pytest.raises(ValueError, match="is no ordinary file but a link, a folder or a device"):
            read_file(tmp_path / name, FORM)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "nothing", FORM)


def test_files_belong_together_by_their_checksum(tmp_path: Path) -> None:
    first = write_file(tmp_path / "x", {"a": torch.ones(1)}, FORM)

    assert read_file(tmp_path / "x", FORM, wanted=first) == {"a": torch.ones(1)}
    with pytest.raises(ValueError, match="it was not saved together with the file beside it"):
        read_file(tmp_path / "x", FORM, wanted="1")
