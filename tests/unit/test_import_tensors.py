"""Weights of public checkpoints: what is damaged is refused in one line."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from mltranslate.errors import DataError
from mltranslate_export.importers.tensors import PICKLED, SAFETENSORS, open_tensors

WEIGHTS = {"a": torch.arange(6.0), "b": torch.ones(2, 3)}


def test_parts_by_an_index(tmp_path: Path) -> None:
    for name, tensor in WEIGHTS.items():
        save_file({name: tensor}, tmp_path / f"part-{name}.safetensors")
    index = {"weight_map": {name: f"part-{name}.safetensors" for name in WEIGHTS}}
    (tmp_path / f"{SAFETENSORS}.index.json").write_text(json.dumps(index))
    with open_tensors(tmp_path) as tensors:
        assert torch.equal(tensors.take("b"), WEIGHTS["b"])
        assert tensors.left() == ["a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"), ("[]", "is not a JSON object"),
        ("{}", "does not say where"), ('{"weight_map": {"a": 1}}', "does not say where"),
        ('{"weight_map": {"a": "../x.safetensors"}}', "no file beside it"),
    ],
)  # fmt: skip
def test_damaged_index_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / f"{SAFETENSORS}.index.json").write_text(text)
    with pytest.raises(DataError, match=message), open_tensors(tmp_path):
        pass


@pytest.mark.parametrize("name", [SAFETENSORS, PICKLED])
@settings(max_examples=30)
@given(data=st.binary(max_size=64))
def test_other_bytes_are_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / name).write_bytes(data)
    with pytest.raises(DataError, match="cannot be read") as caught, open_tensors(folder):
        pass
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [SAFETENSORS, PICKLED])
def test_weights_that_are_cut_off_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == SAFETENSORS:
        save_file(WEIGHTS, path)
    else:
        torch.save(WEIGHTS, path)
    whole = path.read_bytes()
    for size in (len(whole) // 3, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match="cannot be read"), open_tensors(tmp_path):
            pass
