"""How large a compressed file is when unpacked, by its own word, without unpacking it."""

from __future__ import annotations

from pathlib import Path

_XZ_FOOTER, _XZ_MAGIC = 12, b"YZ"


def unpacked_size(path: Path) -> int:
    """Bytes of a file behind its compression; 0 where it does not tell."""
    if path.suffix == ".xz":
        return _of_xz(path)
    if path.suffix == ".gz":
        # The last field of RFC 1952, the size modulo 2 ** 32: of a larger file it says nothing.
        size = int.from_bytes(_tail(path, 4), "little")
        return size if size > path.stat().st_size else 0
    return path.stat().st_size


def _of_xz(path: Path) -> int:
    """Sum over the blocks in the index before the footer (the .xz file format 1.2.1, 2.1.2, 4)."""
    footer = _tail(path, _XZ_FOOTER)
    if footer[-2:] != _XZ_MAGIC:
        return 0
    length = (int.from_bytes(footer[4:8], "little") + 1) * 4
    index = _tail(path, length + _XZ_FOOTER)[:length]
    records, place = _number(index, 1)
    total = 0
    for _ in range(records):
        _, place = _number(index, place)  # its compressed size
        size, place = _number(index, place)
        total += size
    return total


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, and the place after it."""
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place


def _tail(path: Path, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - length))
        return file.read()
