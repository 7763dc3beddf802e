"""Sentences of like length go through a search together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

BATCH_TOKENS = 4096
"""Source tokens, padding included, that are decoded together; a beam counts as often as wide."""


def length_batches(
    lengths: Sequence[int], most: int, tokens: int = BATCH_TOKENS
) -> Iterator[list[int]]:
    """Row numbers in batches by rising length.

    A batch has `most` rows at most and, tags, end marks and padding included, `tokens` tokens at
    most; a row that is longer alone is a batch of its own.
    """
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        full = len(rows) == most or (len(rows) + 1) * (lengths[row] + 2) > tokens
        if rows and full:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows
