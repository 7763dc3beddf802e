import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import toy_run
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.decode import Decoder, Search
from mltranslate.errors import DataError, DeviceError, PackError, UsageError
from mltranslate_train import cli
from mltranslate_train.evaluate.batching import length_batches
from mltranslate_train.evaluate.breakdown import by_length, count_words
from mltranslate_train.evaluate.hypotheses import find_files, write_outputs
from mltranslate_train.evaluate.measure import Plan, evaluate
from mltranslate_train.evaluate.sets import (
    TestSet,
    TextForm,
    parse_directions,
    parse_set,
    parse_sets,
    read_lines,
)
from mltranslate_train.evaluate.systems import Searching, Settings, open_system

LINES = 30
FP32 = Settings(beam=2, length_penalty=1.0, device="cpu", precision="fp32", threads=1)


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> TestSet:
    """Sentences of the toy game and their mirror images; both directions score below 100."""
    folder = tmp_path_factory.mktemp("dev")
    generator = random.Random(7)
    games = [toy_run.game(generator, "de") for _ in range(LINES)]
    for language, side in (("en", 0), ("de", 1)):
        text = "".join(f"{pair[side]}\n" for pair in games)
        (folder / f"toy.{language}").write_text(text, encoding="utf-8")
    return TestSet("toy", f"{folder.as_posix()}/toy.")


def run_command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out or captured.err


def test_run_and_pack_score_the_same_in_fp32(dev: TestSet) -> None:
    run, pack = str(toy_run.toy_run()), str(toy_run.toy_pack())
    bare = Settings(beam=2, device="cpu", precision="fp32", threads=1, bare=True)
    plain = Settings(beam=2, device="cpu", threads=1)
    found = [
        evaluate(open_system(name, settings, [dev], ()), Plan(sets=[dev]))
        for name, settings in ((run, plain), (pack, bare), (pack, FP32))
    ]
    by_run, by_decoder, by_engine = (
        sorted(item.results, key=lambda one: one.direction) for item in found
    )
    assert by_run == by_decoder == by_engine
    assert {item.direction for item in by_run} == {"en-de", "de-en"}
    reversal = next(item for item in by_run if item.direction == "en-de")
    assert reversal.bleu.value > 95
    assert reversal.bleu.sentences == LINES
    assert found[0].system.kind == "run"
    assert found[1].system.search == "bare"
    info = found[2].system
    assert (info.device, info.precision, info.beam) == ("cpu", "fp32", 2)
    assert (info.version, info.provider) == ("0.1.0", "CPUExecutionProvider")


def test_int8_is_reported_as_such(dev: TestSet) -> None:
    settings = Settings(beam=1, device="cpu", precision="int8", threads=1)
    system = open_system(str(toy_run.toy_pack()), settings, [dev], ())
    assert system.info.precision == "int8"
    assert "pack toy 0.1.0, int8 on cpu (CPUExecutionProvider), beam 1" in system.info.line()


def _searches(monkeypatch: pytest.MonkeyPatch) -> list[Search]:
    """Every search from now on, as it comes."""
    seen: list[Search] = []
    real = Decoder.search

    def record(self: Decoder, requests: Any, search: Search, **options: Any) -> Any:
        seen.append(search)
        return real(self, requests, search, **options)

    monkeypatch.setattr(Decoder, "search", record)
    return seen


@pytest.mark.parametrize("bare", [False, True])
def test_a_pack_is_searched_with_the_length_penalty_too(
    dev: TestSet, monkeypatch: pytest.MonkeyPatch, bare: bool
) -> None:
    seen = _searches(monkeypatch)
    settings = Settings(beam=3, length_penalty=1.5, device="cpu", threads=1, bare=bare)
    system = open_system(str(toy_run.toy_pack()), settings, [dev], ())
    assert "beam 3, length penalty 1.5, " in system.info.line()
    sources = dev.read(("en", "de"))[0]
    system.outputs(dev, ("en", "de"), sources, lambda _: None)
    assert set(seen) == {Search(beam=3, length_penalty=1.5)}


@pytest.mark.parametrize(
    ("settings", "penalty"),
    [
        (Settings(beam=3, device="cpu", threads=1), 1.25),
        (Settings(beam=1, device="cpu", threads=1), 1.0),
        (Settings(beam=3, device="cpu", threads=1, bare=True), 1.0),
    ],
)
def test_a_pack_is_searched_as_the_engine_does_unless_bare(
    dev: TestSet, monkeypatch: pytest.MonkeyPatch, settings: Settings, penalty: float
) -> None:
    seen = _searches(monkeypatch)
    system = open_system(str(toy_run.toy_pack()), settings, [dev], ())
    assert system.info.length_penalty == penalty
    assert ("length penalty" in system.info.line()) == (penalty != 1)
    system.outputs(dev, ("en", "de"), dev.read(("en", "de"))[0], lambda _: None)
    assert set(seen) == {Search(beam=settings.beam, length_penalty=penalty)}


def test_a_pack_is_searched_with_what_it_says_of_the_language(
    dev: TestSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(toy_run.toy_pack(), tmp_path / "toy")
    manifest = json.loads((tmp_path / "toy" / "manifest.json").read_text("utf-8"))
    manifest["length_penalties"] = {"de": 2}
    (tmp_path / "toy" / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    seen = _searches(monkeypatch)
    settings = Settings(beam=3, device="cpu", threads=1)
    system = open_system(str(tmp_path / "toy"), settings, [dev], ())
    assert "beam 3, length penalty 1.25, de 2, " in system.info.line()
    for direction, penalty in ((("en", "de"), 2.0), (("de", "en"), 1.25)):
        system.outputs(dev, direction, dev.read(direction)[0], lambda _: None)
        assert set(seen) == {Search(beam=3, length_penalty=penalty)}
        seen.clear()


def test_length_penalty_is_used_and_said(dev: TestSet) -> None:
    sources = dev.read(("en", "de"))[0]
    best = []
    for penalty in (0.5, 3.0):
        settings = Settings(beam=6, length_penalty=penalty, device="cpu", threads=1)
        system = open_system(str(toy_run.toy_run()), settings, [dev], ())
        assert f"beam 6, length penalty {penalty:g}, bare search" in system.info.line()
        assert isinstance(system, Searching)
        rows = [
            [(h.score, len(h.pieces) + 1) for h in found if h.finished]
            for found in system.n_best(system.pieces(sources), "de", 6)
        ]
        ranks = [[mean * length ** (1 - penalty) for mean, length in row] for row in rows]
        assert all(row == sorted(row, reverse=True) for row in ranks)
        best.append([length for row in rows for _, length in row])
    assert sum(best[0]) < sum(best[1])


def test_evaluate_writes_tables_json_and_outputs(
    dev: TestSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, record = str(toy_run.toy_pack()), tmp_path / "found.json"
    code, table = run_command(
        capsys, "evaluate", pack, "--on", f"toy={dev.prefix}", "--directions", "en-de",
        "--beam", "1", "--threads", "1", "--device", "cpu", "--robustness", "--faults",
        "--json", str(record), "--outputs", str(tmp_path / "out"),
    )  # fmt: skip
    assert code == 0
    assert "| toy | en-de | 30 |" in table
    assert "| toy | en-de | 1–" not in table  # buckets begin with their least words: 0–5
    assert "| toy | en-de | 0–5 |" in table
    assert "| toy | en-de | caps | 30 |" in table
    assert "| toy | en-de | lines | hallucination |" in table
    assert "BLEU: `nrefs:1|" in table
    found = json.loads(record.read_text(encoding="utf-8"))
    assert found["system"]["precision"] == "int8"
    assert found["results"][0]["bleu"]["sentences"] == LINES
    parts = found["results"][0]["by_length"]
    assert [part["words"] for part in parts] == ["0–5", "6–10"]
    assert sum(part["chrf"]["sentences"] for part in parts) == LINES
    rates = {item["fault"]: item["rate"] for item in found["faults"] if item["text"] == "lines"}
    assert rates["empty"]["percent"] == 0.0
    assert rates["empty"]["interval"][1] == pytest.approx(11.35, abs=0.01)
    outputs = read_lines(tmp_path / "out/toy.en-de.txt")
    assert len(outputs) == LINES
    # The files score as the system did.
    code, again = run_command(
        capsys, "evaluate", str(tmp_path / "out"), "--on", f"toy={dev.prefix}"
    )
    assert code == 0
    row = next(line for line in table.splitlines() if line.startswith("| toy | en-de | 30 |"))
    assert row in again


def test_a_run_keeps_its_own_record(dev: TestSet, capsys: pytest.CaptureFixture[str]) -> None:
    run = toy_run.toy_run()
    code, _ = run_command(
        capsys, "evaluate", str(run), "--on", f"toy={dev.prefix}", "--lines", "4",
        "--beam", "1", "--threads", "1",
    )  # fmt: skip
    assert code == 0
    found = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    assert found["system"]["kind"] == "run"
    assert found["beam"] == 1
    assert {item["chrf"]["sentences"] for item in found["results"]} == {4}
    (run / "evaluation.json").unlink()


def test_compare_takes_runs_packs_folders_and_files(
    dev: TestSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    references = read_lines(Path(dev.prefix + "de"))
    wrong = ["ai bo" if row % 2 else line for row, line in enumerate(references)]
    write_outputs(tmp_path / "folder", ("toy", ("en", "de")), wrong)
    file, record = tmp_path / "folder/toy.en-de.txt", tmp_path / "compared.json"
    arguments = ["--on", f"toy={dev.prefix}", "--beam", "1", "--threads", "1",
                 "--resamples", "200", "--json", str(record)]  # fmt: skip
    code, table = run_command(
        capsys, "compare", str(toy_run.toy_run()), str(tmp_path / "folder"), *arguments
    )
    assert code == 0
    assert "| toy | en-de | BLEU | 30 |" in table
    assert "bs:200" in table
    found = json.loads(record.read_text(encoding="utf-8"))
    assert [item["kind"] for item in found["systems"]] == ["run", "hypotheses"]
    assert all(item["p_value"] < 0.05 for item in found["comparisons"])
    code, _ = run_command(
        capsys, "compare", str(file), str(file), *arguments, "--directions", "en-de"
    )
    assert code == 0
    found = json.loads(record.read_text(encoding="utf-8"))
    assert {item["p_value"] for item in found["comparisons"]} == {1.0}


def test_what_makes_no_sense_is_refused(
    dev: TestSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, pack, chosen = str(toy_run.toy_run()), str(toy_run.toy_pack()), f"toy={dev.prefix}"
    hypotheses = tmp_path / "made.txt"
    hypotheses.write_text("a\n", encoding="utf-8")
    cases = [
        (2, "searched line by line in fp32", ["evaluate", run, "--precision", "int8"]),
        (2, "takes plain text", ["evaluate", pack, "--tokenized"]),
        (2, "take plain text", ["evaluate", run, "--joiner", "@@", "--faults"]),
        (2, "one file of translations", ["evaluate", str(hypotheses)]),
        (6, "made.txt does not fit", ["evaluate", str(hypotheses), "--directions", "en-de"]),
        (2, "cannot translate disturbed",
         ["evaluate", str(hypotheses), "--directions", "en-de", "--robustness"]),
        (2, "beam 0 is out of range", ["evaluate", run, "--beam", "0"]),
        (2, "length penalty 9 is out of range", ["evaluate", run, "--length-penalty", "9"]),
        (2, "greedy search has no length penalty",
         ["evaluate", run, "--length-penalty", "1.2", "--beam", "1"]),
        (2, "length penalty 3 is out of range", ["evaluate", pack, "--length-penalty", "3"]),
        (2, "-2 lines make no sense", ["evaluate", run, "--lines", "-2"]),
        (3, "no pack is called 'nowhere'", ["evaluate", "nowhere"]),
        (6, "has no best weights", ["evaluate", str(tmp_path)]),
        (2, "3 resamples are too few", ["compare", run, run, "--resamples", "3"]),
        (6, "for every wanted direction", ["evaluate", run, "--directions", "en-fr"]),
    ]  # fmt: skip
    for expected, message, arguments in cases:
        code, text = run_command(capsys, *arguments, "--on", chosen, "--threads", "1")
        assert (code, message in text) == (expected, True), text
        assert text.count("\n") == 1


def test_systems_without_a_common_direction_cannot_be_compared(
    dev: TestSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, direction in (("one", ("en", "de")), ("two", ("en", "fr"))):
        write_outputs(tmp_path / name, ("toy", direction), ["a"])
    arguments = [str(tmp_path / "one"), str(tmp_path / "two"), "--on", f"toy={dev.prefix}"]
    code, text = run_command(capsys, "compare", *arguments)
    assert code == 6
    assert "no direction in common" in text


def test_pieces_are_joined_before_scoring(tmp_path: Path) -> None:
    for language, text in (("en", "a mo@@ gul\n"), ("de", "ein Hü@@ gel hier nun\n")):
        (tmp_path / f"bpe.{language}").write_text(text, encoding="utf-8")
    write_outputs(tmp_path / "out", ("bpe", ("en", "de")), ["ein Hügel hier nun"])
    dev = TestSet("bpe", f"{tmp_path.as_posix()}/bpe.")
    form = TextForm(tokenized=True, joiner="@@")
    system = open_system(str(tmp_path / "out"), Settings(form=form), [dev], ())
    found = evaluate(system, Plan(sets=[dev], form=form)).results[0]
    assert found.bleu.value == pytest.approx(100.0)
    assert "tok:none" in found.bleu.signature


def test_written_translations_are_joined_as_they_are_scored(tmp_path: Path) -> None:
    for language, text in (("en", "a mo@@ gul\n"), ("de", "ein Hü@@ gel\n")):
        (tmp_path / f"bpe.{language}").write_text(text, encoding="utf-8")
    write_outputs(tmp_path / "in", ("bpe", ("en", "de")), ["ein Hü@@ gel"])
    dev = TestSet("bpe", f"{tmp_path.as_posix()}/bpe.")
    form = TextForm(tokenized=True, joiner="@@")
    system = open_system(str(tmp_path / "in"), Settings(form=form), [dev], ())
    first = evaluate(system, Plan(sets=[dev], form=form, outputs=tmp_path / "out"))
    written = tmp_path / "out/bpe.en-de.txt"
    assert written.read_text(encoding="utf-8") == "ein Hügel\n"
    again = open_system(str(tmp_path / "out"), Settings(form=form), [dev], ())
    assert evaluate(again, Plan(sets=[dev], form=form)).results == first.results


def test_progress_ends_with_all_sentences(dev: TestSet) -> None:
    shown: list[tuple[int, int]] = []
    system = open_system(str(toy_run.toy_pack()), FP32, [dev], [("en", "de")])
    plan = Plan(sets=[dev], wanted=[("en", "de")], robustness=True, faults=True)
    evaluate(system, plan, lambda done, total: shown.append((done, total)))
    assert shown[-1][0] == shown[-1][1] > 4 * LINES
    assert shown == sorted(shown)


def test_sets_and_directions_are_parsed_strictly(tmp_path: Path) -> None:
    assert parse_set("a=b/c.=d", 5) == TestSet("a", "b/c.=d", 5)
    for text in ("a", "=b", "a=", "a/b=c"):
        with pytest.raises(UsageError, match="Write --on NAME=PREFIX"):
            parse_set(text)
    with pytest.raises(UsageError, match="two sets have one name"):
        parse_sets(["a=b", "a=c"])
    assert parse_directions("en-de, de-en") == [("en", "de"), ("de", "en")]
    assert parse_directions("") == []
    for text in ("en", "en-en", "-de", "en-de,en-de"):
        with pytest.raises(UsageError, match="--directions has"):
            parse_directions(text)
    (tmp_path / "x.en").write_text("a\nb\n", encoding="utf-8")
    (tmp_path / "x.de").write_text("a\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"not parallel.*en 2, de 1"):
        TestSet("x", f"{tmp_path.as_posix()}/x.").read(("en", "de"))
    with pytest.raises(DataError, match=r"not parallel.*en 2, de 1"):
        TestSet("x", f"{tmp_path.as_posix()}/x.", lines=1).read(("en", "de"))


def test_wrong_devices_and_damaged_weights_are_refused(dev: TestSet, tmp_path: Path) -> None:
    import torch

    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="CUDA"):
            open_system(str(toy_run.toy_run()), Settings(device="cuda"), [dev], ())
    (tmp_path / "best").mkdir()
    (tmp_path / "best/model.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"cannot be read|has no best weights"):
        open_system(str(tmp_path), Settings(), [dev], ())
    with pytest.raises(PackError, match="has no fp16 variant"):
        open_system(str(toy_run.toy_pack()), Settings(precision="fp16"), [dev], ())


def test_words_are_counted_by_language_and_buckets_cover_every_line() -> None:
    assert count_words("Wo ist das Museum?", "de") == 4
    assert count_words("博物馆在哪里？", "zh") == 6
    sources = ["", "a", "a b c d e", "a b c d e f", "w " * 41]
    buckets = by_length(sources, "en")
    assert [(bucket.name, bucket.rows) for bucket in buckets] == [
        ("0–5", (0, 1, 2)), ("6–10", (3,)), ("41+", (4,)),
    ]  # fmt: skip


@given(st.lists(st.integers(0, 90), max_size=40), st.integers(1, 9), st.integers(1, 200))
def test_batches_hold_every_row_once_within_their_bounds(
    lengths: list[int], most: int, tokens: int
) -> None:
    batches = list(length_batches(lengths, most, tokens))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= most
        width = max(lengths[row] for row in batch) + 2
        assert len(batch) == 1 or len(batch) * width <= tokens


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_outputs_stay_one_a_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("outputs")
    write_outputs(folder, ("s.et", ("en", "de")), lines)
    (path,) = find_files(folder).values()
    assert list(find_files(folder)) == [("s.et", ("en", "de"))]
    assert len(read_lines(path)) == len(lines)
