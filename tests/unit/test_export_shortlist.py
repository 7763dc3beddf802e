"""Searches kept to a shortlist equal the oracle kept to the same ids; shortlists of real data."""

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import toy_corpus
import toy_run
from sentencepiece import SentencePieceProcessor
from test_export_graphs import mixed_requests

from mltranslate.decode import Decoder, Request, feeds
from mltranslate.decode import decoder as decoder_module
from mltranslate.decode.types import END
from mltranslate.errors import DataError, UsageError, VerificationError
from mltranslate.packs import Pack, read_pack
from mltranslate.packs.shortlist import Shortlist, read_shortlists
from mltranslate_export.build import PackPlan, build_pack
from mltranslate_export.calibrate import calibrate
from mltranslate_export.checkpoint import Checkpoint, _marks, _tag, load_run
from mltranslate_export.cli import main
from mltranslate_export.shortlist import make_shortlists
from mltranslate_export.verify import parity
from mltranslate_export.verify.pairs import by_direction, read_pairs
from mltranslate_train.align.lexicon import lexicon_path, write_lexicons
from mltranslate_train.align.run import AlignSettings, learn_shard
from mltranslate_train.config import load_recipe
from mltranslate_train.data.prepare import prepare
from mltranslate_train.data.shards import Shard

SHORTLIST_FROM = feeds.SHORTLIST_FROM
UNSEEN = 287
"""A subword without candidates."""


@pytest.fixture(autouse=True)
def _short_sentences_have_shortlists(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentences of toys are all short."""
    monkeypatch.setattr(feeds, "SHORTLIST_FROM", 0)


def chance_shortlist(seed: int) -> Shortlist:
    """Some candidates for each subword but one."""
    generator = random.Random(seed)
    rows = [sorted(generator.sample(range(8, 288), 9)) for _ in range(288)]
    rows[UNSEEN] = []
    counts = np.array([len(row) for row in rows])
    made = np.array([one for row in rows for one in row])
    return Shortlist.of(counts, made, np.array(sorted(generator.sample(range(8, 288), 6))))


def with_shortlists(run: Path, folder: Path, precisions: tuple[str, ...]) -> Pack:
    checkpoint = load_run(run)
    ranges = {}
    if "int8" in precisions:
        pairs = by_direction(read_pairs(run / "pairs.tsv"), checkpoint.directions)
        ranges = calibrate(checkpoint, pairs)
    plan = PackPlan(
        name="short", version="0.0.1", licence="CC0-1.0", precisions=precisions,
        shortlists={"de": chance_shortlist(1), "en": chance_shortlist(2)},
    )  # fmt: skip
    return build_pack(checkpoint, folder, plan, ranges=ranges)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, Pack]:
    run = toy_run.untrained_run(tmp_path_factory.mktemp("run"), max_length=40)
    return load_run(run), with_shortlists(run, tmp_path_factory.mktemp("pack"), ("fp32",))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, Pack]:
    run = toy_run.toy_run()
    folder = tmp_path_factory.mktemp("pack")
    return load_run(run), with_shortlists(run, folder, ("fp32", "int8"))


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("guard", [False, True])
def test_tokens_equal_the_oracle_kept_to_the_same_ids(
    trained: tuple[Checkpoint, Pack], untrained: tuple[Checkpoint, Pack], beam: int, guard: bool
) -> None:
    for checkpoint, pack in (trained, untrained):
        decoder = Decoder(pack, device="cpu", precision="fp32", threads=1)
        requests = mixed_requests(beam, 16)
        result = parity.compare_short(decoder, checkpoint, requests, beam=beam, guard=guard)
        assert (result.different, result.near_ties) == (0, 0)


@pytest.mark.parametrize("beam", [1, 4])
def test_whole_vocabulary_stays_and_is_told_apart(
    untrained: tuple[Checkpoint, Pack], beam: int
) -> None:
    checkpoint, pack = untrained
    requests = [
        Request(pieces=pieces, target="de", max_tokens=9)
        for pieces in ((20, 21), (20, UNSEEN), (), (UNSEEN,), (30, 31, 32))
    ]
    expected = parity.oracle(checkpoint, requests, beam=beam)
    found = Decoder(pack, device="cpu", threads=1).decode(requests, beam=beam)
    assert [one.shortlist for one in found] == [True, False, True, False, True]
    for place in (1, 3):
        assert found[place].pieces == expected[place].pieces
    whole = Decoder(pack, device="cpu", threads=1, shortlist=False).decode(requests, beam=beam)
    assert not any(one.shortlist for one in whole)
    assert [one.pieces for one in whole] == [one.pieces for one in expected]
    assert found[0].pieces != whole[0].pieces, "the shortlist changes nothing"


def test_few_subwords_have_the_whole_vocabulary(
    untrained: tuple[Checkpoint, Pack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "SHORTLIST_FROM", SHORTLIST_FROM)
    checkpoint, pack = untrained
    sizes = (1, SHORTLIST_FROM - 1, SHORTLIST_FROM, 2 * SHORTLIST_FROM)
    requests = [Request(pieces=(20, 21) * size, target="de", max_tokens=9) for size in sizes]
    requests = [replace(one, pieces=one.pieces[: len(one.pieces) // 2]) for one in requests]
    decoder = Decoder(pack, device="cpu", threads=1)
    found = decoder.decode(requests)
    assert [one.shortlist for one in found] == [False, False, True, True]
    assert [decoder.choices(one) is None for one in requests] == [True, True, False, False]
    expected = parity.oracle(checkpoint, requests[:2], beam=1)
    assert [one.pieces for one in found[:2]] == [one.pieces for one in expected]


@pytest.mark.parametrize("beam", [1, 4])
def test_what_is_prepared_need_not_be_loaded_later(
    untrained: tuple[Checkpoint, Pack], monkeypatch: pytest.MonkeyPatch, beam: int
) -> None:
    monkeypatch.setattr(feeds, "SHORTLIST_FROM", SHORTLIST_FROM)
    decoder = Decoder(untrained[1], device="cpu", threads=1)
    decoder.prepare(beam)
    monkeypatch.setattr(decoder_module, "create_session", None)
    pieces = [(20, 21), (20, 21) * SHORTLIST_FROM]
    requests = [Request(pieces=one, target="de", max_tokens=9) for one in pieces]
    found = decoder.decode(requests, beam=beam)
    assert [one.shortlist for one in found] == [False, True]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("beam", [1, 3])
def test_neighbours_do_not_change_a_sentence(
    trained: tuple[Checkpoint, Pack], precision: str, beam: int
) -> None:
    decoder = Decoder(trained[1], device="cpu", precision=precision, threads=1)
    requests = mixed_requests(8, 30)
    together = decoder.decode(requests, beam=beam)
    alone = [decoder.decode([request], beam=beam)[0] for request in requests]
    assert [h.pieces for h in together] == [h.pieces for h in alone]


def test_only_choices_are_produced(untrained: tuple[Checkpoint, Pack]) -> None:
    decoder = Decoder(untrained[1], device="cpu", threads=1)
    requests = [r for r in mixed_requests(5, 20) if UNSEEN not in r.pieces]
    for request, found in zip(requests, decoder.decode(requests), strict=True):
        ids = decoder.choices(request)
        assert ids is not None
        assert list(ids[:2]) == [0, END]
        assert (np.diff(ids) > 0).all()
        assert set(found.pieces) <= set(ids[2:].tolist())


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the toy corpus, with lexicons but untrained."""
    folder = tmp_path_factory.mktemp("prepared")
    corpus = toy_corpus.write_corpus(folder / "corpus")
    (folder / "toy.toml").write_text(toy_corpus.RECIPE.format(folder=corpus.as_posix()), "utf-8")
    run = folder / "run"
    prepare(load_recipe(folder / "toy.toml"), run)
    shard = Shard(run / "shards" / "aa-bb")
    write_lexicons(shard, learn_shard(shard, 310, AlignSettings()), 5)
    return run


def checkpoint_for(run: Path) -> Checkpoint:
    """As much of a checkpoint as shortlists need."""
    processor = SentencePieceProcessor(model_file=str(run / "vocabulary.model"))
    return Checkpoint(
        name="toy", model=load_run(toy_run.toy_run()).model, vocabulary=run / "vocabulary.model",
        about={"languages": ["aa", "bb"], "directions": [["aa", "bb"], ["bb", "aa"]]},
        tags={code: _tag(processor, code, run) for code in ("aa", "bb")},
        banned=_marks(processor), max_source_tokens=20,
    )  # fmt: skip


def test_shortlists_of_real_data_hold_the_translations(prepared: Path) -> None:
    checkpoint = checkpoint_for(prepared)
    shortlists = make_shortlists(checkpoint, prepared, 5)
    assert list(shortlists) == ["aa", "bb"]
    shard = Shard(prepared / "shards" / "aa-bb")
    size = len(shortlists["bb"].counts)
    kept = total = 0
    for number in range(100):
        first, second = shard.pair(number)
        allowed = np.zeros(size, np.bool_)
        assert shortlists["bb"].covers(first.tolist())
        shortlists["bb"].mark(first.tolist(), allowed)
        assert not allowed[list(checkpoint.banned)].any()
        kept, total = kept + int(allowed[second].sum()), total + len(second)
    assert kept / total > 0.99


def test_bytes_bring_all_bytes_and_unseen_subwords_nothing(prepared: Path) -> None:
    (one, _) = make_shortlists(checkpoint_for(prepared), prepared, 5).values()
    processor = SentencePieceProcessor(model_file=str(prepared / "vocabulary.model"))
    byte = [i for i in range(processor.get_piece_size()) if processor.is_byte(i)]
    allowed = np.zeros(len(one.counts), np.bool_)
    one.mark(byte[65:66], allowed)
    assert allowed[byte].all()
    assert not one.covers([4]), "a mark is never seen"


def test_missing_lexicon_or_data_is_named(prepared: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_for(prepared)
    with pytest.raises(DataError, match="has no data of"):
        make_shortlists(checkpoint, tmp_path, 5)
    path = lexicon_path(prepared / "shards" / "aa-bb", "aa", "bb")
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(DataError, match="no lexicon"):
        make_shortlists(checkpoint, prepared, 5)
    path.write_bytes(kept)


def test_only_the_lexicons_of_the_data_are_needed(prepared: Path, tmp_path: Path) -> None:
    shard = prepared / "shards" / "aa-bb"
    copy = tmp_path / "shards" / "aa-bb"
    copy.mkdir(parents=True)
    for path in shard.glob("lexicon.*"):
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / "shard.json").write_text('{"languages": ["aa", "bb"], "origins": []}', "utf-8")
    checkpoint = checkpoint_for(prepared)
    for one, other in zip(
        make_shortlists(checkpoint, prepared, 5).values(),
        make_shortlists(checkpoint, tmp_path, 5).values(),
        strict=True,
    ):
        assert np.array_equal(one.candidates, other.candidates)
        assert np.array_equal(one.always, other.always)


def export(out: Path, monkeypatch: pytest.MonkeyPatch, shortlist: Shortlist) -> int:
    """`mltranslate-export pack --shortlist` with these shortlists instead of learnt ones."""
    monkeypatch.setattr(
        "mltranslate_export.commands.pack.make_shortlists",
        lambda *_: {"de": shortlist, "en": shortlist},
    )
    run = toy_run.toy_run()
    return main([
        "pack", str(run), "--out", str(out), "--name", "toy", "--shortlist", "9",
        "--verify-data", str(run / "pairs.tsv"),
    ])  # fmt: skip


def test_pack_with_shortlists_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = np.arange(8, 288)
    whole = Shortlist.of(np.full(288, 280), np.tile(every, 288), every[:3])
    assert export(tmp_path, monkeypatch, whole) == 0
    pack = read_pack(tmp_path / "toy")
    assert set(read_shortlists(pack)) == {"de", "en"}
    report = json.loads((pack.folder / "report.json").read_text("utf-8"))
    assert [one["search"] for one in report["parity"]] == [
        "greedy", "beam 4", "greedy, shortlist", "beam 4, shortlist"
    ]  # fmt: skip
    assert report["alignment"]["largest_difference"] < 1e-4
    assert report["alignment"]["int8_same"] > 0.8
    assert report["shortlist"]["mean_lost"] == pytest.approx(0)
    assert report["shortlist"]["covered"] == report["shortlist"]["sentences"] == 120
    assert report["variants"]["int8"]["operators"].keys() == {
        "int8.greedy.onnx", "int8.beam.onnx", "int8.short.greedy.onnx", "int8.short.beam.onnx",
        "int8.aligned.onnx",
    }  # fmt: skip


def test_shortlist_that_loses_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status = export(tmp_path, monkeypatch, chance_shortlist(3))
    assert status == VerificationError.exit_code
    assert "the shortlist loses" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_negative_number_is_refused(tmp_path: Path) -> None:
    run = toy_run.toy_run()
    chosen = ["pack", str(run), "--out", str(tmp_path), "--shortlist", "-1"]
    assert main([*chosen, "--verify-data", str(run / "pairs.tsv")]) == UsageError.exit_code
