"""`mltranslate-export pack`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mltranslate.errors import UsageError
from mltranslate.limits import MAX_LENGTH_PENALTY, MIN_LENGTH_PENALTY
from mltranslate.packs.shortlist import Shortlist
from mltranslate_export.build import PRECISIONS, PackPlan
from mltranslate_export.checkpoint import Checkpoint, load_run
from mltranslate_export.commands.card import add_card_option, sections_of
from mltranslate_export.commands.verify import add_verification, most_chrf_lost, verification_pairs
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
    parser.add_argument(
        "--length-penalty", action="append", default=[], metavar="LANG=P",
        help="beam search into LANG ranks by score over length to the power P; repeatable",
    )  # fmt: skip
    add_card_option(parser)
    parser.add_argument("--force", action="store_true", help="replace a pack of this name")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Export, verify and put in place; returns what `packs info` would show first."""
    # What may be refused comes before what takes minutes.
    most = most_chrf_lost(options)
    card_sections = sections_of(options)
    checkpoint = load_run(options.source)
    penalties = _length_penalties(options.length_penalty, checkpoint)
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


def _length_penalties(given: Sequence[str], checkpoint: Checkpoint) -> dict[str, float]:
    """The penalties by language; raises UsageError for what is none."""
    targets = {target for _, target in checkpoint.directions}
    found: dict[str, float] = {}
    for one in given:
        code, _, number = one.partition("=")
        if code not in targets or code in found:
            why = "once for each language" if code in found else f"of {', '.join(sorted(targets))}"
            raise UsageError(f"--length-penalty {one} does not fit", fix=f"Give LANG=P, {why}")
        found[code] = _length_penalty(one, number)
    return found


def _length_penalty(option: str, number: str) -> float:
    try:
        penalty = float(number)
    except ValueError:
        penalty = math.nan
    if not MIN_LENGTH_PENALTY <= penalty <= MAX_LENGTH_PENALTY:
        raise UsageError(
            f"--length-penalty {option} is out of range",
            fix=f"Give LANG=P with P from {MIN_LENGTH_PENALTY:g} to {MAX_LENGTH_PENALTY:g}",
        )
    return penalty


def _shortlists(checkpoint: Checkpoint, options: argparse.Namespace) -> dict[str, Shortlist]:
    if options.shortlist < 0:
        raise UsageError(f"--shortlist {options.shortlist} is less than 0")
    if not options.shortlist:
        return {}
    return make_shortlists(checkpoint, options.source, options.shortlist)
