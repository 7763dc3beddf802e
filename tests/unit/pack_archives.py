"""Archives of packs for the tests: the golden ones, and a tiny one to be spoilt."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "packs"
SCHEMAS = sorted(GOLDEN.glob("schema-*.zip"))
EMPTY_GRAPH = b"\x08\x0a"
"""An ONNX model with nothing but `ir_version` 10."""


def members() -> dict[str, bytes]:
    """Members of the tiny pack, which is whole but cannot translate."""
    return {
        "b.onnx": EMPTY_GRAPH, "g.onnx": EMPTY_GRAPH, "r.json": b"{}", "v.model": b"pieces",
        "w.bin": bytes(range(256)),
    }  # fmt: skip


def manifest(files: dict[str, bytes], **changes: Any) -> bytes:
    """Manifest of the tiny pack with these members."""
    value: dict[str, Any] = {
        "schema": 1, "kind": "translation", "name": "tiny", "version": "0.1.0",
        "languages": ["en", "de"], "directions": [["en", "de"]],
        "tokenizer": {
            "file": "v.model", "size": 300, "pad": 0, "eos": 3, "tags": {"en": 5, "de": 6}
        },
        "max_source_tokens": 80, "max_target_tokens": 160,
        "variants": {"fp32": {"greedy": "g.onnx", "beam": "b.onnx", "weights": "w.bin"}},
        "members": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in files.items()
        },
        "licence": "CC0-1.0", "provenance": {"sources": []}, "report": "r.json",
    }  # fmt: skip
    return json.dumps({**value, **changes}).encode()


def tiny(**changes: Any) -> dict[str, bytes]:
    """Every file of the tiny pack."""
    files = members()
    return {"manifest.json": manifest(files, **changes), **files}


def zipped(files: Iterable[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files, in this order, whatever their names."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in files:
            archive.writestr(entry(name), data, compression)
    return stream.getvalue()


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    """A plain entry whose name is not tidied up by zipfile."""
    info = zipfile.ZipInfo("placeholder")
    info.filename = info.orig_filename = name
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def everything(folder: Path) -> dict[str, bytes]:
    """Relative name and content of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
