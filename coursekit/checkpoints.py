"""Checkpoints: training that can be cut off at any moment, and goes on as if it had not been.

In its folder `Checkpoint` keeps `last.safetensors`, from which training is resumed, `best.safetensors`, the
epoch that validated best, and as many `epoch-0007.safetensors` as you like. Each is one file of tensors and
JSON (see `tensor_files`), which names no code, and which is replaced only when the new one is whole: a
process killed while it writes leaves the old one as it was.

    learner.fit_one_cycle(20, 1e-3, callbacks=[kit.Checkpoint("run", every=500)])

If that stops, by a power cut, a crash or Ctrl-C, the same program is run again with `resume=True`: a fit that
was finished is passed over, the one that was cut off goes on where the last file was written, at the end of
an epoch or in the middle of one. On the CPU all numbers are then, bit for bit, those of a run without a
break; so they are on a GPU where its operations give the same twice (see `seed_everything`).
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from . import standing
from .callbacks import Schedule
from .devices import is_first
from .events import Callback, CancelBatch, CancelEpoch
from .tensor_files import put, read_file, write_file

if TYPE_CHECKING:
    from .learner import Learner

FORMAT = "coursekit checkpoint 1"
SMALLER = ("loss", "error", "distance")


class Checkpoint(Callback):
    """Writes down where training stands, and goes on from there after a break.

    Args:
        folder: where the files go; made if it is not there.
        best: which of an epoch's numbers says how good it is, by its name in the recorder's rows. Of a loss
            or an error less is better, of everything else more. If that number is missing there is no best.
        every: write also after so many training batches, and between training and validation; without it
            after each epoch only.
        keep: of how many epochs, the last ones, the files stay beside `last` and `best`.
        resume: go on where `last` stands, if there is one. Without it training begins anew, and replaces what
            is in the folder.

    The first Ctrl-C lets the batch at hand be finished, so that nothing is lost: the file is written and
    KeyboardInterrupt raised. A second one ends at once, and so does the first where several processes train
    together; there the first process writes, and each goes on with its own random numbers.

    Loaders that have `state_dict`, as ours do, go on from any batch at once. Of other data the epoch's first
    batches are read again and passed over, which is exact if their order follows from torch's, numpy's or
    Python's random numbers. What cannot be resumed exactly: data from a generator, and anything that a
    callback remembers without telling it in `state_dict`, or a learner of your own beside its callbacks.

    Raises, when a fit begins with `resume`, a ValueError that says in a sentence why the file cannot be read,
    or does not fit the learner: another model, optimizer, number of batches, rate or number of epochs.

    >>> import torch
    >>> from tempfile import TemporaryDirectory
    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> batches = [(torch.ones(2, 3), torch.tensor([0, 1]))] * 4
    >>> learner = Learner((batches, batches), nn.Linear(3, 2), nn.CrossEntropyLoss(), device="cpu",
    ...                   callbacks=[Progress("off")])
    >>> with TemporaryDirectory() as folder:
    ...     learner.fit(2, rate=0.1, callbacks=[Checkpoint(folder, keep=1)])
    ...     sorted(os.listdir(folder))
    ['best.safetensors', 'epoch-0002.safetensors', 'last.safetensors']
    """

    order = 95
    in_trials = False

    def __init__(
        self,
        folder: str | os.PathLike[str],
        best: str = "valid loss",
        every: int | None = None,
        keep: int = 0,
        resume: bool = False,
    ) -> None:
        if every is not None and every < 1:
            raise ValueError(f"every is a number of batches, 1 or more; {every!r} was asked for.")
        self.folder, self.best, self.every, self.keep, self.resume = Path(folder), best, every, keep, resume
        self.best_value: float | None = None
        self._fits = 0  # How many fits have ended well.
        self._waiting: dict[str, Any] | None = None  # What was read and is to be put back at its moment.
        self._stop = self._listens = False
        self._changes: list[int] = []
        self._around: BaseException | None = None
        self._begun: list[Any] = []  # Random numbers where the pass began.
        self._between: dict[str, Any] = {}  # Random numbers and loaders between training and validation.
        self._validated: dict[str, Tensor] | None = None
        self._wanted: dict[str, Any] = {}
        self._written: dict[str, Any] = {}

    @property
    def last_file(self) -> Path:
        """Where training is resumed from."""
        return self.folder / "last.safetensors"

    def state_dict(self) -> dict[str, Any]:
        """The best number so far."""
        return {"best_value": self.best_value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back the best number so far."""
        self.best_value = state["best_value"]

    # Going on: what was read is put back at the very moment at which it was written.

    def before_fit(self, learner: Learner) -> None:
        self._around, self._stop, self._written = sys.exception(), False, {}
        self._wanted = {
            "epochs": learner.epochs,
            "rates": [group["lr"] for group in learner.optimizer.param_groups],
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.resume and os.path.lexists(self.last_file):
            self._waiting = read_file(self.last_file, FORMAT)
        self.resume = False
        if self._waiting is not None:
            try:
                self._find_place(learner, self._waiting)
            except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
                self.resume, self._waiting = True, None
                said = error if isinstance(error, ValueError) else "it is not made as a checkpoint is"
                raise ValueError(f"{self.last_file} cannot be resumed here: {said}.") from error
        self._listen()

    def _find_place(self, learner: Learner, state: dict[str, Any]) -> None:
        """Let this fit begin where it was left; one that was finished is passed over."""
        place = state["place"]
        standing.check(state, learner)
        self._name_also(["best"] * bool(place.get("best")))  # If it was killed before it came to that.
        if place["fit"] > self._fits:
            learner.first_epoch = learner.epochs
            return
        self._compare(state["wanted"], learner)
        standing.check_callbacks(state, learner)
        learner.first_epoch = place["epoch"]
        if not (place["batch"] or place["trained"]):
            self._put_back(learner)

    def _compare(self, wanted: dict[str, Any], learner: Learner) -> None:
        """Refuse another rate, and another number of epochs if the rate depends on it."""
        if wanted["rates"] != self._wanted["rates"]:
            raise ValueError(
                f"its fit was given the rates {wanted['rates']}, and this one {self._wanted['rates']}"
            )
        scheduled = any(isinstance(one, Schedule) for one in learner.listeners)
        if scheduled and wanted["epochs"] != learner.epochs:
            raise ValueError(
                f"its fit was to have {wanted['epochs']} epochs and this one {learner.epochs}, which would "
                "give every batch another rate"
            )

    def _put_back(self, learner: Learner) -> None:
        """Put back all that was read."""
        state, self._waiting = self._waiting, None
        if state is not None:
            standing.restore(state, learner)

    def before_epoch(self, learner: Learner) -> None:
        if self._waiting is not None and self._waiting["place"]["trained"]:
            self._between = {name: self._waiting[name] for name in ("random", "loaders")}
            self._put_back(learner)
            self._changes = changes(learner.model)
            learner.one_pass("validate", learner.data.valid)
            raise CancelEpoch

    def before_train(self, learner: Learner) -> None:
        self._begun = standing.of_all(standing.random_state())
        if self._waiting is None:
            return
        self._begun = self._waiting["begun"]
        if hasattr(learner.data.train, "state_dict"):
            learner.first_batch = self._waiting["place"]["batch"]
            self._put_back(learner)
        else:
            standing.set_random_state(standing.own(self._begun))

    def before_batch(self, learner: Learner) -> None:
        if self._waiting is not None:
            raise CancelBatch  # It was done before the break.

    # Writing.

    def after_batch(self, learner: Learner) -> None:
        number = learner.batch_number + 1
        if self._waiting is not None:
            if number == self._waiting["place"]["batch"]:
                self._put_back(learner)
        elif not learner.training:
            if self._stop:
                raise CancelEpoch
        elif number != learner.batch_count and (self._stop or (self.every and number % self.every == 0)):
            self._write(learner, batch=number)
            self._end()

    def after_train(self, learner: Learner) -> None:
        learner.first_batch = 0
        self._between = {
            "random": standing.of_all(standing.random_state()),
            "loaders": standing.places(learner.data),
        }
        self._changes = changes(learner.model)
        whole = learner.batch_count in (None, learner.batch_number + 1)
        if whole and learner.data.valid is not None and (self._stop or self.every):
            self._write(learner, trained=True)
            self._end()

    def before_validate(self, learner: Learner) -> None:
        # A callback such as AverageWeights may validate other weights than those that learn.
        others = changes(learner.model) != self._changes
        tensors = learner.model.state_dict().items()
        self._validated = {name: one.clone() for name, one in tensors} if others else None

    def after_validate(self, learner: Learner) -> None:
        if self._stop:
            self._write(learner, trained=True)
            self._end()

    def after_epoch(self, learner: Learner) -> None:
        value = learner.recorder.rows[-1].get(self.best)
        better = value is not None and (self.best_value is None or self._is_better(value, self.best_value))
        self.best_value = value if better else self.best_value
        number = len(learner.recorder.rows)
        names = ["best"] * better + [f"epoch-{number:04}"] * bool(self.keep)
        self._write(learner, epoch=learner.epoch + 1, best=better)
        self._name_also(names)
        self._end()

    def _is_better(self, value: float, than: float) -> bool:
        smaller = any(word in self.best for word in SMALLER)
        return than != than or (value < than if smaller else value > than)

    def after_fit(self, learner: Learner) -> None:
        self._unlisten()
        if sys.exception() is not self._around:
            return
        if self._waiting is not None:
            # This fit was over long ago; whatever its callbacks did just now is undone.
            standing.restore(self._waiting, learner)
        elif learner.first_epoch < learner.epochs and self._written.get("epoch") != learner.epochs:
            self._write(learner, epoch=learner.epochs)  # It was ended early, and is not to go on.
        self._fits += 1

    def _write(self, learner: Learner, **place: Any) -> None:
        """Write where training stands, now."""
        state = standing.gather(learner)
        if place.get("trained"):
            state |= self._between
        self._written = {"fit": self._fits, "epoch": learner.epoch, "batch": 0, "trained": False} | place
        state |= {"place": self._written, "wanted": self._wanted, "begun": self._begun}
        state |= {"validated": self._validated}
        if is_first():
            write_file(self.last_file, state, FORMAT)

    def _end(self) -> None:
        """End here, if Ctrl-C asked for it and everything is written."""
        if self._stop:
            raise KeyboardInterrupt

    def _name_also(self, names: list[str]) -> None:
        """Give what was just written other names too; it is copied only where a file has only one."""
        for name in names if is_first() else []:
            file, unfinished = (
                self.folder / f"{name}.safetensors",
                self.folder / f"{name}.safetensors.unfinished",
            )
            unfinished.unlink(missing_ok=True)
            try:
                os.link(self.last_file, unfinished)
            except OSError:
                shutil.copyfile(self.last_file, unfinished)
            put(unfinished, file)
        if any(name != "best" for name in names) and is_first():
            for old in sorted(self.folder.glob("epoch-*.safetensors"))[: -self.keep]:
                old.unlink()

    def _listen(self) -> None:
        """Let the first Ctrl-C wait for the end of the batch, where nobody else listens to it."""
        here = threading.current_thread() is threading.main_thread() and len(standing.of_all(None)) == 1
        self._listens = here and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._listens:
            signal.signal(signal.SIGINT, self._hear)

    def _hear(self, number: int, frame: Any) -> None:
        if self._stop:
            raise KeyboardInterrupt
        self._stop = True

    def _unlisten(self) -> None:
        if self._listens:
            self._listens = False
            signal.signal(signal.SIGINT, signal.default_int_handler)


def changes(model: nn.Module) -> list[int]:
    """How often each of a model's tensors was written to, as torch counts it.

    >>> model = nn.Linear(1, 1)
    >>> before = changes(model)
    >>> model.weight.data = model.weight.data  # nothing is written
    >>> changes(model) == before
    True
    """
    return [one._version for one in (*model.parameters(), *model.buffers())]


def load_weights(model: nn.Module, file: str | os.PathLike[str]) -> None:
    """Give a model the weights of a checkpoint, those that were validated, and leave all else as it is.

    Where a callback such as `AverageWeights` validates other weights than those that learn, it is these that
    the model gets: the number in `best` is theirs. They go to the device and dtype that the model has.

    Args:
        model: the model that was trained, made anew.
        file: what `Checkpoint` wrote: `run/best.safetensors`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no checkpoint, or one of another model.

    >>> load_weights(nn.Linear(2, 1), "nowhere/best.safetensors")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'nowhere/best.safetensors'
    """
    state = read_file(file, FORMAT)
    try:
        weights = state["validated"] or state["model"]
        standing.check_model(weights, model)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        said = error if isinstance(error, ValueError) else "it is not made as a checkpoint is"
        raise ValueError(f"{os.fspath(file)} cannot be loaded here: {said}.") from None
    model.load_state_dict(weights)
