"""Decoding speed of a pack: greedy at batch 1 and 32, beam 4 at batch 1.

    python bench/decode_speed.py PACK [--precision int8] [--device cpu] [--threads 1] [--quick]

Every round times all cases once, so that a busy machine slows all of them alike. Medians of wall
time and of processor time are printed; on a busy machine the second is the fairer. Sources are
random subwords and every hypothesis is cut at the length of its source, so that the work does not
depend on what the model has learnt.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mltranslate.decode import Decoder, Request  # noqa: E402
from mltranslate.packs import Pack, load_pack  # noqa: E402

LENGTHS = (8, 16, 32)
BATCH = 32
FIRST_PIECE = 300
"""Ids below are marks and bytes in every vocabulary of this project."""


@dataclass(frozen=True, slots=True)
class Case:
    """One measured call."""

    name: str
    requests: list[Request]
    beam: int


def main() -> None:
    """Measure and print one JSON object."""
    options = _options()
    pack = load_pack(options.pack)
    started = time.perf_counter()
    decoder = Decoder(
        pack, device=options.device, precision=options.precision, threads=options.threads
    )
    load = time.perf_counter() - started
    rounds = 3 if options.quick else 20
    result = {
        "pack": f"{pack.name} {pack.version}",
        "device": decoder.device,
        "provider": decoder.provider,
        "precision": decoder.precision,
        "threads": options.threads,
        "rounds": rounds,
        "load_ms": round(1000 * load, 1),
        **_measure(decoder, _cases(pack), rounds),
    }
    json.dump(result, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _cases(pack: Pack) -> list[Case]:
    cases = []
    for length in LENGTHS:
        single = _requests(pack, length, 1)
        cases.append(Case(f"greedy batch 1, {length} tokens", single, 1))
        cases.append(Case(f"beam 4 batch 1, {length} tokens", single, 4))
    cases.append(Case(f"greedy batch {BATCH}, 16 tokens", _requests(pack, 16, BATCH), 1))
    return cases


def _requests(pack: Pack, length: int, count: int) -> list[Request]:
    generator = random.Random(length)
    pieces = range(FIRST_PIECE, pack.manifest.tokenizer.size)
    target = pack.languages[0]
    return [
        Request(pieces=tuple(generator.choices(pieces, k=length)), target=target, max_tokens=length)
        for _ in range(count)
    ]


def _measure(decoder: Decoder, cases: list[Case], rounds: int) -> dict[str, dict[str, float]]:
    wall: dict[str, list[float]] = {case.name: [] for case in cases}
    processor: dict[str, list[float]] = {case.name: [] for case in cases}
    for case in cases:
        decoder.decode(case.requests, beam=case.beam)
    for _ in range(rounds):
        for case in cases:
            started, worked = time.perf_counter(), time.process_time()
            decoder.decode(case.requests, beam=case.beam)
            wall[case.name].append(time.perf_counter() - started)
            processor[case.name].append(time.process_time() - worked)
    return {"wall_ms": _medians(wall), "processor_ms": _medians(processor)}


def _medians(times: dict[str, list[float]]) -> dict[str, float]:
    return {name: round(1000 * statistics.median(values), 2) for name, values in times.items()}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", help="folder or name of a pack")
    parser.add_argument("--precision", help="fp32 or int8 (the best of the device)")
    parser.add_argument("--device", default="cpu", help="auto, cpu or cuda (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 20")
    return parser.parse_args()


if __name__ == "__main__":
    main()
