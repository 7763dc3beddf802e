"""Reads the weights of a pack back from its graphs, so that training can go on from them."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mltranslate.errors import MltError, PackError, TrainingError, UsageError, reason
from mltranslate.packs.pack import Pack
from mltranslate.packs.verify import verify_pack
from mltranslate_export.build import VOCABULARY
from mltranslate_export.graphs.builder import Array
from mltranslate_export.graphs.storage import read_weights
from mltranslate_export.training_weights import DESCRIPTION, WEIGHTS
from mltranslate_train.checkpoint import BEST, save_weights
from mltranslate_train.data.whole import whole_folder, writable
from mltranslate_train.model.build import describe_config, make_model
from mltranslate_train.model.transformer import TransformerConfig

_ARCHITECTURE = "transformer"
_PRECISIONS = ("fp32", "int8")
"""Graphs that the exporter writes, the most precise first."""
_INSTEAD = "Start from the run that the pack was made from, or from a pack with its weights"
_DESCRIBED = ("step", "target_tokens", "sources", "parent", "averaged")
"""What a manifest says of a model that the description of a run says as well."""
_KINDS: Mapping[str, Any] = {
    "step": int, "target_tokens": int, "training_seconds": (int, float), "sources": list,
    "parent": dict, "averaged": dict,
}  # fmt: skip
_SOURCE = {"name": str, "licence": str, "pairs": int}
_MADE = frozenset({"positions", "banned.bias"})
"""Weights of a graph that no run has: the exporter makes them of the model's shape and marks."""
_LAYER = re.compile(r"(encoder_layers|decoder_layers)\.\d+(?=\.)")


def unpack(pack: Pack, out: Path) -> dict[str, Any]:
    """Write a folder that `run --from` takes, from the most precise graphs of a whole pack.

    Weights of fp32 graphs are those of the run, bit for bit. Those of int8 graphs are what the
    pack multiplies with: int8 values times their scales. Where that fails, `out` is not there.

    Raises:
        PackError: the pack is damaged, contradicts itself, carries its weights already, or its
            graphs do not hold them by name: a recurrent or an imported model.
        UsageError: `out` is there already, or lies in the pack.
        DataError: the disk is full, or the folder cannot be written.
    """
    _check(pack)
    _check_place(pack, out)
    verify_pack(pack)
    precision = _precision(pack)
    held = _held(pack, precision)
    config = _config(pack, held)
    about = _about(pack, config, precision)
    weights = _weights(pack, config, held)
    _write(pack, out, weights, about)
    parameters = sum(tensor.numel() for tensor in weights.values())
    return {
        "pack": pack.name,
        "version": pack.version,
        "precision": precision,
        "parameters": parameters,
        "run": str(out),
    }


def _check(pack: Pack) -> None:
    """Refuse what need not or cannot be unpacked, by what its manifest says."""
    if {WEIGHTS, DESCRIPTION} <= pack.manifest.members.keys():
        raise PackError(
            f"the pack {pack.name} need not be unpacked",
            why=f"it carries {WEIGHTS}",
            fix=f"Start from the pack itself: --from {pack.folder}",
        )
    architecture = pack.manifest.provenance.get("architecture")
    if architecture != _ARCHITECTURE:
        why = (
            f"its architecture is {architecture!r}, and only a {_ARCHITECTURE} of the trainer"
            " keeps its weights by name"
        )
        raise _refusal(pack, why)
    if not isinstance(pack.manifest.provenance.get("model"), dict):
        raise _refusal(pack, "its manifest does not describe the model")


def _check_place(pack: Pack, out: Path) -> None:
    if os.path.lexists(out):  # also a link that leads nowhere
        raise UsageError(f"{out} is there already", fix="Give --out a folder that is not")
    # Path.resolve raises RuntimeError where links go round.
    if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(pack.folder)):
        raise UsageError(
            f"{out} lies in the folder of the pack {pack.name}",
            why="nothing else belongs there",
            fix="Give --out another folder",
        )


def _precision(pack: Pack) -> str:
    for precision in _PRECISIONS:
        if precision in pack.precisions:
            return precision
    why = f"it has {' and '.join(pack.precisions) or 'no'} graphs, not {' or '.join(_PRECISIONS)}"
    raise _refusal(pack, why)


def _held(pack: Pack, precision: str) -> dict[str, Array]:
    """The weights of the greedy graph by their names, those of its sub-graphs included."""
    graph = pack.manifest.variants[precision].greedy
    try:
        return read_weights(pack.folder, graph)
    except Exception as error:  # onnx and protobuf raise almost anything for odd bytes
        raise _refusal(pack, f"{graph} cannot be read ({reason(error)})") from error


def _config(pack: Pack, held: Mapping[str, Array]) -> TransformerConfig:
    """The shape of the model that the manifest describes, which its graphs have as well.

    The layers are counted before a model of that shape is made, however many it may say.
    """
    shape = pack.manifest.provenance["model"]
    if odd := _odd_number(shape):
        raise _refusal(pack, f"its manifest says {odd} {shape[odd]!r} of the model")
    try:
        config = TransformerConfig(**shape)
    except (TypeError, MltError) as error:
        raise _refusal(pack, f"its model is not understood ({reason(error)})") from error
    layers = [match[0] for match in map(_LAYER.match, held) if match]
    expected = {
        "vocabulary_size": pack.manifest.tokenizer.size,
        "max_length": pack.max_target_tokens,
        "encoder_layers": len({name for name in layers if name.startswith("encoder")}),
        "decoder_layers": len({name for name in layers if name.startswith("decoder")}),
    }
    for name, number in expected.items():
        if getattr(config, name) != number:
            why = f"its manifest says {name} {getattr(config, name)} of the model instead of"
            raise _refusal(pack, f"{why} {number}")
    return config


def _odd_number(shape: Mapping[str, Any]) -> str:
    """The first key of a model's shape whose number is none, or out of bounds; empty if none."""
    for item in dataclasses.fields(TransformerConfig):
        if item.name not in shape:
            continue
        value, least = shape[item.name], 0 if item.name == "alignment_heads" else 1
        whole = type(value) is int and value >= least
        share = type(value) in (int, float) and 0 <= value < 1
        if (item.type == "int" and not whole) or (item.type == "float" and not share):
            return item.name
    return ""


def _about(pack: Pack, config: TransformerConfig, precision: str) -> dict[str, Any]:
    """The description of a run, as far as the pack has it; its manifest counts more."""
    provenance = pack.manifest.provenance
    about = {
        **_description(pack),
        **{key: provenance[key] for key in _DESCRIBED if key in provenance},
        **describe_config(config),
        "languages": list(pack.languages),
        "directions": sorted(map(list, pack.directions)),
        "max_source_tokens": pack.max_source_tokens,
        "unpacked": {"name": pack.name, "version": pack.version, "precision": precision},
    }
    training = provenance.get("training")
    if isinstance(training, dict) and "seconds" in training:
        about["training_seconds"] = training["seconds"]
    _check_about(pack, about)
    return about


def _description(pack: Pack) -> dict[str, Any]:
    """`model.json` of a pack that has one without the weights."""
    if DESCRIPTION not in pack.manifest.members:
        return {}
    try:
        found = json.loads((pack.folder / DESCRIPTION).read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _refusal(pack, f"its {DESCRIPTION} cannot be read ({reason(error)})") from error
    if not isinstance(found, dict):
        raise _refusal(pack, f"its {DESCRIPTION} is no object")
    return found


def _check_about(pack: Pack, about: Mapping[str, Any]) -> None:
    """Refuse what would stop a later export of the run."""
    for key, kind in _KINDS.items():
        if key in about and not isinstance(about[key], kind):
            raise _refusal(pack, f"what it says of {key} is not understood")
    for source in about.get("sources", []):
        if not isinstance(source, dict) or not all(
            isinstance(source.get(key), kind) for key, kind in _SOURCE.items()
        ):
            raise _refusal(pack, f"a source is not of {', '.join(_SOURCE)}")


def _weights(
    pack: Pack, config: TransformerConfig, held: Mapping[str, Array]
) -> dict[str, Tensor]:  # fmt: skip
    """Every weight of the model, in its shape; refuses graphs that hold others as well."""
    try:
        with torch.device("meta"):  # no memory, and no draw from the random generator
            model = make_model(config).state_dict()
    except (ArithmeticError, RuntimeError, TypeError) as error:
        raise _refusal(pack, f"its manifest describes no model ({reason(error)})") from error
    found, unused = {}, held.keys() - _MADE
    for name, expected in model.items():
        array = _weight(name, held, math.sqrt(config.d_model))
        if array is None or array.shape != tuple(expected.shape):
            raise _refusal(pack, f"its graphs do not hold {name} as the trainer shapes it")
        found[name] = torch.from_numpy(np.array(array, np.float32))
        unused -= _names(name)
    if unused:
        raise _refusal(pack, f"its graphs hold {min(unused)}, which the described model lacks")
    return found


def _names(name: str) -> set[str]:
    """All names under which graphs may hold a weight, or a part of it."""
    layer = name.removesuffix(".weight")
    parts = (f"{layer}.int8", f"{layer}.scale", f"{layer}.look_up_scale")
    return {name, f"{name}.int8", *parts}


def _weight(name: str, held: Mapping[str, Array], look_up: float) -> Array | None:
    """One weight as fp32; None if the graphs lack it or the scale of each of its rows."""
    if name in held:
        return held[name]
    layer = name.removesuffix(".weight")
    scale = held.get(f"{layer}.scale")
    if scale is None and f"{layer}.look_up_scale" in held:  # a table that only embeds
        scale = held[f"{layer}.look_up_scale"] / np.float32(look_up)
    product = held.get(f"{name}.int8")  # (in, out)
    table = held.get(f"{layer}.int8") if product is None else product.T
    if table is None or scale is None or table.ndim != 2 or scale.size != len(table):
        return None
    rows: Array = table * scale.reshape(-1, 1)
    return rows


def _write(pack: Pack, out: Path, weights: dict[str, Tensor], about: dict[str, Any]) -> None:
    with writable(out), whole_folder(out) as run:
        try:
            save_weights(run / BEST, weights, about)
        except TrainingError as error:  # its advice is for a run, which goes on
            raise OSError(error.why) from error
        shutil.copyfile(pack.folder / pack.manifest.tokenizer.file, run / VOCABULARY)


def _refusal(pack: Pack, why: str) -> PackError:
    return PackError(
        f"the weights of the pack {pack.name} cannot be read back", why=why, fix=_INSTEAD
    )
