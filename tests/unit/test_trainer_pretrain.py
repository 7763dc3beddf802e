import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from toy_corpus import pairs, write_recipe
from toy_text import CAUSAL, MASKED, text_recipe

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.checkpoint import MODEL
from mltranslate_train.config import CorpusConfig, load_recipe
from mltranslate_train.data.batches import Sampler
from mltranslate_train.data.prepare import VOCABULARY_FILE, prepare
from mltranslate_train.data.readers import find_files
from mltranslate_train.data.shards import Shard
from mltranslate_train.data.texts import find_text
from mltranslate_train.dryrun.check import dry_run
from mltranslate_train.evaluate.dev import check_dev_sets
from mltranslate_train.loop import Trainer, train
from mltranslate_train.objectives import make_objective
from mltranslate_train.report.history import History
from mltranslate_train.tokenizer import PAD, Vocabulary


def records(run: Path) -> list[dict[str, Any]]:
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(run / "last" / MODEL)


@pytest.mark.parametrize("kind", [MASKED, CAUSAL])
def test_resumed_run_equals_an_unbroken_one_bit_for_bit(tmp_path: Path, kind: list[str]) -> None:
    overrides = [*kind, "model.dropout=0.2", "train.accumulation=2", "evaluate.every=4"]
    train(text_recipe(tmp_path, *overrides, "train.prefetch=0"), tmp_path / "unbroken")
    for stop in (3, 7, 12):
        sets = [*overrides, f"train.max_steps={stop}", "train.prefetch=3"]
        train(text_recipe(tmp_path, *sets), tmp_path / "broken")
    one, two = weights(tmp_path / "unbroken"), weights(tmp_path / "broken")
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("kind", [MASKED, CAUSAL])
def test_it_learns_and_the_best_weights_are_those_of_the_lowest_perplexity(
    tmp_path: Path, kind: list[str]
) -> None:
    sets = ["train.max_steps=60", "evaluate.every=20", "train.patience=4"]
    train(text_recipe(tmp_path, *kind, *sets), tmp_path / "run")
    found = [record for record in records(tmp_path / "run") if "perplexity" in record]
    means = [record["mean"] for record in found]
    assert means[-1] < means[0] / 1.5
    about = json.loads((tmp_path / "run/best/model.json").read_text(encoding="utf-8"))
    best = min(found, key=lambda record: record["mean"])
    assert about["step"] == best["step"]
    assert about["dev_perplexity"] == best["perplexity"]
    assert {record["metric"] for record in found} == {"perplexity"}
    names = {"unseen:aa", "unseen:bb"} | ({"unseen:aa-bb"} if kind is MASKED else set())
    assert set(best["perplexity"]) == names
    history = History()
    for record in records(tmp_path / "run"):
        history.add(record)
    chosen = history.best(history.metric)
    assert chosen is not None
    assert (chosen.step, history.unknown) == (best["step"], 0)


def test_dev_masks_are_the_same_at_every_evaluation(tmp_path: Path) -> None:
    trainer = Trainer(prepared(tmp_path, *MASKED), tmp_path / "run")
    torch.manual_seed(1)
    one = trainer.evaluate().record()
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert trainer.evaluate().record() == one
    assert torch.equal(torch.get_rng_state(), state)  # training goes on as if it had not been


def prepared(folder: Path, *overrides: str) -> Any:
    recipe = text_recipe(folder, *overrides)
    prepare(recipe, folder / "run")
    return recipe


@pytest.mark.parametrize("kind", [MASKED, CAUSAL])
def test_tokens_of_an_objective_are_its_labels(tmp_path: Path, kind: list[str]) -> None:
    recipe = prepared(tmp_path, *kind)
    trainer = Trainer(recipe, tmp_path / "run")
    objective = make_objective(trainer.model, recipe.train, torch.float32)
    batches = iter(trainer.sampler)
    for _ in range(5):
        batch = next(batches)
        *_, labels = objective.inputs(batch)
        assert objective.tokens(batch) == len(labels) > 0
        assert (labels != PAD).all()


def test_batches_of_text_have_the_text_and_its_language(tmp_path: Path) -> None:
    recipe = prepared(tmp_path, *CAUSAL)
    vocabulary = Vocabulary(tmp_path / "run" / VOCABULARY_FILE)
    tags = {vocabulary.tag_id(code): code for code in ("aa", "bb")}
    lines = {
        code: {
            pair.first for text in find_text(recipe.data.corpora, [code], files) for pair in text
        }
        for code in tags.values()
        for files in [find_files(recipe.data.corpora, [("aa", "bb")])]
    }
    batch = next(iter(Sampler(recipe, tmp_path / "run")))
    seen = set()
    for given, wanted in zip(batch.target_in.tolist(), batch.target_out.tolist(), strict=True):
        seen.add(tags[given[0]])
        assert vocabulary.decode([wanted])[0] in lines[tags[given[0]]]
    assert seen == {"aa", "bb"}


def test_plain_text_and_sides_of_pairs_are_prepared_together(tmp_path: Path) -> None:
    place = tmp_path.as_posix()
    (tmp_path / "more.txt").write_text("gold iron\n\nsalt salt\nsun moon\nsalt  salt\n", "utf-8")
    recipe = text_recipe(
        tmp_path, *CAUSAL, 'data.languages=["aa"]', "data.filter.duplicates=true",
        "data.filter.copies=true", "vocabulary.size=275",
        f'data.corpora=[{{folder="{place}/corpus"}},{{text="{place}/more.txt",languages=["aa"]}}]',
    )  # fmt: skip
    with pytest.raises(DataError, match="no corpus has text in bb"):
        find_text(recipe.data.corpora, ["aa", "bb"], [])
    prepare(recipe, tmp_path / "run")  # in a folder, only pairs of two of the languages count
    assert [group.pairs for group in Shard(tmp_path / "run/shards/aa").groups] == [3]
    whole = text_recipe(tmp_path, *CAUSAL, f'data.corpora=[{{folder="{place}/corpus"}}]')
    prepare(whole, tmp_path / "whole")
    shard = Shard(tmp_path / "whole/shards/bb")
    assert shard.languages == ("bb", "bb")
    assert sum(len(shard.pair(row)[0]) for row in range(len(shard))) == 0
    assert len(shard) == 400


def test_held_out_texts_are_in_no_text(tmp_path: Path) -> None:
    recipe = prepared(
        tmp_path, *CAUSAL, 'data.holdout.origins=["toy"]', "data.holdout.per_mille=200"
    )
    held = (tmp_path / "run/heldout/aa-bb.aa").read_text(encoding="utf-8").splitlines()
    vocabulary = Vocabulary(tmp_path / "run" / VOCABULARY_FILE)
    shard = Shard(tmp_path / "run/shards/aa")
    kept = vocabulary.decode([shard.pair(row)[1].tolist() for row in range(len(shard))])
    assert held
    assert not set(held) & set(kept)
    assert len(kept) + len(held) == 400
    assert recipe.languages == ["aa", "bb"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([*CAUSAL, 'data.directions=["aa-bb"]'], "data.directions does not fit"),
        ([*CAUSAL, "data.languages=[]"], "data.languages is empty"),
        ([*CAUSAL, 'data.languages=["aa","aa"]'], "names one twice"),
        ([*CAUSAL, "train.r_drop=1"], "train.r_drop is 1.0"),
        ([*CAUSAL, "evaluate.beam=4"], "evaluate.beam is 4"),
        ([*CAUSAL, "data.noise.typos=0.1"], "data.noise.typos is 0.1"),
        ([*MASKED, "model.max_length=50"], "does not fit model.max_length"),
        ([*MASKED, "model.decoder_layers=3"], "decoder_layers 3 does not belong to a masked"),
        ([*MASKED, 'model.architecture="rnn"'], "'rnn' does not fit train.objective 'masked'"),
        (['data.directions=["aa-bb"]'], "data.languages does not fit"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(
    tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        text_recipe(tmp_path, *overrides)


def test_a_dev_set_without_text_is_refused(tmp_path: Path) -> None:
    recipe = text_recipe(tmp_path, *CAUSAL)
    (tmp_path / "corpus/dev.bb").write_text("", "utf-8")
    with pytest.raises(DataError, match="no line in bb"):
        check_dev_sets(recipe)


def test_a_run_keeps_its_objective(tmp_path: Path) -> None:
    train(text_recipe(tmp_path, *CAUSAL, "train.max_steps=1"), tmp_path / "run")
    other = [*MASKED, "data.directions=[]"]
    with pytest.raises(ConfigError, match=r"another .*train\.objective"):
        train(text_recipe(tmp_path, *other), tmp_path / "run")


@pytest.mark.parametrize("kind", [MASKED, CAUSAL])
def test_dry_run_measures_it(tmp_path: Path, kind: list[str]) -> None:
    folder = tmp_path.as_posix()
    (tmp_path / "more.txt").write_text("".join(f"{a}\n" for a, _ in pairs(50, seed=3)), "utf-8")
    both = (
        f'data.corpora=[{{folder="{folder}/corpus"}},{{text="{folder}/more.txt",languages=["aa"]}}]'
    )
    said = dry_run(text_recipe(tmp_path, *kind, both), tmp_path / "run")
    # 400 sentences in two languages and 50 in one; the pairs count once more in a masked run.
    assert f"over about {1250 if kind is MASKED else 850:,} examples" in said
    assert not (tmp_path / "run").exists()


def test_text_of_a_corpus_that_is_not_a_folder_needs_one_language(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("eins\tone\n", "utf-8")
    corpus = CorpusConfig(tsv=str(file), languages=("de", "en"))
    recipe = load_recipe(write_recipe(tmp_path))
    assert recipe.data.languages == ()
    (text,) = find_text([corpus], ["en"], find_files([corpus], [("en", "de")]))
    assert [(pair.first, pair.second) for pair in text] == [("one", "one")]
