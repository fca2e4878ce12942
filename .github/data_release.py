"""Write the folder of course editions to upload as a data release: `COURSEKIT_DATA=folder make data-release`.

The editions are taken from COURSEKIT_DATA and compared with their checksums in `coursekit/sources.toml`. Then
`_build/data-release` gets them, a SHA256SUMS that `sha256sum --check` reads, and a LICENCES.md that says
whose each one is. Nothing is written if one is missing or differs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from coursekit.sources import Source, table

OUT = Path(__file__).resolve().parent.parent / "_build" / "data-release"


def fault(edition: Source, folder: Path) -> str:
    """What is wrong with an edition's file; nothing when it is what the table says."""
    file = folder / edition.path
    if not file.is_file():
        return f"{edition.path} is not in {folder}"
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    return (
        ""
        if found == edition.sha256
        else f"{edition.path} has the sha256 {found}, the table says {edition.sha256}"
    )


def licences(editions: list[Source]) -> str:
    """The page that goes with the files: their licences ask for these names."""
    rows = [
        f"| `{e.asset}` | {e.title} | {e.attribution} | [{e.licence}]({e.licence_url}) | {e.origin} |"
        for e in editions
    ]
    return (
        "\n".join(
            ["| file | what it is | whose | licence | from |", "| --- | --- | --- | --- | --- |", *rows]
        )
        + "\n"
    )


def main() -> int:
    folder = Path(os.environ.get("COURSEKIT_DATA", ""))
    if not os.environ.get("COURSEKIT_DATA") or not folder.is_dir():
        print("Set COURSEKIT_DATA to the folder that holds the editions, then run this again.")
        return 2
    editions = [source for source in table().values() if source.kind == "edition"]
    faults = [said for edition in editions if (said := fault(edition, folder))]
    if faults:
        print("Nothing was written:", *faults, sep="\n  ")
        return 1
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    for edition in editions:
        shutil.copy2(folder / edition.path, OUT / edition.asset)
    sums = "".join(f"{edition.sha256}  {edition.asset}\n" for edition in editions)
    (OUT / "SHA256SUMS").write_text(sums, encoding="utf-8")
    (OUT / "LICENCES.md").write_text(licences(editions), encoding="utf-8")
    print(f"{OUT}: {len(editions)} editions, {sum(edition.bytes for edition in editions) / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
