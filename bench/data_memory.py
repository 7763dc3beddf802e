"""Memory of making and of drawing from token shards, as the corpus grows.

    python bench/data_memory.py [--millions 0.1 1 5 20] [--batches 2000] [--folder DIR]

Needs no corpus: pairs of random ids, with lengths as sentences have them, from three origins of
unlike weight. Every measurement is in a process of its own. What is told is the peak of anonymous
memory (RssAnon, Linux): pages of mapped files are not in it, as the system takes them back when it
needs them. `idle` is that of the process with everything imported and nothing done. The shard is
dropped from the page cache before it is drawn from, so that `read_mb` is what came from the disk.
Pairs written and examples drawn are for each second of CPU time, which a busy machine leaves alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from itertools import cycle, islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "trainer")]

import numpy as np  # noqa: E402

from mltranslate_train.config import (  # noqa: E402
    DataConfig,
    Recipe,
    TrainConfig,
    VocabularyConfig,
)
from mltranslate_train.data.batches import Sampler  # noqa: E402
from mltranslate_train.data.prepare import SHARDS, VOCABULARY_FILE  # noqa: E402
from mltranslate_train.data.shards import ShardWriter  # noqa: E402
from mltranslate_train.tokenizer import train_vocabulary  # noqa: E402

LANGUAGES = ("aa", "bb")
VOCABULARY, FIRST_WORD = 8000, 300
MEDIAN, SPREAD, LONGEST = 15, 0.6, 80
ORIGINS = ("web", "web", "web", "web", "web", "web", "web", "news", "news", "talks")
BYTES_A_TOKEN = 4.5
"""UTF-8 text in a piece, roughly, to tell what amount of text a shard stands for."""


class Peak:
    """Peak of this process's anonymous memory within a block, in MB."""

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._done.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._done.wait(0.005):
            self._look()

    def _look(self) -> None:
        self.megabytes = max(self.megabytes, anonymous_mb())


def anonymous_mb() -> float:
    """Anonymous resident memory of this process."""
    return _number("/proc/self/status", "RssAnon:") / 1024


def _number(file: str, key: str) -> int:
    lines = Path(file).read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


def main() -> None:
    """Print one line for each size."""
    options = _options()
    if options.measure:
        measure = _write if options.measure == "write" else _draw
        print(json.dumps(measure(options.folder, options.pairs, options.batches)))
        return
    for millions in options.millions:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            _report(Path(folder), round(millions * 1e6), options.batches)


def _report(folder: Path, pairs: int, batches: int) -> None:
    written = _measured("write", folder, pairs, batches)
    _forget(folder)
    drawn = _measured("draw", folder, pairs, batches)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(
        f"rss_mb pairs={pairs} idle={written['idle']:.0f} writer={written['peak']:.0f} "
        f"sampler={drawn['peak']:.0f} shard_gb={size / 1e9:.2f} "
        f"text_gb={written['tokens'] * BYTES_A_TOKEN / 1e9:.1f} "
        f"written_per_cpu_s={written['speed']:.0f} drawn_per_cpu_s={drawn['speed']:.0f} "
        f"first_batch_s={drawn['first']:.2f} read_mb={drawn['read']:.0f}",
        flush=True,
    )


def _measured(what: str, folder: Path, pairs: int, batches: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", what, "--folder", str(folder)]
    command += ["--pairs", str(pairs), "--batches", str(batches)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _forget(folder: Path) -> None:
    """Write the files out and drop them from the page cache."""
    for path in folder.rglob("*.*"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _recipe() -> Recipe:
    return Recipe(
        name="memory",
        data=DataConfig(
            corpora=(), directions=("aa-bb", "bb-aa"), max_tokens=LONGEST,
            weights={"news": 2.0, "talks": 0.4},
        ),
        # One piece a word, so that the size comes out exactly.
        vocabulary=VocabularyConfig(size=VOCABULARY, algorithm="word", character_coverage=1),
        train=TrainConfig(max_steps=1),
    )  # fmt: skip


def _write(folder: Path, pairs: int, _: int) -> dict[str, Any]:
    _make_vocabulary(folder)
    rng = np.random.default_rng(1)
    lengths = np.clip(np.rint(rng.lognormal(np.log(MEDIAN), SPREAD, (4096, 2))), 1, LONGEST)
    ids = rng.integers(FIRST_WORD, VOCABULARY, (4096, LONGEST)).tolist()
    rows = [
        (row[: int(first)], row[: int(second)])
        for row, (first, second) in zip(ids, lengths, strict=True)
    ]
    started = time.process_time()
    with Peak() as peak, ShardWriter(folder / SHARDS / "aa-bb", LANGUAGES) as writer:
        idle, tokens = peak.megabytes, 0
        for origin, (first, second) in islice(zip(cycle(ORIGINS), cycle(rows), strict=True), pairs):
            writer.add(origin, first, second)
            tokens += len(first) + len(second)
    speed = pairs / (time.process_time() - started)
    return {"idle": idle, "peak": peak.megabytes, "speed": speed, "tokens": tokens}


def _make_vocabulary(folder: Path) -> None:
    words = [f"w{number}" for number in range(VOCABULARY - 5 - len(LANGUAGES) - 256)]
    lines = (" ".join(words[start : start + 50]) for start in range(0, len(words), 50))
    prefix = (folder / VOCABULARY_FILE).with_suffix("")
    train_vocabulary(lines, LANGUAGES, _recipe().vocabulary, prefix)


def _draw(folder: Path, _: int, batches: int) -> dict[str, Any]:
    before, started = _number("/proc/self/io", "read_bytes:"), time.perf_counter()
    busy = time.process_time()
    with Peak() as peak:
        stream = iter(Sampler(_recipe(), folder))
        examples = len(next(stream).source)
        first = time.perf_counter() - started
        examples += sum(len(batch.source) for batch in islice(stream, batches - 1))
    speed = examples / (time.process_time() - busy)
    read = (_number("/proc/self/io", "read_bytes:") - before) / 1e6
    return {"peak": peak.megabytes, "speed": speed, "first": first, "read": read}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--millions", type=float, nargs="+", default=[0.1, 1, 5, 20], help="of pairs (%(default)s)"
    )
    parser.add_argument("--batches", type=int, default=2000, help="drawn (%(default)s)")
    parser.add_argument("--folder", type=Path, help="for the shards, which are removed")
    parser.add_argument("--measure", choices=("write", "draw"), help=argparse.SUPPRESS)
    parser.add_argument("--pairs", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
