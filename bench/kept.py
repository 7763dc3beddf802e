"""What becomes of emoji, links, code and placeholders inside sentences, by kind and direction.

    python bench/kept.py --on PREFIX [--pack NAME] [--lines 100] [--beam 1]

`PREFIX<language>` are aligned files, one sentence a line. Emoji and symbols are put between two
words of a sentence; names (links, code, placeholders) take the place of a word or number that
source and reference share, in both, and markup is put around it. *Kept* is the share of lines in
which everything came out exactly as often as it went in; chrF2++ leaves the inserted text out of
output and reference. *Guessed* and *split* count the results with these warnings.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mltranslate import Translation, Translator  # noqa: E402
from mltranslate.languages import is_spaced  # noqa: E402
from mltranslate.packs import find_pack  # noqa: E402

SIGNS = {
    "emoji": "😀 😂 😍 🤔 👍 🙏 🎉 🔥 ❤ ✨",
    "joined emoji, skin tones, flags": "👩‍💻 👨‍👩‍👧 👍🏽 🏳️‍🌈 🇩🇪 🇯🇵 🤷🏼‍♀️",
    "keycaps": "1️⃣ #️⃣ *️⃣ 🔟",
    "symbols": "★ ✓ ♥ ♪ ✔ ☎ © ®",
    "arrows": "→ ⇒ ➜ ←",
}
NAMES = {
    "URLs": "https://example.com/docs/a?b=c www.example.org http://test.example.net/p_1",
    "e-mail addresses": "anna.schmidt@example.org info@example.com",
    "@names": "@anna_k @dev42",
    "#tags": "#Sommer2024 #news",
    "paths": r"/usr/lib/python3 C:\Users\anna\a.txt ~/notes/todo.md src/main/app.py",
    "identifiers": "snake_case_name camelCaseName parse_args() main.py std::vector --dry-run",
    "{name}": "{name} {0} {{user}} {count}",
    "%s": "%s %d %(name)s %1$s",
    "${x}": "${HOME} ${user.name} $name",
    "€20": "€20 15€ £30 ¥500",
    "dates, hashes": "2026-11-22 2024-02-29T08:30:00Z 9f5e9df4a3 192.168.0.1",
}
TAGS = {
    "<b>…</b>": "<b>…</b> <i>…</i> <strong>…</strong>",
    "**…**": "**…** *…* ***…***",
    "[…](…)": "[…](https://example.com/a) ![…](img/cat.png)",
}
"""Markup around a word, which stands at the ellipsis."""
WORD = re.compile(r"(?<![\w-])(?:[A-Z][A-Za-z]{2,}|\d{2,4})(?![\w-]|[.,]\d)")


@dataclass(frozen=True, slots=True)
class Case:
    """One changed line."""

    source: str
    reference: str
    """Without what was put in."""
    keep: tuple[str, ...]


def main() -> None:
    """Measure every kind in every direction and print a Markdown table."""
    options = _options()
    pack = find_pack(options.pack)
    translator = Translator(pack.folder, device="cpu", threads=options.threads, phrasebook=False)
    directions = sorted(
        (source, target)
        for source, target in pack.directions
        if all(Path(f"{options.on}{code}").exists() for code in (source, target))
    )
    print(f"pack {pack.name} {pack.version}, beam {options.beam}\n")
    print("| kind | " + " | ".join(f"{one} → {other}" for one, other in directions) + " |")
    print("|---" * (len(directions) + 1) + "|")
    for kind in options.kinds or (*SIGNS, *NAMES, *TAGS):
        cells = []
        for source, target in directions:
            lines = [_lines(f"{options.on}{code}") for code in (source, target)]
            cases = _cases(kind, *lines, source, options.lines)
            texts = [case.source for case in cases]
            cells.append(_cell(cases, translator.translate(texts, target, source, options.beam)))
        print(f"| {kind} | " + " | ".join(cells) + " |", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", required=True)
    parser.add_argument("--pack")
    parser.add_argument("--kinds", nargs="*", help="only these")
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


def _cases(
    kind: str, sources: Sequence[str], references: Sequence[str], language: str, count: int
) -> list[Case]:
    items = (SIGNS | NAMES | TAGS)[kind].split(" ")
    cases: list[Case] = []
    for row, (source, reference) in enumerate(zip(sources, references, strict=True)):
        rng = random.Random(f"{kind}:{row}")
        item = rng.choice(items)
        if kind in SIGNS:
            cases.append(Case(_insert(source, item, language, rng), reference, (item,)))
        elif word := _shared(source, reference):
            fresh = item.replace("…", word)
            rest = reference if kind in TAGS else reference.replace(word, "")
            keep = tuple(item.split("…"))
            cases.append(Case(source.replace(word, fresh), rest, keep))
        if len(cases) == count:
            break
    return cases


def _insert(text: str, item: str, language: str, rng: random.Random) -> str:
    """Put `item` between two words, or two characters where there are no spaces."""
    if not is_spaced(language):
        place = rng.randint(1, len(text) - 2)
        return text[:place] + item + text[place:]
    words = text.split(" ")
    words.insert(rng.randint(1, max(1, len(words) - 1)), item)
    return " ".join(words)


def _shared(source: str, reference: str) -> str:
    """A name or number that occurs once in both texts, and does not begin the source."""
    for match in WORD.finditer(source):
        word = match.group()
        if match.start() and source.count(word) == reference.count(word) == 1:
            return word
    return ""


def _cell(cases: Sequence[Case], results: Sequence[Translation]) -> str:
    from sacrebleu.metrics import CHRF

    kept = sum(
        all(result.text.count(item) == case.source.count(item) for item in case.keep)
        for case, result in zip(cases, results, strict=True)
    )
    outputs = [
        _without(result.text, case.keep) for case, result in zip(cases, results, strict=True)
    ]
    score = CHRF(word_order=2).corpus_score(outputs, [[case.reference for case in cases]]).score
    warned = [sum(name in result.warnings for result in results) for name in ("placed", "split")]
    share = 100 / max(1, len(cases))
    return (
        f"{kept * share:.0f} %, {score:.1f}, guessed {warned[0] * share:.0f} %, "
        f"split {warned[1] * share:.0f} % ({len(cases)})"
    )


def _without(text: str, items: Sequence[str]) -> str:
    for item in items:
        left, found, right = text.partition(item)
        text = f"{left.rstrip()} {right.lstrip()}".strip() if found else text
    return text


if __name__ == "__main__":
    main()
