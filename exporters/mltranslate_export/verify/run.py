"""The whole verification of a pack; its result is the report that the pack carries."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx

from mltranslate.decode.decoder import Decoder
from mltranslate.decode.types import Request
from mltranslate.packs.pack import Pack
from mltranslate.packs.shortlist import read_shortlists
from mltranslate.packs.verify import verify_pack
from mltranslate_export.build import PackPlan, build_pack, network_of
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_export.graphs.transformer import TransformerNetwork
from mltranslate_export.training_weights import WEIGHTS, check_weights
from mltranslate_export.verify import alignment, census, cost, parity, quality
from mltranslate_export.verify.pairs import Pair, by_direction, take_turns
from mltranslate_export.verify.weights import check_graphs

PARITY_SENTENCES = 200
ALIGNED_SENTENCES = 40
SHORT_SENTENCES = 40
"""Those that the shortlist is compared with, one by one."""
QUALITY_SENTENCES = 200
"""Most sentences a direction."""

_log = logging.getLogger(__name__)


def verify(
    pack: Pack, checkpoint: Checkpoint, pairs: Sequence[Pair], *,
    most_chrf_lost: float = quality.MOST_CHRF_LOST,
) -> dict[str, Any]:  # fmt: skip
    """Compare `pack` with the run it was made from and measure it.

    Returns the report; raises `VerificationError` at the first requirement that is not met, and
    `PackError` if a member is damaged.
    """
    verify_pack(pack)
    if WEIGHTS in pack.manifest.members:
        check_weights(checkpoint, pack.folder)
    check_graphs(pack, checkpoint)
    groups = by_direction(pairs, pack.directions)
    tokenizer = pack.tokenizer()
    sample = take_turns(list(groups.values()), PARITY_SENTENCES)
    requests = quality.requests_for(tokenizer.encode, sample, pack.max_source_tokens)
    report: dict[str, Any] = {"machine": cost.machine()}
    with tempfile.TemporaryDirectory() as folder:
        reference = _reference(pack, checkpoint, Path(folder))
        report["parity"] = [
            _parity(reference, checkpoint, requests, beam) for beam in (1, parity.BEAM)
        ]
        if pack.manifest.shortlist:
            short = Decoder(reference.pack, device="cpu", precision="fp32")
            report["parity"] += [
                _parity(short, checkpoint, requests[:SHORT_SENTENCES], beam)
                for beam in (1, parity.BEAM)
            ]
        few = {key: group[:QUALITY_SENTENCES] for key, group in groups.items()}
        quantised = None
        if "int8" in pack.precisions:
            _log.info("comparing int8 with fp32")
            quantised = Decoder(pack, device="cpu", precision="int8", shortlist=False)
            losses = quality.measure_loss(reference, quantised, few)
            report["int8"] = quality.check_loss(losses, most_chrf_lost, quality.INT8)
        if all(variant.aligned for variant in pack.manifest.variants.values()):
            _log.info("comparing alignments with the trainer's attention")
            some = requests[:ALIGNED_SENTENCES]
            report["alignment"] = alignment.compare(reference, checkpoint, some, quantised)
    if pack.manifest.shortlist:
        report["shortlist"] = _shortlist(pack, few, requests, most_chrf_lost)
    report["variants"] = {
        precision: _measure(pack, checkpoint, precision, requests, sample[0])
        for precision in pack.precisions
    }
    return report


def _shortlist(
    pack: Pack, groups: Mapping[tuple[str, str], Sequence[Pair]], requests: Sequence[Request],
    most_chrf_lost: float,
) -> dict[str, Any]:  # fmt: skip
    """What the shortlist costs in the pack's own precision on the CPU, and what it covers."""
    _log.info("comparing the shortlist with the whole vocabulary")
    whole = Decoder(pack, device="cpu", shortlist=False)
    short = Decoder(pack, device="cpu")
    losses = quality.measure_loss(whole, short, groups)
    sizes = [len(ids) for ids in map(short.choices, requests) if ids is not None]
    return {
        **quality.check_loss(losses, most_chrf_lost, quality.SHORTLIST),
        "precision": short.precision,
        "sentences": len(requests),
        "covered": len(sizes),
        "mean_size": sum(sizes) / max(1, len(sizes)),
    }


def _reference(pack: Pack, checkpoint: Checkpoint, folder: Path) -> Decoder:
    """Decode in fp32, with graphs made for this purpose if the pack ships none."""
    if "fp32" not in pack.precisions:
        plan = PackPlan(
            name="reference", version="0.0.0", licence="none", precisions=("fp32",),
            shortlists=read_shortlists(pack),
        )  # fmt: skip
        pack = build_pack(checkpoint, folder, plan, ranges={})
    return Decoder(pack, device="cpu", precision="fp32", shortlist=False)


def _parity(
    decoder: Decoder, checkpoint: Checkpoint, requests: Sequence[Request], beam: int
) -> dict[str, Any]:
    _log.info("comparing fp32 with the trainer's search, beam %d", beam)
    compared = parity.compare_short if decoder.has_shortlists else parity.compare
    result = compared(decoder, checkpoint, requests, beam=beam)
    result.check()
    return result.report()


def _measure(
    pack: Pack, checkpoint: Checkpoint, precision: str, requests: Sequence[Request], pair: Pair
) -> dict[str, Any]:
    _log.info("measuring %s", precision)
    variant = pack.manifest.variants[precision]
    counts = {name: census.census(pack.folder / name) for name in variant.searches}
    network = network_of(checkpoint, "fp32", {})
    if precision == "int8":
        expected = census.expected_products(checkpoint.weights(), network.float_modules)
        expected += network.products_before
        for found in counts.values():
            census.check_int8(found, expected)
    if variant.aligned and isinstance(network, TransformerNetwork):
        # It runs as it stands.
        model = onnx.load(pack.folder / variant.aligned, load_external_data=False)
        counts[variant.aligned] = census.count(model)
        if precision == "int8":
            expected = census.expected_aligned_products(network)
            census.check_int8(counts[variant.aligned], expected)
    return {
        "operators": counts,
        **({"modules_in_fp32": list(network.float_modules)} if precision == "int8" else {}),
        "speed": cost.measure_speed(pack, precision, requests),
        "memory": cost.measure_peak(pack, precision, pair),
    }
