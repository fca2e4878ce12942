"""Items become typed batches on a device and come apart again."""

import pytest
import torch

from coursekit.loaders import Items, Loader, Loaders, collate
from coursekit.recipes import Recipe
from coursekit.steps import Categorize, ToFloat
from coursekit.tensors import Category, GrayImage, Image
from coursekit.transforms import Pipeline, RandomTransform, Transform

VOCAB = ("broken", "sound")


def cells(count):
    return [
        (GrayImage(torch.full((1, 4, 4), number, dtype=torch.uint8)), Category(number % 2, vocab=VOCAB))
        for number in range(count)
    ]


def test_a_batch_has_the_types_of_its_items():
    photos, labels = collate(cells(3))

    assert type(photos) is GrayImage
    assert photos.shape == (3, 1, 4, 4)
    assert type(labels) is Category
    assert labels.tolist() == [0, 1, 0]
    assert labels.vocab == VOCAB


def test_unequal_shapes_are_refused_in_words():
    with pytest.raises(ValueError, match=r"these Images have 2: \(3, 2, 2\), \(3, 4, 4\).*Resize"):
        collate([Image(torch.zeros(3, 4, 4)), Image(torch.zeros(3, 2, 2))])


def test_an_empty_loader_is_refused():
    with pytest.raises(ValueError, match="at least one item"):
        Loader([])


def test_shuffling_follows_from_the_seed_and_changes_with_each_pass():
    def orders(seed):
        loader = Loader(cells(32), batch_size=32, shuffle=True, seed=seed)
        return [photos[:, 0, 0, 0].tolist() for _ in range(2) for photos, _ in loader]

    assert orders(1) == orders(1)
    assert orders(1) != orders(2)
    assert orders(1)[0] != orders(1)[1]
    assert sorted(orders(1)[0]) == list(range(32))


class Count(Transform):
    """Counts how often it encodes."""

    def __init__(self, random=False):
        self.times, self.random = 0, random

    def encode(self, x):
        self.times += 1
        return torch.zeros(4)


@pytest.mark.parametrize(
    ("most_bytes", "random", "times"), [(1000, False, 2), (31, False, 4), (1000, True, 4)]
)
def test_items_are_kept_only_if_they_fit_and_are_not_drawn_by_chance(most_bytes, random, times):
    count = Count(random)
    items = Items(["a", "b"], count, most_bytes)

    for _ in range(2):
        [items[number] for number in range(2)]

    assert count.times == times


def test_an_error_says_which_item():
    class Bad(Transform):
        def encode(self, x):
            raise OSError("unreadable")

    with pytest.raises(OSError, match="unreadable") as caught:
        Items(["a.jpg"], Bad())[0]

    assert caught.value.__notes__ == ["while item 0 was made, from the str 'a.jpg'"]


@pytest.fixture
def loaders():
    batch = Pipeline(ToFloat())
    return Loaders(
        Loader(cells(5), batch_size=4, batch_transforms=batch),
        Loader(cells(3), batch_size=4, batch_transforms=batch),
        Recipe(Pipeline(), Pipeline(Categorize(VOCAB)), batch),
    )


def test_batches_are_decoded_to_what_people_know(loaders):
    inputs, targets = loaders.one_batch()

    items = loaders.decode_batch((inputs, targets))

    assert inputs.dtype == torch.float32
    assert [name for _, name in items] == ["broken", "sound", "broken", "sound"]
    assert torch.equal(items[3][0], cells(4)[3][0])


def test_one_item_becomes_a_batch_of_one(loaders):
    batch = loaders.encode_item(cells(1)[0][0])

    assert type(batch) is GrayImage
    assert batch.shape == (1, 1, 4, 4)
    assert batch.dtype == torch.float32


def test_the_vocabulary_comes_from_the_targets(loaders):
    assert loaders.vocab == VOCAB
    assert loaders.decode_target(Category(1, vocab=VOCAB)) == "sound"


def test_workers_read_the_same_items():
    loader = Loader(cells(6), batch_size=4, workers=1)

    assert [photos.shape[0] for photos, _ in loader] == [4, 2]


class Shift(RandomTransform):
    """Adds what it drew to every number of a sample."""

    def draw(self, chance):
        return chance.randint(1, 10**6)

    def apply(self, x, drawn):
        return x[0] + drawn, x[1] + drawn


def drawn(workers=0, seed=3, shuffle=False, passes=2):
    """What is drawn for each item, pass by pass."""
    items = Items(
        [(torch.tensor(0), torch.tensor(number * 10**7)) for number in range(8)], Shift(), seed=seed
    )
    loader = Loader(items, batch_size=3, shuffle=shuffle, seed=seed, workers=workers)
    found = [{}, {}]
    for chosen in found[:passes]:
        for left, right in loader:
            chosen.update({int(b) // 10**7: int(a) for a, b in zip(left, right, strict=True)})
            assert torch.equal(right % 10**7, left)
    return found


def test_an_item_is_drawn_alike_in_any_order_and_any_number_of_workers():
    alone = drawn()

    assert alone == drawn(workers=1) == drawn(workers=2) == drawn(shuffle=True)
    assert alone[0] != alone[1]
    assert len(set(alone[0].values())) == 8
    assert alone != drawn(seed=4)


def test_an_item_asked_for_by_its_number_is_that_of_the_first_pass():
    items = Items([(torch.tensor(0), torch.tensor(0))] * 4, Shift(), seed=3)
    first = drawn()[0]

    assert [items[number][0].item() for number in (2, 0, 2)] == [first[2], first[0], first[2]]
    assert items[1, 2][0].item() == drawn()[1][2]
