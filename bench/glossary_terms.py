"""How often a glossary's term comes into the translation, what that does to it, and what it costs.

    python bench/glossary_terms.py --on PREFIX --pairs FOLDER [--lines 50] [--beam 4] [en-de ...]

`PREFIX<language>` are aligned files, one sentence a line. In each sentence one word of the
reference that the translation lacks becomes the term of a glossary for that sentence. Its source is
the word of the sentence that it occurs with most (Dice, 0.35 or more) in 30,000 lines of
`FOLDER/<a>-<b>.tsv.xz`, which are `origin TAB text in a TAB text in b`. Reported: in how many
sentences the term is there afterwards or else was warned of, chrF2++ before and after, in how many
sentences it rose and fell, and CPU milliseconds for a sentence without and with its glossary.
"""

from __future__ import annotations

import argparse
import itertools
import lzma
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mltranslate import Glossary, Translation, Translator  # noqa: E402
from mltranslate.languages import is_spaced  # noqa: E402

DIRECTIONS = ("en-de", "en-fr", "en-ru", "zh-en")
READ = 30_000
STEP = 3
"""Every so manieth line is read: the files are grouped by origin."""
LEAST_DICE = 0.35
SHORTEST = 4
"""Letters of a word, on either side; of Chinese, two to four characters."""
SEED = 7
WORD = re.compile(r"[^\W\d_]+")
HAN = re.compile("[\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence with its term."""

    reference: str
    before: Translation
    after: Translation
    seconds: tuple[float, float]
    """CPU time without and with the glossary."""


def words(text: str, language: str) -> set[str]:
    """Return the words of a text in small letters; of Chinese, all short runs."""
    if is_spaced(language):
        return {word for word in WORD.findall(text.lower()) if len(word) >= SHORTEST}
    return {
        run[at : at + size]
        for run in HAN.findall(text)
        for size in (2, 3, 4)
        for at in range(len(run) - size + 1)
    }


def lexicon(folder: Path, source: str, target: str, wanted: Sequence[set[str]]) -> dict[str, str]:
    """Return the source word of each target word; only of those in `wanted`, by side."""
    name = f"{source}-{target}" if source == "en" else f"{target}-{source}"
    single: tuple[Counter[str], Counter[str]] = Counter(), Counter()
    both: Counter[tuple[str, str]] = Counter()
    with lzma.open(folder / f"{name}.tsv.xz", "rt", encoding="utf-8") as lines:
        for line in itertools.islice(lines, 0, STEP * READ, STEP):
            sides = line.rstrip("\n").split("\t")[1:]
            texts = sides if name.startswith(source) else sides[::-1]
            found = [
                words(text, language) & known
                for text, language, known in zip(texts, (source, target), wanted, strict=True)
            ]
            for counter, one in zip(single, found, strict=True):
                counter.update(one)
            both.update(itertools.product(*found))
    best: dict[str, tuple[float, str]] = {}
    for (one, other), count in both.items():
        dice = 2 * count / (single[0][one] + single[1][other])
        if dice >= LEAST_DICE:
            best[other] = max(best.get(other, (0.0, "")), (dice, one))
    return {other: one for other, (_, one) in best.items()}


def terms(sentence: str, reference: str, known: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of a word of the sentence, as it is written, and one of the reference."""
    for word in WORD.findall(reference):
        meant = known.get(word.lower())
        found = re.search(re.escape(meant), sentence, re.IGNORECASE) if meant else None
        if found and (HAN.match(found[0]) or found[0] in WORD.findall(sentence)):
            yield found[0], word


def lacking(pairs: Iterator[tuple[str, str]], text: str) -> list[tuple[str, str]]:
    """Return the pairs whose second word is not in `text`, in any case."""
    there = {word.lower() for word in WORD.findall(text)}
    return [pair for pair in pairs if pair[1].lower() not in there]


def cases(
    translator: Translator, options: argparse.Namespace, source: str, target: str
) -> Iterator[Case]:
    """Translate sentences, in random order, with and without a term that they lack."""
    texts = [
        Path(f"{options.on}{code}").read_text(encoding="utf-8").splitlines()
        for code in (source, target)
    ]
    wanted = [
        set().union(*(words(line, code) for line in lines))
        for lines, code in zip(texts, (source, target), strict=True)
    ]
    known = lexicon(Path(options.pairs), source, target, wanted)
    chance = random.Random(SEED)
    order = list(zip(*texts, strict=True))
    chance.shuffle(order)
    for sentence, reference in order:
        if not (found := list(terms(sentence, reference, known))):
            continue
        clock = time.process_time()
        before = translator.translate(sentence, target, source, options.beam)[0]
        plain = time.process_time() - clock
        if not (usable := lacking(iter(found), before.text)):
            continue
        glossary = Glossary([chance.choice(usable)])
        clock = time.process_time()
        after = translator.translate(sentence, target, source, options.beam, glossary=glossary)[0]
        # The translation without it is remembered: its time counts for both.
        yield Case(reference, before, after, (plain, plain + time.process_time() - clock))


def report(direction: str, found: Sequence[Case]) -> str:
    """Return one row of the table."""
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF(word_order=2)
    references = [[case.reference for case in found]]
    sides = [[case.before.text for case in found], [case.after.text for case in found]]
    before, after = (metric.corpus_score(side, references).score for side in sides)
    each = [
        [metric.sentence_score(text, [case.reference]).score for text in (one, other)]
        for one, other, case in zip(*sides, found, strict=True)
    ]
    missed = sum(bool(case.after.missing_terms) for case in found)
    rose, fell = sum(new > old for old, new in each), sum(new < old for old, new in each)
    plain, bound = (1000 * sum(case.seconds[at] for case in found) / len(found) for at in (0, 1))
    return (
        f"| {direction} | {len(found)} | {len(found) - missed} | {missed} | {before:.1f} |"
        f" {after:.1f} | {rose} / {fell} | {plain:.0f} | {bound:.0f} |"
    )


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("direction", nargs="*", default=DIRECTIONS)
    parser.add_argument("--on", required=True, metavar="PREFIX")
    parser.add_argument("--pairs", required=True, metavar="FOLDER")
    parser.add_argument("--pack")
    parser.add_argument("--lines", type=int, default=50)
    parser.add_argument("--beam", type=int, default=4)
    options = parser.parse_args()
    translator = Translator(options.pack, "cpu", 1, phrasebook=False)
    print("| direction | n | there | warned | chrF2++ before | after | rose / fell | ms | with |")
    print("|---|---|---|---|---|---|---|---|---|")
    for direction in options.direction:
        source, target = direction.split("-")
        translator.load(options.beam, source, target)
        found = itertools.islice(cases(translator, options, source, target), options.lines)
        print(report(direction, list(found)), flush=True)


if __name__ == "__main__":
    main()
