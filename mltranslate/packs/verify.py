"""Checks every byte of a pack against its manifest, and that its graphs stay inside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mltranslate.errors import PackError
from mltranslate.packs.graph_scan import external_locations
from mltranslate.packs.pack import Pack

_CHUNK = 2**20


def verify_pack(pack: Pack) -> None:
    """Raise `PackError` if a member is not what the manifest says or a graph reads elsewhere."""
    for name, member in pack.manifest.members.items():
        if file_sha256(pack.folder / name) != member.sha256:
            raise PackError(
                f"{name} of the pack {pack.name} is damaged",
                why="its SHA-256 is not the manifest's",
                fix="Get the pack again",
            )
    for variant in pack.manifest.variants.values():
        for graph in (variant.greedy, variant.beam):
            check_graph(pack, graph)


def check_graph(pack: Pack, name: str) -> None:
    """Raise `PackError` if the graph `name` takes weights from a file that is no member."""
    outside = external_locations((pack.folder / name).read_bytes()) - set(pack.manifest.members)
    if outside:
        raise PackError(
            f"{name} of the pack {pack.name} is refused",
            why=f"it reads the file {min(outside)!r}, which is not a member of the pack",
            fix="Get the pack from a source that you trust",
        )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
