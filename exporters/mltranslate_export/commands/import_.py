"""`mltranslate-export import`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from mltranslate_export.build import PRECISIONS, PackPlan
from mltranslate_export.commands.verify import most_chrf_lost
from mltranslate_export.importers.load import load_public
from mltranslate_export.manifest_changes import check_version
from mltranslate_export.pack import export_pack
from mltranslate_export.verify.pairs import read_pairs
from mltranslate_export.verify.quality import MOST_CHRF_LOST


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "source", metavar="PATH", type=Path, help="folder of a public model, or an Argos package"
    )
    parser.add_argument("--out", required=True, type=Path, help="folder that holds the pack's own")
    parser.add_argument("--licence", required=True, help="licence of the weights, by its makers")
    parser.add_argument(
        "--verify-data",
        required=True,
        type=Path,
        help="TSV of source code, target code, text, reference; its directions are the pack's",
    )
    parser.add_argument("--name", help="name of the pack and of its folder (the folder's)")
    parser.add_argument("--version", default="0.1.0", help="version of the pack (%(default)s)")
    parser.add_argument("--precision", default=",".join(PRECISIONS), help="by commas (%(default)s)")
    parser.add_argument(
        "--max-chrf-loss",
        type=float,
        default=MOST_CHRF_LOST,
        help="chrF2++ points that int8 may lose, mean over the directions (%(default)s)",
    )
    parser.add_argument("--force", action="store_true", help="replace a pack of this name")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Import, verify and put in place; returns what `packs info` would show first."""
    check_version(options.version)
    most = most_chrf_lost(options)
    pairs = read_pairs(options.verify_data)
    directions = list(dict.fromkeys((pair.source, pair.target) for pair in pairs))
    with tempfile.TemporaryDirectory() as work:
        checkpoint = load_public(options.source, directions, Path(work))
        plan = PackPlan(
            name=options.name or checkpoint.name,
            version=options.version,
            licence=options.licence,
            precisions=tuple(options.precision.split(",")),
        )
        pack = export_pack(
            checkpoint, options.out, plan, pairs,
            force=options.force, most_chrf_lost=most,
        )  # fmt: skip
    size = sum(member.bytes for member in pack.manifest.members.values())
    return {"pack": str(pack.folder), "version": pack.version, "bytes": size}
