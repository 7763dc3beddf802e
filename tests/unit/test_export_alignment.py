"""The graph that aligns, against the attention of the trainer's model."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
import toy_run
from pack_archives import SCHEMAS
from test_export_families import (
    RNNS,
    SIZES,
    TRANSFORMERS,
    WIDTHS,
    checkpoint_of,
    mixed_requests,
    name_of,
    pack_of,
)

from mltranslate.decode import Decoder, Request
from mltranslate.decode.types import END, Hypothesis
from mltranslate.errors import PackError, VerificationError
from mltranslate.packs import verify_pack
from mltranslate.packs.install import install_pack
from mltranslate_export.build import network_of
from mltranslate_export.graphs.aligner import Aligner, aligner_of
from mltranslate_export.graphs.transformer import TransformerNetwork
from mltranslate_export.verify import alignment, census
from mltranslate_train.model.transformer import Transformer, TransformerConfig

DEPTHS = [{**TRANSFORMERS[0], "decoder_layers": layers} for layers in (1, 3, 6)]
GUIDED = {**WIDTHS, "decoder_layers": 3, "alignment_heads": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without a model: vocabulary and sentences only."""
    run = tmp_path_factory.mktemp("run")
    toy_run._train_vocabulary(run)
    toy_run._write_pairs(run)
    return run


@pytest.mark.parametrize("shape", [*TRANSFORMERS, *DEPTHS, GUIDED], ids=name_of)
def test_it_is_the_attention_of_every_transformer(
    folder: Path, tmp_path: Path, shape: dict[str, Any]
) -> None:
    checkpoint = checkpoint_of(folder, "transformer", shape)
    pack = pack_of(checkpoint, tmp_path, "fp32")
    verify_pack(pack)
    decoder = Decoder(pack, device="cpu", threads=1)
    report = alignment.compare(decoder, checkpoint, mixed_requests(1, 20))
    assert report["subwords"] > 40
    assert report["largest_difference"] < 1e-5


def test_a_guided_head_aligns_as_the_trainer_learns(folder: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(folder, "transformer", GUIDED)
    decoder = Decoder(pack_of(checkpoint, tmp_path, "fp32"), device="cpu", threads=1)
    model = checkpoint.model
    assert isinstance(model, Transformer)
    request = Request(pieces=(20, 21, 22, 23), target="de", max_tokens=9)
    one = Hypothesis(pieces=(30, 31, 32), score=0.0, finished=True)
    tag = checkpoint.tags["de"]
    source, target = torch.tensor([[tag, *request.pieces, END]]), torch.tensor([[tag, 30, 31, 32]])
    with torch.inference_mode():
        _, expected = model.forward_with_alignment(source, target, None)
    (found,) = decoder.alignment([request], [one])
    # The position that predicts a subword, from the tag on; the last one predicts the end.
    assert np.abs(found - expected[0, :3].numpy()).max() < 1e-5


def test_neighbours_and_lengths_do_not_matter(folder: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(folder, "transformer", TRANSFORMERS[0])
    decoder = Decoder(pack_of(checkpoint, tmp_path, "fp32"), device="cpu", threads=1)
    requests = mixed_requests(3, 8)
    sizes = [0, 1, 7, 3, 0, 31, 32, 40]
    made = [Hypothesis(pieces=(25,) * n, score=0.0, finished=True) for n in sizes]
    together = decoder.alignment(requests, made)
    for request, one, looks in zip(requests, made, together, strict=True):
        assert looks.shape == (len(one.pieces), len(request.pieces) + 2)
        alone = decoder.alignment([request], [one])[0]
        assert looks == pytest.approx(alone, abs=1e-5)
        # The model has 32 positions, the first of which is the tag's.
        sums = looks.sum(axis=1)
        assert sums[:31] == pytest.approx(np.ones(min(31, len(sums))), abs=1e-5)
        assert not sums[31:].any()


def test_int8_graph_runs_in_integers_and_looks_alike(folder: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(folder, "transformer", TRANSFORMERS[0])
    decoders = {}
    for precision in ("fp32", "int8"):
        (tmp_path / precision).mkdir()
        pack = pack_of(checkpoint, tmp_path / precision, precision)
        decoders[precision] = Decoder(pack, device="cpu", threads=1)
    report = alignment.compare(
        decoders["fp32"], checkpoint, mixed_requests(2, 20), decoders["int8"]
    )
    assert report["int8_same"] > 0.7
    network = network_of(checkpoint, "fp32", {})
    assert isinstance(network, TransformerNetwork)
    model = onnx.load(tmp_path / "int8" / "int8.aligned.onnx", load_external_data=False)
    expected = census.expected_aligned_products(network)
    # Encoder 4 a layer; of the first decoder layer qkv, out, query, and keys with values.
    assert expected == 4 * 2 + 4
    census.check_int8(census.count(model), expected)
    weights = (tmp_path / "int8" / "int8.bin").stat().st_size
    for precision in ("fp32", "int8"):
        graph = tmp_path / precision / f"{precision}.aligned.onnx"
        assert graph.stat().st_size < min(100_000, weights), "it shares the weights"


def test_another_attention_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = checkpoint_of(folder, "transformer", TRANSFORMERS[0])
    decoder = Decoder(pack_of(checkpoint, tmp_path, "fp32"), device="cpu", threads=1)
    others = [
        Aligner(layer=1, heads=2, reading=True),
        Aligner(layer=0, heads=1, reading=True),
        Aligner(layer=0, heads=2, reading=False),
    ]
    for other in others:
        monkeypatch.setattr(alignment, "aligner_of", lambda _, other=other: other)
        with pytest.raises(VerificationError, match="trainer's attention"):
            alignment.compare(decoder, checkpoint, mixed_requests(1, 8))


def test_recurrent_models_cannot(folder: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(folder, "rnn", RNNS[2])
    pack = pack_of(checkpoint, tmp_path, "fp32")
    assert not pack.manifest.variants["fp32"].aligned
    decoder = Decoder(pack, device="cpu", threads=1)
    requests = [Request(pieces=(20,), target="de", max_tokens=9)]
    with pytest.raises(PackError, match=r"words: it was exported .*, or its model is recurrent"):
        decoder.alignment(requests, decoder.decode(requests))


@pytest.mark.parametrize("archive", SCHEMAS, ids=lambda path: path.stem)
def test_packs_from_before_cannot(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mltranslate.locations.user_packs", lambda: tmp_path / "packs")
    decoder = Decoder(install_pack(archive), device="cpu", threads=1)
    requests = [Request(pieces=(20,), target="de", max_tokens=9)]
    with pytest.raises(PackError, match=r"Export .* again with: mltranslate-export pack"):
        decoder.alignment(requests, decoder.decode(requests))


@pytest.mark.parametrize(
    ("layers", "guided", "expected"),
    [
        (1, 0, Aligner(layer=0, heads=2, reading=False)),
        (2, 0, Aligner(layer=0, heads=2, reading=True)),
        (6, 0, Aligner(layer=2, heads=2, reading=True)),
        (1, 1, Aligner(layer=0, heads=1, reading=False)),
        (6, 1, Aligner(layer=4, heads=1, reading=False)),
    ],
)
def test_which_attention_is_taken(layers: int, guided: int, expected: Aligner) -> None:
    keys = {**SIZES, **WIDTHS, "decoder_layers": layers, "alignment_heads": guided}
    assert aligner_of(TransformerConfig(**keys)) == expected
