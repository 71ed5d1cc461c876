"""ONNX graphs as they are handed on: without where they come from, and with weights of half the size if wanted."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

_LEAST = 64
"""Numbers of a tensor that is worth it."""

_LARGEST = float(np.finfo(np.float16).max)


def without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph without the stack traces and shapes that the exporter notes: paths of the machine it ran on."""
    tidy = onnx.ModelProto()
    tidy.CopyFrom(model)
    del tidy.metadata_props[:], tidy.graph.metadata_props[:], tidy.graph.value_info[:]
    for one in (*tidy.graph.node, *tidy.graph.initializer, *tidy.graph.input, *tidy.graph.output):
        one.ClearField("doc_string")
        del one.metadata_props[:]
    return tidy


def halve_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with half the size: large weights are float16, and cast to float32 when it is loaded.

    Every product is still one of single precision, so nothing overflows and no operator is missing anywhere.
    Tensors that half precision cannot hold stay as they are.
    """
    halved = onnx.ModelProto()
    halved.CopyFrom(model)
    kept, casts = [], []
    for one in halved.graph.initializer:
        small = _half(one)
        kept.append(one if small is None else small)
        if small is not None:
            casts.append(onnx.helper.make_node("Cast", [small.name], [one.name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *halved.graph.node]
    del halved.graph.initializer[:], halved.graph.node[:]
    halved.graph.initializer.extend(kept)
    halved.graph.node.extend(nodes)
    return halved


def _half(tensor: onnx.TensorProto) -> onnx.TensorProto | None:
    """A float32 tensor as float16 under another name; None where it stays as it is."""
    if tensor.data_type != onnx.TensorProto.FLOAT:
        return None
    values = numpy_helper.to_array(tensor)
    if values.size < _LEAST or not (np.abs(values) < _LARGEST).all():
        return None
    return numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}.half")
