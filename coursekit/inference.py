"""Inference: a saved model, loaded from its folder and asked for answers.

It needs torch, numpy, pillow and safetensors, and nothing else: no training data, no notebook, no network.

    model = kit.load_model("cells")
    model.predict("photo.jpg")               # one item, as learner.predict answers it
    model.predict_all("photos/")             # many, batch by batch

The folder may come from a stranger. It holds numbers and JSON, and the JSON may name the library's own
classes, torch's layers and what you hand over in `types`; loading it imports nothing that it names and runs
no other code, and what is wrong with it is said in one sentence.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from . import augment, colours, cropping, movements
from .batches import find_predictions, to_plain
from .blueprints import build
from .callbacks import Progress
from .devices import choose_device, move_model
from .predictions import Prediction, read_scores
from .recipes import Recipe
from .standing import check_model
from .tensor_files import MOST_TEXT, demand_file, demand_form, read_file

# Recipes may name the steps of these, so they are loaded; all others are anyway.
KNOWN = (augment, colours, cropping, movements)
FORMAT, WEIGHTS = "coursekit model 1", "coursekit weights 1"
# What a small network may say in its blueprint, whatever it weighs: sizes of pictures, lengths of texts.
ALWAYS_ALLOWED = 2**16


class SavedModel:
    """A trained model with all it needs to answer: how inputs are made, and what its scores mean.

    Made by `load_model`.

    Attributes:
        model: the network, in evaluation mode; it takes batches of plain tensors.
        recipe: how an item becomes a batch of one, and how an answer is named.
        loss: how scores are read, by `activation` and `decode`; None if nobody knows.
        vocab: the names of the classes, in the order of the scores; empty where there are none.
        device: where it computes.

    >>> from .losses import CrossEntropy
    >>> from .transforms import Pipeline
    >>> from .steps import Categorize
    >>> recipe = Recipe(Pipeline(), Pipeline(Categorize(["low", "high"])), Pipeline())
    >>> model = SavedModel(nn.Linear(1, 2), recipe, CrossEntropy(), "cpu")
    >>> sorted(model.predict(torch.tensor([3.0])).probabilities)
    ['high', 'low']
    >>> len(model.predict_all([torch.zeros(1), torch.ones(1)]))
    2
    """

    def __init__(self, model: nn.Module, recipe: Recipe, loss: Any, device: torch.device | str) -> None:
        self.device = choose_device(device)
        self.model = move_model(model, self.device).eval()
        self.recipe, self.loss, self.vocab = recipe, loss, recipe.vocab

    @torch.no_grad()
    def predict(self, item: Any) -> Prediction:
        """What one item is: a photo's path, a picture, a tensor, whatever inputs were made from."""
        return self._answer(self.recipe.encode(item, self.device))[0]

    @torch.no_grad()
    def predict_all(self, source: Any, batch_size: int = 32, progress: bool = True) -> list[Prediction]:
        """What many items are, one `Prediction` each, in their order.

        Args:
            source: A folder of photos, a table, a list: what `DataBlock.loaders` understands.
            batch_size: How many are computed at once; it changes how fast it goes.
            progress: Whether to show how far it is, once that takes long enough to wonder.

        Raises:
            ValueError: There are no items.
        """
        loader = self.recipe.loader(source, batch_size, self.device)
        screen = Progress(None if progress else "off")
        batches = screen.follow(loader, "predicting", len(loader))
        return [answer for batch in batches for answer in self._answer(batch[0])]

    def _answer(self, inputs: Any) -> list[Prediction]:
        given = to_plain(inputs)
        if isinstance(given, tuple):
            outputs = self.model(*given)
        else:
            outputs = self.model(**given) if isinstance(given, dict) else self.model(given)
        return read_scores(find_predictions(outputs), self.loss, self.recipe, inputs)

    def __repr__(self) -> str:
        body = getattr(getattr(self.model, "body", None), "name", "")
        count = sum(one.numel() for one in self.model.parameters())
        some = ", ".join(map(str, self.vocab[:5])) + (", …" if len(self.vocab) > 5 else "")
        return (
            f"SavedModel: {type(self.model).__name__}{f' on {body}' if body else ''}, {count:,} parameters, "
            f"on {self.device}\n  takes    {self.recipe.inputs}\n  answers  "
            + (f"one of {len(self.vocab)}: {some}" if self.vocab else str(self.recipe.targets or "scores"))
        )


def load_model(
    folder: str | os.PathLike[str], types: Iterable[type] = (), device: torch.device | str | None = None
) -> SavedModel:
    """Load what `save_model` wrote. Whatever the folder holds, none of it is run.

    Args:
        folder: Where it was saved, on this machine or another one.
        types: The classes of your own that it uses: networks, steps and types.
        device: Where to compute; without it a GPU if one works, else the CPU.

    Raises:
        FileNotFoundError: There is no model.
        ValueError: It is none, or damaged, of a newer format, or uses a class that was not handed over.
        ImportError: Its backbone is of torchvision or timm, which is not installed.
        RuntimeError: A device that does not work.

    >>> load_model("nowhere")
    Traceback (most recent call last):
    ...
    FileNotFoundError: there is no model in nowhere: it holds no model.json, which save_model writes.
    """
    place, types = Path(folder), list(types)
    if not os.path.lexists(place / "model.json"):
        raise FileNotFoundError(
            f"there is no model in {place}: it holds no model.json, which save_model writes."
        )
    try:
        data = read_about(place / "model.json")
        weights = read_file(place / "model.safetensors", WEIGHTS, wanted=str(data["weights"]))
        network = rebuilt(data["network"], weights, types)
        loss = None if data["loss"] is None else rebuilt_loss(data["loss"], types)
        recipe = Recipe.from_data(data["recipe"], types)
    except (ValueError, TypeError, LookupError, AttributeError, OSError, RuntimeError) as error:
        said = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{place} could not be loaded as a model: {said.rstrip('.')}.") from None
    return SavedModel(network, recipe, loss, choose_device(device))


def read_about(file: Path) -> dict[str, Any]:
    """What the JSON file says, if it is one of this form."""
    demand_file(file)
    if file.stat().st_size > MOST_TEXT:
        raise ValueError(f"{file.name} is larger than {MOST_TEXT // 2**20} MiB, which no such file is")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError(f"{file.name} is nested too deep") from None
    if not isinstance(data, dict):
        raise ValueError(f"{file.name} holds no JSON object")
    demand_form(str(data.get("format", "")), FORMAT)
    return data


class Sketch(TorchFunctionMode):
    """Within it no weights are drawn when a network is made: they have no memory, and it would take seconds.

    >>> with torch.device("meta"), Sketch():
    ...     nn.Linear(10**6, 10**6).weight.shape
    torch.Size([1000000, 1000000])
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if getattr(func, "__name__", "") in ("normal_", "uniform_", "trunc_normal_"):
            return args[0] if args else given["tensor"]
        return func(*args, **given)


def rebuilt(data: Any, weights: dict[str, Tensor], types: list[type]) -> nn.Module:
    """The network of a blueprint, with its weights.

    It is sketched first, without memory for a single number, and compared with the weights: a file that says
    it is a thousand times larger than what lies beside it costs nothing.
    """
    largest = max(ALWAYS_ALLOWED, sum(one.numel() for one in weights.values()))
    with torch.random.fork_rng(devices=[]):
        if (sketch := sketched(data, types, largest)) is not None:
            check_model(weights, sketch)
        network = build(data, types, largest)
    check_model(weights, network)
    for name, own in network.state_dict(keep_vars=True).items():
        own.data = own.data.to(weights[name].dtype)
    network.load_state_dict(weights)
    return network


def rebuilt_loss(data: Any, types: list[type]) -> nn.Module:
    """The loss of a blueprint, which learns hardly a number and weighs no more than that."""
    sketch = sketched(data, types, ALWAYS_ALLOWED)
    if sketch is not None and sum(one.numel() for one in sketch.state_dict().values()) > ALWAYS_ALLOWED:
        raise ValueError("its loss has more numbers than any loss has")
    return build(data, types, ALWAYS_ALLOWED)


def sketched(data: Any, types: list[type], largest: int) -> nn.Module | None:
    """A blueprint's module without memory for its numbers; None if it computes while it is made."""
    if not isinstance(data, dict):
        raise ValueError("it describes no network")
    try:
        with torch.device("meta"), Sketch():
            return build(data, types, largest)
    except NotImplementedError:
        return None
