"""What is learned follows from what targets are: each kind learns from real data and beats a simple guess."""

import numpy as np
import pytest
import torch
from sets import had
from torch import nn

import coursekit as kit
from coursekit.backbones import Backbone
from coursekit.choices import NoMethodError
from coursekit.heads import AmountHead, Head, Network, PointHead, Task, make_task
from coursekit.tensors import plain


class FromZero(kit.Transform):
    """The numbers of a pet's mask begin at 1; classes begin at 0."""

    vocab = ("animal", "background", "border")

    @kit.method
    def encode(self, x: kit.Mask):
        return kit.Mask(plain(x) - 1, vocab=self.vocab)


def loaders(table, inputs, targets, size, **places):
    split = kit.random_split(len(table), valid=0.3)
    block = kit.DataBlock(inputs, targets, split=split, item_transforms=[kit.Resize(size)], **places)
    return block.loaders(table.reset_index(drop=True), batch_size=8)


def trained(data, epochs, rate):
    kit.seed_everything(0)
    learner = kit.vision_learner(data, device="cpu", callbacks=[kit.Progress("off")])
    learner.freeze()
    learner.fit_one_cycle(epochs, rate)
    return learner, *map(plain, learner.predictions())


def test_masks_of_pets():
    pets = had(kit.pets).groupby("breed").head(16)
    targets = kit.Block(item=[kit.Create(kit.Mask), FromZero()])
    data = loaders(pets, kit.Image, targets, 64, input_from="photo", target_from="trimap")

    learner, said, truth = trained(data, epochs=3, rate=1e-2)

    right = (said.argmax(dim=1) == truth).float().mean()
    most = truth.flatten().bincount().max() / truth.numel()
    assert right > most + 0.05
    assert learner.recorder.rows[-1]["IoU"] > 0.25
    answer = learner.predict(pets["photo"].iloc[0])
    assert type(answer.value) is kit.Mask
    assert (answer.value.shape, answer.value.vocab) == ((64, 64), FromZero.vocab)


def test_points_of_a_mouse():
    frames = had(kit.mouse)[0]
    data = loaders(frames, kit.Image, kit.Keypoints, (64, 96), input_from="photo", target_from="points")

    learner, said, truth = trained(data, epochs=5, rate=1e-2)

    items = data.train.items
    mean = torch.stack([plain(items[number][1]) for number in range(len(items))]).nanmean(dim=0)
    off, guess = ((places - truth).norm(dim=-1).nanmean() for places in (said, mean.expand_as(truth)))
    assert off < 0.9 * guess
    answer = learner.predict(frames["photo"][0]).value
    assert type(answer) is kit.Keypoints
    assert (answer.shape, answer.canvas) == ((17, 2), (64, 96))


def test_several_labels_of_solar_cells():
    cells = kit.solar_cells()
    cells = cells[cells["sure"]].groupby(["label", "kind"]).head(16).copy()
    broken = cells["label"] == "broken"
    cells["names"] = [
        [kind, "broken"] if b else [kind] for kind, b in zip(cells["kind"], broken, strict=True)
    ]
    data = loaders(cells, kit.GrayImage, kit.MultiCategory, 64, input_from="photo", target_from="names")

    learner, said, truth = trained(data, epochs=3, rate=1e-2)

    right = ((said > 0) == (truth > 0.5)).float().mean(dim=0)
    assert data.vocab == ("broken", "mono", "poly")
    assert right.mean() > torch.maximum(truth.mean(0), 1 - truth.mean(0)).mean() + 0.15
    assert learner.recorder.rows[-1]["label accuracy"] == pytest.approx(right.mean().item())
    answer = learner.predict(cells["photo"].iloc[0])
    assert set(answer.value) <= set(data.vocab)
    assert set(answer.probabilities) == set(data.vocab)


def test_how_bright_a_solar_cell_is():
    """An amount that a photo holds for sure; no weight of the network is near such numbers."""
    cells = kit.solar_cells().iloc[::44].copy()
    cells["light"] = [4 * float(np.asarray(plain(kit.GrayImage.open(p))).mean()) for p in cells["photo"]]
    data = loaders(cells, kit.GrayImage, kit.Target, 64, input_from="photo", target_from="light")

    learner, said, truth = trained(data, epochs=6, rate=2e-3)

    assert said.shape == truth.shape
    guess = (truth - np.mean([float(data.train.items[n][1]) for n in range(len(data.train.items))])).abs()
    assert (said - truth).abs().mean() < 0.8 * guess.mean()
    assert float(learner.predict(cells["photo"].iloc[0]).value) == pytest.approx(
        cells["light"].iloc[0], rel=1
    )


@pytest.fixture
def body():
    return Backbone([nn.Conv2d(3, 8, 3, 2, 1)], channels=8)


def test_an_amount_head_begins_in_the_middle_of_what_there_is():
    amounts = AmountHead(8, middle=(100.0, -3.0), spread=(10.0, 1.0)).eval()(torch.rand(2, 8, 4, 4))

    assert amounts.tolist() == [[100.0, -3.0]] * 2
    assert not any("start" in name or "unit" in name for name in AmountHead(8).state_dict())


@pytest.mark.parametrize("size", [(4, 4), (3, 7)])
def test_a_point_head_begins_where_it_is_told_and_points_at_what_lights_up(size):
    head = PointHead(1, points=1, stride=10.0, hidden=8)
    height, width = size
    assert head(torch.zeros(1, 1, *size)).flatten().tolist() == [5.0 * width, 5.0 * height]

    head.start_at(torch.tensor([[7.0, -2.0]]))
    torch.testing.assert_close(
        head(torch.zeros(1, 1, *size)), torch.tensor([[[5.0 * width + 7, 5.0 * height - 2]]])
    )

    head = PointHead(1, points=1, stride=10.0)
    head.look = nn.Identity()
    head.say = nn.Conv2d(1, 3, kernel_size=1)
    nn.init.zeros_(head.say.bias)
    with torch.no_grad():
        head.say.weight.copy_(torch.tensor([100.0, 0.0, 0.0]).reshape(3, 1, 1, 1))
        grid = torch.zeros(1, 1, *size)
        grid[0, 0, 2, 1] = 1
        torch.testing.assert_close(head(grid), torch.tensor([[[15.0, 25.0]]]))


def test_a_type_of_ones_own_says_what_learns_it(body):
    class Height(kit.Target):
        """How high something is, in metres."""

    @make_task.method
    def make_task_for_heights(target: Height, body, data=None):
        return Task(Network(body, Head(body.channels, 1)), nn.HuberLoss())

    assert isinstance(make_task(Height(torch.tensor([3.0])), body).loss, nn.HuberLoss)


def test_what_nobody_knows_how_to_learn_is_refused_with_what_there_is(body):
    with pytest.raises(NoMethodError, match=r"make_task has no method for \(Boxes.*\n.*Category"):
        make_task(kit.Boxes(torch.zeros(1, 2, 4)), body, None)


def test_masks_without_names_and_points_of_varying_number_are_refused_in_words(body):
    with pytest.raises(
        ValueError, match=r'name them, as in .*Create\(Mask, vocab=\("background", "animal"\)\)'
    ):
        make_task(kit.Mask(torch.zeros(1, 4, 4, dtype=torch.int64)), body)

    items = [(None, kit.Keypoints(torch.zeros(count, 2))) for count in (3, 3, 2)]
    data = type("Data", (), {"train": type("Train", (), {"items": items})})
    with pytest.raises(ValueError, match=r"the same points.* have 2 to 3, .* at 2 and 0 of those looked at"):
        make_task(kit.Keypoints(torch.zeros(1, 3, 2)), body, data)


def test_a_batch_of_one_with_batch_norm_is_explained(body):
    batches = [(torch.rand(1, 3, 8, 8), torch.tensor([0]))]
    learner = kit.Learner(
        (batches, None),
        Network(body, Head(8, 2)),
        kit.CrossEntropy(),
        device="cpu",
        callbacks=[kit.Progress("off")],
    )

    with pytest.raises(ValueError, match="more than 1 value") as caught:
        learner.fit(1, rate=0.1)
    assert "this batch has only one" in "".join(caught.value.__notes__)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA")
@pytest.mark.parametrize("name", ["kinds", "amounts", "points", "masks"])
def test_no_step_of_a_head_waits_for_the_gpu(name):
    body = kit.make_backbone("efficientnet_lite0", pretrained=False)
    network = {
        "kinds": lambda: Network(body, Head(1280, 3)),
        "amounts": lambda: Network(body, AmountHead(1280, (3.0,), (2.0,))),
        "points": lambda: Network(body, PointHead(1280, 5, 32.0)),
        "masks": lambda: kit.UNet(body, 3),
    }[name]().cuda()
    photos = torch.rand(4, 3, 64, 64, device="cuda")
    network(photos).square().mean().backward()  # The first call makes room and chooses its kernels.
    torch.cuda.set_sync_debug_mode("error")
    try:
        network(photos).square().mean().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
