"""The `mltranslate-train` command."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from mltranslate.errors import MltError
from mltranslate_train.locations import find_recipe


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; returns the exit code (docs/exit-codes.md)."""
    options = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    try:
        code: int = options.run(options)
    except MltError as error:
        sys.stderr.write(f"mltranslate-train: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("mltranslate-train: interrupted\n")
        return 130
    return code


def build_parser() -> argparse.ArgumentParser:
    """All sub-commands; torch is imported only when one runs."""
    parser = argparse.ArgumentParser(
        prog="mltranslate-train", description="Train multilingual translation models."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="prepare, train or resume, and evaluate by a recipe")
    _add_recipe(run)
    run.set_defaults(run=_run)
    prepare = commands.add_parser("prepare", help="only make the vocabulary and the token shards")
    _add_recipe(prepare)
    prepare.set_defaults(run=_prepare)
    evaluate = commands.add_parser("evaluate", help="score a run's best weights on dev sets")
    evaluate.add_argument("folder", type=Path, metavar="RUN")
    evaluate.add_argument(
        "--set", dest="sets", action="append", required=True, metavar="NAME=PREFIX",
        help="files PREFIX<language>, one sentence a line; may be repeated",
    )  # fmt: skip
    evaluate.add_argument("--lines", type=int, default=1000, help="most lines of a set")
    evaluate.add_argument("--beam", type=int, default=1)
    evaluate.set_defaults(run=_evaluate)
    _add_lid(commands)
    return parser


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="TOML file, or name of a shipped recipe")
    parser.add_argument("--out", type=Path, metavar="RUN", help="folder; default runs/<name>")
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="SECTION.KEY=VALUE",
        help="replace one value of the recipe; may be repeated",
    )  # fmt: skip


def _add_lid(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from mltranslate_train.lid.cli import add_arguments, run

    parser = commands.add_parser("lid", help="train a language identifier")
    add_arguments(parser)
    parser.set_defaults(run=run)


def _run(options: argparse.Namespace) -> int:
    from mltranslate_train.config import load_recipe
    from mltranslate_train.loop import train

    recipe = load_recipe(find_recipe(options.recipe), options.overrides)
    train(recipe, options.out or Path("runs") / recipe.name)
    return 0


def _prepare(options: argparse.Namespace) -> int:
    from mltranslate_train.config import load_recipe
    from mltranslate_train.data.prepare import prepare

    recipe = load_recipe(find_recipe(options.recipe), options.overrides)
    prepare(recipe, options.out or Path("runs") / recipe.name)
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from mltranslate_train.evaluate.report import evaluate_run

    sys.stdout.write(evaluate_run(options.folder, options.sets, options.lines, options.beam))
    return 0
