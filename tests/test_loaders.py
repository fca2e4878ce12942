"""Items become typed batches on a device and come apart again."""

import json

import pytest
import torch

from coursekit.loaders import Items, Loader, Loaders
from coursekit.orders import Balanced
from coursekit.recipes import Recipe
from coursekit.steps import Categorize, ToFloat
from coursekit.tensors import Boxes, Category, GrayImage, Image, Text
from coursekit.transforms import Pipeline, RandomTransform, Transform

VOCAB = ("broken", "sound")


def cells(count):
    return [
        (GrayImage(torch.full((1, 4, 4), number, dtype=torch.uint8)), Category(number % 2, vocab=VOCAB))
        for number in range(count)
    ]


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


def loader_of(drawn=True, workers=0, **options):
    items = [(torch.tensor(0), torch.tensor(number * 10**7)) for number in range(11)]
    made = Items(items, Shift() if drawn else Pipeline(), seed=3)
    method = "fork" if workers else None
    return Loader(made, 2, shuffle=True, seed=3, workers=workers, start_method=method, **options)


def batches(loader, passes=1):
    return [[(x.tolist(), y.tolist()) for x, y in loader] for _ in range(passes)]


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("drawn", [True, False])
def test_a_pass_is_taken_up_where_it_was_left(workers, drawn):
    whole = batches(loader_of(drawn), 3)
    loader = loader_of(drawn, workers)
    batches(loader)
    walk = iter(loader)
    given = [next(walk) for _ in range(2)]
    state = json.loads(json.dumps(loader.state_dict()))

    other = loader_of(drawn, 2 - workers)
    other.load_state_dict(state)

    assert batches(other, 2) == [whole[1][2:], whole[2]]
    assert [x.tolist() for x, _ in given] == [x for x, _ in whole[1][:2]]


def test_after_the_last_batch_the_next_pass_follows():
    loader, other = loader_of(), loader_of()
    walk = iter(loader)
    for _ in range(len(loader)):
        next(walk)
    other.load_state_dict(loader.state_dict())

    assert batches(other) == batches(loader_of(), 2)[1:]
    assert loader_of().state_dict()["batch"] == 0


def test_a_stream_is_taken_up_too():
    class Source:
        def __iter__(self):
            return iter(range(7))

    loader = Loader(Source(), 2)
    next(iter(loader))
    other = Loader(Source(), 2)
    other.load_state_dict(loader.state_dict())

    assert [batch.tolist() for batch in other] == [[2, 3], [4, 5], [6]]


def test_a_state_of_another_loader_is_refused():
    state = Loader(cells(5), 2, seed=1).state_dict()

    with pytest.raises(ValueError, match="a loader whose seed is 1, and here it is 2: other batches would"):
        Loader(cells(5), 2, seed=2).load_state_dict(state)
    with pytest.raises(ValueError, match="whose count of items is 5, and here it is 6"):
        Loader(cells(6), 2, seed=1).load_state_dict(state)


class Noise(RandomTransform):
    """Adds the same noise to all of a batch."""

    def draw(self, chance):
        return chance.randint(1, 10**6)

    def apply(self, x, drawn):
        return x[0] + drawn, x[1]


@pytest.mark.parametrize("hold", [True, False])
def test_what_is_drawn_for_a_batch_follows_from_seed_pass_and_number(hold):
    noisy = [loader_of(False, batch_transforms=Pipeline(Noise()), hold=hold) for _ in range(2)]
    whole = batches(noisy[0], 3)
    walk = iter(noisy[1])
    next(walk)
    noisy[0].load_state_dict(noisy[1].state_dict())

    assert batches(noisy[0], 2) == [whole[0][1:], whole[1]]
    assert len({x[0] for one in whole for x, _ in one}) == 18


def test_drop_last_leaves_full_batches():
    loader = loader_of(drop_last=True)

    assert [len(x) for x, _ in loader] == [2] * 5
    assert len(loader) == 5
    with pytest.raises(ValueError, match="drop_last leaves nothing: 3 items do not fill one batch of 4"):
        Loader(cells(3), 4, drop_last=True)
    with pytest.raises(ValueError, match="at least one item; batch_size=0"):
        Loader(cells(3), 0)


def test_reading_does_not_touch_the_chance_of_others():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    batches(loader_of(workers=1))

    assert torch.rand(1) == expected


def test_an_order_takes_what_it_needs_from_raw_items():
    raw = [{"label": "rare" if number == 0 else "common"} for number in range(50)]
    items = Items(raw, Label())
    seen = [name for names in Loader(items, 10, order=Balanced("label")) for name in names[0]]

    assert 15 < seen.count("rare") < 35


class Label(Transform):
    def encode(self, x):
        return (x["label"],)


def test_items_without_a_target_and_nested_ones_are_batches_too():
    photos = Loader([Image(torch.zeros(3, 2, 2))] * 3, 2)
    nested = Loader([((torch.zeros(1), Text("ab")), {"age": 3, "sex": None})] * 2, 2)
    ((pixels, words), told), *_ = nested

    assert [type(batch) for batch in photos] == [Image, Image]
    assert (pixels.shape, words.tolist(), told["sex"]) == ((2, 1), [[97, 98]] * 2, None)


def test_a_learner_copes_with_a_stream():
    from coursekit.learner import Learner

    class Source:
        def __iter__(self):
            return iter([(torch.ones(2), torch.tensor(n % 2)) for n in range(6)])

    data = Loader(Source(), 2), Loader(Source(), 4)
    learner = Learner(data, torch.nn.Linear(2, 2), torch.nn.CrossEntropyLoss(), device="cpu")
    learner.fit(1, 0.01)

    assert learner.predictions()[1].tolist() == [0, 1, 0, 1, 0, 1]


def test_boxes_of_any_number_are_decoded_as_they_were(loaders):
    boxes = [Boxes([[0, 0, 1, n + 1.0]] * n, labels=["x"] * n, vocab=("x",)) for n in (2, 0, 3)]
    loader = Loader([(torch.zeros(1), one) for one in boxes], 3)
    recipe = Recipe(Pipeline(), Pipeline(), Pipeline())
    data = Loaders(loader, loader, recipe)

    assert [repr(one) for _, one in data.decode_batch(data.one_batch())] == list(map(repr, boxes))


def test_what_makes_no_batches_is_refused_in_words():
    for wrong in (0, 2.5, "8"):
        with pytest.raises(ValueError, match="a batch holds at least one item; batch_size="):
            Loader(range(3), wrong)
    with pytest.raises(TypeError, match=r"an order is one such as Balanced\('label'\).*got 'label'"):
        Loader(range(3), order="label")
    with pytest.raises(TypeError, match="Pipeline takes steps"):
        Loader(range(3), batch_transforms=[len])
    for steps in (ToFloat(), [ToFloat()], Pipeline(ToFloat())):
        ((photos, _),) = Loader(cells(2), batch_transforms=steps)
        assert photos.is_floating_point()


class Fragile(Transform):
    """A batch step that fails once, at the third batch."""

    fails = True

    def encode(self, x):
        if self.fails and x.min() == 4:
            self.fails = False
            raise RuntimeError("out of memory")
        return x


def test_a_batch_that_could_not_be_made_is_made_when_the_run_goes_on():
    loader = Loader([torch.tensor(number) for number in range(8)], 2, batch_transforms=Fragile())
    with pytest.raises(RuntimeError, match="out of memory"):
        list(loader)

    loader.load_state_dict(loader.state_dict())
    assert [batch.tolist() for batch in loader] == [[4, 5], [6, 7]]
