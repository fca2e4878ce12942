"""Looking at a model: its worst mistakes, and where its evidence lies."""

from math import nan

import pytest
import torch
from brightest import VOCAB, brightness_learner, photo
from torch import nn

from coursekit.creating import Create, CreateKeypoints
from coursekit.interpret import Interpretation, examine, top_losses
from coursekit.learner import Learner
from coursekit.loaders import Loader, Loaders
from coursekit.losses import BinaryCrossEntropy, CrossEntropy, PointDistance
from coursekit.recipes import Recipe
from coursekit.tensors import Keypoints, Mask, MultiCategory, Target
from coursekit.transforms import Pipeline
from coursekit.vocabularies import MultiCategorize


@pytest.fixture
def learner():
    return brightness_learner()


def test_the_worst_mistake_comes_first(learner):
    seen = examine(learner)

    assert seen.worst(1) == [2]
    assert seen.verdict(2) == "said dark (73%), is bright"
    assert torch.equal(seen.photos[1], photo((6, 1)))
    assert (seen.probability_of("bright") > 0.5).tolist() == [False, False, False]


def test_there_are_never_more_mistakes_than_items():
    seen = Interpretation([None], torch.tensor([[1.0, 0.0]]), torch.tensor([0]), torch.tensor([0.0]), VOCAB)

    assert seen.worst(9) == [0]


def test_the_worst_come_first_equals_stay_in_order_and_nan_is_worst():
    losses = torch.tensor([0.5, 2.0, 0.5, float("nan"), 2.0])

    assert top_losses(losses, count=3) == [3, 1, 4]
    assert top_losses(losses, count=9) == [3, 1, 4, 0, 2]
    assert top_losses(losses[:0]) == []


def test_one_loss_for_all_has_no_worst():
    with pytest.raises(ValueError, match=r'one loss for each item.* shape \(\)\. .*reduction="none"'):
        top_losses(torch.tensor(0.5))


@pytest.fixture
def kinds():
    chances = torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.3, 0.6, 0.1]])
    truth = torch.tensor([0, 1, 2, 2])
    losses = -chances[range(4), truth].log()
    return Interpretation([photo()] * 4, chances, truth, losses, ("sound", "broken", "dusty"))


def test_what_is_taken_for_what_is_counted_and_named(kinds):
    assert kinds.confusion().tolist() == [[1, 0, 0], [0, 1, 0], [0, 2, 0]]
    assert kinds.most_confused() == [("dusty", "broken", 2)]


def test_a_confusion_matrix_is_drawn_with_its_counts_and_said_in_words(kinds):
    from matplotlib import pyplot

    kinds.show_confusion()

    axes = pyplot.gca()
    assert [text.get_text() for text in axes.texts] == ["1", "0", "0", "0", "1", "0", "0", "2", "0"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["sound", "broken", "dusty"]
    assert "2 of 4 right. Most often taken for another: dusty for broken, 2 times" in pyplot.gcf().alt_text
    pyplot.close("all")


def test_what_has_no_kinds_has_no_confusion():
    seen = Interpretation([None] * 2, torch.rand(2, 3), torch.rand(2, 3), torch.rand(2), ())

    with pytest.raises(ValueError, match=r"an item has not one kind: .* \(2, 3\)"):
        seen.confusion()


def drawn(seen):
    """Both drawings of an interpretation, as the words that stand above the pictures."""
    from matplotlib import pyplot

    titles = []
    for draw in (seen.show_worst, seen.show_results):
        draw(2)
        titles.append([axes.get_title() for axes in pyplot.gcf().axes])
        assert len(pyplot.gcf().alt_text) > 20
        pyplot.close("all")
    return titles


def examined(items, model, loss, steps):
    data = Loaders(Loader(items), Loader(items), Recipe(Pipeline(), Pipeline(*steps), Pipeline()))
    return examine(Learner(data, model, loss, device="cpu"))


class Says(nn.Module):
    """A model that says the same of everything."""

    def __init__(self, answer):
        super().__init__()
        self.answer = nn.Parameter(torch.tensor(answer))

    def forward(self, photos):
        return self.answer.expand(len(photos), *self.answer.shape)


def test_masks_are_examined():
    truth = torch.zeros(8, 8, dtype=torch.int64)
    truth[:, 4:] = 1
    items = [(photo(), Mask(truth, vocab=VOCAB)), (photo(), Mask(torch.zeros_like(truth), vocab=VOCAB))]
    scores = torch.stack([torch.ones(8, 8), torch.zeros(8, 8)]).tolist()

    seen = examined(items, Says(scores), CrossEntropy(), [Create(Mask, vocab=VOCAB)])

    assert seen.worst(1) == [0]
    assert seen.losses.shape == (2,)
    assert seen.confusion().tolist() == [[96, 0], [32, 0]]
    assert [type(answer) for answer in seen.answers] == [Mask, Mask]
    assert drawn(seen) == [
        ["truth", "said, loss 0.813", "truth", "said, loss 0.313"],
        ["input", "truth", "prediction"] * 2,
    ]


def test_points_are_examined():
    items = [(photo(), Keypoints([[x, 2.0], [nan, nan]], canvas=(8, 8))) for x in (4.0, 1.0)]

    seen = examined(items, Says([[4.0, 2.0], [3.0, 3.0]]), PointDistance(), [CreateKeypoints()])

    assert seen.losses.tolist() == [0, 3]
    assert seen.answers[0].canvas == (8, 8)
    assert drawn(seen)[0] == ["truth", "said, loss 3", "truth", "said, loss 0"]


def test_several_labels_and_amounts_are_examined_in_words():
    items = [(photo(), MultiCategory(names, vocab=VOCAB)) for names in (["dark"], ["dark", "bright"])]
    seen = examined(items, Says([2.0, -1.0]), BinaryCrossEntropy(), [MultiCategorize(VOCAB)])
    assert seen.verdict(1) == "said dark, is dark, bright"
    assert seen.probability_of("dark").tolist() == pytest.approx([0.881, 0.881], abs=1e-3)
    assert drawn(seen)[1] == ["✓ dark", "✗ said dark, is dark, bright"]

    items = [(photo(), Target(amount)) for amount in (3.0, 5.0)]
    seen = examined(items, Says(4.5), nn.MSELoss(), [Create(Target)])
    assert seen.losses.tolist() == [2.25, 0.25]
    assert seen.verdict(0) == "said 4.5, is 3"
    assert len(drawn(seen)[0]) == 2


def test_answers_that_do_not_go_with_the_items_are_told_of(learner):
    raw, steps = learner.data.valid.items.raw, learner.data.valid.batch_transforms
    learner.data.valid = Loader(iter(raw), batch_transforms=steps)
    with pytest.raises(ValueError, match="can only be walked through once: make a list"):
        examine(learner)


def test_data_that_do_not_say_what_answers_are_called_are_refused_in_words():
    batches = [(torch.zeros(2, 3), torch.tensor([0, 1]))]
    learner = Learner((batches, batches), nn.Linear(3, 2), CrossEntropy(), device="cpu")

    with pytest.raises(TypeError, match=r"takes what DataBlock\.loaders gave; this is a SimpleNamespace"):
        examine(learner)


def test_pixels_that_nobody_knows_are_not_counted():
    seen = Interpretation(
        [None], torch.rand(1, 2, 1, 3), torch.tensor([[[0, 255, 1]]]), torch.zeros(1), VOCAB
    )

    assert seen.confusion().sum() == 2
