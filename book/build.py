"""Build the book: execute lessons that have changed, then write the pages, and fail on any warning.

    python book/build.py                        all lessons, pages in _build/html
    python book/build.py first_model            only this lesson is executed; what was executed before is kept
    python book/build.py --none --out FOLDER    nothing is executed
    python book/build.py --epub --pdf           also the book as files to carry away; each page leads to them

Results are kept in a folder named by a hash of coursekit/ and the exact pins, because a lesson's own code
does not change when the library does. The exit status is 1 when a cell fails or a page has a warning, and
the last lines say which lesson, cell and error it was; the pages are written all the same, and say what was
not executed.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "book" / "sphinx"), str(ROOT / "book" / "carry")]
# A checker of addresses that notebooks never use: as it is imported it writes 38 parsers, for two seconds.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def code_hash() -> str:
    """Changes when the library, or a version it runs with, changes; scripts are the pages' own affair."""
    files = [*(ROOT / "coursekit").rglob("*.py"), *(ROOT / "coursekit").rglob("*.toml")]
    files += (ROOT / "requirements").glob("*.txt")
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(files):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def lesson_words() -> list[str]:
    """The lessons of the book, in its order."""
    import yaml

    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [file.removeprefix("lessons/") for file in files if file.startswith("lessons/")]


def read(word: str) -> Any:
    """A lesson as the page build reads it, or the results kept for it would not be found."""
    from myst_nb.core.read import read_myst_markdown_notebook

    return read_myst_markdown_notebook((ROOT / "lessons" / f"{word}.md").read_text("utf8"))


class CellFailed(Exception):
    """A cell of a lesson raised; the message names lesson, line and error."""


def execute(word: str, cache: Any) -> float:
    """Run a lesson and keep its results; the seconds it took."""
    from jupyter_cache.base import CacheBundleIn
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    notebook, start = read(word), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=900,
            resources={"metadata": {"path": folder}},
            extra_arguments=["--log-level=40"],  # the kernel warns of local sockets, which is how it is meant
        )
        try:
            client.execute()
        except (CellExecutionError, CellTimeoutError) as error:
            raise CellFailed(failure(word, notebook, error)) from None
        keep_page(Path(folder, "page"), Path(cache.path, "pages", word))
    seconds = time.monotonic() - start
    bundle = CacheBundleIn(notebook, f"{word}.md", data={"execution_seconds": seconds})
    with suppress(ValueError):  # another build was quicker, and kept the same
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    cache.match_cache_notebook(notebook)
    return seconds


def keep_page(made: Path, kept: Path) -> None:
    """Keep the page that a lesson made in its folder, where it made one, with its results."""
    shutil.rmtree(kept, ignore_errors=True)
    if (made / "index.html").is_file():
        shutil.copytree(made, kept)


def failure(word: str, notebook: Any, error: Exception) -> str:
    """Which lesson, line, cell and error it was, then the end of the traceback without its colours."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    ran = [number for number, cell in enumerate(code) if cell.get("execution_count")]
    number = ran[-1] if ran else 0
    first = code[number].source.partition("\n")[0]
    lines = (ROOT / "lessons" / f"{word}.md").read_text("utf8").splitlines()
    line = lines.index(first) + 1 if first in lines else 0
    said = str(getattr(error, "evalue", error)).partition("\n")[0]
    what = f"{getattr(error, 'ename', type(error).__name__)}: {said}"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().splitlines()
    tail = "\n".join(f"    {row}" for row in plain[-25:])
    return f"lessons/{word}.md, line {line}, code cell {number + 1}: {what}\n\n{tail}"


def execute_all(words: list[str], cache_folder: Path) -> tuple[list[str], list[str]]:
    """Execute what has no results yet; the lessons of the book without results, and what went wrong."""
    from execution_cache import only_code_counts
    from jupyter_cache import get_cache

    only_code_counts()
    cache = get_cache(str(cache_folder))
    missing, failures = [], []
    for word in lesson_words():
        try:
            cache.match_cache_notebook(read(word))
            print(f"{word}: its results are kept from before", flush=True)
        except KeyError:
            if word not in words:
                missing.append(word)
                continue
            print(f"{word}: executing", flush=True)
            try:
                print(f"{word}: took {execute(word, cache):.0f} s", flush=True)
            except CellFailed as error:
                missing.append(word)
                failures.append(str(error))
    return missing, failures


def write_pages(out: Path, missing: list[str], settings: dict[str, Any]) -> bool:
    """Run Jupyter Book's build in this process; whether it went without a warning."""
    from jupyter_book.sphinx import build_sphinx

    status = build_sphinx(
        ROOT,
        out / "html",
        noconfig=True,
        path_config=ROOT / "_config.yml",
        confoverrides={
            "nb_execution_excludepatterns": [f"lessons/{word}.md" for word in missing],
            "latex_individualpages": False,
            **settings,
        },
        doctreedir=out / "doctrees",
        warningiserror=True,
        keep_going=True,
        quiet=True,
    )
    if status != 0:  # else a second build would skip the page and with it the warning
        (out / "doctrees" / "environment.pickle").unlink(missing_ok=True)
    return status == 0


def carry(out: Path, kinds: Sequence[str]) -> None:
    """Write the book as files, from its pages."""
    import yaml
    from epub import write_epub
    from pdf import write_pdf

    about = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    for kind in kinds:
        file = out / "html" / f"book.{kind}"
        {"epub": write_epub, "pdf": write_pdf}[kind](ROOT, out / "html", file, about)
        print(f"{kind.upper()}: {file} ({file.stat().st_size / 1e6:.1f} MB)")


def build(words: list[str], out: Path, **settings: Any) -> int:
    """Execute, write, say what came of it; the exit status."""
    start = time.monotonic()
    cache_folder = ROOT / "_build" / "executed" / code_hash()
    missing, failures = execute_all(words, cache_folder)
    settings["nb_execution_cache_path"] = str(cache_folder)
    clean = write_pages(out, missing, settings)
    carry(out, settings.get("carried", []))
    print(f"\nPages: {out / 'html' / 'index.html'} ({time.monotonic() - start:.0f} s)")
    if missing:
        print(f"Not executed: {', '.join(missing)}")
    if not clean:
        print("The pages have the warnings above, and a warning is a failure.")
    for failure in failures:
        print(f"\nFailed: {failure}")
    return int(bool(failures) or not clean)


def questions() -> argparse.ArgumentParser:
    """What can be asked for on the command line."""
    parser = argparse.ArgumentParser(description="Build the book.")
    parser.add_argument("lessons", nargs="*", help="which lessons to execute; all when none is named")
    parser.add_argument("--none", action="store_true", help="execute nothing")
    parser.add_argument("--out", type=Path, default=ROOT / "_build", help="the folder that gets html/")
    parser.add_argument(
        "--run-address", default="", help="where 'Run this lesson' leads, less the lesson's name"
    )
    parser.add_argument("--edit-at", default="", help="where the sources are changed, less the file's path")
    parser.add_argument("--notebooks-at", default="", help="OWNER/REPOSITORY/BRANCH that holds the notebooks")
    parser.add_argument("--release-file", default="", help="what notebooks install, ADDRESS#sha256=HEX")
    parser.add_argument("--epub", action="store_true", help="also the book as an e-book")
    parser.add_argument("--pdf", action="store_true", help="also the book as a PDF, printed by Chromium")
    return parser


def main() -> int:
    parser = questions()
    given = parser.parse_args()
    known = lesson_words()
    if unknown := [word for word in given.lessons if word not in known]:
        parser.error(f"there is no lesson {unknown[0]!r} in _toc.yml; there are: {', '.join(known)}")
    words = [] if given.none else given.lessons or known
    names = ("run_address", "edit_at", "notebooks_at", "release_file")
    settings: dict[str, Any] = {name: value for name in names if (value := getattr(given, name))}
    settings["carried"] = [kind for kind in ("epub", "pdf") if getattr(given, kind)]
    if given.pdf:  # said now, and not after minutes
        import pdf

        try:
            pdf.browser()
        except pdf.NoBrowser as error:
            parser.error(str(error))
    return build(words, given.out.resolve(), **settings)


if __name__ == "__main__":
    # The progress bar of a download would stand in the page, as a warning.
    os.environ["TQDM_DISABLE"] = "1"
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    if sys.platform == "win32":
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    sys.exit(main())
