"""Whatever an archive holds: it is installed or refused with PackError, and the store is whole."""

import io
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack_archives import entry, everything, manifest, members, tiny, zipped

from mltranslate import locations
from mltranslate.errors import PackError
from mltranslate.packs import Pack, verify_pack
from mltranslate.packs.install import install_pack

STORED = zipped(tiny().items(), zipfile.ZIP_STORED)
DEFLATED = zipped(tiny().items())
HOSTILE = ["", ".", "..", "../w.bin", "/w.bin", "a/w.bin", "a\\b", "C:w.bin", "w.bin\0.txt",
           "W.BIN", "w.bin", "nul", "manifest.json", "MANIFEST.JSON", "manifest.json.sig", "w.bin/",
           "new.bin"]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@pytest.fixture(scope="module", autouse=True)
def store() -> Iterator[Path]:
    """The user's packs, with one that must outlive everything."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        place = Path(folder, "packs")
        patch.setattr(locations, "user_packs", lambda: place)
        # Nothing here is to outlive a power cut, and waiting for a disk takes most of the time.
        patch.setattr(os, "fsync", lambda _: None)
        (place / "mine").mkdir(parents=True)
        (place / "mine" / "file").write_text("kept")
        # The first installation makes it, and it stays.
        Path(folder, "packs.lock").touch()
        yield place


def install_or_refuse(data: bytes) -> Pack | None:
    """Install an archive and take it away again; what else is in the store must stay."""
    store = locations.user_packs()
    file = store.parent / "fuzzed.zip"
    file.write_bytes(data)
    before = everything(store.parent)
    try:
        pack = install_pack(file)
    except PackError:
        pack = None
    else:
        verify_pack(pack)
        assert pack.folder.parent == store
        for path in pack.folder.iterdir():
            path.unlink()
        pack.folder.rmdir()
    assert everything(store.parent) == before
    assert [path.name for path in store.iterdir()] == ["mine"]
    return pack


def test_the_archive_that_is_spoilt_below_is_good() -> None:
    assert install_or_refuse(STORED)
    assert install_or_refuse(DEFLATED)


@settings(max_examples=300)
@given(st.sampled_from([STORED, DEFLATED]), st.data())
def test_changed_bytes(original: bytes, data: st.DataObject) -> None:
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    install_or_refuse(bytes(changed))


@settings(max_examples=200)
@given(st.sampled_from([STORED, DEFLATED]), st.data())
def test_changed_lists_of_members(original: bytes, data: st.DataObject) -> None:
    """The list at the end has every size, offset, flag and mode: most of what can be forged."""
    changed = bytearray(original)
    first = original.index(b"PK\1\2")
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(first, len(changed) - 1))
        changed[place : place + 4] = data.draw(
            st.sampled_from([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\1", b"\0\0\1\0"])
        )
    install_or_refuse(bytes(changed))


@given(st.sampled_from([STORED, DEFLATED]), st.data())
def test_cut_and_lengthened_archives(original: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(start, len(original)))
    install_or_refuse(original[:start] + original[end:])
    install_or_refuse(data.draw(st.binary(max_size=40)) + original)
    install_or_refuse(original + data.draw(st.binary(max_size=40)))


@given(st.binary(max_size=300))
def test_noise(data: bytes) -> None:
    assert install_or_refuse(data) is None


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(HOSTILE) | st.text(max_size=12), st.integers(0, 0xFFFF), st.binary()
        ),
        min_size=1, max_size=3,
    )
)  # fmt: skip
def test_more_members_of_any_name_and_mode(more: list[tuple[str, int, bytes]]) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in tiny().items():
            archive.writestr(entry(name), data)
        for name, mode, data in more:
            archive.writestr(entry(name.encode(errors="replace").decode(), mode), data)
    pack = install_or_refuse(stream.getvalue())
    assert pack is None or [name for name, _, _ in more] == ["manifest.json.sig"]


@given(st.sampled_from(sorted(members())), st.integers(1, 8 * 2**20))
@settings(max_examples=20)
def test_bombs_of_any_size(name: str, size: int) -> None:
    files = tiny() | {name: bytes(size)}
    assert install_or_refuse(zipped(files.items())) is None


@settings(max_examples=200)
@given(st.sampled_from([None, *sorted(members())]), st.text(max_size=12), JSON)
def test_any_manifest(member: str | None, key: str, value: object) -> None:
    changes = {key: value} if member is None else {"members": {member: value}}
    install_or_refuse(zipped(tiny(**changes).items()))


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_any_graph(graph: bytes) -> None:
    files = members() | {"g.onnx": graph}
    install_or_refuse(zipped({"manifest.json": manifest(files), **files}.items()))
