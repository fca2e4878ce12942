"""What a studio knows of one folder, or of one set of the course: its photos, changes, trainings, exports.

It stays when another folder is chosen, so that nothing is lost by a wrong click.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..predictions import Prediction
from ..sources import table as table_of_sources
from .changes import Change, Changes, read_changes
from .scripts import (
    HEAD,
    LOOK_CODE,
    READY_SETS,
    Plan,
    ReadySet,
    changes_code,
    check_groups,
    named,
    photos_code,
)
from .surveys import Note, Survey, look, survey
from .thumbnails import shrunk
from .trainings import Training, execute

SAMPLES, MOST_TRIED, MOST_SHOWN = 8, 12, 5
WAYS = {
    "model": "For Python: a folder that kit.load_model reads",
    "onnx": "For other programs: ONNX, half as large, with a small predict.py",
    "page": "For a browser: a web page that answers to photos (for a web server)",
}


class Project:
    """One source of photos, and all that was done with it.

    Args:
        source: The folder of photos, or the name of one of `READY_SETS`.

    Attributes:
        found: What there is, once it was looked at.
        looks: How often it was looked at.
        learned: How many photos there are to learn from.
        short: Why there are too few, by what a person changed; None if there are enough.
        plan: How to train next.
        together: Whether photos whose names begin alike are held out as a whole.
        running: The training that goes on.
        changes: What a person decided about labels, and what was left out by itself.
        trainings: Every training that came to an end, the first one first.
        used: The training that is looked at, tried and exported; None before the first.
        tried: Photos that were tried: name, small picture, answer or what is wrong.
        exports: The lines that wrote something, with what was written.
    """

    def __init__(self, source: str) -> None:
        self.source, self.is_ready = source, source in READY_SETS
        self.name = source if self.is_ready else Path(source).name or "photos"
        self.found: Survey | None = None
        self.looks, self.learned, self.short = 0, 0, None  # type: tuple[int, int, ValueError | None]
        self.plan, self.arrangement, self.together = Plan(), "", False
        self.running: Training | None = None
        self.changes = Changes()
        self.trainings: list[Training] = []
        self.used: Training | None = None
        self.tried: list[dict[str, Any]] = []
        self._attempts = 0
        self.exports: list[dict[str, Any]] = []

    def look(self, tell: Callable[[int, int], Any], arrangement: str | None = None) -> None:
        """Look at every photo; what cannot serve is left out. Raises what `survey` raises."""
        wanted = self.arrangement if arrangement is None else arrangement
        found = look_at_ready(self.source, tell) if self.is_ready else survey(self.source, wanted, tell)
        self.together = self.together and wanted == self.arrangement
        self.arrangement = wanted
        if self.together:
            self.check_groups_of(found)
        if not self.trainings:  # with other kinds it is another list
            self.changes = Changes(file_of_changes(self.name, found))
        self.changes.leave_out(found.left_out, found.labels)
        self.found, self.looks = found, self.looks + 1
        self.recount()
        self.plan = Plan.fitting(self.learned)

    def check_groups_of(self, found: Survey) -> None:
        """Whether the groups of last time can still be held out; else a note says what is done instead."""
        try:
            check_groups(found.serving())
        except ValueError as error:
            self.together = False
            found.notes.append(Note(f"Photos are held out by chance again, each by itself. {error}", "warn"))

    @property
    def may_group(self) -> bool:
        """Whether a person may say that photos belong together; some sources say what is held out."""
        return not (self.is_ready or self.survey.arrangement == "sides" or self.trainings)

    def hold_together(self, wanted: bool) -> None:
        """Hold out photos whose names begin alike as a whole, or each by itself. May raise ValueError."""
        if not self.may_group:
            raise ValueError(
                "what is held out stays so once something was trained: choose the folder in a new studio."
                if self.trainings
                else f"{self.name} says itself which photos are held out, and that stays so."
            )
        if wanted:
            check_groups(self.survey.serving())
        self.together = wanted
        self.recount()
        self.plan = Plan.fitting(self.learned)

    def recount(self) -> None:
        """Count what there is to learn from; by a person's changes it may be too little."""
        self.learned, self.short = 0, None
        try:
            self.learned = self.count_learned()
        except ValueError as error:
            if not self.is_changed_by_hand:
                raise
            self.short = error

    @property
    def is_changed_by_hand(self) -> bool:
        """Whether a person decided anything about labels."""
        return any(one.by_hand for one in self.changes)

    def count_learned(self) -> int:
        """How many photos there are to learn from; ValueError where they are of fewer kinds than two."""
        names: dict[str, Any] = {}
        execute(HEAD + self.photos_code(), names)
        photos = names["photos"]
        learned = photos[photos["side"] == "learned from"]
        kinds = sorted(learned["label"].unique())
        if len(kinds) < 2 or len(learned) == len(photos):
            left = (
                f"all photos to learn from are {kinds[0]}" if len(kinds) == 1 else "too few photos are left"
            )
            raise ValueError(
                f"After your changes, {left}: take some of them back, or set the list aside, under Look."
                if self.is_changed_by_hand
                else f"Without what cannot serve, such as photos that are on both sides, {left}."
            )
        return len(learned)

    def photos_code(self) -> str:
        """The lines that make the table of photos as it is now."""
        code = photos_code(READY_SETS[self.source] if self.is_ready else self.survey, self.together)
        return code + (changes_code(self.changes.file) if len(self.changes) and self.changes.file else "")

    @property
    def survey(self) -> Survey:
        """What there is; it was looked at."""
        if self.found is None:
            raise ValueError("look at the photos first.")
        return self.found

    def prepare(self, wanted: dict[str, Any]) -> Training:
        """A training by this plan. Raises ValueError, a sentence, for numbers that are none."""
        self.recount()
        if self.short:
            raise self.short
        self.plan = self.plan.changed(wanted).for_count(self.learned)
        kind = READY_SETS[self.source].kind if self.is_ready else "Image"
        return Training(self.plan, self.photos_code(), kind, len(self.trainings) + 1, frozenset(self.changes))

    def train(self, training: Training, tell: Callable[[], Any], stop: threading.Event) -> None:
        """Run a training; if it comes to an end, it is the one that is used."""
        self.running = training
        try:
            training.run(self.changes, tell, stop)
        finally:
            self.running = None
        self.trainings.append(training)
        self.used = training

    @property
    def trained(self) -> Training:
        """The training that is used; ValueError before the first."""
        if self.used is None:
            raise ValueError("there is no model yet: train first.")
        return self.used

    def use(self, number: int) -> None:
        """Use another training. Raises ValueError if there is none of that number."""
        chosen = [one for one in self.trainings if one.number == number]
        if not chosen:
            raise ValueError(f"there is no training {number}.")
        self.used = chosen[0]

    def attempt(self, name: str, data: bytes) -> None:
        """Ask the model about a photo that somebody brought; what is no photo is said to be none."""
        learner = self.trained.learner
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"photo{Path(name).suffix}")
            file.write_bytes(data)
            small, about = shrunk(file)
            tried: dict[str, Any] = {"id": f"tried {self._attempts}", "name": name, "small": small}
            tried["training"], self._attempts = self.trained.number, self._attempts + 1
            if small:
                tried["answer"] = ordered(learner.predict(file))
            else:
                tried["problem"] = f"{name} cannot be read as a photo: {about}."
        self.tried = [tried, *self.tried][:MOST_TRIED]

    def export(self, way: str) -> None:
        """Write the model down for use elsewhere, in a folder that was not there."""
        if way not in WAYS:
            raise ValueError(f"there is no way {way!r} to export; there is {', '.join(WAYS)}.")
        used, folder = self.trained, free_folder(f"{self.name}-{way}")
        code = export_code(way, named(folder), self.name)
        execute(code, dict(used.names))
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        sizes = [[str(file.relative_to(folder)), file.stat().st_size] for file in files]
        about = {"way": way, "training": used.number, "code": code, "use": usage(way, folder)}
        self.exports.append(about | {"folder": str(folder), "files": sizes})

    def code(self) -> str:
        """All that was run to come here: by who copies it, the same comes out."""
        if self.found is None:
            return ""
        if self.used is None:
            return f"{HEAD}\n{self.photos_code()}"
        used = self.used
        stopped = (
            "# This training was stopped by hand; run again, it goes on to its end.\n" if used.stopped else ""
        )
        exported = "".join(one["code"] for one in self.exports if one["training"] == used.number)
        made = used.plan.learner_code(used.kind) + stopped + used.plan.training_code()
        return "\n".join([HEAD, used.code, made, LOOK_CODE, exported]).rstrip() + "\n"

    def pictures(self, names: list[str]) -> dict[str, bytes]:
        """Small pictures by their names: a photo's file, or the number of one that was tried."""
        small = {one["id"]: one["small"] for one in self.tried} | (self.found.small if self.found else {})
        return {name: small[name] for name in names if name in small}

    def samples(self) -> list[dict[str, Any]]:
        """Each kind with how many photos it has and some of them, spread over all."""
        survey, by_kind = self.survey, {}  # type: ignore[var-annotated]
        for file, label in survey.labels.items():
            if file not in survey.left_out:
                by_kind.setdefault(label, []).append(file)
        kinds = sorted(by_kind.items(), key=lambda one: -len(one[1]))
        return [
            {"name": kind, "count": len(files), "samples": files[:: -(-len(files) // SAMPLES)]}
            for kind, files in kinds
        ]


def look_at_ready(name: str, tell: Callable[[int, int], Any]) -> Survey:
    """What there is in a set of the course. Raises SourceError if it cannot be had."""
    names: dict[str, Any] = {}
    ready: ReadySet = READY_SETS[name]
    execute(HEAD + photos_code(ready), names)
    photos = names["photos"]
    found = Survey(
        Path(), {str(file): str(label) for file, label in zip(photos["photo"], photos["label"], strict=True)}
    )
    look(found, tell)
    found.notes.append(Note(table_of_sources()[name].caption))
    if "block" in photos:
        found.notes.append(Note("Neighbours are held out together: cells of one panel look alike."))
    return found


def file_of_changes(name: str, found: Survey) -> Path:
    """Where changes of these photos are kept: in a file of that name, not one of others or of other kinds."""
    for number in range(1, 100):
        file = Path.cwd() / f"{name}-changes{f'-{number}' if number > 1 else ''}.csv"
        if not file.exists():
            break
        try:
            made = read_changes(file)
        except (ValueError, OSError):
            continue
        if not made or are_of(made, found):
            break
    return file


def are_of(made: list[Change], found: Survey) -> bool:
    """Whether changes are of these photos, and of what says their kinds now."""
    here = [one for one in made if one.item in found.labels]
    given = [one for one in here if one.now]
    return bool(here) and (not given or any(found.labels[one.item] in (one.was, one.now) for one in given))


def free_folder(name: str) -> Path:
    """A folder of that name beside the notebook that is not there yet."""
    for number in range(1, 1000):
        folder = Path.cwd() / f"{name}{f'-{number}' if number > 1 else ''}"
        if not folder.exists():
            break
    return folder


def ordered(answer: Prediction) -> list[list[Any]]:
    """The kinds and how probable each is, the most probable first; at most five."""
    pairs = sorted((answer.probabilities or {}).items(), key=lambda one: -one[1])
    return [[str(kind), round(float(chance), 4)] for kind, chance in pairs[:MOST_SHOWN]]


def export_code(way: str, folder: str, title: str) -> str:
    """The lines that write a model.

    >>> export_code("model", "fruit-model", "fruit")
    "kit.save_model(learner, 'fruit-model')\\n"
    """
    if way == "model":
        return f"kit.save_model(learner, {folder!r})\n"
    if way == "onnx":
        return f"kit.save_onnx(learner, {folder!r}, bits=16)\n"
    graph = named(free_folder(f"{title}-onnx"))
    page = f"kit.save_page({graph!r}, {folder!r}, title={title!r})\n"
    return f"kit.save_onnx(learner, {graph!r}, bits=16)\n{page}"


def usage(way: str, folder: Path) -> str:
    """How what was written is used."""
    if way == "model":
        return f'kit.load_model({named(folder)!r}).predict("photo.jpg")'
    return (
        f"python {named(folder)}/predict.py photo.jpg"
        if way == "onnx"
        else f"python -m http.server --directory {named(folder)}"
    )
