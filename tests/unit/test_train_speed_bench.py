"""The training benchmark measures what it says, on models of a few thousand weights."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TINY = {
    "vocabulary": 400, "d_model": 16, "heads": 2, "ffn": 16, "encoder_layers": 1,
    "decoder_layers": 1, "dropout": 0.0, "label_smoothing": 0.1, "learning_rate": 3e-3,
    "weight_decay": 0.01, "batch_tokens": 512, "threads": 1, "device": "cpu", "seed": 1,
}  # fmt: skip

TRAINER = """
from gate import Gate

gate = Gate()
print("talks on stdout, as trainers do")
gate.introduce(1000, "fp32")
for number in range(5):
    gate.step()
    gate.learnt(loss=20.0 - number, tokens=10)
raise SystemExit("no more text")
"""


@pytest.fixture
def bench(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark as a module; it is a script, not part of a package."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = repository / "bench" / "train_speed.py"
    spec = importlib.util.spec_from_file_location("bench_train_speed", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def spec_for(bench: ModuleType, **own: Any) -> dict[str, Any]:
    return TINY | {"cores": bench._cores()[:1]} | own


def result_of(bench: ModuleType, speeds: list[float], **own: Any) -> Any:
    turns = [bench.Turn(1, round(speed), 1.0, 1.0, 5.0) for speed in speeds]
    about = {"parameters": 1000, "precision": "fp32", "first_loss": 6.0} | own
    return bench.Result(**about, turns=turns)


def test_our_trainer_and_stock_code_take_turns(bench: ModuleType) -> None:
    contestants = [item for item in bench.CONTESTANTS if item.name in ("ours-fp32", "stock")]
    options = bench.parser().parse_args(
        ["--rounds", "2", "--steps", "3", "--warm-up", "2", "--pairs", "300"]
    )
    spec = spec_for(bench)
    found = bench.measure(contestants, lambda _: Path(sys.executable), spec, options)
    ours, stock = found["ours-fp32"], found["stock"]
    assert [turn.steps for turn in ours.turns + stock.turns] == [3, 3, 3, 3]
    # They get the same batches, and a model that knows nothing has the same loss.
    assert [turn.tokens for turn in ours.turns] == [turn.tokens for turn in stock.turns]
    assert stock.first_loss == pytest.approx(ours.first_loss, rel=0.1)
    assert stock.parameters == ours.parameters


def test_a_trainer_waits_between_its_turns_and_its_end_is_told(
    bench: ModuleType, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "trainer.py"
    script.write_text(TRAINER, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(repository / "bench" / "peers"))
    spec = spec_for(bench, run=str(tmp_path / "odd"))
    trainer = bench.Running(Path(sys.executable), str(script), spec)
    assert trainer.about == {"parameters": 1000, "precision": "fp32"}
    first, second = trainer.turn(1), trainer.turn(3)
    assert (first.steps, first.tokens, first.loss) == (1, 10, 2.0)
    assert (second.steps, second.tokens, second.loss) == (3, 30, pytest.approx(1.8))
    assert second.cpu_seconds >= 0
    assert second.seconds > 0
    with pytest.raises(bench.TrainerError, match=r"odd ended:(.|\n)*no more text"):
        trainer.turn(2)


def test_ratio_is_the_median_over_the_rounds(bench: ModuleType) -> None:
    # The machine was busy in the second round: it slowed both.
    results = {
        "ours": result_of(bench, [300, 30, 320]),
        "stock": result_of(bench, [100, 10, 90]),
    }
    assert bench.ratios(results, "stock") == pytest.approx(3.0)
    assert bench.ratios(results, "ours") == 1.0


def test_last_line_takes_the_fastest_precision_of_each_peer(bench: ModuleType) -> None:
    speeds = {
        "ours": 300, "ours-fp32": 250, "stock": 290, "joeynmt": 100, "eole-bf16": 150,
        "eole-fp32": 120,
    }  # fmt: skip
    results = {name: result_of(bench, [speed]) for name, speed in speeds.items()}
    last = bench.last_line(results, bench.CONTESTANTS)
    assert last == "ratio vs_joeynmt=3.00 vs_eole=2.00"
    lines = list(bench.table(results))
    assert len({len(line) for line in lines}) == 1
    assert any("1.20x" in line for line in lines if line.startswith("ours-fp32"))


def test_other_sizes_and_models_that_learn_nothing_are_refused(bench: ModuleType) -> None:
    ours = result_of(bench, [3])
    bench.check({"ours": ours, "stock": result_of(bench, [3], parameters=1009)})
    with pytest.raises(bench.TrainerError, match="stock has 1,011 weights"):
        bench.check({"ours": ours, "stock": result_of(bench, [3], parameters=1011)})
    with pytest.raises(bench.TrainerError, match="stock learnt nothing"):
        bench.check({"ours": ours, "stock": result_of(bench, [3], first_loss=5.0)})
    with pytest.raises(bench.TrainerError, match="stock learnt nothing"):
        bench.check({"ours": ours, "stock": result_of(bench, [3], first_loss=float("nan"))})


def test_corpus_is_the_same_everywhere_and_fills_every_vocabulary(
    bench: ModuleType, tmp_path: Path
) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        bench.write_corpus(folder, 400, 50)
    names = sorted(path.name for path in folders[0].iterdir())
    assert names == [
        "dev.aa", "dev.bb", "train.aa", "train.bb", "words.eole", "words.joeynmt",
    ]  # fmt: skip
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    for peer in bench.PINS:  # with four marks each
        assert len((folders[0] / f"words.{peer}").read_text("utf-8").split()) == 396
    sides = [(folders[0] / f"train.{code}").read_text("utf-8") for code in ("aa", "bb")]
    assert [len(side.splitlines()) for side in sides] == [50, 50]
    counts = [sides[0].split().count(f"w{number}") for number in (0, 100)]
    assert counts[0] > 10 * counts[1]


def test_quick_is_less_of_everything(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    asked: list[Any] = []
    results = {item.name: result_of(bench, [30]) for item in bench.CONTESTANTS}

    def measured(*arguments: Any) -> Any:
        asked.extend(arguments)
        return results

    monkeypatch.setattr(bench, "measure", measured)
    monkeypatch.setattr(bench, "python_of", lambda peer, folder: folder / peer)
    report = tmp_path / "report.json"
    monkeypatch.setattr(
        sys, "argv", ["x", "--quick", "--threads", "1", "--peers", "here", "--json", str(report)]
    )
    bench.main()
    assert capsys.readouterr().out.splitlines()[-1] == "ratio vs_joeynmt=1.00 vs_eole=1.00"
    contestants, python_for, spec, options = asked
    assert {item.name: python_for(item) for item in contestants}["joeynmt"] == Path("here/joeynmt")
    assert (spec["threads"], len(spec["cores"])) == (1, 1)
    assert options.rounds < bench.parser().parse_args([]).rounds
    assert '"vocabulary": 8000' in report.read_text("utf-8")


def test_a_peer_that_cannot_be_installed_ends_in_one_line(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Path:
        raise subprocess.CalledProcessError(1, ["pip"])

    monkeypatch.setattr(bench, "python_of", refuse)
    monkeypatch.setattr(sys, "argv", ["x"])
    with pytest.raises(SystemExit, match="error: Command"):
        bench.main()
