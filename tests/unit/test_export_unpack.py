"""`mltranslate-export unpack`: weights come back from a pack's graphs, and training takes them."""

import json
from pathlib import Path

import numpy as np
import pytest
import toy_run
from test_export_families import RNNS, TRANSFORMERS, checkpoint_of, folder, name_of, pack_of

from mltranslate.errors import PackError, UsageError
from mltranslate.packs import Pack
from mltranslate_export.checkpoint import load_run
from mltranslate_export.cli import main
from mltranslate_export.graphs.linear import quantise_rows
from mltranslate_export.unpack import unpack
from mltranslate_train.finetune.parent import open_parent

__all__ = ["folder"]  # a fixture of the other module


@pytest.mark.parametrize("shape", TRANSFORMERS, ids=name_of)
def test_fp32_graphs_give_the_weights_of_the_run(
    folder: Path, tmp_path: Path, shape: dict[str, object]
) -> None:
    checkpoint = checkpoint_of(folder, "transformer", shape)
    result = unpack(pack_of(checkpoint, tmp_path, "fp32"), tmp_path / "out")
    assert result["precision"] == "fp32"
    expected = checkpoint.model.state_dict()
    again = load_run(tmp_path / "out").model.state_dict()
    assert again.keys() == expected.keys()
    assert all(again[name].equal(value) for name, value in expected.items())
    assert result["parameters"] == sum(value.numel() for value in expected.values())


@pytest.mark.parametrize("shape", [TRANSFORMERS[i] for i in (0, 6, 7, 8, 9)], ids=name_of)
def test_int8_graphs_give_what_the_pack_multiplies_with(
    folder: Path, tmp_path: Path, shape: dict[str, object]
) -> None:
    checkpoint = checkpoint_of(folder, "transformer", shape)
    assert unpack(pack_of(checkpoint, tmp_path, "int8"), tmp_path / "out")["precision"] == "int8"
    again = load_run(tmp_path / "out").model.state_dict()
    rounded = 0
    for name, value in checkpoint.model.state_dict().items():
        if value.ndim < 2:
            assert again[name].equal(value), name
            continue
        table, scale = quantise_rows(value.numpy())
        np.testing.assert_allclose(again[name].numpy(), table * scale[:, None], rtol=1e-6)
        # A second export writes the same integers: nothing is lost by going round.
        np.testing.assert_array_equal(quantise_rows(again[name].numpy())[0], table)
        rounded += not again[name].equal(value)
    assert rounded > 10


def test_a_folder_serves_as_a_parent(tmp_path: Path) -> None:
    pack = toy_run.toy_pack()
    assert main(["unpack", str(pack), "--out", str(tmp_path / "run")]) == 0
    parent = open_parent(str(tmp_path / "run"))
    run = open_parent(str(toy_run.toy_run()))
    assert parent.config == run.config
    assert parent.vocabulary.read_bytes() == run.vocabulary.read_bytes()
    assert parent.about["directions"] == sorted(run.about["directions"])
    ours, theirs = parent.load(), run.load()
    assert all(ours[name].equal(value) for name, value in theirs.items())


def test_what_ships_is_read_back(tmp_path: Path, repository: Path) -> None:
    pack = repository / "assets/packs/small-en-de-zh"
    assert main(["unpack", str(pack), "--out", str(tmp_path / "run")]) == 0
    manifest = json.loads((pack / "manifest.json").read_text("utf-8"))
    parent = open_parent(str(tmp_path / "run"))
    sizes = (value.numel() for value in parent.load().values())
    assert sum(sizes) == manifest["provenance"]["parameters"]
    assert parent.about["sources"] == manifest["provenance"]["sources"]


def refused(pack: Pack, out: Path, why: str) -> None:
    with pytest.raises(PackError, match=why):
        unpack(pack, out)
    assert not out.exists()


def test_a_pack_with_its_weights_needs_none_of_it(folder: Path, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(folder, "transformer", TRANSFORMERS[0])
    pack = pack_of(checkpoint, tmp_path, "fp32", weights=True)
    refused(pack, tmp_path / "out", r"it carries weights\.safetensors")


def test_a_recurrent_model_is_refused(folder: Path, tmp_path: Path) -> None:
    pack = pack_of(checkpoint_of(folder, "rnn", RNNS[0]), tmp_path, "fp32")
    refused(pack, tmp_path / "out", "its architecture is 'rnn'")


def test_a_damaged_pack_is_refused(folder: Path, tmp_path: Path) -> None:
    pack = pack_of(checkpoint_of(folder, "transformer", TRANSFORMERS[0]), tmp_path, "fp32")
    path = pack.folder / "fp32.bin"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    refused(pack, tmp_path / "out", "damaged")


def test_graphs_of_another_shape_are_refused(folder: Path, tmp_path: Path) -> None:
    pack = pack_of(checkpoint_of(folder, "transformer", TRANSFORMERS[0]), tmp_path, "fp32")
    pack.manifest.provenance["model"]["encoder_layers"] = 3
    refused(pack, tmp_path / "out", r"do not hold encoder_layers\.2")


def test_what_is_there_is_left_alone(folder: Path, tmp_path: Path) -> None:
    pack = pack_of(checkpoint_of(folder, "transformer", TRANSFORMERS[0]), tmp_path, "fp32")
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        unpack(pack, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
