"""Links of a run's held-out pairs, in the text form that is usual for alignments.

One line a pair, its links as `i-j`: places, from 0, of a piece in the first and in the second text.
"""

from __future__ import annotations

from pathlib import Path

from mltranslate.errors import DataError, reason
from mltranslate_train.align.cells import make_pairs
from mltranslate_train.align.merge import pair_links
from mltranslate_train.align.model import Aligner
from mltranslate_train.align.symmetrise import Link
from mltranslate_train.data.prepare import HELD_OUT
from mltranslate_train.data.whole import writable, write_text
from mltranslate_train.tokenizer import Vocabulary


def links_path(run: Path, languages: tuple[str, str]) -> Path:
    """Where the links of the held-out pairs of two languages lie, in the order of the shard."""
    return run / HELD_OUT / f"{'-'.join(languages)}.links"


def align_held_out(
    run: Path, languages: tuple[str, str], vocabulary: Vocabulary, aligner: Aligner, heuristic: str
) -> None:
    """Align the held-out pairs of two languages by what was learnt from the others, if any are.

    Raises:
        DataError: the disk is full, or the files cannot be read or written.
    """
    path = links_path(run, languages)
    if not path.with_suffix(f".{languages[0]}").is_file():
        return
    pairs = held_out_pairs(run, languages, vocabulary)
    lines = []
    for pair in pairs:
        usable = all(pair)
        found = next(pair_links(aligner, make_pairs([pair]), heuristic)) if usable else ()
        lines.append(format_links(found) + "\n")
    with writable(path.parent):
        write_text(path, "".join(lines))


def held_out_pairs(
    run: Path, languages: tuple[str, str], vocabulary: Vocabulary
) -> list[tuple[list[int], list[int]]]:
    """Piece ids of the held-out pairs of two languages.

    Raises:
        DataError: they cannot be read.
    """
    prefix = links_path(run, languages)
    try:
        first, second = (
            vocabulary.encode(prefix.with_suffix(f".{code}").read_text("utf-8").split("\n")[:-1])
            for code in languages
        )
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"the held-out pairs {prefix.stem} cannot be read",
            why=reason(error),
            fix="Set data.holdout in the recipe and make the data in a new folder",
        ) from error
    return list(zip(first, second, strict=True))


def format_links(links: set[Link] | tuple[()]) -> str:
    """Links as `0-0 1-2`, sorted."""
    return " ".join(f"{first}-{second}" for first, second in sorted(links))


def parse_links(line: str) -> tuple[set[Link], set[Link]]:
    """Sure links `i-j` of a line, and possible ones: those and `ipj`.

    Raises:
        DataError: the line has something else.
    """
    sure, possible = set[Link](), set[Link]()
    for word in line.split():
        first, mark, second = word.partition("p" if "p" in word else "-")
        if not mark or not (first + second).isascii() or not (first.isdigit() and second.isdigit()):
            raise DataError(f"{word!r} is no link", why="links are written as 0-1 or 0p1")
        possible.add((int(first), int(second)))
        if mark == "-":
            sure.add((int(first), int(second)))
    return sure, possible
