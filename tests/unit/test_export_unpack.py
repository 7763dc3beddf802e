"""`mltranslate-export unpack`: weights come back from a pack's graphs, and training takes them."""

import dataclasses
import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import onnx
import pytest
import toy_run
from onnx import numpy_helper
from safetensors import SafetensorError
from test_export_families import RNNS, TRANSFORMERS, checkpoint_of, folder, name_of, pack_of

from mltranslate.errors import DataError, MltError, PackError, UsageError
from mltranslate.packs import Pack, read_pack, verify_pack
from mltranslate.packs.verify import file_sha256
from mltranslate_export.build import coupled
from mltranslate_export.checkpoint import load_run
from mltranslate_export.cli import main
from mltranslate_export.graphs.equalise import equalised, factors_in
from mltranslate_export.graphs.linear import quantise_rows
from mltranslate_export.graphs.storage import read_weights
from mltranslate_export.unpack import unpack
from mltranslate_train.finetune.parent import open_parent

__all__ = ["folder"]  # a fixture of the other module

SOURCE = {"name": "games", "licence": "CC0-1.0", "pairs": 3}


def made(
    run: Path, tmp_path: Path, precision: str = "fp32", shape: int = 0, *, weights: bool = False
) -> Pack:
    """A pack of a random Transformer, in a folder of its own."""
    (tmp_path / "pack").mkdir(exist_ok=True)
    checkpoint = checkpoint_of(run, "transformer", TRANSFORMERS[shape])
    return pack_of(checkpoint, tmp_path / "pack", precision, weights=weights)


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An fp32 pack that no test changes."""
    return made(folder, tmp_path_factory.mktemp("whole")).folder


@pytest.fixture
def pack(whole: Path, tmp_path: Path) -> Pack:
    """A copy of it for a test of its own."""
    return read_pack(Path(shutil.copytree(whole, tmp_path / "pack")))


def restated(pack: Pack, *names: str, without: tuple[str, ...] = (), **changes: Any) -> Pack:
    """The pack with a manifest that states the members `names` as they are now."""
    manifest = json.loads((pack.folder / "manifest.json").read_text("utf-8"))
    for name in names:
        path = pack.folder / name
        stated = {"sha256": file_sha256(path), "bytes": path.stat().st_size}
        manifest["members"][name] = stated
    for name in without:
        del manifest["members"][name]
    manifest["provenance"] |= changes.pop("provenance", {})
    (pack.folder / "manifest.json").write_text(json.dumps(manifest | changes), "utf-8")
    return read_pack(pack.folder)


def about(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "best/model.json").read_text("utf-8")))


@pytest.mark.parametrize("shape", range(len(TRANSFORMERS)), ids=map(name_of, TRANSFORMERS))
def test_fp32_graphs_give_the_weights_of_the_run(folder: Path, tmp_path: Path, shape: int) -> None:
    result = unpack(made(folder, tmp_path, shape=shape), tmp_path / "out")
    assert result["precision"] == "fp32"
    expected = load_run(folder).model.state_dict()
    again = load_run(tmp_path / "out").model.state_dict()
    assert again.keys() == expected.keys()
    assert all(again[name].equal(value) for name, value in expected.items())
    assert result["parameters"] == sum(value.numel() for value in expected.values())


@pytest.mark.parametrize("shape", [0, 6, 7, 8, 9])
def test_int8_graphs_give_what_the_pack_multiplies_with(
    folder: Path, tmp_path: Path, shape: int
) -> None:
    pack = made(folder, tmp_path, "int8", shape)
    assert unpack(pack, tmp_path / "out")["precision"] == "int8"
    again = load_run(tmp_path / "out").model.state_dict()
    rounded = 0
    run = load_run(folder)
    among = coupled(run)
    held = read_weights(pack.folder, "int8.greedy.onnx")
    weights = equalised(run.weights(), factors_in(held, run.weights(), among), among)
    for name, value in run.model.state_dict().items():
        if value.ndim < 2:
            np.testing.assert_array_equal(again[name].numpy(), weights.get(name, value.numpy()))
            continue
        table, scale = quantise_rows(weights.get(name, value.numpy()))
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


def test_a_pack_of_the_folder_is_as_the_first_and_tells_of_it(tmp_path: Path) -> None:
    shutil.copytree(toy_run.toy_pack(), tmp_path / "pack")
    training = {"seconds": 7, "where": []}
    first = restated(
        read_pack(tmp_path / "pack"), max_source_tokens=20, provenance={"training": training}
    )
    assert main(["unpack", str(first.folder), "--out", str(tmp_path / "run")]) == 0
    assert about(tmp_path / "run")["max_source_tokens"] == 20
    pairs = str(toy_run.toy_run() / "pairs.tsv")
    where = ["--out", str(tmp_path), "--name", "second", "--precision", "fp32"]
    assert main(["pack", str(tmp_path / "run"), *where, "--verify-data", pairs]) == 0
    second = read_pack(tmp_path / "second")
    verify_pack(second)
    assert second.max_source_tokens == 20
    provenance = second.manifest.provenance
    assert provenance["unpacked"] == {"name": "toy", "version": "0.1.0", "precision": "fp32"}
    assert provenance["training"] == {"seconds": 7}
    for key in ("model", "parameters", "step", "target_tokens", "sources"):
        assert provenance[key] == first.manifest.provenance[key]
    # A recipe in the folder knows better.
    (tmp_path / "run/recipe.toml").write_text("[data]\nmax_tokens = 30\n", "utf-8")
    assert load_run(tmp_path / "run").max_source_tokens == 30


@pytest.mark.parametrize("name", ["core9-small", "small-en-de-zh"])
def test_what_ships_is_read_back(name: str, tmp_path: Path, repository: Path) -> None:
    pack = repository / "assets/packs" / name
    assert main(["unpack", str(pack), "--out", str(tmp_path / "run")]) == 0
    manifest = json.loads((pack / "manifest.json").read_text("utf-8"))
    parent = open_parent(str(tmp_path / "run"))
    weights = parent.load()
    assert sum(value.numel() for value in weights.values()) == manifest["provenance"]["parameters"]
    assert parent.about["sources"] == manifest["provenance"]["sources"]
    assert parent.about["training_seconds"] == manifest["provenance"]["training"]["seconds"]
    # Rows of the matrices, as the graph that searches by beams multiplies with them.
    graph = onnx.load(pack / "int8.beam.onnx").graph
    held = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    layer = "encoder_layers.3.ffn.up"
    columns, scales = held[f"{layer}.weight.int8"], held[f"{layer}.scale"]
    for row in (0, 1, 500, 1023):
        expected = columns[:, row].astype(np.float32) * scales[row]
        np.testing.assert_array_equal(weights[f"{layer}.weight"][row].numpy(), expected)
    table, steps = held["embedding.int8"], held["embedding.look_up_scale"]
    width = manifest["provenance"]["model"]["d_model"]
    for row in (0, 7, 4000, 15999):  # looked up times the root of the width
        expected = table[row].astype(np.float32) * steps[row, 0] / width**0.5
        np.testing.assert_allclose(weights["embedding.weight"][row].numpy(), expected, rtol=1e-6)


def test_the_description_is_of_the_manifest_and_of_model_json(pack: Pack, tmp_path: Path) -> None:
    ours = {"step": 1, "dev_chrf": {"en-de": 4.5}, "architecture": "rnn", "languages": ["xx"]}
    (pack.folder / "model.json").write_text(json.dumps(ours), "utf-8")
    stated = {
        "step": 9, "target_tokens": 8, "training": {"seconds": 2.5}, "sources": [SOURCE],
        "parent": {"name": "older"}, "averaged": {"of": [], "share": 0.5},
    }  # fmt: skip
    pack = restated(pack, "model.json", provenance=stated)
    unpack(pack, tmp_path / "out")
    found = about(tmp_path / "out")
    assert found.pop("training_seconds") == stated.pop("training")["seconds"]  # type: ignore[index]
    assert {key: found[key] for key in stated} == stated
    assert found["dev_chrf"] == {"en-de": 4.5}
    assert found["architecture"] == "transformer"  # what the manifest says counts
    assert found["languages"] == ["en", "de"]
    assert found["unpacked"] == {"name": "wild", "version": "0.0.1", "precision": "fp32"}


def test_a_folder_here_goes_before_an_installed_pack(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack.folder.rename(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert main(["unpack", "mine", "--out", "out"]) == 0
    assert open_parent("out").vocabulary.is_file()


def refused(pack: Pack, out: Path, why: str, kind: type[MltError] = PackError) -> None:
    before = sorted(out.parent.iterdir())
    with pytest.raises(kind, match=why) as caught:
        unpack(pack, out)
    assert "\n" not in str(caught.value)
    assert sorted(out.parent.iterdir()) == before


def test_a_pack_with_its_weights_needs_none_of_it(folder: Path, tmp_path: Path) -> None:
    pack = made(folder, tmp_path, weights=True)
    why = rf"it carries weights\.safetensors.*--from {tmp_path}/pack$"
    refused(pack, tmp_path / "out", why)
    # Weights that nothing describes are of no use: they are read from the graphs.
    pack = restated(pack, without=("model.json",))
    with pytest.raises(PackError, match="unpack"):
        open_parent(str(pack.folder))
    unpack(pack, tmp_path / "out")


def test_a_recurrent_model_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    pack = pack_of(checkpoint_of(folder, "rnn", RNNS[0]), tmp_path / "pack", "fp32")
    refused(pack, tmp_path / "out", "its architecture is 'rnn'")


def test_a_damaged_pack_is_refused(pack: Pack, tmp_path: Path) -> None:
    path = pack.folder / "fp32.bin"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    refused(pack, tmp_path / "out", "damaged")


SHAPES = [
    ({"heads": 0}, "heads 0"),
    ({"d_model": -24}, "d_model -24"),
    ({"d_model": 24.0}, r"d_model 24\.0"),
    ({"ffn": True}, "ffn True"),
    ({"dropout": "much"}, "dropout 'much'"),
    ({"word_dropout": -0.5}, r"word_dropout -0\.5"),
    ({"alignment_heads": 3}, "alignment_heads is 3"),
    ({"heads": 5}, "does not fit 5 heads"),
    ({"norm": ["pre"]}, r"model\.norm is \['pre'\]"),
    ({"depth": 3}, "depth"),
    ({"encoder_layers": 1}, "encoder_layers 1 of the model instead of 2"),
    ({"encoder_layers": 10**9}, "encoder_layers 1000000000 of the model instead of 2"),
    ({"decoder_layers": 3}, "decoder_layers 3 of the model instead of 2"),
    ({"max_length": 2**40}, "max_length 1099511627776 of the model instead of 32"),
    ({"vocabulary_size": 10**12}, "vocabulary_size 1000000000000 of the model instead of"),
    ({"d_model": 2, "heads": 1}, "describes no model"),
    ({"d_model": 2**62}, "describes no model"),
    ({"ffn": 2**70}, "describes no model"),
    ({"ffn": 2**40}, r"do not hold encoder_layers\.0\.ffn\.up\.weight"),
    ({"norm": "post"}, r"hold decoder_norm\.bias, which the described model lacks"),
    ({"embeddings": "target"}, r"do not hold source_embedding\.weight"),
]


@pytest.mark.parametrize(("change", "why"), SHAPES, ids=lambda value: str(value)[:30])
def test_a_model_that_the_graphs_do_not_hold_is_refused(
    pack: Pack, tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    pack.manifest.provenance["model"].update(change)
    refused(pack, tmp_path / "out", why)


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        ({"model": [1]}, "does not describe the model"),
        ({"sources": "many"}, "says of sources is not understood"),
        ({"sources": ["many"]}, "a source is not of name, licence, pairs"),
        ({"sources": [{**SOURCE, "pairs": "3"}]}, "a source is not of name, licence, pairs"),
        ({"training": {"seconds": "7"}}, "says of training_seconds is not understood"),
        ({"parent": []}, "says of parent is not understood"),
    ],
)
def test_what_later_commands_could_not_read_is_refused(
    pack: Pack, tmp_path: Path, stated: dict[str, Any], why: str
) -> None:
    refused(restated(pack, provenance=stated), tmp_path / "out", why)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", r"model\.json is no object"),
        ("{", r"model\.json cannot be read"),
        ("[" * 100_000, r"model\.json cannot be read"),
    ],
    ids=["list", "cut", "deep"],
)
def test_a_description_that_is_none_is_refused(
    pack: Pack, tmp_path: Path, text: str, why: str
) -> None:
    (pack.folder / "model.json").write_text(text, "utf-8")
    refused(restated(pack, "model.json"), tmp_path / "out", why)


def test_a_pack_of_only_fp16_is_refused(pack: Pack, tmp_path: Path) -> None:
    variants = {"fp16": pack.manifest.variants["fp32"]}
    manifest = dataclasses.replace(pack.manifest, variants=variants)
    pack = dataclasses.replace(pack, manifest=manifest)
    refused(pack, tmp_path / "out", "it has fp16 graphs, not fp32 or int8")


def test_a_file_of_weights_that_is_too_short_is_refused(pack: Pack, tmp_path: Path) -> None:
    path = pack.folder / "fp32.bin"
    path.write_bytes(path.read_bytes()[:6000])
    refused(restated(pack, "fp32.bin"), tmp_path / "out", r"fp32\.greedy\.onnx cannot be read")


def change_greedy(pack: Pack, change: Callable[[onnx.GraphProto], None]) -> Pack:
    path = pack.folder / "int8.greedy.onnx"
    model = onnx.load(path, load_external_data=False)
    change(model.graph)
    path.write_bytes(model.SerializeToString())
    return restated(pack, path.name)


def initialiser(graph: onnx.GraphProto, name: str) -> onnx.TensorProto:
    return next(item for item in graph.initializer if item.name == name)


def test_an_int8_weight_without_its_scales_is_refused(folder: Path, tmp_path: Path) -> None:
    layer = "encoder_layers.0.ffn.up"
    why = r"do not hold encoder_layers\.0\.ffn\.up\.weight"

    def drop(graph: onnx.GraphProto) -> None:
        graph.initializer.remove(initialiser(graph, f"{layer}.scale"))

    def cut(graph: onnx.GraphProto) -> None:
        initialiser(graph, f"{layer}.scale").dims[0] = 1
        (length,) = (
            item
            for item in initialiser(graph, f"{layer}.scale").external_data
            if item.key == "length"
        )
        length.value = "4"

    for change in (drop, cut):
        pack = change_greedy(made(folder, tmp_path, "int8"), change)
        refused(pack, tmp_path / "out", why)


def test_weights_of_another_type_are_refused(folder: Path, tmp_path: Path) -> None:
    def retype(graph: onnx.GraphProto) -> None:
        tensor = initialiser(graph, "embedding.int8")
        tensor.data_type = onnx.TensorProto.UINT8

    pack = change_greedy(made(folder, tmp_path, "int8"), retype)
    refused(pack, tmp_path / "out", r"embedding\.int8 is of the type uint8")


def test_what_is_there_is_left_alone(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("out", "link"):
        refused(pack, tmp_path / name, "is there already", UsageError)
    assert not list((tmp_path / "out").iterdir())
    assert (tmp_path / "link").is_symlink()


def test_nothing_is_written_into_the_pack(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(pack.folder)
    for out in (pack.folder / "run", tmp_path / "other/run"):
        refused(pack, out, "lies in the folder of the pack wild", UsageError)


def test_a_file_in_the_way_is_named(pack: Pack, tmp_path: Path) -> None:
    file = tmp_path / "afile"
    file.touch()
    with pytest.raises(DataError, match=r"afile cannot be written.*Move away what stands there"):
        unpack(pack, file / "x")


def full(*_: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


def full_in_words(*_: object) -> NoReturn:
    raise SafetensorError("I/O error: No space left on device")


def stopped(*_: object) -> NoReturn:
    raise KeyboardInterrupt


SAVE, COPY = "train.checkpoint.save_tensors", "export.unpack.shutil.copyfile"


@pytest.mark.parametrize(
    ("place", "failure"),
    [(SAVE, full), (SAVE, full_in_words), (SAVE, stopped), (COPY, full), (COPY, stopped)],
)
def test_a_write_that_fails_leaves_nothing_and_can_be_made_again(
    pack: Pack, tmp_path: Path, place: str, failure: Callable[..., NoReturn]
) -> None:
    before = sorted(tmp_path.iterdir())
    kind = KeyboardInterrupt if failure is stopped else DataError
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"mltranslate_{place}", failure)
        with pytest.raises(kind) as caught:
            unpack(pack, tmp_path / "out")
    if failure is not stopped:
        assert str(caught.value).startswith(f"{tmp_path}/out cannot be written: ")
        assert "Make room on the disk, then run the same command again" in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before
    unpack(pack, tmp_path / "out")
    assert load_run(tmp_path / "out").model
