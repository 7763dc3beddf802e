"""The binary format of CTranslate2: every type, and what damage makes of it."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mltranslate.errors import DataError
from mltranslate_export.importers.model_bin import open_model_bin

KINDS = ("float32", "int8", "int16", "int32", "float16", "bfloat16")
Stored = Mapping[str, tuple[str, NDArray]]  # type: ignore[type-arg]
TABLE = np.array([[1.0, -2.0, 0.5], [0.25, 0.0, -3.0]], np.float32)


def text(value: str) -> bytes:
    raw = value.encode() + b"\0"
    return struct.pack("<H", len(raw)) + raw


def written(
    arrays: Stored, aliases: Mapping[str, str] | None = None, *,
    version: int = 6, name: str = "TransformerSpec",
) -> bytes:  # fmt: skip
    """A file as CTranslate2 writes it."""
    parts = [struct.pack("<I", version), text(name), struct.pack("<II", 7, len(arrays))]
    for key, (kind, values) in arrays.items():
        data = values.tobytes()
        shape = struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
        parts += [text(key), shape, struct.pack("<BI", KINDS.index(kind), len(data)), data]
    parts.append(struct.pack("<I", len(aliases or {})))
    parts += [text(alias) + text(key) for alias, key in (aliases or {}).items()]
    return b"".join(parts)


def some() -> bytes:
    return written({"a": ("float32", TABLE), "n": ("int16", np.array(3, "<i2"))}, {"b": "a"})


def saved(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    return path


def bfloat16(table: NDArray[np.float32]) -> NDArray[np.uint16]:
    return (table.view(np.uint32) >> 16).astype(np.uint16)


@pytest.mark.parametrize(
    ("kind", "values", "scale"),
    [
        ("float32", TABLE, None),
        ("float16", TABLE.astype("<f2"), None),
        ("bfloat16", bfloat16(TABLE), None),
        ("int8", (TABLE * [[8], [4]]).astype(np.int8), np.array([8, 4], np.float32)),
        ("int16", (TABLE * 100).astype("<i2"), np.array(100, np.float32)),
        ("int16", (TABLE * 100).astype("<i2"), np.array([100], np.float32)),
    ],
)
@pytest.mark.parametrize("version", [5, 6])
def test_every_type_comes_out_as_fp32(
    tmp_path: Path, kind: str, values: NDArray[np.float32], scale: NDArray[np.float32] | None,
    version: int,
) -> None:  # fmt: skip
    arrays: dict[str, tuple[str, NDArray[np.float32]]] = {"x": (kind, values)}
    if scale is not None:
        arrays["x_scale"] = ("float32", scale)
    path = saved(tmp_path, written(arrays, {"y": "x"}, version=version))
    with open_model_bin(path) as stored:
        assert stored.left() == sorted({*arrays, "y", *(["y_scale"] if scale is not None else [])})
        for name in ("x", "y"):
            found = stored.take(name)
            assert found.dtype == torch.float32
            assert np.array_equal(found.numpy(), TABLE)
        assert stored.same("x", "y")
        assert stored.left() == []
        assert stored.version == version


def test_settings(tmp_path: Path) -> None:
    arrays = {
        "heads": ("int16", np.array(8, "<i2")), "on": ("int8", np.array(1, np.int8)),
        "scale": ("float32", np.array(2.5, np.float32)), "two": ("int8", np.array([1, 2], "i1")),
    }  # fmt: skip
    with open_model_bin(saved(tmp_path, written(arrays))) as stored:
        assert stored.scalar("heads", 1) == 8
        assert stored.scalar("none", 1) == 1
        assert stored.scalar("scale", 1) == 2.5
        assert stored.flag("on", default=False)
        assert stored.is_truth("on")
        assert not stored.is_truth("scale")
        with pytest.raises(DataError, match="not one number"):
            stored.scalar("two", 1)
        with pytest.raises(DataError, match="no array 'gone'"):
            stored.take("gone")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cut off"),
        (written({}, version=4), "its version is 4; 5 and 6 are known"),
        (written({}, version=7), "its version is 7"),
        (written({}, name="WhisperSpec"), "WhisperSpec"),
        (written({}) + b"x", "follows its end"),
        (written({}, {"b": "a"}), "'b' stands for 'a', which is not there"),
        (written({"a": ("float32", TABLE)}, {"a": "a"}), "two arrays 'a'"),
        (written({"a": ("float32", TABLE)}).replace(b"\2\0\0\0\3", b"\4\0\0\0\3"), "24 bytes"),
        (written({"a": ("float32", TABLE[None, None, None])}), "5 dimensions"),
        (written({"a": ("float32", TABLE[:0])}), "holds nothing"),
        (written({}).replace(struct.pack("<II", 7, 0), struct.pack("<II", 7, 100_001)),
         "more than 100000 arrays"),
        (written({"a": ("float32", TABLE)})[:-4] + struct.pack("<I", 100_000), "and aliases"),
    ],
)  # fmt: skip
def test_other_files_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message), open_model_bin(saved(tmp_path, data)):
        pass


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": ("float32", np.full_like(TABLE, np.inf))}, "not finite"),
        ({"x": ("int8", TABLE.astype(np.int8))}, "no array 'x_scale'"),
        ({"x": ("int8", TABLE.astype(np.int8)),
          "x_scale": ("float32", np.ones(3, np.float32))}, "does not fit"),
        ({"x": ("int8", TABLE.astype(np.int8)),
          "x_scale": ("float32", np.zeros(2, np.float32))}, "does not fit"),
        ({"x": ("int8", np.array(1, np.int8)),
          "x_scale": ("float32", np.ones(1, np.float32))}, "does not fit"),
    ],
)  # fmt: skip
def test_unusable_values_are_refused(tmp_path: Path, arrays: Stored, message: str) -> None:
    path = saved(tmp_path, written(arrays))
    with open_model_bin(path) as stored, pytest.raises(DataError, match=message):
        stored.take("x")


def test_a_setting_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, written({"heads": ("float32", np.array(np.inf, np.float32))}))
    with open_model_bin(path) as stored, pytest.raises(DataError, match="not finite"):
        stored.scalar("heads", 8)


def test_far_too_many_layers_are_refused(tmp_path: Path) -> None:
    one = ("int8", np.array(1, np.int8))
    names = [f"encoder/layer_{index}/x" for index in range(1_001)]
    path = saved(tmp_path, written(dict.fromkeys(names, one)))
    with open_model_bin(path) as stored, pytest.raises(DataError, match="1001 layers"):
        stored.layers("encoder")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(some()) - 1), byte=st.integers(0, 255), cut=st.booleans())
def test_damage_is_a_data_error_or_none(tmp_path: Path, place: int, byte: int, cut: bool) -> None:
    data = bytearray(some())
    if cut:
        del data[place:]
    else:
        data[place] = byte
    try:
        with open_model_bin(saved(tmp_path, bytes(data))) as stored:
            for name in stored.left():
                stored.take(name)
    except DataError:
        return
    assert not cut
