"""The app's engine: blocks of a long text, and honest drafts between them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mltranslate import Glossary
from mltranslate.detect.live import CANDIDATES
from mltranslate.errors import Cancelled, LanguageError, PackError
from mltranslate.limits import DEFAULT_BEAM
from mltranslate.types import (
    CancelToken,
    Caution,
    Detection,
    Progress,
    ProgressCallback,
    TextCallback,
)
from mltranslate.types import Translation as Result
from mltranslate_tui.blocks import around, blocks
from mltranslate_tui.choices import Offer, Pair
from mltranslate_tui.controller import Draft
from mltranslate_tui.engine import DETECTION_CHARACTERS, PipelineEngine

LINES = "".join(f"Line {n} is one sentence. And here is another.\n" for n in range(200))


class ShoutingTranslator:
    """Stands in for `mltranslate.pipeline.Translator`: every text in capitals, in two batches."""

    languages = ("en", "de", "fr")
    packs = (
        SimpleNamespace(
            name="one",
            version="1.0.0",
            directions={("en", "de"), ("en", "fr"), ("fr", "en")},
            manifest=SimpleNamespace(variants={"int8": SimpleNamespace(aligned="")}),
        ),
    )

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.texts: list[str] = []
        self.loaded: list[tuple[Any, ...]] = []
        self.linked: list[bool] = []
        self.fault: Exception | None = None

    def candidates(self, text: str, top: int) -> list[Detection]:
        self.texts.append(text)
        return [Detection(language="en", confidence=0.9)] * top

    def load(self, *wanted: Any) -> None:
        self.loaded.append(wanted)
        if wanted[1:] == ("fr", "de"):
            raise LanguageError("There is no way")

    def translate(
        self,
        text: str,
        *,
        target: str,
        source: str | Detection,
        beam: int,
        cancel: CancelToken,
        progress: ProgressCallback,
        glossary: Glossary | None = None,
        alignment: bool = False,
        draft: TextCallback | None = None,
    ) -> Sequence[Result]:
        cancel.raise_if_cancelled()
        self.linked.append(alignment)
        if alignment and self.fault:
            raise self.fault
        assert beam == DEFAULT_BEAM
        self.texts.append(text)
        total = 2 * text.count("\n")
        for done in (total // 2, total):
            progress(Progress(done=done, total=total))
            if draft:
                draft(text[: done * len(text) // (2 * total)].upper() if total else "")
        return [_result(text, target, () if len(self.texts) > 1 else (Caution.OFF_TARGET,))]


def _result(text: str, target: str, warnings: tuple[Caution, ...]) -> Result:
    return Result(
        source_text=text,
        text=text.upper(),
        source="en",
        target=target,
        detected=None,
        device="cpu",
        provider="CPUExecutionProvider",
        precision="int8",
        pack="one 1.0.0",
        route=("en", target),
        milliseconds=1.0,
        score=-0.5,
        warnings=warnings,
    )


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> PipelineEngine:
    monkeypatch.setattr("mltranslate.pipeline.Translator", ShoutingTranslator)
    return PipelineEngine("pack", "cpu", 2)


def test_drafts_are_what_is_finished_and_count_every_sentence(engine: PipelineEngine) -> None:
    drafts: list[Draft] = []
    result = engine.translate(
        LINES, source="en", target="de", cancel=CancelToken(), progress=drafts.append
    )
    assert result.text == LINES.upper()
    assert result.warnings == (Caution.OFF_TARGET,)
    assert {draft.total for draft in drafts} == {len(LINES)}
    assert [draft.done for draft in drafts] == sorted(draft.done for draft in drafts)
    assert drafts[-1].done == len(LINES)
    assert all(draft.done > len(draft.text) for draft in drafts)
    assert drafts[0].text == ""
    for earlier, later in pairwise(drafts):
        assert later.text.startswith(earlier.text)
        assert result.text.startswith(later.text)
    assert len({draft.text for draft in drafts}) > 2


def test_a_cancelled_text_stops_at_its_next_block(engine: PipelineEngine) -> None:
    cancel = CancelToken()
    drafts: list[Draft] = []

    def stop(draft: Draft) -> None:
        drafts.append(draft)
        cancel.cancel()

    with pytest.raises(Cancelled):
        engine.translate(LINES, source="en", target="de", cancel=cancel, progress=stop)
    assert drafts[-1].done < len(LINES)


@pytest.mark.parametrize(
    ("source", "target", "loaded"),
    [
        pytest.param("auto", "fr", [("en", "fr")], id="from the spare language"),
        pytest.param("en", "de", [("en", "de")], id="both chosen"),
        pytest.param("fr", "de", [("fr", "de"), ()], id="no way"),
    ],
)
def test_the_first_models_are_those_of_the_first_pair(
    engine: PipelineEngine, source: str, target: str, loaded: list[Any]
) -> None:
    engine.load(Pair(source=source, target=target, spare="en"))
    made = engine._translator.loaded  # type: ignore[attr-defined]
    assert made == [(DEFAULT_BEAM, *pair) for pair in loaded]
    assert engine.packs == ["one 1.0.0"]
    assert engine.offer == Offer(("en", "fr"), ("en", "de", "fr"))


def test_packs_that_are_left_out_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mltranslate.pipeline.Translator", ShoutingTranslator)
    damaged = {Path("bad"): PackError("no manifest.json")}
    monkeypatch.setattr("mltranslate.packs.store.survey_packs", lambda: ([], damaged))
    assert PipelineEngine(None, "cpu", 1).left_out == ["bad: no manifest.json"]
    assert PipelineEngine("pack", "cpu", 1).left_out == []


def test_the_beginning_of_the_prose_is_detected(engine: PipelineEngine) -> None:
    code = "```\n" + "x = 1\n" * DETECTION_CHARACTERS + "```\n"
    found = engine.detect("---\na: b\n---\n" + code + LINES)
    assert len(found) == CANDIDATES
    (seen,) = engine._translator.texts  # type: ignore[attr-defined]
    assert seen == " ".join(LINES.split())[: len(seen)]
    assert DETECTION_CHARACTERS - 2 < len(seen) <= DETECTION_CHARACTERS


def test_links_are_asked_for_where_they_are_wanted_alone(engine: PipelineEngine) -> None:
    made: Any = engine._translator
    for wanted in (None, around(LINES, len(LINES) // 2), around(LINES, 0)):
        made.linked.clear()
        _translate(engine, LINES, wanted)
        begins = itertools.accumulate(map(len, blocks(LINES)[:-1]), initial=0)
        assert made.linked == [wanted is not None and wanted.start == begin for begin in begins]
        assert len(made.linked) > 2


def test_a_pack_without_links_translates_all_the_same_and_is_asked_once(
    engine: PipelineEngine,
) -> None:
    made: Any = engine._translator
    made.fault = PackError("the pack one cannot align words")
    assert engine.links("en", "de")
    for _ in range(2):
        assert _translate(engine, "One.", range(5)).text == "ONE."
    assert made.linked == [True, False, False]
    assert not engine.links("en", "de")
    assert engine.links("de", "en")


def test_a_pack_whose_links_are_damaged_is_told(
    engine: PipelineEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Any = engine._translator
    made.fault = PackError("the graph is damaged")
    monkeypatch.setattr(made.packs[0].manifest.variants["int8"], "aligned", "aligned.onnx")
    with pytest.raises(PackError, match="the graph is damaged"):
        _translate(engine, "One.", range(5))
    assert engine.links("en", "de")


def test_two_packs_are_not_blamed_for_links_that_nobody_asks_them_for(
    engine: PipelineEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Any = engine._translator
    made.fault = PackError("a file is gone")
    monkeypatch.setattr(made, "packs", ())
    with pytest.raises(PackError, match="a file is gone"):
        _translate(engine, "One.", range(5))
    assert engine.links("en", "de")


def test_a_pack_that_is_at_fault_without_links_too_is_not_blamed_for_them(
    engine: PipelineEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PackError("damaged")

    monkeypatch.setattr(engine._translator, "translate", fail)
    with pytest.raises(PackError, match="damaged"):
        _translate(engine, "One.", range(5))
    assert engine.links("en", "de")


def _translate(engine: PipelineEngine, text: str, linked: range | None) -> Result:
    return engine.translate(
        text,
        source="en",
        target="de",
        cancel=CancelToken(),
        progress=lambda _: None,
        linked=linked,
    )
