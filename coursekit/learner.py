"""The learner: data, a model and a loss brought together, trained by the loop, and asked for answers.

The loop itself is `loop.Loop`: read it and nothing is hidden. All else that happens in training (recording,
progress, schedules) is a callback; see the module `callbacks` for the events. No step waits for the device:
losses and metrics stay there until the epoch ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .batches import (
    count_batches,
    find_part,
    find_predictions,
    join_batches,
    split_batch,
    to_device,
    to_plain,
)
from .callbacks import Metrics, Progress, Recorder, Schedule, complete
from .demands import (
    check_epochs,
    check_learnable,
    check_list,
    check_parts,
    check_shapes,
    read_data,
    warn_of_untrained,
)
from .devices import choose_device, move_model
from .events import Callback, Cancel, find_handlers
from .failures import describe_empty, describe_loss, describe_missing_encode, explain
from .loop import Loop
from .metrics import count_items
from .optimizers import Rate, adamw, find_groups, give_rates, let_learn, rest_frozen_norms, spread_rates
from .predictions import Prediction, read_scores
from .schedules import one_cycle

if TYPE_CHECKING:
    from .finding_the_rate import RateCurve


class Learner(Loop):
    """Trains a model on data, and answers with it afterwards.

    Args:
        data: has `.train` and `.valid`, each something to go through batch by batch (`.valid` may be None);
            or a pair of such. A batch is a tuple (inputs, targets), where several inputs come first and the
            targets last; or a dict whose names are the model's arguments, with the targets under `targets`,
            `target`, `labels` or `label`; or an object with `inputs` and such a name; or anything else that
            the model takes, without targets. Two inputs without targets are ((one, other),).
        model: a torch module; gets plain tensors. It may answer with a tensor, or with a dict or object that
            holds `logits` (or `predictions`, `scores`, `out`) and perhaps `loss`. If it has a method
            `parameter_groups()`, that lists its parameters in groups, early layers first and the head last,
            for `freeze` and for rates that grow from group to group.
        loss: a function of (predictions, targets), both plain, that gives one number, the mean over the
            items. None means: the model's own `loss`, and a dict's targets are given to the model.
        metrics: functions of (predictions, targets), or `Metric`s; they get the targets with their type.
        optimizer: makes an optimizer from parameter groups and `lr=`, as `torch.optim.SGD` does. The groups
            are dicts with `params` and `lr`, one for each of the model's; it may divide them further, to
            let some parameters decay and others not, and add parameters of its own.
        callbacks: added to Metrics, Recorder, StopOnNaN and Progress, which are always there; one of your own
            of such a kind takes its place.
        device: where to compute; without it a GPU if one works, else the CPU.

    Raises:
        ValueError: parameter groups that leave out parameters or hold one twice.
        RuntimeError: a device that does not work.

    >>> _ = torch.manual_seed(0)
    >>> inputs = torch.randn(32, 4)
    >>> batches = [(inputs, (inputs.sum(dim=1) > 0).long())] * 20
    >>> learner = Learner((batches, batches), nn.Linear(4, 2), nn.CrossEntropyLoss(), device="cpu")
    >>> learner.fit(1, rate=0.1)  # doctest: +NORMALIZE_WHITESPACE +ELLIPSIS
    epoch  train loss  valid loss  seconds
        1       ...
    >>> learner.validate()["loss"] < 0.3
    True
    """

    _is_fitting = False
    _learning: frozenset[int] = frozenset()  # Which parameters the optimizer was made for.

    def __init__(
        self,
        data: Any,
        model: nn.Module,
        loss: Callable[..., Tensor] | None = None,
        metrics: Iterable[Any] = (),
        optimizer: Callable[..., torch.optim.Optimizer] = adamw,
        callbacks: Iterable[Callback] = (),
        device: torch.device | str | None = None,
    ) -> None:
        check_parts(model, loss, optimizer, callbacks, metrics)
        self.data = read_data(data)
        self.device = choose_device(device)
        if hasattr(data, "to"):
            data.to(self.device)
        self.model = move_model(model, self.device)
        find_groups(model)  # A wrong list of them is told now, not when the first fit begins.
        self.loss_function: Any = loss.to(self.device) if isinstance(loss, nn.Module) else loss
        self.make_optimizer = optimizer
        self._optimizer: torch.optim.Optimizer | None = None
        self.callbacks = complete(callbacks, metrics)
        self.recorder = next(one for one in self.callbacks if isinstance(one, Recorder))
        self.metrics = next(one for one in self.callbacks if isinstance(one, Metrics))
        self.listeners = self.callbacks
        self.handlers = find_handlers(self.listeners)

    def fit(self, epochs: int, rate: Rate, callbacks: Iterable[Callback] = ()) -> None:
        """Train for `epochs` rounds through the training data, with validation after each.

        `rate` is the learning rate: one number; or a pair (early, late), spread evenly in ratio over the
        model's parameter groups; or one for each of them. `callbacks` take part in this fit only. The
        optimizer's memory goes on from fit to fit.

        Ends early, without an error, by CancelFit. Any error arrives as it is, with notes on where it
        happened; after one, and after Ctrl-C, model and recorder keep what they have. Raises ValueError for
        epochs or rates that are not positive and for data without batches.
        """
        check_epochs(epochs)
        check_list(callbacks, "callbacks", "kit.StopEarly()")
        if self._is_fitting:
            raise RuntimeError("fit was called within a fit; let that end first, or give it more epochs.")
        listeners = [*self.callbacks, *callbacks]
        handlers = find_handlers(listeners)
        self._prepare_optimizer(rate)
        self.epochs, self.epoch, self.batch_number = epochs, 0, -1
        self.first_epoch = self.first_batch = 0
        with self._explaining():
            self.listeners, self.handlers, self._is_fitting = listeners, handlers, True
            try:
                self.run()
            except Cancel as cancel:
                name = type(cancel).__name__
                raise RuntimeError(
                    f"{name} was raised in an event where there is none to cancel."
                ) from cancel
            finally:
                self._is_fitting = False

    def all_batches(self, loader: Iterable) -> None:
        """One batch after the other; a loader without any is an error."""
        super().all_batches(loader)
        if self.batch_number < 0 and not self.first_batch:
            raise ValueError(describe_empty(self.training))

    def read_batch(self, batch: Any) -> tuple[Any, Any]:
        """Inputs and targets of a batch, on the device. Override it for batches of another form."""
        moved = to_device(batch, self.device)
        # An object that cannot be moved as a whole is moved in parts; what is there already stays.
        return to_device(split_batch(moved, give_targets=self.loss_function is None), self.device)

    def call_model(self, inputs: Any) -> Any:
        """What the model answers to inputs, which it gets as plain tensors."""
        inputs = to_plain(inputs)
        if isinstance(inputs, tuple):
            outputs = self.model(*inputs)
        else:
            outputs = self.model(**inputs) if isinstance(inputs, dict) else self.model(inputs)
        if outputs is None:
            raise TypeError(f"{type(self.model).__name__} answered None: does its forward end in return?")
        return outputs

    def compute_loss(self) -> Tensor:
        """The loss of the batch at hand. Override it for a loss that needs more, such as the inputs."""
        if self.loss_function is None:
            loss = find_part(self.outputs, ("loss",))
        else:
            targets = to_plain(self.targets)
            if self.batch_number == 0:
                check_shapes(self.loss_function, self.predicted, targets)
            loss = self.loss_function(self.predicted, targets)
        if not isinstance(loss, Tensor) or loss.ndim:
            raise TypeError(describe_loss(loss, self.loss_function))
        return loss

    def fit_one_cycle(self, epochs: int, rate: Rate, callbacks: Iterable[Callback] = ()) -> None:
        """`fit` with a learning rate that rises to `rate` in the first quarter and then falls to nothing.

        >>> from .callbacks import Progress
        >>> batches = [(torch.ones(2, 3), torch.tensor([0, 1]))] * 4
        >>> quiet = {"callbacks": [Progress("off")], "device": "cpu"}
        >>> learner = Learner((batches, None), nn.Linear(3, 2), nn.CrossEntropyLoss(), **quiet)
        >>> learner.fit_one_cycle(1, rate=0.1)
        >>> [round(rate, 3) for rate in learner.recorder.rates]
        [0.004, 0.1, 0.075, 0.025]
        """
        self.fit(epochs, rate, [Schedule(one_cycle), *callbacks])

    def find_rate(self, **options: float) -> RateCurve:
        """Try learning rates, from far too low to far too high, and give the loss that each led to.

        All is afterwards as it was. `options` are those of the function `find_rate`: where to `start` and to
        `end`, and how many `steps`.

        >>> inputs = torch.randn(64, 4)
        >>> batches = [(inputs, (inputs.sum(dim=1) > 0).long())] * 4
        >>> learner = Learner((batches, None), nn.Linear(4, 2), nn.CrossEntropyLoss(), device="cpu")
        >>> len(learner.find_rate(start=1e-5, end=0.1, steps=20).rates)
        20
        """
        from .finding_the_rate import find_rate

        return find_rate(self, **options)  # type: ignore[arg-type]

    def fine_tune(
        self,
        epochs: int,
        rate: float = 2e-3,
        frozen_epochs: int = 1,
        early: float = 0.01,
        groups: int | None = None,
    ) -> None:
        """Teach a pretrained model something new: the head alone first, then everything, gently.

        For `frozen_epochs` only the last parameter group, the new head, learns, at `rate`: its first
        gradients are noise and would spoil the rest. Then the last `groups` learn for `epochs` (None: all of
        them; early ones cost the most time and change the least), the head at half of `rate` and earlier
        groups at less, the earliest at `early` times that. Both parts are one cycle. Raises ValueError for a
        model without parameter groups.

        >>> from .callbacks import Progress
        >>> class BodyAndHead(nn.Sequential):
        ...     def parameter_groups(self):
        ...         return [list(part.parameters()) for part in self]
        >>> batches = [(torch.ones(2, 3), torch.tensor([0, 1]))]
        >>> model = BodyAndHead(nn.Linear(3, 4), nn.Linear(4, 2))
        >>> quiet = {"callbacks": [Progress("off")], "device": "cpu"}
        >>> learner = Learner((batches, batches), model, nn.CrossEntropyLoss(), **quiet)
        >>> learner.fine_tune(2)
        >>> [row["epoch"] for row in learner.recorder.rows]
        [1, 2, 3]
        """
        self.freeze()
        if frozen_epochs:
            self.fit_one_cycle(frozen_epochs, rate)
        self.freeze(groups or len(self.groups))
        if epochs:
            self.fit_one_cycle(epochs, (rate / 2 * early, rate / 2))

    def freeze(self, learning: int = 1) -> None:
        """Let only the last `learning` parameter groups learn: by default one, the head.

        Raises ValueError when there are no groups, or not so many.

        Batch-norm layers that are frozen use the statistics they came with also in training, and keep them:
        their scale was learned together with these. If they moved to the new data's, the frozen layers behind
        would be given something else than they were trained for, and validation something else than training.
        """
        if len(self.groups) < 2:
            raise ValueError(
                f"freeze leaves only the last parameter group to learn, and {type(self.model).__name__} has "
                "one group: give it a method parameter_groups() that lists its parameters, early ones first."
            )
        let_learn(self.groups, learning)

    def unfreeze(self) -> None:
        """Let all parameters learn."""
        let_learn(self.groups, len(self.groups))

    def set_training(self, training: bool) -> None:
        """Put the model into training or evaluation mode; frozen batch norm stays in the latter."""
        super().set_training(training)
        rest_frozen_norms(self.model)

    def validate(self, loader: Iterable | None = None) -> dict[str, float]:
        """The validation loss and each metric by name, over `data.valid` or another loader.

        >>> batches = [(torch.ones(2, 3), torch.tensor([0, 1]))]
        >>> learner = Learner((batches, batches), nn.Linear(3, 2), nn.CrossEntropyLoss(), device="cpu")
        >>> list(learner.validate())
        ['loss']
        """
        with self._explaining(), suppress(Cancel):
            self.one_pass("validate", self._or_valid(loader))
        values = self.metrics.values
        return {"loss" if name == "valid loss" else name: value for name, value in values.items()}

    def predictions(self, loader: Iterable | None = None) -> tuple[Any, Any]:
        """What the model answers to all of `data.valid` or another loader, and the targets; both on the CPU.

        Returns (predictions, targets), the batches joined: predictions as the model gives them (scores of
        shape (N, C), say), targets with their type. No event happens. Raises ValueError for no batches.

        >>> batches = [(torch.ones(2, 3), torch.tensor([0, 1]))] * 4
        >>> learner = Learner((batches, batches), nn.Linear(3, 2), nn.CrossEntropyLoss(), device="cpu")
        >>> predictions, targets = learner.predictions()
        >>> predictions.shape, targets.shape
        (torch.Size([8, 2]), torch.Size([8]))
        """
        found = self._gather(self._or_valid(loader), lambda: (self.predicted, self.targets))
        predictions, targets = zip(*found, strict=True)
        return join_batches(predictions), join_batches(targets)

    def predict_all(self, source: Any) -> list[Prediction]:
        """What many new items are, one `Prediction` each, in their order.

        `source` is what `data.new` understands (a folder of photos, a table, a list); where data have no such
        method, a loader of batches. Raises what `predict` raises, and ValueError for no items.

        >>> from .losses import CrossEntropy
        >>> batches = [(torch.ones(2, 3), torch.tensor([0, 1]))] * 4
        >>> learner = Learner((batches, batches), nn.Linear(3, 2), CrossEntropy(), device="cpu")
        >>> len(learner.predict_all(batches))
        8
        """
        loader = self.data.new(source) if hasattr(self.data, "new") else source
        return [one for batch in self._gather(loader, self._read_scores) for one in batch]

    def predict(self, item: Any) -> Prediction:
        """What one new item is: anything the data's inputs can be made from, such as a photo's path.

        It is read by the data's `encode_item` (an item becomes a batch of one); where data are a pair of
        torch's loaders, an item is what their data set gives, with or without its target. The loss says by
        `activation` and `decode` what scores mean, and the data what that is called: the value is the name of
        a class, a list of names, a `Mask`, `Keypoints`, a number. Without these it is what the model gave.

        Raises TypeError when data cannot make a batch of an item.

        >>> from types import SimpleNamespace
        >>> from .losses import CrossEntropy
        >>> def encode_item(number):
        ...     return torch.tensor([[float(number)]])
        >>> data = SimpleNamespace(train=[], valid=None, encode_item=encode_item, vocab=("low", "high"))
        >>> learner = Learner(data, nn.Linear(1, 2), CrossEntropy(), device="cpu")
        >>> sorted(learner.predict(3).probabilities)
        ['high', 'low']
        """
        self.inputs = self._encode_item(item)
        with torch.no_grad(), self._explaining():
            self._answer()
            return self._read_scores()[0]

    def _encode_item(self, item: Any) -> Any:
        """A batch of one item, without targets, on the device."""
        if hasattr(self.data, "encode_item"):
            return to_device(self.data.encode_item(item), self.device)
        loaders = [self.data.valid, self.data.train]
        collate = next((one.collate_fn for one in loaders if hasattr(one, "collate_fn")), None)
        if collate is None:
            raise TypeError(describe_missing_encode(self.data))
        return self.read_batch(collate([item]))[0]

    def _answer(self) -> None:
        """Let the model answer to the inputs at hand."""
        if self.model.training:
            self.set_training(False)
        self.outputs = self.call_model(self.inputs)
        self.predicted = find_predictions(self.outputs)

    def _gather(self, loader: Iterable, keep: Callable[[], Any]) -> list[Any]:
        """Let the model answer to each batch of a loader, and keep something of each; no event happens."""
        kept = []
        with self._explaining(), torch.no_grad():
            self.set_training(False)
            self.batch_number, self.batch_count = -1, count_batches(loader)
            batches = self._watched(loader)
            for self.batch_number, batch in enumerate(batches):
                self.inputs, self.targets = self.read_batch(batch)
                self._answer()
                kept.append(keep())
            if not kept:
                raise ValueError(describe_empty(self.training))
        return kept

    def _or_valid(self, loader: Iterable | None) -> Iterable:
        """A loader, or that of the validation data."""
        loader = self.data.valid if loader is None else loader
        if loader is None:
            raise ValueError("data.valid is None: give batches to look at, as in learner.validate(batches).")
        return loader

    def _watched(self, loader: Iterable) -> Iterable:
        """A loader whose progress is shown, in the way that of training is."""
        shows = [one for one in self.callbacks if isinstance(one, Progress)]
        return shows[0].follow(loader, "predicting", self.batch_count) if shows else loader

    def _read_scores(self) -> list[Prediction]:
        """What the scores at hand say about each item."""
        return read_scores(self.predicted, self.loss_function, self.data, self.inputs)

    @property
    def groups(self) -> list[list[nn.Parameter]]:
        """The model's parameters in groups, early layers first and the head last."""
        return find_groups(self.model)

    @property
    def batch_size(self) -> int:
        """How many items the batch at hand has."""
        return count_items(self.targets) or count_items(self.inputs) or count_items(self.predicted) or 1

    def _prepare_optimizer(self, rate: Rate) -> None:
        """Make the optimizer at the first fit of this model, and give each parameter group its rate."""
        groups = self.groups
        check_learnable(self.model, groups)
        rates = spread_rates(rate, len(groups))
        learning = frozenset(id(one) for group in groups for one in group)
        if self._optimizer is None or learning != self._learning:
            made = [{"params": group, "lr": one} for group, one in zip(groups, rates, strict=True)]
            self._optimizer, self._learning = self.make_optimizer(made, lr=rates[-1]), learning
            warn_of_untrained(self.loss_function, self.optimizer)
        give_rates(self.optimizer, groups, rates)
        # A fit that was stopped between backward and step leaves gradients behind.
        self.optimizer.zero_grad()

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The optimizer; made when the first fit begins."""
        if self._optimizer is None:
            raise AttributeError(
                "there is no optimizer before the first fit; it is made from `make_optimizer` then."
            )
        return self._optimizer

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Add to what is raised inside where it happened; leave handlers and model as they were before."""
        listeners, handlers, training = self.listeners, self.handlers, self.training
        try:
            yield
        except BaseException as error:
            explain(error, self)
            raise
        finally:
            self.listeners, self.handlers = listeners, handlers
            self.set_training(training)
