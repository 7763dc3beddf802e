"""The commands of docs/training.md for beginners, as they stand there, on shortened runs.

From a recipe to a translation in one process: each program is called as its console script would.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mltranslate_export.cli import main as export
from mltranslate_train.cli import main as train
from mltranslate_tui.entry import main as translate

PROGRAMS: dict[str, Callable[[Sequence[str]], int]] = {
    "mltranslate": translate, "mltranslate-train": train, "mltranslate-export": export,
}  # fmt: skip
SMALL = ("model.d_model=32", "model.ffn=32", "model.encoder_layers=1", "model.decoder_layers=1",
         "model.heads=2", "train.threads=1", "train.precision=fp32")  # fmt: skip
SHORT = (*SMALL, "train.max_steps=6", "train.decay_steps=2", "evaluate.every=3",
         "evaluate.dev=[{name='heldout',prefix='{run}/heldout/en-de.',lines=8}]")  # fmt: skip
SHORTER = {
    "run": [word for item in SHORT for word in ("--set", item)],
    "evaluate": ["--lines", "8", "--beam", "1", "--threads", "1"],
    "pack": ["--verify-data", "pairs.tsv", "--max-chrf-loss", "100"],
}  # fmt: skip
"""What is added to a command: a small model that learns for a moment, and is hardly measured."""


@pytest.fixture
def page(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page, and an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return (repository / "docs/training.md").read_text(encoding="utf-8")


def blocks(page: str, heading: str) -> list[str]:
    """The fenced blocks of a section."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```\w+\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[list[str]]:
    return [line for line in map(shlex.split, block.splitlines()) if line[0] in PROGRAMS]


def call(command: Sequence[str], shorter: dict[str, list[str]]) -> None:
    program, name, *rest = command
    assert PROGRAMS[program]([name, *rest, *shorter.get(name, [])]) == 0, command


def texts(command: Sequence[str]) -> tuple[str, str]:
    """Target language and text of a command that translates."""
    return command[command.index("--to") + 1], command[-1]


def test_first_steps_from_the_recipe_to_a_translation(
    page: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = blocks(page, "First steps")
    steps = commands(block)
    assert [step[1] for step in steps] == ["run", "run", "evaluate", "pack", "text", "text"]
    learnt = (repository / "trainer/recipes/first-steps/en-de.tsv").read_text(encoding="utf-8")
    assert all(texts(step)[1] not in learnt for step in steps[-2:])
    dry, run, evaluate, pack, *translations = steps
    call(dry, SHORTER)
    out = capsys.readouterr().out
    assert f"1 file, {len(learnt.splitlines()):,} pairs" in out
    assert not Path("runs").exists()
    call(run, SHORTER)
    held_out = [Path(f"runs/first-steps/heldout/en-de.{code}") for code in ("en", "de")]
    sides = [path.read_text(encoding="utf-8").splitlines()[:4] for path in held_out]
    rows = [
        f"en\tde\t{one}\t{two}\nde\ten\t{two}\t{one}\n" for one, two in zip(*sides, strict=True)
    ]
    Path("pairs.tsv").write_text("".join(rows), encoding="utf-8")
    capsys.readouterr()
    call(evaluate, SHORTER)
    out = capsys.readouterr().out
    assert "| heldout | en-de | 8 |" in out
    assert "| heldout | de-en | 8 |" in out
    call(pack, SHORTER)
    about = json.loads(capsys.readouterr().out)
    assert about["pack"] == "packs/first-steps"
    assert "Apache-2.0" in Path("packs/first-steps/README.md").read_text(encoding="utf-8")
    for step in translations:
        call(step, {})
        assert capsys.readouterr().out.endswith("\n")


def test_a_recipe_over_text_of_ones_own(
    page: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, block = blocks(page, "Text of your own")
    Path("my.toml").write_text(recipe, encoding="utf-8")
    shutil.copy(repository / "trainer/recipes/first-steps/en-de.tsv", "mine.tsv")
    sets = (*SMALL, "train.max_steps=4", "train.decay_steps=2", "evaluate.every=2",
            "vocabulary.size=600", "train.batch_tokens=512")  # fmt: skip
    shorter = {"run": [word for item in sets for word in ("--set", item)]}
    dry, run = commands(block)
    call(dry, shorter)
    assert "dev sets    heldout\n" in capsys.readouterr().out
    call(run, shorter)
    about = json.loads(Path("runs/mine/best/model.json").read_text(encoding="utf-8"))
    assert set(about["dev_chrf"]) == {"heldout:en-fr", "heldout:fr-en"}
