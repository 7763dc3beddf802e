"""What a search may choose at a step beyond the model's opinion: guard, prefix and draws.

All of it stands behind one condition, which is settled before the loop: a search without rules
takes the softmax of the scores and does nothing else.

Shape suffixes: B sentences, R rows, T tokens so far, U choices (the vocabulary, or
the shortlist), E choices that a prefix permits, at all of its units together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltranslate_export.graphs.builder import BOOL, FLOAT, INT64, GraphBuilder, Value
from mltranslate_export.graphs.draws import Draws, declare_draws, keep_drawn
from mltranslate_export.graphs.guard import block_repeats

PREFIX = "prefix"
"""Input (B, E): places of choices, one for each unit at which a prefix permits it."""
PREFIX_UNITS = "prefix_units"
"""Input (B, E): the number of units that each of them may follow; -1 for padding."""
PREFIX_LENGTH = "prefix_length"
"""Input (B,): units of every sentence's prefix; beyond them the search is free."""
ADVANCE = "advance"
"""Input (U,): units that each choice adds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The inputs of the rules, all of which may be left out, and whether any rule is in force."""

    guard: Value
    """`guard` (scalar bool): no 3-gram is produced twice."""
    prefix: Value
    units: Value
    lengths: Value
    advance: Value
    prefixed: Value
    """Scalar bool: any sentence has a prefix."""
    draws: Draws | None
    """Only for a search that keeps one row a sentence."""
    any: Value
    """Scalar bool: any rule is in force."""


def declare_rules(graph: GraphBuilder, *, drawing: bool) -> Rules:
    """Declare the inputs `guard`, those of a prefix and, with `drawing`, those of draws."""
    nothing = np.zeros(1, np.int64)
    guard = graph.input("guard", BOOL, [])
    shape = ["batch", "permitted"]
    prefix = graph.input(PREFIX, INT64, shape, default=nothing[None])
    units = graph.input(PREFIX_UNITS, INT64, shape, default=nothing[None])
    lengths = graph.input(PREFIX_LENGTH, INT64, ["batch"], default=nothing)
    advance = graph.input(ADVANCE, INT64, ["choices"], default=nothing)
    longest = graph.op("ReduceMax", lengths, keepdims=0)
    prefixed = graph.op("Greater", longest, graph.constant(0))
    draws = declare_draws(graph) if drawing else None
    ruled = graph.op("Or", guard, prefixed)
    return Rules(
        guard=guard,
        prefix=prefix,
        units=units,
        lengths=lengths,
        advance=advance,
        prefixed=prefixed,
        draws=draws,
        any=graph.op("Or", ruled, draws.drawn) if draws else ruled,
    )


def next_logprobs(
    graph: GraphBuilder, logits: Value, tokens: Value, rules: Rules, step: Value,
    sentences: Value,
) -> Value:  # fmt: skip
    """Log-probabilities (R, U) of the next token; minus infinity for what a rule forbids.

    `tokens` (R, T) are the places of the choices so far, `sentences` (R,) the numbers of the
    sentences that the rows belong to. What a prefix permits, or a draw takes, keeps its own
    probability, as if it were free.
    """
    ruled = graph.body("ruled")
    logprobs = _ruled(ruled, logits, tokens, rules, sentences)
    if rules.draws:
        logprobs = keep_drawn(ruled, logprobs, rules.draws, step, sentences)
    ruled.output(logprobs, FLOAT)
    free = graph.body("free")
    free.output(free.op("LogSoftmax", logits, axis=-1), FLOAT)
    return graph.op("If", rules.any, then_branch=ruled.graph(), else_branch=free.graph())


def _ruled(
    graph: GraphBuilder, logits: Value, tokens: Value, rules: Rules, sentences: Value
) -> Value:
    within = graph.body("within_prefix")
    beyond, penalty = _within(within, logits, tokens, rules, sentences)
    within.output(beyond, BOOL)
    within.output(penalty, FLOAT)
    without = graph.body("without_prefix")
    without.output(without.op("Identity", graph.constant([[True]], np.bool_)), BOOL)
    without.output(without.op("Identity", graph.constant([[0.0]], np.float32)), FLOAT)
    beyond, penalty = graph.ops(
        "If", rules.prefixed, outputs=2, then_branch=within.graph(), else_branch=without.graph()
    )
    # A prefix may say a thing twice: the guard begins after it.
    guarded = block_repeats(graph, logits, tokens, rules.guard)
    logits = graph.op("Where", beyond, guarded, logits)
    return graph.op("Add", graph.op("LogSoftmax", logits, axis=-1), penalty)


def _within(
    graph: GraphBuilder, logits: Value, tokens: Value, rules: Rules, sentences: Value
) -> tuple[Value, Value]:
    """Which rows (R, 1) are beyond their prefix, and what is added to log-probabilities (R, U)."""
    units = graph.op("Gather", rules.advance, tokens)
    units = graph.op("ReduceSum", units, graph.constant([1]))
    length = graph.op(
        "Unsqueeze", graph.op("Gather", rules.lengths, sentences), graph.constant([1])
    )
    beyond = graph.op("GreaterOrEqual", units, length)
    now = graph.op("Equal", graph.op("Gather", rules.units, sentences), units)
    times = graph.op(
        "ScatterElements",
        graph.op("Expand", graph.constant(0.0, np.float32), graph.op("Shape", logits)),
        graph.op("Gather", rules.prefix, sentences),
        graph.op("Cast", now, to=FLOAT),
        axis=1,
        reduction="add",
    )
    permitted = graph.op("Greater", times, graph.constant(0.0, np.float32))
    never, zero = graph.constant(-np.inf, np.float32), graph.constant(0.0, np.float32)
    return beyond, graph.op("Where", graph.op("Or", beyond, permitted), zero, never)
