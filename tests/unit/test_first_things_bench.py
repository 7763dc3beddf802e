"""The bench of what is typed first counts what is right with and without the phrasebook."""

import shutil
import subprocess
import sys
from pathlib import Path

import toy_run

from mltranslate.packs import read_pack
from mltranslate_export.phrasebook_member import add_phrasebook

ROOT = Path(__file__).resolve().parents[2]


def test_what_is_looked_up_is_counted_and_what_is_right(tmp_path: Path) -> None:
    place = tmp_path / "toy"
    shutil.copytree(toy_run.toy_pack(), place)
    add_phrasebook(read_pack(place), [{"en": "zz zz", "de": "qq qq"}, {"en": "yy", "de": "ww"}])
    table = tmp_path / "table.tsv"
    rows = [("en", "de"), ("Zz zz!", "Qq qq."), ("yy", "vv"), ("ai bo", "bo ai")]
    table.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    command = [
        sys.executable, str(ROOT / "bench/first_things.py"), "--pack", str(place),
        "--table", str(table), "--beam", "1",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {
        cells[1].strip(): [cell.strip() for cell in cells[2:-1]]
        for cells in (line.split("|") for line in done.stdout.splitlines() if line.startswith("|"))
    }
    assert found["en → de"][:6] == ["3", "2", "1", "0", "2", "1"]
    assert found["all, mean"][0] == "6"
    assert "nrefs:1" in done.stdout


def test_the_table_has_nine_languages_and_no_row_twice() -> None:
    lines = (ROOT / "bench/first_things.tsv").read_text(encoding="utf-8").splitlines()
    codes, *rows = (line.split("\t") for line in lines)
    assert codes == ["en", "zh", "de", "fr", "es", "ru", "it", "pt", "ja"]
    assert all(len(row) == len(codes) and all(row) for row in rows)
    assert len({row[0].casefold() for row in rows}) == len(rows)
