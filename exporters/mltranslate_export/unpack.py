"""Reads the weights of a pack back from its graphs, so that training can go on from them."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from mltranslate.errors import PackError, UsageError
from mltranslate.packs.pack import Pack
from mltranslate.packs.verify import verify_pack
from mltranslate_export.build import VOCABULARY
from mltranslate_export.graphs.builder import Array
from mltranslate_export.training_weights import DESCRIPTION, WEIGHTS
from mltranslate_train.checkpoint import BEST, on_disk, save_weights
from mltranslate_train.model.build import model_from_about

_ARCHITECTURE = "transformer"
_INSTEAD = "Start from the run that the pack was made from, or from a pack with its weights"
_DESCRIBED = ("step", "target_tokens", "sources", "parent")
"""What a manifest says of a model that the description of a run says as well."""


def unpack(pack: Pack, out: Path) -> dict[str, Any]:
    """Write a folder that `run --from` takes, from the most precise graphs of a whole pack.

    Weights of fp32 graphs are those of the run, bit for bit. Those of int8 graphs are what the
    pack multiplies with: int8 values times their scales.

    Raises:
        PackError: the pack is damaged, carries its weights already, or its graphs do not hold
            them by name: a recurrent or an imported model.
        UsageError: `out` is there already.
        TrainingError: the disk is full, or the folder cannot be written.
    """
    _check(pack, out)
    verify_pack(pack)
    precision = "fp32" if "fp32" in pack.precisions else "int8"
    about = _about(pack)
    weights = _weights(pack, about, _tensors(pack, precision))
    save_weights(out / BEST, weights, about)
    with on_disk("the vocabulary", out):
        shutil.copyfile(pack.folder / pack.manifest.tokenizer.file, out / VOCABULARY)
    parameters = sum(tensor.numel() for tensor in weights.values())
    return {
        "pack": pack.name,
        "version": pack.version,
        "precision": precision,
        "parameters": parameters,
        "run": str(out),
    }


def _check(pack: Pack, out: Path) -> None:
    if WEIGHTS in pack.manifest.members:
        raise PackError(
            f"the pack {pack.name} need not be unpacked",
            why=f"it carries {WEIGHTS}",
            fix=f"Start from the pack itself: --from {pack.name}",
        )
    architecture = pack.manifest.provenance.get("architecture")
    if architecture != _ARCHITECTURE or "model" not in pack.manifest.provenance:
        raise PackError(
            f"the weights of the pack {pack.name} cannot be read back",
            why=f"its architecture is {architecture!r}, and only a {_ARCHITECTURE} of the trainer"
            " keeps its weights by name",
            fix=_INSTEAD,
        )
    if out.exists():
        raise UsageError(f"{out} is there already", fix="Give --out a folder that is not")


def _about(pack: Pack) -> dict[str, Any]:
    """The description of a run, as far as the pack has it."""
    if DESCRIPTION in pack.manifest.members:
        found: dict[str, Any] = json.loads((pack.folder / DESCRIPTION).read_text("utf-8"))
        return found
    provenance = pack.manifest.provenance
    return {
        "architecture": provenance["architecture"],
        "model": provenance["model"],
        "languages": list(pack.languages),
        "directions": sorted(map(list, pack.directions)),
        **{key: provenance[key] for key in _DESCRIBED if key in provenance},
    }


def _tensors(pack: Pack, precision: str) -> dict[str, Array]:
    """The initialisers of the greedy graph by their names, those of its sub-graphs included."""
    graph = pack.manifest.variants[precision].greedy
    model = onnx.load(pack.folder / graph)
    return {name: numpy_helper.to_array(tensor) for name, tensor in _initialisers(model.graph)}


def _initialisers(graph: onnx.GraphProto, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Names without the prefix that a sub-graph gives to all of its own."""
    for tensor in graph.initializer:
        yield tensor.name.removeprefix(prefix), tensor
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _initialisers(attribute.g, f"{attribute.g.name}.")


def _weights(
    pack: Pack, about: Mapping[str, Any], tensors: Mapping[str, Array]
) -> dict[str, Tensor]:
    """Every weight of the model, in its shape."""
    with torch.device("meta"):
        model = model_from_about(dict(about))
    look_up = math.sqrt(model.config.d_model)
    found = {}
    for name, expected in model.state_dict().items():
        array = _weight(name, tensors, look_up)
        if array is None or array.shape != tuple(expected.shape):
            raise PackError(
                f"the weights of the pack {pack.name} cannot be read back",
                why=f"its graphs do not hold {name} as the trainer shapes it",
                fix=_INSTEAD,
            )
        found[name] = torch.from_numpy(np.array(array, np.float32))
    return found


def _weight(name: str, tensors: Mapping[str, Array], look_up: float) -> Array | None:
    """One weight as fp32; None if the graphs lack it."""
    if name in tensors:
        return tensors[name]
    layer = name.removesuffix(".weight")
    if f"{name}.int8" in tensors:  # a product: (in, out), with a scale a column
        return (tensors[f"{name}.int8"] * tensors[f"{layer}.scale"]).T
    table = tensors.get(f"{layer}.int8")
    if table is None:
        return None
    if f"{layer}.scale" in tensors:  # the output layer, and what is tied to it
        return table * tensors[f"{layer}.scale"][:, None]
    return table * (tensors[f"{layer}.look_up_scale"] / np.float32(look_up))
