"""The text of the recipe "first-steps": the file that ships, and the grammar that made it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import defaultdict
from pathlib import Path

import pytest

from first_steps.expand import PHRASES, sentences
from first_steps.grammar import English, German, numbers, times

Nouns = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def table() -> dict[str, Nouns]:
    found: dict[str, Nouns] = tomllib.loads(PHRASES.read_text(encoding="utf-8"))
    return found


def slots(pattern: str) -> set[str]:
    return set(re.findall(r"\{(\w+)", pattern))


def test_the_file_that_ships_is_what_the_phrases_make(repository: Path) -> None:
    path = repository / "trainer/recipes/first-steps/en-de.tsv"
    made = "".join(f"{english}\t{german}\n" for english, german in sentences())
    assert path.read_text(encoding="utf-8") == made, "run python trainer/first_steps"


def test_its_size_is_what_recipe_and_page_say(repository: Path, table: dict[str, Nouns]) -> None:
    size, patterns = len(sentences()), len(table["patterns"])
    recipe = (repository / "trainer/recipes/first-steps.toml").read_text(encoding="utf-8")
    assert f"{size:,} sentences of {patterns} patterns" in recipe
    page = (repository / "docs/training.md").read_text(encoding="utf-8")
    assert f"{size:,} English–German pairs: {patterns} patterns" in page


def test_sentences_are_whole_and_translate_one_way_only() -> None:
    found: list[dict[str, set[str]]] = [defaultdict(set), defaultdict(set)]
    for pair in sentences():
        for side, text in enumerate(pair):
            assert re.fullmatch(r"[A-ZÄÖÜ][\wäöüÄÖÜß ,'-]+[.?!]", text), text
            assert unicodedata.is_normalized("NFC", text)
            found[side][text].add(pair[1 - side])
    assert [max(map(len, side.values())) for side in found] == [1, 1]


def test_every_slot_is_filled_on_both_sides_and_every_list_is_used(
    table: dict[str, Nouns],
) -> None:
    known = {"number", "clock", "coloured", *table["nouns"], *table["words"]}
    for english, german in table["patterns"].items():
        assert slots(english) == slots(str(german)), english
    used = {name.rstrip("2") for pattern in table["patterns"] for name in slots(pattern)}
    assert used == known


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("", "Hund Katze Pferd"),
        ("pl", "Hunde Katzen Pferde"),
        ("ein.nom", "ein Hund, eine Katze, ein Pferd"),
        ("ein.akk", "einen Hund, eine Katze, ein Pferd"),
        ("mein.dat", "meinem Hund, meiner Katze, meinem Pferd"),
        ("der.akk", "den Hund, die Katze, das Pferd"),
        ("der.dat", "dem Hund, der Katze, dem Pferd"),
        ("dies.nom", "dieser Hund, diese Katze, dieses Pferd"),
        ("zu", "zum Hund, zur Katze, zum Pferd"),
    ],
)
def test_german_nouns(form: str, words: str) -> None:
    nouns = [("Hund", "m", "Hunde"), ("Katze", "f", "Katzen"), ("Pferd", "n", "Pferde")]
    found = [format(German(*noun), form) for noun in nouns]
    assert found == re.split(", | ", words) if form in ("", "pl") else words.split(", ")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("ein.nom", "ein roter Hut, eine rote Tür, ein rotes Auto"),
        ("ein.akk", "einen roten Hut, eine rote Tür, ein rotes Auto"),
        ("der.nom", "der rote Hut, die rote Tür, das rote Auto"),
        ("der.akk", "den roten Hut, die rote Tür, das rote Auto"),
        ("der.dat", "dem roten Hut, der roten Tür, dem roten Auto"),
    ],
)
def test_german_adjectives(form: str, words: str) -> None:
    nouns = [("Hut", "m", "Hüte"), ("Tür", "f", "Türen"), ("Auto", "n", "Autos")]
    assert [format(German(*noun, "rot"), form) for noun in nouns] == words.split(", ")


def test_english_nouns() -> None:
    assert [f"{English('egg', 'eggs'):a}", f"{English('red egg', 'eggs'):a}"] == [
        "an egg", "a red egg",
    ]  # fmt: skip
    assert f"{English('mouse', 'mice'):s} {English('mouse', 'mice')}" == "mice mouse"
    with pytest.raises(KeyError):
        format(English("egg", "eggs"), "an")


def test_numbers_and_times() -> None:
    words = numbers()
    assert len(words) == 98
    assert (words["two"], words["sixteen"], words["thirty"]) == ("zwei", "sechzehn", "dreißig")
    assert (words["twenty-one"], words["ninety-nine"]) == ("einundzwanzig", "neunundneunzig")
    said = times()
    assert len(said) == 12 * 8
    assert (said["one o'clock"], said["half past twelve"]) == ("ein Uhr", "halb eins")
    assert (said["a quarter to one"], said["ten past three"]) == (
        "Viertel vor eins",
        "zehn nach drei",
    )
