"""The little German and English grammar that the patterns of phrases.toml ask for."""

from __future__ import annotations

from dataclasses import dataclass

_CASES, _GENDERS = ("nom", "akk", "dat"), "mfn"
_DER = {"nom": ("er", "e", "es"), "akk": ("en", "e", "es"), "dat": ("em", "er", "em")}
"""Endings of "dieser", "welcher" and, nearly, "der", by case for the genders m, f, n."""
_EIN = _DER | {"nom": ("", "e", ""), "akk": ("en", "e", "")}
"""Endings of "ein", "kein", "mein" and "dein"."""
_WEAK = {"nom": ("e", "e", "e"), "akk": ("en", "e", "e"), "dat": ("en", "en", "en")}
"""Endings of an adjective after "der"."""
_MIXED = _WEAK | {"nom": ("er", "e", "es"), "akk": ("en", "e", "es")}
"""Endings of an adjective after "ein"."""
_ARTICLE = {
    "nom": ("der", "die", "das"),
    "akk": ("den", "die", "das"),
    "dat": ("dem", "der", "dem"),
}
_JOINED = {
    "zu": ("zum", "zur", "zum"), "an": ("am", "an der", "am"), "von": ("vom", "von der", "vom"),
}  # fmt: skip
"""Prepositions with the dative of the definite article."""

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_EINS = ["eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]
_ZEHN = [
    "zehn",
    "elf",
    "zwölf",
    "dreizehn",
    "vierzehn",
    "fünfzehn",
    "sechzehn",
    "siebzehn",
    "achtzehn",
    "neunzehn",
]
_ZEHNER = ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]


@dataclass(frozen=True, slots=True)
class English:
    """A noun as the format of a pattern asks for it: "", "a" or "s" for the plural."""

    noun: str
    plural: str

    def __format__(self, form: str) -> str:
        """The noun in that form; KeyError for another one."""
        article = "an" if self.noun[0] in "aeiou" else "a"
        return {"": self.noun, "a": f"{article} {self.noun}", "s": self.plural}[form]


@dataclass(frozen=True, slots=True)
class German:
    """A noun as the format of a pattern asks for it.

    "" and "pl" are the noun alone; "der.nom", "kein.akk" and the like put a declined word before
    it, and "zu", "an" and "von" the preposition with its article.
    """

    noun: str
    gender: str
    plural: str
    adjective: str = ""

    def __format__(self, form: str) -> str:
        """The noun in that form; KeyError for another one."""
        if form in ("", "pl"):
            return {"": self.noun, "pl": self.plural}[form]
        gender = _GENDERS.index(self.gender)
        if form in _JOINED:
            return f"{_JOINED[form][gender]} {self.noun}"
        word, _, case = form.partition(".")
        strong = word in ("der", "dies", "welch")
        if word == "der":
            before = _ARTICLE[case][gender]
        else:
            before = word + (_DER if strong else _EIN)[case][gender]
        if self.adjective:
            before += f" {self.adjective}{(_WEAK if strong else _MIXED)[case][gender]}"
        return f"{before} {self.noun}"


def numbers() -> dict[str, str]:
    """Two to ninety-nine in words, in English and German."""
    found = dict(zip(_ONES + _TEENS, _EINS + _ZEHN, strict=True))
    for ten, zehner in zip(_TENS, _ZEHNER, strict=True):
        found[ten] = zehner
        for one, eins in zip(_ONES, _EINS, strict=True):
            found[f"{ten}-{one}"] = f"{eins.removesuffix('s') if one == 'one' else eins}und{zehner}"
    del found["one"]  # which would bend with its noun
    return found


def times() -> dict[str, str]:
    """Times of the day as people say them, in English and German."""
    english, german = [*_ONES, *_TEENS[:3]], [*_EINS, *_ZEHN[:3]]
    found = {}
    for hour, (name, stunde) in enumerate(zip(english, german, strict=True)):
        found[f"{name} o'clock"] = f"{stunde.removesuffix('s') if hour == 0 else stunde} Uhr"
        found[f"half past {name}"] = f"halb {german[(hour + 1) % 12]}"
        for way, nach in (("past", "nach"), ("to", "vor")):
            found[f"a quarter {way} {name}"] = f"Viertel {nach} {stunde}"
            found[f"ten {way} {name}"] = f"zehn {nach} {stunde}"
            found[f"five {way} {name}"] = f"fünf {nach} {stunde}"
    return found
