"""The script gate: which writing systems a text uses, and so which languages it can be in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mltranslate.detect.features import Letters, steps

SCRIPTS = (
    "Zyyy",
    "Latn",
    "Cyrl",
    "Arab",
    "Hani",
    "Kana",
    "Hang",
    "Grek",
    "Hebr",
    "Armn",
    "Geor",
    "Deva",
    "Beng",
    "Taml",
    "Telu",
    "Mlym",
    "Sinh",
    "Thai",
)
"""ISO 15924 codes in the order of `counts`; Zyyy is every other script, Kana both syllabaries."""

# Sorted (first code point, script); each range runs to the start of the next.
_RANGES = (
    (0x0000, "Zyyy"),
    (0x0041, "Latn"),
    (0x005B, "Zyyy"),
    (0x0061, "Latn"),
    (0x007B, "Zyyy"),
    (0x00AA, "Latn"),
    (0x02B0, "Zyyy"),
    (0x0370, "Grek"),
    (0x0400, "Cyrl"),
    (0x0530, "Armn"),
    (0x0590, "Hebr"),
    (0x0600, "Arab"),
    (0x0700, "Zyyy"),
    (0x0750, "Arab"),
    (0x0780, "Zyyy"),
    (0x08A0, "Arab"),
    (0x0900, "Deva"),
    (0x0980, "Beng"),
    (0x0A00, "Zyyy"),
    (0x0B80, "Taml"),
    (0x0C00, "Telu"),
    (0x0C80, "Zyyy"),
    (0x0D00, "Mlym"),
    (0x0D80, "Sinh"),
    (0x0E00, "Thai"),
    (0x0E80, "Zyyy"),
    (0x10A0, "Geor"),
    (0x1100, "Hang"),
    (0x1200, "Zyyy"),
    (0x1C80, "Cyrl"),
    (0x1C90, "Geor"),
    (0x1CC0, "Zyyy"),
    (0x1E00, "Latn"),
    (0x1F00, "Grek"),
    (0x2000, "Zyyy"),
    (0x2C60, "Latn"),
    (0x2C80, "Zyyy"),
    (0x2DE0, "Cyrl"),
    (0x2E00, "Zyyy"),
    (0x3005, "Hani"),
    (0x3008, "Zyyy"),
    (0x3041, "Kana"),
    (0x3100, "Zyyy"),
    (0x3131, "Hang"),
    (0x3190, "Zyyy"),
    (0x31F0, "Kana"),
    (0x3200, "Zyyy"),
    (0x3400, "Hani"),
    (0x4DC0, "Zyyy"),
    (0x4E00, "Hani"),
    (0xA000, "Zyyy"),
    (0xA640, "Cyrl"),
    (0xA6A0, "Zyyy"),
    (0xA720, "Latn"),
    (0xA800, "Zyyy"),
    (0xA960, "Hang"),
    (0xA980, "Zyyy"),
    (0xAC00, "Hang"),
    (0xD800, "Zyyy"),
    (0xF900, "Hani"),
    (0xFB00, "Latn"),
    (0xFB07, "Zyyy"),
    (0xFB13, "Armn"),
    (0xFB1D, "Hebr"),
    (0xFB50, "Arab"),
    (0xFE00, "Zyyy"),
    (0xFE70, "Arab"),
    (0xFEFF, "Zyyy"),
    (0xFF21, "Latn"),
    (0xFF3B, "Zyyy"),
    (0xFF41, "Latn"),
    (0xFF5B, "Zyyy"),
    (0xFF66, "Kana"),
    (0xFFA0, "Hang"),
    (0xFFE0, "Zyyy"),
    (0x20000, "Hani"),
    (0x32000, "Zyyy"),
)
_STARTS = np.array([start for start, _ in _RANGES], np.uint32)
_SCRIPT_OF_RANGE = np.array([SCRIPTS.index(name) for _, name in _RANGES], np.int64)
_HANI, _KANA = SCRIPTS.index("Hani"), SCRIPTS.index("Kana")

# A Han character, a kana or a Hangul syllable says as much as about three Latin letters.
_WEIGHTS = np.array([3 if s in {"Hani", "Kana", "Hang"} else 1 for s in SCRIPTS], np.int64)
_KANA_SHARE = 16
"""Chinese names quote a single kana; one kana to this many Han characters makes it Japanese."""
_LEAST_SHARE = 4
"""A text is judged if at least one part in this many is in a script that is on offer."""


def counts(cleaned: Letters) -> npt.NDArray[np.int64]:
    """Return (B, S) weighted letters of every text in every one of the S `SCRIPTS`."""
    texts, scripts = len(cleaned.ends), len(SCRIPTS)
    script = _SCRIPT_OF_RANGE[np.searchsorted(_STARTS, cleaned.codes, side="right") - 1]
    script[cleaned.codes <= 0x20] = -1
    text = np.repeat(np.arange(texts), steps(cleaned.ends, -1))
    cells = (text * scripts + script)[script >= 0]
    return np.bincount(cells, minlength=texts * scripts).reshape(texts, scripts) * _WEIGHTS


def gate(
    script_counts: npt.NDArray[np.int64], offered: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Return (B, K): which of K languages each text can be in, judged by its script alone.

    `script_counts` (B, S) comes from `counts`; `offered` (K, S) says which scripts each language
    is written in. A row is all False if too little of the text is in a script on offer.
    """
    on_offer = np.logical_or.reduce(offered, axis=0)
    total = script_counts.sum(axis=1)
    usable = script_counts * on_offer
    if on_offer[_KANA]:
        japanese = usable[:, _KANA] * _KANA_SHARE >= np.maximum(usable[:, _HANI], 1)
        usable[japanese, _KANA] += usable[japanese, _HANI]
        usable[japanese, _HANI] = 0
    script = usable.argmax(axis=1)
    enough = usable.sum(axis=1) * _LEAST_SHARE >= np.maximum(total, 1)
    possible: npt.NDArray[np.bool_] = offered.T[script] & enough[:, None]
    return possible
