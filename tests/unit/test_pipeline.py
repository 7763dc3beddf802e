import functools
import re
import subprocess
import sys
from collections import Counter
from typing import Any, Literal, get_args

import numpy as np
import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack, label, shout
from hypothesis import example, given
from hypothesis import strategies as st

import mltranslate
from mltranslate.decode import Sampling, Search
from mltranslate.errors import Cancelled, InputError, LanguageError, MltError, UsageError
from mltranslate.pipeline import Translator
from mltranslate.types import CancelToken, Caution, Detection, Progress


def _translator(decoder: FakeDecoder | None = None, **options: float) -> Translator:
    return Translator(decoder=decoder or FakeDecoder(), detector=FakeDetector(**options))


def test_every_field_tells_the_truth() -> None:
    result = _translator().translate("Hello there.", target="German")[0]
    assert result.source_text == "Hello there."
    assert result.text == "HELLO THERE."
    assert (result.source, result.target) == ("en", "de")
    assert result.detected == Detection(language="en", confidence=0.9)
    assert (result.device, result.provider) == ("cpu", "CPUExecutionProvider")
    assert (result.precision, result.pack) == ("int8", "fake 1.0.0")
    assert result.route == ("en", "de")
    assert result.milliseconds > 0
    assert result.score == pytest.approx(-0.5)
    assert result.warnings == ()


def test_a_named_source_is_not_detected() -> None:
    detector = FakeDetector()
    result = Translator(decoder=FakeDecoder(), detector=detector).translate("Hi", "de", "English")
    assert result[0].detected is None
    assert detector.texts == []


def test_the_whole_text_is_detected_once() -> None:
    detector = FakeDetector()
    text = "Hello. Katz und Maus."
    result = Translator(decoder=FakeDecoder(), detector=detector).translate(text, "en")[0]
    assert set(detector.texts) == {text}
    assert result.route == ("de", "en")


def test_code_and_front_matter_are_no_part_of_the_language() -> None:
    detector = FakeDetector()
    translator = Translator(decoder=FakeDecoder(), detector=detector)
    text = "---\nauthor: Katz und Maus\n---\nHello.\n~~~\na und b\n~~~\n"
    result = translator.translate(text, "de")[0]
    assert result.text == text.replace("Hello", "HELLO")
    assert result.source == translator.detect(text).language == "en"
    assert set(detector.texts) == {"Hello.\n"}
    code = translator.translate("~~~\na und b\n~~~\n", "en")[0]
    assert (code.text, code.source) == (code.source_text, "und")
    assert code.warnings == (Caution.UNTRANSLATED,)


def test_an_earlier_detection_is_used_and_reported() -> None:
    earlier = Detection(language="en", confidence=0.5)
    result = _translator().translate("Hallo", "de", earlier)[0]
    assert result.detected is earlier
    assert result.source == "en"
    assert result.warnings == (Caution.LOW_CONFIDENCE,)


def test_one_result_for_each_text_in_order() -> None:
    texts = ["First.", "", "Second one. Third.", "12"]
    results = _translator().translate(texts, "de", "en")
    assert [result.text for result in results] == [text.upper() for text in texts]
    assert [result.source_text for result in results] == texts
    assert _translator().translate([], "de") == []


@given(st.text(alphabet=st.sampled_from("aB. \n\r\t!?-•😀1\u2028é"), max_size=80))
@example("?•  é")
@example("A•é  1")
@example("1?•  é")
@example("é•?1  1")
def test_separators_are_kept_exactly(text: str) -> None:
    decoder = FakeDecoder(render=lambda source, _target, _guard: source)
    result = Translator(decoder=decoder, detector=FakeDetector()).translate(text, "en", "de")[0]
    if "  " in text and not SIGN.isdisjoint(text):
        # The model gets other text than there was, so the places of signs are found, or guessed.
        assert Counter(result.text.replace(" ", "")) == Counter(text.replace(" ", ""))
        assert _unsigned(result.text) == _unsigned(text)
    else:
        # Only within a sentence may a run of spaces become one.
        assert re.sub(" +", " ", result.text) == re.sub(" +", " ", text)


SIGN = frozenset("•😀")


def _unsigned(text: str) -> str:
    """The text without signs and without spaces, which may go with them."""
    return "".join(char for char in text if char not in SIGN and char != " ")


@given(st.text())
def test_any_text_comes_through(text: str) -> None:
    result = _translator().translate(text, "de", "en")[0]
    assert result.source_text == text
    assert result.text == text or result.route == ("en", "de")
    assert len(result.text.splitlines()) == len(text.splitlines())


def test_blank_space_within_a_sentence_reaches_the_model_as_one_space() -> None:
    decoder = FakeDecoder()
    _translator(decoder).translate("One  two\u00a0three\x00four.", "de", "en")
    assert decoder.sentences == ["One two three four."]


def test_the_model_reads_nfc() -> None:
    decoder = FakeDecoder()
    _translator(decoder).translate("cafe\u0301", "de", "en")
    assert decoder.sentences == ["caf\u00e9"]


def test_lone_surrogates_do_no_harm() -> None:
    result = _translator().translate("broken \ud800 text\n\udc00 12", "de")[0]
    assert result.text == "BROKEN \ufffd TEXT\n\udc00 12"
    decoder = FakeDecoder()
    _translator(decoder).translate("one \ud800", "de", "en")
    assert decoder.sentences == ["One \ufffd"]


def test_no_language_passes_through() -> None:
    result = _translator().translate("12:30 😀", "de")[0]
    assert result.text == result.source_text
    assert (result.source, result.route, result.score) == ("und", (), None)
    assert result.warnings == (Caution.UNTRANSLATED,)
    named = _translator().translate("12:30", "de", "en")[0]
    assert (named.source, named.route, named.warnings) == ("en", (), (Caution.UNTRANSLATED,))


def test_text_in_the_target_language_is_left_alone() -> None:
    decoder = FakeDecoder()
    result = _translator(decoder).translate("Hello there.", "en")[0]
    assert (result.text, result.route) == ("Hello there.", ())
    assert result.warnings == (Caution.UNTRANSLATED,)
    assert decoder.batches == []


def test_a_named_source_that_is_the_target_is_left_alone() -> None:
    decoder = FakeDecoder()
    result = _translator(decoder).translate("Katz und Maus.", "German", "de")[0]
    assert (result.text, result.source, result.target) == ("Katz und Maus.", "de", "de")
    assert (result.route, result.detected, result.score) == ((), None, None)
    assert result.warnings == (Caution.UNTRANSLATED,)
    assert decoder.batches == []


OFF_TARGET_CASES = [
    pytest.param("A quite normal sentence.", "de", 0.95, True, id="source copied"),
    pytest.param("A quite normal sentence.", "de", 0.9, False, id="not sure enough"),
    pytest.param("Nineteen letters ab.", "de", 0.95, False, id="17 letters"),
    pytest.param("你好" * 10, "zh", 0.95, False, id="in the target"),
    pytest.param("Katz und Maus und Hund, Huhn", "zh", 0.95, True, id="a third language"),
]


@pytest.mark.parametrize(("output", "target", "confidence", "off"), OFF_TARGET_CASES)
def test_output_in_another_language_is_marked(
    output: str, target: str, confidence: float, off: bool
) -> None:
    decoder = FakeDecoder(render=lambda *_: output)
    translator = _translator(decoder, confidence=confidence)
    result = translator.translate("A longer English sentence.", target, "en")[0]
    assert result.text == output
    assert (Caution.OFF_TARGET in result.warnings) == off
    again = translator.translate("A longer English sentence.", target, "en")[0]
    assert again.warnings == result.warnings


def test_only_what_was_translated_is_checked_for_its_language() -> None:
    decoder = FakeDecoder(render=lambda *_: "Katz und Maus")
    text = "Hello.\nhttps://example.com/a-very-long-english-address"
    result = _translator(decoder, confidence=0.95).translate(text, "de", "en")[0]
    assert result.warnings == ()
    named = FakeDecoder(render=lambda *_: "开 C:\\Eine\\lange\\Adresse\\deutscher\\Wörter.docx")
    asked = "Please open the document."
    result = _translator(named, confidence=0.95).translate(asked, "zh", "en")[0]
    assert result.warnings == ()
    untouched = _translator(confidence=0.95).translate("A quite normal sentence.", "de", "de")[0]
    assert untouched.warnings == (Caution.UNTRANSLATED,)


def test_a_target_that_the_detector_does_not_know_is_not_checked() -> None:
    detector = FakeDetector(languages=("en", "zh"), confidence=0.95)
    translator = Translator(decoder=FakeDecoder(), detector=detector)
    result = translator.translate("A quite normal sentence.", "de", "en")[0]
    assert result.warnings == ()


def test_the_real_detector_finds_a_translation_that_was_not_made() -> None:
    copying = FakeDecoder(render=lambda text, *_: text)
    result = Translator(decoder=copying).translate(
        "Where can I buy a ticket for the train to Berlin?", "de", "en"
    )[0]
    assert result.warnings == (Caution.OFF_TARGET,)
    right = FakeDecoder(render=lambda *_: "Wo kann ich eine Fahrkarte nach Berlin kaufen?")
    result = Translator(decoder=right).translate(
        "Where can I buy a ticket for the train to Berlin?", "de", "en"
    )[0]
    assert result.warnings == ()


def test_blank_text_needs_no_warning() -> None:
    assert _translator().translate(" \n", "de", "en")[0].warnings == ()


def test_without_a_direct_direction_it_pivots_through_english() -> None:
    decoder = FakeDecoder(render=label)
    result = _translator(decoder).translate("Katz und Maus.", "zh")[0]
    assert result.route == ("de", "en", "zh")
    assert result.text == "zh<en<Katz und Maus.>>"
    assert decoder.sentences == ["Katz und Maus.", "en<Katz und Maus.>"]


def test_direct_and_pivoted_texts_share_their_batches() -> None:
    decoder = FakeDecoder(render=label)
    results = _translator(decoder).translate(["Good day.", "Katz und Maus."], "zh")
    assert [result.route for result in results] == [("en", "zh"), ("de", "en", "zh")]
    assert len(decoder.batches) == 2


def test_no_route_names_what_is_offered() -> None:
    decoder = FakeDecoder(pack=FakePack(directions=frozenset({("de", "en"), ("zh", "en")})))
    with pytest.raises(LanguageError, match=r"German \(de\) into Chinese \(zh\).*de to en"):
        _translator(decoder).translate("Hallo", "zh", "de")
    with pytest.raises(LanguageError, match="not offered"):
        _translator().translate("Bonjour", "fr")


def test_batches_are_sorted_bounded_and_free_of_copies() -> None:
    decoder = FakeDecoder()
    texts = [f"Word {'x' * (n % 150)}{'y' * (n // 150)}." for n in range(400)]
    results = _translator(decoder).translate([*texts, *texts], "de", "en")
    assert [result.text for result in results] == [text.upper() for text in [*texts, *texts]]
    assert sorted(decoder.sentences) == sorted(set(texts))
    assert len(decoder.batches) > 1
    for batch in decoder.batches:
        assert len(batch) * (max(map(len, batch)) + 2) <= 2048
    lengths = [len(text) for text in decoder.sentences]
    assert lengths == sorted(lengths)


def test_a_beam_makes_batches_smaller() -> None:
    decoder = FakeDecoder()
    texts = [f"Sentence number {n}." for n in range(100)]
    _translator(decoder).translate(texts, "de", "en", beam=4)
    assert set(decoder.searches) == {Search(beam=4)}
    assert all(len(batch) * (max(map(len, batch)) + 2) <= 512 for batch in decoder.batches)


def test_typing_on_translates_only_the_sentence_that_changed() -> None:
    decoder = FakeDecoder()
    translator = _translator(decoder)
    translator.translate("One is here. Two is he", "de", "en")
    translator.translate("One is here. Two is here.", "de", "en")
    assert decoder.sentences == ["Two is he", "One is here.", "Two is here."]
    translator.translate("One is here.", "zh", "en")
    translator.translate("One is here.", "de", "en", beam=2)
    assert decoder.sentences[3:] == ["One is here."] * 2


def test_a_long_sentence_is_translated_in_pieces() -> None:
    decoder = FakeDecoder(pack=FakePack(max_source_tokens=20))
    text = "one two three, four five six, seven eight nine"
    result = _translator(decoder).translate(text, "de", "en")[0]
    assert result.text == text.upper()
    assert result.warnings == (Caution.SPLIT,)
    assert len(decoder.sentences) > 1


def test_a_long_intermediate_sentence_is_split_as_well() -> None:
    decoder = FakeDecoder(
        render=lambda text, target, _guard: text + ", or so." if target == "en" else text,
        pack=FakePack(max_source_tokens=20),
    )
    result = _translator(decoder).translate("Katz, Hund und Maus", "zh", "de")[0]
    assert result.text == "Katz, Hund und Maus, or so."
    assert Caution.SPLIT in result.warnings


def test_the_length_limit_follows_the_source() -> None:
    decoder = FakeDecoder()
    _translator(decoder).translate("Hello.", "de", "en")
    assert decoder.limits == [2 * 6 + 16]


def _looping_once(text: str, target: str, guard: bool) -> str:
    return shout(text, target, guard) if guard else "LA " * 10


def test_a_loop_is_tried_again_and_the_better_result_is_used() -> None:
    decoder = FakeDecoder(render=_looping_once)
    result = _translator(decoder).translate("A longer sentence.", "de", "en")[0]
    assert result.text == "A LONGER SENTENCE."
    assert result.warnings == ()
    assert len(decoder.batches) == 2


def test_a_loop_that_stays_is_marked() -> None:
    decoder = FakeDecoder(render=lambda *_: "LA " * 10)
    translator = _translator(decoder)
    result = translator.translate("A longer sentence. Again one.", "de", "en")[0]
    assert Caution.LOOP in result.warnings
    again = translator.translate("A longer sentence. Again one.", "de", "en")[0]
    assert again.warnings == result.warnings


def test_an_endless_translation_is_marked() -> None:
    endless = "".join(map(chr, range(0x100, 0x300)))
    result = _translator(FakeDecoder(render=lambda *_: endless)).translate("Hi you", "de", "en")[0]
    assert result.warnings == (Caution.LENGTH,)


def test_a_lost_number_is_marked_and_a_misspelt_one_mended() -> None:
    slips = {"1200": "many", "1400": "14400"}
    decoder = FakeDecoder(render=lambda text, *_: functools.reduce(_replaced, slips.items(), text))
    rooms = ["Room 1200.", "Room 1300.", "Room 1400."]
    one, two, three = _translator(decoder).translate(rooms, "de", "en")
    assert one.warnings == (Caution.NUMBERS,)
    assert two.warnings == ()
    assert (three.text, three.warnings) == ("Room 1400.", (Caution.PLACED,))


def test_a_number_of_a_beginning_that_was_given_stays() -> None:
    result = _translator(FakeDecoder()).translate("Room 1200.", "de", "en", prefix="Raum 12000")[0]
    assert result.text.startswith("Raum 12000")


def _replaced(text: str, slip: tuple[str, str]) -> str:
    return text.replace(*slip)


@pytest.mark.parametrize("nothing", ["", "   "])
def test_an_empty_translation_never_loses_the_text(nothing: str) -> None:
    result = _translator(FakeDecoder(render=lambda *_: nothing)).translate("Hi. You.", "de", "en")[
        0
    ]
    assert result.text == "Hi. You."
    assert result.warnings == (Caution.LENGTH,)


Fate = Literal["good", "nothing", "endless", "once", "blank"]
FATES = st.sampled_from(get_args(Fate))


def _suffer(text: str, guard: bool, fates: list[Fate]) -> str:
    """What a decoder with a will of its own makes of a sentence "S<index> …"."""
    fate = fates[int(text.split()[0][1:])]
    if fate in ("nothing", "blank"):
        return "" if fate == "nothing" else " \x00 "
    if fate == "endless" or (fate == "once" and not guard):
        return f"{text} " + "la " * 200
    return text.upper()


@given(st.lists(FATES, min_size=1, max_size=12), st.sampled_from([" ", "\n", "\r\n", "\n\n\t"]))
def test_no_sentence_is_lost_whatever_the_decoder_does(fates: list[Fate], between: str) -> None:
    decoder = FakeDecoder(render=lambda text, _, guard: _suffer(text, guard, fates))
    sources = [f"S{index} is a sentence." for index in range(len(fates))]
    result = _translator(decoder).translate(between.join(sources), "de", "en")[0]
    starts = [result.text.index(f"S{index} ") for index in range(len(fates))]
    assert starts == sorted(starts)
    if between != " ":
        assert result.text.count(between) == len(fates) - 1
    for source, fate in zip(sources, fates, strict=True):
        assert (source if fate in ("nothing", "blank") else source[:3]) in result.text
        assert (source.upper() in result.text) == (fate in ("good", "once"))
    doubtful = set(fates) - {"good", "once"}
    assert bool(doubtful) == bool({Caution.LENGTH, Caution.LOOP} & set(result.warnings))


def test_a_failure_loses_nothing_that_a_second_call_would_need() -> None:
    failing = [True]

    def render(text: str, _target: str, _guard: bool) -> str:
        if failing[0] and "x" * 40 in text:
            raise MltError("the model failed to run")
        return text.upper()

    decoder = FakeDecoder(render=render)
    translator = _translator(decoder)
    texts = [f"Sentence {'x' * n}." for n in range(80)]
    with pytest.raises(MltError, match="failed to run"):
        translator.translate(texts, "de", "en")
    failing[0] = False
    results = translator.translate(texts, "de", "en")
    assert [result.text for result in results] == [text.upper() for text in texts]
    assert all(result.warnings == () for result in results)


def test_progress_counts_sentences_up_to_the_total() -> None:
    seen: list[Progress] = []
    texts = [f"Sentence {'x' * n}." for n in range(100)] * 2
    _translator().translate(["Katz und Maus.", *texts], "zh", progress=seen.append)
    assert {progress.total for progress in seen} == {202}
    assert [progress.done for progress in seen] == sorted({progress.done for progress in seen})
    assert seen[-1].done == 202


def test_progress_counts_split_and_remembered_sentences() -> None:
    translator = _translator(FakeDecoder(pack=FakePack(max_source_tokens=20)))
    text = "A short one. And a very long one that is cut into pieces."
    for _ in range(2):
        seen: list[Progress] = []
        translator.translate(text, "de", "en", progress=seen.append)
        assert (seen[-1].done, seen[-1].total) == (2, 2)


def test_cancelling_stops_before_the_next_batch_and_keeps_what_is_done() -> None:
    decoder = FakeDecoder()
    translator = _translator(decoder)
    cancel = CancelToken()
    texts = [f"Sentence {'x' * n}." for n in range(100)]
    with pytest.raises(Cancelled):
        translator.translate(texts, "de", "en", cancel=cancel, progress=lambda _: cancel.cancel())
    assert len(decoder.batches) == 1
    done = decoder.sentences[:]
    translator.translate(texts, "de", "en")
    assert sorted(decoder.sentences) == sorted(texts)
    assert done


def test_a_cancelled_call_gives_nothing_even_if_all_is_remembered() -> None:
    translator = _translator()
    translator.translate("Hello.", "de", "en")
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        translator.translate("Hello.", "de", "en", cancel=cancel)


def test_wrong_arguments_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    translator = _translator()
    for beam in (0, 33):
        with pytest.raises(UsageError, match="beam"):
            translator.translate("Hi", "de", beam=beam)
    with pytest.raises(UsageError, match="int"):
        translator.translate([1], "de")  # type: ignore[list-item]
    with pytest.raises(UsageError, match="threads"):
        Translator(threads=0)
    with pytest.raises(LanguageError, match="nearest"):
        translator.translate("Hi", "Germann")
    monkeypatch.setattr("mltranslate.pipeline.MAX_INPUT_CHARACTERS", 10)
    with pytest.raises(InputError, match="11 characters"):
        translator.translate(["12345", "678901"], "de")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"text": None}, "NoneType"),
        ({"text": 5}, "int"),
        ({"text": b"Hi"}, "bytes"),
        ({"text": bytearray(b"Hi")}, "bytearray"),
        ({"text": ["Hi", None]}, "NoneType"),
        ({"prefix": None}, "NoneType"),
        ({"target": None}, "NoneType"),
        ({"target": ["de"]}, "list"),
        ({"source": None}, "NoneType"),
        ({"source": 5}, "int"),
        ({"source": ["en"]}, "str"),
        ({"source": [None]}, "NoneType"),
        ({"beam": "4"}, "str"),
        ({"beam": None}, "NoneType"),
        ({"n_best": 1.0}, "float"),
        ({"beam": 4, "length_penalty": "1"}, "str"),
        ({"beam": 4, "coverage_penalty": None}, "NoneType"),
        ({"sampling": 1}, "int"),
    ],
)
def test_arguments_of_a_wrong_type_are_refused(arguments: dict[str, Any], kind: str) -> None:
    with pytest.raises(UsageError, match=rf"\b{kind}\b"):
        _translator().translate(**{"text": "Hi", "target": "de", **arguments})


def test_a_wrong_type_is_refused_elsewhere_too() -> None:
    detect: Any = _translator().detect
    sampling: Any = Sampling
    translator: Any = Translator
    for refused in (
        lambda: detect(None),
        lambda: detect(b"Hi"),
        lambda: sampling(seed="1"),
        lambda: sampling(seed=1, temperature="1"),
        lambda: sampling(seed=1, top=None),
        lambda: translator(threads="2"),
    ):
        with pytest.raises(UsageError, match=r"NoneType|bytes|str"):
            refused()


def test_numbers_of_other_libraries_will_do() -> None:
    for beam, penalty in ((np.int64(2), np.float32(1.5)), (2, 1)):
        result = _translator().translate("Hi", "de", beam=beam, length_penalty=penalty)
        assert result[0].text == "HI"


def test_detection_is_restricted_to_the_pack() -> None:
    translator = _translator()
    assert translator.detect("Katz und Maus").language == "de"
    assert translator.languages == ("en", "de", "zh")


def test_load_prepares_decoder_and_detector() -> None:
    detector = FakeDetector()
    decoder = FakeDecoder()
    Translator(decoder=decoder, detector=detector).load(beam=4)
    assert detector.texts
    assert decoder.prepared == [4]


def test_loading_a_graph_is_not_part_of_the_milliseconds() -> None:
    decoder = FakeDecoder(seconds_to_load=0.5)
    translator = Translator(decoder=decoder, detector=FakeDetector())
    (result,) = translator.translate("Katz.", target="en", source="de", beam=4)
    assert decoder.prepared == [4]
    assert result.milliseconds < 500


def test_the_public_names_are_lazy() -> None:
    code = (
        "import sys, mltranslate; assert 'numpy' not in sys.modules;"
        "from mltranslate import Detection, Translation, Translator, translate;"
        "assert {'numpy', 'onnxruntime', 'textual'}.isdisjoint(sys.modules);"
        "assert 'Translator' in dir(mltranslate)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_detect_is_a_function_and_a_package() -> None:
    from mltranslate import detect
    from mltranslate.detect import detector

    assert callable(detect)
    assert mltranslate.detect.detector is detector
    assert mltranslate.detect("Guten Morgen, wie geht es Ihnen?")[0].language == "de"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        mltranslate.nothing_like_it  # noqa: B018


def test_a_line_break_in_the_output_does_not_break_the_line() -> None:
    decoder = FakeDecoder(render=lambda *_: "one\n two\u2028three")
    assert _translator(decoder).translate("A sentence.", "de", "en")[0].text == "one two three"


def test_a_language_of_no_pack_is_told_and_left_alone() -> None:
    translator = _translator()
    text = "Je ne sais pas le nom."
    french = Detection(language="fr", confidence=0.9)
    assert translator.detect(text) == french
    assert translator.candidates(text, 3) == [french]
    result = translator.translate(text, "de")[0]
    assert (result.text, result.source, result.detected) == (text, "fr", french)
    assert result.warnings == (Caution.UNTRANSLATED, Caution.UNOFFERED)
    assert result.route == ()


def test_another_language_can_be_insisted_on() -> None:
    text = "Je ne sais pas le nom."
    assert _translator().translate(text, "de", "en")[0].text == text.upper()
    said = Detection(language="en", confidence=0.5)
    assert _translator().translate(text, "de", said)[0].text == text.upper()


@pytest.mark.parametrize("confidence", [0.5, 0.89])
def test_a_language_of_no_pack_must_be_sure(confidence: float) -> None:
    translator = _translator(confidence=confidence)
    assert translator.detect("Je ne sais pas le nom.").language == "en"


def test_packs_of_languages_that_no_detector_knows_need_the_source() -> None:
    class Unknown(FakeDetector):
        languages = ("xx",)

    translator = Translator(decoder=FakeDecoder(), detector=Unknown())
    assert translator.detect("12").language == "und"
    assert translator.translate("Hello there.", "de", "en")[0].text == "HELLO THERE."
