"""The scripts of widgets, each written once: as a module for a live notebook, as a classic script for a page.

A widget is an ES module beside this file, and takes what it shares with others from its siblings. A kernel's
widget must be one file, and a page that was opened from a file must hold no module at all; so the siblings
are put in here. Only the forms that are used are known: `import { one, other } from "./sibling.js";` on one
line, `export` before `function`, `async function` and `const`, and `export default { render };` at the end.
Any other import or export is an error with its file and line.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

END = "export default { render };"
IMPORT = re.compile(r'^import \{ (\w+(?:, \w+)*) \} from "\./(\w+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|const) (\w+)(?:\(| =))", re.MULTILINE)
COMMENT = re.compile(r"^ *(?://.*|/\*\*(?:.|\n)*?\*/)\n", re.MULTILINE)
UNKNOWN = re.compile(r"\s*(?:import|export)\b(?!\()|.*\bimport\.meta\b")


def names() -> list[str]:
    """The widgets there are a script for: the siblings that only lend to others are not among them.

    >>> "descent" in names(), "drawing" in names()
    (True, False)
    """
    scripts = [file.name.removesuffix(".js") for file in files(__package__).iterdir()]
    return sorted(name for name in scripts if is_script(name) and END in source(name).splitlines())


@cache
def live(name: str) -> str:
    """The script of a widget as one ES module, for a notebook with a kernel."""
    return f"{closed(name)}\n{END}\n"


@cache
def classic(name: str) -> str:
    """The script of a widget as a classic one, which opens all of its kind that stand on the page.

    >>> classic("descent").splitlines()[:2]
    ['(() => {', '"use strict";']
    """
    body = f'{lent("page", *lenders(name))}{plain(name)}\nfrom_page.openAll("{name}", render);'
    return f'(() => {{\n"use strict";\n{body}\n}})();\n'


def is_script(name: str) -> bool:
    return files(__package__).joinpath(f"{name}.js").is_file()


def source(name: str) -> str:
    """A script as it is written; `LookupError` if there is none."""
    if not is_script(name):
        raise LookupError(f"there is no script {name}.js beside {__package__}.modules.")
    return files(__package__).joinpath(f"{name}.js").read_text("utf-8")


def lenders(name: str, way: tuple[str, ...] = ()) -> list[str]:
    """The siblings that a script needs, each after those that it needs itself."""
    if name in way:
        raise SyntaxError(f"{name}.js needs itself: {', which needs '.join((*way, name))}.")
    found: dict[str, None] = {}
    for _, other in IMPORT.findall(source(name)):
        found |= dict.fromkeys([*lenders(other, (*way, name)), other])
    return list(found)


def closed(name: str) -> str:
    """The script of a widget, its siblings before it, without a word that only a module knows."""
    return lent(*lenders(name)) + plain(name)


def lent(*names: str) -> str:
    """What these scripts lend, and those that they need, as objects: `from_page` is what page.js lends."""
    needed = dict.fromkeys(one for name in names for one in [*lenders(name), name])
    return "".join(map(sibling, needed))


def sibling(name: str) -> str:
    """A script as an object that holds what it lends: its other names stay its own."""
    lent = ", ".join(EXPORT.findall(source(name)))
    return f"const from_{name} = (() => {{\n{plain(name)}\nreturn {{ {lent} }};\n}})();\n"


def plain(name: str) -> str:
    """A script without its imports and exports, and the comments that readers need not fetch."""
    lines = []
    for number, written in enumerate(source(name).splitlines(), 1):
        for borrowed, other in IMPORT.findall(written):
            if missing := set(borrowed.split(", ")) - {*EXPORT.findall(source(other))}:
                raise SyntaxError(f"{name}.js, line {number}: {other}.js exports no {min(missing)}.")
        line = EXPORT.sub("", IMPORT.sub(r"const { \1 } = from_\2;", written))
        if UNKNOWN.match(line) and line != END:
            raise SyntaxError(
                f"{name}.js, line {number}: this cannot be put into one script: {written!r}. Known are "
                '`import { name } from "./sibling.js";` on one line, `export function`, `export const`, and '
                f"`{END}`."
            )
        lines.append("" if line == END else line)
    return COMMENT.sub("", "\n".join(lines))
