"""The files that a run's data was made of, so that a later change of their text is noticed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mltranslate.packs.verify import file_sha256


def describe_files(paths: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of each file, by its absolute path; raises OSError if one cannot be read."""
    return {
        str(path): {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in sorted({path.resolve() for path in paths})
    }


def changed_files(described: Mapping[str, Mapping[str, Any]], made: float) -> list[str]:
    """Those of the described files whose text has changed since the time `made`.

    What is not there any more is left out: shards are used without the text. Only what was written
    after `made` (seconds since the epoch), and is as long as it was, is read.
    """
    return [name for name, facts in described.items() if _has_changed(Path(name), facts, made)]


def _has_changed(path: Path, facts: Mapping[str, Any], made: float) -> bool:
    try:
        status = path.stat()
        if status.st_size != facts["bytes"]:
            return True
        return status.st_mtime > made and file_sha256(path) != facts["sha256"]
    except OSError:
        return False
