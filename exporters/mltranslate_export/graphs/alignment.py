"""What a given translation looks at in its source, as one graph.

Shape suffixes: B sentences, S source length, T target length.
"""

from __future__ import annotations

import numpy as np

from mltranslate_export.graphs.builder import BOOL, FLOAT, INT64, GraphBuilder, Value
from mltranslate_export.graphs.transformer import Memory, TransformerNetwork


def alignment_graph(network: TransformerNetwork) -> GraphBuilder:
    """Build the graph.

    Inputs: `source` (B, S) and `start` (B,) as of the search graphs, `target` (B, T), the subwords
    of a translation without end mark, padded with 0. Output: `attention` (B, T, S).
    """
    graph = GraphBuilder("alignment")
    source = graph.input("source", INT64, ["batch", "source_length"])
    start = graph.input("start", INT64, ["batch"])
    target = graph.input("target", INT64, ["batch", "target_length"])
    memory = network.encode(graph, source, layers=network.aligner.layer + 1)
    first = graph.op("Unsqueeze", start, graph.constant([1]))
    fed = graph.op("Concat", first, target, axis=1)
    count = graph.op("Squeeze", graph.op("Shape", fed, start=1), graph.constant([0]))
    if not network.aligner.reading:
        count = graph.op("Sub", count, graph.constant(1))
    states = network.begin(graph, memory, graph.op("Shape", start), None)
    states = states[: len(network.aligner_state_names)]
    body = _step(graph.body("alignment_step"), network, memory, fed)
    results = graph.ops("Loop", count, "", *states, outputs=len(states) + 1, body=body.graph())
    attention = graph.op("Transpose", results[-1], perm=[1, 0, 2])
    if network.aligner.reading:
        bounds = [graph.constant([bound]) for bound in (1, np.iinfo(np.int64).max, 1)]
        attention = graph.op("Slice", attention, *bounds)
    graph.op("Identity", attention, name="attention")
    graph.output("attention", FLOAT, ["batch", "target_length", "source_length"])
    return graph


def _step(
    body: GraphBuilder, network: TransformerNetwork, memory: Memory, fed: Value
) -> GraphBuilder:
    """Fill the body of a step, which feeds a column of `fed` (B, T) and gives attention (B, S)."""
    step = body.input("step", INT64, [])
    going = body.input("going", BOOL, [])
    states = [body.input(name, FLOAT, None) for name in network.aligner_state_names]
    ids = body.op("Gather", fed, step, axis=1)
    attention, states = network.look(body, ids, step, memory, states)
    body.output(body.op("Identity", going), BOOL, [])
    for value in (*states, attention):
        body.output(value, FLOAT)
    return body
