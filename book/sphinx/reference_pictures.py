"""What an example in a docstring draws: its picture, or the widget itself."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from widgets import WIDGET, named


class Shown(SphinxDirective):
    """The output of a name's own example, if that is something to look at."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module, _, name = self.arguments[0].rpartition(".")
        value = getattr(importlib.import_module(f"coursekit.{module}"), name)
        # The class of a widget is made with little in its example; the function beside it makes a whole one.
        moves = module.startswith("widgets.") and not inspect.isclass(value)
        if not (name.startswith("show") or name == "framed" or moves):
            return []
        return seen(value, Path(self.env.srcdir) / "_build" / "examples" / name)


def seen(value: Any, file: Path) -> list[nodes.Node]:
    """Run the examples of a name; the last picture that they draw, or the widget that they end in."""
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    last = run_examples(value)
    figures = [pyplot.figure(number) for number in pyplot.get_fignums()]
    pyplot.close("all")
    if figures:
        return [picture(figures[-1], file)]
    markup = last._repr_html_() if hasattr(last, "_repr_html_") else ""
    if WIDGET not in markup:
        return []
    return [nodes.raw("", named(markup, last.alt), format="html")]


def run_examples(value: Any) -> Any:
    """Run the examples of a docstring, one after another; what the last one gave."""
    names = {**vars(inspect.getmodule(value)), "__name__": "example"}
    last = None
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(value) or ""):
        try:
            code = compile(example.source, "<example>", "eval")
        except SyntaxError:
            exec(compile(example.source, "<example>", "exec"), names)
        else:
            last = eval(code, names)
    return last


def picture(figure: Any, file: Path) -> nodes.figure:
    """A figure of an example, with the alternative text that the library wrote for it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file = file.with_suffix(".webp")
    figure.savefig(file, dpi=110, bbox_inches="tight")
    told = [getattr(drawn, "alt_text", "") for drawn in (figure, *figure.axes)]
    alt = " ".join(next(filter(None, told), "").split())
    return nodes.figure("", nodes.image(uri=f"/_build/examples/{file.name}", alt=alt), classes=["example"])
