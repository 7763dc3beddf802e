"""Whether the weights in a pack's graphs are those of a run, value by value.

What graphs put out is compared with the trainer in fp32 only: without this, int8 graphs of another
run would pass as long as they translate about as well.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mltranslate.errors import PackError, VerificationError, reason
from mltranslate.packs.pack import Pack
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_export.graphs.builder import Array
from mltranslate_export.graphs.linear import quantise_rows
from mltranslate_export.graphs.storage import read_weights

_INT8 = ".int8"


def check_graphs(pack: Pack, checkpoint: Checkpoint) -> None:
    """Compare all weights that the pack's fp32 and int8 graphs hold with the run's.

    Raises:
        VerificationError: a weight is not the run's, or a graph holds none of the run.
        PackError: a graph cannot be read.
    """
    weights = checkpoint.weights()
    for precision in ("fp32", "int8"):
        if precision in pack.precisions:
            for graph in pack.manifest.variants[precision].searches:
                _check(graph, _held(pack, graph), weights)


def _held(pack: Pack, graph: str) -> dict[str, Array]:
    try:
        return read_weights(pack.folder, graph)
    except Exception as error:  # onnx and protobuf raise almost anything for odd bytes
        raise PackError(
            f"{graph} of the pack {pack.name} cannot be read", why=reason(error),
            fix="Export the pack again",
        ) from error  # fmt: skip


def _check(graph: str, held: Mapping[str, Array], weights: Mapping[str, Array]) -> None:
    """Raise `VerificationError` unless a graph holds weights of the run, and no others."""
    compared = 0
    for name, array in held.items():
        expected = _expected(name, weights)
        if expected is None:  # a scale, a bias of banned pieces, a table of positions
            continue
        if not np.array_equal(array, expected):
            raise _other(graph, f"{name.removesuffix(_INT8)} differs")
        compared += 1
    if not compared:
        raise _other(graph, "it holds no weight of such a model")


def _expected(name: str, weights: Mapping[str, Array]) -> Array | None:
    """What a graph should hold under a name; None if that is no weight of the run."""
    if name in weights:
        return weights[name]
    layer = name.removesuffix(_INT8)
    if layer in weights:  # a product, transposed
        return quantise_rows(weights[layer])[0].T
    table = weights.get(f"{layer}.weight") if name.endswith(_INT8) else None
    return None if table is None else quantise_rows(table)[0]


def _other(graph: str, why: str) -> VerificationError:
    return VerificationError(
        f"{graph} is not of this run",
        why=why,
        fix="Name the run that the pack was made from, or export it again",
    )
