"""How things in space are drawn on flat axes: scans as slices, point clouds as seen from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .drawing import brightness, cased, coloured, explain_classes, window_of
from .figures import INK, QUIET, inches, note
from .tensors import PointCloud, Volume, VolumeMask, plain

MOST_POINTS = 20_000
# Three slices in fewer inches than these have no room for letters.
NARROW = 3.5
OPPOSITE = dict(zip("RLAPSI", "LRPAIS", strict=True))


def draw_slices(scan: Volume | None, mask: VolumeMask | None, axes: Any) -> None:
    """Draw the three slices through the middle of a scan, of a mask, or of a scan with its mask over it.

    A millimetre is as long in every direction. Rows and columns run as they are stored, but where the depth
    is known to lead upwards, the slices across height and width have the head at the top.
    """
    some: Any = mask if scan is None else scan
    sizes = tuple(some.shape[-3:])
    if not some.numel():
        note(axes, f"no voxels: {' x '.join(map(str, sizes))}")
        return
    lengths = [size * step for size, step in zip(sizes, some.spacing or (1, 1, 1), strict=True)]
    has_room = inches(axes)[0] > NARROW
    places, width, height = lay_out(lengths, ((0, 1, 2),) if has_room else ((0, 1), (2,)))
    for axis, edges in places.items():
        up = axis > 0 and (some.orientation or "")[:1] == "S"
        draw_slice(scan, mask, axis, edges, up, axes)
        if has_room:
            mark_slice(some, axis, edges, up, axes)
    # A line of letters below the slices takes a thirtieth of their width.
    below = height + width / 30 if has_room else height
    axes.set(xlim=(0, width), ylim=(below, 0), aspect="equal")
    explain(scan, mask, axes)


def lay_out(lengths: Sequence[float], rows: Sequence[Sequence[int]]) -> tuple[dict[int, tuple], float, float]:
    """Say where the slices across each axis stand: left, right, bottom and top of each, and how large all is.

    >>> lay_out([4, 10, 8], [[0, 1], [2]])
    ({0: (0.0, 8.0, 10.0, 0.0), 1: (8.5, 16.5, 7.0, 3.0), 2: (0.0, 10.0, 14.5, 10.5)}, 16.5, 14.5)
    """
    gap, top, width, places = 0.05 * max(lengths), 0.0, 0.0, {}
    for row in rows:
        left, height = 0.0, max(lengths[0 if axis else 1] for axis in row)
        for axis in row:
            down, across = [other for other in range(3) if other != axis]
            start = top + (height - lengths[down]) / 2
            places[axis] = (left, left + lengths[across], start + lengths[down], start)
            left += lengths[across] + gap
        width, top = max(width, left - gap), top + height + gap
    return places, width, top - gap


def explain(scan: Volume | None, mask: VolumeMask | None, axes: Any) -> None:
    """Note what of a scan and a mask is not shown as it is, and name the colours of the mask."""
    if scan is not None and scan.shape[0] > 1:
        note(axes, f"{scan.shape[0]} channels, of which the first is shown")
    if scan is not None and mask is not None and mask.shape != scan.shape[1:]:
        sizes = (" x ".join(map(str, shape)) for shape in (mask.shape, scan.shape[1:]))
        note(axes, "the mask is {}, the scan {}".format(*sizes))
    if mask is not None:
        explain_classes(classes_in_the_middle(mask), mask.vocab, scan is not None, axes)


def middle(x: torch.Tensor, axis: int) -> torch.Tensor:
    """Cut the middle slice out of three axes."""
    return plain(x).select(axis, x.shape[axis] // 2).detach().cpu()


def classes_in_the_middle(mask: VolumeMask) -> list[int]:
    found: set[int] = set()
    for axis in range(3):
        found.update(middle(mask, axis).unique().tolist())
    return sorted(map(int, found))


def draw_slice(
    scan: Volume | None, mask: VolumeMask | None, axis: int, edges: tuple, up: bool, axes: Any
) -> None:
    """Draw one slice, and what the mask says of it, between edges on the axes."""
    extent = (edges[0], edges[1], edges[3], edges[2]) if up else edges
    if scan is not None:
        number = scan.shape[1 + axis] // 2
        picture = scan.slice(number, scan.spaced_axes[axis]).windowed(*window_of(scan))
        pixels = brightness(plain(picture).detach().cpu(), axes).movedim(0, -1).squeeze(-1)
        axes.imshow(pixels.numpy(), cmap="gray", vmin=0, vmax=1, extent=extent)
    if mask is not None:
        classes = coloured(middle(mask, axis).long(), over=scan is not None)
        axes.imshow(classes.numpy(), extent=extent, interpolation="nearest")


def mark_slice(x: Volume | VolumeMask, axis: int, edges: tuple, up: bool, axes: Any) -> None:
    """Write below a slice which one it is, and at its edges what is known of the patient."""
    left, right, bottom, _ = edges
    number, count = x.shape[axis - 3] // 2, x.shape[axis - 3]
    axes.annotate(
        f"{x.spaced_axes[axis]} {number} of {count}", ((left + right) / 2, bottom), (0, -4),
        textcoords="offset points", va="top", ha="center", fontsize="small", color=QUIET,
    )  # fmt: skip
    if x.orientation:
        name_sides(x.orientation, axis, edges, up, axes)


def name_sides(orientation: str, axis: int, edges: tuple, up: bool, axes: Any) -> None:
    """Write at the edges of a slice which side of the patient they are."""
    left, right, bottom, top = edges
    down, across = [orientation[other] for other in range(3) if other != axis]
    above, below = (down, OPPOSITE[down]) if up else (OPPOSITE[down], down)
    middle_of = ((left + right) / 2, (top + bottom) / 2)
    for letter, where, inwards in [
        (above, (middle_of[0], top), (0, -7)),
        (below, (middle_of[0], bottom), (0, 7)),
        (OPPOSITE[across], (left, middle_of[1]), (7, 0)),
        (across, (right, middle_of[1]), (-7, 0)),
    ]:
        text = axes.annotate(
            letter,
            where,
            inwards,
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize="small",
            color=INK,
        )
        text.set_path_effects(cased(2.5))


def draw_cloud(x: PointCloud, axes: Any) -> None:
    """Draw a point cloud as seen from outside, what is near over what is far, in the frame of its space.

    With a canvas it is seen as its volume is drawn: x to the right, y down, z away from who looks. Without
    one it stands upright: z up, seen from the front, the right and a little above. The colours, from dark
    blue to yellow, follow the first feature after x, y and z, or how near a point is.
    """
    rows = plain(x).detach().cpu().float()
    rows = rows[rows[:, :3].isfinite().all(dim=-1)]
    low, high = frame_of(rows, x.canvas)
    right, up, towards = looking_from(x.canvas is not None)
    draw_frame(low, high, torch.stack([right, up, towards]), axes)
    if len(rows) > MOST_POINTS:
        note(axes, f"{MOST_POINTS:,} of {len(rows):,} points, drawn by lot")
        rows = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:MOST_POINTS]]
    near = rows[:, :3] @ towards
    rows = rows[near.argsort()]
    shade = rows[:, 3] if rows.shape[1] > 3 else near.sort().values
    points = rows[:, :3]
    size = min(30.0, max(2.0, 9000 / max(1, len(rows))))
    axes.scatter(
        points @ right, points @ up, c=shade, s=size, cmap="cividis", linewidths=0, rasterized=True, zorder=2
    )
    axes.set_aspect("equal")


def looking_from(in_a_volume: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Choose where to look from: which directions in space are right, up, and towards the eye."""
    upwards, eye = (
        ((0.0, -1.0, 0.0), (0.5, -0.45, -1.0)) if in_a_volume else ((0.0, 0.0, 1.0), (0.5, -0.87, 0.5))
    )
    towards = torch.tensor(eye) / torch.tensor(eye).norm()
    right = torch.linalg.cross(torch.tensor(upwards), towards)
    right = right / right.norm()
    return right, torch.linalg.cross(towards, right), towards


def frame_of(rows: torch.Tensor, canvas: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the two corners of the space: its canvas, or what just holds the points."""
    if canvas is not None:
        depth, height, width = canvas
        return torch.zeros(3), torch.tensor([width, height, depth], dtype=torch.float32)
    if not len(rows):
        return -torch.ones(3), torch.ones(3)
    return rows[:, :3].amin(0), rows[:, :3].amax(0)


def draw_frame(low: torch.Tensor, high: torch.Tensor, view: torch.Tensor, axes: Any) -> None:
    """Draw the edges of the space that do not hide what is in it, and name and measure the three axes."""
    corners = torch.cartesian_prod(*torch.stack([low, high], dim=1))
    flat = corners @ view.T
    nearest = int(flat[:, 2].argmax())
    centre = flat[:, :2].mean(dim=0)
    for axis in range(3):
        step = 4 >> axis
        edges = [(first, first + step) for first in range(8) if not first & step]
        seen = [edge for edge in edges if nearest not in edge]
        for edge in seen:
            line = flat[list(edge)]
            axes.plot(line[:, 0], line[:, 1], color=QUIET, linewidth=0.6, alpha=0.7, zorder=1)
        # The outermost of them, as far down or to the side as can be, has room for a name.
        outer = max(seen, key=lambda edge: float((flat[list(edge), :2].mean(0) - centre).norm()))
        middle_of = flat[list(outer), :2].mean(dim=0)
        away = (middle_of - centre) / (middle_of - centre).norm().clamp(min=1e-6)
        text = f"{'xyz'[axis]} {float(low[axis]):.3g} to {float(high[axis]):.3g}"
        axes.annotate(
            text, middle_of.tolist(), (6 * away).tolist(), textcoords="offset points",
            fontsize="small", color=QUIET,
            ha="left" if away[0] > 0.3 else "right" if away[0] < -0.3 else "center",
            va="bottom" if away[1] > 0.3 else "top" if away[1] < -0.3 else "center",
        )  # fmt: skip
