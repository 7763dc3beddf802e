"""Ancestors are described once, and none is lost."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mltranslate_train.finetune.ancestry import ancestors, told_once


def described(number: int, **origin: Any) -> dict[str, Any]:
    sources = [{"name": f"source {number}", "licence": "MIT", "pairs": number}]
    return {"weights_sha256": f"{number:064x}", "step": number, "sources": sources, **origin}


@st.composite
def families(draw: st.DrawFn) -> dict[str, Any]:
    """The last of some models, each started or averaged from models before it, all told in full."""
    models = [described(0)]
    for number in range(1, draw(st.integers(1, 7))):
        one, other = (draw(st.sampled_from(models)) for _ in range(2))
        mean = {"averaged": {"share": 0.5, "of": [one, other]}}
        models.append(described(number, **draw(st.sampled_from([mean, {"parent": one}]))))
    return models[-1]


def described_fully(model: dict[str, Any]) -> list[str]:
    return [one["weights_sha256"] for one in ancestors(model) if "step" in one]


@given(families())
def test_each_ancestor_is_described_once_with_all_its_sources(model: dict[str, Any]) -> None:
    found = told_once(model)
    before, after = list(ancestors(model)), list(ancestors(found))
    once = described_fully(found)
    assert sorted(once) == sorted({one["weights_sha256"] for one in before})
    assert all(one["sources"] for one in after)
    assert {key: found[key] for key in ("step", "sources")} == {
        key: model[key] for key in ("step", "sources")
    }


@given(families())
def test_telling_again_changes_nothing(model: dict[str, Any]) -> None:
    found = told_once(model)
    assert told_once(found) == found


def test_means_of_means_do_not_double() -> None:
    model = described(0)
    sizes = []
    for number in range(1, 30):
        started = described(number, parent=model)
        mean = {"averaged": {"share": 0.5, "of": [started, model]}}
        model = told_once(described(1000 + number, **mean))
        sizes.append(len(json.dumps(model)))
    assert sizes[-1] - sizes[-2] <= sizes[5] - sizes[4] + 20, "a digit more in a number or two"
