"""Chinese text in the characters of the other standard, with what is no language left as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mltranslate.text.chinese import SIMPLIFIED, TRADITIONAL, as_written
from mltranslate.text.items import find_items
from mltranslate.text.spans import cut, spans_of
from mltranslate.types import CancelToken, stop_if_cancelled

IRI = re.compile(r"(?:https?|ftp|file)://[^\s<>\"“”‘’\u3000-\u303f\uff00-\uffef]++")
"""A link with letters of any script: where no blank or mark of Chinese ends it, it goes on."""


def rewritten(text: str, language: str, tag: str, cancel: CancelToken | None = None) -> str:
    """Return a text of `language` in the characters of `tag`; see `as_written`.

    Links and where they lead, tags, code and placeholders stay letter for letter. Raises
    `Cancelled`.
    """
    if tag not in (SIMPLIFIED, TRADITIONAL):
        return text
    made: list[str] = []
    for span in cut(text, language):
        stop_if_cancelled(cancel)
        parts = spans_of(span.text, _words(span.text)) if span.translatable else [span]
        made += [as_written(one.text, tag) if one.translatable else one.text for one in parts]
    return "".join(made)


def _words(sentence: str) -> Iterator[tuple[int, int]]:
    """Ranges of a sentence between what stays."""
    found = [*IRI.finditer(sentence), *find_items(sentence)]
    done = 0
    for start, end in sorted(match.span() for match in found):
        if start > done:
            yield done, start
        done = max(done, end)
    if done < len(sentence):
        yield done, len(sentence)
