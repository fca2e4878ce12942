"""Failures: an error of training arrives as it is, with a note that says where it happened and what to try.

Nothing here costs anything while all goes well: where an error happened is read from its own traceback.
"""

from __future__ import annotations

import traceback
from types import FrameType
from typing import TYPE_CHECKING, Any

from torch import Tensor

from .batches import describe_batch

if TYPE_CHECKING:
    from .learner import Learner

DTYPES = (
    "The model computes with one kind of numbers and the inputs are of another: pictures of 0 to 255 become "
    "floats by x.float() / 255, other inputs by x.float(). For a model of 16 bits, which is made by "
    "model.bfloat16(), inputs are x.bfloat16(); a model of 32 bits computes with 16 by kit.MixedPrecision()."
)
CLASS_NUMBERS = (
    "Class numbers are whole: targets.long(). For a measured quantity take a loss such as MSELoss."
)
DEVICES = (
    "A tensor stayed behind on another device: one that a module made itself should be kept with "
    "register_buffer(name, tensor), so that it moves along; a model that was changed after Learner(...) is "
    "moved by learner.model.to(learner.device)."
)
# What a message of torch holds, and what a person can do about it; the first that fits is taken.
ADVICE = {
    "out of memory": "The device has no memory left. Make batch_size smaller (half of it, then again), or "
    'the items (size=), or compute with device="cpu". In a notebook, restarting the kernel frees what '
    "earlier cells still hold.",
    "device-side assert": "The GPU met a number out of range: most often a class number that is negative, or "
    "not below the number of the model's outputs. The GPU can be used again after a restart; train one batch "
    'with device="cpu" to be told which number it was.',
    "more than 1 value per channel": "Batch norm compares the items of a batch, and this batch has only one. "
    "Choose a batch_size that leaves no single item at the end, or leave an incomplete last batch out "
    "(drop_last=True).",
    "does not require grad": "Nothing here can learn: all parameters are frozen (learner.unfreeze() lets "
    "them learn), or the loss was cut off from the model by detach(), item() or no_grad().",
    "same device": DEVICES,
    "expected device": DEVICES,
    "must have the same dtype": DTYPES,
    "should be the same": DTYPES,
    "mat1 and mat2": "A Linear layer takes as many numbers an item (in_features) as the layer before gives; "
    "between pictures and a Linear layer nn.Flatten() is often what is missing.",
    "channels, but got": "A convolution takes as many channels as the layer before gives (its first number): "
    "3 for a colour photo, 1 for a grey one.",
    "target dtype": CLASS_NUMBERS,
    "is out of bounds": "A class number is below the number of the model's outputs, and not negative: give "
    "the model more outputs, or look at how the labels were numbered. kit.CrossEntropy() says which it was.",
    "output type Long": "This loss compares with numbers between 0 and 1: targets.float().",
    "must be the same as input size": "The model's answer and the targets need one shape: squeeze(1) takes "
    "the model's last axis off, targets[:, None] gives the targets one.",
    "not implemented for 'Long'": "Whole numbers came where floats are needed. A loss is called with "
    "(predictions, targets), in this order; inputs become floats by x.float().",
    "modified by an inplace operation": "A tensor that the way back still needs was changed: by y += 1, "
    "y[...] = 0, a method ending in _, or inplace=True. Make a new one: y = y + 1.",
    "backward through the graph a second time": "The model or a callback keeps something of an earlier batch "
    "together with how it was computed, such as a state or a sum of losses: keep x.detach() instead.",
    "to be equal size": "The items of a batch need one shape: make them equal (kit.Resize), or give the "
    "loader a collate_fn that fills them up.",
    "index out of range in self": "An Embedding has a row for each number from 0 on, and was asked for one "
    "beyond its last: give it more (num_embeddings), or look at how the inputs were numbered.",
    "one of the following scalar types: Long": "An Embedding is asked by whole numbers: inputs.long().",
    "Kernel size can't be greater": "The layers before have made the picture smaller than this layer's "
    "kernel: take larger pictures, fewer layers that halve them, or padding=1.",
    "required positional argument: 'closure'": "This optimizer asks for the loss several times in one step. "
    "Override Learner.take_step, and there give self.optimizer.step a function that clears the gradients, "
    "calls self.call_model(self.inputs) and self.compute_loss(), goes backward and returns the loss.",
    "must be Tensor, not": "The batch holds something else than tensors: torch.as_tensor(x) makes one; a "
    "DataLoader does so by itself.",
}
MODEL_ADVICE = {
    "unexpected keyword argument": "The names in a batch that is a dict are the names of the model's "
    "arguments: rename them, or override Learner.read_batch.",
    "positional argument": "A batch is (inputs, targets); of more than two, all but the last go to the "
    "model, each as an argument of its own. Two inputs without targets are ((one, other),).",
}

# The methods of a learner that tell, being the innermost of these in a traceback, what went wrong.
PLACES = ("within", "emit", "step", "call_model", "compute_loss", "all_batches", "_gather")

INTERRUPTED = (
    "Stopped by hand: the model and the recorder keep what they have up to here. Fit again to go on."
)


def explain(error: BaseException, learner: Learner) -> None:
    """Add to an error of training where it happened, and what usually helps; the error stays what it is.

    `learner` is where it happened; the notes stand below the error's own message.

    >>> from types import SimpleNamespace
    >>> still = SimpleNamespace(epoch=0, epochs=2, batch_number=-1, batch_count=9, training=True)
    >>> error = RuntimeError("CUDA error: out of memory")
    >>> explain(error, still)
    >>> error.__notes__[0]
    'Where: epoch 1 of 2, training, before the first batch.'
    >>> error.__notes__[1][:40]
    'What to try: The device has no memory le'
    """
    if any(note.startswith("Where: ") for note in getattr(error, "__notes__", ())):
        return  # A learner within a learner has said it.
    place = _find_place(error, learner)
    error.add_note(f"Where: {place}.")
    if isinstance(error, KeyboardInterrupt):
        error.add_note(INTERRUPTED)
        return
    if advice := _find_advice(str(error), place, learner):
        error.add_note(f"What to try: {advice}")


def _find_advice(message: str, place: str, learner: Learner) -> str | None:
    """What usually helps where this was said, if that is known."""
    if place.startswith("the loss ("):
        if not isinstance(learner.predicted, Tensor):
            return (
                f"The model answered with a {type(learner.predicted).__name__}, and the loss needs a tensor: "
                "let forward return the scores alone (of an LSTM outputs[:, -1]), or a dict with logits."
            )
        if learner.targets is None:
            return "This batch holds inputs alone: a batch is a pair (inputs, targets)."
        if isinstance(learner.targets, (tuple, list)) and not isinstance(learner.targets[0], Tensor):
            return "The targets are a list of numbers: torch.tensor(targets) makes a tensor of them."
    known = ADVICE | (MODEL_ADVICE if place.startswith("the model") else {})
    return next((advice for words, advice in known.items() if words in message), None)


def describe_progress(learner: Learner, batch: int | None = None) -> str:
    """How far training has come, for people: everything counted from 1.

    `batch` is the number of the batch, from 0; without it that of the learner's batch at hand.

    >>> from types import SimpleNamespace
    >>> describe_progress(SimpleNamespace(epoch=1, epochs=2, batch_number=4, batch_count=9, training=False))
    'epoch 2 of 2, validation batch 5 of 9'
    """
    number = learner.batch_number if batch is None else batch
    part = "training" if learner.training else "validation"
    epoch = f"epoch {learner.epoch + 1} of {learner.epochs}, " if learner.epochs else ""
    if number < 0:
        return f"{epoch}{part}, before the first batch"
    of = f" of {learner.batch_count}" if learner.batch_count else ""
    return f"{epoch}{part} batch {number + 1}{of}"


def describe_empty(training: bool) -> str:
    """What to say when a loader gave no batch at all.

    >>> describe_empty(training=True)[:28]
    'data.train gave no batch. Ar'
    """
    return (
        f"data.{'train' if training else 'valid'} gave no batch. Are there items on that side of the split, "
        "and at least batch_size of them if incomplete batches are left out? A generator can be gone through "
        "only once." + ("" if training else " To train without validation set data.valid = None.")
    )


def describe_loss(loss: Any, function: Any) -> str:
    """What to say when a loss is not one number; `function` is what gave it, None for the model itself.

    >>> from torch.nn import functional
    >>> print(describe_loss([0.5], functional.mse_loss))
    A loss is one number, a tensor of shape (); mse_loss gave a list of 1: return a tensor.
    """
    name = "the model's own loss" if function is None else type(function).__name__
    name = getattr(function, "__name__", name)
    mend = (
        'take its mean, loss.mean(), or reduction="mean".' if isinstance(loss, Tensor) else "return a tensor."
    )
    return f"A loss is one number, a tensor of shape (); {name} gave a {describe_batch(loss)}: {mend}"


def describe_missing_encode(data: Any) -> str:
    """What to say when data cannot make a batch of one item, as `predict` needs.

    >>> describe_missing_encode([])[:65]
    'predict makes a batch of one item, and list does not say how. Giv'
    """
    return (
        f"predict makes a batch of one item, and {type(data).__name__} does not say how. Give your data a "
        "method encode_item(item) that returns such a batch, or take loaders with a collate_fn, as torch's "
        "DataLoader has one; for batches of your own there is learner.predictions(batches)."
    )


def _find_place(error: BaseException, learner: Learner) -> str:
    """Which handler, or which part of the step, the error came out of, as its traceback shows."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = [frame for frame in frames if frame.f_locals.get("self") is learner]
    own = [frame for frame in own if frame.f_code.co_name in PLACES]
    name = own[-1].f_code.co_name if own else ""
    progress = describe_progress(learner)
    if name == "emit":
        known = own[-1].f_locals
        if not {"handler", "event"} <= known.keys():
            return progress  # A reader's own loop may call them otherwise.
        handler, event = known["handler"], known["event"]
        name = f"{type(getattr(handler, '__self__', handler)).__name__}.{event}"
        return name if event == "before_fit" else f"{name}, {progress}"
    if name == "call_model":
        return f"{_name_layer(frames, learner)}, {progress}"
    if name == "compute_loss":
        predictions, targets = describe_batch(learner.predicted), describe_batch(learner.targets)
        return f"the loss (predictions: {predictions}; targets: {targets}), {progress}"
    if name in ("all_batches", "_gather"):
        return f"reading the data for {describe_progress(learner, learner.batch_number + 1)}"
    return progress


def _name_layer(frames: list[FrameType], learner: Learner) -> str:
    """The innermost named part of the model that a traceback comes out of, and what it was given."""
    names = {id(module): name for name, module in learner.model.named_modules()}
    inner = [frame for frame in frames if names.get(id(frame.f_locals.get("self")))]
    inputs = describe_batch(learner.inputs)
    if not inner:
        return f"the model (inputs: {inputs})"
    layer = inner[-1].f_locals["self"]
    calls = [frame for frame in inner if frame.f_locals["self"] is layer and frame.f_locals.get("args")]
    given = describe_batch(calls[0].f_locals["args"][0]) if calls else inputs
    kind = str(layer) if not list(layer.children()) else type(layer).__name__
    seen = f"inputs: {inputs}" if given == inputs else f"given: {given}; the model's inputs: {inputs}"
    return f"the model's layer {names[id(layer)]}, {kind} ({seen})"
