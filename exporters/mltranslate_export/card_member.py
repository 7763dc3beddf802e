"""Puts a model card into a pack, or a newer one in the old one's place."""

from __future__ import annotations

import json

from mltranslate.errors import PackError, reason
from mltranslate.limits import MAX_MANIFEST_BYTES
from mltranslate.packs.card import CARD
from mltranslate.packs.pack import Pack, read_file, read_manifest
from mltranslate_export.card import model_card
from mltranslate_export.members import change_members, check_unsigned

_UNREADABLE = LookupError, TypeError, ValueError, AttributeError


def add_card(pack: Pack, sections: str = "") -> Pack:
    """Write the card of `pack`, with the hand-written `sections`, and its hash into the manifest.

    Raises:
        UsageError: the pack is signed, so its manifest must stay.
        PackError: its provenance or report is not as this exporter writes them.
        DataError: its folder cannot be written.
    """
    check_unsigned(pack)
    manifest = json.loads(read_manifest(pack.folder))
    manifest["members"].pop(CARD, None)
    try:
        report = json.loads(read_file(pack.folder / pack.manifest.report, MAX_MANIFEST_BYTES))
        card = model_card(manifest, report, sections).encode()
    except _UNREADABLE as error:
        raise PackError(
            f"no card can be made of the pack {pack.name}",
            why=f"its provenance or report is not as expected ({reason(error)})",
            fix="Export it again",
        ) from error
    return change_members(pack, manifest, {CARD}, {CARD: card}, {})
