"""Readers of parallel text and of text in one language; all stream, and all are strict.

None holds more than one line, translation unit or catalogue entry. What is malformed is refused
with file and line; what a format itself marks as unusable (fuzzy entries, say) is counted.
"""

from __future__ import annotations

from mltranslate_train.data.readers.find import TextFile, find_files, find_sides, find_texts
from mltranslate_train.data.readers.lines import count_lines, open_text, read_lines
from mltranslate_train.data.readers.pair import Pair, Skipped, weight_of
from mltranslate_train.data.readers.pairs import PairFile

__all__ = [
    "Pair",
    "PairFile",
    "Skipped",
    "TextFile",
    "count_lines",
    "find_files",
    "find_sides",
    "find_texts",
    "open_text",
    "read_lines",
    "weight_of",
]
