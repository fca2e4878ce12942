"""Quizzes: what their marks mean, and what is said of one that cannot be read."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from coursekit.lessons import read_lesson, words
from coursekit.markdown import UnknownSyntax, plain_markdown
from coursekit.quizzes import Quiz, QuizError, parse


def read(text: str, name: str = "one") -> Quiz:
    return parse(name, text.splitlines())


@pytest.mark.parametrize(
    ("text", "kind", "hint"),
    [
        ("Why?\n\n- (x) A\n\n  a.\n- ( ) B\n\n  b.", "single", "Choose one."),
        ("Why?\n\n- [x] A\n\n  a.\n- [x] B\n\n  b.", "multiple", "Choose all that are right."),
        ("Why?\n\n- = -0.5 ± .1\n\n  a.", "number", "Answer with a number."),
        ("Why?\n\n- = 1,280 ± 5 ms\n\n  a.\n- != 1e-3\n\n  b.", "number", "Answer with a number, in ms."),
        ('Why?\n\n- = `(5, 3)`\n\n  a.\n- != `a"b`\n\n  b.', "printed", "Write what is printed."),
        ("Why?\n\n1. A\n2. B\n3. C\n\n---\nc.", "order", "Put them in order."),
        ("Why?\n\n---\nBecause.", "open", "Write a few words, then compare."),
    ],
)
def test_the_marks_say_of_which_kind_a_quiz_is(text: str, kind: str, hint: str) -> None:
    quiz = read(text)

    assert (quiz.kind, quiz.hint, quiz.question) == (kind, hint, "Why?")


def test_answers_and_explanations_may_be_long() -> None:
    text = """
    Which? One of these is no answer:

    - a list in the question
    - [a link](x.md)

    - (x) The first,
      on two lines.

      Since it is.

      ```python
      x = 1
      ```
    - ( ) The second.

      It is not.

    ---
    Of both.
    """
    quiz = parse("long", [line.removeprefix("    ") for line in text.splitlines()])

    assert quiz.question.endswith("- [a link](x.md)")
    assert [answer.text for answer in quiz.answers] == ["The first, on two lines.", "The second."]
    assert quiz.answers[0].why == "Since it is.\n\n```python\nx = 1\n```"
    assert quiz.closing == "Of both."
    assert (quiz.lines, [answer.line for answer in quiz.answers]) == ((1, 19), [6, 14])


def test_what_a_cell_printed_is_compared_as_people_would() -> None:
    number, text = read("?\n\n- = 1,280 ± 5\n\n  a."), read("?\n\n- = `('a', 2)`\n\n  a.")

    assert number.answers[0].agrees("1284.9")
    assert not number.answers[0].agrees("1286")
    assert not number.answers[0].agrees("about 1280")  # nor does it stop the build
    assert text.answers[0].agrees('("a",2)')
    assert not text.answers[0].agrees("('a', 3)")


def test_an_order_is_never_shown_as_it_is_right() -> None:
    for name in "abcdefghij":
        shown = read("?\n\n1. A\n2. B\n3. C\n\n---\nc.", name).shown_order()

        assert sorted(shown) == [0, 1, 2]
        assert shown != [0, 1, 2]
        assert shown == read("?\n\n1. A\n2. B\n3. C\n\n---\nc.", name).shown_order()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 0, "a quiz begins with its question"),
        ("- (x) A\n\n  a.\n- ( ) B\n\n  b.", 0, "a quiz begins with its question"),
        ("Why?", 0, "below a line '---' has to stand what a good answer says"),
        ("Why?\n\n1. A\n2. B\n3. C", 0, "below a line '---' has to stand"),
        ("Why?\n\n1. A\n2. B\n\n---\nc.", 2, "an order needs at least three things"),
        ("Why?\n\n- (x) A\n- ( ) B\n\n  b.", 2, "the answer 'A' needs an explanation, indented below it"),
        ("Why?\n\n- ( ) A\n\n  a.\n- ( ) B\n\n  b.", 2, "no answer is marked as right"),
        ("Why?\n\n- (x) A\n\n  a.\n- (x) B\n\n  b.", 5, r"two answers are right; .* write \[x\] and \[ \]"),
        ("Why?\n\n- (x) A\n\n  a.", 2, "one choice alone is no choice"),
        ("Why?\n\n- (X) A\n\n  a.", 2, r"'- \(X\) A' is no answer: answers begin '- \( \) '"),
        ("Why?\n\n- (x) A\n\n  a.\n- [] B\n\n  b.", 5, r"'- \[\] B' is no answer"),
        ("Why?\n\n- (x) A\n\n  a.\n- [x] B\n\n  b.", 5, "all answers are of one kind, and 'B' is of another"),
        ("Why?\n\n- = 5\n\n  a.\n- != `5`\n\n  b.", 5, "all answers are of one kind"),
        ("Why?\n\n- = five\n\n  a.", 2, "'five' is neither a number, such as 75 ± 1 %, nor a text in"),
        ("Why?\n\n- = 5 ± 1\n\n  a.\n- != 5.5\n\n  b.", 5, "the mistake 5.5 would count as right"),
        ("Why?\n\n- (x) A\n\na.", 4, "'a.' is neither an answer nor indented below one"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(QuizError, match=words) as caught:
        read(text)

    assert caught.value.line == line


@pytest.mark.parametrize("name", ["", "Two", "two words", "-two", "two_words"])
def test_a_name_is_small_and_plain(name: str) -> None:
    with pytest.raises(QuizError, match="a quiz needs a name of small letters, digits and hyphens"):
        read("Why?\n\n---\nBecause.", name)


def test_a_notebook_shows_question_choices_and_folded_answers() -> None:
    lesson = (
        ":::{predict} first\nWhich {term}`label`?\n\n- ( ) `A`\n\n  Not {term}`label`.\n- (x) B\n\n  So."
        "\n\n---\nOf both.\n:::"
    )

    assert plain_markdown(lesson).splitlines() == [
        "**Before you run it.** Choose one.", "", "Which label?", "", "- **A**: `A`", "- **B**: B", "",
        "<details><summary>Show the answer</summary>", "", "- Not **A**. Not label.", "- **B** is right. So.",
        "", "Of both.", "", "</details>",
    ]  # fmt: skip


def test_a_notebook_shows_an_order_mixed_and_folds_the_right_one() -> None:
    lines = plain_markdown(":::{quiz} steps\nWhich?\n\n1. A\n2. B\n3. C\n\n---\nSo.\n:::").splitlines()
    fold = lines.index("<details><summary>Show the answer</summary>")

    assert sorted(line[-1] for line in lines[4:7]) == ["A", "B", "C"]
    assert lines[fold + 2 : fold + 7] == ["1. A", "2. B", "3. C", "", "So."]


def test_a_quiz_that_cannot_be_read_stops_the_notebook_at_its_line() -> None:
    with pytest.raises(UnknownSyntax, match="one choice alone") as caught:
        plain_markdown(":::{quiz} one\nWhy?\n\n- (x) A\n\n  a.\n:::")

    assert caught.value.line == "- (x) A"


def quizzes(word: str) -> list[Quiz]:
    """The quizzes of a lesson."""
    written = re.findall(
        r"^:::\{(?:quiz|predict)\} (\S+)\n(.*?)^:::$", read_lesson(word), re.MULTILINE | re.DOTALL
    )
    return [parse(name, re.sub(r"\A:seen:.*\n", "", text).splitlines()) for name, text in written]


@pytest.mark.parametrize("word", words())
def test_a_lesson_asks_about_twelve_questions_and_nearly_all_can_be_checked(word: str) -> None:
    asked = quizzes(word)
    open_ones = [quiz for quiz in asked if quiz.kind == "open"]

    assert len(asked) >= 12
    assert asked[-1].kind == "open"
    assert len(open_ones) <= 0.15 * len(asked)
    assert len(re.findall(r"^:::\{predict\}", read_lesson(word), re.MULTILINE)) >= 3


def test_where_the_right_choice_stands_gives_nothing_away() -> None:
    places, longest = Counter[int](), 0
    single = [quiz for word in words() for quiz in quizzes(word) if quiz.kind == "single"]
    for quiz in single:
        lengths = [len(answer.text) for answer in quiz.answers]
        right = [answer.right for answer in quiz.answers].index(True)
        places[right] += 1
        longest += lengths[right] == max(lengths)

    assert max(places.values()) < 0.5 * len(single)
    assert longest < 0.5 * len(single)
