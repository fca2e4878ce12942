"""Who wrote alike: what is easily changed does not count, what takes thought does."""

from __future__ import annotations

import random
import re
import time

from coursekit.grader.exercises import words
from coursekit.grader.likeness import Likeness, alike, fingerprint, likeness
from coursekit.grader.starter import solution, starter

OURS = solution("first_model")["splits"]
SPLIT = "splits.group_split"


def print_of(text: str) -> frozenset[int]:
    return fingerprint({"splits": text}, "first_model").get(SPLIT, frozenset())


def disguised(text: str) -> str:
    """Other names, no annotations, other words and another layout: what a minute of disguise can do."""
    names = {"groups": "g", "valid": "share", "seed": "s", "train": "left", "held": "right", "group": "one"}
    text = re.sub(r'""".*?"""', "'Mine.'", text, flags=re.DOTALL)
    for old, new in names.items():
        text = re.sub(rf"\b{old}\b", new, text)
    return text.replace(" -> Split", "").replace("\n    ", "\n      # mine\n    ")


def test_what_is_easily_changed_does_not_count() -> None:
    assert len(print_of(OURS)) > 40
    assert likeness(print_of(OURS), print_of(disguised(OURS))) == 1.0


def test_another_way_is_not_alike() -> None:
    other = """
def group_split(groups, valid, seed):
    import numpy
    names, places = numpy.unique(numpy.array(groups), return_inverse=True)
    order = numpy.random.default_rng(seed).permutation(len(names))
    held = order[: max(1, min(len(names) - 1, int(valid * len(names) + 0.5)))]
    mask = numpy.isin(places, held)
    return numpy.flatnonzero(~mask).tolist(), numpy.flatnonzero(mask).tolist()
"""
    assert likeness(print_of(OURS), print_of(other)) < 0.3


def test_what_is_not_written_or_no_python_is_like_nobodys() -> None:
    assert fingerprint(starter("first_model"), "first_model") == {}
    assert fingerprint({"splits": "def group_split(:"}, "first_model") == {}
    for deep in (200, 3000):
        assert fingerprint({"splits": f"def group_split(a): return {'-' * deep}1"}, "first_model") == {}
    assert fingerprint({}, "first_model") == {}


def test_every_exercise_has_a_part_long_enough_to_tell() -> None:
    for word in words():
        told = alike(word, {"copied": fingerprint(solution(word), word)})
        assert {one.share for one in told["copied"]} == {1.0}, word
        assert {one.learner for one in told["copied"]} == {""}


def test_learners_are_told_from_each_other_and_from_ours() -> None:
    changed = OURS.replace("random.Random(seed)", "random.Random(seed + 1)")
    short = {"splits": "def group_split(groups, valid, seed): return [0], [1]"}
    prints = {
        "ana": fingerprint({"splits": changed}, "first_model"),
        "ben": fingerprint({"splits": disguised(changed)}, "first_model"),
        "cleo": fingerprint(short, "first_model"),
    }
    told = alike("first_model", prints)

    assert sorted(told) == ["ana", "ben"]
    assert told["ana"][0] == Likeness(SPLIT, "ben", 1.0)
    assert told["ben"][0] == Likeness(SPLIT, "ana", 1.0)


def test_ten_thousand_are_compared_in_seconds() -> None:
    chance = random.Random(3)
    common = range(80)
    some = [
        frozenset(common) ^ frozenset(chance.sample(common, 3)) | {10_000 + number} for number in range(300)
    ]
    begun = time.process_time()
    told = alike("first_model", {f"learner {n}": {SPLIT: chance.choice(some)} for n in range(10_000)})

    assert len(told) == 10_000
    assert max(map(len, told.values())) <= 6, "a few are named, and the library"
    assert time.process_time() - begun < 10
