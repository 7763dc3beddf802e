"""`mltranslate-export pack` and `verify`, from the command line down to what stays on disk."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import toy_run

from mltranslate.decode import Decoder, Request
from mltranslate.errors import DataError, UsageError, VerificationError
from mltranslate.packs import load_pack, read_pack, verify_pack
from mltranslate.packs.card import read_card
from mltranslate_export.build import PackPlan, write_json
from mltranslate_export.checkpoint import load_run
from mltranslate_export.cli import main
from mltranslate_export.pack import export_pack
from mltranslate_export.verify.pairs import read_pairs


def arguments(out: Path, *more: str) -> list[str]:
    run = toy_run.toy_run()
    pairs = str(run / "pairs.tsv")
    return [
        "pack", str(run), "--out", str(out), "--name", "toy", "--verify-data", pairs, *more
    ]  # fmt: skip


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("packs")
    assert main(arguments(out, "--length-penalty", "de=2")) == 0
    return out / "toy"


def test_pack_is_complete_and_carries_its_report(exported: Path) -> None:
    pack = load_pack(exported)
    verify_pack(pack)
    # Engines of before this key must load a pack that does not need it.
    manifest = json.loads((exported / "manifest.json").read_text("utf-8"))
    assert "source_tag" not in manifest["tokenizer"]
    report = json.loads((exported / pack.manifest.report).read_text("utf-8"))
    assert [entry["different"] for entry in report["parity"]] == [0, 0]
    assert report["parity"][0]["sentences"] == 120
    assert {entry["sentences"] for entry in report["int8"]["directions"]} == {60}
    assert min(entry["fp32"] for entry in report["int8"]["directions"]) > 50
    assert report["variants"]["int8"]["speed"]["greedy_ms"] > 0
    if sys.platform.startswith("linux"):
        # The process of the test holds torch: the figure must not be its own.
        assert 10**7 < report["variants"]["int8"]["memory"]["peak_bytes"] < 2 * 10**8
    assert pack.manifest.provenance["sources"][0]["licence"] == "CC0-1.0"
    assert pack.max_target_tokens == 48


def test_the_card_has_the_figures_of_the_pack(exported: Path) -> None:
    pack = load_pack(exported)
    card = read_card(pack)
    assert f"| parameters | {pack.manifest.provenance['parameters']:,} |" in card
    assert "| toy | CC0-1.0 | 1 |" in card
    report = json.loads((exported / "report.json").read_text("utf-8"))
    for entry in report["int8"]["directions"]:
        scores = f"| {entry['fp32']:.1f} | {entry['int8']:.1f} |"
        assert f"| {entry['direction']} | 60 {scores}" in card
    assert f"{report['variants']['int8']['speed']['tokens_a_second']:,}" in card


def test_a_language_may_have_a_length_penalty_of_its_own(exported: Path) -> None:
    decoder = Decoder(load_pack(exported), device="cpu", threads=1)
    assert decoder.usual_length_penalty("de") == 2
    assert decoder.usual_length_penalty("en") == 1.25
    assert b"length_penalties" not in (toy_run.toy_pack() / "manifest.json").read_bytes()


@pytest.mark.parametrize("given", ["fr=2", "de", "de=x", "de=3", "de=nan", "=1", "en=1"])
def test_a_length_penalty_that_makes_no_sense_is_refused(
    given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--length-penalty", "en=2", "--length-penalty", given]
    assert main(arguments(tmp_path / "out", *more)) == UsageError.exit_code
    assert f"--length-penalty {given} " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_file_that_the_card_does_not_take_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "card.md").write_text("<b>best</b>")
    more = ["--card", str(tmp_path / "card.md")]
    assert main(arguments(tmp_path / "out", *more)) == DataError.exit_code
    assert not (tmp_path / "out").exists()


def test_operators_of_int8_are_integer_products(exported: Path) -> None:
    report = json.loads((exported / "report.json").read_text("utf-8"))
    operators = report["variants"]["int8"]["operators"]["int8.greedy.onnx"]
    assert operators["MatMulIntegerToFloat"] == 4 * 2 + 7 * 2 + 1
    assert "Gemm" not in operators


def test_nothing_but_the_pack_is_left(exported: Path) -> None:
    assert [path.name for path in exported.parent.iterdir()] == ["toy"]


def test_existing_pack_is_kept_without_force(
    exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (exported / "manifest.json").read_bytes()
    assert main(arguments(exported.parent)) == UsageError.exit_code
    assert "--force" in capsys.readouterr().err
    assert (exported / "manifest.json").read_bytes() == before


def test_force_replaces_with_int8_alone(tmp_path: Path) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "old").touch()
    assert main(arguments(tmp_path, "--force", "--precision", "int8")) == 0
    pack = read_pack(tmp_path / "toy")
    assert pack.precisions == ("int8",)
    assert not list(pack.folder.glob("fp32*"))
    assert not (pack.folder / "old").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]


def test_verify_command_accepts_its_own_pack(
    exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = toy_run.toy_run()
    chosen = ["verify", str(exported), "--run", str(run)]
    assert main([*chosen, "--verify-data", str(run / "pairs.tsv")]) == 0
    assert json.loads(capsys.readouterr().out)["parity"][1]["search"] == "beam 4"


@pytest.mark.parametrize("command", ["pack", "verify"])
def test_sentences_of_another_direction_are_not_dropped(
    command: str, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, data = toy_run.toy_run(), tmp_path / "pairs.tsv"
    rows = (run / "pairs.tsv").read_text("utf-8")
    data.write_text(f"{rows}en\tdd\tone\teins\n", encoding="utf-8")
    chosen = {
        "pack": [str(run), "--out", str(tmp_path / "packs")],
        "verify": [str(exported), "--run", str(run)],
    }
    assert main([command, *chosen[command], "--verify-data", str(data)]) == DataError.exit_code
    assert "sentences for en-dd, which the pack does not have" in capsys.readouterr().err


def test_verify_command_refuses_the_pack_of_another_model(exported: Path, tmp_path: Path) -> None:
    run = changed_run(tmp_path)
    data = str(toy_run.toy_run() / "pairs.tsv")
    chosen = ["verify", str(exported), "--run", str(run), "--verify-data", data]
    assert main(chosen) == VerificationError.exit_code


def test_weights_are_added_on_demand(tmp_path: Path) -> None:
    assert main(arguments(tmp_path, "--precision", "fp32", "--weights")) == 0
    pack = read_pack(tmp_path / "toy")
    members = set(pack.manifest.members)
    assert {"weights.safetensors", "model.json", "vocabulary.model"} <= members
    chosen = ["verify", str(pack.folder), "--verify-data", str(toy_run.toy_run() / "pairs.tsv")]
    other = changed_run(tmp_path)
    assert main([*chosen, "--run", str(other)]) == VerificationError.exit_code


def test_failed_verification_leaves_nothing(tmp_path: Path) -> None:
    checkpoint = load_run(toy_run.toy_run())
    plan = PackPlan(name="toy", version="0.1.0", licence="CC0-1.0", precisions=("int8",))
    pairs = read_pairs(toy_run.toy_run() / "pairs.tsv")
    with pytest.raises(VerificationError, match="int8 loses"):
        export_pack(checkpoint, tmp_path, plan, pairs, most_chrf_lost=-200.0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("most", ["nan", "inf", "-0.1"])
@pytest.mark.parametrize("command", ["pack", "verify", "import"])
def test_a_loss_that_is_no_limit_is_refused(
    command: str, most: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = {
        "pack": ["--out", str(tmp_path)],
        "verify": ["--run", "none"],
        "import": ["--out", str(tmp_path), "--licence", "x", "--verify-data", "none"],
    }
    chosen = [command, "none", *needed[command], f"--max-chrf-loss={most}"]
    assert main(chosen) == UsageError.exit_code
    error = capsys.readouterr().err
    assert f"--max-chrf-loss {most} makes no sense" in error
    assert error.count("\n") == 1


def test_no_file_of_a_pack_holds_a_number_that_json_lacks(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "report.json", {"lost": float("nan")})
    assert not (tmp_path / "report.json").exists()


def test_unknown_precision_is_refused() -> None:
    with pytest.raises(UsageError, match="fp12"):
        PackPlan(name="toy", version="0.1.0", licence="CC0-1.0", precisions=("fp32", "fp12"))


def test_run_without_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be exported"):
        load_run(tmp_path)


@pytest.mark.parametrize("change", ["missing", "surplus", "shape", "nan-free"])
def test_run_with_other_tensors_is_refused(tmp_path: Path, change: str) -> None:
    run = changed_run(tmp_path)
    path = run / "best" / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    if change == "missing":
        del tensors["encoder_norm.weight"]
    elif change == "surplus":
        tensors["extra"] = torch.zeros(1)
    elif change == "shape":
        tensors["encoder_norm.weight"] = torch.zeros(3)
    else:
        tensors["encoder_norm.weight"] = torch.full((64,), float("nan"))
    safetensors.torch.save_file(tensors, path)
    with pytest.raises(DataError, match="cannot be exported"):
        load_run(run)


def test_name_and_source_limit_come_from_the_recipe(tmp_path: Path) -> None:
    run = changed_run(tmp_path)
    assert load_run(run).max_source_tokens == 46
    assert load_run(run).name == tmp_path.name
    (run / "recipe.toml").write_text('name = "games"\n[data]\nmax_tokens = 20\n', "utf-8")
    assert load_run(run).max_source_tokens == 20
    assert load_run(run).name == "games"


def changed_run(folder: Path) -> Path:
    """Copy the toy run with some of its weights changed."""
    source = toy_run.toy_run()
    (folder / "best").mkdir()
    tensors: dict[str, Any] = safetensors.torch.load_file(source / "best" / "model.safetensors")
    tensors["embedding.weight"] = tensors["embedding.weight"].roll(1, dims=0)
    safetensors.torch.save_file(tensors, folder / "best" / "model.safetensors")
    for name in ("best/model.json", "vocabulary.model"):
        (folder / name).write_bytes((source / name).read_bytes())
    return folder


def test_exported_pack_translates(exported: Path) -> None:
    pack = load_pack(exported)
    tokenizer = pack.tokenizer()
    request = Request(pieces=tokenizer.encode("ai bo cu"), target="de", max_tokens=12)
    (found,) = Decoder(pack, device="cpu").decode([request])
    assert tokenizer.decode(found.pieces) == "cu bo ai"
    assert found.finished
