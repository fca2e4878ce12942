"""Networks of torchvision and timm, taken apart, are what they were; those that cannot be are told of."""

import hashlib

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from coursekit import borrowed
from coursekit.borrowed import Grid, borrow, read_weights, take_apart
from coursekit.sources import SourceError


@torch.no_grad()
def test_the_stages_of_a_resnet_give_what_its_own_way_through_gives():
    models = pytest.importorskip("torchvision.models")
    network = models.resnet18().eval()
    photos = torch.rand(1, 3, 70, 65)
    grid = nn.Sequential(*take_apart(network)).eval()(photos)

    torch.testing.assert_close(network.fc(grid.mean((2, 3))), network(photos))


@torch.no_grad()
@pytest.mark.parametrize("name", ["efficientnet_lite0", "mobilenetv3_small_050", "regnetx_002"])
def test_the_stages_of_timms_networks_give_what_forward_features_gives(name):
    timm = pytest.importorskip("timm")
    network = timm.create_model(name, num_classes=0).eval()
    photos = torch.rand(1, 3, 64, 64)

    torch.testing.assert_close(
        nn.Sequential(*take_apart(network)).eval()(photos), network.forward_features(photos)
    )


@torch.no_grad()
def test_a_transformer_of_timm_is_one_stage_that_ends_in_a_grid():
    pytest.importorskip("timm")
    lent = borrow("timm/vit_tiny_patch16_224")

    assert [type(stage) for stage in lent.stages] == [Grid]
    assert (lent.channels, lent.size) == (192, 224)
    assert lent.stages[0].eval()(torch.rand(1, 3, 224, 224)).shape == (1, 192, 14, 14)


def test_channels_last_becomes_channels_first():
    class Last(nn.Module):
        output_fmt = "NHWC"

        def forward_features(self, photos):
            return photos.permute(0, 2, 3, 1)

    photos = torch.rand(1, 3, 4, 6)
    assert torch.equal(Grid(Last())(photos), photos)


def test_a_network_that_goes_on_as_tokens_gives_no_grid():
    pytest.importorskip("torchvision")
    with pytest.raises(ValueError, match=r"gives no grid of features .* the same one as 'timm/\.\.\.'"):
        borrow("torchvision/vit_b_32")


def test_parts_out_of_order_are_not_taken_for_a_chain():
    class Crossed(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

        def forward(self, photos):
            return self.first(self.second(photos))

    assert take_apart(Crossed()) == []


def test_the_nearest_name_is_named():
    pytest.importorskip("torchvision")
    with pytest.raises(ValueError, match=r"torchvision has no network 'resnet81'; did you mean .*'resnet18'"):
        borrow("torchvision/resnet81")
    with pytest.raises(ValueError, match="'torchvision/NAME' or 'timm/NAME'; 'keras/vgg' was asked for"):
        borrow("keras/vgg")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of torch's of our own, and a network that is closed."""

    def closed(address, *_, **__):
        raise OSError("the network is closed")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", closed)
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def test_weights_in_the_cache_are_compared_with_their_checksum(cache):
    torch.save({"weight": torch.ones(2)}, cache / "new.pth")
    digest = hashlib.sha256((cache / "new.pth").read_bytes()).hexdigest()[:8]
    (cache / "new.pth").rename(cache / f"net-{digest}.pth")
    torch.save({"weight": torch.ones(2)}, cache / "net-00000000.pth")

    assert torch.equal(read_weights(f"https://a.b/net-{digest}.pth", "net")["weight"], torch.ones(2))
    with pytest.raises(SourceError, match=r"net-00000000.pth is not what was published: .* Delete it"):
        read_weights("https://a.b/net-00000000.pth", "net")


def test_weights_of_timm_come_from_the_hubs_cache_and_are_compared_too(tmp_path, monkeypatch):
    timm = pytest.importorskip("timm")
    network = timm.create_model("resnet10t")
    save_file(network.state_dict(), tmp_path / "blob")
    digest = hashlib.sha256((tmp_path / "blob").read_bytes()).hexdigest()
    (tmp_path / "blob").rename(tmp_path / digest)
    file = tmp_path / "model.safetensors"
    file.symlink_to(tmp_path / digest)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *_, **__: str(file))

    lent = borrow("timm/resnet10t", pretrained=True)
    assert torch.equal(lent.stages[0][0].weight, network.conv1[0].weight)

    (tmp_path / digest).write_bytes(b"something else")
    with pytest.raises(SourceError, match=r"model\.safetensors is not what was published"):
        borrow("timm/resnet10t", pretrained=True)


def test_where_the_hub_cannot_be_reached_it_is_one_sentence(monkeypatch):
    pytest.importorskip("timm")

    def closed(*_, **__):
        raise FileNotFoundError("no outgoing traffic\nand more")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", closed)
    with pytest.raises(SourceError, match=r"'timm/resnet10t' are not .* \(no outgoing traffic\)"):
        borrow("timm/resnet10t", pretrained=True)


def test_a_closed_network_is_one_sentence(cache):
    pytest.importorskip("torchvision")
    with pytest.raises(SourceError) as caught:
        borrow("torchvision/resnet18", pretrained=True)

    assert str(caught.value).startswith("the weights of 'torchvision/resnet18' are not on this computer")
    assert "the network is closed" in str(caught.value)
    assert "pretrained=False" in str(caught.value)
    assert list(cache.iterdir()) == []


def test_a_library_that_is_missing_is_named(monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'timm'", name="timm")

    monkeypatch.setattr(borrowed, "from_timm", missing)
    with pytest.raises(ImportError, match=r"'timm/vit' needs timm: pip install timm\."):
        borrow("timm/vit")
