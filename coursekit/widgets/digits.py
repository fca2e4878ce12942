"""A field to draw a digit in, and a network in the page that reads it: no kernel, no server, no library.

What is drawn is scaled and centred as the network's training data were, and goes through its layers in a
few lines of JavaScript. So it works in Jupyter, in a saved notebook, and on a page opened from a file; there
the weights are a file of their own, which a browser fetches when somebody comes near.
"""

from __future__ import annotations

import copy
import io
from base64 import b64encode
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .digit_reader import divided_digits, trained_reader
from .page_network import page_network
from .widget import Widget, webp_address

# The digit that is shown before anything is drawn.
FIRST = 3
TRAINED = "Trained on {learned_from:,} digits when this was built, it reads {right:.1%} of {others} others. "
ABOUT = "{about}{count:,} weights, all in this page: what you draw stays here."
# As high as the widget will be, narrow or wide (as `digit.js` has it), so that nothing moves when it opens.
STILL = (
    '<div style="position: relative; padding-top: clamp(26.5rem, 999 * (33rem - 100%), 34rem)">'
    '<div style="position: absolute; inset: 0; overflow: hidden">'
    '<img src="{picture}" alt="{alt}" width="272" height="272" '
    'style="image-rendering: pixelated; border-radius: 0.8rem"><p>{said}</p></div></div>'
)


@dataclass(frozen=True, repr=False)
class DigitPad(Widget):
    """A field to draw a digit in, and a network that reads it; a notebook shows it. Made by `draw_digit`.

    What `live()` shows has in its `state` the `picture` that the network was given, 784 numbers from 0 to 255
    row by row, or None, and its `chances` for 0 to 9.

    >>> DigitPad("A field.", "A field.", {"layers": [{"kind": "linear"}]})
    DigitPad(1 layer)
    """

    name = "digit"

    def __repr__(self) -> str:
        count = len(self.data["layers"])
        return f"DigitPad({count} layer{'s' if count > 1 else ''})"


def draw_digit(model: nn.Module | None = None) -> DigitPad:
    """A field to draw a digit in with mouse, finger or keys, and a network that reads it in the page itself.

    Args:
        model: Your own network: takes pictures (N, 1, 28, 28) from 0, the paper, to 1, the ink, and gives
            ten scores, for 0 to 9. Its layers stand in a chain of those that a page knows: Conv2d,
            BatchNorm2d after it, Linear, ReLU, MaxPool2d, AdaptiveAvgPool2d(1), Flatten, Dropout. Without it
            a small network is trained, once on a machine, within a minute on two cores.

    Returns:
        What a notebook shows if it is the last line of a cell.

    Raises:
        TypeError: A model with a part that a page does not know.
        ValueError: A model that does not give ten scores, or has more than 500,000 weights.

    >>> draw_digit(nn.Sequential(nn.Flatten(), nn.Linear(784, 30), nn.ReLU(), nn.Linear(30, 10)))
    DigitPad(3 layers)
    """
    known = divided_digits()
    held, labels = known.pictures[known.valid], known.labels[known.valid]
    pictures = torch.stack([typical(held[labels == digit]) for digit in range(10)])
    if model is None:
        reader = trained_reader()
        model, about = reader.network, TRAINED.format(**reader._asdict()).replace("%", " %")
    else:
        about = "Your network: "
    chances = chances_of(model, pictures[FIRST])
    network = page_network(model)
    data = {
        "layers": network.layers,
        "weights": f"data:application/octet-stream;base64,{b64encode(network.weights).decode()}",
        "samples": [b64encode((one * 255).byte().numpy().tobytes()).decode() for one in pictures],
        "first": {"digit": FIRST, "chances": [round(chance, 4) for chance in chances]},
        "about": ABOUT.format(about=about, count=network.size),
    }
    alt = f"A {FIRST} that somebody wrote, white on black, of 28 by 28 pixels."
    said = f"Of this {FIRST} a network says: {in_words(chances)}. With scripts you could draw one yourself."
    return DigitPad(alt, STILL.format(picture=address(pictures[FIRST]), alt=alt, said=said), data)


def typical(pictures: Tensor) -> Tensor:
    """The one of several pictures that is nearest to their mean.

    >>> typical(torch.tensor([[0.0], [1.0], [5.0]])).tolist()
    [1.0]
    """
    distances = (pictures - pictures.mean(0)).square().flatten(1).sum(1)
    return pictures[distances.argmin()]


def chances_of(model: nn.Module, picture: Tensor) -> list[float]:
    """What a network says of one picture: ten probabilities.

    >>> chances_of(nn.Flatten(), torch.zeros(1, 28, 28))
    Traceback (most recent call last):
    ValueError: a page shows ten scores, for 0 to 9; of a picture (1, 1, 28, 28) this Flatten makes (1, 784).
    """
    still = copy.deepcopy(model).cpu().float().eval()
    with torch.no_grad():
        scores = still(picture[None])
    if tuple(scores.shape) != (1, 10):
        raise ValueError(
            f"a page shows ten scores, for 0 to 9; of a picture (1, 1, 28, 28) this {type(model).__name__} "
            f"makes {tuple(scores.shape)}."
        )
    return scores.softmax(1)[0].tolist()


def in_words(chances: list[float]) -> str:
    """Probabilities that are worth a word, the largest first.

    >>> in_words([0.2, 0.75, 0.0499, 0.0001])
    '1 (75 %), 0 (20 %), 2 (5 %)'
    """
    order = sorted(range(len(chances)), key=lambda digit: -chances[digit])
    return ", ".join(f"{digit} ({100 * chances[digit]:.0f} %)" for digit in order if chances[digit] > 0.005)


def address(picture: Tensor) -> str:
    """A picture as an address that holds all of it."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray((picture[0] * 255).byte().numpy()).save(file, "webp", lossless=True)
    return webp_address(file.getvalue())
