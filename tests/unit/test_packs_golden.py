"""Packs of every manifest schema that ever shipped keep loading, and translate as they did."""

import json
import re
import zipfile
from pathlib import Path

import pytest
from pack_archives import SCHEMAS

from mltranslate import locations
from mltranslate.decode import Decoder, Request
from mltranslate.packs import Pack, load_pack, verify_pack
from mltranslate.packs.install import install_pack
from mltranslate.packs.manifest import SCHEMA

GAMES = [("ai bo cu", "de", "cu bo ai"), ("ai bo cu", "en", "ai bo cu"), ("mu", "de", "mu")]


@pytest.fixture(params=SCHEMAS, ids=lambda path: path.stem)
def archive(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def pack(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pack:
    monkeypatch.setattr(locations, "user_packs", lambda: tmp_path / "packs")
    install_pack(archive)
    return load_pack("golden")


def test_there_is_a_pack_of_every_schema() -> None:
    assert [path.stem for path in SCHEMAS] == [f"schema-{n}" for n in range(1, SCHEMA + 1)]


def test_its_manifest_reads_as_it_did(pack: Pack) -> None:
    verify_pack(pack)
    assert (pack.name, pack.version, pack.languages) == ("golden", "0.1.0", ("en", "de"))
    assert pack.directions == frozenset({("en", "de"), ("de", "en")})
    assert (pack.max_source_tokens, pack.max_target_tokens) == (22, 24)
    assert pack.manifest.tokenizer.tags == {"en": 5, "de": 6}
    assert pack.manifest.licence == "CC0-1.0"
    assert pack.manifest.provenance["sources"][0]["name"] == "toy"


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("beam", [1, 4])
def test_it_translates_as_it_did(pack: Pack, precision: str, beam: int) -> None:
    decoder = Decoder(pack, device="cpu", threads=1, precision=precision)
    tokenizer = pack.tokenizer()
    asked = [
        Request(pieces=tokenizer.encode(text), target=target, max_tokens=12)
        for text, target, _ in GAMES
    ]
    found = [tokenizer.decode(one.pieces) for one in decoder.decode(asked, beam=beam)]
    assert found == [answer for _, _, answer in GAMES]


def test_its_signature_holds(archive: Path, pack: Pack) -> None:
    pytest.importorskip("cryptography", reason="signatures need the extra `sign`")
    from mltranslate.packs.signature import verify_signature

    verify_signature(pack.folder, archive.with_suffix(".pem"))


def test_every_key_is_documented(archive: Path, repository: Path) -> None:
    page = (repository / "docs" / "packs.md").read_text("utf-8")
    rows = "\n".join(row for row in page.splitlines() if row.startswith("| `"))
    documented = set(re.findall(r"`(\w+)`", rows))
    with zipfile.ZipFile(archive) as opened:
        manifest = json.loads(opened.read("manifest.json"))
    assert set(manifest) <= documented
    assert set(manifest["tokenizer"]) <= documented
    assert set(next(iter(manifest["variants"].values()))) <= documented
