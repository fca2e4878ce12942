"""The reference: every public name of the library by layer and module, from the code itself.

Which layer a module stands in is read where the package says it to whoever opens it: in its docstring.
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from reference_entry import code_of, docstring_markdown, entry
from reference_pictures import Shown
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import coursekit


@cache
def layers() -> dict[str, list[str]]:
    """The layers of the library, each with its modules, in the order in which the package names them.

    >>> list(layers())[:2], "display" in layers()["ground"]
    (['apps', 'training'], True)
    """
    found = re.findall(r"^- (\w+): (.*?)(?=^- |^\S|\Z)", coursekit.__doc__ or "", re.MULTILINE | re.DOTALL)
    return {layer: re.findall(r"`(\w+)`", text) for layer, text in found}


def names_of(layer: str) -> dict[str, list[str]]:
    """The public names of a layer, by module."""
    result: dict[str, list[str]] = {}
    api = importlib.import_module("coursekit.api")
    for name in api.__all__:
        module = home(getattr(api, name))
        if module.partition(".")[0] in layers()[layer]:
            result.setdefault(module, []).append(name)
    return dict(sorted(result.items()))


class Reference(SphinxDirective):
    """All public names of one layer, a section for each module that brings some."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        layer = self.arguments[0]
        if layer not in layers():
            raise self.error(f"the library has no layer {layer!r}; there are: {', '.join(layers())}")
        return [self.section(module, names) for module, names in names_of(layer).items()]

    def section(self, module: str, names: list[str]) -> nodes.section:
        api = importlib.import_module("coursekit.api")
        file = importlib.import_module(f"coursekit.{module}")
        self.env.note_dependency(str(file.__file__))
        section = nodes.section("", nodes.title("", module), ids=[f"module-{module.replace('.', '-')}"])
        section["names"].append(f"module {module}")
        text = [docstring_markdown(file.__doc__ or "").partition("\n\n")[0], ""]
        parts = [part for name in names for part in entry(name, getattr(api, name), module)]
        text += "\n".join(parts).splitlines()
        self.state.nested_parse(text, self.content_offset, section)
        return section


class LayerNames(SphinxDirective):
    """The public names of one layer in a line for each module, as links."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        rows = [
            f"- `{module}`: {', '.join(f'{{kit}}`{name}`' for name in names)}"
            for module, names in names_of(self.arguments[0]).items()
        ]
        self.env.note_dependency(str(Path(str(coursekit.__file__)).with_name("api.py")))
        part = nodes.container(classes=["layer-names"])
        self.state.nested_parse(rows, self.content_offset, part)
        return [part]


class CodeOf(SphinxDirective):
    """A definition of the library without its docstrings."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        code = code_of(self.arguments[0])
        return [nodes.literal_block(code, code, language="python")]


def home(value: Any) -> str:
    """The module of the library that a value was written in: `metrics`, `widgets.flipbooks`."""
    return str(getattr(value, "__module__", "")).removeprefix("coursekit.")


def setup(app: Sphinx) -> dict[str, bool]:
    directives = {"reference": Reference, "layer-names": LayerNames, "shown": Shown, "code-of": CodeOf}
    for name, directive in directives.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
