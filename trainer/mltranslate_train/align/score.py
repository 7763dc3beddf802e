"""How well alignments agree, and those that a model's alignment heads make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.utils.rnn import pad_sequence

from mltranslate.errors import ConfigError, DataError, reason
from mltranslate_train.align.heldout import held_out_pairs, links_path, parse_links
from mltranslate_train.align.symmetrise import Link
from mltranslate_train.evaluate.batching import length_batches
from mltranslate_train.evaluate.run_system import load_best
from mltranslate_train.model.transformer import Transformer
from mltranslate_train.objective import source_mask
from mltranslate_train.tokenizer import END, PAD, Vocabulary

_ROWS = 64


@dataclass(slots=True)
class AlignmentScore:
    """Counts over sentences, and what follows from them (Och and Ney 2003)."""

    found: int = 0
    sure: int = 0
    found_sure: int = 0
    found_possible: int = 0

    def add(self, found: set[Link], sure: set[Link], possible: set[Link] | None = None) -> None:
        """Count a sentence; `possible` links include the sure ones, and are these by default."""
        self.found += len(found)
        self.sure += len(sure)
        self.found_sure += len(found & sure)
        self.found_possible += len(found & (sure if possible is None else possible | sure))

    @property
    def error_rate(self) -> float:
        """Alignment error rate: 0 where all sure links are found and no impossible ones, to 1."""
        total = self.found + self.sure
        return 1 - (self.found_sure + self.found_possible) / total if total else 0.0

    @property
    def precision(self) -> float:
        """Share of the found links that are possible."""
        return self.found_possible / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the sure links that were found."""
        return self.found_sure / self.sure if self.sure else 1.0


def between_words(links: Iterable[Link], first: Sequence[int], second: Sequence[int]) -> set[Link]:
    """Links between words: two are linked if any of their pieces are.

    `first` and `second` give the number of each piece's word, for gold alignments of words.
    """
    return {(first[one], second[two]) for one, two in links}


@torch.inference_mode()
def model_links(
    model: Transformer, pairs: Sequence[tuple[list[int], list[int]]], tag: int
) -> list[set[Link]]:
    """Links (source piece, target piece) of pairs of piece ids: the heads' best, if it is a piece.

    A target piece is aligned where the position that predicts it looks most. Where that is the
    tag or the end mark it has no link. `tag` asks for the target language.

    Raises:
        ConfigError: the model has no alignment heads.
        ValueError: a sentence is longer than the model takes.
    """
    if any(max(map(len, pair)) + 2 > model.config.max_length for pair in pairs):
        raise ValueError("a sentence is too long for the model")
    was_training = model.training
    model.eval()
    found: list[set[Link]] = [set() for _ in pairs]
    lengths = [max(len(source), len(target)) for source, target in pairs]
    for rows in length_batches(lengths, _ROWS):
        batch = [pairs[row] for row in rows]
        source = _padded([[tag, *pair[0], END] for pair in batch]).to(model.device)
        target = _padded([[tag, *pair[1]] for pair in batch]).to(model.device)
        _, alignment = model.forward_with_alignment(source, target, source_mask(source))
        for row, pair, best in zip(rows, batch, alignment.argmax(-1).tolist(), strict=True):
            found[row] = {
                (place - 1, position)
                for position, place in enumerate(best[: len(pair[1])])
                if 0 < place <= len(pair[0])
            }
    model.train(was_training)
    return found


def _padded(rows: list[list[int]]) -> torch.Tensor:
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=PAD)


def score_run(run: Path) -> dict[str, AlignmentScore]:
    """How the best weights align the held-out pairs, against the aligner, by direction.

    Raises:
        ConfigError: the model has no alignment heads.
        DataError: the run has no best weights, or no links of held-out pairs.
    """
    model, vocabulary, about = load_best(run)
    if not isinstance(model, Transformer) or not model.config.alignment_heads:
        raise ConfigError(f"the model of {run} has no alignment heads")
    scores = {}
    for source, target in about["directions"]:
        pairs, gold = _held_out(run, source, target, vocabulary)
        room = model.config.max_length - 2
        chosen = [
            number
            for number, pair in enumerate(pairs)
            if all(0 < len(side) <= room for side in pair)
        ]
        found = model_links(model, [pairs[row] for row in chosen], vocabulary.tag_id(target))
        scores[f"{source}-{target}"] = score = AlignmentScore()
        for row, links in zip(chosen, found, strict=True):
            score.add(links, gold[row])
    return scores


def _held_out(
    run: Path, source: str, target: str, vocabulary: Vocabulary
) -> tuple[list[tuple[list[int], list[int]]], list[set[Link]]]:
    """Held-out pairs of a direction and their links; the files may have the other order."""
    swapped = links_path(run, (target, source)).with_suffix(f".{target}").is_file()
    languages = (target, source) if swapped else (source, target)
    lines = _lines(links_path(run, languages), run)
    pairs = held_out_pairs(run, languages, vocabulary)
    if len(lines) != len(pairs):
        raise DataError(
            f"{links_path(run, languages)} has {len(lines)} lines for {len(pairs)} pairs",
            fix=f"Run `mltranslate-train align {run}`",
        )
    gold = [parse_links(line)[0] for line in lines]
    if not swapped:
        return pairs, gold
    return [(second, first) for first, second in pairs], [
        {(second, first) for first, second in links} for links in gold
    ]


def _lines(path: Path, run: Path) -> list[str]:
    try:
        return path.read_text("utf-8").split("\n")[:-1]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"there are no links of held-out pairs {path}",
            why=reason(error),
            fix=f"Run `mltranslate-train align {run}`; the recipe needs data.holdout",
        ) from error
