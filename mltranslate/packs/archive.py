"""Packs as zip files: written the same to the byte everywhere, read with mistrust."""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from mltranslate.errors import MltError, PackError, UsageError, reason, remedy
from mltranslate.limits import (
    MAX_MANIFEST_BYTES,
    MAX_PACK_BYTES,
    MAX_PACK_MEMBERS,
    MAX_PACK_RATIO,
)
from mltranslate.packs.manifest import (
    MANIFEST_NAME,
    SIGNATURE_NAME,
    Manifest,
    is_member_name,
    parse_manifest,
)
from mltranslate.packs.pack import Pack, read_manifest, read_pack
from mltranslate.packs.signature import (
    SIGNATURE_BYTES,
    check_signature,
    read_signature,
    sign_manifest,
)
from mltranslate.packs.verify import verify_pack

_CHUNK = 2**20
_ALLOWANCE = 2**20
"""Bytes that any archive may unpack to, however small it is."""
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_ENCRYPTED = 0x1
_DOS_FOLDER = 0x10
# What zipfile and zlib raise for damaged bytes; RuntimeError has NotImplementedError in it,
# ValueError has UnicodeDecodeError, and OSError is a file that cannot be read.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, IndexError,
    KeyError, OverflowError, OSError,
)  # fmt: skip


class _Reader(io.BufferedReader):
    """A file that gives at most 1 MiB at once.

    zipfile reads the list of members in one piece before anybody can look at it: this bounds it.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Read `size` bytes, or all that are left."""
        bounded = size is not None and 0 <= size <= _CHUNK
        data = super().read(size if bounded else _CHUNK + 1)
        if len(data) > _CHUNK:
            raise zipfile.BadZipFile("its list of members is too long")
        return data


def unpack(file: Path, folder: Path, *, key: Path | None = None) -> None:
    """Unpack the archive `file` into the empty `folder`, flushed to the disk.

    Names, sizes and the signature (if `key` is given) are checked before the first member is
    written; the SHA-256s are left to `verify_pack`.

    Raises:
        PackError: the archive is damaged, dishonest, or not signed by the owner of `key`.
        UsageError, MltError: `check_signature` cannot use `key`.
        OSError: `folder` cannot be written.
    """
    with _opened(file) as archive:
        listing = _listing(archive, file.stat().st_size)
        manifest = _content(archive, listing, MANIFEST_NAME, MAX_MANIFEST_BYTES)
        signature = None
        if SIGNATURE_NAME in listing:
            signature = _content(archive, listing, SIGNATURE_NAME, SIGNATURE_BYTES)
        if key:
            check_signature(manifest, signature, key)
        _check_members(parse_manifest(manifest), listing)
        for name, info in listing.items():
            _write(folder / name, _chunks(archive, info))


def verify_archive(file: Path, *, key: Path | None = None) -> Manifest:
    """Check every byte of a zip file as an installation would, and return its manifest.

    It is unpacked into a temporary folder, which needs as much room as the pack.

    Raises:
        PackError: the archive is damaged, dishonest, or not signed by the owner of `key`.
        UsageError: `key` cannot be used.
        MltError: there is no room to unpack it, or cryptography is missing.
    """
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            unpack(file, Path(folder), key=key)
            pack = read_pack(Path(folder))
            verify_pack(pack)
            return pack.manifest
    except OSError as error:
        raise MltError(
            f"{file} cannot be unpacked", why=reason(error), fix=remedy(error)
        ) from error


def write_archive(
    pack: Pack, file: Path, *, key: Path | None = None, replace: bool = False
) -> None:
    """Write a pack as the zip `file`; the same pack gives the same bytes on every machine.

    It is verified first. With `key`, a private key in PEM, its manifest is signed; otherwise the
    signature that it has is kept.

    Raises:
        PackError: the pack is damaged.
        UsageError: `file` is there and not `replace`, or the key cannot be used.
        MltError: `file` cannot be written, or cryptography is missing.
    """
    if os.path.lexists(file) and not replace:
        raise UsageError(f"{file} exists already", fix="Replace it with --replace")
    verify_pack(pack)
    manifest = read_manifest(pack.folder)
    signature = sign_manifest(manifest, key) if key else read_signature(pack.folder)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(part, "x") as archive:
            archive.writestr(_entry(MANIFEST_NAME, len(manifest)), manifest)
            if signature is not None:
                archive.writestr(_entry(SIGNATURE_NAME, len(signature)), signature)
            for name, member in sorted(pack.manifest.members.items()):
                entry = _entry(name, member.bytes)
                with (pack.folder / name).open("rb") as source, archive.open(entry, "w") as target:
                    shutil.copyfileobj(source, target, _CHUNK)
        part.replace(file)
    except OSError as error:
        raise MltError(f"{file} cannot be written", why=reason(error), fix=remedy(error)) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _entry(name: str, size: int) -> zipfile.ZipInfo:
    """What the zip says of a member: no time, no user, and stored, as deflate has many forms."""
    info = zipfile.ZipInfo(name, _NO_TIME)
    info.create_system = _UNIX
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.file_size = size
    return info


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    if not file.is_file():
        raise PackError(f"there is no file {file}", fix="Give the zip file of a pack")
    with _reading():
        raw = file.open("rb", buffering=0)
    with _Reader(raw) as reader:
        with _reading():
            archive = zipfile.ZipFile(reader)
        with archive:
            yield archive


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise _refusal(reason(error)) from error


def _listing(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """Members by name, after everything that the archive says of them was checked."""
    members = archive.infolist()
    if len(members) > MAX_PACK_MEMBERS + 2:
        _refuse(f"it has more than {MAX_PACK_MEMBERS} members")
    for info in members:
        _check_entry(info)
    # The name as it is in the archive: zipfile cuts `filename` at a NUL.
    if len({info.orig_filename.lower() for info in members}) != len(members):
        _refuse("two of its members have the same name")
    if sum(info.compress_size for info in members) > size:
        _refuse("its members overlap")
    # zipfile gives no more bytes of a member than the archive states: the bound holds for the
    # real size too.
    unpacked = sum(info.file_size for info in members)
    if unpacked > MAX_PACK_BYTES + MAX_MANIFEST_BYTES + SIGNATURE_BYTES:
        _refuse(f"it unpacks to more than {MAX_PACK_BYTES} bytes")
    if unpacked > MAX_PACK_RATIO * size + _ALLOWANCE:
        _refuse(f"it unpacks to more than {MAX_PACK_RATIO} times its size")
    return {info.orig_filename: info for info in members}


def _check_entry(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    if not is_member_name(name):
        _refuse(f"{name[:100]!r} is not a plain file name; a pack has no folders in it")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or info.external_attr & _DOS_FOLDER:
        _refuse(f"{name} is not a plain file")
    if info.flag_bits & _ENCRYPTED:
        _refuse(f"{name} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        _refuse(f"{name} is neither stored nor deflated")


def _check_members(manifest: Manifest, listing: dict[str, zipfile.ZipInfo]) -> None:
    found = set(listing) - {MANIFEST_NAME, SIGNATURE_NAME}
    if missing := set(manifest.members) - found:
        _refuse(f"{min(missing)} is missing")
    if more := found - set(manifest.members):
        _refuse(f"{min(more)} is no member of the pack")
    for name, member in manifest.members.items():
        if listing[name].file_size != member.bytes:
            _refuse(f"{name} has {listing[name].file_size} bytes instead of {member.bytes}")


def _content(
    archive: zipfile.ZipFile, listing: dict[str, zipfile.ZipInfo], name: str, most: int
) -> bytes:
    if name not in listing:
        _refuse(f"it has no {name}")
    if listing[name].file_size > most:
        _refuse(f"{name} is larger than {most} bytes")
    return b"".join(_chunks(archive, listing[name]))


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with _reading(), archive.open(info) as member:
        while chunk := member.read(_CHUNK):
            yield chunk


def _write(place: Path, chunks: Iterator[bytes]) -> None:
    with place.open("xb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _refuse(why: str) -> NoReturn:
    raise _refusal(why)


def _refusal(why: str) -> PackError:
    return PackError("the archive is refused", why=why, fix="Get the pack again")
