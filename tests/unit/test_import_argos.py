"""Packages of Argos Translate are unpacked with mistrust."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pack_archives import entry, zipped

from mltranslate.errors import DataError
from mltranslate_export.importers import argos
from mltranslate_export.importers.argos import open_argos, unpack_argos

ABOUT = {"from_code": "en", "to_code": "de"}


def package(tmp_path: Path, files: list[tuple[str, bytes]]) -> Path:
    file = tmp_path / "some.argosmodel"
    file.write_bytes(zipped(files))
    return file


def about(**more: Any) -> tuple[str, bytes]:
    return "one/metadata.json", json.dumps({**ABOUT, **more}).encode()


def test_only_what_is_needed_is_unpacked(tmp_path: Path) -> None:
    files = [about(), ("one/sentencepiece.model", b"s"), ("one/model/model.bin", b"m"),
             ("one/stanza/en/model.pt", b"x"), ("../one/metadata.json", b"x"),
             ("/metadata.json", b"{}"), ("one/model/../../evil", b"x")]  # fmt: skip
    folder = unpack_argos(package(tmp_path, files[:4] + files[4:5] + files[6:]), tmp_path / "p")
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    assert found == ["metadata.json", "model/model.bin", "sentencepiece.model"]
    assert not (tmp_path / "evil").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "it has no metadata.json"),
        ([("metadata.json", b"{}")], "it has no metadata.json"),
        ([about(), about()], "there twice"),
        ([about(), ("one/model/model.bin", bytes(2**22))], "it unpacks to"),
    ],
)
def test_other_archives_are_refused(
    tmp_path: Path, files: list[tuple[str, bytes]], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        unpack_argos(package(tmp_path, files), tmp_path / "p")


def test_links_are_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(entry("one/metadata.json", 0o120777), b"/etc/passwd")
    (tmp_path / "some.argosmodel").write_bytes(stream.getvalue())
    with pytest.raises(DataError, match="no plain file"):
        unpack_argos(tmp_path / "some.argosmodel", tmp_path / "p")


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_compression_is_refused(tmp_path: Path, packing: int) -> None:
    file = tmp_path / "some.argosmodel"
    with zipfile.ZipFile(file, "w", packing) as archive:
        archive.writestr(*about())
    with pytest.raises(DataError, match="is packed otherwise"):
        unpack_argos(file, tmp_path / "p")


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(argos, "_MOST_MEMBERS", 1)
    with pytest.raises(DataError, match="more than 1 members"):
        unpack_argos(package(tmp_path, [about(), ("one/x", b"")]), tmp_path / "p")


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04" + bytes(60)])
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "some.argosmodel").write_bytes(data)
    with pytest.raises(DataError, match="cannot be imported"):
        unpack_argos(tmp_path / "some.argosmodel", tmp_path / "p")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([about()], "lacks it"),
        ([about(), ("one/bpe.model", b"#version: 0.2")], "has bpe.model"),
        ([about(type="sbd"), ("one/sentencepiece.model", b"")], "of the type 'sbd'"),
        ([about(target_prefix=">>fra<<"), ("one/sentencepiece.model", b"")], "target_prefix"),
        ([("one/metadata.json", b"[]")], "not a JSON object"),
        ([("one/metadata.json", b"[" * 200_000)], "cannot be read"),
    ],
    ids=range(6),
)
def test_other_packages_are_refused(
    tmp_path: Path, files: list[tuple[str, bytes]], message: str
) -> None:
    folder = unpack_argos(package(tmp_path, files), tmp_path / "p")
    with pytest.raises(DataError, match=message):
        open_argos(folder)
