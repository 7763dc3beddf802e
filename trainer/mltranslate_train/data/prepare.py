"""From corpora to a vocabulary, token shards and held-out dev sets, in one streaming pass each."""

from __future__ import annotations

import dataclasses
import json
import logging
import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.config import Recipe, dump_recipe, load_recipe
from mltranslate_train.data.holdout import Holdout
from mltranslate_train.data.noise import noisy_copies
from mltranslate_train.data.readers import Pair, PairFile, find_files, open_text, weight_of
from mltranslate_train.data.shards import ShardWriter
from mltranslate_train.tokenizer import Vocabulary, train_vocabulary

log = logging.getLogger(__name__)

_BLOCK = 4096
VOCABULARY_FILE = "vocabulary.model"
SHARDS, HELD_OUT, SUMMARY, RECIPE = "shards", "heldout", "data.json", "recipe.toml"
_FREE = ("data.weights", "data.temperature", "model.dropout")
"""What may change in a run whose data is made: it decides only how the data is used."""


def prepare(recipe: Recipe, run: Path) -> None:
    """Fill `run` with recipe.toml, vocabulary.model, shards/, heldout/ and data.json.

    Data that is complete is kept, and so is a vocabulary that was made by the same recipe.

    Raises:
        ConfigError: the run's data or model was made by another recipe.
        DataError: a corpus is missing or malformed, or leaves a language pair without examples.
    """
    changed = _changed(recipe, run)
    complete = (run / SUMMARY).is_file()
    if complete and changed:
        raise ConfigError(
            f"{run} was made with another {' and '.join(changed)}",
            why="its data and weights do not fit the recipe",
            fix="Give another folder with --out",
        )
    run.mkdir(parents=True, exist_ok=True)
    (run / RECIPE).write_text(dump_recipe(recipe), encoding="utf-8")
    if complete:
        return
    if changed:
        (run / VOCABULARY_FILE).unlink(missing_ok=True)
    _fill(recipe, run)


def _changed(recipe: Recipe, run: Path) -> list[str]:
    """Keys in which the recipe differs from the run's, of those that its data depends on."""
    if not (run / RECIPE).is_file():
        return []
    before, now = _fixed(load_recipe(run / RECIPE)), _fixed(recipe)
    return [key for key in now if before[key] != now[key]]


def _fixed(recipe: Recipe) -> dict[str, Any]:
    sections = {name: getattr(recipe, name) for name in ("data", "vocabulary", "model")}
    values = {
        f"{name}.{item.name}": getattr(section, item.name)
        for name, section in sections.items()
        for item in dataclasses.fields(section)
    }
    return {key: value for key, value in values.items() if key not in _FREE}


def _fill(recipe: Recipe, run: Path) -> None:
    files = find_files(recipe.data.corpora, recipe.directions)
    licences = _licences(recipe.data.licences)
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
        "licences": {name: licences[name] for name in pairs if name in licences},
        "heldout": {"-".join(key): len(value) for key, value in holdout.dev.items()},
    }
    (run / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")


def _make_vocabulary(recipe: Recipe, files: list[PairFile], holdout: Holdout, run: Path) -> None:
    log.info("training a vocabulary of %d pieces", recipe.vocabulary.size)
    texts = _sample(recipe, files, holdout)
    # Under its own name only when it is whole.
    train_vocabulary(texts, recipe.languages, recipe.vocabulary, run / "unfinished")
    (run / "unfinished.vocab").unlink(missing_ok=True)
    (run / "unfinished.model").replace(run / VOCABULARY_FILE)


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


def _licences(path: str) -> dict[str, str]:
    """Licence by source; raises DataError if the table cannot be read."""
    if not path:
        return {}
    try:
        with open_text(Path(path)) as lines:
            rows = [line.rstrip("\r\n").split("\t") for line in lines]
        source, licence = (rows[0].index(column) for column in ("source", "licence"))
        return {row[source]: row[licence] for row in rows[1:]}
    except (OSError, ValueError, IndexError) as error:
        raise DataError(
            f"data.licences {path} cannot be read",
            why=str(error),
            fix="Give a TSV file whose first line names the columns source and licence",
        ) from error
