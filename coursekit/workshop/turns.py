"""One thing at a time: what takes a while is done beside the page, which goes on answering."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

# So many things wait at most; of more, the first ones are dropped.
MOST_WAITING = 12


class Turns:
    """Does one thing after the other in a thread of its own.

    Args:
        tell: Is called when something is new: how far it is, or that it has ended.

    Attributes:
        busy: What goes on: its `text`, and how much is `done` of which `count`; None if nothing does.
        stop: Is set to ask what goes on to end early.

    >>> turns, done = Turns(lambda: None), []
    >>> turns.take("Counting", lambda: done.append(1)), turns.wait(), done, turns.busy
    ('', None, [1], None)
    """

    def __init__(self, tell: Callable[[], Any]) -> None:
        self.busy: dict[str, Any] | None = None
        self.stop, self._tell, self._lock = threading.Event(), tell, threading.Lock()
        self._thread: threading.Thread | None = None
        self._waiting: list[tuple[str, Callable[[], Any]]] = []

    def take(self, text: str, do: Callable[[], Any], may_wait: bool = False) -> str:
        """Begin something, or let it wait; the answer is what it waits for, or nothing.

        Raises:
            ValueError: Something else goes on, and it may not wait.
        """
        with self._lock:
            if not self.busy:
                self._begin(text, do)
                return ""
            now = self.busy["text"][0].lower() + self.busy["text"][1:]
            if not may_wait:
                raise ValueError(f"One thing at a time: {now} still goes on.")
            self._waiting = [*self._waiting, (text, do)][-MOST_WAITING:]
            return str(now)

    def _begin(self, text: str, do: Callable[[], Any]) -> None:
        """Begin it; the caller holds the lock."""
        self.busy, self.stop = {"text": text, "done": 0, "count": 0}, threading.Event()

        def run() -> None:
            try:
                do()
            finally:
                with self._lock:
                    self.busy = None
                    if self._waiting:
                        self._begin(*self._waiting.pop(0))
                self._tell()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._thread = thread

    def count(self, done: int, count: int) -> None:
        """Note how far it is; told a hundred times in all at most."""
        if self.busy:
            self.busy |= {"done": done, "count": count}
        if done % max(1, count // 100) == 0:
            self._tell()

    def wait(self) -> None:
        """Wait until nothing goes on."""
        while self._thread and self._thread.is_alive():  # what waited begins before the thread ends
            self._thread.join()
