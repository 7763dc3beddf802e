"""Noisy copies of training pairs: text as people really type and mark it.

The kinds are those of Mozilla's OpusTrainer; case, stops, tags and symbol lines change both sides
alike, typing errors only the side that is translated from.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter

from mltranslate_train.config import NoiseConfig
from mltranslate_train.data.shards import Way

_STOPS = ".!?。！？"
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_PART = f"[^\\W_{_CJK}]+"
_WORD = re.compile(f"{_PART}(?:[.,:'’-]{_PART})*")
"""Words and numbers of scripts that put spaces between them, and those inside other text."""
_CAPITALISED = re.compile(r"[^\W\d_][\w'’]*")
_TAGS = ("a", "b", "code", "em", "i", "span", "strong", "sub", "sup", "u")
_SHORTEST_SHARED = 4
"""Shorter words that look alike are often different words: "die", "was", "in"."""
_SHORTEST_TYPO = 4
_WORDS_A_TYPO = 8
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SYMBOLS = "©®™°§¶†‡•…№←↑→↓⇒∞≈≠≤≥×÷±√∑€£¥$%&@#*+=~^|<>{}[]()/\\_-–—!?;:"
_PICTURES = ((0x1F300, 0x1F5FF), (0x1F600, 0x1F64F), (0x1F680, 0x1F6C5), (0x2600, 0x26FF))
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def noisy_copies(
    first: str, second: str, config: NoiseConfig, rng: random.Random
) -> list[tuple[str, str]]:
    """Copies of a pair to train on beside it, in both directions; never the pair itself."""
    copies = []
    if rng.random() < config.upper:
        copies.append((first.upper(), second.upper()))
    if rng.random() < config.title:
        copies.append((_title(first), _title(second)))
    if rng.random() < config.lower:
        copies.append((first.lower(), second.lower()))
    if rng.random() < config.no_final_stop and first[-1:] in _STOPS and second[-1:] in _STOPS:
        copies.append((first.rstrip(_STOPS), second.rstrip(_STOPS)))
    if rng.random() < config.tags:
        copies.append(_tagged(first, second, rng))
    if rng.random() < config.lines:
        line = _symbol_line(rng)
        copies.append((line, line))
    return [(one, two) for one, two in copies if (one, two) != (first, second) and one and two]


def typo_copies(
    first: str, second: str, config: NoiseConfig, rng: random.Random
) -> list[tuple[str, str, Way]]:
    """Copies with typing errors in one side, each for the direction that translates that side."""
    copies: list[tuple[str, str, Way]] = []
    if rng.random() < config.typos:
        copies.append((_mistyped(first, rng), second, "forward"))
    if rng.random() < config.typos:
        copies.append((first, _mistyped(second, rng), "backward"))
    return [copy for copy in copies if copy[:2] != (first, second)]


def _title(text: str) -> str:
    """Every word with a capital; unlike `str.title`, "don't" becomes "Don't"."""
    return _CAPITALISED.sub(lambda found: found[0][0].title() + found[0][1:], text)


def _tagged(first: str, second: str, rng: random.Random) -> tuple[str, str]:
    """Markup around a word or number that stands once in each side, and is the same in both."""
    words = [_once(text) for text in (first, second)]
    shared = [word for word in words[0] if word in words[1]]
    if not shared:
        return first, second
    word, name = rng.choice(shared), rng.choice(_TAGS)
    sides = []
    for text, places in ((first, words[0]), (second, words[1])):
        start = places[word]
        end = start + len(word)
        sides.append(f"{text[:start]}<{name}>{word}</{name}>{text[end:]}")
    return sides[0], sides[1]


def _once(text: str) -> dict[str, int]:
    """Words that stand once in a text, long enough or with a digit, and where they begin."""
    found = [match for match in _WORD.finditer(text) if not _is_cut(text, match)]
    times = Counter(match[0] for match in found)
    return {
        match[0]: match.start()
        for match in found
        if times[match[0]] == 1
        and (len(match[0]) >= _SHORTEST_SHARED or any(map(str.isdigit, match[0])))
    }


def _is_cut(text: str, match: re.Match[str]) -> bool:
    """A combining mark follows or begins the match: it is a piece of a longer word."""
    around = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
    return any(unicodedata.category(character).startswith("M") for character in around)


def _mistyped(text: str, rng: random.Random) -> str:
    """One error for every eight words at least, each in another word of a script with capitals."""
    words = re.split(r"(\s+)", text)
    able = [place for place, word in enumerate(words) if _can_err(word)]
    count = min(len(able), 1 + len(able) // _WORDS_A_TYPO)
    for place in rng.sample(able, count):
        words[place] = _with_error(words[place], rng)
    return "".join(words)


def _can_err(word: str) -> bool:
    """Whether it is plain letters; what has digits, dots or markup in it is left alone."""
    letters = word.strip(".,;:!?\"'()«»„“”’")
    return (
        len(letters) >= _SHORTEST_TYPO
        and letters.isalpha()
        and all(letter.lower() != letter.upper() for letter in letters)
    )


def _with_error(word: str, rng: random.Random) -> str:
    """Two letters swapped, one dropped, one doubled, or one replaced by its neighbour's key."""
    places = [place for place in range(len(word) - 1) if word[place : place + 2].isalpha()]
    place = rng.choice(places)
    before, letter, after = word[:place], word[place], word[place + 1 :]
    kind = rng.choice(("swap", "drop", "double", "key"))
    if kind == "swap":
        return before + after[0] + letter + after[1:]
    if kind == "drop":
        return before + after
    if kind == "double":
        return before + letter + letter + after
    return before + _beside(letter, rng) + after


def _beside(letter: str, rng: random.Random) -> str:
    """A key beside the letter's on a Latin keyboard; another letter has none and is doubled."""
    for row in _KEYS:
        place = row.find(letter.lower())
        if place >= 0:
            near = rng.choice(row[max(0, place - 1) : place] + row[place + 1 : place + 2])
            return near.upper() if letter.isupper() else near
    return letter + letter


def _symbol_line(rng: random.Random) -> str:
    """Symbols, emoji, numbers and addresses, one to eight of them: nothing to translate."""
    makers = (_symbols, _pictures, _number, _address)
    return " ".join(rng.choice(makers)(rng) for _ in range(rng.randint(1, 8)))


def _symbols(rng: random.Random) -> str:
    return "".join(rng.choices(_SYMBOLS, k=rng.randint(1, 4)))


def _pictures(rng: random.Random) -> str:
    return "".join(chr(rng.randint(*rng.choice(_PICTURES))) for _ in range(rng.randint(1, 3)))


def _number(rng: random.Random) -> str:
    return str(rng.randint(0, 10 ** rng.randint(1, 6)))


def _address(rng: random.Random) -> str:
    host, page = ("".join(rng.choices(_LETTERS, k=rng.randint(3, 9))) for _ in range(2))
    return rng.choice((f"https://{host}.example/{page}", f"{page}@{host}.example"))
