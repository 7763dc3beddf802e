"""The files that a run's data was made of, so that a later change of their text is noticed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mltranslate.packs.verify import file_sha256

_Described = Mapping[str, Mapping[str, Any]]
_MODIFIED = "modified"
"""When the text was written, in nanoseconds since the epoch."""


def describe_files(paths: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Size, time and SHA-256 of each file, by its absolute path; OSError if one cannot be read.

    Links stay as they are named: they may lead to another file later.
    """
    return {str(path): _described(path) for path in sorted({path.absolute() for path in paths})}


def changed_files(described: _Described) -> list[str]:
    """Those of the described files whose text has changed.

    What is not there any more is left out: shards are used without the text. Only what is as long
    as it was, and has another time (older ones come with copies), is read.
    """
    return [name for name, facts in described.items() if _has_changed(Path(name), facts)]


def added_files(described: _Described, paths: Iterable[Path]) -> list[str]:
    """Those of `paths` that are not described.

    None if the description has no times: it then names what links led to, or no file at all.
    """
    if not described or not all(_MODIFIED in facts for facts in described.values()):
        return []
    return sorted({str(path.absolute()) for path in paths} - described.keys())


def _described(path: Path) -> dict[str, Any]:
    status = path.stat()
    return {
        "bytes": status.st_size,
        _MODIFIED: status.st_mtime_ns,
        "sha256": file_sha256(path),
    }


def _has_changed(path: Path, facts: Mapping[str, Any]) -> bool:
    try:
        status = path.stat()
        if status.st_size != facts["bytes"]:
            return True
        return status.st_mtime_ns != facts.get(_MODIFIED) and file_sha256(path) != facts["sha256"]
    except OSError:
        return False
