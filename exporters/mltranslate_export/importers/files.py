"""Reads the small files of a public checkpoint's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mltranslate.errors import DataError, reason

_WHOLE = "Copy the whole folder of the model"


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; `DataError` if there is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read", why=reason(error), fix=_WHOLE) from error
    if not isinstance(found, dict):
        raise DataError(f"{path} is not a JSON object", fix=_WHOLE)
    return found


def read_bytes(path: Path) -> bytes:
    """Read a file; `DataError` if that fails."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read", why=reason(error), fix=_WHOLE) from error


def language_tokens(folder: Path, size: int) -> dict[str, int]:
    """Ids of the tokens that follow the `size` pieces of a vocabulary, language tags among them.

    They stand in the tokenizer's files, with their ids or, in older folders, in their order.

    Raises:
        DataError: no file has them.
    """
    found = _numbered(folder) or _listed(folder, size)
    if found:
        return found
    raise DataError(
        f"the language tokens of the model in {folder} are not known",
        why="no file of its tokenizer lists them",
        fix="Copy tokenizer.json or special_tokens_map.json beside it",
    )


def _numbered(folder: Path) -> dict[str, int]:
    """Added tokens with their ids."""
    whole = _optional(folder / "tokenizer.json").get("added_tokens", [])
    decoder = _optional(folder / "tokenizer_config.json").get("added_tokens_decoder", {})
    found = {str(token["content"]): int(token["id"]) for token in whole}
    found |= {str(token["content"]): int(number) for number, token in decoder.items()}
    return {token: number for token, number in found.items() if not _is_mark(token)}


def _listed(folder: Path, size: int) -> dict[str, int]:
    """Added tokens by their order, the first one with the id `size`."""
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        about = _optional(folder / name)
        for key in ("additional_special_tokens", "extra_special_tokens"):
            listed = about.get(key) or []
            tokens = [str(t["content"]) if isinstance(t, dict) else str(t) for t in listed]
            languages = [token for token in tokens if not _is_mark(token)]
            if languages:
                return {token: size + index for index, token in enumerate(languages)}
    return {}


def _is_mark(token: str) -> bool:
    """Whether a token is a mark of every model, such as `</s>` and `<mask>`."""
    return token.startswith("<")


def _optional(path: Path) -> Mapping[str, Any]:
    return read_object(path) if path.is_file() else {}
