"""All that a learner's user runs is ended, whatever it is called."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from coursekit.classroom import ordinary_user

USER = 60_001
# `prctl(PR_SET_NAME, ...)`, then a word, so that it is known to be called so by now. Python starts before it
# becomes that user, who may not be able to read where it lies.
CALLS_ITSELF = """
import ctypes, os, time
os.setuid({user})
ctypes.CDLL(None).prctl(15, bytes.fromhex("{name}"), 0, 0, 0)
print("called", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0,
    reason="only root on Linux can become another user",
)
@pytest.mark.parametrize(
    "name", [b"python", b"\xff\x85", b"\rState:\tZ", b"\nUid:\t0", b"\x1cx", b"a:b"], ids=repr
)
def test_no_name_saves_a_process_from_its_end(name: bytes) -> None:
    code = CALLS_ITSELF.format(user=USER, name=name.hex())
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as started:
        try:
            assert started.stdout is not None
            assert started.stdout.readline() == b"called\n"

            ordinary_user._end_all_of(USER)

            assert started.wait(10) == -9
        finally:
            started.kill()
    assert not ordinary_user._has_processes(USER)
