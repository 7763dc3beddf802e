import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.items import ITEM, find_items, may_hold_items

FOUND = [
    ("link", "see https://a.b/c?x=1, or", "https://a.b/c?x=1"),
    ("link", "at www.example.org.", "www.example.org"),
    ("link", "at example.com/x now", "example.com/x"),
    ("link", "写信给anna.b@c.org吧", "anna.b@c.org"),
    ("link", "问@小明 吧", "@小明"),
    ("link", "so #nice!", "#nice"),
    ("code", "Hi {name}!", "{name}"),
    ("code", "Hi {{ user.name }}!", "{{ user.name }}"),
    ("code", "in ${HOME} or", "${HOME}"),
    ("code", "in $HOME or", "$HOME"),
    ("code", "%(count)d files", "%(count)d"),
    ("code", "50% of %s", "%s"),
    ("code", "step %1 of it", "%1"),
    ("code", "run `a -b` now", "`a -b`"),
    ("code", "see /usr/lib/x.", "/usr/lib/x"),
    ("code", "see ~/a/b, please", "~/a/b"),
    ("code", r"in C:\Users\anna.", r"C:\Users\anna"),
    ("code", "打开src/main.py文件", "src/main.py"),
    ("code", "call parse_args() now", "parse_args()"),
    ("code", "a std::vector here", "std::vector"),
    ("code", "with --dry-run on", "--dry-run"),
    ("code", "the snake_case name", "snake_case"),
    ("code", "the camelCase name", "camelCase"),
    ("code", "since v1.2.3 it", "v1.2.3"),
    ("code", "costs €1,000.50.", "€1,000.50"),
    ("code", "kostet 3,50 €.", "3,50 €"),
    ("code", "on 2026-11-22, at", "2026-11-22"),
    ("code", "在2026-11-22T10:30:00Z开会", "2026-11-22T10:30:00Z"),
    ("code", "commit 9f5e9df4a3 fixes", "9f5e9df4a3"),
    ("code", "id 550e8400-e29b-41d4-a716-446655440000.", "550e8400-e29b-41d4-a716-446655440000"),
    ("code", "IBAN DE89 3704 0044 0532 0130 00 is", "DE89 3704 0044 0532 0130 00"),
    ("code", "at 192.168.0.1.", "192.168.0.1"),
    ("sign", "nice 😀 day", "😀"),
    ("sign", "go 1️⃣ now", "1️⃣"),
    ("sign", "Windows™", "™"),
    ("mark", "a <b>word", "<b>"),
    ("mark", 'a <a href="x y">word', '<a href="x y">'),
    ("mark", "word</b>", "</b>"),
    ("mark", "the € fell", "€"),
    ("mark", "a **bold word", "**"),
    ("mark", "a bold** word", "**"),
    ("mark", "(*so) it is", "*"),
    ("mark", "see [the page](a/b)", "["),
    ("mark", "page](a/b) here", "](a/b)"),
    ("mark", "![A cat](cat.png)", "!["),
]


@pytest.mark.parametrize(("sort", "text", "item"), FOUND)
def test_an_item_and_its_sort(sort: str, text: str, item: str) -> None:
    match = ITEM.search(text)
    assert match
    assert (match.lastgroup, match.group()) == (sort, item)


@pytest.mark.parametrize(
    "text",
    [
        "e.g. this, i.e. that", "and/or", "60 km/h", "24/7", "3/4 of it", "50% des Geldes",
        "a < b and c > d", "iPhone", "$20", "It's 3 o'clock.", "number #5", "well-known -- so",
        "U.S. Army", "Node. Then", "100%", "今天ABC", "a_", "10:30", "Tom & Jerry",
        "5 * 3", "a*b", "f**k", "2026-11", "19-20 Uhr", "the 1990s", "3.5.2024", "added",
        "12345678", "all *.c of", "see [1] (page 2)", "COVID-19",
    ],
)  # fmt: skip
def test_plain_text_holds_none(text: str) -> None:
    assert not ITEM.search(text)


AWKWARD = st.text(
    alphabet=st.one_of(st.sampled_from("aB1 .-/:()<>{}%$@#_`\\€😀™\u20e3"), st.characters())
)


@given(st.one_of(AWKWARD, st.from_regex(ITEM)))
def test_no_item_escapes_the_first_look(text: str) -> None:
    assert [match.span() for match in find_items(text)] == [
        match.span() for match in ITEM.finditer(text)
    ]


def test_plain_sentences_need_one_look() -> None:
    assert not may_hold_items("He has three well-known towns (and 12 villages): Bath, Ely; Rye.")


HOSTILE = [
    "a_", "a.", "/a", "/-", "a/", "{", "{a", "%", "%(a", "`", "<a ", "<a b=", "1,", "1.", "€", "€1",
    "v1.", "aA", "a::", "--", "\\", "C:\\", "@", "#", "#1", "www.a!", "a@a.", "a.co", "$a", "a()",
]  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", HOSTILE)
def test_time_is_linear_in_the_text(unit: str) -> None:
    text = unit * (60_000 // len(unit)) + " x"
    assert sum(1 for _ in ITEM.finditer(text)) <= len(text)
