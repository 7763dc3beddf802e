import pytest

from mltranslate.errors import LanguageError
from mltranslate.languages import (
    LANGUAGES,
    asked_variety,
    covers,
    describe,
    is_rtl,
    is_spaced,
    resolve,
    tag_of,
)

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
        ("simplified-chinese", "zh"),
        ("Flemish", "nl"),
        ("ger", "de"),
        ("swe", "sv"),
        ("SVENSKA", "sv"),
        ("o'zbekcha", "uz"),
        ("norwegian  bokmal", "nb"),
        ("zho_Hant", "zh"),
        ("arb_Arab", "ar"),
        ("en_XX", "en"),
        ("ca-valencia", "ca"),
    ],
)
def test_variants_and_aliases(spelling: str, code: str) -> None:
    assert resolve(spelling) == code


@pytest.mark.parametrize(("typo", "nearest"), [("Germn", "German (de)"), ("Deutch", "German (de)")])
def test_an_unknown_language_names_the_nearest(typo: str, nearest: str) -> None:
    with pytest.raises(LanguageError, match=r"nearest") as caught:
        resolve(typo)
    assert nearest in str(caught.value)
    assert str(caught.value).endswith(". Give its code, such as de, or its English name")


def test_what_is_on_offer_is_suggested_first() -> None:
    with pytest.raises(LanguageError, match=r"the nearest is German \(de\)"):
        resolve("Germn", ["en", "de"])
    with pytest.raises(LanguageError, match=r"the nearest are Swedish \(sv\), .*Choose .*en, de$"):
        resolve("Swedsh", ["en", "de"])


@pytest.mark.parametrize("spelling", ["no-such", "en-Abcd", "german-AT", "x", "e n"])
def test_what_only_looks_like_a_tag_is_refused(spelling: str) -> None:
    with pytest.raises(LanguageError, match="unknown language"):
        resolve(spelling)


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
    assert resolve("QQX", ["en", "qqx"]) == "qqx"
    assert resolve("pt-br", ["pt-BR"]) == "pt-BR"
    assert describe("qqx").name == "qqx"


def test_direction_and_spacing() -> None:
    assert [code for code in CORPUS if is_rtl(code)] == ["ar"]
    assert [code for code in CORPUS if not is_spaced(code)] == ["zh", "ja"]


@pytest.mark.parametrize(
    ("spelling", "offered", "code"),
    [
        ("zh-Hant", "en zh", "zh"),
        ("zh-TW", "zh zh-Hant", "zh-Hant"),
        ("zh_CN", "zh-Hant zh-Hans", "zh-Hans"),
        ("Chinese", "zh-Hant zh-Hans", "zh-Hans"),
        ("pt", "en pt-BR", "pt-BR"),
        ("sepedi", "en ns", "ns"),
        ("nso", "en ns", "ns"),
        ("Norwegian", "en nb", "nb"),
        ("Bokmål", "en no", "no"),
        ("Tagalog", "en fil", "fil"),
        ("sr-Latn-RS", "sr sr-Latn", "sr-Latn"),
        ("de-DE", "de", "de"),
    ],
)
def test_of_what_is_offered_the_nearest_is_taken(spelling: str, offered: str, code: str) -> None:
    assert resolve(spelling, offered.split()) == code


@pytest.mark.parametrize(
    ("spelling", "offered", "named"),
    [
        ("zh-Hant", "en zh-Hans", "Traditional Chinese (zh-Hant)"),
        ("pt", "pt-BR pt-PT", "Portuguese (pt)"),
        ("German (Austria)", "de", "unknown"),
        ("Klingon", "en de", "Klingon (tlh)"),
    ],
)
def test_another_variety_is_no_stand_in(spelling: str, offered: str, named: str) -> None:
    with pytest.raises(LanguageError) as caught:
        resolve(spelling, offered.split())
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("spelling", "code", "tag"),
    [
        ("zh_TW", "zh", "zh-Hant"),
        ("Simplified Chinese", "zh", "zh-Hans"),
        ("Brazilian Portuguese", "pt", "pt-BR"),
        ("pt-BR", "pt-BR", ""),
        ("pt", "pt-BR", ""),
        ("de-AT", "de", "de-AT"),
        ("de_DE", "de", ""),
        ("en_US", "en", ""),
        ("ja-Jpan-JP", "ja", ""),
        ("kor_Hang", "ko", ""),
        ("sr-Cyrl", "sr", "sr-Cyrl"),
        ("Bokmål", "no", ""),
        ("qqx", "qqx", ""),
    ],
)
def test_the_variety_that_was_asked_for(spelling: str, code: str, tag: str) -> None:
    assert asked_variety(spelling, code) == tag


def test_the_tag_of_a_variety() -> None:
    spellings = ["Brazilian Portuguese", "pt_br", "zh_CN", "de-DE", "German"]
    assert [tag_of(one) for one in spellings] == ["pt-BR", "pt-BR", "zh-Hans", "de", "de"]
    with pytest.raises(LanguageError, match="unknown language"):
        tag_of("Germn")


@pytest.mark.parametrize(
    ("tag", "code", "covered"),
    [
        ("pt", "pt", True),
        ("pt", "pt-BR", True),
        ("pt-BR", "pt_br", True),
        ("pt-BR", "pt", False),
        ("pt-BR", "pt-PT", False),
        ("zh-Hans", "zh", True),
        ("zh-Hans", "zh_TW", False),
        ("zh-Hant", "zh", False),
        ("sr-Latn", "sr-Latn-RS", True),
        ("de", "den", False),
    ],
)
def test_a_language_covers_its_varieties(tag: str, code: str, covered: bool) -> None:
    assert covers(tag, code) == covered


@pytest.mark.parametrize(
    ("code", "name", "endonym"),
    [
        ("sv", "Swedish", "Svenska"),
        ("zh-Hant", "Traditional Chinese", "繁體中文"),
        ("zh_TW", "Traditional Chinese", "繁體中文"),
        ("ks-Deva", "Kashmiri (Devanagari)", "کٲشُر (Devanagari)"),
        ("de-LI", "German (LI)", "Deutsch (LI)"),
        ("ns", "Northern Sotho", "Sesotho sa Leboa"),
        ("english", "english", "english"),
    ],
)
def test_names_of_languages_and_varieties(code: str, name: str, endonym: str) -> None:
    found = describe(code)
    assert (found.code, found.name, found.endonym) == (code, name, endonym)


def test_varieties_are_written_like_their_script() -> None:
    assert not is_spaced("zh-Hant")
    assert not is_spaced("yue")
    assert is_spaced("th")
    assert is_rtl("he")
    assert is_rtl("ku-Arab")
    assert not is_rtl("ks-Deva")
