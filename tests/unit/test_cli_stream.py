"""`mltranslate text --json --stream`: what is known of a translation before it is done."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector

from mltranslate import pipeline
from mltranslate.cli.main import main


@pytest.fixture(autouse=True)
def _engine(monkeypatch: pytest.MonkeyPatch) -> None:
    real = pipeline.Translator

    def translator(*arguments: Any, **options: Any) -> pipeline.Translator:
        return real(*arguments, **options, decoder=FakeDecoder(), detector=FakeDetector())

    monkeypatch.setattr(pipeline, "Translator", translator)


def test_drafts_stand_before_the_result_of_their_text(capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["We rest. They work.", "Go. Now go home."]
    assert main(["text", "--to", "de", "--json", "--stream", *texts]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = [record.get("draft") or record["text"] for record in records]
    # The second text is translated in one go: by then the model is known to be fast.
    assert said == ["WE REST.", "WE REST. THEY WORK.", "GO. NOW GO HOME."]
    assert [list(record) == ["draft"] for record in records] == [True, False, False]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(["Go."], "drafts of a translation are not plain text", id="no json"),
        pytest.param(["--json"], "--stream is for TEXT arguments", id="stdin"),
    ],
)
def test_where_there_are_no_drafts_it_is_refused(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["text", "--to", "de", "--stream", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert problem in err
