"""The phrasebook that the recipes of the nine-language packs train on is what it is said to be."""

import re
import unicodedata
from pathlib import Path

import pytest

from mltranslate.packs.phrasebook import unpacked
from mltranslate.packs.store import DEFAULT, find_pack
from mltranslate.text.slots import SLOT
from mltranslate_train.data.readers.table import read_header

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "trainer/recipes/phrasebook"
LANGUAGES = ("en", "zh", "de", "fr", "es", "ru", "it", "pt", "ja")
SCRIPTS = {
    "ru": {"CYRILLIC"},
    "zh": {"CJK"},
    "ja": {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"},
}
FOREIGN = {"LATIN", "FULLWIDTH", "FEMININE", "MASCULINE", "GREEK", "MICRO"}
"""Letters that any language may have: "DNA", "1.ª"."""
TABLES = sorted(path for path in BOOK.glob("*.tsv") if path.stem != "SOURCES")


def rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]


def letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def scripts(text: str) -> set[str]:
    return {unicodedata.name(character).split()[0] for character in text if character.isalpha()}


def test_there_is_a_phrasebook() -> None:
    assert [path.stem for path in TABLES] == [
        "basics",
        "letters",
        "names",
        "phrases",
        "prose",
        "words",
    ]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_row_has_text_in_all_nine_languages(path: Path) -> None:
    assert read_header(path) == LANGUAGES
    for row in rows(path):
        assert len(row) == len(LANGUAGES), row
        for cell in row:
            assert cell or path.stem == "letters", row
            assert cell == " ".join(unicodedata.normalize("NFC", cell).split()), row


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_text_is_in_the_script_of_its_language(path: Path) -> None:
    elsewhere = []
    for row in rows(path):
        for code, cell in zip(LANGUAGES, row, strict=True):
            found, own = scripts(cell), SCRIPTS.get(code, FOREIGN)
            assert found <= own | FOREIGN, row
            if found and not found & own:
                elsewhere.append(cell)
    assert len(elsewhere) < 20, elsewhere  # "Wi-Fi" is the same everywhere


def test_letters_have_a_place_for_a_name() -> None:
    for row in rows(BOOK / "letters.tsv"):
        assert row[0]
        assert all(cell.count(SLOT) == 1 for cell in row if cell), row


def test_names_are_the_same_in_latin_letters() -> None:
    for row in rows(BOOK / "names.tsv"):
        assert all(cell.startswith(f"{SLOT} ") and cell.count(SLOT) == 1 for cell in row), row
        latin = {row[LANGUAGES.index(code)] for code in ("en", "de", "fr", "es", "it", "pt")}
        assert len(latin) == 1, row


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_no_english_text_comes_twice(path: Path) -> None:
    # "Dear {}" is said to men and women.
    english = [row[0] if path.stem != "letters" else tuple(row) for row in rows(path)]
    assert len(set(english)) == len(english)


@pytest.mark.parametrize("name", ["phrases", "prose"])
def test_years_are_the_same_in_all_languages(name: str) -> None:
    for row in rows(BOOK / f"{name}.tsv"):
        years = set(re.findall(r"\b(?:1\d|20)\d\d\b", row[0]))  # "the 1970s" is put otherwise
        for cell in row:
            assert all(year in cell for year in years), row


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("code", ["zh", "ja"])
def test_chinese_and_japanese_have_marks_of_full_width(path: Path, code: str) -> None:
    beside = re.compile(r"[一-鿿぀-ヿ][,;:!?(]|[,;!?)][一-鿿぀-ヿ]|[\"'][一-鿿぀-ヿ]")
    column = LANGUAGES.index(code)
    found = [row[column] for row in rows(path) if beside.search(row[column])]
    assert not found


def test_sentences_of_the_regression_set_are_not_trained_on() -> None:
    inputs = (ROOT / "tests/regression/inputs.tsv").read_text("utf-8").splitlines()[1:]
    kept = {letters(line.split("\t")[4]) for line in inputs if line.count("\t") >= 4}
    for name in ("phrases", "prose"):
        for row in rows(BOOK / f"{name}.tsv"):
            assert not kept.intersection(map(letters, row)), row


def test_the_sources_are_named() -> None:
    header, *named = (BOOK / "SOURCES.tsv").read_text("utf-8").splitlines()
    assert header == "source\torigin\tlicence"
    assert {line.split("\t")[0] for line in named} == {f"phrasebook-{path.stem}" for path in TABLES}


def test_the_default_pack_looks_up_what_is_in_the_tables() -> None:
    pack = find_pack(DEFAULT)
    book, info = pack.phrasebook(), pack.manifest.phrasebook
    assert book
    assert info
    assert set(info.files) == set(LANGUAGES)
    columns = [
        unpacked((pack.folder / info.files[code]).read_bytes()).splitlines() for code in LANGUAGES
    ]
    tables = {tuple(row) for path in TABLES if path.stem != "prose" for row in rows(path)}
    assert len(columns[0]) > 20_000
    whole = {row for row in zip(*columns, strict=True) if row in tables}
    assert len(whole) > 0.97 * len(columns[0])  # others are sentences of rows with several


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_the_default_pack_finds_every_basic_phrase(code: str) -> None:
    book = find_pack(DEFAULT).phrasebook()
    assert book
    at = LANGUAGES.index(code)
    pairs = [(row[0], row[at]) for row in rows(BOOK / "basics.tsv")[:1900]]
    lost = [
        (english, other)
        for english, other in pairs
        if letters(other) not in map(letters, book.find(english, "en", code).texts)
        or letters(english) not in map(letters, book.find(other, code, "en").texts)
    ]
    assert lost == []
