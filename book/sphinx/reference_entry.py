"""One public name of the reference: signature, docstring, its own code, and the lessons that use it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from coursekit import lessons
from coursekit.markdown import definitions

SECTION = re.compile(r"^(Args|Returns|Raises|Yields|Attributes|Example|Examples):\s*$")
LISTS = ("Args", "Raises", "Attributes")
# A lesson that names something in its text explains it; one that only calls it in a cell uses it.
EXPLAINS, USES = 3, 1


def entry(name: str, value: Any, module: str) -> Iterator[str]:
    """One public name, and the public methods written in it, as directives of the Python domain."""
    from coursekit.typed import generated  # with torch, which a build without these pages does not need

    kind = "class" if inspect.isclass(value) else "function" if callable(value) else "data"
    brackets = signature(value) if kind != "data" else ""
    text = docstring_markdown(inspect.getdoc(value) or "")
    yield f"``````{{py:{kind}}} coursekit.{name}{brackets}\n{text}\n"
    yield f"`````{{shown}} {module}.{name}\n`````\n"
    for inner, method in vars(value).items() if kind == "class" else ():
        written = inspect.isfunction(method) and method not in generated
        if written and not inner.startswith("_") and method.__doc__:
            text = docstring_markdown(method.__doc__)
            brackets = re.sub(r"^\(self(, )?", "(", signature(method))
            yield f"`````{{py:method}} {inner}{brackets}\n{text}\n`````\n"
    if found := used_in(name):
        yield f"In the lessons: {', '.join(f'{{doc}}`/lessons/{word}`' for word in found)}.\n"
    yield f"`````{{folded}} The code of {name}\n````{{code-of}} {module}.{name}\n````\n`````\n``````\n"


def signature(value: Any) -> str:
    """What stands between the brackets, without the types: they are in the text."""
    try:
        given = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    empty = inspect.Parameter.empty
    plain = [parameter.replace(annotation=empty) for parameter in given.parameters.values()]
    return re.sub(r"<[^<>]*?([\w.]+)(?: at 0x[0-9a-f]+)?>", r"\1", str(inspect.Signature(plain)))


def docstring_markdown(text: str) -> str:
    """A docstring as Markdown: examples become code, `Args:` becomes a list.

    >>> print(docstring_markdown("Add.\\n\\nArgs:\\n    a: One\\n        number."))
    Add.
    <BLANKLINE>
    **Args**
    <BLANKLINE>
    - `a`: One number.
    >>> docstring_markdown(">>> add(1)\\n2").split("\\n")
    ['```pycon', '>>> add(1)', '2', '```']
    """
    return "\n\n".join(_blocks(inspect.cleandoc(text).split("\n\n")))


def _blocks(paragraphs: list[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        head, _, rest = paragraph.partition("\n")
        if paragraph.lstrip().startswith(">>>"):
            # In its file an example imports as the file does; a reader has the package.
            example = re.sub(
                r"^(>>>|\.\.\.) from \.+(?=\w)", r"\1 from coursekit.", paragraph, flags=re.MULTILINE
            )
            yield f"```pycon\n{inspect.cleandoc(example)}\n```"
        elif match := SECTION.match(head):
            yield f"**{match[1]}**"
            text = textwrap.dedent(rest)
            yield _list(text) if match[1] in LISTS else text
        else:
            yield inspect.cleandoc(paragraph)


def _list(text: str) -> str:
    items = re.sub(r"\n\s+", " ", text).splitlines()
    named = re.compile(r"^([\w*., ]+): (.*)$")
    return "\n".join(f"- `{m[1]}`: {m[2]}" if (m := named.match(item)) else f"- {item}" for item in items)


def code_of(name: str) -> str:
    """A definition as it stands in its file, each of its methods if it has several, less the docstrings.

    >>> print(code_of("metrics.error_rate").partition("(")[0])
    def error_rate
    """
    return "\n\n\n".join(map(without_docstrings, definitions(name)[0]))


def without_docstrings(code: str) -> str:
    """What a page need not show twice is left out.

    >>> print(without_docstrings('def one():\\n    "Just one."\\n    return 1'))
    def one():
        return 1
    """
    lines = code.splitlines()
    for node in ast.walk(ast.parse(code)):
        inside = getattr(node, "body", None)
        if isinstance(inside, list) and len(inside) > 1 and _is_text(inside[0]):
            first, last = inside[0].lineno - 1, inside[0].end_lineno or 0
            lines[first:last] = [""] * (last - first)
    return re.sub(r"\n\n+(?=\s*\S)", "\n\n", "\n".join(lines)).replace(":\n\n", ":\n")


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str)


def used_in(name: str, most: int = 3) -> list[str]:
    """The lessons that a public name plays a part in, the one that explains it most first.

    >>> used_in("rotate")[0]
    'dispatch'
    """
    scores = {word: names.get(name, 0) for word, names in mentions().items()}
    return sorted((word for word in scores if scores[word]), key=lambda word: -scores[word])[:most]


@cache
def mentions() -> Mapping[str, Mapping[str, int]]:
    """How much each lesson says of each public name."""
    result: dict[str, dict[str, int]] = {}
    for word in lessons.words():
        counts = result[word] = {}
        text = lessons.read_lesson(word)
        for pattern, weight in ((r"\{kit\}`(\w+)`", EXPLAINS), (r"\bkit\.(\w+)", USES)):
            for found in re.findall(pattern, text):
                counts[found] = counts.get(found, 0) + weight
    return result
