"""`mltranslate-train watch`: a live dashboard of runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mltranslate.errors import UsageError

RUNS = Path("runs")
MOST = 8


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("watch", help="show curves and samples of runs while they go on")
    parser.add_argument(
        "folders", type=Path, nargs="*", metavar="RUN",
        help=f"folder of a run, several to compare; default: the newest {MOST} under {RUNS}/",
    )  # fmt: skip
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from mltranslate_train.report.folder import newest_runs, open_runs

    runs = open_runs(options.folders or newest_runs(RUNS, MOST))
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError(
            "watch needs a terminal",
            why="input, output or errors are redirected",
            fix="`mltranslate-train report` writes the same as Markdown",
        )
    from mltranslate_train.dashboard.app import Dashboard

    app = Dashboard(runs, compare=len(options.folders) > 1)
    app.run()
    return app.return_code or 0
