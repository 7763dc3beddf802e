"""From corpora to a vocabulary, token shards and held-out dev sets, in one streaming pass each."""

from __future__ import annotations

import json
import logging
import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from mltranslate.errors import DataError
from mltranslate_train.config import Recipe
from mltranslate_train.data.holdout import Holdout
from mltranslate_train.data.noise import noisy_copies
from mltranslate_train.data.readers import Pair, PairFile, find_files, open_text, weight_of
from mltranslate_train.data.shards import ShardWriter
from mltranslate_train.tokenizer import Vocabulary, train_vocabulary

log = logging.getLogger(__name__)

_BLOCK = 4096
VOCABULARY_FILE = "vocabulary.model"
SHARDS, HELD_OUT, SUMMARY = "shards", "heldout", "data.json"


def prepare(recipe: Recipe, run: Path) -> None:
    """Fill `run` with vocabulary.model, shards/, heldout/ and data.json; finished parts are kept.

    Raises:
        DataError: a corpus is missing or malformed, or leaves a language pair without examples.
    """
    if (run / SUMMARY).is_file():
        return
    if recipe.vocabulary.size > 2**16:
        raise DataError(
            f"vocabulary.size {recipe.vocabulary.size} is too large", why="shards hold 16-bit ids"
        )
    run.mkdir(parents=True, exist_ok=True)
    files = find_files(recipe.data.corpora, recipe.directions)
    holdout = Holdout(files, recipe.data.holdout)
    holdout.write(run / HELD_OUT)
    if not (run / VOCABULARY_FILE).is_file():
        _make_vocabulary(recipe, files, holdout, run)
    vocabulary = Vocabulary(run / VOCABULARY_FILE)
    pairs: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    for languages in sorted({file.languages for file in files}):
        parts = [file for file in files if file.languages == languages]
        _make_shard(recipe, parts, holdout, vocabulary, run / SHARDS, pairs, dropped)
    summary = {
        "origins": pairs,
        "dropped": dropped,
        "licences": _licences(recipe.data.licences, set(pairs)),
        "heldout": {"-".join(key): len(value) for key, value in holdout.dev.items()},
    }
    (run / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")


def _make_vocabulary(recipe: Recipe, files: list[PairFile], holdout: Holdout, run: Path) -> None:
    log.info("training a vocabulary of %d pieces", recipe.vocabulary.size)
    texts = _sample(recipe, files, holdout)
    train_vocabulary(texts, recipe.languages, recipe.vocabulary, run / "vocabulary")
    (run / "vocabulary.vocab").unlink(missing_ok=True)


def _sample(recipe: Recipe, files: list[PairFile], holdout: Holdout) -> Iterator[str]:
    """An equal share of sentences for each language, drawn evenly from its files."""
    rng = random.Random(recipe.data.seed)  # noqa: S311 - no secret
    uses: Counter[str] = Counter(code for file in files for code in file.languages)
    share = recipe.vocabulary.sample // len(uses)
    for file in files:
        wanted = [share // uses[code] for code in file.languages]
        reservoir: list[Pair] = []
        for seen, pair in enumerate(_usable(recipe, file, holdout, Counter())):
            if len(reservoir) < max(wanted):
                reservoir.append(pair)
            elif (slot := rng.randrange(seen + 1)) < len(reservoir):
                reservoir[slot] = pair
        yield from (pair.first for pair in reservoir[: wanted[0]])
        yield from (pair.second for pair in reservoir[: wanted[1]])


def _usable(
    recipe: Recipe, file: PairFile, holdout: Holdout, dropped: Counter[str]
) -> Iterator[Pair]:
    for pair in file:
        if not weight_of(pair.origin, recipe.data.weights):
            dropped["weight 0"] += 1
        elif not pair.first or not pair.second:
            dropped["empty side"] += 1
        elif holdout.touches(pair):
            dropped["held out"] += 1
        else:
            yield pair


def _make_shard(
    recipe: Recipe, files: list[PairFile], holdout: Holdout, vocabulary: Vocabulary,
    folder: Path, pairs: Counter[str], dropped: Counter[str],
) -> None:  # fmt: skip
    languages = files[0].languages
    log.info("encoding %s-%s", *languages)
    rng = random.Random(recipe.data.seed)  # noqa: S311 - no secret
    longest, written = recipe.data.max_tokens, 0
    with ShardWriter(folder / "-".join(languages), languages) as writer:
        for file in files:
            examples = _with_noise(recipe, _usable(recipe, file, holdout, dropped), rng)
            while block := list(islice(examples, _BLOCK)):
                firsts = vocabulary.encode([pair.first for pair in block])
                seconds = vocabulary.encode([pair.second for pair in block])
                for pair, first, second in zip(block, firsts, seconds, strict=True):
                    if 0 < len(first) <= longest and 0 < len(second) <= longest:
                        writer.add(pair.origin, first, second)
                        pairs[pair.origin] += 1
                        written += 1
                    else:
                        dropped["too long"] += 1
        if not written:
            raise DataError(
                f"no usable example for {'-'.join(languages)}", why=f"dropped: {dict(dropped)}"
            )


def _with_noise(recipe: Recipe, pairs: Iterator[Pair], rng: random.Random) -> Iterator[Pair]:
    for pair in pairs:
        yield pair
        for first, second in noisy_copies(pair.first, pair.second, recipe.data.noise, rng):
            yield Pair(pair.origin, first, second)


def _licences(path: str, origins: set[str]) -> dict[str, str]:
    if not path:
        return {}
    with open_text(Path(path)) as lines:
        header = next(lines).rstrip("\n").split("\t")
        rows = [dict(zip(header, line.rstrip("\n").split("\t"), strict=False)) for line in lines]
    return {row["source"]: row["licence"] for row in rows if row["source"] in origins}
