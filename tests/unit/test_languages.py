import pytest

from mltranslate.errors import LanguageError
from mltranslate.languages import LANGUAGES, describe, is_rtl, is_spaced, resolve

CORPUS = [
    "en", "zh", "de", "fr", "es", "ru", "it", "pt", "ja", "ko", "nl", "tr", "uk", "ar", "pl",
]  # fmt: skip


def test_all_corpus_languages_are_known() -> None:
    assert list(LANGUAGES) == CORPUS


@pytest.mark.parametrize("code", CORPUS)
def test_every_spelling_of_a_language_is_understood(code: str) -> None:
    known = LANGUAGES[code]
    spellings = [code, code.upper(), f" {code} ", known.name, known.name.upper(), known.endonym]
    assert {resolve(spelling) for spelling in spellings} == {code}


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("pt-BR", "pt"),
        ("pt_br", "pt"),
        ("zh-CN", "zh"),
        ("zh-Hans", "zh"),
        ("ZH_HANS_cn", "zh"),
        ("deu", "de"),
        ("Francais", "fr"),
        ("TÜRKÇE", "tr"),
        ("turkce", "tr"),
        ("Simplified Chinese", "zh"),
    ],
)
def test_variants_and_aliases(spelling: str, code: str) -> None:
    assert resolve(spelling) == code


@pytest.mark.parametrize(("typo", "nearest"), [("Germn", "German (de)"), ("Deutch", "German (de)")])
def test_an_unknown_language_names_the_nearest(typo: str, nearest: str) -> None:
    with pytest.raises(LanguageError, match=r"nearest") as caught:
        resolve(typo)
    assert nearest in str(caught.value)


def test_nonsense_has_no_nearest() -> None:
    with pytest.raises(LanguageError, match="no known language has a similar name"):
        resolve("qqqqqqqq")


def test_of_many_languages_the_first_are_named() -> None:
    with pytest.raises(LanguageError, match=r"c0, .*, c19 and 180 others$"):
        resolve("qqqqqqqq", [f"c{number}" for number in range(200)])


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(LanguageError):
        resolve("")


def test_a_language_that_is_not_offered_is_refused_with_the_offer() -> None:
    with pytest.raises(LanguageError, match=r"French \(fr\) is not offered.*en, de"):
        resolve("French", ["en", "de"])


def test_a_pack_may_offer_what_the_table_lacks() -> None:
    assert resolve("SV", ["en", "sv"]) == "sv"
    assert resolve("pt-br", ["pt-BR"]) == "pt-BR"
    assert describe("sv").name == "sv"


def test_direction_and_spacing() -> None:
    assert [code for code in CORPUS if is_rtl(code)] == ["ar"]
    assert [code for code in CORPUS if not is_spaced(code)] == ["zh", "ja"]
