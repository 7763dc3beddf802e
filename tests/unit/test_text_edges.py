import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.edges import BLANK, bullet_end, core, has_language
from mltranslate.text.rules import rules_for

NO_LANGUAGE = [
    "", "   ", "12", "3.14", "1,000.50 €", "12:30", "2026-11-22", "100 %", "+49 30 123456",
    "https://example.com/a?b=c", "www.example.com", "mailto:a@b.org", "anna@example.org",
    "https://a.b/c https://d.e/f", "😀", "👍🏽 🇩🇪 ❤️", "...", "?!", "—", "« »", "(:", "→",
    "snake_case", "camelCase", "HttpServer", "foo()", "x = 1", "v1.2.3", "main.py", "/usr/lib/x",
    "a/b/c/d", "ABC-123", "0xDEADBEEF1", "#1a2b3c", "--flag_name", "std::vector", "@anna",
    "\u200b\ufeff", "\u0664\u0662",
]  # fmt: skip
LANGUAGE = [
    "Hello", "hello world", "Zug", "你好", "안녕", "مرحبا", "Я", "don't", "l'eau", "d’accord",
    "and/or", "e-mail",
    "**bold**", "<b>Hello</b>", "10 apples", "See https://example.com", "NATO", "(really?)",
    "今天ABC", "rock'n'roll", "naïve", "cafe\u0301", "the main.py file",
    "¡Hola!", "¿Perro?", "‚Hallo‘", "—Hola",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_LANGUAGE)
def test_no_language(text: str) -> None:
    assert not has_language(text)


@pytest.mark.parametrize("text", LANGUAGE)
def test_language(text: str) -> None:
    assert has_language(text)


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("  Hello.  ", "Hello."),
        ("😀 Hello! 👋🏽", "Hello!"),
        ("Read this: https://a.b/c", "Read this:"),
        ("https://a.b/c Is it down?", "Is it down?"),
        ("https://a.b/c is down", "https://a.b/c is down"),
        ("@anna @ben Hello! @bob", "Hello!"),
        ("Ask @bob", "Ask @bob"),
        ("问@小明。 #新闻", "问@小明。"),
        ("\ufeff\u200bHi\u200f", "Hi"),
        ("a 😀 b", "a 😀 b"),
        ("😀😀", ""),
        (" \t", ""),
        ("", ""),
        ("مرحبا 👋", "مرحبا"),
    ],
)
def test_core_leaves_the_sentence(sentence: str, kept: str) -> None:
    start, end = core(sentence)
    assert sentence[start:end] == kept


@given(st.text())
def test_core_is_a_range_without_blank_edges(text: str) -> None:
    start, end = core(text)
    assert 0 <= start <= end <= len(text)
    kept = text[start:end]
    assert kept == kept.strip(BLANK)


@pytest.mark.parametrize(
    ("line", "lead"),
    [
        ("- item", "- "),
        ("  * item", "  * "),
        ("• item", "• "),
        ("•item", "•"),
        ("1) item", "1) "),
        ("12. item", "12. "),
        ("(a) item", "(a) "),
        ("## Title", "## "),
        ("> > quoted", "> > "),
        ("- [x] done", "- [x] "),
        ("[^1]: A note", "[^1]: "),
        ("> [^my-note]: A note", "> [^my-note]: "),
        ("[1] A source", ""),
        ("-5 degrees", ""),
        ("A. Smith", ""),
        ("#hashtag", ""),
        ("\tplain", "\t"),
        ("2026. ", ""),
        ("II. Results", "II. "),
        ("V. Woolf", ""),
        ("・牛乳を買う", "・"),
        ("１．はじめに", "１．"),
        ("2、结果", "2、"),
        ("一、目的", "一、"),
        ("十二．まとめ", "十二．"),
        ("（三）方法", "（三）"),
        ("一、二、三、ダー", ""),
        ("3、4个人", ""),
        ("３．５倍", ""),
        ("一人で行く", ""),
    ],
)
def test_bullets(line: str, lead: str) -> None:
    assert line[: bullet_end(line)] == lead


ORDINALS = [
    ("de", "3. Mai ist frei"), ("de", "3. MAI"), ("de", "24. Dez. frei"), ("de", "1. Mai-Feier"),
    ("de", "19. Jahrhundert"), ("de", "1. Platz: Anna"), ("de", "2. Weltkrieg"), ("de", "1. FC"),
    ("de", "3. und 4. Klasse"), ("de", "5. bis 7. Juni"), ("de", "3. 5. 2026"), ("de", "1. \tMai"),
    ("de", "3. – 5. Mai"), ("de", "3. / 4. Klasse"), ("de-AT", "1. Jänner"),
    ("de", "II. Weltkrieg"), ("pl", "3. maja"), ("pl", "3. MAJA"), ("tr", "3. kat"),
    ("tr", "2. Dünya Savaşı"),
]  # fmt: skip
LISTED = [
    ("de", "5. ", "Bitte schließen Sie die Tür."), ("de", "7. ", "Montag ist frei."),
    ("de", "11. ", "Brot kaufen"), ("de", "1. ", "Die Tür"), ("de", "2. ", "„Nein“"),
    ("de", "> - 3. ", "Maike kommt"), ("de", "- 3) ", "Mai"), ("de", "4. ", "10 Eier"),
    ("de", "4. ", "😀 Ja"), ("de", "4. ", "– Ja"), ("de", "4. ", ""), ("de", "4. ", "*Mai*"),
    ("pl", "5. ", "Proszę zamknąć drzwi."), ("tr", "5. ", "Lütfen kapıyı kapatın."),
    ("en", "3. ", "may be"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "line"), ORDINALS)
def test_an_ordinal_is_no_bullet(language: str, line: str) -> None:
    for before in ("", "  ", "> - "):
        assert bullet_end(before + line, rules_for(language)) == len(before)


@pytest.mark.parametrize(("language", "lead", "item"), LISTED)
def test_the_number_of_an_item_is_no_ordinal(language: str, lead: str, item: str) -> None:
    assert bullet_end(lead + item, rules_for(language)) == len(lead)


def test_words_that_are_counted_can_be_found() -> None:
    for language in ("de", "pl", "tr"):
        for word in rules_for(language).counted:
            assert bullet_end(f"3. {word.title()}", rules_for(language)) == 0


@given(st.text(alphabet=st.sampled_from("13.  \t-–/>aMMai.mai"), max_size=30))
def test_a_number_with_a_stop_is_a_bullet_or_in_the_sentence(line: str) -> None:
    short, long = bullet_end(line, rules_for("de")), bullet_end(line)
    assert short <= long
    assert re.fullmatch(r"(?:\d{1,3}\.[ \t]+)?", line[short:long])
