"""Characters that a model does not know, or does not write whole."""

from collections.abc import Sequence

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack, FakeTokenizer

from mltranslate.glossary import Glossary
from mltranslate.pipeline import Translator
from mltranslate.types import Caution


def _translator(decoder: FakeDecoder) -> Translator:
    return Translator(decoder=decoder, detector=FakeDetector())


def test_the_model_reads_letters_for_ligatures() -> None:
    decoder = FakeDecoder()
    result = _translator(decoder).translate("\ufeffThe oﬃce\ufeff is clo\u00adsed.", "de", "en")[0]
    assert decoder.sentences == ["The office is closed."]
    assert result.text == "\ufeffTHE OFFICE IS CLOSED."


def test_broken_characters_are_tried_again() -> None:
    decoder = FakeDecoder(render=lambda text, _, guard: text if guard else f"a\ufffd{text}")
    result = _translator(decoder).translate("Hi you.", "de", "en")[0]
    assert (result.text, result.warnings) == ("Hi you.", ())


def test_a_hypothesis_without_broken_characters_is_taken() -> None:
    decoder = FakeDecoder(
        render=lambda *_: "\ufffd", others=lambda _: [("a\ufffdb", 0.1), ("Ja.", 0.2), ("Ok.", 0.3)]
    )
    result = _translator(decoder).translate("Hi you.", "de", "en", 4, token_scores=True)[0]
    assert (result.text, result.warnings) == ("Ja.", ())
    assert result.score == pytest.approx(-0.7)
    assert [one.token for one in result.token_scores] == [*"Ja.", "</s>"]
    assert len(decoder.batches) == 1


def test_broken_characters_that_stay_are_left_out_and_told() -> None:
    decoder = FakeDecoder(render=lambda *_: "So \ufffd\ufffd is\ufffdt es.")
    result = _translator(decoder).translate("So it is.", "de", "en", 4, n_best=2)[0]
    assert (result.text, result.warnings) == ("So ist es.", (Caution.CHARACTERS,))
    decoder = FakeDecoder(render=lambda *_: "\ufffd")
    result = _translator(decoder).translate("So it is.", "de", "en")[0]
    assert result.text == "So it is."
    assert Caution.CHARACTERS in result.warnings


def test_broken_characters_of_the_source_stay() -> None:
    decoder = FakeDecoder()
    result = _translator(decoder).translate("So \ufffd it is.", "de", "en", 4)[0]
    assert (result.text, result.warnings, len(decoder.batches)) == ("SO \ufffd IT IS.", (), 1)


def test_a_completion_has_no_broken_characters_but_those_given() -> None:
    decoder = FakeDecoder(render=lambda *_: "So is\ufffdt es.")
    result = _translator(decoder).translate("So it is.", "de", "en", prefix="So ")[0]
    assert (result.text, result.warnings) == ("So ist es.", (Caution.CHARACTERS,))
    result = _translator(decoder).translate("So it is.", "de", "en", prefix="So \ufffd")[0]
    assert result.text.startswith("So \ufffd")


class ByteTokenizer(FakeTokenizer):
    """Spells Hangul in bytes."""

    def written(self, ids: Sequence[int]) -> list[bytes]:
        whole = super().written(ids)
        return [
            part for one in whole for part in ([one[:1], one[1:]] if one.decode() > "가" else [one])
        ]


class BytePack(FakePack):
    def tokenizer(self) -> FakeTokenizer:
        return ByteTokenizer()


def test_what_the_model_spells_in_bytes_is_hidden_from_it() -> None:
    decoder = FakeDecoder(pack=BytePack(), render=lambda *_: "Das @a1 ist gut.")
    result = _translator(decoder).translate("The word 한국어 is ﬁne.", "de", "en")[0]
    assert decoder.sentences == ["The word @a1 is fine."]
    assert (result.text, result.warnings) == ("Das 한국어 ist gut.", ())


def test_units_and_formulas_are_hidden_though_each_character_is_known() -> None:
    decoder = FakeDecoder(render=lambda text, *_: text)
    result = _translator(decoder).translate("It has 20 km² of H₂O.", "de", "en")[0]
    assert decoder.sentences == ["It has 20 @a1 of @b2."]
    assert (result.text, result.warnings) == ("It has 20 km² of H₂O.", ())


def test_a_term_is_not_hidden() -> None:
    decoder = FakeDecoder(pack=BytePack(), render=lambda text, *_: text.replace("한국", "Korea"))
    glossary = Glossary([("한국", "Korea"), ("km²", "km²")])
    result = _translator(decoder).translate("The 한국 has 20 km².", "de", "en", glossary=glossary)[
        0
    ]
    assert decoder.sentences == ["The 한국 has 20 km²."]
    assert (result.text, result.missing_terms) == ("The Korea has 20 km².", ())


def test_words_that_get_lost_are_translated_around() -> None:
    decoder = FakeDecoder(pack=BytePack(), render=lambda text, *_: text.strip("@a1Linux."))
    result = _translator(decoder).translate("한국어 word 한.", "de", "en")[0]
    assert result.text.startswith("한국어 word")
    assert "한" in result.text.removeprefix("한국어")
