"""The best weights of a run as a system: one line is one sentence, no guards, fp32."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from mltranslate.decode.types import Hypothesis
from mltranslate.errors import DataError, DeviceError, reason
from mltranslate_train import search
from mltranslate_train.checkpoint import ABOUT, MODEL
from mltranslate_train.data.prepare import VOCABULARY_FILE
from mltranslate_train.evaluate.sets import Direction, TestSet
from mltranslate_train.evaluate.systems import BEST, Advance, Settings, SystemInfo
from mltranslate_train.evaluate.translate import arrange, translate
from mltranslate_train.model.build import model_from_about
from mltranslate_train.model.seq2seq import Seq2Seq
from mltranslate_train.tokenizer import Vocabulary


class RunSystem:
    """Translates with torch; raises DataError without weights, DeviceError without CUDA."""

    def __init__(self, run: Path, settings: Settings) -> None:
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self._settings = settings
        self._device = _choose_device(settings.device)
        model, self._vocabulary, about = load_best(run)
        self._model = model.to(self._device)
        self._step = about.get("step", 0)
        self.provenance = {"sources": about.get("sources", [])}
        self.files = (run / BEST / ABOUT, run / BEST / MODEL, run / VOCABULARY_FILE)
        self.room = model.config.max_length - 2
        self._name = run.resolve().name
        self.directions = [(source, target) for source, target in about["directions"]]

    @property
    def info(self) -> SystemInfo:
        """The run, its step and its device."""
        return SystemInfo(
            kind="run", name=self._name, version=f"step {self._step}", device=self._device.type,
            provider=f"torch {torch.__version__}", precision="fp32", beam=self._settings.beam,
            length_penalty=self._settings.plain_length_penalty, search="bare",
        )  # fmt: skip

    def outputs(
        self, dev: TestSet, direction: Direction, sources: Sequence[str], advance: Advance
    ) -> list[str]:
        """Translations of the lines of a set."""
        return self.translate(sources, direction, advance)

    def translate(
        self, sources: Sequence[str], direction: Direction, advance: Advance
    ) -> list[str]:
        """Translations in order; raises DataError if the vocabulary has no such target."""
        return translate(
            self._model, self._vocabulary, sources, direction[1], beam=self._settings.beam,
            length_penalty=self._settings.plain_length_penalty, advance=advance,
        )  # fmt: skip

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Subword ids by the run's vocabulary."""
        return self._vocabulary.encode(list(texts))

    def text(self, pieces: Sequence[int]) -> str:
        """Text by the run's vocabulary."""
        return self._vocabulary.decode([list(pieces)])[0]

    def n_best(
        self, batch: Sequence[Sequence[int]], target: str, beam: int
    ) -> list[list[Hypothesis]]:
        """Greedy search for a beam of 1, as `translate` does, and beam search for a wider one."""
        inputs = arrange(self._model, self._vocabulary.tag_id(target), batch)
        if beam == 1:
            return [[found] for found in search.greedy(self._model, *inputs)]
        return search.n_best(
            self._model, *inputs, size=beam, length_penalty=self._settings.plain_length_penalty
        )

    def sample(
        self, batch: Sequence[Sequence[int]], target: str, draws: Tensor, top: int
    ) -> list[Hypothesis]:
        """Draw with numbers (B, T) of which there are enough for the model's longest output."""
        inputs = arrange(self._model, self._vocabulary.tag_id(target), batch)
        return search.sample(self._model, *inputs, draws=draws.to(self._device), top=top)


def load_best(run: Path) -> tuple[Seq2Seq, Vocabulary, dict[str, Any]]:
    """Model with the best weights of a run, its vocabulary, and its description.

    Raises:
        DataError: the run has no evaluated weights yet, they are damaged, or do not translate.
    """
    about, weights = read_best(run)
    model = model_from_about(about)
    model.load_state_dict(weights)
    return model, Vocabulary(run / VOCABULARY_FILE), about


def read_best(run: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Description and weights of a run's best model, of whatever kind.

    Raises:
        DataError: the run has no evaluated weights yet, or they are damaged.
    """
    if not run.is_dir():
        raise DataError(f"there is no folder {run}", fix="Give the folder of a run")
    try:
        about = json.loads((run / BEST / ABOUT).read_text(encoding="utf-8"))
        weights = safetensors.torch.load_file(run / BEST / MODEL)
    except OSError as error:
        raise DataError(
            f"{run} has no best weights",
            why=reason(error),
            fix="Train until its first evaluation; the recipe needs a set in evaluate.dev for it",
        ) from error
    except (ValueError, safetensors.SafetensorError) as error:
        raise DataError(
            f"the best weights of {run} cannot be read",
            why=reason(error),
            fix="Train again, or use another run",
        ) from error
    return about, weights


def _choose_device(name: str) -> torch.device:
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise DeviceError(
            "CUDA cannot be used for evaluation",
            why="torch sees no CUDA device" if torch.version.cuda else "this torch has no CUDA",
            fix="Give --device cpu or auto",
        )
    return torch.device("cuda" if available and name != "cpu" else "cpu")
