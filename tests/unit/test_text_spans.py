import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.languages import LANGUAGES
from mltranslate.text.edges import BLANK
from mltranslate.text.spans import Span, cut, gap, join, last_sentence_start, spans_of, starts

AWKWARD = st.text(
    alphabet=st.one_of(
        st.sampled_from("aB1 \t\n\r\v\f\x1c\x85\u2028\u2029\u200b\ufeff.!?。、-•😀“”«»@/:_"),
        st.characters(),
    )
)
TEXTS = st.one_of(st.text(), AWKWARD)


def _sentences(text: str, language: str = "en") -> list[str]:
    return [span.text for span in cut(text, language) if span.translatable]


@given(TEXTS, st.sampled_from([*LANGUAGES, "xx"]))
def test_spans_concatenate_to_the_text(text: str, language: str) -> None:
    spans = cut(text, language)
    assert "".join(span.text for span in spans) == text
    assert all(span.text for span in spans)
    kept = [not span.translatable for span in spans]
    assert not any(one and other for one, other in pairwise(kept))


@given(TEXTS, st.sampled_from([*LANGUAGES]))
def test_a_sentence_has_no_line_break_and_no_blank_edge(text: str, language: str) -> None:
    for sentence in _sentences(text, language):
        assert len(sentence.splitlines()) == 1
        assert sentence == sentence.strip(BLANK)


@given(TEXTS, st.sampled_from([*LANGUAGES]))
def test_joining_the_sources_gives_the_text(text: str, language: str) -> None:
    spans = cut(text, language)
    same = [span.text for span in spans if span.translatable]
    assert join(spans, same, "zh") == text
    if not re.search("[\u3000-\u9fff\uff00-\uffef]|[\U00020000-\U0010ffff]", text):
        assert join(spans, same, "en") == text


def test_line_structure_indentation_and_bullets_are_kept() -> None:
    text = "# Title\r\n\r\n  - First item. And more.  \n\t1) Second\n\n\nEnd"
    assert _sentences(text) == ["Title", "First item.", "And more.", "Second", "End"]
    shouted = [sentence.upper() for sentence in _sentences(text)]
    assert join(cut(text, "en"), shouted, "de") == text.upper()


def test_a_numbered_list_keeps_its_numbers_also_where_a_stop_makes_ordinals() -> None:
    text = (
        "5. Bitte schließen Sie die Tür.\n7. Montag ist frei.\n11. Brot kaufen\n3. Mai ist frei.\n"
    )
    items = ["Bitte schließen Sie die Tür.", "Montag ist frei.", "Brot kaufen", "3. Mai ist frei."]
    assert _sentences(text, "de") == items
    assert join(cut(text, "de"), list("ABCD"), "fr") == "5. A\n7. B\n11. C\nD\n"


def test_cells_of_a_table_are_sentences_of_their_own() -> None:
    assert _sentences("Name\tBig city\t12\nOne      Two  three") == [
        "Name", "Big city", "One", "Two  three",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("| Name | Price |\n", ["Name", "Price"]),
        ("  |Name|Unit price|", ["Name", "Unit price"]),
        ("| `a` | Sort it |", ["Sort it"]),
        ("Home | About us | Help", ["Home", "About us", "Help"]),
        ("- Home | About us |\n", ["Home", "About us"]),
        ("P(A | B) is one", ["P(A | B) is one"]),
        ("P(A|B) is one | P((A) | B) is two", ["P(A|B) is one", "P((A) | B) is two"]),
        ("The set {x | x > 0} is [a | b]", ["The set {x | x > 0} is [a | b]"]),
        ("He said “this | that” here", ["He said “this | that” here"]),
        ('He said "this | that" here', ['He said "this | that" here']),
        ('A 5" one | a 6" one', ['A 5" one', 'a 6" one']),
        ("a) One (two | three", ["One (two", "three"]),
        ("Red `ls` | one ``a | `b` `` two", ["Red `ls`", "one ``a | `b` `` two"]),
        ("[One](/a) | [Two](/b)", ["[One](/a)", "[Two](/b)"]),
        ("| x is small", ["x is small"]),
        ("One || two", ["One || two"]),
        (r"One \| two", [r"One \| two"]),
        ("|", []),
        (r"| One \| two | Three |", [r"One \| two", "Three"]),
        ("> | One | Two |", ["One", "Two"]),
        ("首页｜关于", ["首页", "关于"]),
        ("Run `ls | sort` now", ["Run `ls | sort` now"]),
        ("either|or", ["either|or"]),
        ("|---|:-:|", []),
        ("Use `a    b` here    and there", ["Use `a    b` here", "and there"]),
        ("| Use `a    b` here | One    two |", ["Use `a    b` here", "One", "two"]),
        ("| One ` two | Three ` four |", ["One ` two", "Three ` four"]),
        ('<a title="x    y | z">One</a> | Two', ['<a title="x    y | z">One</a>', "Two"]),
        ("Run <!-- a | b --> it | Two", ["Run <!-- a | b --> it", "Two"]),
    ],
)
def test_bars_set_cells_apart(line: str, cells: list[str]) -> None:
    assert _sentences(line, "en") == cells


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            "Please run `echo Hello. World` in the terminal. Now go.",
            ["Please run `echo Hello. World` in the terminal.", "Now go."],
        ),
        ("Use ``a ` b. C`` here please.", ["Use ``a ` b. C`` here please."]),
        (
            '<a href="/x" title="Press OK. Then wait" class="big">Click here</a> now. Go.',
            ['<a href="/x" title="Press OK. Then wait" class="big">Click here</a> now.', "Go."],
        ),
        (
            'See ![the cat](a.png "A cat. It sleeps") now.',
            ['See ![the cat](a.png "A cat. It sleeps") now.'],
        ),
        ("请运行`回答。很好`吧。再见。", ["请运行`回答。很好`吧。", "再见。"]),
        ("~~Do not do this.~~ Do that.", ["~~Do not do this.~~", "Do that."]),
        ("Press `a → The b` now", ["Press `a → The b` now"]),
        ("Run <!-- Stop. Wait --> it.", ["Run <!-- Stop. Wait --> it."]),
        ("A lone ` is one. Two is ` too. Three", ["A lone ` is one. Two is ` too.", "Three"]),
        ("It`s fine. That`s good.", ["It`s fine.", "That`s good."]),
        ("Press ` here.\tRed ` there.", ["Press ` here.", "Red ` there."]),
    ],
)
def test_no_sentence_ends_within_code_and_tags(text: str, sentences: list[str]) -> None:
    assert _sentences(text, "zh" if "。" in text else "en") == sentences


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("<p>Hello there.</p><p>How are you?</p>", ["Hello there.", "How are you?"]),
        ("First line<br>Second line<BR/>Third", ["First line", "Second line", "Third"]),
        ("One <br /> two", ["One", "two"]),
        (
            "- <ul><li>Bread</li> <li>Milk <b>and</b> eggs</li></ul>",
            ["Bread", "Milk <b>and</b> eggs"],
        ),
        ('<tr><td class="a. B">Name</td><td>Price</td></tr>', ["Name", "Price"]),
        ("<h1>Welcome</h1> to our site", ["Welcome", "to our site"]),
        ("<div>Some text", ["Some text"]),
        ("Some text</p>", ["Some text"]),
        ("The <p> tag begins a paragraph.", ["The <p> tag begins a paragraph."]),
        ("Use `<br>` here and `<p>` there.", ["Use `<br>` here and `<p>` there."]),
        ("A <pa>nd <bring> it </b> on", ["A <pa>nd <bring> it </b> on"]),
        ("<p></p> <br>", []),
        ("[Home](a) [About us](b)", ["[Home](a)", "[About us](b)"]),
        (
            "[![A build](b.svg)](c) ![Version](v.svg)\n",
            ["[![A build](b.svg)](c)", "![Version](v.svg)"],
        ),
        ("[One](a) and [two](b)", ["[One](a) and [two](b)"]),
        ("[One](a)[two](b)", ["[One](a)[two](b)"]),
    ],
)
def test_elements_of_html_and_rows_of_links_are_set_apart(line: str, sentences: list[str]) -> None:
    assert _sentences(line, "en") == sentences


def test_no_space_comes_beside_a_tag() -> None:
    spans = cut("<p>你好。</p><p>再见。</p>", "zh")
    assert join(spans, ["Hello.", "Bye."], "en") == "<p>Hello.</p><p>Bye.</p>"


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("1.2 Results ............ 17", ["1.2 Results"]),
        ("Introduction . . . . . . . xii\n", ["Introduction"]),
        ("Signature: ..................", ["Signature:"]),
        ("绪论……………………1", ["绪论"]),
        ("绪论…… 12", ["绪论"]),
        ("他说……", ["他说……"]),
        ("Well.... maybe.... then", ["Well.... maybe.... then"]),
    ],
)
def test_dots_that_lead_to_a_number_are_kept(line: str, sentences: list[str]) -> None:
    assert _sentences(line, "zh" if "绪" in line or "他" in line else "en") == sentences


def test_a_row_is_one_whatever_stands_around_it() -> None:
    table = "Name | Price\n--- | :-:\nRed `ls` | one\n| Two\n|Three|four|\nNo row\nAnd | but\n"
    cells = ["Name", "Price", "Red `ls`", "one", "Two", "Three", "four", "No row", "And", "but"]
    assert _sentences(table) == cells
    lines = table.splitlines(keepends=True)
    assert [cell for line in lines for cell in _sentences(line)] == cells


def test_what_is_no_language_is_not_translated() -> None:
    assert _sentences("12:30\nhttps://a.b/c\nsnake_case\n😀\n") == []


def test_faces_part_sentences_and_stay_outside() -> None:
    assert _sentences("Great :D See you! :-) Bye ;)") == ["Great", "See you!", "Bye"]
    assert _sentences("Hello :) everybody") == ["Hello :) everybody"]
    assert _sentences("{n, plural, one {A. B} other {C}} gone") == [
        "{n, plural, one {A. B} other {C}} gone"
    ]


def test_emoji_and_urls_at_the_edge_stay_outside() -> None:
    assert _sentences("😀 Hello! 👋 How are you? https://a.b/c") == ["Hello!", "How are you?"]


def test_touching_sentences_are_set_apart_only_where_the_target_wants_it() -> None:
    spans = cut("你好。再见。", "zh")
    assert join(spans, ["Hello.", "Bye."], "en") == "Hello. Bye."
    assert join(spans, ["こんにちは。", "またね。"], "ja") == "こんにちは。またね。"
    assert join(cut("看。https://a.b", "zh"), ["Look."], "en") == "Look. https://a.b"
    assert join(cut("你好。\n再见。", "zh"), ["Hello.", "Bye."], "en") == "Hello.\nBye."


def test_a_space_between_sentences_goes_where_the_target_sets_none() -> None:
    spans = cut("Hello. Bye.  See you! 😀 Ok, go.", "en")
    said = ["你好。", "再见。", "回头见！", "好，走。"]
    assert join(spans, said, "zh") == "你好。再见。  回头见！ 😀 好，走。"
    assert [at for _, at in starts(spans, said, "zh")] == [0, 3, 8, 15]
    assert (
        join(cut("你好。 再见。", "zh"), ["こんにちは。", "では。"], "ja") == "こんにちは。 では。"
    )
    for left, between in (("Hi", " "), ("走", " "), ("“走！”", ""), ('"走。"', ""), ("等…", "")):
        assert join(cut("Hi. Bye.", "en"), [left, "再见。"], "zh") == f"{left}{between}再见。"


def test_gap() -> None:
    assert gap("你好。", "再见", "en") == " "
    assert gap("“你好。”", "再见", "en") == " "
    assert gap("你好。", "\n", "en") == gap("你好。", "再见", "zh") == gap("Hi.", "You", "en") == ""


@given(st.text(st.sampled_from("aB .。你好!\n😀"), max_size=60))
def test_where_the_spans_begin(text: str) -> None:
    spans = cut(text, "zh")
    own = [span.text for span in spans if span.translatable]
    made = [f"<{number}>" for number in range(len(own))]
    joined, found = join(spans, made, "en"), list(starts(spans, made, "en"))
    assert [text[at : at + len(one)] for (at, _), one in zip(found, own, strict=True)] == own
    assert [joined[at : at + len(one)] for (_, at), one in zip(found, made, strict=True)] == made


def test_last_sentence_start() -> None:
    assert last_sentence_start("One. Two. Three", "en") == len("One. Two.")
    assert last_sentence_start("Run `a. B", "en") == len("Run `a.")
    assert last_sentence_start("One. Run `a. B` now", "en") == len("One.")
    assert last_sentence_start("One", "en") == last_sentence_start("", "en") == 0


def test_spans_of_fills_the_gaps() -> None:
    assert spans_of("abc", [(1, 2)]) == [Span("a", False), Span("b", True), Span("c", False)]
    assert spans_of("", []) == []


HOSTILE = [
    "a", "a. ", "A. ", ":) A", ":)", "!", ". ", "\"", "(", "-", "- ", ">", "😀 ", "www.", "http://!",
    "a@", "|", "a | ", " | (", " | [(", " | \"", "«|", " | ` ", "(()|", " | `` ` ",
    "(a(b)|", "„|",
    "」|「", "|-", "|-|\n", "-|-\na|b\n", "*a", "**", "[a](", "![", "](a", "1a", "-1", "AA11 ",
    "a@a.a-", "<a", "x()", "\u200d", ".-", "\n", "a b", "你好。", "/", "a/", "\u0301", "1.", "@",
    "1. ", "1. –", "\n1. ", "\n1. M",
    "`a. B", "`a. B` ", "`    ", "`a\t`", "_a", "_A. ", "~~a", "<!--. A", "](a \"A. B", "<a b=\".",
    "[a](b) ", "[![a](b)](c) ",
    "....", ". ", "……", ". 1", "·", "<p>", "<br", "<br ", "a<br>", "<p a='",
]  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", HOSTILE)
def test_time_is_linear_in_the_text(unit: str) -> None:
    """A quadratic pattern would take hours on this much."""
    text = unit * (60_000 // len(unit)) + "x"
    assert sum(len(span.text) for span in cut(text, "en")) == len(text)
    assert sum(len(span.text) for span in cut(text, "de")) == len(text)
