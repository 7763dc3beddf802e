"""Averages the weights of two runs of one family, as the mean often does better than either.

Two models on one path of training lie in one basin of the loss, so that a point between them is a
model as well: checkpoints of one run, or a run and the parent that it was fine-tuned from
(Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from mltranslate.errors import DataError, UsageError, reason, remedy
from mltranslate.packs import MANIFEST_NAME
from mltranslate_train.checkpoint import ABOUT, BEST, MODEL, save_tensors
from mltranslate_train.data.prepare import HELD_OUT, RECIPE, SHARDS, SUMMARY, VOCABULARY_FILE
from mltranslate_train.data.whole import whole_file, whole_folder, write_text
from mltranslate_train.finetune.ancestry import told_once
from mltranslate_train.finetune.fit import shape_differences
from mltranslate_train.finetune.parent import Parent, open_parent
from mltranslate_train.metrics_log import METRICS
from mltranslate_train.model.build import architecture_of, make_any_model
from mltranslate_train.report.history import FIRST_EVENTS
from mltranslate_train.report.tail import LineFeed

_DATA = (SHARDS, HELD_OUT)
_OF_ONE = ("parent", "averaged", "unpacked")
"""What `model.json` says of the run's weights and not of the mean, beside its dev scores."""
_NOTED = ("step", "target_tokens", "training_seconds", *_OF_ONE)
_SOURCE = {"name": str, "licence": str, "pairs": int}
_ANOTHER = "Give another run, or one whose files are whole"


def average(run: Path, other: str, share: float, out: Path) -> None:
    """Write a run's folder whose best weights are (1 - share) · `run`'s + share · `other`'s.

    `run` is a run's folder, `other` what `run --from` takes. The new folder has the text and the
    recipe of `run`, its shards linked where the disk can do so, but nothing to resume from. It
    appears when it is whole.

    Raises:
        UsageError: `share` is not between 0 and 1, or `out` is there already or within `run`.
        DataError: `run` is no run, one of them has no weights or damaged ones, the two models
            differ in shape or vocabulary, the disk is full, or `out` cannot be written.
        PackError: `other` is a pack that is damaged or carries no weights.
    """
    _check_given(run, share, out)
    ours, theirs = open_parent(str(run)), open_parent(other)
    _check_same(ours, theirs)
    about = _about(ours, theirs, share)
    weights = _mean(_weights(ours), _weights(theirs), share)
    with _appearing(out) as new:
        _save(weights, about, new / BEST)
        _copy(run, new)


def _check_given(run: Path, share: float, out: Path) -> None:
    """Raise UsageError or DataError for what can be refused before anything is read."""
    if not 0 < share < 1:
        raise UsageError(f"a share of {share:g} is no average", fix="Give --share between 0 and 1")
    if not run.is_dir():
        raise DataError(f"{run} is no run", why="there is no such folder", fix="Give a run's")
    if (run / MANIFEST_NAME).is_file():
        raise DataError(f"{run} is no run", why="it is a pack", fix="Give a pack by --with")
    if not (run / RECIPE).is_file():
        raise DataError(f"{run} is no run", why=f"it has no {RECIPE}", fix="Give a run's folder")
    if os.path.lexists(out):  # also a link that leads nowhere
        raise UsageError(f"{out} is there already", fix="Give --out a folder that is not")
    # The copy would hold itself.
    if any(out.resolve().is_relative_to((run / name).resolve()) for name in ("", *_DATA)):
        raise UsageError(f"{out} is within {run}", fix="Give --out a folder beside it")


def _check_same(ours: Parent, theirs: Parent) -> None:
    """Raise DataError unless the models have the same weights and read the same pieces."""
    if _vocabulary(ours) != _vocabulary(theirs):
        why = "their vocabularies differ"
    elif differing := _differences(ours, theirs):
        why = f"their models differ in {differing}"
    else:
        return
    raise DataError(
        f"{ours.source} and {theirs.source} have no mean",
        why=why,
        fix="Give two runs of which one was started from the other, or both from a third",
    )


def _vocabulary(parent: Parent) -> bytes:
    """The file; raises DataError if it is damaged, or is not that of the model."""
    pieces, rows = parent.vocabulary_size, parent.config.vocabulary_size
    if pieces != rows:
        raise _damaged(parent, f"its vocabulary has {pieces} pieces, its model {rows}")
    return parent.vocabulary.read_bytes()


def _differences(ours: Parent, theirs: Parent) -> str:
    """Keys of `[model]` with both values; empty if the weights have the same shapes and meaning."""
    kinds = architecture_of(ours.config), architecture_of(theirs.config)
    found = shape_differences(ours.config, theirs.config)
    if kinds[0] != kinds[1]:
        found = {"model.architecture": kinds}
    return ", ".join(f"{key} ({mine!r} and {its!r})" for key, (mine, its) in found.items())


def _weights(parent: Parent) -> dict[str, Tensor]:
    """Its weights; raises DataError unless they are finite, and those of the model it describes."""
    found = parent.load()
    with torch.device("meta"):
        expected = make_any_model(parent.config).state_dict()
    for damage in _damage(found, expected):
        raise _damaged(parent, damage)
    return found


def _damage(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> Iterator[str]:
    for name, tensor in expected.items():
        if name not in found:
            yield f"{name} is missing"
        elif found[name].shape != tensor.shape:
            yield f"{name} is {list(found[name].shape)}, not {list(tensor.shape)}"
        elif not found[name].isfinite().all():
            yield f"{name} holds values that are not finite"
    yield from (f"{name} is no weight of such a model" for name in found.keys() - expected.keys())


def _damaged(parent: Parent, why: str) -> DataError:
    return DataError(f"{parent.source} is damaged", why=why, fix=_ANOTHER)


def _mean(
    ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], share: float
) -> dict[str, Tensor]:
    return {name: torch.lerp(value, theirs[name], share) for name, value in ours.items()}


def _about(ours: Parent, theirs: Parent, share: float) -> dict[str, Any]:
    """The run's description, with the sources of both and a note of what each was."""
    kept = {
        key: value
        for key, value in ours.about.items()
        if key not in _OF_ONE and not key.startswith("dev_")
    }
    sources = _sources(theirs) | _sources(ours)
    return told_once({
        **kept,
        "sources": [sources[name] for name in sorted(sources)],
        "averaged": {"share": share, "of": [_noted(ours), _noted(theirs)]},
    })  # fmt: skip


def _noted(parent: Parent) -> dict[str, Any]:
    """What the mean says of one of the two; their sources are its own."""
    noted = {key: parent.about[key] for key in _NOTED if key in parent.about}
    return {"name": parent.name, "weights_sha256": parent.sha256, **noted}


def _sources(parent: Parent) -> dict[str, dict[str, Any]]:
    """What it was trained on, by name; raises DataError if that is not as the trainer writes it."""
    found = parent.about.get("sources", [])
    if not isinstance(found, list) or not all(map(_is_source, found)):
        raise _damaged(parent, "a source in its description lacks name, licence or pairs")
    return {source["name"]: source for source in found}


def _is_source(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(key), kind) for key, kind in _SOURCE.items()
    )


@contextmanager
def _appearing(out: Path) -> Iterator[Path]:
    """A folder to fill: `out` if the block succeeds, and gone if it fails.

    Raises:
        DataError: something in it could not be read or written.
    """
    try:
        with whole_folder(out) as new:
            yield new
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        raise _unwritten(out, f"{named}{reason(error)}", remedy(error)) from error
    except SafetensorError as error:  # a full disk, of which it gives no number
        raise _unwritten(out, reason(error), remedy(OSError())) from error


def _unwritten(out: Path, why: str, fix: str) -> DataError:
    return DataError(f"{out} cannot be written", why=why, fix=fix)


def _save(weights: dict[str, Tensor], about: dict[str, Any], best: Path) -> None:
    best.mkdir()
    with whole_file(best / MODEL) as file:
        save_tensors(weights, file)
    write_text(best / ABOUT, json.dumps(about, ensure_ascii=False, indent=1))


def _copy(run: Path, new: Path) -> None:
    """What a run has beside its weights; of data that is not complete there is nothing to use."""
    complete = (run / SUMMARY).is_file()
    for name in _DATA:
        if complete and (run / name).is_dir():
            _copy_folder(run / name, new / name)
    _write_events(run / METRICS, new / METRICS)
    for name in (RECIPE, VOCABULARY_FILE, *([SUMMARY] if complete else [])):
        with whole_file(new / name) as file:
            shutil.copyfile(run / name, file)


def _copy_folder(source: Path, target: Path) -> None:
    """Copy a folder; unlike `shutil.copytree` it stops at the first failure."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        (_copy_folder if path.is_dir() else _link)(path, target / path.name)


def _link(source: Path, target: Path) -> None:
    """A second name for a file that nothing changes, or a copy where the disk has no such names."""
    try:
        os.link(os.path.realpath(source), target)  # itself, were it a symbolic link
    except OSError:
        shutil.copyfile(source, target)


def _write_events(source: Path, target: Path) -> None:
    """Where the run trained, for a pack's provenance; losses and scores are not the mean's."""
    text = source.read_bytes() if source.is_file() else b""
    records = LineFeed().feed(text + b"\n")
    events = [record for record in records if record.get("event") in FIRST_EVENTS]
    events.append({"time": time.time(), "event": "averaged", "step": 0})
    write_text(target, "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in events))
