"""`mltranslate-export verify`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from mltranslate.errors import UsageError
from mltranslate.packs.pack import read_pack
from mltranslate_export.checkpoint import load_run
from mltranslate_export.verify.pairs import Pair, check_directions, held_out_pairs, read_pairs
from mltranslate_export.verify.quality import MOST_CHRF_LOST
from mltranslate_export.verify.run import verify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", metavar="PACK", type=Path, help="folder of the pack")
    parser.add_argument("--run", required=True, type=Path, help="run that the pack was made from")
    add_verification(parser)


def add_verification(parser: argparse.ArgumentParser) -> None:
    """Declare what the verification is measured with and against."""
    parser.add_argument(
        "--verify-data",
        type=Path,
        help="TSV of source code, target code, text, reference (what the run held out)",
    )
    parser.add_argument(
        "--max-chrf-loss",
        type=float,
        default=MOST_CHRF_LOST,
        help="chrF2++ points that int8 or a shortlist may lose, mean of directions (%(default)s)",
    )


def verification_pairs(
    options: argparse.Namespace, run_folder: Path, directions: frozenset[tuple[str, str]]
) -> list[Pair]:
    """Read the pairs that the user named, or those that the run held out.

    Raises:
        DataError: they cannot be read, or the user named some of none of the `directions`.
    """
    if not options.verify_data:
        return held_out_pairs(run_folder)
    pairs = read_pairs(options.verify_data)
    check_directions(options.verify_data, pairs, directions)
    return pairs


def most_chrf_lost(options: argparse.Namespace) -> float:
    """What --max-chrf-loss allows; raises UsageError for what would allow anything or nothing."""
    most: float = options.max_chrf_loss
    if not 0 <= most < math.inf:
        raise UsageError(
            f"--max-chrf-loss {most} makes no sense",
            fix="Give a finite number, 0 or more",
        )
    return most


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Verify a pack and return its report."""
    most = most_chrf_lost(options)
    pack = read_pack(options.source)
    return verify(
        pack,
        load_run(options.run),
        verification_pairs(options, options.run, pack.directions),
        most_chrf_lost=most,
    )
