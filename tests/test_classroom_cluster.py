"""The workers of a cluster grade as the threads here do, one of them may be lost, and strangers stay out."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path

import pytest
from clusters import Cluster, certificates, cluster

from coursekit.classroom.cluster import EVERY, ClusterError, ClusterWarning, is_closed, workers
from coursekit.classroom.crew import Crew, Outcome, Terms, outcome_of, threads
from coursekit.grader.report import Report
from coursekit.grader.starter import solution, starter

pytest.importorskip("distributed", reason="dask.distributed is not installed")

WORD = "gradient_descent"
RIGHT, WRONG = solution(WORD), starter(WORD)
# What is answered without running anything, where a worker's answer is all that counts.
EMPTY = {"metrics": ""}
# These are about who grades and not about the sandbox, which has tests of its own.
TERMS = Terms(seed=2**100 + 5, protected=False)


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Cluster]:
    with cluster(workers=2) as made:
        yield made


def patient(crew: Crew, futures: list[Future[Outcome]]) -> list[Outcome]:
    """All outcomes, in order, with somebody looking after the crew as the engine does."""
    while not all(future.done() for future in futures):
        wait([future for future in futures if not future.done()], 0.5, FIRST_COMPLETED)
        crew.look()
    return [outcome_of(future) for future in futures]


def look_until(crew: Crew, size: int, seconds: float = 20) -> None:
    """Look after the crew until it is of that size, but for a moment at least."""
    until = time.monotonic() + seconds
    time.sleep(EVERY)
    crew.look()
    while crew.size != size and time.monotonic() < until:
        time.sleep(0.1)
        crew.look()
    assert crew.size == size


def verdicts(outcome: Outcome) -> list[tuple[str, bool, str]]:
    assert outcome.trouble == ""
    return [(one.name, one.passed, one.message) for one in Report.from_json(outcome.report).results]


def test_a_cluster_says_what_threads_say(two_workers: Cluster) -> None:
    with threads(TERMS, jobs=2) as crew:
        here = patient(crew, [crew.hand_out(WORD, files) for files in (RIGHT, WRONG)])
    with workers(two_workers.address, TERMS, [WORD]) as crew:
        assert crew.size == 2
        there = patient(crew, [crew.hand_out(WORD, files) for files in (RIGHT, WRONG)])

    assert [verdicts(one) for one in there] == [verdicts(one) for one in here]
    assert verdicts(here[0]) != verdicts(here[1])


def test_what_a_lost_worker_had_in_hand_is_graded_by_another(two_workers: Cluster) -> None:
    two_workers.add_worker()
    with workers(two_workers.address, TERMS, [WORD]) as crew:
        assert crew.size == 3
        futures = [crew.hand_out(WORD, RIGHT if n % 2 else WRONG) for n in range(12)]
        wait(futures, 60, FIRST_COMPLETED)
        two_workers.workers[-1].kill()
        outcomes = patient(crew, futures)
        look_until(crew, 2)

    assert len({str(verdicts(one)) for one in outcomes[::2]}) == 1
    assert len({str(verdicts(one)) for one in outcomes[1::2]}) == 1
    assert verdicts(outcomes[0]) != verdicts(outcomes[1])


def test_a_worker_that_comes_later_helps(two_workers: Cluster) -> None:
    with workers(two_workers.address, TERMS, [WORD]) as crew:
        two_workers.add_worker()
        look_until(crew, 3)
        assert len(patient(crew, [crew.hand_out(WORD, EMPTY) for _ in range(9)])) == 9
    two_workers.workers[-1].kill()
    two_workers.workers[-1].wait()


def test_all_grades_of_a_run_come_from_the_same_versions(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.metadata as metadata\n"
        "true = metadata.version\n"
        "metadata.version = lambda name: '2.0.1' if name == 'torch' else true(name)\n"
    )
    with cluster(workers=0) as made:
        other = made.add_worker(settings={"PYTHONPATH": f"{tmp_path}:{Path(__file__).parent.parent}"})
        with pytest.raises(ClusterError) as told, workers(made.address, TERMS, [WORD]):
            pass
        assert str(told.value).startswith(f"The worker {other} has torch 2.0.1, and here it is ")
        assert str(told.value).endswith("Install the same there, or stop that worker.")

        made.workers[0].kill()
        made.add_worker()
        with workers(made.address, TERMS, [WORD]) as crew:
            made.add_worker(settings={"PYTHONPATH": f"{tmp_path}:{Path(__file__).parent.parent}"})
            with pytest.warns(ClusterWarning, match=r"has torch 2\.0\.1"):
                look_until(crew, 1, seconds=2)
            assert crew.size == 1

            made.scheduler.kill()
            with pytest.raises(ClusterError, match="Start it and grade again: it goes on from here"):
                look_until_it_stops(crew)


def look_until_it_stops(crew: Crew) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        crew.look()
        time.sleep(0.1)


def test_work_does_not_wait_for_ever_when_all_workers_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coursekit.classroom.cluster.ALONE", 0.5)
    with cluster(workers=1) as made, workers(made.address, TERMS, [WORD]) as crew:
        made.workers[0].kill()
        with pytest.raises(ClusterError, match="Start some and grade again"):
            look_until_it_stops(crew)


@pytest.mark.parametrize(
    "address",
    ["tcp://10.0.0.1:8786", "10.0.0.1:8786", "tcp://example.org:8786", "ws://127.0.0.1:1", "", "tls"],
)
def test_a_cluster_open_to_strangers_is_not_even_asked(address: str) -> None:
    assert not is_closed(address)
    with (
        pytest.raises(ClusterError, match=r"could run code there and change grades\. Use tls://"),
        workers(address, TERMS, [WORD]),
    ):
        pass


def test_a_scheduler_that_listens_to_strangers_is_refused_by_whatever_name_it_is_called() -> None:
    with cluster(workers=0, host="0.0.0.0") as made:
        if is_closed(made.address):
            pytest.skip("this machine has no address that others could reach")
        port = made.address.rpartition(":")[2]
        with (
            pytest.raises(ClusterError, match="could run code there"),
            workers(f"tcp://127.0.0.1:{port}", TERMS, [WORD]),
        ):
            pass


def test_nobody_there_and_nobody_to_work_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coursekit.classroom.cluster.ANSWER", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    with pytest.raises(ClusterError, match=f"No scheduler answers at {address}"), workers(address, TERMS, []):
        pass
    with (
        cluster(workers=0) as made,
        pytest.raises(ClusterError, match=f"has no workers. Start some: dask worker {made.address}"),
        workers(made.address, TERMS, [WORD]),
    ):
        pass


def test_over_tls_everybody_shows_a_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl to make certificates with")
    files, others = certificates(tmp_path), certificates(tmp_path / "others")
    shown = [f"--tls-{what}" for what in ("ca-file", "cert", "key")]
    arguments = [
        part
        for pair in zip(shown, map(str, (files["ca"], files["cert"], files["key"])), strict=True)
        for part in pair
    ]
    with cluster(workers=1, scheme="tls", arguments=arguments) as made:
        assert made.address.startswith("tls://")
        with (
            pytest.raises(ClusterError, match="Set DASK_DISTRIBUTED__COMM__TLS__CA_FILE"),
            workers(made.address, TERMS, [WORD]),
        ):
            pass
        monkeypatch.setattr("coursekit.classroom.cluster.ANSWER", 2.0)
        with (
            using(others),
            pytest.raises(ClusterError, match="No scheduler answers"),
            workers(made.address, TERMS, [WORD]),
        ):
            pass
        with using(files), workers(made.address, TERMS, [WORD]) as crew:
            (outcome,) = patient(crew, [crew.hand_out(WORD, EMPTY)])
    assert "has no baselines.py, losses.py or optimizers.py" in Report.from_json(outcome.report).problem


def using(files: dict[str, Path]) -> object:
    """Dask's settings name these certificates."""
    import dask

    tls = "distributed.comm.tls"
    return dask.config.set(
        {
            f"{tls}.ca-file": str(files["ca"]),
            f"{tls}.client.cert": str(files["cert"]),
            f"{tls}.client.key": str(files["key"]),
        }
    )


def test_without_dask_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with (
        pytest.raises(ImportError, match=r"--cluster needs Dask: pip install 'coursekit-topdown\[cluster\]'"),
        workers("tcp://127.0.0.1:8786", TERMS, [WORD]),
    ):
        pass
