"""`mltranslate-train average`: the mean of two runs, as a run that can be scored and exported."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from safetensors import SafetensorError
from test_trainer_finetune import EVALUATED, Weights, about, best, parent, write_game

from mltranslate.errors import ConfigError, DataError, UsageError
from mltranslate.packs import verify_pack
from mltranslate.packs.card import read_card
from mltranslate_export.build import PackPlan, build_pack
from mltranslate_export.card_member import add_card
from mltranslate_export.checkpoint import describe, load_run
from mltranslate_train import cli
from mltranslate_train.config import load_recipe
from mltranslate_train.data.prepare import prepare
from mltranslate_train.finetune import average as module
from mltranslate_train.finetune.average import average
from mltranslate_train.finetune.parent import open_parent
from mltranslate_train.loop import train
from mltranslate_train.report.folder import RunFolder

__all__ = ["parent"]  # a fixture of the other module
PLAN = PackPlan(name="mean", version="0.1.0", licence="CC0-1.0", precisions=("fp32",))


@pytest.fixture(scope="module")
def trained(parent: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was fine-tuned from `parent`, which has read a source more than the recipe's."""
    folder = tmp_path_factory.mktemp("trained")
    source = shutil.copytree(parent, folder / "source")
    rewrite(source, sources=[*sources(source), {"name": "books", "licence": "MIT", "pairs": 7}])
    recipe = load_recipe(write_game(folder, reverse=True), [*EVALUATED, "train.max_steps=4"])
    train(recipe, folder / "child", parent=str(source))
    return folder / "child"


@pytest.fixture
def child(trained: Path, tmp_path: Path) -> Path:
    """A copy of `trained` that a test may change."""
    return shutil.copytree(trained, tmp_path / "child")


@pytest.fixture
def other(parent: Path, tmp_path: Path) -> Path:
    """A copy of `parent` that a test may change."""
    return shutil.copytree(parent, tmp_path / "other")


def rewrite(run: Path, **changed: Any) -> None:
    text = json.dumps({**about(run), **changed})
    (run / "best/model.json").write_text(text, "utf-8")


def sources(run: Path) -> list[dict[str, Any]]:
    found = about(run)["sources"]
    assert isinstance(found, list)
    return found


def note(run: Path) -> dict[str, Any]:
    found = about(run)["averaged"]
    assert isinstance(found, dict)
    return found


def named(ancestor: dict[str, Any]) -> dict[str, Any]:
    """What is said of one that is described elsewhere."""
    described = ("step", "target_tokens", "training_seconds", "parent", "averaged")
    return {key: value for key, value in ancestor.items() if key not in described}


def shape(run: Path) -> dict[str, Any]:
    found = about(run)["model"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_weights_lie_between_those_of_both(
    parent: Path, child: Path, tmp_path: Path, share: float
) -> None:
    command = ["average", str(child), "--with", str(parent), "--out", str(tmp_path / "mean")]
    assert cli.main([*command, "--share", str(share)]) == 0
    ours, theirs, mean = best(child), best(parent), best(tmp_path / "mean")
    assert mean.keys() == ours.keys()
    apart = 0
    for name, value in mean.items():
        torch.testing.assert_close(value, (1 - share) * ours[name] + share * theirs[name])
        apart += not ours[name].equal(theirs[name])
    assert apart > 10, "the runs do not differ: nothing is shown"


def test_the_mean_says_what_it_is_made_of(child: Path, other: Path, tmp_path: Path) -> None:
    second = {"name": "letters", "licence": "MIT", "pairs": 3}
    rewrite(other, sources=[second, {"name": "toy", "licence": "", "pairs": 9}])
    average(child, str(other), 0.25, tmp_path / "mean")
    found = about(tmp_path / "mean")
    assert (found["step"], found["sources"]) == (4, [second, *sources(child)])
    assert "dev_chrf" in about(child)
    assert not [key for key in found if key.startswith("dev_")]
    assert note(tmp_path / "mean")["share"] == 0.25
    first, last = note(tmp_path / "mean")["of"]
    for member, run in ((first, child), (last, other)):
        assert member["name"] == "toy"
        assert member["weights_sha256"] == open_parent(str(run)).sha256
        for key in ("step", "target_tokens", "training_seconds"):
            assert member[key] == about(run)[key]
    assert first["parent"] == named(about(child)["parent"]), "the other of the two, told there"
    assert "parent" not in last
    told = describe(load_run(tmp_path / "mean"))["averaged"]
    unread = told["of"][0]["parent"].pop("sources")
    assert unread == [{"name": "books", "licence": "MIT", "pairs": 7}], "what the mean has not read"
    assert first["parent"].pop("sources") == [*sources(child), *unread]
    expected = {"share": 0.25, "of": [first, last]}
    assert told == expected


def test_all_ancestors_are_told_from_mean_to_run_to_pack(
    parent: Path, child: Path, tmp_path: Path
) -> None:
    mean, again, run = tmp_path / "mean", tmp_path / "again", tmp_path / "run"
    average(child, str(parent), 0.5, mean)
    average(mean, str(parent), 0.125, again)
    first, last = note(again)["of"]
    assert last["step"] == about(parent)["step"]
    before, same = first["averaged"]["of"]
    assert (before, same) == (note(mean)["of"][0], named(last)), "told beside it, not within"
    recipe = load_recipe(child / "recipe.toml", ["train.max_steps=1"])
    train(recipe, run, parent=str(again))
    provenance = about(run)["parent"]
    assert isinstance(provenance, dict)
    assert provenance["averaged"] == note(again)
    for source, made_of in ((again, "0.875 of 1 and 0.125 of 3"), (run, "started from 1")):
        folder = tmp_path / f"pack of {source.name}"
        folder.mkdir()
        pack = add_card(build_pack(load_run(source), folder, PLAN, ranges={}))
        verify_pack(pack)
        card = read_card(pack)
        assert f"| made of models below | {made_of} |" in card
        assert "0.5 of" in card
        assert "| books | MIT | 7 |" in card  # of the parent of a member of a mean of a mean


def test_a_run_that_was_never_evaluated_has_a_mean(
    parent: Path, child: Path, tmp_path: Path
) -> None:
    ours, known = best(child), about(child)
    shutil.rmtree(child / "best")
    average(child, str(parent), 0.5, tmp_path / "mean")
    mean = best(tmp_path / "mean")
    for name, value in best(parent).items():
        torch.testing.assert_close(mean[name], (ours[name] + value) / 2)
    found = about(tmp_path / "mean")
    for key in ("step", "target_tokens", "training_seconds", "sources", "directions"):
        assert found[key] == known[key]
    assert note(tmp_path / "mean")["of"][0]["parent"] == named(known["parent"])
    load_run(tmp_path / "mean")


def test_the_new_folder_is_scored_and_has_the_data(
    parent: Path, child: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mean = tmp_path / "mean"
    average(child, str(parent), 0.5, mean)
    shards = sorted(path.relative_to(child) for path in child.glob("shards/*/*"))
    assert shards
    assert shards == sorted(path.relative_to(mean) for path in mean.glob("shards/*/*"))
    assert all((child / path).samefile(mean / path) for path in shards)
    assert (mean / "data.json").read_bytes() == (child / "data.json").read_bytes()
    assert not (mean / "last").exists()
    dev = write_game(tmp_path / "game", reverse=True).parent / "dev."
    assert cli.main(["evaluate", str(mean), "--on", f"unseen={dev}"]) == 0
    assert "unseen" in capsys.readouterr().out


def test_a_shard_that_is_a_link_is_itself_linked(parent: Path, child: Path, tmp_path: Path) -> None:
    place = next(child.glob("shards/*/*.json"))
    real = place.rename(tmp_path / "elsewhere")
    place.symlink_to("../../../elsewhere")
    average(child, str(parent), 0.5, tmp_path / "mean")
    linked = tmp_path / "mean" / place.relative_to(child)
    assert not linked.is_symlink()
    assert linked.samefile(real)


def test_where_there_are_no_links_files_are_copied(
    parent: Path, child: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    average(child, str(parent), 0.5, tmp_path / "mean")
    for path in child.glob("shards/*/*"):
        copy = tmp_path / "mean" / path.relative_to(child)
        assert copy.read_bytes() == path.read_bytes()
        assert not copy.samefile(path)


def test_data_made_anew_are_not_those_of_the_mean(
    parent: Path, child: Path, tmp_path: Path
) -> None:
    mean = tmp_path / "mean"
    average(child, str(parent), 0.5, mean)
    files = [path for folder in ("shards", "heldout") for path in (mean / folder).rglob("*.*")]
    before = {path: path.read_bytes() for path in files}
    assert any(path.name == "tokens.u16" for path in before)
    (child / "data.json").unlink()
    shutil.rmtree(child / "best")
    shutil.rmtree(child / "last")
    (child / "parent.json").unlink()
    prepare(load_recipe(write_game(tmp_path / "another", reverse=False), EVALUATED), child)
    assert {path: path.read_bytes() for path in files} == before
    tokens = next(mean.rglob("tokens.u16"))
    made = child / tokens.relative_to(mean)
    assert made.read_bytes() != tokens.read_bytes()


def test_data_that_is_not_complete_is_left_out(parent: Path, child: Path, tmp_path: Path) -> None:
    (child / "data.json").unlink()
    average(child, str(parent), 0.5, tmp_path / "mean")
    assert not (tmp_path / "mean/shards").exists()
    assert not (tmp_path / "mean/data.json").exists()


def test_losses_and_scores_of_the_run_are_not_the_means(
    parent: Path, child: Path, tmp_path: Path
) -> None:
    average(child, str(parent), 0.5, tmp_path / "mean")
    lines = (tmp_path / "mean/metrics.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["start", "averaged"]
    assert load_run(tmp_path / "mean").training["where"] == load_run(child).training["where"]
    assert cli.main(["report", str(tmp_path / "mean")]) == 0
    report = "".join(path.read_text("utf-8") for path in (tmp_path / "mean").glob("report/*.md"))
    assert report
    assert "chrF" not in report
    assert "| state | averaged: the mean of two runs" in report
    assert RunFolder(tmp_path / "mean").history.elapsed == 0


@pytest.mark.parametrize("source", [None, "parent", "itself"])
def test_a_run_does_not_begin_in_the_folder_of_a_mean(
    parent: Path, child: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    source: str | None,
) -> None:  # fmt: skip
    mean = tmp_path / "mean"
    average(child, str(parent), 0.5, mean)
    before = best(mean)
    recipe = load_recipe(child / "recipe.toml", ["train.max_steps=1"])
    given = {None: "", "parent": str(parent), "itself": str(mean)}[source]
    with pytest.raises(ConfigError, match=f"Give another --out, and --from {mean}"):
        train(recipe, mean, parent=given)
    command = ["run", str(child / "recipe.toml"), "--out", str(mean), "--dry-run"]
    assert cli.main([*command, "--from", given] if given else command) == ConfigError.exit_code
    assert f"--from {mean}" in capsys.readouterr().err
    assert not (mean / "last").exists()
    after = best(mean)
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def failing(error: BaseException) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("where", "error", "caught"),
    [
        ("save_tensors", SafetensorError("I/O error: No space left on device"), DataError),
        ("write_text", OSError(errno.ENOSPC, "No space left on device"), DataError),
        ("_copy_folder", OSError(errno.ENOSPC, "No space left on device"), DataError),
        ("_write_events", KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_what_failed_leaves_nothing_and_can_be_done_again(
    parent: Path, child: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    where: str, error: BaseException, caught: type[BaseException],
) -> None:  # fmt: skip
    before = sorted(tmp_path.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(module, where, failing(error))
        with pytest.raises(caught) as raised:
            average(child, str(parent), 0.5, tmp_path / "mean")
    if caught is DataError:
        assert "No space left on device. Make room on the disk, then run the same command" in str(
            raised.value
        )
    assert sorted(tmp_path.iterdir()) == before
    average(child, str(parent), 0.5, tmp_path / "mean")
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "mean"])


def test_a_place_that_is_no_folder_is_an_error_with_its_remedy(
    parent: Path, child: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot be written.*Move away what stands there"):
        average(child, str(parent), 0.5, tmp_path / "file/mean")


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, float("nan")])
def test_a_share_that_is_none_is_refused(parent: Path, tmp_path: Path, share: float) -> None:
    with pytest.raises(UsageError, match="is no average"):
        average(parent, str(parent), share, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_what_is_there_is_left_alone(parent: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is there already"):
        average(parent, str(parent), 0.5, tmp_path)
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(UsageError, match="is there already"):
        average(parent, str(parent), 0.5, tmp_path / "link")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("place", ["child/mean", "child/shards/mean", "link/mean", "apart/mean"])
def test_a_folder_within_the_run_is_refused(
    parent: Path, child: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / "link").symlink_to(child)
    if place == "apart/mean":
        (child / "shards").rename(tmp_path / "apart")
        (child / "shards").symlink_to(tmp_path / "apart")
    with pytest.raises(UsageError, match="is within"):
        average(child, str(parent), 0.5, tmp_path / place)


def test_what_decides_no_weights_may_differ(parent: Path, child: Path, tmp_path: Path) -> None:
    changed = {"max_length": 40, "dropout": 0.5, "alignment_heads": 1}
    rewrite(child, model={**shape(child), **changed})
    average(child, str(parent), 0.5, tmp_path / "mean")
    assert changed.items() <= shape(tmp_path / "mean").items()


def test_models_of_another_shape_are_refused_by_its_keys(
    parent: Path, child: Path, tmp_path: Path
) -> None:
    rewrite(child, model={**shape(child), "ffn": 96, "heads": 4})
    with pytest.raises(DataError, match=r"model\.ffn \(96 and 64\), model\.heads \(4 and 2\)"):
        average(child, str(parent), 0.5, tmp_path / "mean")
    architecture = {"architecture": "rnn", "model": {"vocabulary_size": 310, "d_model": 32}}
    rewrite(child, **architecture)
    with pytest.raises(DataError, match=r"model\.architecture \('rnn' and 'transformer'\)"):
        average(child, str(parent), 0.5, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_another_vocabulary_is_refused(parent: Path, child: Path, tmp_path: Path) -> None:
    with (child / "vocabulary.model").open("ab") as file:
        file.write(b"\xf8\x07\x01")  # a field that SentencePiece does not know
    with pytest.raises(DataError, match="their vocabularies differ"):
        average(child, str(parent), 0.5, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


MATRIX, VECTOR = "embedding.weight", "encoder_norm.weight"
DAMAGES: dict[str, Callable[[Weights], object]] = {
    f"{MATRIX} is missing": lambda weights: weights.pop(MATRIX),
    f"{MATRIX} is [3, 3]": lambda weights: weights.update({MATRIX: torch.zeros(3, 3)}),
    f"{VECTOR} is [1]": lambda weights: weights.update({VECTOR: torch.ones(1)}),
    f"{MATRIX} holds values that are not finite": lambda weights: weights[MATRIX][2].fill_(
        float("inf")
    ),
    "odd is no weight of such a model": lambda weights: weights.update(odd=torch.ones(1)),
}


@pytest.mark.parametrize("damaged", ["child", "other"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_weights_are_refused(
    child: Path, other: Path, tmp_path: Path, damaged: str, damage: str
) -> None:
    weights = best(tmp_path / damaged)
    DAMAGES[damage](weights)
    safetensors.torch.save_file(weights, tmp_path / damaged / "best/model.safetensors")
    with pytest.raises(DataError) as caught:
        average(child, str(other), 0.5, tmp_path / "mean")
    assert f"{damaged} is damaged: {damage}" in str(caught.value)
    assert not (tmp_path / "mean").exists()


@pytest.mark.parametrize("damaged", ["child", "other"])
@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "3", "{}", '{"architecture": [], "model": {}}',
        '{"architecture": "transformer", "model": {"vocabulary_size": 310, "d_model": -4}}',
        '{"architecture": "transformer", "model": {"vocabulary_size": 310, "d_model": "x"}}',
        '{"architecture": "transformer", "model": {"vocabulary_size": 310, "heads": 0}}',
        '{"architecture": "transformer", "model": {"vocabulary_size": 310, "embeddings": "x"}}',
        '{"architecture": "transformer", "model": {"vocabulary_size": 300}}',
    ],
)  # fmt: skip
def test_damaged_descriptions_are_refused(
    child: Path, other: Path, tmp_path: Path, damaged: str, text: str
) -> None:
    (tmp_path / damaged / "best/model.json").write_text(text, "utf-8")
    with pytest.raises(DataError):
        average(child, str(other), 0.5, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


@pytest.mark.parametrize("damaged", ["child", "other"])
@pytest.mark.parametrize(
    "odd", [3, {"toy": 400}, ["toy"], [{"name": "toy"}], [{"name": 3, "licence": "", "pairs": 4}]]
)
def test_sources_of_another_form_are_refused(
    child: Path, other: Path, tmp_path: Path, damaged: str, odd: object
) -> None:
    rewrite(tmp_path / damaged, sources=odd)
    with pytest.raises(DataError, match="lacks name, licence or pairs"):
        average(child, str(other), 0.5, tmp_path / "mean")


@pytest.mark.parametrize("damaged", ["child", "other"])
def test_a_vocabulary_that_is_missing_is_an_error(
    child: Path, other: Path, tmp_path: Path, damaged: str
) -> None:
    (tmp_path / damaged / "vocabulary.model").unlink()
    with pytest.raises(DataError, match="there is no vocabulary"):
        average(child, str(other), 0.5, tmp_path / "mean")


def test_a_vocabulary_that_is_not_the_models_is_an_error(
    child: Path, other: Path, tmp_path: Path
) -> None:
    for run in (child, other):  # else they differ from each other
        weights = best(run)
        weights[MATRIX] = weights[MATRIX][:300].clone()
        safetensors.torch.save_file(weights, run / "best/model.safetensors")
        rewrite(run, model={**shape(run), "vocabulary_size": 300})
    with pytest.raises(DataError, match="its vocabulary has 310 pieces, its model 300"):
        average(child, str(other), 0.5, tmp_path / "mean")


@pytest.mark.parametrize(
    ("file", "text"),
    [("data.json", "{}"), ("last/state.json", '{"totals": 3}'), ("parent.json", "{}")],
)
def test_a_damaged_run_that_was_never_evaluated_is_refused(
    parent: Path, child: Path, tmp_path: Path, file: str, text: str
) -> None:
    shutil.rmtree(child / "best")
    (child / file).write_text(text, "utf-8")
    with pytest.raises(DataError, match="does not tell what its weights are"):
        average(child, str(parent), 0.5, tmp_path / "mean")


def test_what_is_no_run_is_said_first(parent: Path, child: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none is no run: there is no such folder"):
        average(tmp_path / "none", str(parent), 0.5, tmp_path / "mean")
    (tmp_path / "pack").mkdir()
    pack = build_pack(load_run(parent), tmp_path / "pack", PLAN, ranges={})
    with pytest.raises(DataError, match="pack is no run: it is a pack"):
        average(pack.folder, str(parent), 0.5, tmp_path / "mean")
    (child / "recipe.toml").unlink()
    with pytest.raises(DataError, match=r"has no recipe\.toml"):
        average(child, str(parent), 0.5, tmp_path / "mean")
