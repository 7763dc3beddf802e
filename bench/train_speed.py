"""Training speed of the real trainer, beside joeynmt, eole and stock `torch.nn.Transformer` code.

    python bench/train_speed.py [--quick] [--shape small|S|M] [--threads N]

Each peer is installed once into a virtual environment of its own (`--peers`) and runs its own
training command there: its loop, batches, loss and optimiser, over the same generated text with
the same words, model size, dropout and batch size in tokens. All trainers take turns of a few
steps, so that a busy machine slows all alike. A peer that offers several precisions runs in each,
and its fastest counts. Tokens are real target tokens, end marks included and padding not; speeds
are medians over the turns, ratios are medians over the rounds. The run fails if a model is not
of our size, or does not learn.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))

from corpus import write_corpus  # noqa: E402
from environments import PINS, default_folder, python_of  # noqa: E402
from options import positive  # noqa: E402


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Size of a model."""

    vocabulary: int
    d_model: int = 256
    heads: int = 8
    ffn: int = 1024
    encoder_layers: int = 6
    decoder_layers: int = 2


SHAPES = {
    "small": Shape(vocabulary=8000),
    "S": Shape(vocabulary=32000),
    "M": Shape(vocabulary=32000, d_model=512, ffn=2048),
}


@dataclass(frozen=True, slots=True)
class Contestant:
    """One trainer in one precision."""

    name: str
    script: str
    precision: str
    peer: str = ""
    """Whose environment it needs; ours without."""


OURS = "ours"
CONTESTANTS = (
    Contestant(OURS, "ours.py", "auto"),
    Contestant("ours-fp32", "ours.py", "fp32"),
    Contestant("stock", "stock.py", "fp32"),
    Contestant("joeynmt", "joeynmt_driver.py", "fp32", "joeynmt"),
    Contestant("eole-bf16", "eole_driver.py", "bf16", "eole"),
    Contestant("eole-fp32", "eole_driver.py", "fp32", "eole"),
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one trainer did in one turn."""

    steps: int
    tokens: int
    """Real target tokens."""
    seconds: float
    cpu_seconds: float
    """Of the process; what is missing to `seconds` times threads, the machine gave to others."""
    loss: float
    """Mean in nats a token; the trainers' constants differ."""

    @property
    def speed(self) -> float:
        """Target tokens a second."""
        return self.tokens / self.seconds


@dataclass(slots=True)
class Result:
    """What is known of one contestant in the end."""

    parameters: int
    precision: str
    first_loss: float
    turns: list[Turn] = field(default_factory=list)


class TrainerError(Exception):
    """A trainer ended, or did something else than to train the model."""


class Running:
    """A trainer in a process of its own, which waits for its next turn."""

    def __init__(self, python: Path, script: str, spec: dict[str, Any]) -> None:
        run = Path(spec["run"])
        run.mkdir()
        (run / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
        self._log = run / "log.txt"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(python), str(HERE / "peers" / script), str(run / "spec.json")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                cwd=run, env=_environment(spec["threads"]),
            )  # fmt: skip
        self.about: dict[str, Any] = self._answer()

    def turn(self, steps: int) -> Turn:
        """Let it take some steps.

        Raises:
            TrainerError: it ended.
        """
        with contextlib.suppress(BrokenPipeError):  # the missing answer says it
            assert self._process.stdin
            self._process.stdin.write(f"{steps}\n")
            self._process.stdin.flush()
        return Turn(**self._answer())

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise TrainerError(f"{self._log.parent.name} ended:\n{_tail(self._log)}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def measure(
    contestants: Sequence[Contestant], python_for: Callable[[Contestant], Path],
    spec: dict[str, Any], options: argparse.Namespace,
) -> dict[str, Result]:  # fmt: skip
    """Let all contestants take turns; results by name.

    Raises:
        TrainerError: one ended, is not of our size, or learnt nothing.
    """
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        write_corpus(folder, spec["vocabulary"], options.pairs)
        running: dict[str, Running] = {}
        for item in contestants:
            _say(f"starting {item.name}")
            own = {"corpus": name, "run": str(folder / item.name), "precision": item.precision}
            running[item.name] = Running(python_for(item), item.script, spec | own)
            stack.callback(running[item.name].stop)
        results = {}
        for name, trainer in running.items():
            # Matrix libraries compile a kernel for every new batch shape.
            first = trainer.turn(options.warm_up)
            results[name] = Result(**trainer.about, first_loss=first.loss)
        for number in range(options.rounds):
            for name in _in_turn(list(running), number):
                results[name].turns.append(running[name].turn(options.steps))
            _say(_standing(results, number + 1))
    check(results)
    return results


def check(results: dict[str, Result]) -> None:
    """Refuse results that cannot be compared; raises TrainerError."""
    ours = next(iter(results.values())).parameters
    for name, result in results.items():
        if abs(result.parameters / ours - 1) > 0.01:
            raise TrainerError(f"{name} has {result.parameters:,} weights, ours {ours:,}")
        if not result.turns[-1].loss < result.first_loss:
            raise TrainerError(
                f"{name} learnt nothing: loss {result.first_loss:.2f}, then "
                f"{result.turns[-1].loss:.2f}"
            )


def ratios(results: dict[str, Result], name: str) -> float:
    """How many times as fast as `name` ours is: the median over the rounds."""
    pairs = zip(results[OURS].turns, results[name].turns, strict=True)
    return statistics.median(ours.speed / its.speed for ours, its in pairs)


def last_line(results: dict[str, Result], contestants: Sequence[Contestant]) -> str:
    """The line that says it all: ours against the fastest precision of each peer."""
    found = []
    for peer in dict.fromkeys(item.peer for item in contestants if item.peer):
        least = min(ratios(results, item.name) for item in contestants if item.peer == peer)
        found.append(f"vs_{peer}={least:.2f}")
    return " ".join(["ratio", *found])


def table(results: dict[str, Result]) -> Iterator[str]:
    """Lines that show what was measured."""
    yield (
        f"{'trainer':10} {'precision':9} {'weights':>11} {'tokens/s':>9} {'ms/step':>8} "
        f"{'cpu s/s':>7} {'tokens/step':>11} {'loss':>14} {'ours is':>8}"
    )
    for name, result in results.items():
        speed = statistics.median(turn.speed for turn in result.turns)
        step = statistics.median(1000 * turn.seconds / turn.steps for turn in result.turns)
        cpu = statistics.median(turn.cpu_seconds / turn.seconds for turn in result.turns)
        tokens = statistics.median(turn.tokens / turn.steps for turn in result.turns)
        loss = f"{result.first_loss:.2f} > {result.turns[-1].loss:.2f}"
        yield (
            f"{name:10} {result.precision:9} {result.parameters:11,} {speed:9,.0f} {step:8.0f} "
            f"{cpu:7.2f} {tokens:11,.0f} {loss:>14} {ratios(results, name):7.2f}x"
        )


def main() -> None:
    """Measure and print."""
    options = parser().parse_args()
    for name, value in (options.quick or {}).items():
        setattr(options, name, value)
    cores = _cores()[: options.threads or None]
    contestants = [item for item in CONTESTANTS if options.device == "cpu" or not item.peer]
    spec = {
        **dataclasses.asdict(SHAPES[options.shape]), "dropout": 0.1, "label_smoothing": 0.1,
        "learning_rate": 5e-4, "weight_decay": 0.01, "batch_tokens": options.batch_tokens,
        "threads": len(cores), "cores": cores, "device": options.device, "seed": 1,
    }  # fmt: skip
    _say(f"{json.dumps(spec)}\n{_machine()}")
    try:
        pythons = {
            item.peer: python_of(item.peer, options.peers) for item in contestants if item.peer
        }
        pythons[""] = Path(sys.executable)
        results = measure(contestants, lambda item: pythons[item.peer], spec, options)
    except (TrainerError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
    for line in table(results):
        _say(line)
    if options.json:
        report = {name: dataclasses.asdict(result) for name, result in results.items()}
        found = {"spec": spec, "pins": PINS, "machine": _machine(), "results": report}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    _say(last_line(results, contestants))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    found.add_argument("--shape", choices=sorted(SHAPES), default="small", help="(%(default)s)")
    found.add_argument("--rounds", type=positive, default=12, help="turns of each (%(default)s)")
    found.add_argument("--steps", type=positive, default=5, help="in a turn (%(default)s)")
    found.add_argument("--warm-up", type=positive, default=10, help="steps before (%(default)s)")
    found.add_argument(
        "--quick", action="store_const", const={"rounds": 4, "steps": 3, "warm_up": 4},
        help="fewer rounds of fewer steps",
    )  # fmt: skip
    found.add_argument("--batch-tokens", type=positive, default=4096, help="(%(default)s)")
    found.add_argument("--pairs", type=positive, default=60_000, help="of text (%(default)s)")
    found.add_argument("--threads", type=int, default=0, help="cores for each (all)")
    found.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="cuda: without the peers"
    )
    found.add_argument(
        "--peers", type=Path, default=default_folder(), metavar="DIR",
        help="where the peers are installed (%(default)s)",
    )  # fmt: skip
    found.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    return found


def _in_turn(names: list[str], number: int) -> list[str]:
    """Forwards and backwards by turns, so that a drift of the machine's speed cancels out."""
    return names[::-1] if number % 2 else names


def _standing(results: dict[str, Result], number: int) -> str:
    speeds = (f"{name} {result.turns[-1].speed:,.0f}" for name, result in results.items())
    return f"round {number}, tokens/s: {', '.join(speeds)}"


def _cores() -> list[int]:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _environment(threads: int) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": str(threads)}


def _machine() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    except OSError:
        return "cpu"
    return found[1] if found else "cpu"


def _tail(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-15:])


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
