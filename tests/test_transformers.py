"""A model and a collator of `transformers` train, validate and predict as they are, without an adapter."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch.utils.data import DataLoader

import coursekit as kit

transformers = pytest.importorskip("transformers", reason="transformers is not installed")
tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")

GOOD, BAD = ("good", "fine", "lovely"), ("bad", "poor", "awful")
OTHER = ("the", "film", "was", "really", "rather")


@pytest.fixture(scope="module")
def tokenizer():
    """A tokenizer of a dozen words, made here: nothing is downloaded."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *GOOD, *BAD, *OTHER]
    model = tokenizers.models.WordLevel(
        {word: number for number, word in enumerate(words)}, unk_token="[UNK]"
    )
    raw = tokenizers.Tokenizer(model)
    raw.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )


@pytest.fixture(scope="module")
def loaders(tokenizer):
    """Reviews of different lengths, collated and padded by the collator that `transformers` brings."""
    texts = [
        f"the film was {'really ' * (number % 4)}{word}"
        for number in range(16)
        for word in (GOOD[number % 3], BAD[number % 3])
    ]
    items = [{**tokenizer(text), "labels": number % 2} for number, text in enumerate(texts)]
    collate = transformers.DataCollatorWithPadding(tokenizer)
    return [DataLoader(items, batch_size=8, collate_fn=collate, shuffle=shuffle) for shuffle in (True, False)]


@pytest.fixture
def model():
    """A BERT so small that it learns within a second, with weights drawn at random."""
    torch.manual_seed(0)
    settings = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.BertConfig(vocab_size=20, num_labels=2, hidden_dropout_prob=0.0, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return transformers.BertForSequenceClassification(config)


def make_learner(loaders, model, **options) -> kit.Learner:
    torch.manual_seed(0)
    return kit.Learner(
        loaders, model, metrics=[kit.accuracy], callbacks=[kit.Progress("off")], device="cpu", **options
    )


def test_it_trains_on_its_own_loss_and_is_validated_by_our_metrics(loaders, model):
    learner = make_learner(loaders, model)
    learner.fit_one_cycle(10, rate=1e-2)

    assert learner.recorder.rows[-1]["accuracy"] == 1
    assert learner.validate()["loss"] < 0.3 < learner.recorder.losses[0]


def test_it_trains_on_a_loss_of_ours_too(loaders, model):
    learner = make_learner(loaders, model, loss=kit.CrossEntropy())
    learner.fit_one_cycle(10, rate=1e-2)

    assert learner.recorder.rows[-1]["accuracy"] == 1
    assert "labels" not in learner.inputs


def test_predictions_are_the_scores_of_all_items(loaders, model):
    scores, targets = make_learner(loaders, model).predictions()

    assert scores.shape == (32, 2)
    assert targets.tolist() == [0, 1] * 16


def test_one_text_is_predicted_as_the_tokenizer_gives_it(loaders, model, tokenizer):
    learner = make_learner(loaders, model, loss=kit.CrossEntropy())
    learner.fit_one_cycle(10, rate=1e-2)
    learner.data.vocab = ("good", "bad")

    assert learner.predict(tokenizer("the film was lovely")).label == "good"
    assert learner.predict(tokenizer("the film was really rather awful")).label == "bad"


def test_without_a_loss_of_ours_the_answer_is_the_scores(loaders, model, tokenizer):
    found = make_learner(loaders, model).predict(tokenizer("the film was good"))

    assert found.value.shape == (2,)


def test_a_model_that_is_given_no_labels_says_that_it_has_no_loss(loaders, model):
    class Unlabelled:
        def __iter__(self):
            return ({name: x for name, x in batch.items() if name != "labels"} for batch in loaders[0])

    words = (
        "No loss function was given, so the model's answer must hold loss; it is .*SequenceClassifierOutput"
    )
    with pytest.raises(TypeError, match=words):
        make_learner((Unlabelled(), None), model).fit(1, rate=1e-3)
