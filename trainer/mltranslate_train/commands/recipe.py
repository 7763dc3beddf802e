"""What the commands that take a recipe have in common."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mltranslate_train.locations import find_recipe

if TYPE_CHECKING:
    from mltranslate_train.config import Recipe


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add RECIPE, --out and --set."""
    parser.add_argument("recipe", metavar="RECIPE", help="TOML file, or name of a shipped recipe")
    parser.add_argument("--out", type=Path, metavar="RUN", help="folder; default runs/<name>")
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="SECTION.KEY=VALUE",
        help="replace one value of the recipe; may be repeated",
    )  # fmt: skip


def read_recipe(options: argparse.Namespace) -> tuple[Recipe, Path]:
    """The recipe that was asked for, and the folder of its run; raises ConfigError."""
    from mltranslate_train.config import load_recipe

    recipe = load_recipe(find_recipe(options.recipe), options.overrides)
    return recipe, options.out or Path("runs") / recipe.name
