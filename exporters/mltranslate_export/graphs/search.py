"""What greedy and beam search share: their inputs and the frame of their loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mltranslate_export.graphs.builder import BOOL, FLOAT, INT64, GraphBuilder, Value
from mltranslate_export.graphs.network import M, Network
from mltranslate_export.graphs.rules import Rules, declare_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchInputs:
    """Inputs of both search graphs, and what follows from them."""

    source: Value
    """`source` (B, S): `<2xx> pieces </s>`, padded with 0."""
    start: Value
    """`start` (B,): the first decoder input."""
    rules: Rules
    """What may be chosen, from `guard` and the optional inputs of `declare_rules`."""
    last_steps: Value
    """(B, 1), from `max_tokens` (B,): the step at which a sentence ends in any case."""
    steps: Value
    """Scalar: the most steps of any sentence."""


def declare_inputs(graph: GraphBuilder, *, drawing: bool = False) -> SearchInputs:
    """Declare the inputs `source`, `start`, `max_tokens` and those of the rules."""
    source = graph.input("source", INT64, ["batch", "source_length"])
    start = graph.input("start", INT64, ["batch"])
    limits = graph.input("max_tokens", INT64, ["batch"])
    last = graph.op("Sub", limits, graph.constant(1))
    return SearchInputs(
        source=source,
        start=start,
        rules=declare_rules(graph, drawing=drawing),
        last_steps=graph.op("Unsqueeze", last, graph.constant([1])),
        steps=graph.op("ReduceMax", limits, keepdims=0),
    )


def state_inputs(body: GraphBuilder, network: Network[M]) -> list[Value]:
    """Declare the network's states as loop states."""
    return [body.input(name, FLOAT, None) for name in network.state_names]


def finish_body(body: GraphBuilder, done: Value, states: Sequence[tuple[Value, int]]) -> None:
    """Declare the body's outputs: go on until all of `done` (bool, any shape) is true."""
    all_done = body.op("ReduceMin", body.op("Cast", done, to=INT64), keepdims=0)
    body.output(body.op("Equal", all_done, body.constant(0)), BOOL, [])
    for value, kind in states:
        body.output(value, kind)
