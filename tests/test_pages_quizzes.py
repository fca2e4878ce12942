"""Quizzes on the pages: by key alone, for a screen reader, after a reload, on paper, without scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from browsing import WINDOWS, violations, visit
from playwright.sync_api import Browser, Locator, expect
from playwright.sync_api import Page as Tab

from coursekit.lessons import words

LESSON = "lessons/first_model.html"

# Answers every quiz of a page in every way there is; what did not go as it should, by the quiz's name.
EVERY_ANSWER = """
() => {
  const faults = [];
  const text = (node) => node.textContent.replace(/\\s+/g, " ").trim();
  for (const box of document.querySelectorAll(".quiz[data-quiz]")) {
    const kind = box.dataset.kind, said = box.querySelector(".said");
    const reasons = [...box.querySelectorAll(".reasons > li")];
    const expected = reasons.map((one) => [...one.children].slice(1).map(text).join(" "));
    const fail = (what) => faults.push(`${box.dataset.quiz}: ${what}: ${text(said)}`);
    const check = () => { box.querySelector("form").requestSubmit(); return text(said); };
    const right = (words) => words.startsWith("Right.") && box.dataset.state === "right";
    if (["single", "number", "printed"].includes(kind)) {
      const inputs = [...box.querySelectorAll("fieldset input")];
      reasons.forEach((reason, place) => {
        if (kind === "single") inputs[place].checked = true;
        else inputs[0].value = reason.dataset.value ?? reason.dataset.text;
        const words = check();
        if (words.startsWith("Right.") !== ("right" in reason.dataset)) fail(`answer ${place}`);
        if (!words.includes(expected[place].slice(0, 40))) fail(`answer ${place} is not explained`);
      });
      if (box.dataset.state !== "right") fail("a later mistake took the mark away");
    }
    if (kind === "multiple") {
      const inputs = [...box.querySelectorAll("input")];
      inputs.forEach((input, place) => { input.checked = !("right" in reasons[place].dataset); });
      if (!check().startsWith("Not yet.")) fail("all wrong");
      inputs.forEach((input) => { input.checked = !input.checked; });
      if (!right(check())) fail("all right");
    }
    if (kind === "order") {
      if (!check().startsWith("Not yet.")) fail("as it was shown");
      const items = [...box.querySelectorAll(".choices > li")];
      for (const item of items.sort((one, other) => one.dataset.place - other.dataset.place)) {
        while (item.nextElementSibling) item.querySelectorAll("button")[1].click();
      }
      if (!right(check())) fail("in order");
    }
    if (kind === "open") {
      if (check().startsWith("Right.")) fail("nothing was written");
      box.querySelector("textarea").value = "As I see it.";
      check();
      if (!box.querySelector("details").open) fail("nothing to compare with");
      said.querySelector("button").click();
      if (box.dataset.state !== "right") fail("by its writer");
    }
  }
  return faults;
}
"""


@pytest.fixture
def tab(browser: Browser, site: str) -> Iterator[Tab]:
    seen = visit(browser, site, **WINDOWS["phone at night"])
    yield seen.open(LESSON)
    seen.tab.context.close()
    assert seen.complaints == []


def quiz(tab: Tab, name: str) -> Locator:
    return tab.locator(f"#quiz-{name}")


def marks(tab: Tab) -> dict[str, dict[str, object]]:
    return json.loads(tab.evaluate("localStorage.getItem('coursekit-progress') ?? '{}'")).get("quizzes", {})


@pytest.mark.parametrize("word", words())
def test_every_answer_is_judged_and_explained(browser: Browser, site: str, word: str) -> None:
    seen = visit(browser, site, **WINDOWS["light"])
    tab = seen.open(f"lessons/{word}.html")

    assert tab.evaluate(EVERY_ANSWER) == []
    kept = marks(tab)
    assert len(kept) == tab.locator(".quiz[data-quiz]").count() >= 12
    assert all(name.startswith(f"{word}/") and mark["right"] for name, mark in kept.items())
    assert seen.complaints == []
    seen.tab.context.close()


def test_a_choice_is_made_by_key(tab: Tab) -> None:
    box = quiz(tab, "forty-apples")
    box.get_by_role("radio").first.focus()
    tab.keyboard.press("Space")
    tab.keyboard.press("Enter")
    expect(box.get_by_role("status")).to_have_text(
        "Not yet. No photo, but nearly every apple. The model is asked about apples it has met."
    )

    for _ in range(3):
        tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Tab")
    expect(box.get_by_role("button", name="Check")).to_be_focused()
    tab.keyboard.press("Enter")
    expect(box.get_by_role("status")).to_have_text(
        "Right. Whole apples are held out, as whole apples will come."
    )


def test_things_are_put_in_order_by_key_and_the_focus_stays_on_what_moves(tab: Tab) -> None:
    box = quiz(tab, "one-batch")
    last = box.get_by_role("listitem").nth(3)
    words = last.inner_text().partition("\n")[0]
    last.get_by_role("button").focus()
    for _ in range(3):
        tab.keyboard.press("Enter")

    expect(box.get_by_role("status")).to_have_text(f"{words}: now 1 of 4.")
    expect(box.get_by_role("listitem").first).to_contain_text(words)
    expect(box.get_by_role("button", name=f"Move down: {words}")).to_be_focused()
    assert box.get_by_role("button").count() == 7  # the first cannot go up, nor the last down


def test_a_number_may_be_written_as_people_do(tab: Tab) -> None:
    box = quiz(tab, "always-healthy")
    for given, said in {
        "": "Write an answer first.",
        "50": "Not yet. That would be a coin.",
        "97": "Not yet. Look again.",
        "most": "Not yet. This could not be read as a number.",
        **dict.fromkeys(
            ["98", "98 %", "98,0", " 98.0 ", "196/2", "9.8e1", "+98%"], "Right. It is wrong about one"
        ),
    }.items():
        box.get_by_role("textbox", name="Your answer").fill(given)
        tab.keyboard.press("Enter")
        expect(box.get_by_role("status")).to_contain_text(said)


def test_all_that_was_answered_is_there_after_a_reload(tab: Tab) -> None:
    tab.evaluate(EVERY_ANSWER)
    quiz(tab, "two-thresholds").get_by_role("radio").nth(1).check()
    quiz(tab, "two-thresholds").get_by_role("button", name="Check").click()
    before = marks(tab)
    tab.reload()

    assert marks(tab) == before
    assert tab.locator(".quiz[data-state='right']").count() == tab.locator(".quiz").count()
    expect(quiz(tab, "two-thresholds").get_by_role("radio").nth(1)).to_be_checked()
    expect(quiz(tab, "two-thresholds").get_by_role("status")).to_contain_text("Right. Recall alone")
    expect(quiz(tab, "one-batch").get_by_role("listitem").first).to_contain_text("The model gives scores")
    expect(quiz(tab, "put-it-to-work").get_by_role("textbox")).to_have_value("As I see it.")


def test_a_mark_of_another_question_harms_nothing(tab: Tab) -> None:
    names = ["what-they-hold", "one-batch", "always-healthy", "two-thresholds"]
    tab.evaluate(
        """names => coursekit.progress.change((kept) => {
            for (const name of names) kept.quizzes[`first_model/${name}`] =
                { right: false, given: { from: "another year" }, at: new Date().toISOString() };
        })""",
        names,
    )
    tab.reload()

    assert tab.evaluate(EVERY_ANSWER) == []


def test_a_screen_reader_is_told_question_choices_and_verdict(tab: Tab) -> None:
    question = "You photographed each of 40 apples from ten sides: 400 photos. How do you split them?"
    group = tab.get_by_role("group", name=question, exact=True)
    verdict = quiz(tab, "forty-apples").get_by_role("status")
    expect(verdict).to_have_text("")  # it is there before anything is said, or nothing would be read out

    right = group.get_by_role("radio", name="kit.group_split(apple_number)", exact=True)
    right.check()
    right.press("Enter")
    assert "Right." in verdict.aria_snapshot()
    up = "Move up: These knobs are turned a tiny bit."
    assert quiz(tab, "one-batch").get_by_role("button", name=up, exact=True).count() == 1


def test_what_is_folded_is_right_for_everyone_when_open(tab: Tab) -> None:
    tab.evaluate(EVERY_ANSWER)
    tab.evaluate("for (const fold of document.querySelectorAll('.quiz details')) fold.open = true")

    assert violations(tab) == []
    assert not tab.evaluate("document.documentElement.scrollWidth > innerWidth")
    for control in tab.locator(".quiz :is(button, label, summary)").all():
        size = control.bounding_box()
        assert size is None or size["height"] >= 24


def test_on_paper_stand_questions_and_answers_and_nothing_to_click(tab: Tab) -> None:
    tab.emulate_media(media="print")
    box = quiz(tab, "forty-apples")

    expect(box.get_by_text("kit.group_split(apple_number)").first).to_be_visible()
    assert "Whole apples are held out" in box.locator("details").inner_text()
    assert box.locator("details .reasons").bounding_box()["height"] > 50
    for control in box.locator("button, input, summary").all():
        assert not control.is_visible()


def test_without_scripts_all_is_there_to_be_read(browser: Browser, site: str) -> None:
    tab = visit(browser, site, **WINDOWS["phone"], java_script_enabled=False).open(LESSON)
    box = quiz(tab, "forty-apples")
    assert box.locator("input, button").count() == 0
    assert box.locator(".choices > li").all_inner_texts()[3] == "kit.group_split(apple_number)"
    assert not box.get_by_text("Whole apples are held out").is_visible()

    box.locator("summary").click()
    assert box.get_by_text("Whole apples are held out").is_visible()
    tab.context.close()
