"""Reads packages of Argos Translate: a CTranslate2 model, its SentencePiece model and metadata.

A package is a zip file (`.argosmodel`) with one folder, or that folder after its installation.
"""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

from mltranslate.errors import DataError, reason
from mltranslate.limits import MAX_PACK_BYTES, MAX_PACK_MEMBERS, MAX_PACK_RATIO
from mltranslate_export.importers.ctranslate2_model import Ctranslate2Model
from mltranslate_export.importers.files import read_object
from mltranslate_export.importers.model_bin import MODEL

METADATA = "metadata.json"
FOLDER = "model"
_SPLITTER = "sentencepiece.model"
_BPE = "bpe.model"
_SIDES = ("shared", "source", "target")
_WANTED = frozenset({
    METADATA, _SPLITTER, _BPE, f"{FOLDER}/{MODEL}", f"{FOLDER}/config.json",
    *(f"{FOLDER}/{side}_vocabulary.{form}" for side in _SIDES for form in ("json", "txt")),
})  # fmt: skip
"""Members that are read; sentence splitters and whatever else there is are left alone."""
_MOST_MEMBERS = 16 * MAX_PACK_MEMBERS
_ALLOWANCE = 2**20
_CHUNK = 2**20
_ENCRYPTED = 0x1
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile and zlib raise for damaged bytes.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError)


def unpack_argos(file: Path, folder: Path) -> Path:
    """Unpack what is needed of a package into the new `folder`, and return it.

    Raises:
        DataError: the file is no package, damaged, or unpacks to more than it should.
    """
    folder.mkdir()
    (folder / FOLDER).mkdir()
    try:
        with zipfile.ZipFile(file) as archive:
            for name, info in _members(archive, file).items():
                with archive.open(info) as member, (folder / name).open("xb") as target:
                    shutil.copyfileobj(member, target, _CHUNK)
    except _DAMAGE as error:
        raise _refusal(file, reason(error)) from error
    if not (folder / METADATA).is_file():
        raise _refusal(file, f"it has no {METADATA}: it is no package of Argos Translate")
    return folder


def open_argos(folder: Path) -> Ctranslate2Model:
    """Open the model of an unpacked package.

    Raises:
        DataError: it is no translation model, or splits text otherwise than by SentencePiece.
    """
    about = read_object(folder / METADATA)
    _check(folder, about)
    languages = about.get("from_code"), about.get("to_code")
    return Ctranslate2Model(folder / FOLDER, folder / _SPLITTER, languages)


def _check(folder: Path, about: dict[str, Any]) -> None:
    if (kind := about.get("type", "translate")) != "translate":
        raise _refusal(folder, f"{METADATA} says that it is of the type {kind!r}")
    if prefix := about.get("target_prefix"):
        raise _refusal(folder, f"its targets begin with {prefix!r} (target_prefix)")
    if not (folder / _SPLITTER).is_file():
        has = (
            f"has {_BPE}, made for the Moses tokenizer" if (folder / _BPE).is_file() else "lacks it"
        )
        raise _refusal(folder, f"only {_SPLITTER} can be imported, and it {has}")


def _members(archive: zipfile.ZipFile, file: Path) -> dict[str, zipfile.ZipInfo]:
    """Wanted members by their names inside the package's folder."""
    listed = archive.infolist()
    if len(listed) > _MOST_MEMBERS:
        raise _refusal(file, f"it has more than {_MOST_MEMBERS} members")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in listed:
        name = "/".join(PurePosixPath(info.filename).parts[1:])
        if name not in _WANTED or info.is_dir():
            continue
        kind = stat.S_IFMT(info.external_attr >> 16)
        if name in found or info.flag_bits & _ENCRYPTED or kind not in (0, stat.S_IFREG):
            raise _refusal(file, f"{name} is there twice, encrypted, or no plain file")
        if info.compress_type not in _PACKINGS:
            raise _refusal(file, f"{name} is packed otherwise than by deflate")
        found[name] = info
    size = sum(info.file_size for info in found.values())
    if size > min(MAX_PACK_BYTES, MAX_PACK_RATIO * file.stat().st_size + _ALLOWANCE):
        raise _refusal(file, f"it unpacks to {size} bytes")
    return found


def _refusal(place: Path, why: str) -> DataError:
    return DataError(f"{place} cannot be imported", why=why)
