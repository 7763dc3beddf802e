import json
import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch
from sentencepiece import SentencePieceProcessor
from toy_corpus import pairs, write_recipe

from mltranslate.errors import ConfigError, DataError, MltError, PackError
from mltranslate.packs import verify_pack
from mltranslate_export.build import PackPlan, build_pack
from mltranslate_export.checkpoint import load_run
from mltranslate_train import cli
from mltranslate_train.checkpoint import MODEL
from mltranslate_train.config import load_recipe
from mltranslate_train.finetune.parent import open_parent
from mltranslate_train.finetune.record import read_record
from mltranslate_train.loop import Trainer, train
from mltranslate_train.model.build import model_from_about

Weights = dict[str, torch.Tensor]
EVALUATED = ["evaluate.every=1000", "train.ema_decay=0"]


def write_game(folder: Path, *, reverse: bool) -> Path:
    """A recipe over the toy corpus; with `reverse`, "bb" says the words of "aa" in reverse."""
    folder.mkdir(exist_ok=True)
    unseen = "".join(f"{first}\n" for first, _ in pairs(404)[400:])
    for language in ("aa", "bb"):
        (folder / f"dev.{language}").write_text(unseen, encoding="utf-8")
    prefix = f"{folder.as_posix()}/dev."
    path = write_recipe(folder, f'dev = [{{ name = "unseen", prefix = "{prefix}" }}]\n')
    if reverse:
        games = [(first, " ".join(first.split()[::-1])) for first, _ in pairs(400)]
        text = "".join(f"toy\t{first}\t{second}\n" for first, second in games)
        (folder / "corpus/aa-bb.tsv").write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parent")
    path = write_game(folder, reverse=False)
    train(load_recipe(path, [*EVALUATED, "train.max_steps=60"]), folder / "run")
    return folder / "run"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return write_game(tmp_path, reverse=True)


def best(run: Path) -> Weights:
    return safetensors.torch.load_file(run / "best" / MODEL)


def about(run: Path) -> dict[str, object]:
    return dict(json.loads((run / "best/model.json").read_text(encoding="utf-8")))


def losses(run: Path) -> list[float]:
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [record["loss"] for record in map(json.loads, lines) if "loss" in record]


LEARNING = {
    "full": lambda name: True,
    "frozen-encoder": lambda name: not name.startswith("encoder"),
    "embeddings": lambda name: name == "embedding.weight",
    # All matrices of linear layers; norms, biases and the embedding are left alone.
    "lora": lambda name: name.endswith("weight") and "norm" not in name and "embed" not in name,
}


@pytest.mark.parametrize("mode", LEARNING)
def test_a_run_starts_from_another_and_changes_what_its_mode_says(
    mode: str, parent: Path, other: Path, tmp_path: Path
) -> None:
    run = tmp_path / "child"
    overrides = [*EVALUATED, f"finetune.mode={mode}", "train.max_steps=40"]
    train(load_recipe(other, overrides), run, str(parent))
    before, after = best(parent), best(run)
    assert before.keys() == after.keys()
    for name, weight in before.items():
        assert torch.equal(weight, after[name]) != LEARNING[mode](name), name
    assert losses(run)[-1] < losses(run)[0] - 0.05
    assert (run / "vocabulary.model").read_bytes() == (parent / "vocabulary.model").read_bytes()
    provenance = about(run)["parent"]
    assert isinstance(provenance, dict)
    assert provenance["name"] == "toy"
    assert provenance["mode"] == mode
    assert provenance["weights_sha256"] == open_parent(str(parent)).sha256
    assert provenance["sources"] == [{"name": "toy", "licence": "", "pairs": 400}]
    model_from_about(about(run)).load_state_dict(after)


@pytest.mark.parametrize("mode", LEARNING)
def test_only_what_learns_has_optimiser_state(
    mode: str, parent: Path, other: Path, tmp_path: Path
) -> None:
    run = tmp_path / "child"
    recipe = load_recipe(other, [f"finetune.mode={mode}", "train.max_steps=1"])
    train(recipe, run, str(parent))
    trainer = Trainer(recipe, run)
    learning = [part for part in trainer.model.parameters() if part.requires_grad]
    assert len(trainer.optimizer.state_dict()["state"]) == len(learning)
    assert (len(learning) < len(list(trainer.model.parameters()))) == (mode != "full")


@pytest.mark.parametrize("mode", ["frozen-encoder", "lora"])
def test_resumed_fine_tuning_equals_an_unbroken_one_without_its_parent(
    mode: str, parent: Path, other: Path, tmp_path: Path
) -> None:
    overrides = [f"finetune.mode={mode}", "model.dropout=0.3"]
    gone = tmp_path / "gone"
    shutil.copytree(parent, gone)
    train(load_recipe(other, overrides), tmp_path / "unbroken", str(parent))
    run = tmp_path / "broken"
    train(load_recipe(other, [*overrides, "train.max_steps=3"]), run, str(gone))
    shutil.rmtree(gone)
    train(load_recipe(other, [*overrides, "train.max_steps=8"]), run)  # the parent is remembered
    train(load_recipe(other, overrides), run, str(parent))  # naming it again does no harm
    for file in ("last/model.safetensors", "last/average.safetensors"):
        one, two = (
            safetensors.torch.load_file(tmp_path / name / file) for name in ("unbroken", "broken")
        )
        assert one.keys() == two.keys()
        assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_run_without_best_weights_gives_its_averaged_ones(
    parent: Path, other: Path, tmp_path: Path
) -> None:
    source, run = tmp_path / "source", tmp_path / "child"
    overrides = ["finetune.mode=lora", "train.max_steps=9"]
    train(load_recipe(other, overrides), source, str(parent))
    merged = best(source)
    shutil.rmtree(source / "best")
    found = open_parent(str(source))
    assert found.about["step"] == 9
    assert all(torch.equal(weight, merged[name]) for name, weight in found.load().items())
    recipe = load_recipe(other, ["train.max_steps=1", "train.learning_rate=1e-9"])
    train(recipe, run, str(source))
    assert all(torch.allclose(best(run)[name], merged[name], atol=1e-6) for name in merged)


def test_weights_come_from_a_pack_that_carries_them(
    parent: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "packs/toy"
    folder.mkdir(parents=True)
    plan = PackPlan(
        name="toy", version="0.1.0", licence="CC0-1.0", precisions=("fp32",), weights=True
    )
    verify_pack(build_pack(load_run(parent), folder, plan, ranges={}))
    run = tmp_path / "child"
    overrides = [*EVALUATED, "train.max_steps=1", "train.learning_rate=1e-9"]
    train(load_recipe(other, overrides), run, str(folder))
    expected = {name: weight.to(torch.bfloat16) for name, weight in best(parent).items()}
    found = best(run)
    assert all(torch.allclose(found[name], expected[name].float(), atol=1e-6) for name in found)
    assert all(weight.dtype == torch.float32 for weight in found.values())
    monkeypatch.setattr("mltranslate.locations.user_packs", lambda: tmp_path / "packs")
    assert open_parent("toy").name == "toy 0.1.0"
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[::-1])
    with pytest.raises(PackError, match=r"weights\.safetensors of the pack toy is damaged"):
        open_parent(str(folder))
    # The child's pack tells of its parent.
    child = tmp_path / "packs/child"
    child.mkdir()
    pack = build_pack(load_run(run), child, plan, ranges={})
    assert pack.manifest.provenance["parent"]["name"] == "toy 0.1.0"


def test_a_pack_without_weights_is_refused_with_the_way_out(parent: Path, tmp_path: Path) -> None:
    plan = PackPlan(name="toy", version="0.1.0", licence="CC0-1.0", precisions=("fp32",))
    build_pack(load_run(parent), tmp_path, plan, ranges={})
    with pytest.raises(PackError, match="only graphs to translate with") as caught:
        open_parent(str(tmp_path))
    # The folder that was given: no pack of this name may be installed.
    assert f"`mltranslate-export unpack {tmp_path.resolve()} --out RUN`" in str(caught.value)


def test_only_what_can_be_unpacked_is_said_to(parent: Path, tmp_path: Path) -> None:
    plan = PackPlan(name="toy", version="0.1.0", licence="CC0-1.0", precisions=("fp32",))
    pack = build_pack(load_run(parent), tmp_path, plan, ranges={})
    manifest = json.loads((pack.folder / "manifest.json").read_text("utf-8"))
    for architecture in ("rnn", "imported"):
        manifest["provenance"]["architecture"] = architecture
        (pack.folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        with pytest.raises(PackError, match="Give the folder of the run") as caught:
            open_parent(str(tmp_path))
        assert "unpack" not in str(caught.value)


def test_the_pack_that_ships_names_the_recipe_that_makes_its_run() -> None:
    with pytest.raises(PackError) as caught:
        open_parent("small-en-de-zh")
    assert "`mltranslate-train run small-en-de-zh` makes such a run" in str(caught.value)


def test_what_is_no_run_and_no_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no folder"):
        open_parent(str(tmp_path / "none"))
    with pytest.raises(DataError, match=r"there is no folder \./none"):
        open_parent("./none")
    with pytest.raises(PackError, match="no pack is called 'none'"):
        open_parent("none")
    with pytest.raises(DataError, match="has no weights to start from"):
        open_parent(str(tmp_path))


def test_all_keys_that_do_not_fit_are_named_with_the_way_out(
    parent: Path, other: Path, tmp_path: Path
) -> None:
    wrong = ["model.d_model=64", "model.ffn=32", "vocabulary.size=300", "vocabulary.algorithm=bpe",
             "model.dropout=0.0", "model.max_length=40"]  # fmt: skip
    run = tmp_path / "child"
    with pytest.raises(ConfigError) as caught:
        train(load_recipe(other, wrong), run, str(parent))
    assert "model.d_model 64 (parent: 32)" in str(caught.value)
    options = caught.value.fix.removeprefix("Take the parent's: --set ").split(" --set ")
    assert options == ["model.d_model=32", "model.ffn=64", "vocabulary.size=310",
                       "vocabulary.algorithm=unigram"]  # fmt: skip
    assert not run.exists()
    train(load_recipe(other, [*wrong, *options, "train.max_steps=1"]), run, str(parent))


def test_a_language_without_a_tag_needs_a_vocabulary_of_its_own(
    parent: Path, other: Path, tmp_path: Path
) -> None:
    run, corpus = tmp_path / "child", tmp_path / "corpus"
    shutil.copyfile(corpus / "aa-bb.tsv", corpus / "aa-cc.tsv")
    overrides = [*EVALUATED, 'data.directions=["aa-cc"]', "train.max_steps=1",
                 "train.learning_rate=1e-9", "evaluate.dev=[]", "vocabulary.size=290"]  # fmt: skip
    with pytest.raises(ConfigError, match="vocabulary of the parent toy has no tag for cc"):
        train(load_recipe(other, [*overrides, "vocabulary.size=310"]), run, str(parent))
    recipe = load_recipe(other, [*overrides, "finetune.vocabulary=own"])
    train(recipe, run, str(parent))
    trainer = Trainer(recipe, run)
    own, its = (
        SentencePieceProcessor(model_file=str(folder / "vocabulary.model"))
        for folder in (run, parent)
    )
    matrix, before = trainer.model.embedding.weight.detach(), best(parent)["embedding.weight"]
    kept = 0
    for number in range(own.get_piece_size()):
        piece = own.id_to_piece(number)
        there = [n for n in range(its.get_piece_size()) if its.id_to_piece(n) == piece]
        expected = before[there[0]] if there else before.mean(0)
        assert torch.allclose(matrix[number], expected, atol=1e-6), piece
        kept += bool(there)
    assert 260 < kept < own.get_piece_size()  # bytes and letters at least, but never <2cc>
    weight = best(parent)["encoder_layers.0.ffn.up.weight"]
    assert torch.allclose(trainer.model.state_dict()["encoder_layers.0.ffn.up.weight"], weight)


def test_a_run_keeps_to_the_parent_and_the_mode_it_was_begun_with(
    parent: Path, other: Path, tmp_path: Path
) -> None:
    run, alone = tmp_path / "child", tmp_path / "alone"
    short = ["train.max_steps=1"]
    train(load_recipe(other, short), run, str(parent))
    with pytest.raises(ConfigError, match=r"started with another \[finetune\]"):
        train(load_recipe(other, [*short, "finetune.mode=lora"]), run)
    train(load_recipe(other, [*short, "vocabulary.size=290"]), alone)
    with pytest.raises(ConfigError, match="was not started from another"):
        train(load_recipe(other, [*short, "vocabulary.size=290"]), alone, str(parent))
    with pytest.raises(ConfigError, match="started from toy, not from"):
        train(load_recipe(other, short), run, str(alone))


def test_a_run_that_was_only_prepared_finds_its_parent_again(
    parent: Path, other: Path, tmp_path: Path
) -> None:
    run, copy = tmp_path / "child", tmp_path / "copy"
    shutil.copytree(parent, copy)
    train(load_recipe(other, ["train.max_steps=1"]), run, str(copy))
    shutil.rmtree(run / "last")
    train(load_recipe(other, ["train.max_steps=1"]), run)
    shutil.rmtree(run / "last")
    changed = {name: weight + 1 for name, weight in best(copy).items()}
    safetensors.torch.save_file(changed, copy / "best" / MODEL)
    with pytest.raises(ConfigError, match="have changed since"):
        train(load_recipe(other, ["train.max_steps=1"]), run)
    train(load_recipe(other, ["train.max_steps=1"]), run, str(copy))
    record = read_record(run)
    assert record is not None
    assert record.weights_sha256 == open_parent(str(copy)).sha256


def test_the_parents_vocabulary_survives_a_recipe_that_changed_before_the_data_was_made(
    parent: Path, other: Path, tmp_path: Path
) -> None:
    run = tmp_path / "child"
    wrong = load_recipe(other, ["data.licences=nowhere.tsv"])
    with pytest.raises(DataError, match=r"data\.licences"):
        train(wrong, run, str(parent))
    train(load_recipe(other, ["train.max_steps=1"]), run)
    assert (run / "vocabulary.model").read_bytes() == (parent / "vocabulary.model").read_bytes()


def test_freezing_without_weights_to_start_from_is_refused(other: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no weights to start from.*--from"):
        train(load_recipe(other, ["finetune.mode=embeddings"]), tmp_path / "child")
    with pytest.raises(ConfigError, match=r"does not fit finetune\.vocabulary"):
        load_recipe(other, ["finetune.mode=lora", "finetune.vocabulary=own"])


def test_a_parent_with_a_damaged_recipe_is_a_clear_error(parent: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(parent, run)
    (run / "recipe.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"recipe\.toml is no valid TOML: it is no UTF-8"):
        open_parent(str(run))


@pytest.mark.parametrize("text", ["", "{}", '{"finetune": 3}', "[1]"])
def test_a_damaged_record_is_a_clear_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "parent.json").write_text(text, encoding="utf-8")
    with pytest.raises(MltError, match=r"parent\.json cannot be read"):
        read_record(tmp_path)


def test_the_command_line_takes_a_parent(parent: Path, other: Path, tmp_path: Path) -> None:
    arguments = ["run", str(other), "--out", str(tmp_path / "child"), "--from", str(parent)]
    assert cli.main([*arguments, "--set", "train.max_steps=1"]) == 0
    assert read_record(tmp_path / "child") is not None
