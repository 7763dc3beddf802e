"""From corpora to a vocabulary, token shards and held-out dev sets, in streaming passes."""

from __future__ import annotations

import dataclasses
import json
import logging
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.checkpoint import BEST, LAST
from mltranslate_train.config import Recipe, dump_recipe, load_recipe
from mltranslate_train.data.filters.corpus import REPORT
from mltranslate_train.data.filters.judge import explanations
from mltranslate_train.data.filters.report import FilterReport
from mltranslate_train.data.filters.selection import UNUSED, Selected, select
from mltranslate_train.data.holdout import Holdout
from mltranslate_train.data.noise import noisy_copies, typo_copies
from mltranslate_train.data.readers import Pair, PairFile, find_files, find_sides, open_text
from mltranslate_train.data.shards import ShardWriter, Way
from mltranslate_train.data.texts import find_text
from mltranslate_train.data.weights import is_used
from mltranslate_train.data.whole import writable, write_text
from mltranslate_train.tokenizer import Vocabulary, train_vocabulary

log = logging.getLogger(__name__)

_BLOCK = 4096
VOCABULARY_FILE = "vocabulary.model"
SHARDS, HELD_OUT, SUMMARY, RECIPE = "shards", "heldout", "data.json", "recipe.toml"
PARENT = "parent.json"
"""What a run was started from, and whose vocabulary it may have taken over."""
_FREE = frozenset(
    f"data.{name}"
    for name in ("weights", "curriculum", "temperature", "subword_sampling", "subword_alpha")
) | {"model.dropout", "model.attention_dropout", "model.activation_dropout"}
"""What may change in a run whose data is made: it decides only how data and model are used."""


def prepare(recipe: Recipe, run: Path) -> None:
    """Fill `run` with recipe.toml, vocabulary.model, shards/, heldout/, data.json and a report.

    Data that is complete is kept, and so is a vocabulary that was made by the same recipe.

    Raises:
        ConfigError: the run's data or trained model was made by another recipe.
        DataError: a corpus is missing or malformed, or leaves a language pair without examples;
            or the run's folder cannot be written, for example because the disk is full.
    """
    changed = _changed(recipe, run)
    complete = (run / SUMMARY).is_file()
    if complete and changed:
        raise ConfigError(
            f"{run} was made with another {' and '.join(changed)}",
            why="its data and weights do not fit the recipe",
            fix="Give another folder with --out",
        )
    if complete:
        _check_left_out(recipe, run)
    with writable(run):
        run.mkdir(parents=True, exist_ok=True)
        write_text(run / RECIPE, dump_recipe(recipe))
        if complete:
            return
        inherited = (run / PARENT).is_file() and recipe.finetune.vocabulary == "parent"
        if changed and not inherited:
            (run / VOCABULARY_FILE).unlink(missing_ok=True)
        _fill(recipe, run)


def _changed(recipe: Recipe, run: Path) -> list[str]:
    """Keys in which the recipe differs from the run's, of those that its files depend on."""
    if not (run / RECIPE).is_file():
        return []
    sections = ["data", "vocabulary"]
    if (run / LAST).exists() or (run / BEST).exists():
        sections.append("model")  # before there are weights, any model fits the data
    before, now = _fixed(load_recipe(run / RECIPE), sections), _fixed(recipe, sections)
    return [key for key in now if before[key] != now[key]]


def _check_left_out(recipe: Recipe, run: Path) -> None:
    """Refuse a weight for an origin that had none when the shards were made."""
    try:
        dropped = json.loads((run / SUMMARY).read_text(encoding="utf-8")).get("dropped", {})
    except (OSError, ValueError) as error:
        raise DataError(
            f"{run / SUMMARY} cannot be read",
            why=str(error),
            fix="Remove it: the same command then prepares the data again",
        ) from error
    missing = [name for name in dropped.get(UNUSED, {}) if is_used(name, recipe.data)]
    if missing:
        raise ConfigError(
            f"data.weights now uses {', '.join(missing)}",
            why=f"the data of {run} was made without",
            fix="Leave its weight 0, or give another folder with --out",
        )


def _fixed(recipe: Recipe, sections: list[str]) -> dict[str, Any]:
    values = {
        f"{name}.{item.name}": getattr(getattr(recipe, name), item.name)
        for name in sections
        for item in dataclasses.fields(getattr(recipe, name))
    }
    if "model" in sections:
        values["train.objective"] = recipe.train.objective
    return {key: value for key, value in values.items() if key not in _FREE}


def _fill(recipe: Recipe, run: Path) -> None:
    data = recipe.data
    sides = find_sides(data.corpora, data.languages)
    wanted = [*recipe.directions, *(file.languages for file in sides)]
    files = find_files(data.corpora, wanted)
    licences = _licences(recipe.data.licences)
    holdout = Holdout(files, recipe.data.holdout)
    holdout.write(run / HELD_OUT)
    report = FilterReport()
    pairs = [file for file in files if _serves(file, recipe)]
    selected = select(pairs, data, report, holdout.texts)
    # The two sides of a text in one language are equal, of which that filter would drop all.
    plain = replace(data, filter=replace(data.filter, copies=False))
    texts = find_text(data.corpora, data.languages, sides)
    selected += select(texts, plain, report, holdout.texts)
    if not (run / VOCABULARY_FILE).is_file():
        _make_vocabulary(recipe, selected, run)
    vocabulary = Vocabulary(run / VOCABULARY_FILE)
    examples: Counter[str] = Counter()
    for languages in sorted({part.languages for part in selected}):
        parts = [part for part in selected if part.languages == languages]
        _make_shard(recipe, parts, vocabulary, run / SHARDS, examples, report)
    summary = {
        "origins": examples,
        "dropped": report.table(),
        "licences": {name: licences[name] for name in examples if name in licences},
        "heldout": {"-".join(key): len(value) for key, value in holdout.dev.items()},
    }
    write_text(run / REPORT, report.markdown(explanations(recipe.data.filter)))
    # Last: this file says that the data is complete.
    write_text(run / SUMMARY, json.dumps(summary, ensure_ascii=False, indent=1))


def _serves(file: PairFile, recipe: Recipe) -> bool:
    first, second = file.languages
    return (first, second) in recipe.directions or (second, first) in recipe.directions


def _make_vocabulary(recipe: Recipe, selected: list[Selected], run: Path) -> None:
    log.info("training a vocabulary of %d pieces", recipe.vocabulary.size)
    texts = _sample(recipe, selected)
    train_vocabulary(texts, recipe.languages, recipe.vocabulary, run / Path(VOCABULARY_FILE).stem)


def _sample(recipe: Recipe, selected: list[Selected]) -> Iterator[str]:
    """An equal share of sentences for each language, drawn evenly from its files."""
    rng = random.Random(recipe.data.seed)  # noqa: S311 - no secret
    uses: Counter[str] = Counter(code for part in selected for code in set(part.languages))
    share = recipe.vocabulary.sample // len(uses)
    for part in selected:
        wanted = [share // uses[code] for code in part.languages]
        reservoir: list[Pair] = []
        for seen, pair in enumerate(part):
            if len(reservoir) < max(wanted):
                reservoir.append(pair)
            elif (slot := rng.randrange(seen + 1)) < len(reservoir):
                reservoir[slot] = pair
        yield from (pair.first for pair in reservoir[: wanted[0]])
        if not part.is_text:
            yield from (pair.second for pair in reservoir[: wanted[1]])


def _make_shard(
    recipe: Recipe, parts: list[Selected], vocabulary: Vocabulary, folder: Path,
    examples: Counter[str], report: FilterReport,
) -> None:  # fmt: skip
    languages = parts[0].languages
    log.info("encoding %s", _shard_name(languages))
    rng = random.Random(recipe.data.seed)  # noqa: S311 - no secret
    longest, written, text = recipe.data.max_tokens, 0, parts[0].is_text
    with ShardWriter(folder / _shard_name(languages), languages) as writer:
        for part in parts:
            rows = _with_noise(recipe, part, rng)
            while block := list(islice(rows, _BLOCK)):
                firsts = vocabulary.encode(["" if text else pair.first for pair, _, _ in block])
                seconds = vocabulary.encode([pair.second for pair, _, _ in block])
                for (pair, way, copied), first, second in zip(block, firsts, seconds, strict=True):
                    fits = (text or 0 < len(first) <= longest) and 0 < len(second) <= longest
                    if fits:
                        writer.add(pair.origin, first, second, way)
                        examples[pair.origin] += 1
                        written += 1
                    if not copied:
                        _count(report, pair, fits)
        if not written:
            raise DataError(
                f"no usable example for {_shard_name(languages)}", why=f"dropped: {report.totals()}"
            )


def _shard_name(languages: tuple[str, str]) -> str:
    """As "en-de"; text in one language, which is the second side, is "en"."""
    return "-".join(dict.fromkeys(languages))


def _count(report: FilterReport, pair: Pair, fits: bool) -> None:
    if fits:
        report.keep(pair.origin)
    else:
        report.drop("too long", pair)


def _with_noise(
    recipe: Recipe, pairs: Selected, rng: random.Random
) -> Iterator[tuple[Pair, Way, bool]]:
    """Each pair, and after it its noisy copies, marked as such, with the ways that they teach."""
    only = _way_of(pairs)
    for pair in pairs:
        yield pair, only, False
        texts = (pair.first, pair.second, recipe.data.noise, rng)
        for first, second in noisy_copies(*texts):
            yield Pair(pair.origin, first, second), only, True
        for first, second, way in typo_copies(*texts):
            if only in ("both", way):
                yield Pair(pair.origin, first, second), way, True


def _way_of(part: Selected) -> Way:
    """The ways that all pairs of a file teach."""
    first, second = part.languages
    if part.teaches(first, second) and part.teaches(second, first):
        return "both"
    return "forward" if part.teaches(first, second) else "backward"


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
