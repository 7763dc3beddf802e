"""Glossaries: their files, what is refused, and which terms stand in a text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate import Glossary
from mltranslate.errors import InputError
from mltranslate.glossary import Term, missing, terms_of
from mltranslate.limits import MAX_GLOSSARY_BYTES, MAX_TERM_CHARACTERS

FILE = (
    "\ufeff# German to English\n"
    "Netzschalter\tpower switch\tde\ten\r\n"
    "\n"
    "Acme\tAcme\n"
    "Knopf\tbutton\tGerman\t\n"
    "电源\tpower\tzh\ten\n"
)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    path.write_bytes(FILE.encode())
    glossary = Glossary.read(path)
    assert glossary.terms == (
        Term("Netzschalter", "power switch", "de", "en"), Term("Acme", "Acme"),
        Term("Knopf", "button", "de", ""), Term("电源", "power", "zh", "en"),
    )  # fmt: skip
    assert Glossary.parse(glossary.to_tsv()).terms == glossary.terms


BAD = [
    pytest.param("a\tb\nc\n", "line 2: 1 column", id="one column"),
    pytest.param("a\tb\tde\n", "line 1: 3 columns", id="three columns"),
    pytest.param("a\tb\tde\ten\tx\n", "line 1: 5 columns", id="five columns"),
    pytest.param("\tb\n", "line 1: a term has no letter", id="no source"),
    pytest.param("a\t \n", "line 1: a term has no letter", id="no target"),
    pytest.param("a\t!?\n", "line 1: a term has no letter", id="only marks"),
    pytest.param("a\tb\n# c\na\tc\n", r"line 3: 'a' is there twice: line 1 says 'b'", id="twice"),
    pytest.param("a\tb\tGobbledygook\ten\n", "line 1: unknown language", id="language"),
    pytest.param("a\tb\txx\ten\n", "line 1: unknown language", id="code"),
    pytest.param("a\tb\x00\n", "line 1: a term is no line of text", id="control"),
    pytest.param(
        f"a\t{'b' * (MAX_TERM_CHARACTERS + 1)}\n", "line 1: a term is too long", id="long"
    ),
    pytest.param("<b>#a\tb\n", "line 1: a term begins with '#'", id="comment"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_bad_lines_are_refused_by_file_and_number(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    path.write_text(text, newline="")
    with pytest.raises(InputError, match=message) as caught:
        Glossary.read(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    with pytest.raises(InputError, match="cannot be read: No such file"):
        Glossary.read(path)
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        Glossary.read(tmp_path)
    path.write_bytes(b"a\tb\nc\t\xff\n")
    with pytest.raises(InputError, match="line 2, is not valid UTF-8: byte 0xff at offset 6"):
        Glossary.read(path)
    with path.open("wb") as file:
        file.truncate(MAX_GLOSSARY_BYTES + 1)
    with pytest.raises(InputError, match="too large"):
        Glossary.read(path)


def test_equal_terms_are_one_and_languages_part_them() -> None:
    same = Glossary([("a", "b"), ("a", "b"), Term("a", "c", "de", "en")])
    assert same.terms == (Term("a", "b"), Term("a", "c", "de", "en"))
    with pytest.raises(InputError, match="term 2: 'a' is there twice: term 1 says"):
        Glossary([("a", "b"), ("a", "c")])
    with pytest.raises(InputError, match="term 1: 1 column"):
        Glossary(["ab"])  # type: ignore[list-item]
    with pytest.raises(InputError, match="no line of text"):
        Glossary([("a", "b\udcff")])


@pytest.mark.parametrize(
    ("term", "said"),
    [(5, "5"), (None, "None"), (("a", 5), "5"), (("a", "b", None, "en"), "None"),
     (Term("a", b"b"), "b'b'"), (b"ab", "97")],  # type: ignore[arg-type]
)  # fmt: skip
def test_what_is_no_text_is_refused_by_number(term: object, said: str) -> None:
    with pytest.raises(InputError, match=f"term 2: {said} is no text"):
        Glossary([("x", "y"), term])  # type: ignore[list-item]


def test_the_terms_of_a_direction() -> None:
    glossary = Glossary([
        ("gift", "present"), ("gift", "poison", "de", "en"), ("gift", "Gabe", "en", ""),
        ("Acme", "Acme"), ("nb", "NB", "nb", "en"),
    ])  # fmt: skip

    def targets(source: str, target: str) -> list[str]:
        found = glossary.terms_in("Gift, Acme, gift and nb", source, target)
        return [term.target for term in found]

    assert targets("de", "en") == ["poison", "Acme"], "what names the languages goes first"
    assert targets("en", "zh") == ["Gabe", "Acme"]
    assert targets("fr", "en") == ["present", "Acme"]
    assert targets("en-GB", "zh_Hant") == ["Gabe", "Acme"]
    assert targets("nb", "en") == ["present", "Acme", "NB"]
    assert glossary.terms_in("Nothing.", "de", "en") == ()
    assert Glossary([]).terms_in("gift", "de", "en") == ()


def test_a_variety_has_terms_of_its_own() -> None:
    glossary = Glossary.parse(
        "bus\tônibus\ten\tpt-BR\n"
        "bus\tautocarro\tEnglish\tpt_PT\n"
        "bus\tcarreira\ten\tpt\n"
        "screen\tecrã\ten\tpt\n"
        "bus\t公车\ten\tzh-CN\n"
        "trem\ttrain\tpt-BR\ten\n"
    )

    def targets(target: str) -> list[str]:
        return [term.target for term in glossary.terms_in("bus and screen", "en", target)]

    assert targets("pt-BR") == ["ônibus", "ecrã"], "a variety goes before its language"
    assert targets("pt-PT") == ["autocarro", "ecrã"]
    assert targets("pt") == ["carreira", "ecrã"]
    assert targets("zh") == ["公车"], "a plain language is in its usual script"
    assert targets("zh-TW") == []
    assert glossary.terms_in("o trem", "pt", "en"), "a variety counts as its language"
    assert Glossary.parse(glossary.to_tsv()).terms == glossary.terms
    with pytest.raises(InputError, match="term 2: 'a' is there twice"):
        Glossary([("a", "b", "en", "pt-BR"), ("a", "c", "en", "pt_br")])


def test_an_unknown_language_has_a_short_fix() -> None:
    with pytest.raises(InputError, match=r"\. Give its code, such as de, or its English name$"):
        Glossary([("a", "b", "Germn", "")])


def test_terms_stand_in_words_and_not_in_links_or_code() -> None:
    glossary = Glossary([("acme", "ACME Inc."), ("power button", "Knopf"), ("Polish", "Polnisch")])

    def targets(text: str) -> list[str]:
        return [term.target for term in glossary.terms_in(text, "en", "de")]

    assert targets("See https://acme.com/acme and {acme} or `acme`.") == []
    assert targets("The **power** button of Acme™") == ["Knopf", "ACME Inc."]
    assert targets("POLISH EVERYTHING NOW, PLEASE") == ["Polnisch"]
    assert targets("polish everything now, please") == []


def test_what_is_missing_and_what_a_part_holds() -> None:
    terms = Glossary([("a b", "x Y"), ("c", "Z™")]).terms
    assert missing(terms, "The **x** Y and Z™.", "en", shouted=False) == ()
    assert missing(terms, "X Y and Z.", "en", shouted=False) == terms
    assert missing(terms, "X Y and Z.", "en", shouted=True) == terms[1:]
    assert missing((), "", "en", shouted=False) == ()
    cases = Glossary([("a", "Car"), ("b", "car")]).terms
    assert missing(cases, "A Car.", "en", shouted=False) == ()
    assert missing(cases, "A car.", "en", shouted=False) == cases[:1]
    assert terms_of(terms, "of a b only", "en") == terms[:1]


COLUMN = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


@given(st.lists(st.tuples(COLUMN, COLUMN), max_size=5), st.sampled_from(["", "de", "pt-BR"]))
def test_a_glossary_goes_through_a_file(pairs: list[tuple[str, str]], language: str) -> None:
    try:
        glossary = Glossary([(*pair, language, "") for pair in pairs])
    except InputError:
        return
    assert Glossary.parse(glossary.to_tsv()).terms == glossary.terms


@given(st.text(st.sampled_from("ab\t\n\r#é中* \u2028"), max_size=40))
def test_any_file_is_read_or_refused(text: str) -> None:
    try:
        glossary = Glossary.parse(text, "terms.tsv")
    except InputError as refusal:
        named = str(refusal).startswith("terms.tsv, line ")
    else:
        named = Glossary.parse(glossary.to_tsv()).terms == glossary.terms
    assert named
