"""What the commands that measure systems have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mltranslate.errors import UsageError
from mltranslate.limits import DEFAULT_BEAM, DEFAULT_LENGTH_PENALTY, MAX_BEAM

if TYPE_CHECKING:
    from mltranslate_train.evaluate.sets import Direction, TestSet
    from mltranslate_train.evaluate.systems import Settings

_PENALTIES = 0.5, 3.0
"""Least and largest length penalty: below, long output would fall under that which was cut."""


def add_systems(parser: argparse.ArgumentParser) -> None:
    """Add the options for test sets, their text, and how to translate them."""
    add = parser.add_argument
    add("--on", dest="sets", action="append", required=True, metavar="NAME=PREFIX",
        help="a test set: files PREFIX<language>, one sentence a line, or a folder of pairs A-B.A"
        " and A-B.B; may be repeated")  # fmt: skip
    add("--lines", type=int, default=0, metavar="N", help="most lines of a set (all)")
    add("--directions", default="", metavar="A-B,…",
        help="directions to measure (all of the system whose files are there)")  # fmt: skip
    add("--tokenized", action="store_true", help="the text is tokenised: score its tokens as is")
    add("--joiner", default="", metavar="MARK",
        help="join pieces that end in this, as @@, before scoring")  # fmt: skip
    add("--beam", type=int, default=DEFAULT_BEAM, metavar="N", help=f"beam ({DEFAULT_BEAM})")
    add("--length-penalty", type=float, metavar="A",
        help="rank by log-probability / length ** A; over 1 for longer output (1 for runs and with"
        f" --bare, else what a pack says, or {DEFAULT_LENGTH_PENALTY:g})",
    )  # fmt: skip
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to run (auto)")
    add("--precision", choices=("fp32", "fp16", "int8"), default="",
        help="of a pack (best for the device)")  # fmt: skip
    add("--threads", type=int, default=0, metavar="N", help="CPU threads (chosen by the system)")
    add("--bare", action="store_true",
        help="packs: decode line by line without splitter and guards, as runs do")  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="also write everything as JSON there")


def read_settings(options: argparse.Namespace) -> Settings:
    """How to translate; raises UsageError for numbers out of range."""
    from mltranslate_train.evaluate.sets import TextForm
    from mltranslate_train.evaluate.systems import Settings

    if not 1 <= options.beam <= MAX_BEAM:
        raise UsageError(f"beam {options.beam} is out of range", fix=f"Give 1 to {MAX_BEAM}")
    if options.threads < 0:
        raise UsageError(f"{options.threads} threads make no sense", fix="Give 1 or more")
    penalty = options.length_penalty
    if penalty is not None and not _PENALTIES[0] <= penalty <= _PENALTIES[1]:
        raise UsageError(
            f"length penalty {penalty:g} is out of range",
            fix="Give {:g} to {:g}".format(*_PENALTIES),
        )
    if options.beam == 1 and penalty not in (None, 1):
        raise UsageError("greedy search has no length penalty", fix="Give --beam 2, or more")
    return Settings(
        beam=options.beam, length_penalty=penalty, device=options.device,
        precision=options.precision, threads=options.threads, bare=options.bare,
        form=TextForm(tokenized=options.tokenized, joiner=options.joiner),
    )  # fmt: skip


def read_sets(options: argparse.Namespace) -> tuple[list[TestSet], list[Direction]]:
    """The sets, and the directions that were asked for; raises UsageError."""
    from mltranslate_train.evaluate.sets import parse_directions, parse_sets

    return parse_sets(options.sets, options.lines), parse_directions(options.directions)


@contextmanager
def progress() -> Iterator[Callable[[int, int], None]]:
    """A bar of translated sentences on stderr, on a terminal only."""
    from mltranslate.cli.progress import ProgressBar

    bar = ProgressBar()
    try:
        yield bar.update
    finally:
        bar.clear()
