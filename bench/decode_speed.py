"""Decoding speed of our engine beside CTranslate2: the same weights, search and threads.

    python bench/decode_speed.py RUN [--quick] [--shape S|M|M66] [--direction en-de] [--threads 1]

RUN has a vocabulary and data with lexicons (`mltranslate-train align RUN --lexicon 30`); its best
weights are used, or with `--shape` random ones. CTranslate2 is installed once into an environment
of its own (`--peers`), converts the same arrays itself, and gets the candidates of our shortlist as
its vocabulary map. Nothing is timed before both engines have made the same tokens in fp32, with the
whole vocabulary and with the shortlist. The engines take turns, forwards and backwards, so that a
busy machine slows both alike; medians over the rounds and medians of the ratios of each round are
printed. Single sentences and the batch are cut at the length of their source by a model that cannot
end them, so that both engines take all steps; the sentences of the file end by themselves, unless
the weights are random. Text is what the run held out, or `--text`.

The last line gives our time divided by CTranslate2's, the worst of 8, 16 and 32 source tokens:
`batch1` and `beam4` against its int8 with the whole vocabulary, the others against its best setting
of int8: with or without the map, and for the file the best of several batch sizes.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE / "decode_peers"), str(HERE / "peers"), str(ROOT)]

import models  # noqa: E402
from cases import BATCHED, FILE, LENGTHS, Case, Sentences, make_cases  # noqa: E402
from engines import Engine, EngineError, Turn  # noqa: E402
from environments import default_folder, environment  # noqa: E402
from options import positive  # noqa: E402
from sentencepiece import SentencePieceProcessor  # noqa: E402

from mltranslate.decode.types import END  # noqa: E402

PEER = "ctranslate2"
PINS = ("ctranslate2==4.8.5",)
OURS, OURS_WHOLE = "int8+short", "int8"
WHOLE, MAPPED = "int8", "int8+map"
FILE_TOKENS = (512, 1024, 2048, 4096)
"""Batch sizes that CTranslate2 is tried with on a file; ours is the engine's own."""
GATED_OF_FILE = 64

Times = dict[tuple[str, str, str], list[Turn]]
"""Turns by engine, setting and case."""


def main() -> None:
    """Measure and print."""
    options = parser().parse_args()
    for name, value in (options.quick or {}).items():
        setattr(options, name, value)
    try:
        python = environment(options.peers / PEER, PINS)
        with tempfile.TemporaryDirectory() as folder:
            spec, times = measure(options, python, Path(folder))
    except (EngineError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
    for line in table(times, options.clock):
        _say(line)
    if options.json:
        found = {"spec": {**spec, "cases": sorted(spec["cases"])}, "pins": PINS, "turns": [
            {"engine": key[0], "setting": key[1], "case": key[2], **dataclasses.asdict(turn)}
            for key, turns in times.items() for turn in turns
        ]}  # fmt: skip
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    _say(last_line(times, options.clock))


def measure(
    options: argparse.Namespace, python: Path, folder: Path
) -> tuple[dict[str, Any], Times]:
    """Build the models, gate, and let the engines take turns; the spec and all turns.

    Raises:
        EngineError: an engine ended, or their tokens differ.
    """
    spec = make_spec(options, folder)
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    with contextlib.ExitStack() as stack:
        engines = {}
        for name, interpreter, script in (
            ("ours", Path(sys.executable), "ours.py"), (PEER, python, f"{PEER}_driver.py"),
        ):  # fmt: skip
            engines[name] = Engine(name, interpreter, script, folder / "spec.json")
            stack.callback(engines[name].stop)
        versions = {name: engine.about["version"] for name, engine in engines.items()}
        _say(json.dumps({"model": spec["model"], "threads": spec["threads"], **versions}))
        gate(engines, spec["cases"])
        times: Times = {}
        everything = list(plan(spec["cases"]))
        for number in range(-1, options.rounds):
            for key in everything[::-1] if number % 2 else everything:
                case = key[2]
                if case == FILE and number >= options.file_rounds:
                    continue
                repeats = 1 if number < 0 or case in (FILE, BATCHED) else options.repeats
                turn = engines[key[0]].turn(key[1], case, repeats)
                if number >= 0:  # the first round is for warming up
                    times.setdefault(key, []).append(turn)
    return spec, times


def make_spec(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Models and cases as the drivers read them; the models lie in `folder`."""
    source, _, target = options.direction.partition("-")
    checkpoint = models.checkpoint_of(options.run, options.shape, options.seed, (source, target))
    lines = _lines(options.text or _held_out(options.run, source, target))
    made = models.build(folder, checkpoint, options.run, options.lexicon, lines)
    processor = SentencePieceProcessor(model_file=str(checkpoint.vocabulary))
    draw = Sentences(processor.encode(lines), checkpoint.tags[target], END)
    cases = make_cases(draw, options.sentences, trained=made.trained)
    return {
        "folder": str(folder), "device": options.device, "threads": options.threads,
        "cores": _cores()[: options.threads], "target": target, "cases": cases,
        "model": models.description(made), "models": sorted({c["model"] for c in cases.values()}),
    }  # fmt: skip


def gate(engines: dict[str, Engine], cases: dict[str, Case]) -> None:
    """Refuse to time anything unless both engines make the same tokens in fp32.

    With the map CTranslate2 lets a sentence choose what its neighbours brought, and ours does not:
    the batch and the file are compared with the whole vocabulary only.
    """
    for name, case in cases.items():
        pairs = [("fp32", "float32")]
        if name not in (BATCHED, FILE):
            pairs.append(("fp32+short", "float32+map"))
        for ours, theirs in pairs:
            one = engines["ours"].turn(ours, name, tokens=True).found
            other = engines[PEER].turn(theirs, name, tokens=True).found
            different = sum(a != b for a, b in zip(one, other, strict=True))
            total = sum(len(group["sources"]) for group in case["groups"])
            if len(one) != total or different > total * NEAR_TIES:
                raise EngineError(f"{name}: {different} of {total} sentences differ in fp32")
            _say(f"gate {name} {theirs}: {total - different} of {total} sentences are the same")


NEAR_TIES = 0.01
"""Share of sentences that rounding alone may change, as in the exporter's verification."""


def plan(cases: dict[str, Case]) -> Iterator[tuple[str, str, str]]:
    """Engine, setting and case of every turn of a round."""
    for name in cases:
        yield "ours", OURS, name
        yield "ours", OURS_WHOLE, name
        if name == FILE:
            for tokens in FILE_TOKENS:
                yield PEER, f"{MAPPED}@{tokens}", name
            yield PEER, f"{WHOLE}@{FILE_TOKENS[1]}", name
        else:
            yield PEER, MAPPED, name
            yield PEER, WHOLE, name


def of_turn(turn: Turn, clock: str) -> float:
    """Seconds of a call: of the machine, or of the processor alone."""
    return statistics.median(turn.cpu_seconds if clock == "cpu" else turn.seconds)


def ratio(times: Times, case: str, theirs: str, clock: str) -> float:
    """Our default's time divided by that of a setting of CTranslate2: the median over rounds."""
    pairs = zip(times["ours", OURS, case], times[PEER, theirs, case], strict=True)
    return statistics.median(of_turn(a, clock) / of_turn(b, clock) for a, b in pairs)


def best(times: Times, case: str, clock: str) -> float:
    """The ratio to CTranslate2's fastest setting."""
    return max(
        ratio(times, case, setting, clock)
        for engine, setting, name in times
        if engine == PEER and name == case
    )


def last_line(times: Times, clock: str) -> str:
    """The line that says it all."""
    found = {
        "batch1": max(ratio(times, f"greedy-{n}", WHOLE, clock) for n in LENGTHS),
        "batch1_best": max(best(times, f"greedy-{n}", clock) for n in LENGTHS),
        "beam4": max(ratio(times, f"beam4-{n}", WHOLE, clock) for n in LENGTHS),
        f"{BATCHED}_best": best(times, BATCHED, clock),
        "file_best": best(times, FILE, clock),
    }
    return " ".join(["ratio", *(f"{name}={value:.2f}" for name, value in found.items())])


def table(times: Times, clock: str) -> Iterator[str]:
    """Lines that show what was measured."""
    unit = f"{clock} ms"
    yield f"{'case':10} {'engine':12} {'setting':14} {unit:>9} {'tokens':>7} {'ours is':>8}"
    for (engine, setting, case), turns in sorted(times.items(), key=lambda item: item[0][2]):
        milliseconds = 1000 * statistics.median(of_turn(turn, clock) for turn in turns)
        against = f"{ratio(times, case, setting, clock):.2f}x" if engine == PEER else ""
        yield (
            f"{case:10} {engine:12} {setting:14} {milliseconds:9.2f} {turns[-1].count:7} "
            f"{against:>8}"
        )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    found.add_argument("run", type=Path, metavar="RUN", help="folder of a run")
    found.add_argument("--shape", choices=sorted(models.SHAPES), default="", help="random weights")
    found.add_argument("--seed", type=int, default=1, help="of random weights (%(default)s)")
    found.add_argument("--direction", default="en-de", help="(%(default)s)")
    found.add_argument("--text", type=Path, metavar="FILE", help="source text, a sentence a line")
    found.add_argument("--lexicon", type=int, default=30, help="candidates a piece (%(default)s)")
    found.add_argument("--sentences", type=positive, default=10_000, help="of the file")
    found.add_argument("--rounds", type=positive, default=12, help="(%(default)s)")
    found.add_argument("--file-rounds", type=positive, default=3, help="with it (%(default)s)")
    found.add_argument("--repeats", type=positive, default=4, help="in a turn (%(default)s)")
    found.add_argument("--threads", type=positive, default=1, help="of each (%(default)s)")
    found.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="(%(default)s)")
    found.add_argument(
        "--clock", choices=("cpu", "wall"), default="cpu",
        help="time of the process, fair on a busy machine with one thread, or of the machine",
    )  # fmt: skip
    found.add_argument(
        "--quick", action="store_const", help="few rounds of a short file",
        const={"rounds": 4, "repeats": 2, "file_rounds": 2, "sentences": 400},
    )  # fmt: skip
    found.add_argument(
        "--peers", type=Path, default=default_folder(), metavar="DIR",
        help="where CTranslate2 is installed (%(default)s)",
    )  # fmt: skip
    found.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    return found


def _held_out(run: Path, source: str, target: str) -> Path:
    for pair in (f"{source}-{target}", f"{target}-{source}"):
        if (path := run / "heldout" / f"{pair}.{source}").is_file():
            return path
    sys.exit(f"error: {run} has held out no text of {source} and {target}. Give --text")


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]


def _cores() -> Sequence[int]:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return range(os.cpu_count() or 1)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
