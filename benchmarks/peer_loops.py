"""One epoch of the same training with each library, so that only what stands around the steps differs.

Each takes a `Task`, and trains its network once through its data with torch's SGD (Keras has its own), in its
usual manner: with a bar, and with the loss recorded where that is usual. When each batch was put together
stands in `task.times`; so the set-up of a library does not count, and its loop does.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import torch
from peers import find
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset, default_collate

from coursekit.callbacks import Progress
from coursekit.learner import Learner

RATE = 1e-3
# What each needs of its library; with one of these missing it is left out.
TOOLS = {
    "fastai": {
        "Learner": "fastai.learner:Learner",
        "DataLoaders": "fastai.data.core:DataLoaders",
        "OptimWrapper": "fastai.optimizer:OptimWrapper",
        "progress": "fastai.callback.progress:ProgressCallback",
    },
    "lightning": {"Module": "lightning.pytorch:LightningModule", "Trainer": "lightning.pytorch:Trainer"},
    "ignite": {
        "make_trainer": "ignite.engine:create_supervised_trainer",
        "ProgressBar": "ignite.handlers:ProgressBar",
    },
    "keras": {"Sequential": "keras:Sequential", "layers": "keras:layers", "losses": "keras:losses",
              "SGD": "keras.optimizers:SGD"},
    "skorch": {"NeuralNetClassifier": "skorch:NeuralNetClassifier"},
    "accelerate": {"Accelerator": "accelerate:Accelerator"},
    "transformers": {
        "Trainer": "transformers:Trainer",
        "TrainingArguments": "transformers:TrainingArguments",
        "needs": "accelerate:Accelerator",
    },
}  # fmt: skip


class Task:
    """A network to train, items in memory, and a note of when each batch was put together.

    Args:
        make_model: Makes the network, each time with the same weights.
        inputs: `(N, ...)` floats.
        targets: `(N,)` class numbers.
        batch_size: How many items stand in a batch.
    """

    def __init__(
        self, make_model: Callable[[], nn.Module], inputs: Tensor, targets: Tensor, batch_size: int
    ) -> None:
        self.make_model, self.batch_size = make_model, batch_size
        self.items = TensorDataset(inputs, targets)
        self.times: list[float] = []

    def collate(self, items: list) -> Any:
        """Put a batch together, and note when."""
        self.times.append(time.process_time())
        return default_collate(items)

    def loader(self) -> DataLoader:
        """Batches in the order of the items, made by torch."""
        return DataLoader(self.items, self.batch_size, collate_fn=self.collate)


def by_hand(task: Task) -> None:
    """The loop as one writes it without a library."""
    model = task.make_model().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    for inputs, targets in task.loader():
        loss = functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def ours(task: Task) -> None:
    """With recorder, metrics, the look-out for nan, and a bar."""
    learner = Learner(
        (task.loader(), None),
        task.make_model(),
        functional.cross_entropy,
        optimizer=torch.optim.SGD,
        callbacks=[Progress("terminal")],
        device="cpu",
    )
    learner.fit(1, RATE)


def with_fastai(task: Task, tools: dict[str, Any]) -> None:
    """With its recorder and bar."""
    data = tools["DataLoaders"](task.loader(), task.loader(), device=torch.device("cpu"))
    optimizer = partial(tools["OptimWrapper"], opt=torch.optim.SGD)
    learner = tools["Learner"](
        data, task.make_model(), loss_func=nn.CrossEntropyLoss(), opt_func=optimizer, lr=RATE
    )
    data.valid.collate_fn = default_collate  # Its validation is no part of what is measured.
    learner.fit(1)


def with_lightning(task: Task, tools: dict[str, Any]) -> None:
    """With its bar, and the loss shown on it."""

    class Module(tools["Module"]):
        def __init__(self) -> None:
            super().__init__()
            self.model = task.make_model()

        def training_step(self, batch: Any, number: int) -> Tensor:
            loss = functional.cross_entropy(self.model(batch[0]), batch[1])
            self.log("loss", loss, prog_bar=True)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=RATE)

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_model_summary": False}
    tools["Trainer"](max_epochs=1, accelerator="cpu", **quiet).fit(Module(), task.loader())


def with_ignite(task: Task, tools: dict[str, Any]) -> None:
    """With its bar, and the loss shown on it."""
    model = task.make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    trainer = tools["make_trainer"](model, optimizer, functional.cross_entropy)
    tools["ProgressBar"]().attach(trainer, output_transform=lambda loss: {"loss": loss})
    trainer.run(task.loader(), max_epochs=1)


def with_keras(task: Task, tools: dict[str, Any]) -> None:
    """With its bar and its own SGD; the network is built of its own layers."""
    layers: list[Any] = []
    for one in task.make_model():
        if isinstance(one, nn.Linear):
            layers.append(tools["layers"].Dense(one.out_features))
        elif isinstance(one, nn.Conv2d):
            layers.append(
                tools["layers"].Conv2D(
                    one.out_channels, 3, one.stride[0], padding="same", data_format="channels_first"
                )
            )
        elif isinstance(one, nn.BatchNorm2d):
            layers.append(tools["layers"].BatchNormalization(axis=1))
        elif isinstance(one, nn.ReLU):
            layers.append(tools["layers"].ReLU())
        elif isinstance(one, nn.AdaptiveAvgPool2d):
            layers.append(tools["layers"].GlobalAveragePooling2D(data_format="channels_first"))
    model = tools["Sequential"](layers)
    loss = tools["losses"].SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=tools["SGD"](RATE), loss=loss)
    model.fit(task.loader(), epochs=1, verbose=1)


def with_skorch(task: Task, tools: dict[str, Any]) -> None:
    """As it comes: it records the loss and prints a line an epoch."""
    tools["NeuralNetClassifier"](
        task.make_model(),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        lr=RATE,
        max_epochs=1,
        batch_size=task.batch_size,
        train_split=None,
        iterator_train__collate_fn=task.collate,
    ).fit(task.items, None)


def with_accelerate(task: Task, tools: dict[str, Any]) -> None:
    """The loop by hand, with what it prepares."""
    accelerator = tools["Accelerator"](cpu=True)
    plain = task.make_model()
    model, optimizer, loader = accelerator.prepare(
        plain, torch.optim.SGD(plain.parameters(), lr=RATE), task.loader()
    )
    for inputs, targets in loader:
        loss = functional.cross_entropy(model(inputs), targets)
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()


class WithLoss(nn.Module):
    """A network that computes its own loss, as `transformers` wants it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The loss, beside the scores."""
        scores = self.model(x)
        return {"loss": functional.cross_entropy(scores, labels), "logits": scores}


def with_transformers(task: Task, tools: dict[str, Any]) -> None:
    """Its `Trainer`, with its bar."""

    def collate(items: list) -> dict[str, Tensor]:
        return dict(zip(("x", "labels"), task.collate(items), strict=True))

    model = WithLoss(task.make_model())
    with TemporaryDirectory() as folder:
        settings = tools["TrainingArguments"](
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=task.batch_size,
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            remove_unused_columns=False,
        )
        optimizers = (torch.optim.SGD(model.parameters(), lr=RATE), None)
        tools["Trainer"](
            model, settings, train_dataset=task.items, data_collator=collate, optimizers=optimizers
        ).train()


WITH = {
    "fastai": with_fastai,
    "lightning": with_lightning,
    "ignite": with_ignite,
    "keras": with_keras,
    "skorch": with_skorch,
    "accelerate": with_accelerate,
    "transformers": with_transformers,
}


def every_way() -> dict[str, Callable[[Task], None] | None]:
    """By hand twice, ours, and every peer by its name; None for one that is not installed."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    ways: dict[str, Callable[[Task], None] | None] = {"by hand": by_hand, "by hand again": by_hand}
    ways["ours"] = ours
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, run in WITH.items():
            tools = find("learner", **TOOLS[name])
            ways[name] = partial(run, tools=tools) if all(tools.values()) else None
    return ways
