"""Where packs are found: a path, the user's packs, then the packs that ship with the program.

Packs that can be named have an order of choice: the user's come first, by name, as they were
installed on purpose; then those that ship, `DEFAULT` first and the others by name.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from mltranslate import locations
from mltranslate.errors import PackError
from mltranslate.packs.pack import MANIFEST_NAME, Pack, read_pack

HIDDEN = ".pack-"
"""How a folder begins in which a pack is being unpacked or removed: it is no pack."""

DEFAULT = "core9-small"
"""Of the packs that ship, the one that comes first: the best for its languages."""

_log = logging.getLogger(__name__)


def load_pack(name_or_path: str | Path) -> Pack:
    """Load a pack by its folder or its name; `PackError` if there is none or it is damaged."""
    if Path(name_or_path).suffix == ".zip" and Path(name_or_path).is_file():
        raise PackError(
            f"{name_or_path} is a packed pack", fix=f"mltranslate packs install {name_or_path}"
        )
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
    """Load the pack `name`; without one, the embedded pack that comes first."""
    if name is not None:
        return load_pack(name)
    embedded = _embedded_folders()
    if not embedded:
        raise PackError(
            "no pack ships with this installation",
            why=f"{locations.embedded_packs()} is empty",
            fix="Give the name or the folder of a pack: --pack, or pack= in Python",
        )
    return read_pack(embedded[0])


def find_packs(name: str | Path | None = None) -> list[Pack]:
    """Load the pack `name` alone; without one all that can be named, in the order of choice.

    Damaged ones are logged and left out. Raises `PackError` when none remains.
    """
    if name is not None:
        return [load_pack(name)]
    packs = list_packs()
    if not packs:
        places = f"{locations.user_packs()} nor in {locations.embedded_packs()}"
        raise PackError(
            "there is no pack to translate with",
            why=f"neither in {places} is one that is whole",
            fix="Install one with: mltranslate packs install FILE, or name its folder with --pack",
        )
    return packs


def list_packs() -> list[Pack]:
    """Load all packs that can be named, in the order of choice; damaged ones are logged."""
    packs, damaged = survey_packs()
    for folder, error in damaged.items():
        _log.warning("the pack in %s is left out: %s", folder, error)
    return packs


def survey_packs() -> tuple[list[Pack], dict[Path, PackError]]:
    """Load all packs that can be named, in the order of choice; and what is wrong with others."""
    packs: dict[str, Pack] = {}
    damaged: dict[Path, PackError] = {}
    for folder in pack_folders():
        if folder.name in packs:
            continue
        try:
            packs[folder.name] = read_pack(folder)
        except PackError as error:
            damaged[folder] = error
    return list(packs.values()), damaged


def _is_path(text: str) -> bool:
    separators = {"/", os.sep, os.altsep or "/"}
    return text in {".", ".."} or any(separator in text for separator in separators)


def pack_folders() -> list[Path]:
    """Folders of all packs, the damaged ones too, in the order of choice."""
    return _sub_folders(locations.user_packs()) + _embedded_folders()


def _embedded_folders() -> list[Path]:
    found = _sub_folders(locations.embedded_packs())
    return sorted(found, key=lambda folder: folder.name != DEFAULT)  # the others stay sorted


def _sub_folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(
        path
        for path in parent.iterdir()
        if (path / MANIFEST_NAME).is_file() and not path.name.startswith(HIDDEN)
    )
