"""Reads a run of the trainer: weights, vocabulary, and what the run says about itself."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
from safetensors import SafetensorError
from sentencepiece import SentencePieceProcessor

from mltranslate.decode.types import END
from mltranslate.errors import DataError, MltError, reason
from mltranslate_export.graphs.builder import Array
from mltranslate_export.graphs.families import FAMILIES
from mltranslate_export.training_record import training_record
from mltranslate_train.finetune.ancestry import told_once
from mltranslate_train.model.build import model_from_about
from mltranslate_train.model.seq2seq import Seq2Seq

_RECURRENT = re.compile("(weight|bias)_(ih|hh)_l0$")
_TRANSLATION = "translation"
_HISTORY = ("parent", "averaged", "unpacked", "imported")
"""What `model.json` says of where the weights came from."""
_ANOTHER = "Give the folder of a run that has kept its best weights, as the first evaluation does"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A trained model with everything that a pack says about it."""

    name: str
    """The recipe's name, or that of the run's folder."""
    model: Seq2Seq
    vocabulary: Path
    about: Mapping[str, Any]
    """`model.json` of the run."""
    tags: Mapping[str, int]
    """Language code to the id of its `<2xx>` tag."""
    banned: tuple[int, ...]
    """Ids that no search may produce: every mark except the end mark."""
    max_source_tokens: int
    """Longest source, in subwords, that the model was trained on."""
    source_tag: str = "target"
    """Whose tag a source starts with, as in the manifest."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """Seconds trained and where; empty for a model that was not trained here."""

    @property
    def directions(self) -> frozenset[tuple[str, str]]:
        """Pairs (source, target) that the model was trained for."""
        return frozenset((source, target) for source, target in self.about["directions"])

    @property
    def architecture(self) -> str:
        """Name of the model's family."""
        return str(self.about["architecture"])

    def weights(self) -> dict[str, Array]:
        """All tensors by their names in the model, those that are never trained included.

        The two products of a recurrent layer are called as if they were linear layers, ih and hh.
        """
        tensors = {**self.model.state_dict(), **dict(self.model.named_buffers())}
        return {
            _RECURRENT.sub(r"\2.\1", name): value.detach().cpu().numpy()
            for name, value in tensors.items()
        }


def load_run(run: Path) -> Checkpoint:
    """Load the best checkpoint of a run folder; `DataError` if anything in it does not fit."""
    if not run.is_dir():
        raise DataError(f"there is no folder {run}", fix=_ANOTHER)
    try:
        return _load(run)
    except MltError:
        raise
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        raise _unusable(run, f"{named}{reason(error)}") from error
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise _unusable(run, reason(error)) from error


def _load(run: Path) -> Checkpoint:
    about = json.loads((run / "best" / "model.json").read_text("utf-8"))
    recipe = _recipe(run)
    _check_translates(run, about, recipe)
    model = model_from_about(about).eval()
    # strict: names that lack or are too many are listed in the error.
    model.load_state_dict(safetensors.torch.load_file(run / "best" / "model.safetensors"))
    broken = [name for name, value in model.state_dict().items() if not value.isfinite().all()]
    if broken:
        raise _unusable(run, f"{broken[0]} holds values that are not finite")
    vocabulary = run / "vocabulary.model"
    processor = SentencePieceProcessor(model_file=str(vocabulary))
    if processor.get_piece_size() != model.config.vocabulary_size:
        raise _unusable(run, "vocabulary and embedding differ in size")
    return Checkpoint(
        name=str(recipe.get("name", run.resolve().name)),
        model=model,
        vocabulary=vocabulary,
        about=about,
        tags={code: _tag(processor, code, run) for code in about["languages"]},
        banned=_marks(processor),
        max_source_tokens=_max_source_tokens(recipe, about, model.config.max_length),
        training=training_record(run, about),
    )


def _check_translates(run: Path, about: Mapping[str, Any], recipe: Mapping[str, Any]) -> None:
    """Refuse what is no translation model: packs hold nothing else."""
    learnt = recipe.get("train", {}).get("objective", _TRANSLATION)
    objective = about.get("objective", learnt)
    if objective != _TRANSLATION:
        why = f"its objective is {objective!r}, and a pack translates"
        raise _unusable(run, why, "Fine-tune it on parallel text first")
    if about["architecture"] not in FAMILIES:
        why = f"its architecture is {about['architecture']!r}"
        raise _unusable(run, why, f"Export one of the architecture {' or '.join(FAMILIES)}")


def _tag(processor: Any, code: str, run: Path) -> int:
    identity: int = processor.piece_to_id(f"<2{code}>")
    if not processor.is_control(identity):
        raise _unusable(run, f"the vocabulary has no tag <2{code}>")
    return identity


def _marks(processor: Any) -> tuple[int, ...]:
    ids = range(processor.get_piece_size())
    marks = (i for i in ids if processor.is_control(i) or processor.is_unknown(i))
    return tuple(i for i in marks if i != END)


def _recipe(run: Path) -> dict[str, Any]:
    """Read the run's recipe; a run that was made without one is none the worse."""
    path = run / "recipe.toml"
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


def _max_source_tokens(
    recipe: Mapping[str, Any], about: Mapping[str, Any], max_length: int
) -> int:  # fmt: skip
    """`data.max_tokens` of the recipe; else what model.json says, if the run was unpacked.

    Without either it is all that the positions allow.
    """
    most = max_length - 2
    stated = about.get("max_source_tokens", most)
    return min(int(recipe.get("data", {}).get("max_tokens", stated)), most)


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """Provenance for the manifest: model, sources, steps, tokens, time, and the parent, if any.

    Of its ancestors' sources only those are told that the model itself has not read.
    """
    about = checkpoint.about
    read = {_source(one) for one in about.get("sources", [])}
    return {
        "architecture": checkpoint.architecture,
        "model": dataclasses.asdict(checkpoint.model.config),
        "parameters": int(np.sum([p.numel() for p in checkpoint.model.parameters()])),
        "step": about.get("step", 0),
        "target_tokens": about.get("target_tokens", 0),
        **({"training": dict(checkpoint.training)} if checkpoint.training else {}),
        "sources": about.get("sources", []),
        **_history(about, read),
    }


def _history(about: Mapping[str, Any], read: set[tuple[Any, Any]]) -> dict[str, Any]:
    """Where the weights came from, each ancestor described once."""
    known = {key: about[key] for key in _HISTORY if key in about}
    return {key: _without(value, read) for key, value in told_once(known).items()}


def _source(one: dict[str, Any]) -> tuple[Any, Any]:
    return one.get("name"), one.get("licence")


def _without(value: Any, read: set[tuple[Any, Any]]) -> Any:
    """What is told of an ancestor, and of its own, without the sources in `read`."""
    if isinstance(value, list):
        return [_without(one, read) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _without(one, read) for key, one in value.items() if key != "sources"}
    others = [one for one in value.get("sources", []) if _source(one) not in read]
    return {**kept, "sources": others} if others else kept


def _unusable(run: Path, why: str, fix: str = _ANOTHER) -> DataError:
    return DataError(f"the run {run} cannot be exported", why=why, fix=fix)
