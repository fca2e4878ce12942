"""Networks of other libraries, taken apart into stages: torchvision's and timm's, by name.

Whether the parts of a network follow one another is not believed but looked at: a tiny picture goes through
the whole network, and each part must be given the very tensor that the part before it gave.

>>> network = borrow("torchvision/resnet18")
>>> len(network.stages), network.channels, network.mean
(10, 512, (0.485, 0.456, 0.406))
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .sources import SourceError

TINY = 96
# What the photos of ImageNet have in red, green and blue: what networks trained on them were scaled by.
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LIBRARIES = ("torchvision", "timm")


@dataclass(frozen=True)
class Borrowed:
    """A network of another library, taken apart.

    Attributes:
        stages: Its parts, one after the other; all that comes after the last grid is left out.
        channels: How many features the last one gives for each place.
        mean: What photos in 0..1 are scaled by: this is taken away, for red, green and blue ...
        deviation: ... and what is left is divided by this.
        size: The height and width it needs, in pixels; None where it takes any.

    >>> Borrowed([nn.Identity()], 3, (0.5,) * 3, (0.5,) * 3).size is None
    True
    """

    stages: list[nn.Module]
    channels: int
    mean: Sequence[float]
    deviation: Sequence[float]
    size: int | None = None


class Grid(nn.Module):
    """A network whose parts do not simply follow one another, as one stage that ends in a grid of features.

    Args:
        network: Has timm's `forward_features`, which gives a grid, channels first or last, or tokens.

    >>> class Tokens(nn.Module):
    ...     def forward_features(self, photos):
    ...         return photos.flatten(2).transpose(1, 2)
    >>> Grid(Tokens())(torch.zeros(1, 8, 4, 6)).shape
    torch.Size([1, 8, 4, 6])
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, photos: Tensor) -> Tensor:
        """Map `(N, 3, H, W)` photos to `(N, channels, h, w)` features."""
        features = self.network.forward_features(photos)
        if features.ndim == 3:
            tokens = features[:, getattr(self.network, "num_prefix_tokens", 0) :]
            height, width = photos.shape[-2:]
            rows = round((tokens.shape[1] * height / width) ** 0.5)
            return tokens.transpose(1, 2).unflatten(2, (rows, -1))
        last = getattr(self.network, "output_fmt", "NCHW") == "NHWC"
        return features.permute(0, 3, 1, 2) if last else features


def borrow(name: str, pretrained: bool = False) -> Borrowed:
    """Make a network of torchvision or timm, and take it apart.

    Args:
        name: "torchvision/resnet50", "timm/convnext_tiny".
        pretrained: Whether it has its library's usual weights; their file is compared with its checksum.

    Raises:
        ValueError: There is no such network, or it gives no grid of features.
        ImportError: The library is not installed.
        SourceError: The weights cannot be had, or are other than they should be.

    >>> borrow("torchvision/mobilenet_v3_small").channels
    576
    """
    library, _, model = name.partition("/")
    if library not in LIBRARIES or not model:
        raise ValueError(
            f"networks are borrowed as 'torchvision/NAME' or 'timm/NAME'; {name!r} was asked for."
        )
    try:
        make = {"torchvision": from_torchvision, "timm": from_timm}[library]
        network, mean, deviation, size = make(model, pretrained)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise ImportError(f"{name!r} needs {library}: pip install {library}.", name=library) from None
    stages = take_apart(network, size or TINY)
    if not stages and hasattr(network, "forward_features"):
        stages = [Grid(network)]
    if not stages:
        raise ValueError(
            f"{name!r} gives no grid of features that a head could be put on. timm has most networks in a "
            "form that does: look for the same one as 'timm/...'."
        )
    return Borrowed(stages, channels_after(stages, size or TINY), mean, deviation, size)


def from_torchvision(name: str, pretrained: bool) -> tuple[nn.Module, Sequence[float], Sequence[float], Any]:
    """A network of torchvision's, and what it scales photos by.

    >>> from_torchvision("resnet18", pretrained=False)[1]
    (0.485, 0.456, 0.406)
    """
    from torchvision import models  # type: ignore[import-untyped]

    demand_known(name, models.list_models(module=models), "torchvision")
    network = models.get_model(name, weights=None)
    if pretrained:
        weights = models.get_model_weights(name).DEFAULT
        network.load_state_dict(read_weights(weights.url, f"torchvision/{name}"))
    return network, IMAGENET_MEAN, IMAGENET_DEVIATION, 224 if hasattr(network, "image_size") else None


def from_timm(name: str, pretrained: bool) -> tuple[nn.Module, Sequence[float], Sequence[float], Any]:
    """A network of timm's, and what it scales photos by."""
    import timm

    demand_known(name.partition(".")[0], timm.list_models(), "timm")
    options: dict[str, Any] = {}
    if pretrained:
        where: Any = timm.get_pretrained_cfg(name)
        file = timm_weights(where.hf_hub_id, f"timm/{name}")
        options = {"pretrained": True, "pretrained_cfg_overlay": {"file": str(file)}}
    network = timm.create_model(name, num_classes=0, **options)
    about: Any = network.pretrained_cfg
    size = about["input_size"][-1] if about.get("fixed_input_size") else None
    return network, about["mean"], about["std"], size


def demand_known(name: str, names: Sequence[str], library: str) -> None:
    """Raise a `ValueError` that names the nearest, if a library has no network of that name.

    >>> demand_known("resnet18", ["resnet18"], "torchvision")
    """
    if name not in names:
        near = get_close_matches(name, names, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {len(names)} others."
        raise ValueError(f"{library} has no network {name!r}; {hint}")


def read_weights(address: str, name: str) -> dict[str, Tensor]:
    """Read weights that torchvision publishes, from torch's cache or from their address.

    The name of such a file ends in the beginning of its sha256, and it is compared each time.
    """
    file = Path(torch.hub.get_dir(), "checkpoints", address.rpartition("/")[2])
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(address, str(file))
        except OSError as error:
            raise unreachable(name, error) from error
    compare_checksum(file, file.stem.rpartition("-")[2])
    return torch.load(file, weights_only=True, map_location="cpu")


def timm_weights(repository: str, name: str) -> Path:
    """The file of weights that timm publishes, from the hub's cache or from the hub.

    The cache names large files by their sha256, and it is compared each time; where it holds copies under
    other names, as on Windows, there is nothing to compare with.
    """
    from huggingface_hub import hf_hub_download

    try:
        file = Path(hf_hub_download(repository, "model.safetensors", local_files_only=True))
    except OSError:
        try:
            file = Path(hf_hub_download(repository, "model.safetensors"))
        except (OSError, RuntimeError) as error:
            raise unreachable(name, error) from error
    wanted = file.resolve().name
    if len(wanted) == 64:
        compare_checksum(file, wanted)
    return file


def compare_checksum(file: Path, wanted: str) -> None:
    """Raise a `SourceError` if the sha256 of a file does not begin so."""
    if not hashlib.sha256(file.read_bytes()).hexdigest().startswith(wanted):
        raise SourceError(
            f"{file} is not what was published: its sha256 does not begin with {wanted[:8]}. Delete it."
        )


def unreachable(name: str, error: Exception) -> SourceError:
    """The one sentence where weights cannot be had."""
    reason = str(error).strip().splitlines()[:1]
    return SourceError(
        f"the weights of {name!r} are not on this computer and could not be fetched "
        f"({''.join(reason)[:120]}): where the network is closed, 'efficientnet_lite0' comes with its "
        "weights in a package, and pretrained=False starts from random numbers."
    )


@torch.no_grad()
def take_apart(network: nn.Module, size: int = TINY) -> list[nn.Module]:
    """The stages of a network that is a chain up to its last grid; none if it is not.

    >>> [len(stage) for stage in take_apart(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)))]
    [2, 1]
    """
    seen: dict[nn.Module, tuple[Any, Any]] = {}
    parts = list(pieces(network))
    hooks = [
        part.register_forward_hook(lambda part, given, made: seen.setdefault(part, (given[0], made)) and None)
        for part in parts
    ]
    training = network.training
    network.eval()(torch.zeros(1, 3, size, size))
    network.train(training)
    for hook in hooks:
        hook.remove()
    chain: list[nn.Module] = []
    for part in parts:
        if part not in seen or (chain and seen[part][0] is not seen[chain[-1]][1]):
            break
        chain.append(part)
    grids = [part for part in parts if part in seen and is_grid(seen[part][1])]
    # Tokens, (N, tokens, channels), after the last grid: the network goes on, in another form.
    goes_on = any(isinstance(made, Tensor) and made.ndim == 3 for _, made in seen.values())
    if not grids or goes_on or any(part not in chain for part in grids):
        return []
    return grouped(chain[: chain.index(grids[-1]) + 1], {part: seen[part][1] for part in chain})


def pieces(network: nn.Module) -> Iterator[nn.Module]:
    """The parts of a network; of those that only stand for others in a row, these.

    >>> [type(part).__name__ for part in pieces(nn.Sequential(nn.Sequential(nn.ReLU()), nn.Flatten()))]
    ['ReLU', 'Flatten']
    """
    for child in network.children():
        if type(child).forward is nn.Sequential.forward and len(child):  # type: ignore[arg-type]
            yield from pieces(child)
        else:
            yield child


def is_grid(features: Any) -> bool:
    """Whether this is what a square photo becomes: a grid, channels first, of more than one place.

    >>> is_grid(torch.zeros(1, 8, 3, 3)), is_grid(torch.zeros(1, 3, 3, 8)), is_grid(torch.zeros(1, 8, 1, 1))
    (True, False, False)
    """
    return isinstance(features, Tensor) and features.ndim == 4 and features.shape[2] == features.shape[3] > 1


def grouped(chain: Sequence[nn.Module], made: dict[nn.Module, Tensor]) -> list[nn.Module]:
    """Stages of a chain: each ends in a grid, and norms and activations stay with what they follow."""
    groups: list[list[nn.Module]] = []
    before: Any = None
    for part in chain:
        follows = before is not None and made[part].shape == before.shape and not has_weights(part)
        if groups and (follows or not is_grid(before)):
            groups[-1].append(part)
        else:
            groups.append([part])
        before = made[part]
    return [nn.Sequential(*group) for group in groups]


def has_weights(part: nn.Module) -> bool:
    """Whether a part mixes channels or places, by weights of more than one axis."""
    return any(parameter.ndim > 1 for parameter in part.parameters())


@torch.no_grad()
def channels_after(stages: Sequence[nn.Module], size: int) -> int:
    """How many features come out at the end."""
    body = nn.Sequential(*stages).eval()
    channels = int(body(torch.zeros(1, 3, size, size)).shape[1])
    body.train()
    return channels
