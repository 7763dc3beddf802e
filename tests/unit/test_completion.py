"""Completion with a real, small pack: whatever was begun is gone on with."""

import functools

import pytest
import toy_run
from fake_engine_parts import FakeDetector
from hypothesis import given, settings
from hypothesis import strategies as st

from mltranslate.completion import begun
from mltranslate.decode import Decoder
from mltranslate.packs import read_pack
from mltranslate.pipeline import Translator
from mltranslate.text.spans import cut


@functools.cache
def translator(precision: str) -> Translator:
    decoder = Decoder(
        read_pack(toy_run.toy_pack()), device="cpu", precision=precision, threads=1
    )  # fmt: skip
    return Translator(decoder=decoder, detector=FakeDetector())


def translate(text: str, prefix: str, beam: int, precision: str = "fp32") -> tuple[str, float]:
    result = translator(precision).translate(text, "de", "en", beam, prefix=prefix)[0]
    return result.text, result.score or 0.0


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("text", ["ai bo cu di ef", "mu mu lo", "go"])
def test_its_own_output_is_completed_from_everywhere(text: str, beam: int, precision: str) -> None:
    wanted, score = translate(text, "", beam, precision)
    assert len(wanted) == len(text)
    for end in range(len(wanted) + 1):
        found, its_score = translate(text, wanted[:end], beam, precision)
        assert found == wanted
        assert its_score == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("beam", [1, 4])
def test_a_word_that_was_begun_ends_as_another(beam: int) -> None:
    first = translate("ai bo cu di", "", beam)[0]
    assert first == "di cu bo ai"
    found = translate("ai bo cu di", "d", beam)[0]
    assert found == first
    other = translate("ai bo cu di", "h", beam)[0]
    assert other.startswith("hu " if beam > 1 else "h")
    whole = translate("ai bo cu di", "h ", beam)[0]
    assert whole.startswith("h ")


@settings(max_examples=40)
@given(st.text(max_size=12), st.sampled_from([1, 3]))
def test_any_beginning_stays(prefix: str, beam: int) -> None:
    assert translate("ai bo cu. di ef", prefix, beam)[0].startswith(prefix)


MATCHES = [
    pytest.param("One. Two.", "Ein", ("", "Ein", "One. Two."), id="begun"),
    pytest.param("One. Two.", "Eins. ", ("Eins. ", "", "Two."), id="the first is whole"),
    pytest.param("One. Two.", "Eins. Z", ("Eins. ", "Z", "Two."), id="the second is begun"),
    pytest.param("One. Two.", "Ja. Nein. D", ("Ja. ", "Nein. D", "Two."), id="too many"),
    pytest.param("- One.", "- E", ("- ", "E", "One."), id="a bullet"),
    pytest.param("One.", "12 ", ("", "12 ", "One."), id="no word yet"),
    pytest.param("One.\nTwo.", "Eins\n", ("Eins\n", "", "Two."), id="lines"),
    pytest.param("1. One.", "1. E", ("1. ", "E", "One."), id="an item"),
    pytest.param("May 3 is off.", "3. M", ("", "3. M", "May 3 is off."), id="an ordinal"),
    pytest.param("May 3 is off.", "3. ", ("", "3. ", "May 3 is off."), id="only its number"),
    pytest.param("- May 3 is off.", "- 3. M", ("- ", "3. M", "May 3 is off."), id="listed"),
    pytest.param("One.\nMay 3.", "Eins.\n3. M", ("Eins.\n", "3. M", "May 3."), id="second line"),
    pytest.param("One. Two.", "Er war 3. Das ", ("Er war 3. ", "Das ", "Two."), id="a third place"),
]


@pytest.mark.parametrize(("source", "text", "wanted"), MATCHES)
def test_sentences_are_matched_by_their_number(
    source: str, text: str, wanted: tuple[str, str, str]
) -> None:
    found = begun(cut(source, "en"), text, "de")
    assert (found.head, found.prefix, "".join(span.text for span in found.spans)) == wanted
