"""One translator over several packs: which are loaded, which translate, and what results say."""

import threading
from dataclasses import dataclass, field

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack, label
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.decode.types import Search
from mltranslate.errors import Cancelled, LanguageError, PackError
from mltranslate.models import Model
from mltranslate.pipeline import Translator
from mltranslate.types import CancelToken, Caution, Progress


@dataclass
class Shelf:
    """Packs in their order of choice, and a record of what was loaded."""

    decoders: list[FakeDecoder]
    loaded: list[str] = field(default_factory=list)
    failing: frozenset[str] = frozenset()

    def models(self) -> list[Model]:
        return [Model(one.pack, lambda _, one=one: self._load(one)) for one in self.decoders]

    def _load(self, decoder: FakeDecoder) -> FakeDecoder:
        if decoder.pack.name in self.failing:
            raise PackError(f"{decoder.pack.name} is damaged")
        self.loaded.append(decoder.pack.name)
        return decoder


def _decoder(name: str, *directions: str, **facts: str) -> FakeDecoder:
    pairs = frozenset((way[:2], way[3:]) for way in directions)
    codes = tuple(dict.fromkeys(code for pair in sorted(pairs) for code in pair))
    pack = FakePack(name=name, languages=codes, directions=pairs)
    return FakeDecoder(render=lambda text, *_: f"{name}<{text}>", pack=pack, **facts)


def _three(**failing: frozenset[str]) -> Shelf:
    return Shelf([
        _decoder("mine", "en-fr"),
        _decoder("small", "de-en", "en-de", "en-zh", "zh-en"),
        _decoder("core", "de-en", "en-de", "en-fr", "fr-en", precision="fp32"),
    ], **failing)  # fmt: skip


def _translator(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Translator:
    monkeypatch.setattr("mltranslate.pipeline.find_models", lambda *_, **__: shelf.models())
    return Translator(detector=FakeDetector(confidence=0.6))


def test_languages_are_those_of_all_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = _three()
    translator = _translator(shelf, monkeypatch)
    assert translator.languages == ("en", "fr", "de", "zh")
    assert [pack.name for pack in translator.packs] == ["mine", "small", "core"]
    assert translator.detect("Katz und Maus").language == "de"
    assert shelf.loaded == []


def test_a_pivot_may_take_two_packs_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = _three()
    result = _translator(shelf, monkeypatch).translate("Bonjour.", "de", "fr")[0]
    assert result.text == "small<core<Bonjour.>>"
    assert result.route == ("fr", "en", "de")
    assert result.pack == "core 1.0.0 + small 1.0.0"
    assert (result.device, result.provider) == ("cpu", "CPUExecutionProvider")
    assert result.precision == "fp32 + int8"
    assert shelf.loaded == ["core", "small"]


def test_every_text_takes_its_own_way_and_a_pack_its_sentences_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelf = _three()
    seen: list[Progress] = []
    texts = ["Katz und Maus.", "Hello.", "12", "Bonjour.", "Good day."]
    translator = _translator(shelf, monkeypatch)
    found = translator.translate(texts, "fr", progress=seen.append)
    assert [one.text for one in found] == [
        "mine<small<Katz und Maus.>>", "mine<Hello.>", "12", "mine<Bonjour.>", "mine<Good day.>",
    ]  # fmt: skip
    assert [one.pack for one in found] == [
        "small 1.0.0 + mine 1.0.0", "mine 1.0.0", "", "mine 1.0.0", "mine 1.0.0",
    ]  # fmt: skip
    assert [len(batch) for batch in shelf.decoders[0].batches] == [3, 1]
    assert shelf.loaded == ["small", "mine"]
    assert (seen[-1].done, seen[-1].total) == (5, 5)


def test_models_are_loaded_once_and_only_when_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = _three()
    translator = _translator(shelf, monkeypatch)
    untouched = translator.translate(["12", "", "Katz und Maus."], "de")
    assert shelf.loaded == []
    for result in untouched:
        facts = (result.pack, result.device, result.provider, result.precision, result.route)
        assert facts == ("", "", "", "", ())
    assert untouched[0].warnings == (Caution.UNTRANSLATED,)
    threads = [
        threading.Thread(target=translator.translate, args=(f"Hello {n}.", "fr")) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shelf.loaded == ["mine"]


def test_load_loads_a_direction_or_else_the_first_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = _three()
    _translator(shelf, monkeypatch).load(beam=4, source="French", target="de")
    assert shelf.loaded == ["core", "small"]
    assert [one.prepared for one in shelf.decoders] == [[], [4], [4]]
    shelf = _three()
    _translator(shelf, monkeypatch).load()
    assert shelf.loaded == ["mine"]
    with pytest.raises(LanguageError, match="On offer"):
        _translator(Shelf([_decoder("one", "en-de")]), monkeypatch).load(1, "de", "en")


def test_packs_remember_their_own_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = _three()
    translator = _translator(shelf, monkeypatch)
    for _ in range(2):
        assert translator.translate("Same.", "zh", "fr")[0].text == "small<core<Same.>>"
        assert translator.translate("Same.", "en", "de")[0].text == "small<Same.>"
        assert translator.translate("Same.", "fr", "en")[0].text == "mine<Same.>"
    assert [one.sentences for one in shelf.decoders] == [
        ["Same."], ["core<Same.>", "Same."], ["Same."],
    ]  # fmt: skip


def test_a_pack_that_does_not_load_is_told_and_no_other_stands_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelf = _three(failing=frozenset({"small"}))
    translator = _translator(shelf, monkeypatch)
    with pytest.raises(PackError, match="small is damaged"):
        translator.translate(["Hello.", "Bonjour."], "de", "fr")
    assert shelf.decoders[2].batches == [], "told before anything is translated"
    assert translator.translate("Hello.", "fr", "en")[0].text == "mine<Hello.>"


def test_a_cancelled_pivot_stops_between_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = _three()
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        _translator(shelf, monkeypatch).translate(
            "Bonjour.", "de", "fr", cancel=cancel, progress=lambda _: cancel.cancel()
        )
    assert [len(one.batches) for one in shelf.decoders] == [0, 0, 1]


def test_search_options_reach_the_packs_of_both_hops(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = _three()
    translator = _translator(shelf, monkeypatch)
    shelf.decoders[1].others = lambda text: [(text + "!", 0.5)]
    found = translator.translate("Bonjour.", "de", "fr", 2, n_best=2)[0]
    assert [one.text for one in found.alternatives] == [
        "small<core<Bonjour.>>", "small<core<Bonjour.>>!",
    ]  # fmt: skip
    begun = translator.translate("Bonjour.", "de", "fr", prefix="SMALL")[0]
    assert begun.text == "SMALL<core<Bonjour.>>"
    kept = translator.translate("See https://a.b/c now.", "de", "fr")[0]
    assert kept.text.count("https://a.b/c") == 1


def test_a_language_that_no_pack_has_lists_those_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LanguageError, match="Choose one of: en, fr, de, zh"):
        _translator(_three(), monkeypatch).translate("Hi", "Dutch")


def test_every_pack_is_searched_with_what_suits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hops = [
        FakeDecoder(pack=FakePack(directions=frozenset({pair})), length_penalty=penalty)
        for pair, penalty in ((("de", "en"), 1.0), (("en", "zh"), 1.25))
    ]
    translator = _translator(Shelf(hops), monkeypatch)
    translator.translate("Los.", "zh", "de", 4)
    assert [hop.searches for hop in hops] == [
        [Search(beam=4)], [Search(beam=4, length_penalty=1.25)],
    ]  # fmt: skip


@given(st.text(alphabet="aB. \n1é", max_size=60))
def test_two_packs_keep_separators_as_one_does(text: str) -> None:
    one = Translator(decoder=FakeDecoder(render=label), detector=FakeDetector())
    hops = [
        FakeDecoder(render=label, pack=FakePack(directions=frozenset({pair})))
        for pair in (("de", "en"), ("en", "zh"))
    ]
    with pytest.MonkeyPatch.context() as patch:
        two = _translator(Shelf(hops), patch)
    assert two.translate(text, "zh", "de")[0].text == one.translate(text, "zh", "de")[0].text
