"""Beam search as one graph; the trainer's `search.Beam` is its oracle, step by step.

Shape suffixes: B sentences, A sentences of a stage, K beams, R = A * K rows, T tokens so far, V
vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltranslate.decode.types import UNFINISHED_PENALTY
from mltranslate_export.graphs.builder import BOOL, FLOAT, INT64, GraphBuilder, Value
from mltranslate_export.graphs.choices import Choices, choices_of
from mltranslate_export.graphs.network import M, Network
from mltranslate_export.graphs.rules import Rules, next_logprobs
from mltranslate_export.graphs.search import (
    SearchInputs,
    Stage,
    begin_stage,
    declare_inputs,
    finish_stage,
    finish_step,
    state_inputs,
    written,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """Shapes that the numbers of sentences and beams decide, made once a stage."""

    beams: Value
    """K (1,)."""
    candidates: Value
    """2 * K (1,)."""
    table: Value
    """(A, K)."""
    sentences: Value
    """Number of the sentence of every row (R,)."""
    first_rows: Value
    """Row of every sentence's first beam (A, 1)."""
    scores: Value
    """Shape (A, -1) of all continuations of a sentence."""
    scales: Value
    """What sums of log-probabilities are divided by after each step: length ** penalty (steps,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidates:
    """The 2K best continuations of every sentence."""

    totals: Value
    """Summed log-probabilities (A, 2K), falling."""
    rows: Value
    """Row (R) that each continues (A, 2K)."""
    tokens: Value
    """Prefix and new token (A, 2K, T + 1)."""
    ended: Value
    """True where the new token is the end mark (A, 2K)."""


def beam_graph(network: Network[M]) -> GraphBuilder:
    """Build the beam graph.

    Inputs: see `SearchInputs`, `beams` (scalar int64), `length_penalty` (scalar fp32, 1 if left
    out), and for a network with a shortlist `Short`. Outputs, best first: `tokens` (B, K, T) with
    the end mark, then padding; `ranks` (B, K) summed log-probabilities over length **
    length_penalty, less `UNFINISHED_PENALTY` where the hypothesis was cut at its limit.
    """
    graph = GraphBuilder("beam")
    inputs = declare_inputs(graph)
    choices = choices_of(graph, short=network.short)
    width = graph.op("Unsqueeze", graph.input("beams", INT64, []), graph.constant([0]))
    scales = _scales(graph, inputs.steps)
    memory = network.encode(graph, inputs.source)
    sentences = _count_up(graph, graph.op("Shape", inputs.start))
    sizes = _sizes(graph, sentences, width, scales)
    empty = graph.op("Expand", graph.constant(-np.inf, np.float32), sizes.table)
    nothing = graph.op("Concat", sizes.table, graph.constant([0]), axis=0)
    tokens = graph.op("Expand", graph.constant(0), nothing)
    states = [
        sentences,
        graph.op("Gather", inputs.start, sizes.sentences),
        _first_totals(graph, sizes),
        tokens,
        empty,
        tokens,
        empty,
        tokens,
        *network.begin(graph, memory, graph.op("Shape", sizes.sentences), sizes.table),
    ]
    body = graph.body("beam_stage", holds=True)
    _stage(body, network, memory, inputs, choices, width, scales)
    results = graph.ops("Loop", inputs.steps, "", *states, outputs=len(states), body=body.graph())
    choices.ids(graph, results[7], name="tokens")
    graph.op("Identity", results[6], name="ranks")
    graph.output("tokens", INT64, ["batch", "beams", "target_length"])
    graph.output("ranks", FLOAT, ["batch", "beams"])
    return graph


def _stage(
    body: GraphBuilder, network: Network[M], memory: M, inputs: SearchInputs, choices: Choices,
    width: Value, scales: Value,
) -> None:  # fmt: skip
    """Fill the body of a stage.

    States: sentences (A,), last ids (R,), totals, prefixes, ranks and pool of these sentences,
    ranks and pool of all, the network's own.
    """
    body.input("stage", INT64, [])
    body.input("unended", BOOL, [])
    sentences = body.input("sentences", INT64, None)
    last = body.input("stage_last", INT64, None)
    totals = body.input("stage_totals", FLOAT, None)
    tokens = body.input("stage_tokens", INT64, None)
    ranks = body.input("stage_ranks", FLOAT, None)
    pool = body.input("stage_pool", INT64, None)
    all_ranks = body.input("all_ranks", FLOAT, None)
    all_pool = body.input("all_pool", INT64, None)
    states = state_inputs(body, network, "stage_")
    sizes = _sizes(body, sentences, width, scales)
    steps = _step(
        body.body("beam_step"),
        network,
        network.take(body, memory, sentences),
        inputs.rules,
        choices.of(body, sizes.sentences),
        sizes,
        begin_stage(body, sentences, tokens, inputs),
    )
    column = body.op("Shape", sizes.first_rows)
    done = body.op("Expand", body.constant(False, np.bool_), column)
    carried = [last, done, totals, tokens, ranks, pool, *states]
    last, done, totals, tokens, ranks, pool, *states = body.ops(
        "Loop", inputs.steps, "", *carried, outputs=len(carried), body=steps.graph()
    )
    going = finish_stage(body, done)
    rows = _rows(body, going, sizes)
    for value, kind, kept in (
        (sentences, INT64, going), (last, INT64, rows), (totals, FLOAT, going),
        (tokens, INT64, going), (ranks, FLOAT, going), (pool, INT64, going),
    ):  # fmt: skip
        body.output(body.op("Gather", value, kept), kind)
    body.output(written(body, all_ranks, sentences, ranks, 2), FLOAT)
    body.output(written(body, all_pool, sentences, pool, 3), INT64)
    for state in states:
        body.output(body.op("Gather", state, rows), FLOAT)


def _step(
    body: GraphBuilder, network: Network[M], memory: M, rules: Rules, choices: Choices,
    sizes: _Sizes, stage: Stage,
) -> GraphBuilder:  # fmt: skip
    """Fill the body; states: last ids (R,), done (A, 1), totals, prefixes, ranks, pool, more."""
    step = body.input("step", INT64, [])
    body.input("going", BOOL, [])
    last = body.input("last", INT64, None)
    done = body.input("done", BOOL, None)
    totals = body.input("running_totals", FLOAT, None)
    tokens = body.input("running_tokens", INT64, None)
    ranks = body.input("running_ranks", FLOAT, None)
    pool = body.input("running_pool", INT64, None)
    states = state_inputs(body, network)
    step = body.op("Add", step, stage.first_step)
    logits, states = network.step(body, last, step, memory, states, sizes.table)
    rows = body.op("Flatten", tokens, axis=2)
    logits = choices.restrict(body, logits)
    logprobs = next_logprobs(body, logits, rows, rules, step, sizes.sentences)
    candidates = _expand(body, logprobs, totals, rows, sizes, choices.end)
    scale = body.op("Gather", sizes.scales, step)
    over = body.op("GreaterOrEqual", step, stage.last_steps)
    ranks, pool = _finish(body, candidates, ranks, pool, scale, over, sizes)
    alive = _mask(body, candidates.ended, candidates.totals)
    done = _done(body, done, over, alive, scale, ranks)
    totals, tokens, kept_rows = _prune(body, candidates, alive, done, sizes)
    newest = body.op("Gather", tokens, body.constant(-1), axis=2)
    following: list[tuple[Value, int]] = [
        (choices.ids(body, body.op("Reshape", newest, body.constant([-1]))), INT64),
        (done, BOOL),
        (totals, FLOAT),
        (tokens, INT64),
        (ranks, FLOAT),
        (pool, INT64),
        *((body.op("Gather", state, kept_rows), FLOAT) for state in states),
    ]
    finish_step(body, done, stage, following)
    return body


def _expand(
    body: GraphBuilder, logprobs: Value, totals: Value, rows: Value, sizes: _Sizes, end: int
) -> _Candidates:
    """Best continuations of all prefixes; `rows` are the prefixes as (R, T)."""
    column = body.op("Reshape", totals, body.constant([-1, 1]))
    scores = body.op("Reshape", body.op("Add", column, logprobs), sizes.scores)
    best, index = body.ops("TopK", scores, sizes.candidates, outputs=2)
    vocabulary = body.op("Shape", logprobs, start=1)
    beams = body.op("Div", index, vocabulary)
    token = body.op("Sub", index, body.op("Mul", beams, vocabulary))
    parents = body.op("Add", beams, sizes.first_rows)
    prefixes = body.op("Gather", rows, parents)
    newest = body.op("Unsqueeze", token, body.constant([2]))
    return _Candidates(
        totals=best,
        rows=parents,
        tokens=body.op("Concat", prefixes, newest, axis=2),
        ended=body.op("Equal", token, body.constant(end)),
    )


def _finish(
    body: GraphBuilder, candidates: _Candidates, ranks: Value, pool: Value, scale: Value,
    over: Value, sizes: _Sizes,
) -> tuple[Value, Value]:  # fmt: skip
    """Move ended candidates, and all at a sentence's last step, to the pool if good enough."""
    means = body.op("Div", candidates.totals, scale)
    penalty = body.constant(UNFINISHED_PENALTY, np.float32)
    cut = body.op("Sub", means, penalty)
    final = body.op("Where", candidates.ended, means, cut)
    may_enter = body.op("Or", candidates.ended, over)
    entering = body.op("Where", may_enter, final, body.constant(-np.inf, np.float32))
    ranks, kept = body.ops(
        "TopK", body.op("Concat", ranks, entering, axis=1), sizes.beams, outputs=2
    )
    longer = body.op("Pad", pool, body.constant([0, 0, 0, 0, 0, 1]))
    joint = body.op("Concat", longer, candidates.tokens, axis=1)
    return ranks, _take_rows(body, joint, kept)


def _done(
    body: GraphBuilder, done: Value, over: Value, alive: Value, scale: Value, ranks: Value
) -> Value:
    """Tell the sentences (A, 1) at their last step, or whose pool no prefix can enter."""
    best = body.op("Div", body.op("ReduceMax", alive, body.constant([1])), scale)
    worst = body.op("Slice", ranks, *(body.constant([v]) for v in (-1, 2**31, 1)))
    beaten = body.op("LessOrEqual", best, worst)
    return body.op("Or", done, body.op("Or", over, beaten))


def _prune(
    body: GraphBuilder, candidates: _Candidates, alive: Value, done: Value, sizes: _Sizes
) -> tuple[Value, Value, Value]:
    """Keep the best unfinished candidates: totals, prefixes, and the rows (R,) they continue."""
    totals, kept = body.ops("TopK", alive, sizes.beams, outputs=2)
    parents = body.op("GatherElements", candidates.rows, kept, axis=1)
    return (
        _mask(body, done, totals),
        _take_rows(body, candidates.tokens, kept),
        body.op("Reshape", parents, body.constant([-1])),
    )


def _take_rows(body: GraphBuilder, table: Value, index: Value) -> Value:
    """Rows (A, N, T) of `table` (A, M, T) by `index` (A, N)."""
    where = body.op("Unsqueeze", index, body.constant([2]))
    return body.op("GatherND", table, where, batch_dims=1)


def _mask(body: GraphBuilder, mask: Value, values: Value) -> Value:
    return body.op("Where", mask, body.constant(-np.inf, np.float32), values)


def _sizes(graph: GraphBuilder, sentences: Value, width: Value, scales: Value) -> _Sizes:
    """Sizes for the sentences of these numbers (A,), with so many beams each."""
    count = graph.op("Shape", sentences)
    table = graph.op("Concat", count, width, axis=0)
    numbers = graph.op("Unsqueeze", sentences, graph.constant([1]))
    spread = graph.op("Expand", numbers, table)
    first = graph.op("Mul", _count_up(graph, count), width)
    return _Sizes(
        beams=width,
        candidates=graph.op("Mul", width, graph.constant(2)),
        table=table,
        sentences=graph.op("Reshape", spread, graph.constant([-1])),
        first_rows=graph.op("Unsqueeze", first, graph.constant([1])),
        scores=graph.op("Concat", count, graph.constant([-1]), axis=0),
        scales=scales,
    )


def _count_up(graph: GraphBuilder, count: Value) -> Value:
    """0, 1, 2, … below `count` (1,)."""
    end = graph.op("Squeeze", count, graph.constant([0]))
    return graph.op("Range", graph.constant(0), end, graph.constant(1))


def _rows(graph: GraphBuilder, places: Value, sizes: _Sizes) -> Value:
    """Rows, all beams, of the sentences at these places (G,) of a stage."""
    first = graph.op("Gather", sizes.first_rows, places)
    rows = graph.op("Add", first, _count_up(graph, sizes.beams))
    return graph.op("Reshape", rows, graph.constant([-1]))


def _scales(graph: GraphBuilder, steps: Value) -> Value:
    one = graph.constant(1)
    lengths = graph.op("Range", one, graph.op("Add", steps, one), one)
    penalty = graph.input("length_penalty", FLOAT, [], default=np.ones((), np.float32))
    return graph.op("Pow", graph.op("Cast", lengths, to=FLOAT), penalty)


def _first_totals(graph: GraphBuilder, sizes: _Sizes) -> Value:
    """0 for the first beam of every sentence and minus infinity for the others (A, K)."""
    order = _count_up(graph, sizes.beams)
    first = graph.op("Equal", order, graph.constant(0))
    zero, never = graph.constant(0.0, np.float32), graph.constant(-np.inf, np.float32)
    return graph.op("Expand", graph.op("Where", first, zero, never), sizes.table)
