"""What greedy and beam search share: their inputs and the frame of their loops.

A search is a Loop over stages, each of which is a Loop over steps. A stage ends when enough of its
sentences have ended, and the next one has only those that have not; nothing is copied but between
stages.

Shape suffixes: B sentences, A sentences of a stage, T tokens so far.
"""

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


_STAGE_SHARE = 2
"""A stage ends when one in so many of its sentences have ended: more stages copy more, and fewer
feed more rows that have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the steps of a stage share."""

    first_step: Value
    """Scalar: steps of the stages before."""
    last_steps: Value
    """(A, 1): the step at which a sentence ends in any case."""
    enough: Value
    """Scalar: so many ended sentences end the stage."""


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


def state_inputs(body: GraphBuilder, network: Network[M], prefix: str = "") -> list[Value]:
    """Declare the network's states as loop states."""
    return [body.input(prefix + name, FLOAT, None) for name in network.state_names]


def begin_stage(body: GraphBuilder, sentences: Value, tokens: Value, inputs: SearchInputs) -> Stage:
    """Prepare a stage of the sentences numbered `sentences` (A,), which have `tokens` (…, T)."""
    count = body.op("Squeeze", body.op("Shape", sentences), body.constant([0]))
    rounded = body.op("Add", count, body.constant(_STAGE_SHARE - 1))
    return Stage(
        first_step=body.op("Squeeze", body.op("Shape", tokens, start=-1), body.constant([0])),
        last_steps=body.op("Gather", inputs.last_steps, sentences),
        enough=body.op("Div", rounded, body.constant(_STAGE_SHARE)),
    )


def finish_step(
    body: GraphBuilder, done: Value, stage: Stage, states: Sequence[tuple[Value, int]]
) -> None:
    """Declare the outputs of a step: go on until enough of `done` (A, 1) are true."""
    count = body.op("ReduceSum", body.op("Cast", done, to=INT64), keepdims=0)
    body.output(body.op("Less", count, stage.enough), BOOL, [])
    for value, kind in states:
        body.output(value, kind)


def finish_stage(body: GraphBuilder, done: Value) -> Value:
    """Declare the first output of a stage, and give the places (G,) of sentences that go on."""
    going = body.op("NonZero", body.op("Not", body.op("Squeeze", done, body.constant([1]))))
    going = body.op("Squeeze", going, body.constant([0]))
    left = body.op("Squeeze", body.op("Shape", going), body.constant([0]))
    body.output(body.op("Greater", left, body.constant(0)), BOOL, [])
    return going


def written(body: GraphBuilder, old: Value, sentences: Value, new: Value, axes: int) -> Value:
    """Put `new` (A, …, T) in the places of its sentences in `old` (B, …, S), padded to length T."""
    grown = body.op("Sub", body.op("Shape", new, start=-1), body.op("Shape", old, start=-1))
    ends = body.op("Concat", body.constant([0] * (2 * axes - 1)), grown, axis=0)
    places = body.op("Unsqueeze", sentences, body.constant([1]))
    return body.op("ScatterND", body.op("Pad", old, ends), places, new)
