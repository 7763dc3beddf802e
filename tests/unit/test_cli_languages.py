"""Languages on the command line: by name, by any code, and in a variety that no pack writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack

from mltranslate import pipeline
from mltranslate.cli.main import main
from mltranslate.languages import describe

CHINESE = "这是我们的国家。"
TRADITIONAL = "這是我們的國家。"


@pytest.fixture(autouse=True)
def decoder(monkeypatch: pytest.MonkeyPatch) -> FakeDecoder:
    """The command translates with this decoder instead of a pack."""
    pack = FakePack(languages=("en", "de", "zh"))
    decoder = FakeDecoder(
        render=lambda text, target, guard: CHINESE if target == "zh" else text.upper(), pack=pack
    )
    real = pipeline.Translator

    def translator(*arguments: Any, **options: Any) -> pipeline.Translator:
        return real(*arguments, **options, decoder=decoder, detector=FakeDetector())

    monkeypatch.setattr(pipeline, "Translator", translator)
    return decoder


@pytest.mark.parametrize("spelling", ["de", "DE", "german", "Deutsch", "deu", "ger", "de_DE"])
def test_a_language_is_named_in_many_ways(
    spelling: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["text", "--to", spelling, "--from", "ENGLISH", "Hello."]) == 0
    assert capsys.readouterr() == ("HELLO.\n", "")
    assert main(["text", "--from", spelling, "--to", "eng", "Hallo."]) == 0
    assert capsys.readouterr().out == "HALLO.\n"


@pytest.mark.parametrize("option", ["--to", "--from"])
def test_a_wrong_one_is_refused_with_the_nearest(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["text", "--to", "en", option, "Germn", "Hello."]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "unknown language 'Germn': the nearest is German (de)" in err


def test_traditional_chinese_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "--to", "zh-Hant", "--from", "en", "Hello."]) == 0
    assert capsys.readouterr() == (TRADITIONAL + "\n", "")
    assert main(["text", "--to", "zh-Hans", "--from", "en", "Hello."]) == 0
    assert capsys.readouterr() == (CHINESE + "\n", "")


def test_what_is_chinese_already_is_written_as_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "--to", "zh-Hant", "--from", "zh", CHINESE, "12:30"]) == 0
    warning = "nothing was translated, only rewritten in the characters asked for"
    assert capsys.readouterr() == (f"{TRADITIONAL}\n12:30\n", f"mltranslate: warning: {warning}\n")
    assert main(["text", "--to", "zh", "--from", "zh", TRADITIONAL]) == 0
    out, err = capsys.readouterr()
    assert out == TRADITIONAL + "\n"
    assert "nothing was translated" in err


def test_a_variety_that_nothing_shows_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "--to", "de-AT", "--from", "en", "Hello."]) == 0
    told = "Austrian German, and it cannot be told which kind of German a text is in"
    assert told in capsys.readouterr().err


def test_a_target_is_not_detected(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "--to", "auto", "Hello."]) == 2
    assert capsys.readouterr().err == (
        "mltranslate: error: auto is for --from only. Name the target language: --to de\n"
    )


def test_json_says_which_variety_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "--to", "zh_TW", "--from", "en", "--json", "Hello."]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["text"], record["target"]) == (TRADITIONAL, "zh")
    assert (record["variety"], record["warnings"]) == ("zh-Hant", [])
    assert main(["text", "--to", "de", "--from", "en", "--json", "Hello."]) == 0
    assert json.loads(capsys.readouterr().out)["variety"] is None


def test_people_see_the_names_of_a_packs_languages(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ZipFile(repository / "tests/golden/packs/schema-1.zip") as archive:
        name = json.loads(archive.read("manifest.json"))["name"]
        archive.extractall(tmp_path / name)
    folder = str(tmp_path / name)
    assert main(["packs", "info", folder]) == 0
    shown = capsys.readouterr().out
    assert main(["packs", "info", "--json", folder]) == 0
    codes = json.loads(capsys.readouterr().out)["languages"]
    named = ", ".join(f"{describe(code).name} ({code})" for code in codes)
    assert f"languages: {named}\n" in shown
