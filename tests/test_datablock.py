"""Say what your data are once; what does not fit is refused in words."""

import numpy
import pytest
import torch
from PIL import Image as Pillow

from coursekit.blocks import Block
from coursekit.cropping import Resize
from coursekit.datablock import DataBlock
from coursekit.finding import taken
from coursekit.photo_sets import photo_table
from coursekit.splits import group_split
from coursekit.splitters import RandomSplit
from coursekit.steps import Categorize, Normalize, RandomFlip
from coursekit.tensors import Category, GrayImage, Image, Mask, TypedTensor
from coursekit.transforms import Transform


@pytest.fixture
def photos(tmp_path):
    """Twelve photos of three kinds in unequal sizes, in a folder for each kind."""
    for number in range(12):
        folder = tmp_path / ("cat", "dog", "owl")[number % 3]
        folder.mkdir(exist_ok=True)
        pixels = numpy.full((20 + number, 30, 3), number * 20, dtype=numpy.uint8)
        Pillow.fromarray(pixels).save(folder / f"{number}.png")
    return photo_table(tmp_path)


def block(**changes):
    settings = {"inputs": Image, "targets": Category, "split": ([0, 1, 4, 5, 8, 9], [2, 3, 6]), **changes}
    return DataBlock(**{"item_transforms": [Resize(16)], **settings})


def test_a_table_of_photos_becomes_typed_batches(photos):
    data = block().loaders(photos, batch_size=4)

    inputs, targets = data.one_batch()

    assert type(inputs) is Image
    assert inputs.shape == (4, 3, 16, 16)
    assert inputs.dtype == torch.float32
    assert type(targets) is Category
    assert data.vocab == ("cat", "dog", "owl")
    assert (len(data.train), len(data.valid)) == (2, 1)


def test_the_split_may_be_a_function_of_the_source(photos):
    data = block(split=lambda table: group_split(table["photo"].map(str), valid=0.34)).loaders(photos)

    assert len(data.vocab) == 3


def test_names_are_learned_from_the_training_items_alone(photos):
    only_cats_and_dogs = photos.index[photos["label"] != "owl"].tolist()
    owls = photos.index[photos["label"] == "owl"].tolist()

    with pytest.raises(
        ValueError, match="'owl' is not one of the 2 names seen in the training items"
    ) as told:
        block(split=(only_cats_and_dogs, owls)).loaders(photos)
    assert f"while item {owls[0]} was looked at, one of {len(owls)} held out" in told.value.__notes__[-1]


def test_a_step_alone_and_a_split_without_brackets_are_refused_in_words(photos):
    with pytest.raises(TypeError, match=r"item_transforms=\[Resize\(size=16, fit='squeeze'\)\]"):
        block(item_transforms=Resize(16))
    with pytest.raises(TypeError, match=r"brackets: split=RandomSplit\(…\)"):
        block(split=RandomSplit).loaders(photos)


def test_pairs_and_functions_say_where_things_are(photos):
    pairs = list(photos.itertuples(index=False, name=None))
    data = block(inputs=GrayImage, input_from=0, target_from=lambda pair: pair[1].upper()).loaders(pairs)

    assert data.vocab == ("CAT", "DOG", "OWL")
    assert data.one_batch()[0].shape[1] == 1


def test_find_turns_a_source_into_items(photos, tmp_path):
    data = block(find=photo_table).loaders(tmp_path)

    assert len(data.train.items) == 6


def test_a_new_type_needs_only_to_be_made_from_what_an_item_holds():
    class Spectrum(TypedTensor):
        """Sixteen numbers."""

    items = [{"photo": numpy.arange(16.0), "label": name} for name in "abab"]
    data = DataBlock(Spectrum, Category, split=([0, 1], [2, 3])).loaders(items)

    assert type(data.one_batch()[0]) is Spectrum


def test_a_block_of_ones_own_stands_where_a_type_does():
    targets = Block(item=(Categorize(["zero", "one"]),))

    data = block(targets=targets, split=([0], [1])).loaders(
        [{"photo": torch.zeros(3, 4, 4, dtype=torch.uint8), "label": name} for name in ("one", "zero")]
    )

    assert data.vocab == ("zero", "one")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"inputs": "photos"}, TypeError, "inputs and targets are types.*the str 'photos' came"),
        ({"target_from": "breed"}, KeyError, "an item has no 'breed'; it has photo, label.*target_from"),
        ({"split": ([0], [99])}, ValueError, "names item 99, but there are 12 items"),
        ({"find": lambda table: []}, ValueError, "no item was found"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(photos, changes, error, words):
    with pytest.raises(error, match=words):
        block(**changes).loaders(photos)


def test_a_photo_that_is_no_photo_is_named_with_its_item(photos):
    photos["photo"][0].write_text("hello")

    with pytest.raises(ValueError, match=r"\.png is not a picture") as caught:
        list(block().loaders(photos).train)

    assert any("while item" in note for note in caught.value.__notes__)


def test_taken_finds_keys_places_and_functions():
    assert taken({"a": 1}, "a") == 1
    assert taken([5, 6], 1) == 6
    assert taken("x", str.upper) == "X"


class Watch(Transform):
    """Remembers what it was set up on."""

    def setup(self, items):
        self.seen = list(items)


def test_every_step_is_set_up_once_on_the_training_items_alone(photos):
    first, item, batch = Watch(), Watch(), Watch()
    inputs = Block(item=(first, *Block.of(GrayImage).item))
    data = block(inputs=inputs, item_transforms=[Resize(16), item], batch_transforms=[batch]).loaders(
        photos, batch_size=4
    )

    sample, _, item = data.train.items.pipeline.steps
    first, batch = sample.inputs.steps[0], data.train.batch_transforms.steps[-1]
    assert first.seen == [photos["photo"][number] for number in (0, 1, 4, 5, 8, 9)]
    assert [(type(x), x.shape, str(y)) for x, y in item.seen] == [
        (GrayImage, (1, 16, 16), photos["label"][number]) for number in (0, 1, 4, 5, 8, 9)
    ]
    assert [len(x) for x, _ in batch.seen] == [4, 2]
    assert data.one_batch()[0].dtype == torch.uint8


def test_a_scale_is_learned_from_the_training_photos_wherever_it_stands(photos):
    given = Normalize()
    data = block(batch_transforms=[given]).loaders(photos)
    scale = data.recipe.batch.steps[-1]
    pixels = torch.cat([inputs for inputs, _ in data.train])

    assert given.mean is None
    assert scale.mean == pytest.approx([(0 + 1 + 4 + 5 + 8 + 9) * 20 / 6 / 255] * 3)
    assert pixels.mean().abs() < 1e-5
    assert data.decode_batch(data.one_batch())[0][0].dtype == torch.uint8


def test_input_and_target_move_together_in_training_and_not_at_all_when_held_out():
    half = torch.zeros(4, 6, dtype=torch.uint8)
    half[:, :3] = 200
    items = [{"photo": half[None].expand(3, 4, 6), "label": (half > 0).long()} for _ in range(40)]
    data = DataBlock(Image, Mask, split=(range(30), range(30, 40)), item_transforms=[RandomFlip()]).loaders(
        items, batch_size=30, seed=2
    )
    pictures, masks = data.one_batch()
    left = masks[:, 0, 0]

    assert torch.equal((pictures[:, 0] > 0.5).long(), torch.tensor(masks.tolist()))
    assert 5 < left.sum() < 25
    assert not torch.equal(left, data.one_batch()[1][:, 0, 0])
    assert next(iter(data.valid))[1][:, 0, 0].all()
    assert data.encode_item(items[0]["photo"])[0, 0, 0, 0] > 0.5


def test_chance_in_a_block_or_a_batch_leaves_held_out_items_and_predictions_alone():
    left = torch.zeros(3, 4, 6, dtype=torch.uint8)
    left[..., :3] = 200
    always = RandomFlip(chance=1)
    for where in ("block", "batch"):
        inputs = Block(item=(always,) * (where == "block"))
        data = DataBlock(
            inputs, Category, split=([0, 1], [2]), batch_transforms=[always] * (where == "batch")
        ).loaders([{"photo": Image(left), "label": "a"} for _ in range(3)])

        assert not data.one_batch()[0][0, 0, 0, 0]
        assert next(iter(data.valid))[0][0, 0, 0, 0]
        assert data.encode_item(Image(left))[0, 0, 0, 0]
