"""Graphs that share one file of weights, so that no weight is stored twice: written, and read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from mltranslate_export.graphs.builder import LOCATION, Array, GraphBuilder

_ALIGNMENT = 4096
"""Weights start on a page, so that the runtime can map them instead of copying."""


def save_graphs(folder: Path, graphs: Mapping[str, GraphBuilder], weights_name: str) -> None:
    """Write every graph under its file name, and the weights of all of them into one file."""
    places: dict[str, tuple[int, int]] = {}
    with (folder / weights_name).open("wb") as file:
        for graph in graphs.values():
            for name, array in graph.weights.items():
                if name not in places:
                    file.write(b"\0" * (-file.tell() % _ALIGNMENT))
                    places[name] = (file.tell(), array.nbytes)
                    file.write(np.ascontiguousarray(array).tobytes())
    for name, graph in graphs.items():
        model = graph.model()
        for _, tensor in _external(model.graph):
            _place(tensor, weights_name, places[tensor.external_data[0].value])
        (folder / name).write_bytes(model.SerializeToString())


def read_weights(folder: Path, name: str) -> dict[str, Array]:
    """The weights (fp32 or int8) of a graph by their names, those of its sub-graphs included.

    Raises whatever onnx and protobuf raise for a file that is no such graph, and ValueError for
    weights of another type, or for two that have one name.
    """
    model = onnx.load(folder / name, load_external_data=False)
    tensors: dict[str, onnx.TensorProto] = {}
    for held, tensor in _external(model.graph):
        _check_type(tensor)
        # A sub-graph may hold what the graph around it holds as well: it lies in one place.
        if _stored(tensors.setdefault(held, tensor)) != _stored(tensor):
            raise ValueError(f"it holds two weights {held}")
    return {held: numpy_helper.to_array(one, str(folder)) for held, one in tensors.items()}


def _stored(tensor: onnx.TensorProto) -> object:
    """Type, shape and place of a tensor, which decide its values."""
    place = {entry.key: entry.value for entry in tensor.external_data}
    return tensor.data_type, list(tensor.dims), place


def _external(graph: onnx.GraphProto, prefix: str = "") -> Iterator[tuple[str, onnx.TensorProto]]:
    """Tensors in the file of weights, without the prefix that a sub-graph gives to all its own."""
    for tensor in graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            yield tensor.name.removeprefix(prefix), tensor
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _external(attribute.g, f"{attribute.g.name}.")


def _check_type(tensor: onnx.TensorProto) -> None:
    kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    if kind not in (np.float32, np.int8):
        raise ValueError(f"{tensor.name} is of the type {kind}")


def _place(tensor: onnx.TensorProto, location: str, place: tuple[int, int]) -> None:
    del tensor.external_data[:]
    offset, length = place
    values = {LOCATION: location, "offset": str(offset), "length": str(length)}
    for key, value in values.items():
        tensor.external_data.add(key=key, value=value)
