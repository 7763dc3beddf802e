"""Where packs are found: a path, the user's packs, then the packs that ship with the program."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from mltranslate import locations
from mltranslate.errors import PackError
from mltranslate.packs.pack import MANIFEST_NAME, Pack, read_pack

HIDDEN = ".pack-"
"""How a folder begins in which a pack is being unpacked or removed: it is no pack."""

DEFAULT = "small-en-de-zh"
"""Of the packs that ship, the one that is used where none is named: the best for its languages."""

_log = logging.getLogger(__name__)


def load_pack(name_or_path: str | Path) -> Pack:
    """Load a pack by its folder or its name; `PackError` if there is none or it is damaged."""
    if isinstance(name_or_path, Path) or _is_path(name_or_path):
        return read_pack(Path(name_or_path))
    for folder in pack_folders():
        if folder.name == name_or_path:
            return read_pack(folder)
    raise PackError(
        f"no pack is called {name_or_path!r}",
        why="it is neither a folder nor an installed pack",
        fix="List the packs with: mltranslate packs list",
    )


def find_pack(name: str | Path | None = None) -> Pack:
    """Load the pack `name`; without one the embedded `DEFAULT`, or else the first by name."""
    if name is not None:
        return load_pack(name)
    embedded = _sub_folders(locations.embedded_packs())
    if not embedded:
        raise PackError(
            "no pack ships with this installation",
            why=f"{locations.embedded_packs()} is empty",
            fix="Give the name or the folder of a pack: --pack, or pack= in Python",
        )
    return read_pack(min(embedded, key=lambda folder: folder.name != DEFAULT))


def list_packs() -> list[Pack]:
    """Load all packs that can be named, the user's first; damaged ones are logged and left out."""
    packs: dict[str, Pack] = {}
    for folder in pack_folders():
        try:
            packs.setdefault(folder.name, read_pack(folder))
        except PackError as error:
            _log.warning("%s: %s", folder, error)
    return list(packs.values())


def _is_path(text: str) -> bool:
    separators = {"/", os.sep, os.altsep or "/"}
    return text in {".", ".."} or any(separator in text for separator in separators)


def pack_folders() -> list[Path]:
    """Folders of all packs that can be named, the damaged ones too, the user's first."""
    return _sub_folders(locations.user_packs()) + _sub_folders(locations.embedded_packs())


def _sub_folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(
        path
        for path in parent.iterdir()
        if (path / MANIFEST_NAME).is_file() and not path.name.startswith(HIDDEN)
    )
