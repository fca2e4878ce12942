"""The learner: batches and models of any form, freezing, predicting, and errors that help."""

from __future__ import annotations

import copy
import signal
from collections import UserDict
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from coursekit.callbacks import Callback, CancelFit, Progress
from coursekit.learner import Learner, Prediction
from coursekit.losses import CrossEntropy
from coursekit.metrics import Recall, accuracy
from coursekit.schedules import one_cycle
from coursekit.tensors import Category

VOCAB = ("sound", "broken")


def make_batches(count: int = 4, size: int = 16, features: int = 4, seed: int = 0) -> list:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, size, features, generator=generator)
    return [(x, Category((x.sum(dim=1) > 0).long(), vocab=VOCAB)) for x in inputs]


def make_learner(model=None, train=None, valid=None, loss=None, callbacks=(), **options) -> Learner:
    """A learner on a small linear task that shows nothing."""
    torch.manual_seed(0)
    data = (make_batches() if train is None else train, make_batches(2, seed=1) if valid is None else valid)
    model = model or nn.Linear(data[0][0][0].shape[1] if isinstance(data[0], list) else 4, 2)
    callbacks = [Progress("off"), *callbacks]
    return Learner(data, model, loss or CrossEntropy(), callbacks=callbacks, device="cpu", **options)


class Network(nn.Module):
    """A body with batch norm and a head, in two groups."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU())
        self.head = nn.Sequential(nn.BatchNorm1d(8), nn.Linear(8, 2))

    def forward(self, x):
        return self.head(self.body(x))

    def parameter_groups(self):
        return [list(self.body.parameters()), list(self.head.parameters())]


class TestFit:
    def test_learns(self):
        learner = make_learner(metrics=[accuracy])
        before = learner.validate()
        learner.fit(20, rate=0.05)

        assert learner.validate()["loss"] < before["loss"] / 2
        assert learner.validate()["accuracy"] > 0.9

    def test_does_what_the_loop_written_by_hand_does(self):
        learner = make_learner(optimizer=torch.optim.SGD)
        torch.manual_seed(0)
        model = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            for inputs, targets in make_batches():
                functional.cross_entropy(model(inputs), torch.Tensor.long(targets)).backward()
                optimizer.step()
                optimizer.zero_grad()
        learner.fit(3, rate=0.1)

        assert torch.equal(learner.model.weight, model.weight)

    def test_one_cycle_rises_and_falls(self):
        learner = make_learner()
        learner.fit_one_cycle(5, rate=0.1)
        rates = learner.recorder.rates

        assert max(rates) == pytest.approx(0.1)
        assert rates.index(max(rates)) == 5
        assert rates[0] == pytest.approx(0.004)
        assert rates[-1] < 0.002

    def test_the_optimizer_goes_on_from_fit_to_fit(self):
        learner = make_learner()
        learner.fit(1, rate=0.1)
        optimizer = learner.optimizer
        learner.fit(1, rate=0.01)

        assert learner.optimizer is optimizer
        assert optimizer.param_groups[0]["lr"] == 0.01

    def test_a_rate_is_found_without_a_trace(self):
        learner = make_learner(train=make_batches(8))
        before = learner.model.weight.clone()
        curve = learner.find_rate(start=1e-4, steps=50)

        assert curve.rates[0] == pytest.approx(1e-4)
        assert 1e-3 < curve.suggestion < 10
        assert torch.equal(learner.model.weight, before)
        assert learner.recorder.losses == []

    def test_another_model_gets_another_optimizer(self):
        learner = make_learner()
        learner.fit(1, rate=0.1)
        learner.model = nn.Linear(4, 2)
        before = learner.model.weight.clone()
        learner.fit(1, rate=0.1)

        assert not torch.equal(learner.model.weight, before)

    def test_an_optimizer_may_group_the_parameters_in_its_own_way(self):
        def decay_weights_only(groups, lr):
            (parameters,) = [group["params"] for group in groups]
            some = [{"params": parameters[:1]}, {"params": parameters[1:], "weight_decay": 0.0}]
            return torch.optim.SGD(some, lr=lr, weight_decay=0.1)

        learner = make_learner(optimizer=decay_weights_only)
        learner.fit(1, rate=0.1)
        learner.fit(1, rate=0.2)

        assert [group["lr"] for group in learner.optimizer.param_groups] == [0.2, 0.2]

    def test_divided_groups_keep_the_rates_of_their_parameters(self):
        def decay_matrices_only(groups, lr):
            some = [
                group | {"params": [one for one in group["params"] if (one.ndim > 1) == matrices]}
                for group in groups
                for matrices in (True, False)
            ]
            return torch.optim.SGD(some, lr=lr, weight_decay=0.1)

        learner = make_learner(Network(), optimizer=decay_matrices_only)
        learner.fit(1, rate=(0.01, 0.1))

        rates = [group["lr"] for group in learner.optimizer.param_groups]
        assert rates == pytest.approx([0.01, 0.01, 0.1, 0.1])

    def test_groups_that_mix_rates_are_refused(self):
        def all_in_one(groups, lr):
            return torch.optim.SGD([one for group in groups for one in group["params"]], lr=lr)

        learner = make_learner(Network(), optimizer=all_in_one)
        learner.fit(1, rate=0.1)
        with pytest.raises(ValueError, match=r"group 0 of the optimizer .* different rates, \[0.01, 0.1\]"):
            learner.fit(1, rate=(0.01, 0.1))

    def test_a_rate_for_each_group(self):
        learner = make_learner(Network())
        learner.fit(1, rate=[0.2, 0.1])

        assert [group["lr"] for group in learner.optimizer.param_groups] == [0.2, 0.1]

    def test_a_loss_with_parameters_is_taught_or_told_of(self):
        class Tempered(nn.Module):
            def __init__(self):
                super().__init__()
                self.heat = nn.Parameter(torch.zeros(()))

            def forward(self, scores, targets):
                return functional.cross_entropy(scores * self.heat.exp(), targets)

        with pytest.warns(UserWarning, match="The loss Tempered has parameters that nothing teaches, heat"):
            make_learner(loss=Tempered()).fit(1, rate=0.1)
        loss = Tempered()

        def both(groups, lr):
            return torch.optim.SGD([*groups, {"params": loss.parameters()}], lr=lr)

        make_learner(loss=loss, optimizer=both).fit(1, rate=0.1)
        assert loss.heat.item() != 0
        make_learner(loss=Tempered().requires_grad_(False)).fit(1, rate=0.1)

    def test_no_optimizer_before_the_first_fit(self):
        with pytest.raises(AttributeError, match="no optimizer before the first fit"):
            _ = make_learner().optimizer

    def test_leaves_the_model_ready_to_answer(self):
        learner = make_learner(Network())
        learner.fit(1, rate=0.1)

        assert not any(module.training for module in learner.model.modules())

    def test_without_a_validation_set(self):
        learner = make_learner()
        learner.data.valid = None
        learner.fit(1, rate=0.1)

        assert "valid loss" not in learner.recorder.rows[0]

    def test_data_may_be_an_object(self):
        data = SimpleNamespace(train=make_batches(), valid=None)
        learner = Learner(data, nn.Linear(4, 2), CrossEntropy(), callbacks=[Progress("off")], device="cpu")
        learner.fit(1, rate=0.1)

        assert len(learner.recorder.losses) == 4

    def test_data_are_moved_to_the_device(self):
        class Loaders(SimpleNamespace):
            def to(self, device):
                self.device = device

        data = Loaders(train=make_batches(), valid=None)
        Learner(data, nn.Linear(4, 2), CrossEntropy(), device="cpu")

        assert data.device == torch.device("cpu")

    def test_data_without_a_length(self):
        class Stream:
            def __iter__(self):
                return iter(make_batches())

        learner = make_learner(train=Stream(), valid=Stream())
        learner.fit_one_cycle(2, rate=0.1)

        assert len(learner.recorder.losses) == 8
        assert learner.recorder.rates == [one_cycle(0.25) * 0.1] * 4 + [one_cycle(0.75) * 0.1] * 4

    @pytest.mark.parametrize(
        ("epochs", "rate", "words"),
        [
            (0, 0.1, "at least 1 epoch; epochs=0"),
            (1, 0, "a rate is a positive number, or a pair of them.*got 0"),
            (1, (0.1, -0.1), r"got \(0.1, -0.1\)"),
            (1, "fast", "got 'fast'"),
        ],
    )
    def test_says_what_epochs_and_rates_may_be(self, epochs, rate, words):
        with pytest.raises(ValueError, match=words):
            make_learner().fit(epochs, rate)

    def test_validation_within_a_fit_disturbs_nothing(self):
        class Look(Callback):
            def after_epoch(self, learner):
                learner.validate(make_batches(1, seed=5))
                learner.predictions()

        model = Network()
        plain, looking = make_learner(copy.deepcopy(model)), make_learner(model)
        plain.fit_one_cycle(3, rate=0.1)
        looking.fit_one_cycle(3, rate=0.1, callbacks=[Look()])

        assert plain.recorder.losses == looking.recorder.losses


@dataclass
class Batch:
    """A batch as an object."""

    inputs: torch.Tensor
    targets: torch.Tensor


class Named(nn.Module):
    """A model with named inputs that makes its own loss, as the models of `transformers` do."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, features, labels=None, **others):
        logits = self.linear(features)
        loss = None if labels is None else functional.cross_entropy(logits, labels)
        return SimpleNamespace(loss=loss, logits=logits)


class TestForms:
    """Batches and models of any form."""

    def test_objects(self):
        learner = make_learner(
            nn.Linear(4, 2), train=[Batch(*batch) for batch in make_batches()], metrics=[accuracy]
        )
        learner.fit(1, rate=0.1)

        assert learner.targets.vocab == VOCAB
        assert learner.recorder.rows[0]["accuracy"] > 0

    def test_the_parts_of_an_object_are_moved_to_the_device(self):
        learner = make_learner()
        learner.device = torch.device("meta")
        inputs, targets = learner.read_batch(Batch(*make_batches(1)[0]))

        assert inputs.device == targets.device == learner.device
        assert isinstance(targets, Category)

    @pytest.mark.parametrize("form", [dict, UserDict])
    def test_dicts_and_a_model_with_its_own_loss(self, form):
        def named(batches):
            return [form({"features": x, "labels": y}) for x, y in batches]

        learner = Learner(
            (named(make_batches()), named(make_batches(2))),
            Named(),
            metrics=[accuracy],
            callbacks=[Progress("off")],
            device="cpu",
        )
        learner.fit(2, rate=0.1)

        assert learner.predicted.shape == (16, 2)
        assert set(learner.recorder.rows[0]) == {"epoch", "train loss", "valid loss", "accuracy", "seconds"}

    def test_a_model_that_answers_with_a_dict(self):
        class Answer(nn.Linear):
            def forward(self, x):
                return {"out": super().forward(x), "features": x}

        learner = make_learner(Answer(4, 2), metrics=[accuracy])
        learner.fit(1, rate=0.1)

        assert learner.predictions()[0].shape == (32, 2)

    def test_several_inputs(self):
        class Two(nn.Linear):
            def forward(self, x, scale):
                return super().forward(x * scale)

        batches = [(x, torch.ones(1), y) for x, y in make_batches()]
        learner = make_learner(Two(4, 2), train=batches, valid=batches)
        learner.fit(1, rate=0.1)

        assert len(learner.inputs) == 2

    def test_inputs_alone(self):
        class Own(nn.Linear):
            def forward(self, x):
                return {"loss": functional.mse_loss(super().forward(x), x)}

        batches = [x for x, _ in make_batches()]
        learner = Learner((batches, batches), Own(4, 4), callbacks=[Progress("off")], device="cpu")
        learner.fit(1, rate=0.1)

        assert learner.targets is None
        assert learner.batch_size == 16

    def test_a_batch_of_your_own_form(self):
        class Mine(Learner):
            def read_batch(self, batch):
                return super().read_batch(tuple(batch.split(" ")) and make_batches(1)[0])

        learner = Mine(
            (["a b", "c d"], None), nn.Linear(4, 2), CrossEntropy(), callbacks=[Progress("off")], device="cpu"
        )
        learner.fit(1, rate=0.1)

        assert len(learner.recorder.losses) == 2


class TestOwnIdeas:
    """What a researcher changes, each in one place."""

    def test_a_loss_that_needs_the_inputs(self):
        class WithInputs(Learner):
            def compute_loss(self):
                return super().compute_loss() + (self.predicted.sum(1) * self.inputs.sum(1)).mean() ** 2

        learner = WithInputs(
            (make_batches(), None), nn.Linear(4, 2), CrossEntropy(), callbacks=[Progress("off")], device="cpu"
        )
        learner.fit(1, rate=0.1)

        assert len(learner.recorder.losses) == 4

    def test_a_step_of_your_own_with_two_optimizers(self):
        class Pair(Learner):
            def step(self):
                self.emit("before_backward")
                for part, optimizer in self.parts.items():
                    self.loss = self.model[part](self.inputs).pow(2).mean()
                    self.loss.backward()
                    optimizer.step()
                    self.optimizer.zero_grad()
                self.emit("after_step")

        model = nn.ModuleDict({"maker": nn.Linear(4, 2), "judge": nn.Linear(4, 2)})
        learner = Pair((make_batches(), None), model, device="cpu", callbacks=[Progress("off")])
        learner.parts = {name: torch.optim.SGD(part.parameters(), lr=0.1) for name, part in model.items()}
        learner.loss = torch.zeros(())
        learner.callbacks = learner.callbacks[:1]
        before = [part.weight.clone() for part in model.values()]
        learner.fit(1, rate=0.1)

        assert not any(
            torch.equal(old, part.weight) for old, part in zip(before, model.values(), strict=True)
        )


class TestFreezing:
    def test_only_the_head_learns_while_frozen(self):
        learner = make_learner(Network())
        learner.freeze()
        body = [parameter.clone() for parameter in learner.model.body.parameters()]
        head = [parameter.clone() for parameter in learner.model.head.parameters()]
        learner.fit(1, rate=0.1)

        assert all(map(torch.equal, body, learner.model.body.parameters()))
        assert not any(map(torch.equal, head, learner.model.head.parameters()))

    def test_statistics_of_frozen_batch_norm_do_not_move(self):
        learner = make_learner(Network())
        learner.freeze()
        learner.fit(1, rate=0.1)
        frozen, learning = learner.model.body[1], learner.model.head[0]

        assert torch.equal(frozen.running_mean, torch.zeros(8))
        assert frozen.num_batches_tracked == 0
        assert learning.num_batches_tracked == 4

    def test_unfrozen_they_move_again(self):
        learner = make_learner(Network())
        learner.freeze()
        learner.unfreeze()
        learner.fit(1, rate=0.1)

        assert learner.model.body[1].num_batches_tracked == 4
        assert not torch.equal(learner.model.body[1].running_mean, torch.zeros(8))

    def test_fine_tune_trains_the_head_first_and_then_all_gently(self):
        seen = []

        class Watch(Callback):
            def before_backward(self, learner):
                body, head = learner.model.parameter_groups()
                rates = [group["lr"] for group in learner.optimizer.param_groups]
                seen.append((body[0].requires_grad, head[0].requires_grad, rates[0] / rates[1]))

        learner = make_learner(Network(), callbacks=[Watch()])
        learner.fine_tune(2, rate=0.1, frozen_epochs=1)

        assert [row["epoch"] for row in learner.recorder.rows] == [1, 2, 3]
        assert [(body, head) for body, head, _ in seen] == [(False, True)] * 4 + [(True, True)] * 8
        assert [ratio for *_, ratio in seen] == pytest.approx([1.0] * 4 + [0.01] * 8)
        assert max(learner.recorder.rates[:4]) == pytest.approx(0.1)
        assert max(learner.recorder.rates[4:]) == pytest.approx(0.05)

    def test_fine_tune_may_leave_early_groups_frozen(self):
        learner = make_learner(Network())
        body = [parameter.clone() for parameter in learner.model.body.parameters()]
        learner.fine_tune(1, rate=0.1, groups=1)

        assert all(map(torch.equal, body, learner.model.body.parameters()))

    def test_more_groups_than_there_are_cannot_learn(self):
        with pytest.raises(ValueError, match="the model has 2 parameter groups; 3 cannot learn"):
            make_learner(Network()).freeze(learning=3)

    def test_a_model_without_groups_says_what_to_write(self):
        with pytest.raises(ValueError, match=r"Linear has one group: give it a method parameter_groups\(\)"):
            make_learner().freeze()

    def test_groups_that_forget_a_parameter_are_found_at_once(self):
        class Forgets(Network):
            def parameter_groups(self):
                return [list(self.body[0].parameters()), list(self.head.parameters())]

        with pytest.raises(
            ValueError, match=r"Forgets.parameter_groups\(\) .* 2 are missing or there twice: body.1"
        ):
            make_learner(Forgets())


class TestAnswers:
    def test_predictions_are_joined_and_targets_keep_their_type(self):
        learner = make_learner()
        predictions, targets = learner.predictions()

        assert (predictions.shape, targets.shape) == ((32, 2), (32,))
        assert type(predictions) is torch.Tensor
        assert isinstance(targets, Category)
        assert targets.vocab == VOCAB
        assert not predictions.requires_grad
        assert float(accuracy(predictions, targets)) == pytest.approx(
            make_learner(metrics=[accuracy]).validate()["accuracy"]
        )

    def test_predictions_of_another_loader(self):
        predictions, targets = make_learner().predictions(make_batches(1, size=3))

        assert (len(predictions), len(targets)) == (3, 3)

    def test_validate_takes_another_loader(self):
        learner = make_learner()

        assert learner.validate(make_batches(1, seed=9)) != learner.validate()

    def test_validate_can_be_cancelled(self):
        class Stop(Callback):
            def after_batch(self, learner):
                raise CancelFit

        learner = make_learner(callbacks=[Stop()])

        assert set(learner.validate()) == {"loss"}

    def test_predict_says_what_one_item_is(self):
        learner = make_learner(nn.Linear(1, 2))
        learner.data = SimpleNamespace(encode_item=lambda item: torch.tensor([[float(item)]]), vocab=VOCAB)
        with torch.no_grad():
            learner.model.weight.copy_(torch.tensor([[0.0], [1.0]]))
            learner.model.bias.zero_()
        prediction = learner.predict("2")

        assert isinstance(prediction, Prediction)
        assert prediction.label == "broken"
        assert prediction.probability == pytest.approx(0.8808, abs=1e-4)
        assert prediction.probabilities == pytest.approx({"sound": 0.1192, "broken": 0.8808}, abs=1e-4)
        assert prediction.scores.tolist() == [0, 2]
        assert str(prediction) == "broken (probability 0.881)"

    def test_predict_says_when_there_are_other_names_than_scores(self):
        learner = make_learner(nn.Linear(1, 3))
        learner.data = SimpleNamespace(encode_item=lambda item: torch.zeros(1, 1), vocab=VOCAB)
        with pytest.raises(
            ValueError, match=r"gives 3 scores an item, and the data name 2 classes: sound, broken"
        ):
            learner.predict("photo.jpg")

    def test_predict_needs_data_that_make_a_batch_of_one(self):
        with pytest.raises(TypeError, match=r"SimpleNamespace does not say how. Give your data a method"):
            make_learner().predict("photo.jpg")

    def test_predict_takes_an_item_as_the_data_set_of_torchs_loader_gives_it(self):
        items = [(x, y) for inputs, targets in make_batches(1) for x, y in zip(inputs, targets, strict=True)]
        loader = torch.utils.data.DataLoader(items, batch_size=4)
        learner = make_learner(nn.Linear(4, 2), train=loader, valid=loader)

        assert learner.predict(items[0]).scores.tolist() == learner.predict(items[0][0]).scores.tolist()
        assert learner.predict(items[0]).label in ("0", "1")

    def test_predict_leaves_the_model_answering_and_nothing_behind_for_training(self):
        learner = make_learner(Network())
        learner.data.encode_item = lambda item: torch.ones(1, 4)
        learner.model.train()
        learner.predict(None)

        assert not learner.model.training
        assert not learner.predicted.requires_grad

    def test_predict_all_answers_for_each_item_in_order(self):
        learner = make_learner()
        scores, _ = learner.predictions()
        found = learner.predict_all(make_batches(2, seed=1))

        assert torch.stack([one.scores for one in found]).equal(scores)

    def test_predict_all_asks_the_data_for_a_loader(self):
        learner = make_learner()
        learner.data.new = lambda source: [(torch.full((source, 4), 1.0),)]

        assert len(learner.predict_all(3)) == 3

    def test_predictions_that_take_long_show_how_far_they_are(self, capsys, monkeypatch):
        from coursekit import callbacks

        monkeypatch.setattr(callbacks, "SECONDS_BETWEEN", 0)
        learner = make_learner(callbacks=[Progress("terminal")])
        learner.callbacks = [one for one in learner.callbacks if getattr(one, "style", "") != "off"]
        learner.predictions()

        assert "predicting:" in capsys.readouterr().err


def notes_of(error) -> str:
    """The notes of a caught error, as a person sees them."""
    return "\n".join(error.value.__notes__)


class TestErrors:
    """What is raised arrives as it is, with a note on where."""

    def test_of_a_callback(self):
        class Shout(Callback):
            def after_loss(self, learner):
                if learner.batch_number == 2 and learner.epoch == 1:
                    raise KeyError("mine")

        with pytest.raises(KeyError, match="mine") as error:
            make_learner(callbacks=[Shout()]).fit(3, rate=0.1)

        assert notes_of(error) == "Where: Shout.after_loss, epoch 2 of 3, training batch 3 of 4."

    def test_of_a_metric(self):
        with pytest.raises(ValueError, match=r"no class 'cracked'; the classes are sound, broken") as error:
            make_learner(metrics=[Recall(of="cracked")]).fit(1, rate=0.1)

        assert notes_of(error) == (
            "The metric: recall of cracked (predictions: Tensor of shape (16, 2), float32, cpu; "
            "targets: Category of shape (16,), int64, cpu).\n"
            "Where: Metrics.after_batch, epoch 1 of 1, validation batch 1 of 2."
        )

    def test_of_a_layer_that_does_not_fit(self):
        model = nn.Sequential(nn.Flatten(), nn.Sequential(nn.ReLU(), nn.Linear(5, 2)))
        with pytest.raises(RuntimeError, match="16x4 and 5x2") as error:
            make_learner(model).fit(1, rate=0.1)

        assert "Where: the model's layer 1.1, Linear(in_features=5, out_features=2, bias=True)" in notes_of(
            error
        )
        assert (
            "(inputs: Tensor of shape (16, 4), float32, cpu), epoch 1 of 1, training batch 1 of 4."
            in notes_of(error)
        )
        assert "What to try: A Linear layer takes as many numbers an item (in_features)" in notes_of(error)

    def test_of_an_inner_layer_says_what_that_layer_was_given(self):
        model = nn.Sequential(nn.Linear(4, 6), nn.Sequential(nn.ReLU(), nn.Linear(5, 2)))
        with pytest.raises(RuntimeError, match="16x6 and 5x2") as error:
            make_learner(model).fit(1, rate=0.1)

        assert (
            "the model's layer 1.1, Linear(in_features=5, out_features=2, bias=True) (given: Tensor of shape "
            "(16, 6), float32, cpu; the model's inputs: Tensor of shape (16, 4), float32, cpu)"
        ) in notes_of(error)

    def test_of_a_model_that_forgets_to_return(self):
        class Silent(nn.Linear):
            def forward(self, x):
                super().forward(x)

        with pytest.raises(TypeError, match="Silent answered None: does its forward end in return"):
            make_learner(Silent(4, 2)).fit(1, rate=0.1)

    def test_of_a_model_on_two_devices(self):
        learner = make_learner(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)))
        learner.model[1].to("meta")
        with pytest.raises(RuntimeError, match="device") as error:
            learner.fit(1, rate=0.1)

        assert "Where: the model's layer 1, Linear" in notes_of(error)
        assert "is moved by learner.model.to(learner.device)" in notes_of(error)

    def test_of_batches_without_targets(self):
        with pytest.raises(AttributeError) as error:
            make_learner(train=[x for x, _ in make_batches()], model=nn.Linear(4, 2)).fit(1, rate=0.1)

        assert "This batch holds inputs alone: a batch is a pair (inputs, targets)." in notes_of(error)

    def test_of_targets_that_are_a_list(self):
        with pytest.raises(AttributeError) as error:
            make_learner(train=[(x, y.tolist()) for x, y in make_batches()]).fit(1, rate=0.1)

        assert "torch.tensor(targets) makes a tensor of them" in notes_of(error)

    def test_of_a_model_that_answers_with_a_tuple(self):
        train = [(x[:, None], y) for x, y in make_batches()]
        with pytest.raises(AttributeError) as error:
            make_learner(nn.LSTM(4, 2, batch_first=True), train=train).fit(1, rate=0.1)

        assert "The model answered with a tuple, and the loss needs a tensor: let forward" in notes_of(error)

    def test_of_a_metric_that_gives_no_number(self):
        with pytest.raises(TypeError, match="<lambda> gave NoneType: does it end in return") as error:
            make_learner(metrics=[lambda predictions, targets: None]).fit(1, rate=0.1)

        assert "The metric: <lambda> (predictions: Tensor of shape (16, 2)" in notes_of(error)

    def test_of_a_fit_within_a_fit(self):
        class Again(Callback):
            def after_epoch(self, learner):
                learner.fit(1, rate=0.1)

        with pytest.raises(RuntimeError, match="fit was called within a fit") as error:
            make_learner(callbacks=[Again()]).fit(1, rate=0.1)

        assert "Where: Again.after_epoch, epoch 1 of 1" in notes_of(error)
        make_learner().fit(1, rate=0.1)

    def test_of_a_look_within_a_fit_is_told_once(self):
        class Look(Callback):
            def after_epoch(self, learner):
                learner.validate([])

        with pytest.raises(ValueError, match="gave no batch") as error:
            make_learner(callbacks=[Look()]).fit(1, rate=0.1)

        assert notes_of(error).count("Where:") == 1

    def test_of_a_callback_alone(self):
        with pytest.raises(TypeError, match=r"callbacks=\[kit.StopEarly\(\)\]; Progress came alone"):
            make_learner().fit(1, rate=0.1, callbacks=Progress("off"))

    def test_of_what_is_not_there_to_look_at(self):
        learner = make_learner()
        learner.data.valid = None
        for ask in (learner.validate, learner.predictions):
            with pytest.raises(ValueError, match=r"data.valid is None: give batches to look at, as in"):
                ask()

    def test_of_the_loss(self):
        with pytest.raises(
            ValueError, match=r"Scores of shape \(16, 2, 1\) need targets of shape \(16, 1\)"
        ) as error:
            make_learner(nn.Sequential(nn.Linear(4, 2), nn.Unflatten(1, (2, 1)))).fit(1, rate=0.1)

        assert (
            "Where: the loss (predictions: Tensor of shape (16, 2, 1), float32, cpu; targets: Category"
            in notes_of(error)
        )

    def test_of_labels_out_of_range(self):
        batches = [(x, torch.full((16,), 2)) for x, _ in make_batches()]
        with pytest.raises(ValueError, match=r"from 0 to 1; these hold 2\.\nGive the model 3 outputs"):
            make_learner(train=batches).fit(1, rate=0.1)

    def test_of_a_loss_that_is_no_single_number(self):
        def each(predictions, targets):
            return functional.cross_entropy(predictions, targets, reduction="none")

        words = r"one number, a tensor of shape \(\); each gave a Tensor of shape \(16,\).*take its mean"
        with pytest.raises(TypeError, match=words):
            make_learner(loss=each).fit(1, rate=0.1)
        with pytest.raises(TypeError, match="<lambda> gave a float: return a tensor"):
            make_learner(loss=lambda predictions, targets: 0.5).fit(1, rate=0.1)

    def test_of_a_model_without_a_loss(self):
        learner = make_learner()
        learner.loss_function = None
        with pytest.raises(
            TypeError, match=r"No loss function was given.*must hold loss; it is Tensor of shape"
        ):
            learner.fit(1, rate=0.1)

    def test_of_a_loader(self):
        def broken():
            yield from make_batches(2)
            raise OSError("the disk is gone")

        with pytest.raises(OSError, match="the disk is gone") as error:
            make_learner(train=broken()).fit(1, rate=0.1)

        assert notes_of(error) == "Where: reading the data for epoch 1 of 1, training batch 3."

    def test_of_an_empty_loader(self):
        with pytest.raises(
            ValueError, match=r"data.train gave no batch. Are there items on that side of the split"
        ):
            make_learner(nn.Linear(4, 2), train=[]).fit(1, rate=0.1)
        with pytest.raises(ValueError, match=r"data.valid gave no batch.*set data.valid = None"):
            make_learner(valid=[]).fit(1, rate=0.1)
        with pytest.raises(ValueError, match=r"data\.valid gave no batch"):
            make_learner(valid=[]).predictions()

    def test_of_a_generator_that_is_used_up(self):
        learner = make_learner(train=iter(make_batches()))
        with pytest.raises(ValueError, match="A generator can be gone through only once") as error:
            learner.fit(2, rate=0.1)

        assert notes_of(error) == "Where: reading the data for epoch 2 of 2, training batch 1."

    def test_of_one_item_with_batch_norm(self):
        train = [*make_batches(1), *make_batches(1, size=1)]
        with pytest.raises(ValueError, match="more than 1 value per channel") as error:
            make_learner(Network(), train=train).fit(1, rate=0.1)

        assert "the model's layer body.1, BatchNorm1d" in notes_of(error)
        assert "this batch has only one. Choose a batch_size that leaves no single item" in notes_of(error)
        assert "(drop_last=True)" in notes_of(error)

    def test_of_everything_frozen(self):
        learner = make_learner()
        learner.model.requires_grad_(False)
        with pytest.raises(RuntimeError, match="does not require grad") as error:
            learner.fit(1, rate=0.1)

        assert "all parameters are frozen (learner.unfreeze() lets them learn)" in notes_of(error)

    def test_of_memory_that_is_full(self):
        class Greedy(nn.Linear):
            def forward(self, x):
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

        with pytest.raises(torch.OutOfMemoryError) as error:
            make_learner(Greedy(4, 2)).fit(1, rate=0.1)

        assert "Make batch_size smaller (half of it, then again)" in notes_of(error)
        assert 'device="cpu"' in notes_of(error)

    def test_of_a_gpu_that_met_a_number_out_of_range(self):
        class Asserts(nn.Linear):
            def forward(self, x):
                raise RuntimeError("CUDA error: device-side assert triggered")

        with pytest.raises(RuntimeError) as error:
            make_learner(Asserts(4, 2)).fit(1, rate=0.1)

        assert "most often a class number that is negative, or not below the number" in notes_of(error)

    def test_after_fit_is_heard_after_an_error(self):
        heard = []

        class Tidy(Callback):
            def after_step(self, learner):
                raise ZeroDivisionError

            def after_fit(self, learner):
                heard.append(len(learner.recorder.losses))

        learner = make_learner(callbacks=[Tidy()])
        with pytest.raises(ZeroDivisionError):
            learner.fit(1, rate=0.1)

        assert heard == [1]

    def test_stopping_by_hand_keeps_what_there_is(self):
        class Press(Callback):
            def after_backward(self, learner):
                if learner.batch_number == 2:
                    signal.raise_signal(signal.SIGINT)

        learner = make_learner(optimizer=torch.optim.SGD)
        with pytest.raises(KeyboardInterrupt) as error:
            learner.fit(2, rate=0.1, callbacks=[Press()])
        weight = learner.model.weight.clone()

        assert "epoch 1 of 2, training batch 3 of 4" in notes_of(error)
        assert "the model and the recorder keep what they have up to here. Fit again to go on." in notes_of(
            error
        )
        assert len(learner.recorder.losses) == 3

        learner.fit(1, rate=1e-12)

        torch.testing.assert_close(learner.model.weight, weight, msg="a leftover gradient was used")
        assert len(learner.recorder.losses) == 7
