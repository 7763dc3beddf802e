"""Whether the weights in a pack's graphs are those of a run, value by value.

What graphs put out is compared with the trainer in fp32 only: without this, int8 graphs of another
run would pass as long as they translate about as well.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mltranslate.errors import PackError, VerificationError, reason
from mltranslate.packs.pack import Pack
from mltranslate_export.build import PRECISIONS, coupled, graphs_of
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_export.graphs.builder import Array
from mltranslate_export.graphs.equalise import factors_in
from mltranslate_export.graphs.linear import LOGITS, Ranges
from mltranslate_export.graphs.storage import read_weights

_FIELDS = ("greedy", "beam", "aligned", "short_greedy", "short_beam")
"""All of `Variant` that name graphs."""


def check_graphs(pack: Pack, checkpoint: Checkpoint) -> None:
    """Compare all weights of the pack's graphs with those that the exporter makes of the run.

    Raises:
        VerificationError: a weight is not the run's, is missing or too many; or the pack has a
            precision that the exporter does not make.
        PackError: a graph cannot be read.
    """
    for precision in pack.precisions:
        if precision not in PRECISIONS:
            raise VerificationError(
                f"the {precision} graphs of {pack.name} cannot be compared with the run",
                why=f"only {' and '.join(PRECISIONS)} can",
                fix="Export the pack again",
            )
        _check_variant(pack, precision, checkpoint)


def _check_variant(pack: Pack, precision: str, checkpoint: Checkpoint) -> None:
    variant = pack.manifest.variants[precision]
    short = bool(variant.short_greedy or variant.short_beam)
    weights = checkpoint.weights()
    factors = {}
    if precision == "int8":
        factors = factors_in(_held(pack, variant.greedy), weights, coupled(checkpoint))
    # Ranges decide how activations are rounded, and no weight.
    layers = (name.rpartition(".")[0] for name in weights)
    ranges: Ranges = dict.fromkeys([*layers, LOGITS], (np.zeros(1), np.ones(1)))
    made = graphs_of(checkpoint, precision, ranges, short=short, factors=factors)
    for field in _FIELDS:
        if graph := getattr(variant, field):
            _check(graph, _held(pack, graph), made[field].weights if field in made else {})


def _held(pack: Pack, graph: str) -> dict[str, Array]:
    try:
        return read_weights(pack.folder, graph)
    except Exception as error:  # onnx and protobuf raise almost anything for odd bytes
        raise PackError(
            f"{graph} of the pack {pack.name} cannot be read", why=reason(error),
            fix="Export the pack again",
        ) from error  # fmt: skip


def _check(graph: str, held: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    """Raise `VerificationError` unless a graph holds the expected weights, and no others."""
    if missing := expected.keys() - held.keys():
        raise _other(graph, f"it does not hold {min(missing)}")
    if unknown := held.keys() - expected.keys():
        raise _other(graph, f"it holds {min(unknown)}, which a graph of the run lacks")
    for name, array in expected.items():
        found = held[name]
        if found.dtype != array.dtype or not _is_same(name, found, array):
            raise _other(graph, f"{name} differs")


def _is_same(name: str, found: Array, array: Array) -> bool:
    if name.endswith("positions"):  # sines, whose last bit is the processor's
        return found.shape == array.shape and bool(np.allclose(found, array, rtol=0, atol=1e-6))
    return np.array_equal(found, array)


def _other(graph: str, why: str) -> VerificationError:
    return VerificationError(
        f"{graph} is not of this run",
        why=why,
        fix="Name the run that the pack was made from, or export it again",
    )
