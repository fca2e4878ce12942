"""A real Dask cluster for tests: a scheduler and its workers, each a process of its own, and certificates."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
WAIT = 60.0


@dataclass
class Cluster:
    """What runs; tests kill some of it.

    Attributes:
        arguments: What every part of it is started with.
        scheduler: Its process, and at which `address` it listens.
        workers: Their processes; one that a test has killed stays in the list.
    """

    arguments: list[str]
    folder: Path
    scheduler: subprocess.Popen[bytes] = field(init=False)
    address: str = ""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, scheme: str, host: str) -> None:
        """Start the scheduler and wait until it listens."""
        place = f"{scheme}://{host}:0"
        self.scheduler, said = self._part("scheduler", ["--host", place], r"Scheduler at:\s+(\S+)")
        self.address = said

    def add_worker(self, threads: int = 1, settings: Mapping[str, str] | None = None) -> str:
        """Start a worker, wait until the scheduler knows it, and return its address."""
        more = [self.address, "--nthreads", str(threads), "--no-nanny", "--host", "127.0.0.1"]
        local = ["--local-directory", str(self.folder), "--death-timeout", "20"]
        worker, _ = self._part("worker", [*more, *local], r"Registered to:\s+(\S+)", settings)
        self.workers.append(worker)
        told = (self.folder / f"worker-{len(self.workers) - 1}.log").read_text()
        return re.findall(r"Start worker at:\s+(\S+)", told)[-1]

    def said(self, part: str) -> str:
        """What "scheduler-0", "worker-0", ... have printed."""
        return (self.folder / f"{part}.log").read_text()

    def _part(
        self, what: str, more: list[str], ready: str, settings: Mapping[str, str] | None = None
    ) -> tuple[subprocess.Popen[bytes], str]:
        log = self.folder / f"{what}-{len(self.workers) if what == 'worker' else 0}.log"
        command = [sys.executable, "-m", "dask", what, *more, "--no-dashboard", *self.arguments]
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **(settings or {})}
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, env=environment, cwd=self.folder
            )
        until = time.monotonic() + WAIT
        while not (said := re.search(ready, log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        return process, said[1]


@contextmanager
def cluster(
    workers: int,
    threads: int = 1,
    scheme: str = "tcp",
    host: str = "127.0.0.1",
    arguments: list[str] | None = None,
) -> Iterator[Cluster]:
    """A scheduler with so many workers; none of it is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
        made = Cluster(arguments or [], Path(folder))
        try:
            made.start(scheme, host)
            for _ in range(workers):
                made.add_worker(threads)
            yield made
        finally:
            for process in [*made.workers, *([made.scheduler] if hasattr(made, "scheduler") else [])]:
                process.kill()
                process.wait()


def certificates(folder: Path) -> dict[str, Path]:
    """An authority (`ca`) and a `cert` with its `key` that it signed, made by the program openssl."""
    folder.mkdir(exist_ok=True)
    files = {name: folder / f"{name}.pem" for name in ("ca", "ca-key", "cert", "key", "request")}
    short = ["-newkey", "rsa:2048", "-nodes", "-subj"]
    for command in (
        ["req", "-x509", *short, "/CN=course", "-keyout", files["ca-key"], "-out", files["ca"], "-days", "2"],
        ["req", *short, "/CN=grader", "-keyout", files["key"], "-out", files["request"]],
        ["x509", "-req", "-in", files["request"], "-CA", files["ca"], "-CAkey", files["ca-key"],
         "-CAcreateserial", "-out", files["cert"], "-days", "2"],
    ):  # fmt: skip
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)
    return files
