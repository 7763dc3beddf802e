"""Phrases that are looked up, through the engine, with a decoder that does as it likes."""

import math
from collections.abc import Mapping

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack, FakePhrasebook, label

from mltranslate import Glossary, Translator
from mltranslate.decode.types import Sampling
from mltranslate.text.phrases import Doubt
from mltranslate.types import Alternative, Cancelled, CancelToken, Progress, Translation

HELLO: Mapping[str, tuple[str, ...]] = {"Hello!": ("Hallo!",), "Bye.": ("Tschüss.",)}


def decoder_with(found: Mapping[str, tuple[str, ...]]) -> FakeDecoder:
    return FakeDecoder(render=label, pack=FakePack(phrases=FakePhrasebook(dict(found))))


def translate(
    decoder: FakeDecoder, text: str, target: str = "de", source: str = "en", **options: object
) -> Translation:
    translator = Translator(decoder=decoder, detector=FakeDetector())
    return translator.translate(text, target, source, **options)[0]  # type: ignore[arg-type]


def test_what_is_found_is_not_decoded_and_told() -> None:
    decoder = decoder_with(HELLO)
    result = translate(decoder, "Hello! Who is it?\nBye.")
    assert result.text == "Hallo! de<Who is it?>\nTschüss."
    assert result.phrases == 2
    assert decoder.sentences == ["Who is it?"]
    assert result.pack == "fake 1.0.0"
    assert result.route == ("en", "de")


def test_nothing_decoded_has_no_score() -> None:
    result = translate(decoder_with(HELLO), "Hello!")
    assert (result.text, result.score, result.phrases) == ("Hallo!", None, 1)
    assert result.warnings == ()


def test_without_the_phrasebook_the_model_says_all() -> None:
    decoder = decoder_with(HELLO)
    translator = Translator(decoder=decoder, detector=FakeDetector(), phrasebook=False)
    result = translator.translate("Hello!", "de", "en")[0]
    assert (result.text, result.phrases) == ("de<Hello!>", 0)


def test_a_pack_without_one_has_no_phrases() -> None:
    result = translate(FakeDecoder(render=label), "Hello!")
    assert (result.text, result.phrases) == ("de<Hello!>", 0)


@pytest.mark.parametrize(("made", "said"), [("Hi.", "Hi."), ("Hey.", "Hallo.")])
def test_of_several_the_model_chooses_or_else_the_first_stands(made: str, said: str) -> None:
    decoder = decoder_with({"Hello.": ("Hallo.", "Hi.")})
    decoder.render = lambda *_: made
    result = translate(decoder, "Hello.")
    assert (result.text, result.phrases) == (said, 1)
    assert decoder.sentences == ["Hello."]


def test_the_models_choice_may_have_another_form() -> None:
    decoder = decoder_with({"Tasche": ("bag", "pocket")})
    decoder.render = lambda *_: "Pocket"
    assert translate(decoder, "Tasche", "en", "de").text == "pocket"


@pytest.mark.parametrize(
    ("doubt", "made", "said"),
    [
        (Doubt.NAME, "Frank", "Frank"),
        (Doubt.NAME, "Ehrlich", "Offen"),
        (Doubt.WORD, "Ehrlich", "Ehrlich"),
        (Doubt.WORD, "offen", "Offen"),
        (Doubt.QUESTION, "Ehrlich", "Ehrlich"),
        (Doubt.QUESTION, "offen?", "Offen"),
    ],
)
def test_where_it_may_be_something_else_the_model_is_asked(
    doubt: Doubt, made: str, said: str
) -> None:
    decoder = decoder_with({"Frank": ("Offen",)})
    assert decoder.pack.phrases
    decoder.pack.phrases.doubt = doubt
    decoder.render = lambda *_: made
    result = translate(decoder, "Frank")
    assert (result.text, result.phrases) == (said, int(said == "Offen"))


@pytest.mark.parametrize("doubt", list(Doubt))
def test_the_best_is_the_same_whatever_else_is_asked_for(doubt: Doubt) -> None:
    decoder = decoder_with({"Watch!": ("Armbanduhr!", "Uhr!")})
    assert decoder.pack.phrases
    decoder.pack.phrases.doubt = doubt
    decoder.render = lambda *_: "Pass auf!"
    one, more = (translate(decoder, "Watch!", beam=4, n_best=count) for count in (1, 4))
    assert (one.text, one.phrases) == (more.text, more.phrases)
    assert more.alternatives[0].text == more.text


def test_what_is_looked_up_may_lack_an_abbreviation() -> None:
    decoder = decoder_with({"ATM坏了。": ("The cash machine is broken.",)})
    result = translate(decoder, "ATM坏了。", "en", "zh")
    assert (result.text, decoder.sentences) == ("The cash machine is broken.", [])


def test_alternatives_are_those_of_the_phrasebook_and_then_the_models() -> None:
    decoder = decoder_with({"Hello.": ("Hallo.", "Hi.")})
    decoder.render = lambda *_: "Guten Tag."
    result = translate(decoder, "Hello.", beam=4, n_best=3)
    assert [one.text for one in result.alternatives] == ["Hallo.", "Hi.", "Guten Tag."]
    assert result.alternatives[0] == Alternative(text="Hallo.", score=None)


def test_scores_are_what_the_model_makes_of_it() -> None:
    result = translate(decoder_with(HELLO), "Hello!", token_scores=True)
    assert "".join(one.token for one in result.token_scores) == "Hallo!</s>"
    assert all(math.isfinite(one.log_probability) for one in result.token_scores)


def test_a_beginning_and_a_draw_are_the_models() -> None:
    decoder = decoder_with(HELLO)
    assert translate(decoder, "Hello!", prefix="Na").phrases == 0
    assert translate(decoder, "Hello!", sampling=Sampling(seed=1)).phrases == 0


def test_a_glossary_comes_first() -> None:
    decoder = decoder_with({"Hello!": ("Hallo!", "Moin!")})
    decoder.render = lambda *_: "Hey!"
    moin = translate(decoder, "Hello!", glossary=Glossary.parse("hello\tMoin\n"))
    assert (moin.text, moin.phrases, moin.missing_terms) == ("Moin!", 1, ())
    servus = translate(decoder, "Hello!", glossary=Glossary.parse("hello\tServus\n"))
    assert (servus.phrases, servus.missing_terms) == (0, ())
    assert "Servus" in servus.text


def test_both_hops_are_counted() -> None:
    decoder = decoder_with({"Hallo!": ("Hello!",), "Hello!": ("你好！",)})
    result = translate(decoder, "Hallo!", "zh", "de")
    assert (result.text, result.phrases, result.route) == ("你好！", 2, ("de", "en", "zh"))
    assert decoder.sentences == []


def test_chinese_of_either_standard_is_looked_up() -> None:
    decoder = decoder_with({"谢谢！": ("Thanks!",), "Thanks!": ("谢谢！",)})
    assert translate(decoder, "謝謝！", "en", "zh").text == "Thanks!"
    assert translate(decoder, "Thanks!", "zh-Hant", "en").text == "謝謝！"


def test_progress_counts_what_was_looked_up() -> None:
    seen: list[Progress] = []
    translate(decoder_with(HELLO), "Hello! Who is it? Hello!", progress=seen.append)
    assert seen[-1] == Progress(done=3, total=3)


def test_it_is_opened_before_the_clock_runs() -> None:
    decoder = decoder_with(HELLO)
    translate(decoder, "Hallo!", "zh", "de")
    assert decoder.pack.phrases
    assert decoder.pack.phrases.opened == [("de", "en"), ("en", "zh")]
    translator = Translator(decoder=decoder, detector=FakeDetector())
    translator.load(1, "en", "de")
    assert decoder.pack.phrases.opened[2:] == [("en", "de")]


def test_a_cancelled_call_looks_nothing_up() -> None:
    decoder = decoder_with(HELLO)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        translate(decoder, "Hello!", cancel=cancel)
    assert decoder.pack.phrases
    assert decoder.pack.phrases.asked == []
