"""Emphasis, tags and links go around the words that come from those they were around."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.marks import Mark, pairs_of, singles
from mltranslate.text.pairs import Inside, Link, between, termed, widened
from mltranslate.text.places import apply, put_back
from mltranslate.text.protected import mask

WORD = re.compile(r"\w+")


def words_of(text: str) -> list[tuple[int, int]]:
    return [found.span() for found in WORD.finditer(text)]


def linked(source: str, translation: str, order: str) -> list[Link]:
    """Links of two texts: `order` has for each word of the second its number in the first."""
    here, there = words_of(source), words_of(translation)
    return [
        (here[int(number)], span)
        for number, span in zip(order, there, strict=True)
        if number != "-"
    ]


def restored(sentence: str, translation: str, order: str, target: str = "de") -> tuple[str, bool]:
    made = mask(sentence)
    assert made is not None
    links = linked(made.text, translation, order)
    edits, guessed = put_back(made.marks, made.text, translation, target, links)
    return apply(edits, translation), guessed


@pytest.mark.parametrize(
    ("marks", "pairs"),
    [
        (["**", "**"], [(0, 1)]),
        (["**_", "_**"], [(0, 1)]),
        (["*", "**", "**", "*"], [(1, 2), (0, 3)]),
        (["<b>", "<br/>", "</b>"], [(0, 2)]),
        (['<a href="x">', "<b>", "</b>", "</A>"], [(1, 2), (0, 3)]),
        (["[", "](https://a.b)"], [(0, 1)]),
        (["![", "](a.png)", "😀"], [(0, 1)]),
        (["<b>", "</i>"], []),
        (["</b>", "<b>"], []),
        (["😀", "*"], []),
        (["<b>", "<br>", "<img src='x'>", "</b>"], [(0, 3)]),
        (["<div>", "<p>", "</div>"], [(0, 2)]),
    ],
)
def test_marks_that_open_and_close_together(marks: list[str], pairs: list[tuple[int, int]]) -> None:
    found = [
        Mark(mark, 0, glued_left=number > 0, glued_right=True) for number, mark in enumerate(marks)
    ]
    assert pairs_of(found) == pairs


@pytest.mark.parametrize(
    ("mark", "parts"),
    [
        ("**_", ["**", "_"]),
        ("_** *", ["_", "**", " ", "*"]),
        ("</b> <i>", ["</b>", " ", "<i>"]),
        ("](https://a.b/c_d)**", ["](https://a.b/c_d)", "**"]),
        ("***", ["***"]),
        ("😀 **", ["😀", " ", "**"]),
        ("](a.png)](https://a.b/c_(d))", ["](a.png)", "](https://a.b/c_(d))"]),
        ("😀 👍", ["😀 👍"]),
        ("😀", ["😀"]),
    ],
)
def test_marks_that_were_found_as_one_are_parted(mark: str, parts: list[str]) -> None:
    found = singles(Mark(mark, 0, True, True), "")
    assert [part for one in found for part in (one.gap, one.text) if part] == parts


@pytest.mark.parametrize(
    ("order", "inside"),
    [
        ("0123", Inside(3, 8, True)),  # of the words 1 and 2
        ("3210", Inside(3, 8, True)),
        ("1-20", Inside(0, 8, True)),
        ("1320", Inside(0, 2, False)),  # one elsewhere parts them: the first counts
        ("0-3-", None),
        ("2222", Inside(0, 11, True)),
    ],
)
def test_words_between_two_marks(order: str, inside: Inside | None) -> None:
    links = linked("aa bb cc dd", "aa bb cc dd", order)
    assert between((3, 8), links, [], []) == inside


@pytest.mark.parametrize(
    ("sentence", "translation", "order", "expected"),
    [
        ("I **really** like it", "Das mag ich wirklich", "3201", "Das mag ich **wirklich**"),
        ("a <b>red</b> car", "ein Auto, rot", "021", "ein Auto, <b>rot</b>"),
        ("**old** and *new*", "neu und alt", "210", "*neu* und **alt**"),
        ("a **b _c_** d", "z y x w", "3210", "z **_y_ x** w"),
        ("see [the page](http://a.bc) now", "jetzt die Seite", "312", "jetzt [die Seite](http://a.bc)"),
        ("a **b** *c* d", "x y z w", "0213", "x *y* **z** w"),
    ],
)  # fmt: skip
def test_links_tell_the_places_of_pairs(
    sentence: str, translation: str, order: str, expected: str
) -> None:
    assert restored(sentence, translation, order) == (expected, False)


def test_touching_pairs_that_change_places_do_not_cross() -> None:
    made, links = mask("**很好**和*快*"), [((0, 2), (1, 3)), ((3, 4), (0, 1))]
    assert made is not None
    assert made.text == "很好和快"
    edits, _ = put_back(made.marks, made.text, "快好好", "ja", links)
    assert apply(edits, "快好好") == "*快***好好**"


def test_a_pair_with_other_words_in_it_is_a_guess() -> None:
    found, guessed = restored("a **b c** d", "b d c a", "1320")
    assert (found, guessed) == ("**b** d c a", True)


def test_emphasis_of_what_is_left_out_goes_with_a_warning() -> None:
    assert restored("good *for* **you**", "gut", "0") == ("gut", True)


def test_a_word_that_stands_for_the_next_one_too_is_emphasised_for_it() -> None:
    assert restored("the **summer** holidays begin", "Sommerferien beginnen", "23") == (
        "**Sommerferien** beginnen", True
    )  # fmt: skip
    # But not one that has an emphasis of its own.
    assert restored("the **big** *house* here", "Villa hier", "23") == ("*Villa* hier", True)


def test_two_that_open_are_no_pair() -> None:
    opening = Mark("**", 0, glued_left=False, glued_right=True)
    assert pairs_of([opening, opening]) == []


@pytest.mark.parametrize(
    ("sentence", "translation", "order", "expected"),
    [
        # An article without a link is no reason to doubt; a noun that may be meant is.
        ("see *the page* now", "смотри страницу", "02", ("смотри *страницу*", False)),
        ("a *big house* here", "eine große Villa hier", "01-3", ("eine *große* Villa hier", True)),
    ],
)
def test_what_may_belong_to_a_pair_too_makes_it_a_guess(
    sentence: str, translation: str, order: str, expected: tuple[str, bool]
) -> None:
    assert restored(sentence, translation, order) == expected


def test_a_pair_around_a_part_of_what_the_model_takes_for_one_word() -> None:
    made = mask("他们都**喜**欢吃")
    assert made is not None
    edits, guessed = put_back(made.marks, made.text, "all like eating", "en", [((3, 5), (4, 8))])
    assert (apply(edits, "all like eating"), guessed) == ("all **like** eating", True)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("l'**eau** fraîche", "fresh **water**"),
        ('"**eau**" fraîche', "fresh **water**"),
        ("(<i>eau</i>) fraîche", "fresh <i>water</i>"),
    ],
)
def test_an_apostrophe_or_bracket_before_a_mark_is_no_part_of_a_word(
    sentence: str, expected: str
) -> None:
    made = mask(sentence)
    assert made is not None
    words = words_of(made.text)
    links = [(words[-2], (6, 11)), (words[-1], (0, 5))]
    edits, guessed = put_back(made.marks, made.text, "fresh water", "en", links)
    assert (apply(edits, "fresh water"), guessed) == (expected, False)


def test_lines_that_would_touch_a_letter_become_asterisks() -> None:
    made = mask("We _never_ saw __this__.")
    assert made is not None
    links = [((3, 8), (2, 4)), ((13, 17), (6, 8))]
    edits, _ = put_back(made.marks, made.text, "我们从没见过这个。", "zh", links)
    assert apply(edits, "我们从没见过这个。") == "我们*从没*见过**这个**。"
    links = [((3, 8), (9, 12)), ((13, 17), (4, 8))]
    edits, _ = put_back(made.marks, made.text, "Wir dies nie sahen.", "de", links)
    assert apply(edits, "Wir dies nie sahen.") == "Wir __dies__ _nie_ sahen."


def test_links_of_a_part_of_a_stand_in_are_links_of_all_of_it() -> None:
    assert widened([((1, 3), (5, 7)), ((8, 9), (0, 1))], [(0, 3)], [(4, 7)]) == [
        ((0, 3), (4, 7)), ((8, 9), (0, 1))
    ]  # fmt: skip


def test_terms_come_from_each_other_whatever_the_model_looks_at() -> None:
    source, translation = "my friend has a red car", "mein Kumpel hat einen Flitzer"
    links = linked(source, translation, "0-235")
    wrong = [*links, ((17, 20), (5, 11))]  # red and Kumpel
    found = termed(wrong, [("friend", "Kumpel"), ("red car", "Flitzer")], source, translation)
    assert sorted(found)[1:] == [
        ((3, 9), (5, 11)), ((10, 13), (12, 15)), ((14, 15), (16, 21)), ((16, 23), (22, 29))
    ]  # fmt: skip


def test_a_tag_of_what_is_left_out_stays() -> None:
    found, guessed = restored("so <b>very</b> good", "ja gut", "-2")
    assert sorted(re.findall(r"<[^>]+>", found)) == ["</b>", "<b>"]
    assert guessed


def test_a_link_whose_words_are_left_out_keeps_its_own() -> None:
    found, guessed = restored("ask in [the forum](http://a.bc) please", "bitte", "4")
    assert (found, guessed) == ("[the forum](http://a.bc) bitte", True)


def test_pairs_that_would_cross_go_where_they_were() -> None:
    found, _ = restored("a **b _c_** d", "c x b d", "2-13")
    assert found.index("_") < found.rindex("_")
    assert sorted(re.findall(r"\*+|_", found)) == ["**", "**", "_", "_"]
    outside = re.sub(r"\*\*.*\*\*", "", found)
    assert "_" not in outside


@st.composite
def marked(draw: st.DrawFn) -> tuple[list[Mark], str, str, list[Link]]:
    """Marks in a text, properly nested, a translation, and links of its words."""
    count = draw(st.integers(1, 8))
    words = draw(st.lists(st.sampled_from(["aa", "bb", "cc"]), min_size=1, max_size=8))
    source = " ".join(f"w{number}" for number in range(count))
    translation = " ".join(words)
    opened: list[str] = []
    marks: list[Mark] = []
    closing = {"**": "**", "_": "_", "<b>": "</b>", "[": "](u)"}
    for start, end in words_of(source):
        for kind in draw(st.lists(st.sampled_from([*closing]), max_size=2)):
            if kind not in opened:
                opened.append(kind)
                marks.append(Mark(kind, start, False, True))
        while opened and draw(st.booleans()):
            marks.append(Mark(closing[opened.pop()], end, True, False))
        if draw(st.booleans()):
            marks.append(Mark("😀", end, False, False))
    marks += [Mark(closing[kind], len(source), True, False) for kind in reversed(opened)]
    here, there = words_of(source), words_of(translation)
    chosen = draw(
        st.lists(st.none() | st.sampled_from(here), min_size=len(there), max_size=len(there))
    )
    links = [(one, other) for one, other in zip(chosen, there, strict=True) if one]
    return marks, source, translation, links


@given(marked())
def test_nothing_is_lost_and_nothing_crosses(
    case: tuple[list[Mark], str, str, list[Link]],
) -> None:
    marks, source, translation, links = case
    edits, guessed = put_back(marks, source, translation, "de", links)
    text = apply(edits, translation)
    token = re.compile(r"\*\*|_|</?b>|\[|\]\(u\)|😀")
    found = token.findall(text)
    lost = sorted(mark.text for mark in marks)
    for one in found:
        lost.remove(one)
    assert not lost or (guessed and set(lost) <= {"**", "_"})
    rest = re.sub(r"w\d ?", " ", token.sub("", text))  # links may have kept their own words
    assert rest.split() == translation.split()
    opened: list[str] = []
    partner = {"</b>": "<b>", "](u)": "["}
    for one in found:
        if one in ("<b>", "["):
            opened.append(one)
        elif one in partner:
            assert opened.pop() == partner[one], text
        elif one != "😀":
            opened.pop() if opened and opened[-1] == one else opened.append(one)
    assert not opened, text
