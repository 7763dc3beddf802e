"""Packs are installed and removed wholly or not at all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pack_archives import everything, manifest, members, tiny, zipped

from mltranslate import locations
from mltranslate.errors import MltError, PackError, UsageError
from mltranslate.packs import install as installing
from mltranslate.packs import list_packs, load_pack
from mltranslate.packs.install import install_pack, remove_pack
from mltranslate.packs.lock import locked
from mltranslate.packs.store import HIDDEN


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's packs; the folder is not there yet. No packs ship with the program."""
    place = tmp_path / "data" / "packs"
    monkeypatch.setattr(locations, "user_packs", lambda: place)
    monkeypatch.setattr(locations, "embedded_packs", lambda: tmp_path / "none")
    return place


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return saved(tmp_path / "tiny.zip", tiny())


def saved(file: Path, files: dict[str, bytes]) -> Path:
    file.write_bytes(zipped(files.items()))
    return file


def newer(file: Path) -> Path:
    return saved(file, tiny(version="0.2.0"))


def test_an_installed_pack_can_be_named(store: Path, archive: Path) -> None:
    pack = install_pack(archive)
    assert pack.folder == store / "tiny"
    assert load_pack("tiny") == pack
    assert everything(store) == {f"tiny/{name}": data for name, data in tiny().items()}


def test_everything_is_flushed_before_the_pack_can_be_seen(
    store: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    real = os.fsync

    def flush(descriptor: int) -> None:
        seen.append((store / "tiny").exists())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", flush)
    install_pack(archive)
    folders = [] if os.name == "nt" else [False, True]
    assert seen == [False] * len(tiny()) + folders


def test_an_installed_pack_stays_without_replace(store: Path, archive: Path) -> None:
    install_pack(archive)
    before = everything(store)
    for file in (archive, newer(archive.with_name("newer.zip"))):
        with pytest.raises(UsageError, match="--replace"):
            install_pack(file)
    assert everything(store) == before


def test_replace_leaves_nothing_of_the_old_pack(store: Path, archive: Path) -> None:
    install_pack(archive)
    (store / "tiny" / "old").touch()
    assert install_pack(newer(archive), replace=True).version == "0.2.0"
    assert sorted(everything(store)) == sorted(f"tiny/{name}" for name in tiny())
    assert [path.name for path in store.iterdir()] == ["tiny"]


def test_the_old_pack_comes_back_when_the_new_one_cannot_be_moved(
    store: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_pack(archive)
    before = everything(store)
    real = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if target == store / "tiny" and not self.parent.name.startswith(installing._ASIDE):
            raise PermissionError(13, "no", str(self))
        return real(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(MltError, match="cannot be written"):
        install_pack(newer(archive), replace=True)
    assert everything(store) == before
    assert [path.name for path in store.iterdir()] == ["tiny"]


@pytest.mark.parametrize("failing", ["verify_pack", "_flush_folder", "_move"])
def test_an_interrupt_leaves_nothing(
    store: Path, archive: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(installing, failing, interrupt)
    with pytest.raises(KeyboardInterrupt):
        install_pack(archive)
    assert list(store.iterdir()) == []


KILLED = 9
KILL = """
import os, sys
from pathlib import Path
from mltranslate import locations
from mltranslate.packs import install
store, file, stage = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
locations.user_packs = lambda: store
real = Path.rename

def end(*_, **__):
    os._exit(9)  # As a kill does: no clean-up.

def rename(self, target):
    real(self, target)
    if self.name == "tiny":
        end()

if stage == "rename":
    Path.rename = rename
else:
    setattr(install, stage, end)
install.install_pack(file, replace=True)
"""


@pytest.mark.parametrize("stage", ["unpack", "verify_pack", "_flush_folder", "_move", "rename"])
def test_the_next_installation_cleans_up_after_a_kill(
    store: Path, archive: Path, stage: str
) -> None:
    install_pack(archive)
    before = everything(store)
    file = newer(archive.with_name("newer.zip"))
    killed = subprocess.run([sys.executable, "-c", KILL, store, file, stage], check=False)
    assert killed.returncode == KILLED
    assert [path.name for path in store.iterdir()] != ["tiny"]
    other = saved(archive.with_name("other.zip"), tiny(name="other"))
    install_pack(other)
    assert sorted(path.name for path in store.iterdir()) == ["other", "tiny"]
    assert {k: v for k, v in everything(store).items() if k.startswith("tiny")} == before


def test_a_kill_after_the_new_pack_is_there_keeps_it(store: Path, archive: Path) -> None:
    install_pack(archive)
    shutil.copytree(store / "tiny", store / f"{installing._ASIDE}x" / "tiny")
    install_pack(newer(archive), replace=True)
    assert [path.name for path in store.iterdir()] == ["tiny"]
    assert load_pack("tiny").version == "0.2.0"


def test_a_removal_cleans_up_too(store: Path, archive: Path) -> None:
    install_pack(archive)
    (store / f"{HIDDEN}x").mkdir()
    remove_pack("tiny")
    assert list(store.iterdir()) == []


def test_two_changes_at_once_are_refused(store: Path, archive: Path) -> None:
    store.mkdir(parents=True)
    with locked(store.with_name("packs.lock")), pytest.raises(MltError, match="cannot be locked"):
        install_pack(archive)
    assert list(store.iterdir()) == []
    install_pack(archive)


def test_a_changed_byte_leaves_nothing(store: Path, archive: Path) -> None:
    files = tiny() | {"w.bin": bytes(256)}
    with pytest.raises(PackError, match="SHA-256"):
        install_pack(saved(archive, files))
    assert list(store.iterdir()) == []


@pytest.mark.parametrize(
    ("graph", "why"),
    [
        # GraphProto.node.domain "org.evil"; GraphProto.initializer.external_data location "/x"
        (b"\x3a\x0c\x0a\x0a\x3a\x08org.evil", "custom operators.*org.evil"),
        (b"\x3a\x12\x2a\x10\x6a\x0e\x0a\x08location\x12\x02/x", "reads the file '/x'"),
        (b"\x3a\x7f", "cut off"),
    ],
)
def test_a_hostile_graph_leaves_nothing(store: Path, archive: Path, graph: bytes, why: str) -> None:
    files = members() | {"g.onnx": graph}
    with pytest.raises(PackError, match=why):
        install_pack(saved(archive, {"manifest.json": manifest(files), **files}))
    assert list(store.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes")
def test_an_installed_pack_can_be_read_by_others(store: Path, archive: Path) -> None:
    assert install_pack(archive).folder.stat().st_mode & 0o777 == 0o755


def test_a_store_that_cannot_be_made_is_named(store: Path, archive: Path) -> None:
    store.parent.write_text("in the way")
    with pytest.raises(MltError, match="cannot be written"):
        install_pack(archive)


def test_a_pack_in_the_making_is_none(store: Path, archive: Path) -> None:
    pack = install_pack(archive)
    shutil.copytree(pack.folder, store / f"{HIDDEN}abc")
    assert list_packs() == [pack]


def test_a_removed_pack_is_gone(store: Path, archive: Path) -> None:
    install_pack(archive)
    assert remove_pack("tiny") == store / "tiny"
    assert list(store.iterdir()) == []
    with pytest.raises(PackError, match="none of this name"):
        remove_pack("tiny")


def test_a_damaged_pack_can_be_removed(store: Path, archive: Path) -> None:
    install_pack(archive)
    (store / "tiny" / "manifest.json").unlink()
    remove_pack("tiny")
    assert list(store.iterdir()) == []


@pytest.mark.parametrize("name", ["..", ".", "", "../data", "tiny/", "note.txt", f"{HIDDEN}x"])
def test_only_installed_packs_are_removed(store: Path, archive: Path, name: str) -> None:
    install_pack(archive)
    (store / "note.txt").touch()
    (store / f"{HIDDEN}x").mkdir()
    before = everything(store)
    with pytest.raises(PackError, match="cannot be removed"):
        remove_pack(name)
    assert everything(store) == before


def test_of_a_linked_pack_only_the_link_is_removed(
    store: Path, archive: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    install_pack(archive).folder.rename(elsewhere)
    try:
        (store / "tiny").symlink_to(elsewhere, target_is_directory=True)
    except OSError:
        pytest.skip("this system lets no user make links")
    remove_pack("tiny")
    assert list(store.iterdir()) == []
    assert everything(elsewhere) == tiny()


def test_removing_from_an_empty_store_makes_no_folder(store: Path) -> None:
    with pytest.raises(PackError):
        remove_pack("tiny")
    assert not store.exists()


def test_a_pack_that_was_set_aside_can_be_removed(store: Path, archive: Path) -> None:
    install_pack(archive)
    (store / f"{installing._ASIDE}x").mkdir()
    (store / "tiny").rename(store / f"{installing._ASIDE}x" / "tiny")
    assert remove_pack("tiny") == store / "tiny"
    assert list(store.iterdir()) == []


def test_a_hidden_file_is_in_nobodys_way(store: Path, archive: Path) -> None:
    store.mkdir(parents=True)
    (store / f"{installing._ASIDE}x").write_text("not ours")
    assert install_pack(archive).folder == store / "tiny"


def test_the_old_pack_is_kept_where_it_cannot_come_back(
    store: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_pack(archive)
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if Path(target) == store / "tiny":
            raise PermissionError(13, "Permission denied")
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(MltError, match="Permission denied"):
            install_pack(newer(archive), replace=True)
    install_pack(saved(archive, tiny(name="other")))
    assert load_pack("tiny").version == "0.1.0"
