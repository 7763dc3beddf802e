"""The graphs against their oracle, the trainer's search in torch."""

import random
from collections.abc import Iterator

import numpy as np
import onnx
import pytest
import toy_run
from hypothesis import given, settings
from hypothesis import strategies as st

from mltranslate.decode import Decoder, Request
from mltranslate.packs import Pack, read_pack
from mltranslate_export.checkpoint import Checkpoint, load_run
from mltranslate_export.graphs.linear import WEIGHT_LIMIT, quantise_rows
from mltranslate_export.verify import parity
from mltranslate_train import search


@pytest.fixture(scope="module")
def trained() -> tuple[Checkpoint, Decoder]:
    pack = read_pack(toy_run.toy_pack())
    decoder = Decoder(pack, device="cpu", precision="fp32", threads=1)
    return load_run(toy_run.toy_run()), decoder


def mixed_requests(seed: int, count: int) -> list[Request]:
    generator = random.Random(seed)
    return [
        Request(
            pieces=tuple(generator.randrange(4, 288) for _ in range(generator.randint(0, 20))),
            target=generator.choice(("en", "de")),
            max_tokens=generator.randint(1, 30),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("beam", [1, 2, 4, 5])
@pytest.mark.parametrize("guard", [False, True])
def test_tokens_equal_the_oracle(
    trained: tuple[Checkpoint, Decoder], untrained: tuple[Checkpoint, Decoder],
    beam: int, guard: bool,
) -> None:  # fmt: skip
    for checkpoint, decoder in (trained, untrained):
        requests = mixed_requests(beam, 24)
        result = parity.compare(decoder, checkpoint, requests, beam=beam, guard=guard)
        assert (result.different, result.near_ties) == (0, 0)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), beam=st.sampled_from([1, 3]), guard=st.booleans())
def test_scores_and_ends_equal_the_oracle(seed: int, beam: int, guard: bool) -> None:
    checkpoint = load_run(toy_run.toy_run())
    decoder = Decoder(read_pack(toy_run.toy_pack()), device="cpu", precision="fp32", threads=1)
    requests = mixed_requests(seed, 3)
    found = decoder.decode(requests, beam=beam, repetition_guard=guard)
    expected = parity.oracle(checkpoint, requests, beam=beam, guard=guard)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.pieces, ours.finished) == (theirs.pieces, theirs.finished)
        assert ours.score == pytest.approx(theirs.score, abs=1e-4)


def test_all_hypotheses_equal_the_oracle(untrained: tuple[Checkpoint, Decoder]) -> None:
    checkpoint, decoder = untrained
    requests = mixed_requests(9, 6)
    found = decoder.n_best(requests, beam=4)
    source, start = parity._inputs(checkpoint, requests)
    limits = source.new_tensor([request.max_tokens for request in requests])
    expected = search.n_best(
        checkpoint.model, source, start, limits, size=4, banned=checkpoint.banned
    )
    assert [[h.pieces for h in row] for row in found] == [
        [h.pieces for h in row] for row in expected
    ]


def test_guard_produces_no_trigram_twice(untrained: tuple[Checkpoint, Decoder]) -> None:
    _, decoder = untrained
    request = Request(pieces=(20, 21, 22), target="en", max_tokens=40)
    for beam in (1, 4):
        (free,) = decoder.decode([request], beam=beam)
        (guarded,) = decoder.decode([request], beam=beam, repetition_guard=True)
        assert _repeats(free.pieces), "the model loops, or the test shows nothing"
        assert not _repeats(guarded.pieces)


def test_limit_cuts_a_hypothesis(untrained: tuple[Checkpoint, Decoder]) -> None:
    _, decoder = untrained
    requests = [Request(pieces=(20, 21), target="en", max_tokens=n) for n in (3, 9, 1)]
    for beam in (1, 4):
        found = decoder.decode(requests, beam=beam)
        assert [(len(h.pieces), h.finished) for h in found] == [(3, False), (9, False), (1, False)]


def test_neighbours_do_not_change_fp32(untrained: tuple[Checkpoint, Decoder]) -> None:
    _, decoder = untrained
    requests = mixed_requests(4, 8)
    for beam in (1, 4):
        together = decoder.decode(requests, beam=beam)
        alone = [decoder.decode([request], beam=beam)[0] for request in requests]
        assert [h.pieces for h in together] == [h.pieces for h in alone]


def test_marks_are_never_produced(untrained: tuple[Checkpoint, Decoder]) -> None:
    checkpoint, decoder = untrained
    found = decoder.decode(mixed_requests(6, 16))
    produced = {piece for hypothesis in found for piece in hypothesis.pieces}
    assert produced
    assert not produced & set(checkpoint.banned)


def test_int8_plays_the_learnt_games() -> None:
    pack = read_pack(toy_run.toy_pack())
    tokenizer = pack.tokenizer()
    generator = random.Random(11)
    games = [toy_run.game(generator, "de") for _ in range(100)]
    requests = [
        Request(pieces=tokenizer.encode(text), target="de", max_tokens=30) for text, _ in games
    ]
    right = {}
    for precision in ("fp32", "int8"):
        decoder = Decoder(pack, device="cpu", precision=precision, threads=1)
        found = [tokenizer.decode(h.pieces) for h in decoder.decode(requests)]
        right[precision] = sum(a == b for a, (_, b) in zip(found, games, strict=True))
    assert right["fp32"] >= 80
    assert right["int8"] >= right["fp32"] - 5


def test_neighbours_do_not_change_int8() -> None:
    decoder = Decoder(read_pack(toy_run.toy_pack()), device="cpu", precision="int8", threads=1)
    requests = mixed_requests(8, 60)
    for beam in (1, 3):
        together = decoder.decode(requests, beam=beam)
        alone = [decoder.decode([request], beam=beam)[0] for request in requests]
        assert [h.pieces for h in together] == [h.pieces for h in alone]


def test_graphs_of_a_precision_share_their_weights() -> None:
    pack = read_pack(toy_run.toy_pack())
    for variant in pack.manifest.variants.values():
        inline = [_inline_bytes(pack, name) for name in (variant.greedy, variant.beam)]
        assert max(inline) < 2000
        stored = (pack.folder / variant.weights).stat().st_size
        assert _declared_bytes(pack, variant.beam) <= stored


def test_products_have_their_weights_where_the_runtime_packs_them() -> None:
    # Farther out than the graph around a step, it takes them as they are, at 1.6 times the time.
    pack = read_pack(toy_run.toy_pack())
    variant = pack.manifest.variants["int8"]
    for name in (variant.greedy, variant.beam):
        model = onnx.load(pack.folder / name, load_external_data=False)
        products = list(_products(model.graph))
        assert max(depth for depth, _ in products) == 2
        assert not any(far for _, far in products)


def test_int8_weights_never_saturate_a_product() -> None:
    table = np.random.default_rng(0).normal(size=(50, 30)).astype(np.float32)
    table[3] = 0.0
    small, scale = quantise_rows(table)
    assert small.dtype == np.int8
    assert abs(small.astype(int)).max() == WEIGHT_LIMIT
    # Two products of u8 and s8 must fit the 16 bits in which older CPUs add them.
    assert 2 * 255 * WEIGHT_LIMIT < 2**15
    assert np.abs(small * scale[:, None] - table).max() <= scale.max() / 2 + 1e-6


def _repeats(pieces: tuple[int, ...]) -> bool:
    trigrams = list(zip(pieces, pieces[1:], pieces[2:], strict=False))
    return len(set(trigrams)) < len(trigrams)


def _inside(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    kind = onnx.AttributeProto.GRAPH
    return [attribute.g for attribute in node.attribute if attribute.type == kind]


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """A graph and those inside it."""
    yield graph
    for node in graph.node:
        for inner in _inside(node):
            yield from _graphs(inner)


def _products(graph: onnx.GraphProto, *around: onnx.GraphProto) -> Iterator[tuple[int, set[str]]]:
    """Depth of every product, and the weights that are not in reach for packing, among its own."""
    reach = {t.name for g in (graph, *around[:1]) for t in g.initializer}
    made = {output for g in (graph, *around[:1]) for node in g.node for output in node.output}
    for node in graph.node:
        if node.op_type == "MatMulIntegerToFloat":
            yield len(around), {node.input[1]} - reach - made
        for inner in _inside(node):
            yield from _products(inner, graph, *around)


def _inline_bytes(pack: Pack, name: str) -> int:
    graph = onnx.load(pack.folder / name, load_external_data=False).graph
    return sum(len(tensor.raw_data) for tensor in graph.initializer)


def _declared_bytes(pack: Pack, name: str) -> int:
    """Bytes of the weights file that a graph or those inside it use, each once."""
    lengths: dict[str, int] = {}
    for graph in _graphs(onnx.load(pack.folder / name, load_external_data=False).graph):
        for tensor in graph.initializer:
            entries = {entry.key: entry.value for entry in tensor.external_data}
            if entries:
                lengths[entries["offset"]] = int(entries["length"])
    return sum(lengths.values())
