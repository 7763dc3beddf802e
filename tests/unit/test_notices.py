"""Notices of sources: written from a recipe, and there for every pack that ships."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_corpus import write_recipe

from mltranslate import locations
from mltranslate.errors import DataError, UsageError
from mltranslate_export.cli import main
from mltranslate_export.notices import Source, notices, read_sources
from mltranslate_train.finetune.ancestry import ancestors

NOTICES = locations.assets() / "NOTICES"
HEADER = "source\tkind\tpairs\torigin\tlicence\tremark"
ROWS = (
    "calibre-ui\tui\t5\tsame\tGPL-3\tx",
    "debian\tui\t5\tdebian 1\tGPL-2\tx",
    "calibre-manual\tui\t5\tcalibre 6 <xx>\tGPL-3\tx",
    "calibre-other\tui\t5\tsame\tsame (not checked)\tx",
    "unused\tui\t5\tnowhere\tMIT\tx",
)


def named(page: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", page))


def inherited(provenance: dict[str, Any]) -> set[str]:
    """Names of the sources of a pack and of all models that it came from."""
    return {
        s["name"] for one in (provenance, *ancestors(provenance)) for s in one.get("sources", [])
    }


def test_every_source_of_a_pack_that_ships_has_a_notice() -> None:
    page = (NOTICES / "sources.md").read_text(encoding="utf-8")
    packs = sorted(locations.embedded_packs().glob("*/manifest.json"))
    assert packs
    for path in packs:
        provenance = json.loads(path.read_text(encoding="utf-8"))["provenance"]
        sources = inherited(provenance)
        assert sources, path
        assert sources <= named(page), path


def write(folder: Path, *, licences: bool = True) -> Path:
    """A recipe that does not use the source `unused`, with its table of sources or without."""
    recipe = write_recipe(folder, '[data.weights]\n"un*" = 0.0\n')
    table = folder / "SOURCES.tsv"
    table.write_text("\n".join([HEADER, *ROWS]) + "\n")
    if licences:
        key = f'[data]\nlicences = "{table.as_posix()}"'
        recipe.write_text(recipe.read_text().replace("[data]", key))
    return recipe


def test_the_command_names_what_the_recipe_uses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.md"
    assert main(["notices", str(write(tmp_path)), "--out", str(out)]) == 0
    assert json.loads(capsys.readouterr().out)["sources"] == 4
    page = out.read_text()
    assert page.startswith("# Sources of toy\n")
    assert (
        "| `calibre-manual`, `calibre-other`, `calibre-ui` | calibre 6 \\<xx\\> | GPL-3 |" in page
    )
    assert "| `debian` | debian 1 | GPL-2 |" in page
    assert "unused" not in page


def test_the_command_reads_several_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, out = write(tmp_path), tmp_path / "page.md"
    more = tmp_path / "more.tsv"
    more.write_text("source\torigin\tlicence\nmine\tmy notes\tCC0-1.0\n")
    text = recipe.read_text().replace('SOURCES.tsv"', f'SOURCES.tsv", "{more.as_posix()}"]')
    recipe.write_text(text.replace('licences = "', 'licences = ["'))
    assert main(["notices", str(recipe), "--out", str(out)]) == 0
    assert json.loads(capsys.readouterr().out)["sources"] == 5
    assert "| `mine` | my notes | CC0-1.0 |" in out.read_text()


def test_a_recipe_without_a_table_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "page.md")]
    assert main(["notices", str(write(tmp_path, licences=False)), *out]) == UsageError.exit_code
    assert "data.licences" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "source\tlicence\n", f"{HEADER}\na\tb\n"])
def test_a_table_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.tsv"
    path.write_text(text)
    with pytest.raises(DataError, match="table of sources"):
        read_sources(path)


def test_an_origin_that_was_cut_off_says_so() -> None:
    origin = "some/where " * 27 + "bro"
    assert len(origin) == 300
    assert "some/where … |" in notices("x", [Source("a", origin, "MIT")])


@given(st.lists(st.tuples(st.text(), st.text(), st.text(max_size=20)), max_size=3))
def test_any_text_stays_in_its_row(texts: list[tuple[str, str, str]]) -> None:
    page = notices("x", [Source(*row) for row in texts])
    rows = [line for line in page.split("\n") if line.startswith("| ")][2:]
    assert len(rows) == len({(origin, licence) for _, origin, licence in texts})
    assert all(len(re.split(r"(?<!\\)\|", row)) == 5 for row in rows)
