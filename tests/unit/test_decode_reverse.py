"""The reverse weight: its arithmetic, the order it gives, and real packs."""

import math
from collections.abc import Callable, Iterable, Sequence

import pytest
import toy_run
from hypothesis import given
from hypothesis import strategies as st
from test_export_families import TRANSFORMERS, checkpoint_of, mixed_requests
from test_export_shortlist import with_shortlists

from mltranslate.decode import Decoder, Hypothesis, Request, Sampling, Search
from mltranslate.decode.reverse import Return, by_reverse, turned
from mltranslate.decode.types import END
from mltranslate.errors import LanguageError, UsageError
from mltranslate.packs import Pack

REQUEST = Request(pieces=(20, 21), source="en", target="de", max_tokens=9)
ONE = Hypothesis(pieces=(30,), score=-0.5, finished=True)
TWO = Hypothesis(pieces=(31, 32), score=-0.6, finished=True, shortlist=True)
CUT = Hypothesis(pieces=(33,), score=-0.1, finished=False)
NONE = Hypothesis(pieces=(), score=-math.inf, finished=False)
SAID = {(30,): (-1.0, -1.0, -1.0), (31, 32): (-0.5, -0.5, -0.2), (33,): (-0.1, 0.0, 0.0)}


def back(ways: Sequence[Return]) -> Iterable[Sequence[float]]:
    return [SAID[one.pieces] for way in ways for one in way.requests]


def never(_: object) -> list[Sequence[float]]:
    raise AssertionError


def test_the_way_back() -> None:
    way = turned(REQUEST, [ONE, NONE, TWO])
    assert way.said == (20, 21, END)
    assert [one.pieces for one in way.requests] == [(30,), (31, 32)]
    assert {(one.source, one.target, one.max_tokens) for one in way.requests} == {("de", "en", 3)}


@pytest.mark.parametrize(
    ("weight", "power", "expected"),
    [
        # Ways back: -3 / 3 is -1 for ONE, -1.2 / 3 is -0.4 for TWO.
        (0.1, 1.0, [ONE, TWO, CUT, NONE]),  # -0.45 - 0.1 = -0.55 and -0.54 - 0.04 = -0.58
        (0.2, 1.0, [TWO, ONE, CUT, NONE]),  # -0.4 - 0.2 = -0.6 and -0.48 - 0.08 = -0.56
        (1.0, 1.0, [TWO, ONE, CUT, NONE]),
        # -1 / 2 ** 0.5 = -0.707 and -1.8 / 3 ** 0.5 = -1.039; -3 / 3 ** 0.5 = -1.732 and -0.693
        (0.2, 0.5, [ONE, TWO, CUT, NONE]),  # -0.912 and -0.970
        (0.3, 0.5, [TWO, ONE, CUT, NONE]),  # -1.015 and -0.935
    ],
)
def test_worked_orders(weight: float, power: float, expected: list[Hypothesis]) -> None:
    search = Search(beam=4, reverse_weight=weight, length_penalty=power)
    found = [[ONE, TWO, CUT, NONE], [TWO, TWO]]
    assert by_reverse([REQUEST] * 2, found, search, back, 9) == [expected, [TWO, TWO]]


@pytest.mark.parametrize("found", [[], [[]], [[ONE]]])
def test_nothing_is_scored_where_there_is_no_choice(found: list[list[Hypothesis]]) -> None:
    search = Search(beam=2, reverse_weight=0.3)
    assert by_reverse([REQUEST] * len(found), found, search, never, 9) == found


def test_what_the_model_cannot_read_back_keeps_its_order() -> None:
    search = Search(beam=2, reverse_weight=1)
    assert by_reverse([REQUEST], [[ONE, TWO]], search, never, 1) == [[ONE, TWO]]
    assert by_reverse([REQUEST], [[ONE, TWO]], search, back, 2) == [[TWO, ONE]]


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """Of a wild model, with shortlists."""
    run = tmp_path_factory.mktemp("run")
    toy_run._train_vocabulary(run)
    checkpoint_of(run, "transformer", TRANSFORMERS[0])
    return with_shortlists(run, tmp_path_factory.mktemp("pack"), ("fp32",))


@pytest.fixture(scope="module")
def decoder(pack: Pack) -> Decoder:
    return Decoder(pack, device="cpu", threads=1)


def _sourced(request: Request, pack: Pack) -> Request:
    source = next(one for one, other in pack.directions if other == request.target)
    return Request(
        pieces=request.pieces,
        source=source,
        target=request.target,
        max_tokens=request.max_tokens,
    )


@pytest.mark.parametrize("beam", [2, 5])
def test_a_pack_s_hypotheses_are_ranked_by_what_they_say_back(pack: Pack, beam: int) -> None:
    requests = [_sourced(one, pack) for one in mixed_requests(7, 12)]
    decoder = Decoder(pack, device="cpu", threads=1, shortlist=False)
    search = Search(beam=beam, reverse_weight=0.4)
    assert decoder.search([], search) == []
    plain = decoder.search(requests, Search(beam=beam))
    ranked = decoder.search(requests, search)
    for request, before, after in zip(requests, plain, ranked, strict=True):
        assert sorted(before, key=repr) == sorted(after, key=repr), "scores stay, too"
        way = turned(request, after)
        source = Hypothesis(pieces=request.pieces, score=0.0, finished=True)
        scores = iter(decoder.token_scores(way.requests, [source] * len(way.requests)))
        ranks = []
        for one in after:
            if one.pieces:
                said = next(scores)
                mean = 0.6 * one.score + 0.4 * sum(said) / len(said)
                ranks.append((one.finished, round(mean, 3)))
        assert ranks == sorted(ranks, reverse=True)
    assert plain != ranked, "or this test compares nothing"


def test_all_translations_of_a_sentence_have_the_same_ids(pack: Pack, decoder: Decoder) -> None:
    """A batch of sentences, with a shortlist, gives what each gives alone."""
    requests = [_sourced(one, pack) for one in mixed_requests(7, 12)]
    search = Search(beam=3, reverse_weight=0.4)
    together = decoder.search(requests, search)
    alone = [decoder.search([one], search)[0] for one in requests]
    assert [[one.pieces for one in its] for its in together] == [
        [one.pieces for one in its] for its in alone
    ]
    ways = [turned(request, its) for request, its in zip(requests, together, strict=True)]
    assert any(map(decoder._feeder.has_way_back, ways)), "or no shortlist was used"


@given(st.integers(0, 50), st.integers(2, 4))
def test_zero_changes_nothing(decoder: Decoder, seed: int, beam: int) -> None:
    requests = mixed_requests(seed, 2)  # which tell no source: nobody asks for it
    told = Search(beam=beam, reverse_weight=0)
    assert told == Search(beam=beam)
    assert decoder.search(requests, told) == decoder.n_best(requests, beam=beam)


def test_a_way_back_that_the_pack_lacks_is_refused(decoder: Decoder) -> None:
    request = mixed_requests(7, 1)[0]
    with pytest.raises(LanguageError, match=r"to a language that is not told"):
        decoder.search([request], Search(beam=2, reverse_weight=0.3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Search(beam=4, reverse_weight=-0.1), "weight -0.1 is out of range"),
        (lambda: Search(beam=4, reverse_weight=1.1), "Give 0 to 1"),
        (lambda: Search(beam=4, reverse_weight=math.nan), "weight nan is out of range"),
        (lambda: Search(beam=4, reverse_weight=None), "reverse weight"),  # type: ignore[arg-type]
        (lambda: Search(reverse_weight=0.2), "greedy search knows no reverse weight"),
        (lambda: Search(beam=4, reverse_weight=0.2, coverage_penalty=0.2), "do not go together"),
        (
            lambda: Search(reverse_weight=0.2, sampling=Sampling(seed=1)),
            "penalties are of a search for the best",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make: Callable[[], Search], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()
