"""Our engine: the decoder of a pack, batched as for a file where a case is one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from turns import Call, Tokens, Turns  # noqa: E402

from mltranslate import __version__  # noqa: E402
from mltranslate.decode import Decoder, Request  # noqa: E402
from mltranslate.limits import MAX_BATCH_TOKENS  # noqa: E402
from mltranslate.packs import read_pack  # noqa: E402

FRAME = 2
"""Tag and end mark of a source."""


def requests_of(case: dict[str, Any], target: str) -> list[list[Request]]:
    """What every group of a case asks for; the sources there have tag and end mark."""
    return [
        [
            Request(pieces=tuple(pieces[1:-1]), target=target, max_tokens=group["limit"])
            for pieces in group["sources"]
        ]
        for group in case["groups"]
    ]


def batches(requests: list[Request], budget: int) -> Iterator[list[int]]:
    """Numbers of the requests, batched by length as `mltranslate.sentences.work` does it."""
    batch: list[int] = []
    for number in sorted(range(len(requests)), key=lambda n: len(requests[n].pieces)):
        if batch and (len(requests[number].pieces) + FRAME) * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def call_of(decoder: Decoder, case: dict[str, Any], target: str) -> Call:
    """The timed call of a case."""
    groups = requests_of(case, target)
    beam = case["beam"]
    budget = sys.maxsize if case["whole"] else MAX_BATCH_TOKENS[decoder.device] // beam

    def call() -> Tokens:
        made: Tokens = []
        for requests in groups:
            found: Tokens = [[]] * len(requests)
            for rows in batches(requests, budget):
                batch = [requests[row] for row in rows]
                for row, best in zip(rows, decoder.decode(batch, beam=beam), strict=True):
                    found[row] = list(best.pieces)
            made += found
        return made

    return call


def main() -> None:
    """Load, and answer the benchmark."""
    turns = Turns()
    spec = turns.spec
    device, threads = spec["device"], spec["threads"]
    decoders: dict[str, Decoder] = {}

    def chosen(setting: str, name: str) -> Call:
        case = spec["cases"][name]
        key = f"{case['model']}.{setting}"
        if key not in decoders:
            pack = read_pack(Path(spec["folder"]) / case["model"])
            precision, _, short = setting.partition("+")
            decoders[key] = Decoder(
                pack, device=device, threads=threads, precision=precision, shortlist=bool(short)
            )
        return call_of(decoders[key], case, spec["target"])

    turns.serve(chosen, {"version": __version__})


if __name__ == "__main__":
    main()
