"""How others would have written the same digit: other hands, other pens, other schools.

The digits of MNIST were written by Americans on paper. Whoever draws in a page may have learned to write a 1
with a long upstroke and a 7 with a bar, lean the other way, tremble over a touchpad, and leave gaps. So each
digit is changed anew each time the network sees it, and then fitted into its field as MNIST's makers did, and
as the page does with what is drawn there.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate, pad

from ..events import Callback

if TYPE_CHECKING:
    from ..learner import Learner

# A digit stands in a field of 28 by 28 pixels, scaled so that it just fits into a box of 20 by 20.
SIDE, BOX = 28, 20
CENTRES = torch.arange(SIDE) + 0.5

Span = tuple[float, float]


class Handwriting(Callback):
    """Changes the pictures of training batches as other people would have written them.

    Args:
        seed: The same seed draws the same changes.

    Inputs are pictures (N, 1, 28, 28), 1 where there is ink, and targets the digits.
    """

    def __init__(self, seed: int = 0) -> None:
        self.chance = torch.Generator().manual_seed(seed)

    def before_batch(self, learner: Learner) -> None:
        if learner.training:
            learner.inputs = rewritten(learner.inputs, learner.targets, self.chance)


def rewritten(ink: Tensor, digits: Tensor, chance: torch.Generator) -> Tensor:
    """Write digits again: with the strokes of other schools, by another hand, with another pen.

    >>> rewritten(torch.ones(2, 1, 28, 28), torch.tensor([1, 7]), torch.Generator()).shape
    torch.Size([2, 1, 28, 28])
    """
    ink = moved(schooled(ink, digits, chance), chance)
    ink = fitted(broken(penned(ink, chance), chance), chance)
    contrast = uniform(chance, len(ink), 0.8, 2.2)[:, None, None, None]
    return ((ink - 0.5) * contrast + 0.5).clamp(0, 1) * (ink > 0.03)


def uniform(chance: torch.Generator, count: int, low: float, high: float) -> Tensor:
    """So many numbers between two."""
    return torch.rand(count, generator=chance) * (high - low) + low


def strokes(start: Tensor, end: Tensor, half: Tensor) -> Tensor:
    """Straight lines between two places (N, 2), x first, of half a width each, as ink (N, 1, 28, 28)."""
    pixels = torch.cartesian_prod(CENTRES, CENTRES).flip(1)
    way = (end - start)[:, None]
    along = ((pixels - start[:, None]) * way).sum(2) / (way * way).sum(2).clamp(min=1e-6)
    distance = (start[:, None] + along.clamp(0, 1)[..., None] * way - pixels).norm(dim=2)
    return (half[:, None] + 0.5 - distance).clamp(0, 1).reshape(-1, 1, SIDE, SIDE)


def middle_of(ink: Tensor) -> Tensor:
    """Where the mass of the ink has its centre, x first, in pixels: (N, 2)."""
    columns, rows = ink.sum((1, 2)), ink.sum((1, 3))
    return torch.stack([columns @ CENTRES, rows @ CENTRES], 1) / ink.sum((1, 2, 3)).clamp(min=1e-6)[:, None]


def edges_of(ink: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Where ink begins and ends along an axis, 2 for rows and 3 for columns."""
    there = (ink > 0.25).any(5 - axis)[:, 0]
    numbers = torch.arange(SIDE).expand_as(there)
    return numbers.where(there, SIDE).amin(1), numbers.where(there, -1).amax(1) + 1


def schooled(ink: Tensor, digits: Tensor, chance: torch.Generator) -> Tensor:
    """Give some digits what Americans seldom write: ones an upstroke or a foot, sevens a bar, sixes a bow."""
    ink = ink.clone()
    ways = ((1, 0.5, upstroke), (1, 0.25, foot), (7, 0.4, bar), (6, 0.3, hook), (9, 0.3, tail))
    for digit, share, write in ways:
        chosen = (digits == digit) & (uniform(chance, len(ink), 0, 1) < share)
        some = ink[chosen]
        (top, bottom), half = edges_of(some, 2), uniform(chance, len(some), 1.0, 1.6)
        places = write(some, top.float(), (bottom - top).float(), chance)
        for start, end in pairwise(places):
            some = torch.maximum(some, strokes(start, end, half))
        ink[chosen] = some
    return ink


def at(ink: Tensor, row: Tensor) -> Tensor:
    """Where the ink is in a row and its neighbours: its middle, x first."""
    return middle_of(ink * ((CENTRES - row[:, None]).abs() < 1.6)[:, None, :, None])


def upstroke(ink: Tensor, top: Tensor, high: Tensor, chance: torch.Generator) -> tuple[Tensor, ...]:
    """From the head of a one down to the left."""
    angle, long = uniform(chance, len(ink), 0.35, 1.25), high * uniform(chance, len(ink), 0.2, 0.6)
    head = at(ink, top + 1.5)
    return head, head + torch.stack([-angle.sin(), angle.cos()], 1) * long[:, None]


def foot(ink: Tensor, top: Tensor, high: Tensor, chance: torch.Generator) -> tuple[Tensor, ...]:
    """Along the ground, to both sides of a one."""
    side = high * uniform(chance, len(ink), 0.15, 0.4)
    way = torch.stack([side, side * uniform(chance, len(ink), -0.15, 0.15)], 1)
    place = at(ink, top + high - 1.5)
    return place - way, place + way


def bar(ink: Tensor, top: Tensor, high: Tensor, chance: torch.Generator) -> tuple[Tensor, ...]:
    """Across the stem of a seven, rising a little."""
    side = high * uniform(chance, len(ink), 0.15, 0.35)
    way = torch.stack([side, side * uniform(chance, len(ink), -0.5, 0.2)], 1)
    place = at(ink, top + high * uniform(chance, len(ink), 0.4, 0.65))
    return place - way, place + way


def hook(ink: Tensor, top: Tensor, high: Tensor, chance: torch.Generator) -> tuple[Tensor, ...]:
    """From the tip of a six to the right, and a little down again."""
    return curl(at(ink, top + 1.5), high, 1, chance)


def tail(ink: Tensor, top: Tensor, high: Tensor, chance: torch.Generator) -> tuple[Tensor, ...]:
    """From the end of a nine to the left, and a little up again."""
    return curl(at(ink, top + high - 1.5), high, -1, chance)


def curl(tip: Tensor, high: Tensor, side: int, chance: torch.Generator) -> tuple[Tensor, ...]:
    """On from a tip in a short bow: over to the right and down, or, with -1, over to the left and up."""
    bend = tip + side * high[:, None] * spread(chance, len(tip), (0.1, 0.3), (-0.08, 0.06))
    return tip, bend, bend + side * high[:, None] * spread(chance, len(tip), (0.0, 0.15), (0.05, 0.22))


def spread(chance: torch.Generator, count: int, across: Span, down: Span) -> Tensor:
    """So many ways (count, 2), each between two of both directions."""
    return torch.stack([uniform(chance, count, *across), uniform(chance, count, *down)], 1)


def moved(ink: Tensor, chance: torch.Generator) -> Tensor:
    """Turn, slant, widen or narrow digits, change their proportions, and bend them as a hand does."""
    count = len(ink)
    turn, slant = uniform(chance, count, -0.26, 0.26), uniform(chance, count, -0.45, 0.35)
    narrow = uniform(chance, count, 0.75, 1.3) * (1 + 0.4 * (uniform(chance, count, 0, 1) < 0.2))
    cosine, sine, none = turn.cos(), turn.sin(), torch.zeros(count)
    across = torch.stack([cosine * narrow, slant * cosine - sine, none], 1)
    down = torch.stack([sine * narrow, slant * sine + cosine, none], 1)
    # A quarter smaller, so that nothing leaves the field before it is fitted in.
    grid = affine_grid(1.25 * torch.stack([across, down], 1), list(ink.shape), align_corners=False)
    # The upper half may grow and the lower one shrink, or the other way round; so left and right.
    grid = (
        grid + (1 - grid.square()).clamp(min=0) * (torch.rand(count, 1, 1, 2, generator=chance) - 0.5) * 0.4
    )
    waves = torch.randn(count, 2, 5, 5, generator=chance) * 0.06
    waves = interpolate(waves, (SIDE, SIDE), mode="bicubic", align_corners=True)
    return grid_sample(ink, grid + waves.permute(0, 2, 3, 1), align_corners=False)


def penned(ink: Tensor, chance: torch.Generator) -> Tensor:
    """Write with a thicker or a thinner pen."""
    amount = uniform(chance, len(ink), -0.6, 0.9)[:, None, None, None]
    sign = amount.sign()  # What is thinner to ink is thicker to paper.
    around = pad(ink * sign, (1, 1, 1, 1))
    sides = around[..., 1:-1, 2:], around[..., 1:-1, :-2], around[..., 2:, 1:-1], around[..., :-2, 1:-1]
    thick = around[..., 1:-1, 1:-1]
    for side in sides:
        thick = torch.maximum(thick, side)
    return ink + (thick * sign - ink) * amount.abs()


def broken(ink: Tensor, chance: torch.Generator) -> Tensor:
    """Cut a thin gap through three digits in ten, where the pen did not quite touch."""
    ink, chosen = ink.clone(), uniform(chance, len(ink), 0, 1) < 0.3
    count = int(chosen.sum())
    place = torch.rand(count, 2, generator=chance) * 16 + 6
    angle, half = uniform(chance, count, 0, math.pi), uniform(chance, count, 2, 6)[:, None]
    way = torch.stack([angle.cos(), angle.sin()], 1) * half
    ink[chosen] *= 1 - strokes(place - way, place + way, uniform(chance, count, 0.2, 1))
    return ink


def fitted(ink: Tensor, chance: torch.Generator | None = None) -> Tensor:
    """Scale digits into the box of 20 pixels and put their mass into the middle; by chance not quite.

    >>> column = torch.zeros(1, 1, 28, 28)
    >>> column[..., 2:12, 4:6] = 1
    >>> middle_of(fitted(column)).tolist(), int((fitted(column) > 0.5).any(3).sum())
    ([[14.0, 14.0]], 20)
    """
    count = len(ink)
    (left, right), (top, bottom) = edges_of(ink, 3), edges_of(ink, 2)
    scale = torch.maximum(right - left, bottom - top).clamp(min=1) / BOX
    place = middle_of(ink) * (2 / SIDE) - 1
    if chance:
        scale = scale * uniform(chance, count, 0.93, 1.12)
        place = place + (torch.rand(count, 2, generator=chance) - 0.5) * (6 / SIDE)
    grows = torch.diag_embed(scale[:, None].expand(count, 2))
    look = torch.cat([grows, place[..., None]], 2)
    return grid_sample(ink, affine_grid(look, list(ink.shape), align_corners=False), align_corners=False)
