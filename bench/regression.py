"""Run the regression set on a pack and print what passes, as Markdown.

python bench/regression.py [--pack NAME] [--beam 1] [--threads 1]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "regression")]

from regression_checks import read_cases, run  # noqa: E402
from regression_table import markdown  # noqa: E402

from mltranslate import Translator  # noqa: E402


def main() -> None:
    """Translate every case between languages of the pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    translator = Translator(options.pack, device="cpu", threads=options.threads)
    found = run(translator, read_cases(translator.languages), options.beam)
    passed = sum(not wrong for _, _, wrong in found)
    pack = translator.pack
    print(f"pack {pack.name} {pack.version}, {translator.decoder.precision}, beam {options.beam}:")
    print(f"{passed} of {len(found)} cases passed\n")
    print(markdown(found))


if __name__ == "__main__":
    main()
