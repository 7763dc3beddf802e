"""Writes an unverified pack: graphs, weights, vocabulary and manifest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mltranslate.errors import UsageError
from mltranslate.packs.manifest import KIND, SCHEMA
from mltranslate.packs.pack import MANIFEST_NAME, Pack, read_pack
from mltranslate.packs.shortlist import Shortlist, pack_shortlists
from mltranslate.packs.verify import file_sha256
from mltranslate_export.checkpoint import Checkpoint, describe
from mltranslate_export.graphs.alignment import alignment_graph
from mltranslate_export.graphs.beam import beam_graph
from mltranslate_export.graphs.builder import GraphBuilder
from mltranslate_export.graphs.equalise import (
    Coupling,
    Factors,
    couplings,
    equalised,
    equalised_ranges,
    factors_for,
)
from mltranslate_export.graphs.families import FAMILIES
from mltranslate_export.graphs.greedy import greedy_graph
from mltranslate_export.graphs.linear import Float32, Int8, Linears, Ranges
from mltranslate_export.graphs.network import Network
from mltranslate_export.graphs.storage import save_graphs
from mltranslate_export.graphs.transformer import TransformerNetwork
from mltranslate_export.shortlist import describe as describe_shortlists
from mltranslate_export.training_weights import DESCRIPTION, WEIGHTS, write_weights
from mltranslate_train.model.transformer import TransformerConfig

PRECISIONS = ("fp32", "int8")
REPORT = "report.json"
VOCABULARY = "vocabulary.model"
SHORTLIST = "shortlist.bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackPlan:
    """What the caller decides about a pack."""

    name: str
    version: str
    licence: str
    precisions: tuple[str, ...]
    weights: bool = False
    """Add the weights as the trainer reads them, for fine-tuning."""
    shortlists: Mapping[str, Shortlist] = field(default_factory=dict)
    """By target language; with any, there are graphs that score only what they give."""
    length_penalties: Mapping[str, float] = field(default_factory=dict)
    """Target languages that another length penalty suits than the engine's usual one."""

    def __post_init__(self) -> None:
        unknown = [p for p in self.precisions if p not in PRECISIONS]
        if unknown or not self.precisions:
            raise UsageError(
                f"precision {', '.join(unknown) or 'list'} is not offered",
                fix=f"Choose from {', '.join(PRECISIONS)}",
            )


def build_pack(checkpoint: Checkpoint, folder: Path, plan: PackPlan, *, ranges: Ranges) -> Pack:
    """Write all members and the manifest into `folder`, with an empty report, and load the pack.

    `ranges` are those of `calibrate`; only int8 needs them.
    """
    for precision in plan.precisions:
        write_variant(checkpoint, folder, precision, ranges, short=bool(plan.shortlists))
    shutil.copyfile(checkpoint.vocabulary, folder / VOCABULARY)
    if plan.weights:
        write_weights(checkpoint, folder)
    if plan.shortlists:
        (folder / SHORTLIST).write_bytes(pack_shortlists(list(plan.shortlists.values())))
    return write_manifest(checkpoint, folder, plan, report={})


def write_variant(
    checkpoint: Checkpoint, folder: Path, precision: str, ranges: Ranges, *, short: bool
) -> None:
    """Write the graphs of one precision and the weights that they share.

    With `short` there are also those that score only what a shortlist gives.
    """
    files = _files(checkpoint, precision, short=short)
    graphs = graphs_of(checkpoint, precision, ranges, short=short)
    named = {files[field]: graph for field, graph in graphs.items()}
    save_graphs(folder, named, files["weights"])


def graphs_of(
    checkpoint: Checkpoint, precision: str, ranges: Ranges, *, short: bool,
    factors: Factors | None = None,
) -> dict[str, GraphBuilder]:  # fmt: skip
    """The graphs of one precision by their fields of `Variant`; only int8 needs `ranges`.

    With `short` there are also those that score only what a shortlist gives. `factors` take the
    place of those that suit the ranges.
    """
    network = network_of(checkpoint, precision, ranges, factors=factors)
    graphs = {"greedy": greedy_graph(network), "beam": beam_graph(network)}
    if isinstance(network, TransformerNetwork):
        graphs["aligned"] = alignment_graph(network)
    if short:
        network = network_of(checkpoint, precision, ranges, short=True, factors=factors)
        graphs["short_greedy"] = greedy_graph(network)
        graphs["short_beam"] = beam_graph(network)
    return graphs


def network_of(
    checkpoint: Checkpoint, precision: str, ranges: Ranges, *, short: bool = False,
    factors: Factors | None = None,
) -> Network[Any]:  # fmt: skip
    """Graph fragments of the model in one precision; only int8 needs `ranges`."""
    weights = checkpoint.weights()
    banned = np.array(checkpoint.banned, np.int64)
    separate = checkpoint.model.config.embeddings == "separate"
    output = "output" if separate else "embedding"
    linears: Linears
    if precision == "int8":
        among = coupled(checkpoint)
        factors = factors_for(weights, ranges, among) if factors is None else factors
        weights = equalised(weights, factors, among)
        even = equalised_ranges(ranges, factors, among)
        linears = Int8(weights, banned, output, even, short=short)
    else:
        linears = Float32(weights, banned, output, short=short)
    network = FAMILIES[checkpoint.architecture](checkpoint.model.config, weights, linears)
    network.short = short
    return network


def coupled(checkpoint: Checkpoint) -> list[Coupling]:
    """Layers whose channels int8 graphs share out differently than the model."""
    config = checkpoint.model.config
    if not isinstance(config, TransformerConfig):
        return []
    if checkpoint.about.get("unpacked", {}).get("precision") == "int8":
        return []  # its integers are to stay as they are
    return couplings(config)


def write_manifest(
    checkpoint: Checkpoint, folder: Path, plan: PackPlan, *, report: dict[str, Any]
) -> Pack:
    """Write report and manifest for the members that `folder` holds, and load the pack."""
    write_json(folder / REPORT, report)
    short = bool(plan.shortlists)
    variants = {
        precision: _files(checkpoint, precision, short=short) for precision in plan.precisions
    }
    names = [VOCABULARY, REPORT, *(name for files in variants.values() for name in files.values())]
    names += [WEIGHTS, DESCRIPTION] if plan.weights else []
    names += [SHORTLIST] if short else []
    write_json(folder / MANIFEST_NAME, _manifest(checkpoint, folder, plan, variants, names))
    return read_pack(folder)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write an object as indented UTF-8 JSON."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    path.write_text(text + "\n", "utf-8")


def _manifest(
    checkpoint: Checkpoint, folder: Path, plan: PackPlan, variants: dict[str, dict[str, str]],
    names: Sequence[str],
) -> dict[str, Any]:  # fmt: skip
    config = checkpoint.model.config
    return {
        "schema": SCHEMA,
        "kind": KIND,
        "name": plan.name,
        "version": plan.version,
        "languages": list(checkpoint.about["languages"]),
        "directions": [list(pair) for pair in checkpoint.about["directions"]],
        "tokenizer": {
            "file": VOCABULARY,
            "size": config.vocabulary_size,
            "pad": 0,
            "eos": 3,
            "tags": dict(checkpoint.tags),
            # Left out where it is the default: such packs load in engines that do not know it.
            **({"source_tag": checkpoint.source_tag} if checkpoint.source_tag != "target" else {}),
        },
        "max_source_tokens": checkpoint.max_source_tokens,
        "max_target_tokens": config.max_length,
        "variants": variants,
        "members": {
            name: {"sha256": file_sha256(folder / name), "bytes": (folder / name).stat().st_size}
            for name in sorted(names)
        },
        "licence": plan.licence,
        "provenance": _provenance(checkpoint, plan),
        "report": REPORT,
        # Left out by packs that have none, which then load in engines that do not know the key.
        **(
            {"shortlist": {"file": SHORTLIST, "targets": describe_shortlists(plan.shortlists)}}
            if plan.shortlists
            else {}
        ),
        **({"length_penalties": dict(plan.length_penalties)} if plan.length_penalties else {}),
    }


def _provenance(checkpoint: Checkpoint, plan: PackPlan) -> dict[str, Any]:
    found = describe(checkpoint)
    if "int8" in plan.precisions:
        found["int8_modules_in_fp32"] = list(network_of(checkpoint, "fp32", {}).float_modules)
    return found


def aligns(checkpoint: Checkpoint) -> bool:
    """Whether a pack of this model gets graphs that align words."""
    return isinstance(network_of(checkpoint, "fp32", {}), TransformerNetwork)


def _files(checkpoint: Checkpoint, precision: str, *, short: bool) -> dict[str, str]:
    graphs = ["greedy", "beam", *(["short_greedy", "short_beam"] if short else [])]
    graphs += ["aligned"] if aligns(checkpoint) else []
    names = {name: f"{precision}.{name.replace('_', '.')}.onnx" for name in graphs}
    return {**names, "weights": f"{precision}.bin"}
