"""Graphs are compared with a run weight by weight: none of any model, nor of any graph, is left."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from public_models import DATA, FAMILIES
from test_export_families import MODELS, checkpoint_of, folder, name_of
from test_import_public import TARGETS
from torch import Tensor

from mltranslate.errors import PackError, VerificationError
from mltranslate.packs import Pack
from mltranslate.packs.shortlist import Shortlist
from mltranslate_export import build
from mltranslate_export.build import PRECISIONS, PackPlan, build_pack
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_export.graphs import storage
from mltranslate_export.graphs.linear import LOGITS, Ranges
from mltranslate_export.importers.load import load_public
from mltranslate_export.verify.weights import check_graphs

__all__ = ["folder"]  # a fixture of the other module
FIELDS = ("greedy", "beam", "aligned", "short_greedy", "short_beam")
TRANSFORMER = MODELS[0]
OTHERS = ("positions", "encoder_positions", "logits_bias")
"""What a model is not trained in, but graphs hold."""


def ranges_of(checkpoint: Checkpoint) -> Ranges:
    """Some range for each channel of each product: some much larger than others."""
    random = np.random.default_rng(1)
    weights = checkpoint.weights()
    widths = {name.rpartition(".")[0]: w.shape[-1] for name, w in weights.items() if w.ndim > 1}
    widths[LOGITS] = checkpoint.model.config.d_model
    high = {name: 8.0 ** random.uniform(-2, 2, width) for name, width in widths.items()}
    return {name: (-value, value) for name, value in high.items()}


def pack_of(checkpoint: Checkpoint, place: Path, *, short: bool = True) -> Pack:
    """Every graph that there is, in both precisions."""
    ids = np.arange(4, 9)
    shortlist = Shortlist.of(np.zeros(checkpoint.model.config.vocabulary_size, int), ids[:0], ids)
    place.mkdir()
    plan = PackPlan(
        name="wild", version="0.0.1", licence="CC0-1.0", precisions=PRECISIONS,
        shortlists={next(iter(checkpoint.tags)): shortlist} if short else {},
    )  # fmt: skip
    return build_pack(checkpoint, place, plan, ranges=ranges_of(checkpoint))


def with_variant(pack: Pack, precision: str, **fields: str) -> Pack:
    """The pack with the graphs of one precision only, some of them others."""
    variant = dataclasses.replace(pack.manifest.variants[precision], **fields)
    manifest = dataclasses.replace(pack.manifest, variants={precision: variant})
    return dataclasses.replace(pack, manifest=manifest)


def tensors(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """All of the model that its graphs hold."""
    found = {name: part.data for name, part in checkpoint.model.named_parameters()}
    buffers = dict(checkpoint.model.named_buffers())
    return found | {name: buffers[name] for name in OTHERS if name in buffers}


def is_of_run(pack: Pack, checkpoint: Checkpoint) -> bool:
    try:
        check_graphs(pack, checkpoint)
    except VerificationError:
        return False
    return True


def assert_every_weight_counts(checkpoint: Checkpoint, place: Path) -> None:
    pack = pack_of(checkpoint, place)
    check_graphs(pack, checkpoint)
    # One graph has every weight; that all graphs are compared is shown below.
    none = dict.fromkeys(FIELDS[1:], "")
    packs = {precision: with_variant(pack, precision, **none) for precision in PRECISIONS}
    for name, tensor in tensors(checkpoint).items():
        before = tensor.clone()
        # Twice a row has the same int8 values, with another scale.
        tensor.copy_(before * 2 if tensor.ndim > 1 else before + 1)
        seen = {precision for precision, one in packs.items() if not is_of_run(one, checkpoint)}
        assert seen == set(PRECISIONS), name
        tensor.copy_(before)
    check_graphs(pack, checkpoint)


@pytest.mark.parametrize(("architecture", "shape"), MODELS, ids=name_of)
def test_every_weight_of_a_model_is_compared(
    folder: Path, tmp_path: Path, architecture: str, shape: dict[str, Any]
) -> None:
    assert_every_weight_counts(checkpoint_of(folder, architecture, shape), tmp_path / "pack")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_weight_of_an_imported_model_is_compared(family: str, tmp_path: Path) -> None:
    checkpoint = load_public(DATA / family, [("en", TARGETS.get(family, "de"))], tmp_path)
    assert_every_weight_counts(checkpoint, tmp_path / "pack")


@pytest.mark.parametrize(("architecture", "shape"), [MODELS[0], MODELS[-1]], ids=name_of)
def test_packs_without_shortlists_pass(
    folder: Path, tmp_path: Path, architecture: str, shape: dict[str, Any]
) -> None:
    checkpoint = checkpoint_of(folder, architecture, shape)
    check_graphs(pack_of(checkpoint, tmp_path / "pack", short=False), checkpoint)


def test_banned_pieces_are_compared(folder: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(folder, *TRANSFORMER)
    pack = pack_of(checkpoint, tmp_path / "pack")
    other = dataclasses.replace(checkpoint, banned=checkpoint.banned[1:])
    for precision in PRECISIONS:
        with pytest.raises(VerificationError) as caught:
            check_graphs(with_variant(pack, precision), other)
        assert caught.value.why == "banned.bias differs"


def change(path: Path, name: str, how: str) -> None:
    """Make a graph hold a weight elsewhere, in one of several places, not at all, or renamed."""
    model = onnx.load(path, load_external_data=False)
    held = {
        tensor.name: (graph, tensor)
        for graph in graphs_in(model.graph)
        for tensor in graph.initializer
        if tensor.data_location == onnx.TensorProto.EXTERNAL
    }
    graph, tensor = next(pair for full, pair in held.items() if full.endswith(name))
    if how == "gone":
        graph.initializer.remove(tensor)
    elif how == "more":
        graph.initializer.add().CopyFrom(tensor)
        graph.initializer[-1].name += ".more"
    else:
        if how == "twice":
            graph.initializer.add().CopyFrom(tensor)
        offset = next(entry for entry in tensor.external_data if entry.key == "offset")
        offset.value = str(int(offset.value) + storage._ALIGNMENT)
    path.write_bytes(model.SerializeToString())


def graphs_in(graph: onnx.GraphProto) -> list[onnx.GraphProto]:
    inner = [part.g for node in graph.node for part in node.attribute if part.HasField("g")]
    return [graph, *(one for body in inner for one in graphs_in(body))]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("how", "why"),
    [("elsewhere", "differs"), ("gone", "does not hold"), ("more", "a graph of the run lacks")],
)
def test_every_graph_is_compared(
    folder: Path, tmp_path: Path, precision: str, field: str, how: str, why: str
) -> None:
    checkpoint = checkpoint_of(folder, *TRANSFORMER)
    pack = pack_of(checkpoint, tmp_path / "pack")
    graph = getattr(pack.manifest.variants[precision], field)
    change(pack.folder / graph, "encoder_layers.1.attention.out.bias", how)
    with pytest.raises(VerificationError, match=f"{graph} is not of this run") as caught:
        check_graphs(pack, checkpoint)
    assert why in caught.value.why
    assert "encoder_layers.1.attention.out.bias" in caught.value.why


def test_one_name_for_two_weights_is_damage(folder: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(folder, *TRANSFORMER)
    pack = pack_of(checkpoint, tmp_path / "pack")
    change(pack.folder / "int8.beam.onnx", "encoder_norm.bias", "twice")
    with pytest.raises(PackError, match=r"int8\.beam\.onnx .* cannot be read") as caught:
        check_graphs(pack, checkpoint)
    assert "it holds two weights encoder_norm.bias" in caught.value.why


def test_what_cannot_be_compared_is_refused(folder: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(folder, *TRANSFORMER)
    pack = pack_of(checkpoint, tmp_path / "pack")
    variants = {**pack.manifest.variants, "fp16": pack.manifest.variants["fp32"]}
    manifest = dataclasses.replace(pack.manifest, variants=variants)
    with pytest.raises(VerificationError, match="the fp16 graphs of wild cannot be compared"):
        check_graphs(dataclasses.replace(pack, manifest=manifest), checkpoint)


def test_alignments_of_a_model_that_has_none_are_refused(folder: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(folder, *MODELS[-1])
    pack = pack_of(checkpoint, tmp_path / "pack")
    odd = with_variant(pack, "fp32", aligned=pack.manifest.variants["fp32"].greedy)
    with pytest.raises(VerificationError) as caught:
        check_graphs(odd, checkpoint)
    assert "a graph of the run lacks" in caught.value.why


def test_an_int8_pack_of_before_with_its_channels_as_they_are_passes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = checkpoint_of(folder, *TRANSFORMER)
    with monkeypatch.context() as patched:
        patched.setattr(build, "coupled", lambda _: [])
        pack = pack_of(checkpoint, tmp_path / "pack")
    check_graphs(pack, checkpoint)
    new = pack_of(checkpoint, tmp_path / "new")
    held, now = (storage.read_weights(one.folder, "int8.greedy.onnx") for one in (pack, new))
    assert any(not np.array_equal(held[name], now[name]) for name in held), "nothing is shown"
