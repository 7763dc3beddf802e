"""`mltranslate-train evaluate`: scores of a run's best weights."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("evaluate", help="score a run's best weights on dev sets")
    parser.add_argument("folder", type=Path, metavar="RUN")
    parser.add_argument(
        "--set", dest="sets", action="append", required=True, metavar="NAME=PREFIX",
        help="files PREFIX<language>, one sentence a line; may be repeated",
    )  # fmt: skip
    parser.add_argument("--lines", type=int, default=1000, help="most lines of a set")
    parser.add_argument("--beam", type=int, default=1)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from mltranslate_train.evaluate.report import evaluate_run

    sys.stdout.write(evaluate_run(options.folder, options.sets, options.lines, options.beam))
    return 0
