"""Exports a trained language identifier: a 4-bit table in a small ONNX graph, verified."""

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
"""Share of the tuning texts that 4 bits may get wrong more often than fp32."""

Floats = npt.NDArray[np.float32]
_BITS = 4
_LARGEST, _ZERO = 7, 8
"""The largest quantised number, and what is added to make all of them positive."""
_ARRAYS = ("table", "hidden_weight", "hidden_bias", "output_weight", "output_bias")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainedLid:
    """What a training run left: `result` (its lid.json), the arrays, the tuning texts.

    Of C classes, all fp32: `table` (rows, width), `hidden_weight` (units, width), `hidden_bias`
    (units,), `output_weight` (C, width + units), `output_bias` (C,).
    """

    result: dict[str, Any]
    table: Floats
    hidden_weight: Floats
    hidden_bias: Floats
    output_weight: Floats
    output_bias: Floats
    tuning: list[tuple[str, str]]

    def scores(self, rows: npt.NDArray[np.int32]) -> Floats:
        """Return the (C,) scores of a text with these (N,) rows, in fp32."""
        text = self.table[rows].sum(axis=0) / max(1, len(rows)) ** self.result["length_power"]
        hidden = np.maximum(self.hidden_weight @ text + self.hidden_bias, 0)
        scores: Floats = self.output_weight @ np.concatenate([text, hidden]) + self.output_bias
        return scores


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
    model = build_graph(trained, *quantise(trained.table))
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
            values = {name: arrays[name] for name in _ARRAYS}
        tuning = [(text, language) for text, language in map(json.loads, lines)]
        classes = len(result["classes"])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{folder} is no run of a language identifier",
            why=reason(error),
            fix="Train one with mltranslate-train lid",
        ) from error
    width, units = values["table"].shape[1], len(values["hidden_bias"])
    fits = (
        values["hidden_weight"].shape == (units, width)
        and values["output_weight"].shape == (classes, width + units)
        and values["output_bias"].shape == (classes,)
        and width % 2 == 0
    )
    if not fits:
        raise DataError(f"the arrays of {folder} do not fit its {classes} classes")
    return TrainedLid(result, tuning=tuning, **values)


def quantise(table: Floats, clip: float = 0.995) -> tuple[npt.NDArray[np.int8], Floats]:
    """Return whole numbers (rows, width) from -7 to 7, and the scales of the columns (1, width).

    Numbers beyond the `clip` quantile of a column's non-zero magnitudes are cut, so that a few
    giants do not take the resolution from all others.
    """
    scales = np.ones((1, table.shape[1]), np.float32)
    for number, column in enumerate(np.abs(table).T):
        if (some := column[column > 0]).size:
            scales[0, number] = np.quantile(some, clip) / _LARGEST
    return np.clip(np.rint(table / scales), -_LARGEST, _LARGEST).astype(np.int8), scales


def pack(table: npt.NDArray[np.int8]) -> npt.NDArray[np.uint8]:
    """Put two numbers into a byte, (rows, width / 2): the second half of a row is the high one."""
    low, high = np.split(table.astype(np.int16) + _ZERO, 2, axis=1)
    return (low + (high << _BITS)).astype(np.uint8)


def unfold(weights: Floats, scales: Floats) -> Floats:
    """Turn (units, width) weights of a row's numbers into those of the sums that the graph makes.

    It sums whole bytes, b = low + 16 high, and high halves: low = b - 16 high. The scales of the
    columns go in as well; every node less is felt in a short text.
    """
    low, high = np.split(weights * scales, 2, axis=1)
    return np.concatenate([low, high - low * (1 << _BITS)], axis=1)


def build_graph(
    trained: TrainedLid, table: npt.NDArray[np.int8], scales: Floats
) -> onnx.ModelProto:
    """Return the graph (rows (B, F), weights (B, 1, F), sizes (B, 1)) -> scores (B, classes).

    Text b has the rows whose weight is 1; the others fill up the rectangle. The rows are summed
    as integers, exactly, by a product with the weights. `sizes` are the numbers of rows.
    """
    width = table.shape[1]
    output = trained.output_weight
    constants: dict[str, npt.NDArray[Any]] = {
        "table": pack(table),
        "half_byte": np.array([_BITS], np.uint8),
        "zero": np.array(0, np.uint8),
        "zero_of_bytes": np.array(_ZERO + (_ZERO << _BITS), np.uint8),
        "zero_of_halves": np.array(_ZERO, np.uint8),
        "middle": np.array([1], np.int64),
        "power": np.array([trained.result["length_power"]], np.float32),
        "hidden_weight": unfold(trained.hidden_weight, scales),
        "hidden_bias": trained.hidden_bias,
        "output_weight": np.concatenate(
            [unfold(output[:, :width], scales), output[:, width:]], axis=1
        ),
        "output_bias": trained.output_bias,
    }
    nodes = [
        helper.make_node("Gather", ["table", "rows"], ["bytes"], axis=0),
        helper.make_node("BitShift", ["bytes", "half_byte"], ["halves"], direction="RIGHT"),
        _sum("bytes"),
        _sum("halves"),
        helper.make_node("Concat", ["sum_of_bytes", "sum_of_halves"], ["sums"], axis=2),
        helper.make_node("Cast", ["sums"], ["real_sums"], to=TensorProto.FLOAT),
        helper.make_node("Squeeze", ["real_sums", "middle"], ["flat_sums"]),
        helper.make_node("Pow", ["sizes", "power"], ["divisors"]),
        helper.make_node("Div", ["flat_sums", "divisors"], ["text"]),
        helper.make_node("Gemm", ["text", "hidden_weight", "hidden_bias"], ["linear"], transB=1),
        helper.make_node("Relu", ["linear"], ["units"]),
        helper.make_node("Concat", ["text", "units"], ["both"], axis=1),
        helper.make_node("Gemm", ["both", "output_weight", "output_bias"], ["scores"], transB=1),
    ]
    classes = len(trained.output_bias)
    graph = helper.make_graph(
        nodes,
        "language_identifier",
        [
            helper.make_tensor_value_info("rows", TensorProto.INT32, ["texts", "features"]),
            helper.make_tensor_value_info("weights", TensorProto.UINT8, ["texts", 1, "features"]),
            helper.make_tensor_value_info("sizes", TensorProto.FLOAT, ["texts", 1]),
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


def _sum(what: str) -> onnx.NodeProto:
    inputs = ["weights", what, "zero", f"zero_of_{what}"]
    return helper.make_node("MatMulInteger", inputs, [f"sum_of_{what}"])


def verify(trained: TrainedLid, folder: Path) -> dict[str, Any]:
    """Compare the engine's detector on `folder` with the fp32 arrays, on the tuning texts.

    Raises `VerificationError` if 4 bits lose more than `MAX_ACCURACY_LOSS`.
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
        "accuracy_int4": round(engine, 4),
        "accuracy_fp32": round(reference, 4),
        "same_answer": round(same, 4),
    }


def _reference(trained: TrainedLid, detector: Detector, texts: list[str]) -> list[str]:
    """Answer in numpy from the fp32 arrays; the classes ruled out are taken from the engine."""
    classes = np.array(trained.result["classes"])
    possible = detector.probabilities(texts) > 0
    hashed = features(letters(texts), len(trained.table))
    found: list[str] = []
    for rows, allowed in zip(np.split(hashed.rows, hashed.ends[:-1]), possible, strict=True):
        scores = np.where(allowed, trained.scores(rows), -np.inf)
        found.append(str(classes[scores.argmax()]))
    return found


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
        **{key: result[key] for key in ("training", "sampling", "main", "shares")},
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
