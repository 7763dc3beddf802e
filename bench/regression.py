"""Run the regression set on a pack, or on all that are installed, and print what passes.

python bench/regression.py [--pack NAME] [--beam 1] [--threads 1] [--phrasebook] [--floors]
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "regression")]

from regression_checks import HERE, read_cases, run  # noqa: E402
from regression_floors import lowered, proposal  # noqa: E402
from regression_table import Found, markdown  # noqa: E402

from mltranslate import Translator  # noqa: E402


def main() -> None:
    """Translate every case between languages of the packs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--phrasebook", action="store_true", help="look phrases up, as users do")
    parser.add_argument("--floors", action="store_true", help="print floors.toml as it would be")
    options = parser.parse_args()
    translator = Translator(
        options.pack, device="cpu", threads=options.threads, phrasebook=options.phrasebook
    )
    started = time.process_time()
    found = run(translator, read_cases(translator.languages), options.beam)
    seconds = time.process_time() - started
    if options.floors:
        print_floors(found)
        return
    passed = sum(not wrong for _, _, wrong in found)
    precision = next(result.precision for _, result, _ in found if result.precision)
    packs = ", ".join(f"{pack.name} {pack.version}" for pack in translator.packs)
    print(f"{packs}, {precision}, beam {options.beam}:")
    print(f"{passed} of {len(found)} cases passed, in {seconds:.1f} s of processor time\n")
    print(markdown(found))


def print_floors(found: Found) -> None:
    """Print the proposal, and on stderr what it would lower."""
    present = tomllib.loads((HERE / "floors.toml").read_text(encoding="utf-8"))
    print(proposal(found, present), end="")
    for line in lowered(found, present):
        print(f"lowered: {line}", file=sys.stderr)


if __name__ == "__main__":
    main()
