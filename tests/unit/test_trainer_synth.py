"""Back-translation and distillation with a tiny run and its pack, through the command line."""

import gzip
import json
import lzma
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import toy_run

from mltranslate_train import cli
from mltranslate_train.config import CorpusConfig
from mltranslate_train.data.readers import Pair, find_files
from mltranslate_train.evaluate.metrics import sentence_chrf
from mltranslate_train.synth import tasks

QUICK = ("--device", "cpu", "--threads", "1", "--filter", "language_confidence=0")
"""The toy languages only borrow the codes of real ones."""
KILLED = """
import os, signal, sys
from mltranslate_train import cli
from mltranslate_train.synth import job, tasks

tasks.Task.__init__.__kwdefaults__["chunk_lines"] = 5
append = job._append
chunks = []


def deadly(file, text):
    if len(chunks) == int(sys.argv[1]):
        file.write(b"half")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    chunks.append(text)
    return append(file, text)


job._append = deadly
raise SystemExit(cli.main(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def texts() -> list[str]:
    generator = random.Random(4)
    return [toy_run.game(generator, "de")[0] for _ in range(24)]


@pytest.fixture
def mono(tmp_path: Path, texts: list[str]) -> Path:
    path = tmp_path / "news.de"
    path.write_text("".join(f"{text}\n" for text in texts), "utf-8")
    return path


def command(
    capsys: pytest.CaptureFixture[str], name: str, system: Path, *arguments: object, code: int = 0
) -> str:
    done = cli.main([name, str(system), *QUICK, *map(str, arguments)])
    err = capsys.readouterr().err
    assert done == code, err
    return err


def back(mono: Path, out: Path) -> tuple[object, ...]:
    return "--text", mono, "--from", "de", "--to", "en", "--out", out


def unsure_run(folder: Path) -> Path:
    """The toy run with smaller logits, so that what is drawn differs from what is likeliest."""
    shutil.copytree(toy_run.toy_run(), folder)
    weights = safetensors.torch.load_file(folder / "best" / "model.safetensors")
    weights["embedding.weight"] *= 0.7
    safetensors.torch.save_file(weights, folder / "best" / "model.safetensors")
    return folder


def read(folder: Path, languages: tuple[str, str] = ("en", "de")) -> list[Pair]:
    """The pairs as the trainer reads them."""
    (file,) = find_files([CorpusConfig(folder=str(folder))], [languages])
    assert file.languages == languages
    return list(file)


def record(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(out.with_name(f"{out.name}.json").read_text("utf-8"))
    return found


def test_a_run_translates_text_back(
    mono: Path, texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, run = tmp_path / "bt" / "en-de.tsv.xz", toy_run.toy_run()
    command(capsys, "backtranslate", run, *back(mono, out))
    origin = f"backtranslated:{run.name}:news.de"
    # From German to English the toy repeats: each pair is a copy, and that is dropped.
    assert record(out)["dropped"] == {"copy": len(texts)}
    command(capsys, "backtranslate", run, *back(mono, out), "--force", "--filter", "copies=false")
    assert read(out.parent) == [Pair(origin, text, text) for text in texts]
    found = record(out)
    assert found["kept"] == {origin: len(texts)}
    system = found["system"]
    assert (system["kind"], system["device"], system["precision"]) == ("run", "cpu", "fp32")
    assert system["version"] == f"step {toy_run.STEPS}"
    assert found["search"]["beam"] == 1
    assert found["parent"]["sources"][0]["licence"] == "CC0-1.0"
    assert found["tokens_per_second"] > 0


def test_a_pack_gives_what_its_run_gives(
    mono: Path, texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--text", mono, "--from", "en", "--to", "de", "--beam", 3)
    outs = [tmp_path / name / "de-en.tsv.xz" for name in ("run", "pack")]
    command(capsys, "backtranslate", toy_run.toy_run(), *arguments, "--out", outs[0])
    command(
        capsys, "backtranslate", toy_run.toy_pack(), *arguments, "--out", outs[1],
        "--precision", "fp32",
    )  # fmt: skip
    by_run, by_pack = (read(out.parent, ("de", "en")) for out in outs)
    assert [(p.first, p.second) for p in by_run] == [(p.first, p.second) for p in by_pack]
    assert by_pack[0].second == next(text for text in texts if text != " ".join(text.split()[::-1]))
    assert by_pack[0].first == " ".join(by_pack[0].second.split()[::-1])
    assert by_pack[0].origin == "backtranslated:toy:news.de"
    found = record(outs[1])
    assert found["parent"]["licence"] == "CC0-1.0"
    assert (found["system"]["precision"], found["system"]["search"]) == ("fp32", "bare")
    assert found["system"]["length_penalty"] == 1
    dropped = command(
        capsys, "backtranslate", toy_run.toy_pack(), *back(mono, outs[1]), "--sample", 1, code=2
    )
    assert "cannot sample" in dropped


def test_sampling_is_seeded_and_exact_for_each_line(
    mono: Path, texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = unsure_run(tmp_path / "run")
    loose = ("--filter", "copies=false", "--filter", "script_share=0")

    def sample(name: str, *arguments: object, seed: int = 1) -> dict[str, str]:
        out = tmp_path / name / "en-de.tsv.xz"
        command(
            capsys, "backtranslate", run, *back(mono, out), *loose, "--sample", seed, *arguments
        )
        return {pair.second: pair.first for pair in read(out.parent)}

    one = sample("one")
    assert len(one) > len(texts) / 2
    assert sample("small batches", "--batch-tokens", 1) == one
    few = sample("few", "--max-lines", 12)
    assert few == {text: one[text] for text in texts[:12] if text in one}
    assert sample("seed", seed=2) != one
    assert sample("top", "--top", 2) != one


def test_what_cannot_be_learnt_from_is_dropped_by_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run = toy_run.untrained_run(_folder(tmp_path / "run"), max_length=20)
    mono = tmp_path / "news.de.gz"
    mono.write_bytes(gzip.compress(f"ai bo\n\n{'ai ' * 40}\n".encode()))
    out = tmp_path / "en-de.tsv.xz"
    command(capsys, "backtranslate", run, *back(mono, out))
    dropped = record(out)["dropped"]
    assert dropped["empty line"] == dropped["too long"] == 1
    assert sum(dropped.values()) == 3
    assert "0 of 3 lines kept" in caplog.text
    assert "1 too long" in caplog.text
    assert "fp32 on cpu (torch" in caplog.text


def test_a_column_of_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("x\tai  bo\u0301\ny\tcu\n", "utf-8")
    out = tmp_path / "en-de.tsv.xz"
    arguments = (*back(table, out), "--filter", "copies=false")
    command(capsys, "backtranslate", toy_run.toy_run(), *arguments, "--column", 2)
    assert [pair.second for pair in read(tmp_path)] == ["ai b\u00f3", "cu"]
    err = command(capsys, "backtranslate", toy_run.toy_run(), *arguments, "--column", 3, code=6)
    assert "table.tsv:1 has 2 columns" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_job_ends_as_if_nothing_had_happened(
    mono: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    caplog.set_level("INFO")
    monkeypatch.setitem(tasks.Task.__init__.__kwdefaults__, "chunk_lines", 5)
    run = unsure_run(tmp_path / "run")
    outs = [tmp_path / name / "en-de.tsv.xz" for name in ("whole", "killed")]
    options = ("--filter", "copies=false", "--sample", 1)
    command(capsys, "backtranslate", run, *back(mono, outs[0]), *options)
    arguments = ["backtranslate", run, *QUICK, *back(mono, outs[1]), *options]
    done = subprocess.run([sys.executable, "-c", KILLED, "2", *map(str, arguments)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not outs[1].exists()
    command(capsys, "backtranslate", run, *back(mono, outs[1]), *options)
    assert "going on after 10 lines" in caplog.text
    assert outs[1].read_bytes() == outs[0].read_bytes()
    assert record(outs[1])["kept"] == record(outs[0])["kept"]


def write_pairs(folder: Path, count: int = 20) -> list[tuple[str, str]]:
    """A corpus whose German is right but for one word too many."""
    generator = random.Random(6)
    games = [toy_run.game(generator, "de") for _ in range(count)]
    _folder(folder)
    lines = "".join(f"games\t{first}\t{second} lo\n" for first, second in games)
    (folder / "en-de.tsv").write_text(lines, "utf-8")
    return games


def test_distillation_replaces_the_target(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    games = write_pairs(tmp_path / "corpus")
    out, run = tmp_path / "distilled", toy_run.toy_run()
    command(
        capsys, "distill", run, "--corpus", tmp_path / "corpus", "--directions", "en-de,de-en",
        "--beam", 2, "--out", out, "--filter", "copies=false",
    )  # fmt: skip
    origin = f"distilled:{run.name}:games"
    with lzma.open(out / "en-de.tsv.xz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    assert rows == [[origin, first, second] for first, second in games]
    with lzma.open(out / "de-en.tsv.xz", "rt", encoding="utf-8") as file:
        assert file.readline() == f"{origin}\t{games[0][1]} lo\t{games[0][1]} lo\n"
    assert record(out / "de-en.tsv.xz")["direction"] == "de-en"


def test_distillation_takes_what_a_recipe_trains_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    games = write_pairs(tmp_path / "corpus")
    recipe = tmp_path / "toy.toml"
    recipe.write_text(
        f'name = "toy"\ntrain = {{ max_steps = 1 }}\n[data]\ndirections = ["en-de"]\n'
        f'corpora = [{{ folder = "{(tmp_path / "corpus").as_posix()}" }}]\n'
        "[data.filter]\nmin_characters = 9\n",
        "utf-8",
    )
    arguments = ("--corpus", recipe, "--beam", 1, "--out", tmp_path / "out")
    command(capsys, "distill", toy_run.toy_run(), *arguments, "--filter", "copies=false")
    wanted = [first for first, _ in games if len(first) >= 9]
    assert 0 < len(wanted) < len(games)
    assert [pair.first for pair in read(tmp_path / "out")] == wanted


def test_interpolation_chooses_by_the_reference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    games = write_pairs(tmp_path / "corpus")

    def distilled(name: str, *arguments: object) -> dict[str, str]:
        command(
            capsys, "distill", toy_run.toy_run(), "--corpus", tmp_path / "corpus", "--directions",
            "en-de", "--beam", 6, "--out", tmp_path / name, "--filter", "copies=false", *arguments,
        )  # fmt: skip
        return {pair.first: pair.second for pair in read(tmp_path / name)}

    best, closest = distilled("best"), distilled("closest", "--interpolate")
    gains = [
        sentence_chrf(closest[first], f"{second} lo") - sentence_chrf(best[first], f"{second} lo")
        for first, second in games
    ]
    assert min(gains) >= 0
    assert max(gains) > 0
    assert record(tmp_path / "closest" / "en-de.tsv.xz")["search"]["interpolate"] is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "corpus.tsv.xz"], "no name of a corpus file"),
        (["--out", "en-de.tsv"], "Call it as en-de.tsv.xz"),
        (["--out", "en-fr.tsv.xz"], "Call it en-de.tsv.xz"),
        (["--to", "fr", "--out", "de-fr.tsv.xz"], "does not translate de-fr. It offers en-de"),
        (["--sample", "1", "--beam", "2"], "exclude each other"),
        (["--top", "5"], "Add --sample SEED"),
        (["--beam", "0"], "beam 0 is out of range"),
        (["--filter", "max_ratio"], "has no value"),
        (["--filter", "max_ration=2"], "Did you mean 'max_ratio'?"),
        (["--filter", "max_ratio=0.5"], "data.filter.max_ratio is 0.5"),
        (["--filter", "duplicates=true"], "in the recipe that trains on the output"),
        (["--max-lines", "-1"], "negative"),
        (["--batch-tokens", "-1"], "make no sense"),
        (["--column", "-1"], "The first one is 1"),
    ],
)  # fmt: skip
def test_wrong_use_is_refused(
    arguments: list[str], message: str, mono: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [*back(mono, mono.with_name("en-de.tsv.xz")), *arguments]
    assert message in command(capsys, "backtranslate", toy_run.toy_run(), *given, code=2)


def test_what_cannot_translate_is_refused(
    mono: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = back(mono, tmp_path / "en-de.tsv.xz")
    assert "is a file" in command(capsys, "backtranslate", mono, *arguments, code=2)
    outputs = _folder(tmp_path / "outputs")
    (outputs / "news.de-en.txt").write_text("x\n", "utf-8")
    err = command(capsys, "backtranslate", outputs, *arguments, code=2)
    assert "holds translations" in err


def test_the_text_itself_is_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mono = tmp_path / "en-de.tsv.xz"
    mono.write_bytes(lzma.compress(b"x\tai\n"))
    run = toy_run.toy_run()
    err = command(capsys, "backtranslate", run, *back(mono, mono), "--force", code=2)
    assert "would replace the text" in err
    write_pairs(tmp_path / "corpus")
    err = command(
        capsys, "distill", run, "--corpus", tmp_path / "corpus", "--directions", "en-de",
        "--out", tmp_path / "corpus", "--force", code=2,
    )  # fmt: skip
    assert "holds the pairs themselves" in err
    err = command(
        capsys, "distill", run, "--corpus", tmp_path / "corpus", "--out", tmp_path / "x", code=2
    )
    assert "says nothing of directions" in err
    err = command(
        capsys, "distill", run, "--corpus", tmp_path / "corpus", "--directions", "en-de",
        "--beam", 1, "--interpolate", "--out", tmp_path / "x", code=2,
    )  # fmt: skip
    assert "leaves no choice" in err


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
