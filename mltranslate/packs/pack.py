"""One model pack in a folder."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mltranslate.errors import PackError, reason
from mltranslate.limits import MAX_MANIFEST_BYTES
from mltranslate.packs.manifest import MANIFEST_NAME, Manifest, parse_manifest

if TYPE_CHECKING:
    from mltranslate.packs.phrasebook import Phrasebook
    from mltranslate.packs.tokenizer import Tokenizer

__all__ = ["MANIFEST_NAME", "Pack", "read_file", "read_manifest", "read_pack"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack whose manifest was read and whose members are there in the stated size."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """Name of the pack."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """Version of the pack."""
        return self.manifest.version

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of all its languages."""
        return self.manifest.languages

    @property
    def directions(self) -> frozenset[tuple[str, str]]:
        """Pairs (source, target) that it translates directly."""
        return self.manifest.directions

    @property
    def max_source_tokens(self) -> int:
        """Longest source in subwords, without tag and end mark."""
        return self.manifest.max_source_tokens

    @property
    def max_target_tokens(self) -> int:
        """Most tokens that can be produced, the end mark included."""
        return self.manifest.max_target_tokens

    @property
    def precisions(self) -> tuple[str, ...]:
        """Precisions that it holds."""
        return tuple(self.manifest.variants)

    def tokenizer(self) -> Tokenizer:
        """Load the subword model of the pack."""
        from mltranslate.packs.tokenizer import Tokenizer

        return Tokenizer(self)

    def phrasebook(self) -> Phrasebook | None:
        """Words and phrases to look up; None where the pack has none."""
        from mltranslate.packs.phrasebook import Phrasebook

        return Phrasebook(self) if self.manifest.phrasebook else None


def read_pack(folder: Path) -> Pack:
    """Read the pack in `folder`; hashes are left to `verify_pack`. Raises `PackError`."""
    pack = Pack(folder=folder, manifest=parse_manifest(read_manifest(folder)))
    for name, member in pack.manifest.members.items():
        size = _regular_size(folder / name)
        if size != member.bytes:
            raise PackError(
                f"{name} of the pack {pack.name} is damaged",
                why=f"it has {size} bytes instead of {member.bytes}",
                fix="Get the pack again",
            )
    return pack


def read_manifest(folder: Path) -> bytes:
    """Bytes of the manifest in `folder`, hardly more than allowed; `PackError` if unreadable."""
    path = folder / MANIFEST_NAME
    if not folder.is_dir():
        raise PackError(f"there is no folder {folder}", fix="Give the folder or name of a pack")
    return read_file(path, MAX_MANIFEST_BYTES + 1)


def read_file(path: Path, most: int) -> bytes:
    """First bytes of a plain file of a pack; `PackError` if it is none or cannot be read."""
    _regular_size(path)
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise PackError(f"{path} cannot be read", why=reason(error), fix="Permit it") from error


def _regular_size(path: Path) -> int:
    """Size of a plain file; links are refused, as they could lead out of the pack."""
    try:
        status = path.lstat()
    except OSError as error:
        raise PackError(
            f"no {path.name} in {path.parent}", why=reason(error), fix="Get the pack again"
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise PackError(
            f"{path.name} in {path.parent} is refused",
            why="it is not a plain file",
            fix="Get the pack again",
        )
    return status.st_size
