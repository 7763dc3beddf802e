"""`mltranslate detect`: name the language of arguments or of each line of stdin."""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from mltranslate.cli.streams import (
    checked_arguments,
    decoded,
    lines_of,
    standard_input,
    whole_lines,
    write,
)
from mltranslate.errors import InputError, UsageError
from mltranslate.languages import describe
from mltranslate.types import UNDETERMINED, Detection, Segment

if TYPE_CHECKING:
    from mltranslate.detect.detector import Detector

_BLOCKS_OF_A_FILE = 32

_encode = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would build one each time

Commands = Any  # argparse keeps the type of its sub-parsers to itself


def register(commands: Commands) -> None:
    """Add this sub-command to the parser."""
    parser = commands.add_parser(
        "detect",
        help="detect the language of text",
        description="Print language and probability of each TEXT, or of each line of stdin.",
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
    from mltranslate.languages import resolve

    if options.top < 1:
        raise UsageError(f"--top {options.top} makes no sense", fix="Give 1 or more")
    if options.segments and options.top > 1:
        raise UsageError("--segments has one language a part", fix="Leave out --top")
    languages = None
    detector = default_detector()
    if options.languages is not None:
        names = options.languages.split(",")
        if not all(name.strip() for name in names):
            raise UsageError(
                f"--languages {options.languages!r} has an empty name", fix="Write it as en,de,nl"
            )
        languages = [resolve(name, detector.languages) for name in names]
    for texts in _groups(options.text):
        # Equal lines are judged once, and all are written together: a system call for every line
        # would cost more than the detection.
        different = list(dict.fromkeys(texts))
        answers = _answers(options, detector, languages, different)
        lines = dict(zip(different, answers, strict=True))
        write("".join(map(lines.__getitem__, texts)))
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


def _answers(
    options: argparse.Namespace,
    detector: Detector,
    languages: Sequence[str] | None,
    texts: Sequence[str],
) -> Iterable[str]:
    """Return the output for each text: whole lines."""
    if options.segments:
        from mltranslate.detect.segments import segments_many

        parts = segments_many(detector, texts, languages)
        return _objects("segments", texts, parts) if options.json else map(_segment_lines, parts)
    if options.json or options.top > 1:
        found = detector.detect_many(texts, languages, options.top)
        return _objects("detections", texts, found) if options.json else map(_line, found)
    return _likeliest(detector, languages, texts)


def _likeliest(
    detector: Detector, languages: Sequence[str] | None, texts: Sequence[str]
) -> Iterable[str]:
    # What is not shown is not made: neither varieties nor an object for every line.
    names = (*detector.languages, UNDETERMINED)
    rows = detector.probabilities(texts, languages)
    ends = [f"{cell}\n" for cell in _names(names)]
    best = zip(rows.argmax(axis=1).tolist(), rows.max(axis=1).tolist(), strict=True)
    return [f"{names[label]}\t{confidence:.4f}{ends[label]}" for label, confidence in best]


def _line(candidates: Sequence[Detection]) -> str:
    names = _names([one.language for one in candidates])
    cells = [
        f"{one.language}\t{one.confidence:.4f}{name}"
        for one, name in zip(candidates, names, strict=True)
    ]
    return "\t".join(cells) + "\n"


def _names(codes: Sequence[str]) -> list[str]:
    """Cells with the names of languages where a person reads; programs need none."""
    if not sys.stdout.isatty():
        return [""] * len(codes)
    return [
        "\tno language" if code == UNDETERMINED else f"\t{describe(code).name}" for code in codes
    ]


def _segment_lines(found: Sequence[Segment]) -> str:
    return "".join(
        f"{one.start}\t{one.end}\t{one.language}\t{one.confidence:.4f}\t{_encode(one.text)}\n"
        for one in found
    )


def _objects(
    key: str, texts: Sequence[str], found: Sequence[Sequence[Detection] | Sequence[Segment]]
) -> Iterator[str]:
    for text, parts in zip(texts, found, strict=True):
        names = tuple(type(parts[0]).__dataclass_fields__) if parts else ()
        records = [{name: getattr(part, name) for name in names} for part in parts]
        yield _encode({"text": text, key: records}) + "\n"
