"""Make a graph smaller: weights of half the bits, or layers that compute in whole numbers of 8 bits.

What is lost is lost in the numbers inside, and shows in answers only where these were close; how often that
is depends on the network. So measure on held-out items before you ship the smaller one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

SMALL = 512  # numbers; where there are fewer, nothing is gained
MOST_HALF = float(np.finfo(np.float16).max)
TOGETHER = 8  # items that are looked at at once; more take memory, and change nothing


def halved(graph: bytes) -> bytes:
    """Keep the weights of a graph in 16 bits; it computes in 32 as before.

    Args:
        graph: An ONNX model, as bytes.

    Returns:
        About half as many bytes. A weight has three digits then; what is too large for 16 bits stays.
    """
    import onnx

    model = onnx.load_from_string(graph)
    casts = []
    for weight in list(model.graph.initializer):
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < SMALL or np.abs(values).max() > MOST_HALF:
            continue
        half = f"{weight.name}.half"
        model.graph.initializer.remove(weight)
        model.graph.initializer.append(onnx.numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(onnx.helper.make_node("Cast", [half], [weight.name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model.SerializeToString()


def in_whole_numbers(graph: bytes, items: Sequence[np.ndarray]) -> bytes:
    """Let the layers of a graph compute in whole numbers of 8 bits, with a scale of its own for each channel.

    Args:
        graph: An ONNX model, as bytes.
        items: Items as the graph is given them. Between the least and the largest number that a layer gives
            for these lie the 256 that it can give from now on.

    Returns:
        Less than a third as many bytes; where a processor multiplies such numbers it is quicker as well.

    Raises:
        ValueError: There are no items.
    """
    from onnxruntime.quantization import QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    if not len(items):
        raise ValueError("8 bits need items that show how large numbers get inside; none came.")
    with TemporaryDirectory() as folder, quiet():
        whole, simple, small = (Path(folder, f"{name}.onnx") for name in ("whole", "simple", "small"))
        whole.write_bytes(graph)
        quant_pre_process(whole, simple, skip_symbolic_shape=True)
        quantize_static(
            simple,
            small,
            Batches(items),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return unsigned(small.read_bytes())


def unsigned(graph: bytes) -> bytes:
    """Let the weights of a graph be numbers without a sign, 0 for -128: the same answers on every processor.

    One of x86-64 without VNNI multiplies numbers without a sign by such with one in pairs, and the sum of a
    pair may be too large for the 16 bits it gets. Numbers without a sign are not multiplied in this way.
    """
    import onnx

    model = onnx.load_from_string(graph)
    scaled = {name for node in model.graph.node if node.op_type == "DequantizeLinear" for name in node.input}
    for part in model.graph.initializer:
        if part.name in scaled and part.data_type == onnx.TensorProto.INT8:
            values = onnx.numpy_helper.to_array(part).astype(np.int16) + 128
            part.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.uint8), part.name))
    return model.SerializeToString()


class Batches:
    """Items by the batch, as onnxruntime asks for them.

    >>> Batches([np.zeros(2), np.ones(2)]).get_next()["items"].shape
    (2, 2)
    """

    def __init__(self, items: Sequence[np.ndarray]) -> None:
        starts = range(0, len(items), TOGETHER)
        self.batches: Iterator[np.ndarray] = (np.stack(items[start : start + TOGETHER]) for start in starts)

    def get_next(self) -> dict[str, Any] | None:
        """The next batch, by the name of the graph's input; None after the last."""
        batch = next(self.batches, None)
        return None if batch is None else {"items": batch}


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out what onnxruntime logs about how it could have been called."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
