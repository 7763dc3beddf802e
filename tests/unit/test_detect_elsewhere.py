"""Which texts are told to be in a language that is not on offer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.detect.detector import Detector, default_detector
from mltranslate.detect.elsewhere import detectable, elsewhere

NINE = ("en", "zh", "de", "fr", "es", "ru", "it", "pt", "ja")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return default_detector()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Ik weet niet waar ik mijn sleutels heb gelaten.", "nl"),
        ("Nie wiem, gdzie zostawiłem klucze.", "pl"),
        ("열쇠를 어디에 뒀는지 모르겠어요.", "ko"),
        ("Не знаю, де я залишив ключі.", "uk"),
        ("Je ne sais pas où j'ai laissé mes clés.", None),
        ("Ich weiß nicht, wo meine Schlüssel sind.", None),
        ("我不知道我把钥匙放在哪里了。", None),
        ("hoi", None),  # too short
        ("12345 😀", None),
        ("asdfgh jkl qwertz", None),
        ("", None),
    ],
)
def test_what_is_not_on_offer_is_told(detector: Detector, text: str, language: str | None) -> None:
    [found] = elsewhere(detector, [text], NINE)
    assert (found and found.language) == language


def test_what_is_on_offer_decides(detector: Detector) -> None:
    text = "Je ne sais pas où j'ai laissé mes clés."
    [found] = elsewhere(detector, [text], ("en", "de"))
    assert found is not None
    assert found.language == "fr"


def test_a_language_akin_to_one_on_offer_is_taken_for_it(detector: Detector) -> None:
    assert elsewhere(detector, ["學而時習之，不亦說乎？有朋自遠方來"], ("zh",)) == [None]
    text = "我唔知我將條鎖匙放咗喺邊度，佢哋仲未返嚟。"
    assert elsewhere(detector, [text], ("zh",)) == [None]
    assert elsewhere(detector, [text], ("en",)) != [None]


@pytest.mark.parametrize(
    ("offered", "known", "meant"),
    [
        (["en", "de"], {"en", "de", "fr"}, {"en": "en", "de": "de"}),
        (["pt-BR", "en"], {"pt", "en"}, {"pt": "pt-BR", "en": "en"}),
        (["zh-Hant", "zh"], {"zh", "yue"}, {"zh": "zh"}),
        (["no"], {"nb", "nn", "da"}, {"nb": "no", "nn": "no"}),
        (["tl"], {"fil"}, {"fil": "tl"}),
        (["xx"], {"en"}, {}),
        ([], {"en"}, {}),
    ],
)
def test_offered_codes_have_the_nearest_detectable_one(
    offered: list[str], known: set[str], meant: dict[str, str]
) -> None:
    assert detectable(tuple(offered), tuple(sorted(known))) == meant


@pytest.mark.parametrize("code", ["fr", "fr-CA", "fr_Latn"])
def test_a_variety_on_offer_counts(detector: Detector, code: str) -> None:
    assert elsewhere(detector, ["Je ne sais pas où j'ai laissé mes clés."], (code,)) == [None]


@given(st.lists(st.text(), max_size=4))
def test_every_text_has_an_answer(texts: list[str]) -> None:
    whole = [text.encode("utf-8", "replace").decode() for text in texts]
    assert len(elsewhere(default_detector(), whole, NINE)) == len(texts)
