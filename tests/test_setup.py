"""The set-up: which Python is taken, what pip's settings become, and what the pins hold."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / "requirements"
LOCKS = ("setup", "torch", "run", "book", "test")
PIN = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?P<marker> ; [^\\]+?)?"
    r"(?P<hashes>( \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
)


def load(script: Path) -> ModuleType:
    """A script as a module, without running it."""
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


environment = load(REQUIREMENTS / "environment.py")


def executable(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text("#!/bin/sh\n" + script + "\n")
    file.chmod(0o755)
    return file


def nowhere_else(monkeypatch: pytest.MonkeyPatch, home: Path, running: str = "/nowhere/python") -> None:
    """Leave `find_python` only what the test puts on PATH."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", str(home / "bin"))
    monkeypatch.setattr(environment.sys, "executable", running)


# Which Python ---------------------------------------------------------------------------------------------


def test_a_stand_in_that_does_not_run_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version manager's stand-in has the right name and exits with 127."""
    nowhere_else(monkeypatch, tmp_path)
    executable(tmp_path / "bin", "python3.12", "echo 'pyenv: python3.12: command not found' >&2; exit 127")
    executable(tmp_path / "bin", "python3.11", "printf '3.11\\n/real/python3.11\\n'")

    assert environment.find_python() == "/real/python3.11"


def test_no_python_that_suits_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere_else(monkeypatch, tmp_path)
    executable(tmp_path / "bin", "python3", "printf '3.10\\n/usr/bin/python3.10\\n'")

    with pytest.raises(SystemExit) as stopped:
        environment.find_python()

    assert stopped.value.code == (
        "coursekit needs Python 3.11, 3.12 or 3.13, and none was found that runs: install one (64-bit), "
        "then give the same command again."
    )


def test_a_python_without_venv_is_named_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere_else(monkeypatch, tmp_path)
    executable(tmp_path / "bin", "python3", "printf '3.12\\n/usr/bin/python3\\n'; exit 1")

    with pytest.raises(
        SystemExit, match=r"Python 3\.12 is at /usr/bin/python3, .* the package python3\.12-venv"
    ):
        environment.find_python()


def test_the_python_that_runs_the_script_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere_else(monkeypatch, tmp_path, running=sys.executable)

    assert environment.probe(environment.find_python())[0] == "{}.{}".format(*sys.version_info)


# pip's settings in uv's words -----------------------------------------------------------------------------


def test_pip_settings_become_uv_settings() -> None:
    listing = """\
:env:.find-links='/wheels'
global.cert='/certificates.crt'
global.extra-index-url='https://one.example/simple https://two.example/simple'
global.find-links='/older'
global.index-url='https://mirror.example/simple'
install.trusted-host='mirror.example'
global.timeout='60'
"""

    assert environment.uv_settings(environment.pip_settings(listing)) == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/wheels",
        "UV_INSECURE_HOST": "mirror.example",
        "UV_HTTP_TIMEOUT": "60",
        "SSL_CERT_FILE": "/certificates.crt",
    }


def test_no_pip_settings_set_nothing() -> None:
    assert environment.uv_settings(environment.pip_settings("")) == {}


# What is installed ----------------------------------------------------------------------------------------


def test_the_ordinary_torch_comes_from_the_pins_with_hashes() -> None:
    what, command = environment.torch_step(["uv"], "gpu")

    assert what == "torch"
    assert "--require-hashes" in command
    assert command[-1] == str(REQUIREMENTS / "torch.txt")


def test_a_cpu_torch_comes_by_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    _, command = environment.torch_step(["uv"], "cpu")

    assert "--require-hashes" not in command
    assert command[-4:] == ["--torch-backend", "cpu", "torch==2.15.0", "torchvision==0.29.2"]


def lay_wheel(index: Path, name: str, version: str) -> None:
    """An empty package of this name and version in a folder that package tools read as an index."""
    page = index / name / "index.html"
    page.parent.mkdir(parents=True)
    wheel = f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(page.with_name(wheel), "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(
            f"{about}/RECORD", f"{name}.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n"
        )
    page.write_text(f'<a href="{wheel.replace("+", "%2B")}">{wheel}</a>')


def test_a_cpu_torch_comes_from_the_index_the_user_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Really installed: the build for CPUs of the pinned version is taken, and nothing else is."""
    monkeypatch.setenv("TORCH_INDEX", (tmp_path / "index").as_uri())
    lay_wheel(tmp_path / "index", "torch", "2.15.0+cpu")
    lay_wheel(tmp_path / "index", "torchvision", "0.29.2+cpu")
    uv = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(tmp_path / "here"),
    ]
    _, command = environment.torch_step(uv, "cpu")
    environment.run(command, environment.settings_of(sys.executable), "torch")

    assert {path.name for path in (tmp_path / "here").glob("*.dist-info")} == {
        "torch-2.15.0+cpu.dist-info",
        "torchvision-0.29.2+cpu.dist-info",
    }


def test_an_unknown_choice_of_torch_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH", "tpu")

    with pytest.raises(SystemExit, match="TORCH=tpu is no choice: say TORCH=cpu or TORCH=gpu"):
        environment.prepare(tmp_path / ".venv")


def test_nothing_is_done_while_the_pins_are_those_of_last_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A choice of torch made once holds without being named again."""
    monkeypatch.delenv("TORCH", raising=False)
    monkeypatch.setattr(environment, "create", pytest.fail)
    python = environment.python_in(tmp_path)
    python.parent.mkdir(parents=True)
    python.touch()
    (tmp_path / "coursekit.stamp").write_text(environment.stamp_of("cpu"))

    assert environment.prepare(tmp_path) == python


def test_an_environment_that_does_not_run_and_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")

    with pytest.raises(SystemExit, match=r"is in the way and was not made by coursekit: move it"):
        environment.create(tmp_path)

    assert precious.read_text() == "mine"


def test_a_failed_install_says_what_to_check() -> None:
    with pytest.raises(
        SystemExit, match=r"torch could not be installed.* index that `pip config list` names"
    ):
        environment.run([sys.executable, "-c", "raise SystemExit(1)"], dict(os.environ), "torch")


# The pins -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_is_exact_and_has_hashes(name: str) -> None:
    """Nothing else stands in the file: no index address, no path, no option."""
    heading, _, text = (REQUIREMENTS / f"{name}.txt").read_text().partition("\n")

    assert heading == "# Written by `make lock` (requirements/lock.py)."
    assert PIN.sub("", text) == ""


def test_each_package_is_pinned_once() -> None:
    names = [
        match["name"] for name in LOCKS for match in PIN.finditer((REQUIREMENTS / f"{name}.txt").read_text())
    ]

    assert sorted(set(names)) == sorted(names)


def test_the_pins_hold_all_that_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pinned = {
        match["name"] for name in LOCKS for match in PIN.finditer((REQUIREMENTS / f"{name}.txt").read_text())
    }
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["setup"]]
    for extra in ("notebook", "medical", "export", "lessons", "book", "logs", "grade", "cluster", "test"):
        asked += project["project"]["optional-dependencies"][extra]

    names = {re.split(r"[^a-z0-9-]", wish)[0] for wish in asked}
    assert names - {project["project"]["name"]} <= pinned  # an extra may name another of ours


def interpreter(version: str) -> str:
    """A CPython of this version that runs, or a skip that names it."""
    for path in environment.candidates():
        found, own_path, complete = environment.probe(path)
        if found == version and complete:
            return str(own_path)
    pytest.skip(f"Python {version} is not installed here")


@pytest.mark.parametrize("version", environment.SUITABLE)
@pytest.mark.parametrize("platform", ["linux", "macos", "windows"])
def test_the_pins_fit_together_on(version: str, platform: str, tmp_path: Path) -> None:
    """Each pinned file exists for this Python and platform, and nothing that they need is missing."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--quiet", "--require-hashes"]
    command += ["--python", interpreter(version), "--python-platform", platform, "--target", str(tmp_path)]
    for name in LOCKS:
        command += ["-r", str(REQUIREMENTS / f"{name}.txt")]
    # The oldest macOS that torch is built for.
    settings = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    answer = subprocess.run(command, capture_output=True, text=True, env=settings)

    if "error sending request" in answer.stderr:
        pytest.skip("the package index cannot be reached")
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("version", environment.SUITABLE)
def test_the_package_imports_without_any_other_on(version: str) -> None:
    """The map can be read, and dispatch works, before torch is there."""
    python = interpreter(version)
    program = (
        "import coursekit, coursekit.dispatch, coursekit.kit; from coursekit.dispatch import method\n"
        "@method\ndef twice(x: int): return 2 * x\n"
        "@method\ndef twice(x: str): return x + x\n"
        "print(coursekit.__version__, twice(2), twice('a'))"
    )
    answer = subprocess.run(
        [python, "-I", "-W", "error", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{program}"],
        capture_output=True,
        text=True,
    )

    assert (answer.stdout, answer.stderr) == ("0.1.0 4 aa\n", "")


# What stands beside the code ------------------------------------------------------------------------------


def test_make_names_what_each_target_does() -> None:
    targets = re.findall(r"^([a-z-]+):.*  # (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert [name for name, _ in targets] == [
        "learn",
        "test",
        "book",
        "lint",
        "soak",
        "bench",
        "data-release",
        "lock",
    ]


def test_every_script_that_make_runs_is_there() -> None:
    scripts = re.findall(
        r"\$\(RUN\) ([a-z_]+(?:/[a-z_]+\.py)?)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )

    assert scripts
    assert [script for script in scripts if not (ROOT / script).exists()] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "photos/clothing.zip is not in"), ("other bytes", "photos/clothing.zip has the sha256 ")],
)
def test_a_data_release_is_whole_or_not_written(tmp_path: Path, text: str | None, said: str) -> None:
    if text:
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos" / "clothing.zip").write_text(text)
    answer = subprocess.run(
        [sys.executable, str(ROOT / ".github" / "data_release.py")],
        capture_output=True,
        text=True,
        env={**os.environ, "COURSEKIT_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )

    assert answer.returncode == 1
    assert answer.stdout.startswith("Nothing was written:\n")
    assert said in answer.stdout


def test_a_data_release_holds_each_edition_with_its_checksum_and_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = load(ROOT / ".github" / "data_release.py")
    files = [release.File(f"notes/{name}.txt", 4, sha256(b"data").hexdigest()) for name in "ab"]
    edition = replace(release.table()["clothes"], files=tuple(files))
    (tmp_path / "notes").mkdir()
    for name in "ab":
        (tmp_path / "notes" / f"{name}.txt").write_bytes(b"data")
    other = replace(edition, name="other", files=tuple(files[:1]))
    monkeypatch.setattr(release, "table", lambda: {"clothes": edition, "other": other})
    monkeypatch.setattr(release, "OUT", tmp_path / "build" / "data-release")
    monkeypatch.setenv("COURSEKIT_DATA", str(tmp_path))

    assert release.main() == 0
    assert (release.OUT / "notes-a.txt").read_bytes() == b"data"
    assert (release.OUT / "SHA256SUMS").read_text() == "".join(
        f"{files[0].sha256}  notes-{name}.txt\n" for name in "ab"
    )
    assert "| `notes-a.txt` | Clothes: photos" in (release.OUT / "LICENCES.md").read_text()
