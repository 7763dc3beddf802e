"""The rule by which packs are chosen, on packs of all sorts."""

import pytest
from fake_engine_parts import FakePack
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.errors import LanguageError
from mltranslate.routes import PIVOT, find_route, shares

CODES = ("en", "de", "fr", "ja", "xx")
PAIRS = [(one, other) for one in CODES for other in CODES if one != other]
PACKS = st.lists(st.frozensets(st.sampled_from(PAIRS)), min_size=1, max_size=6).map(
    lambda found: [FakePack(name=f"p{n}", directions=pairs) for n, pairs in enumerate(found)]
)


def pack(name: str, *directions: str) -> FakePack:
    pairs = frozenset((way[:2], way[3:]) for way in directions)
    return FakePack(name=name, directions=pairs)


def told(packs: list[FakePack], source: str, target: str) -> list[str]:
    return [f"{hop.source}-{hop.target} {hop.by.name}" for hop in find_route(packs, source, target)]


CASES = [
    pytest.param([pack("a", "de-fr"), pack("b", "de-fr")], ["de-fr a"], id="the first that has it"),
    pytest.param(
        [pack("a", "de-en", "en-fr"), pack("b", "de-fr")], ["de-fr b"], id="direct before English"
    ),
    pytest.param(
        [pack("a", "en-fr"), pack("b", "de-en", "en-fr")], ["de-en b", "en-fr a"], id="a pack a hop"
    ),
    pytest.param([pack("a", "de-ja", "ja-fr"), pack("b", "de-en", "en-fr")],
                 ["de-en b", "en-fr b"], id="through English only"),
]  # fmt: skip


@pytest.mark.parametrize(("packs", "wanted"), CASES)
def test_the_rule(packs: list[FakePack], wanted: list[str]) -> None:
    assert told(packs, "de", "fr") == wanted


@given(PACKS, st.sampled_from(PAIRS))
def test_a_route_is_found_whenever_there_is_one(
    packs: list[FakePack], pair: tuple[str, str]
) -> None:
    source, target = pair
    every = frozenset[tuple[str, str]]().union(*(one.directions for one in packs))
    through = {(source, PIVOT), (PIVOT, target)}
    try:
        hops = find_route(packs, source, target)
    except LanguageError:
        assert pair not in every
        assert not through <= every
        return
    ways = [(hop.source, hop.target) for hop in hops]
    assert ways == ([pair] if pair in every else [(source, PIVOT), (PIVOT, target)])
    for hop, way in zip(hops, ways, strict=True):
        assert hop.by is next(one for one in packs if way in one.directions)


@given(PACKS)
def test_every_direction_belongs_to_the_pack_that_takes_it(packs: list[FakePack]) -> None:
    owned = list(shares(packs))
    assert sum(map(len, owned)) == len(frozenset().union(*(one.directions for one in packs)))
    for one, share in zip(packs, owned, strict=True):
        for source, target in share:
            assert [hop.by for hop in find_route(packs, source, target)] == [one]


def test_an_error_names_what_helps_and_not_everything() -> None:
    many = [pack(f"p{n:02}", f"{n:02}-de") for n in range(30)]
    with pytest.raises(LanguageError, match=r"German \(de\) into French \(fr\)") as raised:
        find_route([*many, pack("z", "en-fr")], "de", "fr")
    assert raised.value.fix == "On offer: en to fr"
    with pytest.raises(LanguageError) as raised:
        find_route(many, "fr", "ja")
    assert raised.value.fix.count(" to ") == 20
    assert raised.value.fix.endswith("and 10 others")
