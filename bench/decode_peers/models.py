"""One model for both engines: a trained run's weights or random ones, as pack and as arrays."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentencepiece import SentencePieceProcessor

from mltranslate.decode.types import END
from mltranslate.packs.shortlist import Shortlist
from mltranslate_export.build import PackPlan, build_pack
from mltranslate_export.calibrate import calibrate
from mltranslate_export.checkpoint import Checkpoint, load_run
from mltranslate_export.shortlist import make_shortlists
from mltranslate_export.verify.pairs import Pair
from mltranslate_train.model.build import model_from_about

SHAPES: dict[str, dict[str, int]] = {
    "S": {"d_model": 256, "ffn": 1024, "encoder_layers": 6, "decoder_layers": 2, "heads": 8},
    "M": {"d_model": 512, "ffn": 2048, "encoder_layers": 6, "decoder_layers": 2, "heads": 8},
    "M66": {"d_model": 512, "ffn": 2048, "encoder_layers": 6, "decoder_layers": 6, "heads": 8},
}
NATURAL, ENDLESS = "natural", "endless"
_NEVER = -1e9
"""What the other engine adds to the score of an id that may not be produced."""
_CALIBRATED = 24
"""Sentences whose activations decide the scales of int8."""
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Models:
    """What the cases are made for."""

    checkpoint: Checkpoint
    trained: bool
    shortlist: Shortlist


def checkpoint_of(run: Path, shape: str, seed: int, direction: tuple[str, str]) -> Checkpoint:
    """A run's model, or one of random weights of a shape over the run's vocabulary.

    Either counts as a model of this direction alone.
    """
    if not shape:
        found = load_run(run)
    else:
        torch.manual_seed(seed)
        found = _random(run, SHAPES[shape])
    about = {**found.about, "directions": [list(direction)]}
    return dataclasses.replace(found, about=about)


def _random(run: Path, shape: Mapping[str, int]) -> Checkpoint:
    vocabulary = run / "vocabulary.model"
    processor = SentencePieceProcessor(model_file=str(vocabulary))
    size = processor.get_piece_size()
    recipe = tomllib.loads((run / "recipe.toml").read_text("utf-8"))
    pairs = [tuple(pair.split("-")) for pair in recipe["data"]["directions"]]
    languages = sorted({language for pair in pairs for language in pair})
    about = {
        "architecture": "transformer", "languages": languages,
        "model": {**shape, "vocabulary_size": size, "dropout": 0.0, "max_length": _LONGEST},
    }  # fmt: skip
    marks = [i for i in range(size) if processor.is_control(i) or processor.is_unknown(i)]
    return Checkpoint(
        name="random", model=model_from_about(about).eval(), vocabulary=vocabulary, about=about,
        tags={code: processor.piece_to_id(f"<2{code}>") for code in languages},
        banned=tuple(i for i in marks if i != END), max_source_tokens=_LONGEST - 2,
    )  # fmt: skip


def build(folder: Path, checkpoint: Checkpoint, run: Path, size: int, lines: list[str]) -> Models:
    """Write `natural` and `endless`, each a pack and `weights.npz`, and the map of `vmap.txt`.

    They differ in one thing: `endless` can never produce the end mark, so that both engines take
    all steps. Without a trained model there is no natural end, and only `endless`.
    """
    trained = checkpoint.name != "random"
    ((source, target),) = checkpoint.directions
    pairs = [Pair(source=source, target=target, text=text, reference=text) for text in lines]
    ranges = calibrate(checkpoint, {(source, target): pairs[:_CALIBRATED]})
    shortlists = make_shortlists(checkpoint, run, size)
    for name, banned in (
        (NATURAL, checkpoint.banned), (ENDLESS, (*checkpoint.banned, END)),
    )[not trained :]:  # fmt: skip
        (folder / name).mkdir()
        plan = PackPlan(
            name=name, version="0.0.0", licence="none", precisions=("fp32", "int8"),
            shortlists=shortlists,
        )  # fmt: skip
        build_pack(
            dataclasses.replace(checkpoint, banned=banned), folder / name, plan, ranges=ranges
        )
        weights = checkpoint.weights()
        bias = np.zeros(len(weights["embedding.weight"]), np.float32)
        bias[list(banned)] = _NEVER
        np.savez(folder / name / "weights.npz", output_bias=bias, **weights)
    _write_map(folder / "vmap.txt", shortlists[target])
    return Models(checkpoint, trained, shortlists[target])


def _write_map(path: Path, shortlist: Shortlist) -> None:
    """The same candidates for the other engine: source word, tab, target words; none: always."""
    lines = ["\t" + " ".join(map(str, shortlist.always.tolist()))]
    for piece in np.flatnonzero(shortlist.counts).tolist():
        start = shortlist.starts[piece]
        made = shortlist.candidates[start : start + shortlist.counts[piece]]
        lines.append(f"{piece}\t" + " ".join(map(str, made.tolist())))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def description(models: Models) -> dict[str, Any]:
    """What the drivers need to know of the model."""
    ((_, target),) = models.checkpoint.directions
    config = models.checkpoint.model.config
    kept = ("encoder_layers", "decoder_layers", "heads", "d_model", "ffn", "vocabulary_size")
    shape = {name: getattr(config, name) for name in kept}
    return {**shape, "start": models.checkpoint.tags[target], "trained": models.trained}


def write_spec(path: Path, spec: dict[str, Any]) -> None:
    """The file that a driver reads."""
    path.write_text(json.dumps(spec), encoding="utf-8")
