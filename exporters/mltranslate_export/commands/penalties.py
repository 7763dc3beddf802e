"""The option `--length-penalty LANG=P` of `mltranslate-export`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Collection, Sequence

from mltranslate.errors import UsageError
from mltranslate.limits import MAX_LENGTH_PENALTY, MIN_LENGTH_PENALTY


def add_length_penalty_option(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Declare the option, which may be repeated."""
    parser.add_argument(
        "--length-penalty",
        action="append",
        default=[],
        required=required,
        metavar="LANG=P",
        help="beam search into LANG ranks by score over length to the power P; repeatable",
    )


def length_penalties(given: Sequence[str], targets: Collection[str]) -> dict[str, float]:
    """The penalties by language; raises UsageError for what is none, or is not for `targets`."""
    found: dict[str, float] = {}
    for one in given:
        code, _, number = one.partition("=")
        if code not in targets or code in found:
            why = "once for each language" if code in found else f"of {', '.join(sorted(targets))}"
            raise UsageError(f"--length-penalty {one} does not fit", fix=f"Give LANG=P, {why}")
        found[code] = _length_penalty(one, number)
    return found


def _length_penalty(option: str, number: str) -> float:
    try:
        penalty = float(number)
    except ValueError:
        penalty = math.nan
    if not MIN_LENGTH_PENALTY <= penalty <= MAX_LENGTH_PENALTY:
        raise UsageError(
            f"--length-penalty {option} is out of range",
            fix=f"Give LANG=P with P from {MIN_LENGTH_PENALTY:g} to {MAX_LENGTH_PENALTY:g}",
        )
    return penalty
