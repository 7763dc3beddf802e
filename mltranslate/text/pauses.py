"""Commas, colons and semicolons at the end of a text: of a salutation, a label, half a sentence.

Models leave them out, or take what is before one for something else than the same without it.
"""

from __future__ import annotations

_MARKS = {",": ",", ":": ":", ";": ";", "，": ",", "、": ",", "：": ":", "；": ";"}
_WIDE = {
    "zh": {",": "，", ":": "：", ";": "；"},
    "yue": {",": "，", ":": "：", ";": "；"},
    "ja": {",": "、", ":": "：", ";": "；"},
}
_WHOLE = ("です", "ます", "ました", "ください")
_FRENCH = {":": " :", ";": " ;"}


def unpaused(text: str) -> tuple[str, str]:
    """Return a text without the pause at its end, and which it is in ASCII; "" where none is."""
    mark = _MARKS.get(text[-1:], "")
    rest = text[:-1].rstrip()
    return (rest, mark) if mark and rest[-1:].isalnum() else (text, "")


def paused(text: str, mark: str, language: str) -> str:
    """Return `text` with the pause `mark`, in ASCII or "", as the language sets it.

    What ends with a mark gets none, and a whole sentence of Japanese a full stop for a comma.
    """
    if not mark or not text[-1:].isalnum():
        return text
    base = language.partition("-")[0]
    if base == "ja" and mark == "," and text.endswith(_WHOLE):
        return f"{text}。"
    return text + (_FRENCH if base == "fr" else _WIDE.get(base, {})).get(mark, mark)


def with_final_pause(text: str, source: str, language: str) -> str:
    """Return `text`, the translation of `source` into `language`, with the pause at its end.

    Only where the source has one, and the translation ends with a letter or digit.
    """
    _, mark = unpaused(source)
    return paused(text, mark, language)
