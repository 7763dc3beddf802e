"""A parent's weights in a model, also across vocabularies.

With a vocabulary of its own, the child takes over the embeddings of the pieces that both have
(Kocmi and Bojar 2018 share the whole vocabulary, Zoph et al. 2016 keep one side's), and begins
the others at the mean of the parent's, the least surprising point to the layers above.

A translation model also takes over what a model of text has of it: a masked model has its encoder,
a language model its decoder but for what reads the source (Conneau and Lample 2019).
"""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from sentencepiece import SentencePieceProcessor
from torch import Tensor, nn

from mltranslate.errors import DataError
from mltranslate_train.finetune.grow import GROWING, grown
from mltranslate_train.finetune.parent import Parent
from mltranslate_train.model.build import architecture_of
from mltranslate_train.model.seq2seq import TextModel
from mltranslate_train.model.transformer import TransformerConfig

log = logging.getLogger(__name__)


def load_weights(model: TextModel, parent: Parent, vocabulary: Path) -> None:
    """Fill a model that reads `vocabulary` with the parent's weights, grown if it is wider.

    Raises:
        DataError: the parent's weights are damaged, or not those of such a model.
    """
    weights = parent.load()
    if vocabulary.read_bytes() != parent.vocabulary.read_bytes():
        rows = _matching_rows(vocabulary, parent.vocabulary)
        log.info(
            "%d of %d pieces keep the parent's embedding, the others begin at the mean",
            int((rows >= 0).sum()), len(rows),
        )  # fmt: skip
        for name in ({"embedding.weight"} | _embedding_names(model)) & weights.keys():
            weights[name] = _mapped(weights[name], rows)
    weights = _widened(weights, parent, model)
    if architecture_of(model.config) != parent.about["architecture"]:
        weights = _adapted(weights, model)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise _undescribed(parent, error) from error


def _widened(weights: dict[str, Tensor], parent: Parent, model: TextModel) -> dict[str, Tensor]:
    """Weights of the model's width; raises DataError if they are not as the parent describes."""
    its, own = parent.config, model.config
    if not isinstance(its, TransformerConfig) or not isinstance(own, TransformerConfig):
        return weights
    if all(getattr(its, name) == getattr(own, name) for name in GROWING):
        return weights
    try:
        return grown(weights, its, own)
    except (RuntimeError, KeyError) as error:
        raise _undescribed(parent, error) from error


def _undescribed(parent: Parent, error: Exception) -> DataError:
    return DataError(
        f"the weights of {parent.name} are not those that its description says",
        why=" ".join(str(error).split()),
    )


def _adapted(weights: dict[str, Tensor], model: TextModel) -> dict[str, Tensor]:
    """All weights of a translation model: those that a model of text has by the same names.

    Whatever scores or reads pieces begins at its one embedding; the others stay as they were drawn.
    """
    own = model.state_dict()
    embeddings = dict.fromkeys(_embedding_names(model), weights["embedding.weight"])
    taken = {name: part for name, part in weights.items() if name in own} | embeddings
    kept = sorted({name.partition(".")[0] for name in own.keys() - taken.keys()})
    log.info(
        "%d of %d weights are pre-trained (%s); new in part or whole: %s",
        sum(taken[name].numel() for name in taken), sum(part.numel() for part in own.values()),
        ", ".join(sorted({name.partition(".")[0] for name in taken})), ", ".join(kept) or "none",
    )  # fmt: skip
    return own | taken


def _matching_rows(own: Path, its: Path) -> Tensor:
    """For each piece of one vocabulary its number in the other, -1 where it has none."""
    numbers = {piece: number for number, piece in enumerate(_pieces(its))}
    return torch.tensor([numbers.get(piece, -1) for piece in _pieces(own)])


def _pieces(path: Path) -> list[str]:
    processor = SentencePieceProcessor(model_file=str(path))
    pieces: list[str] = processor.id_to_piece(list(range(processor.get_piece_size())))
    return pieces


def _mapped(matrix: Tensor, rows: Tensor) -> Tensor:
    """Matrix (V', D) for another vocabulary, of (V, D) and the rows to take; -1 means the mean."""
    mean = matrix.mean(0, keepdim=True)
    return torch.where((rows >= 0)[:, None], matrix[rows.clamp_min(0)], mean)


def _embedding_names(model: TextModel) -> set[str]:
    """Names of the weights that have a row for each piece."""
    embeddings = {
        f"{name}.weight" for name, part in model.named_modules() if isinstance(part, nn.Embedding)
    }
    outputs = {name for name, weight in model.named_parameters() if weight is model.output_weight}
    return embeddings | outputs
