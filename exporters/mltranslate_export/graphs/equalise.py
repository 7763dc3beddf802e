"""Channels of activations made alike before int8 rounds them all with one step.

A channel that a layer gives is divided by a factor, and what reads it multiplies by that: the
model says the same, but large channels no longer decide how finely small ones are rounded
(SmoothQuant, Xiao et al. 2022; Nagel et al. 2019 for layers with a rectifier between them). Factors
are powers of two, so that nothing is rounded on the way, and a pack tells which they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mltranslate_export.graphs.builder import Array
from mltranslate_export.graphs.linear import Ranges, quantise_rows

if TYPE_CHECKING:
    from mltranslate_train.model.transformer import TransformerConfig

Factors = Mapping[str, Array]
"""Powers of two, one a channel, by the layer that gives the channels."""

_MIGRATION = 0.5
"""How far the differences between activations go over to the weights, from 0 to 1."""
_MOST = 8
"""Largest exponent of a factor, either way."""


@dataclass(frozen=True, slots=True)
class Coupling:
    """Channels on their way from one layer to others, through nothing but positive factors."""

    source: str
    """A normalisation, or a linear layer."""
    readers: tuple[str, ...]
    """Linear layers that read these channels and no others."""
    first: int = 0
    """Of the source's outputs, where they begin; they are as many as a reader reads."""


def couplings(config: TransformerConfig) -> list[Coupling]:
    """All of a Transformer, those from normalisations first.

    Rectifiers pass factors on, and so do the sums that attention makes of values. What goes around
    a sub-layer keeps its channels as they are: with `norm` "post" no normalisation can change them.
    """
    return [*_after_norms(config), *_between_linears(config)]


def _after_norms(config: TransformerConfig) -> Iterator[Coupling]:
    if config.norm == "post":
        return
    decoders = [f"decoder_layers.{i}" for i in range(config.decoder_layers)]
    for name in (f"encoder_layers.{i}" for i in range(config.encoder_layers)):
        yield Coupling(f"{name}.attention_norm", (f"{name}.attention.qkv",))
        yield Coupling(f"{name}.ffn_norm", (f"{name}.ffn.up",))
    yield Coupling("encoder_norm", tuple(f"{name}.cross_attention.kv" for name in decoders))
    for name in decoders:
        if config.decoder == "attention":
            yield Coupling(f"{name}.self_norm", (f"{name}.self_attention.qkv",))
        yield Coupling(f"{name}.cross_norm", (f"{name}.cross_attention.q",))
        yield Coupling(f"{name}.ffn_norm", (f"{name}.ffn.up",))


def _between_linears(config: TransformerConfig) -> Iterator[Coupling]:
    width = config.d_model
    encoders = [f"encoder_layers.{i}" for i in range(config.encoder_layers)]
    decoders = [f"decoder_layers.{i}" for i in range(config.decoder_layers)]
    for name in encoders:
        yield Coupling(f"{name}.attention.qkv", (f"{name}.attention.out",), 2 * width)
    for name in decoders:
        if config.decoder == "attention":
            qkv = f"{name}.self_attention.qkv"
            yield Coupling(qkv, (f"{name}.self_attention.out",), 2 * width)
        yield Coupling(f"{name}.cross_attention.kv", (f"{name}.cross_attention.out",), width)
    if getattr(config, "activation", "relu") == "relu":
        for name in (*encoders, *decoders):
            yield Coupling(f"{name}.ffn.up", (f"{name}.ffn.down",))


def factors_for(
    weights: Mapping[str, Array], ranges: Ranges, among: Sequence[Coupling]
) -> dict[str, Array]:
    """Factors that share the differences between channels out to activations and weights."""
    return {one.source: _factors(weights, ranges, one) for one in among}


def _factors(weights: Mapping[str, Array], ranges: Ranges, one: Coupling) -> Array:
    low, high = ranges[one.readers[0]]
    active = np.maximum(-low, high).astype(np.float64)
    read = np.max([np.abs(weights[f"{name}.weight"]).max(axis=0) for name in one.readers], axis=0)
    given = weights[f"{one.source}.weight"]
    given = np.abs(given).reshape(len(given), -1).max(axis=1)[_rows(one, len(active))]
    live = (active > 0) & (read > 0) & (given > 0)  # of others no factor could be told again
    exponents = np.zeros(len(active))
    exponents[live] = _MIGRATION * np.log2(active[live])
    exponents[live] -= (1 - _MIGRATION) * np.log2(read[live].astype(np.float64))
    exponents[live] -= exponents[live].mean() if live.any() else 0
    factors: Array = np.exp2(np.clip(np.rint(exponents), -_MOST, _MOST)).astype(np.float32)
    return factors


def equalised(
    weights: Mapping[str, Array], factors: Factors, among: Sequence[Coupling]
) -> dict[str, Array]:
    """The weights of a model that says the same, with its channels divided by `factors`."""
    found = dict(weights)
    for one in among:
        factor = factors[one.source]
        for name in one.readers:
            found[f"{name}.weight"] = found[f"{name}.weight"] * factor
        for name in (f"{one.source}.weight", f"{one.source}.bias"):
            if name in found:
                found[name] = _divided(found[name], factor, one)
    return found


def _divided(given: Array, factor: Array, one: Coupling) -> Array:
    divided = given.copy()
    rows = _rows(one, len(factor))
    divided[rows] /= factor if given.ndim == 1 else factor[:, None]
    return divided


def equalised_ranges(ranges: Ranges, factors: Factors, among: Sequence[Coupling]) -> Ranges:
    """What the products of the equalised model read."""
    found = dict(ranges)
    for one in among:
        for name in one.readers:
            low, high = ranges[name]
            found[name] = low / factors[one.source], high / factors[one.source]
    return found


def factors_in(
    held: Mapping[str, Array], weights: Mapping[str, Array], among: Sequence[Coupling]
) -> dict[str, Array]:
    """The factors by which the weights of an int8 graph differ from a run's; 1 where none fits.

    `among` is as `couplings` gives it: by the factors of normalisations the scales of the layers
    after them are known, and by those the factors of these layers' own channels.
    """
    found: dict[str, Array] = {}
    for one in among:
        found[one.source] = _factor_in(held, weights, one)
        weights = equalised(weights, found, [one])
    return found


def _factor_in(held: Mapping[str, Array], weights: Mapping[str, Array], one: Coupling) -> Array:
    channels = weights[f"{one.readers[0]}.weight"].shape[1]
    given, now = weights[f"{one.source}.weight"], held.get(f"{one.source}.weight")
    if given.ndim > 1:  # rows divided by a power of two have the same integers, smaller scales
        given, now = quantise_rows(given)[1], held.get(f"{one.source}.scale")
    if now is None or now.shape != given.shape:
        return np.ones(channels, np.float32)
    rows = _rows(one, channels)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = given[rows] / now[rows]
        fits = (np.frexp(ratio)[0] == 0.5) & (np.abs(np.log2(ratio)) <= _MOST)
    return np.where(fits, ratio, 1).astype(np.float32)


def _rows(one: Coupling, channels: int) -> slice:
    return slice(one.first, one.first + channels)
