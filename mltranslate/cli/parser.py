"""The parser of every program of the project."""

from __future__ import annotations

import argparse
from typing import Any

from mltranslate import __version__


class Parser(argparse.ArgumentParser):
    """Takes no shortened options: those in scripts would break when a like one is added.

    Its sub-commands have parsers of the same class.
    """

    def __init__(self, **settings: Any) -> None:
        """Take the settings of `argparse.ArgumentParser`."""
        super().__init__(**{"allow_abbrev": False} | settings)


def program(name: str, description: str) -> Parser:
    """Return the parser of the program `name`, which tells its version."""
    parser = Parser(prog=name, description=description)
    parser.add_argument("--version", action="version", version=f"{name} {__version__}")
    return parser
