"""Sets in a folder of pairs, and scores of other systems in the table."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mltranslate.errors import DataError, UsageError
from mltranslate_train import cli
from mltranslate_train.evaluate.beside import COLUMNS, Other, difference, read_others
from mltranslate_train.evaluate.metrics import Score
from mltranslate_train.evaluate.sets import TestSet, choose_directions

REPOSITORY = Path(__file__).resolve().parents[2]
HEAD = "\t".join(COLUMNS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of pairs as a run holds them out, and translations of both directions of two."""
    pairs = tmp_path / "heldout"
    pairs.mkdir()
    for first, second in (("de", "en"), ("fr", "en")):
        for language in (first, second):
            text = "".join(f"{language} of {first}{second} {number}\n" for number in range(3))
            (pairs / f"{first}-{second}.{language}").write_text(text)
    out = tmp_path / "out"
    out.mkdir()
    for source, target in (("de", "en"), ("en", "de"), ("en", "fr")):
        stem = "de-en" if "de" in (source, target) else "fr-en"
        wrong = target == "fr"
        text = "x\n" * 3 if wrong else (pairs / f"{stem}.{target}").read_text()
        (out / f"tatoeba.{source}-{target}.txt").write_text(text)
    return tmp_path


def evaluate(capsys: pytest.CaptureFixture[str], folder: Path, *more: str) -> tuple[int, str]:
    prefix = (folder / "heldout").as_posix()
    code = cli.main(["evaluate", str(folder / "out"), "--on", f"tatoeba={prefix}", *more])
    captured = capsys.readouterr()
    return code, captured.out or captured.err


def test_a_folder_of_pairs_is_one_set(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dev = TestSet("tatoeba", str(folder / "heldout"))
    assert dev.read(("en", "de")) == dev.read(("de", "en"))[::-1]
    assert dev.read(("fr", "en"))[0][0] == "fr of fren 0"
    assert not dev.has(("de", "fr"))
    with pytest.raises(DataError, match="in a folder"):
        choose_directions(dev, [("de", "fr")], ())
    code, text = evaluate(capsys, folder)
    assert code == 0
    assert "| tatoeba | de-en | 3 | 100.0 | 100.0 | 0.0 |" in text
    assert "| set | directions | chrF2++, mean | chrF2++, lowest |" in text
    assert "| tatoeba | 3 | 66.7 | 0.0 (en-fr) |" in text


def test_files_of_languages_in_a_folder_stay_a_set(tmp_path: Path) -> None:
    for language in ("de", "en"):
        (tmp_path / language).write_text(f"{language}\n")
    assert TestSet("x", f"{tmp_path.as_posix()}/").read(("de", "en")) == (["de"], ["en"])


def test_published_scores_stand_beside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["tatoeba\tde-en\tPeer\t64.0\tdevtest\ta page", "other\tde-en\tPeer\t1.0\tdev\tb"]
    (folder / "peers.tsv").write_text("\n".join([HEAD, *rows]) + "\n")
    code, text = evaluate(capsys, folder, "--beside", str(folder / "peers.tsv"))
    assert code == 0
    assert "| TER | chrF2++ of Peer |" in text
    assert "| tatoeba | de-en | 3 | 100.0 | 100.0 | 0.0 | 64.0 |" in text
    assert "| tatoeba | en-de | 3 | 100.0 | 100.0 | 0.0 | – |" in text
    assert "* Peer: measured on devtest, a page\n" in text
    assert "b\n" not in text.split("Not measured")[1].split("\n\n")[1]


def test_an_earlier_evaluation_stands_beside(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = folder / "first.json"
    assert evaluate(capsys, folder, "--json", str(record))[0] == 0
    found = json.loads(record.read_text())
    found["system"] |= {"name": "mine", "precision": "fp32", "search": "engine", "beam": 4}
    found["results"][0]["chrf"]["value"] = 12.3
    found["results"][1]["chrf"]["sentences"] = 997
    record.write_text(json.dumps(found))
    code, text = evaluate(capsys, folder, "--beside", str(record))
    assert code == 0
    assert "| chrF2++ of mine fp32 |" in text
    assert "| 12.3 |" in text
    assert "* mine fp32: engine search, beam 4" in text
    direction = found["results"][1]["direction"]
    assert f"* mine fp32, tatoeba {direction}: left out, n 997 by `nrefs:1|" in text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "", "line 1: the columns are missing"),
        ("a.tsv", "set\tdirection\n", "the columns are"),
        ("a.tsv", f"{HEAD}\n\ndev\tde-en\tPeer\n", "line 3: 3 columns instead of 6"),
        ("a.tsv", f"{HEAD}\ndev\tde-en\tPeer\tmany\tdev\tx\n", "line 2: could not convert"),
        ("a.tsv", f"{HEAD}\ndev\tde-en\tPeer\tnan\tdev\tx\n", "is no score"),
        ("a.tsv", f"{HEAD}\ndev\tde-en\tPeer\t101\tdev\tx\n", "is no score"),
        ("a.tsv", f"{HEAD}\ndev\tde-en\tPeer\t50\t\tx\n", "does not say what it was measured on"),
        ("a.json", "{}", "KeyError: 'system'"),
        ("a.json", "[", "JSONDecodeError"),
        ("a.json", "3", "TypeError"),
        ("a.json", "[" * 200_000, "RecursionError"),
        ("a.json", '{"system": {"name": 3, "version": "", "precision": ""}}', "3 is no text"),
        ("none.tsv", None, "No such file"),
    ],
)
def test_files_without_scores_are_refused(
    tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_others([tmp_path / name])


def test_two_scores_for_one_place_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.tsv"
    file.write_text(f"{HEAD}\ndev\tde-en\tPeer\t50\tdev\tx\n")
    with pytest.raises(UsageError, match="two scores for dev de-en Peer"):
        read_others([file, file])


def record(search: str, beam: int, dataset: object = "dev", **more: float) -> str:
    system = {"name": "a|b", "version": "", "precision": "fp32", "search": search, "beam": beam}
    system |= more
    chrf = {"value": 50.0, "signature": "s", "sentences": 3}
    result = {"dataset": dataset, "direction": "de-en", "chrf": chrf}
    return json.dumps({"system": system, "results": [result]})


def test_two_searches_of_one_system_are_told_apart(tmp_path: Path) -> None:
    files = tmp_path / "greedy.json", tmp_path / "beam.json"
    for file, beam in zip(files, (1, 4), strict=True):
        file.write_text(record("engine", beam))
    names = [other.system for other in read_others(files)]
    assert names == [f"a|b fp32, engine search, beam {beam}" for beam in (1, 4)]
    assert [other.system for other in read_others(files[:1])] == ["a|b fp32"]
    with pytest.raises(UsageError, match=r"two scores for dev de-en a\|b fp32"):
        read_others([files[0], files[0]])
    for file, penalty in zip(files, ({}, {"length_penalty": 0.6}), strict=True):
        file.write_text(record("bare", 4, **penalty))
    names = [other.system for other in read_others(files)]
    penalties = ("", ", length penalty 0.6")
    assert names == [f"a|b fp32, bare search, beam 4{penalty}" for penalty in penalties]
    files[1].write_text(record("bare", 4, length_penalties={"en": 0.7, "de": 2}))
    assert read_others(files)[1].system == "a|b fp32, bare search, beam 4, length penalty 0.7"
    files[0].write_text(record("engine", 1, dataset=3))
    with pytest.raises(DataError, match="3 is no text"):
        read_others([files[0], files[0]])


def test_only_a_line_feed_ends_a_row(tmp_path: Path) -> None:
    file = tmp_path / "a.tsv"
    file.write_text(f"{HEAD}\r\ndev\tde-en\tPeer\u2028X\t50\tdev\tx\r\n", newline="")
    (other,) = read_others([file])
    assert other.system == "Peer\u2028X"
    assert other.origin == "measured on dev, x"


def test_a_name_stays_in_its_cell(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = "tatoeba\tde-en\tX | Y\t64.0\tdev *\ta_page_"
    (folder / "peers.tsv").write_text(f"{HEAD}\n{row}\n")
    code, text = evaluate(capsys, folder, "--beside", str(folder / "peers.tsv"))
    assert code == 0
    assert "| TER | chrF2++ of X \\| Y |" in text
    assert "* X \\| Y: measured on dev \\*, a\\_page\\_\n" in text


def test_what_an_earlier_evaluation_says_stays_text(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(record("bare", 4, dataset="tatoeba"))
    found["results"][0]["direction"] = "en-de"
    found["results"][0]["chrf"] |= {"sentences": 3, "signature": "`|<b>"}
    (folder / "a.json").write_text(json.dumps(found))
    code, text = evaluate(capsys, folder, "--beside", str(folder / "a.json"))
    assert code == 0
    assert "* a\\|b fp32, tatoeba en-de: left out, n 3 by `` `|<b> ``\n" in text


CELLS = st.one_of(st.text(max_size=8), st.sampled_from(["dev", "de-en", "50", "-1", "nan", "1e3"]))
ROWS = st.lists(CELLS, min_size=5, max_size=7).map("\t".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
PLACES = [
    (), ("system",), ("system", "name"), ("system", "search"), ("system", "beam"),
    ("system", "length_penalty"), ("system", "length_penalties"), ("results",),
    ("results", 0), ("results", 0, "dataset"),
    ("results", 0, "chrf"), ("results", 0, "chrf", "value"), ("results", 0, "chrf", "signature"),
    ("results", 0, "chrf", "sentences"), ("results", 0, "chrf", "more"),
]  # fmt: skip
MINE = Score(value=50.0, signature="s", sentences=3)


def sound(file: Path) -> list[Other] | None:
    """What was read of a file, which must be fit for the table; None when it was refused."""
    try:
        others = read_others([file])
    except (DataError, UsageError):
        return None
    for other in others:
        texts = (other.dataset, other.direction, other.system, other.origin)
        assert all(isinstance(text, str) for text in (*texts, difference(other, MINE)))
        assert 0 <= other.chrf <= 100
    return others


@given(rows=st.lists(ROWS, max_size=3))
def test_any_table_is_read_or_refused(
    rows: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.tsv"
    file.write_bytes("\n".join([HEAD, *rows]).encode(errors="replace"))
    others = sound(file)
    assert others is None or len(others) == sum(
        bool(line.strip()) for row in rows for line in row.split("\n")
    )


@given(place=st.sampled_from(PLACES), value=VALUES)
@example(place=("results", 0, "chrf", "value"), value=12.5)
@example(place=("results", 0, "chrf", "signature"), value=3)
@example(place=("results", 0, "chrf", "value"), value=True)
def test_any_evaluation_is_read_or_refused(
    place: tuple[Any, ...], value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found: Any = {"": json.loads(record("engine", 4))}
    inner, path = found, ("", *place)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_bytes(json.dumps(found[""]).encode())
    others = sound(file)
    if place[-1:] == ("value",):
        good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
        assert (others is not None) == good


def test_the_table_of_peers_is_complete_and_says_what_it_is() -> None:
    others = read_others([REPOSITORY / "bench" / "peers.tsv"])
    assert len(others) == 16
    nine = {"en", "zh", "de", "fr", "es", "ru", "it", "pt", "ja"}
    directions = {other.direction for other in others}
    assert directions == {f"en-{x}" for x in nine - {"en"}} | {f"{x}-en" for x in nine - {"en"}}
    assert all("devtest, not dev" in other.origin for other in others)
