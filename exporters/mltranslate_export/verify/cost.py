"""Measures speed and peak memory of a pack on this machine."""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mltranslate
from mltranslate.decode.decoder import Decoder
from mltranslate.decode.types import Request
from mltranslate.packs.pack import Pack
from mltranslate.runtime.providers import describe_devices
from mltranslate.runtime.sessions import default_threads
from mltranslate_export.verify.pairs import Pair

_SINGLES = 50
_BATCHES = 5
_BATCH = 32

_PEAK_PROGRAM = """
import pathlib, re, sys
from mltranslate.decode import Decoder, Request
from mltranslate.packs import load_pack
pack = load_pack(sys.argv[1])
tokenizer = pack.tokenizer()
decoder = Decoder(pack, device="cpu", precision=sys.argv[2], threads=1)
pieces = tokenizer.encode(sys.argv[3])[: pack.max_source_tokens]
decoder.decode([Request(pieces=pieces, source=sys.argv[4], target=sys.argv[5], max_tokens=64)])
status = pathlib.Path("/proc/self/status").read_text()
print(int(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1]) * 1024)
"""
"""Run in a process of its own, since the peak of this one is torch's.

getrusage would not do: Linux lets a new program inherit the peak of the process that started it.
"""


def machine() -> dict[str, Any]:
    """Describe what the figures were measured on."""
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": default_threads(),
        "runtime": describe_devices()[0].detail,
    }


def measure_speed(pack: Pack, precision: str, requests: Sequence[Request]) -> dict[str, Any]:
    """Time single sentences and batches, greedy, one thread; medians of wall time."""
    decoder = Decoder(pack, device="cpu", precision=precision, threads=1)
    singles = [[request] for request in requests[:_SINGLES]]
    ordered = sorted(requests, key=lambda request: len(request.pieces))
    batches = [ordered[i : i + _BATCH] for i in range(0, len(ordered), _BATCH)][:_BATCHES]
    decoder.decode(singles[0])
    produced = [len(found.pieces) + found.finished for b in batches for found in decoder.decode(b)]
    seconds = sum(_seconds(lambda batch=b: decoder.decode(batch)) for b in batches)  # type: ignore[misc]
    greedy = [_seconds(lambda batch=s: decoder.decode(batch)) for s in singles]  # type: ignore[misc]
    beam = [_seconds(lambda batch=s: decoder.decode(batch, beam=4)) for s in singles]  # type: ignore[misc]
    return {
        "threads": 1,
        "sentences": len(singles),
        "greedy_ms": round(1000 * statistics.median(greedy), 2),
        "beam4_ms": round(1000 * statistics.median(beam), 2),
        "batch": _BATCH,
        "batched_sentences": sum(len(batch) for batch in batches),
        "tokens_a_second": round(sum(produced) / seconds),
    }


def measure_peak(pack: Pack, precision: str, pair: Pair) -> dict[str, Any] | None:
    """Peak resident memory in bytes of a process that translates one sentence; Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    root = Path(mltranslate.__file__).parents[1]
    command = [sys.executable, "-c", _PEAK_PROGRAM, str(pack.folder.resolve()), precision]
    result = subprocess.run(  # noqa: S603 - our own interpreter and program
        [*command, pair.text, pair.source, pair.target],
        cwd=root, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return {"peak_bytes": int(result.stdout), "sentences": 1, "threads": 1}


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
