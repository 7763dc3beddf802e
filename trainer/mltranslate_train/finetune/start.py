"""The hooks of the training loop: notes the parent, takes its weights over, says what learns."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mltranslate.errors import ConfigError
from mltranslate.packs.verify import file_sha256
from mltranslate_train.checkpoint import LAST, newest
from mltranslate_train.config import FineTuneConfig, Recipe
from mltranslate_train.data.prepare import VOCABULARY_FILE
from mltranslate_train.data.whole import whole_file, writable
from mltranslate_train.finetune.fit import check_fit
from mltranslate_train.finetune.parent import Parent, locate, open_parent
from mltranslate_train.finetune.record import Record, make_record, read_record, write_record
from mltranslate_train.finetune.transfer import load_weights
from mltranslate_train.lora import add_lora, merge_lora
from mltranslate_train.model.seq2seq import TextModel

log = logging.getLogger(__name__)


def adopt(recipe: Recipe, run: Path, source: str = "") -> None:
    """Note in `run` that it starts from `source`, a run or pack, and take its vocabulary over.

    To be called before `prepare`, in one process. Without `source` the parent is the one noted
    before, if any. A run that has a checkpoint only has its settings checked.

    Raises:
        ConfigError: the recipe does not fit the parent, or the run was begun otherwise.
        DataError, PackError: there is no such parent, or it has no weights.
    """
    record, resumed = read_record(run), newest(run / LAST) is not None
    if not source and record is None:
        _refuse_mode_without_parent(recipe.finetune)
    elif resumed:
        _check_resumed(recipe.finetune, run, record, source)
    else:
        _begin(recipe, run, record, source)


def apply(model: TextModel, recipe: Recipe, run: Path) -> None:
    """Give a new model the parent's weights, unless a checkpoint follows, and say what learns.

    To be called on every start, before the optimiser and the moving average are made. Does
    nothing in a run without a parent.

    Raises:
        ConfigError, DataError, PackError: the parent is gone, or is not what was noted.
    """
    record = read_record(run)
    if record is None:
        return
    if newest(run / LAST) is None:
        parent = open_parent(record.source)
        _check_unchanged(parent, record, run)
        load_weights(model, parent, run / VOCABULARY_FILE)
    choose_learning(model, recipe.finetune)
    sizes = [(part.numel(), part.requires_grad) for part in model.parameters()]
    log.info(
        "starting from %s: %d of %d parameters learn",
        record.provenance["name"], sum(n for n, on in sizes if on), sum(n for n, _ in sizes),
    )  # fmt: skip


def choose_learning(model: TextModel, config: FineTuneConfig) -> None:
    """Freeze what does not learn in `config.mode`.

    "frozen-encoder" freezes the encoder's layers and normalisation; every embedding goes on
    learning, the encoder's too, as it is mostly the output's as well.
    """
    if config.mode == "lora":
        add_lora(model, config.rank, config.alpha)
    elif config.mode == "embeddings":
        model.requires_grad_(False)
        model.output_weight.requires_grad_(True)
        for part in model.modules():
            if isinstance(part, nn.Embedding):
                part.requires_grad_(True)
    elif config.mode == "frozen-encoder":
        for name, part in model.named_children():
            if name.startswith("encoder"):
                part.requires_grad_(False)


def plain_weights(weights: dict[str, Tensor], recipe: Recipe) -> dict[str, Tensor]:
    """Weights under the names of the model as it is evaluated and exported: LoRA is merged."""
    return merge_lora(weights, recipe.finetune.rank, recipe.finetune.alpha)


def provenance(run: Path) -> dict[str, Any]:
    """For `best/model.json`: {"parent": …}, or nothing if the run has none."""
    record = read_record(run)
    return {} if record is None else {"parent": record.provenance}


def _refuse_mode_without_parent(config: FineTuneConfig) -> None:
    if config.mode != "full":
        raise ConfigError(
            f"finetune.mode {config.mode!r} has no weights to start from",
            why="what it freezes would stay random",
            fix="Give a run or a pack with --from",
        )


def _check_resumed(config: FineTuneConfig, run: Path, record: Record | None, source: str) -> None:
    if record is None:
        raise ConfigError(
            f"{run} was not started from another run or pack",
            why="it has a checkpoint, from which it goes on",
            fix="Leave --from out, or give another folder with --out",
        )
    if source and locate(source) != record.source:
        parent = open_parent(source)
        if parent.sha256 != record.weights_sha256:
            raise ConfigError(
                f"{run} was started from {record.provenance['name']}, not from {source}",
                fix="Leave --from out to go on, or give another folder with --out",
            )
    if config != record.finetune:
        raise ConfigError(
            f"{run} was started with another [finetune]",
            why=f"its mode is {record.finetune.mode!r}, rank {record.finetune.rank}, "
            f"alpha {record.finetune.alpha}, grow {str(record.finetune.grow).lower()}",
            fix="Keep it, or give another folder with --out",
        )


def _begin(recipe: Recipe, run: Path, record: Record | None, source: str) -> None:
    parent = open_parent(record.source if record and not source else source)
    if record and not source:
        _check_unchanged(parent, record, run)
    if record and record.finetune.vocabulary != recipe.finetune.vocabulary:
        raise ConfigError(
            f"{run} was begun with finetune.vocabulary {record.finetune.vocabulary!r}",
            fix="Keep it, or give another folder with --out",
        )
    check_fit(recipe, parent)
    sha256 = file_sha256(parent.vocabulary)
    if recipe.finetune.vocabulary == "parent":
        _take_vocabulary(parent, sha256, run)
    write_record(run, make_record(parent, recipe, sha256))


def _take_vocabulary(parent: Parent, sha256: str, run: Path) -> None:
    place = run / VOCABULARY_FILE
    if not place.is_file():
        with writable(run):
            run.mkdir(parents=True, exist_ok=True)
            with whole_file(place) as new:
                shutil.copyfile(parent.vocabulary, new)
    elif file_sha256(place) != sha256:
        raise ConfigError(
            f"{run} has a vocabulary that is not that of {parent.name}",
            why="its data, if it has any, was made with that",
            fix='Set finetune.vocabulary to "own", or give another folder with --out',
        )


def _check_unchanged(parent: Parent, record: Record, run: Path) -> None:
    if parent.sha256 != record.weights_sha256:
        raise ConfigError(
            f"the weights of {parent.name} have changed since {run} was begun",
            why="it has no checkpoint of its own yet",
            fix=f"Start from the new ones with --from {record.source}",
        )
    if record.finetune.vocabulary == "parent":
        _take_vocabulary(parent, record.vocabulary_sha256, run)
