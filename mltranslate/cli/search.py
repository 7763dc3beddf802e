"""The options of a command that say how to search for translations."""

from __future__ import annotations

import argparse
from typing import Any

from mltranslate.cli.streams import check_argument
from mltranslate.errors import UsageError
from mltranslate.limits import DEFAULT_BEAM


def add_search_options(parser: argparse.ArgumentParser) -> None:
    """Add what `search_of` reads."""
    parser.add_argument(
        "--beam",
        type=int,
        metavar="N",
        help=f"beam width ({DEFAULT_BEAM}; 1 is greedy search, the fastest)",
    )
    parser.add_argument(
        "--n-best",
        type=int,
        default=1,
        metavar="N",
        help="list the N best translations with their scores; at most as many as the beam (1)",
    )
    parser.add_argument(
        "--prefix",
        default="",
        metavar="BEGINNING",
        help="how the translation of the only TEXT begins: the rest is completed",
    )
    parser.add_argument(
        "--length-penalty",
        type=float,
        default=1.0,
        metavar="P",
        help="beam search ranks by score over length to this power: more favours length (1)",
    )
    parser.add_argument(
        "--sample",
        type=int,
        metavar="SEED",
        help="draw words by their probability instead of searching for the best",
    )
    parser.add_argument(
        "--temperature", type=float, metavar="T", help="of --sample: over 1 for more variety (1)"
    )
    parser.add_argument(
        "--top", type=int, metavar="N", help="of --sample: draw from the N likeliest (all)"
    )
    parser.add_argument(
        "--token-scores", action="store_true", help="with --json, the score of every token"
    )


def check_search_options(options: argparse.Namespace) -> None:
    """Raise UsageError for options that do not go together, and InputError for bad bytes."""
    if options.prefix and len(options.text) != 1:
        raise UsageError("a prefix needs one text to complete", fix="Give one TEXT argument")
    check_argument("the prefix", options.prefix)
    if options.token_scores and not options.json:
        raise UsageError("scores of tokens are not plain text", fix="Add --json")
    if options.sample is None and (options.temperature, options.top) != (None, None):
        raise UsageError("--temperature and --top are for drawing", fix="Add --sample SEED")
    _check_values(options)


def _check_values(options: argparse.Namespace) -> None:
    """Refuse what makes no sense, also where there is nothing to translate."""
    from mltranslate.decode.types import Search

    told = search_of(options)
    Search(
        beam=told["beam"],
        alternatives=told["n_best"],
        length_penalty=told["length_penalty"],
        sampling=told.get("sampling"),
    )


def search_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return what `Translator.translate` is told about the search, by its parameters."""
    from mltranslate.decode.types import Sampling

    beam = DEFAULT_BEAM if options.sample is None else 1
    found = {
        "beam": beam if options.beam is None else options.beam,
        "n_best": options.n_best,
        "prefix": options.prefix,
        "token_scores": options.token_scores,
        "length_penalty": options.length_penalty,
    }
    if options.sample is None:
        return found
    temperature = 1.0 if options.temperature is None else options.temperature
    drawn = Sampling(seed=options.sample, temperature=temperature, top=options.top or 0)
    return {**found, "sampling": drawn}
