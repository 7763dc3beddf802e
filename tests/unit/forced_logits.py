"""Logits of the graphs' parts for fixed targets: what packs hold, without the search around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mltranslate.decode import Request
from mltranslate.decode.types import END
from mltranslate_export.build import network_of
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_export.graphs.builder import FLOAT, INT64, GraphBuilder
from mltranslate_export.graphs.storage import save_graphs


def forced_logits(
    checkpoint: Checkpoint, requests: Sequence[Request], targets: NDArray[np.int64], folder: Path
) -> NDArray[np.float32]:
    """Scores (B, T, V), fp32, before and after each of `targets` (B, T - 1), fed one by one.

    The graph is written into `folder`.
    """
    save_graphs(folder, {"forced.onnx": _graph(checkpoint, targets.shape[1])}, "forced.bin")
    session = onnxruntime.InferenceSession(
        folder / "forced.onnx", providers=["CPUExecutionProvider"]
    )
    inputs = {"start": [checkpoint.tags[request.target] for request in requests]}
    inputs |= {"source": _sources(checkpoint, requests), "targets": targets}
    feeds = {name: np.array(values, np.int64) for name, values in inputs.items()}
    found: NDArray[np.float32] = session.run(["logits"], feeds)[0]
    return found


def _sources(checkpoint: Checkpoint, requests: Sequence[Request]) -> Any:
    width = max(len(request.pieces) for request in requests) + 2
    rows = np.zeros((len(requests), width), np.int64)
    for row, request in zip(rows, requests, strict=True):
        tag = checkpoint.tags[request.tag_language(checkpoint.source_tag)]
        row[: len(request.pieces) + 2] = [tag, *request.pieces, END]
    return rows


def _graph(checkpoint: Checkpoint, count: int) -> GraphBuilder:
    """The steps of a search, one after the other and with their tokens given."""
    network = network_of(checkpoint, "fp32", {})
    graph = GraphBuilder("forced")
    source = graph.input("source", INT64, ["batch", "source_length"])
    ids = graph.input("start", INT64, ["batch"])
    targets = graph.input("targets", INT64, ["batch", count])
    rows = graph.op("Shape", ids)
    memory = network.encode(graph, source)
    states = network.begin(graph, memory, rows, None)
    found = []
    for place in range(count + 1):
        scores, states = network.step(graph, ids, graph.constant(place), memory, states, None)
        found.append(graph.op("Unsqueeze", scores, graph.constant([1])))
        if place < count:
            ids = graph.op("Gather", targets, graph.constant(place), axis=1)
    graph.op("Concat", *found, axis=1, name="logits")
    graph.output("logits", FLOAT, ["batch", count + 1, "vocabulary"])
    return graph
