"""Checks every byte of a pack against its manifest, and that its graphs stay inside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mltranslate.errors import PackError, reason
from mltranslate.limits import MAX_GRAPH_BYTES
from mltranslate.packs.graph_scan import scan_graph
from mltranslate.packs.pack import Pack, read_file

_CHUNK = 2**20
_DOMAINS = frozenset({"", "ai.onnx", "com.microsoft"})
"""Operators that every build of onnxruntime has; others need code that is no data."""


def verify_pack(pack: Pack) -> None:
    """Raise `PackError` if a member is not what the manifest says or a graph reads elsewhere."""
    for name, member in pack.manifest.members.items():
        if _readable_sha256(pack.folder / name) != member.sha256:
            raise PackError(
                f"{name} of the pack {pack.name} is damaged",
                why="its SHA-256 is not the manifest's",
                fix="Get the pack again",
            )
    for variant in pack.manifest.variants.values():
        for graph in variant.graphs:
            check_graph(pack, graph)


def check_graph(pack: Pack, name: str) -> None:
    """Raise `PackError` if a graph needs a file that is no member, or custom operators."""
    if pack.manifest.members[name].bytes > MAX_GRAPH_BYTES:
        raise _refusal(pack, name, f"it is larger than {MAX_GRAPH_BYTES} bytes")
    outside = scan_graph(read_file(pack.folder / name, MAX_GRAPH_BYTES))
    if files := outside.files - set(pack.manifest.members):
        why = f"it reads the file {min(files)!r}, which is not a member of the pack"
        raise _refusal(pack, name, why)
    if domains := outside.domains - _DOMAINS:
        raise _refusal(pack, name, f"it needs custom operators, of the domain {min(domains)!r}")


def _refusal(pack: Pack, graph: str, why: str) -> PackError:
    return PackError(
        f"{graph} of the pack {pack.name} is refused",
        why=why,
        fix="Get the pack from a source that you trust",
    )


def _readable_sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise PackError(f"{path} cannot be read", why=reason(error), fix="Permit it") from error


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal; OSError if it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
