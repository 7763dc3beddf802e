"""Reads the tensors of a public checkpoint one by one, so that memory holds few of them at once."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from mltranslate.errors import DataError
from mltranslate_export.importers.files import read_object

SAFETENSORS = "model.safetensors"
PICKLED = "pytorch_model.bin"
_INDEX = ".index.json"
_AGAIN = "Copy the model's folder again, whole"
_LONGEST = 200


class Tensors:
    """The tensors of a checkpoint by their names; each is read from disk when it is taken."""

    def __init__(self, files: Mapping[str, Any]) -> None:
        self._files = files
        self._taken: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def take(self, name: str) -> Tensor:
        """Read a tensor as fp32; `DataError` if it is not there or not finite."""
        if name not in self._files:
            raise DataError(
                f"the checkpoint has no tensor {name!r}",
                why="it is not of the architecture that its config.json names, or is cut off",
                fix=_AGAIN,
            )
        self._taken.add(name)
        file = self._files[name]
        value = file[name] if isinstance(file, dict) else file.get_tensor(name)
        found: Tensor = value.to(torch.float32)
        if not found.isfinite().all():
            raise DataError(f"the tensor {name!r} holds values that are not finite")
        return found

    def left(self) -> list[str]:
        """Names that nobody took, sorted."""
        return sorted(set(self._files) - self._taken)


@contextmanager
def open_tensors(folder: Path) -> Iterator[Tensors]:
    """Open the weights in `folder`: safetensors if there are, else the pickled ones.

    Both may be in parts that an index names. Pickled files are read with `weights_only`, so that
    no code in them runs, and mapped into memory where their format allows it.

    Raises:
        DataError: there are no weights, they are damaged, or the index names a file outside the
            folder.
    """
    with ExitStack() as stack:
        files: dict[str, Any] = {}
        for path in _parts(folder):
            part = _open(path, stack)
            files.update(dict.fromkeys(part.keys(), part))
        yield Tensors(files)


def _open(path: Path, stack: ExitStack) -> Any:
    try:
        if path.suffix == ".safetensors":
            return stack.enter_context(safe_open(path, framework="pt"))
        # Only the format of torch 1.6 and later, a zip, can be mapped.
        mapped = zipfile.is_zipfile(path)
        return dict(torch.load(path, map_location="cpu", weights_only=True, mmap=mapped))
    except Exception as error:  # a damaged pickle fails in any way
        raise DataError(f"{path} cannot be read", why=_first_line(error), fix=_AGAIN) from error


def _first_line(error: Exception) -> str:
    """What torch says goes on for many lines."""
    return str(error).strip().partition("\n")[0][:_LONGEST] or type(error).__name__


def _parts(folder: Path) -> list[Path]:
    for name in (SAFETENSORS, PICKLED):
        if (folder / name).is_file():
            return [folder / name]
        index = folder / f"{name}{_INDEX}"
        if index.is_file():
            return _indexed(folder, index)
    raise DataError(
        f"there are no weights in {folder}",
        why=f"it has neither {SAFETENSORS} nor {PICKLED}",
        fix="Copy the whole folder of a PyTorch model",
    )


def _indexed(folder: Path, index: Path) -> list[Path]:
    places = read_object(index).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(p, str) for p in places.values()):
        raise DataError(f"{index} does not say where the weights are", fix=_AGAIN)
    names = sorted(set(places.values()))
    for name in names:
        if Path(name).name != name or not (folder / name).is_file():
            raise DataError(
                f"{index.name} names {name!r}, which is no file beside it",
                fix=_AGAIN,
            )
    return [folder / name for name in names]
