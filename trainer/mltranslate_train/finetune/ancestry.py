"""What a model says of the models that it came from, by any number of starts and means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Record = Mapping[str, Any]

INHERITED = (
    "step", "target_tokens", "training_seconds", "sources", "parent", "averaged", "unpacked",
)  # fmt: skip
"""What is said of an ancestor itself, beside its name and the hash of its weights."""

_TOLD_ONCE = frozenset(INHERITED) - {"sources"}  # what was read may be told differently elsewhere


def direct(model: Record) -> list[Record]:
    """The models that it was started or averaged from."""
    parents = [model["parent"]] if "parent" in model else []
    return parents + (list(model["averaged"]["of"]) if "averaged" in model else [])


def ancestors(model: Record) -> Iterator[Record]:
    """All before it, a model before those that it came from; what is reached twice comes twice."""
    for ancestor in direct(model):
        yield ancestor
        yield from ancestors(ancestor)


def told_once(model: Record) -> dict[str, Any]:
    """The same, with each ancestor described in one place; in others, its name and its sources.

    Two that a mean is of have ancestors in common: without this, what the mean of means says of
    them doubles with each.
    """
    fullest: dict[str, Record] = {}
    for one in ancestors(model):
        if sha256 := one.get("weights_sha256"):
            fullest[sha256] = max(fullest.get(sha256, one), one, key=described)
    return _told_once(model, fullest, set())


def described(model: Record) -> int:
    """How much is said of a model: of one that is described elsewhere, nothing."""
    return sum(key in model for key in _TOLD_ONCE)


def _told_once(model: Record, fullest: Mapping[str, Record], told: set[str]) -> dict[str, Any]:
    """`told` has the hashes of what is described elsewhere, and gets those that are here."""
    new = {one["weights_sha256"] for one in direct(model) if "weights_sha256" in one} - told
    told |= new  # before those further back: what a model is made of directly is told there

    def ancestor(one: Record) -> dict[str, Any]:
        sha256 = one.get("weights_sha256", "")
        own = {key: value for key, value in one.items() if key not in _TOLD_ONCE}
        if sha256 in told - new:
            return own
        new.discard(sha256)
        full = fullest.get(sha256, one)  # it may only have been named here, and described there
        said = {key: full[key] for key in _TOLD_ONCE if key in full}
        return _told_once({**said, **own}, fullest, told)

    found = dict(model)
    if "parent" in found:
        found["parent"] = ancestor(found["parent"])
    if "averaged" in found:
        found["averaged"] = {
            **found["averaged"], "of": [ancestor(one) for one in found["averaged"]["of"]],
        }  # fmt: skip
    return found
