"""From the name of an architecture to the graph fragments of its family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mltranslate_export.graphs.builder import Array
from mltranslate_export.graphs.imported import ImportedNetwork
from mltranslate_export.graphs.linear import Linears
from mltranslate_export.graphs.network import Network
from mltranslate_export.graphs.rnn import RnnNetwork
from mltranslate_export.graphs.transformer import TransformerNetwork

Family = Callable[[Any, Mapping[str, Array], Linears], Network[Any]]
"""Takes the model's configuration, its weights, and the precision of its products."""

FAMILIES: Mapping[str, Family] = {
    "transformer": TransformerNetwork, "rnn": RnnNetwork, "imported-transformer": ImportedNetwork,
}  # fmt: skip
"""By the architecture that a run's `model.json` names, or that an importer gives a model."""
