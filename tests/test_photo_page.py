"""The page on which people drop a photo; how models answer there is tested with `web_page` and `serving`."""

from __future__ import annotations

from browsing import WINDOWS, violations
from playwright.sync_api import Browser

from coursekit.photo_page import photo_page

ANSWER = """
async function answerTo(file) {
  if (file.name === "bad.png") throw new Error("This is no photo.");
  if (file.name === "three.png") return [[3], [["3", 0.875]]];
  return [["cat"], [["dog", 0.25], ["cat", 0.75]]];
}
"""


def test_what_a_script_answers_is_shown(browser: Browser) -> None:
    tab = browser.new_page(**WINDOWS["phone"])
    tab.set_content(photo_page("Cat & <dog>", "It goes nowhere.", [ANSWER]))
    assert tab.inner_text("h1") == "Cat & <dog>"
    tab.set_input_files("#photo", {"name": "good.png", "mimeType": "image/png", "buffer": b"x"})
    tab.get_by_text("cat (75.0 %)").wait_for()

    assert [row.inner_text().split() for row in tab.query_selector_all("tr")] == [
        ["cat", "75.0", "%"],
        ["dog", "25.0", "%"],
    ]
    assert violations(tab) == []
    tab.set_input_files("#photo", {"name": "three.png", "mimeType": "image/png", "buffer": b"x"})
    tab.get_by_text("3 (87.5 %)").wait_for()
    tab.set_input_files("#photo", {"name": "bad.png", "mimeType": "image/png", "buffer": b"x"})
    tab.get_by_text("This is no photo.").wait_for()
    assert tab.locator("#chances").is_hidden()


def test_a_title_in_braces_stays_what_it_is() -> None:
    assert "<h1>{scripts} &amp; {note}</h1>" in photo_page("{scripts} & {note}", "It goes nowhere.", [ANSWER])
