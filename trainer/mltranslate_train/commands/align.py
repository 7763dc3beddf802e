"""`mltranslate-train align`: word alignments of a run's pairs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("align", help="align the words of a run's sentence pairs")
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--iterations", type=int, default=5, metavar="N", help="passes of EM; default 5"
    )
    parser.add_argument(
        "--heuristic", default="grow-diag", metavar="NAME",
        help="intersection, union, grow-diag (default) or grow-diag-final-and",
    )  # fmt: skip
    parser.add_argument(
        "--max-pairs", type=int, default=500_000, metavar="N",
        help="most pairs of two languages to learn from; default 500000",
    )  # fmt: skip
    parser.add_argument(
        "--lexicon", type=int, default=0, metavar="N",
        help="also write the N most probable translations of each piece",
    )  # fmt: skip
    parser.add_argument("--pairs", metavar="A-B,...", help="only these language pairs; default all")
    parser.add_argument(
        "--no-links", action="store_true", help="write no links: with --lexicon, the lexicon only"
    )
    parser.add_argument(
        "--score", action="store_true",
        help="align nothing: compare the best weights' alignment heads with held-out pairs' links",
    )  # fmt: skip
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if options.score:
        return _score(options.run_folder)
    from mltranslate.errors import UsageError
    from mltranslate_train.align.run import AlignSettings, align_run

    if options.no_links and not options.lexicon:
        raise UsageError("--no-links without --lexicon writes nothing", fix="Add --lexicon 30")
    settings = AlignSettings(
        iterations=options.iterations,
        heuristic=options.heuristic,
        sample=options.max_pairs,
        pairs=() if options.pairs is None else tuple(options.pairs.split(",")),
        links=not options.no_links,
    )
    align_run(options.run_folder, settings, options.lexicon)
    return 0


def _score(run: Path) -> int:
    from mltranslate_train.align.score import score_run

    for direction, score in score_run(run).items():
        sys.stdout.write(
            f"{direction}: alignment error rate {score.error_rate:.3f},"
            f" precision {score.precision:.3f}, recall {score.recall:.3f}\n"
        )
    return 0
