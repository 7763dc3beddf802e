"""From the language codes of public models (`deu_Latn`, `de_DE`, `>>deu<<`) to ours."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mltranslate.languages import code_of

_PARTS = re.compile(r"([a-z]{2,3})(?:[_-]([A-Za-z]{2,4}))?")

M2M_ORDER = """
af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he
hi hr ht hu hy id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no
ns oc or pa pl ps pt ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo
zh zu
"""
"""The languages of M2M-100 in the order of their ids, which no file of the model lists."""


def named_language(public: object) -> str | None:
    """Our code of a public code, if it surely names one language and not a group of them."""
    match = _PARTS.fullmatch(public) if isinstance(public, str) else None
    return (code_of(match[1]) or None) if match else None


def our_codes(public: Iterable[str]) -> dict[str, str]:
    """Our code of every public code, in their order, to the public code.

    Two letters (ISO 639-1) where there are, else three. If several public codes mean one language,
    the first has its plain code, and the others add script or region: `zho_Hans` is `zh`, and
    `zho_Hant` after it `zh-Hant`. Codes that name no language are left out.
    """
    found: dict[str, str] = {}
    for text in public:
        match = _PARTS.fullmatch(text.removeprefix(">>").removesuffix("<<"))
        if not match:
            continue
        base, variety = code_of(match[1]) or match[1], match[2]
        code = base if base not in found or not variety else f"{base}-{variety}"
        found.setdefault(code, text)
    return found
