"""A network becomes data and is built again; what is no data is told before anything is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import nn

import coursekit as kit
from coursekit.blueprints import blueprint, build
from coursekit.heads import AmountHead, PointHead
from coursekit.unets import UNet


class Twice(nn.Module):
    """A module of one's own, with a network and a type among what it is told."""

    def __init__(self, part: nn.Module, factor: float = 2.0, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.part, self.factor, self.activation = part, factor, activation
        self.bend = activation()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.bend(self.part(x)) * self.factor


def lite(**options: Any) -> kit.Backbone:
    return kit.make_backbone("efficientnet_lite0", pretrained=False, **options)


NETWORKS: dict[str, Any] = {
    "torch's layers": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4, eps=1e-3), nn.GELU("tanh"),
        nn.MaxPool2d(2), nn.Dropout(0.3), nn.Flatten(), nn.LayerNorm(16, bias=False), nn.Linear(16, 2),
    ),
    "a name in a container": lambda: nn.Sequential(nn.ModuleList([nn.Linear(1, 1)]), nn.Identity()),
    "an embedding": lambda: nn.Sequential(nn.Embedding(5, 2, padding_idx=0), nn.GRUCell(2, 3)),
    "a residual network": lambda: kit.ResNet(18, classes=3, stem="small", width=8, activation=nn.GELU),
    "a backbone by name": lambda: kit.Network(lite(), kit.Head(1280, 2, dropout=0.1)),
    "other channels": lambda: kit.Network(lite(input_channels=5), AmountHead(1280, (1.0, 2.0), (0.5, 3.0))),
    "points": lambda: kit.Network(lite(), PointHead(1280, points=3, stride=32.0)),
    "a mask": lambda: UNet(lite(), classes=4),
    "torchvision's": lambda: kit.Network(
        kit.make_backbone("torchvision/resnet18", pretrained=False), kit.Head(512, 2)
    ),
    "a backbone of one's own": lambda: kit.Network(
        kit.Backbone([nn.Conv2d(3, 8, 3), nn.ReLU()], channels=8), kit.Head(8, 2)
    ),
    "one's own": lambda: Twice(Twice(nn.Linear(2, 2), 0.5), activation=nn.Tanh),
    "a loss": lambda: kit.CrossEntropy(label_smoothing=0.1, weights=[1, 2.5], ignored=255),
    "torch's loss": lambda: nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0])),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back(name: str) -> None:
    network = NETWORKS[name]()
    chance = torch.get_rng_state()
    data = json.loads(json.dumps(blueprint(network)))
    assert torch.equal(chance, torch.get_rng_state())

    again = build(data, types=[Twice])
    assert repr(again) == repr(network)
    again.load_state_dict(network.state_dict())
    assert [one.shape for one in again.buffers()] == [one.shape for one in network.buffers()]


def test_timms_networks_go_by_name() -> None:
    pytest.importorskip("timm", reason="timm is not installed")
    network = kit.make_backbone("timm/mobilenetv3_small_050", pretrained=False)

    assert blueprint(network)["backbone"] == "timm/mobilenetv3_small_050"


class Forgetful(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, 1)


class Told(nn.Module):
    def __init__(self, bend: Any) -> None:
        super().__init__()
        self.bend = bend


def changed() -> nn.Module:
    network = kit.ResNet(18, width=8)
    network.head[-1] = nn.Linear(64, 7)
    return network


def tuned() -> nn.Module:
    network = kit.Network(lite(), kit.Head(1280, 2))
    network.head.hide.p = 0.9
    return network


def hooked() -> nn.Module:
    layer = nn.Linear(1, 1)
    layer.register_forward_hook(lambda *_: None)
    return layer


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Forgetful(2), r"Forgetful is told 'width' and keeps nothing.*self\.width = width"),
        (lambda: Told(torch.relu), "relu is a function, which is code. Make a module of it, class Mine"),
        (changed, r"ResNet was changed after it was made, at head\.2, so its constructor would make another"),
        (tuned, r"Network was changed after it was made, at head\.hide"),
        (hooked, "Linear has hooks, which are code and cannot be saved"),
        (lambda: nn.LSTM(2, 3), "LSTM cannot be saved: LSTM could not be made"),
        (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(1, 1)), "cannot be saved|keeps nothing"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_refused_with_what_to_do(make: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        blueprint(make())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"make": "Mine"}, r"it uses Mine, a class that .*Hand it over when you load: types=\[Mine\]"),
        ({"make": "os.system", "of": ["mkdir harmed"]}, "it names 'os.system', and there is no such network"),
        ({"make": "nn.init"}, "it names 'nn.init', and there is no such network"),
        ({"make": "nn.functional.relu"}, "it names 'nn.functional.relu', and there is no such network"),
        ({"make": "learner.Learner"}, "it names 'learner.Learner', and there is no such network"),
        ({"make": "heads.__builtins__"}, "there is no such network"),
        ({"make": "nn.Linear", "with": {"in_features": "two"}}, "Linear could not be made"),
        ({"make": "nn.Linear", "with": {"in_features": 2**40}}, "number 1099511627776, which is too large"),
        ({"make": "nn.Sequential", "of": [["0", 3]]}, "a nn.Sequential of it holds something"),
        ({"make": "nn.Sequential", "of": [["a.b", {"make": "nn.ReLU"}]]}, "no part of a network"),
        ({"make": "nn.Sequential", "of": [["forward", {"make": "nn.ReLU"}]]}, "no part of a network"),
        ({"make": "nn.Sequential", "of": [3]}, "no part of a network"),
        ({"make": "nn.Sequential"}, "no part of a network"),
        ({"backbone": "../../secret"}, "there is no backbone '../../secret'"),
        ({"backbone": "timm/hf-hub:somebody/something"}, "timm"),
        ({"backbone": "resnet18", "with": {"input_channels": 2**40}}, "its backbone takes 1099511627776"),
        ({"network type": "os.system"}, "there is no such network"),
        ({"unheard of": 1}, "it holds a 'unheard of', which no"),
    ],
)  # fmt: skip
def test_what_no_blueprint_holds_is_refused(data: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build(data, largest=2**20)


def test_depth_has_an_end() -> None:
    data: Any = {"make": "nn.ReLU"}
    for _ in range(100):
        data = {"make": "nn.Sequential", "of": [["0", data]]}
    with pytest.raises(ValueError, match="it is nested more than 60 deep, which no network is"):
        build(data)
