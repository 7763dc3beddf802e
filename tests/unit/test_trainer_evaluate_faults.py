import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate_train.evaluate import faults
from mltranslate_train.evaluate.faults import Lines, Rate
from mltranslate_train.evaluate.hallucination import (
    detached,
    perturbed,
    under_perturbation,
    unrelated_level,
)

NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
SENTENCES = [f"{one} apples fell beside {two} stones" for one in NUMBERS for two in NUMBERS[:3]]


def by_word(sources: list[str], outputs: list[str]) -> Lines:
    """Lines whose subwords are their words, numbered."""
    words: dict[str, int] = {}
    ids = [
        [[words.setdefault(word, len(words)) for word in text.split()] for text in texts]
        for texts in (sources, outputs)
    ]
    return Lines(sources, outputs, *ids)


def test_wilson_interval_is_that_of_the_textbook() -> None:
    low, high = Rate(10, 100).interval
    assert (low, high) == (pytest.approx(5.523, abs=0.001), pytest.approx(17.437, abs=0.001))
    assert Rate(0, 30).interval == (pytest.approx(0.0), pytest.approx(11.351, abs=0.001))
    assert Rate(30, 30).interval[1] == pytest.approx(100.0)
    assert math.isnan(Rate(0, 0).percent)
    assert all(map(math.isnan, Rate(0, 0).interval))


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_rate(judged: int, data: st.DataObject) -> None:
    rate = Rate(data.draw(st.integers(0, judged)), judged)
    low, high = rate.interval
    assert -1e-9 <= low <= rate.percent + 1e-9
    assert rate.percent - 1e-9 <= high <= 100 + 1e-9


def test_guards_count_empty_looping_and_implausible_outputs() -> None:
    source = "a b c d e f g h i j k l"
    outputs = ["", "x y z u v w q r s t o p", "m m m m m m m m m m m m", "x", "x y " * 25, "ok"]
    sources = [*[source] * 5, " "]
    lines = by_word(sources, outputs)
    assert faults.empty(lines) == Rate(1, 5)
    assert faults.loop(lines) == Rate(2, 5)
    assert faults.too_short(lines) == Rate(1, 5)
    assert faults.too_long(lines) == Rate(1, 5)


def test_a_copy_is_one_only_where_the_reference_is_none() -> None:
    sources = ["The dog sleeps.", "Berlin", "12 34", "A cat."]
    outputs = ["the dog, sleeps", "Berlin", "12 34", "Eine Katze."]
    lines = by_word(sources, outputs)
    references = ["Der Hund schläft.", "Berlin", "12 34", "Eine Katze."]
    assert faults.copy(lines, references) == Rate(1, 2)
    assert faults.copy(lines, None) == Rate(2, 3)


def test_off_target_is_judged_on_telling_outputs_only() -> None:
    german = "Der Hund schläft heute unter dem großen Tisch in der Küche."
    english = "The dog is sleeping under the large table in the kitchen today."
    assert faults.off_target([german, english, "Hund", ""], "de", ["de", "en"]) == Rate(1, 2)
    assert faults.off_target([german], "xx", ["xx", "de"]) == Rate(0, 0)
    assert faults.off_target(["kurz"], "de", ["de", "en"]) == Rate(0, 0)


def test_unrelated_outputs_are_detached() -> None:
    assert detached(SENTENCES, SENTENCES) == Rate(0, len(SENTENCES))
    outputs = ["quux blorb vix", *SENTENCES[1:]]
    assert detached(outputs, SENTENCES) == Rate(1, len(SENTENCES))
    assert detached(SENTENCES[:5], SENTENCES[:5]) == Rate(0, 0)
    assert math.isnan(unrelated_level(SENTENCES[:5], SENTENCES[:5]))


def test_a_word_that_changes_everything_shows_a_hallucination() -> None:
    count = len(SENTENCES)
    assert under_perturbation(SENTENCES, SENTENCES, SENTENCES) == Rate(0, count)
    shaken = ["quux blorb vix", *SENTENCES[1:]]
    assert under_perturbation(SENTENCES, shaken, SENTENCES) == Rate(1, count)
    # What was unrelated to its reference before cannot be judged.
    assert under_perturbation(shaken, SENTENCES, SENTENCES) == Rate(0, count - 1)


def test_perturbing_puts_a_word_of_another_line_first() -> None:
    found = perturbed(SENTENCES, "en")
    assert found == perturbed(SENTENCES, "en")
    for text, shaken in zip(SENTENCES, found, strict=True):
        word, _, rest = shaken.partition(" ")
        assert rest == text
        assert any(word in other.split() for other in SENTENCES)
    first, second = perturbed(["我累", "他走"], "zh")
    assert first in ("他我累", "走我累")
    assert second in ("我他走", "累他走")
    assert perturbed(["alone"], "en") == ["alone"]
    assert perturbed([], "en") == []
