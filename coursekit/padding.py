"""Things that come in different numbers, three boxes here and five there, filled up to stand in one batch.

>>> from coursekit.tensors import Text
>>> batch = collate_counted([Text("no"), Text("crack")])
>>> batch.shape, batch.length
(torch.Size([2, 5]), (2, 5))
>>> str(own_rows(batch[0]))
'no'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

import torch
from torch.utils.data._utils.collate import default_collate_fn_map

from .typed import TypedTensor, collate_typed, dressed, plain

Kind = TypeVar("Kind", bound="Counted")


class Counted(TypedTensor):
    """A tensor whose first axis counts things: boxes, points, words; the base of all that a batch fills up.

    Items of different counts are filled up to the longest when they are put together into a batch, with rows
    of `padding`. `length` is how many rows are the item's own then (of a batch: a tuple, one for each item),
    and `None` where nothing was filled up. Once rows have been chosen nobody knows any more, and it is `None`
    again. A type of your own gets all this by being one of these:

    >>> class Notes(Counted):
    ...     axes = ("notes",)
    ...     padding = -1
    >>> collate_counted([Notes([60, 64, 67]), Notes([62])]).tolist()
    [[60, 64, 67], [62, -1, -1]]
    """

    counts = True
    padding: ClassVar[float] = 0
    item_metadata: ClassVar[tuple[str, ...]] = ("length",)
    length: Any

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        default_collate_fn_map[cls] = collate_counted

    @classmethod
    def cut(cls, metadata: dict[str, Any], along: Sequence[Any]) -> dict[str, Any]:
        return metadata | {"length": None} if along else metadata


def collate_counted(items: Sequence[Kind], *, collate_fn_map: Any = None) -> Kind:
    """Make one batch of several items of one type, the shorter ones filled up; `DataLoader` does it alone.

    What is known of each row, such as the labels of boxes, is filled up with `None`.

    Raises `ValueError` if the items differ in type, in more than their count, or in metadata that a batch has
    only once.
    """
    if len({item.shape for item in items}) > 1 and len({item.shape[1:] for item in items}) == 1:
        longest = max(map(len, items))
        items = [filled_up(item, longest) for item in items]
    return collate_typed(items)


def filled_up(x: Kind, rows: int) -> Kind:
    """One item, or each of a batch, with rows of padding behind its own, `rows` in all.

    >>> from coursekit.tensors import Boxes
    >>> filled_up(Boxes([[2, 3, 9, 8]], labels=(1,)), 2).labels
    (1, None)
    """
    kind, axis = type(x), x.dim() - (x.item_dims or 0)
    missing = rows - x.shape[axis]
    shape = (*x.shape[:axis], missing, *x.shape[axis + 1 :])
    known = x.__dict__ | {"length": x.shape[0]}
    if axis:
        known["length"] = x.length or (x.shape[axis],) * len(x)
    for name in set(kind.row_metadata) & set(kind.item_metadata):
        values, more = known.get(name), (None,) * missing
        if values is not None:
            known[name] = tuple(one and one + more for one in values) if axis else values + more
    return dressed(torch.cat([plain(x), plain(x).new_full(shape, kind.padding)], axis), kind, known)


def own_rows(x: Any) -> Any:
    """What an item was before a batch filled it up; anything else stays as it is."""
    return x[: x.length] if isinstance(x, Counted) and isinstance(x.length, int) else x
