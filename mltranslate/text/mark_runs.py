"""Runs of exclamation and question marks: "!!!" and "?!" of a source, in its translation.

Subword models count them badly: "!!!" comes out as "!!", or in French as "!! !".
"""

from __future__ import annotations

import re
from collections import Counter

_RUN = re.compile("[!?！？](?:[ \u00a0\u202f]?[!?！？])*")
_TO_ASCII = str.maketrans("！？", "!?")
_TO_WIDE = str.maketrans("!?", "！？")


def with_mark_runs(text: str, source: str, language: str, begun: int = 0) -> str:
    """Return `text`, the translation of `source` into `language`, with runs as long as in `source`.

    They stay in the order and the width that they have in `text`, and without spaces within. Where
    the two have not as many runs, or a run is of other marks than its like, only spaces go. Single
    marks are the model's to choose. Nothing changes before the offset `begun`.
    """
    runs = list(_RUN.finditer(text))
    if max(map(len, (run[0] for run in runs)), default=0) < 2 and not _has_runs(source):
        return text
    meant = _RUN.findall(source)
    if len(meant) != len(runs):
        meant = ["".join(run[0].split()) for run in runs]
    made, done = [], 0
    for run, model in zip(runs, meant, strict=True):
        if run.start() >= begun and (new := _like(run[0], model)) != run[0]:
            before = text[done : run.start()]
            made += [before, " " if _wants_space(before, language) else "", new]
            done = run.end()
    return "".join([*made, text[done:]])


def _has_runs(source: str) -> bool:
    return any(len(run) > 1 for run in _RUN.findall(source))


def _like(run: str, model: str) -> str:
    """The run with as many marks as `model`, if both are of the same marks."""
    marks = "".join(run.translate(_TO_ASCII).split())
    if any(mark.isspace() for mark in model):  # written apart on purpose
        return run
    meant = model.translate(_TO_ASCII)
    if set(meant) == set(marks) and Counter(meant) != Counter(marks):
        marks = meant
    wide = run != run.translate(_TO_ASCII)
    return marks.translate(_TO_WIDE) if wide else marks


def _wants_space(before: str, language: str) -> bool:
    return language.partition("-")[0] == "fr" and before[-1:].isalnum()
