"""Writes graphs that share one file of weights, so that no weight is stored twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from mltranslate_export.graphs.builder import Array, GraphBuilder

_ALIGNMENT = 4096
"""Weights start on a page, so that the runtime can map them instead of copying."""


def save_graphs(folder: Path, graphs: Mapping[str, GraphBuilder], weights_name: str) -> None:
    """Write every graph under its file name, and the weights of all of them into one file."""
    offsets: dict[str, tuple[int, Array]] = {}
    with (folder / weights_name).open("wb") as file:
        for graph in graphs.values():
            for name, array in graph.weights.items():
                if name not in offsets:
                    file.write(b"\0" * (-file.tell() % _ALIGNMENT))
                    offsets[name] = (file.tell(), array)
                    file.write(np.ascontiguousarray(array).tobytes())
    for name, graph in graphs.items():
        declared = [_external(key, *offsets[key], weights_name) for key in graph.weights]
        model = graph.model(declared)
        (folder / name).write_bytes(model.SerializeToString())


def _external(name: str, offset: int, array: Array, location: str) -> onnx.TensorProto:
    tensor = onnx.TensorProto(
        name=name,
        data_type=helper.np_dtype_to_tensor_dtype(array.dtype),
        dims=array.shape,
        data_location=onnx.TensorProto.EXTERNAL,
    )
    values = {"location": location, "offset": str(offset), "length": str(array.nbytes)}
    for key, value in values.items():
        tensor.external_data.add(key=key, value=value)
    return tensor
