import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_metrics import course, lines, point, write_course

from mltranslate.errors import DataError
from mltranslate_train import cli
from mltranslate_train.evaluate.faults import Rate
from mltranslate_train.evaluate.measure import Drop, Evaluation, Fault, Result
from mltranslate_train.evaluate.metrics import Score
from mltranslate_train.evaluate.sets import PLAIN
from mltranslate_train.evaluate.systems import SystemInfo
from mltranslate_train.report.evaluation import Group, Measured, read_results
from mltranslate_train.report.markdown import block, code, escape, table
from mltranslate_train.report.pictures import lengths
from mltranslate_train.report.write import write_report, write_reports

PNG = b"\x89PNG\r\n\x1a\n"


def score(value: float, sentences: int = 60) -> Score:
    return Score(value, f"nrefs:1|v:{sentences}", sentences)


def result(bleu: float, words: str = "") -> Result:
    return Result(dataset="test_16", direction="en-de", chrf=score(55.5), bleu=score(bleu),
                  ter=score(44.4), words=words)  # fmt: skip


def write_evaluation(run: Path, bleu: float) -> None:
    """As `evaluate --json` writes it."""
    found = Evaluation(
        system=SystemInfo(kind="run", name="toy", beam=5),
        form=PLAIN,
        results=[result(bleu)],
        lengths=[result(bleu - 2, "11–20"), result(bleu - 9, "41+"), result(bleu + 3, "0–5")],
        robustness=[Drop(dataset="test_16", direction="en-de", disturbance="upper",
                         clean=score(55.5), disturbed=score(33.3), kept=None)],
        faults=[Fault(dataset="test_16", direction="en-de", text="lines", fault="loop",
                      rate=Rate(1, 80), on_references=None)],
    )  # fmt: skip
    (run / "evaluation.json").write_text(json.dumps(found.record()), encoding="utf-8")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = write_course(tmp_path / "run", course(1000, end="done"), name="toy_1")
    origins = {f"origin{place}": 100 + place for place in range(30)}
    data = {"origins": origins, "dropped": {"too long": 7, "filters": {"copy": 1}}, "licences": {}}
    (folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
    (folder / "best").mkdir()
    about = {"architecture": "rnn", "model": {"cell": "gru", "attention": "luong", "d_model": 64,
             "encoder_layers": 2, "decoder_layers": 1}}  # fmt: skip
    (folder / "best/model.json").write_text(json.dumps(about), encoding="utf-8")
    write_evaluation(folder, 31.25)
    return folder


def pictures(page: Path) -> list[str]:
    """Pictures that a report names; each must be a PNG beside it."""
    named = [line.split("](")[1][:-1] for line in page.read_text("utf-8").splitlines()
             if line.startswith("![")]  # fmt: skip
    for name in named:
        assert (page.parent / name).read_bytes().startswith(PNG)
    assert sorted(named) == sorted(file.name for file in page.parent.glob("*.png"))
    return named


def test_report_of_a_finished_run_tells_everything(run: Path) -> None:
    page = write_report(run)
    assert page == run / "report/report.md"
    text = page.read_text(encoding="utf-8")
    for expected in (
        "# Training of toy\\_1", "| state | finished: it said so after step 1,000 |",
        "| steps | 1,000 of 1,000 |", "| target tokens | 3,000,000 |",
        "| time at work | 3 min 22 s |", "| parameters | 11,234,816 |",
        "| model | rnn, cell gru, attention luong, 2+1 layers, width 64 |",
        "| machine | cpu, bf16, threads 2, processes 1 |",
        "at step 1,000, the best |", "| test\\_16 | en-de | 60 | 31.25 | 55.50 | 44.40 |",
        "| 0–5 | 60 | 34.25 | 55.50 | 44.40 |\n| 11–20 |", "Beam 5.", "`nrefs:1|v:60`",
        "| upper | 55.50 | 33.30 |", "| loop | 80 | 1.2 |", "| 10 others | ",
        "| too long | 7 |", "| filters: copy | 1 |", "| dev:en-de | ",
        "| output | Ein Hund \\| 1000. |", "| reference | Ein \\*Hund\\*. |",
        "| Python | ", "```toml\nname = \"toy_1\"",
    ):  # fmt: skip
        assert expected in text
    assert pictures(page) == [
        "loss.png", "dev_bleu.png", "dev_chrf.png", "learning_rate.png", "tokens_per_second.png",
        "by_length_0_bleu.png", "by_length_0_chrf.png",
    ]  # fmt: skip


def test_equal_runs_give_equal_pictures_and_others_do_not(run: Path, tmp_path: Path) -> None:
    (run / "evaluation.json").unlink()
    pages = [write_reports([run], tmp_path / name) for name in "ab"]
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(point(1050, 1_700_000_300.0, loss=9.0)) + "\n")
    pages.append(write_reports([run], tmp_path / "c"))
    first, second, third = ((page.parent / "loss.png").read_bytes() for page in pages)
    assert first == second != third


def test_report_of_a_run_that_has_hardly_begun(tmp_path: Path) -> None:
    run = write_course(tmp_path / "run", course(0, maximum=5))
    (run / "recipe.toml").unlink()
    page = write_report(run)
    text = page.read_text(encoding="utf-8")
    assert "# Training of run" in text
    assert "| state | silent: began " in text
    assert pictures(page) == []
    for missing in ("## Evaluation", "## Samples", "## Data", "## Recipe", "## Dev scores"):
        assert missing not in text


def test_comparison_overlays_runs_and_their_scores_by_length(run: Path, tmp_path: Path) -> None:
    other = write_course(tmp_path / "other", course(600, end="stop"), name="toy_1")
    write_evaluation(other, 20.5)
    page = write_reports([run, other], tmp_path / "both")
    text = page.read_text(encoding="utf-8")
    assert "# Comparison of toy\\_1 (run), toy\\_1 (other)" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    head, _, first, second = rows[:4]
    assert "test\\_16 en-de BLEU" in head
    assert first.endswith("| 31.25 | 55.50 | 44.40 |")
    assert second.endswith("| 20.50 | 55.50 | 44.40 |")
    assert "by_length_0_bleu.png" in pictures(page)
    (other / "evaluation.json").unlink()
    text = write_reports([run, other], tmp_path / "both").read_text(encoding="utf-8")
    assert "test\\_16 en-de BLEU" not in text


@pytest.mark.parametrize(("sentences", "drawn"), [(19, 0), (20, 1)])
def test_lengths_of_few_sentences_are_not_drawn(tmp_path: Path, sentences: int, drawn: int) -> None:
    group = Group("6–10", sentences, {"bleu": 30.0})
    found = Measured("dev", "en-de", 100, {"bleu": 31.0}, lengths=[group])
    assert len(lengths(["toy"], [[found]], tmp_path)) == drawn
    assert len(list(tmp_path.iterdir())) == drawn


def test_report_that_cannot_be_written_is_an_error(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"file cannot be written: File exists\. Move away"):
        write_reports([run], tmp_path / "file")


def test_command_line_writes_and_refuses(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run / "metrics.jsonl").write_bytes(lines(course(0)))
    (run / "evaluation.json").unlink()
    assert cli.main(["report", str(run)]) == 0
    assert capsys.readouterr().out == f"{run / 'report/report.md'}\n"
    assert cli.main(["report", str(run), str(run)]) == 2
    assert cli.main(["report", str(tmp_path), "--out", str(tmp_path / "out")]) == 6
    errors = capsys.readouterr().err
    assert "Give --out DIR" in errors
    assert "has no metrics.jsonl" in errors


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"results": 3},
        {"results": [1, {}, {"dataset": "a"}]},
        {"results": [{"by_length": [{}]}]},
    ],
)
def test_evaluation_with_missing_parts_gives_what_is_there(record: dict[str, Any]) -> None:
    assert read_results(record) == []


def test_evaluation_without_some_scores_is_read() -> None:
    (found,) = read_results(
        {"results": [{"dataset": "a", "direction": "en-de", "bleu": {"value": 3}}]}
    )
    assert (found.key, found.scores, found.sentences) == (("a", "en-de"), {"bleu": 3.0}, 0)


@given(st.text())
def test_any_text_stays_in_its_place(text: str) -> None:
    for shown in (escape(text), code(text)):
        assert "\n" not in shown
    line = table(("a", "b"), [(escape(text), "x")]).splitlines()[-1]
    assert line.replace("\\|", "").replace("\\\\", "").count("|") == 3
    fenced = block(text, "toml")
    fence = fenced[: fenced.index("toml")]
    assert len(fence) >= 3
    assert fence not in text


def test_dashboard_and_report_load_no_torch(run: Path) -> None:
    program = (
        "import sys\n"
        "from mltranslate_train.cli import main\n"
        "import mltranslate_train.dashboard.app\n"
        f"assert main(['watch', {str(run)!r}]) == 2\n"
        "assert not {'torch', 'matplotlib', 'onnxruntime'} & set(sys.modules), 'watch'\n"
        f"assert main(['report', {str(run)!r}]) == 0\n"
        "assert 'matplotlib' in sys.modules\n"
        "assert 'torch' not in sys.modules, 'report'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    assert "watch needs a terminal" in done.stderr
