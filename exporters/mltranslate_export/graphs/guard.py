"""The repetition guard: no 3-gram of tokens is produced twice by one hypothesis."""

from __future__ import annotations

import numpy as np

from mltranslate_export.graphs.builder import FLOAT, GraphBuilder, Value

_END = np.iinfo(np.int64).max


def block_repeats(graph: GraphBuilder, logits: Value, tokens: Value, guard: Value) -> Value:
    """Give minus infinity to tokens that would complete a 3-gram of `tokens`, if `guard` is true.

    `logits` (R, V) and `tokens` (R, T) belong together row by row; `guard` is a scalar bool.
    """
    blocked = graph.body("guarded")
    blocked.output(_block(blocked, logits, tokens), FLOAT)
    free = graph.body("unguarded")
    free.output(free.op("Identity", logits), FLOAT)
    return graph.op("If", guard, then_branch=blocked.graph(), else_branch=free.graph())


def _block(graph: GraphBuilder, logits: Value, tokens: Value) -> Value:
    """Compare every pair of neighbours with the last two tokens; what followed is blocked.

    All slices are empty while there are fewer than three tokens.
    """
    first = graph.op("Equal", _columns(graph, tokens, 0, -2), _columns(graph, tokens, -2, -1))
    second = graph.op("Equal", _columns(graph, tokens, 1, -1), _columns(graph, tokens, -1, _END))
    never, zero = graph.constant(-np.inf, np.float32), graph.constant(0.0, np.float32)
    penalty = graph.op("Where", graph.op("And", first, second), never, zero)
    followers = _columns(graph, tokens, 2, _END)
    return graph.op("ScatterElements", logits, followers, penalty, axis=1, reduction="add")


def _columns(graph: GraphBuilder, tokens: Value, start: int, end: int) -> Value:
    bounds = [graph.constant([bound]) for bound in (start, end, 1)]
    return graph.op("Slice", tokens, *bounds)
