import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.edges import BLANK, bullet_end, core, has_language

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
        ("-5 degrees", ""),
        ("A. Smith", ""),
        ("#hashtag", ""),
        ("\tplain", "\t"),
        ("2026. ", ""),
    ],
)
def test_bullets(line: str, lead: str) -> None:
    assert line[: bullet_end(line)] == lead


def test_an_ordinal_is_no_bullet() -> None:
    assert bullet_end("3. Mai", ordinal_stop=True) == 0
    assert bullet_end("- 3) Mai", ordinal_stop=True) == len("- 3) ")
