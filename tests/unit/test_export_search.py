"""What beam search takes for each language: put into a finished pack, and refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import onnx
import pytest
import toy_run

from mltranslate.decode import Decoder
from mltranslate.errors import PackError, UsageError
from mltranslate.packs import Pack, read_pack
from mltranslate.packs.card import read_card
from mltranslate.packs.verify import verify_pack
from mltranslate_export.cli import main
from mltranslate_export.manifest_changes import with_length_penalties


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    place = tmp_path / "toy"
    shutil.copytree(toy_run.toy_pack(), place)
    return read_pack(place)


def contents(pack: Pack) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in pack.folder.iterdir()}


def search(pack: Pack, *more: str) -> int:
    return main(["search", str(pack.folder), *more])


def test_a_pack_says_which_penalty_suits_a_language(
    pack: Pack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(pack, "--length-penalty", "de=2", "--version", "1.2.3") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "pack": str(pack.folder), "version": "1.2.3", "length_penalties": {"de": 2.0}
    }  # fmt: skip
    changed = read_pack(pack.folder)
    verify_pack(changed)
    assert changed.version == "1.2.3"
    decoder = Decoder(changed, device="cpu", threads=1)
    assert decoder.usual_length_penalty("de") == 2
    assert decoder.usual_length_penalty("en") == 1.25
    card = read_card(changed)
    assert f"# {pack.name} 1.2.3" in card
    assert "| length penalty of beam search into German (de) | 2 |" in card


def test_what_is_said_again_takes_the_place_of_what_was_said(pack: Pack) -> None:
    assert search(pack, "--length-penalty", "de=2") == 0
    assert search(pack, "--length-penalty", "en=1.6") == 0
    changed = read_pack(pack.folder)
    assert changed.manifest.length_penalties == {"en": 1.6}
    assert changed.version == pack.version


def test_the_files_of_the_model_stay_as_they_are(pack: Pack) -> None:
    before = contents(pack)
    assert search(pack, "--length-penalty", "de=2") == 0
    after = contents(pack)
    assert {name for name in before if before[name] != after[name]} <= {
        "manifest.json", "README.md"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--length-penalty", "fr=2"], "--length-penalty fr=2 does not fit"),
        (["--length-penalty", "de=2.1"], "--length-penalty de=2.1 is out of range"),
        (["--length-penalty", "de=2", "--version", "2"], "--version '2' is no version of a pack"),
        (["--length-penalty", "de=2", "--version", ""], "--version '' is no version of a pack"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    options: list[str], said: str, pack: Pack, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(pack)
    assert search(pack, *options) == UsageError.exit_code
    assert said in capsys.readouterr().err
    assert contents(pack) == before


def test_a_signed_pack_is_refused(pack: Pack, capsys: pytest.CaptureFixture[str]) -> None:
    (pack.folder / "manifest.json.sig").write_bytes(b"signed")
    before = contents(pack)
    assert search(pack, "--length-penalty", "de=2") in {UsageError.exit_code, PackError.exit_code}
    assert "sign" in capsys.readouterr().err
    assert contents(pack) == before


def test_a_pack_whose_graphs_take_none_is_refused(pack: Pack) -> None:
    place = pack.folder / next(iter(pack.manifest.variants.values())).beam
    model = onnx.load(str(place), load_external_data=False)
    kept = [one for one in model.graph.input if one.name != "length_penalty"]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    place.write_bytes(model.SerializeToString())
    before = contents(pack)
    with pytest.raises(UsageError, match="takes no length penalty"):
        with_length_penalties(pack, {"de": 2.0})
    assert contents(pack) == before
