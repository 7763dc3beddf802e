"""Rules that judge a pair by itself: pure functions of a block of texts.

Each takes parallel lists and returns, as booleans, which pairs it drops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mltranslate.detect import scripts
from mltranslate.detect.features import Letters
from mltranslate.detect.features import letters as lay_out
from mltranslate.errors import ConfigError
from mltranslate.languages import LANGUAGES
from mltranslate_train.data.filters.hashes import Flags

if TYPE_CHECKING:
    from mltranslate.detect.detector import Detector

_SCRIPTS_OF = {"Hans": ("Hani",), "Hant": ("Hani",), "Jpan": ("Hani", "Kana"), "Kore": ("Hang",)}
"""What makes up the scripts that ISO 15924 counts as one though they mix several."""
Texts = Sequence[str]


def too_short(first: Texts, second: Texts, least: int) -> Flags:
    """Either side has fewer than `least` characters: often a fragment or a label."""
    return np.minimum(_lengths(first), _lengths(second)) < least


def too_many_characters(first: Texts, second: Texts, most: int) -> Flags:
    """Either side has more than `most` characters: often paragraphs or lists, not a sentence."""
    return np.maximum(_lengths(first), _lengths(second)) > most


def uneven(first: Texts, second: Texts, most: float) -> Flags:
    """The longer side is more than `most` times as long: part of it is not translated.

    Characters without spaces are counted; a Han character, a kana or a Hangul syllable says as
    much as three letters, and counts as three.
    """
    one, two = _weighted_lengths(first), _weighted_lengths(second)
    return np.maximum(one, two) > most * np.minimum(one, two)


def is_copy(first: Texts, second: Texts) -> Flags:
    """Both sides (through `letters`) are the same: nothing was translated."""
    return np.array([one == two for one, two in zip(first, second, strict=True)], np.bool_)


def different_digits(first: Texts, second: Texts) -> Flags:
    """The sides do not have the same digits, in any order: a number is lost or wrong.

    Digits of all scripts count by their value. A number in words on one side counts as lost.
    """
    pairs = zip(first, second, strict=True)
    return np.array([_digits(one) != _digits(two) for one, two in pairs], np.bool_)


def foreign_script(texts: Texts, script_names: Sequence[str], least: float) -> Flags:
    """Less than a share `least` of the letters belongs to the language's scripts.

    Han, kana and Hangul count as three letters. Text without a letter is not judged.
    """
    columns = [scripts.SCRIPTS.index(name) for name in script_names]
    counts = scripts.counts(lay_out(texts))
    foreign: Flags = counts[:, columns].sum(axis=1) < least * counts.sum(axis=1)
    return foreign


def foreign_language(texts: Texts, language: str, detector: Detector, least: float) -> Flags:
    """The identifier gives the side's own language a probability below `least`.

    Text without a letter is not judged. Single words are often ambiguous: a threshold of 0.1
    keeps most of them and still drops what is clearly another language.
    """
    judged = [any(character.isalpha() for character in text) for text in texts]
    # What has this probability is among so many most probable ones.
    top = max(1, int(1 / least))
    # Neighbours that nobody collects text in (Galician, Low German, …) would share the probability.
    rivals = [name for name in detector.languages if name in LANGUAGES or name == language]
    found = detector.detect_many(texts, rivals, top=top)
    own = (
        any(guess.language == language and guess.confidence >= least for guess in guesses)
        for guesses in found
    )
    return np.array(judged, np.bool_) & ~np.fromiter(own, np.bool_, len(texts))


def scripts_of(language: str) -> tuple[str, ...]:
    """Names of the scripts that a language is written in; raises ConfigError if unknown."""
    known = LANGUAGES.get(language)
    if known is None:
        raise ConfigError(
            f"data.filter.script_share cannot judge {language!r}",
            why=f"the scripts of {' '.join(LANGUAGES)} are known",
            fix="Set it to 0 for this recipe",
        )
    return _SCRIPTS_OF.get(known.script, (known.script,))


def _lengths(texts: Texts) -> NDArray[np.int64]:
    return np.fromiter(map(len, texts), np.int64, len(texts))


def _weighted_lengths(texts: Texts) -> NDArray[np.int64]:
    joined = "\0".join([*(text.replace("\0", " ") for text in texts), ""])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths: NDArray[np.int64] = scripts.counts(Letters(codes, np.flatnonzero(codes == 0))).sum(1)
    return lengths


def _digits(text: str) -> list[int]:
    if text.isascii():
        return sorted(ord(character) - 48 for character in text if "0" <= character <= "9")
    return sorted(int(character) for character in text if character.isdecimal())
