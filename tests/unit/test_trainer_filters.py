import lzma
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_corpus import WORDS, write_recipe

from mltranslate.detect.detector import default_detector
from mltranslate.errors import ConfigError, DataError
from mltranslate.languages import LANGUAGES
from mltranslate_train import cli
from mltranslate_train.config import CorpusConfig, DataConfig, FilterConfig, load_recipe
from mltranslate_train.data.filters import rules
from mltranslate_train.data.filters.hashes import HashSet, TextSet, keys_of, letters
from mltranslate_train.data.filters.judge import Filters, explanations, read_tests
from mltranslate_train.data.filters.nearly import (
    HASHES,
    NearDuplicates,
    band_rows,
    signatures,
    similarity,
)
from mltranslate_train.data.filters.report import FilterReport
from mltranslate_train.data.filters.selection import select
from mltranslate_train.data.readers import Pair, find_files

WAY = ("en", "de")
ALL = FilterConfig(
    min_characters=2, max_characters=200, max_ratio=3.0, script_share=0.5, language_confidence=0.1,
    copies=True, digits=True, duplicates=True, near_duplicates=0.8,
)  # fmt: skip


def reasons(
    config: FilterConfig, *rows: tuple[str, str], languages: tuple[str, str] = WAY
) -> list[str]:
    return Filters(config, languages).reasons([Pair("x", first, second) for first, second in rows])


def file_of(folder: Path, rows: list[tuple[str, str]], name: str = "x.tsv") -> CorpusConfig:
    path = folder / name
    path.write_text("".join(f"{one}\t{two}\n" for one, two in rows), encoding="utf-8", newline="")
    return CorpusConfig(tsv=str(path), languages=WAY)


# Rules


def test_length_is_counted_in_characters() -> None:
    config = FilterConfig(min_characters=2, max_characters=4)
    found = reasons(config, ("ab", "abcd"), ("a", "abc"), ("abc", "abcde"), ("漢字", "ab"))
    assert found == ["", "too short", "too many characters", ""]


def test_ratio_weighs_dense_scripts_and_ignores_spaces() -> None:
    config = FilterConfig(max_ratio=2.0)
    rows = [("abcdef", "漢字"), ("a b c d e f g", "漢字"), ("abcdefghijklm", "漢字"), ("abc", "")]
    assert reasons(config, *rows) == ["", "", "length ratio", "length ratio"]


def test_digits_count_by_value_and_in_any_order() -> None:
    config = FilterConfig(digits=True)
    rows = [("3 of 12", "12 von 3"), ("12", "١٢"), ("1,000", "1.000"), ("12", "13"), ("2", "zwei")]
    assert reasons(config, *rows) == ["", "", "", "digits", "digits"]
    assert reasons(config, ("x²", "x")) == [""]


def test_copies_are_found_whatever_the_case_and_punctuation() -> None:
    config = FilterConfig(copies=True)
    rows = [("File: Open!", "file open"), ("Open", "Offen"), ("…", "!")]
    assert reasons(config, *rows) == ["copy", "", "copy"]


def test_script_is_judged_by_letters_alone() -> None:
    config = FilterConfig(script_share=0.5)
    rows = [
        ("Hello, world 123", "Привет"),
        ("Привет", "Hello"),
        ("IBM", "фирма IBM"),
        ("42!", "42 %"),
        ("አማርኛ a", "а"),
    ]
    found = reasons(config, *rows, languages=("en", "ru"))
    assert found == ["", "script", "", "", "script"]
    assert reasons(config, ("日本語の文", "日本語の文"), languages=("ja", "zh")) == [""]


def test_language_is_what_the_identifier_says() -> None:
    config = FilterConfig(language_confidence=0.1)
    english, german = "This is the house of my father.", "Das ist das Haus meines Vaters."
    rows = [(english, german), (german, english), (english, english), ("42", "42"), (english, "1")]
    assert reasons(config, *rows) == ["", "language", "language", "", ""]


def test_language_threshold_is_exact() -> None:
    detector = default_detector()
    texts = ["Hotel", "no", "Es ist gut", "Information", "menu bar", "a"]
    exact = [
        {guess.language: guess.confidence for guess in guesses}
        for guesses in detector.detect_many(texts, LANGUAGES, top=99)
    ]
    for least in (0.01, 0.1, 0.34, 0.5, 1.0):
        found = rules.foreign_language(texts, "de", detector, least).tolist()
        assert found == [guesses.get("de", 0.0) < least for guesses in exact]


@pytest.mark.parametrize("key", ["script_share", "language_confidence"])
def test_language_that_cannot_be_judged_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=f"{key} cannot judge .*xx"):
        Filters(FilterConfig(**{key: 0.5}), ("en", "xx"))  # type: ignore[arg-type]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text(), st.text()), max_size=6))
def test_filters_take_any_text_and_give_one_answer_each(rows: list[tuple[str, str]]) -> None:
    tests = TextSet()
    tests.add(["test"])
    filters = Filters(ALL, WAY, tests)
    known = set(explanations(ALL)) | {""}
    for _ in range(2):
        found = filters.reasons([Pair("x", first, second) for first, second in rows])
        assert len(found) == len(rows)
        assert set(found) <= known
    assert "" not in found  # by now each is a duplicate at least


@given(st.lists(st.tuples(st.text(), st.text()), max_size=8), st.integers(1, 8))
def test_answers_do_not_depend_on_where_blocks_end(rows: list[tuple[str, str]], size: int) -> None:
    config = FilterConfig(duplicates=True, copies=True, max_ratio=2.0, digits=True)
    pairs = [Pair("x", first, second) for first, second in rows]
    whole, parted = Filters(config, WAY), Filters(config, WAY)
    found = [
        reason
        for start in range(0, len(pairs), size)
        for reason in parted.reasons(pairs[start : start + size])
    ]
    assert found == whole.reasons(pairs)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        (["data.filter.max_ratio=0.5"], "max_ratio is 0.5"),
        (["data.filter.min_characters=9", "data.filter.max_characters=8"], "min_characters 9"),
        (["data.filter.near_duplicates=1.5"], "near_duplicates is 1.5"),
    ],
)
def test_rule_that_drops_everything_is_refused(tmp_path: Path, values: list[str], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        load_recipe(write_recipe(tmp_path), values)


# Sets of hashes


KEYS = st.lists(st.integers(2, 2**64 - 1) | st.integers(2, 40), max_size=60)


@given(st.lists(KEYS, max_size=6))
def test_hash_set_is_a_set(calls: list[list[int]]) -> None:
    table, seen = HashSet(), set[int]()
    for call in calls:
        keys = np.array(call, np.uint64)
        assert table.contains(keys).tolist() == [key in seen for key in call]
        new = [key not in seen and key not in call[:place] for place, key in enumerate(call)]
        assert table.add(keys).tolist() == new
        seen |= set(call)
        assert len(table) == len(seen)


def test_a_hundred_thousand_keys_take_few_bytes_each() -> None:
    table, rng = HashSet(), np.random.default_rng(0)
    keys = rng.integers(1, 2**64, 100_000, np.uint64)
    for start in range(0, len(keys), 4096):
        assert table.add(keys[start : start + 4096]).all()
    assert table.contains(keys).all()
    assert not table.contains(rng.integers(1, 2**64, 100_000, np.uint64)).any()
    assert 10 * len(table) <= table.bytes < 14 * len(table)


def test_key_zero_is_a_key() -> None:
    table = HashSet()
    keys = np.array([0, 16], np.uint64)
    assert not table.contains(keys).any()
    assert table.add(keys).tolist() == [True, True]
    assert table.contains(keys).all()


@given(st.text())
def test_letters_are_lower_case_letters_and_digits(text: str) -> None:
    assert letters(text) == "".join(filter(str.isalnum, text.lower()))
    assert len(keys_of([text, letters(text)])) == 2


# Near-duplicates


def jaccard(one: str, two: str) -> float:
    first, second = ({text[i : i + 3] for i in range(len(text) - 2)} for text in (one, two))
    return len(first & second) / len(first | second)


def sentences(count: int, seed: int, length: int = 16) -> list[str]:
    rng = random.Random(seed)
    return [
        "".join(f"{rng.choice(WORDS)}{rng.randrange(1000)}" for _ in range(length))
        for _ in range(count)
    ]


def test_estimate_is_near_the_true_similarity() -> None:
    rng = random.Random(1)
    errors = []
    for text in sentences(200, seed=1):
        start, length = rng.randrange(60), rng.randrange(40)
        other = text[:start] + text[start + length :]
        one, two = signatures([text, other])
        errors.append(float(similarity(one, two)) - jaccard(text, other))
    assert abs(float(np.mean(errors))) < 0.02
    assert float(np.std(errors)) < 0.08


def test_near_duplicates_are_found_across_and_within_blocks() -> None:
    texts = sentences(500, seed=2)
    changed = [text[:40] + "x" + text[41:] for text in texts]  # three 3-grams of a hundred
    assert min(map(jaccard, texts, changed)) > 0.9
    across, within = NearDuplicates(0.8), NearDuplicates(0.8)
    assert not across.add(texts).any()
    assert across.add(changed).mean() > 0.97
    found = within.add([text for pair in zip(texts, changed, strict=True) for text in pair])
    assert not found[0::2].any()
    assert found[1::2].mean() > 0.97


def test_different_texts_stay() -> None:
    texts = sentences(3000, seed=3)
    assert NearDuplicates(0.8).add(texts).mean() < 0.001


def test_memory_of_near_duplicates_is_bounded_and_the_newest_remembered() -> None:
    texts = sentences(900, seed=4, length=6)
    nearly = NearDuplicates(0.8, window=256)
    for start in range(0, 900, 90):
        nearly.add(texts[start : start + 90])
    bands = HASHES // band_rows(0.8)
    assert nearly.bytes <= 256 * (HASHES + 2 * 4 * bands)
    assert nearly.add(texts[-200:]).mean() > 0.95
    assert not nearly.add(texts[:50]).any()


def test_tables_that_grew_still_find_the_first() -> None:
    texts = sentences(6000, seed=5, length=5)
    nearly = NearDuplicates(0.8)
    for start in range(0, 6000, 1000):
        nearly.add(texts[start : start + 1000])
    assert nearly.add(texts).mean() > 0.97


@pytest.mark.parametrize(("threshold", "rows"), [(0.5, 2), (0.8, 6), (0.9, 9), (1.0, 64)])
def test_bands_are_as_wide_as_the_recall_allows(threshold: float, rows: int) -> None:
    assert band_rows(threshold) == rows


# Test sets


def test_pairs_that_share_a_side_with_a_test_line_go(tmp_path: Path) -> None:
    (tmp_path / "test.en").write_text("The house.\n\n!!!\n", encoding="utf-8")
    with lzma.open(tmp_path / "test.de.xz", "wt", encoding="utf-8") as file:
        file.write("Ein Baum\n")
    tests = read_tests([str(tmp_path / "test.*")])
    assert tests is not None
    assert len(tests) == 2
    rows = [("the HOUSE", "x"), ("x", "Ein Baum!"), ("The houses.", "y"), ("?!", "…")]
    filters = Filters(FilterConfig(), WAY, tests)
    found = filters.reasons([Pair("x", *row) for row in rows])
    assert found == ["in a test set", "in a test set", "", ""]


def test_pattern_without_a_file_is_refused(tmp_path: Path) -> None:
    assert read_tests([]) is None
    with pytest.raises(DataError, match="no file matches"):
        read_tests([str(tmp_path / "*.en")])


# Trusted origins


def test_nothing_but_a_test_set_drops_a_pair_of_a_trusted_origin(tmp_path: Path) -> None:
    (tmp_path / "test.en").write_text("The house\n", encoding="utf-8")
    tests = read_tests([str(tmp_path / "test.en")])
    filters = Filters(replace(ALL, trusted=("book-*",)), WAY, tests)
    rows = [
        ("book-1", "hotel", "Hotel"), ("book-1", "hotel", "Hotel"), ("book-2", "Hotel!", "Hotel!"),
        ("book-1", "no", "auf gar keinen Fall"), ("book-1", "room 4", "Zimmer"),
        ("book-1", "the house", "das Haus"), ("books", "no", "auf gar keinen Fall"),
        ("books", "a hotel", "a hotel"), ("books", "Hotel", "hotel!"),
    ]  # fmt: skip
    found = filters.reasons([Pair(*row) for row in rows])
    assert found[:6] == ["", "", "", "", "", "in a test set"]
    assert found[6:] == ["length ratio", "copy", "copy"]


def test_what_a_trusted_origin_has_is_a_duplicate_elsewhere() -> None:
    filters = Filters(FilterConfig(duplicates=True, trusted=("book",)), WAY)
    rows = [("book", "hello", "hallo"), ("book", "Hello!", "Hallo!"), ("web", "Hello.", "Hallo.")]
    assert filters.reasons([Pair(*row) for row in rows]) == ["", "", "duplicate"]


def test_held_out_text_of_a_trusted_origin_is_dropped(tmp_path: Path) -> None:
    corpora = (file_of(tmp_path, [("one", "eins"), ("two", "zwei")]),)
    config = FilterConfig(min_characters=9, trusted=("x*",))
    data = DataConfig(corpora=corpora, directions=("en-de",), filter=config)
    held, report = TextSet(), FilterReport()
    held.add(["zwei"])
    (part,) = select(find_files(corpora, [WAY]), data, report, held)
    assert [pair.first for pair in part] == ["one"]
    assert report.totals() == {"held out": 1}


# Selection and report


def test_second_pass_repeats_the_first(tmp_path: Path) -> None:
    rows = [(f"word {n % 700}", f"Wort {n % 700}") for n in range(9000)] + [("", "x")]
    corpora = [file_of(tmp_path, rows), file_of(tmp_path, rows[:50], "y.tsv")]
    data = DataConfig(
        corpora=tuple(corpora), directions=("en-de",), filter=FilterConfig(duplicates=True)
    )
    report = FilterReport()
    one, two = select(find_files(corpora, [WAY]), data, report)
    first = list(one)
    assert list(two) == []
    assert len(first) == 700
    table = report.table()
    assert list(one) == first
    assert list(two) == []
    assert report.table() == table
    assert table == {"duplicate": {"x.tsv": 8300, "y.tsv": 50}, "empty side": {"x.tsv": 1}}


@pytest.mark.parametrize("change", [-1, 1])
def test_corpus_that_changes_between_the_passes_is_refused(tmp_path: Path, change: int) -> None:
    rows = [(f"a{n}", f"b{n}") for n in range(20)]
    data = DataConfig(corpora=(file_of(tmp_path, rows),), directions=("en-de",))
    (part,) = select(find_files(data.corpora, [WAY]), data, FilterReport())
    assert len(list(part)) == 20
    file_of(tmp_path, (rows * 2)[: 20 + change])
    with pytest.raises(DataError, match=r"x\.tsv has changed"):
        list(part)


def test_held_out_texts_and_origins_without_weight_are_dropped(tmp_path: Path) -> None:
    rows = [("one", "eins"), ("two", "zwei")]
    corpora = (file_of(tmp_path, rows), file_of(tmp_path, rows, "y.tsv"))
    data = DataConfig(corpora=corpora, directions=("en-de",), weights={"y*": 0.0})
    held, report = TextSet(), FilterReport()
    held.add(["zwei"])
    kept = [
        pair for part in select(find_files(corpora, [WAY]), data, report, held) for pair in part
    ]
    assert kept == [Pair("x.tsv", "one", "eins")]
    assert report.totals() == {"weight 0": 2, "held out": 1}


def test_report_names_reasons_origins_and_clipped_examples() -> None:
    report = FilterReport()
    report.keep("news")
    for number in range(3):
        report.drop("copy", Pair("talk|show", "<b>\t" + "x" * 99, f"y{number}"))
    report.skip(Counter({("fuzzy", "de.po"): 2}))
    page = report.markdown(explanations(FilterConfig()))
    assert "6 pairs were read, 1 (16.7%) kept" in page
    assert "| copy | 3 | 50.0% | both sides are the same letters |" in page
    assert "| talk\\|show | 3 | 0 | 3 |  |" in page
    assert "| de.po | 2 | 0 |  | 2 |" in page
    assert page.count("&lt;b> xxx") == 2
    assert "x" * 56 not in page


@given(st.text(), st.text(), st.text())
def test_report_is_a_table_whatever_the_text(origin: str, first: str, second: str) -> None:
    report = FilterReport()
    report.drop("copy", Pair(origin, first, second))
    cells = report.markdown({}).splitlines()[-1].replace("\\\\", "").replace("\\|", "")
    assert cells.count("|") == 4


# The command


def test_filter_command_writes_a_corpus_and_a_report(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, "\n[data.filter]\nmax_characters = 20\nduplicates = true\n")
    corpus = tmp_path / "corpus/aa-bb.tsv"
    text = corpus.read_text("utf-8")
    corpus.write_text(text + text, encoding="utf-8")
    out = tmp_path / "kept"
    assert cli.main(["filter", str(recipe), "--out", str(out)]) == 0
    lines = text.splitlines(keepends=True)
    wanted = [line for line in lines if max(map(len, line.rstrip("\n").split("\t")[1:])) <= 20]
    with lzma.open(out / "aa-bb.tsv.xz", "rt", encoding="utf-8", newline="\n") as file:
        assert list(file) == wanted
    assert f"800 pairs were read, {len(wanted)} " in (out / "data-report.md").read_text("utf-8")
    assert sorted(path.name for path in out.iterdir()) == ["aa-bb.tsv.xz", "data-report.md"]


def test_filter_command_does_not_overwrite_its_corpus(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(tmp_path)
    assert cli.main(["filter", str(recipe), "--out", str(tmp_path / "corpus")]) == 2
    assert "is to be filtered" in capsys.readouterr().err
