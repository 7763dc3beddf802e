"""The models before a pack's, numbered, for its card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltranslate_train.finetune.ancestry import ancestors, described

Record = Mapping[str, Any]


class Lineage:
    """All ancestors of a model, each once, numbered from 1 in the order in which they are told.

    Those with the same hash of their weights are one; one without a hash is none but itself.
    """

    def __init__(self, provenance: Record) -> None:
        """Number the ancestors in the provenance of a manifest."""
        known: dict[object, Record] = {}
        for model in ancestors(provenance):
            other = known.setdefault(_identity(model), model)
            known[_identity(model)] = max(other, model, key=described)
        self.models = list(known.values())
        self._numbers = {identity: number for number, identity in enumerate(known, 1)}

    def number(self, model: Record) -> int:
        """Of one of the ancestors."""
        return self._numbers[_identity(model)]

    def origin(self, model: Record) -> str:
        """What it was started from, and the mean of which it is, by numbers; may be empty."""
        said = []
        if "parent" in model:
            said.append(f"started from {self.number(model['parent'])}{_growth(model['parent'])}")
        if "averaged" in model:
            share = model["averaged"]["share"]
            first, second = map(self.number, model["averaged"]["of"])
            said.append(f"{1 - share:.3g} of {first} and {share:.3g} of {second}")
        return ", ".join(said)


def _growth(parent: Record) -> str:
    if "grown_from" not in parent:
        return ""
    return " (narrower: " + " ".join(f"{k} {v}" for k, v in parent["grown_from"].items()) + ")"


def _identity(model: Record) -> object:
    return model.get("weights_sha256") or id(model)
