import json
from pathlib import Path

import pytest
from pack_archives import tiny, zipped

from mltranslate import locations
from mltranslate.cli.main import main
from mltranslate.cli.packs import _outline, installed_folders
from mltranslate.errors import PackError


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An embedded pack folder, at first empty; the user has none."""
    folder = tmp_path / "packs"
    folder.mkdir()
    monkeypatch.setattr(locations, "embedded_packs", lambda: folder)
    monkeypatch.setattr(locations, "user_packs", lambda: tmp_path / "none")
    return folder


@pytest.mark.usefixtures("packs")
def test_without_a_pack(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["packs", "list"]) == 0
    assert main(["packs", "info"]) == 3
    assert main(["packs", "verify"]) == 3
    assert capsys.readouterr().out == ""
    with pytest.raises(PackError, match="no pack"):
        installed_folders()


def test_every_damaged_pack_is_named(packs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        (packs / name).mkdir()
        (packs / name / "manifest.json").write_text("{}")
    assert main(["packs", "verify", "--json"]) == 3
    out, err = capsys.readouterr()
    records = [json.loads(line) for line in out.splitlines()]
    assert [Path(record["pack"]).name for record in records] == ["one", "two"]
    assert not any(record["ok"] for record in records)
    assert err.count("mltranslate: error: ") == 2
    assert main(["packs", "verify", "no-such-pack"]) == 3


def test_a_pack_that_is_left_out_is_one_line_on_stderr(
    packs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (packs / "one").mkdir()
    (packs / "one" / "manifest.json").write_text("{}")
    for _ in range(2):
        assert main(["packs", "list"]) == 0
        out, err = capsys.readouterr()
        assert out == ""
        (line,) = err.splitlines()
        assert line.startswith(f"mltranslate: warning: the pack in {packs / 'one'} is left out: ")
    assert main(["text", "--to", "de", "Hello."]) == 3
    warning, error = capsys.readouterr().err.splitlines()
    assert "is left out" in warning
    assert error.startswith("mltranslate: error: there is no pack to translate with")


@pytest.mark.usefixtures("packs")
def test_a_pack_comes_and_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, copy = str(tmp_path / "tiny.zip"), str(tmp_path / "copy.zip")
    Path(file).write_bytes(zipped(tiny().items()))
    assert main(["packs", "install", file]) == 0
    assert main(["packs", "install", file]) == 2
    assert main(["packs", "install", file, "--replace"]) == 0
    assert main(["packs", "verify", "tiny"]) == 0
    assert main(["packs", "export", "tiny", copy]) == 0
    assert main(["packs", "export", "tiny", copy]) == 2
    assert main(["packs", "export", "tiny", copy, "--replace"]) == 0
    assert main(["packs", "remove", "tiny"]) == 0
    assert main(["packs", "remove", "tiny"]) == 3
    assert main(["packs", "install", copy]) == 0
    out, err = capsys.readouterr()
    place = tmp_path / "none" / "tiny"
    assert out.splitlines() == [
        f"tiny 0.1.0: installed in {place}",
        f"tiny 0.1.0: installed in {place}",
        "tiny 0.1.0: whole",
        f"tiny 0.1.0: written to {copy}",
        f"tiny 0.1.0: written to {copy}",
        f"tiny: removed from {place.parent}",
        f"tiny 0.1.0: installed in {place}",
    ]
    assert len(err.splitlines()) == 3


def test_a_zip_file_is_verified(
    packs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tiny.zip"
    file.write_bytes(zipped(tiny().items()))
    assert main(["packs", "verify", str(file)]) == 0
    file.write_bytes(zipped((tiny() | {"w.bin": bytes(256)}).items()))
    assert main(["packs", "verify", str(file), "--json"]) == 3
    file.write_bytes(b"no zip")
    assert main(["packs", "verify", str(file)]) == 3
    out, err = capsys.readouterr()
    whole, record = out.splitlines()
    assert whole == "tiny 0.1.0: whole"
    assert json.loads(record)["pack"] == str(file)
    assert "SHA-256" in err
    assert "the archive is refused" in err
    assert list(packs.iterdir()) == []
    assert not (tmp_path / "none").exists()


def test_a_file_called_like_a_pack_is_not_meant(
    packs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (packs / "tiny").mkdir()
    for name, data in tiny().items():
        (packs / "tiny" / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    Path("tiny").write_bytes(b"some notes")
    assert main(["packs", "verify", "tiny"]) == 0


def test_the_pack_that_ships_stays(packs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (packs / "one").mkdir()
    (packs / "one" / "manifest.json").write_text("{}")
    assert main(["packs", "remove", "one"]) == 3
    assert "other packs are not touched" in capsys.readouterr().err
    assert (packs / "one" / "manifest.json").exists()


@pytest.mark.usefixtures("packs")
def test_the_doctor_reports_a_missing_pack(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 3
    facts = json.loads(capsys.readouterr().out)
    assert facts["packs"] == []
    assert facts["devices"][0]["usable"] is True
    assert main(["doctor"]) == 3
    assert "none found" in capsys.readouterr().out


def test_list_and_doctor_name_what_each_pack_serves(
    packs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [["en", "de"], ["de", "en"]]
    shelves = {
        tmp_path / "none" / "mine": tiny(name="mine"),
        packs / "one": tiny(name="one", directions=both),
        packs / "two": tiny(name="two", directions=both),
    }
    for place, files in shelves.items():
        place.mkdir(parents=True)
        for name, data in files.items():
            (place / name).write_bytes(data)
    assert main(["packs", "list"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [(row[0], row[3]) for row in rows] == [
        ("mine 0.1.0", "1 of 1 directions"),
        ("one 0.1.0", "1 of 2 directions"),
        ("two 0.1.0", "0 of 2 directions"),
    ]
    assert main(["packs", "list", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["serves"] for one in listed] == [[["en", "de"]], [["de", "en"]], []]
    (packs / "two" / "w.bin").unlink()
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["packs"]
    assert [one["serves"] for one in found] == [[["en", "de"]], [["de", "en"]], []]
    assert [one["ok"] for one in found] == [True, True, False]
    assert main(["doctor"]) == 0
    out, err = capsys.readouterr()
    assert "pack        one 0.1.0: whole, serves 1 directions\n" in out
    assert "w.bin" in out
    assert err == ""


def test_outline() -> None:
    facts = {
        "max_source_tokens": 1000,
        "directions": [["de", "en"], ["en", "de"]],
        "provenance": {"steps": 5, "sources": [{"name": "a", "pairs": 10}]},
    }
    assert list(_outline(facts)) == [
        "max source tokens: 1,000",
        "directions: de to en, en to de",
        "provenance:",
        "  steps: 5",
        "  sources:",
        "    name a, pairs 10",
    ]


def test_of_distant_ancestors_only_the_number_of_entries_is_told() -> None:
    oldest = {"name": "oldest", "step": 1}
    older = {"name": "older", "averaged": {"share": 0.5, "of": [oldest, oldest]}}
    provenance = {"averaged": {"share": 0.25, "of": [{"name": "new", "parent": older}]}}
    lines = list(_outline({"provenance": provenance}))
    assert lines[-4:] == [
        "        name: new",
        "        parent:",
        "          name: older",
        "          averaged: 2 entries, all of them with --json",
    ]


def test_ancestors_are_told_in_outline_without_their_long_lists() -> None:
    sources = [{"name": str(number), "pairs": 1} for number in range(21)]
    older = {"name": "old", "parent": {"step": 7, "sources": sources}}
    provenance = {"sources": sources, "averaged": {"share": 0.5, "of": [older, {"name": "new"}]}}
    lines = list(_outline({"provenance": provenance}))
    assert lines[:3] == ["provenance:", "  sources:", "    name 0, pairs 1"]
    assert lines[-9:] == [
        "  averaged:",
        "    share: 0.5",
        "    of:",
        "      -",
        "        name: old",
        "        parent:",
        "          step: 7",
        "          sources: 21 entries, all of them with --json",
        "      name new",
    ]
    assert len(lines) == 2 + len(sources) + 9
