"""Sentences with terms, on a decoder that does as it likes and on the packs that ship."""

import functools
from collections.abc import Callable, Sequence

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack, FakeTokenizer, label
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mltranslate import Glossary, Translator
from mltranslate.decode import Sampling
from mltranslate.decode.types import Hypothesis, Request
from mltranslate.errors import Cancelled, InputError
from mltranslate.text.terms import flat
from mltranslate.types import CancelToken, Caution, Translation

KNOPF = Glossary([("button", "Knopf")])


def _translator(decoder: FakeDecoder | None = None) -> Translator:
    return Translator(decoder=decoder or FakeDecoder(), detector=FakeDetector())


def _translate(
    text: str, glossary: Glossary, decoder: FakeDecoder | None = None, beam: int = 1
) -> Translation:
    return _translator(decoder).translate(text, "de", "en", beam, glossary=glossary)[0]


def test_a_term_that_the_model_writes_itself_costs_nothing() -> None:
    decoder = FakeDecoder(render=lambda text, *_: text.replace("button", "Knopf"))
    result = _translate("Press the button.", KNOPF, decoder, 4)
    assert (result.text, result.warnings) == ("Press the Knopf.", ())
    assert len(decoder.batches) == 1


def test_a_hypothesis_of_the_beam_that_has_it_is_taken() -> None:
    decoder = FakeDecoder(
        others=lambda text: [("PRESS KNOB.", 0.1), ("PRESS Knopf.", 0.2), ("Knopf PRESS.", 0.3)]
    )
    result = _translate("Press the button.", KNOPF, decoder, 4)
    assert (result.text, result.score) == ("PRESS Knopf.", pytest.approx(-0.7))
    assert len(decoder.batches) == 2, "once as always, once for all hypotheses"


def _knows(*words: tuple[str, str]) -> Callable[[str, str, bool], str]:
    def render(text: str, target: str, guard: bool) -> str:
        for source, translation in words:
            text = text.replace(source, translation)
        return text

    return render


def test_it_is_forced_where_it_is_missing() -> None:
    decoder = FakeDecoder(render=_knows(("Press", "Drücke"), ("button", "Taste")))
    result = _translate("Press button now.", KNOPF, decoder)
    assert "Knopf" in result.text
    assert (result.warnings, result.missing_terms) == ((), ())
    scored, *tries = decoder.batches[1:]
    assert sorted(scored) == ["Press button now.", "Press now."], "with the term and without"
    assert len(tries) == 1, "all places in one batch"
    assert len(tries[0]) == 4, "before each of three words, and at the end"


class Telling(FakeDecoder):
    """Finds KNOB unlikely where the source has no button."""

    def token_scores(
        self,
        requests: Sequence[Request],
        hypotheses: Sequence[Hypothesis],
        *,
        cancel: CancelToken | None = None,
    ) -> list[tuple[float, ...]]:
        decode = FakeTokenizer().decode
        sources = [decode(request.pieces) for request in requests]
        return [
            tuple(-5.0 if char in "KNOB" and "button" not in source else -0.1 for char in said)
            for source, said in zip(
                sources, (decode(one.pieces) + "." for one in hypotheses), strict=True
            )
        ]


@pytest.mark.parametrize("beam", [1, 4])
def test_it_takes_the_place_of_the_models_own_word(beam: int) -> None:
    decoder = Telling(render=_knows(("button", "KNOB")))
    result = _translate("Press button now.", KNOPF, decoder, beam)
    assert result.text == "Press Knopf now."
    assert max(map(len, decoder.batches)) == 2, "no other place is tried"


@pytest.mark.parametrize("prefix", ["Press KNOB", "Press KN", "Press KNOB "])
@pytest.mark.parametrize("beam", [1, 4])
def test_what_a_beginning_says_in_other_words_is_not_said_again(prefix: str, beam: int) -> None:
    decoder = Telling(render=_knows(("button", "KNOB")))
    result = _translator(decoder).translate(
        "Press button now.", "de", "en", beam, prefix=prefix, glossary=KNOPF
    )[0]
    assert result.text == "Press KNOB now."
    assert result.missing_terms == ("Knopf",)
    assert Caution.GLOSSARY in result.warnings


def test_what_says_things_twice_is_not_taken() -> None:
    found = _translate("Press it now.", Glossary([("it", "das")]))
    assert len(found.text) == len("Press it now."), "nothing was put in beside the rest"


def test_the_space_behind_a_forced_term_goes_where_no_word_follows() -> None:
    class Growing(FakeDecoder):
        """Makes a longer word of every term that no space ends."""

        def _found(self, text: str, request: Request, beam: int) -> list[Hypothesis]:
            prefix = request.prefix
            given = FakeTokenizer().decode(prefix.pieces) if prefix else ""
            if given.endswith("Knopf") and prefix and not prefix.ends_word:
                return super()._found(given + "er", request, beam)
            return super()._found(given if given.endswith("Knopf") else text, request, beam)

    for beam in (1, 4):
        result = _translate("Button", KNOPF, Growing(), beam)
        assert (result.text.split()[-1], result.missing_terms) == ("Knopf", ())
        assert result.text == result.text.strip()


@pytest.mark.parametrize(("target", "mark"), [("de", "!"), ("fr", " !")])
def test_marks_behind_a_forced_term_stand_as_the_language_has_them(target: str, mark: str) -> None:
    class Exclaiming(FakeDecoder):
        def _found(self, text: str, request: Request, beam: int) -> list[Hypothesis]:
            prefix = request.prefix
            given = FakeTokenizer().decode(prefix.pieces) if prefix else ""
            if not given.endswith("Knopf"):
                return super()._found(text, request, beam)
            ends = prefix is not None and prefix.ends_word
            return super()._found(given + (" !" if ends else "er"), request, beam)

    pack = FakePack(languages=("en", target), directions=frozenset({("en", target)}))
    translator = _translator(Exclaiming(pack=pack))
    [result] = translator.translate("Button!", target, "en", glossary=KNOPF)
    assert result.text.endswith("Knopf" + mark)


def test_several_terms_are_placed_one_after_the_other() -> None:
    glossary = Glossary([("press", "Drücke"), ("button", "Knopf"), ("now", "jetzt")])
    result = _translate("Press the button now, please.", glossary, FakeDecoder(), 4)
    assert result.missing_terms == ()
    assert all(term in result.text for term in ("Drücke", "Knopf", "jetzt")), result.text


def test_what_cannot_be_had_is_told() -> None:
    class Stubborn(FakeDecoder):
        def search(self, requests, search, **options):  # type: ignore[no-untyped-def]
            if any(request.prefix for request in requests):
                raise InputError("a prefix cannot be completed")
            return super().search(requests, search, **options)

    result = _translate("Press the button. Go.", KNOPF, Stubborn(), 4)
    assert result.text == "PRESS THE BUTTON. GO."
    assert result.warnings == (Caution.GLOSSARY,)
    assert result.missing_terms == ("Knopf",)


def test_terms_that_can_be_had_do_not_wait_for_those_that_cannot() -> None:
    class Picky(FakeDecoder):
        def search(self, requests, search, **options):  # type: ignore[no-untyped-def]
            for request in requests:
                if request.prefix and ord("X") + 4 in request.prefix.pieces:
                    raise InputError("a prefix cannot be completed")
            return super().search(requests, search, **options)

    glossary = Glossary([("press", "Xx"), ("button", "Knopf")])
    result = _translate("Press button.", glossary, Picky(render=_knows()))
    assert "Knopf" in result.text
    assert result.missing_terms == ("Xx",)


def test_sentences_without_a_term_take_the_same_way() -> None:
    text = "See https://a.b/c now. HELP ME WITH THAT! It is 1234 km."
    plain, other = FakeDecoder(render=label), FakeDecoder(render=label)
    expected = _translator(plain).translate(text, "de", "en", 4)[0]
    found = _translator(other).translate(text, "de", "en", 4, glossary=KNOPF)[0]
    assert (found.text, found.score, found.warnings) == (
        expected.text, expected.score, expected.warnings,
    )  # fmt: skip
    assert (other.batches, other.searches) == (plain.batches, plain.searches)


def test_what_is_remembered_is_not_mixed() -> None:
    decoder = FakeDecoder()
    translator = _translator(decoder)

    def said(glossary: Glossary | None) -> str:
        text = "Press the button. Go home."
        return translator.translate(text, "de", "en", 4, glossary=glossary)[0].text

    first = [said(None), said(KNOPF), said(Glossary([("button", "Taste")]))]
    assert ["Knopf" in text for text in first] == [False, True, False]
    assert ["Taste" in text for text in first] == [False, False, True]
    before = len(decoder.batches)
    assert [said(None), said(KNOPF), said(Glossary([("button", "Taste")]))] == first
    assert len(decoder.batches) == before


def test_links_capitals_and_numbers_survive_beside_a_term() -> None:
    keep = FakeDecoder(render=_knows(("222", "2222")))
    text = "See https://a.b/c for button {name} 😀 of 222 km."
    result = _translate(text, KNOPF, keep, 4)
    assert result.missing_terms == ()
    for kept in ("https://a.b/c", "{name}", "😀", "Knopf"):
        assert kept in result.text
    for loud in ("PRESS THE BUTTON AT ONCE!", "PRESS THE BUTTON AT https://a.b/c ONCE!"):
        result = _translate(loud, KNOPF, FakeDecoder(render=_knows()), 4)
        assert "KNOPF" in result.text
        assert result.missing_terms == ()


def test_numbers_are_mended_behind_a_term() -> None:
    decoder = FakeDecoder(render=lambda text, *_: text.replace("347", "3477"))
    result = _translate("button 347 km", KNOPF, decoder)
    assert "Knopf" in result.text
    assert "3477" not in result.text


def test_through_english_the_words_of_the_original_count() -> None:
    decoder = FakeDecoder(render=lambda text, *_: text.replace("Katze", "cat"))
    glossary = Glossary([("Katze", "猫咪", "de", "zh"), ("cat", "DOG", "en", "")])
    found = _translator(decoder).translate(
        ["Eine Katze hier.", "A cat here."], "zh", "de", 4, glossary=glossary
    )
    assert found[0].route == ("de", "en", "zh")
    assert "猫咪" in found[0].text
    assert "DOG" not in found[0].text + found[1].text


LONG = "Eine Katze sitzt hier, und eine Katze sitzt da, und noch eine Katze sitzt dort."


@pytest.mark.parametrize("beam", [1, 2])
def test_through_english_a_long_sentence_has_a_term_in_one_of_its_pieces(beam: int) -> None:
    decoder = FakeDecoder(render=_knows(("Katze", "cat")), pack=FakePack(max_source_tokens=30))
    glossary = Glossary([("Katze", "猫咪", "de", "zh"), ("Hund", "狗狗", "de", "zh")])
    found = _translator(decoder).translate(LONG, "zh", "de", beam, glossary=glossary)[0]
    assert Caution.SPLIT in found.warnings
    assert found.text.count("猫咪") == 1
    assert (found.missing_terms, found.text.count("狗狗")) == ((), 0)


def test_a_piece_that_says_the_term_by_itself_is_enough() -> None:
    def render(text: str, target: str, guard: bool) -> str:
        return text.replace("noch", "猫咪") if target == "zh" else text.replace("Katze", "cat")

    decoder, plain = (
        FakeDecoder(render=render, pack=FakePack(max_source_tokens=30)) for _ in range(2)
    )
    glossary = Glossary([("Katze", "猫咪", "de", "zh")])
    found = _translator(decoder).translate(LONG, "zh", "de", glossary=glossary)[0]
    assert found.text == _translator(plain).translate(LONG, "zh", "de")[0].text
    assert (found.missing_terms, decoder.batches) == ((), plain.batches)


def test_a_translation_that_is_begun_keeps_its_beginning() -> None:
    result = _translator().translate(
        "Press the button.", "de", "en", 4, prefix="Bitte Dr", glossary=KNOPF
    )[0]
    assert result.text.startswith("Bitte Dr")
    assert "Knopf" in result.text


def test_long_sentences_have_their_terms_in_pieces() -> None:
    decoder = FakeDecoder(pack=FakePack(max_source_tokens=30))
    text = "Press the left button there, and go home with your family, or press a button again."
    result = _translate(text, KNOPF, decoder, 2)
    assert result.text.count("Knopf") == 2
    assert result.missing_terms == ()


def test_alternatives_have_the_terms_too() -> None:
    decoder = FakeDecoder(
        render=_knows(("button", "Knopf")),
        others=lambda text: [("Press.", 0.1), ("Press Knopf!", 0.2)],
    )
    result = _translator(decoder).translate(
        "Press button.", "de", "en", 4, n_best=3, glossary=KNOPF
    )[0]
    assert [one.text for one in result.alternatives] == ["Press Knopf.", "Press Knopf!"]


def test_a_forced_term_has_alternatives() -> None:
    decoder = Telling(
        render=_knows(("button", "KNOB")),
        others=lambda text: [
            (text[:-1] + "?", 0.1),
            (text[:-1] + " KNOB.", 0.2),
            (text + "!", 0.3),
        ],
    )
    result = _translator(decoder).translate(
        "Press button now.", "de", "en", 4, n_best=3, glossary=KNOPF
    )[0]
    assert [one.text for one in result.alternatives] == [
        "Press Knopf now.", "Press Knopf now?", "Press Knopf now.!",
    ]  # fmt: skip


def test_terms_that_differ_in_case_are_each_looked_for() -> None:
    glossary = Glossary([("press", "Knopf"), ("button", "knopf")])
    for said in ("Knopf.", "Knopf knopf."):
        decoder = FakeDecoder(render=lambda *_, said=said: said)
        result = _translate("Press button.", glossary, decoder)
        assert (result.text, result.missing_terms) == (said, ())
    result = _translate("Press button.", glossary, FakeDecoder(render=lambda *_: "X knopf."))
    assert "Knopf" in result.text
    assert result.missing_terms == ()


def test_scores_of_tokens_are_those_of_what_is_said() -> None:
    result = _translator().translate(
        "Press it.", "de", "en", 4, token_scores=True, glossary=Glossary([("it", "das")])
    )[0]
    assert "".join(one.token for one in result.token_scores) == result.text + "</s>"
    assert "das" in result.text


def test_links_between_words_are_those_of_what_is_said() -> None:
    result = _translator().translate(
        "Press it.", "de", "en", 4, alignment=True, glossary=Glossary([("it", "das")])
    )[0]
    written = [result.text[slice(*link.target)].casefold() for link in result.alignment]
    assert "das" in written


class Garrulous(FakeDecoder):
    """Goes on where it is given a whole sentence that it would not have written."""

    def _found(self, text: str, request: Request, beam: int) -> list[Hypothesis]:
        given = request.prefix.pieces if request.prefix else ()
        whole = len(given) >= len(text) > 0
        return super()._found(text + " AND SO ON." if whole else text, request, beam)


@pytest.mark.parametrize("beam", [1, 4])
def test_scores_and_links_do_not_ask_the_model_for_the_whole_again(beam: int) -> None:
    result = _translator(Garrulous()).translate(
        "Press it now.", "de", "en", beam, token_scores=True, alignment=True,
        glossary=Glossary([("it", "das")]),
    )[0]  # fmt: skip
    assert "das" in result.text
    assert "".join(one.token for one in result.token_scores) == result.text + "</s>"
    assert "das" in [result.text[slice(*link.target)].casefold() for link in result.alignment]


@functools.cache
def _core() -> Translator:
    return Translator("core9-small", "cpu", 1)


@pytest.mark.parametrize("beam", [1, 2])
@pytest.mark.parametrize("said", ["The cat sleeps in the house.", "The dog barks.", "a house"])
def test_real_packs_score_and_link_forced_terms(said: str, beam: int) -> None:
    glossary = Glossary([("cat", "Mieze"), ("dog", "Pfiffi"), ("house", "Hütte")])
    result = _core().translate(
        said, "de", "en", beam, token_scores=True, alignment=True, glossary=glossary
    )[0]
    assert result.missing_terms == ()
    assert result.token_scores[-1].token == "</s>"
    total = sum(one.log_probability for one in result.token_scores)
    assert total / len(result.token_scores) == pytest.approx(result.score, abs=0.05)
    assert result.alignment


def test_drawn_translations_have_terms() -> None:
    result = _translator().translate(
        "Press button.", "de", "en", sampling=Sampling(seed=1), glossary=KNOPF
    )[0]
    assert "Knopf" in result.text


def test_cancelling_stops_the_search() -> None:
    token = CancelToken()

    def render(text: str, *_: object) -> str:
        token.cancel()
        return text

    with pytest.raises(Cancelled):
        _translator(FakeDecoder(render=render)).translate(
            "Press button.", "de", "en", cancel=token, glossary=KNOPF
        )


WORDS = st.sampled_from(["a", "Ab", "ab", "B", "中", "{x}", "😀", "**", "12", "1234", "HELP", "é-"])
TEXT = st.lists(WORDS | st.text(max_size=3), max_size=12).map(" ".join)


@settings(max_examples=40)
@example("a 😀", "0", "0", 1)
@given(TEXT, st.text(min_size=1, max_size=4), st.text(min_size=1, max_size=4), st.integers(1, 3))
def test_the_term_is_there_or_the_caution_is(
    text: str, source: str, target: str, beam: int
) -> None:
    try:
        glossary = Glossary([(source, target), ("ab", "Xy z"), ("B", "中国")])
    except InputError:
        return
    for language in ("de", "zh"):
        result = _translator().translate(f"{text} is ab.", language, "en", beam, glossary=glossary)[
            0
        ]
        assert (Caution.GLOSSARY in result.warnings) == bool(result.missing_terms)
        # Emoji and marks that are put back may stand within a term.
        assert "xy z" in flat(result.text).casefold() or "Xy z" in result.missing_terms


@functools.cache
def _shipped() -> Translator:
    return Translator("small-en-de-zh", "cpu", 1)


@settings(max_examples=3, deadline=None)
@given(st.sampled_from(["house", "the", "old"]), st.text("abcdeXYZäß- ", min_size=1, max_size=9))
def test_real_packs_write_the_term_or_say_so(source: str, target: str) -> None:
    try:
        glossary = Glossary([(source, target)])
    except InputError:
        return
    for language in ("de", "zh"):
        result = _shipped().translate("The old house.", language, "en", 2, glossary=glossary)[0]
        term = glossary.terms[0].target
        there = term.casefold() in result.text.casefold()
        assert there or result.missing_terms == (term,)
