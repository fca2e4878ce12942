"""What makes two submissions the same: their content, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from coursekit.classroom.submission import Submission

ONE = Submission("ana", {"metrics": "RATE = 1", "splits": "RATE = 2"}, origin="ana/kit.zip")


def test_the_same_files_are_the_same_whoever_sent_them_and_when() -> None:
    later = replace(ONE, learner="ben", received=datetime.now(tz=UTC), origin="ben.zip", notes=("Late.",))
    in_another_order = replace(ONE, files={"splits": "RATE = 2", "metrics": "RATE = 1"})

    assert ONE.sha256 == later.sha256 == in_another_order.sha256


def test_other_files_are_another() -> None:
    others = [
        {},
        {"metrics": "RATE = 1"},
        {"metrics": "RATE = 1", "splits": "RATE = 2\n"},
        {"metrics": "RATE = 2", "splits": "RATE = 1"},
        {"metrics": 'RATE = 1"], ["splits", "RATE = 2'},
    ]
    assert len({ONE.sha256, *(replace(ONE, files=files).sha256 for files in others)}) == 1 + len(others)


def test_what_cannot_be_graded_is_told_apart_by_where_it_stood_and_why() -> None:
    broken = Submission("ana", origin="ana/kit.zip", problem="kit.zip cannot be read.")

    assert broken.sha256 == replace(broken, learner="ben").sha256
    assert broken.sha256 != replace(broken, origin="ana/kit-1.zip").sha256
    assert broken.sha256 != replace(broken, problem="It is too large.").sha256
