"""Noisy copies of training pairs: text as people really type and mark it.

Most kinds are those of Mozilla's OpusTrainer. Case, stops, tags, emoji and text that passes
through change both sides alike; typing errors and lost accents only the side that is translated
from. A copy teaches a direction only if the noise can be seen in what is translated: Chinese has
no capitals, and must not be taught to become capitals.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator

from mltranslate.text.fragments import is_fragment
from mltranslate_train.config import NoiseConfig
from mltranslate_train.data import invented
from mltranslate_train.data.fragments import cased, other_form
from mltranslate_train.data.shards import Way

Copy = tuple[str, str, Way]
"""Both sides of a noisy copy, and the directions that it teaches."""
_Change = Callable[[str], str]
_STOPS = ".!?。！？"
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_PART = f"[^\\W_{_CJK}]+"
_WORD = re.compile(f"{_PART}(?:[.,:'’-]{_PART})*")
"""Words and numbers of scripts that put spaces between them, and those inside other text."""
_CAPITALISED = re.compile(r"[^\W\d_][\w'’]*")
_WIDE = re.compile(f"[{_CJK}\u3000-\u303f\uff01-\uff60]")
"""Characters beside which no space is set."""
_MARK = re.compile(r"[,;:!?.…](?= )|[，、；：！？。…](?=.)")
"""Punctuation marks inside a text."""
_ASCII_MARKS = str.maketrans("，、；：！？。", ",,;:!?.")
_TAGS = ("a", "b", "code", "em", "i", "span", "strong", "sub", "sup", "u")
_SHORTEST_SHARED = 4
"""Shorter words that look alike are often different words: "die", "was", "in"."""
_SHORTEST_TYPO = 4
_WORDS_A_TYPO = 8
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_FARTHEST = 0.2
"""Most that a mark's place in its text, from 0 to 1, may differ between the sides."""


def noisy_copies(
    first: str, second: str, languages: tuple[str, str], config: NoiseConfig, rng: random.Random
) -> list[Copy]:
    """Copies of a pair to train on beside it; never the pair itself, and no side is empty."""
    copies = [
        *_in_other_case(first, second, config, rng),
        *_changed_alike(first, second, config, rng),
        *_changed_source(first, second, config, rng),
    ]
    may_vary = config.fragments > 0 and is_fragment(first) and is_fragment(second)
    if may_vary and rng.random() < config.fragments:
        copies.append(other_form(first, second, languages, rng))
    return [copy for copy in copies if copy[:2] != (first, second) and copy[0] and copy[1]]


def _in_other_case(
    first: str, second: str, config: NoiseConfig, rng: random.Random
) -> Iterator[Copy]:
    kinds: tuple[tuple[float, _Change], ...] = (
        (config.upper, str.upper), (config.title, _title), (config.lower, str.lower),
    )  # fmt: skip
    for share, change in kinds:
        if rng.random() < share:
            yield cased(first, second, change(first), change(second))
    if rng.random() < config.chat:
        one, two = _without_stops(first, second)
        yield cased(one, two, one.lower(), two.lower())


def _without_stops(first: str, second: str) -> tuple[str, str]:
    """Both sides without final stops if both have one, else as they are."""
    if first[-1:] in _STOPS and second[-1:] in _STOPS:
        return first.rstrip(_STOPS), second.rstrip(_STOPS)
    return first, second


def _changed_alike(
    first: str, second: str, config: NoiseConfig, rng: random.Random
) -> Iterator[Copy]:
    if rng.random() < config.no_final_stop:
        yield *_without_stops(first, second), "both"
    if rng.random() < config.tags:
        yield *_tagged(first, second, rng), "both"
    if rng.random() < config.emoji:
        yield *_with_emoji(first, second, rng), "both"
    if rng.random() < config.pass_through:
        yield *_with_pass_through(first, second, rng), "both"
    if rng.random() < config.lines:
        line = _symbol_line(rng)
        yield line, line, "both"


def _changed_source(
    first: str, second: str, config: NoiseConfig, rng: random.Random
) -> Iterator[Copy]:
    """Copies with noise in one side, each for the direction that translates that side."""
    kinds: tuple[tuple[float, _Change], ...] = (
        (config.typos, lambda text: _mistyped(text, rng)),
        (config.accents, _without_accents),
    )
    for share, change in kinds:
        if rng.random() < share:
            yield change(first), second, "forward"
        if rng.random() < share:
            yield first, change(second), "backward"


def _title(text: str) -> str:
    """Every word with a capital; unlike `str.title`, "don't" becomes "Don't"."""
    return _CAPITALISED.sub(lambda found: found[0][0].title() + found[0][1:], text)


def _without_accents(text: str) -> str:
    """Latin letters without their marks: "Köln" becomes "Koln"; other scripts are left alone."""
    return "".join(map(_plain, text))


def _plain(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    return base if base.isascii() else letter


def _tagged(first: str, second: str, rng: random.Random) -> tuple[str, str]:
    """Markup around a word or number that stands once in each side, and is the same in both."""
    shared = _shared(first, second)
    if not shared:
        return first, second
    word, name = rng.choice(shared), rng.choice(_TAGS)
    marked = f"<{name}>{word}</{name}>"
    return _replaced(first, word, marked), _replaced(second, word, marked)


def _shared(first: str, second: str) -> list[str]:
    """Words and numbers that stand once in each side, in the first one's order."""
    others = _once(second)
    return [word for word in _once(first) if word in others]


def _replaced(text: str, word: str, fresh: str) -> str:
    """The text with other text where a word stands that `_once` gives."""
    start = _once(text)[word]
    return text[:start] + fresh + text[start + len(word) :]


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


def _with_emoji(first: str, second: str, rng: random.Random) -> tuple[str, str]:
    """Emoji after a mark that both sides have inside, or at the beginning or the end of both."""
    places = [(0, 0), (len(first), len(second)), (len(first), len(second))]
    inside = _mark_of_both(first, second)
    if inside:
        places += [inside] * 3
    one, two = rng.choice(places)
    extra = invented.emoji(rng)
    return _put(first, one, extra), _put(second, two, extra)


def _mark_of_both(first: str, second: str) -> tuple[int, int] | None:
    """Where the only mark inside each side ends, if it is the same at about the same place."""
    found = [list(_MARK.finditer(text)) for text in (first, second)]
    if [len(marks) for marks in found] != [1, 1]:
        return None
    one, two = found[0][0], found[1][0]
    apart = abs(one.end() / len(first) - two.end() / len(second))
    same = one[0].translate(_ASCII_MARKS) == two[0].translate(_ASCII_MARKS)
    return (one.end(), two.end()) if same and apart <= _FARTHEST else None


def _put(text: str, place: int, extra: str) -> str:
    """The text with something at a place, set apart by spaces where its script has them."""
    left, right = text[:place], text[place:]
    before = " " if left and not left[-1].isspace() and not _WIDE.match(left[-1]) else ""
    after = " " if right and not right[0].isspace() and not _WIDE.match(right) else ""
    return f"{left}{before}{extra}{after}{right}"


def _with_pass_through(first: str, second: str, rng: random.Random) -> tuple[str, str]:
    """Invented text in place of a number or name that both sides share, or at the same end."""
    slots = [word for word in _shared(first, second) if word[0].isupper() or word[0].isdigit()]
    if slots and rng.random() < 0.5:
        word = rng.choice(slots)
        fresh = _in_place_of(word, rng)
        return _replaced(first, word, fresh), _replaced(second, word, fresh)
    makers = (
        invented.address, invented.address, invented.handle, invented.file_name, invented.version,
        invented.product_code, invented.long_number, invented.stand_in,
    )  # fmt: skip
    fresh = rng.choice(makers)(rng)
    if rng.random() < 0.25:  # an address mostly comes last
        return f"{fresh} {first}", f"{fresh} {second}"
    return f"{first} {fresh}", f"{second} {fresh}"


def _in_place_of(word: str, rng: random.Random) -> str:
    """What may stand where a number or name does: mostly another one, or a stand-in."""
    if word[0].isdigit():
        usual = invented.like_number(word, rng)
        makers = (invented.long_number, invented.version, invented.product_code)
    else:
        usual = invented.name(rng)
        makers = (invented.handle, invented.file_name, invented.product_code)
    return rng.choice((usual, usual, invented.stand_in(rng), rng.choice(makers)(rng)))


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
    makers = (invented.symbols, invented.pictures, invented.number, invented.address)
    return " ".join(rng.choice(makers)(rng) for _ in range(rng.randint(1, 8)))
