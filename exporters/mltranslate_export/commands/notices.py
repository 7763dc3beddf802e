"""`mltranslate-export notices`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mltranslate.errors import UsageError
from mltranslate_export.notices import Source, notices, read_sources, used_sources
from mltranslate_train.config import Recipe, load_recipe
from mltranslate_train.data.whole import writable, write_text
from mltranslate_train.locations import find_recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "recipes", metavar="RECIPE", nargs="+", help="names or files of recipes, for one page"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="Markdown to write")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Write the notices."""
    recipes = [load_recipe(find_recipe(name)) for name in options.recipes]
    sources = sorted({source for recipe in recipes for source in _sources(recipe)})
    title = f"Sources of {', '.join(recipe.name for recipe in recipes)}"
    with writable(options.out):
        write_text(options.out, notices(title, sources))
    return {"out": str(options.out), "sources": len(sources)}


def _sources(recipe: Recipe) -> list[Source]:
    if not recipe.data.licence_tables:
        raise UsageError(
            f"the recipe {recipe.name} names no table of sources", fix="Give it data.licences"
        )
    tables = (read_sources(Path(path)) for path in recipe.data.licence_tables)
    return used_sources(recipe, [source for table in tables for source in table])
