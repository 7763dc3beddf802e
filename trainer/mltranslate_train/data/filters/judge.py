"""All filters of a recipe, one after the other, over blocks of pairs of one language pair."""

from __future__ import annotations

import fnmatch
import glob
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.config import FilterConfig
from mltranslate_train.data.filters import rules
from mltranslate_train.data.filters.hashes import Flags, HashSet, TextSet, keys_of, letters
from mltranslate_train.data.filters.nearly import NearDuplicates
from mltranslate_train.data.readers import Pair, read_lines

if TYPE_CHECKING:
    from mltranslate.detect.detector import Detector

_BLOCK = 4096
_TESTED = "in a test set"


class Block:
    """Pairs that are judged together."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = pairs

    @cached_property
    def firsts(self) -> list[str]:
        """First sides."""
        return [pair.first for pair in self.pairs]

    @cached_property
    def seconds(self) -> list[str]:
        """Second sides."""
        return [pair.second for pair in self.pairs]

    @cached_property
    def first_letters(self) -> list[str]:
        """First sides through `letters`."""
        return [letters(text) for text in self.firsts]

    @cached_property
    def second_letters(self) -> list[str]:
        """Second sides through `letters`."""
        return [letters(text) for text in self.seconds]

    def select(self, rows: Iterable[int]) -> Block:
        """Some of the pairs; what was computed is taken along."""
        chosen = list(rows)
        part = Block([self.pairs[row] for row in chosen])
        for name in ("firsts", "seconds", "first_letters", "second_letters"):
            if name in self.__dict__:
                setattr(part, name, [self.__dict__[name][row] for row in chosen])
        return part


Rule = tuple[str, Callable[[Block], Flags]]
"""A reason, and what tells which pairs of a block are dropped for it."""


class Filters:
    """The filters of one language pair, with what they remember of earlier pairs.

    `tests` are the texts that may not occur, see `read_tests`; `before` are rules that come
    first.

    Raises:
        ConfigError: a language's script or the language itself cannot be recognised.
    """

    def __init__(
        self,
        config: FilterConfig,
        languages: tuple[str, str],
        tests: TextSet | None = None,
        before: Sequence[Rule] = (),
    ) -> None:
        self._rules = [*before, *_of_a_pair(config, languages), *_against_others(config, tests)]
        self._binding = {_TESTED, *(reason for reason, _ in before)}
        self._config = config
        self._trusted: dict[str, bool] = {}

    def reasons(self, pairs: Sequence[Pair]) -> list[str]:
        """Why each pair is dropped; empty where it is kept. The pairs count as seen."""
        found = [""] * len(pairs)
        rows, block = list(range(len(pairs))), Block(pairs)
        for reason, rule in self._rules:
            if not rows:
                break
            flags = (rule(block) & ~self._spared(reason, block)).tolist()
            for row, dropped in zip(rows, flags, strict=True):
                if dropped:
                    found[row] = reason
            if any(flags):
                kept = [place for place, dropped in enumerate(flags) if not dropped]
                rows, block = [rows[place] for place in kept], block.select(kept)
        return found

    def _spared(self, reason: str, block: Block) -> Flags:
        """Which pairs this rule may not drop, as their origin is trusted."""
        if reason in self._binding or not self._config.trusted:
            return np.zeros(len(block.pairs), np.bool_)
        for origin in {pair.origin for pair in block.pairs} - self._trusted.keys():
            patterns = self._config.trusted
            self._trusted[origin] = any(fnmatch.fnmatch(origin, each) for each in patterns)
        return np.array([self._trusted[pair.origin] for pair in block.pairs], np.bool_)


def _of_a_pair(config: FilterConfig, languages: tuple[str, str]) -> list[Rule]:
    """Rules that judge a pair by itself, the cheapest first."""
    chosen: list[Rule] = []
    if least := config.min_characters:
        chosen.append(("too short", lambda b: rules.too_short(b.firsts, b.seconds, least)))
    if most := config.max_characters:
        chosen.append(
            ("too many characters", lambda b: rules.too_many_characters(b.firsts, b.seconds, most))
        )
    if ratio := config.max_ratio:
        chosen.append(("length ratio", lambda b: rules.uneven(b.firsts, b.seconds, ratio)))
    if config.digits:
        chosen.append(("digits", lambda b: rules.different_digits(b.firsts, b.seconds)))
    if config.copies:
        chosen.append(("copy", lambda b: rules.is_copy(b.first_letters, b.second_letters)))
    if config.script_share:
        chosen.append(("script", _script_rule(languages, config.script_share)))
    if config.language_confidence:
        chosen.append(("language", _language_rule(languages, config.language_confidence)))
    return chosen


def _script_rule(languages: tuple[str, str], share: float) -> Callable[[Block], Flags]:
    one, two = (rules.scripts_of(language) for language in languages)
    return lambda block: (
        rules.foreign_script(block.firsts, one, share)
        | rules.foreign_script(block.seconds, two, share)
    )


def _language_rule(languages: tuple[str, str], least: float) -> Callable[[Block], Flags]:
    detector = _detector_for(languages)
    one, two = languages

    def foreign(block: Block) -> Flags:
        return rules.foreign_language(block.firsts, one, detector, least) | (
            rules.foreign_language(block.seconds, two, detector, least)
        )

    return foreign


def _detector_for(languages: Iterable[str]) -> Detector:
    from mltranslate.detect.detector import default_detector

    detector = default_detector()
    unknown = [language for language in languages if language not in detector.languages]
    if unknown:
        raise ConfigError(
            f"data.filter.language_confidence cannot judge {', '.join(unknown)}",
            why=f"the identifier knows {' '.join(detector.languages)}",
            fix="Set it to 0 for this recipe",
        )
    return detector


def _against_others(config: FilterConfig, tests: TextSet | None) -> list[Rule]:
    """Rules that compare a pair with test sets and with the pairs that came before."""
    chosen: list[Rule] = []
    if tests is not None:
        chosen.append((_TESTED, lambda block: touches(tests, block)))
    if config.duplicates:
        seen = HashSet()
        chosen.append(("duplicate", lambda block: ~seen.add(keys_of(_joined(block)))))
    if config.near_duplicates:
        nearly = NearDuplicates(config.near_duplicates)
        chosen.append(("near-duplicate", lambda block: nearly.add(_joined(block))))
    return chosen


def touches(texts: TextSet, block: Block) -> Flags:
    """Whether either side of each pair is among the texts."""
    return texts.contains(block.first_letters) | texts.contains(block.second_letters)


def _joined(block: Block) -> list[str]:
    """Both sides' letters in one text, with marks around them that are no letters."""
    sides = zip(block.first_letters, block.second_letters, strict=True)
    return [f"\x01{first}\x02{second}\x03" for first, second in sides]


def read_tests(patterns: Iterable[str]) -> TextSet | None:
    """The lines of all files that the shell patterns match; None without a pattern.

    Raises:
        DataError: a pattern matches no file, or a file cannot be read.
    """
    texts: TextSet | None = None
    for pattern in patterns:
        texts = texts or TextSet()
        paths = sorted(path for path in map(Path, glob.glob(pattern)) if path.is_file())
        if not paths:
            raise DataError(
                f"data.filter.decontaminate: no file matches {pattern!r}",
                fix="Correct it; paths start from the working directory",
            )
        for path in paths:
            _add_lines(texts, path)
    return texts


def _add_lines(texts: TextSet, path: Path) -> None:
    forms: list[str] = []
    for _, line in read_lines(path):
        forms.append(letters(line))
        if len(forms) == _BLOCK:
            texts.add(forms)
            forms = []
    texts.add(forms)


def explanations(config: FilterConfig) -> dict[str, str]:
    """What each reason means, with the recipe's thresholds."""
    return {
        "weight 0": "data.weights leaves the origin out",
        "empty side": "a side has no text",
        "held out": "a side is a held-out text (data.holdout)",
        "too short": f"a side has fewer than {config.min_characters} characters",
        "too many characters": f"a side has more than {config.max_characters} characters",
        "length ratio": f"one side is more than {config.max_ratio:g} times as long as the other",
        "digits": "the sides have different digits",
        "copy": "both sides are the same letters",
        "script": f"less than {config.script_share:.0%} of a side's letters are of its script",
        "language": (
            f"the identifier gives a side's language less than {config.language_confidence:.0%}"
        ),
        _TESTED: "a side is a line of data.filter.decontaminate",
        "duplicate": "equal to an earlier pair in letters and digits",
        "near-duplicate": f"similarity {config.near_duplicates:g} or more to an earlier pair",
        "too long": "a side has more subwords than data.max_tokens, or none",
        "fuzzy": "the catalogue marks the translation as uncertain",
        "obsolete": "the catalogue no longer uses the entry",
        "untranslated": "the catalogue has no translation",
        "plural forms": "more than three plural forms",
        "language missing": "the unit lacks one of the two languages",
    }
