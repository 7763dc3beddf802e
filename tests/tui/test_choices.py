"""Language choices: defaults, swaps and the picker's search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.errors import LanguageError
from mltranslate.languages import LANGUAGES
from mltranslate_tui.choices import (
    AUTO,
    Offer,
    Pair,
    asked_target,
    default_pair,
    first_pair,
    locale_language,
    matching,
    opening_pair,
    swapped,
    variety_meant,
    with_source,
    with_target,
)

CODES = ("en", "de", "fr", "zh")
PAIRS = st.builds(
    lambda source, target, spare: Pair(source=source, target=target, spare=spare),
    st.sampled_from((AUTO, *CODES)),
    st.sampled_from(CODES),
    st.sampled_from(CODES),
).filter(lambda pair: len({pair.source, pair.target}) == 2 and pair.spare != pair.target)


def found(query: str) -> list[str]:
    return [language.code for language in matching(query, LANGUAGES.values())]


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({"LANG": "de_AT.UTF-8"}, "de"),
        ({"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8"}, ""),
        ({"LC_MESSAGES": "pt_BR"}, "pt"),
        ({"LANG": "POSIX"}, ""),
    ],
)
def test_locale_language(environ: dict[str, str], code: str) -> None:
    assert locale_language(environ) == code


def test_default_target_is_the_language_spoken_here() -> None:
    assert default_pair(CODES, spoken="de") == Pair(source=AUTO, target="de", spare="en")


def test_default_target_is_english_where_the_locale_tells_nothing() -> None:
    assert default_pair(CODES) == Pair(source=AUTO, target="en", spare="de")


def test_default_target_is_not_the_source() -> None:
    assert default_pair(CODES, source="en", spoken="en").target == "de"


def test_wished_target_wins() -> None:
    assert default_pair(CODES, target="zh", spoken="de") == Pair(
        source=AUTO, target="zh", spare="de"
    )


def test_swap_with_a_detected_source() -> None:
    pair = Pair(source=AUTO, target="en", spare="fr")
    assert swapped(pair, "de") == Pair(source="en", target="de", spare="fr")


def test_swap_of_a_text_that_is_already_in_the_target_language() -> None:
    pair = Pair(source=AUTO, target="en", spare="de")
    assert swapped(pair, "en") == Pair(source=AUTO, target="de", spare="en")


@pytest.mark.parametrize("detected", [None, "und"])
def test_swap_where_no_language_was_detected_goes_on_detecting(detected: str | None) -> None:
    pair = Pair(source=AUTO, target="en", spare="de", variety="en-GB")
    assert swapped(pair, detected) == Pair(source=AUTO, target="de", spare="en")


@given(PAIRS, st.sampled_from((None, "und", *CODES)))
def test_swap_never_makes_a_useless_pair(pair: Pair, detected: str | None) -> None:
    result = swapped(pair, detected)
    assert result.target not in {result.source, result.spare}


@given(PAIRS.filter(lambda pair: pair.source != AUTO))
def test_swapping_twice_changes_nothing(pair: Pair) -> None:
    back = swapped(swapped(pair, None), None)
    assert (back.source, back.target) == (pair.source, pair.target)


@given(PAIRS, st.sampled_from(CODES))
def test_chosen_language_is_taken_and_the_pair_stays_usable(pair: Pair, code: str) -> None:
    from_there, to_there = with_source(pair, code), with_target(pair, code)
    assert from_there.source == code
    assert to_there.target == code
    for result in (from_there, to_there):
        assert result.target not in {result.source, result.spare}


@pytest.mark.parametrize(
    ("query", "first"),
    [("de", "de"), ("germ", "de"), ("deut", "de"), ("espanol", "es"), ("TÜRK", "tr")],
)
def test_search_by_code_name_and_own_name(query: str, first: str) -> None:
    assert found(query)[0] == first


def test_search_in_other_scripts_and_by_alias() -> None:
    assert found("рус") == ["ru"]
    assert found("中") == ["zh"]
    assert found("Mandarin") == ["zh"]


def test_search_for_nothing_finds_everything_in_order() -> None:
    assert found("  ") == list(LANGUAGES)


def test_search_without_a_match() -> None:
    assert found("klingon") == []


@given(st.text(max_size=10))
def test_search_takes_any_text(query: str) -> None:
    assert set(found(query)) <= set(LANGUAGES)


def test_wishes_must_be_offered_in_their_direction() -> None:
    offer = Offer(("en", "sv"), ("en", "de"))
    assert offer.languages == ("en", "sv", "de")
    pair = first_pair(offer, "sv", None, spoken="sv")
    assert pair == Pair(source="sv", target="en", spare="de")
    with pytest.raises(LanguageError, match="Choose one of: en, de"):
        first_pair(offer, "auto", "sv", spoken="de")
    with pytest.raises(LanguageError, match="Choose one of: en, sv"):
        first_pair(offer, "German", None, spoken="de")


def test_a_variety_that_is_asked_for_is_kept_while_its_language_is_the_target() -> None:
    offer = Offer(("en", "de", "zh"), ("en", "de", "zh"))
    pair = first_pair(offer, "auto", "zh_TW", spoken="de")
    assert pair == Pair(source=AUTO, target="zh", spare="de", variety="zh-Hant")
    assert pair.asked == "zh-Hant"
    assert with_source(pair, "en").asked == "zh-Hant"
    assert with_target(pair, "zh").asked == "zh"
    others = (with_target(pair, "en"), with_source(pair, "zh"), swapped(pair, "zh"))
    assert [other.variety for other in (*others, swapped(pair, "en"))] == [""] * 4


def test_a_variety_that_a_pack_lists_is_a_language_of_its_own() -> None:
    assert asked_target("zh_TW", ("en", "zh", "zh-Hant")) == ("zh-Hant", "")
    assert asked_target("zh-Hans", ("en", "zh", "zh-Hant")) == ("zh", "zh-Hans")
    assert asked_target("de-DE", ("en", "de")) == ("de", "")


@pytest.mark.parametrize(
    ("query", "tag"),
    [("zh-Hant", "zh-Hant"), ("brazilian portuguese", "pt-BR"), ("zh-Ha", ""), ("", ""),
     ("de-DE", ""), ("Chinese", ""), ("qqq", "")],
)  # fmt: skip
def test_a_variety_is_found_where_it_is_spelt_out(query: str, tag: str) -> None:
    variety = variety_meant(query, list(LANGUAGES.values()))
    assert (variety.code if variety else "") == tag


def test_a_refused_wish_is_told_beside_the_default_pair() -> None:
    offer = Offer(("en", "de"), ("en", "de", "fr"))
    assert opening_pair(offer, "auto", "fr", spoken="de") == (
        Pair(source=AUTO, target="fr", spare="de"), None,
    )  # fmt: skip
    pair, error = opening_pair(offer, "German", "de", spoken="fr")
    assert pair == Pair(source="de", target="fr", spare="en")
    assert error is not None
    assert error.what == "Source and target are both German"


@pytest.mark.parametrize(
    ("source", "target", "pair", "refused"),
    [
        ("de", "klingon", Pair(source="de", target="fr", spare="en"), "Klingon"),
        ("klingon", "de", Pair(source=AUTO, target="de", spare="fr"), "Klingon"),
        ("dothraki", "klingon", Pair(source=AUTO, target="fr", spare="en"), "dothraki"),
    ],
)
def test_a_refused_wish_leaves_the_other(
    source: str, target: str, pair: Pair, refused: str
) -> None:
    offer = Offer(("en", "de"), ("en", "de", "fr"))
    opening, error = opening_pair(offer, source, target, spoken="fr")
    assert opening == pair
    assert error is not None
    assert refused in str(error)


def test_an_offer_has_a_pair_in_its_direction_only() -> None:
    offer = Offer(("en", "sv"), ("en", "de"))
    assert offer.has(Pair(source=AUTO, target="de", spare="en"))
    assert offer.has(Pair(source="sv", target="en", spare="de"))
    assert not offer.has(Pair(source="en", target="sv", spare="de"))
    assert not offer.has(Pair(source="de", target="en", spare="de"))
