"""Changes what a finished pack has beside its model; at any moment the pack is whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from mltranslate.errors import UsageError
from mltranslate.packs.manifest import MANIFEST_NAME, SIGNATURE_NAME
from mltranslate.packs.pack import Pack, read_pack
from mltranslate_train.data.whole import whole_file, writable


def check_unsigned(pack: Pack) -> None:
    """Raise UsageError for a signed pack, whose manifest must stay."""
    if (pack.folder / SIGNATURE_NAME).exists():
        raise UsageError(
            f"the pack {pack.name} is signed",
            why="any change would make its signature wrong",
            fix="Change it first, then sign with mltranslate packs export --sign",
        )


def change_members(
    pack: Pack,
    manifest: Mapping[str, Any],
    gone: Collection[str],
    new: Mapping[str, bytes],
    fields: Mapping[str, Any],
) -> Pack:
    """Take the files `gone` out of a pack, put `new` ones in, and return it.

    `manifest` is that of the pack without anything that speaks of the files that change; `fields`
    is what it says of the new ones. Raises DataError when the folder cannot be written.
    """
    kept = {name: one for name, one in manifest["members"].items() if name not in gone}
    bare = {**manifest, "members": kept}
    added = {name: _member(data) for name, data in new.items()}
    whole = {**manifest, **fields, "members": dict(sorted({**kept, **added}.items()))}
    files = [(MANIFEST_NAME, _json(bare)), *new.items(), (MANIFEST_NAME, _json(whole))]
    with writable(pack.folder):
        for name, data in files:
            with whole_file(pack.folder / name) as place:
                place.write_bytes(data)
        for name in set(gone) - set(new):
            (pack.folder / name).unlink(missing_ok=True)
    return read_pack(pack.folder)


def _member(data: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def _json(manifest: Mapping[str, Any]) -> bytes:
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()
