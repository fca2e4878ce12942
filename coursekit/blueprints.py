"""Blueprints: a network as plain data, from which it is built again, without its weights.

A network is data when its class is this library's, one of torch's layers, or one of your own that is handed
over when it is built; and when it keeps what its constructor is told under the names the constructor has for
it, as `self.width = width` does. A `Backbone` with a name is written as that name. Whether all of it is in
the blueprint is tried out at once: the network is built again, and compared.

A blueprint names classes, and says nothing of what they do; building runs no other code than theirs.

>>> blueprint(nn.Sequential(nn.Linear(4, 2, bias=False), nn.ReLU()))["of"][0]
['0', {'make': 'nn.Linear', 'with': {'in_features': 4, 'out_features': 2, 'bias': False}}]
>>> build(blueprint(nn.Sequential(nn.Linear(4, 2), nn.ReLU())))
Sequential(
  (0): Linear(in_features=4, out_features=2, bias=True)
  (1): ReLU()
)
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from . import convolutions, heads, losses, resnets, unets
from .backbones import Backbone, make_backbone
from .saving import made, name_of, of_the_library, settings_of, written

# A file may name the networks of these, so they are loaded.
KNOWN = (convolutions, heads, losses, resnets, unets)
CONTAINERS: dict[str, Any] = {"nn.Sequential": nn.Sequential, "nn.ModuleList": nn.ModuleList}
TORCH = "torch.nn.modules."
DEEPEST = 60
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")


def blueprint(network: nn.Module) -> dict[str, Any]:
    """A network as plain data that JSON can hold, without its weights.

    Raises:
        TypeError: A part is no data, such as a function, or does not keep what its constructor was told; or
            what is built again is another network. The message says which part, and what to do.

    >>> blueprint(resnets.ResNet(18, classes=2))["make"]
    'resnets.ResNet'
    """
    data = written_module(network)
    kinds = {type(part) for part in network.modules()}
    own = [kind for kind in kinds if name_of_module(kind) == kind.__name__]
    try:
        with torch.random.fork_rng(devices=[]):
            again = build(data, own)
    except ValueError as error:
        raise TypeError(f"{type(network).__name__} cannot be saved: {error}") from error
    compare(network, again)
    return data


def written_module(module: nn.Module) -> dict[str, Any]:
    """One module as data, and all that is in it."""
    kind = type(module)
    if any(getattr(module, hooks) for hooks in HOOKS):
        raise TypeError(f"{kind.__name__} has hooks, which are code and cannot be saved: remove them before.")
    if isinstance(module, Backbone) and module.name:
        told = {name: getattr(module, name) for name in ("input_channels", "keeps_statistics")}
        return {"backbone": module.name, "with": told}
    name = name_of_module(kind)
    if name in CONTAINERS:
        return {"make": name, "of": [[part, written_module(one)] for part, one in module.named_children()]}
    if name.startswith("nn.") or kind.__init__ is nn.Module.__init__:
        rest, settings = (), settings_of_layer(module)
    else:
        rest, settings = settings_of(module)
    data: dict[str, Any] = {"make": name}
    data |= {"of": [written_value(one) for one in rest]} if rest else {}
    return data | {"with": {word: written_value(value) for word, value in settings.items()}}


def name_of_module(kind: type) -> str:
    """What a file calls a class of networks: torch's `nn.Linear`, ours `resnets.ResNet`, a user's `Mine`."""
    torchs = kind.__module__.startswith(TORCH) and getattr(nn, kind.__name__, None) is kind
    return f"nn.{kind.__name__}" if torchs else name_of(kind)


def settings_of_layer(layer: nn.Module) -> dict[str, Any]:
    """What one of torch's layers was told, as far as it keeps it; where it computes is no part of that.

    >>> settings_of_layer(nn.Dropout(0.1))
    {'p': 0.1, 'inplace': False}
    """
    names = [name for name in inspect.signature(type(layer)).parameters if name not in ("device", "dtype")]
    found = {name: getattr(layer, name) for name in names if name[0] != "_" and hasattr(layer, name)}
    return found | ({"bias": found["bias"] is not None} if "bias" in found else {})


def written_value(value: Any) -> Any:
    """What a constructor was told, as data: a network, a type, a small tensor, or anything plain."""
    if isinstance(value, nn.Module):
        return written_module(value)
    if isinstance(value, Tensor):
        return {"numbers": value.detach().cpu().tolist()}
    if isinstance(value, type) and issubclass(value, nn.Module):
        return {"network type": name_of_module(value)}
    if isinstance(value, list):
        return [written_value(one) for one in value]
    if type(value) is tuple:
        return {"tuple": [written_value(one) for one in value]}
    if callable(value) and not isinstance(value, type):
        name = getattr(value, "__name__", type(value).__name__)
        raise TypeError(
            f"a file holds data, and {name} is a function, which is code. Make a module of it, class "
            "Mine(nn.Module) with the function in its forward, and hand that class over when you load: "
            "types=[Mine]."
        )
    return written(value)


def compare(network: nn.Module, again: nn.Module) -> None:
    """Raise a TypeError that names the first part that was not built as it was."""
    parts, others = dict(network.named_modules()), dict(again.named_modules())
    for name, part in parts.items():
        other = others.get(name)
        same = type(part) is type(other) and shapes(part) == shapes(other) and plain(part) == plain(other)
        if not same:
            raise TypeError(
                f"{type(network).__name__} was changed after it was made, at {name or 'its top'}, so its "
                "constructor would make another network. Write a class that makes it as it is now."
            )
    if parts.keys() != others.keys():
        lost = min(others.keys() - parts.keys())
        raise TypeError(
            f"{type(network).__name__} has lost {lost} since it was made, so its constructor would make "
            "another network. Write a class that makes it as it is now."
        )


def shapes(module: Any) -> dict[str, Any]:
    """The shapes of a module's own tensors, by name."""
    own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
    return {name: tuple(tensor.shape) for name, tensor in own}


def plain(module: Any) -> dict[str, Any]:
    """What a module keeps of plain values, by name."""
    known = vars(module).items()
    kinds = (bool, int, float, str, tuple, type(None))
    return {name: repr(one) for name, one in known if name != "training" and isinstance(one, kinds)}


def build(data: Any, types: Iterable[type] = (), largest: int | None = None) -> Any:
    """Build the network again of which `blueprint` gave the data; its weights are new.

    Args:
        data: What JSON held.
        types: The classes of your own that it uses.
        largest: No whole number in it may be larger, as no honest one is that belongs to a file of weights of
            a certain size; None allows any.

    Raises:
        ValueError: What `blueprint` never gives; a class that neither the library nor `types` has.
    """
    return Builder({kind.__name__: kind for kind in types}, largest).value(data)


class Builder:
    """Builds networks from data.

    Args:
        types: The user's own classes, by name.
        largest: What no whole number may exceed; None for no limit.
    """

    def __init__(self, types: Mapping[str, type], largest: int | None = None) -> None:
        self.types, self.largest = types, largest

    def value(self, data: Any, depth: int = 0) -> Any:
        """A value of which `written_value` gave the data."""
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep, which no network is.")
        if isinstance(data, int) and self.largest is not None and abs(data) > self.largest:
            raise ValueError(f"it holds the number {data}, which is too large for so few weights.")
        if isinstance(data, list):
            return [self.value(one, depth + 1) for one in data]
        if not isinstance(data, dict):
            return data
        if "backbone" in data:
            return self.backbone(data)
        if "make" in data:
            return self.module(data, depth)
        match next(iter(data.items()), None):
            case "numbers", list(numbers):
                return torch.tensor(numbers)
            case "network type", str(name):
                return self.find(name)
            case "tuple", list(content):
                return tuple(self.value(content, depth + 1))
        return made(data, self.types)

    def backbone(self, data: dict[str, Any]) -> Backbone:
        """A backbone by its name."""
        told = data.get("with", {})
        channels = told.get("input_channels", 3)
        if not isinstance(channels, int) or not 1 <= channels <= 2**16:
            raise ValueError(f"its backbone takes {channels!r} channels, which none does.")
        body = make_backbone(str(data["backbone"]), pretrained=False, input_channels=channels)
        body.keeps_statistics = bool(told.get("keeps_statistics"))
        return body

    def module(self, data: dict[str, Any], depth: int) -> nn.Module:
        """A module by its class and what its constructor is told."""
        name = str(data["make"])
        if name in CONTAINERS:
            return self.container(name, data.get("of"), depth)
        kind, rest = self.find(name), self.value(data.get("of", []), depth + 1)
        settings = {word: self.value(one, depth + 1) for word, one in data.get("with", {}).items()}
        try:
            return kind(*rest, **settings)
        except (TypeError, AttributeError, AssertionError) as error:
            raise ValueError(
                f"{kind.__name__} could not be made: {error}. Was the file written by another version?"
            ) from error

    def container(self, name: str, content: Any, depth: int) -> nn.Module:
        """One of torch's containers, with its parts under their names."""
        container = CONTAINERS[name]()
        try:
            for word, data in map(tuple, content):
                container.add_module(word, self.value(data, depth + 1))
        except (TypeError, KeyError) as error:
            raise ValueError(
                f"a {name} of it holds something that is no part of a network: {error}"
            ) from None
        return container

    def find(self, name: str) -> Any:
        """The class of a name: one of torch's layers, one of the library's networks, or one handed over."""
        module, _, word = name.rpartition(".")
        if not module and word not in self.types:
            raise ValueError(
                f"it uses {word}, a class that does not come with the library. Hand it over when you load: "
                f"types=[{word}]."
            )
        if module == "nn":
            found = getattr(nn, word, None)
        else:
            found = of_the_library(module, word) if module else self.types[word]
        known = isinstance(found, type) and issubclass(found, nn.Module)
        if found is None or not known or (module and name_of_module(found) == word):
            raise ValueError(f"it names {name!r}, and there is no such network.")
        return found
