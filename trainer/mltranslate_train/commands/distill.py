"""`mltranslate-train distill`: a corpus whose target side is a teacher's translation."""

from __future__ import annotations

import argparse
from pathlib import Path

from mltranslate.limits import DEFAULT_BEAM
from mltranslate_train.commands.synthesis import add_task, read_search, read_task, tell
from mltranslate_train.commands.systems import progress


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "distill", help="replace the target side of a corpus by a teacher's translations"
    )
    add_task(parser, beam=DEFAULT_BEAM)
    parser.add_argument(
        "--corpus", required=True, metavar="RECIPE|FOLDER",
        help="the pairs that a recipe trains on, or all of a corpus folder",
    )  # fmt: skip
    parser.add_argument(
        "--directions", default="", metavar="A-B,…", help="directions to distill (the recipe's)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER",
        help="becomes a corpus folder: SOURCE-TARGET.tsv.xz for each direction",
    )  # fmt: skip
    parser.add_argument(
        "--interpolate", action="store_true",
        help="of the beam, take what is most like the reference by chrF2++",
    )  # fmt: skip
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from mltranslate_train.evaluate.sets import parse_directions
    from mltranslate_train.synth.tasks import distill

    directions = parse_directions(options.directions)
    task = read_task(options, read_search(options))
    with progress() as show:
        made = distill(
            task, options.corpus, directions, options.out,
            interpolate=options.interpolate, progress=show,
        )  # fmt: skip
    tell(made)
    return 0
