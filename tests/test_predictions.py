"""Predictions: what a model says about an item, in people's terms."""

from __future__ import annotations

import torch

from coursekit.predictions import Prediction


def test_a_prediction_prints_as_one_line():
    prediction = Prediction("b", 0.75, {"a": 0.25, "b": 0.75}, torch.zeros(2))

    assert repr(prediction) == "b (probability 0.750)"
