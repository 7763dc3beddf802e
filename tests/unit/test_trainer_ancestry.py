"""Ancestors are described once, and none is lost."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mltranslate_train.finetune.ancestry import ancestors, told_once


def new(number: int, **origin: Any) -> dict[str, Any]:
    sources = [{"name": f"source {number}", "licence": "MIT", "pairs": number}]
    return {"weights_sha256": f"{number:064x}", "step": number, "sources": sources, **origin}


@st.composite
def families(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """The last of some models, each started or averaged from models before it.

    Told in full throughout, and told once whenever a mean was made, as `average` does.
    """
    full, short = [new(0)], [new(0)]
    for number in range(1, draw(st.integers(1, 7))):
        one, other = (draw(st.integers(0, number - 1)) for _ in range(2))
        is_mean = draw(st.booleans())
        for models in (full, short):
            of = [models[one], models[other]]
            origin = {"averaged": {"share": 0.5, "of": of}} if is_mean else {"parent": of[0]}
            models.append(new(number, **origin))
        if is_mean:
            short[-1] = told_once(short[-1])
    return full[-1], told_once(short[-1])


def described_fully(model: dict[str, Any]) -> list[str]:
    return [one["weights_sha256"] for one in ancestors(model) if "step" in one]


def sources(model: dict[str, Any]) -> set[str]:
    return {source["name"] for one in ancestors(model) for source in one["sources"]}


@given(families())
def test_each_ancestor_is_described_once_with_all_its_sources(
    family: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    full, found = family
    once = described_fully(found)
    assert sorted(once) == sorted({one["weights_sha256"] for one in ancestors(full)})
    assert sources(found) == sources(full)
    assert (found["step"], found["sources"]) == (full["step"], full["sources"])


@given(families())
def test_telling_again_changes_nothing(family: tuple[dict[str, Any], dict[str, Any]]) -> None:
    assert told_once(family[1]) == family[1]


def test_one_that_was_only_named_is_described_when_it_is_all_that_is_left() -> None:
    oldest = new(0)
    older = new(1, parent=oldest)
    left, right = new(2, parent=older), new(3, parent=older)
    first = told_once(new(4, averaged={"share": 0.5, "of": [left, right]}))
    again = told_once(new(5, averaged={"share": 0.5, "of": [first, left]}))
    assert sorted(described_fully(again)) == [f"{number:064x}" for number in range(5)]


def test_means_of_means_do_not_double() -> None:
    model = new(0)
    sizes = []
    for number in range(1, 30):
        started = new(number, parent=model)
        mean = {"averaged": {"share": 0.5, "of": [started, model]}}
        model = told_once(new(1000 + number, **mean))
        sizes.append(len(json.dumps(model)))
    assert sizes[-1] - sizes[-2] <= sizes[5] - sizes[4] + 20, "a digit more in a number or two"
