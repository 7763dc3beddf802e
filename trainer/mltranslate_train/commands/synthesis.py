"""What the commands that make training data have in common."""

from __future__ import annotations

import argparse
import logging
from typing import TYPE_CHECKING

from mltranslate.errors import UsageError
from mltranslate.limits import MAX_BEAM

if TYPE_CHECKING:
    from mltranslate_train.synth.search import Search
    from mltranslate_train.synth.tasks import Made, Task

log = logging.getLogger(__name__)


def add_task(parser: argparse.ArgumentParser, beam: int) -> None:
    """Add SYSTEM and the options of how to translate; `beam` is the default."""
    add = parser.add_argument
    add("system", metavar="SYSTEM", help="folder of a run or pack, or name of a pack")
    add("--beam", type=int, default=beam, metavar="N", help=f"beam; 1 is greedy ({beam})")
    add("--max-lines", type=int, default=0, metavar="N", help="translate only so many lines (all)")
    add("--filter", dest="filters", action="append", default=[], metavar="KEY=VALUE",
        help="replace one value of the filters, as in data.filter; may be repeated")  # fmt: skip
    add("--batch-tokens", type=int, default=0, metavar="N",
        help="source tokens that are decoded together (4096)")  # fmt: skip
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to run (auto)")
    add("--precision", choices=("fp32", "fp16", "int8"), default="",
        help="of a pack (best for the device)")  # fmt: skip
    add("--threads", type=int, default=0, metavar="N", help="CPU threads (chosen by the system)")
    add("--force", action="store_true", help="replace what is there")


def read_task(options: argparse.Namespace, search: Search) -> Task:
    """What both commands are told; raises UsageError or ConfigError."""
    from mltranslate_train.synth.judge import read_filter
    from mltranslate_train.synth.tasks import Task

    if options.threads < 0 or options.max_lines < 0:
        raise UsageError("a negative number makes no sense", fix="0 leaves the choice")
    return Task(
        system=options.system, search=search, device=options.device,
        precision=options.precision, threads=options.threads,
        filter=read_filter(options.filters), most_lines=options.max_lines, force=options.force,
    )  # fmt: skip


def read_search(
    options: argparse.Namespace, *, sample: bool = False, top: int = 0, seed: int = 1
) -> Search:
    """How to search; raises UsageError for numbers out of range."""
    from mltranslate_train.evaluate.batching import BATCH_TOKENS
    from mltranslate_train.synth.search import Search

    if not 1 <= options.beam <= MAX_BEAM:
        raise UsageError(f"beam {options.beam} is out of range", fix=f"Give 1 to {MAX_BEAM}")
    if options.batch_tokens < 0:
        raise UsageError(f"{options.batch_tokens} tokens make no sense", fix="Give 1 or more")
    return Search(
        beam=options.beam, sample=sample, top=top, seed=seed,
        batch_tokens=options.batch_tokens or BATCH_TOKENS,
    )  # fmt: skip


def tell(made: Made) -> None:
    """Say on stderr what was kept and dropped, and how fast it went."""
    for out, summary in made.items():
        kept, lines = f"{summary['kept_lines']:,}", f"{summary['lines']:,}"
        dropped = (f", {number:,} {reason}" for reason, number in summary["dropped"].items())
        log.info("%s: %s of %s lines kept%s", out, kept, lines, "".join(dropped))
        log.info("%s tokens/s", f"{summary['tokens_per_second']:,.0f}")
