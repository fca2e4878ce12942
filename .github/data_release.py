"""Write the folder of course editions to upload as a data release: `COURSEKIT_DATA=folder make data-release`.

The editions are taken from COURSEKIT_DATA and compared with their checksums in `coursekit/sources.toml`. Then
`_build/data-release` gets them, a SHA256SUMS that `sha256sum --check` reads, and a LICENCES.md that says
whose each one is. Nothing is written if one is missing or differs.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from coursekit.downloads import sha256_of
from coursekit.sources import File, Source, table

OUT = Path(__file__).resolve().parent.parent / "_build" / "data-release"


def fault(file: File, folder: Path) -> str:
    """What is wrong with a file of an edition; nothing when it is what the table says."""
    path = folder / file.path
    if not path.is_file():
        return f"{file.path} is not in {folder}"
    found = sha256_of(path)
    return "" if found == file.sha256 else f"{file.path} has the sha256 {found}, the table says {file.sha256}"


def licences(editions: list[Source]) -> str:
    """The page that goes with the files: their licences ask for these names."""
    rows = [
        f"| `{file.asset}` | {e.title} | {e.attribution} | [{e.licence}]({e.licence_url}) | {e.origin} |"
        for e in editions
        for file in e.files
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
    # A file may be part of two editions.
    files = list(dict.fromkeys(file for edition in editions for file in edition.files))
    faults = [said for file in files if (said := fault(file, folder))]
    if faults:
        print("Nothing was written:", *faults, sep="\n  ")
        return 1
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    for file in files:
        shutil.copy2(folder / file.path, OUT / file.asset)
    sums = "".join(f"{file.sha256}  {file.asset}\n" for file in files)
    (OUT / "SHA256SUMS").write_text(sums, encoding="utf-8")
    (OUT / "LICENCES.md").write_text(licences(editions), encoding="utf-8")
    print(f"{OUT}: {len(editions)} editions, {len(files)} files, {sum(f.bytes for f in files) / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
