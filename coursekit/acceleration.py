"""Acceleration: the same training in less time: fewer bits a number, another layout, fewer launches."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .events import Callback
from .loop import Loop

if TYPE_CHECKING:
    from .learner import Learner

KINDS = {"bf16": torch.bfloat16, "fp16": torch.float16}


class MixedPrecision(Callback):
    """Lets the model compute with 16 bits a number where that does no harm: faster, in less memory.

    Args:
        kind: "bf16" has the range of float32 and needs nothing else; "fp16" is for GPUs that lack it, and
            its small gradients are kept from vanishing by a scale that is found on the way. Without it, bf16
            where the device computes with it.

    Weights stay float32, and so do predictions as everybody sees them, and the loss. Gradients are scaled
    back before anybody looks at them in `before_step`, so clipping and accumulating need no care. A step
    whose fp16 gradients are too large for a number is left out, and the scale halved: some at the beginning
    are usual. Nothing waits for the device with torch's fused optimizers, as the default is; others make
    fp16 wait at each step. So does a learner with a `take_step` of its own, which is called when the
    gradients are numbers; a gradient that it computes itself has no scale.

    The answers of a learner outside a fit are computed in full precision. Raises ValueError for another kind.
    Micikevicius et al., "Mixed Precision Training", 2018.

    >>> from torch import nn
    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> batches = [(torch.ones(2, 3), torch.tensor([0, 1]))] * 4
    >>> quiet = {"callbacks": [Progress("off"), MixedPrecision("bf16")], "device": "cpu"}
    >>> learner = Learner((batches, batches), nn.Linear(3, 2), nn.CrossEntropyLoss(), **quiet)
    >>> learner.fit(1, rate=0.1)
    >>> learner.outputs.dtype, learner.predicted.dtype, learner.model.weight.dtype
    (torch.bfloat16, torch.float32, torch.float32)
    """

    order = -45

    def __init__(self, kind: str | None = None) -> None:
        if kind not in (None, *KINDS):
            raise ValueError(f'MixedPrecision computes in "bf16" or "fp16"; {kind!r} is neither.')
        self.kind = kind
        self.scaler: Any = None
        self.own_step: Any = None

    def state_dict(self) -> dict[str, Any]:
        """The scale of fp16, and how long it has been so."""
        return self.scaler.state_dict() if self.scaler else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        if not state:
            self.scaler = None
        elif self.scaler:
            self.scaler.load_state_dict(state)

    def before_fit(self, learner: Learner) -> None:
        kind, device = self.kind or choose_kind(learner.device), learner.device.type
        vars(learner)["call_model"] = torch.autocast(device, dtype=KINDS[kind])(learner.call_model)
        self.scaler = (self.scaler or torch.amp.GradScaler(device)) if kind == "fp16" else None
        if self.scaler:
            # Its own way to step, if it has one, must not begin with a gradient that is no number.
            self.own_step = learner.take_step if type(learner).take_step is not Loop.take_step else None
            vars(learner)["take_step"] = partial(self._step, learner)
            # Scaling comes after all that is done to the loss, and scaling back before all that is done to
            # gradients: there is no one place in the order for both.
            learner.handlers["before_backward"].append(self._scale)
            learner.handlers["after_backward"].insert(0, self._show_loss)
            learner.handlers["before_step"].insert(0, self._scale_back)

    def after_predict(self, learner: Learner) -> None:
        if isinstance(learner.predicted, Tensor) and learner.predicted.is_floating_point():
            learner.predicted = learner.predicted.float()

    def after_fit(self, learner: Learner) -> None:
        vars(learner).pop("call_model", None)
        vars(learner).pop("take_step", None)

    def _scale(self, learner: Learner) -> None:
        self.loss, learner.loss = learner.loss, self.scaler.scale(learner.loss)

    def _show_loss(self, learner: Learner) -> None:
        learner.loss = self.loss

    def _scale_back(self, learner: Learner) -> None:
        self.scaler.unscale_(learner.optimizer)
        if self.own_step:
            gradients = [one.grad for one in learner.model.parameters() if one.grad is not None]
            self.usable = torch.stack([one.isfinite().all() for one in gradients]).all()

    def _step(self, learner: Learner) -> None:
        if self.own_step is None:
            self.scaler.step(learner.optimizer)
        elif self.usable:
            self.own_step()
        self.scaler.update()


def choose_kind(device: torch.device) -> str:
    """The 16-bit numbers a device computes with itself: bf16, or on an NVIDIA GPU from before 2020 fp16.

    >>> choose_kind(torch.device("cpu"))
    'bf16'
    """
    old = device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
    return "fp16" if old else "bf16"


class ChannelsLast(Callback):
    """Keeps the channels of a pixel side by side in memory, as convolutions on new GPUs and CPUs like it.

    The numbers stay the same, and so do all shapes. It changes pictures (N, C, H, W) and the model's weights
    of four dimensions, and pays off together with MixedPrecision.

    >>> from torch import nn
    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> batches = [(torch.ones(2, 3, 8, 8), torch.tensor([0, 1]))]
    >>> model = nn.Sequential(nn.Conv2d(3, 2, 8), nn.Flatten())
    >>> quiet = {"callbacks": [Progress("off"), ChannelsLast()], "device": "cpu"}
    >>> learner = Learner((batches, None), model, nn.CrossEntropyLoss(), **quiet)
    >>> learner.fit(1, rate=0.1)
    >>> learner.inputs.shape, learner.inputs.stride()
    (torch.Size([2, 3, 8, 8]), (192, 1, 24, 3))
    """

    order = 45

    def before_fit(self, learner: Learner) -> None:
        for parameter in learner.model.parameters():
            parameter.data = lay_out(parameter.data)

    def before_batch(self, learner: Learner) -> None:
        learner.inputs = lay_out(learner.inputs)


def lay_out(batch: Any) -> Any:
    """A batch with its tensors of four dimensions laid out with the channels last.

    >>> lay_out((torch.ones(1, 2, 3, 3), "a"))[0].stride()
    (18, 1, 6, 2)
    """
    if isinstance(batch, Tensor):
        return batch.to(memory_format=torch.channels_last) if batch.ndim == 4 else batch
    if isinstance(batch, tuple):
        return tuple(map(lay_out, batch))
    return {name: lay_out(part) for name, part in batch.items()} if isinstance(batch, dict) else batch


class Compile(Callback):
    """Lets torch make the model into a few large kernels: slow in the first batches, faster in all others.

    Args:
        options: go to `torch.compile`, as `mode="max-autotune"` or `dynamic=True`.

    The model's forward and backward are compiled, for this fit. What is not: the loss, the optimizer's step
    (which torch does in one launch already), metrics and callbacks. If the model has lines that torch cannot
    compile, a UserWarning after the first epoch says how many and names one; these run as before. A batch of
    another size is compiled once more, then for all sizes. It needs a C++ compiler on the machine.

    >>> Compile(mode="max-autotune").options
    {'mode': 'max-autotune'}
    """

    order = -55

    def __init__(self, **options: Any) -> None:
        self.options = options

    def before_fit(self, learner: Learner) -> None:
        self.known = set(find_breaks())
        learner.model.compile(**self.options)

    def after_epoch(self, learner: Learner) -> None:
        breaks = [reason for reason in find_breaks() if reason not in self.known]
        if breaks:
            self.known |= set(breaks)
            warnings.warn(
                f"torch could not compile {len(breaks)} place{'s' * (len(breaks) > 1)} in the model, where "
                f"it runs as before: {breaks[0].strip().splitlines()[0]}",
                stacklevel=2,
            )

    def after_fit(self, learner: Learner) -> None:
        learner.model._compiled_call_impl = None


def find_breaks() -> list[str]:
    """Why `torch.compile` has left lines as they were, so far in this process.

    >>> before = find_breaks()
    >>> find_breaks() == before  # as nothing was compiled in between
    True
    """
    from torch._dynamo.utils import counters

    return list(counters["graph_break"])


class CaptureGraph(Compile):
    """Records the model's work on the GPU once, and starts it as a whole for each batch (CUDA graphs).

    It is for small models, whose kernels take less time than launching them one by one. It compiles the
    model as well, in torch's mode "reduce-overhead". On other devices than NVIDIA's it says so in a
    UserWarning and leaves the model as it is. It does not go together with Accumulate, since a graph's
    gradients stay in one and the same place.

    >>> CaptureGraph().options
    {'mode': 'reduce-overhead'}
    """

    def __init__(self) -> None:
        super().__init__(mode="reduce-overhead")

    def before_fit(self, learner: Learner) -> None:
        if learner.device.type == "cuda":
            super().before_fit(learner)
        else:
            warnings.warn(
                f"CUDA graphs need an NVIDIA GPU, and this fit computes on {learner.device}: it goes on "
                "without them.",
                stacklevel=2,
            )
            self.known = set(find_breaks())

    def before_batch(self, learner: Learner) -> None:
        torch.compiler.cudagraph_mark_step_begin()

    def after_predict(self, learner: Learner) -> None:
        # The next batch's answers are written to the same place.
        if isinstance(learner.predicted, Tensor):
            learner.predicted = learner.predicted.clone()
