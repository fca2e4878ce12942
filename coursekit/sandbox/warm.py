"""The process within the outer wall that has imported torch and forks one locked-away copy for each job.

It never runs a line of a learner's. Started as `python -m coursekit.sandbox.warm SOCKET USER LIMITS DEVICE`,
it becomes an ordinary user where it is root, then the first process of a process namespace of its own,
imports what all jobs need, and says "ready". From then on each message on the socket brings four
descriptors: requests, answers and output of a new job, and its leash. On the leash comes "hold" when all its
processes are to stop and "go on" when that is over, both answered by "done"; "end" when the job is to end, or
the reason why it has to at once; and goes how it ended: "exited 0", "killed 9", "memory" when
it held more than its share, "cut" when it did not end by itself, or "lost" when it could not begin. A leash
that breaks, like a socket that closes, ends what hangs on it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from . import system_calls
from .call_filter import program
from .confinement import addresses_are_limited, confine, have_own_users
from .consumption import holds_more, processes
from .holding import hold, let_go
from .limits import Limits

PATIENCE = 0.2
LOOK = 0.05
DESCRIPTORS = 4


@dataclass
class _Job:
    """A job that runs: its first process, whose end is the end of all of them."""

    number: int
    process: int
    leash: socket.socket
    until: float = field(default=float("inf"))
    reason: str = ""


class _Server:
    """Forks jobs, looks after them, and says how they ended; its one thread never waits for any of them."""

    def __init__(self, control: socket.socket, limits: Limits, device: str, work: Callable[[], None]) -> None:
        self.control, self.limits, self.device, self.work = control, limits, device, work
        self.counts_one = not addresses_are_limited(device)
        self.namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self.jobs: dict[int, _Job] = {}  # by each descriptor that may have news of it
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)
        self.looked = 0.0

    def serve(self) -> None:
        """Go on until the socket closes."""
        while True:
            for descriptor, _ in self.poll.poll(self._patience()):
                if descriptor == self.control.fileno():
                    if not self._start():
                        return
                elif job := self.jobs.get(descriptor):
                    if descriptor == job.process:
                        self._ended(job)
                    else:
                        self._told(job)
            self._look()

    def _patience(self) -> float | None:
        """Milliseconds until something has to be looked at again."""
        return LOOK * 1000 if self.jobs else None

    def _start(self) -> bool:
        """Fork a job; False when the socket has closed and there will be no more."""
        words, descriptors, _, _ = socket.recv_fds(self.control, 100, DESCRIPTORS)
        if not words:
            return False
        leash = socket.socket(fileno=descriptors.pop())
        try:
            system_calls.unshare(system_calls.NEW_PIDS)
            number = os.fork() or self._become_job(descriptors)
            # Without this the next one would be born into the same namespace, and die with this one.
            system_calls.join(self.namespace, system_calls.NEW_PIDS)
        except OSError as error:
            _say(leash, f"lost {error}")
            leash.close()
        else:
            job = _Job(number, os.pidfd_open(number), leash)
            for descriptor in (job.process, leash.fileno()):
                self.jobs[descriptor] = job
                self.poll.register(descriptor, select.POLLIN)
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _become_job(self, descriptors: list[int]) -> int:
        """In the new process: lock it away, do the work, and end; it never comes back from here."""
        status = 1
        try:
            os.setsid()
            for standard, descriptor in enumerate(descriptors):
                os.dup2(descriptor, standard)
            os.closerange(len(descriptors), os.sysconf("SC_OPEN_MAX"))
            confine(self.limits, self.device)
            self.work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            # Nothing of the parent's may run on: no `finally`, no atexit, no second loop.
            os._exit(status)

    def _told(self, job: _Job) -> None:
        """A leash has news: the job is to end; at once if there is a reason, or the leash broke."""
        try:
            words = job.leash.recv(100)
        except OSError:
            words = b""
        if words in (b"hold", b"go on"):
            self._hold(job, words == b"hold")
        elif words == b"end":
            # One that is on its way out is given a moment, so that its own status is what is said.
            job.until = min(job.until, time.monotonic() + PATIENCE)
        else:
            self.poll.unregister(job.leash)
            self._kill(job, words.decode() or "cut")

    def _hold(self, job: _Job, is_held: bool) -> None:
        """Stop a job, or let it go on; one that does not come to rest is ended."""
        if not is_held:
            let_go(job.number)
        elif not hold(job.number):
            self._kill(job, "cut")
        _say(job.leash, "done")

    def _kill(self, job: _Job, reason: str) -> None:
        """End the first process; the kernel ends all others of its namespace before it is gone."""
        job.reason = job.reason or reason
        signal.pidfd_send_signal(job.process, signal.SIGKILL)

    def _ended(self, job: _Job) -> None:
        status = os.waitstatus_to_exitcode(os.waitpid(job.number, 0)[1])
        _say(job.leash, job.reason or (f"killed {-status}" if status < 0 else f"exited {status}"))
        for descriptor in (job.process, job.leash.fileno()):
            del self.jobs[descriptor]
            with contextlib.suppress(KeyError):  # a broken leash is listened to no more
                self.poll.unregister(descriptor)
        os.close(job.process)
        job.leash.close()

    def _look(self) -> None:
        """Now and then: whose time is over, and who holds too much."""
        now = time.monotonic()
        if not self.jobs or now < self.looked + LOOK:
            return
        self.looked, seen = now, processes()
        for job in {job.number: job for job in self.jobs.values()}.values():
            if now > job.until:
                self._kill(job, "cut")
            elif holds_more(job.number, self.limits.memory, seen, self.counts_one):
                self._kill(job, "memory")


def _say(leash: socket.socket, words: str) -> None:
    """Tell the other side, if it still listens."""
    with contextlib.suppress(OSError):
        leash.send(words.encode())


def main(arguments: list[str]) -> None:
    """See the module; the outer process only waits for the inner one, whose end is the end of everything."""
    descriptor, user, limits, device = arguments
    if int(user):
        system_calls.become_ordinary(int(user))
    # The namespace that jobs come back from must be one that we may enter, so it has to be ours too.
    have_own_users(system_calls.NEW_PIDS)
    control = socket.socket(fileno=int(descriptor))
    if number := os.fork():
        control.close()
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]))
    from ..grader.runner import preload, serve, take_over

    list(preload())
    if torch := sys.modules.get("torch"):
        torch.cpu._is_avx2_supported()  # looks in /proc; in a job it would complain that it cannot
    gc.freeze()  # so that collecting in a job does not touch, and so copy, what it shares with this process
    system_calls.use_large_pages()
    program(shares=device != "cpu")  # made once, for all
    control.send(b"ready")
    _Server(control, Limits(**json.loads(limits)), device, lambda: serve(*take_over())).serve()
    os._exit(0)  # to take down all that was imported takes long, and ends nothing that has not ended


if __name__ == "__main__":
    main(sys.argv[1:])
