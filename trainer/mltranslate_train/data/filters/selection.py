"""The pairs of a corpus file that pass all filters, over and over with one judgement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import compress, islice

import numpy as np

from mltranslate.errors import DataError
from mltranslate_train.config import DataConfig
from mltranslate_train.data.filters.hashes import Flags, TextSet
from mltranslate_train.data.filters.judge import Block, Filters, Rule, read_tests, touches
from mltranslate_train.data.filters.report import FilterReport
from mltranslate_train.data.readers import Pair, PairFile, Skipped
from mltranslate_train.data.texts import Text
from mltranslate_train.data.weights import is_used

UNUSED = "weight 0"
"""Reason for which the pairs of an origin without weight are dropped."""
_BLOCK = 4096


class Selected:
    """The pairs of one file that pass the filters.

    The first pass judges them and counts what is dropped; later passes read the file again and
    repeat the answers, which take one bit a pair. Files of one language pair share `filters`,
    which remember earlier pairs: the first pass over them must be whole, and in their order.
    """

    def __init__(self, file: PairFile | Text, filters: Filters, report: FilterReport) -> None:
        self.languages = file.languages
        self._file = file
        self._filters: Filters | None = filters
        self._report = report
        self._answers = bytearray()
        self._read = 0

    @property
    def is_text(self) -> bool:
        """Whether the two sides are one text in one language."""
        return self.languages[0] == self.languages[1]

    def teaches(self, source: str, target: str) -> bool:
        """Whether the pairs may be used to learn the direction."""
        return not isinstance(self._file, PairFile) or self._file.teaches(source, target)

    def __iter__(self) -> Iterator[Pair]:
        """Stream the kept pairs; raises DataError as the file's reader does."""
        if self._filters is None:
            yield from self._repeat()
        else:
            yield from self._judge(self._filters)
            # What the filters remember is needed no more after the last file.
            self._filters = None

    def _judge(self, filters: Filters) -> Iterator[Pair]:
        skipped: Skipped = Counter()
        pairs = self._file.read(skipped)
        while block := list(islice(pairs, _BLOCK)):
            reasons = filters.reasons(block)
            for pair, reason in zip(block, reasons, strict=True):
                if reason:
                    self._report.drop(reason, pair)
            kept = [not reason for reason in reasons]
            self._read += len(block)
            self._answers += np.packbits(kept).tobytes()
            yield from compress(block, kept)
        self._report.skip(skipped)

    def _repeat(self) -> Iterator[Pair]:
        answers, read = np.frombuffer(self._answers, np.uint8), 0
        pairs = iter(self._file)
        for start in range(0, len(answers), _BLOCK // 8):
            flags = np.unpackbits(answers[start : start + _BLOCK // 8])
            block = list(islice(pairs, len(flags)))
            read += len(block)
            yield from compress(block, flags.tolist())
        if read != self._read or next(pairs, None) is not None:
            raise DataError(
                f"{self._file.path} has changed while it was read", fix="Run the same command again"
            )


def select(files: Sequence[PairFile | Text], data: DataConfig, report: FilterReport,
           held_out: TextSet | None = None) -> list[Selected]:  # fmt: skip
    """The usable pairs of each file, those of a language pair together and in the files' order.

    Dropped are, besides what `data.filter` says, origins without weight, pairs with an empty
    side, and those with a text of `held_out`.

    Raises:
        ConfigError: a filter cannot judge a language.
        DataError: a test set cannot be read.
    """
    tests = read_tests(data.filter.decontaminate)
    before = _before(data, held_out)
    distinct = dict.fromkeys(file.languages for file in files)
    filters = {languages: Filters(data.filter, languages, tests, before) for languages in distinct}
    ordered = sorted(files, key=lambda file: file.languages)
    return [Selected(file, filters[file.languages], report) for file in ordered]


def _before(data: DataConfig, held_out: TextSet | None) -> list[Rule]:
    used: dict[str, bool] = {}

    def unused(block: Block) -> Flags:
        for pair in block.pairs:
            if pair.origin not in used:
                used[pair.origin] = is_used(pair.origin, data)
        return np.array([not used[pair.origin] for pair in block.pairs], np.bool_)

    chosen: list[Rule] = [(UNUSED, unused), ("empty side", _is_empty)]
    if held_out is not None and len(held_out):
        chosen.append(("held out", lambda block: touches(held_out, block)))
    return chosen


def _is_empty(block: Block) -> Flags:
    return np.array([not pair.first or not pair.second for pair in block.pairs], np.bool_)
