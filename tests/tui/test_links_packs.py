"""Links between words from the packs that ship, and from one that is too old for them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from mltranslate import locations
from mltranslate.packs.install import install_pack
from mltranslate.types import CancelToken, Translation
from mltranslate_tui import wording
from mltranslate_tui.engine import PipelineEngine
from mltranslate_tui.links import found, told

GERMAN = "Der alte Mann kauft heute drei Äpfel.\n\nSie hat eine Katze und einen Hund."


def translated(engine: PipelineEngine, text: str, source: str, target: str) -> Translation:
    return engine.translate(
        text,
        source=source,
        target=target,
        cancel=CancelToken(),
        progress=lambda _: None,
        linked=range(len(text) + 1),
    )


@pytest.fixture(scope="module")
def engine() -> PipelineEngine:
    """All packs that ship, loaded once."""
    return PipelineEngine(None, "cpu", 1)


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        ("de", "en", GERMAN),
        ("en", "de", "The old man buys three apples today.\nShe has a cat and a dog."),
        ("en", "zh", "The old man buys three apples today.\nShe has a cat and a dog."),
        ("ja", "en", "私は昨日東京で友達に会いました。\n猫が好きです。"),
    ],
)
def test_words_of_every_line_are_linked(
    engine: PipelineEngine, source: str, target: str, text: str
) -> None:
    result = translated(engine, text, source, target)
    starts = itertools.accumulate((len(line) + 1 for line in text.split("\n")), initial=0)
    for start, line in zip(starts, text.split("\n"), strict=False):
        places = range(start, start + len(line))
        links = [links for at in places if (links := found(result, at, of_source=True))]
        assert bool(links) == bool(line)
        for one in links:
            assert result.source_text[slice(*one.word)] in line
            assert " ↔ " in told(result, one, of_source=True)
    for link in result.alignment:
        for side, whole in ((link.source, text), (link.target, result.text)):
            assert whole[slice(*side)].strip() == whole[slice(*side)] != ""
    assert engine.links(source, target)


def test_a_text_through_english_has_none(engine: PipelineEngine) -> None:
    result = translated(engine, GERMAN, "de", "fr")
    assert result.alignment == ()
    assert wording.unlinked(result, able=engine.links("de", "fr")) == "No links through English"


def test_a_text_that_is_copied_has_none(engine: PipelineEngine) -> None:
    result = translated(engine, GERMAN, "de", "de")
    assert wording.unlinked(result, able=True) == "No links: not translated"


def test_an_old_pack_has_none_and_translates_all_the_same(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locations, "user_packs", lambda: tmp_path / "packs")
    install_pack(repository / "tests" / "golden" / "packs" / "schema-1.zip")
    engine = PipelineEngine("golden", "cpu", 1)
    result = translated(engine, "ai bo cu", "en", "de")
    assert (result.text, result.alignment) == ("cu bo ai", ())
    assert not engine.links("en", "de")
    assert wording.unlinked(result, able=False) == "No links from this pack"
