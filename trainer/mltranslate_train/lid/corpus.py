"""Reads the sentence and word tables that the language identifier learns from."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mltranslate.detect.features import clean_many
from mltranslate.errors import DataError
from mltranslate_train.lid.tables import digest, digests, rows, side_of

WORD_LIST = "words"
"""Name of the word lists among the sources."""
HELD_OUT = 50
"""Sentences of a language and source that are held out where there are enough."""
MOST_HELD_OUT = 300


@dataclass(frozen=True, slots=True)
class Text:
    """Text of one language: sentences, and words in order of falling frequency.

    Both are as `mltranslate.detect.features.clean` leaves them, words without the border.
    """

    sentences: tuple[str, ...]
    words: tuple[str, ...]


Corpus = dict[str, Text]
"""Language code -> its text."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of the sentence table, as it was written."""

    language: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Split:
    """What is trained on, what is held out, and the held-out sentences as they were written."""

    training: Corpus
    held_out: Corpus
    sentences: tuple[Sentence, ...]
    sizes: Mapping[str, int]
    """Texts used of every source, words included."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read of the tables."""

    languages: Sequence[str]
    aliases: Mapping[str, str]
    """Code in the tables -> code of the language that it is counted as."""
    main: Collection[str]
    """Languages whose words are filtered against one another only."""
    sources: Collection[str]
    foreign_ratio: float
    """A word is left out of a list if it ranks this many times higher in another."""
    main_foreign_ratio: float
    """The same among the main languages."""
    hold_out_one_in: int
    parallel: Mapping[str, Path]
    """Main language -> table of sentence pairs that its words are also taken from."""
    least_count: int
    """A word of those must come this often."""
    unspaced: Collection[str]
    """Languages whose sentences are taken from there, too, instead of words."""
    excluded: Sequence[Path]
    """Tables of texts (kind, language, text) that are to stay unknown."""


def read_corpus(folder: Path, wanted: Wanted) -> Split:
    """Read `sentences.tsv.xz` and `words.tsv.xz` of `folder`, and hold a part of them out.

    Of every language and source one sentence in `hold_out_one_in` is held out, and more where
    that is few; equal letters are never on both sides, in whatever language. The words that
    only training sentences have are added to the word lists. Raises `DataError` if a file cannot
    be read or has no sentence in a language.
    """
    unknown = digests(wanted.excluded)
    lines = _sentences(folder / "sentences.tsv.xz", wanted)
    cleaned = clean_many([line.text for line in lines])
    marks = [digest(text) for text in cleaned]
    held = _held_out(lines, marks, wanted.hold_out_one_in)
    parts: dict[bool, dict[str, list[str]]] = {side: defaultdict(list) for side in (False, True)}
    for line, text, mark in zip(lines, cleaned, marks, strict=True):
        if len(text) > 1 and mark not in unknown:
            parts[mark in held][line.language].append(text)
    sizes = Counter(line.source for line in lines)
    types = _all_types(parts[False], wanted, held | unknown, sizes)
    ranks = _ranks(folder / "words.tsv.xz", wanted)
    sizes[WORD_LIST] = sum(map(len, ranks.values()))
    words = _all_words(ranks, types, wanted, unknown)
    one_in = wanted.hold_out_one_in
    return Split(
        _corpus(parts[False], words, one_in, held=False),
        _corpus(parts[True], words, one_in, held=True),
        tuple(line for line, mark in zip(lines, marks, strict=True) if mark in held),
        dict(sizes),
    )


def _sentences(path: Path, wanted: Wanted) -> list[Sentence]:
    known, aliases = set(wanted.languages), wanted.aliases
    lines: list[Sentence] = []
    for code, source, text in rows(path, 3):
        language = aliases.get(code, code)
        if language in known and source in wanted.sources:
            lines.append(Sentence(language, source, text))
    found = {line.language for line in lines}
    if missing := [language for language in wanted.languages if language not in found]:
        raise DataError(
            f"no sentences in {', '.join(missing)}",
            why=f"{path} has none",
            fix="Remove the language from the recipe or add its sentences.",
        )
    return lines


def _held_out(lines: Sequence[Sentence], marks: Sequence[int], one_in: int) -> set[int]:
    """Choose by the letters of a sentence alone, so that a run holds out what another did."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for line, mark in zip(lines, marks, strict=True):
        groups[line.language, line.source].append(mark)
    held: set[int] = set()
    for group in groups.values():
        size = max(len(group) // one_in, min(HELD_OUT, len(group) // 5))
        held.update(sorted(group)[: min(size, MOST_HELD_OUT)])
    return held


def _corpus(
    sentences: Mapping[str, list[str]],
    words: Mapping[str, tuple[str, ...]],
    one_in: int,
    *,
    held: bool,
) -> Corpus:
    return {
        language: Text(
            tuple(sentences.get(language, ())),
            tuple(word for word in listed if (digest(word) % one_in == 0) is held),
        )
        for language, listed in words.items()
    }


def _all_types(
    training: dict[str, list[str]], wanted: Wanted, barred: Collection[int], sizes: Counter[str]
) -> dict[str, Counter[str]]:
    """Count the words of the `training` sentences, and of sentence pairs.

    Sentences of pairs without spaces become training sentences themselves.
    """
    types = {language: _types(training[language], 1) for language in wanted.languages}
    for language, path in wanted.parallel.items():
        texts = _parallel(path, language, wanted, barred, sizes)
        if language in wanted.unspaced:
            training[language] += texts
        else:
            types[language] += _types(texts, wanted.least_count)
    return types


def _parallel(
    path: Path, language: str, wanted: Wanted, barred: Collection[int], sizes: Counter[str]
) -> list[str]:
    """Return the cleaned texts of one side, without the `barred`, and count them in `sizes`."""
    kept: list[str] = []
    for source, texts in side_of(path, language, frozenset(wanted.sources)).items():
        # Sorted: the order of a set is another one in every process.
        cleaned = {text for text in clean_many(texts) if len(text) > 1}
        cleaned = {text for text in cleaned if digest(text) not in barred}
        sizes[source] += len(cleaned)
        kept += sorted(cleaned)
    return kept


def _types(sentences: Sequence[str], least: int) -> Counter[str]:
    """Count the words; those that come fewer than `least` times are left out."""
    counted = Counter("".join(sentence + " " for sentence in sentences).split())
    return Counter({word: count for word, count in counted.items() if count >= least})


def _ranks(path: Path, wanted: Wanted) -> dict[str, dict[str, int]]:
    known, aliases = set(wanted.languages), wanted.aliases
    listed = [
        (aliases.get(code, code), int(rank), word)
        for code, rank, word in rows(path, 3)
        if aliases.get(code, code) in known
    ]
    ranks: dict[str, dict[str, int]] = {language: {} for language in wanted.languages}
    for (language, rank, _), text in zip(
        listed, clean_many([word for _, _, word in listed]), strict=True
    ):
        parts = text.split()
        if len(parts) == 1:
            table = ranks[language]
            table[parts[0]] = min(rank, table.get(parts[0], rank))
    return ranks


def _all_words(
    ranks: dict[str, dict[str, int]],
    types: Mapping[str, Counter[str]],
    wanted: Wanted,
    unknown: Collection[int],
) -> dict[str, tuple[str, ...]]:
    """Put the words that only sentences have behind the lists, and leave out foreign ones.

    The words of sentences are filtered in the main languages alone: what other languages have
    in common with their neighbours is most of what is known of them.
    """
    for language in wanted.main:
        table = ranks[language]
        last = max(table.values(), default=0)
        for place, word in enumerate(_new(table, types[language]), 1):
            table[word] = last + place
    lists = _own_words(ranks, wanted)
    for language in set(wanted.languages) - set(wanted.main):
        lists[language] += _new(set(lists[language]), types[language])
    return {
        language: tuple(word for word in lists[language] if digest(word) not in unknown)
        for language in wanted.languages
    }


def _new(known: Collection[str], types: Counter[str]) -> list[str]:
    """Return the words that are not known yet, frequent ones first."""
    return [word for word, _ in types.most_common() if word not in known]


def _own_words(ranks: Mapping[str, Mapping[str, int]], wanted: Wanted) -> dict[str, list[str]]:
    best: dict[bool, dict[str, int]] = {False: {}, True: {}}
    for language, table in ranks.items():
        for main in {False, language in wanted.main}:
            lowest = best[main]
            for word, rank in table.items():
                if rank < lowest.get(word, math.inf):
                    lowest[word] = rank
    ratios = {False: wanted.foreign_ratio, True: wanted.main_foreign_ratio}
    return {
        language: [
            word
            for word, rank in sorted(table.items(), key=lambda item: item[1])
            if rank <= best[main][word] * ratios[main]
        ]
        for language, table in ranks.items()
        for main in [language in wanted.main]
    }
