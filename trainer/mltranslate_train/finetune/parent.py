"""Where weights to start from are found: the folder of a run, or a pack that carries them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from mltranslate.errors import ConfigError, DataError, PackError, reason
from mltranslate.packs import MANIFEST_NAME, Pack, load_pack
from mltranslate.packs.verify import file_sha256
from mltranslate_train.checkpoint import ABOUT, AVERAGE, BEST, LAST, MODEL, STATE, newest
from mltranslate_train.config import FineTuneConfig, Recipe, load_recipe
from mltranslate_train.data.prepare import PARENT, RECIPE, SUMMARY, VOCABULARY_FILE
from mltranslate_train.locations import is_path, recipes
from mltranslate_train.lora import merge_lora
from mltranslate_train.model.build import any_model_from_about, describe_config, make_config
from mltranslate_train.model.seq2seq import ModelConfig
from mltranslate_train.strict_toml import read_table
from mltranslate_train.tokenizer import Vocabulary

PACK_WEIGHTS = "weights.safetensors"
"""Member of a pack that training can start from; its `model.json` stands beside it."""


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A trained model to start from."""

    name: str
    """Name of its recipe, or name and version of its pack."""
    source: str
    """Absolute folder of the run or pack, or the name of an installed pack."""
    about: Mapping[str, Any]
    """Its `model.json`."""
    weights: tuple[Path, ...]
    """Its safetensors files; what a later one holds counts."""
    vocabulary: Path
    algorithm: str = ""
    """`vocabulary.algorithm` that it was made with, where that is known."""
    lora: FineTuneConfig | None = None
    """Rank and scale of updates that its weights still keep apart."""

    @cached_property
    def sha256(self) -> str:
        """Hash of the file of weights, or of the hashes of several."""
        hashes = [file_sha256(path) for path in self.weights]
        return hashes[0] if len(hashes) == 1 else sha256("".join(hashes).encode()).hexdigest()

    @cached_property
    def config(self) -> ModelConfig:
        """Shape of its model; raises DataError if its description makes no model."""
        try:
            with torch.device("meta"):  # no weights, and no draw from the random generator
                return any_model_from_about(dict(self.about)).config
        except (ConfigError, TypeError, ValueError, RuntimeError, ArithmeticError) as error:
            raise DataError(
                f"the description of {self.source} makes no model",
                why=reason(error),
                fix="Start from another parent",
            ) from error

    @cached_property
    def vocabulary_size(self) -> int:
        """Pieces of its vocabulary, tags included."""
        return len(Vocabulary(self.vocabulary))

    def load(self) -> dict[str, Tensor]:
        """Its weights in fp32, under the model's plain names; raises DataError if damaged."""
        found: dict[str, Tensor] = {}
        for path in self.weights:
            try:
                found |= safetensors.torch.load_file(path)
            except (OSError, safetensors.SafetensorError) as error:
                raise _unreadable(path, error) from error
        if self.lora:
            try:
                found = merge_lora(found, self.lora.rank, self.lora.alpha)
            except (KeyError, RuntimeError) as error:
                raise _unreadable(self.weights[0], error) from error
        return {name: tensor.float() for name, tensor in found.items()}


def open_parent(text: str) -> Parent:
    """Find the run or pack that `text` names: a folder, or the name of an installed pack.

    Raises:
        DataError: there is no such folder, or a run without weights.
        PackError: no pack has that name, or it is damaged or carries no weights.
    """
    folder = Path(text)
    if not folder.is_dir():
        if is_path(text):
            raise DataError(f"there is no folder {text}", fix="Give a run's folder or a pack")
        return _of_pack(load_pack(text), text)
    if (folder / MANIFEST_NAME).is_file():
        return _of_pack(load_pack(folder), locate(text))
    return _of_run(folder)


def locate(text: str) -> str:
    """What `--from` says, independent of the working directory."""
    return str(Path(text).resolve()) if Path(text).is_dir() else text


def _of_pack(pack: Pack, source: str) -> Parent:
    lacking = {PACK_WEIGHTS, ABOUT} - set(pack.manifest.members)
    if lacking:
        raise PackError(
            f"training cannot start from the pack {pack.name}",
            why=f"it has no {' and no '.join(sorted(lacking))}, only graphs to translate with",
            fix=_other_parents(pack, source),
        )
    for name in (PACK_WEIGHTS, ABOUT, pack.manifest.tokenizer.file):
        if file_sha256(pack.folder / name) != pack.manifest.members[name].sha256:
            raise PackError(f"{name} of the pack {pack.name} is damaged", fix="Get the pack again")
    return Parent(
        name=f"{pack.name} {pack.version}",
        source=source,
        about=_read_json(pack.folder / ABOUT),
        weights=(pack.folder / PACK_WEIGHTS,),
        vocabulary=pack.folder / pack.manifest.tokenizer.file,
    )


def _other_parents(pack: Pack, source: str) -> str:
    """What to start from instead of a pack, which `source` names."""
    fix = "Give the folder of the run that it was made from"
    # Only a Transformer of the trainer keeps its weights by name in the graphs.
    if pack.manifest.provenance.get("architecture") == "transformer":
        fix = (
            f"Read them back by `mltranslate-export unpack {source} --out RUN` and give that"
            " folder, or give that of its run"
        )
    if (recipes() / f"{pack.name}.toml").is_file():
        fix += f"; `mltranslate-train run {pack.name}` makes such a run"
    return fix


def _of_run(run: Path) -> Parent:
    if (run / BEST / ABOUT).is_file():
        table = _read_recipe(run)
        return Parent(
            name=str(table.get("name", run.resolve().name)),
            source=locate(str(run)),
            about=_read_json(run / BEST / ABOUT),
            weights=(run / BEST / MODEL,),
            vocabulary=run / VOCABULARY_FILE,
            algorithm=str(table.get("vocabulary", {}).get("algorithm", "")),
        )
    last = newest(run / LAST)
    if last is None or not (run / RECIPE).is_file():
        raise DataError(
            f"{run} has no weights to start from",
            why=f"it holds neither {BEST} nor {LAST} weights of a run",
            fix="Give the folder of a run that has saved a checkpoint, or a pack",
        )
    recipe = load_recipe(run / RECIPE)
    return Parent(
        name=recipe.name,
        source=locate(str(run)),
        about=_about_last(run, last, recipe),
        # A moving average holds only what learns, and there may be none.
        weights=tuple(path for path in (last / MODEL, last / AVERAGE) if path.is_file()),
        vocabulary=run / VOCABULARY_FILE,
        algorithm=recipe.vocabulary.algorithm,
        lora=recipe.finetune if recipe.finetune.mode == "lora" else None,
    )


def _read_recipe(run: Path) -> dict[str, Any]:
    """The run's recipe as it stands; a run that was made without one is none the worse."""
    path = run / RECIPE
    return read_table(path) if path.is_file() else {}


def _about_last(run: Path, last: Path, recipe: Recipe) -> dict[str, Any]:
    """What `best/model.json` would say of a run that was never evaluated."""
    size = len(Vocabulary(run / VOCABULARY_FILE))
    try:
        return {
            **describe_config(make_config(recipe.model, size, recipe.train.objective)),
            **_progress(recipe, _read_json(last / STATE)["totals"]),
            "sources": _sources(_read_json(run / SUMMARY)),
            **_origin(run / PARENT),
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{run} does not tell what its weights are",
            why=f"{SUMMARY}, {STATE} or {PARENT} is not as the trainer writes it: {reason(error)}",
            fix="Start from another parent",
        ) from error


def _progress(recipe: Recipe, totals: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "languages": recipe.languages,
        "directions": recipe.directions_at(totals["step"]),
        "step": totals["step"],
        "target_tokens": totals["target_tokens"],
        "training_seconds": round(totals["seconds"]),
    }


def _sources(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "licence": data["licences"].get(name, ""), "pairs": pairs}
        for name, pairs in sorted(data["origins"].items())
    ]


def _origin(path: Path) -> dict[str, Any]:
    """What a run was started from itself, if it was."""
    return {"parent": _read_json(path)["provenance"]} if path.is_file() else {}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error
    return found


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} cannot be read", why=reason(error), fix="Start from another parent")
