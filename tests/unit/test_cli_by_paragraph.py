"""`mltranslate text --by-paragraph`: a document in several languages."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, label

from mltranslate import pipeline
from mltranslate.cli.main import main

Feed = Callable[[str], None]
DOCUMENT = (
    "Hello there.\nYou.\n\n"
    "Katz und Maus.\n\n\n"
    "```\nsome und code\n\nmore\n```\n"
    "12:30\n\n"
    "你好。\n\n"
    "Good day."
)


@pytest.fixture(autouse=True)
def _engine(monkeypatch: pytest.MonkeyPatch) -> None:
    real = pipeline.Translator

    def translator(*arguments: Any, **options: Any) -> pipeline.Translator:
        return real(
            *arguments, **options, decoder=FakeDecoder(render=label), detector=FakeDetector()
        )

    monkeypatch.setattr(pipeline, "Translator", translator)


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Feed:
    def give(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return give


def test_every_paragraph_has_its_own_language(
    feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    feed(DOCUMENT)
    assert main(["text", "--to", "en", "--by-paragraph"]) == 0
    out, err = capsys.readouterr()
    said = DOCUMENT.replace("Katz und Maus.", "en<Katz und Maus.>").replace("你好。", "en<你好。>")
    assert (out, err) == (said, "")


def test_a_mixed_document_taken_for_the_target_language_is_told_of_it(
    feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    hint = "; for several languages: --by-paragraph"
    feed("Hello there.\n\nGood day.\n")
    assert main(["text", "--to", "en"]) == 0
    assert f"already the target language{hint} (--json" in capsys.readouterr().err
    for text, options in (
        ("Hello there.\n", []),
        ("Hello there.\n\nGood day.\n", ["--from", "en"]),
        ("12:30\n\n12:40\n", []),
        ("Hello there.\n\nGood day.\n", ["--by-paragraph"]),
    ):
        feed(text)
        assert main(["text", "--to", "en", *options]) == 0
        err = capsys.readouterr().err
        assert "nothing was translated" in err
        assert hint not in err


def test_json_has_an_object_a_paragraph(feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
    feed(DOCUMENT.replace("\n", "\r\n"))
    assert main(["text", "--to", "en", "--by-paragraph", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["source"], one["route"]) for one in records] == [
        ("en", []), ("de", ["de", "en"]), ("und", []), ("und", []), ("zh", ["zh", "en"]),
        ("en", []),
    ]  # fmt: skip
    assert records[0]["source_text"] == "Hello there.\r\nYou."
    assert all(one["detected"]["language"] == one["source"] for one in records)


@pytest.mark.parametrize("option", ["--json", "--n-best=2"])
def test_blank_lines_are_no_paragraph(
    option: str, feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    blank = "\n" * 9000  # more than a block
    feed(f"Katz und Maus.\n\n```\ncode\n```\n\n```\n```\n\nKatz.{blank}Und Maus.\n```\n```\n\n")
    assert main(["text", "--to", "en", "--by-paragraph", "--beam", "2", option]) == 0
    lines = capsys.readouterr().out.splitlines()
    if option == "--json":
        sources = [json.loads(line)["source_text"] for line in lines]
        assert [source.strip("\n") for source in sources] == [
            "Katz und Maus.", "```\ncode\n```", "```\n```", "Katz.", "Und Maus.", "```\n```",
        ]  # fmt: skip
    else:
        assert {line.split("\t")[0] for line in lines} == set("123456")


@pytest.mark.parametrize("lines", [1500, 6000])
def test_code_has_one_result_however_it_comes(
    lines: int, feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "```\n" + "x = 1 + 2\n\n" * lines + "```"
    feed(f"Katz und Maus.\n\n{code}\n\nKatz und Maus.\n")
    assert main(["text", "--to", "en", "--by-paragraph", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["source_text"] for one in records] == ["Katz und Maus.", code, "Katz und Maus."]
    feed(f"{code}\n\nKatz und Maus.\n")
    assert main(["text", "--to", "en", "--by-paragraph"]) == 0
    assert capsys.readouterr().out == f"{code}\n\nen<Katz und Maus.>\n"


def test_code_behind_a_byte_order_mark_is_code(
    feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "\ufeff```\nKatz und Maus.\n```\n"
    for options in (["--by-paragraph"], ["--from", "de"], []):
        feed(text)
        assert main(["text", "--to", "en", *options]) == 0
        assert capsys.readouterr().out == text


def test_a_long_document_comes_in_blocks(feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
    text = "Katz und Maus.\n\nHello there.\n\n" * 2000
    feed(text)
    assert main(["text", "--to", "en", "--by-paragraph"]) == 0
    assert capsys.readouterr().out == text.replace("Katz und Maus.", "en<Katz und Maus.>")


def test_empty_input_gives_empty_output(feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
    feed("")
    assert main(["text", "--to", "en", "--by-paragraph"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("arguments", [["Hello."], ["--from", "de"]], ids=" ".join)
def test_it_is_refused_where_it_does_nothing(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["text", "--to", "en", "--by-paragraph", *arguments]) == 2
    assert "--by-paragraph" in capsys.readouterr().err


def test_languages_of_texts_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    from mltranslate.errors import UsageError
    from mltranslate.types import Detection

    translator = pipeline.Translator()
    given = [Detection(language=code, confidence=0.7) for code in ("de", "zh")]
    results = translator.translate(["Hello.", "Hello."], "en", given)
    assert [result.detected for result in results] == given
    assert [result.route for result in results] == [("de", "en"), ("zh", "en")]
    with pytest.raises(UsageError, match="2 detections do not fit 1 texts"):
        translator.translate("Hello.", "en", given)
