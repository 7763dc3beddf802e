from __future__ import annotations

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mltranslate.detect
from mltranslate.detect import Detector, detect
from mltranslate.detect.detector import default_detector
from mltranslate.errors import LanguageError, UsageError
from mltranslate.types import UNDETERMINED, Detection

UNDETERMINED_FOR_SURE = [Detection(language=UNDETERMINED, confidence=1.0)]
SENTENCES = {
    "en": "The weather was so bad that we stayed at home all day.",
    "zh": "我们明天早上去公园吃早饭。",
    "de": "Das Wetter war so schlecht, dass wir zu Hause blieben.",
    "fr": "Il faisait si mauvais que nous sommes restés à la maison.",
    "es": "Hacía tan mal tiempo que nos quedamos todo el día en casa.",
    "ru": "Погода была такая плохая, что мы остались дома.",
    "it": "Faceva così brutto tempo che siamo rimasti a casa.",
    "pt": "O tempo estava tão ruim que ficamos em casa o dia inteiro.",
    "ja": "天気が悪かったので、一日中家にいました。",
    "ko": "날씨가 너무 나빠서 하루 종일 집에 있었어요.",
    "nl": "Het weer was zo slecht dat we de hele dag thuis bleven.",
    "tr": "Hava o kadar kötüydü ki bütün gün evde kaldık.",
    "uk": "Погода була така погана, що ми залишилися вдома.",
    "ar": "كان الطقس سيئا جدا لدرجة أننا بقينا في المنزل.",
    "pl": "Pogoda była tak zła, że cały dzień zostaliśmy w domu.",
}


def test_languages(detector: Detector) -> None:
    assert set(SENTENCES) < set(detector.languages)
    assert len(detector.languages) >= 150


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences(detector: Detector, language: str) -> None:
    found = detector.detect(SENTENCES[language], SENTENCES)
    assert found[0].language == language
    assert found[0].confidence > 0.9
    assert detector.detect(SENTENCES[language])[0].language == language


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("sv", "Vädret var så dåligt att vi stannade hemma hela dagen."),
        ("fi", "Sää oli niin huono, että pysyimme kotona koko päivän."),
        ("el", "Ο καιρός ήταν τόσο άσχημος που μείναμε σπίτι."),
        ("he", "מזג האוויר היה כל כך רע שנשארנו בבית."),
        ("hi", "मौसम इतना खराब था कि हम घर पर ही रहे।"),
        ("vi", "Thời tiết xấu đến nỗi chúng tôi ở nhà cả ngày."),
        ("th", "อากาศแย่มากจนเราอยู่บ้านทั้งวัน"),
        ("ka", "ამინდი ისეთი ცუდი იყო, რომ სახლში დავრჩით."),
    ],
)
def test_other_languages(detector: Detector, language: str, text: str) -> None:
    assert detector.detect(text)[0].language == language


@pytest.mark.parametrize("text", ["", " ", "1234", "12:30 €5", "\0", "\u200f\u200f", "\ud800"])
def test_no_letters(detector: Detector, text: str) -> None:
    assert detector.detect(text) == UNDETERMINED_FOR_SURE


@pytest.mark.parametrize(
    "text", ["https://example.org/index.html", "www.example.org", "someone@example.org"]
)
def test_addresses(detector: Detector, text: str) -> None:
    assert detector.detect(text) == UNDETERMINED_FOR_SURE


@pytest.mark.parametrize("text", ["asdfghjkl", "xkcdqwrtz", "sdfsdfsdf", "d41d8cd98f00b204e980"])
def test_mash(detector: Detector, text: str) -> None:
    assert detector.detect(text, SENTENCES)[0].language == UNDETERMINED


@pytest.mark.parametrize(
    "text", ["for (int i = 0; i < num; i++) {", "def run(self, values):", "my_variable_name"]
)
def test_code(detector: Detector, text: str) -> None:
    assert detector.detect(text) == UNDETERMINED_FOR_SURE


def test_restriction(detector: Detector) -> None:
    text = "la casa grande"
    assert {found.language for found in detector.detect(text, ["de", "fr"])} <= {"de", "fr", "und"}
    assert detector.detect("hallo", ["de"])[0].language == "de"


def test_text_in_a_script_that_is_not_offered(detector: Detector) -> None:
    assert detector.detect(SENTENCES["ru"], ["en", "de"]) == UNDETERMINED_FOR_SURE
    assert detector.detect("שלום עולם", ["en", "ar"]) == UNDETERMINED_FOR_SURE


@pytest.mark.parametrize("languages", [["xx"], ["en", "xx"], [], ["und"], "en"])
def test_unknown_languages_are_refused(detector: Detector, languages: list[str] | str) -> None:
    with pytest.raises(LanguageError):
        detector.detect("hello", languages)


def test_what_is_offered_is_told_in_one_short_line(detector: Detector) -> None:
    with pytest.raises(LanguageError) as caught:
        detector.detect("hello", ["xx"])
    assert len(str(caught.value)) < 120
    assert str(len(detector.languages)) in str(caught.value)
    assert detector.offered() == detector.languages
    assert detector.offered(iter(["nl", "de"])) == ("nl", "de")


def test_order_and_number_of_candidates(detector: Detector) -> None:
    found = detector.detect("no", top=500)
    confidences = [candidate.confidence for candidate in found]
    assert confidences == sorted(confidences, reverse=True)
    assert math.isclose(sum(confidences), 1, abs_tol=1e-5)
    assert detector.detect("no", top=2) == found[:2]


def test_neighbours_do_not_decide_what_an_address_is(detector: Detector) -> None:
    address = "WWW.GUTEN-MORGEN.DE"
    assert detector.detect(address) == detector.detect_many([address, "x@y"], top=3)[0]
    assert detector.detect(address)[0].language == "und"


def test_many_are_what_each_is_alone(detector: Detector) -> None:
    texts = [text[:size] for text in SENTENCES.values() for size in (0, 3, 9, 60)] * 40
    many = detector.detect_many(texts, top=3)
    assert len(many) == len(texts)
    for text, found in list(zip(texts, many, strict=True))[:60]:
        alone = detector.detect(text)
        assert [candidate.language for candidate in found] == [c.language for c in alone]
        for one, other in zip(found, alone, strict=True):
            assert math.isclose(one.confidence, other.confidence, abs_tol=1e-5)


def test_no_texts(detector: Detector) -> None:
    assert detector.detect_many([]) == []


def test_huge_text(detector: Detector) -> None:
    assert detector.detect(SENTENCES["it"] * 20_000)[0].language == "it"
    assert detector.detect("\0" * 1_000_000) == UNDETERMINED_FOR_SURE
    assert detector.detect("a" * 1_000_000)


def test_threads_share_the_default_detector() -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(detect, list(SENTENCES.values()) * 4))
    assert [candidates[0].language for candidates in found] == list(SENTENCES) * 4


@settings(max_examples=300)
@given(
    text=st.text(st.characters(exclude_categories=()), max_size=60),
    languages=st.none() | st.lists(st.sampled_from(sorted(SENTENCES)), min_size=1),
)
def test_any_text(text: str, languages: list[str] | None) -> None:
    found = detect(text, languages, top=3)
    assert 1 <= len(found) <= 3
    assert all(0 < candidate.confidence <= 1 for candidate in found)
    if languages:
        assert {c.language for c in found} <= {*languages, UNDETERMINED}


@settings(max_examples=50)
@given(st.lists(st.text(max_size=40), max_size=8))
def test_probabilities(texts: list[str]) -> None:
    detector = default_detector()
    found = detector.probabilities(texts, ["en", "de", "ru"])
    assert found.shape == (len(texts), len(detector.languages) + 1)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)
    for text, row in zip(texts, found, strict=True):
        best = detector.detect(text, ["en", "de", "ru"], top=1)[0]
        assert math.isclose(row.max(), best.confidence, abs_tol=1e-5)
    names = np.array([*detector.languages, UNDETERMINED])
    assert set(names[found.any(axis=0)]) <= {"en", "de", "ru", UNDETERMINED}


def test_variety_of_the_likeliest(detector: Detector) -> None:
    found = detector.detect("O ônibus para São Paulo já saiu.", SENTENCES, top=3)
    assert (found[0].language, found[0].variety) == ("pt", "pt-BR")
    assert [candidate.variety for candidate in found[1:]] == [None, None]


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, mltranslate.detect; "
        "sys.exit(bool({'numpy', 'onnxruntime', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_name_of_the_package() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        mltranslate.detect.nothing  # noqa: B018


@pytest.mark.parametrize("top", [0, -1, "3", None])
def test_candidates_are_counted_from_one(top: Any) -> None:
    with pytest.raises(UsageError, match="candidates"):
        default_detector().detect("Go home.", top=top)


@pytest.mark.parametrize("text", [None, b"Go home.", 3])
def test_only_strings_are_texts(text: Any) -> None:
    with pytest.raises(UsageError, match="is no text"):
        default_detector().detect(text)


def test_languages_are_a_list() -> None:
    languages: Any = 3
    with pytest.raises(UsageError, match="int is no list of languages"):
        default_detector().detect("Go home.", languages)
