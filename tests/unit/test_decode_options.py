"""Scores of tokens, length penalty and sampling, against the trainer's search."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import toy_run
from pack_archives import SCHEMAS
from test_export_graphs import mixed_requests
from test_export_shortlist import with_shortlists

from mltranslate.decode import Decoder, Hypothesis, Request, Sampling, Search
from mltranslate.errors import PackError
from mltranslate.packs.install import install_pack
from mltranslate_export.checkpoint import Checkpoint, load_run
from mltranslate_export.verify import parity
from mltranslate_train import search


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, Decoder, Decoder]:
    """A wild model: its oracle, its decoder, and its decoder with shortlists."""
    run = toy_run.untrained_run(tmp_path_factory.mktemp("run"), max_length=40)
    pack = with_shortlists(run, tmp_path_factory.mktemp("pack"), ("fp32",))
    whole = Decoder(pack, device="cpu", threads=1, shortlist=False)
    return load_run(run), whole, Decoder(pack, device="cpu", threads=1)


def inputs(
    checkpoint: Checkpoint, requests: Sequence[Request]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    source, start = parity._inputs(checkpoint, requests)
    return source, start, torch.tensor([request.max_tokens for request in requests])


def pieces(hypotheses: Sequence[Hypothesis]) -> list[tuple[int, ...]]:
    return [one.pieces for one in hypotheses]


@pytest.mark.parametrize("beam", [1, 3])
def test_scores_of_tokens_are_the_model_s(
    untrained: tuple[Checkpoint, Decoder, Decoder], beam: int
) -> None:
    checkpoint, whole, short = untrained
    requests = mixed_requests(5, 10)
    for decoder in (whole, short):
        found = decoder.decode(requests, beam=beam)
        scores = decoder.token_scores(requests, found)
        for one, its in zip(found, scores, strict=True):
            assert len(its) == len(one.pieces) + one.finished
            assert sum(its) / len(its) == pytest.approx(one.score, abs=1e-4)
    request, one = requests[0], whole.decode(requests[:1], beam=beam)[0]
    for place, score in enumerate(whole.token_scores([request], [one])[0]):
        chances = parity._logprobs(checkpoint, request, one.pieces[:place])
        banned = chances[list(checkpoint.banned)].exp().sum()
        token = (*one.pieces, 3)[place]
        assert score == pytest.approx(float(chances[token] - torch.log1p(-banned)), abs=1e-4)


def test_a_hypothesis_without_tokens_has_no_scores(
    untrained: tuple[Checkpoint, Decoder, Decoder],
) -> None:
    requests = mixed_requests(6, 2)
    nothing = Hypothesis(pieces=(), score=0.0, finished=False)
    something = Hypothesis(pieces=(20, 21), score=0.0, finished=False)
    scores = untrained[1].token_scores(requests, [nothing, something])
    assert [len(one) for one in scores] == [0, 2]
    assert untrained[1].token_scores(requests[:1], [nothing]) == [()]


@pytest.mark.parametrize("penalty", [0.5, 0.6, 2.0])
def test_a_length_penalty_ranks_as_the_oracle_does(
    untrained: tuple[Checkpoint, Decoder, Decoder], penalty: float
) -> None:
    checkpoint, decoder, _ = untrained
    requests = mixed_requests(2, 12)
    found = decoder.search(requests, Search(beam=4, length_penalty=penalty))
    expected = search.n_best(
        checkpoint.model, *inputs(checkpoint, requests), size=4, banned=checkpoint.banned,
        length_penalty=penalty,
    )  # fmt: skip
    for ours, theirs in zip(found, expected, strict=True):
        assert pieces(ours) == pieces(theirs)
        assert ours[0].score == pytest.approx(theirs[0].score, abs=1e-4)


@pytest.mark.parametrize("top", [0, 1, 5])
@pytest.mark.parametrize("guard", [False, True])
def test_draws_equal_the_oracle_s(
    untrained: tuple[Checkpoint, Decoder, Decoder], top: int, guard: bool
) -> None:
    checkpoint, decoder, _ = untrained
    requests = mixed_requests(3, 12)
    told = Search(sampling=Sampling(seed=7, top=top))
    found = [row[0] for row in decoder.search(requests, told, repetition_guard=guard)]
    steps = max(request.max_tokens for request in requests)
    draws = [np.random.default_rng([7, *r.pieces]).random(steps, np.float32) for r in requests]
    expected = search.sample(
        checkpoint.model, *inputs(checkpoint, requests), draws=torch.tensor(np.stack(draws)),
        top=top or 288, guard=guard, banned=checkpoint.banned,
    )  # fmt: skip
    assert pieces(found) == pieces(expected)
    assert [one.score for one in found] == pytest.approx(
        [one.score for one in expected], abs=1e-4
    )  # fmt: skip


def test_a_temperature_goes_from_the_best_to_anything(
    untrained: tuple[Checkpoint, Decoder, Decoder],
) -> None:
    _, whole, short = untrained
    requests = mixed_requests(4, 8)
    for decoder in (whole, short):
        cold = decoder.search(requests, Search(sampling=Sampling(seed=1, temperature=1e-4)))
        assert [row[0].pieces for row in cold] == pieces(decoder.decode(requests))
        warm = [
            decoder.search(requests, Search(sampling=Sampling(seed=seed, temperature=2.0)))
            for seed in (1, 1, 2)
        ]
        assert warm[0] == warm[1] != warm[2]
        alone = decoder.search(requests[3:4], Search(sampling=Sampling(seed=1, temperature=2.0)))
        assert alone[0][0].pieces == warm[0][3][0].pieces


@pytest.mark.parametrize("archive", SCHEMAS, ids=lambda path: path.stem)
def test_packs_from_before_say_what_to_do(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mltranslate.locations.user_packs", lambda: tmp_path / "packs")
    decoder = Decoder(install_pack(archive), device="cpu", threads=1)
    requests = [Request(pieces=(20,), target="de", max_tokens=9)]
    for told in (Search(beam=2, length_penalty=0.5), Search(sampling=Sampling(seed=1))):
        with pytest.raises(PackError, match=r"Export it again with: mltranslate-export pack"):
            decoder.search(requests, told)
    assert decoder.usual_length_penalty("de") == 1
    with pytest.raises(PackError, match="score its tokens"):
        decoder.token_scores(requests, decoder.decode(requests))
