"""From a run's shards to their word alignments."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mltranslate.errors import DataError, UsageError
from mltranslate_train.align.cells import chunks
from mltranslate_train.align.heldout import align_held_out
from mltranslate_train.align.lexicon import write_lexicons
from mltranslate_train.align.links import write_links
from mltranslate_train.align.merge import Agreement, pair_links
from mltranslate_train.align.model import Aligner, learn
from mltranslate_train.align.symmetrise import HEURISTICS
from mltranslate_train.data.prepare import SHARDS, SUMMARY, VOCABULARY_FILE
from mltranslate_train.data.shards import Shard
from mltranslate_train.tokenizer import Vocabulary

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignSettings:
    """How a run's pairs are aligned.

    Raises:
        UsageError: a value makes no sense.
    """

    iterations: int = 5
    """Passes of EM."""
    heuristic: str = "grow-diag"
    """How the two directions are merged: one of `HEURISTICS`."""
    sample: int = 500_000
    """Most pairs of a shard to learn from, spread evenly; all are aligned."""
    limit: int = 1 << 24
    """Most distinct pairs of pieces that have a probability; takes 20 bytes each."""
    pairs: tuple[str, ...] = ()
    """Language pairs to align, as "en-de", in either order; all without any."""
    links: bool = True
    """Whether links are written; a lexicon needs none."""

    def __post_init__(self) -> None:
        if self.heuristic not in HEURISTICS:
            raise UsageError(
                f"there is no heuristic {self.heuristic!r}",
                fix=f"Choose one of {', '.join(HEURISTICS)}",
            )
        for name in ("iterations", "sample", "limit"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}", why="it must be 1 at least")


def align_run(run: Path, settings: AlignSettings, lexicon: int = 0) -> None:
    """Write the links of every shard of `run`, and lexicons of `lexicon` pieces if that is not 0.

    Raises:
        DataError: the run has no data, a shard is damaged, or the disk is full; links that were
            there stay.
        UsageError: the run has no pairs of a language pair that `settings` names.
    """
    if not (run / SUMMARY).is_file():
        raise DataError(f"{run} has no data", fix="Run `mltranslate-train prepare` first")
    vocabulary = Vocabulary(run / VOCABULARY_FILE)
    for shard in _chosen(run, settings.pairs):
        aligner = learn_shard(shard, len(vocabulary), settings)
        if settings.links:
            align_shard(shard, aligner, settings)
            align_held_out(run, shard.languages, vocabulary, aligner, settings.heuristic)
        if lexicon:
            write_lexicons(shard, aligner, lexicon)


def _chosen(run: Path, names: tuple[str, ...]) -> list[Shard]:
    """The shards of these language pairs, or of all."""
    shards = [Shard(folder) for folder in sorted((run / SHARDS).iterdir())]
    # Text in one language has an empty side.
    pairs = [shard for shard in shards if len(set(shard.languages)) == 2]
    if not pairs:
        raise DataError(f"{run} has no sentence pairs to align")
    found = {name for shard in pairs for name in _names(shard)}
    if missing := [name for name in names if name not in found]:
        raise UsageError(
            f"{run} has no sentence pairs of {', '.join(missing)}",
            fix=f"Choose of {', '.join(_names(shard)[0] for shard in pairs)}",
        )
    return [shard for shard in pairs if not names or set(_names(shard)) & set(names)]


def _names(shard: Shard) -> tuple[str, str]:
    """What a shard's language pair may be called."""
    first, second = shard.languages
    return f"{first}-{second}", f"{second}-{first}"


def learn_shard(shard: Shard, pieces: int, settings: AlignSettings) -> Aligner:
    """The aligner of a shard whose vocabulary has so many pieces."""
    log.info("learning to align %s", shard.folder.name)
    count = min(len(shard), settings.sample)
    numbers = np.linspace(0, len(shard), count, endpoint=False).astype(np.int64)
    return learn(
        lambda: chunks(shard, numbers),
        pieces, iterations=settings.iterations, limit=settings.limit,
    )  # fmt: skip


def align_shard(shard: Shard, aligner: Aligner, settings: AlignSettings) -> None:
    """Align all pairs of a shard and write their links."""
    log.info("aligning %s", shard.folder.name)
    longest = max(
        int(shard.records[at : at + (1 << 17)][side].max())
        for at in range(0, len(shard), 1 << 17)
        for side in ("first", "second")
    )
    agreement = Agreement()
    found = (
        links
        for pairs in chunks(shard, np.arange(len(shard)))
        for links in pair_links(aligner, pairs, settings.heuristic, agreement)
    )
    about = {"settings": dataclasses.asdict(settings)}
    total = write_links(shard, found, longest, about)
    log.info(
        "%s: %.1f links a pair; %.1f %% of all links were found in both directions",
        shard.folder.name, total / len(shard), 100 * agreement.share,
    )  # fmt: skip
