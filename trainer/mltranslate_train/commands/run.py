"""`mltranslate-train run`: prepare, train or resume, and evaluate by a recipe."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from mltranslate.errors import DataError
from mltranslate_train.commands.recipe import add_recipe, read_recipe

log = logging.getLogger(__name__)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("run", help="prepare, train or resume, and evaluate by a recipe")
    add_recipe(parser)
    parser.add_argument(
        "--from", dest="parent", default="", metavar="PARENT",
        help="start from the weights of another run (its folder) or of a pack (folder or name)",
    )  # fmt: skip
    parser.add_argument(
        "--dry-run", action="store_true",
        help="check recipe, data, disk and memory, estimate the time, and change nothing",
    )  # fmt: skip
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    recipe, run = read_recipe(options)
    if options.dry_run:
        from mltranslate_train.dryrun.check import dry_run

        sys.stdout.write(dry_run(recipe, run, options.parent))
        return 0
    from mltranslate_train.distributed import launched_world
    from mltranslate_train.loop import train

    train(recipe, run, options.parent)
    if launched_world().main:
        _report(run)
    return 0


def _report(run: Path) -> None:
    """Write the report; that it fails must not fail a run that is finished."""
    from mltranslate_train.report.write import write_report

    try:
        log.info("report: %s", write_report(run))
    except DataError as error:
        log.warning("no report: %s", error)
