"""The manifest of a language identifier: what the graph answers, and how to read it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mltranslate.detect.scripts import SCRIPTS
from mltranslate.errors import PackError, reason
from mltranslate.limits import MAX_MANIFEST_BYTES

SCHEMA = 1
MANIFEST_NAME = "manifest.json"
_FIX = "Install the program again, or export the identifier again."


@dataclass(frozen=True, slots=True, kw_only=True)
class LidManifest:
    """A checked manifest.

    The graph's classes are `languages` in this order, then "und". With raw scores z of a text of
    n features the probabilities are softmax(z * exp(`log_scale` + `length_scale` * ln n)).
    """

    name: str
    version: str
    graph: str
    """File name of the ONNX graph, beside the manifest."""
    sha256: str
    features: str
    """Which `mltranslate.detect.features` the table was trained on."""
    table_rows: int
    languages: tuple[str, ...]
    scripts: Mapping[str, tuple[str, ...]]
    """Language code -> ISO 15924 codes of the scripts it is written in."""
    log_scale: float
    length_scale: float


def read_manifest(folder: Path, features: str) -> tuple[LidManifest, bytes]:
    """Read the manifest in `folder` and the graph it names, both checked.

    `features` is the version of the feature code that will feed the graph. Raises `PackError` if
    a file is missing or damaged, or was made for other features.
    """
    manifest = _parse(_read(folder / MANIFEST_NAME, MAX_MANIFEST_BYTES), folder)
    if manifest.features != features:
        raise PackError(
            f"the language identifier {folder} does not fit this program",
            why=f"it was trained on features {manifest.features!r}, the program has {features!r}",
            fix=_FIX,
        )
    graph = _read(folder / manifest.graph, MAX_MANIFEST_BYTES * 16)
    if hashlib.sha256(graph).hexdigest() != manifest.sha256:
        raise PackError(
            f"{folder / manifest.graph} is damaged",
            why="its SHA-256 is not the manifest's",
            fix=_FIX,
        )
    return manifest, graph


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise PackError(f"cannot read {path}", why=reason(error), fix=_FIX) from error
    if len(data) > most:
        raise PackError(f"{path} is too large", why=f"more than {most} bytes", fix=_FIX)
    return data


def _parse(data: bytes, folder: Path) -> LidManifest:
    try:
        raw = json.loads(data)
        if raw["schema"] != SCHEMA:
            raise ValueError(f"schema {raw['schema']!r} is not {SCHEMA}")
        return _from_json(raw)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PackError(
            f"{folder / MANIFEST_NAME} is no manifest of a language identifier",
            why=f"{type(error).__name__}: {error}",
            fix=_FIX,
        ) from error


def _from_json(raw: Mapping[str, Any]) -> LidManifest:
    graph, rows = str(raw["graph"]), int(raw["table_rows"])
    if Path(graph).name != graph:
        raise ValueError(f"{graph!r} is not a plain file name")
    if rows <= 0 or rows & (rows - 1):
        raise ValueError(f"table_rows {rows} is not a power of two")
    scripts = {str(key): tuple(map(str, value)) for key, value in raw["languages"].items()}
    if unknown := {name for names in scripts.values() for name in names} - set(SCRIPTS):
        raise ValueError(f"unknown scripts {sorted(unknown)}")
    if not all(scripts.values()):
        raise ValueError("a language without a script")
    return LidManifest(
        name=str(raw["name"]),
        version=str(raw["version"]),
        graph=graph,
        sha256=str(raw["sha256"]),
        features=str(raw["features"]),
        table_rows=rows,
        languages=tuple(scripts),
        scripts=scripts,
        log_scale=float(raw["calibration"]["log_scale"]),
        length_scale=float(raw["calibration"]["length_scale"]),
    )
