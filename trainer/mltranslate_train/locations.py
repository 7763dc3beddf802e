"""The only module of the trainer that knows where files live."""

from __future__ import annotations

import os
from pathlib import Path

from mltranslate.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent


def recipes() -> Path:
    """Folder of the recipes that ship with the trainer.

    An installed wheel carries it inside the package; a checkout has it beside the package.
    """
    packaged = _PACKAGE / "recipes"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "recipes"


def is_path(text: str) -> bool:
    """Whether `text` can only be meant as a path: it names a folder on the way, as ./here does."""
    return text in {".", ".."} or "/" in text or os.sep in text


def find_recipe(text: str) -> Path:
    """The file that `text` names: a path, or the name of a recipe that ships.

    What ends in .toml or has a folder is always a path, and need not exist.

    Raises:
        ConfigError: no recipe of that name ships.
    """
    path = Path(text)
    if path.suffix == ".toml" or is_path(text) or path.is_file():
        return path
    shipped = {file.stem: file for file in sorted(recipes().glob("*.toml"))}
    if text not in shipped:
        raise ConfigError(
            f"there is no recipe {text!r}",
            why=f"those that ship are {', '.join(shipped)}",
            fix="Choose one of them, or give the path of a file",
        )
    return shipped[text]
