"""TOML files read strictly into frozen dataclasses: nothing is ignored, nothing is guessed."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING
from pathlib import Path
from typing import Any, TypeVar

from mltranslate.errors import ConfigError, reason

if typing.TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")

HERE = "{here}"
"""In a string of a recipe: the folder of its file, for data that lie beside it."""


def read_table(path: Path) -> dict[str, Any]:
    """Read a recipe file; raises ConfigError if it is missing or no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        fix = "Give the path of a TOML file, or the name of a recipe that ships"
        raise ConfigError(f"cannot read recipe {path}", why=reason(error), fix=fix) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        fix = "Mend it, or give another file"
        raise ConfigError(f"recipe {path} is no valid TOML", why=reason(error), fix=fix) from error


def read_extended(path: Path) -> dict[str, Any]:
    """Read a recipe file on top of the one that its key `extends` names, if it does.

    The name is relative to the folder of the file. Keys replace those of the other file one by
    one, those of its sections too; lists are replaced whole. Those that the list `without` names
    ("section.key") are left out. `HERE` in a string becomes the folder of the file that has it.

    Raises:
        ConfigError: a file is missing or no TOML, `extends` leads back to one of them, or `without`
            names what is not there.
    """
    tables: list[dict[str, Any]] = []
    seen: list[Path] = []
    following: Path | None = path
    while following:
        seen.append(following.resolve())
        tables.append(_placed(read_table(following), following.resolve().parent))
        following = _extended(tables[-1].pop("extends", None), following, seen)
    whole: dict[str, Any] = {}
    for table in reversed(tables):
        _leave_out(table.pop("without", []), whole)
        _put(table, whole)
    return whole


def _leave_out(names: Any, table: dict[str, Any]) -> None:
    for name in names if isinstance(names, list) else [names]:
        *sections, key = str(name).split(".")
        inner: Any = table
        for section in sections:
            inner = inner.get(section) if isinstance(inner, dict) else None
        if not isinstance(inner, dict) or key not in inner:
            raise ConfigError(
                f"cannot leave out {name!r}",
                why="no recipe that is extended has it",
                fix='Write without = ["section.key"]',
            )
        del inner[key]


def _placed(value: Any, folder: Path) -> Any:
    """A value of TOML with `HERE` replaced in all its strings."""
    if isinstance(value, dict):
        return {key: _placed(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_placed(item, folder) for item in value]
    return value.replace(HERE, folder.as_posix()) if isinstance(value, str) else value


def _extended(name: Any, path: Path, seen: list[Path]) -> Path | None:
    if name is None:
        return None
    if not isinstance(name, str) or (path.parent / name).resolve() in seen:
        raise ConfigError(
            f"recipe {path} extends {name!r}",
            why="that is no other file",
            fix="Name another recipe's file there, relative to this one",
        )
    return path.parent / name


def _put(table: dict[str, Any], into: dict[str, Any]) -> None:
    for key, value in table.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _put(value, into[key])
        else:
            into[key] = value


def apply_override(table: dict[str, Any], override: str) -> None:
    """Put `section.key=value` into the table; the value is TOML, or a bare word."""
    dotted, equals, text = override.partition("=")
    if not equals or not dotted:
        raise ConfigError(f"--set {override!r} has no value", fix="Write --set section.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *sections, key = dotted.split(".")
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {override!r}: {section!r} is a value, not a section")
    table[key] = value


def build(kind: type[R], table: Any, where: str = "") -> R:
    """Make a dataclass of a table; `where` is the dotted prefix of its keys in messages.

    Raises:
        ConfigError: a key is unknown (its nearest neighbour is named), missing, or of a wrong type.
    """
    if not isinstance(table, dict):
        raise ConfigError(f"{where or 'the recipe'} must be a table of keys")
    hints = typing.get_type_hints(kind)
    fields = {item.name: item for item in dataclasses.fields(kind)}
    for key in table:
        if key not in fields:
            _refuse_key(f"{where}{key}", key, list(fields))
    values = {key: _convert(hints[key], value, where + key) for key, value in table.items()}
    for name, item in fields.items():
        if name not in values and item.default is MISSING and item.default_factory is MISSING:
            raise ConfigError(f"{where}{name} is missing", fix="Add it to the recipe")
    return kind(**values)


def _refuse_key(dotted: str, key: str, known: list[str]) -> None:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    fix = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(known)}"
    raise ConfigError(f"unknown key {dotted!r}", fix=fix)


def _convert(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, f"{where}.")
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, types.UnionType):
        alone, several = arguments
        return _convert(several if isinstance(value, list | tuple) else alone, value, where)
    if origin is tuple and isinstance(value, list | tuple):
        items = enumerate(value)
        return tuple(_convert(arguments[0], item, f"{where}[{index}]") for index, item in items)
    if origin in (dict, Mapping) and isinstance(value, dict):
        return {
            str(key): _convert(arguments[1], item, f"{where}.{key}") for key, item in value.items()
        }
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and type(value) is int:
        return float(value)
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias) and type(value) is hint:
        return value
    wanted = getattr(origin or hint, "__name__", str(hint))
    wanted = {"tuple": "list", "dict": "table"}.get(wanted, wanted)  # as TOML calls them
    raise ConfigError(f"{where} is {value!r}", why=f"it must be of type {wanted}")
