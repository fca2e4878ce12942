"""Pages whose code is all run, in order, and compared with what their comments say came out."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BOOK = Path(__file__).parent.parent / "book"


@dataclass
class PageOfCode:
    """A page of the book with its blocks of Python.

    Attributes:
        name: The page.
        text: All of it.
        blocks: The code of each block.
        names: What the code left behind, once it was run.
        compared: Each line with a comment behind it: the code, the comment, and what came out.
        printed: What was printed.
    """

    name: str
    text: str = ""
    blocks: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    compared: list[tuple[str, str, str]] = field(default_factory=list)
    printed: str = ""

    def __post_init__(self) -> None:
        self.text = (BOOK / f"{self.name}.md").read_text(encoding="utf-8")
        self.blocks = re.findall(r"```python\n(.*?)```", self.text, re.DOTALL)

    def run(self) -> PageOfCode:
        """Run all blocks. What a line gave is looked at right after its block."""
        from matplotlib import pyplot

        self.names["__name__"] = f"{self.name}_page"
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            for number, code in enumerate(self.blocks):
                exec(compile(code, f"{self.name}.md, block {number + 1}", "exec"), self.names)
                self.compared += [
                    self._compare(line) for line in re.findall(r"^\S.*  # .*$", code, re.MULTILINE)
                ]
        self.printed = printed.getvalue()
        pyplot.close("all")
        return self

    def _compare(self, line: str) -> tuple[str, str, str]:
        """What follows a colon in a comment is a remark."""
        code, comment = line.split("  # ", 1)
        value = repr(eval(code, self.names))
        return code, comment if comment == value else comment.partition(": ")[0], value

    def wrong(self) -> list[tuple[str, str, str]]:
        """The lines whose comment is not what came out."""
        return [found for found in self.compared if found[1] != found[2]]
