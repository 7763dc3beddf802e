"""Archives of packs: what is written can be read anywhere, and no archive is believed."""

import io
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from pack_archives import SCHEMAS, entry, everything, members, tiny, zipped

from mltranslate import limits
from mltranslate.errors import MltError, PackError, UsageError
from mltranslate.packs import archive as archives
from mltranslate.packs import read_pack, verify_pack
from mltranslate.packs.archive import unpack, write_archive


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pack.zip"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "unpacked"
    place.mkdir()
    return place


def refused(file: Path, folder: Path, data: bytes, why: str) -> None:
    file.write_bytes(data)
    with pytest.raises(PackError, match=why):
        unpack(file, folder)
    assert list(folder.iterdir()) == []


def test_a_pack_comes_back_whole(file: Path, folder: Path) -> None:
    file.write_bytes(zipped(tiny().items()))
    unpack(file, folder)
    assert everything(folder) == tiny()
    verify_pack(read_pack(folder))


def test_the_same_pack_gives_the_same_bytes(file: Path, folder: Path, tmp_path: Path) -> None:
    unpack(SCHEMAS[0], folder)
    write_archive(read_pack(folder), file)
    again, other = tmp_path / "again", tmp_path / "other.zip"
    again.mkdir()
    unpack(file, again)
    write_archive(read_pack(again), other)
    assert file.read_bytes() == other.read_bytes()
    assert everything(again) == everything(folder)
    assert "manifest.json.sig" in everything(again)


def test_an_existing_file_is_kept(file: Path, folder: Path) -> None:
    file.write_bytes(zipped(tiny().items()))
    unpack(file, folder)
    pack = read_pack(folder)
    file.write_text("mine")
    with pytest.raises(UsageError, match="--replace"):
        write_archive(pack, file)
    assert file.read_text() == "mine"
    write_archive(pack, file, replace=True)
    assert zipfile.is_zipfile(file)


def test_a_damaged_pack_is_not_written(file: Path, folder: Path) -> None:
    file.write_bytes(zipped(tiny().items()))
    unpack(file, folder)
    (folder / "w.bin").write_bytes(bytes(256))
    other = file.with_name("other.zip")
    with pytest.raises(PackError, match="SHA-256"):
        write_archive(read_pack(folder), other)
    assert not other.exists()


def test_a_full_disk_leaves_the_old_file_and_no_other(
    file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(zipped(tiny().items()))
    unpack(file, folder)
    before = everything(file.parent)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", fail)
    with pytest.raises(MltError, match=r"No space left on device\. Make room"):
        write_archive(read_pack(folder), file, replace=True)
    assert everything(file.parent) == before


def test_a_place_that_cannot_be_written_is_named(file: Path, folder: Path) -> None:
    file.write_bytes(zipped(tiny().items()))
    unpack(file, folder)
    place = file / "inside.zip"
    with pytest.raises(MltError, match=r"inside\.zip"):
        write_archive(read_pack(folder), place)


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "/etc/passwd", "a/b", "a\\b", "..\\evil", "C:evil", "C:\\evil", "evil\0.bin", "",
        ".", "..", ".hidden", "folder/", "two\nlines", "trailing.", "nul", "COM1.bin", "ümlaut",
        "x" * 101,
    ],
)  # fmt: skip
def test_names_that_are_not_plain_are_refused(file: Path, folder: Path, name: str) -> None:
    refused(file, folder, zipped([*tiny().items(), (name, b"")]), "not a plain file name")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["w.bin", "W.BIN", "Manifest.json"])
def test_names_that_clash_are_refused(file: Path, folder: Path, name: str) -> None:
    refused(file, folder, zipped([*tiny().items(), (name, b"")]), "the same name")


@pytest.mark.parametrize(
    "mode", [stat.S_IFLNK | 0o777, stat.S_IFDIR | 0o755, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK]
)
def test_what_is_no_plain_file_is_refused(file: Path, folder: Path, mode: int) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in tiny().items():
            archive.writestr(entry(name, mode if name == "w.bin" else stat.S_IFREG), data)
    refused(file, folder, stream.getvalue(), "not a plain file")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_is_refused(file: Path, folder: Path, method: int) -> None:
    refused(file, folder, zipped(tiny().items(), method), "neither stored nor deflated")


def test_encryption_is_refused(file: Path, folder: Path) -> None:
    data = bytearray(zipped(tiny().items()))
    data[data.rindex(b"PK\1\2") + 8] |= 1
    refused(file, folder, bytes(data), "encrypted")


def test_missing_and_foreign_members_are_refused(file: Path, folder: Path) -> None:
    for name in tiny():
        files = tiny()
        del files[name]
        refused(file, folder, zipped(files.items()), name)
    files = {**tiny(), "more.bin": b""}
    refused(file, folder, zipped(files.items()), r"more\.bin is no member")


def test_a_size_that_is_not_the_manifests_is_refused(file: Path, folder: Path) -> None:
    files = {**tiny(), "w.bin": b"short"}
    refused(file, folder, zipped(files.items()), "5 bytes instead of 256")


def test_too_many_members_are_refused(file: Path, folder: Path) -> None:
    files = {f"m{n}": b"" for n in range(limits.MAX_PACK_MEMBERS)}
    refused(file, folder, zipped({**tiny(), **files}.items()), "more than 256 members")


def test_a_huge_list_of_members_is_not_even_read(file: Path, folder: Path) -> None:
    files = ((f"{n:05}{'x' * 90}", b"") for n in range(9000))
    refused(file, folder, zipped(files), "list of members is too long")


def test_a_bomb_by_ratio_is_refused(file: Path, folder: Path) -> None:
    files = members() | {"w.bin": bytes(4 * 2**20)}
    refused(file, folder, zipped({**tiny(), **files}.items()), "100 times its size")


def test_a_bomb_by_size_is_refused(
    file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_PACK_BYTES", 100 - limits.MAX_MANIFEST_BYTES)
    refused(file, folder, zipped(tiny().items()), "unpacks to more than")


def test_a_bomb_that_states_a_small_size_writes_no_more_than_that(
    file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights unpack to 4 MiB, and the archive says 256 bytes, as the manifest does."""
    files = {**tiny(), "w.bin": bytes(4 * 2**20)}
    data = bytearray(zipped(files.items()))
    place = data.rindex(b"PK\1\2")
    assert data[place + 46 : place + 51] == b"w.bin"
    struct.pack_into("<I", data, place + 24, 256)
    written: list[int] = []
    real = archives._chunks
    monkeypatch.setattr(
        archives, "_chunks", lambda *a: (written.append(len(c)) or c for c in real(*a))
    )
    file.write_bytes(data)
    with pytest.raises(PackError):
        unpack(file, folder)
    assert sum(written) < 4096
    assert all(path.stat().st_size < 4096 for path in folder.iterdir())


def test_members_that_share_their_bytes_are_refused(file: Path, folder: Path) -> None:
    """Every entry of the list states a compressed size as large as the archive."""
    data = bytearray(zipped(tiny().items(), zipfile.ZIP_STORED))
    place = data.index(b"PK\1\2")
    while place >= 0:
        struct.pack_into("<I", data, place + 20, len(data) - 1)
        place = data.find(b"PK\1\2", place + 4)
    refused(file, folder, bytes(data), "overlap")


def test_a_long_manifest_is_refused_unread(file: Path, folder: Path) -> None:
    files = {**tiny(), "manifest.json": b" " * (limits.MAX_MANIFEST_BYTES + 1), "fill": b""}
    refused(file, folder, zipped(files.items(), zipfile.ZIP_STORED), "larger than")


def test_a_signature_of_another_length_is_refused(file: Path, folder: Path) -> None:
    files = {**tiny(), "manifest.json.sig": bytes(65)}
    refused(file, folder, zipped(files.items()), "larger than 64")


@pytest.mark.parametrize("data", [b"", b"PK", b"no archive at all" * 10])
def test_what_is_no_archive_is_refused(file: Path, folder: Path, data: bytes) -> None:
    refused(file, folder, data, "zip")


def test_a_missing_file_and_a_folder_are_refused(folder: Path) -> None:
    for place in (folder, folder / "none.zip"):
        with pytest.raises(PackError, match="there is no file"):
            unpack(place, folder)
