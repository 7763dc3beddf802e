"""Invented text that is the same in every language: addresses, names, codes, numbers, emoji."""

from __future__ import annotations

import random
import string

_SYMBOLS = "©®™°§¶†‡•…№←↑→↓⇒∞≈≠≤≥×÷±√∑€£¥$%&@#*+=~^|<>{}[]()/\\_-–—!?;:"
_PICTURES = ((0x1F300, 0x1F5FF), (0x1F600, 0x1F64F), (0x1F680, 0x1F6C5), (0x2600, 0x26FF))
_USUAL_PICTURES = (
    *"😀😂🤣😊😍😘😉😎😢😭😡😱🤔🙄😴😅😇🥰🥳🤗🙏👍👎👌👏💪🙌👋🤞💕💔🔥✨",
    *"⭐🎉🎂🎁🌹🌞🌈☕🍕🍺🍷⚽🚀🚗🏠📷📱💻📌📅✅❌💯",
    *("❤️", "☀️", "✈️", "⚠️", "😂😂😂", "👍🏽", "🙏🏻", "👨‍👩‍👧", "🇩🇪", "🇯🇵", "🇧🇷"),
)
_OTHER_PICTURE = 0.25
"""Chance of pictures from all over the blocks, assigned or not, in place of the usual ones."""
_LETTERS, _CAPITALS, _DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"
_TOP_LEVELS = ("com", "org", "net", "de", "fr", "io", "it", "ru", "co.jp", "com.br", "example")
_ENDINGS = ("pdf", "docx", "txt", "jpg", "png", "zip", "csv", "py", "json", "mp4", "tar.gz")


def symbols(rng: random.Random) -> str:
    """One to four symbols."""
    return "".join(rng.choices(_SYMBOLS, k=rng.randint(1, 4)))


def pictures(rng: random.Random) -> str:
    """One to three random pictures."""
    return "".join(chr(rng.randint(*rng.choice(_PICTURES))) for _ in range(rng.randint(1, 3)))


def emoji(rng: random.Random) -> str:
    """Emoji as people set them, mostly the usual ones; some are several characters."""
    return pictures(rng) if rng.random() < _OTHER_PICTURE else rng.choice(_USUAL_PICTURES)


def number(rng: random.Random) -> str:
    """A number of up to seven digits."""
    return str(rng.randint(0, 10 ** rng.randint(1, 6)))


def long_number(rng: random.Random) -> str:
    """A number of 5 to 12 digits without separators."""
    return str(rng.randint(10**4, 10 ** rng.randint(5, 12)))


def address(rng: random.Random) -> str:
    """A web or e-mail address."""
    host = f"{word(rng)}.{rng.choice(_TOP_LEVELS)}"
    page = rng.choice((word(rng), f"{word(rng)}/{word(rng)}", f"{word(rng)}?id={number(rng)}"))
    return rng.choice(
        (f"https://{host}/{page}", f"https://www.{host}", f"www.{host}/{page}",
         f"{word(rng)}.{word(rng)}@{host}", f"{word(rng)}@{host}")
    )  # fmt: skip


def handle(rng: random.Random) -> str:
    """An @name or a #tag."""
    return rng.choice("@#") + rng.choice(
        (word(rng), name(rng), f"{word(rng)}_{word(rng)}", f"{word(rng)}{rng.randint(1, 99)}")
    )


def stand_in(rng: random.Random) -> str:
    """A handle of a letter and a digit, as the engine hides links and code behind."""
    return f"@{rng.choice(_LETTERS)}{rng.choice(_DIGITS)}"


def file_name(rng: random.Random) -> str:
    """A file name, at times with its folders."""
    stem = rng.choice((word(rng), f"{word(rng)}_{number(rng)}", f"{name(rng)}-{word(rng)}"))
    folder = rng.choice(("", "", "", f"/{word(rng)}/{word(rng)}/", f"{word(rng)}/", "~/"))
    return f"{folder}{stem}.{rng.choice(_ENDINGS)}"


def version(rng: random.Random) -> str:
    """A version number of two or three parts."""
    parts = [str(rng.randint(0, 30)) for _ in range(rng.randint(2, 3))]
    return rng.choice(("", "v")) + ".".join(parts)


def product_code(rng: random.Random) -> str:
    """Capitals and digits, as "XK-4071B"."""
    capitals = "".join(rng.choices(_CAPITALS, k=rng.randint(1, 3)))
    digits = "".join(rng.choices(_DIGITS, k=rng.randint(2, 5)))
    return f"{capitals}{rng.choice(('', '-', '-'))}{digits}{rng.choice(('', '', 'A', 'B', 'X'))}"


def name(rng: random.Random) -> str:
    """A made-up name of two to four syllables."""
    syllables = [
        rng.choice(_CONSONANTS) + rng.choice(_VOWELS) + rng.choice(("", "", "l", "n", "r", "s"))
        for _ in range(rng.randint(2, 4))
    ]
    return "".join(syllables).title()


def word(rng: random.Random) -> str:
    """Three to nine random letters, or a name in lower case."""
    if rng.random() < 0.5:
        return name(rng).lower()
    return "".join(rng.choices(_LETTERS, k=rng.randint(3, 9)))


def like_number(text: str, rng: random.Random) -> str:
    """Other digits in the same places; what begins without a 0 still does."""
    changed = [rng.choice(_DIGITS) if digit in _DIGITS else digit for digit in text]
    if text[0] in "123456789":
        changed[0] = rng.choice("123456789")
    return "".join(changed)
