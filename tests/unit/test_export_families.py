"""Every model that the trainer makes exports to graphs that decode as it does."""

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import toy_run

from mltranslate.decode import Decoder, Request
from mltranslate.errors import DataError, PackError, VerificationError
from mltranslate.packs import Pack, verify_pack
from mltranslate_export.build import PackPlan, build_pack, network_of
from mltranslate_export.calibrate import calibrate
from mltranslate_export.checkpoint import Checkpoint, load_run
from mltranslate_export.graphs.families import FAMILIES
from mltranslate_export.training_weights import DESCRIPTION, WEIGHTS, check_weights
from mltranslate_export.verify import census, parity
from mltranslate_export.verify.pairs import by_direction, read_pairs
from mltranslate_train.model.build import _KINDS as KINDS
from mltranslate_train.model.build import model_from_about
from mltranslate_train.model.seq2seq import Seq2Seq

SIZES = {
    "vocabulary_size": 288, "d_model": 24, "encoder_layers": 2, "decoder_layers": 2,
    "dropout": 0.0, "max_length": 32,
}  # fmt: skip
WIDTHS = {"heads": 2, "ffn": 32}
TRANSFORMERS = [
    {**WIDTHS, "norm": norm, "decoder": decoder}
    for norm, decoder in itertools.product(("pre", "post"), ("attention", "average", "ssru"))
]
TRANSFORMERS += [
    {**TRANSFORMERS[0], "embeddings": "target"},
    {**TRANSFORMERS[1], "embeddings": "target", "alignment_heads": 1},
    {**TRANSFORMERS[3], "embeddings": "separate"},
    {**TRANSFORMERS[5], "embeddings": "separate"},
]
RNNS = [
    {"cell": cell, "attention": attention, "bidirectional": both}
    for cell, attention, both in itertools.product(
        ("lstm", "gru"), ("none", "bahdanau", "luong"), (True, False)
    )
]
RNNS += [{**RNNS[2], "embeddings": "target"}, {**RNNS[8], "embeddings": "separate"}]
MODELS = [("transformer", shape) for shape in TRANSFORMERS] + [("rnn", shape) for shape in RNNS]
QUANTISED = [("transformer", TRANSFORMERS[i]) for i in (0, 7, 9)]
QUANTISED += [("rnn", RNNS[i]) for i in (2, 11, 13)]


def name_of(value: Any) -> str:
    parts = value.values() if isinstance(value, dict) else [value]
    return "-".join(str(part) for part in parts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without a model: vocabulary and sentences only."""
    run = tmp_path_factory.mktemp("run")
    toy_run._train_vocabulary(run)
    toy_run._write_pairs(run)
    return run


def checkpoint_of(folder: Path, architecture: str, shape: dict[str, Any]) -> Checkpoint:
    """Give the run in `folder` a random model, strong enough that its outputs vary."""
    about = {
        "architecture": architecture, "model": {**SIZES, **shape}, "languages": ["en", "de"],
        "directions": [["en", "de"], ["de", "en"]],
    }  # fmt: skip
    torch.manual_seed(len(name_of(shape)))
    model = model_from_about(about)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.1 if weight.ndim == 1 else weight)
    (folder / "best").mkdir(exist_ok=True)
    safetensors.torch.save_file(model.state_dict(), folder / "best" / "model.safetensors")
    (folder / "best" / "model.json").write_text(json.dumps(about), "utf-8")
    return load_run(folder)


def pack_of(checkpoint: Checkpoint, folder: Path, precision: str, *, weights: bool = False) -> Pack:
    plan = PackPlan(
        name="wild", version="0.0.1", licence="CC0-1.0", precisions=(precision,), weights=weights
    )
    pairs = read_pairs(checkpoint.vocabulary.parent / "pairs.tsv")
    groups = by_direction(pairs, checkpoint.directions)
    ranges = calibrate(checkpoint, groups) if precision == "int8" else {}
    return build_pack(checkpoint, folder, plan, ranges=ranges)


def mixed_requests(seed: int, count: int) -> list[Request]:
    generator = random.Random(seed)
    return [
        Request(
            pieces=tuple(generator.randrange(4, 288) for _ in range(generator.randint(0, 12))),
            target=generator.choice(("en", "de")),
            max_tokens=generator.choice((9, 15, 20)),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize(("architecture", "shape"), MODELS, ids=name_of)
def test_tokens_equal_the_oracle(
    folder: Path, tmp_path: Path, architecture: str, shape: dict[str, Any]
) -> None:
    checkpoint = checkpoint_of(folder, architecture, shape)
    pack = pack_of(checkpoint, tmp_path, "fp32")
    decoder = Decoder(pack, device="cpu", precision="fp32", threads=1)
    requests = mixed_requests(1, 16)
    for beam in (1, 4):
        result = parity.compare(decoder, checkpoint, requests, beam=beam, guard=True)
        assert (result.different, result.near_ties) == (0, 0)
        found = decoder.decode(requests, beam=beam, repetition_guard=True)
        assert len({h.pieces for h in found}) >= 8, "it says the same to all: nothing is shown"
    assert pack.manifest.provenance["architecture"] == architecture


@pytest.mark.parametrize(("architecture", "shape"), QUANTISED, ids=name_of)
def test_int8_is_close_runs_in_integers_and_ignores_neighbours(
    folder: Path, tmp_path: Path, architecture: str, shape: dict[str, Any]
) -> None:
    checkpoint = checkpoint_of(folder, architecture, shape)
    pack = pack_of(checkpoint, tmp_path, "int8")
    kept = network_of(checkpoint, "fp32", {}).float_modules
    expected = census.expected_products(checkpoint.weights(), kept)
    for graph in ("int8.greedy.onnx", "int8.beam.onnx"):
        census.check_int8(census.census(pack.folder / graph), expected)
    assert pack.manifest.provenance["int8_modules_in_fp32"] == list(kept)
    decoder = Decoder(pack, device="cpu", precision="int8", threads=1)
    requests = mixed_requests(2, 40)
    for beam in (1, 3):
        together = decoder.decode(requests, beam=beam)
        alone = [decoder.decode([request], beam=beam)[0] for request in requests]
        assert [h.pieces for h in together] == [h.pieces for h in alone]
    same = sum(
        ours.pieces[:1] == theirs.pieces[:1]
        for ours, theirs in zip(
            decoder.decode(requests), parity.oracle(checkpoint, requests, beam=1), strict=True
        )
    )
    assert same >= 32


def test_weights_for_fine_tuning_are_those_of_the_run(folder: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(folder, "rnn", RNNS[0])
    pack = pack_of(checkpoint, tmp_path, "fp32", weights=True)
    verify_pack(pack)
    assert {WEIGHTS, DESCRIPTION} <= set(pack.manifest.members)
    check_weights(checkpoint, pack.folder)
    described = json.loads((pack.folder / DESCRIPTION).read_text("utf-8"))
    assert described == checkpoint.about
    stored = safetensors.torch.load_file(pack.folder / WEIGHTS)
    model_from_about(described).load_state_dict(stored)
    assert {value.dtype for value in stored.values()} == {torch.bfloat16}
    stored["bridge.bias"] += 1
    safetensors.torch.save_file(stored, pack.folder / WEIGHTS)
    with pytest.raises(VerificationError, match="not the run's"):
        check_weights(checkpoint, pack.folder)
    with pytest.raises(PackError, match="damaged"):
        verify_pack(pack)


def test_packs_have_no_weights_for_fine_tuning_unless_asked(folder: Path, tmp_path: Path) -> None:
    pack = pack_of(checkpoint_of(folder, "rnn", RNNS[0]), tmp_path, "fp32")
    assert not {WEIGHTS, DESCRIPTION} & {path.name for path in tmp_path.iterdir()}
    assert not {WEIGHTS, DESCRIPTION} & set(pack.manifest.members)


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "masked"},
        {"architecture": "language-model"},
        {"objective": "masked"},
        {"objective": "language-model"},
    ],
    ids=name_of,
)
def test_models_that_do_not_translate_are_refused(folder: Path, change: dict[str, str]) -> None:
    checkpoint = checkpoint_of(folder, "transformer", TRANSFORMERS[0])
    path = folder / "best" / "model.json"
    path.write_text(json.dumps({**checkpoint.about, **change}), "utf-8")
    (value,) = change.values()
    with pytest.raises(DataError, match=f"cannot be exported: its .* is '{value}'"):
        load_run(folder)


def test_recipe_tells_what_a_model_learnt(folder: Path) -> None:
    checkpoint_of(folder, "transformer", TRANSFORMERS[0])
    recipe = folder / "recipe.toml"
    recipe.write_text('[train]\nobjective = "masked"\n', "utf-8")
    try:
        with pytest.raises(DataError, match="its objective is 'masked', and a pack translates"):
            load_run(folder)
    finally:
        recipe.unlink()


def test_every_architecture_of_the_trainer_has_graphs() -> None:
    translating = {name for name, (_, model) in KINDS.items() if issubclass(model, Seq2Seq)}
    assert set(FAMILIES) == translating | {"imported-transformer"}  # not trained here
