"""Filtered corpora as files: the kept pairs in the corpus layout, and the report beside them."""

from __future__ import annotations

import dataclasses
import logging
import lzma
from collections.abc import Iterable
from pathlib import Path

from mltranslate.errors import ConfigError
from mltranslate_train.config import Recipe
from mltranslate_train.data.filters.judge import explanations
from mltranslate_train.data.filters.report import FilterReport
from mltranslate_train.data.filters.selection import Selected, select
from mltranslate_train.data.readers import Pair, PairFile, find_files
from mltranslate_train.data.whole import whole_file, writable, write_text

log = logging.getLogger(__name__)

REPORT = "data-report.md"
_PRESET = 2
"""Of xz: several times as fast as the default, for files a tenth larger."""
_BREAKS = str.maketrans("\t\r\n", "   ")


def write_filtered(recipe: Recipe, folder: Path) -> None:
    """Write `<a>-<b>.tsv.xz` for each language pair of the recipe, and data-report.md.

    Only `data.filter` decides, and pairs with an empty side are dropped; weights and held-out
    texts are for `prepare`.

    Raises:
        ConfigError: a filter cannot judge a language, or a corpus would be overwritten.
        DataError: a corpus is missing or malformed, or the folder cannot be written.
    """
    files = find_files(recipe.data.corpora, recipe.directions)
    data = dataclasses.replace(recipe.data, weights={}, curriculum=())
    report = FilterReport()
    selected = select(files, data, report)
    with writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_to_overwrite(folder, files)
        for languages in sorted({part.languages for part in selected}):
            log.info("filtering %s-%s", *languages)
            parts = [part for part in selected if part.languages == languages]
            _write(folder / f"{'-'.join(languages)}.tsv.xz", parts, report)
        write_text(folder / REPORT, report.markdown(explanations(data.filter)))


def _refuse_to_overwrite(folder: Path, files: Iterable[PairFile]) -> None:
    for file in files:
        if file.path.resolve().parent == folder.resolve():
            raise ConfigError(
                f"{folder} holds {file.path.name}, which is to be filtered",
                fix="Give another folder with --out",
            )


def _write(path: Path, parts: Iterable[Selected], report: FilterReport) -> None:
    with whole_file(path) as new, lzma.open(new, "wt", encoding="utf-8", preset=_PRESET,
                                            newline="\n") as file:  # fmt: skip
        for part in parts:
            for pair in part:
                report.keep(pair.origin)
                file.write(_line(pair))


def _line(pair: Pair) -> str:
    """One line of a corpus file; a tab inside a text would make it another column."""
    cells = (pair.origin, pair.first, pair.second)
    return "\t".join(cell.translate(_BREAKS) for cell in cells) + "\n"
