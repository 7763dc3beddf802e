"""Measures how steady the language label is while a sentence is typed, key by key.

    python bench/lid_live.py --data CORPUS/lid/dev15.tsv.xz [--sentences 1000]

Every sentence of the data file (kinds sentence and tatoeba, languages in turn) is typed one
character at a time, at most its first 80. A change of the label after the tenth character is a
flicker. The accuracy is that over all keystrokes, before and after the label is steadied, and that
of the last keystroke. A label that was typed before does not carry over to the next sentence.
"""

from __future__ import annotations

import argparse
import lzma
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from pathlib import Path

from mltranslate.detect import Detector
from mltranslate.detect.live import CANDIDATES, LiveLabel

KINDS = ("sentence", "tatoeba")
TYPED = 80
"""Characters of a sentence that are typed at most."""
SETTLED = 10
"""Characters after which a change counts as a flicker."""


@dataclass
class Tally:
    """What one way of labelling gave."""

    changes: int = 0
    right: int = 0
    right_at_end: int = 0
    per_size: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, labels: Sequence[str], language: str) -> None:
        """Count the labels of the keystrokes of one sentence."""
        late = labels[SETTLED - 1 :]
        self.changes += sum(one != other for one, other in pairwise(late))
        self.right += labels.count(language)
        self.right_at_end += labels[-1] == language
        for size in (5, 10, 20):
            self.per_size[size] += labels[min(size, len(labels)) - 1] == language


def sentences(path: Path, count: int) -> list[tuple[str, str]]:
    """Return (language, text), as many of every language as of the next."""
    by_language: dict[str, list[str]] = defaultdict(list)
    with lzma.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for row in lines:
            kind, language, text = row.rstrip("\n").split("\t")
            if kind in KINDS:
                by_language[language].append(text)
    in_turn: Iterator[tuple[str | None, ...]] = zip_longest(*by_language.values())
    taken = [
        (language, text)
        for row in in_turn
        for language, text in zip(by_language, row, strict=True)
        if text
    ]
    return taken[:count]


def labels(detector: Detector, text: str, languages: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the labels of all keystrokes, as the detector gives them and steadied."""
    typed = [text[: size + 1] for size in range(min(len(text), TYPED))]
    found = detector.detect_many(typed, languages, top=CANDIDATES)
    label = LiveLabel()
    steady = [label.settle(t, one)[0].language for t, one in zip(typed, found, strict=True)]
    return [one[0].language for one in found], steady


def report(name: str, tally: Tally, count: int, keystrokes: int) -> str:
    """Return one row of the table."""
    sizes = " | ".join(f"{100 * right / count:.1f}" for right in tally.per_size.values())
    return (
        f"| {name} | {tally.changes / count:.3f} | {100 * tally.right / keystrokes:.1f} "
        f"| {sizes} | {100 * tally.right_at_end / count:.1f} |\n"
    )


def main() -> int:
    """Type the sentences and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="dev15.tsv.xz")
    parser.add_argument("--sentences", type=int, default=1000)
    args = parser.parse_args()
    chosen = sentences(args.data, args.sentences)
    languages = sorted({language for language, _ in chosen})
    detector = Detector()
    raw, steady = Tally(), Tally()
    keystrokes = 0
    for language, text in chosen:
        both = labels(detector, text, languages)
        raw.add(both[0], language)
        steady.add(both[1], language)
        keystrokes += len(both[0])
    sys.stdout.write("| label | flickers | all keys | 5 | 10 | 20 | end |\n|" + " --- |" * 7 + "\n")
    sys.stdout.write(report("detector", raw, len(chosen), keystrokes))
    sys.stdout.write(report("steadied", steady, len(chosen), keystrokes))
    sys.stdout.write(f"{len(chosen)} sentences, {keystrokes} keystrokes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
