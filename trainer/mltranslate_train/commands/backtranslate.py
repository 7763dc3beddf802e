"""`mltranslate-train backtranslate`: a parallel corpus from text in one language."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mltranslate.errors import UsageError
from mltranslate_train.commands.synthesis import add_task, read_search, read_task, tell
from mltranslate_train.commands.systems import progress

if TYPE_CHECKING:
    from mltranslate_train.synth.search import Search


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "backtranslate", help="translate text in one language into a synthetic parallel corpus"
    )
    add_task(parser, beam=1)
    add_option = parser.add_argument
    add_option("--text", dest="texts", type=Path, nargs="+", required=True, metavar="FILE",
               help="one sentence a line; .xz and .gz are unpacked")  # fmt: skip
    add_option("--column", type=int, default=0, metavar="N",
               help="read only this tab-separated column, from 1 (the whole line)")  # fmt: skip
    add_option("--from", dest="source", required=True, metavar="LANG", help="language of the text")
    add_option("--to", dest="target", required=True, metavar="LANG", help="translate into it")
    add_option("--out", type=Path, required=True, metavar="FILE",
               help="corpus file A-B.tsv.xz, named after the two languages")  # fmt: skip
    add_option("--sample", type=int, metavar="SEED",
               help="draw tokens by their probability, not the best; runs only")  # fmt: skip
    add_option("--top", type=int, default=0, metavar="N",
               help="with --sample: draw from so many likeliest tokens (all)")  # fmt: skip
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from mltranslate_train.synth.lines import Texts
    from mltranslate_train.synth.tasks import backtranslate

    if options.column < 0:
        raise UsageError(f"there is no column {options.column}", fix="The first one is 1")
    task = read_task(options, _search(options))
    texts = Texts(paths=options.texts, column=options.column)
    with progress() as show:
        made = backtranslate(task, texts, (options.source, options.target), options.out, show)
    tell(made)
    return 0


def _search(options: argparse.Namespace) -> Search:
    sampled = options.sample is not None
    if sampled and options.beam != 1:
        raise UsageError("--sample and --beam exclude each other", fix="Leave one of them out")
    if options.top and not sampled:
        raise UsageError("--top is for sampling", fix="Add --sample SEED")
    if options.top < 0 or (sampled and options.sample < 0):
        raise UsageError("--top and the seed of --sample cannot be negative")
    if not sampled:
        return read_search(options)
    return read_search(options, sample=True, top=options.top, seed=options.sample)
