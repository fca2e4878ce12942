"""Jobs are really locked away: what each may do and take, what ends it, and what is left afterwards."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import processes
import pytest

from coursekit.grader.job import CannotStart, Job, Stopped
from coursekit.sandbox import Limits, Sandbox, consumption, shell, why_not
from coursekit.sandbox.call_filter import (
    ALLOW,
    ANSWER,
    ANY_BIT,
    AT_LEAST,
    AUDIT_NAMES,
    CLONE,
    EQUAL,
    FIRST_AT,
    FOURTH_AT,
    IOCTL,
    KILL,
    LOAD,
    MACHINE_AT,
    MMAP,
    NEWEST,
    NO_SUCH_CALL,
    NOT_PERMITTED,
    NUMBER_AT,
    SECOND_AT,
    SOCKET,
    SOCKETPAIR,
    program,
    refused,
)
from coursekit.sandbox.consumption import Process

ROOT = Path(__file__).parent.parent
INSIDE = ["warm", "confinement", "consumption", "holding", "call_filter", "limits", "system_calls"]
MIB = 2**20
# In the runner's place: runs the text it gets and answers with what `answer` is then.
RUNNER = """
import os
from .frames import read_frame, write_frame

def preload(*modules):
    return []

def take_over():
    return os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")

def serve(requests, answers):
    while frame := read_frame(requests):
        names = {"answer": None}
        try:
            exec(frame[0]["text"], names)
        except BaseException as error:
            names["answer"] = f"{type(error).__name__}: {error}"
        write_frame(answers, {"is": "done", "answer": names["answer"]})
"""


def needs_sandbox() -> None:
    """Skip by name where the sandbox cannot be had; on the build machine that is a failure."""
    if reasons := why_not():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(" ".join(reasons))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of nothing but what locks a job away, so that a test takes no seconds."""
    folder = tmp_path_factory.mktemp("library")
    made = folder / "coursekit"
    (made / "sandbox").mkdir(parents=True)
    (made / "grader").mkdir()
    for name in INSIDE:
        shutil.copyfile(ROOT / "coursekit" / "sandbox" / f"{name}.py", made / "sandbox" / f"{name}.py")
    for name in ("frames", "encoding"):
        shutil.copyfile(ROOT / "coursekit" / "grader" / f"{name}.py", made / "grader" / f"{name}.py")
    (made / "grader" / "runner.py").write_text(RUNNER)
    (made / "__init__.py").touch()
    return folder


LIMITS = Limits(memory=256 * MIB, processes=16, disk=8 * MIB, files=100, open_files=64)


@pytest.fixture(scope="module")
def place(library: Path) -> Iterator[Sandbox]:
    needs_sandbox()
    with Sandbox(library, LIMITS) as place:
        yield place


def ask(job: Job, text: str, seconds: float = 10.0) -> Any:
    ((answer, _),) = job.ask({"text": text}, [], seconds)
    return answer["answer"]


def run(place: Sandbox, text: str, seconds: float = 10.0) -> Any:
    with place.start() as job:
        return ask(job, text, seconds)


def value(place: Sandbox, expression: str, before: str = "") -> Any:
    return run(place, f"import os, sys, socket, ctypes\n{before}\nanswer = {expression}")


def test_a_job_answers(place: Sandbox) -> None:
    with place.start() as job:
        assert ask(job, "answer = 6 * 7") == 42
        assert ask(job, "print('said'); answer = 1") == 1


ALONE = {
    "os.getuid(), os.getgid(), os.getpid()": [1000, 1000, 1],
    "os.environ['HOME'] == os.environ['TMPDIR'] == os.getcwd()": True,
    "[name for name in os.environ if name.startswith(('SSH', 'COURSEKIT', 'SECRET', 'PATH'))]": [],
    "os.listdir('/proc')": [],
    "sorted(os.listdir('/dev'))": ["full", "null", "random", "shm", "urandom"],
    "os.listdir('.')": [],
    "sorted(os.listdir('/library'))": ["coursekit"],
    "[n for n in range(3, 64) if os.path.exists(f'/proc/self/fd/{n}')]": [],
    "socket.gethostname() != ''": True,
    "any(os.path.exists(p) for p in ('/etc/passwd', '/home', '/var', '/sys', '/bin/sh'))": False,
}


@pytest.mark.parametrize(("expression", "expected"), ALONE.items(), ids=list(ALONE))
def test_a_job_is_alone(place: Sandbox, expression: str, expected: object) -> None:
    assert value(place, expression) == expected


def test_a_job_has_only_its_own_pipes_open(place: Sandbox) -> None:
    text = """
import os
answer = []
for number in range(64):
    try:
        os.fstat(number)
        answer.append(number)
    except OSError:
        pass
"""
    assert run(place, text) == [0, 1, 2, 3, 4]  # standard ones, and two copies that the runner made of them


REFUSED = {
    "socket.socket(socket.AF_INET)": "PermissionError",
    "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)": "PermissionError",
    "socket.socket(40, socket.SOCK_STREAM)": "PermissionError",  # vsock: no namespace keeps it in
    "socket.socket(16, socket.SOCK_RAW)": "PermissionError",  # to the kernel
    "open('/library/coursekit/new', 'w')": "OSError: [Errno 30] Read-only",
    "open('/new', 'w')": "OSError: [Errno 30] Read-only",
    "open('/dev/new', 'w')": "OSError: [Errno 30] Read-only",
    "open('/proc/new', 'w')": "OSError: [Errno 30] Read-only",
    "os.setuid(0)": "OSError: [Errno 22]",  # there is no such user
    "os.chroot('.')": "PermissionError",
    "__import__('resource').setrlimit(6, (99, 99))": "ValueError: not allowed to raise maximum limit",
    "os.memfd_create('x')": "PermissionError",
    "os.mknod('disk', 0o60600, 2049)": "PermissionError",
    # Two submissions that can read one file could signal to each other.
    "__import__('fcntl').flock(open(os.__file__), 2)": "PermissionError",
    "__import__('fcntl').lockf(open('own', 'w'), 2)": "PermissionError",
    "__import__('fcntl').fcntl(open(os.__file__), 1024, 0)": "PermissionError",
    "__import__('fcntl').fcntl(os.pipe()[0], 1031, 2**20)": "PermissionError",
    "socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**22)": "PermissionError",
}


@pytest.mark.parametrize(("expression", "expected"), REFUSED.items(), ids=list(REFUSED))
def test_what_is_refused(place: Sandbox, expression: str, expected: str) -> None:
    assert value(place, expression).startswith(expected)


CALLS = {
    "unshare": (0x10000000,),
    "setns": (0, 0),
    "mount": (0, b"/", 0, 0, 0),
    "umount2": (b"/dev/shm", 2),
    "ptrace": (0, 0, 0, 0),
    "keyctl": (0, -3, 1),
    "personality": (0x0040000,),
    "shmget": (0, 4096, 0o600),
    "perf_event_open": (0, 0, -1, -1, 0),
    "bpf": (0, 0, 0),
    "io_uring_setup": (1, 0),
    "userfaultfd": (0,),
    "open_tree": (-100, b"/", 1),
    "fsopen": (b"tmpfs", 0),
    "process_vm_readv": (1, 0, 0, 0, 0, 0),
    "inotify_init1": (0,),
    "mincore": (0, 0, 0),
}


@pytest.mark.parametrize("name", list(CALLS))
def test_system_calls_that_are_refused(place: Sandbox, name: str) -> None:
    called = f"ctypes.CDLL(None, use_errno=True).syscall({refused()[name]}, *{CALLS[name]!r})"
    text = f"[{called}, ctypes.get_errno()]"

    assert value(place, text) == [-1, errno.EPERM]


@pytest.mark.parametrize(
    "number",
    [435, 463, 10_000, 0x40000000 + 39],
    ids=["clone3", "the one after the newest", "one to come", "the older form"],
)
def test_system_calls_that_are_not_there(place: Sandbox, number: int) -> None:
    text = f"[ctypes.CDLL(None, use_errno=True).syscall({number}, 0), ctypes.get_errno()]"

    assert value(place, text) == [-1, errno.ENOSYS]


def test_no_children_in_new_namespaces(place: Sandbox) -> None:
    number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        called = f"ctypes.CDLL(None, use_errno=True).syscall({number}, {flag | signal.SIGCHLD}, 0, 0, 0, 0)"
        assert value(place, f"[{called}, ctypes.get_errno()]") == [-1, errno.EPERM]


def test_what_learners_need_works(place: Sandbox) -> None:
    text = """
import multiprocessing, os, subprocess, sys, tempfile, threading

def double(number):
    return 2 * number

thread = threading.Thread(target=double, args=[1])
thread.start()
thread.join()
with open("here", "w") as file:
    file.write("text")
with tempfile.TemporaryFile() as file:
    file.write(b"more")
child = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True)
ours, theirs = multiprocessing.Pipe()
if not os.fork():
    theirs.send([1, 2])
    os._exit(0)
answer = [open("here").read(), child.stdout, ours.recv(), multiprocessing.Semaphore(1).acquire()]
"""
    assert run(place, text) == ["text", "42\n", [1, 2], True]


def test_folders_are_private_and_small(place: Sandbox) -> None:
    with place.start() as one, place.start() as other:
        assert ask(one, "open('mine', 'w').close(); open('/dev/shm/mine', 'w').close()") is None
        assert ask(other, "import os; answer = os.listdir('.') + os.listdir('/dev/shm')") == []
        full = "with open('{}', 'wb') as file:\n    while True: file.write(bytes(2**18))"
        assert ask(other, full.format("one")).startswith("OSError: [Errno 27] File too large")
        assert ask(other, full.format("two")).startswith("OSError: [Errno 28] No space left on device")
        many = "for number in range(10**6): open(str(number), 'w').close()"
        assert ask(one, many).startswith("OSError: [Errno 28] No space left on device")


def test_jobs_cannot_talk_to_each_other(place: Sandbox) -> None:
    listen = "import socket; kept = socket.socket(socket.AF_UNIX); kept.bind('\\0name'); kept.listen()"
    with place.start() as one, place.start() as other:
        assert ask(one, f"{listen}\nimport builtins; builtins.kept = kept") is None
        talk = "import socket; socket.socket(socket.AF_UNIX).connect('\\0name')"
        assert ask(other, talk).startswith("ConnectionRefusedError")


def test_memory_of_one_process(place: Sandbox) -> None:
    assert run(place, "kept = bytearray(2**29)") == "MemoryError: "


def test_code_that_was_refused_memory_goes_on(place: Sandbox) -> None:
    """As long as it may be looked at: it holds all it may, and nothing was taken that it may not."""
    text = """
import time
kept = []
try:
    while True:
        kept.append(bytearray(b"x") * 2**20)
except MemoryError:
    time.sleep(0.5)
answer = len(kept) > 100
"""
    assert run(place, text) is True


def test_memory_of_many_processes(place: Sandbox) -> None:
    text = """
import os, time
for number in range(8):
    if not os.fork():
        kept = bytearray(b"x") * (100 * 2**20)
        time.sleep(60)
time.sleep(60)
"""
    with pytest.raises(Stopped) as caught:
        run(place, text, 30)

    assert caught.value.why == "memory"
    assert run(place, "answer = 1") == 1


def test_memory_is_counted_whose_first_thread_has_ended(place: Sandbox) -> None:
    text = """
import ctypes, os, threading, time
def hold():
    time.sleep(0.3)
    kept = bytearray(b"x") * (100 * 2**20)
    time.sleep(60)
for number in range(6):
    if not os.fork():
        threading.Thread(target=hold).start()
        ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
time.sleep(60)
"""
    with pytest.raises(Stopped) as caught:
        run(place, text, 30)

    assert caught.value.why == "memory"


def test_memory_in_sockets_is_counted(library: Path) -> None:
    """What was sent and is not read yet belongs to no process."""
    text = """
import os, socket, time
for number in range(14):
    if not os.fork():
        kept = [socket.socketpair() for _ in range(28)]
        for one, other in kept:
            for end in (one, other):
                end.setblocking(False)
                try:
                    while True:
                        end.send(b"x" * 4096)
                except BlockingIOError:
                    pass
        time.sleep(60)
time.sleep(60)
"""
    needs_sandbox()
    with Sandbox(library, replace(LIMITS, memory=100 * MIB)) as place:
        with pytest.raises(Stopped) as caught:
            run(place, text, 30)
        assert run(place, "import socket; kept = [socket.socketpair() for _ in range(20)]; answer = 1") == 1

    assert caught.value.why == "memory"


CLOCKWORK = """
import os, threading, time
kept = os.open("ticks", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
def tick():
    while True:
        os.write(kept, b"x")
        time.sleep(0.001)
for number in range(3):
    if not os.fork():
        threading.Thread(target=tick).start()
        if number:
            os.setsid()
            os.fork()
        tick()
threading.Thread(target=tick, daemon=True).start()
time.sleep(0.3)
"""


def test_a_job_that_is_held_computes_nothing_and_goes_on(place: Sandbox) -> None:
    """Neither its children nor their threads, wherever they belong."""
    count = "import os; answer = os.path.getsize('ticks')"
    with place.start() as job, place.start() as other:
        ask(job, CLOCKWORK)
        with job.held():
            time.sleep(0.3)
            assert ask(other, "answer = 1") == 1
        first = ask(job, count)
        time.sleep(0.3)
        assert ask(job, count) > first
        before = ask(job, count)
        began = time.monotonic()
        with job.held():
            time.sleep(1.0)
        assert time.monotonic() - began < 3
        assert ask(job, count) - before < 200  # a second of ticks is thousands


def test_a_job_that_forks_without_end_is_held_or_ended(place: Sandbox) -> None:
    chain = """
import os, time
if not os.fork():
    while True:
        if os.fork():
            os._exit(0)
time.sleep(0.1)
"""
    with place.start() as job:
        ask(job, chain)
        with job.held():
            pass
        with contextlib.suppress(Stopped):
            ask(job, "answer = 1")
    assert run(place, "answer = 1") == 1


def test_a_job_that_has_ended_meanwhile_says_how(place: Sandbox) -> None:
    with place.start() as job:
        ask(job, "import os, threading; threading.Timer(0.2, lambda: os._exit(7)).start()")
        time.sleep(0.5)
        with job.held():
            pass
        with pytest.raises(Stopped) as caught:
            ask(job, "answer = 1")
    assert (caught.value.why, caught.value.status) == ("ended", 7)


def test_memory_cannot_be_kept_where_no_process_holds_it(place: Sandbox) -> None:
    assert value(place, "mmap.mmap(-1, 2**20)", "import mmap").startswith("PermissionError")


@pytest.mark.parametrize(
    "name", [r"\rRssAnon:q", r"\nVmSwap:", r"\x1cRssShmem:z", r"\rNSpid:\t", r"\xff\x85PPid:\tx"]
)
def test_no_name_of_a_process_confuses_who_counts(place: Sandbox, name: str) -> None:
    text = f"""
import ctypes, os, time
if not os.fork():
    ctypes.CDLL(None).prctl(15, b"{name}", 0, 0, 0)
    os._exit(0)
time.sleep(0.15)
answer = "nothing"
"""
    assert run(place, text) == "nothing"
    assert run(place, "answer = 1") == 1


def test_many_that_share_what_they_hold_are_let_be(place: Sandbox) -> None:
    text = """
import os, time
kept = bytearray(b"x") * (100 * 2**20)
children = [os.fork() or (time.sleep(0.5), os._exit(0)) for number in range(8)]
for number in children:
    os.waitpid(number, 0)
answer = len(children)
"""
    assert run(place, text) == 8


def test_processes_and_threads(place: Sandbox) -> None:
    forks = """
import os, time
answer = 0
try:
    while True:
        if not os.fork():
            time.sleep(60)
        answer += 1
except BlockingIOError:
    pass
"""
    threads = "import threading\nwhile True: threading.Thread(target=threading.Event().wait).start()"

    assert run(place, forks) == LIMITS.processes - 1
    assert run(place, threads) == "RuntimeError: can't start new thread"


def test_open_files(place: Sandbox) -> None:
    assert run(place, "kept = [open('/dev/null') for _ in range(100)]").startswith("OSError: [Errno 24]")


ENDINGS = {
    "import os; os._exit(3)": ("ended", 3),
    "import ctypes; ctypes.string_at(0)": ("ended", -signal.SIGSEGV),
    "import os; os.closerange(0, 64)\nwhile True: pass": ("broken", 0),
    "while True: pass": ("hung", 0),
    "import os, signal; signal.pthread_sigmask(0, range(1, 65)); os.fork()\nwhile True: pass": ("hung", 0),
    "import os\nwhile True: os.write(2, bytes(2**20))": ("flooded", 0),
}


@pytest.mark.parametrize(("text", "expected"), ENDINGS.items(), ids=list(ENDINGS))
def test_how_jobs_end_and_that_nothing_is_left(place: Sandbox, text: str, expected: tuple[str, int]) -> None:
    run(place, "pass")
    before = processes.ours()
    begun = time.monotonic()
    with pytest.raises(Stopped) as caught:
        run(place, text, 1.0)

    assert (caught.value.why, caught.value.status) == expected
    assert processes.ours() == before
    assert time.monotonic() - begun < 4


def test_children_die_with_their_job(place: Sandbox) -> None:
    run(place, "pass")
    before = processes.ours()
    text = """
import os, time
for number in range(5):
    if not os.fork():
        os.setsid()
        if not os.fork():
            time.sleep(60)
        os._exit(0)
"""
    run(place, text)

    assert processes.ours() == before


def test_a_job_killed_from_outside_says_so(place: Sandbox) -> None:
    with place.start() as job:
        ask(job, "pass")
        before = processes.ours()
        with place.start() as other:
            ask(other, "pass")
            (number,) = processes.ours() - before
            os.kill(number, signal.SIGKILL)
            with pytest.raises(Stopped) as caught:
                ask(other, "pass")
        assert (caught.value.why, caught.value.status) == ("ended", -signal.SIGKILL)
        assert ask(job, "answer = 1") == 1


def test_a_lost_warm_process_is_nobodys_fault_and_comes_back(library: Path) -> None:
    needs_sandbox()
    before = processes.ours()
    with Sandbox(library, LIMITS) as place:
        with place.start() as job:
            ask(job, "pass")
            threading.Timer(0.3, place._warm[False].result().process.kill).start()
            with pytest.raises(CannotStart, match="lost with the sandbox around it"):
                ask(job, "import time; time.sleep(60)", 20)
        assert run(place, "answer = 1") == 1
    assert processes.ours() == before


def test_a_new_python_has_other_hashes_of_text(place: Sandbox) -> None:
    seen = []
    for new_python in (False, False, True, True):
        with place.start(new_python) as job:
            seen.append(ask(job, "answer = hash('text')"))

    assert seen[0] == seen[1] != seen[2] == seen[3]


def test_many_threads_start_jobs(place: Sandbox) -> None:
    answers: list[int] = []

    def work(number: int) -> None:
        answers.extend(run(place, f"answer = {number}") for _ in range(10))

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == sorted([0, 1, 2, 3] * 10)


def test_nothing_outlives_a_grader_that_is_killed(library: Path) -> None:
    needs_sandbox()
    text = f"""
import sys, time
from pathlib import Path
from coursekit.sandbox import Sandbox
place = Sandbox(Path({str(library)!r}))
job = place.start()
list(job.ask({{"text": "pass"}}, [], 10))
print("up", flush=True)
time.sleep(60)
"""
    others = processes.ours()
    grader = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, cwd=ROOT)
    assert grader.stdout is not None
    with grader.stdout:
        assert grader.stdout.readline() == b"up\n"
        below = processes.ours() - others - {grader.pid}
        grader.kill()
        grader.wait()
    until = time.monotonic() + 5
    while any(Path(f"/proc/{number}/exe").exists() for number in below) and time.monotonic() < until:
        time.sleep(0.05)

    assert below
    assert not [number for number in below if Path(f"/proc/{number}/exe").exists()]


def test_a_sandbox_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    needs_sandbox()
    (tmp_path / "coursekit").mkdir()
    with (
        Sandbox(tmp_path) as place,
        pytest.raises(CannotStart, match=r"could not be started: .*No module named"),
    ):
        place.start()


def test_other_copies_of_the_library_are_covered(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_sandbox()
    packages = tmp_path / "site-packages"
    for name in ("coursekit", "other/_coursekit_old", "coursekit_topdown-0.1.0.dist-info", "honest"):
        (packages / name).mkdir(parents=True)
        (packages / name / "answer.py").write_text("ANSWER = 42")
    (packages / "coursekit_answers.py").write_text("ANSWER = 42")
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])
    shell._copies.cache_clear()
    try:
        with Sandbox(library, LIMITS) as place:
            found = (
                "[d for d, _, files in os.walk({!r}) for file in files if os.stat(f'{{d}}/{{file}}').st_size]"
            )
            seen = value(place, found.format(str(packages)))
            imported = value(
                place, "[*__import__('coursekit').__path__], 'honest' in sys.modules", "import honest"
            )
    finally:
        shell._copies.cache_clear()

    assert [Path(folder).name for folder in sorted(seen)] == [
        "coursekit_topdown-0.1.0.dist-info",
        "honest",
    ]
    assert imported == [["/library/coursekit"], True]


class Driver(types.ModuleType):
    """Stands for NVIDIA's: one card, and who holds how much of it."""

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.held: dict[int, int | None] = {1: 2**40}

    def nvmlInit(self) -> None: ...

    def nvmlDeviceGetCount(self) -> int:
        return 1

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:
        return number

    def nvmlDeviceGetComputeRunningProcesses(self, card: int) -> list[Any]:
        return [types.SimpleNamespace(pid=pid, usedGpuMemory=size) for pid, size in self.held.items()]


def test_who_takes_too_much_of_a_gpu_is_ended(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_sandbox()
    driver = Driver()
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    with Sandbox(library, Limits(gpu_memory=8 * MIB), "cuda") as place, place.start() as job:
        assert ask(job, "answer = 1") == 1
        driver.held |= {2: 7 * MIB, 3: None}
        assert ask(job, "import time; time.sleep(0.3); answer = 2") == 2
        driver.held[3] = 2 * MIB
        with pytest.raises(Stopped) as caught:
            ask(job, "import time; time.sleep(60)")

    assert caught.value.why == "memory"


def test_a_gpu_that_cannot_be_watched_is_not_lent(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_sandbox()
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with Sandbox(library, device="cuda") as place, pytest.raises(CannotStart, match="cannot be watched here"):
        place.start()


def test_processes_are_counted_by_who_they_belong_to() -> None:
    """As `/proc` shows them: two jobs of ours (number 7), one with children, and somebody else's."""
    seen = {
        7: Process(1, (7,), 0),
        20: Process(7, (20, 5, 1), 100),
        21: Process(20, (21, 9, 2), 10),
        22: Process(21, (22, 11, 3), 1),
        30: Process(7, (30, 6, 1), 1000),
        40: Process(8, (40, 5, 1), 10_000),
    }
    ours = consumption.of_job(5, seen, 7)

    assert sorted(ours) == [20, 21, 22]
    assert consumption.of_job(4, seen, 7) == []


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_filter_answers_every_call_it_names(machine: str) -> None:
    """The filter, run here step by step, without a kernel."""
    steps = list(struct.iter_unpack("=HBBI", program(machine)))

    def answer(
        number: int, first: int = 0, second: int = 0, fourth: int = 0, processor: int = AUDIT_NAMES[machine]
    ) -> int:
        call = {NUMBER_AT: number, MACHINE_AT: processor, FIRST_AT: first, SECOND_AT: second}
        call[FOURTH_AT] = fourth
        at, word = 0, 0
        while True:
            kind, yes, no, value = steps[at]
            if kind == ANSWER:
                return value
            word = call[value] if kind == LOAD else word
            holds = {EQUAL: word == value, AT_LEAST: word >= value, ANY_BIT: bool(word & value)}
            at += 1 + (0 if kind == LOAD else yes if holds[kind] else no)

    column = list(AUDIT_NAMES).index(machine)
    for number in refused(machine).values():
        assert answer(number) == NOT_PERMITTED
    assert {answer(number) for number in range(NEWEST + 1, NEWEST + 200)} == {NO_SUCH_CALL}
    assert answer(0, processor=0x40000003) == KILL
    assert answer(SOCKET[column], 1) == answer(SOCKETPAIR[column], 1) == ALLOW
    assert answer(SOCKET[column], 2) == answer(SOCKET[column], 40) == NOT_PERMITTED
    assert answer(IOCTL[column], 0, 0x5412) == NOT_PERMITTED
    assert answer(IOCTL[column], 0, 0x5401) == ALLOW
    assert answer(MMAP[column], fourth=0x21) == answer(MMAP[column], fourth=0x23) == NOT_PERMITTED
    assert answer(MMAP[column], fourth=0x22) == answer(MMAP[column], fourth=0x01) == ALLOW
    assert answer(CLONE[column], signal.SIGINT) == ALLOW
    assert answer(CLONE[column], 0x10000000) == NOT_PERMITTED
