"""`mltranslate` without a command: the options of whatever is opened then, which is the app."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from mltranslate.errors import UsageError
from mltranslate.limits import MAX_DEFAULT_THREADS

Opener = Callable[..., int]
"""Opens the app with the options that were given, by name, and returns the exit code."""

_PREFIX = "app_"
"""Keeps these options apart from those that a command has under the same name."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the options to the main parser; absent ones leave no trace in its result."""
    group = parser.add_argument_group("without a command, on a terminal, the app opens with")

    def add(option: str, name: str, text: str, **rest: Any) -> None:
        group.add_argument(
            option, dest=_PREFIX + name, default=argparse.SUPPRESS, help=text, **rest
        )

    add("--pack", "pack", "name or folder of a pack (all together)", metavar="PACK")
    add("--device", "device", "where to run (auto)", choices=("auto", "cpu", "cuda"))
    add("--from", "source", "source language (auto)", metavar="LANG")
    add("--to", "target", "target language (the system's, or English)", metavar="LANG")
    terms = "terms with their translations (glossary.tsv in the settings folder)"
    add("--glossary", "glossary", terms, metavar="FILE")
    cores = f"CPU threads (all, at most {MAX_DEFAULT_THREADS})"
    add("--threads", "threads", cores, metavar="N", type=int)


def run(options: argparse.Namespace, open_app: Opener) -> int:
    """Open the app; the exit code."""
    given = _given(options)
    if given.get("threads", 1) < 1:
        raise UsageError(f"--threads {given['threads']} makes no sense", fix="Give 1 or more")
    return open_app(**given)


def refuse_before_command(options: argparse.Namespace) -> None:
    """Raise UsageError when an option of the app stands before a command: it would do nothing."""
    if _given(options):
        raise UsageError(
            f"an option stands before the command {options.command!r}",
            why="there it belongs to the app, which a command does not open",
            fix="Put it after the command",
        )


def _given(options: argparse.Namespace) -> dict[str, Any]:
    return {
        name.removeprefix(_PREFIX): value
        for name, value in vars(options).items()
        if name.startswith(_PREFIX)
    }
