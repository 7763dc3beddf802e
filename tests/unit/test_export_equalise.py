"""Equalised weights say the same, exactly, and a graph tells by which factors they were divided."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from public_models import DATA, FAMILIES
from test_export_families import MODELS, checkpoint_of, folder, name_of
from test_import_public import TARGETS
from torch import nn

from mltranslate_export.build import coupled
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_export.graphs.builder import Array
from mltranslate_export.graphs.equalise import (
    equalised,
    equalised_ranges,
    factors_for,
    factors_in,
)
from mltranslate_export.graphs.linear import Ranges, quantise_rows
from mltranslate_export.importers.load import load_public
from mltranslate_train.model.seq2seq import Seq2Seq

__all__ = ["folder"]  # a fixture of the other module
TRANSFORMERS = [model for model in MODELS if model[0] == "transformer"]
SOURCE = torch.tensor([[4, 9, 12, 7, 3], [5, 8, 3, 0, 0]])
TARGET = torch.tensor([[4, 10, 11], [5, 6, 13]])


def logits(model: Seq2Seq) -> Array:
    mask = (SOURCE != 0)[:, None, None, :]
    with torch.inference_mode():
        found: Array = model.logits(model(SOURCE, TARGET, mask)).numpy()
    return found


def watched(model: Seq2Seq) -> dict[str, tuple[Array, Array]]:
    """Ranges of what the linear layers read."""
    seen: dict[str, tuple[Array, Array]] = {}

    def note(name: str, read: torch.Tensor) -> None:
        rows = read.reshape(-1, read.shape[-1]).numpy()
        low, high = seen.get(name, (np.zeros(1), np.zeros(1)))
        seen[name] = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))

    hooks = [
        module.register_forward_pre_hook(lambda _, read, name=name: note(name, read[0]))
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
    ]
    logits(model)
    for hook in hooks:
        hook.remove()
    return seen


def uneven(checkpoint: Checkpoint) -> None:
    """Give all channels that layers pass on very different sizes, and one of each none."""
    random = np.random.default_rng(2)
    with torch.no_grad():
        for one in coupled(checkpoint):
            module = checkpoint.model.get_submodule(one.source)
            assert isinstance(module, nn.Linear | nn.LayerNorm)
            sizes = 3.0 ** random.uniform(-2, 2, len(module.weight))
            sizes[one.first] = 0
            scale = torch.tensor(sizes, dtype=torch.float32)
            module.weight *= scale if module.weight.ndim == 1 else scale[:, None]


def load(checkpoint: Checkpoint, weights: dict[str, Array]) -> None:
    names = checkpoint.model.state_dict().keys()
    checkpoint.model.load_state_dict({n: torch.from_numpy(weights[n].copy()) for n in names})


def graph_of(weights: dict[str, Array]) -> dict[str, Array]:
    """What of them an int8 graph holds."""
    scales = {
        f"{name.removesuffix('.weight')}.scale": quantise_rows(one)[1]
        for name, one in weights.items()
        if one.ndim == 2
    }
    return {name: one for name, one in weights.items() if one.ndim == 1} | scales


def spread(ranges: Ranges, names: set[str]) -> float:
    """Mean ratio of the largest channel to the middle one."""
    peaks = [np.maximum(-ranges[name][0], ranges[name][1]) for name in names]
    return float(np.mean([peak.max() / max(np.median(peak), 1e-9) for peak in peaks]))


def assert_same_and_even(checkpoint: Checkpoint) -> None:
    uneven(checkpoint)
    among, before = coupled(checkpoint), checkpoint.weights()
    before = {name: one.copy() for name, one in before.items()}
    said, ranges = logits(checkpoint.model), watched(checkpoint.model)
    factors = factors_for(before, ranges, among)
    after = equalised(before, factors, among)
    assert sum(bool((one != 1).any()) for one in factors.values()) == len(among) > 4
    assert all((np.frexp(one)[0] == 0.5).all() for one in factors.values())
    found = factors_in(graph_of(after), before, among)
    assert found.keys() == factors.keys()
    for name, one in factors.items():
        np.testing.assert_array_equal(found[name], one, name)
    load(checkpoint, after)
    np.testing.assert_allclose(logits(checkpoint.model), said, rtol=1e-5, atol=1e-5)
    even = watched(checkpoint.model)
    told = equalised_ranges(ranges, factors, among)
    for name, pair in even.items():
        np.testing.assert_allclose(pair, told[name], rtol=1e-4, atol=1e-5, err_msg=name)
    readers = {name for one in among for name in one.readers}
    assert spread(even, readers) < spread(ranges, readers) / 2


@pytest.mark.parametrize(("architecture", "shape"), TRANSFORMERS, ids=name_of)
def test_a_model_says_the_same_with_evener_channels(
    folder: Path, architecture: str, shape: dict[str, Any]
) -> None:
    assert_same_and_even(checkpoint_of(folder, architecture, shape))


@pytest.mark.parametrize("family", FAMILIES)
def test_an_imported_model_does(family: str, tmp_path: Path) -> None:
    assert_same_and_even(load_public(DATA / family, [("en", TARGETS.get(family, "de"))], tmp_path))


def test_others_are_left_as_they_are(folder: Path) -> None:
    assert coupled(checkpoint_of(folder, *MODELS[-1])) == []
    checkpoint = checkpoint_of(folder, *TRANSFORMERS[0])
    about = {**checkpoint.about, "unpacked": {"precision": "int8"}}
    unpacked = dataclasses.replace(checkpoint, about=about)
    assert coupled(unpacked) == []


def test_factors_that_are_none_are_told_as_one(folder: Path) -> None:
    checkpoint = checkpoint_of(folder, *TRANSFORMERS[0])
    among, weights = coupled(checkpoint), checkpoint.weights()
    held = {name: one * 3 for name, one in graph_of(weights).items()}
    assert all((one == 1).all() for one in factors_in(held, weights, among).values())
    assert all((one == 1).all() for one in factors_in({}, weights, among).values())
