"""Phrasebooks: put into a pack, looked up there, and refused where they do not fit."""

from __future__ import annotations

import json
import lzma
import shutil
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import toy_run
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.errors import DataError, PackError, UsageError
from mltranslate.packs import Pack, read_pack
from mltranslate.packs.card import CARD, read_card
from mltranslate.packs.phrasebook import Phrasebook, packed, unpacked
from mltranslate.packs.verify import verify_pack
from mltranslate.text.phrases import Doubt
from mltranslate_export.card_member import add_card
from mltranslate_export.cli import main as exporter
from mltranslate_export.phrasebook_member import add_phrasebook, read_phrases
from mltranslate_train.data.whole import whole_file

ROWS = [
    {"en": "hello", "de": "hallo"},
    {"en": "hi", "de": "hallo"},
    {"en": "eat", "de": "essen"},
    {"en": "food", "de": "Essen"},
    {"en": "How are you?", "de": "Wie geht es dir?"},
    {"en": "Cheers!", "de": "Prost!"},
    {"en": "cheers", "de": "prost"},
    {"en": "us", "de": "uns"},
    {"en": "mass", "de": "Masse"},
    {"en": "street", "de": "Straße"},
    {"en": "Danger! High voltage.", "de": "Gefahr! Hochspannung."},
    {"en": "well", "de": "Brunnen"},
    {"en": "Well", "de": "Gut"},
    {"en": "Hungry?", "de": "Hunger?"},
    {"en": "Stop. Now.", "de": "Sofort anhalten."},
    {"en": "nothing", "de": ""},
    {"en": "gone", "fr": "parti"},
]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """A whole pack, with a card."""
    place = tmp_path / "toy"
    shutil.copytree(toy_run.toy_pack(), place)
    return add_card(read_pack(place))


def book(pack: Pack, rows: list[dict[str, str]] | None = None) -> Phrasebook:
    found = add_phrasebook(pack, ROWS if rows is None else rows).phrasebook()
    assert found is not None
    return found


def lines(pack: Pack, code: str) -> str:
    return unpacked((pack.folder / f"phrases.{code}.txt.xz").read_bytes())


@pytest.mark.parametrize(
    ("text", "source", "said"),
    [
        ("hello", "en", ("hallo",)),
        ("Hello!", "en", ("Hallo!",)),
        ("HELLO", "en", ("HALLO",)),
        ("hallo", "de", ("hello", "hi")),
        ("Hallo?", "de", ()),
        ("essen", "de", ("eat",)),
        ("Essen", "de", ("food",)),
        ("ESSEN", "de", ("EAT", "FOOD")),
        ("how are you", "en", ("Wie geht es dir?",)),
        ("How are you?", "en", ("Wie geht es dir?",)),
        ("How are you.", "en", ()),
        ("Prost?", "de", ()),
        ("Prost!", "de", ("Cheers!",)),
        ("prost", "de", ("cheers",)),
        ("How are you?!", "en", ("Wie geht es dir?!",)),
        ("Masse", "de", ("mass",)),
        ("US!", "en", ("UNS!",)),
        ("Well", "en", ("Gut", "Brunnen")),
        ("well", "en", ("Brunnen",)),
        ("Hungry", "en", ("Hunger?",)),
        ("Maße", "de", ()),
        ("Strasse", "de", ("street",)),
        ("STRASSE", "de", ("STREET",)),
        ("Danger!", "en", ("Gefahr!",)),
        ("High voltage", "en", ("Hochspannung",)),
        ("Sofort anhalten!", "de", ("Stop. Now!",)),
        ("“Hello!”", "en", ("“Hallo!”",)),
        ("« how are you? »", "en", ("« Wie geht es dir? »",)),
        ('"Hello!" "Hi!"', "en", ()),
        ('"nothing"', "en", ()),
        ("us", "en", ("uns",)),
        ("US", "en", ()),
        ("hello...", "en", ()),
        ("nothing", "en", ()),
        ("gone", "en", ()),
        ("", "en", ()),
        ("hello", "fr", ()),
    ],
)
def test_phrases_are_found(pack: Pack, text: str, source: str, said: tuple[str, ...]) -> None:
    assert book(pack).find(text, source, "de" if source == "en" else "en").texts == said


@pytest.mark.parametrize(
    ("text", "source", "doubt"),
    [
        ("eat", "en", Doubt.NONE),
        ("Eat", "en", Doubt.NAME),
        ("Eat.", "en", Doubt.NAME),
        ("EAT", "en", Doubt.NONE),
        ("Eat!", "en", Doubt.WORD),
        ("eat!", "en", Doubt.WORD),
        ("Hallo", "de", Doubt.WORD),
        ("Masse", "de", Doubt.NONE),
        ("Prost!", "de", Doubt.NONE),
        ("prost!", "de", Doubt.NONE),
        ("High voltage!", "en", Doubt.NONE),
        ("eat.", "en", Doubt.WORD),
        ("street.", "en", Doubt.NONE),
        ("how are you", "en", Doubt.NONE),
        ("Hungry", "en", Doubt.QUESTION),
        ("Hungry?", "en", Doubt.NONE),
        ("unknown", "en", Doubt.NONE),
    ],
)
def test_what_may_be_something_else_is_doubted(
    pack: Pack, text: str, source: str, doubt: Doubt
) -> None:
    assert book(pack).find(text, source, "de" if source == "en" else "en").doubt is doubt


@given(
    st.lists(
        st.fixed_dictionaries({code: st.text("abÄß.!?'", max_size=6) for code in ("en", "de")}),
        max_size=5,
    )
)
def test_whatever_is_put_in_is_found_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    table = tmp_path_factory.mktemp("table") / "phrases.tsv"
    lines = ["en\tde", *(f"{row['en']}\t{row['de']}" for row in rows)]
    table.write_text("".join(f"{line}\n" for line in lines))
    read = read_phrases(table)
    place = tmp_path_factory.mktemp("packs") / "toy"
    shutil.copytree(toy_run.toy_pack(), place)
    whole = [row for row in read if row["en"] and row["de"]]
    if not whole:
        with pytest.raises(DataError, match="nothing to look up"):
            add_phrasebook(read_pack(place), read)
        return
    made = book(read_pack(place), read)
    for row in whole:
        said = made.find(row["en"], "en", "de").texts
        trails = row["en"].endswith("..")
        empty = not row["en"].strip(" .!?")
        assert said or trails or empty, row


def test_it_is_a_member_and_the_card_says_so(pack: Pack, tmp_path: Path) -> None:
    table, more = tmp_path / "a.tsv", tmp_path / "b.tsv"
    table.write_text("\ufeffen\tde\nhello\thallo\n", encoding="utf-8")
    more.write_text("de\ten\nHund\tdog\nallein\n", encoding="utf-8")
    assert exporter(["phrasebook", str(pack.folder), str(table), str(more)]) == 0
    changed = read_pack(pack.folder)
    verify_pack(changed)
    assert "2 words and phrases in 2 languages" in read_card(changed)
    assert lines(pack, "en") == "hello\ndog\n"
    assert lines(pack, "de") == "hallo\nHund\n"
    found = changed.phrasebook()
    assert found
    assert found.find("Hund", "de", "en").texts == ("dog",)


def test_another_takes_the_place_of_the_first(pack: Pack) -> None:
    before = json.loads((pack.folder / "manifest.json").read_text())
    first = add_phrasebook(pack, ROWS)
    second = add_phrasebook(first, ROWS[:1])
    verify_pack(second)
    assert second.manifest.phrasebook
    assert second.manifest.phrasebook.rows == 1
    assert lines(pack, "de") == "hallo\n"
    after = json.loads((pack.folder / "manifest.json").read_text())
    del after["phrasebook"], before["members"][CARD]
    after["members"] = {k: v for k, v in after["members"].items() if "phrases" not in k}
    assert after == before


def test_a_phrase_of_a_script_without_capitals_gets_one_where_it_is_known(pack: Pack) -> None:
    pairs = [("i see it", "我看见"), ("I see it.", "我看见。"), ("dog", "狗"), ("Dog.", "狗。")]
    phrases = book(pack, [{"en": english, "de": chinese} for english, chinese in pairs])
    assert phrases.find("我看见", "de", "en").texts == ("I see it",)
    assert phrases.find("我看见！", "de", "en").texts == ("I see it!",)
    assert phrases.find("狗", "de", "en").texts == ("dog",)
    assert phrases.find("i see it", "en", "de").texts == ("我看见",)


NAMED = [
    *ROWS,
    {"en": "Dear Mr. {}", "de": "Sehr geehrter Herr {}"},
    {"en": "Dear {}", "de": "Liebe {}"},
    {"en": "Happy birthday, {}!", "de": "Alles Gute, {}!"},
    {"en": "Kind regards", "de": "Viele Grüße"},
    {"en": "Dear Sir,", "de": "Sehr geehrter Herr!"},
    {"en": "Dear all", "de": "Liebe alle"},
    {"en": "Of course", "de": "Natürlich"},
    {"en": "mark", "de": "Zeichen"},
    {"en": "{} Mark", "de": "{} Markus"},
    {"en": "baker", "de": "Bäcker"},
]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Dear Anna", ("Liebe Anna",)),
        ("Dear Anna,", ("Liebe Anna,",)),
        ("Dear Mark,", ("Liebe Markus,",)),
        ("Dear Mark Mark,", ("Liebe Markus Markus,",)),
        ("Dear Mark Ruiz,", ("Liebe Mark Ruiz,",)),
        ("Mark,", ("Zeichen,",)),
        ("Dear Anna Maria Ruiz:", ("Liebe Anna Maria Ruiz:",)),
        ("Dear Mr. Ruiz,", ("Sehr geehrter Herr Ruiz,",)),
        ("Dear Mr. Baker,", ("Sehr geehrter Herr Baker,",)),
        ("Happy birthday, Anna!", ("Alles Gute, Anna!",)),
        ("Happy birthday, Anna", ("Alles Gute, Anna",)),
        ("“Dear Anna,”", ("“Liebe Anna,”",)),
        ("Kind regards,", ("Viele Grüße,",)),
        ("hello:", ("hallo:",)),
        ("Dear Sir,", ("Sehr geehrter Herr!",)),
        # Words are no names, nor are those of another script.
        ("Dear Baker,", ()),
        ("Dear Anna Baker,", ()),
        ("Dear friend,", ()),
        ("Dear Анна,", ()),
        ("Anna,", ()),
        ("Kind regards,,", ()),
    ],
)
def test_names_and_pauses_are_seen_to(pack: Pack, text: str, said: tuple[str, ...]) -> None:
    assert book(pack, NAMED).find(text, "en", "de").texts == said


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Dear Anna, how are you?", 10),
        ("Dear Mark, how are you?", 10),
        ("Dear Mr. Ruiz, dear Anna, I'm late.", 14),
        ("Dear all, the meeting is on Monday.", 9),
        ("Dear Sir, I am looking for a room.", 9),
        # No salutation, or none that it has.
        ("Happy birthday, Anna, and many more.", 0),
        ("Of course, I will come.", 0),
        ("Dear Baker, how are you?", 0),
        ("Hello, how are you?", 0),
        ("Dear Anna,", 0),
        ("", 0),
    ],
)
def test_salutations(pack: Pack, text: str, length: int) -> None:
    assert book(pack, NAMED).salutation(text, "en", "de") == length
    assert book(pack, NAMED).salutation(text, "en", "xx") == 0


def test_a_pack_without_one_looks_nothing_up(pack: Pack) -> None:
    assert pack.phrasebook() is None
    with pytest.raises(PackError, match="has no phrasebook"):
        Phrasebook(pack)


@pytest.mark.parametrize("written", range(4))
def test_a_pack_is_whole_wherever_the_writing_stopped(
    pack: Pack, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    count = iter(range(written))

    def killed(path: Path) -> AbstractContextManager[Path]:
        if next(count, None) is None:
            raise KeyboardInterrupt
        return whole_file(path)

    with monkeypatch.context() as patch:
        patch.setattr("mltranslate_export.members.whole_file", killed)
        with pytest.raises(KeyboardInterrupt):
            add_phrasebook(pack, ROWS)
    verify_pack(read_pack(pack.folder))


def test_a_signed_pack_is_left_alone(pack: Pack) -> None:
    (pack.folder / "manifest.json.sig").write_bytes(b"x")
    with pytest.raises(UsageError, match="is signed"):
        add_phrasebook(pack, ROWS)


@pytest.mark.parametrize(
    "damage",
    [packed("hallo\n"), lzma.compress(b"\xff\n" * 9), b"hallo\n" * 10, packed("a\n" * 14)[:-9]],
    ids=["short", "bytes", "plain", "cut"],
)
def test_damaged_lines_are_refused_in_one_line(pack: Pack, damage: bytes) -> None:
    made = book(pack)
    (pack.folder / "phrases.de.txt.xz").write_bytes(damage)
    with pytest.raises(PackError) as error:
        made.open("en", "de")
    assert "\n" not in str(error.value)


def test_what_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unpacked(packed("é\n" * 600)) == "é\n" * 600
    monkeypatch.setattr("mltranslate.packs.phrasebook.MAX_PHRASEBOOK_BYTES", 2**10)
    with pytest.raises(ValueError, match="larger"):
        unpacked(packed("é\n" * 600))


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (b"", "does not name two"),
        (b"en\nhello\n", "does not name two"),
        (b"en\ten\nhello\thallo\n", "does not name two"),
        (b"en\t\nhello\thallo\n", "does not name two"),
        (b"en\tde\nhello\thallo\tsalut\n", "line 2 .* has 3 cells"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, table: bytes, why: str) -> None:
    path = tmp_path / "phrases.tsv"
    path.write_bytes(table)
    with pytest.raises(DataError, match=why):
        read_phrases(path)


def test_phrases_of_other_languages_are_refused(pack: Pack) -> None:
    with pytest.raises(DataError, match="Give phrases in: "):
        add_phrasebook(pack, [{"en": "gone", "fr": "parti"}])
