"""Prefixes: the ways to spell them, and searches that keep to them, against the oracle."""

import functools
import itertools
import random
from collections.abc import Sequence
from pathlib import Path as File

import numpy as np
import pytest
import torch
import toy_run
from hypothesis import given
from hypothesis import strategies as st
from pack_archives import SCHEMAS
from test_export_shortlist import UNSEEN, with_shortlists

from mltranslate.decode import Decoder, Request, Tokenizer, feeds
from mltranslate.decode.prefixes import Path, Spelling
from mltranslate.decode.types import END, Hypothesis, Prefix
from mltranslate.errors import InputError, PackError, UsageError
from mltranslate.packs import Pack, read_pack
from mltranslate.packs.install import install_pack
from mltranslate_export.checkpoint import Checkpoint, load_run
from mltranslate_export.verify import parity
from mltranslate_train import search

MARKS = [b""] * 4
SURFACES = [*MARKS, b" a", b" ", b"a", b"b", b"ab", b"ba", b" ab", b"aba", b" b", b"c", b" abac"]
A_SPACE, SPACE, A, B = 4, 5, 6, 7


@functools.cache
def toy_pack() -> Pack:
    return read_pack(toy_run.toy_pack())


@functools.cache
def tokenizer() -> Tokenizer:
    return toy_pack().tokenizer()


@functools.cache
def spelling() -> Spelling:
    return Spelling(tokenizer().surfaces(), tokenizer().single_bytes())


def prefix(text: str) -> Prefix:
    return Prefix(pieces=tokenizer().encode(text.strip()), ends_word=text[-1:].isspace())


def written(pieces: Sequence[int], surfaces: Sequence[bytes]) -> bytes:
    return b"".join(surfaces[piece] for piece in pieces)


def follows(path: Path, pieces: Sequence[int], surfaces: Sequence[bytes]) -> bool:
    """Whether `path` permits these ids, as far as it says anything."""
    units = 0
    for piece in pieces:
        if units < path.length and piece not in path.permitted[units]:
            return False
        units += len(surfaces[piece])
    return True


@given(st.lists(st.integers(4, len(SURFACES) - 1), min_size=1, max_size=3), st.booleans())
def test_the_last_word_is_spelt_in_every_way(pieces: list[int], some: bool) -> None:
    """Where nothing is fixed, all that begins with the text is permitted, and nothing else."""
    texts = [SURFACES[piece] for piece in pieces]
    if any(text.startswith(b" ") for text in texts[1:]):
        return
    wanted = b"".join(texts)
    offered = np.arange(len(SURFACES)) % 3 > 0 if some else np.full(len(SURFACES), True)
    offered[pieces] = True
    path = Spelling(SURFACES).path(Prefix(pieces=tuple(pieces)), offered)
    assert path.length == len(wanted)
    ids = [piece for piece in range(4, len(SURFACES)) if offered[piece]]
    for size in range(1, 5):
        for way in itertools.product(ids, repeat=size):
            text = written(way, SURFACES)
            begins = text.startswith(wanted)
            if len(text) >= len(wanted):
                assert follows(path, way, SURFACES) == begins
    for units, row in enumerate(path.permitted):
        for piece in row:
            end = units + len(SURFACES[piece])
            assert end >= path.length or path.permitted[end], "a dead end"


def test_earlier_words_keep_their_subwords() -> None:
    path = Spelling(SURFACES).path(Prefix(pieces=(10, 7, 4, 7)))  # " abb ab"
    assert path.permitted[:4] == ((10,), (), (), (7,))
    assert set(path.permitted[4]) == {A_SPACE, SPACE, 10, 14}
    assert path.permitted[6] == (B, 9), "'b', or 'ba' that goes on"


def test_a_word_that_has_ended_stays_as_it_is() -> None:
    path = Spelling(SURFACES).path(Prefix(pieces=(A_SPACE, B), ends_word=True))
    assert path.permitted[:3] == ((A_SPACE,), (), (B,))
    assert set(path.permitted[3]) == {A_SPACE, SPACE, 10, 12, 14, END}
    assert path.length == 4


def test_unspaced_text_is_open_at_its_end_only() -> None:
    path = Spelling(SURFACES).path(Prefix(pieces=(A_SPACE, *(B, A) * 15)))
    assert path.permitted[:8] == ((A_SPACE,), (), (B,), (A,), (B,), (A,), (B,), (A,))
    assert path.permitted[8:10] == ((B, 9), (A, 8, 11))
    assert path.length == 32


def test_a_word_of_many_subwords_is_open_from_its_beginning() -> None:
    path = Spelling([*SURFACES, b" ababa"]).path(Prefix(pieces=(A_SPACE, B, A, B)))
    assert 15 in path.permitted[0]


def test_single_bytes_write_only_what_has_no_other_subwords() -> None:
    surfaces = [*SURFACES, b"a", b"\xc3", b"\xa9"]
    path = Spelling(surfaces, (15, 16, 17)).path(Prefix(pieces=(A_SPACE, A, 16, 17)))
    assert path.permitted[3:] == ((16,), (17,))
    assert path.permitted[2] == (A,)


@given(st.text(max_size=20), st.integers(0, 10**6))
def test_any_walk_along_a_path_writes_the_prefix(text: str, seed: int) -> None:
    surfaces = tokenizer().surfaces()
    path = spelling().path(prefix(text))
    generator, walk, units = random.Random(seed), [], 0
    while units < path.length:
        walk.append(generator.choice(path.permitted[units]))
        if walk[-1] == END:
            break
        units += len(surfaces[walk[-1]])
    wanted = written(prefix(text).pieces, surfaces)
    assert written(walk, surfaces).startswith(wanted)
    assert follows(path, prefix(text).pieces, surfaces)


@given(st.text(max_size=20))
def test_surfaces_put_together_are_the_text(text: str) -> None:
    pieces = tokenizer().encode(text)
    found = written(pieces, tokenizer().surfaces())
    assert found.decode().split() == text.replace("\u2581", " ").split()
    assert tokenizer().surfaces()[:5] == [b""] * 5


def test_names_of_subwords() -> None:
    pieces = tokenizer().encode("ai é")
    names = tokenizer().names((*pieces, END))
    assert names[-3:] == ["<0xC3>", "<0xA9>", "</s>"]
    assert "".join(names[:-3]) == " ai "


def begun_requests(seed: int, count: int) -> list[Request]:
    """Mixed sources whose translations begin with some words, or parts of words."""
    generator = random.Random(seed)
    texts = ("ai bo", "ai b", "hu", "zx é", "ik ik ik ik ", "mu di e", "\u4e2d\u6587")
    return [
        Request(
            pieces=tuple(generator.randrange(20, 287) for _ in range(generator.randint(0, 9))),
            target=generator.choice(("en", "de")), max_tokens=generator.randint(12, 30),
            prefix=prefix(texts[number % len(texts)]),
        )
        for number in range(count)
    ]  # fmt: skip


@torch.inference_mode()
def oracle(
    checkpoint: Checkpoint, request: Request, size: int, guard: bool,
    offered: np.ndarray | None = None,
) -> list[Hypothesis]:  # fmt: skip
    """The trainer's search, kept to the path of the prefix; greedy search with `size` 1."""
    assert request.prefix
    path = spelling().path(request.prefix, offered)
    banned = set(checkpoint.banned)
    if offered is not None:
        banned |= set(np.flatnonzero(~offered).tolist())
    source, start = parity._inputs(checkpoint, [request])
    stepper = search._Stepper(checkpoint.model, source, size, tuple(banned))
    state = search.Beam.begin(1, size, source.device)
    last, total = start.repeat_interleave(size), 0.0
    for step in range(request.max_tokens):
        rows = []
        for tokens, chances in zip(state.tokens[0], stepper(last, step, None), strict=True):
            units = int(spelling().advance[tokens.numpy()].sum())
            if units < path.length:
                kept = torch.full_like(chances, -float("inf"))
                ids = list(path.permitted[units])
                kept[ids] = chances[ids]
            else:
                kept = search.block_repeats(chances[None], tokens[None])[0] if guard else chances
                kept = kept.log_softmax(dim=-1)
            rows.append(kept)
        logprobs = torch.stack(rows)
        if size == 1:
            best, token = logprobs.max(dim=1)
            total += float(best)
            state.tokens = torch.cat([state.tokens, token[:, None, None]], dim=2)
            last = token
            if int(token) == END or step + 1 == request.max_tokens:
                return [search._hypothesis(state.tokens[0, 0].tolist(), total / (step + 1))]
            continue
        candidates = state.expand(logprobs[None])
        state.finish(candidates, step + 1, torch.tensor([request.max_tokens]))
        order = state.prune(candidates)
        if bool(state.done.all()):
            break
        stepper.reorder(order)
        last = state.tokens[:, :, -1].flatten()
    return state.hypotheses()[0]


@pytest.mark.parametrize("beam", [1, 2, 4])
@pytest.mark.parametrize("guard", [False, True])
def test_tokens_equal_the_oracle_kept_to_the_path(
    untrained: tuple[Checkpoint, Decoder], beam: int, guard: bool
) -> None:
    checkpoint, decoder = untrained
    requests = begun_requests(beam, 14)
    found = decoder.n_best(requests, beam=beam, repetition_guard=guard)
    for request, ours in zip(requests, found, strict=True):
        theirs = oracle(checkpoint, request, beam, guard)
        assert [h.pieces for h in ours] == [h.pieces for h in theirs]
        assert ours[0].score == pytest.approx(theirs[0].score, abs=1e-4)


@pytest.mark.parametrize("beam", [1, 3])
def test_a_shortlist_gets_the_subwords_of_the_prefix(
    beam: int, tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "SHORTLIST_FROM", 0)
    (tmp_path / "run").mkdir()
    (tmp_path / "pack").mkdir()
    run = toy_run.untrained_run(tmp_path / "run", max_length=40)
    decoder = Decoder(with_shortlists(run, tmp_path / "pack", ("fp32",)), device="cpu", threads=1)
    requests = [request for request in begun_requests(7, 14) if UNSEEN not in request.pieces]
    for request, ours in zip(requests, decoder.n_best(requests, beam=beam), strict=True):
        choices = decoder.choices(request)
        assert choices is not None
        offered = np.zeros(288, np.bool_)
        offered[choices] = True
        theirs = oracle(load_run(run), request, beam, False, offered)
        assert [h.pieces for h in ours] == [h.pieces for h in theirs]
        assert ours[0].shortlist


def test_begun_and_free_sentences_share_a_batch(untrained: tuple[Checkpoint, Decoder]) -> None:
    _, decoder = untrained
    begun = begun_requests(3, 6)
    free = [Request(pieces=r.pieces, target=r.target, max_tokens=r.max_tokens) for r in begun]
    mixed = [one for pair in zip(begun, free, strict=True) for one in pair]
    for beam in (1, 3):
        expected = [decoder.decode([request], beam=beam)[0].pieces for request in mixed]
        assert [one.pieces for one in decoder.decode(mixed, beam=beam)] == expected


def test_what_cannot_be_completed_is_refused(untrained: tuple[Checkpoint, Decoder]) -> None:
    _, decoder = untrained
    for pieces, error in (((1,), InputError), ((300,), UsageError), ((20,) * 40, InputError)):
        one = Request(pieces=(20,), target="de", max_tokens=50, prefix=Prefix(pieces=pieces))
        with pytest.raises(error):
            decoder.decode([one])
    assert decoder.decode([
        Request(pieces=(20,), target="de", max_tokens=50, prefix=Prefix(pieces=(20,) * 39))
    ])  # fmt: skip


@pytest.mark.parametrize("archive", SCHEMAS, ids=lambda path: path.stem)
def test_packs_from_before_there_were_prefixes_say_what_to_do(
    archive: File, tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mltranslate.locations.user_packs", lambda: tmp_path / "packs")
    pack = read_pack(install_pack(archive).folder)
    decoder = Decoder(pack, device="cpu", threads=1)
    pieces = pack.tokenizer().encode("ai bo")
    free = Request(pieces=pieces, target="de", max_tokens=9)
    begun = Request(pieces=pieces, target="de", max_tokens=9, prefix=Prefix(pieces=pieces))
    for beam in (1, 2):
        assert decoder.decode([free], beam=beam)
        with pytest.raises(PackError, match=r"Export it again with: mltranslate-export pack"):
            decoder.decode([begun], beam=beam)
