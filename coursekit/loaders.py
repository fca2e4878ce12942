"""Batches of items, on the device that computes, as often as they are walked through.

Thin on top of torch's `DataLoader`, which does the parallel reading; what is added is that items keep their
types on the way, that everything follows from one seed, and that a run can be taken up where it was left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from .finding import has_numbers
from .held import Held, NotHeldError
from .orders import InOrder, Order, Shuffled, rank_and_world
from .passes import Numbered, Streamed, Workers
from .reading import Broken, Items, as_items
from .samples import describe
from .transforms import Pipeline, Transform

if TYPE_CHECKING:
    from .recipes import Recipe

__all__ = ["Items", "Loader", "Loaders"]


class Loader:
    """Batches of items, encoded and on the device, as often as they are walked through.

    Each walk is a pass. The order of a pass, and all that is drawn in it, follow from the seed and the number
    of the pass, whatever the device and the number of workers. Where several processes learn together
    (`torch.distributed` is initialised), each gets its share of every pass.

    Args:
        items: What to draw from: `Items`, a list, a torch data set; or anything that can only be walked
            through, in the order it comes, and then has no length.
        batch_size: How many items stand in a batch.
        batch_transforms: A step, or several, done on whole batches, on the device. What they draw follows
            from the seed, the pass, the number of the batch and the rank of the process.
        shuffle: Whether each pass has another order.
        seed: The same seed gives the same orders and draws.
        device: Where batches go. On a GPU each is sent while the one before is worked on.
        workers: How many processes read ahead; 0 reads in this one.
        order: An order of another kind, such as `Balanced("label")` or `Bucketed("length")`.
        drop_last: Leave out the last batch if it is not full.
        start_method: How workers begin: "fork" or "spawn"; by default as Python does on this system.
        hold: Whether items are held on the device from the first time they are read, so that later passes
            only choose from there. By default they are if nothing is drawn for them, their shapes are equal
            and they fit; True demands it, False forbids it.
        most_bytes: How much memory held items may take.

    Raises:
        ValueError: No items, no batches, an order for what can only be walked through, or items to be held
            that cannot be.

    >>> loader = Loader([(torch.zeros(2), 0), (torch.ones(2), 1), (torch.ones(2), 1)], batch_size=2)
    >>> [targets.tolist() for inputs, targets in loader]
    [[0, 1], [1]]
    """

    def __init__(
        self,
        items: Any,
        batch_size: int = 32,
        batch_transforms: Transform | Sequence[Transform] = (),
        shuffle: bool = False,
        seed: int = 0,
        device: torch.device | str = "cpu",
        workers: int = 0,
        *,
        order: Order | None = None,
        drop_last: bool = False,
        start_method: str | None = None,
        hold: bool | None = None,
        most_bytes: int = 2**30,
    ) -> None:
        self.batch_size, self.seed, self._device = batch_size, seed, torch.device(device)
        self.items = as_items(items)
        self._numbered = has_numbers(self.items.raw)
        steps = batch_transforms
        self.batch_transforms = steps if isinstance(steps, Transform) else Pipeline(*steps)
        self._begin = self._at = (0, 0)  # Pass and batch: where the next walk begins, where the last stands.
        order = order or (Shuffled() if shuffle else InOrder())
        check(self.items, batch_size, order, drop_last)
        held = Held(len(items), most_bytes) if may_hold(items, hold) else None
        self._workers = team = Workers(workers, start_method, self.items.broken)
        self._passes = (
            Numbered(
                self.items, batch_size, team, ready(order, self.items), seed, drop_last, held, bool(hold)
            )
            if self._numbered
            else Streamed(self.items, batch_size, team, drop_last)
        )

    def __len__(self) -> int:
        return len(self._passes)

    def __iter__(self) -> Iterator[Any]:
        (epoch, start), rank = self._begin, rank_and_world()[0]
        self._begin, self._at = (epoch + 1, 0), (epoch, start)
        came = start > 0
        for number, batch in self._passes.walk(epoch, start, self._device):
            self.batch_transforms.reseed(self.seed, epoch, number, rank)
            made = self.batch_transforms.encode(batch)
            came, self._at = True, (epoch, number + 1)
            yield made
        self._at = epoch + 1, 0
        if self.broken and not came:
            raise ValueError(f"none of the items could be read; the first is {self.broken[0]}")

    @property
    def broken(self) -> list[Broken]:
        """The items that were left out, as their files could not be read (see `Items`)."""
        return self._workers.broken

    @property
    def device(self) -> torch.device:
        """Where batches go; setting it moves what is held along."""
        return self._device

    @device.setter
    def device(self, device: torch.device | str) -> None:
        self._device = torch.device(device)
        if isinstance(self._passes, Numbered) and self._passes.held:
            self._passes.held.to(self._device)

    def state_dict(self) -> dict[str, Any]:
        """Where the last walk stands, between two batches, in numbers: enough to go on from there.

        >>> loader = Loader(range(6), batch_size=2, shuffle=True)
        >>> walk = iter(loader)
        >>> first, state = next(walk), loader.state_dict()
        >>> rest = [batch.tolist() for batch in walk]
        >>> loader.load_state_dict(state)
        >>> [batch.tolist() for batch in loader] == rest
        True
        """
        epoch, number = self._at
        if self._numbered and number == len(self):
            epoch, number = epoch + 1, 0
        return {"pass": epoch, "batch": number, **self._fixed()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let the next walk go on where a loader of the same items stood, and all after it follow.

        Raises:
            ValueError: The state is of other items, another seed, batch size or number of processes: other
                batches would follow.
        """
        for name, here in self._fixed().items():
            if state[name] != here:
                raise ValueError(
                    f"this state is of a loader whose {name} is {state[name]}, and here it is {here}: other "
                    "batches would follow. Make this loader as that one was made."
                )
        self._begin = self._at = (state["pass"], state["batch"])

    def _fixed(self) -> dict[str, Any]:
        """What must be the same for the same batches to follow."""
        count = len(self.items) if self._numbered else None
        return {
            "count of items": count,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "count of processes": rank_and_world()[1],
        }


def check(items: Items, batch_size: int, order: Order, drop_last: bool) -> None:
    """Refuse what would give no batch, or an order where there can be none."""
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"a batch holds at least one item; batch_size={batch_size!r} was asked for.")
    if not callable(order):
        raise TypeError(f"an order is one such as Balanced('label') or Shuffled(); got {order!r}.")
    if not has_numbers(items.raw):
        if not isinstance(order, InOrder):
            raise ValueError(
                f"{describe(items.raw)} can only be walked through, in the order it comes, and "
                f"{order} was asked for. Make a list of it, or shuffle where it is made."
            )
        return
    if len(items) == 0:
        raise ValueError("a loader needs at least one item; none came.")
    if drop_last and len(items) < batch_size * rank_and_world()[1]:
        raise ValueError(
            f"drop_last leaves nothing: {len(items)} items do not fill one batch of {batch_size}"
            + (f" in each of {rank_and_world()[1]} processes." if rank_and_world()[1] > 1 else ".")
        )


def ready(order: Order, items: Items) -> Order:
    """An order that knows what it must know of the items, such as their lengths."""
    return order.known(items.raw) if hasattr(order, "known") else order


def may_hold(items: Any, hold: bool | None) -> bool:
    """Whether items may be held on the device, as far as that can be known before one is read.

    Raises:
        NotHeldError: They are to be held, and cannot be.
    """
    drawn, numbered = as_items(items).random, has_numbers(as_items(items).raw)
    if hold and (drawn or not numbered):
        why = "something is drawn for each of them in every pass" if drawn else "they have no numbers"
        raise NotHeldError(f"the items cannot be held on the device: {why}. Leave hold=True out.")
    if hold is None:
        return numbered and not drawn and isinstance(items, Items | list | tuple)
    return hold


class Loaders:
    """What a learner learns from: a training and a validation loader, and the way back from numbers to names.

    Made by `DataBlock.loaders`.

    Attributes:
        train: Batches to learn from, in a new order each time.
        valid: Batches that were held out, always in the same order.
        recipe: What inference needs: how inputs are made, and what targets mean.

    >>> from .recipes import Recipe
    >>> items = [(torch.zeros(2), torch.tensor(0)), (torch.ones(2), torch.tensor(1))]
    >>> data = Loaders(Loader(items), Loader(items[:1]), Recipe(Pipeline(), Pipeline(), Pipeline()))
    >>> [target.item() for _, target in data.decode_batch(data.one_batch())]
    [0, 1]
    """

    def __init__(self, train: Loader, valid: Loader, recipe: Recipe) -> None:
        self.train, self.valid, self.recipe = train, valid, recipe

    @property
    def device(self) -> torch.device:
        """Where the batches are."""
        return self.train.device

    @property
    def vocab(self) -> tuple:
        """The names of the kinds that targets have, in the order of their numbers; empty for others."""
        return self.recipe.vocab

    def to(self, device: torch.device | str) -> Loaders:
        """From now on put batches on this device; gives the same loaders back."""
        self.train.device = self.valid.device = torch.device(device)
        return self

    def one_batch(self) -> Any:
        """The first batch of the next pass through the training items."""
        return next(iter(self.train))

    def new(self, source: Any) -> Loader:
        """Batches of new items without targets, made as the held-out ones are: a photo folder, a table."""
        return self.recipe.loader(source, self.valid.batch_size, self.device)

    def encode_item(self, x: Any) -> Any:
        """Make a batch of one from something like what the inputs were made from, for a prediction."""
        return self.recipe.encode(x, self.device)

    def decode_target(self, target: Any) -> Any:
        """Turn a target back into what people call it."""
        return self.recipe.decode_target(target)

    def decode_answers(self, answers: Any, inputs: Any = None) -> list:
        """Turn what a model answers to a batch into what people call it, each answer as targets are."""
        return self.recipe.decode_answers(answers, inputs)

    def decode_batch(self, batch: Any) -> list[tuple]:
        """Take a batch apart into items in people's terms: pictures in 0..255, names instead of numbers."""
        return self.recipe.decode_batch(batch)

    def show_batch(self, count: int = 9) -> Any:
        """Draw the first items of a training batch with their targets."""
        from .display import show_grid

        return show_grid(self.decode_batch(self.one_batch())[:count])
