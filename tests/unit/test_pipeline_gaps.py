"""Chinese translations have their gaps, whatever the model sets, in every way to ask for them."""

from __future__ import annotations

from fake_engine_parts import FakeDecoder, FakeDetector, FakePack

from mltranslate.glossary import Glossary
from mltranslate.pipeline import Translator


def _translator(output: str, others: tuple[str, ...] = ()) -> Translator:
    pack = FakePack(languages=("en", "zh"), directions=frozenset({("en", "zh")}))
    decoder = FakeDecoder(
        render=lambda text, target, guard: output,
        others=lambda _: [(other, 1.0) for other in others],
        pack=pack,
    )
    return Translator(decoder=decoder, detector=FakeDetector())


def test_translations_into_chinese_have_gaps() -> None:
    found = _translator("用Linux 写3次").translate("Hello.", "zh", "en")[0]
    assert found.text == "用 Linux 写 3 次"


def test_runs_of_marks_are_those_of_the_source_and_marks_have_no_space_before() -> None:
    found = _translator("写 3 ）！！ 。", ("写！！",)).translate(
        "Write!!!", "zh", "en", beam=4, n_best=2
    )[0]
    assert found.text == "写 3）！！！。"
    assert [one.text for one in found.alternatives] == ["写 3）！！！。", "写！！！"]


def test_alternatives_that_differ_in_gaps_alone_are_one() -> None:
    found = _translator("用x写", ("用 x写", "用y写")).translate(
        "Hello.", "zh", "en", beam=4, n_best=3
    )[0]
    assert [one.text for one in found.alternatives] == ["用 x 写", "用 y 写"]


def test_a_beginning_stays_as_it_was_given() -> None:
    found = _translator("用x写3次").translate("Hello.", "zh", "en", prefix="用x写")[0]
    assert found.text.startswith("用x写")
    assert found.text.endswith(" 3 次")


def test_a_term_stays_as_the_glossary_has_it() -> None:
    glossary = Glossary([("hello", "x写")])
    found = _translator("用x写3次").translate("Hello.", "zh", "en", glossary=glossary)[0]
    assert (found.text, found.missing_terms) == ("用 x写 3 次", ())


def test_words_of_the_source_come_back_as_they_were() -> None:
    found = _translator("见 #标签abc标 吧").translate("See #标签abc标 now.", "zh", "en")[0]
    assert "#标签abc标" in found.text


def test_drafts_have_gaps_too() -> None:
    told: list[str] = []
    glossary = Glossary([("one", "y写")])
    translator = _translator("用x写y写。")
    text = "One. Two. " * 40
    final = translator.translate(text, "zh", "en", draft=told.append, glossary=glossary)[0].text
    assert told
    assert all(final.startswith(one.removesuffix("用")) for one in told)
