"""The class at a glance: what to look at first, which checks failed and how, who needs a person, everyone.

    page = overview_page(tallies, lines)

One file without scripts, for the instructor: it names learners, and links to their pages beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..grader.wording import count
from .findings import findings
from .neutral import file_name, tag
from .page import bar, columns, legend, page
from .rows import GRADED, MISSING, OURS, REFUSED, UNTOLD, Standing
from .tally import CheckTally, Failure, Look, Tally

# More rows than these make a page slow, and nobody reads them there: grades.json has them all.
MOST_ROWS, MOST_LOOKS, MOST_ALIKE = 1000, 200, 40
MOST_WAYS, MOST_MISTAKES, MOST_COLUMNS = 6, 10, 12

_SORTS = (
    ("right", "passed"),
    ("wrong", "wrong"),
    ("stopped", "did not run to its end"),
    ("unwritten", "not written"),
)


Who = TypeVar("Who", str, tuple[str, str])


@dataclass(frozen=True)
class Line:
    """One learner in the table of everyone: what is shown for each exercise, and all points together."""

    learner: str
    shown: tuple[str, ...]
    points: float

    @classmethod
    def of(cls, learner: str, rows: Sequence[Standing]) -> Line:
        """The line of a learner who stands so in each exercise."""
        told = [row for row in rows if row.word]
        return cls(learner, tuple(map(_shown, told)), sum(row.points or 0 for row in told))


def _shown(row: Standing) -> str:
    """Points, and what else is to be known, in a word or two."""
    about = [
        {
            OURS: "not graded yet",
            REFUSED: "not gradable",
            MISSING: "nothing handed in",
            UNTOLD: "not told for which exercise",
        }.get(row.outcome, "")
    ]
    about += ["late" if row.days_late else "", "override" if row.override else ""]
    points = "" if row.points is None else f"{row.points:g}"
    words = ", ".join(filter(None, about))
    return f"{points} ({words})" if points and words else points or words


_SECTIONS = {
    "settle": "For you to settle",
    "help": "Who may need help",
    "missing": "Not handed in",
    "noted": "Left out, or doubtful",
    "alike": "Alike",
    "everyone": "Everyone",
    "made": "What made these grades",
}


def overview_page(tallies: Sequence[Tally], lines: Sequence[Line]) -> str:
    """The page.

    Args:
        tallies: Each exercise over the class.
        lines: Everyone, by name.

    >>> "There is nothing to look at first." in overview_page([Tally("metrics")], [])
    True
    """
    told = [tally for tally in tallies if tally.word]  # of what nobody knows what it is for, there is a list
    several = len(told) > 1
    title = "How the class did" if len(told) != 1 else f"{_title(told[0])}: how the class did"
    exercises = [_exercise(tally, _title(tally) if several else "The class") for tally in told]
    parts = [f"<h1>{tag(title)}</h1>", _first(tallies), *exercises]
    parts += [
        _looks("settle", [look for tally in tallies for look in tally.settle], several),
        _looks("help", [look for tally in tallies for look in tally.help], several),
        _section("missing", [_missing(tally) for tally in told]),
        _looks("noted", [look for tally in tallies for look in tally.noted], several),
        _section("alike", [_alike(tally) for tally in told], _INFORMATION),
        _section("everyone", [_everyone(told, lines)]),
        _section("made", [_made(tally) for tally in told]),
    ]
    return page(title, parts)


def _title(tally: Tally) -> str:
    return tally.title or tally.word


def _section(name: str, parts: Sequence[str], above: str = "") -> str:
    """A section of the page, or nothing where it has no parts."""
    inside = "\n".join(part for part in parts if part)
    return f'<h2 id="{name}">{_SECTIONS[name]}</h2>\n{above}{inside}' if inside else ""


def _first(tallies: Sequence[Tally]) -> str:
    names = _SECTIONS | {f"checks-{tally.word}": "Check by check" for tally in tallies}
    if sum(bool(tally.word) for tally in tallies) > 1:
        names |= {f"checks-{tally.word}": f"{_title(tally)}, check by check" for tally in tallies}
    items = "".join(
        f'<li>{tag(one.sentence)} <a href="#{tag(one.place)}">{tag(names[one.place])}</a></li>'
        for one in findings(tallies)
    )
    return (
        f"<h2>Look at these first</h2>\n<ol>{items}</ol>"
        if items
        else "<p>There is nothing to look at first.</p>"
    )


def _page_of(learner: str) -> str:
    """A learner's name, which leads to their page."""
    return f'<a href="feedback/{file_name(learner)}.html"><bdi>{tag(learner, 200)}</bdi></a>'


# The exercises --------------------------------------------------------------------------------------------


def _exercise(tally: Tally, title: str) -> str:
    figures = [("learners", f"{tally.learners}"), ("graded", f"{tally.outcomes[GRADED]}")]
    if tally.median is not None:
        figures += [
            (f"median, of {tally.of}", f"{tally.median:g}"),
            ("have all points", f"{tally.points[tally.of]}"),
            ("have none", f"{tally.points[0]}"),
        ]
    shown = "".join(f"<li><strong>{number}</strong> {tag(words)}</li>" for words, number in figures)
    head = f'<h2>{tag(title)}</h2>\n<ul class="figures">{shown}</ul>'
    parts = [head, _checks(tally), _mistakes(tally), _points(tally)]
    return "\n".join(part for part in parts if part)


def _checks(tally: Tally) -> str:
    """A bar for each check, in the order of the exercise, and the ways in which it failed."""
    if not tally.checks:
        return ""
    worst = next(iter(tally.worst_checks()), None)
    items = "".join(f"<li>{_check(one, one is worst)}</li>" for one in tally.checks.values())
    head = f'<h3 id="checks-{tag(tally.word)}">Check by check</h3>'
    return f'{head}\n{legend(_SORTS)}<ol class="plain">{items}</ol>'


def _check(one: CheckTally, is_open: bool) -> str:
    counts = [(sort, words, getattr(one, sort)) for sort, words in _SORTS]
    said = ", ".join(f"{number} {words}" for _, words, number in counts if number)
    drawn = bar([(sort, number / max(1, one.count)) for sort, _, number in counts], f"{one.title}: {said}")
    ways = one.worst()
    listed = "".join(f"<li>{_way(failure)}</li>" for failure in ways[:MOST_WAYS])
    rest = len(ways) - MOST_WAYS
    listed += f"<li>And in {count(rest, 'other way')}.</li>" if rest > 0 else ""
    summary = f"<summary>How it failed: {tag(one.title)}</summary>"
    more = f"<details{' open' if is_open else ''}>{summary}<ul>{listed}</ul></details>" if ways else ""
    return f"<p><strong>{tag(one.title)}</strong> ({count(one.of, 'point')}): {said}.</p>{drawn}{more}"


def _mistakes(tally: Tally) -> str:
    """A bar for each known mistake, those made most first."""
    made = tally.most_made()[:MOST_MISTAKES]
    items = ""
    for mistake in made:
        share = mistake.count / tally.outcomes[GRADED]
        drawn = bar([("many", share)], f"{mistake.title}: {count(mistake.count, 'learner')}")
        items += f"<li><p>{_way(mistake)}</p>{drawn}</li>"
    return f'<h3>Known mistakes, those made most first</h3>\n<ol class="plain">{items}</ol>' if items else ""


def _way(failure: Failure) -> str:
    """One way of failing: the known mistake or what was read, and whose page shows it."""
    title = f"<strong>{tag(failure.title)}</strong>: " if failure.title else "Like no known mistake: "
    shown = ", ".join(map(_page_of, failure.learners))
    return f"{count(failure.count, 'learner')}. {title}{tag(failure.sentence, 400)} See {shown}."


def _points(tally: Tally) -> str:
    if not tally.points or not tally.of:
        return ""
    return f"<h3>Points</h3>\n{columns(histogram(tally), 'learners')}"


def histogram(tally: Tally) -> list[tuple[str, int]]:
    """How many learners have how many points, in at most so many columns as a phone can show.

    >>> tally = Tally("metrics", of=30)
    >>> tally.points.update([0, 7.5, 30])
    >>> [label for label, number in histogram(tally) if number]
    ['0-2', '6-8', '30-32']
    """
    wide = -(-(tally.of + 1) // MOST_COLUMNS)
    most = max([tally.of, *tally.points])  # an override may give more than can be earned
    counts = [0] * (int(most) // wide + 1)
    for points, number in tally.points.items():
        counts[int(points) // wide] += number
    return [(f"{wide * at}-{wide * (at + 1) - 1}" if wide > 1 else f"{at}", n) for at, n in enumerate(counts)]


# Lists of learners ----------------------------------------------------------------------------------------


def _looks(name: str, looks: Sequence[Look], with_word: bool) -> str:
    items = []
    for look in looks[:MOST_LOOKS]:
        word = f" ({tag(look.word)})" if with_word else ""
        items.append(f"<li>{_page_of(look.learner)}{word}: {tag(look.why, 600)}</li>")
    return _section(name, [f"<ul>{''.join(items)}</ul>{_rest(len(looks) - MOST_LOOKS)}"] if items else [])


def _rest(more: int) -> str:
    return f"<p>And {more} more: grades.json has them all.</p>" if more > 0 else ""


def _missing(tally: Tally) -> str:
    if not tally.missing:
        return ""
    names = ", ".join(map(_page_of, tally.missing[:MOST_LOOKS]))
    return f"<p>{tag(_title(tally))}: {names}.</p>{_rest(len(tally.missing) - MOST_LOOKS)}"


_INFORMATION = (
    "<p>This is information, not a score: there are few ways to write a short function, and the library, "
    "which anyone may read, is the solution.</p>"
)


def _alike(tally: Tally) -> str:
    """Who wrote something like the library's text or somebody else's, by definition."""
    items = []
    for definition, alike in tally.alike.items():
        lists = [
            (f"{count(len(alike.library), 'learner')} as the library does", _shares(alike.library, _page_of)),
            (f"{count(len(alike.pairs), 'pair')} alike", _shares(alike.pairs, _pair)),
        ]
        told = ", ".join(head for head, names in lists if names)
        inside = "".join(f"<p>{head}: {_listed(names)}.</p>" for head, names in lists if names)
        summary = f"<summary><code>{tag(definition)}</code>: {told}</summary>"
        items.append(f"<li><details>{summary}{inside}</details></li>" if told else "")
    return f'<ul class="plain">{"".join(items)}</ul>' if items else ""


def _shares(found: Mapping[Who, float], named: Callable[[Who], str]) -> list[str]:
    ordered = sorted(found.items(), key=lambda one: -one[1])
    return [f"{named(who)} ({100 * share:.0f} %)" for who, share in ordered]


def _pair(pair: tuple[str, str]) -> str:
    return " and ".join(map(_page_of, pair))


def _listed(items: Sequence[str]) -> str:
    """The first of many, and how many more there are."""
    more = f", and {len(items) - MOST_ALIKE} more" if len(items) > MOST_ALIKE else ""
    return ", ".join(items[:MOST_ALIKE]) + more


def _everyone(tallies: Sequence[Tally], lines: Sequence[Line]) -> str:
    """A row for each learner: their points in each exercise, and in all of them."""
    if not lines:
        return ""
    several = len(tallies) > 1
    heads = [f"{_title(tally)}, of {tally.of}" for tally in tallies]
    heads += [f"All, of {sum(tally.of for tally in tallies)}"] if several else []
    titles = "".join(f'<th scope="col" class="number">{tag(head)}</th>' for head in heads)
    rows = []
    for one in lines[:MOST_ROWS]:
        cells = [*one.shown, *([f"{one.points:g}"] if several else [])]
        shown = "".join(f'<td class="number">{tag(text)}</td>' for text in cells)
        rows.append(f'<tr><th scope="row">{_page_of(one.learner)}</th>{shown}</tr>')
    head = f'<thead><tr><th scope="col">Learner</th>{titles}</tr></thead>'
    caption = f"<caption>{count(len(lines), 'learner')}</caption>"
    table = f"<table>{caption}{head}<tbody>{''.join(rows)}</tbody></table>"
    region = '<div class="scroll" role="region" aria-label="Everyone" tabindex="0">'
    return f"{region}{table}</div>{_rest(len(lines) - MOST_ROWS)}"


def _made(tally: Tally) -> str:
    """Which versions, devices and machines the grades come from, and what was not protected."""
    made = [(number, how) for how, number in tally.origins.most_common()]
    made += [(number, f"without the full sandbox: {why}") for why, number in tally.unprotected.most_common()]
    if tally.own_clocks:
        made.append((tally.own_clocks, "the learner's own clock told when it was handed in"))
    items = "".join(f"<li>{count(number, 'grade')}: {tag(how)}</li>" for number, how in made)
    return f"<p>{tag(_title(tally))}</p><ul>{items}</ul>" if items else ""
