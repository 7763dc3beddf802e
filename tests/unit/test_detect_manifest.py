from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from mltranslate import locations
from mltranslate.detect import Detector
from mltranslate.detect.features import VERSION
from mltranslate.detect.manifest import MANIFEST_NAME, read_manifest
from mltranslate.errors import PackError


def _write(folder: Path, **changes: Any) -> Path:
    graph = b"graph"
    manifest = {
        "schema": 1,
        "name": "tiny",
        "version": "1.0",
        "graph": "lid.onnx",
        "sha256": hashlib.sha256(graph).hexdigest(),
        "features": "x",
        "table_rows": 8,
        "languages": {"en": ["Latn"], "ru": ["Cyrl"]},
        "calibration": {"log_scale": 0.1, "length_scale": 0},
        **changes,
    }
    (folder / "lid.onnx").write_bytes(graph)
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest), "utf-8")
    return folder


def test_reads_what_was_written(tmp_path: Path) -> None:
    manifest, graph = read_manifest(_write(tmp_path), "x")
    assert graph == b"graph"
    assert manifest.languages == ("en", "ru")
    assert manifest.scripts["ru"] == ("Cyrl",)


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": 2},
        {"features": "y"},
        {"sha256": "0" * 64},
        {"table_rows": 12},
        {"table_rows": "many"},
        {"graph": "../lid.onnx"},
        {"graph": "absent.onnx"},
        {"languages": {"en": ["Klingon"]}},
        {"languages": {"en": []}},
        {"languages": ["en"]},
        {"calibration": {}},
        {"calibration": 3},
    ],
)
def test_refuses(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(PackError):
        read_manifest(_write(tmp_path, **changes), "x")


@pytest.mark.parametrize("content", ["", "[]", "3", "{", "\x00", "[" * 100_000])
def test_refuses_what_is_no_manifest(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST_NAME).write_text(content, "utf-8")
    with pytest.raises(PackError):
        read_manifest(tmp_path, "x")


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="cannot read"):
        Detector(tmp_path / "nowhere")


def test_damaged_graph_is_refused(tmp_path: Path) -> None:
    shipped = locations.embedded_lid()
    graph = bytearray((shipped / "lid.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (tmp_path / "lid.onnx").write_bytes(graph)
    (tmp_path / MANIFEST_NAME).write_bytes((shipped / MANIFEST_NAME).read_bytes())
    with pytest.raises(PackError, match="damaged"):
        Detector(tmp_path)


def test_shipped_identifier_is_small_and_whole() -> None:
    manifest, graph = read_manifest(locations.embedded_lid(), VERSION)
    assert len(graph) <= 5_000_000
    assert len(manifest.languages) >= 15
