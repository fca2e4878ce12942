"""Graphs with fewer bits: how large they are, and how far their numbers are off."""

from __future__ import annotations

import numpy as np
import pytest

from coursekit.onnx_model import start_session
from coursekit.onnx_shrinking import halved, in_whole_numbers

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

CHANCE = np.random.default_rng(0)
ITEMS = [CHANCE.normal(size=32).astype(np.float32) for _ in range(20)]


def graph(weights: np.ndarray) -> bytes:
    """A graph that multiplies items (count, 32) with weights (32, n)."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    made = helper.make_graph(
        [helper.make_node("MatMul", ["items", "weights"], ["answers"])],
        "product",
        [helper.make_tensor_value_info("items", kind, ["count", 32])],
        [helper.make_tensor_value_info("answers", kind, ["count", weights.shape[1]])],
        [onnx.numpy_helper.from_array(weights.astype(np.float32), "weights")],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return model.SerializeToString()


def answers(written: bytes) -> np.ndarray:
    return start_session(written, threads=1).run(None, {"items": np.stack(ITEMS)})[0]


def test_half_the_bits_are_half_the_bytes_and_three_digits() -> None:
    whole = graph(CHANCE.normal(size=(32, 64)))
    half = halved(whole)

    assert len(half) < 0.55 * len(whole)
    assert np.allclose(answers(half), answers(whole), atol=0.01)


def test_what_is_too_large_for_sixteen_bits_stays_and_so_does_what_is_small() -> None:
    large, few = graph(CHANCE.normal(size=(32, 64)) * 1e6), graph(CHANCE.normal(size=(32, 2)))

    assert np.array_equal(answers(halved(large)), answers(large))
    assert np.array_equal(answers(halved(few)), answers(few))


def test_whole_numbers_are_a_quarter_of_the_bytes_and_near(capfd: pytest.CaptureFixture[str]) -> None:
    whole = graph(CHANCE.normal(size=(32, 256)))
    small = in_whole_numbers(whole, ITEMS)

    assert len(small) < 0.4 * len(whole)
    assert np.abs(answers(small) - answers(whole)).max() < 0.05 * np.abs(answers(whole)).max()
    assert capfd.readouterr() == ("", "")


def test_no_sum_overflows_whatever_the_processor() -> None:
    """The largest weights and items that eight bits have, two of each side by side, all of one sign."""
    whole = graph(np.ones((32, 64)))
    largest = [np.full(32, 1, np.float32), np.zeros(32, np.float32)]
    small = in_whole_numbers(whole, largest)
    types = {part.data_type for part in onnx.load_from_string(small).graph.initializer}

    assert onnx.TensorProto.INT8 not in types
    session = start_session(small, threads=1)
    assert np.allclose(session.run(None, {"items": np.stack(largest)})[0], [[32] * 64, [0] * 64], rtol=0.01)


def test_whole_numbers_need_items() -> None:
    with pytest.raises(
        ValueError, match="8 bits need items that show how large numbers get inside; none came"
    ):
        in_whole_numbers(graph(CHANCE.normal(size=(32, 64))), [])
