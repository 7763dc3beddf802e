"""`mltranslate detect` with the identifier that ships."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mltranslate.cli.main import main

Feed = Callable[[bytes], None]
MIXED = "Das Wetter ist heute sehr schön. Nous allons nous promener au parc."


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert err == ""
    assert out == "" or out.endswith("\n")
    return out.splitlines()


def _records(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _lines(capsys)]


def test_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", "Where is the station?", "Wo ist der Bahnhof?\nDort."]) == 0
    rows = [line.split("\t") for line in _lines(capsys)]
    assert [row[0] for row in rows] == ["en", "de"]
    assert all(0.5 < float(row[1]) <= 1 for row in rows)


def test_lines_of_stdin(feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
    feed("Guten Morgen\r\n\nGuten Morgen\nсколько времени".encode())
    assert main(["detect", "--languages", "German,en"]) == 0
    lines = _lines(capsys)
    assert [line.split("\t")[0] for line in lines] == ["de", "und", "de", "und"]
    assert lines[0] == lines[2]
    assert lines[1] == "und\t1.0000"
    feed(b"")
    assert main(["detect"]) == 0
    assert _lines(capsys) == []


def test_people_read_names_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["detect", "Wo ist der Bahnhof?", "12:30"]) == 0
    assert [line.split("\t")[::2] for line in _lines(capsys)] == [
        ["de", "German"], ["und", "no language"],
    ]  # fmt: skip
    assert main(["detect", "--top", "2", "--languages", "de,nl", "Wo ist der Bahnhof?"]) == 0
    assert _lines(capsys)[0].split("\t")[2::3] == ["German", "Dutch"]
    assert main(["detect", "--json", "Wo ist der Bahnhof?"]) == 0
    assert "German" not in _lines(capsys)[0]


def test_one_answer_is_the_first_of_several(capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["Guten Morgen", "12:30", "Onde fica o ônibus?", "x = y[1];", "如果明天下雨"]
    assert main(["detect", *texts]) == 0
    plain = _lines(capsys)
    assert main(["detect", "--top", "3", *texts]) == 0
    several = _lines(capsys)
    assert main(["detect", "--json", *texts]) == 0
    records = _records(capsys)
    for line, more, record, text in zip(plain, several, records, texts, strict=True):
        assert "\t".join(more.split("\t")[:2]) == line
        assert record["text"] == text
        (found,) = record["detections"]
        assert line == f"{found['language']}\t{found['confidence']:.4f}"
    assert records[2]["detections"][0]["variety"] == "pt-BR"


def test_top_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", "--json", "--top", "2", "--languages", "de,nl,en", "het is mooi"]) == 0
    (record,) = _records(capsys)
    assert [set(found) for found in record["detections"]] == [
        {"language", "confidence", "variety"}
    ] * 2
    assert record["detections"][0]["language"] == "nl"


def test_segments(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["detect", "--segments", "--languages", "de,fr"]
    assert main([*options, MIXED]) == 0
    rows = [line.split("\t") for line in _lines(capsys)]
    assert [row[2] for row in rows] == ["de", "fr"]
    assert "".join(json.loads(row[4]) for row in rows) == MIXED
    assert main([*options, "--json", MIXED]) == 0
    (record,) = _records(capsys)
    assert [part["language"] for part in record["segments"]] == ["de", "fr"]
    assert record["segments"][-1]["end"] == len(MIXED.encode())


def test_segments_of_lines(feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
    feed(f"{MIXED}\n\n{MIXED}\n".encode())
    assert main(["detect", "--segments", "--json"]) == 0
    first, empty, again = _records(capsys)
    assert first == again
    assert empty == {"text": "", "segments": []}


@pytest.mark.parametrize(
    "options",
    [
        ["--top", "0"],
        ["--top", "x"],
        ["--segments", "--top", "2"],
        ["--languages", "en,Elvish"],
        ["--languages", ""],
        ["--language", "en"],
    ],
    ids=" ".join,
)
def test_wrong_options(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", *options, "Hello"]) == 2
    assert capsys.readouterr().out == ""


def test_file_is_read_in_large_pieces(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_bytes(b"Das ist ein kleines Haus.\n" * 12_000 + b"This is\xff")
    program = "import sys; from mltranslate.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "detect", "--languages", "de,en"]
    with file.open("rb") as stream:
        done = subprocess.run(command, stdin=stream, capture_output=True, check=False)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 5
    assert len(lines) == 12_000
    assert {line.split("\t")[0] for line in lines} == {"de"}
    assert b"not valid UTF-8" in done.stderr
