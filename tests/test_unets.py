"""U-Nets on any backbone: any size comes out as it went in, they can be exported, and learn real outlines."""

import pytest
import torch

from coursekit.backbones import Backbone, efficientnet_lite0, make_backbone
from coursekit.convolutions import Convolution
from coursekit.unets import UNet, find_skips


def tiny_body():
    return Backbone([Convolution(3, 4, stride=2), Convolution(4, 8, stride=2)], channels=8)


@pytest.mark.parametrize("size", [(64, 64), (65, 33), (7, 50), (1, 1)])
def test_any_size_comes_out_as_it_went_in(size):
    network = UNet(tiny_body(), classes=2)

    assert network(torch.rand(2, 3, *size)).shape == (2, 2, *size)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18", "resnet50", "small_cnn"])
@torch.no_grad()
def test_it_stands_on_every_backbone_of_ours(name):
    network = UNet(make_backbone(name, pretrained=False, input_channels=4), classes=3).eval()

    assert network(torch.rand(1, 4, 70, 61)).shape == (1, 3, 70, 61)


@pytest.mark.parametrize("name", ["torchvision/regnet_x_400mf", "timm/convnext_atto", "timm/resnet10t"])
@torch.no_grad()
def test_it_stands_on_borrowed_ones(name):
    pytest.importorskip(name.partition("/")[0])
    network = UNet(make_backbone(name, pretrained=False), classes=2).eval()

    assert len(network.skips) >= 3
    assert network(torch.rand(1, 3, 65, 70)).shape == (1, 2, 65, 70)


def test_looking_for_skips_changes_nothing():
    body = efficientnet_lite0().train()
    before = {name: tensor.clone() for name, tensor in body.state_dict().items()}

    find_skips(body)

    assert body.training
    assert all(torch.equal(before[name], tensor) for name, tensor in body.state_dict().items())


def test_groups_hold_every_parameter_once_and_the_way_up_last():
    network = UNet(efficientnet_lite0(), classes=2)
    groups = network.parameter_groups()

    assert len(groups) == 3
    assert sorted(map(id, (p for group in groups for p in group))) == sorted(map(id, network.parameters()))
    assert network.scores.weight in set(groups[-1])


def test_torch_export_makes_it_a_program_for_batches_of_any_length():
    network = UNet(tiny_body(), classes=2).eval()
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(network, (torch.rand(2, 3, 33, 40),), dynamic_shapes={"photos": {0: batch}})

    photos = torch.rand(5, 3, 33, 40)
    torch.testing.assert_close(program.module()(photos), network(photos))


def test_onnx_runs_it_with_the_same_numbers(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network = UNet(tiny_body(), classes=2).eval()
    photos = torch.rand(1, 3, 33, 50)
    torch.onnx.export(network, (photos,), tmp_path / "unet.onnx", dynamo=True, verbose=False)

    session = onnxruntime.InferenceSession(tmp_path / "unet.onnx")
    (answer,) = session.run(None, {session.get_inputs()[0].name: photos.numpy()})
    torch.testing.assert_close(torch.from_numpy(answer), network(photos).detach(), rtol=1e-4, atol=1e-4)
