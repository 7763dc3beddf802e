"""How a translation begins, told while the rest of it is still being made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakeTokenizer
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.decode import Hypothesis, Sampling, Search
from mltranslate.drafts import Drafter
from mltranslate.errors import Cancelled, UsageError
from mltranslate.glossary import Glossary
from mltranslate.pipeline import Translator
from mltranslate.protection import ProtectingTranslator
from mltranslate.sentences.translator import SentenceTranslator
from mltranslate.sentences.work import Sentence
from mltranslate.text.protected import mask
from mltranslate.types import CancelToken

LONG = "We all want to go home now, for it is late."
AND = "It rains and rains and rains again."
GREEDY = Search()


@dataclass
class Timed:
    """A drafter over a decoder that takes so many seconds a subword."""

    seconds: float
    decoder: FakeDecoder = field(default_factory=FakeDecoder)
    now: float = 0.0
    told: list[list[str]] = field(default_factory=list)
    settled: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        plain = SentenceTranslator(self)  # type: ignore[arg-type]
        whole = ProtectingTranslator(plain)
        self.drafter = Drafter(
            plain, whole, lambda one, _: one.text in self.settled, clock=lambda: self.now
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self.decoder, name)

    def search(self, requests: Any, search: Search, **options: Any) -> list[list[Hypothesis]]:
        found = self.decoder.search(requests, search, **options)
        longest = max(len(hypotheses[0].pieces) for hypotheses in found)
        self.now += self.seconds * longest
        return found

    def translate(self, *texts: str, search: Search = GREEDY, target: str = "de") -> list[str]:
        asked = [Sentence(text, target, "en") for text in texts]
        found = self.drafter.translate(asked, search, lambda told: self.told.append(list(told)))
        return [one.text for one in found]


def test_a_slow_sentence_is_looked_at_again_and_again() -> None:
    timed = Timed(seconds=0.1)
    assert timed.translate(LONG) == [LONG.upper()]
    assert timed.told == [["WE"], ["WE ALL WANT"]]
    # Each look reaches twice as far, and none beyond 0.6 of the expected length.
    assert timed.decoder.limits == [4, 8, 16, 2 * len(LONG) + 16]


def test_a_fast_sentence_is_looked_at_once_to_find_that_out() -> None:
    timed = Timed(seconds=0.0001)
    assert timed.translate(LONG, AND, LONG[:-1]) == [LONG.upper(), AND.upper(), LONG[:-1].upper()]
    assert timed.decoder.batches == [[LONG], [LONG], [AND, LONG[:-1]]], "the others in one go"
    assert timed.told == [[LONG.upper()]]


def test_sentences_are_told_of_in_groups_of_a_second() -> None:
    timed = Timed(seconds=0.004)
    texts = [f"Sentence {number} is not very long at all, but long." for number in range(12)]
    assert timed.translate(*texts) == [text.upper() for text in texts]
    # The first alone, as nothing was known; by its look a sentence takes 0.135 s, so that seven
    # take less than a second. Together they take no longer than one, so that the rest is one group.
    assert [len(told) for told in timed.told] == [1, 8]
    assert all(told == [text.upper() for text in texts[: len(told)]] for told in timed.told)


def test_a_bad_measurement_is_mended_by_the_next() -> None:
    timed = Timed(seconds=1.0)
    timed.translate(LONG)
    timed.seconds, timed.told = 0.0001, []
    batches = len(timed.decoder.batches)
    texts = [f"Sentence {number} is not very long at all, but long." for number in range(9)]
    timed.translate(*texts)
    # One look, the sentence itself, and all others together.
    assert len(timed.decoder.batches) == batches + 3
    timed.seconds, timed.told = 0.1, []
    timed.translate(AND)
    timed.translate(f"{LONG} {AND}")
    assert timed.told[-1] == ["WE ALL WANT TO GO HOME NOW,"]


def test_what_was_measured_of_one_does_not_outlive_what_was_of_many() -> None:
    timed = Timed(seconds=0.0001)
    timed.translate(LONG)
    timed.seconds, timed.told = 0.5, []
    texts = [f"Sentence {number} is not very long at all, but long." for number in range(40)]
    timed.translate(*texts[:20])
    assert timed.told == [], "it was expected to take no time"
    timed.translate(*texts[20:])
    assert len(timed.told) > 10


def test_what_is_looked_up_says_nothing_about_the_pace_and_is_not_looked_at() -> None:
    timed = Timed(seconds=0.1, settled=(AND,))
    timed.translate(AND, AND)
    assert timed.decoder.limits == [2 * len(AND) + 16], "only the whole was searched for"
    timed.told = []
    timed.translate(LONG)
    assert timed.told == [["WE"], ["WE ALL WANT"]]


def test_repeated_sentences_say_nothing_about_the_pace() -> None:
    timed = Timed(seconds=0.02)
    texts = [f"Sentence {number} is not very long at all, but long." for number in range(60)]
    timed.translate(*[LONG] * 6, *texts)
    alone = Timed(seconds=0.02)
    alone.translate(*texts)
    assert abs(len(timed.told) - len(alone.told)) <= 2
    assert len(timed.told) > 5


def test_a_long_text_that_is_cancelled_is_not_read_to_its_end() -> None:
    cancel = CancelToken()
    read: list[str] = []

    class Reading(FakeTokenizer):
        def encode(self, text: str) -> tuple[int, ...]:
            read.append(text)
            if len(read) > 20:
                cancel.cancel()
            return super().encode(text)

    timed = Timed(seconds=0.0001)
    timed.drafter._plain._tokenizer = Reading()
    asked = [Sentence(f"{LONG} {number}", "de", "en") for number in range(5000)]
    with pytest.raises(Cancelled):
        timed.drafter.translate(asked, GREEDY, lambda _: None, cancel=cancel)
    assert len(read) < 50


def test_each_beam_has_its_pace() -> None:
    timed = Timed(seconds=0.0001)
    timed.translate(LONG)
    timed.seconds = 0.1
    timed.translate(AND, search=Search(beam=4))
    assert timed.told, "greedy search says nothing about a beam"


def test_many_remembered_sentences_are_told_of_a_few_times() -> None:
    timed = Timed(seconds=0.0001)
    texts = [f"Sentence {number} is rather long." for number in range(300)]
    timed.translate(*texts)
    timed.told, batches = [], len(timed.decoder.batches)
    timed.translate(*texts)
    assert (timed.told, len(timed.decoder.batches)) == ([], batches)


def test_behind_finished_sentences_stands_the_beginning_of_the_next() -> None:
    timed = Timed(seconds=0.1)
    timed.translate(AND, LONG)
    assert [AND.upper(), "WE ALL WANT"] in timed.told
    assert timed.told.index([AND.upper()]) < timed.told.index([AND.upper(), "WE ALL WANT"])


def test_what_is_remembered_is_not_looked_at() -> None:
    timed = Timed(seconds=0.1)
    timed.translate(LONG)
    timed.told.clear()
    batches = len(timed.decoder.batches)
    assert timed.translate(LONG) == [LONG.upper()]
    assert (timed.told, len(timed.decoder.batches)) == ([], batches)


def test_beginnings_have_links_and_capitals() -> None:
    timed = Timed(seconds=0.1, decoder=FakeDecoder(render=lambda text, *_: text))
    text = "See https://a.b/c and then go to the other end of the road, please."
    assert timed.translate(text) == [text]
    assert timed.told[-1] == ["See https://a.b/c and then go to the"]
    timed.told.clear()
    timed.translate("WE ALL WANT TO GO HOME NOW, FOR IT IS LATE.")
    assert timed.told == [["WE"], ["WE ALL WANT"]]


def test_no_part_of_a_stand_in_is_told_of() -> None:
    timed = Timed(seconds=0.1, decoder=FakeDecoder(render=lambda text, *_: text))
    for shift in range(4):
        text = f"See{'e' * shift} https://a.b/c then and then go on and on and on and on."
        timed.translate(text, target="zh")
    told = {one for [one] in timed.told}
    assert not any("@" in one for one in told)
    assert any("https://a.b/c" in one for one in told)
    assert "See" in told


def test_the_likeliest_beginning_that_goes_on_is_told_of() -> None:
    class Hasty(FakeDecoder):
        def search(self, requests: Any, search: Search, **options: Any) -> list[list[Hypothesis]]:
            ended = Hypothesis(pieces=(70,), score=-0.1, finished=True)
            found = super().search(requests, search, **options)
            cut = any(not hypotheses[0].finished for hypotheses in found)
            return [[ended, *hypotheses] if cut else hypotheses for hypotheses in found]

    timed = Timed(seconds=0.1, decoder=Hasty())
    timed.translate(LONG, search=Search(beam=2))
    assert timed.told == [["WE"], ["WE ALL WANT"]]


def test_a_look_asks_for_nothing_but_a_beginning() -> None:
    timed = Timed(seconds=0.1)
    whole = Search(beam=4, alternatives=2, length_penalty=1.2, coverage_penalty=0.1,
                   token_scores=True, alignment=True)  # fmt: skip
    timed.translate(LONG, search=whole)
    *looks, last = timed.decoder.searches
    assert last == whole
    assert set(looks) == {Search(beam=4, length_penalty=1.2)}
    drawn = Search(sampling=Sampling(seed=3))
    timed.translate(AND, search=drawn)
    assert timed.decoder.searches[-2:] == [drawn, drawn]


def _translator(decoder: FakeDecoder | None = None) -> Translator:
    return Translator(decoder=decoder or FakeDecoder(), detector=FakeDetector())


def _drafts(translator: Translator, text: str, **options: Any) -> tuple[list[str], str]:
    drafts: list[str] = []
    result = translator.translate(text, "de", "en", draft=drafts.append, **options)[0]
    return drafts, result.text


def test_drafts_keep_what_stands_before_and_between() -> None:
    drafts, text = _drafts(_translator(), "\n*  Hello you.\n\n* Good day.\n42")
    assert text == "\n*  HELLO YOU.\n\n* GOOD DAY.\n42"
    assert drafts == ["\n*  HELLO YOU."]


def test_drafts_of_a_completion_begin_with_the_prefix() -> None:
    asked = "Hello you. Good day. Now go home."
    drafts, text = _drafts(_translator(), asked, prefix="HELLO")
    assert text == "HELLO YOU. GOOD DAY. NOW GO HOME."
    assert drafts == ["HELLO YOU."], "no part of the first sentence, as its reader has begun it"


def test_drafts_are_of_the_last_language_of_the_way() -> None:
    drafts: list[str] = []
    decoder = FakeDecoder(render=lambda text, target, _: f"{target}<{text}>")
    _translator(decoder).translate("Katz und Maus. Hund.", "zh", "de", draft=drafts.append)
    assert drafts[-1] == "zh<en<Katz und Maus.>>"


def test_terms_may_be_missing_in_drafts_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mltranslate.drafts.WAIT", 0.0)
    path = tmp_path / "terms.tsv"
    path.write_text("en\tde\nhome\tHEIM\n", encoding="utf-8")
    drafts, text = _drafts(_translator(), LONG, glossary=Glossary.read(path))
    assert drafts == ["WE", "WE ALL WANT"]
    assert "HEIM" in text


def test_a_remembered_sentence_with_an_abbreviation_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mltranslate.drafts.WAIT", 0.0)
    decoder = FakeDecoder(render=lambda text, *_: text.replace("NHK", "zzz") + "!")
    translator = Translator(decoder=decoder, detector=FakeDetector())
    text = "我们 都想 每天 早上 看 NHK 的 新闻。"
    drafts: list[str] = []
    for _ in range(2):
        found = translator.translate(text, "en", "zh", draft=drafts.append)[0]
        assert found.text == f"{text}!"
        assert drafts == ["我们 都想"]
        assert len(decoder.batches) == 4, "two looks, two translations, and no more"


def test_nothing_is_told_of_what_is_not_translated() -> None:
    for text in ("", "12", "\n"):
        assert _drafts(_translator(), text) == ([], text)


def test_drafts_of_several_texts_are_refused() -> None:
    for texts in ([], ["One.", "Two."]):
        with pytest.raises(UsageError, match=f"drafts do not fit {len(texts)} texts"):
            _translator().translate(texts, "de", "en", draft=lambda _: None)


def test_a_cancelled_text_is_not_looked_at() -> None:
    cancel = CancelToken()
    drafts: list[str] = []

    def stop(text: str) -> None:
        drafts.append(text)
        cancel.cancel()

    with pytest.raises(Cancelled):
        _translator().translate(f"{LONG} {AND}", "de", "en", cancel=cancel, draft=stop)
    assert len(drafts) == 1


@pytest.mark.parametrize(
    ("sentence", "made", "draft"),
    [
        pytest.param("SEE `code_x` NOW, ALL OF YOU", "主席，请看 @a", "主席，请看", id="capitals"),
        pytest.param("It lasted {count} hours", "持续的 @a11小时", "持续的", id="glued"),
        pytest.param("It lasted {count} hours", "持续 @a1 小时", "持续 {count} 小时", id="whole"),
        pytest.param("It lasted {count} hours", "mail@", "mail", id="maybe"),
    ],
)
def test_a_broken_stand_in_ends_a_beginning(sentence: str, made: str, draft: str) -> None:
    masked = mask(sentence, language="en")
    assert masked is not None
    assert masked.beginning(made, "zh") == draft


@given(st.text(alphabet="Aa b.!?\n{}😀1<日本", max_size=60))
def test_drafts_change_nothing_about_the_result(text: str) -> None:
    drafts: list[str] = []
    plain = _translator().translate(text, "de", "en")[0]
    result = _translator().translate(text, "de", "en", draft=drafts.append)[0]
    assert replace(result, milliseconds=0) == replace(plain, milliseconds=0)
    assert all(drafts)
