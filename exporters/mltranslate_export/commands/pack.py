"""`mltranslate-export pack`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mltranslate.errors import UsageError
from mltranslate.packs.shortlist import Shortlist
from mltranslate_export.build import PRECISIONS, PackPlan
from mltranslate_export.checkpoint import Checkpoint, load_run
from mltranslate_export.commands.card import add_card_option, sections_of
from mltranslate_export.commands.penalties import add_length_penalty_option, length_penalties
from mltranslate_export.commands.verify import add_verification, most_chrf_lost, verification_pairs
from mltranslate_export.manifest_changes import check_version
from mltranslate_export.pack import export_pack
from mltranslate_export.shortlist import make_shortlists


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", metavar="RUN", type=Path, help="folder of a training run")
    parser.add_argument("--out", required=True, type=Path, help="folder that holds the pack's own")
    parser.add_argument("--name", help="name of the pack and of its folder (the recipe's)")
    parser.add_argument("--version", default="0.1.0", help="version of the pack (%(default)s)")
    parser.add_argument("--licence", default="see provenance", help="licence of the weights")
    parser.add_argument("--precision", default=",".join(PRECISIONS), help="by commas (%(default)s)")
    add_verification(parser)
    parser.add_argument(
        "--weights", action="store_true", help="add the weights for fine-tuning (bf16)"
    )
    parser.add_argument(
        "--shortlist", type=int, default=0, metavar="N",
        help="add shortlists: N translations of each piece, by the lexicons in RUN/shards",
    )  # fmt: skip
    add_length_penalty_option(parser, required=False)
    add_card_option(parser)
    parser.add_argument("--force", action="store_true", help="replace a pack of this name")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Export, verify and put in place; returns what `packs info` would show first."""
    # What may be refused comes before what takes minutes.
    check_version(options.version)
    most = most_chrf_lost(options)
    card_sections = sections_of(options)
    checkpoint = load_run(options.source)
    targets = {target for _, target in checkpoint.directions}
    penalties = length_penalties(options.length_penalty, targets)
    pairs = verification_pairs(options, options.source, checkpoint.directions)
    plan = PackPlan(
        name=options.name or checkpoint.name,
        version=options.version,
        licence=options.licence,
        precisions=tuple(options.precision.split(",")),
        weights=options.weights,
        shortlists=_shortlists(checkpoint, options),
        length_penalties=penalties,
    )
    pack = export_pack(
        checkpoint,
        options.out,
        plan,
        pairs,
        force=options.force,
        most_chrf_lost=most,
        card_sections=card_sections,
    )
    size = sum(member.bytes for member in pack.manifest.members.values())
    return {"pack": str(pack.folder), "version": pack.version, "bytes": size}


def _shortlists(checkpoint: Checkpoint, options: argparse.Namespace) -> dict[str, Shortlist]:
    if options.shortlist < 0:
        raise UsageError(f"--shortlist {options.shortlist} is less than 0")
    if not options.shortlist:
        return {}
    return make_shortlists(checkpoint, options.source, options.shortlist)
