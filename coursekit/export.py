"""Export: a trained model as a folder that any other machine can load.

    kit.save_model(learner, "cells")
    kit.load_model("cells").predict("photo.jpg")

The folder holds two files:

- `model.safetensors`: the weights, each by the name that the network has for it, tied ones once.
- `model.json`: the format, "coursekit model 1"; the library's version; `network`, the network as a blueprint
  (see `blueprints`); `loss`, how its scores are read, likewise; `recipe`, how an item becomes an input and
  what an answer is called, as `Recipe.save` writes it; and the checksum of the weights, so that the two files
  belong together.

Classes are named relative to the library, `resnets.ResNet`, so what one kit saved, another loads. A folder
names no place and no machine. A newer library reads older formats; an older one says that it cannot.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from .blueprints import blueprint
from .inference import FORMAT, WEIGHTS
from .recipes import Recipe
from .steps import Categorize
from .tensor_files import put, write_file
from .transforms import Pipeline

if TYPE_CHECKING:
    from .learner import Learner


def save_model(learner: Learner, folder: str | os.PathLike[str]) -> Path:
    """Write a trained model into a folder, with all that it needs to answer; what is there is replaced.

    Args:
        learner: Its network must be data: a network of this library, torch's layers, or classes of your own
            that keep what their constructors are told (see `blueprints`); one of another library goes into
            such a class, which makes it. So must a loss that says by `decode` how scores are read: a module
            of the same kinds. Where its data have no recipe, as
            those of a `DataBlock` do, the saved model takes tensors as the network's inputs are, without the
            axis of the batch.
        folder: Where to; made if it is not there.

    Returns:
        The folder.

    Raises:
        TypeError: A part of the network, the loss or the recipe is no data; the message says what to do.
        OSError: There is no place.

    >>> from tempfile import TemporaryDirectory
    >>> from .inference import load_model
    >>> from .learner import Learner
    >>> from .losses import CrossEntropy
    >>> import torch
    >>> batches = [(torch.ones(2, 3), torch.tensor([0, 1]))]
    >>> learner = Learner((batches, batches), nn.Linear(3, 2), CrossEntropy(), device="cpu")
    >>> with TemporaryDirectory() as folder:
    ...     load_model(save_model(learner, folder), device="cpu").model
    Linear(in_features=3, out_features=2, bias=True)
    """
    about: dict[str, Any] = {
        "format": FORMAT,
        "library": getattr(sys.modules[str(__package__)], "__version__", ""),
        "network": blueprint(learner.model),
        "loss": written_loss(learner.loss_function),
        "recipe": find_recipe(learner.data).as_data(),
    }
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    about["weights"] = write_file(place / "model.safetensors", dict(learner.model.state_dict()), WEIGHTS)
    unfinished = place / "model.json.unfinished"
    unfinished.write_text(json.dumps(about, indent=1), encoding="ascii")
    put(unfinished, place / "model.json")
    return place


def written_loss(loss: Any) -> dict[str, Any] | None:
    """How scores are read, as data; None for a loss that does not say, such as a function.

    Raises:
        TypeError: It says so and is no module, so a file could not name it.

    >>> written_loss(nn.functional.mse_loss)
    """
    if isinstance(loss, nn.Module):
        return blueprint(loss)
    if hasattr(loss, "decode"):
        kind = type(loss).__name__
        raise TypeError(
            f"{kind} says how scores are read, and would be missed: make it a module, class {kind}"
            "(nn.Module) with what it computes in forward, and hand that class over when you load: "
            f"types=[{kind}]."
        )
    return None


def find_recipe(data: Any) -> Recipe:
    """How items become inputs, as the data know it; else they are taken as inputs already.

    >>> from types import SimpleNamespace
    >>> find_recipe(SimpleNamespace(vocab=["low", "high"])).vocab
    ('low', 'high')
    """
    if isinstance(getattr(data, "recipe", None), Recipe):
        return data.recipe
    names = tuple(getattr(data, "vocab", None) or ())
    return Recipe(Pipeline(), Pipeline(Categorize(names)) if names else None, Pipeline())
