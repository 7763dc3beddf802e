"""`mltranslate-train evaluate`: scores, robustness and faults of a run, a pack or files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mltranslate_train.commands.systems import add_systems, progress, read_sets, read_settings


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("evaluate", help="score a run, a pack or files of translations")
    parser.add_argument(
        "system", metavar="SYSTEM", help="folder of a run or pack, name of a pack, or translations"
    )
    add_systems(parser)
    parser.add_argument(
        "--robustness", action="store_true", help="also score disturbed sources: typos, caps, …"
    )
    parser.add_argument(
        "--faults", action="store_true", help="also count loops, copies, hallucinations, …"
    )
    parser.add_argument("--outputs", type=Path, metavar="DIR", help="write the translations there")
    parser.add_argument(
        "--beside", action="append", default=[], type=Path, metavar="FILE",
        help="scores to stand beside: published ones (TSV), or JSON of --json; may be repeated",
    )  # fmt: skip
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from mltranslate_train.evaluate.measure import Plan
    from mltranslate_train.evaluate.report import evaluate_system

    settings = read_settings(options)
    sets, wanted = read_sets(options)
    plan = Plan(
        sets=sets, wanted=wanted, form=settings.form, robustness=options.robustness,
        faults=options.faults, outputs=options.outputs,
    )  # fmt: skip
    with progress() as show:
        text = evaluate_system(
            options.system, plan, settings, json_file=options.json, beside=options.beside,
            progress=show,
        )  # fmt: skip
    sys.stdout.write(text)
    return 0
