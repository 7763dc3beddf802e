"""Matrix products in the precisions that a pack offers.

Every product takes rows (N, in) and gives (N, out) in fp32. Where the model ties them, one table
serves look-ups and the output layer alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from mltranslate_export.graphs.builder import FLOAT, MICROSOFT, Array, GraphBuilder, Value
from mltranslate_export.graphs.choices import SHORTLIST

WEIGHT_LIMIT = 64
"""Largest int8 weight. CPUs without VNNI add two products of u8 and s8 in 16 bits: 2 * 255 * 64
fits, so that no product saturates."""

LOGITS = "logits"
"""Name of the output layer's input among the ranges."""

LOGITS_BIAS = "logits_bias"
"""Name of the output layer's bias, where a model has one."""

Ranges = Mapping[str, tuple[Array, Array]]
"""Smallest and largest value (in,) of every product's inputs, zero included, by its layer."""

_LEVELS = 255


class Linears(Protocol):
    """Products with the model's weights, in one precision."""

    precision: str
    short: bool
    """Whether `logits` scores only the ids of the input `shortlist` (U,)."""

    def linear(self, graph: GraphBuilder, rows: Value, name: str) -> Value:
        """Apply the linear layer called `name` in the checkpoint, with its bias if it has one."""
        ...

    def rectified_linear(self, graph: GraphBuilder, rows: Value, name: str) -> Value:
        """Apply the linear layer called `name` to the positive part of `rows`."""
        ...

    def embed(self, graph: GraphBuilder, ids: Value, table: str, scale: float) -> Value:
        """Look up `ids` of any shape in the embedding called `table`, times `scale`."""
        ...

    def logits(self, graph: GraphBuilder, rows: Value) -> Value:
        """Score rows (N, D) by the output layer as (N, V), or (N, U) if `short`.

        Banned ids get minus infinity.
        """
        ...


class Float32:
    """Plain fp32: the reference, token for token equal to the trainer's search."""

    precision = "fp32"

    def __init__(
        self, weights: Mapping[str, Array], banned: Array, output: str, *, short: bool = False
    ) -> None:
        self.short = short
        self._weights = weights
        self._output = f"{output}.weight"
        self._bias = _output_bias(weights, len(weights[self._output]), banned)

    def linear(self, graph: GraphBuilder, rows: Value, name: str) -> Value:
        """See `Linears.linear`."""
        weight = graph.weight(f"{name}.weight", self._weights[f"{name}.weight"])
        bias = _bias(graph, self._weights, name)
        return graph.op("Gemm", rows, weight, bias, transB=1)

    def rectified_linear(self, graph: GraphBuilder, rows: Value, name: str) -> Value:
        """See `Linears.rectified_linear`."""
        return self.linear(graph, graph.op("Relu", rows), name)

    def embed(self, graph: GraphBuilder, ids: Value, table: str, scale: float) -> Value:
        """See `Linears.embed`."""
        name = f"{table}.weight"
        found = graph.op("Gather", graph.weight(name, self._weights[name]), ids)
        return found if scale == 1 else graph.op("Mul", found, graph.constant(scale, np.float32))

    def logits(self, graph: GraphBuilder, rows: Value) -> Value:
        """See `Linears.logits`."""
        table = _chosen(graph, self._output, self._weights[self._output], short=self.short)
        bias = _chosen(graph, "banned.bias", self._bias, short=self.short)
        return graph.op("Gemm", rows, table, bias, transB=1)


class Int8:
    """Integer products: s8 weights with a scale a column, u8 activations with a fixed scale each.

    The scales of the activations come from `ranges`, found by watching the model (calibration), so
    that a sentence's tokens do not depend on its neighbours in the batch.
    """

    precision = "int8"

    def __init__(
        self, weights: Mapping[str, Array], banned: Array, output: str, ranges: Ranges, *,
        short: bool = False,
    ) -> None:  # fmt: skip
        self.short = short
        self._weights = weights
        self._ranges = ranges
        self._output = output
        self._bias = _output_bias(weights, len(weights[f"{output}.weight"]), banned)
        self._tables: dict[str, tuple[Array, Array]] = {}

    def linear(self, graph: GraphBuilder, rows: Value, name: str) -> Value:
        """See `Linears.linear`."""
        table, scale = quantise_rows(self._weights[f"{name}.weight"])
        weight = graph.weight(f"{name}.weight.int8", np.ascontiguousarray(table.T))
        scales = graph.weight(f"{name}.scale", scale)
        bias = _bias(graph, self._weights, name)
        return self._product(graph, rows, name, weight, scales, bias)

    def rectified_linear(self, graph: GraphBuilder, rows: Value, name: str) -> Value:
        """See `Linears.rectified_linear`."""
        # The range of rectified values starts at zero, where quantising cuts off what is below.
        return self.linear(graph, rows, name)

    def embed(self, graph: GraphBuilder, ids: Value, table: str, scale: float) -> Value:
        """See `Linears.embed`."""
        small, steps = self._table(table)
        steps = (steps * scale).astype(np.float32)[:, None]
        rows = graph.op("Gather", graph.weight(f"{table}.int8", small), ids)
        scales = graph.op("Gather", graph.weight(f"{table}.look_up_scale", steps), ids)
        return graph.op("Mul", graph.op("Cast", rows, to=FLOAT), scales)

    def logits(self, graph: GraphBuilder, rows: Value) -> Value:
        """See `Linears.logits`."""
        scales = self._table(self._output)[1]
        scale = _chosen(graph, f"{self._output}.scale", scales, short=self.short)
        bias = _chosen(graph, "banned.bias", self._bias, short=self.short)
        return self._product(graph, rows, LOGITS, self._output_layer(graph), scale, bias)

    def _table(self, name: str) -> tuple[Array, Array]:
        if name not in self._tables:
            self._tables[name] = quantise_rows(self._weights[f"{name}.weight"])
        return self._tables[name]

    def _output_layer(self, graph: GraphBuilder) -> Value:
        # Transposed when the session loads (a constant folds), so the file holds one table. What
        # a shortlist chooses is transposed in every run.
        name = f"{self._output}.transposed"
        small = self._table(self._output)[0]
        if not self.short:
            return graph.once(name, lambda holder, value: holder.op(
                "Transpose", holder.weight(f"{self._output}.int8", small), perm=[1, 0], name=value
            ))  # fmt: skip
        table = _chosen(graph, f"{self._output}.int8", small, short=True)
        return graph.outermost(
            name, lambda root: root.op("Transpose", table, perm=[1, 0], name=name)
        )

    def _product(
        self, graph: GraphBuilder, rows: Value, name: str, weight: Value, scales: Value,
        bias: Value,
    ) -> Value:  # fmt: skip
        smallest, largest = self._ranges[name]
        low, high = float(smallest.min()), float(largest.max())
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


def _chosen(graph: GraphBuilder, name: str, table: Array, *, short: bool) -> Value:
    """Rows (V, …) of the output layer, or if `short` those (U, …) of the shortlist, found once."""
    if not short:
        return graph.weight(name, table)
    chosen = f"{name}.chosen"
    return graph.outermost(
        chosen, lambda root: root.op("Gather", root.weight(name, table), SHORTLIST, name=chosen)
    )


def _bias(graph: GraphBuilder, weights: Mapping[str, Array], name: str) -> Value:
    """Bias of a linear layer; the empty name, an input left out, where it has none."""
    bias = weights.get(f"{name}.bias")
    return "" if bias is None else graph.weight(f"{name}.bias", bias)


def _output_bias(weights: Mapping[str, Array], size: int, banned: Array) -> Array:
    """Bias (V,) of the output layer, zero where the model has none; banned ids get -infinity."""
    bias = np.array(weights.get(LOGITS_BIAS, np.zeros(size)), np.float32)
    bias[banned] = -np.inf
    return bias
