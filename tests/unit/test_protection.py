"""Protection inside the engine, with a decoder that does as it likes."""

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector
from hypothesis import given
from hypothesis import strategies as st

from mltranslate import Translator
from mltranslate.protection import ProtectingTranslator
from mltranslate.sentences.translator import SentenceTranslator
from mltranslate.sentences.work import Sentence
from mltranslate.types import Caution, Progress

TEXT = "Please visit https://a.b/c for more 😀, and ask {name}."


def _translator(decoder: FakeDecoder) -> Translator:
    return Translator(decoder=decoder, detector=FakeDetector())


def test_plain_sentences_reach_the_model_as_they_are() -> None:
    decoder = FakeDecoder()
    _translator(decoder).translate("One is here. Two, too.", "de", "en")
    assert sorted(decoder.sentences) == ["One is here.", "Two, too."]


def test_the_model_sees_stand_ins_and_no_emoji() -> None:
    decoder = FakeDecoder(render=lambda text, *_: text.replace("visit", "besuche"))
    result = _translator(decoder).translate(TEXT, "de", "en")[0]
    assert decoder.sentences == ["Please visit @a1 for more, and ask @b2."]
    assert result.text == TEXT.replace("visit", "besuche")
    assert result.warnings == ()


def test_a_lost_stand_in_is_tried_again_as_another_word() -> None:
    decoder = FakeDecoder(render=lambda text, *_: text.replace("@a1", "").replace("visit", "sieh"))
    result = _translator(decoder).translate(TEXT, "de", "en")[0]
    assert decoder.sentences[1:] == ["Please visit Linux for more, and ask Google."]
    assert result.text == TEXT.replace("visit", "sieh")
    assert result.warnings == ()


def _deaf(text: str, *_: object) -> str:
    known = text.replace("For", "for")
    return "".join(char if char.islower() else " " for char in known).strip()


def test_at_last_it_is_translated_around() -> None:
    decoder = FakeDecoder(render=_deaf)
    result = _translator(decoder).translate(TEXT, "de", "en")[0]
    assert result.text.replace("😀 ", "") == "lease visit https://a.b/c for more and ask {name}."
    assert Caution.SPLIT in result.warnings


def test_a_guess_is_told() -> None:
    decoder = FakeDecoder(render=lambda *_: "ganz etwas anderes")
    result = _translator(decoder).translate("Are you 😀 happy?", "de", "en")[0]
    assert result.text == "ganz etwas 😀 anderes"
    assert result.warnings == (Caution.PLACED,)


def test_marks_around_words_are_placed_by_what_the_model_looks_at() -> None:
    # The fake's every character comes from the one at its place.
    text = "One is **here** now."
    decoder = FakeDecoder(aligns=True)
    result = _translator(decoder).translate([text, "And another."], "de", "en")
    assert result[0].text == "ONE IS **HERE** NOW."
    assert result[0].warnings == ()
    # Only that sentence is aligned, and nothing is told that was not asked for.
    assert [search.alignment for search in decoder.searches] == [True, False]
    assert [one.alignment for one in result] == [(), ()]


def test_marks_around_words_are_guessed_where_a_pack_tells_nothing() -> None:
    decoder = FakeDecoder(render=lambda *_: "eins und zwei und drei und vier")
    result = _translator(decoder).translate("One is **here** now.", "de", "en")[0]
    assert result.text.count("**") == 2
    assert result.warnings == (Caution.PLACED,)
    assert not decoder.searches[0].alignment


@pytest.mark.parametrize("text", ["%s/Das", "'@n#té5'"])
def test_a_sentence_of_names_alone_is_kept_and_moves_no_other(text: str) -> None:
    plain = SentenceTranslator(FakeDecoder(render=lambda *_: "gut"))
    sentences = [Sentence(text, "en"), Sentence("an apple", "en")]
    one, two = ProtectingTranslator(plain).translate(sentences)
    assert (one.text, two.text) == (text, "gut")


def test_an_empty_translation_gives_the_source() -> None:
    result = _translator(FakeDecoder(render=lambda *_: "")).translate(TEXT, "de", "en")[0]
    assert result.text == TEXT
    assert result.warnings == (Caution.LENGTH,)


def test_emoji_part_sentences_before_a_word_that_begins_one() -> None:
    decoder = FakeDecoder()
    text = "Thanks 😊 I will come. Files → Open"
    result = _translator(decoder).translate(text, "de", "en")[0]
    assert result.text == text.upper()
    assert {*decoder.sentences} == {"Thanks", "I will come.", "Files", "Open"}


def test_progress_counts_each_sentence_once() -> None:
    seen: list[Progress] = []
    translator = _translator(FakeDecoder(render=_deaf))
    translator.translate(f"{TEXT} A plain one.", "de", "en", progress=seen.append)
    assert (seen[-1].done, seen[-1].total) == (2, 2)


ITEMS = ["😀", "https://a.b/c", "{name}", "%s", "@anna", "a.py", "€20", "👩‍💻", "<b>", "your_name"]


@pytest.mark.parametrize("render", [_deaf, lambda text, *_: text[::-1], lambda *_: "gut"])
@given(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=4), st.sampled_from(["de", "zh"]))
def test_whatever_the_model_does_every_item_comes_out(
    render, items: list[str], target: str
) -> None:
    text = " ".join(f"word {item}" for item in items) + " and more"
    result = _translator(FakeDecoder(render=render)).translate(text, target, "en")[0]
    for item in items:
        assert result.text.count(item) == text.count(item)


def test_text_in_capitals_is_small_letters_to_the_model_and_comes_back_in_capitals() -> None:
    decoder = FakeDecoder(render=lambda text, *_: text.replace("Read", "Lies"))
    text = "READ THIS NOW! See {name} there. READ {name} OR https://a.b/c NOW! NASA!"
    result = _translator(decoder).translate(text, "de", "en")[0]
    assert {*decoder.sentences} == {
        "Read this now!", "See @a1 there.", "Read @a1 or @b2 now!", "Nasa!",
    }  # fmt: skip
    assert result.text == text.replace("READ", "LIES")
    assert result.warnings == ()


@pytest.mark.parametrize(
    ("prefix", "asked", "wanted"),
    [
        ("GEH NACH ", "Geh nach ", "GEH NACH STRASSE www.a.com"),
        ("Geh nach ", "Geh nach ", "Geh nach straße www.a.com"),
        ("12 ", "12 ", "12 STRASSE www.a.com"),
    ],
)
def test_capitals_reach_the_model_in_small_letters_also_behind_a_prefix(
    prefix: str, asked: str, wanted: str
) -> None:
    decoder = FakeDecoder(render=lambda *_: f"{asked}straße www.a.com")
    source = "GO HOME TO www.a.com NOW"
    result = _translator(decoder).translate(source, "de", "en", prefix=prefix)[0]
    assert decoder.sentences == ["Go home to www.a.com now"]
    assert result.text == wanted


@given(st.text(max_size=20), st.sampled_from(["GO HOME NOW", "Go home now", "GO {x} HOME"]))
def test_a_prefix_stays_as_it_is_before_any_sentence(prefix: str, text: str) -> None:
    result = _translator(FakeDecoder()).translate(text, "de", "en", prefix=prefix)[0]
    assert result.text.startswith(prefix)
