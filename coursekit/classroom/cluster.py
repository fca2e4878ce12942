"""A crew on other machines: the workers of a Dask cluster, each with a sandbox of its own.

Dask speaks pickle, so whoever can reach a scheduler can run what they like on its workers, and its workers on
the machine that asks. Therefore a cluster is reached in one of two ways and no other:

- `tls://HOST:PORT`: everybody shows a certificate of one authority, the course's own, for whatever it signed
  is let in. Dask's settings `distributed.comm.tls` say where the files are.
- `tcp://127.0.0.1:PORT`: on this machine alone, with everybody who may log in to it.

Scheduler and workers are trusted as the grader itself is: they hold the run's secret and say what each
submission earned. Submissions are not: they reach a worker as text and run in its sandbox, which has no
network. Every worker must have the versions that decide a grade; one that comes later must have them too.

    dask scheduler --host tls://10.0.0.1 --no-dashboard --tls-ca-file ca.pem --tls-cert ... --tls-key ...
    dask worker tls://10.0.0.1:8786 --nthreads 2 --tls-ca-file ca.pem --tls-cert ... --tls-key ...
    coursekit grade submissions --cluster tls://10.0.0.1:8786
"""

from __future__ import annotations

import asyncio
import ipaddress
import platform
import threading
import time
import uuid
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .. import __version__
from ..grader import exercises
from ..sandbox import why_not
from . import crew

if TYPE_CHECKING:
    from distributed import Client, Security, Worker

ANSWER = 20.0
EVERY = 1.0
ALONE = 60.0
IDLE = 600.0
TLS = "DASK_DISTRIBUTED__COMM__TLS__"


class ClusterError(ConnectionError):
    """A cluster cannot be used, or not any more; the message says why and what to do."""


class ClusterWarning(UserWarning):
    """A worker that came later cannot be used; the others go on."""


@contextmanager
def workers(address: str, terms: crew.Terms, words: Sequence[str]) -> Iterator[crew.Crew]:
    """A crew of all workers of a cluster, those that come later included.

    A submission in the hands of a worker that is lost goes to another one; one that has lost four workers
    comes back as trouble.

    Args:
        address: The scheduler's: `tls://HOST:PORT`, or `tcp://127.0.0.1:PORT`.
        words: The exercises that will be graded; the workers must have the same checks for them.

    Raises:
        ImportError: dask.distributed is not installed.
        ClusterError: It is open to strangers, does not answer, has no worker or one with other versions.
    """
    client = _reached(address)
    try:
        hands = Workers(terms, client, words)
        try:
            yield hands
        finally:
            hands.send_home()
    finally:
        client.close()


def is_closed(address: str) -> bool:
    """Whether nobody but those who are trusted can connect there: it is encrypted, or on this machine alone.

    >>> [is_closed(one) for one in ("tls://10.0.0.1:8786", "tcp://127.0.0.1:8786", "tcp://10.0.0.1:8786")]
    [True, True, False]
    """
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    host = parts.hostname or ""
    if parts.scheme == "tls":
        return True
    try:
        return parts.scheme == "tcp" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False


def _reached(address: str) -> Client:
    if not is_closed(address):
        raise ClusterError(_open_to_strangers("The scheduler", address))
    try:
        from distributed import Client
    except ImportError:
        raise ImportError("--cluster needs Dask: pip install 'coursekit-topdown[cluster]'.") from None
    security = _certificates() if address.startswith("tls://") else None
    try:
        return Client(address, security=security, timeout=ANSWER, set_as_default=False, name="coursekit")
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"No scheduler answers at {address} ({error}). Is it running, and is the address what it printed?"
        ) from error


def _certificates() -> Security:
    from dask import config
    from distributed import Security

    named = config.get("distributed.comm.tls")
    if not (named["ca-file"] and named["client"]["cert"]):
        raise ClusterError(
            f"An encrypted cluster needs certificates, and Dask's settings name none. Set {TLS}CA_FILE, "
            f"{TLS}CLIENT__CERT and {TLS}CLIENT__KEY to the files."
        )
    return Security(require_encryption=True)


def _open_to_strangers(who: str, address: str) -> str:
    return (
        f"{who} {address} is open to everybody who can reach it, and they could run code there and change "
        "grades. Use tls:// with certificates of your own, or a cluster on this machine alone (127.0.0.1)."
    )


class Workers(crew.Crew):
    """The workers of a cluster that are fit for a run.

    Fit ones are given as many seats of a name that only this run knows as they have threads, and its work
    asks for a seat: so none goes to anybody else, and a worker that comes later needs only its seats.
    """

    def __init__(self, terms: crew.Terms, client: Client, words: Sequence[str]) -> None:
        self.client, self.words = client, list(words)
        self._seat = f"coursekit-{uuid.uuid4().hex}"
        self._refused: set[str] = set()
        self._looked = self._seen = time.monotonic()
        executor = client.get_executor(pure=False, resources={self._seat: 1})
        super().__init__(terms, executor, 0, attend)
        self._expected = versions(self.words)
        scheduler = client.scheduler_info()["address"]
        if not is_closed(scheduler):
            raise ClusterError(_open_to_strangers("The scheduler", scheduler))
        if complaints := self._welcome():
            raise ClusterError(complaints[0])
        if not self.size:
            raise ClusterError(
                f"The cluster at {scheduler} has no workers. Start some: dask worker {scheduler} --nthreads 2"
            )

    def look(self) -> None:
        """Take in workers that have come since; see whether any is left.

        Raises:
            ClusterError: The scheduler has gone, or all workers for a minute.
        """
        if self.client.status != "running":
            raise ClusterError(
                "The cluster's scheduler is gone. Start it and grade again: it goes on from here."
            )
        now = time.monotonic()
        if now - self._looked < EVERY:
            return
        self._looked = now
        for complaint in self._welcome():
            warnings.warn(ClusterWarning(complaint), stacklevel=2)
        if self.size:
            self._seen = now
        elif now - self._seen > ALONE:
            raise ClusterError(
                "All workers of the cluster are gone. Start some and grade again: it goes on from here."
            )

    def send_home(self) -> None:
        """Put down what is still in hand and clear the workers' stations away."""
        self.executor.shutdown(wait=False)
        if self.client.status == "running":
            self.client.run(clear_away, self.terms, on_error="ignore")

    def _welcome(self) -> list[str]:
        """Give new workers their seats; what is wrong with those that are not fit."""
        there = self.client.scheduler_info()["workers"]
        new = {one for one, about in there.items() if self._seat not in about["resources"]} - self._refused
        found = (
            self.client.run(examine, self.words, self.terms.protected, workers=[*new], on_error="return")
            if new
            else {}
        )
        complaints = {one: said for one, about in found.items() if (said := self._complaint(one, about))}
        self._refused |= complaints.keys()
        if fit := [one for one in found if one not in complaints]:
            self.client.run(give_seats, self._seat, workers=fit, on_error="ignore")
        able = (about["nthreads"] for one, about in there.items() if one not in self._refused)
        self.size = sum(able)
        return list(complaints.values())

    def _complaint(self, worker: str, about: dict[str, str] | BaseException) -> str:
        """Why a worker cannot be used, or ""."""
        if not is_closed(worker):
            return _open_to_strangers("The worker", worker)
        if isinstance(about, BaseException):
            why = f"{type(about).__name__}: {about}"
            return f"The worker {worker} cannot grade ({why}). Has it the same coursekit?"
        if said := about.pop("sandbox"):
            return f"The worker {worker} cannot lock learners' code away: {said}"
        for name, here in self._expected.items():
            if about.get(name) != here:
                return (
                    f"The worker {worker} has {name} {about.get(name)}, and here it is {here}: all grades of "
                    "a run come from the same versions. Install the same there, or stop that worker."
                )
        return ""


def versions(words: Sequence[str]) -> dict[str, str]:
    """What decides a grade on this machine, by name: the library, the checks of these exercises, torch."""
    about = {"coursekit": __version__, "Python": ".".join(platform.python_version_tuple()[:2])}
    about |= {name: version(name) for name in ("torch", "numpy")}
    return about | {f"the checks of {word}, version": exercises.version(word) for word in words}


# What follows runs on a worker.


async def examine(words: Sequence[str], protected: bool) -> dict[str, str]:
    """This worker's versions, and under "sandbox" why it cannot lock code away, or ""."""

    def look() -> dict[str, str]:
        return versions(words) | {"sandbox": " ".join(why_not()) if protected else ""}

    return await asyncio.to_thread(look)


async def give_seats(name: str, dask_worker: Worker) -> None:
    """Let this worker's threads take work that asks for seats of that name."""
    await dask_worker.set_resources(**{name: dask_worker.state.nthreads})


async def clear_away(terms: crew.Terms) -> None:
    """Close this worker's station without holding the worker up."""
    await asyncio.to_thread(crew.close, terms)


_busy: Counter[crew.Terms] = Counter()
_closing: dict[crew.Terms, threading.Timer] = {}
_lock = threading.Lock()


def attend(terms: crew.Terms, word: str, files: dict[str, str]) -> crew.Outcome:
    """Grade at this worker's station; one that nobody uses for ten minutes is cleared away.

    For whoever began the run may have been lost, and would not say so.
    """
    with _lock:
        _busy[terms] += 1
        if timer := _closing.pop(terms, None):
            timer.cancel()
    try:
        return crew.grade(terms, word, files)
    finally:
        with _lock:
            _busy[terms] -= 1
            if not _busy[terms]:
                del _busy[terms]
                _closing[terms] = threading.Timer(IDLE, crew.close, (terms,))
                _closing[terms].daemon = True
                _closing[terms].start()
