"""Writes graphs that share one file of weights, so that no weight is stored twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx

from mltranslate_export.graphs.builder import LOCATION, GraphBuilder

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
        for tensor in _external(model.graph):
            _place(tensor, weights_name, places[tensor.external_data[0].value])
        (folder / name).write_bytes(model.SerializeToString())


def _external(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Weights of a graph and of those inside it."""
    for tensor in graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            yield tensor
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _external(attribute.g)


def _place(tensor: onnx.TensorProto, location: str, place: tuple[int, int]) -> None:
    del tensor.external_data[:]
    offset, length = place
    values = {LOCATION: location, "offset": str(offset), "length": str(length)}
    for key, value in values.items():
        tensor.external_data.add(key=key, value=value)
