"""The model card of a pack: what it is for, where it comes from and what it cannot do."""

from __future__ import annotations

import hashlib
import re

from mltranslate.errors import PackError
from mltranslate.limits import MAX_CARD_BYTES
from mltranslate.packs.pack import Pack, read_file

CARD = "README.md"
"""Member of a pack that holds its card, in Markdown."""

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, and what shows text in another order; but for tabs and line feeds."""


def printable(text: str) -> str:
    """The text with U+FFFD for every character that a terminal obeys or that reorders others."""
    return _OBEYED.sub("\ufffd", text)


def read_card(pack: Pack) -> str:
    """The card of a pack, safe to be shown: control characters have become U+FFFD.

    Raises:
        PackError: the pack has no card, or it is damaged, no UTF-8 or larger than the limit.
    """
    member = pack.manifest.members.get(CARD)
    if member is None:
        raise PackError(
            f"the pack {pack.name} has no card",
            why=f"it has no member {CARD}",
            fix="Get a newer version of the pack, or write one with mltranslate-export card",
        )
    if member.bytes > MAX_CARD_BYTES:
        raise _refusal(pack, f"it is larger than {MAX_CARD_BYTES} bytes")
    data = read_file(pack.folder / CARD, MAX_CARD_BYTES)
    if hashlib.sha256(data).hexdigest() != member.sha256:
        raise _refusal(pack, "its SHA-256 is not the manifest's")
    try:
        return printable(data.decode())
    except UnicodeDecodeError as error:
        raise _refusal(pack, "it is no UTF-8") from error


def _refusal(pack: Pack, why: str) -> PackError:
    return PackError(
        f"{CARD} of the pack {pack.name} cannot be shown", why=why, fix="Get the pack again"
    )
