"""The identifier by its commands: a recipe and a corpus become a folder that detects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy_lid import LANGUAGES, write_recipe

from mltranslate.detect import Detector
from mltranslate_export.cli import main as export
from mltranslate_train.cli import main as train


@pytest.fixture(autouse=True)
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # which the command would set for good
    return write_recipe(tmp_path)


def test_from_a_recipe_to_answers() -> None:
    assert train(["lid", "lid.toml", "--out", "run"]) == 0
    with np.load("run/lid.npz") as arrays:
        assert arrays["table"].shape == (4096, 8)
    assert export(["lid", "run", "--out", "made"]) == 0
    detector = Detector(Path("made"))
    assert set(detector.offered()) >= set(LANGUAGES)
    for text, language in (("always the weather", "en"), ("immer das wetter", "de")):
        assert detector.detect(text)[0].language == language


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ('folder = "corpus"', 'folder = "nowhere"', 6, "nowhere"),
        ("batch = 64", "bach = 64", 2, "Did you mean 'batch'?"),
        ('made = "CC0-1.0"', 'other = "CC0-1.0"', 6, "no sentences in en, de"),
    ],
)
def test_mistakes_are_told_in_one_line(
    old: str, new: str, code: int, words: str, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = recipe.read_text("utf-8")
    assert old in text
    recipe.write_text(text.replace(old, new), "utf-8")
    assert train(["lid", "lid.toml", "--out", "run"]) == code
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
