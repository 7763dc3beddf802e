"""chrF2++ and BLEU of a model pack, through the whole engine, on aligned text files.

python bench/quality.py --set flores-dev=PATH/flores-dev. --set tatoeba=RUN/heldout/en-de.

Files are PREFIX<language>, one sentence a line; every direction of the pack whose two files are
there is measured. The sentences go through splitting, guards and joining like any user's text.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from mltranslate.pipeline import Translator
from mltranslate_train.config import DevSet
from mltranslate_train.evaluate.during import read_side
from mltranslate_train.evaluate.metrics import bleu, chrf
from mltranslate_train.evaluate.report import Result, has_files, markdown, parse_set


def measure(translator: Translator, sets: list[DevSet], beam: int) -> Iterator[Result]:
    """Score every direction of the pack on every set that has its two files."""
    for dev in sets:
        for source, target in sorted(translator.pack.directions):
            if has_files(dev, (source, target)):
                lines, references = read_side(dev, source), read_side(dev, target)
                found = translator.translate(lines, target=target, source=source, beam=beam)
                outputs = [item.text for item in found]
                scores = chrf(outputs, references), bleu(outputs, references, target)
                yield Result(dev.name, f"{source}-{target}", *scores)


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", dest="sets", action="append", required=True, metavar="NAME=PREFIX")
    parser.add_argument("--pack", help="name or folder (the embedded pack)")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--lines", type=int, default=1000, help="most lines of a set")
    options = parser.parse_args()
    translator = Translator(options.pack)
    sets = [parse_set(text, options.lines) for text in options.sets]
    results = list(measure(translator, sets, options.beam))
    pack, decoder = translator.pack, translator.decoder
    sys.stdout.write(
        f"{pack.name} {pack.version}, {decoder.precision} on {decoder.provider}, "
        f"beam {options.beam}\n\n{markdown(results)}"
    )


if __name__ == "__main__":
    main()
