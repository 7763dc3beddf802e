"""The sub-command `mltranslate-train lid`."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the sub-command."""
    parser.add_argument("recipe", metavar="RECIPE", help="TOML file, or name of a shipped recipe")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="RUN", help="folder to write the run to"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="CPU threads (1)")


def run(args: argparse.Namespace) -> int:
    """Train by `args.recipe` into `args.out`; returns the exit code, raises the `MltError`s."""
    # Read by OpenMP when torch is first imported.
    os.environ.setdefault("OMP_NUM_THREADS", str(args.threads))
    import torch
    from rich.console import Console
    from rich.progress import Progress

    from mltranslate_train.lid.recipe import read_recipe
    from mltranslate_train.lid.train import run as run_recipe
    from mltranslate_train.locations import find_recipe

    torch.set_num_threads(args.threads)
    recipe = read_recipe(find_recipe(args.recipe))
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("reading", total=recipe.training.examples)

        def report(done: int, loss: float) -> None:
            progress.update(task, completed=done, description=f"loss {loss:.4f}")

        figures = run_recipe(recipe, args.out, report)
    log.info("tuning: %s", figures)
    return 0
