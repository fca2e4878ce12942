"""Class lists as they are written by hand and exported, against learners as downloads name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.classroom.roster import Presence, read_roster, read_roster_text

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (77)
    Points Possible,,,,,16
"Ruiz, Ana",4711,s1,ana,A,4712
"Li, Ben",4712,s2,ben,A,
"""
MOODLE = (
    "First name,Surname,ID number,Email address\nAna,Ruiz,s1,ana@uni.example\nBen,Li,s2,ben@uni.example\n"
)


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("ana\nben\n\n", [("ana",), ("ben",)]),
        ("\ufeffname\nAna  Ruiz\n".removeprefix("\ufeff"), [("Ana Ruiz",)]),
        (
            "Ana Ruiz;ana@uni.example\nBen Li;ben@uni.example",
            [("Ana Ruiz", "ana@uni.example"), ("Ben Li", "ben@uni.example")],
        ),
        (CANVAS, [("Ruiz, Ana", "4711", "s1", "ana"), ("Li, Ben", "4712", "s2", "ben")]),
        (MOODLE, [("Ana Ruiz", "s1", "ana@uni.example"), ("Ben Li", "s2", "ben@uni.example")]),
        ("", []),
    ],
)
def test_a_list_by_hand_or_an_export(text: str, people: list[tuple[str, ...]]) -> None:
    assert read_roster_text(text) == people


@pytest.mark.parametrize(
    ("roster", "learners", "missing"),
    [
        (CANVAS, ["ruizana (4711)"], ("Li, Ben",)),
        (MOODLE, ["Ana Ruiz (1327627)", "Ben Li (1327628)"], ()),
        (MOODLE, ["Ana Ruiz (s1)", "ben@uni.example"], ()),
        (MOODLE, ["ANA ruiz"], ("Ben Li",)),
        # Two who are called the same, of whom one handed in.
        ("name,id\nAna Ruiz,1\nAna Ruiz,2\n", ["Ana Ruiz (2)"], ("Ana Ruiz",)),
        ("name,id\nAna Ruiz,1\nAna Ruiz,2\n", ["Ana Ruiz (99)", "Ana Ruiz (98)"], ()),
    ],
)
def test_learners_are_found_as_a_download_names_them(
    roster: str, learners: list[str], missing: tuple[str, ...]
) -> None:
    assert Presence.of(read_roster_text(roster), learners) == Presence(missing, ())


def test_who_is_not_on_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "class.txt").write_bytes("\ufeffAna\nJosé\n".encode())

    assert Presence.of(read_roster(tmp_path / "class.txt"), ["ana", "josé", "eve"]) == Presence((), ("eve",))


def test_names_are_harmless_and_have_bounds() -> None:
    people = read_roster_text("\x1b[2Jana," + "x" * 500 + "," * 50 + "\n")

    assert people[0][0] == "\\x1b[2Jana"
    assert len(people[0][1]) < 200
