"""Make the environment in `.venv`, once, then run a Python command in it.

    python3 requirements/environment.py book/learn.py        what `make learn` does
    py -3.12 requirements\\environment.py book\\learn.py       the same on Windows, without make

Standard library only, and any Python 3.8 or newer can read it: it finds a Python that suits by itself.
The exact pins beside this file are installed with their hashes. A second run takes a fraction of a second:
nothing is done while the pins are those of last time.

Settings, from the environment or the make line (`make learn TORCH=cpu`):

- TORCH=cpu      torch without GPU support, by version without hashes, as a CPU build depends on the platform
- TORCH=gpu      the ordinary build, which uses a GPU where there is one; the default
- TORCH_INDEX    a package index to take the CPU build from, instead of the one uv knows
"""

from __future__ import annotations

import ast
import glob
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SUITABLE = ("3.13", "3.12", "3.11")
LOCKS = ("setup", "torch", "run", "book", "test")
WINDOWS = os.name == "nt"


# Which Python ---------------------------------------------------------------------------------------------

PROBE = (
    "import sys; suits = sys.implementation.name == 'cpython' and sys.maxsize > 2**32;"
    "print('%d.%d' % sys.version_info[:2] if suits else 'unsuitable'); print(sys.executable);"
    "import venv, ensurepip"
)


def probe(python: str) -> tuple[str, str, bool]:
    """Run an interpreter and say its version, its own path, and whether it can make environments.

    A file of the right name is no proof: version managers leave stand-ins for versions that do not run.
    """
    try:
        answer = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return "", python, False
    lines = answer.stdout.splitlines()
    return (lines[0], lines[1], answer.returncode == 0) if len(lines) == 2 else ("", python, False)


def candidates() -> list[str]:
    """The interpreters worth trying: the one that runs this, then those on PATH and of the usual managers."""
    found = [sys.executable]
    folders = os.environ.get("PATH", "").split(os.pathsep)
    for name in [f"python{version}" for version in SUITABLE] + ["python3", "python"]:
        found += [path for path in (shutil.which(name, path=folder) for folder in folders) if path]
    for version in SUITABLE:
        found += glob.glob(os.path.expanduser(f"~/.pyenv/versions/{version}.*/bin/python"))
        found += glob.glob(os.path.expanduser(f"~/.local/share/uv/python/cpython-{version}.*/bin/python3"))
        if WINDOWS and shutil.which("py"):
            asked = subprocess.run(
                ["py", f"-{version}", "-c", "import sys; print(sys.executable)"],
                capture_output=True,
                text=True,
            )
            found += asked.stdout.split("\n")[:1] if asked.returncode == 0 else []
    return list(dict.fromkeys(found))


def find_python() -> str:
    """The first interpreter that suits, or one sentence that names what to install."""
    without_venv = ""
    for path in candidates():
        version, own_path, complete = probe(path)
        if version in SUITABLE and complete:
            return own_path
        if version in SUITABLE:
            without_venv = (
                f" Python {version} is at {own_path}, but without its venv module "
                f"(on Debian and Ubuntu the package python{version}-venv)."
            )
    sys.exit(
        "coursekit needs Python 3.11, 3.12 or 3.13, and none was found that runs: install one (64-bit), "
        "then give the same command again." + without_venv
    )


# Which index ----------------------------------------------------------------------------------------------


def pip_settings(listing: str) -> dict[str, str]:
    """Read what `pip config list` prints. The environment wins over [install], and that over [global]."""
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in listing.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(section + "."):
                settings[name[len(section) + 1 :]] = str(ast.literal_eval(value))
    return settings


def uv_settings(settings: dict[str, str]) -> dict[str, str]:
    """Say pip's index settings in uv's words, for uv reads none of pip's."""
    extra = settings.get("extra-index-url", "").split()
    said = {
        "UV_DEFAULT_INDEX": settings.get("index-url", ""),
        "UV_INDEX": " ".join(extra),
        # pip looks in every index alike; the hashes make that safe.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if extra else "",
        "UV_FIND_LINKS": ",".join(settings.get("find-links", "").split()),
        "UV_INSECURE_HOST": " ".join(settings.get("trusted-host", "").split()),
        "UV_HTTP_TIMEOUT": settings.get("timeout", settings.get("default-timeout", "")),
        "SSL_CERT_FILE": settings.get("cert", ""),
        "HTTPS_PROXY": settings.get("proxy", ""),
    }
    return {name: value for name, value in said.items() if value}


def settings_of(python: str) -> dict[str, str]:
    """What uv is run with: pip's settings as this interpreter sees them, and no Python downloaded."""
    listing = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    return {**uv_settings(pip_settings(listing)), **os.environ, "UV_PYTHON_DOWNLOADS": "never"}


# Making it ------------------------------------------------------------------------------------------------


def python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if WINDOWS else "bin/python")


def stamp_of(torch: str) -> str:
    """Changes with the pins, with what is asked of torch, and with how the environment is made."""
    files = [*(HERE / f"{name}.txt" for name in LOCKS), ROOT / "pyproject.toml", Path(__file__)]
    return torch + " " + hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def say(sentence: str) -> None:
    print(f"coursekit: {sentence}", file=sys.stderr, flush=True)


def run(command: list[str], settings: dict[str, str], what: str) -> None:
    if subprocess.run(command, cwd=ROOT, env=settings).returncode:
        sys.exit(
            f"coursekit: {what} could not be installed; the reason stands above. If it is the network, check "
            "the index that `pip config list` names; then give the same command again: what is there is kept."
        )


def torch_step(uv: list[str], torch: str) -> tuple[str, list[str]]:
    """The ordinary build comes from the pins; a CPU build by version, from the index that has it."""
    # Anew, since either build is taken for the other. Compiled now, on all cores: else on first use, on one.
    uv = [*uv, "--reinstall-package", "torch", "--reinstall-package", "torchvision", "--compile-bytecode"]
    if torch == "gpu":
        return "torch", [*uv, "--require-hashes", "-r", str(HERE / "torch.txt")]
    versions = [
        line.split()[0] for line in (HERE / "torch.txt").read_text().splitlines() if line.startswith("torch")
    ]
    index = os.environ.get("TORCH_INDEX")
    place = ["--index", index, "--index-strategy", "first-index"] if index else ["--torch-backend", "cpu"]
    return "the CPU build of torch", [*uv, *place, *versions]


def create(folder: Path) -> None:
    """An environment where there is none that runs; what is not ours is never cleared away."""
    if folder.exists() and probe(str(python_in(folder)))[0] in SUITABLE:
        return
    if folder.exists() and not (folder / "coursekit.stamp").exists():
        sys.exit(f"coursekit: {folder} is in the way and was not made by coursekit: move it, then try again.")
    python = find_python()
    say(f"making the environment in {folder} with {python}.")
    run([python, "-m", "venv", "--clear", str(folder)], dict(os.environ), "the environment")
    (folder / "coursekit.stamp").touch()


def install(folder: Path, torch: str) -> None:
    python = str(python_in(folder))
    run(
        [python, "-m", "pip", "install", "-qq", "--require-hashes", "-r", str(HERE / "setup.txt")],
        dict(os.environ),
        "uv",
    )
    settings = settings_of(python)
    uv = [python, "-m", "uv", "pip", "install", "--python", python, "--no-deps"]
    uv += [] if sys.stderr.isatty() else ["--quiet"]
    locks = [part for name in LOCKS[2:] for part in ("-r", str(HERE / f"{name}.txt"))]
    for what, command in [
        torch_step(uv, torch),
        ("the packages", [*uv, "--require-hashes", *locks]),
        ("coursekit", [*uv, "--no-build-isolation", "--editable", str(ROOT)]),
    ]:
        run(command, settings, what)


def prepare(folder: Path) -> Path:
    """Bring the environment up to date with the pins; a fraction of a second when it is."""
    stamp = folder / "coursekit.stamp"
    kept = stamp.read_text().strip() if stamp.exists() else ""
    # A choice made once holds until another is made.
    torch = os.environ.get("TORCH") or (kept.split() or ["gpu"])[0]
    if torch not in ("cpu", "gpu"):
        sys.exit(f"coursekit: TORCH={torch} is no choice: say TORCH=cpu or TORCH=gpu.")
    if kept == stamp_of(torch) and python_in(folder).exists():
        return python_in(folder)
    create(folder)
    stamp.write_text(torch + " unfinished")
    install(folder, torch)
    stamp.write_text(stamp_of(torch))
    return python_in(folder)


def main() -> None:
    python = prepare(ROOT / ".venv")
    # Importing torch takes seconds, not parts of one, where Python may not keep what it compiled.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [str(python), *sys.argv[1:]]
    if not sys.argv[1:]:
        say(f"the environment is ready: {python}")
    elif WINDOWS:
        sys.exit(subprocess.run(command).returncode)
    else:
        os.execv(command[0], command)


if __name__ == "__main__":
    main()
