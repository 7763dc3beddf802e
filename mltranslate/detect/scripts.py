"""The script gate: which writing systems a text uses, and so which languages it can be in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mltranslate.detect.features import Letters, steps

SCRIPTS = (
    "Zyyy", "Latn", "Cyrl", "Arab", "Hani", "Kana", "Hang", "Grek", "Hebr", "Armn", "Geor", "Deva",
    "Beng", "Guru", "Gujr", "Orya", "Taml", "Telu", "Knda", "Mlym", "Sinh", "Thai", "Laoo", "Tibt",
    "Mymr", "Khmr", "Ethi", "Thaa", "Mong", "Cher", "Cans", "Tfng", "Goth", "Olck",
)  # fmt: skip
"""ISO 15924 codes in the order of `counts`; Zyyy is every other script, Kana both syllabaries."""

# Sorted (first code point, script); each range runs to the start of the next.
_RANGES = (
    (0x0000, "Zyyy"), (0x0041, "Latn"), (0x005B, "Zyyy"), (0x0061, "Latn"), (0x007B, "Zyyy"),
    (0x00AA, "Latn"), (0x02B0, "Zyyy"), (0x0370, "Grek"), (0x0400, "Cyrl"), (0x0530, "Armn"),
    (0x0590, "Hebr"), (0x0600, "Arab"), (0x0700, "Zyyy"), (0x0750, "Arab"), (0x0780, "Thaa"),
    (0x07C0, "Zyyy"), (0x08A0, "Arab"), (0x0900, "Deva"), (0x0980, "Beng"), (0x0A00, "Guru"),
    (0x0A80, "Gujr"), (0x0B00, "Orya"), (0x0B80, "Taml"), (0x0C00, "Telu"), (0x0C80, "Knda"),
    (0x0D00, "Mlym"), (0x0D80, "Sinh"), (0x0E00, "Thai"), (0x0E80, "Laoo"), (0x0F00, "Tibt"),
    (0x1000, "Mymr"), (0x10A0, "Geor"), (0x1100, "Hang"), (0x1200, "Ethi"), (0x13A0, "Cher"),
    (0x1400, "Cans"), (0x1680, "Zyyy"), (0x1780, "Khmr"), (0x1800, "Mong"), (0x18B0, "Cans"),
    (0x1900, "Zyyy"), (0x19E0, "Khmr"), (0x1A00, "Zyyy"), (0x1C50, "Olck"), (0x1C80, "Cyrl"),
    (0x1C90, "Geor"), (0x1CC0, "Zyyy"), (0x1E00, "Latn"), (0x1F00, "Grek"), (0x2000, "Zyyy"),
    (0x2C60, "Latn"), (0x2C80, "Zyyy"), (0x2D30, "Tfng"), (0x2D80, "Ethi"), (0x2DE0, "Cyrl"),
    (0x2E00, "Zyyy"), (0x3005, "Hani"), (0x3008, "Zyyy"), (0x3041, "Kana"), (0x3100, "Zyyy"),
    (0x3131, "Hang"), (0x3190, "Zyyy"), (0x31F0, "Kana"), (0x3200, "Zyyy"), (0x3400, "Hani"),
    (0x4DC0, "Zyyy"), (0x4E00, "Hani"), (0xA000, "Zyyy"), (0xA640, "Cyrl"), (0xA6A0, "Zyyy"),
    (0xA720, "Latn"), (0xA800, "Zyyy"), (0xA960, "Hang"), (0xA980, "Zyyy"), (0xAB01, "Ethi"),
    (0xAB30, "Latn"), (0xAB70, "Cher"), (0xABC0, "Zyyy"), (0xAC00, "Hang"), (0xD800, "Zyyy"),
    (0xF900, "Hani"), (0xFB00, "Latn"), (0xFB07, "Zyyy"), (0xFB13, "Armn"), (0xFB1D, "Hebr"),
    (0xFB50, "Arab"), (0xFE00, "Zyyy"), (0xFE70, "Arab"), (0xFEFF, "Zyyy"), (0xFF21, "Latn"),
    (0xFF3B, "Zyyy"), (0xFF41, "Latn"), (0xFF5B, "Zyyy"), (0xFF66, "Kana"), (0xFFA0, "Hang"),
    (0xFFE0, "Zyyy"), (0x10330, "Goth"), (0x10350, "Zyyy"), (0x20000, "Hani"), (0x32000, "Zyyy"),
)  # fmt: skip
_LAST_RANGE = _RANGES[-1][0]
_NO_SCRIPT, _CELLS = len(SCRIPTS), len(SCRIPTS) + 1
_FIRST_LETTER = 0x21
"""Separators of every kind are below; they belong to no script at all."""
# One script number for every code point up to the last range, whose script holds for all above.
_SCRIPT_OF = np.repeat(
    np.array([SCRIPTS.index(name) for _, name in _RANGES], np.uint8),
    np.diff([*(start for start, _ in _RANGES), _LAST_RANGE + 1]),
)
_SCRIPT_OF[:_FIRST_LETTER] = _NO_SCRIPT
_HANI, _KANA = SCRIPTS.index("Hani"), SCRIPTS.index("Kana")

# A Han character, a kana or a Hangul syllable says as much as about three Latin letters.
_WEIGHTS = np.array([3 if s in {"Hani", "Kana", "Hang"} else 1 for s in SCRIPTS], np.int64)
_KANA_SHARE = 16
"""Chinese names quote a single kana; one kana to this many Han characters makes it Japanese."""
_LEAST_SHARE = 4
"""A text is judged if at least one part in this many is in a script that is on offer."""


def counts(cleaned: Letters) -> npt.NDArray[np.int64]:
    """Return (B, S) weighted letters of every text in every one of the S `SCRIPTS`."""
    texts = len(cleaned.ends)
    return _counted(cleaned).reshape(texts, _CELLS)[:, :-1] * _WEIGHTS


def _counted(cleaned: Letters) -> npt.NDArray[np.int64]:
    """Return (B * (S + 1),) letters of every script, and separators, of one text after another."""
    script = script_of(cleaned.codes)
    texts = len(cleaned.ends)
    if texts == 1:
        return np.bincount(script, minlength=_CELLS)
    text = np.repeat(np.arange(0, texts * _CELLS, _CELLS), steps(cleaned.ends, -1))
    return np.bincount(text + script, minlength=texts * _CELLS)


def script_of(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    """Return the number in `SCRIPTS` of each of the (L,) code points; one more for separators."""
    return _SCRIPT_OF.take(codes, mode="clip")


def possible(cleaned: Letters, offered: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return (B, K): which of K languages each text can be in, by the letters of all texts."""
    if len(cleaned.ends) == 1:
        present = _counted(cleaned)[:-1].nonzero()[0]
        if len(present) == 1:
            # One script leaves nothing to weigh up; most of what is typed is like that.
            languages: npt.NDArray[np.bool_] = offered.T[present]
            return languages
    return gate(counts(cleaned), offered)


def gate(
    script_counts: npt.NDArray[np.int64], offered: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Return (B, K): which of K languages each text can be in, judged by its script alone.

    `script_counts` (B, S) comes from `counts`; `offered` (K, S) says which scripts each language
    is written in. A row is all False if too little of the text is in a script on offer.
    """
    on_offer: npt.NDArray[np.bool_] = np.logical_or.reduce(offered, axis=0)
    usable = script_counts * on_offer
    if on_offer[_KANA]:
        kana, han = usable[:, _KANA], usable[:, _HANI]
        japanese = (kana > 0) & (kana * _KANA_SHARE >= han)
        kana += han * japanese
        han *= ~japanese
    script = usable.argmax(axis=1)
    allowed: npt.NDArray[np.bool_] = offered.T[script]
    total = np.maximum(script_counts.sum(axis=1), 1)
    allowed[usable.sum(axis=1) * _LEAST_SHARE < total] = False
    return allowed
