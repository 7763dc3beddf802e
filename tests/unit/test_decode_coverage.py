"""The coverage penalty: its arithmetic, the order it gives, and real packs."""

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import toy_run
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from pack_archives import SCHEMAS
from test_export_families import TRANSFORMERS, checkpoint_of, mixed_requests
from test_export_shortlist import with_shortlists

from mltranslate.cli.main import main
from mltranslate.decode import Decoder, Hypothesis, Request, Sampling, Search
from mltranslate.decode.coverage import LEAST, Attention, by_coverage, coverage
from mltranslate.errors import PackError, UsageError
from mltranslate.packs import Pack
from mltranslate.packs.install import install_pack

REQUEST = Request(pieces=(20, 21), target="de", max_tokens=9)
Ranks = list[float]


def looking(*rows: Sequence[float]) -> Attention:
    return np.array(rows, np.float32)


@pytest.mark.parametrize(
    ("attention", "logs"),
    [
        # Columns: tag, two subwords, end mark. 0.6 + 0.5 is over 1, 0.2 + 0.3 is not.
        (looking((0.1, 0.6, 0.2, 0.1), (0.0, 0.5, 0.3, 0.2)), [0.5]),
        (looking((0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0)), []),
        (looking((0.5, 0.25, 0.125, 0.125)), [0.25, 0.125]),
        # Tag and end mark may be passed over; a subword that nothing looks at is no infinity.
        (looking((0.0, 1.0, 0.0, 0.0)), [LEAST]),
        (looking((0.5, 0.0, 0.0, 0.5)), [LEAST, LEAST]),
        (np.zeros((0, 5), np.float32), [LEAST] * 3),
        (looking((0.5, 0.5), (0.5, 0.5)), []),
    ],
)
def test_worked_numbers(attention: Attention, logs: Ranks) -> None:
    assert coverage(attention) == pytest.approx(sum(map(math.log, logs)), rel=1e-6, abs=1e-6)


def shares(rows: int, columns: int) -> st.SearchStrategy[NDArray[np.float32]]:
    return arrays.arrays(np.float32, (rows, columns), elements=st.floats(0, 1, width=32))


@given(st.integers(0, 5), st.integers(2, 6), st.data())
def test_another_subword_never_covers_less(rows: int, columns: int, data: st.DataObject) -> None:
    attention = data.draw(shares(rows, columns))
    more = np.concatenate([attention, data.draw(shares(1, columns))])
    assert (columns - 2) * math.log(LEAST) - 1e-9 <= coverage(attention) <= coverage(more) <= 0


HALF = Hypothesis(pieces=(30,), score=-0.5, finished=True)
"""Its one subword covers one of two: log 0.5 is -0.693."""
WHOLE = Hypothesis(pieces=(30, 31), score=-0.6, finished=True)
CUT = Hypothesis(pieces=(30, 31, 32), score=-0.1, finished=False)
NONE = Hypothesis(pieces=(), score=-math.inf, finished=False)
LOOKS = {
    HALF: looking((0.0, 1.0, 0.5, 0.0)),
    WHOLE: looking((0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0)),
    CUT: looking(*[(0.0, 0.5, 0.5, 0.0)] * 3),
    NONE: np.zeros((0, 4), np.float32),
}


def look(requests: Sequence[Request], hypotheses: Sequence[Hypothesis]) -> list[Attention]:
    assert len(requests) == len(hypotheses)
    return [LOOKS[one] for one in hypotheses]


@pytest.mark.parametrize(
    ("penalty", "length_penalty", "expected"),
    [
        (0.1, 1.0, [HALF, WHOLE, CUT, NONE]),  # -0.569 and -0.6
        (0.2, 1.0, [WHOLE, HALF, CUT, NONE]),  # -0.639 and -0.6
        (10.0, 1.0, [WHOLE, HALF, CUT, NONE]),  # nor does any penalty put what was cut before
        (0.2, 0.5, [HALF, WHOLE, CUT, NONE]),  # -1 / 2 ** 0.5 - 0.139 and -1.8 / 3 ** 0.5
        (0.5, 0.5, [WHOLE, HALF, CUT, NONE]),
    ],
)
def test_worked_orders(penalty: float, length_penalty: float, expected: list[Hypothesis]) -> None:
    search = Search(beam=4, coverage_penalty=penalty, length_penalty=length_penalty)
    found = [[HALF, WHOLE, CUT, NONE], [WHOLE, WHOLE]]
    assert by_coverage([REQUEST] * 2, found, search, look) == [expected, [WHOLE, WHOLE]]


def test_nothing_is_ranked_without_being_looked_at() -> None:
    def never(_: object, __: object) -> list[Attention]:
        raise AssertionError

    search = Search(beam=2, coverage_penalty=0.2)
    assert by_coverage([], [], search, never) == []
    assert by_coverage([REQUEST], [[]], search, never) == [[]]


SCORES = st.lists(st.floats(-20, 0, width=32), max_size=6).map(lambda its: sorted(its)[::-1])


@given(st.lists(SCORES, max_size=4), st.integers(0, 3))
def test_without_differences_the_order_stays(scores: list[Ranks], cut: int) -> None:
    """Nor does a penalty of nothing change it."""
    found = [
        [Hypothesis(pieces=(30,) * n, score=score, finished=True) for score in its]
        + [Hypothesis(pieces=(40,) * n, score=-0.5, finished=False)] * cut
        for n, its in enumerate(scores)
    ]

    def same(_: object, hypotheses: Sequence[Hypothesis]) -> list[Attention]:
        return [np.zeros((len(one.pieces), 5), np.float32) for one in hypotheses]

    def wild(_: object, hypotheses: Sequence[Hypothesis]) -> list[Attention]:
        generator = np.random.default_rng(len(hypotheses))
        return [generator.random((len(one.pieces), 5), np.float32) for one in hypotheses]

    requests = [REQUEST] * len(found)
    assert by_coverage(requests, found, Search(beam=8, coverage_penalty=0.25), same) == found
    assert by_coverage(requests, found, Search(beam=8), wild) == found


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """Of a wild model, with shortlists."""
    run = tmp_path_factory.mktemp("run")
    toy_run._train_vocabulary(run)
    checkpoint_of(run, "transformer", TRANSFORMERS[0])
    return with_shortlists(run, tmp_path_factory.mktemp("pack"), ("fp32",))


@pytest.fixture(scope="module")
def untouched(pack: Pack) -> Decoder:
    """A decoder that no other test uses."""
    return Decoder(pack, device="cpu", threads=1)


@pytest.mark.parametrize("length_penalty", [1.0, 0.5])
@pytest.mark.parametrize("beam", [2, 5])
def test_a_pack_s_hypotheses_are_ranked_by_its_attention(
    pack: Pack, beam: int, length_penalty: float
) -> None:
    requests = mixed_requests(7, 12)
    search = Search(beam=beam, length_penalty=length_penalty, coverage_penalty=0.3)
    changed = 0
    for shortlist in (True, False):
        decoder = Decoder(pack, device="cpu", threads=1, shortlist=shortlist)
        assert decoder.search([], search) == []
        plain = decoder.search(requests, Search(beam=beam, length_penalty=length_penalty))
        for request, before, after in zip(
            requests, plain, decoder.search(requests, search), strict=True
        ):
            assert sorted(before, key=repr) == sorted(after, key=repr), "scores stay, too"
            changed += before != after
            attentions = decoder.alignment([request] * beam, after)
            for finished in (True, False):
                ranks = [
                    one.score * max(1, len(one.pieces) + finished) ** (1 - length_penalty)
                    + 0.3 * coverage(attention)
                    for one, attention in zip(after, attentions, strict=True)
                    if one.finished is finished
                ]
                assert all(a >= b - 1e-4 for a, b in itertools.pairwise(ranks))
            assert sorted(after, key=lambda one: not one.finished) == after
    assert changed, "or this test compares nothing"


@given(st.integers(0, 50), st.integers(1, 4))
def test_zero_changes_and_computes_nothing(untouched: Decoder, seed: int, beam: int) -> None:
    requests = mixed_requests(seed, 2)
    told = Search(beam=beam, coverage_penalty=0)
    assert told == Search(beam=beam)
    assert untouched.search(requests, told) == untouched.n_best(requests, beam=beam)
    assert not any("aligned" in name for name in untouched._sessions)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Search(beam=4, coverage_penalty=-0.1), "penalty -0.1 is out of range"),
        (lambda: Search(beam=4, coverage_penalty=math.nan), "penalty nan is out of range"),
        (lambda: Search(beam=4, coverage_penalty=math.inf), "Give 0 to 10"),
        (lambda: Search(coverage_penalty=0.2), "greedy search knows no coverage penalty"),
        (
            lambda: Search(coverage_penalty=0.2, sampling=Sampling(seed=1)),
            "penalties are of a search for the best",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make: Callable[[], Search], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize("archive", SCHEMAS, ids=lambda path: path.stem)
def test_packs_from_before_say_what_to_do(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("mltranslate.locations.user_packs", lambda: tmp_path / "packs")
    pack = install_pack(archive)
    decoder = Decoder(pack, device="cpu", threads=1)
    with pytest.raises(PackError, match="cannot search with a coverage penalty: it was exported"):
        decoder.search([REQUEST], Search(beam=2, coverage_penalty=0.2))
    arguments = ["text", "--pack", str(pack.folder), "--from", "en", "--to", "de", "Hi"]
    assert main([*arguments, "--coverage-penalty", "0.2"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "Export a Transformer again with: mltranslate-export pack" in err
