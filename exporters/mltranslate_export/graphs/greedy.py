"""Greedy search as one graph: encoder, then stages of steps (see `search`).

Shape suffixes: B sentences, A sentences and rows of a stage, T tokens so far.
"""

from __future__ import annotations

import numpy as np

from mltranslate.decode.types import PAD
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


def greedy_graph(network: Network[M]) -> GraphBuilder:
    """Build the greedy graph.

    Inputs: see `SearchInputs`, and for a network with a shortlist `Short`. Outputs: `tokens` (B, T)
    with the end mark, then padding; `totals` (B,) summed log-probabilities, the end mark's
    included; `gains` (B, T) the log-probability of each token, 0 for padding.
    """
    graph = GraphBuilder("greedy")
    inputs = declare_inputs(graph, drawing=True)
    choices = choices_of(graph, short=network.short)
    memory = network.encode(graph, inputs.source)
    rows = graph.op("Shape", inputs.start)
    nothing = graph.op("Concat", rows, graph.constant([0]), axis=0)
    no_tokens = graph.op("Expand", graph.constant(PAD), nothing)
    no_gains = graph.op("Expand", graph.constant(0.0, np.float32), nothing)
    count = graph.op("Squeeze", rows, graph.constant([0]))
    states = [
        graph.op("Range", graph.constant(0), count, graph.constant(1)),
        inputs.start,
        no_tokens,
        no_gains,
        no_tokens,
        no_gains,
        *network.begin(graph, memory, rows, None),
    ]
    body = _stage(graph.body("greedy_stage", holds=True), network, memory, inputs, choices)
    results = graph.ops("Loop", inputs.steps, "", *states, outputs=len(states), body=body.graph())
    choices.ids(graph, results[4], name="tokens")
    gains = graph.op("Identity", results[5], name="gains")
    graph.op("ReduceSum", gains, graph.constant([1]), name="totals", keepdims=0)
    graph.output("tokens", INT64, ["batch", "target_length"])
    graph.output("totals", FLOAT, ["batch"])
    graph.output("gains", FLOAT, ["batch", "target_length"])
    return graph


def _stage(
    body: GraphBuilder, network: Network[M], memory: M, inputs: SearchInputs, choices: Choices
) -> GraphBuilder:
    """Fill the body of a stage.

    States: sentences (A,), last ids (A,), their tokens and gains (A, T), those of all sentences
    (B, T), the network's own.
    """
    body.input("stage", INT64, [])
    body.input("unended", BOOL, [])
    sentences = body.input("sentences", INT64, None)
    last = body.input("stage_last", INT64, None)
    tokens = body.input("stage_tokens", INT64, None)
    gains = body.input("stage_gains", FLOAT, None)
    all_tokens = body.input("all_tokens", INT64, None)
    all_gains = body.input("all_gains", FLOAT, None)
    states = state_inputs(body, network, "stage_")
    steps = _step(
        body.body("greedy_step"),
        network,
        network.take(body, memory, sentences),
        inputs.rules,
        choices.of(body, sentences),
        sentences,
        begin_stage(body, sentences, tokens, inputs),
    )
    column = body.op("Concat", body.op("Shape", sentences), body.constant([1]), axis=0)
    done = body.op("Expand", body.constant(False, np.bool_), column)
    carried = [last, done, tokens, *states]
    last, done, tokens, *states, gained = body.ops(
        "Loop", inputs.steps, "", *carried, outputs=len(carried) + 1, body=steps.graph()
    )
    by_row = body.op("Transpose", body.op("Squeeze", gained, body.constant([2])), perm=[1, 0])
    gains = body.op("Concat", gains, by_row, axis=1)
    going = finish_stage(body, done)
    for value, kind in ((sentences, INT64), (last, INT64), (tokens, INT64), (gains, FLOAT)):
        body.output(body.op("Gather", value, going), kind)
    body.output(written(body, all_tokens, sentences, tokens, 2), INT64)
    body.output(written(body, all_gains, sentences, gains, 2), FLOAT)
    for state in states:
        body.output(body.op("Gather", state, going), FLOAT)
    return body


def _step(
    body: GraphBuilder, network: Network[M], memory: M, rules: Rules, choices: Choices,
    sentences: Value, stage: Stage,
) -> GraphBuilder:  # fmt: skip
    """Fill the body of a step; states: last ids (A,), done (A, 1), tokens (A, T), the network's.

    Every step gives its gains (A, 1) in addition.
    """
    step = body.input("step", INT64, [])
    body.input("going", BOOL, [])
    last = body.input("last", INT64, None)
    done = body.input("done", BOOL, None)
    tokens = body.input("running_tokens", INT64, None)
    states = state_inputs(body, network)
    step = body.op("Add", step, stage.first_step)
    logits, states = network.step(body, last, step, memory, states, None)
    logits = choices.restrict(body, logits)
    logprobs = next_logprobs(body, logits, tokens, rules, step, sentences)
    best, token = body.ops("TopK", logprobs, body.constant([1]), outputs=2)
    gained = body.op("Where", done, body.constant(0.0, np.float32), best)
    token = body.op("Where", done, body.constant(PAD), token)
    ended = body.op("Or", done, body.op("Equal", token, body.constant(choices.end)))
    ended = body.op("Or", ended, body.op("GreaterOrEqual", step, stage.last_steps))
    following: list[tuple[Value, int]] = [
        (choices.ids(body, body.op("Reshape", token, body.constant([-1]))), INT64),
        (ended, BOOL),
        (body.op("Concat", tokens, token, axis=1), INT64),
        *((state, FLOAT) for state in states),
    ]
    finish_step(body, ended, stage, following)
    body.output(gained, FLOAT)
    return body
