"""The pages of a grade book in a real browser: what learners wrote is text, and everybody can read it."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import WINDOWS, violations, visit
from gradebooks import DUE, HOSTILE, WORD, add, hostile_class, report
from playwright.sync_api import Browser, expect

from coursekit.classroom.feedback import feedback_page
from coursekit.classroom.gradebook import GradeBook
from coursekit.classroom.neutral import file_name
from coursekit.classroom.overview import Line, histogram, overview_page
from coursekit.classroom.results import write_results
from coursekit.classroom.rows import Override, Standing
from coursekit.classroom.tally import Tally
from coursekit.grader.exercises import load
from coursekit.grader.likeness import Likeness

TITLE = load(WORD).title
CHECK = "each_element_finds_its_own_method"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    with hostile_class(folder / "grades.sqlite") as book:
        write_results(book, folder)
    return folder


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of forty learners in two exercises, with all that can happen to one."""
    folder = tmp_path_factory.mktemp("course")
    with GradeBook(folder / "grades.sqlite") as book:
        faults: list[str | tuple[str, str]] = [
            "differs",
            ("differs", "makes a list"),
            "raised",
            "stopped",
            "unwritten",
        ]
        for number in range(24):
            came = report(
                {CHECK: faults[number % 5], "what_has_no_method_passes": faults[number % 3]}, said="seen"
            )
            add(book, f"learner {number:02}", came if number % 4 else report({}))
            add(book, f"learner {number:02}", report({}, "tensors"), word="tensors")
        add(book, "ida", None)
        add(book, "jon", "kit.zip is no zip archive, or was cut off on its way.")
        add(
            book,
            "kim",
            report({check.name: "differs" for check in load(WORD).checks}),
            unprotected="No sandbox.",
        )
        book.override("lea", WORD, 9, why="handed in on paper", who="R. Lang")
        write_results(book, folder)
    return folder


@pytest.fixture(params=["light", "phone at night"])
def window(request: pytest.FixtureRequest) -> dict[str, object]:
    return WINDOWS[request.param]


def test_nothing_that_learners_wrote_runs_or_is_fetched(hostile: Path, browser: Browser) -> None:
    pages = [
        hostile / "overview.html",
        *(hostile / "feedback" / f"{file_name(name)}.html" for name in HOSTILE[:20]),
    ]
    assert all(page.is_file() for page in pages)
    seen = visit(browser, "file:")
    for page in pages:
        seen.tab.goto(page.as_uri())
        made = seen.tab.evaluate("document.querySelectorAll('script, img, iframe, object, form, b').length")

        assert (made, seen.complaints) == (0, []), page.name
    shown = seen.tab.goto(pages[0].as_uri()) and seen.tab.inner_text("main")
    assert shown
    assert all(
        name in shown for name in ("<script>alert(1)</script>", "=HYPERLINK(", "{title}{parts}", "محمد")
    )


def test_a_policy_stops_what_escaping_might_miss(tmp_path: Path, browser: Browser) -> None:
    """If a tag of a learner's ever came through, it would do nothing."""
    page = feedback_page("ana", []).replace("ana</bdi>", "ana</bdi><script>document.title = 'owned'</script>")
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    tab = browser.new_page()
    tab.goto((tmp_path / "page.html").as_uri())

    assert tab.title() == "Feedback for ana"
    tab.close()


def test_everybody_can_read_the_pages(course: Path, browser: Browser, window: dict[str, object]) -> None:
    seen = visit(browser, "file:", **window)
    names = ["learner 03", "ida", "kim", "lea"]
    for page in [
        course / "overview.html",
        *(course / "feedback" / f"{file_name(name)}.html" for name in names),
    ]:
        seen.tab.goto(page.as_uri())
        seen.tab.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")

        assert violations(seen.tab) == [], page.name
        assert seen.tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.name
    assert seen.complaints == []


def test_each_name_in_the_overview_leads_to_that_learners_page(
    course: Path, hostile: Path, browser: Browser
) -> None:
    for folder in (course, hostile):
        tab = browser.new_page()
        tab.goto((folder / "overview.html").as_uri())
        links = tab.eval_on_selector_all("a", "all => all.map(one => one.getAttribute('href'))")
        places = tab.eval_on_selector_all("[id]", "all => all.map(one => '#' + one.id)")

        assert {link for link in links if link.startswith("#")} <= set(places)
        assert all((folder / link).is_file() for link in links if not link.startswith("#"))
        assert len(places) == len(set(places))
        tab.close()


def test_the_overview_says_what_to_look_at_and_shows_how_much(course: Path, browser: Browser) -> None:
    tab = browser.new_page()
    tab.goto((course / "overview.html").as_uri())

    expect(tab.locator("ol").first).to_contain_text("1 grade made without the full sandbox")
    expect(tab.locator("ol").first).to_contain_text("2 submissions need a person.")
    shown = tab.inner_text("main")
    assert "wrong, " in shown
    assert "ida (transforms): It does not count, and is graded again next time: no process could be" in shown
    assert "jon (transforms): kit.zip is no zip archive, or was cut off on its way." in shown
    assert "kim (transforms): Everything is written, and no check passed." in shown
    bar = tab.get_by_role("img", name=f"{CHECK.replace('_', ' ')}: ")
    assert "passed" in (bar.get_attribute("aria-label") or "")
    mistakes = tab.get_by_role("heading", name="Known mistakes, those made most first").nth(0)
    expect(mistakes.locator("xpath=following-sibling::ol[1]")).to_contain_text("makes a list")
    tab.close()


def test_a_learner_reads_the_messages_of_their_own_checks_and_of_nobody_else(course: Path) -> None:
    page = (course / "feedback" / f"{file_name('learner 03')}.html").read_text(encoding="utf-8")
    others = [f"learner {number:02}" for number in range(24) if number != 3]

    assert "<pre>f(seen)" in page
    assert load(WORD).check_named(CHECK).hint.split("`")[0] in page
    assert not [name for name in [*others, "ida", "kim"] if name in page]
    assert f"{load('tensors').points} of {load('tensors').points} points" in page


def test_a_learner_reads_why_points_are_as_they_are() -> None:
    row = Standing(
        "ana", WORD, "graded", 7.5, 25, earned=10, days_late=1, received=DUE, handed_in=3, submission=5,
        remarks=("Handed in 1 day late, which costs 2.5 of 10 points.",), sha256="ab" * 32,
        origin="ana/kit.zip", override=Override(7.5, "was ill", "R. Lang", DUE),
        notes=("notes.txt is no Python, and was left out.",),
        likenesses=(Likeness("samples.each", "Zaphod", 1.0),),
    )  # fmt: skip
    page = feedback_page("ana", [(row, None)])

    assert "7.5 of 25 points" in page
    assert "Handed in 1 day late, which costs 2.5 of 10 points." in page
    assert "notes.txt is no Python, and was left out." in page
    assert "The one that counts of the 3 you handed in: ana/kit.zip, 2026-11-20" in page
    assert "Zaphod" not in page


def test_what_the_grader_failed_on_is_no_fault_of_the_learners() -> None:
    page = feedback_page(
        "ana", [(Standing("ana", WORD, "ours", None, 25, sentence="CannotStart: fork"), None)]
    )

    assert "no points yet, of 25" in page
    assert "by a fault of the grader&#x27;s, not yours; it will be graded again." in page
    assert "CannotStart" not in page


def test_likenesses_are_information_and_say_so() -> None:
    """Two who wrote as the library does are no pair for that; two who wrote alike are one pair, not two."""
    tally = Tally(WORD, TITLE, 25)
    like = {"ana": [("", 1.0), ("bo", 1.0)], "bo": [("", 1.0), ("ana", 1.0)], "chi": [("dora", 0.97)]}
    like["dora"] = [("chi", 0.97), ("", 0.8)]
    for learner, others in like.items():
        found = tuple(Likeness("samples.each", other, share) for other, share in others)
        tally.add(Standing(learner, WORD, "graded", 9.0, 25, likenesses=found), None)
    page = overview_page([tally], [])

    assert "3 learners wrote as the library does, and 1 pair of learners wrote alike." in page
    assert "This is information, not a score" in page
    assert page.count("(97 %)") == 1
    assert page.count("(100 %)") == 2


def test_a_histogram_has_as_many_columns_as_a_phone_can_show() -> None:
    for of in (1, 2, 11, 12, 25, 100, 1000):
        tally = Tally(WORD, TITLE, of)
        tally.points.update([0, of / 2, of, of])
        counts = histogram(tally)

        assert len(counts) <= 12
        assert sum(number for _, number in counts) == 4
        assert counts[-1][1] >= 2


def test_a_table_of_very_many_says_where_the_rest_is() -> None:
    lines = [Line(f"learner {number}", ("9",), 9.0) for number in range(1003)]
    page = overview_page([Tally(WORD, TITLE, 25)], lines)

    assert page.count("<tr>") == 1001
    assert "And 3 more: grades.json has them all." in page


def test_all_hostile_names_are_in_the_table(hostile: Path) -> None:
    assert (hostile / "overview.html").read_text(encoding="utf-8").count('<th scope="row">') == 2 * len(
        HOSTILE
    )
