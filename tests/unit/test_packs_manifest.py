"""The manifest reader refuses everything that it does not know."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltranslate.errors import PackError
from mltranslate.limits import MAX_MANIFEST_BYTES
from mltranslate.packs import parse_manifest


def valid() -> dict[str, Any]:
    member = {"sha256": "0" * 64, "bytes": 7}
    files = {"greedy": "g.onnx", "beam": "b.onnx", "weights": "w.bin"}
    return {
        "schema": 1, "kind": "translation", "name": "toy", "version": "0.1.0",
        "languages": ["en", "de"], "directions": [["en", "de"]],
        "tokenizer": {
            "file": "v.model", "size": 300, "pad": 0, "eos": 3, "tags": {"en": 5, "de": 6}
        },
        "max_source_tokens": 80, "max_target_tokens": 160, "variants": {"int8": files},
        "members": {n: dict(member) for n in ("v.model", "r.json", *files.values())},
        "licence": "CC0-1.0", "provenance": {"sources": []}, "report": "r.json",
    }  # fmt: skip


def encode(value: object) -> bytes:
    return json.dumps(value).encode()


def changed(path: tuple[Any, ...], value: object) -> bytes:
    manifest = valid()
    inner: Any = manifest
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return encode(manifest)


def test_valid_manifest_is_read() -> None:
    manifest = parse_manifest(encode(valid()))
    assert manifest.directions == frozenset({("en", "de")})
    assert manifest.tokenizer.tags == {"en": 5, "de": 6}
    assert manifest.variants["int8"].weights == "w.bin"
    assert manifest.members["w.bin"].bytes == 7


def test_a_graph_that_aligns_may_be_there() -> None:
    assert parse_manifest(encode(valid())).variants["int8"].graphs == ("g.onnx", "b.onnx")
    named = valid()
    named["variants"]["int8"]["aligned"] = "a.onnx"
    with pytest.raises(PackError, match=r"'a\.onnx' is not among its members"):
        parse_manifest(encode(named))
    named["members"]["a.onnx"] = dict(named["members"]["g.onnx"])
    variant = parse_manifest(encode(named)).variants["int8"]
    assert (variant.searches, variant.aligned) == (("g.onnx", "b.onnx"), "a.onnx")
    assert variant.graphs == ("g.onnx", "b.onnx", "a.onnx")


def test_languages_may_have_a_length_penalty_of_their_own() -> None:
    assert parse_manifest(encode(valid())).length_penalties == {}
    found = parse_manifest(changed(("length_penalties",), {"de": 2}))
    assert found.length_penalties == {"de": 2.0}


@pytest.mark.parametrize(
    "given", [{}, {"fr": 1}, {"en": 1}, {"de": 2.5}, {"de": True}, {"de": "1"}, [1], 1]
)
def test_length_penalties_that_make_no_sense_are_refused(given: object) -> None:
    with pytest.raises(PackError, match=r"length_penalties|length penalty is for '(fr|en)'"):
        parse_manifest(changed(("length_penalties",), given))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 2), (("schema",), True), (("schema",), "1"), (("kind",), "lid"),
        (("name",), "../up"), (("name",), ""), (("version",), "1"), (("languages",), []),
        (("languages",), ["en", "en"]), (("languages",), ["en", "de", "../x"]),
        (("directions",), [["en", "fr"]]), (("directions",), [["en", "en"]]),
        (("directions",), [["en", "de"], ["en", "de"]]), (("directions",), ["ende"]),
        (("tokenizer", "size"), 5), (("tokenizer", "pad"), 1), (("tokenizer", "eos"), 2),
        (("tokenizer", "tags"), {"en": 5}), (("tokenizer", "tags", "fr"), 7),
        (("tokenizer", "file"), "other.model"), (("max_source_tokens",), 0),
        (("max_source_tokens",), 1.5), (("variants",), {}),
        (("variants", "int4"), {"greedy": "g.onnx", "beam": "b.onnx", "weights": "w.bin"}),
        (("variants", "int8", "greedy"), "absent.onnx"), (("variants", "int8", "more"), "x"),
        (("members", "../evil"), {"sha256": "0" * 64, "bytes": 1}),
        (("members", "/etc/passwd"), {"sha256": "0" * 64, "bytes": 1}),
        (("members", "a/b"), {"sha256": "0" * 64, "bytes": 1}),
        (("members", "a\\b"), {"sha256": "0" * 64, "bytes": 1}),
        (("members", ".."), {"sha256": "0" * 64, "bytes": 1}),
        (("members", "nul"), {"sha256": "0" * 64, "bytes": 1}),
        (("members", "Com1.bin"), {"sha256": "0" * 64, "bytes": 1}),
        (("members", "dot."), {"sha256": "0" * 64, "bytes": 1}),
        (("members", "manifest.json"), {"sha256": "0" * 64, "bytes": 1}),
        (("members", "MANIFEST.json.sig"), {"sha256": "0" * 64, "bytes": 1}),
        (("name",), "con"), (("name",), "toy."),
        (("members", "W.BIN"), {"sha256": "0" * 64, "bytes": 1}),
        (("members", "w.bin", "sha256"), "0" * 63), (("members", "w.bin", "bytes"), -1),
        (("members", "w.bin", "bytes"), 2**60), (("licence",), "two\nlines"),
        (("provenance",), []), (("report",), "none.json"), (("surprise",), 1),
    ],
)  # fmt: skip
def test_every_rule_is_kept(path: tuple[Any, ...], value: object) -> None:
    with pytest.raises(PackError):
        parse_manifest(changed(path, value))


@pytest.mark.parametrize("key", sorted(valid()))
def test_every_key_is_needed(key: str) -> None:
    manifest = valid()
    del manifest[key]
    with pytest.raises(PackError, match=key):
        parse_manifest(encode(manifest))


def with_shortlist() -> dict[str, Any]:
    manifest = valid()
    files = {"short_greedy": "sg.onnx", "short_beam": "sb.onnx"}
    manifest["variants"]["int8"] |= files
    manifest["shortlist"] = {
        "file": "s.bin", "targets": {"de": {"candidates": 40, "always": 3}}
    }  # fmt: skip
    for name in (*files.values(), "s.bin"):
        manifest["members"][name] = {"sha256": "0" * 64, "bytes": 7}
    return manifest


def test_shortlist_is_read_and_may_be_missing() -> None:
    manifest = parse_manifest(encode(with_shortlist()))
    assert manifest.shortlist is not None
    assert manifest.shortlist.targets["de"].candidates == 40
    assert manifest.variants["int8"].graphs == ("g.onnx", "b.onnx", "sg.onnx", "sb.onnx")
    older = parse_manifest(encode(valid()))
    assert older.shortlist is None
    assert older.variants["int8"].graphs == ("g.onnx", "b.onnx")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("shortlist",), {}), (("shortlist",), None), (("shortlist", "file"), "none.bin"),
        (("shortlist", "targets"), {}), (("shortlist", "more"), 1),
        (("shortlist", "targets", "fr"), {"candidates": 1, "always": 1}),
        (("shortlist", "targets", "de", "candidates"), -1),
        (("shortlist", "targets", "de", "candidates"), 2**40),
        (("shortlist", "targets", "de", "always"), 0),
        (("shortlist", "targets", "de", "more"), 1),
        (("variants", "int8", "short_beam"), "absent.onnx"),
    ],
)  # fmt: skip
def test_rules_of_shortlists_are_kept(path: tuple[Any, ...], value: object) -> None:
    manifest = with_shortlist()
    inner: Any = manifest
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(PackError):
        parse_manifest(encode(manifest))


def with_phrasebook() -> dict[str, Any]:
    manifest = valid()
    manifest["phrasebook"] = {"rows": 3, "files": {"en": "p.en.txt", "de": "p.de.txt"}}
    for name in manifest["phrasebook"]["files"].values():
        manifest["members"][name] = {"sha256": "0" * 64, "bytes": 7}
    return manifest


def test_phrasebook_is_read_and_may_be_missing() -> None:
    phrasebook = parse_manifest(encode(with_phrasebook())).phrasebook
    assert phrasebook is not None
    assert phrasebook.rows == 3
    assert dict(phrasebook.files) == {"en": "p.en.txt", "de": "p.de.txt"}
    assert parse_manifest(encode(valid())).phrasebook is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("phrasebook",), {}), (("phrasebook",), None), (("phrasebook", "rows"), 0),
        (("phrasebook", "rows"), 2**40), (("phrasebook", "more"), 1),
        (("phrasebook", "files"), {}), (("phrasebook", "files", "fr"), "p.en.txt"),
        (("phrasebook", "files", "de"), "absent.txt"), (("phrasebook", "files", "de"), 7),
    ],
)  # fmt: skip
def test_rules_of_phrasebooks_are_kept(path: tuple[Any, ...], value: object) -> None:
    manifest = with_phrasebook()
    inner: Any = manifest
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(PackError):
        parse_manifest(encode(manifest))


@pytest.mark.parametrize("key", ["short_greedy", "short_beam"])
def test_shortlist_and_its_graphs_come_together(key: str) -> None:
    manifest = with_shortlist()
    graph = manifest["variants"]["int8"].pop(key)
    with pytest.raises(PackError, match=key):
        parse_manifest(encode(manifest))
    plain = valid()
    plain["variants"]["int8"][key] = graph
    plain["members"][graph] = {"sha256": "0" * 64, "bytes": 7}
    with pytest.raises(PackError, match=key):
        parse_manifest(encode(plain))


def test_newer_schema_says_what_to_do() -> None:
    with pytest.raises(PackError, match="Update mltranslate"):
        parse_manifest(changed(("schema",), 7))


def test_duplicate_key_is_refused() -> None:
    data = encode(valid()).replace(b'"kind"', b'"schema": 1, "kind"')
    with pytest.raises(PackError, match="twice"):
        parse_manifest(data)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"\xff{}", b"{", b'{"schema": NaN}', b"[" * 100_000, b"9" * 10_000]
)
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(PackError):
        parse_manifest(data)


def test_huge_manifest_is_refused_unread() -> None:
    with pytest.raises(PackError, match="larger"):
        parse_manifest(b" " * (MAX_MANIFEST_BYTES + 1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(valid())), JSON)
def test_any_value_is_read_or_refused(key: str, value: object) -> None:
    _read_or_refuse(changed((key,), value))


@settings(max_examples=200)
@given(st.data())
def test_damaged_bytes_are_read_or_refused(data: st.DataObject) -> None:
    original = bytearray(encode(valid()))
    place = data.draw(st.integers(0, len(original) - 1))
    original[place] = data.draw(st.integers(0, 255))
    _read_or_refuse(bytes(original))


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    _read_or_refuse(data)


def _read_or_refuse(data: bytes) -> None:
    with contextlib.suppress(PackError):
        parse_manifest(data)
