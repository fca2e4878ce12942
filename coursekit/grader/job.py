"""One process on the other side, seen from here: asked over a pipe, watched by the wall clock, and ended.

What comes back is only ever the typed encoding, bounded before it is read.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from ..scratch import Scratch
from .encoding import BYTES, BrokenEncoding
from .frames import read_frame, write_frame

KEPT_OUTPUT = 20_000
MOST_OUTPUT = 10 * 2**20
MOST_ANSWERS = 2_000
MOST_BYTES = 2 * BYTES
PIPE_BYTES = 2**20
PATIENCE = 1.0
LAST = ("ready", "unusable", "done", "raised", "result")

Answer = tuple[dict[str, Any], list[bytes]]


class CannotStart(RuntimeError):
    """No process could be started for the code; the fault is the installation's, not the learner's."""


class Stopped(Exception):
    """A job ended before its answer was complete.

    Attributes:
        why: "hung" past the wall clock, "flooded" its output, "ended" by itself, "broken" words, "memory"
            when it was ended for taking more than its share, or "lost" with the place where it ran.
        status: For "ended", its exit status, or minus the signal that ended it.
    """

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.why, self.status = why, status


class Job:
    """One process that serves scenarios; use it in a `with`, so that it is ended whatever happens.

    Args:
        requests, answers, output: Our ends of its three pipes.
        end: Ends the process and all it started; returns how it ended.
        folder: Where it may write, removed with it; None where it has a place of its own that goes with it.
        hold: Stops all its processes, or lets them go on; None where that cannot be done.
    """

    def __init__(
        self,
        requests: BinaryIO,
        answers: BinaryIO,
        output: BinaryIO,
        end: Callable[[], Stopped],
        folder: Scratch | None = None,
        hold: Callable[[bool], None] | None = None,
    ) -> None:
        self._requests, self._answers, self._output = requests, answers, output
        self._end, self.folder, self._hold = end, folder, hold
        self._came: queue.Queue[Answer | Stopped] = queue.Queue(maxsize=4)
        self._is_over = False
        self._ending: Stopped | None = None
        self._printed, self._total = b"", 0
        self._reading, self._sending = threading.Lock(), threading.Lock()
        threading.Thread(target=self._read_answers, daemon=True).start()
        self._listener = threading.Thread(target=self._read_output, daemon=True)
        self._listener.start()

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def ask(self, message: dict[str, Any], buffers: list[bytes], seconds: float) -> Iterator[Answer]:
        """Send a request and give each answer to it, the last one included.

        Raises:
            Stopped: The process hung, ended, flooded its output, took too much or broke the form.
            CannotStart: The place where it ran was lost, and the process with it.
        """
        until = time.monotonic() + seconds
        # A process that does not read must not hold us up, so the request is sent beside the waiting.
        threading.Thread(target=self._send, args=(message, buffers), daemon=True).start()
        weight = 0
        for _ in range(MOST_ANSWERS):
            answer = self._next(until)
            weight += answer[0]["weight"]
            if weight > MOST_BYTES:
                break
            yield answer
            if answer[0].get("is") in LAST:
                return
        raise Stopped("broken")

    def printed(self) -> str:
        """The beginning of what the process has printed, since `forget_printed`."""
        # What was printed before an answer is in the pipe by now, if our thread has not taken it already.
        if _CAN_ASK_PIPES:
            with self._reading:
                self._take_output()
        else:
            time.sleep(0.02)
        return self._printed.decode("utf-8", "replace")

    def forget_printed(self) -> None:
        """Let `printed` begin here."""
        self._printed = b""

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nothing of it computes meanwhile, where its place can see to that."""
        if self._hold is None or self._ending is not None:
            yield
            return
        self._hold(True)
        try:
            yield
        finally:
            self._hold(False)

    def end(self) -> int:
        """End the process and all it started; return its exit status, or minus a signal's number."""
        return self._ended().status

    def _ended(self) -> Stopped:
        """End it, if that is not done yet; how it ended."""
        if self._ending is None:
            self._is_over = True
            self._hang_up(wait=False)
            try:
                self._ending = self._end()
                self._hang_up(wait=True)
                # Its last words are on their way; one that got away and keeps the pipe open is not awaited.
                self._listener.join(PATIENCE)
            finally:
                if self.folder:
                    self.folder.remove()
        return self._ending

    def _next(self, until: float) -> Answer:
        try:
            answer = self._came.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise Stopped("hung") from None
        if not isinstance(answer, Stopped):
            return answer
        if answer.why == "ended":
            answer = self._ended()
        if answer.why == "lost":
            raise CannotStart("The process that the code ran in was lost with the sandbox around it.")
        raise answer

    def _send(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        with self._sending, contextlib.suppress(OSError, ValueError):
            write_frame(self._requests, message, buffers)

    def _hang_up(self, wait: bool) -> None:
        """Close the requests, at which a process that waits for more ends by itself.

        Closing waits for what is being sent, and that may wait for a process that does not read.
        """
        if self._sending.acquire(timeout=PATIENCE if wait else 0):
            with contextlib.suppress(OSError):
                self._requests.close()
            self._sending.release()

    def _deliver(self, answer: Answer | Stopped) -> None:
        """Hand over what came, as long as there is somebody to take it."""
        while not self._is_over:
            with contextlib.suppress(queue.Full):
                self._came.put(answer, timeout=0.2)
                break

    def _read_answers(self) -> None:
        with self._answers as pipe:
            try:
                while frame := read_frame(pipe):
                    self._deliver(frame)
                self._deliver(Stopped("ended"))
            except BrokenEncoding:
                self._deliver(Stopped("broken"))

    def _read_output(self) -> None:
        was_told = False
        while not self._output.closed:
            _has_come(self._output, None)
            with self._reading:
                self._take_output()
            if self._total > MOST_OUTPUT and not was_told:
                was_told = True
                self._deliver(Stopped("flooded"))

    def _take_output(self) -> None:
        """Keep the beginning of what has come, and count all of it; close the pipe at its end."""
        if self._output.closed or not _has_come(self._output, 0):
            return  # the other thread was here before
        piece = os.read(self._output.fileno(), PIPE_BYTES)
        self._total += len(piece)
        if len(self._printed) < KEPT_OUTPUT:
            self._printed += piece[:KEPT_OUTPUT]
        if not piece:
            self._output.close()


_CAN_ASK_PIPES = hasattr(select, "poll")


def _has_come(pipe: BinaryIO, milliseconds: int | None) -> bool:
    """Wait until there is something to read in a pipe, be it its end; True at once where nobody can tell."""
    if not _CAN_ASK_PIPES:
        return True
    asked = select.poll()
    asked.register(pipe, select.POLLIN)
    return bool(asked.poll(milliseconds))
