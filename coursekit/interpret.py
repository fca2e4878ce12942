"""Look at what a model says: where it is most wrong, what it takes for what, and for whom it fails.

Everything here reads a learner and changes nothing about it. Where on a photo the evidence lies is told by
`evidence`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .confusion import confusion_matrix
from .display import show_grid, show_results, verdict
from .evidence import class_number
from .figures import INK, QUIET, ink_on, new_figure
from .finding import has_numbers
from .learner import Learner
from .tensors import Image, TypedTensor, plain

# More classes than these cannot be read as a table of numbers.
MOST_CLASSES = 20
# A title of more letters than these is wider than its picture, and goes on in a second line.
SHORT = 30


@dataclass(frozen=True)
class Interpretation:
    """What a model said about each held-out item, beside what is true; made by `examine`.

    Attributes:
        photos: The held-out items' inputs, in the order of the loader.
        probabilities: What the model said, as its loss reads it: for kinds `(N, classes)`, each row adding up
            to 1; for several labels `(N, labels)`; for masks `(N, classes, H, W)`; points and amounts as they
            are.
        targets: What is true: for kinds `(N,)`, the number of the true class of each.
        losses: `(N,)`, how surprised the model was by the truth.
        vocab: The names of the classes; empty where there are none.
        scores: What the model gave, before the loss read it.
        answers: What it said, in people's terms: names, numbers, masks, points.
        truths: What is true, likewise.
        raw: What each item was made from, such as its row of a table.
        typed_targets: The targets with their type, as metrics take them.

    >>> photos = [Image(torch.zeros(3, 4, 4))] * 2
    >>> both = torch.tensor([[0.9, 0.1], [0.8, 0.2]])
    >>> truth, losses = torch.tensor([0, 1]), torch.tensor([0.1, 1.6])
    >>> seen = Interpretation(photos, both, truth, losses, ("sound", "broken"))
    >>> seen.worst(1), seen.verdict(1)
    ([1], 'said sound (80%), is broken')
    >>> seen.confusion().tolist(), seen.most_confused()
    ([[1, 0], [1, 0]], [('broken', 'sound', 1)])
    """

    photos: list[Any]
    probabilities: Tensor
    targets: Tensor
    losses: Tensor
    vocab: tuple
    scores: Tensor | None = None
    answers: Sequence[Any] = ()
    truths: Sequence[Any] = ()
    raw: Sequence[Any] = field(default=(), repr=False)
    typed_targets: Any = field(default=None, repr=False)

    @property
    def tells_kinds(self) -> bool:
        """Whether each item is of one kind."""
        return (
            self.probabilities.ndim == 2 and self.targets.ndim == 1 and not self.targets.is_floating_point()
        )

    def worst(self, count: int = 9) -> list[int]:
        """The numbers of the held-out items that surprised the model most, the worst first."""
        return top_losses(self.losses, count)

    def verdict(self, number: int) -> str:
        """What was said about one item, how surely, and what is true; of what is drawn, the loss."""
        if self.tells_kinds:
            probability, said = self.probabilities[number].max(dim=0)
            truth = self.vocab[int(self.targets[number])]
            return f"said {self.vocab[int(said)]} ({float(probability):.0%}), is {truth}"
        answer, truth = self.answers[number], self.truths[number]
        if isinstance(answer, TypedTensor) and answer.ndim:
            return f"loss {float(self.losses[number]):.3g}"
        return verdict(worded(truth), worded(answer)).removeprefix("✗ ")

    def show_worst(self, count: int = 9) -> None:
        """Draw the items that surprised the model most, each with its verdict; masks and points are drawn."""
        self.show_items(self.worst(count))

    def show_results(self, count: int = 9) -> None:
        """Draw some of the held-out items, spread evenly over all, with what is true and what was said."""
        step = max(1, len(self.photos) // count)
        numbers = list(range(0, len(self.photos), step))[:count]
        truths, answers = ([worded(x[number]) for number in numbers] for x in (self.truths, self.answers))
        show_results([self.photos[number] for number in numbers], truths, answers, count)

    def show_items(self, numbers: Sequence[int]) -> None:
        """Draw items by their numbers, each with its verdict."""
        photos, verdicts = [self.photos[n] for n in numbers], [self.verdict(n) for n in numbers]
        if self.tells_kinds or not isinstance(self.answers[0], TypedTensor) or not self.answers[0].ndim:
            show_grid(
                photos, [text.replace(", is ", ",\nis ") if len(text) > SHORT else text for text in verdicts]
            )
            return
        pairs = [
            (photo, x[n])
            for n, photo in zip(numbers, photos, strict=True)
            for x in (self.truths, self.answers)
        ]
        titles = [title for text in verdicts for title in ("truth", f"said, {text}")]
        show_grid(pairs, titles, columns=2)

    def probability_of(self, kind: str) -> Tensor:
        """How probable the model found one kind, for each item: `(N,)` floats in 0..1.

        Raises:
            ValueError: There is no such kind.
        """
        return self.probabilities[:, class_number(kind, self.vocab)]

    def confusion(self) -> Tensor:
        """How often each kind (a row) was taken for each (a column); of masks, how many pixels.

        Raises:
            ValueError: The model does not tell one kind from another.
        """
        if self.targets.is_floating_point() or self.probabilities.ndim != self.targets.ndim + 1:
            raise ValueError(
                "a confusion matrix counts which kind is taken for which, and here an item has not one kind: "
                f"answers have shape {tuple(self.probabilities.shape)}, targets {tuple(self.targets.shape)}. "
                "Of several labels look at each: probability_of(name)."
            )
        said, classes = self.probabilities.argmax(dim=1), self.probabilities.shape[1]
        known = (self.targets >= 0) & (self.targets < classes)  # Others mean that nobody knows, as 255 does.
        return confusion_matrix(said[known], self.targets[known], classes)

    def most_confused(self, count: int = 5) -> list[tuple[Any, Any, int]]:
        """The pairs that are taken for each other most often: what is true, what was said, how often."""
        counts = self.confusion().fill_diagonal_(0)
        names = self.vocab or range(len(counts))
        order = counts.flatten().argsort(descending=True, stable=True)[:count].tolist()
        pairs = [(*divmod(place, len(counts)), int(counts.flatten()[place])) for place in order]
        return [(names[true], names[said], times) for true, said, times in pairs if times]

    def show_confusion(self, axes: Any = None) -> None:
        """Draw the confusion matrix: the darker a cell, the larger its share of the row.

        Where they can be read, the counts stand in the cells. The figure's `alt_text` says the same in words.
        """
        draw_confusion(self.confusion(), [str(name) for name in self.vocab], self.most_confused(3), axes)


def top_losses(losses: Tensor, count: int = 9) -> list[int]:
    """Find the items that surprised the model most.

    Args:
        losses: `(N,)` numbers, the loss of each item; nan counts as the largest of all.
        count: How many to find; where there are fewer, all.

    Returns:
        The numbers of these items, the worst first; of equally bad ones the first first.

    Raises:
        ValueError: The losses are not one number an item.

    >>> top_losses(torch.tensor([0.1, 2.3, 0.4]), count=2)
    [1, 2]
    """
    if losses.ndim != 1:
        raise ValueError(
            "top_losses wants one loss for each item, of shape (N,); these have shape "
            f"{tuple(losses.shape)}. "
            'A loss gives them with reduction="none".'
        )
    return losses.argsort(descending=True, stable=True)[:count].tolist()


def examine(learner: Learner) -> Interpretation:
    """Ask a learner about all its held-out items, and keep what it said beside the truth.

    Args:
        learner: A trained learner whose data came from `DataBlock.loaders`: kinds, several labels, masks,
            points, amounts.

    Raises:
        TypeError: Its data are none of these.
        ValueError: Its held-out items have no numbers, so what was said cannot be shown beside them.

    >>> from .datablock import DataBlock
    >>> from .tensors import Category
    >>> from .vision import vision_learner
    >>> photos = [{"photo": torch.zeros(3, 32, 32, dtype=torch.uint8), "label": name} for name in "abab"]
    >>> data = DataBlock(Image, Category, split=([0, 1], [2, 3])).loaders(photos)
    >>> seen = examine(vision_learner(data, pretrained=False, device="cpu"))
    >>> seen.vocab, seen.probabilities.shape
    (('a', 'b'), torch.Size([2, 2]))
    """
    demand_names(learner.data)
    given, typed = learner.predictions()
    scores, targets = plain(given), plain(typed)
    items = held_out_items(learner, len(scores))
    loss, data = learner.loss_function, learner.data
    photos = [item[0] for item, _ in items]
    canvas = photos[0].shape[-2:] if isinstance(photos[0], Image) else (1, 1)
    as_inputs = Image(torch.empty(1, 1, 1, 1).expand(len(scores), 1, *canvas))
    said = loss.decode(scores) if hasattr(loss, "decode") else scores
    return Interpretation(
        photos=photos,
        probabilities=loss.activation(scores) if hasattr(loss, "activation") else scores,
        targets=targets,
        losses=losses_of(loss, scores, targets),
        vocab=data.vocab,
        scores=scores,
        answers=data.decode_answers(said, as_inputs),
        truths=data.decode_answers(targets, as_inputs),
        raw=[raw for _, raw in items],
        typed_targets=typed,
    )


def demand_names(data: Any) -> None:
    """Raise a `TypeError` where data do not say what answers are called."""
    if not hasattr(data, "decode_answers"):
        raise TypeError(
            "examine shows answers in people's terms, and these data do not say how: it takes what "
            f"DataBlock.loaders gave; this is a {type(data).__name__}. For others there are "
            "learner.predictions() and top_losses."
        )


def held_out_items(learner: Learner, count: int) -> list[tuple[Any, Any]]:
    """The held-out items that were read, each with what it was made from."""
    items = learner.data.valid.items
    if not has_numbers(items.raw):
        raise ValueError(
            "examine shows what was said beside the items, and these held-out items can only be walked "
            "through once: make a list of them."
        )
    broken = {one.number for one in learner.data.valid.broken}
    kept = [number for number in range(len(items)) if number not in broken]
    if len(kept) != count:
        raise ValueError(
            f"there are {len(kept)} held-out items and {count} answers: does the validation loader leave out "
            "a last batch, or draw its items by chance?"
        )
    return [(items[number], items.raw[number]) for number in kept]


def losses_of(loss: Callable[..., Any], scores: Tensor, targets: Tensor) -> Tensor:
    """The loss of each item; a loss that knows no `reduction` is asked about one item after the other.

    >>> losses_of(torch.nn.MSELoss(), torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor([0., 4.])
    """
    with torch.no_grad():
        try:
            losses = loss(scores, targets, reduction="none")
        except TypeError:
            pairs = zip(scores.split(1), targets.split(1), strict=True)
            losses = torch.stack([torch.as_tensor(loss(*pair)) for pair in pairs])
    return losses.flatten(1).mean(dim=1) if losses.ndim > 1 else losses


def worded(answer: Any) -> Any:
    """An answer as it is drawn: several names as one text.

    >>> worded(["cat", "dog"]), worded([]), worded(3)
    ('cat, dog', 'none', 3)
    """
    return ", ".join(map(str, answer)) or "none" if isinstance(answer, list) else answer


def draw_confusion(counts: Tensor, names: Sequence[str], worst: Sequence[tuple], axes: Any = None) -> None:
    """Draw a table of counts, rows the truth; on a white card, as all figures are."""
    from matplotlib import colormaps

    size = len(counts)
    names = names or [str(number) for number in range(size)]
    if axes is None:
        side = min(9.0, 1.6 + 0.55 * size)
        axes = new_figure(side + 0.6, side).add_subplot()
    shares = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    axes.imshow(shares.numpy(), cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(size), names, rotation=45 if size > 3 else 0, ha="right" if size > 3 else "center")
    axes.set_yticks(range(size), names)
    axes.set_xlabel("what was said", color=QUIET)
    axes.set_ylabel("what is true", color=QUIET)
    axes.tick_params(length=0, labelcolor=INK)
    if size <= MOST_CLASSES:
        for true in range(size):
            for said in range(size):
                ink = ink_on(colormaps["Blues"](float(shares[true, said])))
                axes.text(said, true, int(counts[true, said]), ha="center", va="center", color=ink)
    axes.alt_text = describe_confusion(counts, worst)


def describe_confusion(counts: Tensor, worst: Sequence[tuple]) -> str:
    """Say in words what a confusion matrix shows.

    >>> describe_confusion(torch.tensor([[3, 1], [0, 2]]), [("sound", "broken", 1)])
    'Confusion matrix of 2 kinds: 5 of 6 right. Most often taken for another: sound for broken, 1 time'
    """
    right, total = int(counts.diagonal().sum()), int(counts.sum())
    pairs = "; ".join(f"{true} for {said}, {n} time{'s' if n > 1 else ''}" for true, said, n in worst)
    told = f"Confusion matrix of {len(counts)} kinds: {right} of {total} right"
    return f"{told}. Most often taken for another: {pairs}" if pairs else told
