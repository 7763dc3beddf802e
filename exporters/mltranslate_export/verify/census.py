"""Counts the operators that really run, so that int8 that is not int8 is seen."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import onnx

from mltranslate.errors import VerificationError
from mltranslate.runtime.sessions import save_optimised
from mltranslate_export.graphs.alignment import alignment_graph
from mltranslate_export.graphs.builder import Array
from mltranslate_export.graphs.transformer import TransformerNetwork

_INTEGER_PRODUCTS = ("DynamicQuantizeMatMul", "MatMulIntegerToFloat", "MatMulInteger")
_FLOAT_PRODUCTS = ("Gemm", "FusedGemm")
"""Products with weights in fp32; MatMul and FusedMatMul are attention, activation by activation."""

_TABLES = (
    "positions",
    "encoder_positions",
    "embedding.weight",
    "source_embedding.weight",
    "output.weight",
)


def census(graph: Path) -> dict[str, int]:
    """Count the operators of a graph and its sub-graphs as the runtime optimises it."""
    with tempfile.TemporaryDirectory() as folder:
        optimised = Path(folder) / "optimised.onnx"
        save_optimised(graph, optimised)
        return count(onnx.load(optimised, load_external_data=False))


def count(model: onnx.ModelProto) -> dict[str, int]:
    """Count the operators of a graph and its sub-graphs as they stand."""
    return dict(sorted(Counter(node.op_type for node in _nodes(model.graph)).items()))


def expected_aligned_products(network: TransformerNetwork) -> int:
    """Count the products of a graph that aligns, by its fp32 `network`."""
    counts = count(alignment_graph(network).model())
    return sum(counts.get(kind, 0) for kind in _FLOAT_PRODUCTS)


def expected_products(weights: Mapping[str, Array], float_modules: tuple[str, ...]) -> int:
    """Count the products of a model that int8 covers: its matrices, and the output layer."""
    matrices = [
        name
        for name, array in weights.items()
        if array.ndim == 2 and name not in _TABLES and not name.startswith(float_modules)
    ]
    return len(matrices) + 1


def check_int8(counts: dict[str, int], expected: int) -> None:
    """Raise `VerificationError` unless the `expected` products with weights run in integers."""
    integers = sum(counts.get(kind, 0) for kind in _INTEGER_PRODUCTS)
    floats = sum(counts.get(kind, 0) for kind in _FLOAT_PRODUCTS)
    if integers != expected or floats:
        raise VerificationError(
            "the int8 graph does not run in integers",
            why=f"{integers} of {expected} products do, {floats} run in fp32",
            fix="This is a fault of the exporter; please report it",
        )


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _nodes(attribute.g)
