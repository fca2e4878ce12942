"""What inference needs of a data block, and no more: how inputs are made and scaled, and what numbers mean.

>>> recipe = Recipe(Pipeline(), Pipeline(Categorize(["sound", "broken"])), Pipeline())
>>> recipe.vocab, recipe.encode(torch.zeros(3)).shape
(('sound', 'broken'), torch.Size([1, 3]))
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import torch

from .batches import collate, separate, to_device
from .blocks import Sampled
from .creating import Create
from .finding import INPUT_NAMES, Take, find_items, taken, usual_take
from .loaders import Items, Loader
from .samples import elements
from .saving import made, written
from .steps import Categorize
from .tensors import Category, Image, MultiCategory, TypedTensor
from .transforms import Pipeline
from .vocabularies import MultiCategorize

FORMAT = "coursekit recipe 1"
MOST_BYTES = 64 * 2**20


class Recipe:
    """How one item becomes a batch of one that a model takes, and how what it answers is named.

    Args:
        inputs: What is done to one input, without chance.
        targets: What is done to one target; None where there is none.
        batch: What is done to whole batches, without chance.
        input_from: Where an item keeps its input, as `taken` understands it.

    >>> Recipe(Pipeline(), None, Pipeline()).decode_batch((torch.tensor([3, 4]),))
    [(tensor(3),), (tensor(4),)]
    """

    def __init__(
        self, inputs: Pipeline, targets: Pipeline | None, batch: Pipeline, input_from: Take = None
    ) -> None:
        self.inputs, self.targets, self.batch, self.input_from = inputs, targets, batch, input_from

    @property
    def vocab(self) -> tuple:
        """The names of the kinds that targets have, in the order of their numbers; empty for others."""
        steps: Sequence[Any] = self.targets.steps if self.targets else ()
        told = [{"vocab": getattr(step, "vocab", None), **getattr(step, "metadata", {})} for step in steps]
        return next((one["vocab"] for one in told if one["vocab"]), ())

    def encode(self, x: Any, device: torch.device | str = "cpu") -> Any:
        """Make a batch of one from something like what the inputs were made from."""
        return self.batch.encode((to_device(collate([self.inputs.encode(x)]), torch.device(device)),))[0]

    def decode_target(self, target: Any) -> Any:
        """Turn a target back into what people call it."""
        return target if self.targets is None else self.targets.decode(target)

    def decode_answers(self, answers: Any, inputs: Any = None) -> list:
        """Turn what a model answers to a batch into what people call it: each answer as targets are called.

        The numbers become what targets are, a `Category`, a `Mask`; points learn from the `inputs` how large
        the picture is that they lie on.

        >>> recipe = Recipe(Pipeline(), Pipeline(Categorize(["sound", "broken"])), Pipeline())
        >>> recipe.decode_answers(torch.tensor([1, 0]))
        ['broken', 'sound']
        """
        kind, known = self._target_kind()
        if not issubclass(kind, TypedTensor):
            return separate(answers) if answers.ndim > 1 else answers.tolist()
        if "canvas" in kind.item_metadata and isinstance(inputs, Image):
            known = {**known, "canvas": (tuple(inputs.shape[-2:]),) * len(inputs)}
        made = kind(answers.squeeze(1) if answers.ndim == 2 and not kind.axes else answers, **known)
        return [self.decode_target(one) for one in separate(self.batch.decode(made))]

    def _target_kind(self) -> tuple[type, dict[str, Any]]:
        """The type that targets become, and what all of them know; a plain number where that is not said."""
        for step in self.targets.steps if self.targets else ():
            if isinstance(step, Categorize | MultiCategorize):
                return Category if isinstance(step, Categorize) else MultiCategory, {"vocab": step.vocab}
            if isinstance(step, Create) and isinstance(step.kind, type):
                named = self.vocab and "vocab" in getattr(step.kind, "shared_metadata", ())
                return step.kind, {**step.metadata, **({"vocab": self.vocab} if named else {})}
        return float, {}

    def decode_batch(self, batch: Any) -> list[tuple]:
        """Take a batch apart into items in people's terms: pictures in 0..255, names instead of numbers."""
        items = separate(self.batch.decode(batch))
        return [(self.inputs.decode(item[0]), *map(self.decode_target, item[1:])) for item in items]

    def loader(
        self, source: Any, batch_size: int = 32, device: torch.device | str = "cpu", workers: int = 0
    ) -> Loader:
        """Batches of the inputs of new items, without targets, in the order of the source.

        Args:
            source: What `find_items` understands. Where its items are not kept as those of the training were,
                in a column of another name, say, the usual names are looked for.
            batch_size: How many items stand in a batch.
            device: Where batches go.
            workers: How many processes read items ahead.

        >>> recipe = Recipe(Pipeline(), None, Pipeline())
        >>> [batch[0].tolist() for batch in recipe.loader([1, 2, 3], batch_size=2)]
        [[1, 2], [3]]
        """
        items = find_items(source)
        sample = Sampled(self._place(items), None, self.inputs)
        return Loader(Items(items, sample), batch_size, self.batch, device=device, workers=workers)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the recipe to a file, as JSON; what is there is replaced when all is written.

        Classes are named, not stored. Functions are no data: an `input_from` that is one is left out, since
        `encode` has no need of it.

        Raises:
            TypeError: A step that is or holds a function, or that has learned what its constructor is not
                told; the message says what to do.
        """
        file = Path(path)
        unfinished = file.with_name(f"{file.name}.unfinished")
        unfinished.write_text(json.dumps(self.as_data(), indent=1), encoding="ascii")
        unfinished.replace(file)

    def as_data(self) -> dict[str, Any]:
        """What `save` writes, for a file that holds more than the recipe; `from_data` makes one of it."""
        parts = {"inputs": self.inputs, "targets": self.targets, "batch": self.batch}
        data = {"format": FORMAT, **{name: written(part) for name, part in parts.items()}}
        data["input_from"] = None if _holds_function(self.input_from) else written(self.input_from)
        return data

    @classmethod
    def load(cls, path: str | os.PathLike[str], types: Iterable[type] = ()) -> Recipe:
        """Read a recipe that `save` wrote. Whatever a file says, no code is run but that of known steps.

        Args:
            path: The file.
            types: The classes of your own that it uses: steps and types.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is no recipe, or uses a class that was not handed over.

        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "recipe.json")
        ...     Recipe(Pipeline(), Pipeline(Categorize(["sound", "broken"])), Pipeline()).save(file)
        ...     Recipe.load(file).vocab
        ('sound', 'broken')
        """
        try:
            if os.path.getsize(path) > MOST_BYTES:
                raise ValueError(f"it is larger than {MOST_BYTES // 2**20} MiB, and no recipe is.")
            return cls.from_data(json.loads(Path(path).read_text(encoding="utf-8")), types)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{os.fspath(path)} could not be read as a recipe: {error}") from None

    @classmethod
    def from_data(cls, data: Any, types: Iterable[type] = ()) -> Recipe:
        """Make a recipe again of what `as_data` gave; a ValueError says what is wrong with the data."""
        own = {kind.__name__: kind for kind in types}
        try:
            if not isinstance(data, dict) or data.get("format") != FORMAT:
                raise ValueError(f"it does not begin as a recipe does, with the format {FORMAT!r}.")
            parts = [made(data.get(name), own) for name in ("inputs", "targets", "batch", "input_from")]
            for name, part in zip(("inputs", "targets", "batch"), parts, strict=False):
                if not isinstance(part, Pipeline) and (part is not None or name != "targets"):
                    raise ValueError(f"its {name} are no pipeline.")
        except (TypeError, AttributeError, RecursionError) as error:
            raise ValueError(str(error)) from None
        return cls(*parts)

    def _place(self, items: Sequence) -> Take:
        """Where these items keep their input."""
        if not isinstance(items[0], Mapping | tuple):
            return None
        if self.input_from is not None:
            with suppress(KeyError, AttributeError):
                taken(items[0], self.input_from)
                return self.input_from
        return usual_take(items[0], INPUT_NAMES, 0)


def _holds_function(take: Take) -> bool:
    """Whether what says where an input is kept is, or has in it, a function."""
    return any(callable(part) and not is_dataclass(part) for part in elements(take).values())
