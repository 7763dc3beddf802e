"""Floors are made by their rule, and the set runs with a pack of all nine languages."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import sentencepiece
import torch
from regression_checks import CHECKS, Case, read_cases, run
from regression_floors import KINDS, floor_of, lowered, proposal, slack
from regression_table import NINE, Found, Passed, markdown, rates

from mltranslate import Translation, Translator
from mltranslate_export.build import PackPlan, build_pack
from mltranslate_export.checkpoint import load_run
from mltranslate_train.model.transformer import Transformer, TransformerConfig

PRESENT = {
    "default": {"category": 75.0, "direction": 80.0, "check": 100.0},
    "category": {"travel": 66.0, "kept": 100.0}, "direction": {}, "check": {},
}  # fmt: skip


def found_of(good: int, bad: int, category: str = "travel") -> Found:
    case = Case("x", category, "en", "de", "one", (), ())
    result = Translation(
        source_text="", text="eins", source="en", target="de", detected=None, device="cpu",
        provider="", precision="", pack="", route=(), milliseconds=0, score=None,
    )  # fmt: skip
    return [(case, result, ())] * good + [(case, result, ("kept",))] * bad


@pytest.mark.parametrize(
    ("good", "cases", "floor"),
    [(12, 12, 91), (9, 12, 66), (20, 20, 95), (30, 34, 82), (192, 192, 97), (0, 3, 0), (1, 1, 0)],
)
def test_a_floor_lies_a_few_cases_below(good: int, cases: int, floor: float) -> None:
    assert floor_of("category", "travel", Passed(good, cases)) == floor


def test_what_may_never_fail_stays_at_100() -> None:
    assert floor_of("category", "empty", Passed(3, 12)) == 100
    assert floor_of("category", "kept", Passed(3, 12)) < 100  # its sentences may read badly
    assert floor_of("check", "not empty", Passed(3, 12)) == 100
    assert floor_of("check", "language", Passed(12, 12)) < 100
    assert [slack(cases) for cases in (1, 12, 34, 192, 780)] == [1, 1, 2, 5, 9]


def test_a_lower_floor_is_never_silent() -> None:
    better, worse = found_of(12, 0), found_of(6, 6)
    assert tomllib.loads(proposal(better, PRESENT))["category"] == {"travel": 91.0}
    assert "travel = 41.0  # lowered from 66.0" in proposal(worse, PRESENT)
    assert "category travel: 66.0 -> 41.0" in lowered(worse, PRESENT)
    # A direction that no floor names has the default.
    assert "en-de = 41.0  # lowered from 80.0" in proposal(worse, PRESENT)
    assert not any("travel" in line for line in lowered(better, PRESENT))


def test_the_proposal_is_a_file_of_floors_that_its_pack_passes() -> None:
    found = found_of(9, 3)
    floors = tomllib.loads(proposal(found, PRESENT))
    assert floors["default"] == PRESENT["default"]
    for kind in KINDS:
        for name, passed in rates(found, kind).items():
            assert passed.percent >= floors[kind][name], (kind, name)


@pytest.fixture(scope="module")
def nine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of all nine languages, each directly from and into English, with random weights."""
    folder = tmp_path_factory.mktemp("nine")
    (folder / "best").mkdir()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sorted({case.text for case in read_cases() if case.text.strip()})),
        model_prefix=str(folder / "vocabulary"), vocab_size=1200, model_type="bpe",
        pad_id=0, unk_id=1, bos_id=2, eos_id=3, byte_fallback=True, hard_vocab_limit=False,
        control_symbols=",".join(["<mask>", *(f"<2{code}>" for code in NINE)]),
        normalization_rule_name="identity", minloglevel=2,
    )  # fmt: skip
    size = sentencepiece.SentencePieceProcessor(
        model_file=str(folder / "vocabulary.model")
    ).get_piece_size()
    shape: dict[str, Any] = {
        "vocabulary_size": size, "d_model": 16, "heads": 2, "ffn": 16, "encoder_layers": 1,
        "decoder_layers": 1, "dropout": 0.0, "max_length": 24,
    }  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(3)
        weights = Transformer(TransformerConfig(**shape)).state_dict()
    safetensors.torch.save_file(weights, folder / "best" / "model.safetensors")
    english = [(code, "en") for code in NINE[1:]] + [("en", code) for code in NINE[1:]]
    about = {
        "architecture": "transformer", "model": shape, "languages": list(NINE),
        "directions": [list(pair) for pair in english], "step": 0, "target_tokens": 0,
        "sources": [],
    }  # fmt: skip
    (folder / "best" / "model.json").write_text(json.dumps(about))
    plan = PackPlan(name="nine", version="0.0.1", licence="CC0-1.0", precisions=("fp32",))
    pack = tmp_path_factory.mktemp("packs") / "nine"
    pack.mkdir()
    build_pack(load_run(folder), pack, plan, ranges={})
    return pack


def test_all_cases_run_with_a_pack_of_nine_languages(nine: Path) -> None:
    translator = Translator(nine, device="cpu", threads=1)
    cases = read_cases(translator.languages)
    assert len(cases) == len(read_cases())
    found = run(translator, cases)
    assert len(found) == len(cases)
    made = rates(found, "check")
    assert set(made) == {*CHECKS, "unchanged"}
    # What the engine sees to holds whatever the weights are.
    for check in ("not empty", "unchanged"):
        assert made[check].percent == 100, check
    assert made["words"].percent < 20
    assert len(rates(found, "direction")) == 24
    assert set(tomllib.loads(proposal(found, PRESENT))["direction"]) == set(
        rates(found, "direction")
    )
    assert "| from ja |" in markdown(found)
