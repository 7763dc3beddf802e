"""Strict reading of JSON objects: every key known, every type right, nothing twice."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from mltranslate.errors import PackError


def refuse(why: str) -> NoReturn:
    """Raise the `PackError` of a manifest that breaks the rules."""
    raise PackError(
        "the manifest is refused", why=why, fix="Get the pack again, or export it again"
    )


def parse_object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object from UTF-8; duplicate keys and NaN are refused."""
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        refuse(f"it is not valid JSON ({error})")
    if not isinstance(value, dict):
        refuse("it is not a JSON object")
    return value


class Fields:
    """One JSON object whose keys are taken one by one; `finish` refuses what is left."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            refuse(f"{where} is not an object")
        self._left: dict[str, Any] = dict(value)
        self._where = where

    def has(self, key: str) -> bool:
        """Whether a key is there that may be left out."""
        return key in self._left

    def take(self, key: str) -> Any:
        """Take a key that must be there."""
        if key not in self._left:
            refuse(f"{self._where} lacks {key!r}")
        return self._left.pop(key)

    def text(self, key: str, *, limit: int = 200) -> str:
        """Take a string that is not empty, without control characters."""
        value = self.take(key)
        if not isinstance(value, str) or not 0 < len(value) <= limit or not value.isprintable():
            refuse(f"{self._where}.{key} is not a printable text of 1 to {limit} characters")
        return value

    def integer(self, key: str, low: int, high: int) -> int:
        """Take an integer within bounds."""
        value = self.take(key)
        if type(value) is not int or not low <= value <= high:
            refuse(f"{self._where}.{key} is not an integer from {low} to {high}")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """Take a number within bounds."""
        value = self.take(key)
        if type(value) not in (int, float) or not low <= value <= high:
            refuse(f"{self._where}.{key} is not a number from {low:g} to {high:g}")
        return float(value)

    def items(self, key: str, limit: int) -> list[Any]:
        """Take a list of 1 to `limit` members."""
        value = self.take(key)
        if not isinstance(value, list) or not 0 < len(value) <= limit:
            refuse(f"{self._where}.{key} is not a list of 1 to {limit} members")
        return value

    def mapping(self, key: str, limit: int) -> dict[str, Any]:
        """Take an object of 1 to `limit` members."""
        value = self.take(key)
        if not isinstance(value, dict) or not 0 < len(value) <= limit:
            refuse(f"{self._where}.{key} is not an object of 1 to {limit} members")
        return value

    def finish(self) -> None:
        """Refuse keys that nobody took."""
        if self._left:
            refuse(f"{self._where} has the unknown key {min(self._left)!r}")


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            refuse(f"the key {key!r} occurs twice")
        found[key] = value
    return found


def _no_constant(name: str) -> NoReturn:
    refuse(f"{name} is not a JSON number")
