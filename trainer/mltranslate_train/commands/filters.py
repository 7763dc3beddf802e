"""`mltranslate-train filter`: a recipe's filters by themselves, from its corpora to new ones."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("filter", help="write the pairs that a recipe's filters keep")
    parser.add_argument("recipe", metavar="RECIPE", help="TOML file, or name of a shipped recipe")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER",
        help="becomes a corpus folder: A-B.tsv.xz for each language pair, and data-report.md",
    )  # fmt: skip
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="SECTION.KEY=VALUE",
        help="replace one value of the recipe; may be repeated",
    )  # fmt: skip
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from mltranslate_train.config import load_recipe
    from mltranslate_train.data.filters.corpus import write_filtered
    from mltranslate_train.locations import find_recipe

    recipe = load_recipe(find_recipe(options.recipe), options.overrides)
    write_filtered(recipe, options.out)
    return 0
