"""The studio: choose photos, look at them, train, see the mistakes, correct labels, try, export. No code.

What happens is decided here, in Python, and shown by a page: `act` does what was asked for, `view` is all
that is to be seen. So it works, and is tested, without a browser too.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from ..files import FAMILIES
from ..sources import SourceError, location
from .projects import WAYS, Project
from .scripts import BACKBONES, LEARNING, READY_SETS, SIZES, groups_of
from .surveys import UnfitError, named_folder
from .trainings import Training
from .turns import Turns

STEPS = ("choose", "look", "train", "mistakes", "try", "export")
MOST_FOLDERS, MOST_LISTED = 200, 2000
# What goes wrong for a reason that its message tells; all else is a fault of ours, and keeps its traceback.
SAID = (OSError, ValueError, TypeError, LookupError, ImportError, ArithmeticError)


class Studio:
    """Lesson 1 without a line of code, shown by a notebook; made by `studio`.

    Attributes:
        projects: What was done with each folder and set so far.
        error: The last error, with its traceback, for those who want to see it.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self.projects: dict[str, Project] = {}
        self.project: Project | None = None
        self.step, self.place = "choose", Path.cwd()
        self.said: dict[str, str] = {}
        self.error: BaseException | None = None
        self.listeners: list[Callable[[], Any]] = []
        self._turns = Turns(self.tell)
        if folder is not None:
            self.act({"do": "choose", "folder": os.fspath(folder)})

    # What can be asked for in Python ------------------------------------------------------------------------

    @property
    def learner(self) -> Any:
        """The learner of the training that is used; ValueError before the first."""
        return self._chosen().trained.learner

    @property
    def changes(self) -> Any:
        """The changes to labels so far, as a table."""
        return self._chosen().changes.table()

    @property
    def code(self) -> str:
        """The code that was run so far, in public names."""
        return self.project.code() if self.project else ""

    @property
    def busy(self) -> dict[str, Any] | None:
        """What goes on, and how far it is; None if nothing does."""
        return self._turns.busy

    def wait(self) -> None:
        """Wait until what is going on has ended: for programs; a page goes on by itself."""
        self._turns.wait()

    # What a page asks for -----------------------------------------------------------------------------------

    def act(self, what: dict[str, Any]) -> None:
        """Do what was asked for, and tell those who look. It raises nothing: what goes wrong is said."""
        self.said = {}
        self._guarded(lambda: getattr(self, f"_do_{what['do']}")(what))
        self.tell()

    def tell(self) -> None:
        """Tell those who look that something is new."""
        for listener in self.listeners:
            listener()

    def _guarded(self, do: Callable[[], Any]) -> None:
        try:
            do()
        except SAID as error:
            self.error = error
            self._say("stop", sentence_of(error))
        except Exception as error:
            self.error = error
            self._say(
                "stop",
                f"Something went wrong here, and not with your photos: {sentence_of(error)} "
                "In Python, the studio's `error` has all of it.",
            )

    def _say(self, weight: str, text: str) -> None:
        self.said = {"weight": weight, "text": text}

    def _chosen(self) -> Project:
        if self.project is None:
            raise ValueError("choose a folder of photos first.")
        return self.project

    def _work(self, text: str, do: Callable[[], Any], may_wait: str = "") -> None:
        """Do something that takes a while; while another goes on, what has a name in `may_wait` waits."""
        goes_on = self._turns.take(text, lambda: self._guarded(do), bool(may_wait))
        if goes_on:
            self._say("note", f"{may_wait} waits: {goes_on} still goes on.")

    def _do_step(self, what: dict[str, Any]) -> None:
        if what["to"] in self.open_steps():
            self.step = what["to"]

    def _do_go(self, what: dict[str, Any]) -> None:
        place = named_folder(self.place / what["to"].strip().strip("'\""))
        os.scandir(place).close()  # A folder that may not be read is told now, and not gone to.
        self.place = place

    def _do_choose(self, what: dict[str, Any]) -> None:
        if "set" in what and what["set"] not in READY_SETS:
            raise ValueError(f"there is no set {what['set']!r}.")
        source = (
            what["set"]
            if "set" in what
            else str(named_folder(self.place / what["folder"].strip().strip("'\"")))
        )
        project = self.projects.get(source) or Project(source)
        if project.found:
            self.project, self.step = project, "look"
            return
        self._work("Looking at the photos", lambda: self._look(project))

    def _do_look(self, what: dict[str, Any]) -> None:
        project = self._chosen()
        self._work("Looking at the photos", lambda: self._look(project))

    def _look(self, project: Project, arrangement: str | None = None) -> None:
        project.look(self._turns.count, arrangement)
        self.projects[project.source] = self.project = project
        self.step = "look"
        if not project.is_ready:
            self.place = Path(project.source)

    def _do_arrange(self, what: dict[str, Any]) -> None:
        project = self._chosen()
        if project.trainings:
            raise ValueError(
                "the kinds stay as they are once something was trained: choose the folder in a new studio."
            )
        self._work("Looking at the photos", lambda: self._look(project, what["to"]))

    def _do_group(self, what: dict[str, Any]) -> None:
        self._chosen().hold_together(bool(what["together"]))

    def _do_restore(self, what: dict[str, Any]) -> None:
        project = self._chosen()
        project.changes.restore(what["item"])
        project.recount()

    def _do_aside(self, what: dict[str, Any]) -> None:
        project = self._chosen()
        name = project.changes.set_aside()
        project.recount()
        self._say("note", f"The labels are as the folders say again. Your list of changes is kept as {name}.")

    def _do_train(self, what: dict[str, Any]) -> None:
        project = self._chosen()
        training = project.prepare(what)
        self._work("Training", lambda: self._train(project, training))
        self.step = "train"

    def _train(self, project: Project, training: Training) -> None:
        project.train(training, self.tell, self._turns.stop)
        self._say("note", training.sentence())

    def _do_stop(self, what: dict[str, Any]) -> None:
        self._turns.stop.set()

    def _do_use(self, what: dict[str, Any]) -> None:
        self._chosen().use(int(what["number"]))

    def _do_clean(self, what: dict[str, Any]) -> None:
        project = self._chosen()
        if project.trained.cleaner:
            project.trained.cleaner.act(what["what"])
        if project.short:
            project.recount()

    def _do_try(self, what: dict[str, Any]) -> None:
        project = self._chosen()
        project.trained  # noqa: B018  (raises if there is none)
        name, data = str(what["name"]), bytes(what["data"])
        self._work("Asking the model", lambda: project.attempt(name, data), may_wait=name)

    def _do_export(self, what: dict[str, Any]) -> None:
        project = self._chosen()
        project.trained  # noqa: B018  (raises if there is none)
        self._work("Writing the model", lambda: project.export(str(what["way"])))

    # What a page shows --------------------------------------------------------------------------------------

    def open_steps(self) -> list[str]:
        """The steps that there is something to see in."""
        known = 1 + 2 * bool(self.project) + 3 * bool(self.project and self.project.used)
        return list(STEPS[:known])

    def view(self) -> dict[str, Any]:
        """All that is to be seen, in plain data; small pictures are asked for by their names."""
        project = self.project
        seen: dict[str, Any] = {
            "step": self.step,
            "steps": self.open_steps(),
            "said": self.said,
            "busy": self.busy,
            "code": self.code,
            "choose": self._view_choose(),
        }
        if project and project.found:
            seen |= {
                "name": project.name,
                "pictures": [project.source, project.looks],
                "look": self._view_look(project),
                "train": self._view_train(project),
            }
        if project and project.used and project.used.cleaner:
            seen["mistakes"] = project.used.cleaner.view()
            seen["try"] = [{name: one[name] for name in one if name != "small"} for one in project.tried]
            seen["export"] = {"ways": WAYS, "done": project.exports}
        return seen

    def _view_choose(self) -> dict[str, Any]:
        folders, photos = listed(self.place)
        return {
            "place": str(self.place),
            "above": str(self.place.parent) if self.place.parent != self.place else "",
            "folders": folders[:MOST_FOLDERS],
            "more": max(0, len(folders) - MOST_FOLDERS),
            "photos": photos,
            "sets": [[name, one.title] for name, one in READY_SETS.items() if is_here(name)],
            "known": [[one.source, one.name] for one in self.projects.values()],
        }

    def _view_look(self, project: Project) -> dict[str, Any]:
        found = project.survey
        by_hand = [one for one in project.changes.view()["changes"] if project.changes[one["item"]].by_hand]
        return {
            "kinds": project.samples(),
            "notes": [vars(note) for note in found.notes],
            "left out": [[Path(file).name, why] for file, why in found.left_out.items()],
            "arrangement": found.arrangement,
            "may choose": found.may_choose and not project.trainings,
            "may group": project.may_group,
            "groups": self._view_groups(project),
            "learned": project.learned,
            "short": sentence_of(project.short) if project.short else "",
            "changes": project.changes.view() | {"undo": False, "changes": by_hand},
            "count": sum(found.counts().values()),
        }

    def _view_groups(self, project: Project) -> list[Any] | None:
        """How many groups there are, and the largest, where photos are held out in groups."""
        if not project.together:
            return None
        groups = groups_of(project.survey.serving())
        name, files = max(groups.items(), key=lambda one: len(one[1]))
        return [len(groups), name, len(files)]

    def _view_train(self, project: Project) -> dict[str, Any]:
        changes, now = frozenset(project.changes), project.running
        others = [one.name for one in self.projects.values() if one.running and one is not project]
        return {
            "plan": vars(project.plan),
            "choices": {
                "backbone": BACKBONES,
                "learning": LEARNING,
                "size": {str(size): text for size, text in SIZES.items()},
            },
            "trainings": [one.view(changes) for one in project.trainings],
            "used": project.used.number if project.used else 0,
            "live": now.watch.view() if now and now.watch else None,
            "elsewhere": "".join(others),
            "last": project.used.watch.view() if project.used and project.used.watch else None,
        }

    def pictures(self, names: list[str]) -> dict[str, bytes]:
        """Small pictures, JPEG, by their names."""
        return self.project.pictures(names) if self.project else {}

    def __repr__(self) -> str:
        doing = f", {self.project.name}" if self.project else ""
        return f"Studio({self.step}{doing}): in Jupyter it is shown as the last line of a cell."


def sentence_of(error: BaseException) -> str:
    """What an error says, as a sentence."""
    said = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    said = said or traceback.format_exception_only(error)[-1].strip()
    if said.partition(" ")[0].isalpha() and not isinstance(error, UnfitError):  # else it begins with a name
        said = said[0].upper() + said[1:]
    return said + ("" if said[-1] in ".!?)" else ".")


def listed(place: Path) -> tuple[list[str], int]:
    """The folders in a place, and how many photos lie directly in it; hidden ones are left out."""
    try:
        with os.scandir(place) as entries:
            there = [one for one in islice(entries, MOST_LISTED) if not one.name.startswith(".")]
            folders = sorted((one.name for one in there if one.is_dir()), key=str.casefold)
    except OSError:
        return [], 0
    return folders, sum(one.name.lower().endswith(FAMILIES["photos"]) for one in there)


def is_here(name: str) -> bool:
    """Whether a set of the course lies on this machine."""
    try:
        return location(name) is not None
    except (SourceError, KeyError):
        return False
