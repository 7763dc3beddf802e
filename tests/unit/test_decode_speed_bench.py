"""The decoding benchmark measures what it says; CTranslate2 itself is not needed here."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import toy_run

from mltranslate.decode import Decoder, Request
from mltranslate.decode.feeds import SHORTLIST_FROM
from mltranslate.packs import read_pack
from mltranslate.packs.shortlist import Shortlist

ENDING = """
from turns import Turns

Turns().serve(lambda setting, case: lambda: 1 / 0, {"version": "0"})
"""


@pytest.fixture
def bench(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark as a module; it is a script, not part of a package."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = repository / "bench" / "decode_speed.py"
    spec = importlib.util.spec_from_file_location("bench_decode_speed", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def toy_spec(bench: ModuleType, folder: Path) -> Path:
    pack = toy_run.toy_pack()
    case = {
        "model": pack.name, "beam": 1, "whole": True,
        "groups": [{"limit": 6, "sources": [[6, 20, 21, 22, 3], [6, 23, 24, 3]]}],
    }  # fmt: skip
    spec = {
        "folder": str(pack.parent), "device": "cpu", "threads": 1, "cores": bench._cores()[:1],
        "target": "de", "cases": {"pair": case, "file": {**case, "whole": False}},
    }  # fmt: skip
    (folder / "spec.json").write_text(json.dumps(spec), "utf-8")
    return folder / "spec.json"


def test_our_engine_answers_with_the_decoders_tokens(bench: ModuleType, tmp_path: Path) -> None:
    engine = bench.Engine("ours", Path(sys.executable), "ours.py", toy_spec(bench, tmp_path))
    try:
        turns = [engine.turn("fp32", case, 2, tokens=True) for case in ("pair", "file")]
        count = engine.turn("int8", "pair").count
    finally:
        engine.stop()
    decoder = Decoder(read_pack(toy_run.toy_pack()), device="cpu", precision="fp32", threads=1)
    requests = [
        Request(pieces=pieces, target="de", max_tokens=6) for pieces in ((20, 21, 22), (23, 24))
    ]
    expected = [list(found.pieces) for found in decoder.decode(requests)]
    assert [turn.found for turn in turns] == [expected, expected]
    assert [len(turn.seconds) for turn in turns] == [2, 2]
    assert min(turns[0].cpu_seconds) > 0
    assert count > 0


def test_end_of_an_engine_is_told(bench: ModuleType, tmp_path: Path) -> None:
    script = tmp_path / "ending.py"
    folder = Path(bench.__file__ or "").parent / "decode_peers"
    script.write_text(f"import sys\nsys.path.insert(0, {str(folder)!r})\n{ENDING}", "utf-8")
    engine = bench.Engine("odd", Path(sys.executable), str(script), toy_spec(bench, tmp_path))
    assert engine.about == {"version": "0"}
    with pytest.raises(bench.EngineError, match=r"odd ended:(.|\n)*ZeroDivisionError"):
        engine.turn("fp32", "pair")


class Scripted:
    """An engine that says what it is told to."""

    def __init__(self, answer: Callable[[str, str], list[list[int]]]) -> None:
        self.asked: list[tuple[str, str]] = []
        self._answer = answer

    def turn(self, setting: str, case: str, *, tokens: bool) -> Any:
        self.asked.append((setting, case))
        turn = type("Turn", (), {})()
        turn.found = self._answer(setting, case)
        return turn


def test_nothing_is_timed_before_the_tokens_are_the_same(
    bench: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = {
        "greedy-8": {"groups": [{"sources": [[1], [2]]}]},
        "batch32": {"groups": [{"sources": [[1]], "limit": 1}]},
    }
    right = {"greedy-8": [[5], [6]], "batch32": [[7]]}
    ours, theirs = (Scripted(lambda _, case: right[case]) for _ in range(2))
    bench.gate({"ours": ours, bench.PEER: theirs}, cases)
    assert ours.asked == [("fp32", "greedy-8"), ("fp32+short", "greedy-8"), ("fp32", "batch32")]
    assert "2 of 2 sentences are the same" in capsys.readouterr().out
    for wrong in ("float32", "float32+map"):
        other = Scripted(
            lambda setting, case, wrong=wrong: (  # type: ignore[misc]
                [[5], [9]] if setting == wrong else right[case]
            )
        )
        with pytest.raises(bench.EngineError, match="1 of 2 sentences differ"):
            bench.gate({"ours": ours, bench.PEER: other}, cases)


def turns(bench: ModuleType, milliseconds: list[float]) -> list[Any]:
    return [bench.Turn([9.0], [value / 1000], 5, []) for value in milliseconds]


def test_last_line_is_the_worst_length_against_the_best_setting(bench: ModuleType) -> None:
    times = {}
    for length in bench.LENGTHS:
        for kind in ("greedy", "beam4"):
            name = f"{kind}-{length}"
            # The machine was busy in the second round: it slowed all.
            times["ours", bench.OURS, name] = turns(bench, [length, 10 * length, length])
            times[bench.PEER, bench.WHOLE, name] = turns(bench, [64.0, 640.0, 64.0])
            times[bench.PEER, bench.MAPPED, name] = turns(bench, [40.0, 400.0, 40.0])
    for name, settings in (("batch32", [bench.MAPPED]), ("file", ["int8+map@1", "int8+map@2"])):
        times["ours", bench.OURS, name] = turns(bench, [6.0])
        for number, setting in enumerate(settings):
            times[bench.PEER, setting, name] = turns(bench, [10.0 - 2 * number])
    assert bench.last_line(times, "cpu") == (
        "ratio batch1=0.50 batch1_best=0.80 beam4=0.50 batch32_best=0.60 file_best=0.75"
    )
    assert bench.last_line(times, "wall").startswith("ratio batch1=1.00")
    lines = list(bench.table(times, "cpu"))
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == 1 + len(times)


def test_cases_have_the_lengths_that_they_name(bench: ModuleType) -> None:
    draw = bench.Sentences([[10, 11, 12], [13], []], tag=6, end=3)
    cases = bench.make_cases(draw, 20, trained=True)
    for length in bench.LENGTHS:
        for group in cases[f"beam4-{length}"]["groups"]:
            assert [len(source) for source in group["sources"]] == [length + 2]
            assert group["limit"] == length
    assert [len(group["sources"]) for group in cases["batch32"]["groups"]] == [32]
    assert sum(len(group["sources"]) for group in cases["file"]["groups"]) == 20
    assert cases["file"]["model"] == "natural"
    ends = {source[-1] for group in cases["file"]["groups"] for source in group["sources"]}
    assert ends == {3}
    groups = bench.make_cases(draw, 20, trained=False)["file"]["groups"]
    assert all({len(s) - 2 for s in group["sources"]} == {group["limit"]} for group in groups)


@pytest.mark.parametrize("shape", ["", "S"])
def test_models_share_their_weights_and_one_never_ends(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    models = bench.models
    counts = np.zeros(288, np.int64)
    counts[20] = 2
    shortlist = Shortlist.of(counts, np.array([30, 31]), np.array([9, 40]))
    monkeypatch.setattr(models, "make_shortlists", lambda *_: {"de": shortlist})
    tiny = {"d_model": 16, "ffn": 16, "encoder_layers": 1, "decoder_layers": 1, "heads": 2}
    monkeypatch.setitem(models.SHAPES, "S", tiny)
    run = tmp_path / "run"
    run.mkdir()
    for name in ("best", "vocabulary.model"):
        (run / name).symlink_to(toy_run.toy_run() / name)
    (run / "recipe.toml").write_text('[data]\ndirections = ["en-de", "de-en"]\n', "utf-8")
    checkpoint = models.checkpoint_of(run, shape, 1, ("en", "de"))
    made = models.build(tmp_path, checkpoint, run, 5, ["ai bo", "cu di"])
    assert made.trained == (not shape)
    assert (tmp_path / "natural").exists() == (not shape)
    assert (tmp_path / "vmap.txt").read_text("utf-8") == "\t9 40\n20\t30 31\n"
    with np.load(tmp_path / "endless" / "weights.npz") as file:
        forbidden = set(np.flatnonzero(file["output_bias"] < -1e8).tolist())
    assert forbidden == {*checkpoint.banned, 3}
    pack = read_pack(tmp_path / "endless")
    request = Request(pieces=(20,) * SHORTLIST_FROM, target="de", max_tokens=17)
    for short in (False, True):
        decoder = Decoder(pack, device="cpu", precision="fp32", threads=1, shortlist=short)
        (found,) = decoder.decode([request])
        assert (len(found.pieces), found.finished, found.shortlist) == (17, False, short)
