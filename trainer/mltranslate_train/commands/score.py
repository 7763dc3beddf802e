"""`mltranslate-train score`: how likely a language model finds each line of a text."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "score", help="log-probability and perplexity of each line, by a language model"
    )
    parser.add_argument("model", metavar="RUN", type=Path, help="folder of a language model's run")
    parser.add_argument(
        "file", metavar="FILE", nargs="?", type=Path,
        help="one sentence a line, also .xz or .gz; default: standard input",
    )  # fmt: skip
    parser.add_argument(
        "--language", default="", metavar="CODE", help="of the text; needed if RUN has several"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from mltranslate.cli.streams import standard_input
    from mltranslate_train.data.readers import read_lines
    from mltranslate_train.evaluate.likelihood import Likelihood, Scorer

    scorer, total, count = Scorer(options.model, options.language), Likelihood(), 0
    file = options.file
    lines = (text for _, text in read_lines(file)) if file else _decoded(standard_input())
    for found in scorer.score(lines):
        total.add(found)
        count += 1
        sys.stdout.write(f"{found.nats:.4f}\t{found.perplexity:.4f}\n")
    sys.stdout.flush()
    sys.stderr.write(
        f"{count} lines, {total.pieces} pieces: perplexity {total.perplexity:.4f}, "
        f"{total.bits_per_byte:.4f} bits a byte\n"
    )
    return 0


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    """Lines as text without their ends; InputError for one that is no UTF-8."""
    from mltranslate.errors import InputError

    for number, line in enumerate(lines, 1):
        try:
            yield line.decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InputError(
                f"line {number} is not valid UTF-8",
                why=error.reason,
                fix="Convert it first, for example with iconv",
            ) from error
