"""What inference needs of a data block, and no more: how inputs are made and scaled, and what numbers mean.

>>> from .steps import Categorize
>>> recipe = Recipe(Pipeline(), Pipeline(Categorize(["sound", "broken"])), Pipeline())
>>> recipe.vocab, recipe.encode(torch.zeros(3)).shape
(('sound', 'broken'), torch.Size([1, 3]))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .batches import collate, separate, to_device
from .blocks import Sampled
from .finding import INPUT_NAMES, Take, find_items, taken, usual_take
from .loaders import Items, Loader
from .transforms import Pipeline


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
        steps = self.targets.steps if self.targets else ()
        return next((step.vocab for step in steps if getattr(step, "vocab", None)), ())

    def encode(self, x: Any, device: torch.device | str = "cpu") -> Any:
        """Make a batch of one from something like what the inputs were made from."""
        return self.batch.encode((to_device(collate([self.inputs.encode(x)]), torch.device(device)),))[0]

    def decode_target(self, target: Any) -> Any:
        """Turn a target back into what people call it."""
        return target if self.targets is None else self.targets.decode(target)

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

    def _place(self, items: Sequence) -> Take:
        """Where these items keep their input."""
        try:
            taken(items[0], self.input_from)
        except (KeyError, AttributeError):
            return usual_take(items[0], INPUT_NAMES, 0)
        return self.input_from
