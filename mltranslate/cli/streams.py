"""stdin as text that was checked, stdout as UTF-8, stderr for everything that is no result."""

from __future__ import annotations

import codecs
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from mltranslate.errors import InputError
from mltranslate.limits import MAX_INPUT_CHARACTERS
from mltranslate.text.spans import last_sentence_start

BLOCK = 8192
"""Bytes read at a time: enough to fill a batch, little enough for results to appear early."""
LONG_LINE = 4 * BLOCK
"""Characters after which a line is not waited for: it is cut after its last whole sentence."""


def write(text: str) -> None:
    """Write a result to stdout as UTF-8, at once, whatever the locale."""
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def write_json(record: dict[str, Any]) -> None:
    """Write one JSON object on a line of its own."""
    write(json.dumps(record, ensure_ascii=False) + "\n")


def complain(message: str, program: str = "mltranslate") -> None:
    """Write one line about the run to stderr, also where a file name in it has line breaks."""
    line = " ".join(message.splitlines())
    print(f"{program}: {line}", file=sys.stderr, flush=True)


def checked_arguments(texts: Sequence[str]) -> list[str]:
    """Return the TEXT arguments; InputError if the shell passed bytes that are no UTF-8."""
    for number, text in enumerate(texts, start=1):
        check_argument(f"TEXT {number}", text)
    return list(texts)


def check_argument(name: str, text: str) -> None:
    """Raise InputError, which calls the argument `name`, if it has bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{name} is not valid UTF-8",
            why=f"at its character {error.start + 1}",
            fix="Set the terminal to UTF-8, or pass the text on stdin",
        ) from error


def standard_input() -> BinaryIO:
    """Return stdin as bytes; InputError when there is none."""
    if sys.stdin is None:
        raise InputError("there is no standard input", fix="Give the text as an argument")
    return sys.stdin.buffer


def decoded(stream: BinaryIO) -> Iterator[str]:
    """Yield the text of `stream` as it arrives, in blocks.

    Raises InputError, which names byte and line, at the first byte that is no UTF-8; what comes
    before it is yielded first.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    offset, lines = 0, 0
    while True:
        data = _read(stream)
        held = len(decoder.getstate()[0])
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            good = bytes(error.object[: error.start]).decode()
            yield from filter(None, [good])
            raise _bad_byte(error, offset - held, lines + good.count("\n")) from error
        if text:
            yield text
        if not data:
            return
        offset += len(data)
        lines += text.count("\n")


def whole_lines(blocks: Iterable[str], language: Callable[[], str] | None = None) -> Iterator[str]:
    """Regroup blocks so that each ends with a line; the texts concatenate to the input.

    With `language`, which tells whose sentences they are ("" while it is unknown), a very long
    line is also cut between two sentences. Raises InputError when a line exceeds the limits.
    """
    waiting: list[str] = []
    size = 0
    for block in blocks:
        end = block.rfind("\n") + 1
        if not end and language and size > LONG_LINE:
            end = _sentence_end(waiting, block, language())
        if end:
            yield "".join([*waiting, block[:end]])
            waiting, size = [], 0
        waiting.append(block[end:])
        size += len(block) - end
        _check_size(size)
    if size:
        yield "".join(waiting)


def lines_of(text: str) -> list[str]:
    """Return the lines of `text` without LF or CRLF; the end of the last adds no line."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _read(stream: BinaryIO) -> bytes:
    """Whatever has arrived, up to a block, so that a slow writer is answered line by line."""
    if isinstance(stream, io.BufferedReader):
        return stream.read1(BLOCK)
    return stream.read(BLOCK)


def _bad_byte(error: UnicodeDecodeError, base: int, lines: int) -> InputError:
    offset = base + error.start
    return InputError(
        "the input is not valid UTF-8",
        why=f"byte 0x{error.object[error.start]:02x} at offset {offset} in line {lines + 1}",
        fix="Convert it first, for example with iconv",
    )


def _sentence_end(waiting: list[str], block: str, language: str) -> int:
    """Where the last sentence that begins in `block` begins; 0 when there is none."""
    before = waiting[-1][-BLOCK:] if waiting else ""
    return max(0, last_sentence_start(before + block, language) - len(before))


def _check_size(size: int) -> None:
    if size > MAX_INPUT_CHARACTERS:
        raise InputError(
            "a line of the input is too long",
            why=f"it has more than {MAX_INPUT_CHARACTERS:,} characters",
            fix="Break it into lines",
        )
