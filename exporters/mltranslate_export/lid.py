"""Exports a trained language identifier: an int8 table in a small ONNX graph, verified."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from mltranslate.detect.detector import Detector
from mltranslate.detect.features import features, letters
from mltranslate.detect.manifest import MANIFEST_NAME, SCHEMA
from mltranslate.errors import DataError, VerificationError, reason
from mltranslate_train.data.whole import writable

GRAPH_NAME = "lid.onnx"
REPORT_NAME = "report.json"
OPSET = 17
MAX_ACCURACY_LOSS = 0.003
"""Share of the tuning texts that int8 may get wrong more often than fp32."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainedLid:
    """What a training run left: `result` (its lid.json), the arrays, the tuning texts.

    `table` (rows, classes) and `bias` (classes,) are fp32.
    """

    result: dict[str, Any]
    table: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    tuning: list[tuple[str, str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the sub-command `mltranslate-export lid`."""
    parser.add_argument("run", type=Path, help="run folder that mltranslate-train lid wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")


def run(args: argparse.Namespace) -> int:
    """Export `args.run` to `args.out`; returns the exit code, raises the `MltError`s."""
    report = export_lid(args.run, args.out)
    log.info("verified: %s", report["verified"])
    return 0


def export_lid(run_folder: Path, out: Path) -> dict[str, Any]:
    """Write graph, manifest and report to `out`, and return the report.

    Raises `DataError` if the run is damaged or `out` cannot be written, and `VerificationError`
    if the written identifier, run by the engine, does not answer like the trained one.
    """
    trained = read_run(run_folder)
    quantised, scale = quantise(trained.table)
    model = build_graph(quantised, scale, trained.bias, trained.result["length_power"])
    graph = model.SerializeToString()
    with writable(out):
        out.mkdir(parents=True, exist_ok=True)
    # Nothing of what was in `out` is touched before the new identifier has passed.
    with writable(out), tempfile.TemporaryDirectory(dir=out.parent) as name:
        folder = Path(name)
        (folder / GRAPH_NAME).write_bytes(graph)
        _write_json(folder / MANIFEST_NAME, _manifest(trained, graph))
        report = _report(trained, model, len(graph), verify(trained, folder))
        _write_json(folder / REPORT_NAME, report)
        for file in (GRAPH_NAME, MANIFEST_NAME, REPORT_NAME):
            os.replace(folder / file, out / file)
    return report


def read_run(folder: Path) -> TrainedLid:
    """Read a run folder of `mltranslate-train lid`; `DataError` if it is incomplete."""
    try:
        result = json.loads((folder / "lid.json").read_text("utf-8"))
        lines = (folder / "tuning.jsonl").read_text("utf-8").splitlines()
        with np.load(folder / "lid.npz", allow_pickle=False) as arrays:
            table, bias = arrays["table"], arrays["bias"]
        tuning = [(text, language) for text, language in map(json.loads, lines)]
        classes = len(result["classes"])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{folder} is no run of a language identifier",
            why=reason(error),
            fix="Train one with mltranslate-train lid",
        ) from error
    if table.shape[1:] != (classes,) or bias.shape != (classes,):
        raise DataError(f"the arrays of {folder} do not fit its {classes} classes")
    return TrainedLid(result, table, bias, tuning)


def quantise(
    table: npt.NDArray[np.float32], clip: float = 0.9999
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Return int8 (rows, classes) and its one fp32 scale (1,).

    Weights beyond the `clip` quantile of the non-zero magnitudes are cut, so that a few giants
    do not take the resolution from all others.
    """
    magnitudes = np.abs(table[table != 0])
    largest = float(np.quantile(magnitudes, clip)) if magnitudes.size else 1.0
    scale = np.array([largest / 127], np.float32)
    return np.clip(np.rint(table / scale), -127, 127).astype(np.int8), scale


def build_graph(
    table: npt.NDArray[np.int8],
    scale: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32],
    length_power: float,
) -> onnx.ModelProto:
    """Return the graph (rows (N,), ends (B,)) -> scores (B, classes).

    Text b is the rows from ends[b - 1] to ends[b]. The rows are summed as integers, exactly, by
    one running sum over all texts, so that ragged batches need no padding.
    """
    classes = table.shape[1]
    constants: dict[str, npt.NDArray[Any]] = {
        "table": table,
        "zero_row": np.zeros((1, classes), np.int32),
        "zero": np.zeros(1, np.int64),
        "one": np.ones(1, np.float32),
        "axis": np.array(0, np.int64),
        "columns": np.array([1], np.int64),
        "first": np.array([0], np.int64),
        "minus_one": np.array([-1], np.int64),
        "scale": scale,
        "bias": bias,
        "power": np.array([length_power], np.float32),
    }
    nodes = [
        helper.make_node("Gather", ["table", "rows"], ["picked"], axis=0),
        helper.make_node("Cast", ["picked"], ["wide"], to=TensorProto.INT32),
        helper.make_node("CumSum", ["wide", "axis"], ["running"]),
        helper.make_node("Concat", ["zero_row", "running"], ["before"], axis=0),
        helper.make_node("Slice", ["ends", "first", "minus_one"], ["earlier"]),
        helper.make_node("Concat", ["zero", "earlier"], ["starts"], axis=0),
        helper.make_node("Gather", ["before", "ends"], ["upper"], axis=0),
        helper.make_node("Gather", ["before", "starts"], ["lower"], axis=0),
        helper.make_node("Sub", ["upper", "lower"], ["sums"]),
        helper.make_node("Cast", ["sums"], ["real_sums"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["ends", "starts"], ["sizes"]),
        helper.make_node("Cast", ["sizes"], ["real_sizes"], to=TensorProto.FLOAT),
        helper.make_node("Max", ["real_sizes", "one"], ["safe_sizes"]),
        helper.make_node("Pow", ["safe_sizes", "power"], ["divisors"]),
        helper.make_node("Unsqueeze", ["divisors", "columns"], ["divisor_column"]),
        helper.make_node("Mul", ["real_sums", "scale"], ["scaled"]),
        helper.make_node("Div", ["scaled", "divisor_column"], ["divided"]),
        helper.make_node("Add", ["divided", "bias"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "language_identifier",
        [
            helper.make_tensor_value_info("rows", TensorProto.INT64, ["features"]),
            helper.make_tensor_value_info("ends", TensorProto.INT64, ["texts"]),
        ],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["texts", classes])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph, producer_name="mltranslate", opset_imports=[helper.make_opsetid("", OPSET)]
    )
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def verify(trained: TrainedLid, folder: Path) -> dict[str, Any]:
    """Compare the engine's detector on `folder` with the fp32 arrays, on the tuning texts.

    Raises `VerificationError` if int8 loses more than `MAX_ACCURACY_LOSS`.
    """
    detector = Detector(folder)
    texts = [text for text, _ in trained.tuning]
    answers = [found[0].language for found in detector.detect_many(texts)]
    expected = _reference(trained, detector, texts)
    truth = [language for _, language in trained.tuning]
    count = len(texts)
    engine = sum(a == t for a, t in zip(answers, truth, strict=True)) / count
    reference = sum(a == t for a, t in zip(expected, truth, strict=True)) / count
    same = sum(a == b for a, b in zip(answers, expected, strict=True)) / count
    if reference - engine > MAX_ACCURACY_LOSS:
        raise VerificationError(
            "the exported language identifier is worse than the trained one",
            why=f"{engine:.4f} of {count} texts right instead of {reference:.4f}",
            fix="Look at the quantisation of the table.",
        )
    return {
        "texts": count,
        "accuracy_int8": round(engine, 4),
        "accuracy_fp32": round(reference, 4),
        "same_answer": round(same, 4),
    }


def _reference(trained: TrainedLid, detector: Detector, texts: list[str]) -> list[str]:
    """Answer in numpy from the fp32 arrays; the classes ruled out are taken from the engine."""
    classes = trained.result["classes"]
    answers = []
    for text in texts:
        hashed = features(letters([text]), len(trained.table))
        possible = {found.language for found in detector.detect(text, top=len(classes))}
        size = max(1, len(hashed.rows)) ** trained.result["length_power"]
        scores = trained.table[hashed.rows].sum(axis=0) / size + trained.bias
        answers.append(max(possible, key=lambda name: scores[classes.index(name)]))
    return answers


def _report(
    trained: TrainedLid, model: onnx.ModelProto, size: int, verified: dict[str, Any]
) -> dict[str, Any]:
    result = trained.result
    return {
        "name": result["name"],
        "version": result["version"],
        "graph_bytes": size,
        "operators": sorted({node.op_type for node in model.graph.node}),
        "trained": result["tuning"],
        "verified": verified,
        **{key: result[key] for key in ("training", "sampling", "shares")},
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def _manifest(trained: TrainedLid, graph: bytes) -> dict[str, Any]:
    result = trained.result
    return {
        "schema": SCHEMA,
        "name": result["name"],
        "version": result["version"],
        "graph": GRAPH_NAME,
        "sha256": hashlib.sha256(graph).hexdigest(),
        "features": result["features"],
        "table_rows": len(trained.table),
        "languages": result["languages"],
        "calibration": result["calibration"],
        "sources": result["sources"],
        "licence": "CC-BY-SA-4.0",
        "notice": "NOTICES/lid.md",
    }
