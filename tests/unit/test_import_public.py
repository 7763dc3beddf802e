"""Public models come out as transformers says: subwords, logits, greedy and beam tokens, text.

What transformers said is in tests/data/public_models, see `public_models`.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from forced_logits import forced_logits
from public_models import DATA, LOGITS, MADE, script_hash
from safetensors.torch import load_file
from sentencepiece import SentencePieceProcessor

from mltranslate.decode import Decoder, Request
from mltranslate.errors import DataError
from mltranslate.packs import Pack, verify_pack
from mltranslate_export.build import PackPlan, build_pack, network_of
from mltranslate_export.calibrate import calibrate
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_export.graphs.transformer import TransformerNetwork
from mltranslate_export.importers.codes import our_codes
from mltranslate_export.importers.load import load_public
from mltranslate_export.verify import alignment, census, parity
from mltranslate_export.verify.pairs import Pair

FAMILIES = sorted(path.name for path in DATA.iterdir() if path.is_dir())
TARGETS = {"marian-many": "fr"}
MOST_TOKENS = 24
MOST_OFF = 1e-4
"""Between logits: about ten times what rounding in another order was seen to make of them."""
PLAN = PackPlan(name="toy", version="1.0.0", licence="CC0-1.0", precisions=("fp32", "int8"))


class Imported:
    """One golden folder, imported."""

    def __init__(self, family: str, folder: Path) -> None:
        self.family = family
        self.expected: list[dict[str, Any]] = json.loads(
            (DATA / family / "expected.json").read_text("utf-8")
        )
        self.target = TARGETS.get(family, "de")
        self.checkpoint = load_public(DATA / family, [("en", self.target)], folder)
        self.splitter = SentencePieceProcessor(model_file=str(self.checkpoint.vocabulary))
        pairs = [Pair(source="en", target=self.target, text=e["text"], reference="x")
                 for e in self.expected]  # fmt: skip
        ranges = calibrate(self.checkpoint, {("en", self.target): pairs})
        (folder / "pack").mkdir()
        self.pack: Pack = build_pack(self.checkpoint, folder / "pack", PLAN, ranges=ranges)
        self.requests = [
            Request(
                pieces=tuple(self.splitter.encode(entry["text"])),
                source="en",
                target=self.target,
                max_tokens=MOST_TOKENS,
            )
            for entry in self.expected
        ]
        # Rows of the public embedding by our ids, from the one tensor that tells them apart.
        self.rows = rows_of(DATA / family, self.checkpoint)

    def public(self, pieces: tuple[int, ...], *, finished: bool) -> list[int]:
        """Public ids of the pieces that a search found."""
        return [self.rows[piece] for piece in pieces] + ([self.rows[3]] if finished else [])


def rows_of(folder: Path, checkpoint: Checkpoint) -> dict[int, int]:
    """Rows of the public embedding by our ids."""
    table = load_file(folder / "model.safetensors")["model.shared.weight"]
    where = {row.tobytes(): index for index, row in enumerate(table.numpy())}
    ours = checkpoint.weights()["embedding.weight"]
    return {i: where[row.tobytes()] for i, row in enumerate(ours) if row.tobytes() in where}


@pytest.fixture(scope="module", params=FAMILIES)
def imported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Imported:
    return Imported(request.param, tmp_path_factory.mktemp(request.param))


def test_subwords(imported: Imported) -> None:
    tagged = imported.checkpoint.model.config.reads_tag  # type: ignore[attr-defined]
    for request, entry in zip(imported.requests, imported.expected, strict=True):
        assert imported.public(request.pieces, finished=True) == entry["ids"][tagged:]


def test_the_goldens_are_of_the_script() -> None:
    made = json.loads((DATA / MADE).read_text("utf-8"))
    assert made["script_sha256"] == script_hash(), "run tests/unit/public_models.py"


def test_logits(imported: Imported, tmp_path: Path) -> None:
    golden = load_file(DATA / imported.family / LOGITS)
    ours = {row: number for number, row in imported.rows.items()}
    targets = np.array([[ours[row] for row in line] for line in golden["targets"].tolist()])
    requests = imported.requests[: len(targets)]
    found = forced_logits(imported.checkpoint, requests, targets, tmp_path)
    text = [ours[row] for row in golden["text"].tolist()]
    assert np.abs(found[:, :, text] - golden["logits"].numpy()).max() < MOST_OFF
    assert np.isneginf(np.delete(found, text, axis=2)).all()


def test_greedy_tokens_and_text(imported: Imported) -> None:
    found = Decoder(imported.pack, device="cpu", precision="fp32").decode(imported.requests)
    tokenizer = imported.pack.tokenizer()
    for ours, entry in zip(found, imported.expected, strict=True):
        assert imported.public(ours.pieces, finished=ours.finished) == entry["greedy"]
        assert tokenizer.decode(ours.pieces).strip() == entry["greedy_text"].strip()


def test_beam_tokens_by_the_same_rule(imported: Imported) -> None:
    decoder = Decoder(imported.pack, device="cpu", precision="fp32")
    end = imported.rows[3]
    found = decoder.decode(imported.requests, beam=4)
    compared = 0
    for ours, entry in zip(found, imported.expected, strict=True):
        expected = entry["beam_our_rule"]
        # A translation that is cut ranks behind every finished one here, among them there.
        if expected[-1] == end or not ours.finished:
            compared += 1
            assert imported.public(ours.pieces, finished=ours.finished) == expected
    assert compared > 15


def test_int8_graphs_run_in_integers_and_agree(imported: Imported) -> None:
    verify_pack(imported.pack)
    variant = imported.pack.manifest.variants["int8"]
    weights = imported.checkpoint.weights()
    before = 12 if imported.checkpoint.source_tag == "source" else 0
    expected = census.expected_products(weights, ()) + before
    for name in (variant.greedy, variant.beam):
        census.check_int8(census.census(imported.pack.folder / name), expected)
    found = Decoder(imported.pack, device="cpu", precision="int8").decode(imported.requests)
    assert sum(bool(hypothesis.pieces) or hypothesis.finished for hypothesis in found) == 50


def test_graphs_equal_the_model_in_torch(imported: Imported) -> None:
    decoder = Decoder(imported.pack, device="cpu", precision="fp32")
    for beam in (1, parity.BEAM):
        parity.compare(decoder, imported.checkpoint, imported.requests[:10], beam=beam).check()


def test_alignments_are_the_attention_of_the_model_in_torch(imported: Imported) -> None:
    whole, small = (
        Decoder(imported.pack, device="cpu", precision=precision) for precision in ("fp32", "int8")
    )
    report = alignment.compare(whole, imported.checkpoint, imported.requests[:10], small)
    assert report["subwords"] > 20
    assert report["int8_same"] > 0.8
    network = network_of(imported.checkpoint, "fp32", {})
    assert isinstance(network, TransformerNetwork)
    graph = imported.pack.folder / imported.pack.manifest.variants["int8"].aligned
    counts = census.count(onnx.load(graph, load_external_data=False))
    census.check_int8(counts, census.expected_aligned_products(network))


def test_pickled_weights_are_read_alike(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(DATA / "marian", folder)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    ours = load_public(folder, [("en", "de")], tmp_path).weights()
    wanted = load_public(DATA / "marian", [("en", "de")], tmp_path).weights()
    assert ours.keys() == wanted.keys()
    assert all(np.array_equal(ours[name], wanted[name]) for name in wanted)


def damaged(tmp_path: Path, name: str, change: dict[str, Any] | None) -> Path:
    folder = tmp_path / "model"
    shutil.copytree(DATA / "marian", folder)
    if change is None:
        (folder / name).unlink()
    else:
        about = json.loads((folder / name).read_text("utf-8"))
        (folder / name).write_text(json.dumps({**about, **change}), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("config.json", None, "config.json cannot be read"),
        ("model.safetensors", None, "there are no weights"),
        ("vocab.json", None, "vocab.json cannot be read"),
        ("config.json", {"model_type": "t5"}, "cannot be imported"),
        ("config.json", {"activation_function": "tanh"}, "variant"),
        ("config.json", {"decoder_start_token_id": 0}, "variant"),
        ("config.json", {"d_model": 32}, "another shape"),
        ("config.json", {"encoder_layers": 3}, "has no tensor"),
        ("config.json", {"encoder_layers": 1}, "unknown tensor"),
        ("vocab.json", {"far": 9999}, "differ in size"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, name: str, change: dict[str, Any] | None, message: str
) -> None:
    folder = damaged(tmp_path, name, change)
    with pytest.raises(DataError, match=message):
        load_public(folder, [("en", "de")], tmp_path)


def test_directions_that_the_model_lacks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not translate from de into en"):
        load_public(DATA / "marian", [("de", "en")], tmp_path)
    with pytest.raises(DataError, match="does not know xx"):
        load_public(DATA / "nllb-200", [("en", "xx")], tmp_path)


def test_codes() -> None:
    public = ["deu_Latn", "zho_Hans", "zho_Hant", "ast_Latn", "arb_Arab", "de_XX", "<mask>"]
    assert our_codes(public) == {
        "de": "deu_Latn", "zh": "zho_Hans", "zh-Hant": "zho_Hant", "ast": "ast_Latn",
        "ar": "arb_Arab", "de-XX": "de_XX",
    }  # fmt: skip
    assert our_codes([">>deu<<", ">>cmn_Hans<<"]) == {"de": ">>deu<<", "zh": ">>cmn_Hans<<"}
