"""Packs on disk: found, checked, and refused when anything was changed."""

import contextlib
import json
import logging
import shutil
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack_archives import SCHEMAS

from mltranslate import locations
from mltranslate.decode import Decoder
from mltranslate.errors import PackError
from mltranslate.packs import Pack, find_pack, list_packs, load_pack, read_pack, verify, verify_pack
from mltranslate.packs.archive import unpack
from mltranslate.packs.graph_scan import Outside, scan_graph
from mltranslate.packs.store import find_packs, survey_packs

EVIL_NODE = b"\x3a\x0c\x0a\x0a\x3a\x08org.evil"
"""GraphProto.node.domain is org.evil."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "golden"
    place.mkdir()
    unpack(SCHEMAS[-1], place)
    return place


@pytest.fixture
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    user, embedded = tmp_path / "user", tmp_path / "embedded"
    monkeypatch.setattr(locations, "user_packs", lambda: user)
    monkeypatch.setattr(locations, "embedded_packs", lambda: embedded)
    return user, embedded


def test_pack_shows_its_manifest(folder: Path) -> None:
    pack = read_pack(folder)
    verify_pack(pack)
    assert (pack.name, pack.version) == ("golden", "0.1.0")
    assert pack.languages == ("en", "de")
    assert pack.directions == frozenset({("en", "de"), ("de", "en")})
    assert pack.precisions == ("fp32", "int8")
    assert pack.max_source_tokens == 22


@pytest.mark.parametrize("member", ["int8.bin", "fp32.greedy.onnx", "vocabulary.model"])
def test_one_changed_byte_is_caught(folder: Path, member: str) -> None:
    data = bytearray((folder / member).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / member).write_bytes(data)
    with pytest.raises(PackError, match="SHA-256"):
        verify_pack(read_pack(folder))


def test_shortened_member_is_caught_at_once(folder: Path) -> None:
    (folder / "int8.bin").write_bytes(b"short")
    with pytest.raises(PackError, match="5 bytes"):
        read_pack(folder)


def test_missing_member_is_caught_at_once(folder: Path) -> None:
    (folder / "int8.bin").unlink()
    with pytest.raises(PackError, match=r"int8\.bin"):
        read_pack(folder)


def test_link_out_of_the_pack_is_refused(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "outside"
    (folder / "int8.bin").rename(target)
    try:
        (folder / "int8.bin").symlink_to(target)
    except OSError:
        pytest.skip("this system lets no user make links")
    with pytest.raises(PackError, match="plain file"):
        read_pack(folder)


def test_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"manifest\.json"):
        load_pack(tmp_path)


def test_packs_are_found_by_path_and_name(folder: Path, shelves: tuple[Path, Path]) -> None:
    user, embedded = shelves
    shutil.copytree(folder, user / "mine")
    shutil.copytree(folder, embedded / "golden")
    assert load_pack(str(folder)).folder == folder
    assert load_pack("mine").folder == user / "mine"
    assert find_pack().folder == embedded / "golden"
    assert find_pack("mine").folder == user / "mine"
    assert [pack.folder for pack in list_packs()] == [user / "mine", embedded / "golden"]


def test_the_default_is_taken_where_several_packs_ship(
    folder: Path, shelves: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "m", "z"):
        shutil.copytree(folder, shelves[1] / name)
    assert find_pack().folder == shelves[1] / "a"
    monkeypatch.setattr("mltranslate.packs.store.DEFAULT", "m")
    assert find_pack().folder == shelves[1] / "m"


def test_the_order_of_choice(
    folder: Path, shelves: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    user, embedded = shelves
    for place in (user / "y", user / "b", embedded / "a", embedded / "m", embedded / "z"):
        shutil.copytree(folder, place)
    monkeypatch.setattr("mltranslate.packs.store.DEFAULT", "m")
    order = [user / "b", user / "y", embedded / "m", embedded / "a", embedded / "z"]
    assert [pack.folder for pack in list_packs()] == order
    assert [pack.folder for pack in find_packs()] == order
    assert [pack.folder for pack in find_packs("z")] == [embedded / "z"]
    assert [pack.folder for pack in find_packs(folder)] == [folder]
    shutil.copytree(folder, user / "m")
    assert [pack.folder.parent for pack in list_packs()] == [user] * 3 + [embedded] * 2


def test_users_pack_hides_the_embedded_one(folder: Path, shelves: tuple[Path, Path]) -> None:
    for shelf in shelves:
        shutil.copytree(folder, shelf / "golden")
    assert load_pack("golden").folder == shelves[0] / "golden"
    assert [pack.folder for pack in list_packs()] == [shelves[0] / "golden"]


def test_damaged_pack_is_logged_and_left_out(
    folder: Path, shelves: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(folder, shelves[0] / "bad")
    (shelves[0] / "bad" / "int8.bin").unlink()
    with caplog.at_level(logging.WARNING):
        assert list_packs() == []
    assert "int8.bin" in caplog.text
    packs, damaged = survey_packs()
    assert (packs, list(damaged)) == ([], [shelves[0] / "bad"])
    with pytest.raises(PackError, match="packs install"):
        find_packs()
    shutil.copytree(folder, shelves[1] / "good")
    assert [pack.folder for pack in find_packs()] == [shelves[1] / "good"]


@pytest.mark.usefixtures("shelves")
def test_nothing_found_says_what_to_do() -> None:
    with pytest.raises(PackError, match="packs list"):
        load_pack("absent")
    for find in (find_pack, find_packs):
        with pytest.raises(PackError, match="--pack"):
            find()


def test_scan_finds_the_weights_of_real_graphs(folder: Path) -> None:
    pack = read_pack(folder)
    for variant in pack.manifest.variants.values():
        for name in (variant.greedy, variant.beam):
            found = scan_graph((pack.folder / name).read_bytes())
            assert found.files == {variant.weights}
            assert "" in found.domains
            assert found.domains <= {"", "ai.onnx", "com.microsoft"}


def test_scan_sees_into_sub_graphs() -> None:
    onnx = pytest.importorskip("onnx")
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[1], data_location=1)
    tensor.external_data.add(key="location", value="/etc/passwd")
    inner = onnx.GraphProto(name="inner", initializer=[tensor])
    attribute = onnx.AttributeProto(name="body", g=inner, type=onnx.AttributeProto.GRAPH)
    inner.node.add(op_type="Evil", domain="org.evil")
    attribute.g.CopyFrom(inner)
    node = onnx.NodeProto(op_type="Loop", attribute=[attribute])
    expected = Outside(frozenset({"/etc/passwd"}), frozenset({"org.evil"}))
    model = onnx.ModelProto(graph=onnx.GraphProto(node=[node]))
    assert scan_graph(model.SerializeToString()) == expected
    function = onnx.FunctionProto(name="f", node=[node])
    model = onnx.ModelProto(functions=[function])
    assert scan_graph(model.SerializeToString()) == expected


@pytest.mark.parametrize(
    ("graph", "why"), [(EVIL_NODE, "custom operators"), (bytes(2**20), "larger than")]
)
def test_decoder_refuses_a_graph_with_foreign_parts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, graph: bytes, why: str
) -> None:
    monkeypatch.setattr(verify, "MAX_GRAPH_BYTES", 2**20 - 1)
    (folder / "fp32.greedy.onnx").write_bytes(graph)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["members"]["fp32.greedy.onnx"]["bytes"] = len(graph)
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(PackError, match=why):
        Decoder(read_pack(folder), device="cpu", threads=1, precision="fp32")


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_scan_of_noise_ends(data: bytes) -> None:
    with contextlib.suppress(PackError):
        scan_graph(data)


@settings(max_examples=100)
@given(st.data())
def test_scan_of_damaged_graphs_ends(data: st.DataObject) -> None:
    with zipfile.ZipFile(SCHEMAS[-1]) as archive:
        original = bytearray(archive.read("int8.beam.onnx"))
    for _ in range(3):
        original[data.draw(st.integers(0, len(original) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PackError):
        scan_graph(bytes(original))


def test_pack_is_a_value(folder: Path) -> None:
    first, second = read_pack(folder), read_pack(folder)
    assert isinstance(first, Pack)
    assert first == second


@pytest.mark.parametrize("kind", [str, Path])
def test_a_zip_file_is_to_be_installed_first(tmp_path: Path, kind: type[str] | type[Path]) -> None:
    file = tmp_path / "one.zip"
    file.write_bytes(b"PK")
    with pytest.raises(PackError, match=r"packs install .*one\.zip"):
        load_pack(kind(file))
