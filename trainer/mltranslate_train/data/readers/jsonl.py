"""JSON Lines: one object a line, which has a text under each of two language codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from mltranslate.errors import DataError
from mltranslate_train.data.readers.lines import one_line, read_lines
from mltranslate_train.data.readers.pair import Pair


def read_jsonl(path: Path, languages: tuple[str, str], origin: str) -> Iterator[Pair]:
    """Pairs of the texts under the two codes; other keys are ignored.

    Raises:
        DataError: a line is no JSON object, or lacks a text under one of the codes.
    """
    for number, line in read_lines(path):
        where = f"{path}:{number}"
        record = _parse(line, where)
        first, second = (_text(record, code, where) for code in languages)
        yield Pair(origin, first, second)


def _parse(line: str, where: str) -> dict[str, object]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is no JSON", why=str(error)) from error
    if not isinstance(record, dict):
        raise DataError(f"{where} is no JSON object")
    return record


def _text(record: dict[str, object], code: str, where: str) -> str:
    text = record.get(code)
    if not isinstance(text, str):
        raise DataError(f"{where} has no text under {code!r}")
    # An escape may spell half a character, which nothing can write down again.
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise DataError(f"{where} has a lone surrogate under {code!r}")
    return one_line(text)
