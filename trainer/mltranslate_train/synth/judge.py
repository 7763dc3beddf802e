"""Which translations are good enough to learn from, and why the others are not."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mltranslate.decode.types import Hypothesis
from mltranslate.errors import ConfigError
from mltranslate.guards import implausible_length, loops
from mltranslate_train.config import FilterConfig, make_recipe
from mltranslate_train.data.filters.judge import Filters
from mltranslate_train.data.readers import Pair
from mltranslate_train.evaluate.sets import Direction
from mltranslate_train.strict_toml import apply_override
from mltranslate_train.synth.search import Found

DEFAULT_FILTER = FilterConfig(max_ratio=3.0, script_share=0.5, language_confidence=0.1, copies=True)
"""What a translation must pass unless told otherwise."""
_BEYOND = ("duplicates", "near_duplicates", "decontaminate")
"""Filters that look beyond a pair: the recipe that trains on the output has them."""


def read_filter(overrides: Sequence[str]) -> FilterConfig:
    """`DEFAULT_FILTER` with some values replaced, each as KEY=VALUE with a TOML value.

    Raises:
        ConfigError: an unknown key, a wrong value, or a filter that compares pairs with others.
    """
    # The checks of a recipe apply; of this one, only the filters count.
    data = {"corpora": [], "directions": ["en-de"], "filter": dataclasses.asdict(DEFAULT_FILTER)}
    table = {"name": "filter", "data": data, "train": {"max_steps": 1}}
    for override in overrides:
        if "=" not in override:
            raise ConfigError(
                f"--filter {override!r} has no value", fix="Write --filter max_ratio=2.5"
            )
        apply_override(table, f"data.filter.{override}")
    config = make_recipe(table).data.filter
    for name in _BEYOND:
        if getattr(config, name):
            raise ConfigError(
                f"--filter cannot have {name}",
                why="it compares a pair with others",
                fix=f"Set data.filter.{name} in the recipe that trains on the output",
            )
    return config


class Judge:
    """Decides on the translations of one direction, line by line: it remembers nothing.

    Raises:
        ConfigError: the filters cannot judge a language.
    """

    def __init__(self, config: FilterConfig, direction: Direction) -> None:
        try:
            self._filters = Filters(config, direction)
        except ConfigError as error:  # which names a key of a recipe, and there is none
            fix = "Turn it off, as in --filter script_share=0"
            raise ConfigError(error.what, why=error.why, fix=fix) from error

    def reasons(self, found: Sequence[Found], pairs: Sequence[Pair]) -> list[str]:
        """Why each translation is dropped; empty where it is kept.

        `pairs` have source and translation as text, `found` in subword ids, the translation
        first among its hypotheses.
        """
        by_pieces = [_of_pieces(*both) for both in zip(found, pairs, strict=True)]
        by_text = self._filters.reasons(pairs)
        return [one or other for one, other in zip(by_pieces, by_text, strict=True)]


def _of_pieces(found: Found, pair: Pair) -> str:
    if not found.hypotheses:
        return "too long" if found.pieces else "empty line"
    return flaw(found.pieces, found.hypotheses[0]) if pair.second else "empty output"


def flaw(source: Sequence[int], output: Hypothesis) -> str:
    """What the engine's guards say of an output in subword ids; empty if nothing."""
    if loops(source, output.pieces):
        return "loop"
    if not output.finished:
        return "unfinished"
    return "length" if implausible_length(len(source), len(output.pieces)) else ""
