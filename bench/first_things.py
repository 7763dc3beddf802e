"""What a pack makes of what is typed first into a translator, with and without its phrasebook.

    python bench/first_things.py [--pack NAME] [--table FILE.tsv] [--beam 4]

The default table has 240 rows of our own in nine languages: words, set phrases, everyday sentences,
and some longer ones. Its author, a language model as that of the phrasebook, had not seen the
phrasebook; no pack is trained on it, and nothing was chosen by it. *Right* is what has the letters
of the table's translation, whatever their case; other translations may be right as well.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import sacrebleu

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mltranslate import Translation, Translator  # noqa: E402
from mltranslate.packs import find_pack  # noqa: E402

TABLE = ROOT / "bench" / "first_things.tsv"
HEAD = (
    "direction", "n", "looked up", "right of these", "by the model", "right of all", "by the model",
    "chrF2++", "by the model",
)  # fmt: skip


def main() -> None:
    """Translate the table in every direction of the pack, twice, and print a Markdown table."""
    options = _options()
    pack = find_pack(options.pack)
    codes, *rows = (
        line.split("\t") for line in options.table.read_text(encoding="utf-8").splitlines()
    )
    columns = dict(zip(codes, zip(*rows, strict=True), strict=True))
    chrf = sacrebleu.metrics.CHRF(word_order=2)
    booked, bare = (
        Translator(pack.folder, device="cpu", threads=options.threads, phrasebook=book)
        for book in (True, False)
    )
    print(f"pack {pack.name} {pack.version}, beam {options.beam}\n\n| {' | '.join(HEAD)} |")
    print("|---" * len(HEAD) + "|")
    counted: list[list[int]] = []
    scored: list[list[float]] = []
    for source, target in sorted(way for way in pack.directions if set(way) <= columns.keys()):
        texts, wanted = list(columns[source]), columns[target]
        with_book = booked.translate(texts, target, source, options.beam)
        without = bare.translate(texts, target, source, options.beam)
        counted.append(_counts(with_book, without, wanted))
        scored.append(
            [
                chrf.corpus_score([one.text for one in found], [wanted]).score
                for found in (with_book, without)
            ]
        )
        _show(f"{source} → {target}", counted[-1], scored[-1])
    totals = [sum(column) for column in zip(*counted, strict=True)]
    means = [sum(column) / len(scored) for column in zip(*scored, strict=True)]
    _show("all, mean", totals, means)
    print(f"\n{chrf.get_signature()}")


def _counts(
    with_book: Sequence[Translation], without: Sequence[Translation], wanted: Sequence[str]
) -> list[int]:
    """Texts; those looked up, and right of them with and without; right of all, likewise."""
    right = [_right(one, other) for one, other in zip(with_book, wanted, strict=True)]
    alone = [_right(one, other) for one, other in zip(without, wanted, strict=True)]
    found = [place for place, one in enumerate(with_book) if one.phrases]
    return [
        len(wanted),
        len(found),
        sum(right[place] for place in found),
        sum(alone[place] for place in found),
        sum(right),
        sum(alone),
    ]


def _show(name: str, counts: Sequence[int], scores: Sequence[float]) -> None:
    cells = [f"{count:,}" for count in counts] + [f"{score:.1f}" for score in scores]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _right(found: Translation, wanted: str) -> bool:
    return _letters(found.text) == _letters(wanted)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--beam", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
