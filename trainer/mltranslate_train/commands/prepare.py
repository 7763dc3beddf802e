"""`mltranslate-train prepare`: only the vocabulary and the token shards."""

from __future__ import annotations

import argparse

from mltranslate_train.commands.recipe import add_recipe, read_recipe


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("prepare", help="only make the vocabulary and the token shards")
    add_recipe(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from mltranslate_train.data.prepare import prepare

    prepare(*read_recipe(options))
    return 0
