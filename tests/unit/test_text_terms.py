"""Terms in texts: word boundaries, case, overlaps, scripts without spaces."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.terms import TermIndex, flat, is_caseless, one_line

MATCHES = [
    pytest.param(["cat"], "A cat, a Cat: CAT.", "en", ["cat"] * 3, id="any case"),
    pytest.param(["cat"], "Concatenate cats in cat5 or 5cat.", "en", [], id="whole words"),
    pytest.param(["cat"], "the cat's cat-flap", "en", ["cat"] * 2, id="marks end words"),
    pytest.param(["Polish"], "Polish it, polish POLISH.", "en", ["Polish"], id="as written"),
    pytest.param(["us", "US"], "US told us.", "en", ["US", "us"], id="the nearer one"),
    pytest.param(["bank", "bank account"], "A bank account", "en", ["bank account"], id="longest"),
    pytest.param(["a b", "b c d"], "a b c d", "en", ["b c d"], id="longest, not first"),
    pytest.param(["电源", "电源按钮"], "请按电源按钮。", "zh", ["电源按钮"], id="Chinese"),
    pytest.param(["USB"], "打开USB接口", "zh", ["USB"], id="Latin beside Chinese"),
    pytest.param(["US"], "打开USB接口", "zh", [], id="not within Latin"),
    pytest.param(["ボタン"], "ボタンを押す", "ja", ["ボタン"], id="Japanese"),
    pytest.param(["ปุ่ม"], "กดปุ่มนี้", "en", [], id="letters bind"),
    pytest.param(["кнопка"], "Кнопка и кнопкам", "ru", ["кнопка"], id="Cyrillic"),
    pytest.param(["straße"], "Die STRASSE, die Straße", "de", ["straße"] * 2, id="sharp s"),
    pytest.param(["c++"], "C++ and c+++", "en", ["c++", "c++"], id="signs"),
    pytest.param(["i"], "İ I i\u0307", "en", ["i"], id="lengths that change"),
]


@pytest.mark.parametrize(("terms", "text", "language", "wanted"), MATCHES)
def test_what_is_found(terms: list[str], text: str, language: str, wanted: list[str]) -> None:
    assert [one.term for one in TermIndex(terms).find(text, language)] == wanted


def test_in_capitals_case_says_nothing() -> None:
    index = TermIndex(["Polish", "Straße"])
    found = index.find("POLISH STRASSE", "de", shouted=True)
    assert [one.term for one in found] == ["Polish", "Straße"]
    assert index.find("POLISH STRASSE", "de") == []


def test_terms_that_differ_in_case_are_said_by_one_word() -> None:
    index = TermIndex(["Car", "car", "car park"])
    assert index.said("A Car.", "en") == {"Car", "car"}
    assert index.said("A car.", "en") == {"car"}
    assert index.said("A CAR.", "en") == {"car"}
    assert index.said("A CAR.", "en", shouted=True) == {"Car", "car"}
    assert index.said("A car park.", "en") == {"car park"}
    assert index.said("Cars.", "en") == set()


def test_items_are_left_out() -> None:
    text = "The **power**  button 😀 of https://acme.com/button and {button}."
    assert flat(text, with_names=False) == "The power button of and ."
    assert flat(text) == "The power button of https://acme.com/button and {button}."
    assert one_line("a\n b\u00a0c e\u0301") == "a b c é"


ALPHABET = st.sampled_from("aAbBß İi1é \u0301中ボ-'.")


@given(st.lists(st.text(ALPHABET, min_size=1, max_size=4), max_size=6), st.text(ALPHABET))
def test_finds_are_apart_and_say_the_term(terms: list[str], text: str) -> None:
    """Against what the rules say of each place by itself."""
    found = TermIndex(terms).find(text, "en")
    assert all(left.end <= right.start for left, right in itertools.pairwise(found))
    for one in found:
        written = text[one.start : one.end]
        assert one.term in terms
        assert written == one.term or is_caseless(one.term)
        assert written.casefold() == one.term.casefold() or "İ" in written + one.term
        for outside, inside in ((one.start - 1, one.start), (one.end, one.end - 1)):
            if 0 <= outside < len(text) and "中ボ".find(text[inside]) < 0:
                ends = [text[outside], text[inside]]
                assert not all(char.isascii() and char.isalnum() for char in ends)


@given(st.text(max_size=40), st.text("ab", min_size=1, max_size=3))
def test_a_term_alone_between_spaces_is_found(around: str, term: str) -> None:
    text = f"{around} {term} "
    assert term in [one.term for one in TermIndex([term]).find(text, "en")]


@given(st.text())
def test_flat_never_raises(text: str) -> None:
    assert flat(text) == one_line(flat(text))
    TermIndex([text]).find(text, "en")
