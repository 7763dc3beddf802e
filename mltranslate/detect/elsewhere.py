"""What the detector's languages are to packs: which of theirs each one is, and which none is."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from mltranslate.types import UNDETERMINED, Detection

SURE = 0.9
"""Least probability, among all languages, of one that is not on offer."""
FEWEST_LETTERS = 8
"""Letters that a text needs before that is believed."""
_AKIN = (
    {"zh", "zho", "cmn", "yue", "wuu", "lzh"},
    {"no", "nb", "nn"},
    {"tl", "fil"},
    {"fa", "prs"},
    {"ar", "arz", "arq"},
    {"de", "gsw", "swg", "hrx"},
)
"""Codes of one language, or of languages near enough for each other's models."""


class DetectorLike(Protocol):
    """What is asked of a detector (`mltranslate.detect.detector.Detector`)."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that can be told apart."""

    def detect_many(
        self, texts: Sequence[str], languages: Iterable[str] | None = None, top: int = 1
    ) -> list[list[Detection]]:
        """Return the candidates of each text, the likeliest first."""


def base(code: str) -> str:
    """Return the language of a code without its script or region: "pt" of "pt-BR"."""
    return code.replace("_", "-").partition("-")[0]


@functools.lru_cache(maxsize=16)  # asked at every keystroke
def detectable(offered: tuple[str, ...], known: tuple[str, ...]) -> Mapping[str, str]:
    """Return, for `offered` codes, which of the detector's `known` languages are meant by them.

    From the detector's code to the offered one; each goes to the nearest: the same code, one that
    differs in script or region, or a language akin. What no detector knows is left out.
    """
    found = {code: code for code in offered if code in known}
    for code in offered:
        if base(code) in known:
            found.setdefault(base(code), code)
    served = set(map(base, found.values()))
    for code in offered:
        if base(code) not in served:
            found |= {other: code for other in _akin(code) & set(known) if other not in found}
    return MappingProxyType(found)


def elsewhere(
    detector: DetectorLike, texts: Sequence[str], offered: tuple[str, ...]
) -> list[Detection | None]:
    """Return, for each text that is surely in a language that `offered` lacks, that language.

    Of sentences in nine offered languages (FLORES-101 dev, n = 997 each, and 298 to 3,000 of
    Tatoeba) it gave none and at most 0.04 % a language; of FLORES sentences in six others it found
    all, cut to 12 characters 62 % (Turkish) to 99.6 % (Korean), to 30 characters 92 % and more.
    """
    known = _understood(offered)
    found = detector.detect_many(texts, top=1)
    return [
        best if _is_sure(best, text) and best.language not in known else None
        for text, (best, *_) in zip(texts, found, strict=True)
    ]


@functools.lru_cache(maxsize=16)
def _understood(offered: tuple[str, ...]) -> frozenset[str]:
    return frozenset({UNDETERMINED}.union(*({base(code), *_akin(code)} for code in offered)))


def _akin(code: str) -> set[str]:
    return next((group for group in _AKIN if base(code) in group), set())


def _is_sure(found: Detection, text: str) -> bool:
    letters = filter(str.isalpha, text)
    enough = next(itertools.islice(letters, FEWEST_LETTERS - 1, None), None) is not None
    return enough and found.confidence >= SURE
