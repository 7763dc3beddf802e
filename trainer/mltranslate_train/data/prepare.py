"""From corpora to a vocabulary, token shards and held-out dev sets, in streaming passes."""

from __future__ import annotations

import dataclasses
import json
import logging
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from mltranslate.errors import ConfigError, DataError, reason
from mltranslate_train.checkpoint import ABOUT, BEST, LAST, newest
from mltranslate_train.config import Recipe, dump_recipe, load_recipe
from mltranslate_train.data.filters.corpus import REPORT
from mltranslate_train.data.filters.judge import explanations
from mltranslate_train.data.filters.report import FilterReport
from mltranslate_train.data.filters.selection import UNUSED, Selected, select
from mltranslate_train.data.holdout import Holdout
from mltranslate_train.data.noise import noisy_copies
from mltranslate_train.data.readers import (
    Pair,
    PairFile,
    TextFile,
    find_files,
    find_sides,
    open_text,
)
from mltranslate_train.data.sentences import sample_sentences
from mltranslate_train.data.shards import ShardWriter, Way
from mltranslate_train.data.source_files import added_files, changed_files, describe_files
from mltranslate_train.data.texts import Text, find_text
from mltranslate_train.data.weights import check_patterns, is_used, origins_of
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
    for name in (
        "weights",
        "curriculum",
        "temperature",
        "direction_weights",
        "subword_sampling",
        "subword_alpha",
    )
) | {f"model.{name}dropout" for name in ("", "word_", "attention_", "activation_")}
"""What may change in a run whose data is made: it decides only how data and model are used."""


def prepare(recipe: Recipe, run: Path, *, partial: bool = False) -> None:
    """Fill `run` with recipe.toml, vocabulary.model, shards/, heldout/, data.json and a report.

    Data that is complete is kept, and so is a vocabulary that was made by the same recipe. If the
    text that it was made of has changed since, or files were added to it, a warning says so. The
    recipe.toml of a run that has a checkpoint is kept too, until it trains on (`keep_recipe`).
    `partial`: the corpora are samples, which may have nothing of an origin that the recipe names.

    Raises:
        ConfigError: the run's data or trained model was made by another recipe, the recipe names
            an origin that there is not, or the run's weights are a mean, which cannot go on.
        DataError: a corpus is missing or malformed, or leaves a language pair without examples;
            or the run's folder cannot be written, for example because the disk is full.
    """
    _refuse_mean(run)
    changed = _changed(recipe, run)
    complete = (run / SUMMARY).is_file()
    if complete and changed:
        raise ConfigError(
            f"{run} was made with another {' and '.join(changed)}",
            why="its data and weights do not fit the recipe",
            fix="Give another folder with --out",
        )
    if complete:
        summary = _read_summary(run)
        _check_origins(recipe, run, summary, partial=partial)
        _warn_of_changes(recipe, run, summary)
    with writable(run):
        run.mkdir(parents=True, exist_ok=True)
        if newest(run / LAST) is None:  # until then nothing was trained by another one
            keep_recipe(recipe, run)
        if complete:
            return
        inherited = (run / PARENT).is_file() and recipe.finetune.vocabulary == "parent"
        if changed and not inherited:
            (run / VOCABULARY_FILE).unlink(missing_ok=True)
        _fill(recipe, run, partial=partial)


def keep_recipe(recipe: Recipe, run: Path) -> None:
    """Write recipe.toml: what the run is, or goes on, to be trained by."""
    write_text(run / RECIPE, dump_recipe(recipe))


def _refuse_mean(run: Path) -> None:
    """Refuse the folder that `average` makes: a run that began there would overwrite the mean.

    Raises:
        ConfigError: the best weights are a mean, and there is no checkpoint to go on from.
        DataError: what the best weights are cannot be read.
    """
    path = run / BEST / ABOUT
    if newest(run / LAST) is not None or not path.is_file():
        return
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read", why=reason(error), fix="Give another folder with --out"
        ) from error
    if isinstance(about, dict) and "averaged" in about:
        folder = path.resolve().parent.parent  # a dry run's own has only links to the run's
        raise ConfigError(
            f"{folder} is the mean of two runs",
            why="it has no checkpoint to go on from, and its weights would be overwritten",
            fix=f"Give another --out, and --from {folder}",
        )


def _changed(recipe: Recipe, run: Path) -> list[str]:
    """Keys in which the recipe differs from the run's, of those that its files depend on."""
    if not (run / RECIPE).is_file():
        return []
    sections = ["data", "vocabulary"]
    if (run / LAST).exists() or (run / BEST).exists():
        sections.append("model")  # before there are weights, any model fits the data
    before, now = _fixed(load_recipe(run / RECIPE), sections), _fixed(recipe, sections)
    return [key for key in now if before[key] != now[key]]


def _read_summary(run: Path) -> dict[str, Any]:
    try:
        summary = json.loads((run / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{run / SUMMARY} cannot be read",
            why=reason(error),
            fix="Remove it: the same command then prepares the data again",
        ) from error
    return dict(summary)


def _check_origins(recipe: Recipe, run: Path, summary: dict[str, Any], *, partial: bool) -> None:
    """Refuse a weight for what is no origin, or for one that had none when the shards were made."""
    dropped = summary.get("dropped", {})
    if not partial:
        check_patterns(recipe.data, chain(summary.get("origins", {}), *dropped.values()))
    missing = [name for name in dropped.get(UNUSED, {}) if is_used(name, recipe.data)]
    if missing:
        raise ConfigError(
            f"data.weights now uses {', '.join(missing)}",
            why=f"the data of {run} was made without",
            fix="Leave its weight 0, or give another folder with --out",
        )


def _warn_of_changes(recipe: Recipe, run: Path, summary: dict[str, Any]) -> None:
    described = summary.get("files", {})
    if changed := changed_files(described):
        log.warning(
            "%s changed since the data of %s was made: the old text is used."
            " Give another folder with --out to use the new one",
            ", ".join(changed), run,
        )  # fmt: skip
    if added := added_files(described, _present(recipe)):
        log.warning(
            "%s was added since the data of %s was made, which goes without it."
            " Give another folder with --out to use it",
            ", ".join(added), run,
        )  # fmt: skip


def _present(recipe: Recipe) -> list[Path]:
    """All files of the corpora; none where one is missing: shards are used without the text."""
    try:
        return list(_paths(*_find(recipe)))
    except (DataError, OSError):
        return []


def _fixed(recipe: Recipe, sections: list[str]) -> dict[str, Any]:
    values = {
        f"{name}.{item.name}": getattr(getattr(recipe, name), item.name)
        for name in sections
        for item in dataclasses.fields(getattr(recipe, name))
    }
    if "model" in sections:
        values["train.objective"] = recipe.train.objective
    return {key: value for key, value in values.items() if key not in _FREE}


def _fill(recipe: Recipe, run: Path, *, partial: bool) -> None:
    data = recipe.data
    files, texts = _find(recipe)
    licences = _licences(recipe.data.licence_tables)
    if not partial:
        check_patterns(data, _origins(files, texts))
    holdout = Holdout(files, recipe.data.holdout)
    holdout.write(run / HELD_OUT)
    report = FilterReport()
    pairs = [file for file in files if _serves(file, recipe)]
    selected = select(pairs, data, report, holdout.texts)
    # The two sides of a text in one language are equal, of which that filter would drop all.
    plain = replace(data, filter=replace(data.filter, copies=False))
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
        "files": describe_files(_paths(files, texts)),
    }
    write_text(run / REPORT, report.markdown(explanations(recipe.data.filter)))
    # Last: this file says that the data is complete.
    write_text(run / SUMMARY, json.dumps(summary, ensure_ascii=False, indent=1))


def _find(recipe: Recipe) -> tuple[list[PairFile], list[Text]]:
    """What the corpora have for the recipe; raises ConfigError or DataError as `find_files`."""
    data = recipe.data
    sides = find_sides(data.corpora, data.languages)
    wanted = [*recipe.directions, *(file.languages for file in sides)]
    return find_files(data.corpora, wanted), find_text(data.corpora, data.languages, sides)


def _origins(files: list[PairFile], texts: list[Text]) -> Iterator[str]:
    """Origins of all pairs and texts, some more than once; read only as far as they are taken."""
    yield from (text.file.origin for text in texts if isinstance(text.file, TextFile))
    for file in files:
        yield from origins_of(file)


def _paths(files: list[PairFile], texts: list[Text]) -> Iterator[Path]:
    """All files of the corpora; what two corpora share comes twice."""
    yield from (text.path for text in texts)
    for file in files:
        yield file.path
        if file.corpus.target:
            yield Path(file.corpus.target)


def _serves(file: PairFile, recipe: Recipe) -> bool:
    first, second = file.languages
    return (first, second) in recipe.directions or (second, first) in recipe.directions


def _make_vocabulary(recipe: Recipe, selected: list[Selected], run: Path) -> None:
    log.info("training a vocabulary of %d pieces", recipe.vocabulary.size)
    texts = sample_sentences(recipe, selected)
    train_vocabulary(texts, recipe.languages, recipe.vocabulary, run / Path(VOCABULARY_FILE).stem)


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
            dropped = ", ".join(f"{count} {reason}" for reason, count in report.totals().items())
            raise DataError(
                f"no usable example for {_shard_name(languages)}",
                why=f"dropped: {dropped or 'none, there is no text'}",
                fix="See to data.corpora, data.filter and data.holdout in the recipe",
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
        for first, second, way in noisy_copies(
            pair.first, pair.second, pairs.languages, recipe.data.noise, rng
        ):
            if way == "both":
                yield Pair(pair.origin, first, second), only, True
            elif only in ("both", way):
                yield Pair(pair.origin, first, second), way, True


def _way_of(part: Selected) -> Way:
    """The ways that all pairs of a file teach."""
    first, second = part.languages
    if part.teaches(first, second) and part.teaches(second, first):
        return "both"
    return "forward" if part.teaches(first, second) else "backward"


def _licences(paths: Sequence[str]) -> dict[str, str]:
    """Licence by source; raises DataError if a table cannot be read."""
    return {source: licence for path in paths for source, licence in _licences_in(path)}


def _licences_in(path: str) -> list[tuple[str, str]]:
    try:
        with open_text(Path(path)) as lines:
            rows = [line.rstrip("\r\n").split("\t") for line in lines]
        source, licence = (rows[0].index(column) for column in ("source", "licence"))
        return [(row[source], row[licence]) for row in rows[1:]]
    except (OSError, ValueError, IndexError) as error:
        raise DataError(
            f"data.licences {path} cannot be read",
            why=reason(error),
            fix="Give a TSV file whose first line names the columns source and licence",
        ) from error
