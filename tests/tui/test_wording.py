"""What the app says."""

from __future__ import annotations

import dataclasses

import pytest
from driven_app import running
from fake_engine import FakeEngine
from rich.cells import cell_len

from mltranslate.types import CancelToken, Caution, Detection, Translation
from mltranslate_tui import wording
from mltranslate_tui.choices import Pair
from mltranslate_tui.controller import Draft
from mltranslate_tui.widgets.areas import printable
from mltranslate_tui.widgets.status import StatusLine, fitting

PAIR = Pair(source="auto", target="en", spare="de")


def translation(text: str = "Guten Morgen", target: str = "en") -> Translation:
    return FakeEngine().translate(
        text,
        source=FakeEngine().detect(text)[0],
        target=target,
        cancel=CancelToken(),
        progress=lambda _: None,
    )


def test_detection_names_language_confidence_and_runner_up() -> None:
    both = [
        Detection(language="de", confidence=0.971),
        Detection(language="nl", confidence=0.02),
    ]
    assert wording.detection_line(both) == "German 97 %, or Dutch 2 %"
    assert wording.detection_line(both[:1]) == "German 97 %"
    assert wording.detection_line([]) == ""
    brazilian = Detection(language="pt", confidence=0.9, variety="pt-BR")
    assert wording.detection_line([brazilian]) == "Portuguese (pt-BR) 90 %"


def test_runner_up_without_a_chance_is_left_out() -> None:
    both = [
        Detection(language="ko", confidence=1.0),
        Detection(language="ja", confidence=0.001),
    ]
    assert wording.detection_line(both) == "Korean 100 %"


def test_no_language() -> None:
    none = [Detection(language="und", confidence=0.9), Detection(language="en", confidence=0.1)]
    assert wording.detection_line(none) == "No language: numbers, links or code"
    assert wording.source_label(PAIR, "und") == "Detect language"


def test_facts_put_the_route_first() -> None:
    pivot = dataclasses.replace(translation(), route=("de", "en", "zh"), milliseconds=1234)
    assert wording.facts(pivot) == (
        "German → English → Chinese",
        "small-test 1.0.0",
        "CPU int8",
        "1.2 s",
    )


def test_two_packs_are_named_and_nothing_is_said_of_what_was_not_used() -> None:
    both = dataclasses.replace(translation(), pack="core 1.0.0 + small 0.2.0+x")
    assert wording.facts(both)[1] == "core + small"
    none = dataclasses.replace(
        translation(), pack="", device="", precision="", route=(), milliseconds=2
    )
    assert wording.facts(none) == ("Not translated", "2 ms")


def test_what_was_looked_up_is_told() -> None:
    one = dataclasses.replace(translation(), phrases=1)
    assert wording.facts(one)[2] == "1 looked up"
    assert wording.facts(dataclasses.replace(one, phrases=1200))[2] == "1,200 looked up"


def test_what_is_on_offer() -> None:
    assert wording.offer(["small 1.0.0"], ["en", "de"]) == ("small 1.0.0", "2 languages")
    assert wording.offer(["a 1.0.0", "b 1.0.0"], "abc") == ("2 packs", "3 languages")


@pytest.mark.parametrize("caution", list(Caution))
def test_every_caution_has_words(caution: Caution) -> None:
    cautious = dataclasses.replace(translation(), warnings=(caution,))
    (sentence,) = wording.cautions(cautious, PAIR)
    assert len(sentence) > 10


def test_the_gravest_caution_is_said_first() -> None:
    several = (Caution.PLACED, Caution.GLOSSARY, Caution.NUMBERS, Caution.SPLIT)
    cautious = dataclasses.replace(translation(), warnings=several, missing_terms=("Haus",))
    assert [said.split()[0] for said in wording.cautions(cautious, PAIR)] == [
        "A",
        "The",
        "Sign",
        "A",
    ]
    assert "number" in wording.cautions(cautious, PAIR)[0]


def test_text_in_the_target_language_is_told_with_a_way_out() -> None:
    assert wording.cautions(translation("Good evening"), PAIR) == (
        "Already in English: F4 translates into German",
    )


def test_progress_bar_keeps_its_width() -> None:
    lines = [wording.progress_line(Draft(done=n, total=7)) for n in range(8)]
    assert len({len(line) for line in lines}) == 1
    assert lines[3].endswith(" 42 %")
    assert lines[-1] == "━" * 12 + " 100 %"
    assert wording.progress_line(Draft(done=0, total=0)).endswith("  0 %")


def test_status_line_leaves_out_what_does_not_fit() -> None:
    facts = ("German → English", "CPU int8", "34 ms")
    assert fitting(facts, 80) == "German → English  ·  CPU int8  ·  34 ms"
    assert fitting(facts, 35) == "German → English · CPU int8 · 34 ms"
    assert fitting(facts, 30) == "German → English  ·  CPU int8"
    assert fitting(facts, 8) == "German …"
    assert fitting((), 8) == ""


def test_control_characters_never_reach_the_terminal() -> None:
    assert printable("a\x00b\x1b[31mc\x9bd\te\nf\r\ng\ud800") == "ab[31mcd\te\nf\r\ng"


def test_what_was_only_rewritten_is_told() -> None:
    made = dataclasses.replace(translation(), source="zh", target="zh", route=(), pack="",
                               warnings=(Caution.REWRITTEN,))  # fmt: skip
    assert wording.facts(made)[0] == "Rewritten"
    said = wording.cautions(made, PAIR)
    assert said == ("Chinese already: only its characters changed",)


def test_a_language_of_no_pack_is_named_and_nothing_else_said() -> None:
    both = (Caution.UNTRANSLATED, Caution.UNOFFERED)
    dutch = dataclasses.replace(translation(), source="nl", route=(), warnings=both)
    said = wording.cautions(dutch, PAIR)
    assert said == ("This looks like Dutch, which no pack has: F2 sets another",)


async def test_the_aside_stands_on_the_right_and_takes_half_the_line_at_most() -> None:
    facts = ("German → English", "small-test 1.0.0", "CPU int8", "34 ms")
    async with running(size=(60, 20)) as app:
        line = app.main.query_one(StatusLine)
        line.facts, line.aside = facts, "天 ↔ day"
        width = line.content_size.width
        said = line.render().plain
        assert said.startswith("German → English  ·  small-test 1.0.0  ")
        assert said.endswith("  天 ↔ day")
        assert cell_len(said) == width
        line.aside = "word " * width
        assert cell_len(line.render().plain) == width
        assert line.render().plain.startswith("German → English")
