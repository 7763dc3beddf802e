import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch
from toy_corpus import pairs, write_recipe

from mltranslate.errors import DataError, DivergenceError, TrainingError
from mltranslate_train import cli, loop, objective
from mltranslate_train.checkpoint import MODEL
from mltranslate_train.config import Recipe, load_recipe
from mltranslate_train.data.prepare import prepare
from mltranslate_train.evaluate.during import DevScores
from mltranslate_train.evaluate.report import evaluate_run
from mltranslate_train.loop import Trainer, train
from mltranslate_train.objective import source_mask


def weights(run: Path) -> dict[str, torch.Tensor]:
    found = safetensors.torch.load_file(run / "last" / MODEL)
    average = safetensors.torch.load_file(run / "last" / "average.safetensors")
    return found | {f"average.{name}": tensor for name, tensor in average.items()}


def final_state(run: Path) -> dict[str, object]:
    state = json.loads((run / "last/state.json").read_text(encoding="utf-8"))
    del state["totals"]["seconds"]
    return dict(state)


@pytest.mark.parametrize(
    ("precision", "loss"),
    [("fp32", "r_drop=1"), ("bf16", "r_drop=1"), ("bf16", "sampled_softmax=30")],
)
def test_resumed_run_equals_an_unbroken_one_bit_for_bit(
    tmp_path: Path, precision: str, loss: str
) -> None:
    path = write_recipe(tmp_path)
    overrides = [f"train.precision={precision}", "train.accumulation=2", "model.dropout=0.3",
                 f"train.{loss}"]  # fmt: skip
    # Batches that a thread had made ahead when a run stopped must not be lost.
    train(load_recipe(path, [*overrides, "train.prefetch=0"]), tmp_path / "unbroken")
    for stop in (3, 8, 12):
        sets = [*overrides, f"train.max_steps={stop}", "train.prefetch=3"]
        train(load_recipe(path, sets), tmp_path / "broken")
    one, two = weights(tmp_path / "unbroken"), weights(tmp_path / "broken")
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert final_state(tmp_path / "unbroken") == final_state(tmp_path / "broken")
    # The comparison can fail: another seed gives other weights.
    train(load_recipe(path, [*overrides, "train.seed=2"]), tmp_path / "other")
    other = weights(tmp_path / "other")
    assert not all(torch.equal(one[name], other[name]) for name in one)


def write_dev(folder: Path) -> str:
    unseen = pairs(460)[400:]
    for language, side in (("aa", 0), ("bb", 1)):
        text = "".join(f"{pair[side]}\n" for pair in unseen)
        (folder / f"dev.{language}").write_text(text, encoding="utf-8")
    return f"{folder.as_posix()}/dev."


def test_training_learns_to_translate_unseen_sentences(tmp_path: Path) -> None:
    prefix = write_dev(tmp_path)
    path = write_recipe(tmp_path, f'dev = [{{ name = "unseen", prefix = "{prefix}" }}]\n')
    overrides = ["train.max_steps=600", "train.batch_tokens=800", "train.ema_decay=0.98",
                 "model.dropout=0.0", "train.decay_steps=100"]  # fmt: skip
    run = tmp_path / "run"
    train(load_recipe(path, overrides), run)
    about = json.loads((run / "best/model.json").read_text(encoding="utf-8"))
    assert about["step"] == 600
    assert min(about["dev_chrf"].values()) > 85
    assert about["sources"] == [{"name": "toy", "licence": "", "pairs": 400}]
    table = evaluate_run(run, [f"unseen={prefix}"], lines=60, beam=2)
    assert "| unseen | aa-bb | 60 |" in table
    assert "nc:6|nw:2" in table
    metrics = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [record["loss"] for record in map(json.loads, metrics) if "loss" in record]
    assert losses[-1] < losses[0] / 2


def test_evaluating_without_files_or_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no best weights"):
        evaluate_run(tmp_path, ["x=y."], lines=1, beam=1)


def test_command_line_runs_prepares_and_reports_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_recipe(tmp_path)
    run = tmp_path / "run"
    assert cli.main(["prepare", str(path), "--out", str(run)]) == 0
    assert (run / "shards/aa-bb/tokens.u16").is_file()
    assert cli.main(["run", str(path), "--out", str(run), "--set", "train.max_steps=2"]) == 0
    assert (run / "last/state.json").is_file()
    assert cli.main(["run", str(path), "--set", "train.max_step=2"]) == 2
    assert cli.main(["run", str(tmp_path / "none.toml")]) == 2
    assert cli.main(["evaluate", str(run), "--on", "dev=nowhere."]) == 6
    errors = capsys.readouterr().err
    assert "Did you mean 'max_steps'?" in errors
    assert "cannot read recipe" in errors
    assert "has no best weights" in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_process_saves_its_step_and_resumes_exactly(
    tmp_path: Path, number: signal.Signals
) -> None:
    path = write_recipe(tmp_path)
    command = [sys.executable, "-c", "from mltranslate_train.cli import main; exit(main())", "run"]
    command += [str(path), "--out", str(tmp_path / "broken"), "--set", "train.threads=1"]
    process = subprocess.Popen(
        [*command, "--set", "train.max_steps=100000"], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    for line in process.stderr:
        if line.startswith("step "):
            process.send_signal(number)
            break
    rest = process.stderr.read()
    assert process.wait(timeout=60) == 130
    assert "the same command resumes" in rest
    step = json.loads((tmp_path / "broken/last/state.json").read_text("utf-8"))["totals"]["step"]
    overrides = [f"train.max_steps={step + 3}", "train.threads=1"]
    for run in ("broken", "unbroken"):
        train(load_recipe(path, overrides), tmp_path / run)
    one, two = weights(tmp_path / "unbroken"), weights(tmp_path / "broken")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_signal_between_saving_and_the_next_step_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late:
        """A request that comes when the loop has asked twice."""

        def __init__(self) -> None:
            self._asked = 0

        def __enter__(self) -> "Late":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        @property
        def requested(self) -> bool:
            self._asked += 1
            return self._asked > 2

    monkeypatch.setattr(loop, "StopRequest", Late)
    with pytest.raises(KeyboardInterrupt):
        train(load_recipe(write_recipe(tmp_path)), tmp_path / "run")
    state = json.loads((tmp_path / "run/last/state.json").read_text("utf-8"))
    assert state["totals"]["step"] == 3


def test_resume_across_evaluations_keeps_the_best_score(tmp_path: Path) -> None:
    prefix = write_dev(tmp_path)
    path = write_recipe(
        tmp_path, f'dev = [{{ name = "unseen", prefix = "{prefix}", lines = 4 }}]\n'
    )
    overrides = ["evaluate.every=3", "train.save_every=1", "train.max_steps=9"]
    train(load_recipe(path, overrides), tmp_path / "unbroken")
    for stop in (3, 6, 9):
        train(load_recipe(path, [*overrides, f"train.max_steps={stop}"]), tmp_path / "broken")
    assert final_state(tmp_path / "unbroken") == final_state(tmp_path / "broken")
    abouts = [json.loads((tmp_path / run / "best/model.json").read_text("utf-8"))
              for run in ("unbroken", "broken")]  # fmt: skip
    for about in abouts:
        del about["training_seconds"]
    assert abouts[0] == abouts[1]
    best = [safetensors.torch.load_file(tmp_path / run / "best" / MODEL)
            for run in ("unbroken", "broken")]  # fmt: skip
    assert all(torch.equal(best[0][name], best[1][name]) for name in best[0])


def test_worse_score_does_not_replace_the_best_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = write_dev(tmp_path)
    path = write_recipe(
        tmp_path, f'dev = [{{ name = "unseen", prefix = "{prefix}", lines = 4 }}]\n'
    )
    scores = iter(DevScores({"": value}, {}, "chrf", {}) for value in (5.0, 4.0, 6.0))
    monkeypatch.setattr(loop, "dev_scores", lambda *_: next(scores))
    for stop, step in ((1, 1), (2, 1), (3, 3)):
        overrides = ["evaluate.every=1", f"train.max_steps={stop}"]
        train(load_recipe(path, overrides), tmp_path / "run")
        about = json.loads((tmp_path / "run/best/model.json").read_text("utf-8"))
        assert about["step"] == step


def test_diverging_run_stops_and_keeps_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, run = write_recipe(tmp_path), tmp_path / "run"
    train(load_recipe(path, ["train.max_steps=2"]), run)
    before = weights(run)

    def explode(states: torch.Tensor, *_: object) -> torch.Tensor:
        return states.sum() * float("inf")

    monkeypatch.setattr(objective, "sampled_cross_entropy", explode)
    with pytest.raises(TrainingError, match=r"diverged at step 3: the grad.*learning_rate"):
        train(load_recipe(path, ["train.max_steps=4", "train.save_every=1"]), run)
    after = weights(run)
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("part", ["model", "average", "evaluated"])
def test_weights_that_are_not_finite_never_replace_a_checkpoint(tmp_path: Path, part: str) -> None:
    dev = f'dev = [{{ name = "unseen", prefix = "{write_dev(tmp_path)}" }}]\n'
    recipe, run = load_recipe(write_recipe(tmp_path, dev), ["train.max_steps=2"]), tmp_path / "run"
    train(recipe, run)
    before, best = weights(run), (run / "best" / MODEL).read_bytes()
    trainer = Trainer(recipe, run)
    average = trainer.averaging.state_dict()
    broken = dict(trainer.model.named_parameters()) if part == "model" else average
    name = next(iter(broken))
    broken[name].data.view(-1)[0] = float("nan")
    with pytest.raises(DivergenceError, match=rf"step 2: {name} holds .*not finite.*learning_rate"):
        trainer.evaluate() if part == "evaluated" else trainer.save()
    after = weights(run)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert (run / "best" / MODEL).read_bytes() == best


def test_a_step_that_is_too_large_for_numbers_ends_the_run(tmp_path: Path) -> None:
    path, run = write_recipe(tmp_path), tmp_path / "run"
    with pytest.raises(DivergenceError, match=r"diverged at step 1"):
        train(load_recipe(path, ["train.weight_decay=1e300", "train.save_every=1"]), run)
    assert not (run / "last").exists()


def test_accumulated_batches_count_by_their_tokens(tmp_path: Path) -> None:
    path, run = write_recipe(tmp_path), tmp_path / "run"
    recipe = load_recipe(path, ["model.dropout=0.0", "train.label_smoothing=0.0"])
    prepare(recipe, run)
    trainer = Trainer(recipe, run)
    batches = [next(iter(trainer.sampler)) for _ in range(2)]
    losses = []
    for batch in batches:
        states = trainer.model(batch.source, batch.target_in, source_mask(batch.source))
        logits = trainer.model.logits(states).flatten(0, 1)
        losses.append(torch.nn.functional.cross_entropy(
            logits, batch.target_out.flatten(), ignore_index=0, reduction="sum"
        ))  # fmt: skip
    expected = sum(losses) / sum(batch.target_tokens for batch in batches)
    loss = trainer.step(batches) / trainer.totals.target_tokens
    assert float(loss) == pytest.approx(float(expected.detach()), rel=1e-4)
    assert trainer.totals.target_tokens == sum(batch.target_tokens for batch in batches)
    assert trainer.state == batches[-1].state


def test_dev_sets_are_checked_before_anything_is_made(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, 'dev = [{ name = "none", prefix = "nowhere/x." }]\n')
    with pytest.raises(DataError, match=r"dev set none: .*cannot be read: No such file"):
        train(load_recipe(path), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_truncated_shard_stops_the_run_before_it_trains(tmp_path: Path) -> None:
    recipe = load_recipe(write_recipe(tmp_path), ["train.max_steps=2"])
    run = tmp_path / "run"
    cli.main(["prepare", str(tmp_path / "toy.toml"), "--out", str(run)])
    tokens = run / "shards/aa-bb/tokens.u16"
    tokens.write_bytes(tokens.read_bytes()[:100])
    with pytest.raises(DataError, match="truncated"):
        train(recipe, run)
    assert not (run / "last").exists()


def test_scores_of_another_metric_are_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(tmp_path, f'dev = [{{ name = "d", prefix = "{write_dev(tmp_path)}" }}]\n')
    sets, run = ["evaluate.every=1", "train.patience=2"], tmp_path / "run"
    chrf, bleu = iter([50.0, 60.0, 55.0]), iter([20.0, 30.0, 25.0])

    def both(recipe: Recipe, *_: object) -> DevScores:
        metric = recipe.evaluate.metric
        return DevScores({"": next(chrf)}, {"": next(bleu)}, metric, {})

    monkeypatch.setattr(loop, "dev_scores", both)
    train(load_recipe(path, [*sets, "train.max_steps=2"]), run)
    train(load_recipe(path, [*sets, "train.max_steps=3", "evaluate.metric=bleu"]), run)
    about = json.loads((run / "best/model.json").read_text("utf-8"))
    assert (about["step"], about["dev_bleu"]) == (3, {"": 25.0})


@pytest.mark.parametrize("metric", ["chrf", "bleu"])
def test_run_without_gain_stops_early_and_stays_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str
) -> None:
    path = write_recipe(tmp_path, f'dev = [{{ name = "d", prefix = "{write_dev(tmp_path)}" }}]\n')
    rising = iter([3.0, 5.0, 4.0, 5.0, 4.5, 9.0])

    def falling_otherwise(*_: object) -> DevScores:
        wanted, other = {"": next(rising)}, {"": 50.0}
        pair = (wanted, other) if metric == "chrf" else (other, wanted)
        return DevScores(*pair, metric, {})

    monkeypatch.setattr(loop, "dev_scores", falling_otherwise)
    sets = ["evaluate.every=1", "train.patience=3", f"evaluate.metric={metric}"]
    run = tmp_path / "run"
    for stop in (3, 12, 12):  # the evaluations without gain are counted across a resume
        train(load_recipe(path, [*sets, f"train.max_steps={stop}"]), run)
        assert json.loads((run / "best/model.json").read_text("utf-8"))["step"] == 2
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    events = [(record["event"], record["step"]) for record in records if "event" in record]
    assert events == [
        ("start", 0), ("done", 3), ("resume", 3), ("early-stop", 5),
    ]  # fmt: skip
    assert [r["mean"] for r in records if "mean" in r] == [3.0, 5.0, 4.0, 5.0, 4.5]


def test_evaluations_record_scores_and_samples_of_joined_text(tmp_path: Path) -> None:
    (tmp_path / "dev.aa").write_text("su@@ n moon\nlake\n", encoding="utf-8")
    (tmp_path / "dev.bb").write_text("nus no@@ om\nekal\n", encoding="utf-8")
    dev = f'dev = [{{ name = "d", prefix = "{tmp_path.as_posix()}/dev." }}]\n'
    sets = ["train.max_steps=2", "evaluate.beam=2", "evaluate.joiner=@@", "evaluate.samples=3",
            "evaluate.tokenized=true", "evaluate.metric=bleu"]  # fmt: skip
    train(load_recipe(write_recipe(tmp_path, dev), sets), tmp_path / "run")
    lines = (tmp_path / "run/metrics.jsonl").read_text("utf-8").splitlines()
    (record,) = (record for record in map(json.loads, lines) if "mean" in record)
    assert set(record["chrf"]) == set(record["bleu"]) == {"d:aa-bb", "d:bb-aa"}
    assert record["metric"] == "bleu"
    assert record["mean"] == pytest.approx(sum(record["bleu"].values()) / 2)
    texts = [(s["set"], s["direction"], s["source"], s["reference"]) for s in record["samples"]]
    assert texts == [
        ("d", "aa-bb", "sun moon", "nus noom"),
        ("d", "bb-aa", "nus noom", "sun moon"),
        ("d", "aa-bb", "lake", "ekal"),
    ]
    about = json.loads((tmp_path / "run/best/model.json").read_text("utf-8"))
    assert "tok:none" in about["dev_signatures"]["bleu d:aa-bb"]


def test_start_is_recorded_with_what_it_runs_on(tmp_path: Path) -> None:
    train(load_recipe(write_recipe(tmp_path), ["train.max_steps=1"]), tmp_path / "run")
    first = json.loads((tmp_path / "run/metrics.jsonl").read_text("utf-8").splitlines()[0])
    parameters = sum(
        tensor.numel()
        for tensor in safetensors.torch.load_file(tmp_path / "run/last" / MODEL).values()
    )
    del first["time"]
    assert first == {
        "event": "start", "step": 0, "max_steps": 1, "device": "cpu", "precision": "float32",
        "threads": 1, "processes": 1, "parameters": parameters,
    }  # fmt: skip
