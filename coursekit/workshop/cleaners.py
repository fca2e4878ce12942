"""Look through what a model says about each photo, by kind and by side, and correct labels that are wrong.

The same part stands in a notebook by itself, `clean`, and in a studio. Its decisions are a list of changes,
which a person applies: no label is overwritten, no file deleted.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..callbacks import Progress
from ..confusion import confusion_matrix
from ..files import file_of
from ..finding import Chosen, has_numbers
from ..interpret import losses_of
from ..loaders import Items, Loader
from ..photos import to_photo
from ..samples import describe
from ..tensors import Image, plain
from .changes import Changes
from .thumbnails import as_small, shrunk

if TYPE_CHECKING:
    import torch

    from ..learner import Learner

PAGE = 12
SIDES = ("held out", "learned from")
ORDERS = {"surprise": "most surprising first", "agreed": "least surprising first", "given": "as they come"}


@dataclass(frozen=True)
class Judged:
    """What a model says about one photo.

    Attributes:
        item: Its file, or the number of its row.
        side: "held out" or "learned from".
        place: Where it stands among the items of its side.
        label: What people say it is.
        said: What the model says.
        sure: How probable it finds that.
        loss: How much the label surprises it.
    """

    item: str
    side: str
    place: int
    label: str
    said: str
    sure: float
    loss: float


class Cleaner:
    """Photos with their labels, the most surprising first, to be looked through and decided upon.

    Args:
        learner: A trained learner whose data a `DataBlock` made, photos of several kinds.
        changes: Where decisions go.

    Raises:
        TypeError: Its items are no photos, or are not of one kind each.
    """

    def __init__(self, learner: Learner, changes: Changes) -> None:
        demand_kinds(learner)
        self.changes, self._data = changes, learner.data
        self.kinds = [str(name) for name in learner.data.vocab]
        self.shown: dict[str, Any] = {
            "kind": "",
            "said": "",
            "side": "",
            "order": "surprise",
            "page": 0,
        }
        self.items = [one for side in SIDES for one in judged(learner, side, self.kinds)]
        self._by_item = {one.item: one for one in self.items}
        # What each was called before any change, of which the model may have been told some.
        self._first = {one.item: one.label for one in self.items} | {one.item: one.was for one in changes}
        self.said = ""

    def accuracy(self) -> float:
        """The share of held-out photos that the model names as people did."""
        held = [one for one in self.items if one.side == "held out"]
        return sum(one.said == one.label for one in held) / len(held)

    def always(self) -> float:
        """The share that would be right if the most frequent kind were said of every held-out photo."""
        held = Counter(one.label for one in self.items if one.side == "held out")
        return max(held.values()) / sum(held.values())

    def show(self, **wanted: Any) -> None:
        """Choose what is seen: of which `kind`, `said` and `side`, in which `order`, which `page`."""
        allowed = {
            "kind": ["", *self.kinds],
            "said": ["", *self.kinds],
            "side": ["", *SIDES],
            "order": list(ORDERS),
        }
        for name, value in wanted.items():
            if name != "page" and value not in allowed.get(name, []):
                raise ValueError(
                    f"there is no {name} {value!r}; there is {', '.join(map(repr, allowed.get(name, [])))}."
                )
        self.shown |= {"page": 0} | wanted

    def seen(self) -> list[Judged]:
        """The photos that were chosen to be seen, in their order, on all pages."""
        shown = self.shown
        found = [
            one
            for one in self.items
            if all(not shown[name] or getattr(one, name) == shown[name] for name in ("said", "side"))
        ]
        found = [one for one in found if not shown["kind"] or one.label == shown["kind"]]
        if shown["order"] == "given":
            return found
        return sorted(found, key=lambda one: one.loss, reverse=shown["order"] == "surprise")

    def decide(self, item: str, now: str) -> None:
        """Give a photo another label, or none to leave it out; its first one takes that back.

        Raises:
            ValueError: There is no such photo, or no such kind.
        """
        if item not in self._by_item or now not in ("", *self.kinds):
            raise ValueError(f"there is no photo {item!r}, or no kind {now!r}.")
        self.changes.decide(item, self._first[item], now)

    def act(self, what: dict[str, Any]) -> None:
        """Do what was asked for in a page, and keep in `said` what is to be said about it."""
        try:
            self.said = getattr(self, f"_do_{what['do']}")(what)
        except (ValueError, OSError) as error:
            self.said = str(error)

    def _do_show(self, what: dict[str, Any]) -> str:
        self.show(**{name: what[name] for name in self.shown if name in what})
        return ""

    def _do_undo(self, what: dict[str, Any]) -> str:
        said = self.changes.undo()
        return f"The last photo {said}." if said else "There is nothing to take back."

    def _do_label(self, what: dict[str, Any]) -> str:
        item, now, name = what["item"], what["now"], Path(what["item"]).name
        self.decide(item, now)
        if item not in self.changes:
            return f"{name} keeps its label, {self._first[item]}."
        return f"{name} is {now} from now on." if now else f"{name} is left out. The file stays."

    def _do_restore(self, what: dict[str, Any]) -> str:
        self.changes.restore(what["item"])
        return f"{Path(what['item']).name} is as it was."

    def view(self) -> dict[str, Any]:
        """What is to be seen."""
        found = self.seen()
        pages = max(1, -(-len(found) // PAGE))
        self.shown["page"] = page = min(max(int(self.shown["page"]), 0), pages - 1)
        return {
            "said": self.said,
            "kinds": self.kinds,
            "orders": ORDERS,
            "shown": dict(self.shown),
            "pages": pages,
            "count": len(found),
            "cards": [self._card(one) for one in found[page * PAGE : (page + 1) * PAGE]],
            "table": self.table(),
            **self.changes.view(),
        }

    def _card(self, one: Judged) -> dict[str, Any]:
        changed = self.changes[one.item].now if one.item in self.changes else self._first[one.item]
        about = {
            "item": one.item,
            "name": Path(one.item).name,
            "side": one.side,
            "label": one.label,
            "now": changed,
        }
        return about | {"said": one.said, "sure": round(one.sure, 3), "loss": round(one.loss, 3)}

    def table(self) -> list[list[int]]:
        """How often each kind (a row) was taken for each (a column), of the held-out photos."""
        import torch

        held = [one for one in self.items if one.side == "held out"]
        said, truth = (
            torch.tensor([self.kinds.index(getattr(one, name)) for one in held]) for name in ("said", "label")
        )
        return confusion_matrix(said, truth, len(self.kinds)).tolist()

    def pictures(self, names: list[str]) -> dict[str, bytes]:
        """Small pictures, JPEG, by the names of their items; one that can no longer be read is left out."""
        made = {name: self._picture(self._by_item[name]) for name in names if name in self._by_item}
        return {name: small for name, small in made.items() if small}

    def _picture(self, one: Judged) -> bytes:
        if os.path.isfile(one.item):
            return shrunk(one.item)[0]
        items = (self._data.valid if one.side == "held out" else self._data.train).items
        return as_small(to_photo(plain(items[one.place][0]).numpy()))


def demand_kinds(learner: Learner) -> None:
    """Raise TypeError where there are no labels to correct."""
    data = learner.data
    if not getattr(data, "vocab", ()) or not hasattr(data, "recipe"):
        raise TypeError(
            "clean looks through photos that are each of one kind, as DataBlock(inputs=kit.Image, "
            f"targets=kit.Category).loaders(…) gives them; the data of this learner are "
            f"{type(data).__name__} without kinds."
        )
    item = data.valid.items[0]
    if not isinstance(item, tuple) or not isinstance(item[0], Image) or plain(item[1]).ndim:
        raise TypeError(
            "clean looks through photos that are each of one kind; an item of this learner is "
            f"{describe(item)}."
        )


def judged(learner: Learner, side: str, kinds: list[str]) -> Iterator[Judged]:
    """Ask a learner about the photos of one side."""
    train, valid = learner.data.train, learner.data.valid
    source = (
        valid.items
        if side == "held out"
        else Items(train.items.raw, train.items.pipeline.calm(), broken="skip")
    )
    if not has_numbers(source.raw):
        raise TypeError(
            "clean looks at photos again and again, and these can only be walked through once: make a "
            "list of them."
        )
    loader = Loader(source, valid.batch_size, valid.batch_transforms, device=learner.device)
    with quietly(learner):
        given, typed = learner.predictions(loader)
    scores, targets = plain(given), plain(typed)
    chances, losses = chances_of(learner, scores), losses_of(learner.loss_function, scores, targets)
    broken = {one.number for one in loader.broken}
    places = [place for place in range(len(source)) if place not in broken]
    for place, row, truth, loss in zip(places, chances, targets.tolist(), losses.tolist(), strict=True):
        sure, said = row.max(dim=0)
        yield Judged(
            item_name(source.raw, place), side, place, kinds[truth], kinds[int(said)], float(sure), loss
        )


def chances_of(learner: Learner, scores: torch.Tensor) -> torch.Tensor:
    """Probabilities, as the loss reads scores."""
    read = getattr(learner.loss_function, "activation", None)
    return read(scores) if read else scores.softmax(dim=1)


def item_name(raw: Any, place: int) -> str:
    """What an item is called in a list of changes: its file, or the number it has in the source."""
    number = raw.numbers[place] if isinstance(raw, Chosen) else place
    file = file_of(raw[place])
    return os.path.abspath(file) if file else str(number)


@contextmanager
def quietly(learner: Learner) -> Iterator[None]:
    """Let a learner work without writing its progress below the cell."""
    shown = [one for one in learner.callbacks if isinstance(one, Progress)]
    kept = list(learner.callbacks)
    learner.callbacks[:] = [*(one for one in kept if one not in shown), Progress("off")]
    try:
        yield
    finally:
        learner.callbacks[:] = kept
