"""The `mltranslate-train` command."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from mltranslate.cli.ending import ended
from mltranslate.cli.parser import program
from mltranslate_train.commands import (
    align,
    average,
    backtranslate,
    compare,
    distill,
    evaluate,
    filters,
    lid,
    prepare,
    report,
    run,
    score,
    watch,
)

COMMANDS = (
    run, prepare, filters, evaluate, compare, watch, report, backtranslate, distill, average, align,
    score, lid,
)  # fmt: skip
"""Modules of the sub-commands, in the order of `--help`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; returns the exit code (docs/exit-codes.md)."""
    options = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    return ended("mltranslate-train", lambda: int(options.run(options)))


def build_parser() -> argparse.ArgumentParser:
    """All sub-commands; torch is imported only when one runs."""
    parser = program("mltranslate-train", "Train multilingual translation models.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser
