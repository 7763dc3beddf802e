"""The options of a command that say how to search for translations."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mltranslate.cli.streams import check_argument
from mltranslate.errors import UsageError
from mltranslate.limits import DEFAULT_BEAM, DEFAULT_LENGTH_PENALTY, MAX_BEAM

if TYPE_CHECKING:
    from mltranslate.decode.types import Sampling


def add_search_options(parser: argparse.ArgumentParser) -> None:
    """Add what `search_of` reads."""
    parser.add_argument(
        "--beam",
        type=int,
        metavar="N",
        help=f"beam width, at most {MAX_BEAM} ({DEFAULT_BEAM}; 1 is greedy search, the fastest)",
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
        metavar="P",
        help="beam search ranks by score over length to this power: more favours length"
        f" (what the pack says, or {DEFAULT_LENGTH_PENALTY:g}; 1 with packs that take none)",
    )
    parser.add_argument(
        "--coverage-penalty",
        type=float,
        default=0.0,
        metavar="B",
        help="rank what beam search found by what it leaves out, too: 0.02, say; is slower (0)",
    )
    parser.add_argument(
        "--reverse-weight",
        type=float,
        default=0.0,
        metavar="W",
        help="rank what beam search found by how likely the text is as its translation back, too:"
        " 0.3 with --beam 8, say; is better and slower (0)",
    )
    parser.add_argument(
        "--sample",
        type=int,
        metavar="SEED",
        help="draw subwords by their probability instead of searching for the best",
    )
    parser.add_argument(
        "--temperature", type=float, metavar="T", help="of --sample: over 1 for more variety (1)"
    )
    parser.add_argument(
        "--top", type=int, metavar="N", help="of --sample: draw from the N likeliest subwords (all)"
    )
    parser.add_argument(
        "--token-scores", action="store_true", help="with --json, the score of every subword"
    )
    parser.add_argument(
        "--alignment", action="store_true", help="with --json, which words come from which"
    )


def search_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return what `Translator.translate` is told about the search, by its parameters.

    Raises UsageError for options that do not go together or make no sense, also where there is
    nothing to translate, and InputError for bad bytes.
    """
    from mltranslate.decode.types import Search

    _check_together(options)
    found = _search_of(options)
    Search(
        beam=found["beam"],
        alternatives=found["n_best"],
        length_penalty=1.0 if found["length_penalty"] is None else found["length_penalty"],
        coverage_penalty=found["coverage_penalty"],
        reverse_weight=found["reverse_weight"],
        sampling=found["sampling"],
    )
    return found


def _check_together(options: argparse.Namespace) -> None:
    if options.prefix and len(options.text) != 1:
        raise UsageError("a prefix needs one text to complete", fix="Give one TEXT argument")
    check_argument("the prefix", options.prefix)
    if options.token_scores and not options.json:
        raise UsageError("scores of subwords are not plain text", fix="Add --json")
    if options.alignment and not options.json:
        raise UsageError("links between words are not plain text", fix="Add --json")
    if options.sample is None and (options.temperature, options.top) != (None, None):
        raise UsageError("--temperature and --top are for drawing", fix="Add --sample SEED")


def _search_of(options: argparse.Namespace) -> dict[str, Any]:
    beam = DEFAULT_BEAM if options.sample is None else 1
    return {
        "beam": beam if options.beam is None else options.beam,
        "n_best": options.n_best,
        "prefix": options.prefix,
        "token_scores": options.token_scores,
        "alignment": options.alignment,
        "length_penalty": options.length_penalty,
        "coverage_penalty": options.coverage_penalty,
        "reverse_weight": options.reverse_weight,
        "sampling": _sampling_of(options),
    }


def _sampling_of(options: argparse.Namespace) -> Sampling | None:
    from mltranslate.decode.types import Sampling

    if options.sample is None:
        return None
    temperature = 1.0 if options.temperature is None else options.temperature
    return Sampling(seed=options.sample, temperature=temperature, top=options.top or 0)
