"""Write the corpus of the recipe "first-steps" anew: `python trainer/first_steps`."""

from __future__ import annotations

import sys
from pathlib import Path

TRAINER = Path(__file__).resolve().parents[1]
sys.path[0:1] = [str(TRAINER)]


def main() -> int:
    """Write it; returns the exit code."""
    from first_steps.expand import sentences

    lines = [f"{english}\t{german}\n" for english, german in sentences()]
    path = TRAINER / "recipes" / "first-steps" / "en-de.tsv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    sys.stdout.write(f"{len(lines)} pairs in {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
