"""What goes wrong with a first recipe of one's own: one line says what, why and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_corpus import pairs

from mltranslate_train.cli import main
from mltranslate_train.locations import find_recipe

CORPUS = '{ tsv = "mine.tsv", languages = ["en", "de"], origin = "mine" }'


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The recipe for beginners over `mine.tsv` in the working directory."""
    monkeypatch.chdir(tmp_path)
    rows = pairs(100)
    for name, between in (("mine.tsv", "\t"), ("mine.csv", ","), ("three.tsv", "\tx\t")):
        Path(name).write_text("".join(f"{a}{between}{b}\n" for a, b in rows), encoding="utf-8")
    Path("empty.tsv").touch()
    Path("latin.tsv").write_bytes("caf\xe9\tcaf\xe9\n".encode("latin-1"))
    text = find_recipe("first-steps").read_text(encoding="utf-8")
    text = text.replace("{here}/first-steps/en-de.tsv", "mine.tsv").replace("first-steps", "mine")
    return text.replace('licences = "{here}/mine/SOURCES.tsv"', "").replace("1200", "310")


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("mine.tsv", "none.tsv", 6, "there is no file none.tsv. Correct data.corpora"),
        ("mine.tsv", "mine.csv", 6, "mine.csv:1 has 1 columns: 2 are needed. Put one tab between"),
        ("mine.tsv", "three.tsv", 6, "three.tsv:1 has 3 columns: 2 are needed. Put one tab"),
        ("mine.tsv", "empty.tsv", 6, "the corpora are empty, or all their pairs were dropped. See"),
        ("mine.tsv", "latin.tsv", 6, "latin.tsv:1 cannot be read: it is no UTF-8"),
        ('"en-de", "de-en"', '"en-fr"', 6, "no corpus has en-fr. Remove the direction or add text"),
        ('"en-de", "de-en"', '"en", "de"', 2, "data.directions has 'en': a direction is two"),
        ('"en", "de"]', '"en"]', 2, 'does not have two languages. Add languages = ["en", "de"]'),
        ('["en", "de"]', '"en-de"', 2, "languages is 'en-de': it must be of type list"),
        (f"[{CORPUS}]", CORPUS, 2, "it must be of type list"),
        ("{ tsv", "{ csv", 2, "unknown key 'data.corpora[0].csv'. Did you mean 'tsv'?"),
        ("per_mille", "permille", 2, "unknown key 'data.holdout.permille'. Did you mean"),
        ("[vocabulary]", "[vocab]", 2, "unknown key 'vocab'. Did you mean 'vocabulary'?"),
        ("size = 310", "size = 8000", 6, "8000 pieces can be made"),
        ("per_mille = 50", "per_mille = 0", 2, "holds nothing out. Set data.holdout"),
        ('origins = ["mine"]', 'origins = ["yours"]', 2, "the nearest are mine. Correct or remove"),
    ],
)
def test_it_is_told_in_one_line(
    old: str, new: str, code: int, words: str, recipe: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert old in recipe
    Path("my.toml").write_text(recipe.replace(old, new), encoding="utf-8")
    assert main(["run", "my.toml", "--out", "run"]) == code
    errors = [line for line in capfd.readouterr().err.splitlines() if ": error: " in line]
    assert len(errors) == 1
    assert words in errors[0]
    assert "Errno" not in errors[0]
    assert not Path("run/last").exists()
