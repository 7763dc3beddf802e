"""Puts a model card into a pack, or a newer one in the old one's place."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from mltranslate.errors import PackError, UsageError, reason
from mltranslate.limits import MAX_MANIFEST_BYTES
from mltranslate.packs.card import CARD
from mltranslate.packs.manifest import MANIFEST_NAME, SIGNATURE_NAME
from mltranslate.packs.pack import Pack, read_file, read_manifest, read_pack
from mltranslate_export.card import model_card
from mltranslate_train.data.whole import whole_file, writable

_UNREADABLE = LookupError, TypeError, ValueError, AttributeError


def add_card(pack: Pack, sections: str = "") -> Pack:
    """Write the card of `pack`, with the hand-written `sections`, and its hash into the manifest.

    Raises:
        UsageError: the pack is signed, so its manifest must stay.
        PackError: its provenance or report is not as this exporter writes them.
        DataError: its folder cannot be written.
    """
    if (pack.folder / SIGNATURE_NAME).exists():
        raise UsageError(
            f"the pack {pack.name} is signed",
            why="another card would make its signature wrong",
            fix="Write the card first, then sign with mltranslate packs export --sign",
        )
    manifest = json.loads(read_manifest(pack.folder))
    members = manifest["members"]
    members.pop(CARD, None)
    try:
        report = json.loads(read_file(pack.folder / pack.manifest.report, MAX_MANIFEST_BYTES))
        card = model_card(manifest, report, sections).encode()
    except _UNREADABLE as error:
        raise PackError(
            f"no card can be made of the pack {pack.name}",
            why=f"its provenance or report is not as expected ({reason(error)})",
            fix="Export it again",
        ) from error
    bare = _json(manifest)
    members[CARD] = {"sha256": hashlib.sha256(card).hexdigest(), "bytes": len(card)}
    manifest["members"] = dict(sorted(members.items()))
    # At any moment the pack is whole: without its card while that is written.
    files = (MANIFEST_NAME, bare), (CARD, card), (MANIFEST_NAME, _json(manifest))
    with writable(pack.folder):
        for name, data in files:
            with whole_file(pack.folder / name) as new:
                new.write_bytes(data)
    return read_pack(pack.folder)


def _json(manifest: dict[str, Any]) -> bytes:
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()
