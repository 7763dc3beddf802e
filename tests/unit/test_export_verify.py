"""Verification must be able to fail: parity, pairs, census."""

from pathlib import Path

import pytest
import torch
import toy_run
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.decode import Decoder, Hypothesis, Request
from mltranslate.errors import DataError, VerificationError
from mltranslate.packs import read_pack
from mltranslate_export.build import PackPlan, build_pack
from mltranslate_export.calibrate import calibrate
from mltranslate_export.checkpoint import load_run
from mltranslate_export.graphs.linear import WEIGHT_LIMIT
from mltranslate_export.verify import census, parity, quality
from mltranslate_export.verify.pairs import (
    Pair,
    by_direction,
    check_directions,
    held_out_pairs,
    read_pairs,
    take_turns,
)
from mltranslate_export.verify.weights import check_graphs

REQUESTS = [Request(pieces=(20, 21, 22, 23), target="de", max_tokens=12)]


def test_parity_sees_a_changed_weight() -> None:
    checkpoint = load_run(toy_run.toy_run())
    with torch.no_grad():
        checkpoint.model.embedding.weight[20:200] *= 1.5
    decoder = Decoder(read_pack(toy_run.toy_pack()), device="cpu", precision="fp32")
    requests = [
        Request(pieces=(n, n + 1, n + 2), target="de", max_tokens=12) for n in range(20, 120)
    ]
    for beam in (1, 4):
        result = parity.compare(decoder, checkpoint, requests, beam=beam)
        with pytest.raises(VerificationError, match="other tokens"):
            result.check()


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("layer", ["embedding", "encoder_layers.0.ffn.down"])
def test_graphs_of_another_run_are_seen(tmp_path: Path, precision: str, layer: str) -> None:
    checkpoint = load_run(toy_run.toy_run())
    plan = PackPlan(name="one", version="0.1.0", licence="CC0-1.0", precisions=(precision,))
    groups = by_direction(read_pairs(toy_run.toy_run() / "pairs.tsv"), checkpoint.directions)
    pack = build_pack(checkpoint, tmp_path, plan, ranges=calibrate(checkpoint, groups))
    check_graphs(pack, checkpoint)
    with torch.no_grad():  # one value, by one step of int8
        weight = checkpoint.model.get_submodule(layer).weight
        weight[7, 3] += 1.01 / WEIGHT_LIMIT * weight[7].abs().max()
    with pytest.raises(VerificationError, match="is not of this run") as caught:
        check_graphs(pack, checkpoint)
    assert f"{layer}" in caught.value.why


def test_graphs_of_another_model_are_seen(tmp_path: Path) -> None:
    other = toy_run.untrained_run(tmp_path, max_length=9)
    with pytest.raises(VerificationError, match="is not of this run"):
        check_graphs(read_pack(toy_run.toy_pack()), load_run(other))


@pytest.mark.parametrize(
    ("near", "different", "passes"), [(0, 0, True), (2, 0, True), (3, 0, False), (0, 1, False)]
)
def test_parity_threshold(near: int, different: int, passes: bool) -> None:
    result = parity.Parity(search="greedy", sentences=200, near_ties=near, different=different)
    if passes:
        result.check()
    else:
        with pytest.raises(VerificationError):
            result.check()


def test_near_tie_is_judged_by_the_oracle() -> None:
    checkpoint = load_run(toy_run.toy_run())
    (best,) = parity.oracle(checkpoint, REQUESTS, beam=1)
    other = Hypothesis(pieces=(99, *best.pieces[1:]), score=best.score, finished=True)
    assert not parity._near_tie(checkpoint, REQUESTS[0], other, best, 1)
    with torch.no_grad():
        weight = checkpoint.model.embedding.weight
        weight[99] = weight[best.pieces[0]]
    assert parity._near_tie(checkpoint, REQUESTS[0], other, best, 1)


def test_near_tie_of_a_beam_is_judged_where_prefixes_are_dropped() -> None:
    checkpoint = load_run(toy_run.toy_run())
    (best,) = parity.oracle(checkpoint, REQUESTS, beam=2)
    other = Hypothesis(pieces=(99, *best.pieces[1:]), score=best.score - 1, finished=True)
    assert not parity._near_tie(checkpoint, REQUESTS[0], other, best, 2)
    with torch.no_grad():
        weight = checkpoint.model.embedding.weight
        weight[99] = weight[98] = weight[best.pieces[0]]
    assert parity._near_tie(checkpoint, REQUESTS[0], other, best, 2)


def test_int8_may_not_lose_too_much() -> None:
    loss = quality.Loss(
        direction="en-de", sentences=9, without=50.0, having=49.5, equal=0.5, signature="s"
    )
    assert quality.check_loss([loss], 0.6, quality.INT8)["mean_lost"] == pytest.approx(0.5)
    with pytest.raises(VerificationError, match=r"0\.50 chrF"):
        quality.check_loss([loss], 0.3, quality.INT8)
    with pytest.raises(VerificationError, match=r"the shortlist loses 0\.50 chrF"):
        quality.check_loss([loss], 0.3, quality.SHORTLIST)
    with pytest.raises(VerificationError, match="may be nan at most"):
        quality.check_loss([loss], float("nan"), quality.INT8)


def test_census_sees_a_float_product() -> None:
    weights = load_run(toy_run.toy_run()).weights()
    expected = census.expected_products(weights, ())
    assert expected == 4 * 2 + 7 * 2 + 1
    folder = toy_run.toy_pack()
    census.check_int8(census.census(folder / "int8.beam.onnx"), expected)
    with pytest.raises(VerificationError, match="does not run in integers"):
        census.check_int8(census.census(folder / "fp32.beam.onnx"), expected)


def test_only_line_feeds_end_held_out_lines(tmp_path: Path) -> None:
    (tmp_path / "heldout").mkdir()
    (tmp_path / "heldout/en-de.en").write_bytes("a\u2028b\rc\nd\r\n".encode())
    (tmp_path / "heldout/en-de.de").write_bytes(b"e\nf\n")
    found = [(pair.text, pair.reference) for pair in held_out_pairs(tmp_path)[:2]]
    assert found == [("a\u2028b\rc", "e"), ("d", "f")]


def test_a_byte_order_mark_is_no_text_to_verify_with(tmp_path: Path) -> None:
    (tmp_path / "heldout").mkdir()
    (tmp_path / "heldout/en-de.en").write_text("a\nb\n", encoding="utf-8-sig")
    (tmp_path / "heldout/en-de.de").write_text("c\n\ufeffd\n", encoding="utf-8-sig")
    found = [(pair.text, pair.reference) for pair in held_out_pairs(tmp_path)[:2]]
    assert found == [("a", "c"), ("b", "\ufeffd")]
    (tmp_path / "pairs.tsv").write_text("en\tde\tone\teins\n", encoding="utf-8-sig")
    assert read_pairs(tmp_path / "pairs.tsv")[0].source == "en"


def test_sentences_of_a_direction_that_the_pack_lacks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("en\tde\tone\teins\nde\tem\teins\tone\n", encoding="utf-8")
    directions = frozenset({("en", "de"), ("de", "en")})
    pairs = read_pairs(path)
    check_directions(path, pairs[:1], directions)
    with pytest.raises(DataError, match=r"pairs\.tsv has sentences for de-em.*de-en, en-de"):
        check_directions(path, pairs, directions)


def test_held_out_files_that_are_not_parallel_are_refused(tmp_path: Path) -> None:
    (tmp_path / "heldout").mkdir()
    (tmp_path / "heldout/en-de.en").write_text("a\nb\n", encoding="utf-8")
    (tmp_path / "heldout/en-de.de").write_text("c\n", encoding="utf-8")
    with pytest.raises(DataError, match="are not parallel: they have 2 and 1 lines"):
        held_out_pairs(tmp_path)


def test_held_out_pairs_go_both_ways(tmp_path: Path) -> None:
    folder = tmp_path / "heldout"
    folder.mkdir()
    (folder / "en-de.en").write_text("one\u2028line\ntwo\n", "utf-8")
    (folder / "en-de.de").write_text("eins\nzwei\n", "utf-8")
    groups = by_direction(held_out_pairs(tmp_path), frozenset({("en", "de"), ("de", "en")}))
    assert [p.text for p in groups["en", "de"]] == ["one\u2028line", "two"]
    assert [p.reference for p in groups["de", "en"]] == ["one\u2028line", "two"]


def test_missing_pairs_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no sentences to verify with"):
        held_out_pairs(tmp_path)
    pair = Pair(source="en", target="de", text="a", reference="b")
    with pytest.raises(DataError, match="de-en"):
        by_direction([pair], frozenset({("en", "de"), ("de", "en")}))


@pytest.mark.parametrize("text", ["en\tde\tone", "en\tde\t\tzwei", "en\tde\ta\tb\tc", ""])
def test_malformed_pairs_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text(f"en\tde\tone\teins\n{text}\n", "utf-8")
    with pytest.raises(DataError, match="line 2"):
        read_pairs(path)


@given(st.lists(st.integers(0, 9), max_size=5), st.integers(0, 30))
def test_turns_take_each_pair_once(sizes: list[int], count: int) -> None:
    groups = [
        [Pair(source="en", target="de", text=f"{g}-{i}", reference="r") for i in range(size)]
        for g, size in enumerate(sizes)
    ]
    taken = [pair.text for pair in take_turns(groups, count)]
    assert len(taken) == len(set(taken)) == min(count, sum(sizes))
