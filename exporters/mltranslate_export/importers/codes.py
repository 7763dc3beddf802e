"""From the language codes of public models (`deu_Latn`, `de_DE`, `>>deu<<`) to ours."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PARTS = re.compile(r"([a-z]{2,3})(?:[_-]([A-Za-z]{2,4}))?")

_LONG_AND_SHORT = """
afr af aka ak amh am arb ar ara ar asm as aym ay ayr ay aze az azj az bak ba bam bm bel be ben bn
bod bo bos bs bul bg cat ca ces cs cmn zh cym cy dan da deu de dzo dz ell el eng en epo eo est et
ekk et eus eu ewe ee fao fo fas fa pes fa fij fj fin fi fra fr fry fy ful ff fuv ff gla gd gle ga
glg gl grn gn guj gu hat ht hau ha heb he hin hi hrv hr hun hu hye hy ibo ig ind id isl is ita it
jav jv jpn ja kan kn kas ks kat ka kaz kk khm km khk mn mon mn kik ki kin rw kir ky kmr ku kon kg
kor ko lao lo lav lv lvs lv lim li lin ln lit lt ltz lb lug lg mal ml mar mr mkd mk mlg mg plt mg
mlt mt mri mi msa ms zsm ms mya my nep ne npi ne nld nl nno nn nob nb nya ny oci oc ori or ory or
orm om gaz om pan pa pol pl por pt pus ps pbt ps que qu quy qu ron ro run rn rus ru sag sg san sa
sin si slk sk slv sl smo sm sna sn snd sd som so sot st spa es sqi sq als sq srd sc srp sr ssw ss
sun su swa sw swh sw swe sv tam ta tat tt tel te tgk tg tgl tl tha th tir ti tsn tn tso ts tuk tk
tur tr twi tw uig ug ukr uk urd ur uzb uz uzn uz vie vi wol wo xho xh yid yi ydd yi yor yo zho zh
zul zu
"""
_WORDS = _LONG_AND_SHORT.split()
_SHORT = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))
"""ISO 639-3 to ISO 639-1; the usual variety of a language stands for it (`arb` for `ar`)."""


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
    code = _SHORT.get(match[1], match[1]) if match else None
    return code if code in _SHORT.values() else None


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
        base, variety = _SHORT.get(match[1], match[1]), match[2]
        code = base if base not in found or not variety else f"{base}-{variety}"
        found.setdefault(code, text)
    return found
