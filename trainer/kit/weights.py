"""Weights on their way back: bf16, packed without loss, in files that are easy to carry.

Of a weight's 16 bits the eight of the exponent are much alike, and take less than three after
Huffman coding; sign and mantissa are noise, and are stored as they are.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mltranslate.errors import DataError

FILE_BYTES = 15 << 20
"""Largest file."""
_SIZE = struct.Struct("<Q")

Array = NDArray[np.float32]


def to_bfloat16(values: Array) -> NDArray[np.uint16]:
    """Bits of the nearest bf16 numbers, ties to even, as torch rounds."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bfloat16(bits: NDArray[np.uint16]) -> Array:
    """The numbers that bf16 bits stand for."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def packed(weights: dict[str, Array], about: dict[str, Any]) -> bytes:
    """Weights and what is said of them, as one string of bytes."""
    bits = np.concatenate([to_bfloat16(weights[name]).ravel() for name in weights])
    exponents = (bits >> 7 & 0xFF).astype(np.uint8)
    rest = (bits >> 8 & 0x80 | bits & 0x7F).astype(np.uint8)
    coder = zlib.compressobj(9, strategy=zlib.Z_HUFFMAN_ONLY)
    body = coder.compress(exponents.tobytes()) + coder.flush()
    head = {
        "about": about,
        "shapes": {name: weight.shape for name, weight in weights.items()},
        "exponents": len(body),
    }
    content = json.dumps(head).encode()
    whole = _SIZE.pack(len(content)) + content + body + rest.tobytes()
    return hashlib.sha256(whole).digest() + whole


def unpacked(content: bytes) -> tuple[dict[str, NDArray[np.uint16]], dict[str, Any]]:
    """Bits of bf16 weights by name, and what was said of them; raises DataError if damaged."""
    digest, whole = content[:32], content[32:]
    if hashlib.sha256(whole).digest() != digest:
        raise DataError("the weights are damaged, or not all of their files are there")
    start = _SIZE.size + _SIZE.unpack_from(whole)[0]
    head = json.loads(whole[_SIZE.size : start])
    middle = start + head["exponents"]
    exponents = np.frombuffer(zlib.decompress(whole[start:middle]), np.uint8).astype(np.uint16)
    rest = np.frombuffer(whole[middle:], np.uint8).astype(np.uint16)
    bits = exponents << 7 | (rest & 0x80) << 8 | rest & 0x7F
    found, place = {}, 0
    for name, shape in head["shapes"].items():
        size = int(np.prod(shape))
        found[name] = bits[place : place + size].reshape(shape)
        place += size
    return found, head["about"]


def write_files(content: bytes, folder: Path) -> list[Path]:
    """Write it as weights-1.bin, weights-2.bin …, in place of older ones."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [content[at : at + FILE_BYTES] for at in range(0, len(content), FILE_BYTES)]
    files = [folder / f"weights-{number}.bin" for number in range(1, len(parts) + 1)]
    fresh = [file.with_suffix(".new") for file in files]
    for file, part in zip(fresh, parts, strict=True):
        file.write_bytes(part)
    # The older weights are complete until all of the new ones are on the disk.
    for file, name in zip(fresh, files, strict=True):
        file.replace(name)
    for old in set(folder.glob("weights-*.bin")) - set(files):
        old.unlink()
    return files


def read_files(folder: Path) -> tuple[dict[str, NDArray[np.uint16]], dict[str, Any]]:
    """What `write_files` wrote of `packed`; raises DataError if files are missing or damaged."""
    files = sorted(folder.glob("weights-*.bin"), key=lambda file: int(file.stem.split("-")[1]))
    if not files:
        raise DataError(f"{folder} has no weights")
    return unpacked(b"".join(file.read_bytes() for file in files))
