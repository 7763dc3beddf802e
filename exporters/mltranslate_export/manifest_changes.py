"""Changes what the manifest of a finished pack says of the pack; its model stays as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import onnx

from mltranslate.errors import UsageError
from mltranslate.packs.card import CARD
from mltranslate.packs.manifest import is_version
from mltranslate.packs.pack import Pack, read_manifest
from mltranslate_export.members import change_members, check_unsigned


def check_version(version: str) -> None:
    """Raise UsageError for what cannot be the version of a pack."""
    if not is_version(version):
        raise UsageError(
            f"--version {version!r} is no version of a pack",
            fix="Give three numbers with dots between them, for example 1.2.0",
        )


def with_version(pack: Pack, version: str) -> Pack:
    """Give a pack another version, and take out its model card, which told of the old one.

    Raises:
        UsageError: the pack is signed, or the version is malformed.
        DataError: the folder cannot be written.
    """
    check_version(version)
    return _changed(pack, {"version": version})


def with_length_penalties(pack: Pack, penalties: Mapping[str, float]) -> Pack:
    """Say which length penalties suit beam search, by target language, instead of what was said.

    Its model card is taken out: what comes next writes a new one.

    Raises:
        UsageError: the pack is signed, or its graphs take no length penalty.
        DataError: the folder cannot be written.
    """
    if not all(_takes_length_penalty(pack, name) for name in _beam_graphs(pack)):
        raise UsageError(
            f"the beam search of the pack {pack.name} takes no length penalty",
            why="it was exported before there was one",
            fix="Export it again",
        )
    return _changed(pack, {"length_penalties": dict(penalties)})


def _changed(pack: Pack, fields: Mapping[str, Any]) -> Pack:
    check_unsigned(pack)
    manifest = json.loads(read_manifest(pack.folder))
    return change_members(pack, {**manifest, **fields}, {CARD}, {}, {})


def _beam_graphs(pack: Pack) -> list[str]:
    variants = pack.manifest.variants.values()
    return [name for one in variants for name in (one.beam, one.short_beam) if name]


def _takes_length_penalty(pack: Pack, name: str) -> bool:
    graph = onnx.load(str(pack.folder / name), load_external_data=False).graph
    return any(one.name == "length_penalty" for one in graph.input)
