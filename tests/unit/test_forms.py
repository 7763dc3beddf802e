"""Words and short phrases are tried without capital and mark; the model's probability decides."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack

from mltranslate.decode.types import Hypothesis, Request, Sampling, Search
from mltranslate.glossary import Glossary, Term
from mltranslate.pipeline import Translator

KNOWN = {
    "dog": ("hund", -0.1),
    "help": ("hilfe!", -0.1),
    "paris": ("x", -3.0),
    "US": ("États-Unis", -0.4),
    "us": ("nous", -0.1),
    "abc": ("alphabet", -0.7),
    "abcde": ("alphabet", -0.7),
    "guten Morgen": ("good morning", -0.1),
}


class Knowing(FakeDecoder):
    """Is sure of what it knows, and gives the rest back at a mean log-probability of -1."""

    known: Mapping[str, tuple[str, float]] = KNOWN

    def _found(self, text: str, request: Request, beam: int) -> list[Hypothesis]:
        made, score = self.known.get(text, (text, -1.0))
        pieces = self.pack.tokenizer().encode(made)
        return [Hypothesis(pieces=pieces, score=score, finished=True)]


def _translator(render: Callable[[str, str, bool], str] = lambda text, *_: text) -> Translator:
    codes = ("en", "de", "fr", "es", "zh")
    pairs = frozenset((one, other) for one in codes for other in codes if one != other)
    decoder = Knowing(render=render, pack=FakePack(languages=codes, directions=pairs))
    return Translator(decoder=decoder, detector=FakeDetector())


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("dog", "de", "hund"),
        ("Dog", "de", "Hund"),
        ("Dog.", "de", "Hund."),
        ("dog!", "de", "Hund!"),
        ("DOG", "de", "HUND"),
        ("Dog!", "fr", "Hund !"),
        ("Dog?", "es", "¿Hund?"),
        ("Dog.", "zh", "Hund。"),
        ("Help!", "de", "Hilfe!"),
        ("Help!", "es", "¡Hilfe!"),
        ("Paris", "de", "Paris"),
        ("Paris.", "de", "Paris."),
        ("Cat", "de", "Cat"),
        ("My dog", "de", "My dog"),
        ("iPhone", "de", "iPhone"),
        ("A dog is here now.", "de", "A dog is here now."),
        ("US", "fr", "États-Unis"),
        ("US.", "fr", "US."),
        ("us", "fr", "nous"),
        ("ABC", "de", "ABC"),
        ("Abc", "de", "Alphabet"),
        ("ABCDE", "de", "ALPHABET"),
    ],
)
def test_the_form_that_the_model_is_surer_of_counts(text: str, target: str, expected: str) -> None:
    assert _translator().translate(text, target, "en", 4)[0].text == expected


def test_marks_of_the_source_language_are_taken_off() -> None:
    assert _translator().translate("¡Dog!", "en", "es", 4)[0].text == "Hund!"
    assert _translator().translate("Guten Morgen!", "en", "de", 4)[0].text == "Good morning!"


def test_what_is_begun_bound_or_drawn_is_left_alone() -> None:
    translator = _translator()
    assert translator.translate("Dog", "de", "en", sampling=Sampling(seed=1))[0].text == "Dog"
    assert translator.translate("Dog", "de", "en", prefix="H")[0].text.startswith("H")
    bound = translator.translate("Dog", "de", "en", glossary=Glossary([Term("dog", "Dog")]))[0]
    assert (bound.text, bound.missing_terms) == ("Dog", ())


def test_a_few_capitals_that_the_model_fails_at_are_taken_for_a_word() -> None:
    class Looping(Knowing):
        def _found(self, text: str, request: Request, beam: int) -> list[Hypothesis]:
            [one] = super()._found(text, request, beam)
            return [replace(one, finished=text != "ABC")]

    decoder = Looping(render=lambda text, *_: text)
    found = Translator(decoder=decoder, detector=FakeDetector()).translate("ABC", "de", "en")[0]
    assert (found.text, found.warnings) == ("ALPHABET", ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Dog", "Hund"), ("Dog.", "Hund."), ("DOG", "HUND"), ("Dog!", "Hund!"), ("dog", "hund")],
)
def test_a_term_that_the_bare_form_has_costs_nothing(text: str, expected: str) -> None:
    decoder = Knowing(render=lambda text, *_: text)
    glossary = Glossary([Term("dog", "hund")])
    translator = Translator(decoder=decoder, detector=FakeDetector())
    found = translator.translate(text, "de", "en", glossary=glossary)[0]
    assert (found.text, found.missing_terms) == (expected, ())
    assert sum(map(len, decoder.batches)) == len({text, "dog"})


def test_a_term_is_forced_into_the_bare_form() -> None:
    translator = _translator()
    for text, expected in (("Dog.", "Wauwau"), ("DOG", "Wauwau"), ("dog", "Wauwau")):
        glossary = Glossary([Term("dog", "Wauwau")])
        found = translator.translate(text, "de", "en", glossary=glossary)[0]
        assert expected in found.text
        assert (found.text.strip(), found.missing_terms) == (found.text, ())


def test_long_text_is_searched_for_once() -> None:
    decoder = Knowing()
    translator = Translator(decoder=decoder, detector=FakeDetector())
    translator.translate("The dog sleeps in the old house.", "de", "en", 4)
    assert decoder.searches == [Search(beam=4)]
