"""The bench of words in other forms counts what is right, form by form."""

import subprocess
import sys
from pathlib import Path

import toy_run

ROOT = Path(__file__).resolve().parents[2]


def test_words_are_counted_form_by_form(tmp_path: Path) -> None:
    table = tmp_path / "table.tsv"
    rows = [("en", "de"), ("ai bo", "bo ai"), ("cu di", "di cu"), ("ik hu", "x"), ("Lo", "lo")]
    table.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    command = [
        sys.executable, str(ROOT / "bench/forms.py"), "--pack", str(toy_run.toy_pack()),
        "--table", str(table), "--every", "1", "--beam", "1",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    heading, _, names, _, *found = done.stdout.splitlines()
    assert heading == "pack toy 0.1.0, beam 1"
    assert names == "| direction | n | dog | Dog | Dog. | DOG |"
    cells = {row.split("|")[1].strip(): row.split("|")[2:4] for row in found}
    assert [cell.strip() for cell in cells["en → de"]] == ["3", "2"]
    assert cells["de → en"][0].strip() == "4"
