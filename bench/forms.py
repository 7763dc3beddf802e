"""How many words and short phrases are right in lower case, with a capital, a stop, in capitals.

    python bench/forms.py [--pack NAME] [--table FILE.tsv] [--every 3] [--beam 4]

The table has a column for each language; what begins with a small letter in the source and ends in
no mark is asked for in each form, from and into English. *Right* is what has the letters of the
table's translation, whatever their case. The default table is one that the packs which ship were
trained on: it tells whether a form is known, not how many words are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mltranslate import Translator  # noqa: E402
from mltranslate.languages import is_spaced  # noqa: E402
from mltranslate.packs import find_pack  # noqa: E402
from mltranslate.text.casing import capitalised  # noqa: E402

TABLE = ROOT / "trainer" / "recipes" / "phrasebook" / "basics.tsv"
FORMS: dict[str, Callable[[str, str], str]] = {
    "dog": lambda text, _: text,
    "Dog": capitalised,
    "Dog.": lambda text, code: capitalised(text, code) + ("." if is_spaced(code) else "。"),
    "DOG": lambda text, _: text.upper(),
}


def main() -> None:
    """Measure every form in every direction with English and print a Markdown table."""
    options = _options()
    pack = find_pack(options.pack)
    translator = Translator(pack.folder, device="cpu", threads=options.threads, phrasebook=False)
    codes, rows = _read(options.table)
    columns = {code: column for column, code in enumerate(codes)}
    directions = sorted(
        way for way in pack.directions if "en" in way and all(code in columns for code in way)
    )
    print(f"pack {pack.name} {pack.version}, beam {options.beam}\n")
    print("| direction | n | " + " | ".join(FORMS) + " |")
    print("|---" * (len(FORMS) + 2) + "|")
    for source, target in directions:
        pairs = [(row[columns[source]], row[columns[target]]) for row in rows]
        pairs = [pair for pair in pairs if _is_plain(pair[0])][:: options.every]
        cells = []
        for form in FORMS.values():
            texts = [form(text, source) for text, _ in pairs]
            found = translator.translate(texts, target, source, options.beam)
            cells.append(str(_right([one.text for one in found], [other for _, other in pairs])))
        print(f"| {source} → {target} | {len(pairs)} | " + " | ".join(cells) + " |", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--every", type=int, default=3, help="take every so manieth row")
    parser.add_argument("--beam", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    codes, *rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return codes, rows


def _is_plain(text: str) -> bool:
    return text[-1:].isalpha() and not text[:1].isupper()


def _right(outputs: Sequence[str], wanted: Sequence[str]) -> int:
    return sum(_letters(one) == _letters(other) for one, other in zip(outputs, wanted, strict=True))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


if __name__ == "__main__":
    main()
