"""Reads `model.bin` of CTranslate2 one array at a time, so that memory holds few of them at once.

Its layout is that of `ctranslate2/specs/model_spec.py`: version, name of the specification and its
revision, arrays with names, shapes and types, and at last second names of arrays. Numbers are
little-endian. The name "x_scale" belongs to the quantised array "x": its values, by rows or all,
are the stored ones divided by it.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mltranslate.errors import DataError, reason

MODEL = "model.bin"
SPECIFICATION = "TransformerSpec"
VERSIONS = (5, 6)
_TYPES = ("float32", "int8", "int16", "int32", "float16", "bfloat16")
_WIDTHS = (4, 1, 2, 4, 2, 2)
_QUANTISED = ("int8", "int16")
_MOST_DIMENSIONS = 4
_MOST_ARRAYS = 100_000
"""Aliases counted too; large models have some thousands."""
_MOST_LAYERS = 1_000
_SCALE = "_scale"
_AGAIN = "Get the model again, whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArray:
    """Where an array stands in the file, and what it is."""

    shape: tuple[int, ...]
    kind: str
    offset: int


class ModelBin:
    """The arrays of a model by their names; each is read from disk when it is taken."""

    def __init__(self, file: BinaryIO, version: int, arrays: Mapping[str, StoredArray]) -> None:
        self._file = file
        self.version = version
        """Version of the layout."""
        self._arrays = arrays
        self._taken: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def matrix(self, name: str) -> tuple[int, int]:
        """Rows and columns of a matrix; `DataError` if it is none or not there."""
        shape = self._stored(name).shape
        if len(shape) != 2:
            raise DataError(f"{name!r} of {MODEL} is no matrix", fix=_AGAIN)
        return shape[0], shape[1]

    def same(self, *names: str) -> bool:
        """Whether these are names of one array."""
        return len({self._stored(name).offset for name in names}) == 1

    def kinds(self) -> tuple[str, ...]:
        """How matrices are stored, such as "int8" or "float16", sorted."""
        return tuple(sorted({a.kind for a in self._arrays.values() if len(a.shape) > 1}))

    def layers(self, side: str) -> int:
        """How many layers the "encoder" or the "decoder" has; `DataError` if far too many."""
        start = f"{side}/layer_"
        rest = (name.removeprefix(start) for name in self._arrays if name.startswith(start))
        numbers = {text.split("/")[0] for text in rest}
        found = len({text for text in numbers if text.isdecimal()})
        if found > _MOST_LAYERS:
            raise DataError(f"the {side} of {MODEL} has {found} layers", fix=_AGAIN)
        return found

    def take(self, name: str) -> Tensor:
        """Read an array as fp32, its quantisation undone.

        Raises:
            DataError: it is not there, or holds values that are not finite.
        """
        stored = self._stored(name)
        self._taken.add(name)
        values = self._read(stored)
        if stored.kind in _QUANTISED:
            values = self._dequantised(name, values)
        if not np.isfinite(values).all():
            raise DataError(f"the array {name!r} of {MODEL} holds values that are not finite")
        return torch.from_numpy(values)

    def scalar(self, name: str, default: float) -> float:
        """Read a setting, `default` where the file has none; `DataError` if it is not finite."""
        found = default if name not in self else float(self._single(name))
        if not math.isfinite(found):
            raise DataError(f"the setting {name!r} of {MODEL} is not finite", fix=_AGAIN)
        return found

    def flag(self, name: str, *, default: bool) -> bool:
        """Read a setting that is on or off."""
        return bool(self.scalar(name, float(default)))

    def text(self, name: str, default: str) -> str:
        """Read a setting that is text."""
        if name not in self:
            return default
        self._taken.add(name)
        return self._read(self._stored(name), as_stored=True).tobytes().decode("utf-8", "replace")

    def is_truth(self, name: str) -> bool:
        """Whether a setting is on or off, instead of a number."""
        return self._stored(name).kind == "int8"

    def left(self) -> list[str]:
        """Names that nobody took, sorted."""
        return sorted(set(self._arrays) - self._taken)

    def _stored(self, name: str) -> StoredArray:
        if name not in self._arrays:
            raise DataError(
                f"{MODEL} has no array {name!r}",
                why="it is of an architecture that cannot be imported",
            )
        return self._arrays[name]

    def _single(self, name: str) -> Any:
        stored = self._stored(name)
        self._taken.add(name)
        if math.prod(stored.shape) != 1:
            raise DataError(f"the setting {name!r} of {MODEL} is not one number", fix=_AGAIN)
        return self._read(stored).reshape(())[()]

    def _dequantised(self, name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        scale_name = f"{name}{_SCALE}"
        scale = self._read(self._stored(scale_name))
        self._taken.add(scale_name)
        if not values.ndim or scale.size not in (1, len(values)) or not (scale != 0).all():
            raise DataError(f"{scale_name!r} of {MODEL} does not fit its array", fix=_AGAIN)
        values /= scale.reshape(-1, *[1] * (values.ndim - 1))
        return values

    def _read(self, stored: StoredArray, *, as_stored: bool = False) -> NDArray[Any]:
        """Read values as fp32, or as they are."""
        self._file.seek(stored.offset)
        half = stored.kind == "bfloat16"
        dtype = np.dtype("uint16" if half else stored.kind).newbyteorder("<")
        values = np.fromfile(self._file, dtype, math.prod(stored.shape)).reshape(stored.shape)
        if as_stored:
            return values
        if half:
            # bfloat16 is the upper half of fp32.
            return (values.astype(np.uint32) << 16).view(np.float32)
        return values.astype(np.float32, copy=False)


@contextmanager
def open_model_bin(path: Path) -> Iterator[ModelBin]:
    """Open a `model.bin` and read where its arrays are.

    Raises:
        DataError: it cannot be read, is damaged, of another version, or no Transformer.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise DataError(f"{path} cannot be read", why=reason(error), fix=_AGAIN) from error
    with file:
        version, arrays = _Index(file, path).read()
        yield ModelBin(file, version, arrays)


class _Index:
    """Reads what stands between the arrays, and skips them."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._size = os.fstat(file.fileno()).st_size

    def read(self) -> tuple[int, dict[str, StoredArray]]:
        """Version, and every array by its names."""
        version = self._number("<I")
        if version not in VERSIONS:
            known = " and ".join(map(str, VERSIONS))
            raise self._refusal(f"its version is {version}; {known} are known")
        specification, revision = self._text(), self._number("<I")
        if specification != SPECIFICATION:
            raise self._refusal(
                f"it is a {specification[:40]!r} of revision {revision}, no {SPECIFICATION}"
            )
        arrays: dict[str, StoredArray] = {}
        count = self._count(_MOST_ARRAYS)
        for _ in range(count):
            self._add(arrays, self._text(), self._array())
        for _ in range(self._count(_MOST_ARRAYS - count)):
            self._add_alias(arrays, self._text(), self._text())
        if self._file.tell() != self._size:
            raise self._refusal("something follows its end")
        return version, arrays

    def _count(self, most: int) -> int:
        count = self._number("<I")
        if count > most:
            raise self._refusal(f"it has more than {_MOST_ARRAYS} arrays and aliases")
        return count

    def _array(self) -> StoredArray:
        dimensions = self._number("<B")
        if dimensions > _MOST_DIMENSIONS:
            raise self._refusal(f"an array has {dimensions} dimensions")
        shape = tuple(self._number("<I") for _ in range(dimensions))
        if 0 in shape:
            raise self._refusal(f"an array of shape {shape} holds nothing")
        number, size = self._number("<B"), self._number("<I")
        if number >= len(_TYPES) or size != math.prod(shape) * _WIDTHS[number]:
            raise self._refusal(f"an array of shape {shape} has {size} bytes of type {number}")
        offset = self._file.tell()
        if offset + size > self._size:
            raise self._refusal("it is cut off")
        self._file.seek(size, os.SEEK_CUR)
        return StoredArray(shape=shape, kind=_TYPES[number], offset=offset)

    def _add_alias(self, arrays: dict[str, StoredArray], alias: str, name: str) -> None:
        if name not in arrays:
            raise self._refusal(f"{alias[:100]!r} stands for {name[:100]!r}, which is not there")
        self._add(arrays, alias, arrays[name])
        if f"{name}{_SCALE}" in arrays:
            self._add(arrays, f"{alias}{_SCALE}", arrays[f"{name}{_SCALE}"])

    def _add(self, arrays: dict[str, StoredArray], name: str, array: StoredArray) -> None:
        if name in arrays:
            raise self._refusal(f"it has two arrays {name[:100]!r}")
        arrays[name] = array

    def _number(self, form: str) -> int:
        return int(struct.unpack(form, self._bytes(struct.calcsize(form)))[0])

    def _text(self) -> str:
        raw = self._bytes(self._number("<H"))
        return raw.rstrip(b"\0").decode("utf-8", "replace")

    def _bytes(self, count: int) -> bytes:
        found = self._file.read(count)
        if len(found) != count:
            raise self._refusal("it is cut off")
        return found

    def _refusal(self, why: str) -> DataError:
        return DataError(f"{self._path} cannot be imported", why=why, fix=_AGAIN)
