"""What a translator can be told about its search: alternatives, completion, scores, options."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack, label
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.decode import Sampling, Search
from mltranslate.errors import InputError, UsageError
from mltranslate.glossary import Glossary
from mltranslate.pipeline import Translator
from mltranslate.types import Detection, TokenScore


def _translator(decoder: FakeDecoder | None = None) -> Translator:
    return Translator(decoder=decoder or FakeDecoder(), detector=FakeDetector())


def _polite(text: str) -> list[tuple[str, float]]:
    return [(f"{text[:-1]}, PLEASE.", 0.2), (text, 0.3), ("", 0.4), (f"NOW {text}", 0.5)]


def test_the_best_alternatives_of_a_sentence() -> None:
    decoder = FakeDecoder(others=_polite)
    result = _translator(decoder).translate("Go home.", "de", "en", 5, n_best=3)[0]
    found = [(one.text, one.score) for one in result.alternatives]
    assert [text for text, _ in found] == ["GO HOME.", "GO HOME, PLEASE.", "NOW GO HOME."]
    assert [score for _, score in found] == pytest.approx([-0.5, -0.7, -1.0])
    assert (result.text, result.score) == found[0]
    few = _translator(decoder).translate("Go home.", "de", "en", 8, n_best=8)[0]
    assert len(few.alternatives) == 3, "empty ones and the same words again do not count"


def test_alternatives_of_a_text_vary_its_sentences() -> None:
    decoder = FakeDecoder(others=lambda text: [(text.lower(), 0.1 if "B" in text else 0.15)])
    text = "  Aa is.\nBb is. 12"
    result = _translator(decoder).translate(text, "de", "en", 4, n_best=4)[0]
    assert [one.text for one in result.alternatives] == [
        "  AA IS.\nBB IS. 12", "  AA IS.\nbb is. 12", "  aa is.\nBB IS. 12",
        "  aa is.\nbb is. 12",
    ]  # fmt: skip
    scores = [one.score or 0.0 for one in result.alternatives]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(("penalty", "first"), [(1.0, "G NO."), (1.25, "GO THERE. NO!!")])
def test_alternatives_of_a_text_lose_by_what_the_search_ranks_by(
    penalty: float, first: str
) -> None:
    """One that is shorter and has as high a mean is worth less where length is favoured."""
    others = {"GO THERE.": [("G", 0.0)], "NO.": [("NO!!", 0.01)]}
    translator = _translator(FakeDecoder(others=lambda text: others[text]))
    result = translator.translate("Go there. No.", "de", "en", 4, n_best=2, length_penalty=penalty)[
        0
    ]
    assert [one.text for one in result.alternatives] == ["GO THERE. NO.", first]


def test_alternatives_through_english_are_those_of_the_last_translation() -> None:
    decoder = FakeDecoder(render=label, others=lambda text: [(text + "!", 0.5)])
    result = _translator(decoder).translate("Katz und Maus.", "zh", beam=2, n_best=2)[0]
    assert [one.text for one in result.alternatives] == [
        "zh<en<Katz und Maus.>>", "zh<en<Katz und Maus.>>!",
    ]  # fmt: skip
    assert result.alternatives[0].score == result.score


def test_alternatives_get_back_what_was_hidden() -> None:
    decoder = FakeDecoder(
        render=lambda text, *_: text,
        others=lambda text: [(text.replace("@a1", ""), 0.1), ("X @a1 y @b2", 0.2)],
    )
    text = "Please visit https://a.b/c for more, and ask {name}."
    result = _translator(decoder).translate(text, "de", "en", 3, n_best=3)[0]
    assert [one.text for one in result.alternatives] == [text, "X https://a.b/c y {name}"]


def test_alternatives_that_lose_a_number_are_none() -> None:
    decoder = FakeDecoder(
        others=lambda text: [(text.replace("1200", "MANY"), 0.1), (f"{text}!", 0.2)]
    )
    result = _translator(decoder).translate("Room 1200.", "de", "en", 3, n_best=3)[0]
    assert [one.text for one in result.alternatives] == ["ROOM 1200.", "ROOM 1200.!"]


def test_there_are_no_alternatives_unless_asked_for_or_of_no_language() -> None:
    decoder = FakeDecoder(others=_polite)
    assert _translator(decoder).translate("Go home.", "de", "en", 4)[0].alternatives == ()
    assert _translator(decoder).translate("12", "de", "en", 4, n_best=4)[0].alternatives == ()
    loud = _translator(decoder).translate("Go home.", "de", "en", 4, n_best=2)[0]
    assert len(loud.alternatives) == 2


@pytest.mark.parametrize(("beam", "n_best"), [(1, 2), (4, 5), (4, 0), (4, -1), (32, 33)])
def test_no_more_alternatives_than_the_beam_finds(beam: int, n_best: int) -> None:
    with pytest.raises(UsageError, match=f"beam {beam} finds {beam}"):
        _translator().translate("Hi", "de", "en", beam, n_best=n_best)


COMPLETIONS = [
    pytest.param("Go home now.", "ge", "ge HOME NOW.", id="within a word"),
    pytest.param("Go home.", "Geh ", "Geh HOME.", id="after a word"),
    pytest.param("Go home.", " \tG", " \tGO HOME.", id="after blank space"),
    pytest.param("Go home.", " ", " GO HOME.", id="nothing but blank space"),
    pytest.param("Go. Run.", "Ge", "Ge. RUN.", id="the first of two sentences"),
    pytest.param("Go. Run.", "Geh. R", "Geh. RUN.", id="the second"),
    pytest.param("Go. Run.", "Geh. ", "Geh. RUN.", id="before the second"),
    pytest.param("Go.\n\n- Run.", "Geh.\n\n- La", "Geh.\n\n- LaN.", id="lines and bullets"),
    pytest.param("Go. Run.", "Ja. Geh. Lauf", "Ja. Geh. Lauf", id="more sentences"),
    pytest.param("Go home.", "e\u0301  x\ud800", "e\u0301  x\ud800OME.", id="kept as it is"),
    pytest.param("See https://a.b now.", "SEE https://a", "SEE https://a.B NOW.", id="links"),
]


@pytest.mark.parametrize(("text", "prefix", "wanted"), COMPLETIONS)
def test_a_translation_that_is_begun_is_completed(text: str, prefix: str, wanted: str) -> None:
    result = _translator().translate(text, "de", "en", prefix=prefix)[0]
    assert (result.text, result.source_text) == (wanted, text)


@given(st.text(max_size=30), st.text(alphabet="aB. \n-1\u4e2d", max_size=30))
def test_the_prefix_is_always_how_the_result_begins(prefix: str, text: str) -> None:
    result = _translator().translate(text, "de", "en", prefix=prefix)[0]
    assert result.text.startswith(prefix) or (result.text, result.route) == (text, ())


def test_finished_sentences_of_a_prefix_are_not_translated_again() -> None:
    decoder = FakeDecoder()
    _translator(decoder).translate("Go. Run. Rest.", "de", "en", prefix="Geh. La")
    assert decoder.sentences == ["Run.", "Rest."]


def test_a_prefix_through_english_is_of_the_last_translation() -> None:
    decoder = FakeDecoder(render=label)
    result = _translator(decoder).translate("Katz und Maus.", "zh", prefix="\u732b")[0]
    assert result.text == "\u732b h<en<Katz und Maus.>>"
    assert decoder.sentences == ["Katz und Maus.", "en<Katz und Maus.>"]


def test_a_prefix_is_kept_where_the_english_between_is_no_language() -> None:
    def english(text: str, target: str, guard: bool) -> str:
        return "Street1." if target == "en" else f"{target}<{text}>"

    decoder = FakeDecoder(render=english)
    for glossary in (None, Glossary([("Straße1", "zh")])):
        result = _translator(decoder).translate(
            "Straße1.", "zh", "de", prefix="\u732b", glossary=glossary
        )[0]
        assert result.text == "\u732b h<Street1.>"
    assert _translator(decoder).translate("Straße1.", "zh", "de")[0].text == "Street1."


def test_completions_are_remembered_by_their_beginning() -> None:
    decoder = FakeDecoder()
    translator = _translator(decoder)
    for prefix in ("G", "", "G", "Ge", ""):
        translator.translate("Go home.", "de", "en", prefix=prefix)
    assert decoder.sentences == ["Go home."] * 3


def test_room_is_made_for_the_prefix() -> None:
    decoder = FakeDecoder()
    _translator(decoder).translate("Go.", "de", "en", prefix="x" * 100)
    assert decoder.limits[0] == 2 * 3 + 16 + 100


def test_a_prefix_needs_one_text_that_the_model_takes_whole() -> None:
    for texts in ([], ["One.", "Two."]):
        with pytest.raises(UsageError, match="Give one text"):
            _translator().translate(texts, "de", "en", prefix="E")
    decoder = FakeDecoder(pack=FakePack(max_source_tokens=20))
    for text in ("one two three, four five six", "1 2 3 4 5 6 7 8 9, words here"):
        with pytest.raises(InputError, match="too long to be completed"):
            _translator(decoder).translate(text, "de", "en", prefix="e")
    assert _translator().translate("12", "de", "en", prefix="e")[0].text == "12"


def test_scores_of_tokens_are_those_of_all_sentences_in_order() -> None:
    result = _translator().translate("Go. No.", "de", "en", token_scores=True)[0]
    assert [one.token for one in result.token_scores] == [*"GO.", "</s>", *"NO.", "</s>"]
    assert set(result.token_scores) >= {TokenScore(token="G", log_probability=-0.5)}
    assert _translator().translate("Go. No.", "de", "en")[0].token_scores == ()


def test_options_of_the_search_reach_the_decoder_and_the_memory() -> None:
    decoder = FakeDecoder()
    translator = _translator(decoder)
    drawn = Sampling(seed=1, temperature=0.5, top=9)
    for _ in range(2):
        translator.translate("Go.", "de", "en", 4, length_penalty=0.5)
        translator.translate("Go.", "de", "en", 4, coverage_penalty=0.2)
        translator.translate("Go.", "de", "en", sampling=drawn)
        translator.translate("Go.", "de", "en", sampling=Sampling(seed=2))
    assert decoder.searches == [
        Search(beam=4, length_penalty=0.5), Search(beam=4, coverage_penalty=0.2),
        Search(sampling=drawn), Search(sampling=Sampling(seed=2)),
    ]  # fmt: skip


def test_a_beam_is_searched_with_the_length_penalty_that_suits_the_pack() -> None:
    decoder = FakeDecoder()
    decoder.length_penalty = 1.25
    translator = _translator(decoder)
    translator.translate("Go.", "de", "en", 4)
    translator.translate("Go.", "de", "en", 4, length_penalty=1)
    translator.translate("Go.", "de", "en")
    translator.translate("Go.", "de", "en", sampling=Sampling(seed=1))
    assert decoder.searches == [
        Search(beam=4, length_penalty=1.25), Search(beam=4), Search(),
        Search(sampling=Sampling(seed=1)),
    ]  # fmt: skip


def test_texts_of_one_way_are_searched_together_unless_their_languages_need_another() -> None:
    decoder = FakeDecoder(length_penalty=1.25, length_penalties={"zh": 2.0})
    translator = _translator(decoder)
    sources = [Detection(language=code, confidence=1.0) for code in ("de", "en", "de")]
    translator.translate(["Eins.", "Two.", "Drei."], "zh", sources, 4)
    assert decoder.searches == [
        Search(beam=4, length_penalty=1.25), Search(beam=4, length_penalty=2.0),
        Search(beam=4, length_penalty=2.0),
    ]  # fmt: skip
    assert [len(batch) for batch in decoder.batches] == [2, 1, 2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Search(beam=4, length_penalty=0.4),
        lambda: Search(beam=4, length_penalty=2.1),
        lambda: Search(alternatives=2, sampling=Sampling(seed=1)),
        lambda: Search(beam=4, length_penalty=math.nan),
        lambda: Search(length_penalty=0.5),
        lambda: Search(beam=4, sampling=Sampling(seed=1)),
        lambda: Sampling(seed=-1),
        lambda: Sampling(seed=1, temperature=0.0),
        lambda: Sampling(seed=1, temperature=2.1),
        lambda: Sampling(seed=1, temperature=math.nan),
        lambda: Sampling(seed=1, top=-1),
    ],
)
def test_searches_that_make_no_sense_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(UsageError):
        make()


@pytest.mark.parametrize("option", ["cancel", "progress", "draft"])
def test_what_is_to_be_called_can_be(option: str) -> None:
    with pytest.raises(UsageError, match="a str is no"):
        _translator().translate("Go home.", "de", **{option: "x"})


@pytest.mark.parametrize("top", [0, -1, "3", None])
def test_candidates_are_counted_from_one(top: Any) -> None:
    with pytest.raises(UsageError, match="candidates"):
        _translator().candidates("Go home.", top)
