"""Varieties of one language, told apart where the text decides: by characters, words or script."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping

_LOOKED_AT = 2000
"""Characters of a long text that are looked at."""
_LEAD = 2
"""One side decides when it has this many times the other's evidence."""

_CHINESE = ("zh-Hans", "zh-Hant")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
# Words that one side of the Atlantic hardly writes; those that both use for different things
# are left out. European first.
_PORTUGUESE = (
    frozenset(
        """
        autocarro autocarros comboio comboios telemóvel telemóveis ecrã ecrãs facto factos contacto
        contactos equipa equipas pequeno-almoço frigorífico paragem chávena chávenas
        guarda-redes relvado bicha peões utilizador utilizadores ficheiro ficheiros
        registo registos planear planeamento controlo casa-de-banho portagem
        sanita talho rapariga raparigas miúdo miúdos miúda fixe giro gira andebol hóquei
        económico económica económicos económicas género géneros António fenómeno fenómenos
        académico académica polémica polémico tónico anónimo quilómetro quilómetros cómodo
        prémio prémios sénior sinónimo ténis bónus Mónica matrimónio património autónomo
        bebé bebés croché cocó judo connosco dezasseis dezassete dezanove catorze
        acção direcção óptimo óptima actual actualmente projecto objectivo director
        desporto desportos desportivo camião camiões camionista contigo estás tens queres
        podes sabes vais fazes dizes és foste tiveste disseste fizeste
        """.casefold().split()
    ),
    frozenset(
        """
        ônibus trem trens celular celulares tela telas time times xícara xícaras sorvete
        sorvetes goleiro gramado usuário usuários arquivo mouse planejar planejamento controle
        sobrenome banheiro pedágio açougue moça moças garoto garota garotos garotas
        handebol econômico econômica econômicos econômicas gênero gêneros Antônio fenômeno
        fenômenos acadêmico acadêmica polêmica polêmico tônico anônimo quilômetro cômodo
        quilômetros prêmio prêmios sênior sinônimo tênis bônus Mônica matrimônio patrimônio
        autônomo bebê bebês crochê cocô judô conosco dezesseis dezessete dezenove quatorze
        esporte esportes esportivo caminhão caminhões caminhoneiro você vocês café-da-manhã
        geladeira bonde aeromoça cadê né pra pro tá tô
        """.casefold().split()
    ),
)
# "estou a fazer" in Europe, "estou fazendo" in Brazil.
_CONTINUOUS = (
    re.compile(r"\b(?:est(?:ou|á|ás|amos|ão|ava|avas|avam)) a \w+[aei]r\b", re.IGNORECASE),
    re.compile(r"\b(?:est(?:ou|á|amos|ão|ava|avam)|tá|tô) \w+[aei]ndo\b", re.IGNORECASE),
)


def variety(text: str, language: str) -> str | None:
    """Return the BCP 47 tag of the variety of `language` that `text` is in; None if it is open.

    Chinese is told apart by characters that only one of the two standard sets has, Portuguese by
    words and spellings, Serbian by its script. Script and region of `language` do not matter.
    """
    look = _LOOKS.get(language.partition("-")[0])
    return look(text[:_LOOKED_AT]) if look else None


def fits(text: str, tag: str) -> bool:
    """Return True when `text` is in the variety `tag`, or is Chinese that both standards share."""
    found = variety(text, tag)
    if found is None and tag in _CHINESE:
        return not any(han_sides(text[:_LOOKED_AT]))
    return found == tag


def _decide(first: int, second: int, tags: tuple[str, str]) -> str | None:
    if first and first >= second * _LEAD:
        return tags[0]
    return tags[1] if second and second >= first * _LEAD else None


def _chinese(text: str) -> str | None:
    sides = han_sides(text)
    return _decide(sides.count(1), sides.count(-1), _CHINESE)


def han_sides(text: str) -> list[int]:
    """Return 1 for each Han character of Simplified Chinese alone, -1 of Traditional, else 0."""
    return [_han_side(character) for character in text if "\u4e00" <= character <= "\u9fff"]


@functools.lru_cache(maxsize=1 << 15)
def _han_side(character: str) -> int:
    """1 for a character that only GB 2312 has, -1 for one that only Big5 has, else 0.

    The two national standards are the common characters of simplified and traditional Chinese.
    """
    return _has("gb2312", character) - _has("big5", character)


def _has(encoding: str, character: str) -> bool:
    try:
        return bool(character.encode(encoding))
    except UnicodeEncodeError:
        return False


def _portuguese(text: str) -> str | None:
    words = [word.casefold() for word in _WORD.findall(text)]
    counts = [
        sum(word in known for word in words) + len(continuous.findall(text))
        for known, continuous in zip(_PORTUGUESE, _CONTINUOUS, strict=True)
    ]
    return _decide(counts[0], counts[1], ("pt-PT", "pt-BR"))


def _serbian(text: str) -> str | None:
    cyrillic = sum("\u0400" <= character <= "\u04ff" for character in text)
    latin = sum(character.isascii() and character.isalpha() for character in text)
    return _decide(cyrillic, latin, ("sr-Cyrl", "sr-Latn"))


_LOOKS: Mapping[str, Callable[[str], str | None]] = {
    "zh": _chinese,
    "pt": _portuguese,
    "sr": _serbian,
}
