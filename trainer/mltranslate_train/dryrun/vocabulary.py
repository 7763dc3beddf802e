"""A stand-in for a vocabulary that is not made yet, of the right size."""

from __future__ import annotations

import re
from pathlib import Path

from mltranslate.errors import DataError
from mltranslate_train.config import Recipe
from mltranslate_train.data.readers import read_lines
from mltranslate_train.tokenizer import train_vocabulary

_MOST = re.compile(r"<= (\d+)")
"""What SentencePiece says of the largest size that a text suffices for."""


def make_stand_in(recipe: Recipe, corpus: Path, prefix: Path, *, whole: bool) -> int:
    """Train `prefix`.model on a small corpus; gives the number of pieces that stand for text.

    A part of the text may not suffice for as many pieces as the recipe wants. Then there are
    fewer, and marks that never occur make up the number, so that the model has its real size.

    Args:
        recipe: says size and kind.
        corpus: folder of the small corpus.
        prefix: path to write to, without its ending.
        whole: the small corpus is all there is; then what it does not suffice for is an error.

    Raises:
        DataError: no vocabulary can be made.
    """
    size = recipe.vocabulary.size
    texts = [
        side for file in sorted(corpus.rglob("*.t*")) for _, line in read_lines(file)
        for side in line.split("\t")[1:] or [line]
    ]  # fmt: skip
    real = size
    while True:
        fillers = [f"-filler{number}" for number in range(size - real)]
        try:
            train_vocabulary(texts, [*recipe.languages, *fillers], recipe.vocabulary, prefix)
        except DataError as error:
            most = _MOST.search(error.why)
            smaller = min(real - 1, int(most[1]) - len(fillers)) if most else real // 2
            if whole or smaller < 1:
                raise
            real = smaller
        else:
            return real
