"""`mltranslate-train average`: the mean of two runs' weights."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("average", help="average the weights of two runs of one family")
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--with", dest="other", required=True, metavar="OTHER",
        help="another run (its folder), or a pack (folder or name)",
    )  # fmt: skip
    parser.add_argument(
        "--share", type=float, default=0.5, metavar="S", help="share of OTHER; default 0.5"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="NEW", help="folder to make")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from mltranslate_train.finetune.average import average

    average(options.run_folder, options.other, options.share, options.out)
    return 0
