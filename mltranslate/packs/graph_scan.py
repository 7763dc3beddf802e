"""Finds what an ONNX graph takes from outside itself, without the onnx package.

Only the few messages of onnx.proto that can lead to an external tensor or an operator are
followed, by their field numbers; everything else is skipped by its length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mltranslate.errors import PackError

_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute", 7: "domain"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
_KEY, _VALUE = 1, 2
_MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Outside:
    """What a serialised ONNX model needs that is not in it."""

    files: frozenset[str]
    """Names of the files that it takes tensors from."""
    domains: frozenset[str]
    """Domains of its operators; "" is that of ONNX itself."""


def scan_graph(model: bytes) -> Outside:
    """Scan a serialised ONNX model, sub-graphs and functions included; `PackError` if broken."""
    found: dict[str, set[str]] = {"file": set(), "domain": set()}
    for kind, text in _leaves(memoryview(model), "model", 0):
        found[kind].add(text)
    return Outside(frozenset(found["file"]), frozenset(found["domain"]))


def _leaves(message: memoryview, kind: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _MAX_DEPTH:
        raise _broken("it is nested too deeply")
    for number, value in _fields(message):
        child = _CHILDREN[kind].get(number)
        if child == "entry":
            entry = dict(_fields(value))
            if bytes(entry.get(_KEY, b"")) == b"location":
                yield "file", _text(entry.get(_VALUE, memoryview(b"")))
        elif child == "domain":
            yield "domain", _text(value)
        elif child:
            yield from _leaves(value, child, depth + 1)


def _text(value: memoryview) -> str:
    return bytes(value).decode("utf-8", "replace")


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield the length-delimited fields of a protocol-buffer message and skip the others."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        number, wire = key >> 3, key & 7
        if wire == 0:
            _, position = _varint(message, position)
            continue
        if wire == 2:
            size, position = _varint(message, position)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise _broken(f"wire type {wire} is unknown")
        if position + size > len(message):
            raise _broken("it is cut off")
        if wire == 2:
            yield number, message[position : position + size]
        position += size


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise _broken("it is cut off")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise _broken("a number is too long")


def _broken(why: str) -> PackError:
    return PackError("a graph of the pack is damaged", why=why, fix="Get the pack again")
