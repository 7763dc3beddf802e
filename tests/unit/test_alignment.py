"""Links between words: what the attention says, and where the words stand in the end."""

import unicodedata

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.alignment import NO_ALIGNMENT, Alignment, align, joined, places
from mltranslate.decode import Search
from mltranslate.errors import PackError
from mltranslate.glossary import Glossary
from mltranslate.pipeline import Translator
from mltranslate.types import Translation, WordLink

GOOD_MORNING = align(
    [b" Good", b" mor", b"ning"],
    [b" Guten", b" Mor", b"gen", b"!"],
    [[0, 0.8, 0.1, 0, 0.1], [0, 0.3, 0.2, 0.4, 0.1], [0, 0.4, 0.3, 0.2, 0.1], [0, 0, 0, 0, 1]],
)


def diagonal(size: int, columns: int) -> list[list[float]]:
    """Each subword looks at the one at its place."""
    return [[float(column == 1 + row) for column in range(columns)] for row in range(size)]


def texts(alignment: Alignment, source: str, text: str) -> list[tuple[str, str]]:
    found = places(alignment, source, text)
    return [(source[slice(*one.source)], text[slice(*one.target)]) for one in found]


def translated(text: str, source: str = "en", target: str = "de", **parts: object) -> Translation:
    engine = Translator(decoder=FakeDecoder(**parts), detector=FakeDetector())  # type: ignore[arg-type]
    return engine.translate(text, target, source, alignment=True)[0]


def pairs(result: Translation) -> list[tuple[str, str]]:
    return [
        (result.source_text[slice(*one.source)], result.text[slice(*one.target)])
        for one in result.alignment
    ]


def test_a_word_comes_from_what_its_subwords_look_at_together() -> None:
    assert texts(GOOD_MORNING, "Good morning", "Guten Morgen!") == [
        ("Good", "Guten"), ("morning", "Morgen"),
    ]  # fmt: skip


def test_a_word_that_looks_at_marks_has_no_link() -> None:
    looks = [[0.0, 0.08, 0.92], [0.92, 0.08, 0.0]]
    assert align([b" a"], [b" b", b" c"], looks).links == ()
    assert align([], [b" b"], [[0.5, 0.5]]).links == ()
    assert align([b"!"], [b" b"], [[0.0, 1.0, 0.0]]).links == ()


@pytest.mark.parametrize(
    ("surfaces", "words"),
    [
        ([" don", "'", "t", " go", "."], ["don't", "go"]),
        ([" 1", ",", "234", ".", "5", " l", "’", "eau"], ["1,234.5", "l’eau"]),
        ([" well", "-known", "'", " x"], ["well", "known", "x"]),
        (["你", "好世", "界", "，第", "3", "章"], ["你", "好世", "界", "第", "3", "章"]),
        ([" か\u3099", "く", "AB", "C"], ["か\u3099", "く", "ABC"]),
        (["ก็ด", "ี", " e\u0301", "a \u0301", "漢\ufe00", "字"],
         ["ก็ดี", "e\u0301a", "漢\ufe00", "字"]),
        ([" 안녕", "하세요"], ["안녕하세요"]),
    ],
)  # fmt: skip
def test_what_a_word_is(surfaces: list[str], words: list[str]) -> None:
    written = [one.encode() for one in surfaces]
    text = "".join(surfaces)
    found = texts(align(written, written, diagonal(len(written), len(written) + 2)), text, text)
    assert found == [(word, word) for word in words]


def test_characters_of_several_subwords_are_one_word() -> None:
    written = ["你".encode()[:1], "你".encode()[1:], b"\xff", b"\xe4\xbd", b" a"]
    found = align(written, written, diagonal(5, 7))
    assert [found.target[start:end] for _, (start, end) in found.links] == [("你",), ("a",)]


def test_words_are_found_where_they_are_in_the_end() -> None:
    assert texts(GOOD_MORNING, "GOOD  **morning**", "¡GUTEN «Morgen»!") == [
        ("GOOD", "GUTEN"), ("morning", "Morgen"),
    ]  # fmt: skip
    assert texts(GOOD_MORNING, "Good new morning", "Guten Morgan") == [("Good", "Guten")]
    assert texts(GOOD_MORNING, "", "Guten Morgen") == []


def test_a_word_without_spaces_that_was_parted_has_no_link() -> None:
    found = align(["世界".encode()], ["世界".encode()], diagonal(1, 3))
    assert texts(found, "世界", "世界") == [("世界", "世界")]
    assert texts(found, "世界", "世 界") == []


def test_parts_of_a_sentence_are_counted_on() -> None:
    both = joined([GOOD_MORNING, NO_ALIGNMENT, GOOD_MORNING])
    source, text = "Good morning, good morning", "Guten Morgen, guten Morgen"
    assert texts(both, source, text) == [
        ("Good", "Guten"), ("morning", "Morgen"), ("good", "guten"), ("morning", "Morgen"),
    ]  # fmt: skip
    assert [one.target[0] for one in places(both, source, text, (100, 200))][-1] == 220


@given(st.text(), st.text(), st.integers(1, 9))
def test_links_are_of_whole_words_whatever_the_texts(source: str, text: str, cut: int) -> None:
    made = source.encode("utf-8", "replace")
    surfaces = [made[at : at + cut] for at in range(0, len(made), cut)]
    found = align(surfaces, surfaces, diagonal(len(surfaces), len(surfaces) + 2))
    for one in places(found, source, text):
        _check_words(source, one.source)
        _check_words(text, one.target)


@given(
    st.text(st.sampled_from("ab B1.,'’ 你か\u3099ก็😀*<>@\n\u0301{}")), st.sampled_from("aZ'1你 ")
)
def test_links_of_a_translation_are_of_whole_words(text: str, added: str) -> None:
    def render(source: str, target: str, guard: bool) -> str:
        return source[::2].upper() + added + source[1:]

    result = translated(text, render=render)
    for one in result.alignment:
        _check_words(result.source_text, one.source)
        _check_words(result.text, one.target)


def _check_words(text: str, span: tuple[int, int]) -> None:
    start, end = span
    assert 0 <= start < end <= len(text)
    word = text[start:end]
    assert word[0].isalnum()
    assert word[-1].isalnum() or unicodedata.category(word[-1])[0] == "M"
    assert not any(map(str.isspace, word))
    for left, right in ((start - 1, start), (end - 1, end)):
        if left >= 0 and right < len(text):
            apart = text[left : right + 1]
            assert unicodedata.category(apart[1])[0] != "M"
            ascii_letters = apart.isascii() and apart.isalnum()
            assert not ascii_letters, "a word is cut"


def test_links_of_several_sentences_are_in_their_places() -> None:
    result = translated("- Go home!\n\n* Be good. See you.")
    words = ["Go", "home", "Be", "good", "See", "you"]
    assert pairs(result) == [(word, word.upper()) for word in words]
    assert result.alignment[0] == WordLink(source=(2, 4), target=(2, 4))


def test_links_where_a_space_is_added_between_sentences() -> None:
    result = translated("你好。再见。", "zh", "en", render=lambda text, *_: f"Well {text}")
    assert result.text == "Well 你好。 Well 再见。"
    assert pairs(result) == [("你", "Well"), ("再", "Well")]
    assert result.alignment[1] == WordLink(source=(3, 4), target=(9, 13))


def test_links_of_what_was_hidden_shouted_or_mended() -> None:
    hidden = translated("Open https://a.example/b 😀 and go.")
    assert ("Open", "OPEN") in pairs(hidden)
    assert ("go", "GO") in pairs(hidden)
    assert not [word for word, _ in pairs(hidden) if "example" in word]
    shouted = translated("OPEN THE WINDOWS NOW", render=lambda text, *_: text.lower())
    assert shouted.text == "OPEN THE WINDOWS NOW"
    assert pairs(shouted) == [(word, word) for word in shouted.text.split()]
    mended = translated("It has 2222 men.", render=lambda text, *_: text.replace("2222", "22222"))
    assert "2222 " in mended.text
    assert [word for word, _ in pairs(mended)] == ["It", "has", "men"]


def test_links_of_a_sentence_in_pieces_and_of_a_completion() -> None:
    pack = FakePack(max_source_tokens=20)
    result = translated("one two three, four five six", pack=pack)
    words = ["one", "two", "three", "four", "five", "six"]
    assert pairs(result) == [(word, word.upper()) for word in words]
    engine = Translator(decoder=FakeDecoder(), detector=FakeDetector())
    text = "Go home. Be good."
    (result,) = engine.translate(text, "de", "en", prefix="GO HOME. BE ", alignment=True)
    assert pairs(result) == [("Be", "BE"), ("good", "GOOD")]


def test_no_links_through_english_nor_unless_they_are_asked_for() -> None:
    decoder = FakeDecoder()
    engine = Translator(decoder=decoder, detector=FakeDetector())
    assert engine.translate("Geh heim.", "zh", "de", alignment=True)[0].alignment == ()
    assert engine.translate("Go home.", "de", "en")[0].alignment == ()
    assert engine.translate("Go home.", "de", "en", alignment=True)[0].alignment
    # Through English nothing is asked of the model that would not be used.
    assert decoder.searches == [Search()] * 3 + [Search(alignment=True)]
    assert engine.translate("12", "de", "en", alignment=True)[0].alignment == ()


def test_a_pack_that_cannot_says_so() -> None:
    class Old(FakeDecoder):
        def alignment(self, *_: object, **__: object) -> list[object]:  # type: ignore[override]
            raise PackError("the pack fake cannot align words")

    engine = Translator(decoder=Old(), detector=FakeDetector())
    assert engine.translate("Go.", "de", "en")[0].text == "GO."
    with pytest.raises(PackError, match="cannot align"):
        engine.translate("Go.", "de", "en", alignment=True)


def test_links_of_what_a_glossary_forced() -> None:
    engine = Translator(decoder=FakeDecoder(), detector=FakeDetector())
    glossary = Glossary([("button", "Knopf")])
    for beam in (1, 4):
        (result,) = engine.translate(
            "Press the button now.", "de", "en", beam, glossary=glossary, alignment=True
        )
        assert "Knopf" in result.text
        assert [word for _, word in pairs(result)] == result.text.rstrip(".").split()
