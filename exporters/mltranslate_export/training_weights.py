"""The weights of a pack as the trainer reads them, so that the pack can be fine-tuned."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from mltranslate.errors import VerificationError
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_train.checkpoint import save_tensors

WEIGHTS = "weights.safetensors"
DESCRIPTION = "model.json"


def write_weights(checkpoint: Checkpoint, folder: Path) -> None:
    """Write the weights in bf16, by their names in the model, and what `model.json` says of it."""
    save_tensors(_weights(checkpoint), folder / WEIGHTS)
    text = json.dumps(checkpoint.about, ensure_ascii=False, indent=1)
    (folder / DESCRIPTION).write_text(text, "utf-8")


def check_weights(checkpoint: Checkpoint, folder: Path) -> None:
    """Raise `VerificationError` unless the pack's weights are those of the run."""
    stored, expected = safetensors.torch.load_file(folder / WEIGHTS), _weights(checkpoint)
    same = stored.keys() == expected.keys() and all(
        torch.equal(stored[name], value) for name, value in expected.items()
    )
    if not same or json.loads((folder / DESCRIPTION).read_text("utf-8")) != checkpoint.about:
        raise VerificationError(
            f"{WEIGHTS} or {DESCRIPTION} is not the run's",
            why="names, shapes or values differ",
            fix="Name the run that the pack was made from, or export again with --weights",
        )


def _weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    weights = checkpoint.model.state_dict()
    return {name: value.to(torch.bfloat16).contiguous() for name, value in weights.items()}
