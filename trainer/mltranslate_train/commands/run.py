"""`mltranslate-train run`: prepare, train or resume, and evaluate by a recipe."""

from __future__ import annotations

import argparse

from mltranslate_train.commands.recipe import add_recipe, read_recipe


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("run", help="prepare, train or resume, and evaluate by a recipe")
    add_recipe(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from mltranslate_train.loop import train

    train(*read_recipe(options))
    return 0
