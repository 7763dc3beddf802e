"""`mltranslate-train report`: Markdown and pictures of runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mltranslate.errors import UsageError


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("report", help="write a report of a run, or compare several")
    parser.add_argument("folders", type=Path, nargs="+", metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the report; default RUN/report"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if len(options.folders) > 1 and options.out is None:
        raise UsageError(
            "a comparison has no folder", why="it belongs to none of the runs", fix="Give --out DIR"
        )
    from mltranslate_train.report.write import FOLDER, write_reports

    out = options.out or options.folders[0] / FOLDER
    sys.stdout.write(f"{write_reports(options.folders, out)}\n")
    return 0
