"""Model cards: their figures are the manifest's, and no text in them can mislead."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pack_archives import manifest as tiny_manifest
from pack_archives import members, tiny

from mltranslate import locations
from mltranslate.cli.main import main as engine
from mltranslate.errors import DataError, PackError, UsageError
from mltranslate.packs import read_pack, verify_pack
from mltranslate.packs.card import CARD, printable, read_card
from mltranslate_export.card import model_card
from mltranslate_export.card_member import add_card
from mltranslate_export.card_sections import read_sections
from mltranslate_export.cli import main as exporter
from mltranslate_train.data.whole import whole_file

SECTIONS = """## Intended use

Everyday sentences: `{name}`, 2 < 3, see [the docs](https://example.org/a).

## Weaknesses

| source | translation |
|---|---|
| Guten Tag 😀 | Good day |

1. Numbers.
"""
SIGNATURE = "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0"
PROVENANCE: dict[str, Any] = {
    "architecture": "transformer", "model": {"d_model": 256, "dropout": 0.1},
    "parameters": 12_990_464, "step": 8000, "target_tokens": 25_797_825,
    "training": {
        "seconds": 5002,
        "where": [{"device": "cpu", "precision": "bfloat16", "threads": 2, "processes": 1}],
    },
    "sources": [
        {"name": "tatoeba_anki", "licence": "CC BY 2.0 FR", "pairs": 533_701},
        {"name": "a|b*", "licence": "", "pairs": 1017},
    ],
    "parent": {
        "name": "small", "step": 1500, "target_tokens": 7_000_000, "training_seconds": 777,
        "sources": [{"name": "older", "licence": "MIT", "pairs": 4321}],
    },
    "averaged": {"share": 0.25, "of": [
        {"name": "first", "step": 2859, "target_tokens": 18_000_000, "parent": {
            "name": "before", "step": 311,
            "sources": [{"name": "first's", "licence": "CC0", "pairs": 83}],
        }},
        {"name": "second", "step": 417, "averaged": {"share": 0.5, "of": [
            {"name": "left", "step": 97},
            {"name": "right", "step": 101, "parent": {
                "name": "oldest", "step": 53, "grown_from": {"d_model": 128, "ffn": 256},
                "sources": [{"name": "oldest's", "licence": "BSD", "pairs": 59}],
            }},
        ]}},
    ]},
}  # fmt: skip
REPORT: dict[str, Any] = {
    "machine": {"processor": "A CPU", "cores": 2, "runtime": "onnxruntime 1.2"},
    "int8": {
        "mean_lost": -0.25, "directions": [
            {"direction": "en-de", "sentences": 199, "fp32": 51.352, "int8": 51.602,
             "equal": 0.865, "signature": SIGNATURE},
        ],
    },
    "shortlist": {
        "mean_lost": 0.125, "covered": 119, "mean_size": 281.4, "directions": [
            {"direction": "en-de", "sentences": 199, "whole": 51.602, "shortlist": 51.477,
             "equal": 0.91, "signature": SIGNATURE},
        ],
    },
    "variants": {"fp32": {
        "speed": {"threads": 1, "sentences": 50, "greedy_ms": 3.86, "beam4_ms": 5.63,
                  "batch": 32, "batched_sentences": 160, "tokens_a_second": 8517},
        "memory": {"peak_bytes": 87_003_136},
    }},
}  # fmt: skip


def full_manifest(**provenance: Any) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(tiny_manifest(members()))
    return {**value, "provenance": {**PROVENANCE, **provenance}}


def tiny_pack(folder: Path, provenance: Any = PROVENANCE) -> Path:
    place = folder / "tiny"
    place.mkdir()
    files = tiny(provenance=provenance)
    for name, data in files.items():
        (place / name).write_bytes(data)
    return place


def rows(card: str) -> list[list[str]]:
    """Cells of all tables, of which escaped bars are no edges."""
    lines = [line for line in card.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def numbers(value: object) -> set[str]:
    """Every integer in a record, as the card writes it."""
    if isinstance(value, dict):
        return set().union(*map(numbers, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(numbers, value)) if value else set()
    return {f"{value:,}"} if type(value) is int else set()


def test_every_figure_is_one_of_manifest_and_report() -> None:
    manifest = full_manifest()
    found = rows(model_card(manifest, REPORT))
    said = {cells[0]: cells[1] for cells in found if len(cells) == 2}
    assert said["parameters"] == "12,990,464"
    assert said["steps"] == "8,000"
    assert said["target tokens"] == "25,797,825"
    assert said["seconds of training steps"] == "5,002"
    assert said["trained on"] == "device cpu, precision bfloat16, threads 2, processes 1"
    assert said["made of models below"] == "started from 1, 0.75 of 2 and 0.25 of 4"
    assert [cells for cells in found if cells[0].isdecimal()] == [
        ["1", "small", "1,500", "7,000,000", "777", ""],
        ["2", "first", "2,859", "18,000,000", "", "started from 3"],
        ["3", "before", "311", "", "", ""],
        ["4", "second", "417", "", "", "0.5 of 5 and 0.5 of 6"],
        ["5", "left", "97", "", "", ""],
        ["6", "right", "101", "", "", "started from 7 (narrower: d_model 128 ffn 256)"],
        ["7", "oldest", "53", "", "", ""],
    ]
    assert said["bytes, without this card"] == f"{sum(map(len, members().values())):,}"
    assert ["tatoeba_anki", "CC BY 2.0 FR", "533,701"] in found
    assert ["a\\|b\\*", "not stated", "1,017"] in found
    assert ["older", "MIT", "4,321"] in found
    assert ["first's", "CC0", "83"] in found
    assert ["oldest's", "BSD", "59"] in found
    assert ["en-de", "199", "51.4", "51.6", "86.5 %"] in found
    assert ["en-de", "199", "51.6", "51.5", "91.0 %"] in found
    assert ["fp32", "1", "3.86", "5.63", "50", "8,517", "160", "87,003,136"] in found


def test_no_figure_is_left_out_or_added() -> None:
    manifest = full_manifest()
    card = model_card(manifest, REPORT)
    shown = set(re.findall(r"(?<![\w.:,])\d+(?:,\d{3})*(?![\w.:])", card))
    known = numbers(manifest["provenance"]) | numbers(REPORT) - {"32", "119"}
    assert known <= shown
    ours = {*"1234567", "80", "160", "534,718", str(sum(map(len, members().values())))}
    assert shown - known <= ours


def test_what_is_not_known_is_not_said() -> None:
    manifest = full_manifest()
    manifest["provenance"] = {"imported": {"family": "Marian"}}
    card = model_card(manifest, {})
    assert "seconds" not in card
    assert "energy" not in card
    assert "## Training data" not in card
    assert "| imported | family Marian |" in card


def test_pivot_routes_are_counted() -> None:
    manifest = full_manifest()
    manifest["languages"] = ["en", "de", "zh"]
    assert "no others" in model_card(manifest, {})
    manifest["directions"] = [["en", "de"], ["de", "en"], ["en", "zh"], ["zh", "en"]]
    assert "2 others go through English" in model_card(manifest, {})


def test_a_card_is_a_member_with_its_hash(tmp_path: Path) -> None:
    place = tiny_pack(tmp_path)
    before = json.loads((place / "manifest.json").read_text())
    pack = add_card(read_pack(place), SECTIONS)
    verify_pack(pack)
    data = (place / CARD).read_bytes()
    assert pack.manifest.members[CARD].sha256 == hashlib.sha256(data).hexdigest()
    after = json.loads((place / "manifest.json").read_text())
    del after["members"][CARD]
    assert after == before
    assert read_card(pack) == data.decode()
    # Once more: the first card is no part of what the second says.
    assert add_card(pack, SECTIONS).manifest.members[CARD] == pack.manifest.members[CARD]
    assert sorted(path.name for path in place.iterdir()) == sorted(
        ["manifest.json", CARD, *members()]
    )


def test_a_card_that_was_changed_is_refused(tmp_path: Path) -> None:
    pack = add_card(read_pack(tiny_pack(tmp_path)))
    data = (pack.folder / CARD).read_bytes()
    (pack.folder / CARD).write_bytes(data.replace(b"5,002", b"1,002"))
    with pytest.raises(PackError, match="SHA-256"):
        read_card(pack)


def test_a_strange_card_is_shown_without_obeying_it(tmp_path: Path) -> None:
    place = tiny_pack(tmp_path)
    for data, shown in ((b"a\x1b[2Jb\n", "a\ufffd[2Jb\n"), (b"\xff", None)):
        manifest = json.loads((place / "manifest.json").read_text())
        digest = hashlib.sha256(data).hexdigest()
        manifest["members"][CARD] = {"sha256": digest, "bytes": len(data)}
        (place / "manifest.json").write_text(json.dumps(manifest))
        (place / CARD).write_bytes(data)
        if shown is None:
            with pytest.raises(PackError, match="UTF-8"):
                read_card(read_pack(place))
        else:
            assert read_card(read_pack(place)) == shown


def test_signed_packs_keep_their_card(tmp_path: Path) -> None:
    place = tiny_pack(tmp_path)
    (place / "manifest.json.sig").write_bytes(bytes(64))
    before = (place / "manifest.json").read_bytes()
    with pytest.raises(UsageError, match="is signed"):
        add_card(read_pack(place))
    assert (place / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("written", range(3))
def test_a_pack_whose_card_was_cut_short_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    pack = add_card(read_pack(tiny_pack(tmp_path)))
    count = iter(range(written))

    def killed(path: Path) -> AbstractContextManager[Path]:
        if next(count, None) is None:
            raise KeyboardInterrupt
        return whole_file(path)

    with monkeypatch.context() as patch:
        patch.setattr("mltranslate_export.members.whole_file", killed)
        with pytest.raises(KeyboardInterrupt):
            add_card(pack, SECTIONS)
    verify_pack(read_pack(pack.folder))
    file = tmp_path / "card.md"
    file.write_text(SECTIONS)
    assert exporter(["card", str(pack.folder), "--card", str(file)]) == 0
    assert SECTIONS in read_card(read_pack(pack.folder))


def test_a_report_without_directions_is_refused_in_one_line(tmp_path: Path) -> None:
    place = tiny_pack(tmp_path)
    report = json.dumps({"int8": {"mean_lost": 0.0, "directions": []}}).encode()
    manifest = json.loads((place / "manifest.json").read_text())
    digest = hashlib.sha256(report).hexdigest()
    manifest["members"][manifest["report"]] = {"sha256": digest, "bytes": len(report)}
    (place / "manifest.json").write_text(json.dumps(manifest))
    (place / manifest["report"]).write_bytes(report)
    with pytest.raises(PackError, match="no card can be made"):
        add_card(read_pack(place))


@pytest.mark.parametrize("provenance", [
    {"sources": [{"name": "x"}]}, {"model": 3}, {"parent": 1}, {"averaged": {"share": 0.5}},
    {"averaged": {"share": 0.5, "of": [{"name": "one"}]}},
])  # fmt: skip
def test_a_pack_of_other_making_is_refused_in_one_line(tmp_path: Path, provenance: Any) -> None:
    with pytest.raises(PackError, match="no card can be made"):
        add_card(read_pack(tiny_pack(tmp_path, provenance)))


def test_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locations, "embedded_packs", lambda: tmp_path)
    monkeypatch.setattr(locations, "user_packs", lambda: tmp_path / "none")
    place = tiny_pack(tmp_path)
    assert engine(["packs", "info", "tiny", "--card"]) == PackError.exit_code
    missing = capsys.readouterr().err
    assert "no card" in missing
    assert "write one with mltranslate-export card" in missing
    file = tmp_path / "card.md"
    file.write_text(SECTIONS)
    assert exporter(["card", str(place), "--card", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["card"] == CARD
    assert engine(["packs", "info", "tiny", "--card"]) == 0
    assert capsys.readouterr().out == (place / CARD).read_text()
    assert engine(["packs", "info", "tiny", "--card", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["card"] == (place / CARD).read_text()
    file.write_text("# Another title\n")
    assert exporter(["card", str(place), "--card", str(file)]) == DataError.exit_code
    assert "line 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        "# Title", "#", "---", "- - -", "===", "***", "```", "  ~~~python", "> ```", "1. ```",
        "<script>alert(1)</script>", "a <b>c</b>", "<!-- hidden", "<https://example.org>",
        "![picture](https://example.org/a.png)", "[x](javascript:alert(1))", "[x](http://a)",
        "[x](https://a b)", "[x]: https://example.org", "a\x1b[2Jb", "a\u202eb", "a\x00b",
        "a\u2028b", "a\rb", "> # Top", "1. # Top", "- > # Top", "> ---", "1. ---", "- ***", "> ===",
        "- > ```", "> [x]: https://example.org",
    ],
)  # fmt: skip
def test_what_could_mislead_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "card.md"
    file.write_bytes(f"## A\n\nb\n{line}\n".encode())
    with pytest.raises(DataError, match="line 4"):
        read_sections(file)


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xff\xfe", b"a" * (2**18 + 1)])
def test_files_that_are_no_sections_are_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "card.md"
    file.write_bytes(data)
    with pytest.raises(DataError, match="cannot be part of a card"):
        read_sections(file)
    with pytest.raises(DataError, match=r"none\.md"):
        read_sections(tmp_path / "none.md")


def test_sections_stand_whole_between_the_rules(tmp_path: Path) -> None:
    file = tmp_path / "card.md"
    file.write_text("\ufeff\n" + SECTIONS.replace("\n", "\r\n"), newline="")
    card = model_card(full_manifest(), REPORT, read_sections(file))
    before, inside, after = card.split("\n---\n")
    assert inside.strip() == SECTIONS.strip()
    assert before.startswith("# tiny 0.1.0\n")
    assert after.lstrip().startswith("## Directions")


ANY = st.text(st.characters(codec="utf-8"), max_size=60)


@given(text=ANY)
@example(text="a\n---\nb")
@example(text="```\n# x")
@settings(max_examples=200)
def test_any_sections_leave_the_rest_as_it_is(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.md"
    file.write_bytes(text.encode())
    try:
        sections = read_sections(file)
    except DataError:
        return
    plain, card = (model_card(full_manifest(), REPORT, part) for part in ("", sections))
    _, inside, after = card.split("\n---\n")
    assert inside.strip("\n") == sections.strip("\n")
    assert plain.endswith(after)
    assert printable(card) == card


@given(name=ANY, licence=ANY)
@settings(max_examples=200)
def test_any_name_stays_in_its_cell(name: str, licence: str) -> None:
    source = {"name": name, "licence": licence, "pairs": 7}
    card = model_card(full_manifest(sources=[source]), REPORT)
    assert printable(card) == card
    assert not re.search(r"(?<!\\)<", card)
    own = [cells for cells in rows(card) if cells[-1] == "7"]
    assert [len(cells) for cells in own] == [3]


HOSTILE = (
    "---", "# Top", "- a", "<img src=x>", "![x](https://a)", "[x](javascript:alert(1))",
    "a\n\n---\n# Top", "a | b", "\x1b[2J", "\u202ea", "_a_", "__a__", "`", "``` a",
)  # fmt: skip


def slots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of every text in a record."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in inner:
            yield from slots(part, (*path, key))


def put(record: dict[str, Any], path: tuple[Any, ...], text: str) -> None:
    for key in path[:-1]:
        record = record[key]
    record[path[-1]] = text


def renamed(record: dict[str, Any], key: str, text: str) -> None:
    record[text] = record.pop(key)


def both() -> dict[str, Any]:
    manifest = full_manifest(imported={"family": "Marian"}, int8_modules_in_fp32=["head"])
    return deepcopy({"manifest": manifest, "report": REPORT})


def cards_of(text: str) -> Iterator[str]:
    """Cards with `text` in one slot each: every value, and every key that is shown."""
    for path in slots(both()):
        record = both()
        put(record, path, text)
        yield model_card(record["manifest"], record["report"])
    record = both()
    manifest, report = record["manifest"], record["report"]
    provenance = manifest["provenance"]
    report["machine"]["cores"] = text
    renamed(provenance["model"], "d_model", text)
    renamed(provenance["imported"], "family", text)
    renamed(provenance["training"]["where"][0], "device", text)
    renamed(manifest["variants"], next(iter(manifest["variants"])), text)
    renamed(report["variants"], "fp32", text)
    renamed(report["int8"]["directions"][0], "int8", text)
    yield model_card(manifest, report)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_value_of_manifest_or_report_misleads(text: str) -> None:
    known = model_card(both()["manifest"], REPORT)
    for card in cards_of(text):
        assert printable(card) == card
        shown = re.sub(r"(`+) ?.*? ?\1(?!`)", "", card.replace("\\`", ""))  # code shows as it is
        assert not re.search(r"(?<!\\)<|(?<!\\)\[|(?<!\\)`", shown)
        assert not re.search(r"(?<![\\\w])_|(?<!\\)_(?!\w)", shown)
        assert not re.search(r"(?m)^(---|# Top|- )", shown.replace("# tiny", ""))
        assert [len(cells) for cells in rows(card)] == [len(cells) for cells in rows(known)]
        assert card.count("\n") == known.count("\n")
