import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_metrics import SECONDS, START, course, evaluation, event, lines, point, write_course

from mltranslate.errors import DataError
from mltranslate_train.report import tail
from mltranslate_train.report.curves import decimate, smooth
from mltranslate_train.report.folder import RunFolder, newest_runs, open_runs, unique_names
from mltranslate_train.report.history import History
from mltranslate_train.report.state import Phase, judge
from mltranslate_train.report.tail import LineFeed, Tail
from mltranslate_train.report.wording import count, decimal, duration, short

RECORDS = st.lists(
    st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=8), st.none()))
)

NAMES = st.sampled_from(
    ["time", "step", "loss", "event", "mean", "chrf", "samples", "metric", "target_tokens",
     "learning_rate", "tokens_per_second"]
)  # fmt: skip


def history(records: list[dict[str, Any]]) -> History:
    made = History()
    for record in records:
        made.add(record)
    return made


@settings(max_examples=40)
@given(RECORDS, st.data())
def test_any_chunks_of_the_bytes_give_the_same_records(
    records: list[dict[str, Any]], data: st.DataObject
) -> None:
    text = b"".join(json.dumps(r, ensure_ascii=False).encode() + b"\n" for r in records)
    feed, found = LineFeed(), []
    while text:
        size = data.draw(st.integers(1, len(text)))
        found += feed.feed(text[:size])
        text = text[size:]
    assert found == records
    assert feed.damaged == 0


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(data: bytes) -> None:
    feed = LineFeed()
    found = feed.feed(data + b"\n")
    assert len(found) + feed.damaged == sum(bool(x.strip()) for x in data.split(b"\n"))
    history(found)


VALUES = st.recursive(
    st.one_of(st.none(), st.integers(-5, 60), st.floats(), st.just("chrf"), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=5,
)


@settings(max_examples=60)
@given(st.lists(st.dictionaries(NAMES, VALUES, min_size=3), max_size=6))
def test_any_records_are_survived(records: list[dict[str, Any]]) -> None:
    found = history(records)
    assert [item.step for item in found.points] == sorted({item.step for item in found.points})
    judge(found, START, None)
    found.best(found.metric)


def test_half_a_line_waits_and_a_broken_one_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    reader = Tail(path)
    assert reader.read() == (False, [], False)
    path.write_bytes(b'{"time": 1}\n{"ti')
    assert reader.read() == (False, [{"time": 1}], False)
    with path.open("ab") as file:
        file.write(b'me": 2}\n')
    assert reader.read() == (False, [{"time": 2}], False)
    with path.open("ab") as file:
        # A killed process left half a line, and the resumed one wrote on behind it.
        file.write(b'{"time": 3, "lo{"time": 4}\nnothing\n[1]\n\n')
    assert reader.read() == (False, [{"time": 4}], False)
    assert reader.damaged == 2


@pytest.mark.parametrize("new", [b'{"time": 9}\n', b'{"time": 9}\n{"time": 10, "more": "xxxxx"}\n'])
@pytest.mark.parametrize("by", ["truncation", "replacement"])
def test_file_that_begins_anew_is_read_from_its_start(tmp_path: Path, new: bytes, by: str) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"time": 1}\n{"time": 2}\n{"ti')
    reader = Tail(path)
    reader.read()
    if by == "truncation":
        path.write_bytes(new)
    else:
        (tmp_path / "new").write_bytes(new)
        (tmp_path / "new").replace(path)
    anew, records, more = reader.read()
    assert (anew, more) == (True, False)
    assert records == [json.loads(line) for line in new.splitlines()]
    path.unlink()
    assert reader.read() == (False, [], False)


def test_large_file_is_read_in_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "MOST_BYTES", 1000)
    path = write_course(tmp_path / "run", course(2000))
    run = RunFolder(path)
    assert run.refresh() == (True, True)
    portions = 1
    while run.refresh()[1]:
        portions += 1
    assert portions >= len((path / "metrics.jsonl").read_bytes()) // 1000 - 1
    assert run.history.points == history(course(2000)).points
    assert run.refresh() == (False, False)


@given(st.integers(0, 3), st.integers(0, 8), st.integers(1, 4))
def test_records_that_a_crash_undid_give_way_to_the_repeated_ones(
    saved: int, lost: int, gain: int
) -> None:
    """Whatever was lost, the history equals that of a run which never crashed."""
    straight = course(50 * (saved + lost + gain))
    before = [record for record in straight if record["step"] <= 50 * (saved + lost)]
    after = [record for record in straight if record["step"] > 50 * saved]
    for resumed in ([event("resume", 50 * saved, before[-1]["time"] + 500)], []):
        late = [{**record, "time": record["time"] + 500} for record in after]
        found = history(before + resumed + late)
        assert [p.step for p in found.points] == [p.step for p in history(straight).points]
        assert [e.step for e in found.evaluations] == [
            e.step for e in history(straight).evaluations
        ]


def test_fresh_start_in_the_same_file_forgets_what_was() -> None:
    found = history([*course(400), event("start", 0, START + 1000), point(50, START + 1010)])
    assert [item.step for item in found.points] == [50]
    assert found.evaluations == []
    assert found.step == 50


def test_pauses_between_processes_are_no_time_at_work() -> None:
    first = course(100, end="stop")
    worked = 2 * SECONDS + 2
    late = START + 10_000
    found = history([*first, event("resume", 100, late), point(150, late + 7)])
    assert found.elapsed == pytest.approx(worked + 7)
    assert found.points[-1].elapsed == pytest.approx(worked + 7)
    assert found.steps_per_second() is None  # one record of the new process tells no speed
    found.add(point(200, late + 17))
    assert found.steps_per_second() == pytest.approx(5)
    assert found.fact("device") == "cpu"


@pytest.mark.parametrize(
    "record",
    [{}, {"time": 1}, {"time": "x", "step": 1, "loss": 1}, {"time": 1, "step": None, "mean": 1},
     {"time": float("nan"), "step": 1, "loss": 1}, {"time": 1, "step": 1, "loss": 1},
     {"time": 1, "step": 2, "mean": 3, "chrf": [1]}, {"time": 1, "step": 2, "metric": "chrf"}],
)  # fmt: skip
def test_record_of_no_kind_is_counted_and_changes_nothing(record: dict[str, Any]) -> None:
    found = history([*course(200), record])
    assert found.unknown == 1
    assert found.points == history(course(200)).points
    assert found.evaluations == history(course(200)).evaluations


def test_metrics_of_older_runs_are_read_too() -> None:
    old = {"time": START, "step": 10, "chrf": {"dev:en-de": 30.0, "dev:de-en": 20.0}, "mean": 25.0}
    found = history([old])
    assert (found.metric, found.metrics) == ("chrf", ["chrf"])
    assert found.evaluations[0].score("chrf") == 25
    assert np.isnan(found.evaluations[0].score("bleu"))
    assert found.best("bleu") is None


def test_best_score_is_the_first_of_the_highest() -> None:
    found = history([evaluation(step, START, score) for step, score in ((1, 5), (2, 9), (3, 9))])
    best = found.best("chrf")
    assert best is not None
    assert best.step == 2
    assert best.score("bleu") == pytest.approx(9 * 0.375)


LAST = START + 40 * SECONDS
PHASES = [
    (course(2000), LAST + 5, Phase.FINISHED, "step 2,000 is the last"),
    (course(2000, maximum=5000), LAST + 12, Phase.RUNNING, "last record 11 s ago, one comes every"),
    (course(2000, maximum=5000), LAST + 3601, Phase.SILENT, "no record for 1 h, though one comes"),
    (course(2000, maximum=5000, end="stop"), LAST + 9, Phase.STOPPED, "after step 2,000, can go"),
    (course(2000, maximum=5000, end="early-stop"), LAST, Phase.STOPPED_EARLY, "by step 2,000"),
    (course(2000, end="done"), LAST + 9e6, Phase.FINISHED, "it said so after step 2,000"),
    ([], LAST, Phase.WAITING, "no record yet"),
    (course(0, maximum=9), START + 60, Phase.RUNNING, "began 1 min ago, nothing since"),
    (course(0, maximum=9), START + 1200, Phase.SILENT, "began 20 min ago, nothing since"),
]


@pytest.mark.parametrize(("records", "now", "phase", "because"), PHASES)
def test_state_and_how_it_is_known(
    records: list[dict[str, Any]], now: float, phase: Phase, because: str
) -> None:
    found = history(records)
    state = judge(found, now, found.fact("max_steps"))
    assert state.phase is phase
    assert because in state.because


def test_end_of_an_earlier_process_is_not_the_end() -> None:
    records = [*course(200, end="stop", maximum=900), event("resume", 200, LAST, max_steps=900)]
    assert judge(history(records), LAST + 5, 900).phase is Phase.RUNNING


def test_early_stop_says_more_than_done() -> None:
    records = [*course(200, end="early-stop", maximum=900), event("done", 200, LAST)]
    assert judge(history(records), LAST, 900).phase is Phase.STOPPED_EARLY


def test_slow_evaluations_are_no_silence() -> None:
    found = history([*course(400, maximum=900), evaluation(400, START + 1000, 1.0)])
    assert judge(found, START + 2500, 900).phase is Phase.RUNNING
    assert judge(found, START + 5000, 900).phase is Phase.SILENT


def test_run_folder_takes_in_what_appears_later(tmp_path: Path) -> None:
    path = write_course(tmp_path / "a", course(200, maximum=400))
    (run,) = open_runs([path, path])
    assert (run.name, run.max_steps, run.history.step) == ("toy", 400, 200)
    assert run.seconds_left() == pytest.approx(200 / run.history.steps_per_second())  # type: ignore[operator]
    assert run.about == {}
    assert run.summary() == run.evaluation() == {}
    (path / "best").mkdir()
    (path / "best/model.json").write_text('{"architecture": "rnn"}')
    assert run.refresh() == (True, False)
    assert run.about["architecture"] == "rnn"
    (path / "data.json").write_text("half a fi")
    assert run.summary() == {}
    (path / "metrics.jsonl").write_bytes(lines(course(50)))
    assert run.refresh() == (True, False)
    assert run.history.step == 50


def test_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no metrics\.jsonl: it is no run"):
        open_runs([tmp_path])
    with pytest.raises(DataError, match="no folder"):
        open_runs([tmp_path / "nowhere"])
    with pytest.raises(DataError, match="no run under"):
        newest_runs(tmp_path, 3)


def test_newest_runs_come_first_and_names_are_told_apart(tmp_path: Path) -> None:
    for age, name in enumerate("cab"):
        file = write_course(tmp_path / name, course(50)) / "metrics.jsonl"
        os.utime(file, (START - age, START - age))
    paths = newest_runs(tmp_path, 2)
    assert [path.name for path in paths] == ["c", "a"]
    assert unique_names(open_runs(paths)) == ["toy (c)", "toy (a)"]
    (tmp_path / "a/recipe.toml").unlink()
    assert unique_names(open_runs(paths)) == ["toy", "a"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), st.integers(1, 40))
def test_decimation_keeps_ends_and_extremes(values: list[float], columns: int) -> None:
    x, y = np.arange(len(values), dtype=np.float64), np.array(values)
    found_x, found_y = decimate(x, y, columns)
    assert len(found_x) <= max(2 * columns + 2, 2)
    assert (found_x[0], found_x[-1]) == (x[0], x[-1])
    assert (found_y.min(), found_y.max()) == (y.min(), y.max())
    assert np.all(np.diff(found_x) > 0)
    assert np.array_equal(y[found_x.astype(int)], found_y)


@given(st.lists(st.floats(-1e3, 1e3), max_size=60), st.integers(0, 80))
def test_smoothing_stays_between_the_extremes(values: list[float], window: int) -> None:
    found = smooth(np.array(values), window)
    assert len(found) == len(values)
    if values:
        assert min(values) - 1e-6 <= found.min() <= found.max() <= max(values) + 1e-6


def test_smoothing_is_the_mean_around_a_point() -> None:
    assert smooth(np.array([9.0, 1, 2, 3, 4, 5]), 3).tolist() == [9, 4, 2, 3, 4, 4.5]


def test_numbers_in_words() -> None:
    durations = [duration(value) for value in (-1, 0.4, 59.6, 3600, 3661, 7500, 356400)]
    assert durations == ["0 s", "0 s", "1 min", "1 h", "1 h 1 min", "2 h 5 min", "4 d 3 h"]
    shorts = [short(value) for value in (0, 1.5, 999.7, 3412, 999_960, 11_234_816, 2.5e9)]
    assert shorts == ["0", "1.5", "1k", "3.41k", "1M", "11.2M", "2.5G"]
    assert (count(12345.4), decimal(1.234), decimal(float("inf"))) == ("12,345", "1.23", "–")
