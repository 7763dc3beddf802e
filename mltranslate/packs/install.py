"""Puts packs into the user's folder and takes them out, wholly or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mltranslate import locations
from mltranslate.errors import MltError, PackError, UsageError, reason, remedy
from mltranslate.packs.archive import unpack
from mltranslate.packs.lock import locked
from mltranslate.packs.pack import Pack, read_pack
from mltranslate.packs.store import HIDDEN
from mltranslate.packs.verify import verify_pack

_ASIDE = f"{HIDDEN}old-"
"""How a folder begins that holds a pack which is being replaced, under its own name."""


def install_pack(archive: Path, *, replace: bool = False, key: Path | None = None) -> Pack:
    """Install a pack from a zip file for this user, every byte verified, and return it.

    With `key`, a public key in PEM, its manifest must be signed. Nothing is left behind by a
    failure, and a pack that would have been replaced stays. What a process that was killed left
    behind is cleaned up first.

    Raises:
        PackError: the archive is damaged, dishonest or not signed.
        UsageError: a pack of this name is installed and not `replace`, or `key` cannot be used.
        MltError: the user's folder cannot be written, another process is changing it, or
            cryptography is missing.
    """
    store = locations.user_packs()
    with _staging(store) as folder:
        with _writing(store):
            unpack(archive, folder, key=key)
        pack = read_pack(folder)
        verify_pack(pack)
        place = store / pack.name
        if os.path.lexists(place) and not replace:
            raise UsageError(
                f"the pack {pack.name} {pack.version} is not installed",
                why=f"{place} exists already",
                fix="Replace it with --replace",
            )
        with _writing(store):
            _flush_folder(folder)
            _move(folder, place)
            _flush_folder(store)
    return read_pack(place)


def remove_pack(name: str) -> Path:
    """Remove a pack that the user installed, also a damaged one; the folder where it was.

    A link to a folder elsewhere is removed, the folder stays.

    Raises:
        PackError: the user has no pack of this name.
        MltError: it cannot be removed, or another process is changing the user's packs.
    """
    store = locations.user_packs()
    if not store.is_dir():
        raise _not_there(name, store)
    with _staging(store) as folder:
        place = _installed(store).get(name)
        if place is None:
            raise _not_there(name, store)
        _take_out(place, folder)
    return place


def _not_there(name: str, store: Path) -> PackError:
    return PackError(
        f"the pack {name!r} cannot be removed",
        why=f"{store} has none of this name, and other packs are not touched",
        fix="List the packs with: mltranslate packs list",
    )


def _take_out(place: Path, folder: Path) -> None:
    """Remove a pack, or the link to one, by way of an empty folder beside it."""
    with _writing(place):
        if place.is_symlink():
            place.unlink()
        else:
            # Out of sight in one step, so that nobody meets half a pack.
            place.rename(folder / "removed")
            shutil.rmtree(folder)


def _installed(store: Path) -> dict[str, Path]:
    places = (path for path in store.iterdir() if not path.name.startswith(HIDDEN))
    return {path.name: path for path in places if path.is_dir() or path.is_symlink()}


def _move(folder: Path, place: Path) -> None:
    """Rename a folder to its place; what stood there comes back if that fails."""
    if not os.path.lexists(place):
        folder.rename(place)
        return
    aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=place.parent))
    old = aside / place.name
    try:
        place.rename(old)
        folder.rename(place)
    finally:
        if not os.path.lexists(place):
            old.rename(place)
        # Not reached where even that fails: `_clean` brings the pack back the next time.
        shutil.rmtree(aside, ignore_errors=True)


def _flush_folder(folder: Path) -> None:
    """Make what was created or renamed in a folder last; Windows does so by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _staging(store: Path) -> Iterator[Path]:
    """Make a folder in the store, on the same disk, that is removed unless it was renamed.

    Meanwhile no other process may do so: what hidden folders there are belong to none that lives.
    """
    with _writing(store):
        store.mkdir(parents=True, exist_ok=True)
    with locked(store.with_name(f"{store.name}.lock")):
        with _writing(store):
            _clean(store)
            folder = Path(tempfile.mkdtemp(prefix=HIDDEN, dir=store))
        try:
            folder.chmod(0o755)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _clean(store: Path) -> None:
    """Remove what killed processes left; a pack that was about to be replaced comes back."""
    hiding = [path for path in store.iterdir() if path.name.startswith(HIDDEN)]
    for hidden in (path for path in hiding if path.is_dir() and not path.is_symlink()):
        if hidden.name.startswith(_ASIDE):
            for old in list(hidden.iterdir()):
                if not os.path.lexists(store / old.name):
                    old.rename(store / old.name)
        shutil.rmtree(hidden, ignore_errors=True)


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MltError(
            f"{place} cannot be written", why=reason(error), fix=remedy(error)
        ) from error
