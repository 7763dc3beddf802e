"""Greedy search as one graph: encoder, then a Loop that ends when every sentence has ended."""

from __future__ import annotations

import numpy as np

from mltranslate.decode.types import PAD
from mltranslate_export.graphs.builder import BOOL, FLOAT, INT64, GraphBuilder, Value
from mltranslate_export.graphs.choices import Choices, choices_of
from mltranslate_export.graphs.network import M, Network
from mltranslate_export.graphs.rules import next_logprobs
from mltranslate_export.graphs.search import SearchInputs, declare_inputs, finish_body, state_inputs


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
    column = graph.op("Concat", rows, graph.constant([1]), axis=0)
    nothing = graph.op("Concat", rows, graph.constant([0]), axis=0)
    states = [
        inputs.start,
        graph.op("Expand", graph.constant(False, np.bool_), column),
        graph.op("Expand", graph.constant(0.0, np.float32), column),
        graph.op("Expand", graph.constant(0), nothing),
        *network.begin(graph, memory, rows, None),
    ]
    body = _step(graph.body("greedy_step"), network, memory, inputs, choices)
    results = graph.ops(
        "Loop", inputs.steps, "", *states, outputs=len(states) + 1, body=body.graph()
    )
    choices.ids(graph, results[3], name="tokens")
    graph.op("Squeeze", results[2], graph.constant([1]), name="totals")
    by_step = graph.op("Squeeze", results[-1], graph.constant([2]))
    graph.op("Transpose", by_step, perm=[1, 0], name="gains")
    graph.output("tokens", INT64, ["batch", "target_length"])
    graph.output("totals", FLOAT, ["batch"])
    graph.output("gains", FLOAT, ["batch", "target_length"])
    return graph


def _step(
    body: GraphBuilder, network: Network[M], memory: M, inputs: SearchInputs, choices: Choices
) -> GraphBuilder:
    """Fill the body; states: last ids, done (B, 1), totals (B, 1), places, the network's own.

    Every step gives its gains (B, 1) in addition.
    """
    step = body.input("step", INT64, [])
    body.input("going", BOOL, [])
    last = body.input("last", INT64, None)
    done = body.input("done", BOOL, None)
    totals = body.input("running_totals", FLOAT, None)
    tokens = body.input("running_tokens", INT64, None)
    states = state_inputs(body, network)
    logits, states = network.step(body, last, step, memory, states, None)
    logits = choices.restrict(body, logits)
    logprobs = next_logprobs(body, logits, tokens, inputs.rules, step, None)
    best, token = body.ops("TopK", logprobs, body.constant([1]), outputs=2)
    gained = body.op("Where", done, body.constant(0.0, np.float32), best)
    token = body.op("Where", done, body.constant(PAD), token)
    ended = body.op("Or", done, body.op("Equal", token, body.constant(choices.end)))
    ended = body.op("Or", ended, body.op("GreaterOrEqual", step, inputs.last_steps))
    following: list[tuple[Value, int]] = [
        (choices.ids(body, body.op("Reshape", token, body.constant([-1]))), INT64),
        (ended, BOOL),
        (body.op("Add", totals, gained), FLOAT),
        (body.op("Concat", tokens, token, axis=1), INT64),
        *((state, FLOAT) for state in states),
    ]
    finish_body(body, ended, following)
    body.output(gained, FLOAT)
    return body
