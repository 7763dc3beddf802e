"""`--glossary`: of the command, and of the app, which has one of its own."""

import json
from pathlib import Path
from typing import Any

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector

from mltranslate import pipeline
from mltranslate.cli.main import main
from mltranslate.errors import InputError, UsageError
from mltranslate.types import Caution
from mltranslate_tui import entry
from mltranslate_tui.engine import PipelineEngine


@pytest.fixture
def terms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A glossary of English and German; texts are translated into capitals."""
    real = pipeline.Translator

    def translator(*arguments: Any, **options: Any) -> pipeline.Translator:
        return real(*arguments, **options, decoder=FakeDecoder(), detector=FakeDetector())

    monkeypatch.setattr(pipeline, "Translator", translator)
    path = tmp_path / "terms.tsv"
    path.write_text("# mine\nbutton\tKnopf\ten\tde\nAcme\tAcme\n")
    return path


def test_terms_are_kept_to(terms: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "--to", "de", "--glossary", str(terms), "Press button.", "Go."]) == 0
    out, err = capsys.readouterr()
    assert "Knopf" in out
    assert out.endswith("\nGO.\n")
    assert err == ""


def test_what_is_missing_is_named(
    terms: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mltranslate.insertion._MOST_PLACES", 0)
    command = ["text", "--to", "de", "--glossary", str(terms)]
    assert main([*command, "Press button. Acme."]) == 0
    out, err = capsys.readouterr()
    assert out == "PRESS BUTTON. ACME.\n"
    said = "warning: the translation lacks what the glossary asks for: Knopf, Acme\n"
    assert err == f"mltranslate: {said}"
    assert main([*command, "--json", "Press button."]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["warnings"], found["missing_terms"]) == (["glossary"], ["Knopf"])


def test_of_many_missing_terms_some_are_named(
    terms: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mltranslate.insertion._MOST_PLACES", 0)
    names = [f"w{number}" for number in range(25)]
    terms.write_text("".join(f"{name}\tx{name}\n" for name in names))
    assert main(["text", "--to", "de", "--glossary", str(terms), "In " + " ".join(names)]) == 0
    assert capsys.readouterr().err.endswith(", xw19 and 5 more\n")


def test_a_term_of_another_variety_is_left_alone(
    terms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terms.write_text("button\tDruckknopf\ten\tde-AT\nbutton\tKnopf\ten\tde-CH\n")
    command = ["text", "--glossary", str(terms), "--from", "en", "--to"]
    assert main([*command, "de-AT", "Press button."]) == 0
    assert "Druckknopf" in capsys.readouterr().out
    assert main([*command, "de-CH", "Press button."]) == 0
    assert "Knopf" in capsys.readouterr().out
    assert main([*command, "de", "Press button."]) == 0
    assert capsys.readouterr().out == "PRESS BUTTON.\n"


def test_a_name_is_no_glossary() -> None:
    translator = pipeline.Translator(decoder=FakeDecoder(), detector=FakeDetector())
    with pytest.raises(UsageError, match=r"a str is no glossary\. Use Glossary\.read\(path\)"):
        translator.translate("Hi.", "de", glossary="terms.tsv")  # type: ignore[arg-type]


@pytest.mark.usefixtures("terms")
def test_a_bad_glossary_is_one_line_and_a_code(
    terms: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terms.write_text("a\tb\nno translation\n")
    assert main(["text", "--to", "de", "--glossary", str(terms), "Hi"]) == 5
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"mltranslate: error: {terms}, line 2: 1 column: a term has 2 or 4")
    assert err.count("\n") == 1
    assert main(["text", "--to", "de", "--glossary", "missing.tsv", "Hi"]) == 5


def test_the_app_takes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr("mltranslate_tui.app.main", lambda **options: calls.append(options) or 0)
    monkeypatch.setattr(entry, "_on_terminal", lambda: True)
    assert entry.main(["--glossary", "terms.tsv"]) == 0
    assert calls == [{"glossary": "terms.tsv"}]


def _translated(engine: PipelineEngine) -> Any:
    return engine.translate(
        "Press button.", source="en", target="de", cancel=pipeline.CancelToken(),
        progress=lambda _: None,
    )  # fmt: skip


def test_the_app_uses_the_one_named_or_the_users_own(
    terms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.tsv"
    monkeypatch.setattr("mltranslate_tui.engine.user_glossary", lambda: own)
    assert _translated(PipelineEngine(None, "cpu", 1)).text == "PRESS BUTTON."
    assert "Knopf" in _translated(PipelineEngine(None, "cpu", 1, str(terms))).text
    own.write_text("button\tTaste\n")
    assert "Taste" in _translated(PipelineEngine(None, "cpu", 1)).text
    assert "Knopf" in _translated(PipelineEngine(None, "cpu", 1, str(terms))).text
    own.write_text("button\n")
    with pytest.raises(InputError, match="line 1: 1 column"):
        PipelineEngine(None, "cpu", 1)


def test_the_app_says_what_is_missing() -> None:
    from dataclasses import replace

    from mltranslate_tui import wording
    from mltranslate_tui.blocks import merged
    from mltranslate_tui.choices import Pair

    translator = pipeline.Translator(decoder=FakeDecoder(), detector=FakeDetector())
    plain = translator.translate("Hi you.", "de", "en")[0]
    one = replace(plain, warnings=(Caution.GLOSSARY,), missing_terms=("Knopf",))
    two = replace(one, missing_terms=("Taste", "Knopf"))
    pair = Pair(source="en", target="de", spare="zh")
    said = wording.cautions(merged([one, plain, two]), pair)
    assert said == ("The glossary asks for: Knopf, Taste",)
