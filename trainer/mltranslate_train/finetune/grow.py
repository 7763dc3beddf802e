"""A trained Transformer made wider: the same function at first, with room to learn more.

After Net2Net (Chen et al. 2016) and bert2BERT (Chen et al. 2022), but nothing is copied:

* New dimensions of the residual stream always hold the mean of the old ones, so that mean and, but
  for a factor, variance in every normalisation stay: a normalised new dimension is zero.
* New heads and hidden units are drawn at random, as widely as the old weights spread, and what
  they put out has zero weights; so have new dimensions in the scores.

Only positions differ: sinusoids of the new width have other frequencies. Each old dimension goes
where the frequency is nearest, at most half a step away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mltranslate.errors import ConfigError
from mltranslate_train.model.seq2seq import ModelConfig
from mltranslate_train.model.transformer import TransformerConfig, sinusoids

GROWING = ("d_model", "heads", "ffn")
"""Fields of the configuration that may be larger than the parent's."""
_USUAL = 40
"""Pieces of a sentence, over which positions are averaged."""
_HEARD = 0.5
"""Gain of new dimensions in the last normalisation, of the mean of the old ones."""

Weights = dict[str, Tensor]


def check_growth(own: ModelConfig, its: ModelConfig) -> None:
    """Raise ConfigError unless a model `its` can be grown into one of the shape `own`."""
    if not isinstance(own, TransformerConfig) or not isinstance(its, TransformerConfig):
        raise _refusal("only a Transformer that translates grows", "Leave finetune.grow out")
    if own.norm != "pre" or own.decoder != "attention":
        raise _refusal(
            f"a model with norm {own.norm!r} and decoder {own.decoder!r} cannot be",
            'Leave finetune.grow out: only norm "pre" with decoder "attention" grows',
        )
    smaller = [name for name in GROWING if getattr(own, name) < getattr(its, name)]
    if smaller:
        named = ", ".join(f"model.{name} {getattr(own, name)}" for name in smaller)
        least = " ".join(f"{name} {getattr(its, name)}" for name in smaller)
        raise _refusal(f"{named} is less than the parent's", f"Choose at least {least}")
    if own.d_model // own.heads != its.d_model // its.heads:
        raise _refusal(
            f"a head of the recipe is {own.d_model // own.heads} wide,"
            f" of the parent {its.d_model // its.heads}",
            "Let model.heads grow as model.d_model does",
        )


def _refusal(why: str, fix: str) -> ConfigError:
    return ConfigError("the parent cannot be grown into the recipe's model", why=why, fix=fix)


def grown(weights: Weights, its: TransformerConfig, own: TransformerConfig) -> Weights:
    """Weights of a model `own`, which does what that of `weights` and `its` does.

    Names are those of `model.transformer`; the random generator of torch is drawn from. The
    configurations have passed `check_growth`.
    """
    widening = _Widening.of(its, own)
    made: Weights = {}
    for name in weights:
        layer, _, kind = name.rpartition(".")
        if kind == "weight":
            made |= _layer(layer, weights, widening)
    return {name: made[name].contiguous() for name in weights}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Widening:
    """From an old width to a new one."""

    old: Tensor
    """Where each old dimension goes."""
    new: Tensor
    """Dimensions that are new."""
    offset: Tensor
    """What new dimensions lack, positions added, of the mean of the old ones; usual lengths."""
    units: int
    """New hidden units of a feed-forward network."""

    @classmethod
    def of(cls, its: TransformerConfig, own: TransformerConfig) -> _Widening:
        half, wide = its.d_model // 2, own.d_model // 2
        near = (torch.arange(half) * ((wide - 1) / max(1, half - 1))).round().long()
        old = torch.cat([near, wide + near])
        fresh = torch.ones(own.d_model, dtype=torch.bool)
        fresh[old] = False
        new = fresh.nonzero()[:, 0]
        places = sinusoids(_USUAL, own.d_model)
        offset = (places[:, old].mean(1, keepdim=True) - places[:, new]).mean(0)
        return cls(old=old, new=new, offset=offset, units=own.ffn - its.ffn)

    @property
    def width(self) -> int:
        """The new width."""
        return len(self.old) + len(self.new)

    @property
    def shrink(self) -> float:
        """Old by new deviation of what a normalisation reads, and of what embeddings lack."""
        return math.sqrt(len(self.old) / self.width)

    def spread(self, rows: Tensor, fill: Tensor) -> Tensor:
        """Rows (D, …) at their new places in (D', …), the others being `fill`."""
        out = rows.new_empty(self.width, *rows.shape[1:])
        out[self.old], out[self.new] = rows, fill
        return out


def _layer(layer: str, weights: Weights, to: _Widening) -> Weights:
    """Weight and bias of one layer in the wider model."""
    weight, bias = weights[f"{layer}.weight"], weights.get(f"{layer}.bias")
    kind = layer.rpartition(".")[2]
    if kind.endswith("embedding") or kind == "output" or bias is None:
        return {f"{layer}.weight": _embedding(weight, to)}
    if kind.endswith("norm"):
        made = _normalisation(weight, bias, to, last=layer == "decoder_norm")
    elif kind in _WRITERS:
        made = _writer(weight, bias, to, to.units if kind == "down" else len(to.new))
    else:
        made = _reader(weight, bias, to, kind)
    return {f"{layer}.weight": made[0], f"{layer}.bias": made[1]}


_WRITERS = ("out", "down")
"""Linear layers whose output is added to the residual stream."""
_PARTS = {"qkv": 3, "kv": 2}
"""Of how many matrices, one below the other, a linear layer consists."""


def _embedding(matrix: Tensor, to: _Widening) -> Tensor:
    """Embeddings (V, D') of (V, D), which the model will scale by the root of the new width."""
    mean = matrix.mean(1) * math.sqrt(len(to.old))
    fill = (mean + to.offset[:, None]) / math.sqrt(to.width)
    return to.spread(matrix.T * to.shrink, fill).T


def _normalisation(
    gain: Tensor, bias: Tensor, to: _Widening, *, last: bool
) -> tuple[Tensor, Tensor]:
    """Gain and bias; the `last` one undoes what embeddings, the output's too, are shrunk by."""
    gain = gain * to.shrink
    fill, zeros = gain.mean().expand(len(to.new)), torch.zeros(len(to.new))
    if last:
        gain, bias, fill = gain / to.shrink, bias / to.shrink, fill * _HEARD
    return to.spread(gain, fill), to.spread(bias, zeros)


def _writer(weight: Tensor, bias: Tensor, to: _Widening, units: int) -> tuple[Tensor, Tensor]:
    """A layer that adds to the stream, without heed yet of `units` new inputs."""
    wider = torch.cat([weight, weight.new_zeros(len(weight), units)], 1)
    return to.spread(wider, wider.mean(0)), to.spread(bias, bias.mean())


def _reader(weight: Tensor, bias: Tensor, to: _Widening, kind: str) -> tuple[Tensor, Tensor]:
    """A layer that reads the normalised stream, with new rows in each of its matrices."""
    rows = to.units if kind == "up" else len(to.new)
    random = torch.randn(len(to.new), len(weight)) * weight.std(1)
    wider = to.spread(weight.T, random).T
    parts = _PARTS.get(kind, 1)
    matrices, biases = [], []
    for matrix, some in zip(wider.chunk(parts), bias.chunk(parts), strict=True):
        matrices += [matrix, torch.randn(rows, to.width) * matrix.std()]
        biases += [some, some.mean().expand(rows)]
    return torch.cat(matrices), torch.cat(biases)
