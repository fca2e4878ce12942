"""Figures that say what is to be seen in them: the paper that `show` draws on, and its colours.

A figure is a white card in every theme: photos and scans are judged against white or black, never against
whatever colour an editor has at night. Its text and its lines are dark enough to be read on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from .descriptions import alt_text, together
from .tensors import TypedTensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours (2008), which people with any kind of colour vision can tell apart; grey stands in
# for their black, as class 0 is most often what lies around the things of interest.
COLOURS = ("#999999", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#F0E442")
INK, QUIET, PAPER, LIGHT = "#1B2530", "#565F6B", "#FFFFFF", "#ECEFF1"
WRONG = "#A84300"  # the vermilion of the list, dark enough for letters on white
# A batch may hold hundreds; more than these cannot be looked at anyway.
MOST_OF_A_BATCH = 12


def colour_of(number: int, first: int = 0) -> tuple[float, float, float]:
    """Choose the colour of a class: those of Okabe and Ito, then paler ones, then darker ones.

    >>> colour_of(1) == colour_of(9)
    False
    """
    from matplotlib.colors import to_rgb

    names = COLOURS[first:]
    shade = (number // len(names)) % 3
    towards, part = [(0.0, 0.0), (1.0, 0.5), (0.0, 0.4)][shade]
    red, green, blue = (value * (1 - part) + towards * part for value in to_rgb(names[number % len(names)]))
    return red, green, blue


def ink_on(colour: Any) -> str:
    """Choose black or white for letters on a colour, whichever stands out more (WCAG 2, contrast ratio)."""
    from matplotlib.colors import to_rgb

    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if luminance > 0.179 else "white"


@cache
def figure_class() -> type[Figure]:
    """Make the kind of figure that carries its alternative text along; it needs matplotlib, so not before."""
    from matplotlib.figure import Figure

    class DescribedFigure(Figure):
        """A figure with `alt_text`: files get it as their description, notebooks beside the picture."""

        @property
        def alt_text(self) -> str:
            drawn = [axes for axes in self.axes if hasattr(axes, "alt_text")]
            texts = [" ".join([axes.alt_text, *(f"({one})." for one in notes(axes))]) for axes in drawn]
            said = together([(axes.get_title(), text) for axes, text in zip(drawn, texts, strict=True)])
            return ". ".join(filter(None, [self.get_suptitle(), said]))

        def savefig(self, fname: Any, **options: Any) -> None:
            ending = options.get("format") or str(fname).rpartition(".")[2].lower()
            if ending in ("png", "svg", "svgz"):
                options["metadata"] = {"Description": self.alt_text} | (options.get("metadata") or {})
            super().savefig(fname, **options)

        def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
            """Not the picture, which IPython draws as it was told to, but what is known of it.

            `alt` is where IPython's own pictures have theirs; JupyterLab 4.6 keeps it and does not show it.
            """
            about = {"alt": self.alt_text}
            return {}, {"image/png": about, "image/jpeg": about, "image/svg+xml": about}

    return DescribedFigure


def new_figure(width: float, height: float) -> Any:
    """Begin a figure of that many inches."""
    from matplotlib import pyplot

    return pyplot.figure(
        figsize=(width, height), layout="constrained", facecolor=PAPER, FigureClass=figure_class()
    )


def framed(
    x: Any,
    title: str | None = None,
    axes: Axes | None = None,
    size: tuple[float, float] = (3.2, 3.2),
) -> Iterator[tuple[Any, Axes]]:
    """Find the places to draw a value in: for one its axes, for a batch those of a grid.

    With this a method of `show` has one loop, and works for one value, in a grid, and for a batch:

    >>> import torch
    >>> from coursekit.display import show
    >>> from coursekit.tensors import plain
    >>> class Sound(TypedTensor):
    ...     axes = ("time",)
    >>> @show.method
    ... def show_sound(x: Sound, title=None, axes=None):
    ...     for sound, place in framed(x, title, axes):
    ...         curve = place.plot(plain(sound))
    >>> show(Sound(torch.zeros(100)), "silence")

    Args:
        x: What is to be drawn; `alt_text` says what is seen, unless something said it already.
        title: What to write above it.
        axes: Where to draw; without them a new figure is made.
        size: Width and height of a new figure in inches, less the title.

    Raises:
        ValueError: A batch was to be drawn into one place.
    """
    items: list[Any] = [x]
    places: list[Any] = [axes]
    if isinstance(x, TypedTensor) and x.is_batch:
        if axes is not None:
            raise ValueError(f"a batch is drawn as a figure of its own, not into given axes; got {x!r}.")
        items, places = first_of_batch(x, title, size)
    elif axes is None:
        places = [new_figure(size[0], size[1] + (0.35 if title else 0.0)).add_subplot()]
    for item, place in zip(items, places, strict=True):
        begin(place, item, None if item is not x else title)
        yield item, place


def first_of_batch(x: TypedTensor, title: str | None, size: tuple[float, float]) -> tuple[list, list]:
    """Choose the first items of a batch, and make a grid for them that says how many there are."""
    items = [x[number] for number in range(min(len(x), MOST_OF_A_BATCH))]
    if not items:
        raise ValueError(f"there is nothing to draw in a batch of none; got {x!r}.")
    scale = min(1.0, 2.4 / size[0])
    places = grid(len(items), min(4, len(items)), size[0] * scale, size[1] * scale)
    figure = places[0].figure
    if title is not None:
        figure.suptitle(title, fontsize="medium", color=INK, parse_math=False)
    if len(items) < len(x):
        figure.supxlabel(f"the first {len(items)} of {len(x)}", fontsize="small", color=QUIET)
    return items, places


def grid(count: int, columns: int, width: float, height: float) -> list[Any]:
    """Make a figure with so many axes, each so many inches large."""
    rows = -(-count // columns)
    figure = new_figure(columns * width, rows * height)
    return [figure.add_subplot(rows, columns, number + 1) for number in range(count)]


def begin(axes: Any, x: Any, title: str | None) -> None:
    """Prepare axes: no scales, the title, and what is to be seen, unless that was said before."""
    if not hasattr(axes, "set_axis_off"):
        raise TypeError(
            f"show draws into axes, such as figure.add_subplot(); this is of type {type(axes).__name__}."
        )
    axes.set_axis_off()
    if not hasattr(axes, "alt_text"):
        axes.alt_text = alt_text(x)
    if title is not None:
        axes.set_title(title, fontsize="medium", color=INK, parse_math=False)


def notes(axes: Any) -> list[str]:
    """List the remarks under a drawing."""
    return [line for one in axes.texts if one.get_gid() == "notes" for line in one.get_text().split("\n")]


def note(axes: Any, text: str) -> None:
    """Write a remark under a drawing; several stand under each other."""
    said = [*notes(axes), text]
    for one in [one for one in axes.texts if one.get_gid() == "notes"]:
        one.remove()
    axes.annotate(
        "\n".join(said), (0.5, 0), (0, -4), xycoords="axes fraction", textcoords="offset points", gid="notes",
        ha="center", va="top", fontsize="small", color=QUIET,
    )  # fmt: skip
    if axes.get_legend() is not None:
        axes.get_legend().set_bbox_to_anchor((0.5, 0), below_notes(axes))


def below_notes(axes: Any) -> Any:
    """Place things in parts of the drawing's size, from below the remarks on."""
    from matplotlib.transforms import ScaledTranslation

    return axes.transAxes + ScaledTranslation(0, -0.17 * len(notes(axes)), axes.figure.dpi_scale_trans)


def legend(axes: Any, names: Sequence[tuple[str, Any]]) -> None:
    """Explain colours, below the drawing and what is noted there: each is a name and a colour."""
    from matplotlib.patches import Patch

    if not names:
        return
    patches = [Patch(facecolor=colour, edgecolor=QUIET, linewidth=0.5, label=name) for name, colour in names]
    axes.legend(
        handles=patches, loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below_notes(axes),
        ncols=min(3, len(patches)), fontsize="small", frameon=False, labelcolor=INK, handlelength=1.0,
        columnspacing=1.2,
    )  # fmt: skip


def inches(axes: Any) -> tuple[float, float]:
    """Measure the place a drawing will about have, in width and height; the layout is made only later."""
    box = axes.get_window_extent()
    return 1.25 * box.width / axes.figure.dpi, 1.25 * box.height / axes.figure.dpi
