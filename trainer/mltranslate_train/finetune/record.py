"""RUN/parent.json: what a run was started from, for its resumption and its provenance."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mltranslate.errors import DataError, reason
from mltranslate_train.config import FineTuneConfig, Recipe
from mltranslate_train.data.prepare import PARENT
from mltranslate_train.data.whole import writable, write_text
from mltranslate_train.finetune.ancestry import INHERITED
from mltranslate_train.finetune.grow import GROWING
from mltranslate_train.finetune.parent import Parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The parent of a run, and how its weights are taken over."""

    source: str
    """Folder or pack, as `locate` gives it."""
    weights_sha256: str
    vocabulary_sha256: str
    """Hash of the parent's vocabulary."""
    finetune: FineTuneConfig
    provenance: dict[str, Any]
    """What `best/model.json` and a pack say of the parent."""


def make_record(parent: Parent, recipe: Recipe, vocabulary_sha256: str) -> Record:
    """Note a parent, which fits the recipe, and how its weights are to be taken over."""
    config = recipe.finetune
    about = {key: parent.about[key] for key in INHERITED if key in parent.about}
    how: dict[str, Any] = {"mode": config.mode, "vocabulary": config.vocabulary}
    if config.grow and _grows(parent, recipe):
        how["grown_from"] = {name: getattr(parent.config, name) for name in GROWING}
    if config.mode == "lora":
        how |= {"rank": config.rank, "alpha": config.alpha}
    return Record(
        source=parent.source,
        weights_sha256=parent.sha256,
        vocabulary_sha256=vocabulary_sha256,
        finetune=config,
        provenance={"name": parent.name, "weights_sha256": parent.sha256, **how, **about},
    )


def _grows(parent: Parent, recipe: Recipe) -> bool:
    """Whether the recipe's model is wider: `finetune.grow` only allows it."""
    return any(getattr(recipe.model, name) != getattr(parent.config, name) for name in GROWING)


def write_record(run: Path, record: Record) -> None:
    """Write RUN/parent.json, whole or not at all; raises DataError if the disk is full."""
    with writable(run):
        run.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dataclasses.asdict(record), ensure_ascii=False, indent=1)
        write_text(run / PARENT, text)


def read_record(run: Path) -> Record | None:
    """The run's parent, or None if it has none; raises DataError if the file is damaged."""
    path = run / PARENT
    if not path.is_file():
        return None
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return Record(**{**table, "finetune": FineTuneConfig(**table["finetune"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} cannot be read", why=reason(error), fix="Start again in another folder"
        ) from error
