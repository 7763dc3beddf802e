"""What the command lines of the benchmarks share."""

from __future__ import annotations

import argparse


def positive(text: str) -> int:
    """A whole number of 1 or more; `argparse.ArgumentTypeError` for another one."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number
