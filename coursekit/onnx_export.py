"""Write a trained model as ONNX: one graph from a photo's pixels to its answer, for machines without torch.

The graph holds all that is done to batches: the steps of the data, the network, and what turns scores into
probabilities. What is done to one item before (opened, turned upright, shrunk) is written beside it as data,
and done by `onnx_model`, of which the folder gets a copy.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Sequence
from copy import deepcopy
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import onnx_model
from .batches import collate, find_predictions
from .creating import Create, ShareCanvas
from .cropping import CentreCrop, Resize
from .finding import taken
from .metrics import class_names
from .onnx_layers import layer_of
from .onnx_shrinking import halved, in_whole_numbers
from .predictions import read_scores
from .recipes import Recipe
from .tensors import DicomImage, Image, plain
from .transforms import Pipeline, Transform

BITS = (32, 16, 8)
ITEMS_TO_CALIBRATE = 128
NEEDED = ("onnx", "onnxscript", "onnxruntime")
# By how much an answer of the graph may differ from the network's: other machines add in another order.
CLOSE = 1e-4


def save_onnx(
    model: Any,
    folder: str | os.PathLike[str],
    bits: int = 32,
    example: Any = None,
    calibration: Sequence[Any] = (),
) -> Path:
    """Write a model as ONNX, with what it needs to answer without torch and without this library.

    The folder then holds `model.onnx`, the graph, for any number of items at once; `model.onnx.json`, how an
    item is prepared and what the numbers that come out mean; and `predict.py`, which reads both and needs
    onnxruntime, numpy and pillow alone: it is the module of `OnnxModel`. Files of these names are replaced.

    Args:
        model: A trained learner whose data a `DataBlock` made, or a `SavedModel`.
        folder: Where to write; made if it is not there.
        bits: How many the weights have: 32 as they were trained; 16, half as large, with hardly another
            answer; 8, less than a third, and quicker, since layers compute in whole numbers too. How many
            answers 8 bits change depends on the model: compare on held-out items before you trust it.
        example: An item, from whose size the graph's is taken. Needed where there are no held-out items to
            look at, and nothing resizes, or photos have more channels than three.
        calibration: For 8 bits: items like those to come, which show how large numbers get inside; without
            them, training items of the learner's data.

    Returns:
        The folder.

    Raises:
        ImportError: A package of the extra `export` is missing; the message names it.
        TypeError: A step that has no form outside Python; the message names it, and what to do.
        ValueError: Other bits; no example, or nothing to calibrate with; a graph that does not answer as the
            model does, to 1e-4.

    >>> from tempfile import TemporaryDirectory
    >>> from .inference import SavedModel
    >>> from .losses import CrossEntropy
    >>> from .steps import Categorize, ToFloat
    >>> recipe = Recipe(
    ...     Pipeline(Create(Image), Resize(2)), Pipeline(Categorize(["dark", "light"])), Pipeline(ToFloat())
    ... )
    >>> model = SavedModel(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), recipe, CrossEntropy(), "cpu")
    >>> photo = np.zeros((40, 60, 3), np.uint8)
    >>> with TemporaryDirectory() as folder:
    ...     answer = onnx_model.OnnxModel(save_onnx(model, folder)).predict(photo)
    >>> answer.value == model.predict(photo).value
    True
    """
    check(bits)
    recipe, loss = parts_of(model)
    opening, preparing, rest = split_steps(recipe.inputs.steps)
    batch = example_batch(model, recipe, example)
    graph = Answering([*rest, *recipe.batch.steps], batch, deepcopy(model.model), loss, recipe)
    written = write_graph(graph, plain(batch))
    check_same(written, graph, batch)
    about: dict[str, Any] = {"format": onnx_model.FORMAT, "bits": bits}
    about |= {"input": describe_input(opening, preparing, batch), "answer": graph.answer}
    if bits == 16:
        written = halved(written)
    if bits == 8:
        items = [onnx_model.prepared(item, about["input"]) for item in calibration or training_items(model)]
        written = in_whole_numbers(written, items)
    return put_down(Path(folder), written, about)


def check(bits: int) -> None:
    """Refuse what cannot begin: packages that are missing, other bits."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ImportError(f"save_onnx needs {', '.join(missing)}: pip install 'coursekit-topdown[export]'.")
    if bits not in BITS:
        raise ValueError(f"save_onnx writes weights of 32, 16 or 8 bits; bits={bits!r} was asked for.")


def parts_of(model: Any) -> tuple[Recipe, Any]:
    """How the items of a learner or a saved model are made, and how its scores are read."""
    recipe = getattr(model, "recipe", None) or getattr(getattr(model, "data", None), "recipe", None)
    if recipe is None:
        raise TypeError(
            "save_onnx writes down how an item is prepared, and the data of this model do not say: make them "
            "with DataBlock(...).loaders(...)."
        )
    return recipe, model.loss_function if hasattr(model, "loss_function") else model.loss


# The item -------------------------------------------------------------------------------------------------


def split_steps(steps: Sequence[Transform]) -> tuple[Create, list[Transform], list[Transform]]:
    """What opens an item, what brings it to its size, and the rest, which goes into the graph.

    >>> from .steps import Normalize
    >>> split_steps([Create(Image), Resize(8), Normalize()])
    (Create(Image), [Resize(size=8, fit='squeeze')], [Normalize(mean=None, std=None)])
    """
    # That one is for what lies on a photo; to the photo itself it does nothing.
    steps = [step for step in steps if not isinstance(step, ShareCanvas)]
    opening = steps[0] if steps else None
    if not isinstance(opening, Create):
        raise TypeError(
            f"save_onnx knows inputs that are photos or arrays, and these are made by {opening!r}."
        )
    last = max((at for at, step in enumerate(steps) if isinstance(step, Resize | CentreCrop)), default=0)
    preparing, rest = list(steps[1 : last + 1]), list(steps[last + 1 :])
    if strange := [step for step in preparing if not isinstance(step, Resize | CentreCrop)]:
        raise TypeError(
            f"{strange[0]} comes before a step that changes the size, and is not known outside Python: put "
            "it into batch_transforms, or into the network."
        )
    return opening, preparing, rest


def is_photo(opening: Create) -> bool:
    """Whether items are photos, which Pillow opens."""
    kind = opening.kind
    return isinstance(kind, type) and issubclass(kind, Image) and not issubclass(kind, DicomImage)


def mode_of(opening: Create) -> str:
    """As what Pillow opens the photos: "L" is grey."""
    kind: Any = opening.kind
    return kind.pillow_mode


def example_batch(model: Any, recipe: Recipe, example: Any) -> Any:
    """Two items as the graph is given them, typed: photos of noise, or the example twice."""
    opening, preparing, _ = split_steps(recipe.inputs.steps)
    held_out = getattr(getattr(getattr(model, "data", None), "valid", None), "items", None)
    if example is not None:
        item = Pipeline(opening, *preparing).encode(example)
    elif is_photo(opening) and any(isinstance(step, Resize) for step in preparing):
        usual = 1 if mode_of(opening) == "L" else 3
        channels = usual if held_out is None else len(held_out[0][0])
        item = Pipeline(*preparing).encode(opening.kind(torch.zeros(channels, 512, 512, dtype=torch.uint8)))
    elif held_out is not None:
        item = held_out[0][0]
    else:
        raise ValueError("nothing says how large the items are: give save_onnx one of them, example=photo.")
    if not is_photo(opening):
        return collate([item, item])
    chance = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (2, *item.shape), generator=chance, dtype=torch.uint8)
    return opening.kind(noise)


def describe_input(opening: Create, preparing: Sequence[Any], batch: Any) -> dict[str, Any]:
    """How an item is prepared, as data."""
    about: dict[str, Any] = {"shape": list(batch.shape[1:]), "dtype": str(batch.dtype).split(".")[1]}
    if not is_photo(opening):
        return {"kind": "numbers", **about}
    at_least = opening.metadata.get("at_least")
    return {
        "kind": "photo",
        **about,
        "mode": mode_of(opening),
        "at_least": None if at_least is None else pair(at_least),
        "steps": [
            {"do": "resize", "with": {"size": pair(step.size), "fit": step.fit}}
            if isinstance(step, Resize)
            else {"do": "centre_crop", "with": {"size": pair(step.size)}}
            for step in preparing
        ],
    }


def pair(size: int | Sequence[int]) -> list[int]:
    """A height and a width, of one number both.

    >>> pair(160), pair((120, 160))
    ([160, 160], [120, 160])
    """
    return [size, size] if isinstance(size, int) else list(size)


def training_items(model: Any) -> list[Any]:
    """Items of a learner's training data, from all over, as they are before they are prepared."""
    if not hasattr(model, "data"):
        raise ValueError(
            "8 bits need some items that show how large numbers get inside, and a saved model has none: "
            "give some photos like those to come, calibration=photos."
        )
    raw = model.data.train.items.raw
    numbers = range(0, len(raw), max(1, len(raw) // ITEMS_TO_CALIBRATE))
    return [taken(raw[number], model.data.recipe.input_from) for number in numbers][:ITEMS_TO_CALIBRATE]


# The graph ------------------------------------------------------------------------------------------------


class Answering(nn.Module):
    """From a batch of items to answers, as one module of plain tensors that can be written down.

    Args:
        steps: What is done to batches before the network.
        batch: An example of a batch before these steps, typed.
        network: The network.
        loss: How its scores are read.
        recipe: What the targets are called.

    Attributes:
        answer: What the numbers that come out mean, as data.
    """

    def __init__(
        self, steps: Sequence[Any], batch: Any, network: nn.Module, loss: Any, recipe: Recipe
    ) -> None:
        super().__init__()
        self.layers, self.network = nn.Sequential(), network.cpu().eval()
        for step in steps:
            layer, batch = layer_of(step, batch)
            self.layers.append(layer)
        with torch.no_grad():
            scores = find_predictions(self.network(plain(batch)))
        # What the library itself says of the example, to compare the graph with.
        self.said = read_scores(scores, loss, recipe, batch)
        self.answer, self.read = reading(scores, loss, recipe.vocab)
        self.shape = np.shape(self.said[0].value)

    def forward(self, items: Tensor) -> Tensor:
        """Probabilities `(N, classes)`, or other answers, of items."""
        answers = self.read(find_predictions(self.network(self.layers(items))))
        return answers if self.answer["kind"] != "numbers" else answers.reshape(-1, *self.shape)


def reading(scores: Tensor, loss: Any, vocab: Sequence[Any]) -> tuple[dict[str, Any], Any]:
    """What scores mean, as data, and the function that makes answers of them.

    >>> from .losses import CrossEntropy
    >>> reading(torch.zeros(2, 2), CrossEntropy(), ("sound", "broken"))[0]
    {'kind': 'one', 'vocab': ['sound', 'broken'], 'threshold': None}
    """
    if not hasattr(loss, "decode"):
        return {"kind": "numbers", "vocab": [], "threshold": None}, lambda given: given
    answers = loss.decode(scores)
    one = answers.ndim == 1 and not answers.is_floating_point()
    if hasattr(loss, "activation") and scores.ndim == 2 and (one or vocab):
        names = list(map(str, class_names(vocab or None, scores.shape[1])))
        threshold = None if one else loss.threshold
        kind = "one" if one else "several"
        return {"kind": kind, "vocab": names, "threshold": threshold}, loss.activation
    return {"kind": "numbers", "vocab": [], "threshold": None}, loss.decode


def write_graph(graph: nn.Module, batch: Tensor) -> bytes:
    """Let torch write a module as ONNX, for batches of any size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch to itself, about what it will call otherwise
        program: Any = torch.onnx.export(
            graph,
            (batch,),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("count")},),
            input_names=["items"],
            output_names=["answers"],
            verbose=False,
        )
    return program.model_proto.SerializeToString()


def check_same(written: bytes, graph: Answering, batch: Any) -> None:
    """Compare what the graph answers with what the library says of the same items.

    Raises:
        ValueError: They differ.
    """
    session = onnx_model.start_session(written, threads=1)
    found = session.run(None, {"items": plain(batch).numpy()})[0]
    for numbers, said in zip(found, graph.said, strict=True):
        if graph.answer["kind"] == "numbers":
            wanted = np.asarray(said.value)
        else:
            wanted = np.array([*(said.probabilities or {}).values()])
        if wanted.shape != numbers.shape or not np.allclose(wanted, numbers, atol=CLOSE, equal_nan=True):
            raise ValueError(
                f"the graph answers {numbers} where the model says {said}. Are targets brought to another "
                "scale? Then do that in the network, as its last layer."
            )


def put_down(folder: Path, written: bytes, about: dict[str, Any]) -> Path:
    """Write the three files; the description comes last, and says which graph it belongs to."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(written)
    shutil.copyfile(onnx_model.__file__, folder / "predict.py")
    about["sha256"] = sha256(written).hexdigest()
    (folder / onnx_model.ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
    return folder
