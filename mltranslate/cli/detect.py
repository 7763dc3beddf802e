"""`mltranslate detect`: name the language of arguments or of each line of stdin."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from typing import Any

from mltranslate.cli.streams import (
    checked_arguments,
    decoded,
    lines_of,
    standard_input,
    whole_lines,
    write,
    write_json,
)
from mltranslate.errors import UsageError
from mltranslate.types import Detection

Commands = Any  # argparse keeps the type of its sub-parsers to itself


def register(commands: Commands) -> None:
    """Add this sub-command to the parser."""
    parser = commands.add_parser(
        "detect",
        help="detect the language of text",
        description="Print language and probability of each TEXT, or of each line of stdin.",
        allow_abbrev=False,
    )
    parser.add_argument("text", nargs="*", metavar="TEXT", help="text; stdin when there is none")
    parser.add_argument("--top", type=int, default=1, metavar="N", help="candidates a text (1)")
    parser.add_argument(
        "--languages", metavar="L,L", help="only these languages, with commas between (all)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a text or line")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Detect what the options say; the exit code."""
    from mltranslate.detect.detector import default_detector
    from mltranslate.languages import resolve

    if options.top < 1:
        raise UsageError(f"--top {options.top} makes no sense", fix="Give 1 or more")
    languages = None
    detector = default_detector()
    if options.languages is not None:
        languages = [resolve(name, detector.languages) for name in options.languages.split(",")]
    for texts in _groups(options.text):
        found = detector.detect_many(texts, languages, options.top)
        for text, candidates in zip(texts, found, strict=True):
            _show(text, candidates, as_json=options.json)
    return 0


def _groups(arguments: list[str]) -> Iterator[list[str]]:
    if arguments:
        yield checked_arguments(arguments)
        return
    yield from map(lines_of, whole_lines(decoded(standard_input())))


def _show(text: str, candidates: list[Detection], *, as_json: bool) -> None:
    if as_json:
        write_json({"text": text, "detections": [dataclasses.asdict(one) for one in candidates]})
    else:
        cells = [cell for one in candidates for cell in (one.language, f"{one.confidence:.4f}")]
        write("\t".join(cells) + "\n")
