"""A prepared run in pieces: each holds a share of the pairs of every language pair.

A piece is a tar file in xz with its SHA-256 beside it. Which piece a pair is in is decided by a
hash of its first side: pairs that share a sentence come together, where they compress best. The
pieces that are there make a run's data, and more of them make more of it.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import shutil
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kit.thin import reweighted, shares
from mltranslate.errors import DataError
from mltranslate_train.config import dump_recipe, load_recipe
from mltranslate_train.data.prepare import RECIPE, SHARDS, SUMMARY, VOCABULARY_FILE
from mltranslate_train.data.shards import Group, Shard, ShardWriter, Way, ranges

PACKAGES = "packages.zip"
"""Pure Python packages that the trainer needs and a bare machine may lack."""
_PACKED = ("tomlkit", "platformdirs", "rich")
_RUN_FILES = (RECIPE, VOCABULARY_FILE, SUMMARY)
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 27, "lc": 3, "lp": 1, "pb": 1}]
"""Ids are two bytes each, and a sentence may come again anywhere in a piece."""
_GROUPS, _LENGTHS, _TOKENS = "groups.json", "lengths.u16", "tokens.u16"

Ids = NDArray[np.uint16]
Spans = dict[str, tuple[float, float]]
"""From where to where, as shares of all hashes, a piece has the pairs of an origin."""


def pack(run: Path, folder: Path, count: int, tokens: int = 0) -> list[Path]:
    """Write the data of a prepared run as `count` pieces, `folder`/1/… to `folder`/<count>/….

    Args:
        run: where `mltranslate-train prepare` made vocabulary and shards.
        folder: of the pieces; the first has the run's recipe and vocabulary as well.
        count: number of pieces.
        tokens: about how many ids are packed, both sides counted; 0 packs all (`kit.thin`).

    Raises:
        ConfigError: data with a curriculum cannot be thinned out.
        DataError: the run is not prepared, or its shards are damaged.
    """
    missing = [name for name in _RUN_FILES if not (run / name).is_file()]
    if missing:
        raise DataError(
            f"{run} has no {', '.join(missing)}", fix="Run mltranslate-train prepare first"
        )
    shards = [Shard(part) for part in sorted((run / SHARDS).iterdir())]
    recipe = load_recipe(run / RECIPE)
    kept = shares(recipe, shards, tokens)
    texts = {name: (run / name).read_bytes() for name in _RUN_FILES}
    if min(kept.values()) < 1:
        texts[RECIPE] = dump_recipe(reweighted(recipe, kept)).encode()
    files = []
    for number in range(count):
        place = folder / str(number + 1)
        place.mkdir(parents=True, exist_ok=True)
        file = place / f"piece-{number + 1}.tar.xz"
        spans = {
            origin: (number * share / count, (number + 1) * share / count)
            for origin, share in kept.items()
        }
        _write_piece(file, {} if number else texts, shards, spans)
        files.append(file)
    _write_packages(folder / "1" / PACKAGES)
    return files


def _write_piece(file: Path, texts: dict[str, bytes], shards: list[Shard], spans: Spans) -> None:
    with (
        lzma.open(file, "wb", format=lzma.FORMAT_XZ, filters=_FILTERS) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        for name, content in texts.items():
            _add(archive, name, content)
        for shard in shards:
            _add_shard(archive, shard, spans)
    file.with_suffix(".sha256").write_text(sha256(file) + "\n", encoding="utf-8")


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    about = tarfile.TarInfo(name)
    about.size = len(content)
    archive.addfile(about, io.BytesIO(content))


def _add_shard(archive: tarfile.TarFile, shard: Shard, spans: Spans) -> None:
    groups, numbers = [], []
    for group in shard.groups:
        chosen = _within(shard, group, spans[group.origin])
        groups.append({"origin": group.origin, "way": group.way, "pairs": len(chosen)})
        numbers.append(chosen)
    chosen = np.concatenate(numbers)
    nothing = np.zeros(0, np.uint16), np.zeros(0, np.int64), np.zeros(0, np.int64)
    tokens, first, second = shard.read(chosen) if len(chosen) else nothing
    about = {"languages": shard.languages, "groups": groups}
    name = "-".join(dict.fromkeys(shard.languages))
    _add(archive, f"{name}/{_GROUPS}", json.dumps(about).encode())
    lengths = np.stack([first, second], axis=1).astype("<u2")
    _add(archive, f"{name}/{_LENGTHS}", lengths.tobytes())
    _add(archive, f"{name}/{_TOKENS}", tokens.astype("<u2").tobytes())


def _within(shard: Shard, group: Group, span: tuple[float, float]) -> NDArray[np.int64]:
    """Numbers of the group's pairs whose hash, as a share of all hashes, lies in `span`."""
    numbers = np.arange(group.start, group.start + group.pairs)
    records = shard.records[group.start : group.start + group.pairs]
    lengths = np.maximum(records["first"].astype(np.int64), 1)  # of text, the second side's
    place = _hash(shard.tokens[ranges(records["start"].astype(np.int64), lengths)], lengths)
    chosen: NDArray[np.int64] = numbers[(span[0] <= place) & (place < span[1])]
    return chosen


def _hash(tokens: Ids, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """A number in [0, 1) for each row of tokens, which lie back to back; equal for equal rows."""
    if not len(lengths):
        return np.zeros(0)
    begins = lengths.cumsum() - lengths
    column = (np.arange(len(tokens)) - np.repeat(begins, lengths)).astype(np.uint64)
    mixed = (tokens.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed *= np.uint64(2) * column + np.uint64(1)
    mixed ^= mixed >> np.uint64(29)
    total = np.add.reduceat(mixed, begins) * np.uint64(0xBF58476D1CE4E5B9)
    found: NDArray[np.float64] = (total >> np.uint64(11)) / float(1 << 53)
    return found


def _write_packages(file: Path) -> None:
    """Zip the packages as they are installed here; Python imports them out of the zip."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in _PACKED:
            spec = find_spec(name)
            if spec is None or spec.origin is None:
                raise DataError(f"the package {name} is not installed here")
            home = Path(spec.origin).parent
            for source in sorted(home.rglob("*.py")):
                archive.write(source, source.relative_to(home.parent).as_posix())


def sha256(file: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def unpack(folders: list[Path], store: Path, run: Path) -> list[str]:
    """Make `run` of the pieces under `folders` and of those that came before; gives their names.

    Args:
        folders: where pieces may lie, at any depth.
        store: keeps what was unpacked, for later calls.
        run: gets recipe, vocabulary and shards; nothing is done if it has these pieces already.

    Raises:
        DataError: a piece is damaged, or the first one has never come.
    """
    for file in sorted(found for folder in folders for found in folder.rglob("piece-*.tar.xz")):
        _keep(file, store / file.name.partition(".")[0])
    there = sorted(part.name for part in store.glob("piece-*") if part.suffix != ".new")
    if "piece-1" not in there:
        raise DataError(
            "the first piece has not come", why="it has the recipe and the vocabulary",
            fix=f"Put it under {folders[0]}",
        )  # fmt: skip
    done = run / "pieces.json"
    if done.is_file() and json.loads(done.read_text(encoding="utf-8")) == there:
        return there
    run.mkdir(parents=True, exist_ok=True)
    for name in _RUN_FILES:
        shutil.copyfile(store / "piece-1" / name, run / name)
    shutil.rmtree(run / SHARDS, ignore_errors=True)
    _merge([store / name for name in there], run / SHARDS)
    done.write_text(json.dumps(there), encoding="utf-8")
    return there


def _keep(file: Path, place: Path) -> None:
    if place.is_dir():
        return
    wanted = file.with_suffix(".sha256").read_text(encoding="utf-8").strip()
    if sha256(file) != wanted:
        raise DataError(f"{file} is damaged", why="its SHA-256 is another", fix="Send it again")
    unfinished = place.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    with tarfile.open(file, "r:xz") as archive:
        archive.extractall(unfinished, filter="data")
    unfinished.rename(place)


def _merge(pieces: list[Path], shards: Path) -> None:
    """Write shards of all pieces; a group's pairs are those of the first piece, then the next."""
    # Every piece has all shards, if only a few pairs of some.
    for name in sorted(part.name for part in pieces[0].iterdir() if part.is_dir()):
        parts = [piece / name for piece in pieces]
        languages, groups = _read_groups(parts)
        with ShardWriter(shards / name, languages) as writer:
            for (origin, way), blocks in groups.items():
                for lengths, tokens in blocks:
                    writer.extend(origin, way, lengths, tokens)


def _read_groups(
    parts: list[Path],
) -> tuple[tuple[str, str], dict[tuple[str, Way], list[tuple[Ids, Ids]]]]:
    """Languages of a shard, and lengths (N, 2) and ids of its groups in every piece."""
    found: dict[tuple[str, Way], list[tuple[Ids, Ids]]] = defaultdict(list)
    about: dict[str, Any] = {}
    for part in parts:
        about = json.loads((part / _GROUPS).read_text(encoding="utf-8"))
        for group, lengths, tokens in _blocks(part, about["groups"]):
            found[group["origin"], group["way"]].append((lengths, tokens))
    first, second = about["languages"]
    return (first, second), found


def _blocks(part: Path, groups: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Ids, Ids]]:
    lengths = np.fromfile(part / _LENGTHS, "<u2").reshape(-1, 2)
    tokens = np.fromfile(part / _TOKENS, "<u2")
    row = place = 0
    for group in groups:
        own = lengths[row : row + group["pairs"]]
        size = int(own.sum(dtype=np.int64))
        if len(own):
            yield group, own, tokens[place : place + size]
        row, place = row + len(own), place + size
