"""`mltranslate-train lid`: train a language identifier."""

from __future__ import annotations

import argparse

from mltranslate_train.lid.cli import add_arguments, run


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("lid", help="train a language identifier")
    add_arguments(parser)
    parser.set_defaults(run=run)
