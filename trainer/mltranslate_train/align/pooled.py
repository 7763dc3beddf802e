"""The links of many examples together, as the training data carries them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mltranslate_train.align.cells import Ids
from mltranslate_train.data.shards import ranges


@dataclass(frozen=True, slots=True)
class PooledLinks:
    """Links of N examples: those of example i are places[starts[i] : starts[i] + counts[i]].

    `places` (L, 2) are of source and target pieces, tag and end mark not counted.
    """

    places: Ids
    starts: Ids
    counts: Ids

    def without(self, examples: NDArray[np.bool_]) -> PooledLinks:
        """The same, where the examples marked (N,) have no links."""
        return replace(self, counts=np.where(examples, 0, self.counts))

    def of(self, rows: Ids) -> Ids:
        """Links (L, 3) of a batch of examples: row, position in the target, in the source.

        The source begins with the language tag; a target position is the one that predicts the
        piece, so that the tag, which is its input there, does not count.
        """
        counts = self.counts[rows]
        places = self.places[ranges(self.starts[rows], counts)]
        row = np.repeat(np.arange(len(rows)), counts)
        links: Ids = np.stack([row, places[:, 1], places[:, 0] + 1], axis=1)
        return links


def pooled(places: Ids, counts: Ids, *, swapped: bool) -> PooledLinks:
    """Links of a shard's examples back to back, `swapped` for its other direction."""
    return PooledLinks(places[:, ::-1] if swapped else places, counts.cumsum() - counts, counts)


def joined_links(parts: list[PooledLinks]) -> PooledLinks:
    """The links of all parts' examples."""
    offsets = np.cumsum([0, *(len(part.places) for part in parts[:-1])])
    return PooledLinks(
        np.concatenate([part.places for part in parts]),
        np.concatenate([part.starts + start for part, start in zip(parts, offsets, strict=True)]),
        np.concatenate([part.counts for part in parts]),
    )
