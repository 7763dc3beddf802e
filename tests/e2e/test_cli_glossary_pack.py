"""A glossary through the real program and the packs that ship, from file to output."""

import json
import subprocess
import sys
from pathlib import Path

from mltranslate.packs import list_packs

PROGRAM = "import sys; from mltranslate_tui.entry import main; sys.exit(main())"
TERMS = (
    "power button\tEinschaltknopf\ten\tde\nAcme\tAcme\nhouse\t宅子\ten\tzh\nHaus\t宅子\tde\tzh\n"
)


def _run(*arguments: str, data: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "text", *arguments],
        input=data, capture_output=True, timeout=240, check=False, encoding="utf-8",
    )  # fmt: skip


def test_terms_come_into_lines_of_stdin(tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    path.write_text(TERMS, encoding="utf-8")
    text = "# First\n\nPress the power button of the Acme machine.\nHe is at home.\n"
    command = ("--from", "en", "--to", "de")
    done = _run(*command, "--glossary", str(path), data=text)
    assert done.returncode == 0, done.stderr
    assert "the glossary asks for" not in done.stderr
    lines = done.stdout.split("\n")
    assert "Einschaltknopf" in lines[2]
    assert "Acme" in lines[2]
    plain = _run(*command, data=text).stdout.split("\n")
    assert [*lines[:2], *lines[3:]] == [*plain[:2], *plain[3:]], "lines without a term are as ever"


def test_every_term_is_there_or_named(tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    path.write_text(TERMS, encoding="utf-8")
    sources = {"en": "The house of Acme is old.", "de": "Das Haus von Acme ist alt."}
    offered = {code for pack in list_packs() for code in pack.languages}
    for source in sources.keys() & offered:
        done = _run(
            "--from", source, "--to", "zh", "--json", "--glossary", str(path), sources[source]
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        missing = [term for term in ("宅子", "Acme") if term not in found["text"]]
        assert sorted(found["missing_terms"]) == sorted(missing)
        assert ("glossary" in found["warnings"]) == bool(missing)


def test_a_bad_line_is_refused_before_anything_is_translated(tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    path.write_text("a\tb\n\nc\td\te\n", encoding="utf-8")
    done = _run("--to", "de", "--glossary", str(path), data="Hello.\n")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith(f"mltranslate: error: {path}, line 3: 3 columns: ")
    assert done.stderr.count("\n") == 1
