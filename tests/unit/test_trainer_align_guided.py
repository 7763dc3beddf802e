import errno
import json
import random
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from toy_corpus import RECIPE, WORDS, write_recipe

from mltranslate.errors import ConfigError, DataError
from mltranslate_train import cli
from mltranslate_train.align.objective import GuidedTranslation, alignment_loss, link_targets
from mltranslate_train.align.pooled import joined_links, pooled
from mltranslate_train.align.score import AlignmentScore, model_links, score_run
from mltranslate_train.config import Recipe, load_recipe
from mltranslate_train.data.batches import Batch, Sampler
from mltranslate_train.data.prepare import prepare
from mltranslate_train.dryrun.check import dry_run
from mltranslate_train.loop import Trainer, train
from mltranslate_train.model.transformer import Transformer
from mltranslate_train.objective import Translation
from mltranslate_train.objectives import make_objective
from mltranslate_train.tokenizer import END, PAD, Vocabulary

GUIDED = ("model.alignment_heads=1", "train.alignment_weight=1", "model.decoder_layers=2")
WHOLE_WORDS = ('vocabulary.algorithm="word"', "vocabulary.size=295", "model.d_model=48")


def write_backward_recipe(folder: Path) -> Path:
    """A corpus whose second language says the words in capitals and the other way round."""
    rng = random.Random(3)
    (folder / "corpus").mkdir()
    lines = []
    for _ in range(600):
        words = rng.sample(WORDS, rng.randint(2, 6))
        second = " ".join(word.upper() for word in reversed(words))
        lines.append(f"toy\t{' '.join(words)}\t{second}\n")
    (folder / "corpus/aa-bb.tsv").write_text("".join(lines), "utf-8")
    path = folder / "toy.toml"
    path.write_text(RECIPE.format(folder=(folder / "corpus").as_posix()), "utf-8")
    return path


@pytest.fixture(scope="module")
def backward(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A recipe, and a run whose data is made and aligned."""
    folder = tmp_path_factory.mktemp("backward")
    path, run = write_backward_recipe(folder), folder / "run"
    holdout = 'data.holdout={ origins = ["toy"], per_mille = 150, lines = 60 }'
    prepare(load_recipe(path, [*WHOLE_WORDS, *GUIDED, holdout]), run)
    assert cli.main(["align", str(run), "--lexicon", "2"]) == 0
    return path, run


def recipe_of(backward: tuple[Path, Path], *sets: str) -> Recipe:
    holdout = 'data.holdout={ origins = ["toy"], per_mille = 150, lines = 60 }'
    return load_recipe(backward[0], [*WHOLE_WORDS, *GUIDED, holdout, *sets])


def test_batches_carry_true_links_of_both_directions(backward: tuple[Path, Path]) -> None:
    vocabulary = Vocabulary(backward[1] / "vocabulary.model")
    sampler = Sampler(recipe_of(backward), backward[1])
    right = linked = 0
    tags = set()
    for _, batch in zip(range(12), sampler, strict=False):
        assert batch.links is not None
        for row, position, place in batch.links.tolist():
            pair = [batch.source[row, place].item()], [batch.target_out[row, position].item()]
            one, two = (vocabulary.decode([ids])[0] for ids in pair)
            right += one.lower() == two.lower() != ""
            linked += 1
            tags.add(batch.source[row, 0].item())
    assert len(tags) == 2
    assert linked > 500
    assert right / linked > 0.95


def test_heads_learn_the_links_and_unguided_ones_do_not(backward: tuple[Path, Path]) -> None:
    rates = []
    for weight in (0, 1):
        recipe = recipe_of(
            backward, f"train.alignment_weight={weight}", "model.dropout=0", "train.prefetch=0",
            "train.batch_tokens=512", "train.max_steps=1000", "train.learning_rate=3e-3",
        )  # fmt: skip
        trainer = Trainer(recipe, backward[1])
        batches = iter(trainer.sampler)
        for _ in range(150):
            trainer.step([next(batches)])
        model = trainer.model
        assert isinstance(model, Transformer)
        rates.append(held_out_rate(model, trainer.vocabulary))
        assert model.training  # as it was before
    assert rates[1] < 0.12
    assert rates[0] > 2 * rates[1]


def held_out_rate(model: Transformer, vocabulary: Vocabulary) -> float:
    rng, score = random.Random(9), AlignmentScore()
    pairs, true = [], []
    for _ in range(50):
        words = rng.sample(WORDS, rng.randint(2, 6))
        sides = " ".join(words), " ".join(word.upper() for word in reversed(words))
        first, second = vocabulary.encode(list(sides))
        pairs.append((first, second))
        true.append({(place, len(words) - 1 - place) for place in range(len(words))})
    for found, links in zip(model_links(model, pairs, vocabulary.tag_id("bb")), true, strict=True):
        score.add(found, links)
    return score.error_rate


def test_resumed_guided_run_equals_an_unbroken_one(backward: tuple[Path, Path]) -> None:
    found = []
    for name, stops in (("unbroken", (9,)), ("broken", (4, 9))):
        run = backward[0].parent / name
        prepare(recipe_of(backward), run)
        assert cli.main(["align", str(run)]) == 0
        for stop in stops:
            recipe = recipe_of(
                backward, f"train.max_steps={stop}", "train.accumulation=2",
                "data.subword_sampling=0", "train.prefetch=2",
            )  # fmt: skip
            train(recipe, run)
        found.append(safetensors.torch.load_file(run / "last/model.safetensors"))
    assert found[0].keys() == found[1].keys()
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_best_weights_are_scored_on_held_out_pairs(
    backward: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = backward[1]
    with pytest.raises(DataError, match="has no best weights"):
        score_run(run)
    prefix = (run / "heldout/aa-bb.").as_posix()
    dev = f'evaluate.dev=[{{ name = "held", prefix = "{prefix}", lines = 4 }}]'
    train(recipe_of(backward, dev, "train.max_steps=2", "evaluate.every=2"), run)
    assert cli.main(["align", str(run), "--score"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": alignment error rate 0.")[0] for line in lines] == ["aa-bb", "bb-aa"]
    (run / "heldout/aa-bb.links").rename(run / "links")
    with pytest.raises(DataError, match=r"align .*data\.holdout"):
        score_run(run)
    (run / "links").rename(run / "heldout/aa-bb.links")
    links = (run / "heldout/aa-bb.links").read_text("utf-8").splitlines()
    texts = (run / "heldout/aa-bb.aa").read_text("utf-8").splitlines()
    assert len(links) == len(texts) > 20
    words = len(texts[0].split())
    assert links[0] == " ".join(f"{place}-{words - 1 - place}" for place in range(words))


def test_run_without_links_names_the_command(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    with pytest.raises(DataError, match=r"none were made\. Run `mltranslate-train align .*run`"):
        train(load_recipe(path, list(GUIDED)), tmp_path / "run")
    train(load_recipe(path, ["train.max_steps=1"]), tmp_path / "run")  # which needs none
    assert cli.main(["align", str(tmp_path / "none")]) == 6


def test_sentences_in_other_pieces_lose_their_links(tmp_path: Path) -> None:
    run, path = tmp_path / "run", write_recipe(tmp_path)
    recipe = load_recipe(path, [*GUIDED, "data.subword_sampling=0.5"])
    prepare(recipe, run)
    assert cli.main(["align", str(run), "--iterations", "1", "--heuristic", "union"]) == 0
    bare = total = 0
    for _, batch in zip(range(20), Sampler(recipe, run), strict=False):
        assert batch.links is not None
        rows, positions, places = batch.links.unbind(1)
        assert (batch.target_out[rows, positions] > END).all()
        assert (batch.source[rows, places] > END).all()
        assert (places > 0).all()
        bare += len(batch.source) - len(rows.unique())
        total += len(batch.source)
    assert 0.6 < bare / total < 0.9  # three of four have a side in other pieces
    for _, batch in zip(range(3), Sampler(load_recipe(path), run), strict=False):
        assert batch.links is None


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["model.alignment_heads=0"], "does not fit model.alignment_heads 0"),
        (["train.r_drop=1"], "does not fit train.r_drop"),
        (["data.subword_sampling=1"], "does not fit data.subword_sampling 1"),
    ],
)
def test_what_guided_alignment_cannot_go_with_is_refused(
    tmp_path: Path, sets: list[str], message: str
) -> None:
    path = write_recipe(tmp_path)
    with pytest.raises(ConfigError, match=message):
        load_recipe(path, [*GUIDED, *sets])
    load_recipe(path, [*sets, "train.alignment_weight=0"])


BATCH = Batch(
    torch.tensor([[5, 9, 10, END], [5, 9, END, PAD]]),
    torch.tensor([[5, 20, 21], [5, 22, PAD]]),
    torch.tensor([[20, 21, END], [22, END, PAD]]),
    links=torch.tensor([[0, 0, 1], [0, 0, 2], [1, 0, 1]]),
)


def test_loss_is_the_entropy_of_normalised_links(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path), [*GUIDED, "model.dropout=0"])
    torch.manual_seed(1)
    model = Transformer(_shape(recipe))
    objective = make_objective(model, recipe.train, torch.float32)
    assert isinstance(objective, GuidedTranslation)
    mask = (BATCH.source != PAD)[:, None, None, :]
    _, alignment = model.forward_with_alignment(BATCH.source, BATCH.target_in, mask)
    target = torch.zeros(2, 3, 4)
    target[0, 0, 1] = target[0, 0, 2] = 0.5
    target[1, 0, 1] = 1
    wanted = -(target * alignment.clamp_min(1e-30).log()).sum()
    assert alignment_loss(alignment, *link_targets(BATCH)).item() == pytest.approx(wanted.item())
    plain = Translation(model, recipe.train, torch.float32)
    both = objective(*objective.inputs(BATCH)).item()
    assert both == pytest.approx(plain(*plain.inputs(BATCH)).item() + wanted.item(), rel=1e-5)
    bare = Batch(BATCH.source, BATCH.target_in, BATCH.target_out, links=BATCH.links[:0])
    alone = objective(*objective.inputs(bare))
    assert alone.item() == pytest.approx(plain(*plain.inputs(BATCH)).item(), rel=1e-5)
    alone.backward()
    with pytest.raises(ConfigError, match=r"needs model\.alignment_heads"):
        GuidedTranslation(
            Transformer(_shape(load_recipe(tmp_path / "toy.toml"))), recipe.train, torch.float32
        )


def _shape(recipe: Recipe):  # type: ignore[no-untyped-def]
    from mltranslate_train.model.build import make_config

    return make_config(recipe.model, 50)


def test_batches_take_their_links_along() -> None:
    moved = BATCH.to(torch.device("cpu"))
    assert moved.links is not None
    assert torch.equal(moved.links, BATCH.links)  # type: ignore[arg-type]


def test_pooled_links_follow_rows_and_swaps() -> None:
    places, counts = np.array([[0, 1], [2, 0], [1, 1]]), np.array([2, 0, 1])
    straight = pooled(places, counts, swapped=False)
    assert straight.of(np.array([2, 0])).tolist() == [[0, 1, 2], [1, 1, 1], [1, 0, 3]]
    swapped = pooled(places, counts, swapped=True)
    assert swapped.of(np.array([0])).tolist() == [[0, 0, 2], [0, 2, 1]]
    both = joined_links([straight, swapped])
    assert both.of(np.array([2, 3])).tolist() == [[0, 1, 2], [1, 0, 2], [1, 2, 1]]
    left = both.without(np.array([True, False, False, False, False, False]))
    assert left.of(np.array([0, 2])).tolist() == [[1, 1, 2]]


def test_model_without_heads_aligns_nothing(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path), [])
    model = Transformer(_shape(recipe))
    with pytest.raises(ConfigError, match="alignment_heads is 0"):
        model_links(model, [([9], [10])], tag=5)
    with pytest.raises(ValueError, match="too long"):
        model_links(model, [([9] * 40, [10])], tag=5)


def test_full_disk_is_a_clear_error(
    backward: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads((backward[1] / "shards/aa-bb/links.json").read_text("utf-8"))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert cli.main(["align", str(backward[1]), "--iterations", "1"]) == 6
    assert "No space left on device" in capsys.readouterr().err
    monkeypatch.undo()
    after = json.loads((backward[1] / "shards/aa-bb/links.json").read_text("utf-8"))
    assert before == after
    Sampler(recipe_of(backward), backward[1])  # which opens them


def test_dry_run_tries_guided_alignment(backward: tuple[Path, Path], tmp_path: Path) -> None:
    # On samples that it aligns itself, then on the run's own data and links.
    assert "target tokens/s" in dry_run(recipe_of(backward), tmp_path / "new")
    assert "prepared already" in dry_run(recipe_of(backward), backward[1])
    prepare(recipe_of(backward), tmp_path / "bare")
    with pytest.raises(DataError, match=f"align {tmp_path / 'bare'}"):
        dry_run(recipe_of(backward), tmp_path / "bare")
