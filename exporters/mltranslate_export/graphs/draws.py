"""Sampling: a token drawn from the model's distribution at every step instead of the best one.

The oracle is the trainer's `search.sample`, with a temperature in addition.
Shape suffixes: B sentences, R rows, U choices, T steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltranslate_export.graphs.builder import DOUBLE, FLOAT, INT64, GraphBuilder, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """The inputs of sampling, all of which may be left out."""

    numbers: Value
    """`draws` (B, T): a number in [0, 1) for every step, which alone decides the draw."""
    temperature: Value
    """`temperature` (scalar): log-probabilities are divided by it before a draw."""
    top: Value
    """`top` (scalar): so many likeliest tokens are drawn from; 0 for no draws."""
    drawn: Value
    """Scalar bool: tokens are drawn."""


def declare_draws(graph: GraphBuilder) -> Draws:
    """Declare the inputs `draws`, `temperature` and `top`."""
    zero, one = np.zeros((1, 1), np.float32), np.ones((), np.float32)
    top = graph.input("top", INT64, [], default=np.zeros((), np.int64))
    return Draws(
        numbers=graph.input("draws", FLOAT, ["batch", "steps"], default=zero),
        temperature=graph.input("temperature", FLOAT, [], default=one),
        top=top,
        drawn=graph.op("Greater", top, graph.constant(0)),
    )


def keep_drawn(
    graph: GraphBuilder, logprobs: Value, draws: Draws, step: Value, sentences: Value
) -> Value:
    """Log-probabilities (R, U), minus infinity but for the token that is drawn, if any is.

    `sentences` (R,) are the numbers of the sentences that the rows belong to.
    """
    drawn = graph.body("drawn")
    drawn.output(_drawn(drawn, logprobs, draws, step, sentences), FLOAT)
    whole = graph.body("not_drawn")
    whole.output(whole.op("Identity", logprobs), FLOAT)
    return graph.op("If", draws.drawn, then_branch=drawn.graph(), else_branch=whole.graph())


def _drawn(
    graph: GraphBuilder, logprobs: Value, draws: Draws, step: Value, sentences: Value
) -> Value:
    """By the inverse of the cumulative distribution of the likeliest tokens."""
    count = graph.op("Min", draws.top, graph.op("Shape", logprobs, start=1))
    likeliest, places = graph.ops("TopK", logprobs, count, outputs=2)
    warmed = graph.op("Cast", graph.op("Div", likeliest, draws.temperature), to=DOUBLE)
    chances = graph.op("Softmax", warmed, axis=-1)
    mass = graph.op("CumSum", chances, graph.constant(1))
    whole = graph.op("Slice", mass, *(graph.constant([v]) for v in (-1, 2**31, 1)))
    number = graph.op("Gather", draws.numbers, step, axis=1)
    number = graph.op("Gather", number, sentences)
    number = graph.op("Unsqueeze", graph.op("Cast", number, to=DOUBLE), graph.constant([1]))
    below = graph.op("LessOrEqual", mass, graph.op("Mul", whole, number))
    place = graph.op("ReduceSum", graph.op("Cast", below, to=INT64), graph.constant([1]))
    place = graph.op("Min", place, graph.op("Sub", count, graph.constant(1)))
    token = graph.op("GatherElements", places, place, axis=1)
    never, zero = graph.constant(-np.inf, np.float32), graph.constant(0.0, np.float32)
    penalty = graph.op("Expand", never, graph.op("Shape", logprobs))
    lifted = graph.op("Expand", zero, graph.op("Shape", token))
    penalty = graph.op("ScatterElements", penalty, token, lifted, axis=1)
    return graph.op("Add", logprobs, penalty)
