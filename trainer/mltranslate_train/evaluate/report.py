"""Scores of a finished run on any aligned sets, as Markdown and JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch

from mltranslate.errors import DataError, UsageError
from mltranslate_train.checkpoint import ABOUT, MODEL
from mltranslate_train.config import DevSet
from mltranslate_train.data.prepare import VOCABULARY_FILE
from mltranslate_train.evaluate.during import read_side
from mltranslate_train.evaluate.metrics import Score, bleu, chrf
from mltranslate_train.evaluate.translate import translate
from mltranslate_train.model.transformer import Transformer, TransformerConfig
from mltranslate_train.tokenizer import Vocabulary

BEST, RESULTS = "best", "evaluation.json"


@dataclass(frozen=True, slots=True)
class Result:
    """Scores of one direction on one set."""

    dataset: str
    direction: str
    chrf: Score
    bleu: Score


def load_best(run: Path) -> tuple[Transformer, Vocabulary, list[tuple[str, str]]]:
    """Model with the best weights of a run, its vocabulary and its directions.

    Raises:
        DataError: the run has no evaluated weights yet.
    """
    try:
        about = json.loads((run / BEST / ABOUT).read_text(encoding="utf-8"))
        weights = safetensors.torch.load_file(run / BEST / MODEL)
    except OSError as error:
        raise DataError(
            f"{run} has no best weights", why=str(error), fix="Train until its first evaluation"
        ) from error
    model = Transformer(TransformerConfig(**about["model"]))
    model.load_state_dict(weights)
    directions = [(source, target) for source, target in about["directions"]]
    return model, Vocabulary(run / VOCABULARY_FILE), directions


def evaluate_run(run: Path, sets: Sequence[str], lines: int, beam: int) -> str:
    """Score every direction on every set; writes RUN/evaluation.json and returns Markdown.

    `sets` are NAME=PREFIX; a direction whose two files PREFIX<language> are missing is left out.
    """
    model, vocabulary, directions = load_best(run)
    results = []
    for dev in (parse_set(text, lines) for text in sets):
        present = [item for item in directions if has_files(dev, item)]
        if not present:
            raise DataError(f"set {dev.name} has no files {dev.prefix}<language> for any direction")
        for source, target in present:
            outputs = translate(model, vocabulary, read_side(dev, source), target, beam=beam)
            references = read_side(dev, target)
            scores = chrf(outputs, references), bleu(outputs, references, target)
            results.append(Result(dev.name, f"{source}-{target}", *scores))
    record = {"beam": beam, "results": [dataclasses.asdict(result) for result in results]}
    (run / RESULTS).write_text(json.dumps(record, indent=1), encoding="utf-8")
    return markdown(results)


def markdown(results: Sequence[Result]) -> str:
    """A table of results, and every signature below it."""
    rows = ["| set | direction | n | chrF2++ | BLEU |", "|---|---|---|---|---|"]
    rows += [
        f"| {item.dataset} | {item.direction} | {item.chrf.sentences} "
        f"| {item.chrf.value:.1f} | {item.bleu.value:.1f} |"
        for item in results
    ]
    signatures = {f"chrF2++: `{item.chrf.signature}`" for item in results}
    signatures |= {f"BLEU: `{item.bleu.signature}`" for item in results}
    return "\n".join([*rows, "", *sorted(signatures)]) + "\n"


def parse_set(text: str, lines: int) -> DevSet:
    """Read NAME=PREFIX; raises UsageError if there is no equals sign."""
    name, equals, prefix = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text!r} has no prefix", fix="Write --set NAME=PREFIX")
    return DevSet(name=name, prefix=prefix, lines=lines)


def has_files(dev: DevSet, direction: tuple[str, str]) -> bool:
    """Whether the set has a file for both languages of the direction."""
    return all(Path(dev.prefix + language).is_file() for language in direction)
