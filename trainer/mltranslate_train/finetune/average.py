"""Averages the weights of two runs of one family, as the mean often does better than either.

Two models on one path of training lie in one basin of the loss, so that a point between them is a
model as well: checkpoints of one run, or a run and the parent that it was fine-tuned from
(Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mltranslate.errors import DataError, UsageError
from mltranslate_train.checkpoint import BEST, on_disk, save_weights
from mltranslate_train.data.prepare import HELD_OUT, RECIPE, SHARDS, SUMMARY, VOCABULARY_FILE
from mltranslate_train.finetune.parent import Parent, open_parent
from mltranslate_train.metrics_log import METRICS

_FILES = (RECIPE, VOCABULARY_FILE, SUMMARY, METRICS)
_FOLDERS = (SHARDS, HELD_OUT)
_UNMEASURED = ("dev_chrf", "dev_bleu", "dev_signatures")
"""What `model.json` says of the run's weights and not of the mean."""
_NOTED = ("step", "target_tokens", "training_seconds", "parent")


def average(run: Path, other: str, share: float, out: Path) -> None:
    """Write a run's folder whose best weights are (1 - share) · `run`'s + share · `other`'s.

    `run` is a run's folder, `other` what `run --from` takes. The new folder has the text and the
    recipe of `run`, its shards linked where the disk can do so, but nothing to resume from.

    Raises:
        UsageError: `share` is not between 0 and 1, or `out` is there already.
        DataError: one of them has no weights, or the two models differ in shape or vocabulary.
        PackError: `other` is a pack that is damaged or carries no weights.
        TrainingError: the disk is full, or `out` cannot be written.
    """
    if not 0 < share < 1:
        raise UsageError(f"a share of {share:g} is no average", fix="Give --share between 0 and 1")
    if out.exists():
        raise UsageError(f"{out} is there already", fix="Give --out a folder that is not")
    ours, theirs = open_parent(str(run)), open_parent(other)
    if not (run / RECIPE).is_file():
        raise DataError(f"{run} is no run", why=f"it has no {RECIPE}", fix="Give a run's folder")
    _check_same(ours, theirs)
    weights = _mean(ours.load(), theirs.load(), share)
    save_weights(out / BEST, weights, _about(ours, theirs, share))
    with on_disk("the copy of the run", out):
        _copy(run, out)


def _check_same(ours: Parent, theirs: Parent) -> None:
    if ours.vocabulary.read_bytes() != theirs.vocabulary.read_bytes():
        why = "their vocabularies differ"
    elif ours.config != theirs.config:
        why = "their models differ in shape"
    else:
        return
    raise DataError(
        f"{ours.name} and {theirs.name} have no mean",
        why=why,
        fix="Give two runs of which one was started from the other, or both from a third",
    )


def _mean(
    ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], share: float
) -> dict[str, Tensor]:
    return {name: torch.lerp(value, theirs[name], share) for name, value in ours.items()}


def _about(ours: Parent, theirs: Parent, share: float) -> dict[str, Any]:
    """The run's description, with the sources of both and a note of the other weights."""
    kept = {key: value for key, value in ours.about.items() if key not in _UNMEASURED}
    sources = {source["name"]: source for source in theirs.about.get("sources", [])}
    sources |= {source["name"]: source for source in ours.about.get("sources", [])}
    noted = {key: theirs.about[key] for key in _NOTED if key in theirs.about}
    note = {"name": theirs.name, "weights_sha256": theirs.sha256, "share": share, **noted}
    return {**kept, "sources": [sources[name] for name in sorted(sources)], "averaged": note}


def _copy(run: Path, out: Path) -> None:
    for name in _FILES:
        if (run / name).is_file():
            shutil.copyfile(run / name, out / name)
    for name in _FOLDERS:
        if (run / name).is_dir():
            shutil.copytree(run / name, out / name, copy_function=_link)


def _link(source: str, target: str) -> None:
    """A second name for a file that nothing changes, or a copy where the disk has no such names."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
