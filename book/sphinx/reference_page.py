"""The reference: every public name of the library, its signature and docstring, from the code itself."""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from coursekit.typed import generated

SECTION = re.compile(r"^(Args|Returns|Raises|Yields|Attributes|Example|Examples):\s*$")


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
            yield f"```pycon\n{inspect.cleandoc(paragraph)}\n```"
        elif match := SECTION.match(head):
            yield f"**{match[1]}**"
            yield _list(textwrap.dedent(rest))
        else:
            yield inspect.cleandoc(paragraph)


def _list(text: str) -> str:
    items = re.sub(r"\n\s+", " ", text).splitlines()
    named = re.compile(r"^([\w*., ]+): (.*)$")
    return "\n".join(f"- `{m[1]}`: {m[2]}" if (m := named.match(item)) else f"- {item}" for item in items)


def entry(name: str, value: Any) -> Iterator[str]:
    """One public name, and the public methods written in it, as directives of the Python domain."""
    kind = "class" if inspect.isclass(value) else "function" if callable(value) else "data"
    brackets = signature(value) if kind != "data" else ""
    text = docstring_markdown(inspect.getdoc(value) or "")
    yield f"``````{{py:{kind}}} coursekit.{name}{brackets}\n{text}\n"
    for inner, method in vars(value).items() if kind == "class" else ():
        written = inspect.isfunction(method) and method not in generated
        if written and not inner.startswith("_") and method.__doc__:
            text = docstring_markdown(method.__doc__)
            brackets = re.sub(r"^\(self(, )?", "(", signature(method))
            yield f"`````{{py:method}} {inner}{brackets}\n{text}\n`````\n"
    yield "``````\n"


class Reference(SphinxDirective):
    """All public names, a section for each module of the library that brings some."""

    def run(self) -> list[nodes.Node]:
        api = importlib.import_module("coursekit.api")
        modules: dict[str, list[str]] = {}
        for name in api.__all__:
            modules.setdefault(home(getattr(api, name)), []).append(name)
        return [self.section(module, names, api) for module, names in sorted(modules.items())]

    def section(self, module: str, names: list[str], api: Any) -> nodes.section:
        file = inspect.getmodule(importlib.import_module(f"coursekit.{module}"))
        self.env.note_dependency(str(file.__file__))
        section = nodes.section("", nodes.title("", module), ids=[f"module-{module.replace('.', '-')}"])
        section["names"].append(f"module {module}")
        text = [docstring_markdown(file.__doc__ or "").partition("\n\n")[0], ""]
        parts = [part for name in names for part in entry(name, getattr(api, name))]
        text += "\n".join(parts).splitlines()
        self.state.nested_parse(text, self.content_offset, section)
        return section


def home(value: Any) -> str:
    """The module of the library that a public name comes from: `metrics`, `widgets.flipbooks`."""
    return str(getattr(value, "__module__", "")).removeprefix("coursekit.")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("reference", Reference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
