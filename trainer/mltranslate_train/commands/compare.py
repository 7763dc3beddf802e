"""`mltranslate-train compare`: whether one system is significantly better than another."""

from __future__ import annotations

import argparse
import dataclasses
import sys

from mltranslate_train.commands.systems import add_systems, progress, read_sets, read_settings


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("compare", help="paired bootstrap test between two systems")
    what = "folder of a run or pack, name of a pack, or translations"
    parser.add_argument("first", metavar="A", help=what)
    parser.add_argument("second", metavar="B", help=what)
    add_systems(parser)
    parser.add_argument(
        "--resamples", type=int, default=1000, metavar="N", help="resamples of each set (1000)"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from mltranslate_train.evaluate.measure import Plan
    from mltranslate_train.evaluate.report import compare_systems

    settings = read_settings(options)
    # Runs and packs have different ones of their own; what is compared is searched for alike.
    settings = dataclasses.replace(settings, length_penalty=settings.plain_length_penalty)
    sets, wanted = read_sets(options)
    plan = Plan(sets=sets, wanted=wanted, form=settings.form)
    with progress() as show:
        text = compare_systems(
            (options.first, options.second), plan, settings, samples=options.resamples,
            json_file=options.json, progress=show,
        )  # fmt: skip
    sys.stdout.write(text)
    return 0
