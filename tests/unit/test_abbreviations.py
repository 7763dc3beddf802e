"""Abbreviations through the engine, with a decoder that does as it likes."""

from collections.abc import Callable

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack
from hypothesis import given
from hypothesis import strategies as st

from mltranslate import Glossary, Translator
from mltranslate.types import Progress, Translation

NEWS = "我看NHK。"


def _through(language: str) -> FakePack:
    languages = ("en", "zh", language)
    directions = {(a, b) for a in languages for b in languages if a != b and "en" in (a, b)}
    return FakePack(languages=languages, directions=frozenset(directions))


def _translate(
    decoder: FakeDecoder, text: str = NEWS, target: str = "en", source: str = "zh", beam: int = 1
) -> Translation:
    translator = Translator(decoder=decoder, detector=FakeDetector())
    return translator.translate(text, target, source, beam)[0]


def _losing(*words: str, into: str = "") -> Callable[[str, str, bool], str]:
    """Makes nonsense of these words on the way into a language, or into any."""

    def render(text: str, target: str, guard: bool) -> str:
        for word in words if into in ("", target) else ():
            text = text.replace(word, "zzz")
        return f"{text}!"

    return render


def test_what_is_kept_costs_nothing() -> None:
    decoder = FakeDecoder(render=_losing())
    assert _translate(decoder).text == f"{NEWS}!"
    assert decoder.sentences == [NEWS]


def test_what_is_lost_is_hidden_once() -> None:
    decoder = FakeDecoder(render=_losing("NHK"))
    result = _translate(decoder, f"{NEWS}我看BBC。")
    assert result.text == "我看NHK。! 我看BBC。!"
    assert sorted(decoder.sentences) == sorted([NEWS, "我看BBC。", "我看Linux。"])
    assert result.warnings == ()


@pytest.mark.parametrize(
    "render",
    [
        _losing("NHK", "Linux"),
        lambda text, *_: text.replace("NHK", "zzz"),  # the copy of a source is no translation
        lambda text, *_: "" if "Linux" in text else "zzz",
        lambda text, *_: "Linux Linux" if "Linux" in text else "zzz",
        lambda text, *_: "Linux" + " na" * 30 if "Linux" in text else "zzz",
    ],
)
def test_a_second_translation_must_be_better(render: Callable[[str, str, bool], str]) -> None:
    expected = render(NEWS, "en", False)
    assert _translate(FakeDecoder(render=render)).text == expected


def test_there_are_better_ones_with_more_of_them() -> None:
    result = _translate(FakeDecoder(render=_losing("NHK", "BBC", "CNN")), "NHK和BBC和CNN。")
    assert result.text == "NHK和BBC和zzz。!"


def test_the_other_words_of_a_sentence_stay_hidden() -> None:
    text = "我在https://a.b/c看NHK和`CNN` 😀。"
    result = _translate(FakeDecoder(render=_losing("NHK", "CNN")), text)
    assert result.text == f"{text}!"


def test_alternatives_keep_them_too() -> None:
    decoder = FakeDecoder(
        render=_losing("NHK"),
        others=lambda text: [(f"{text}?", 0.1), ("zzz", 0.2)],
    )
    result = Translator(decoder=decoder, detector=FakeDetector()).translate(
        NEWS, "en", "zh", 4, n_best=3
    )[0]
    assert result.text == f"{NEWS}!"
    assert [one.text for one in result.alternatives] == [f"{NEWS}!", f"{NEWS}!?"]


@pytest.mark.parametrize("source", ["en", "de"])
def test_capitals_of_other_languages_may_be_stressed_words(source: str) -> None:
    decoder = FakeDecoder(render=_losing("NOT", "NHK"))
    result = _translate(decoder, "I do NOT watch NHK.", "zh", source)
    assert "zzz watch zzz" in result.text


def test_a_beginning_and_terms_are_left_as_they_are() -> None:
    translator = Translator(decoder=FakeDecoder(render=_losing("NHK")), detector=FakeDetector())
    begun = translator.translate(NEWS, "en", "zh", prefix="I")[0]
    assert begun.text == "I看zzz。!"
    term = Glossary([("NHK", "zzz")])
    assert translator.translate(NEWS, "en", "zh", glossary=term)[0].text == "我看zzz。!"


@pytest.mark.parametrize("into", ["en", "ja", "de", "fr"])
def test_both_hops_keep_what_the_original_has(into: str) -> None:
    target = "de" if into == "en" else into
    decoder = FakeDecoder(render=_losing("NHK", "NOT", into=into), pack=_through(target))
    detector = FakeDetector(languages=("en", "zh", target))
    result = Translator(decoder=decoder, detector=detector).translate(NEWS, target, "zh")[0]
    assert result.route == ("zh", "en", target)
    assert result.text == f"{NEWS}!"  # of two hops, as runs of marks are those of the source


def test_languages_with_abbreviations_of_their_own_may_use_them() -> None:
    def render(text: str, target: str, guard: bool) -> str:
        return text.replace("GDP", "PIB") if target == "fr" else f"{text}!"

    decoder = FakeDecoder(render=render, pack=_through("fr"))
    assert _translate(decoder, "中国的GDP。", "fr").text == "中国的PIB。!"


def test_other_scripts_may_spell_them() -> None:
    decoder = FakeDecoder(render=_losing("NHK", into="ru"), pack=_through("ru"))
    assert _translate(decoder, NEWS, "ru").text == "我看zzz。!"


def test_progress_counts_each_sentence_once() -> None:
    seen: list[Progress] = []
    translator = Translator(decoder=FakeDecoder(render=_losing("NHK")), detector=FakeDetector())
    translator.translate(f"{NEWS}你好。", "en", "zh", progress=seen.append)
    assert (seen[-1].done, seen[-1].total) == (2, 2)


WORDS = st.sampled_from(["NHK", "CO2", "我看", "。", " ", "{x}", "😀", "Linux", "7", "GO"])


@given(st.lists(WORDS | st.text(max_size=2), min_size=1, max_size=8).map("".join))
def test_no_text_is_too_strange(text: str) -> None:
    result = _translate(FakeDecoder(render=_losing("NHK")), f"我{text}")
    again = _translate(FakeDecoder(render=_losing("NHK")), f"我{text}")
    assert (result.text, result.source_text) == (again.text, f"我{text}")
