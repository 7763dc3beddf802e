"""`mltranslate detect`: name the language of arguments or of each line of stdin."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import stat
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from mltranslate.cli.streams import (
    checked_arguments,
    decoded,
    lines_of,
    standard_input,
    whole_lines,
    write,
)
from mltranslate.errors import InputError, UsageError
from mltranslate.types import Detection, Segment

_BLOCKS_OF_A_FILE = 32

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
    parser.add_argument(
        "--segments", action="store_true", help="the parts of mixed text and their languages"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a text or line")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Detect what the options say; the exit code."""
    from mltranslate.detect.detector import default_detector
    from mltranslate.detect.segments import segments
    from mltranslate.languages import resolve

    if options.top < 1:
        raise UsageError(f"--top {options.top} makes no sense", fix="Give 1 or more")
    if options.segments and options.top > 1:
        raise UsageError("--segments has one language a part", fix="Leave out --top")
    languages = None
    detector = default_detector()
    if options.languages is not None:
        languages = [resolve(name, detector.languages) for name in options.languages.split(",")]
    for texts in _groups(options.text):
        if options.segments:
            parts = [segments(detector, text, languages) for text in texts]
            shown = map(_segment_lines, texts, parts, itertools.repeat(options.json))
        else:
            found = detector.detect_many(texts, languages, options.top)
            shown = map(_line, texts, found, itertools.repeat(options.json))
        # Together: a system call for every line would cost more than the detection.
        write("".join(shown))
    return 0


def _groups(arguments: list[str]) -> Iterator[list[str]]:
    if arguments:
        yield checked_arguments(arguments)
        return
    stream = standard_input()
    blocks = decoded(stream)
    if _is_file(stream):
        blocks = _gathered(blocks)
    yield from map(lines_of, whole_lines(blocks))


def _is_file(stream: BinaryIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:  # a stream in memory has no descriptor
        return False


def _gathered(blocks: Iterator[str]) -> Iterator[str]:
    """Join blocks: nobody waits for the first lines of a file, and large batches are faster."""
    waiting: list[str] = []
    try:
        for block in blocks:
            waiting.append(block)
            if len(waiting) == _BLOCKS_OF_A_FILE:
                yield "".join(waiting)
                waiting = []
    except InputError:
        # What comes before the bad byte is answered first.
        yield "".join(waiting)
        raise
    if waiting:
        yield "".join(waiting)


def _line(text: str, candidates: list[Detection], as_json: bool) -> str:
    if as_json:
        return _json("detections", text, candidates)
    if len(candidates) == 1:
        return f"{candidates[0].language}\t{candidates[0].confidence:.4f}\n"
    cells = [cell for one in candidates for cell in (one.language, f"{one.confidence:.4f}")]
    return "\t".join(cells) + "\n"


def _segment_lines(text: str, found: list[Segment], as_json: bool) -> str:
    if as_json:
        return _json("segments", text, found)
    return "".join(
        f"{one.start}\t{one.end}\t{one.language}\t{one.confidence:.4f}"
        f"\t{json.dumps(one.text, ensure_ascii=False)}\n"
        for one in found
    )


def _json(key: str, text: str, found: Sequence[Detection | Segment]) -> str:
    record = {"text": text, key: [dataclasses.asdict(one) for one in found]}
    return json.dumps(record, ensure_ascii=False) + "\n"
