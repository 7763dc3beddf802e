"""Matrix products in the precisions that a pack offers.

Every product takes rows (N, in) and gives (N, out) in fp32. The embedding is one table that
serves the look-up and the output layer alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from mltranslate_export.graphs.builder import MICROSOFT, Array, GraphBuilder, Value

WEIGHT_LIMIT = 64
"""Largest int8 weight. CPUs without VNNI add two products of u8 and s8 in 16 bits: 2 * 255 * 64
fits, so that no product saturates."""

LOGITS = "logits"
"""Name of the output layer's input among the ranges."""

Ranges = Mapping[str, tuple[float, float]]
"""Smallest and largest input of every product, zero included, by the name of its layer."""

_LEVELS = 255
_EMBEDDING = "embedding.weight"


class Linears(Protocol):
    """Products with the model's weights, in one precision."""

    precision: str

    def linear(self, graph: GraphBuilder, rows: Value, name: str) -> Value:
        """Apply the linear layer called `name` in the checkpoint, bias included."""
        ...

    def rectified_linear(self, graph: GraphBuilder, rows: Value, name: str) -> Value:
        """Apply the linear layer called `name` to the positive part of `rows`."""
        ...

    def embed(self, graph: GraphBuilder, ids: Value) -> Value:
        """Look up `ids` of any shape, scaled by the square root of the width."""
        ...

    def logits(self, graph: GraphBuilder, rows: Value) -> Value:
        """Score rows (N, D) against the embedding as (N, V); banned ids get minus infinity."""
        ...


class Float32:
    """Plain fp32: the reference, token for token equal to the trainer's search."""

    precision = "fp32"

    def __init__(self, weights: Mapping[str, Array], banned: Array) -> None:
        self._weights = weights
        self._bias = _ban_bias(len(weights[_EMBEDDING]), banned)

    def linear(self, graph: GraphBuilder, rows: Value, name: str) -> Value:
        """See `Linears.linear`."""
        weight = graph.weight(f"{name}.weight", self._weights[f"{name}.weight"])
        bias = graph.weight(f"{name}.bias", self._weights[f"{name}.bias"])
        return graph.op("Gemm", rows, weight, bias, transB=1)

    def rectified_linear(self, graph: GraphBuilder, rows: Value, name: str) -> Value:
        """See `Linears.rectified_linear`."""
        return self.linear(graph, graph.op("Relu", rows), name)

    def embed(self, graph: GraphBuilder, ids: Value) -> Value:
        """See `Linears.embed`."""
        table = self._weights[_EMBEDDING]
        found = graph.op("Gather", graph.weight(_EMBEDDING, table), ids)
        scale = graph.constant(math.sqrt(table.shape[1]), np.float32)
        return graph.op("Mul", found, scale)

    def logits(self, graph: GraphBuilder, rows: Value) -> Value:
        """See `Linears.logits`."""
        table = graph.weight(_EMBEDDING, self._weights[_EMBEDDING])
        bias = graph.weight("banned.bias", self._bias)
        return graph.op("Gemm", rows, table, bias, transB=1)


class Int8:
    """Integer products: s8 weights with a scale a column, u8 activations with a fixed scale each.

    The scales of the activations come from `ranges`, found by watching the model (calibration), so
    that a sentence's tokens do not depend on its neighbours in the batch.
    """

    precision = "int8"

    def __init__(self, weights: Mapping[str, Array], banned: Array, ranges: Ranges) -> None:
        self._weights = weights
        self._ranges = ranges
        self._bias = _ban_bias(len(weights[_EMBEDDING]), banned)
        self._table, self._table_scale = quantise_rows(weights[_EMBEDDING])

    def linear(self, graph: GraphBuilder, rows: Value, name: str) -> Value:
        """See `Linears.linear`."""
        table, scale = quantise_rows(self._weights[f"{name}.weight"])
        weight = graph.weight(f"{name}.weight.int8", np.ascontiguousarray(table.T))
        scales = graph.weight(f"{name}.scale", scale)
        bias = graph.weight(f"{name}.bias", self._weights[f"{name}.bias"])
        return self._product(graph, rows, name, weight, scales, bias)

    def rectified_linear(self, graph: GraphBuilder, rows: Value, name: str) -> Value:
        """See `Linears.rectified_linear`."""
        # The range of rectified values starts at zero, where quantising cuts off what is below.
        return self.linear(graph, rows, name)

    def embed(self, graph: GraphBuilder, ids: Value) -> Value:
        """See `Linears.embed`."""
        width = self._table.shape[1]
        scale = (self._table_scale * math.sqrt(width)).astype(np.float32)[:, None]
        rows = graph.op("Gather", graph.weight("embedding.int8", self._table), ids)
        scales = graph.op("Gather", graph.weight("embedding.look_up_scale", scale), ids)
        return graph.op("Mul", graph.op("Cast", rows, to=1), scales)

    def logits(self, graph: GraphBuilder, rows: Value) -> Value:
        """See `Linears.logits`."""
        scale = graph.weight("embedding.scale", self._table_scale)
        bias = graph.weight("banned.bias", self._bias)
        return self._product(graph, rows, LOGITS, self._output_layer(graph), scale, bias)

    def _output_layer(self, graph: GraphBuilder) -> Value:
        # Transposed when the session loads (a constant folds), so the file holds one table.
        return graph.outermost(
            "embedding.transposed",
            lambda root: root.op(
                "Transpose",
                root.weight("embedding.int8", self._table),
                perm=[1, 0],
                name="embedding.transposed",
            ),
        )

    def _product(
        self, graph: GraphBuilder, rows: Value, name: str, weight: Value, scales: Value,
        bias: Value,
    ) -> Value:  # fmt: skip
        low, high = self._ranges[name]
        step = max(high - low, 1e-30) / _LEVELS
        scale = graph.constant(step, np.float32)
        zero = graph.constant(round(-low / step), np.uint8)
        small = graph.op("QuantizeLinear", rows, scale, zero)
        # The empty name stands for the weights' zero point: they are symmetric.
        inputs = (small, weight, scale, scales, zero, "", bias)
        return graph.op("MatMulIntegerToFloat", *inputs, domain=MICROSOFT)


def quantise_rows(table: Array) -> tuple[Array, Array]:
    """Round (out, in) to int8 within ±`WEIGHT_LIMIT`, with the scale (out,) that undoes it."""
    peak = np.abs(table).max(axis=1)
    scale = np.where(peak > 0, peak, 1.0).astype(np.float32) / np.float32(WEIGHT_LIMIT)
    return np.rint(table / scale[:, None]).astype(np.int8), scale


def _ban_bias(size: int, banned: Array) -> Array:
    bias = np.zeros(size, np.float32)
    bias[banned] = -np.inf
    return bias
