"""Sentences that begin small, through the engine."""

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack, FakePhrasebook

from mltranslate import Translator
from mltranslate.alignment import Alignment
from mltranslate.starts import _respelt

ROMANCE = FakePack(languages=("en", "fr"), directions=frozenset({("en", "fr"), ("fr", "en")}))


def decoder_of(made: str, others: tuple[str, ...] = ()) -> FakeDecoder:
    return FakeDecoder(
        render=lambda *_: made, others=lambda _: [(one, 0.1) for one in others], pack=ROMANCE
    )


def _translator(decoder: FakeDecoder) -> Translator:
    return Translator(decoder=decoder, detector=FakeDetector())


def test_the_model_gets_a_capital_and_the_reader_none() -> None:
    decoder = decoder_of("Le train part demain.")
    result = _translator(decoder).translate("the train leaves tomorrow.", "fr", "en")[0]
    assert result.text == "le train part demain."
    assert decoder.sentences == ["The train leaves tomorrow."]


def test_a_capital_stays_one() -> None:
    decoder = decoder_of("Le train part demain.")
    result = _translator(decoder).translate("The train leaves tomorrow.", "fr", "en")[0]
    assert result.text == "Le train part demain."


def test_alternatives_are_small_too() -> None:
    decoder = decoder_of("Le train part.", ("Un train part.", "le train part."))
    result = _translator(decoder).translate("the train leaves tomorrow.", "fr", "en", 3, n_best=3)
    texts = [one.text for one in result[0].alternatives]
    assert texts == ["le train part.", "un train part."]


@pytest.mark.parametrize("prefix", ["l", "le tr", "le train ", "Le t", "x"])
def test_a_beginning_stays_as_it_was_given(prefix: str) -> None:
    decoder = decoder_of("Le train part.")
    result = _translator(decoder).translate(
        "the train leaves tomorrow.", "fr", "en", prefix=prefix
    )[0]
    assert result.text.startswith(prefix)
    assert decoder.sentences == ["The train leaves tomorrow."]


def test_links_know_the_words_as_they_are() -> None:
    links = (((0, 1), (0, 1)),)
    made = _respelt(Alignment(("The", "train"), ("Le", "train"), links), "the train", "le train")
    assert made == Alignment(("the", "train"), ("le", "train"), links)
    same = Alignment((), ("Le",), ())
    assert _respelt(same, "the", "un") == same


BOOK = {"Dear Anna,": ("Chère Anna,",), "Dear all,": ("Chers collègues !",)}


@pytest.mark.parametrize(
    ("text", "asked", "said"),
    [
        ("Dear Anna, the train leaves.", ["The train leaves."], "Chère Anna, le train part."),
        ("Dear Anna, 😀 the train leaves.", ["The train leaves."], "Chère Anna, 😀 le train part."),
        ("Dear Anna, I'm leaving.", ["I'm leaving."], "Chère Anna, le train part."),
        ("Dear Anna, The train leaves.", ["The train leaves."], "Chère Anna, Le train part."),
        ("Dear all, the train leaves.", ["The train leaves."], "Chers collègues ! Le train part."),
        ("Dear Anna,\nI'm leaving.", ["I'm leaving."], "Chère Anna,\nLe train part."),
        ("Dear Anna, :)", [], "Chère Anna, :)"),
    ],
)
def test_a_salutation_is_looked_up_for_itself(text: str, asked: list[str], said: str) -> None:
    pack = FakePack(
        languages=ROMANCE.languages, directions=ROMANCE.directions, phrases=FakePhrasebook(BOOK)
    )
    decoder = FakeDecoder(render=lambda *_: "Le train part.", pack=pack)
    result = _translator(decoder).translate(text, "fr", "en")[0]
    assert result.text == said
    assert decoder.sentences == asked
    assert result.phrases == 1
    assert result.warnings == ()


def test_a_beginning_leaves_salutations_alone() -> None:
    pack = FakePack(
        languages=ROMANCE.languages, directions=ROMANCE.directions, phrases=FakePhrasebook(BOOK)
    )
    decoder = FakeDecoder(render=lambda *_: "Chère Anna, le train part.", pack=pack)
    _translator(decoder).translate("Dear Anna, the train leaves.", "fr", "en", prefix="Ch")
    assert decoder.sentences == ["Dear Anna, the train leaves."]
