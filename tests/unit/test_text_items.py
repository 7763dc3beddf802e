import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.items import ITEM, find_items, may_hold_items, unbroken, without_names

FOUND = [
    ("link", "see https://a.b/c?x=1, or", "https://a.b/c?x=1"),
    ("link", "at www.example.org.", "www.example.org"),
    ("link", "at example.com/x now", "example.com/x"),
    ("link", "at https://de.wikipedia.org/wiki/Köln, or", "https://de.wikipedia.org/wiki/Köln"),
    ("link", "на https://ru.example/Москва.", "https://ru.example/Москва"),
    ("link", "(www.müller.de/über-uns)", "www.müller.de/über-uns"),
    ("link", "in https://a.b/München_(Stadt), ja", "https://a.b/München_(Stadt)"),
    ("link", "详情见https://zh.wikipedia.org/wiki/北京。", "https://zh.wikipedia.org/wiki/北京"),
    ("link", "資料はhttps://a.jp/資料.pdfにある", "https://a.jp/資料.pdf"),
    ("link", "資料は https://a.jp/資料 にある", "https://a.jp/資料"),
    ("link", "see https://a.jp/?q=東京", "https://a.jp/?q=東京"),
    ("link", "请访问https://a.cn/查看", "https://a.cn/"),
    ("link", "请访问 https://a.cn查看", "https://a.cn"),
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
    ("code", "It costs $20.", "$20"),
    ("code", "a total of $1,234.56, or", "$1,234.56"),
    ("code", "Custa R$ 1.234,56 agora", "R$ 1.234,56"),
    ("code", "they owe us US$300 now", "US$300"),
    ("code", "a budget of $2bn for", "$2bn"),
    ("code", "es sind 20 $ im", "20 $"),
    ("code", "on paie 1 234,56 € ici", "1 234,56 €"),
    ("code", "价格是￥99。", "￥99"),
    ("code", "worth 5.000.000 USD in", "5.000.000 USD"),
    ("code", "sie zahlt EUR 20 mehr", "EUR 20"),
    ("code", "kostet CHF 1'250.00.", "CHF 1'250.00"),
    ("code", "Hi $1, welcome", "$1"),
    ("code", "on 2026-11-22, at", "2026-11-22"),
    ("code", "在2026-11-22T10:30:00Z开会", "2026-11-22T10:30:00Z"),
    ("code", "commit 9f5e9df4a3 fixes", "9f5e9df4a3"),
    ("code", "id 550e8400-e29b-41d4-a716-446655440000.", "550e8400-e29b-41d4-a716-446655440000"),
    ("code", "IBAN DE89 3704 0044 0532 0130 00 is", "DE89 3704 0044 0532 0130 00"),
    ("code", "at 192.168.0.1.", "192.168.0.1"),
    ("code", "Die Datei Übersicht.xlsx fehlt", "Übersicht.xlsx"),
    ("code", "файл отчёт_2.docx.", "отчёт_2.docx"),
    ("code", "打开 报告2024.pdf 文件", "报告2024.pdf"),
    ("code", "打开“报告.pdf”吧", "报告.pdf"),
    ("code", "in /srv/jörg/Bücher ist", "/srv/jörg/Bücher"),
    ("code", r"in C:\Benutzer\Jörg.", r"C:\Benutzer\Jörg"),
    ("code", "die größe_mm hier", "größe_mm"),
    ("link", "à andré@exemple.fr,", "andré@exemple.fr"),
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
    ("code", "共有%d个文件", "%d"),
    ("code", "共有%(count)d个文件", "%(count)d"),
    ("code", "在$HOME目录", "$HOME"),
    ("code", "使用--dry-run选项", "--dry-run"),
    ("link", "请问@peter你好吗？", "@peter"),
    ("link", "@peterさんはどこですか？", "@peter"),
    ("link", "看#news今天", "#news"),
    ("link", "看#新闻 吧", "#新闻"),
    ("link", "#NBA总决赛#太精彩了", "#NBA总决赛#"),
    ("mark", "这是**很重要", "**"),
    ("mark", "重要**的事情", "**"),
    ("code", "use `a. B` now", "`a. B`"),
    ("code", "use ``a ` b`` now", "``a ` b``"),
    ("code", "use ```` a``b ```` now", "```` a``b ````"),
    ("code", "the __init__ method", "__init__"),
    (
        "mark",
        "article](https://en.wikipedia.org/wiki/Mercury_(planet)) on",
        "](https://en.wikipedia.org/wiki/Mercury_(planet))",
    ),
    ("mark", 'picture](a.png "A title (here)")', '](a.png "A title (here)")'),
    ("mark", "picture](a.png 'A title')", "](a.png 'A title')"),
    ("mark", "[the article](a_(b)_c)", "["),
    ("link", "at https://a.b/Mercury_(planet), or", "https://a.b/Mercury_(planet)"),
    ("link", "(at https://a.b/Mercury_(planet)).", "https://a.b/Mercury_(planet)"),
    ("link", "(at https://a.b/Mercury).", "https://a.b/Mercury"),
    ("link", "at https://a.b/M_(p)#x now", "https://a.b/M_(p)#x"),
    ("link", "at example.org/M_(p) now", "example.org/M_(p)"),
    ("mark", "_Please read this._", "_"),
    ("mark", "this is _very_ important", "_"),
    ("mark", "__Warning:__ no", "__"),
    ("mark", "~~bad~~ good", "~~"),
    ("mark", "_use the snake_case name_", "_"),
    ("mark", "_Please read this.", "_"),
    ("mark", "Then go on.__", "__"),
    ("mark", "<option selected>Choose", "<option selected>"),
    ("mark", "Press <button disabled>", "<button disabled>"),
    ("mark", "<INPUT REQUIRED DISABLED />", "<INPUT REQUIRED DISABLED />"),
    ("mark", "<input disabled value=5>", "<input disabled value=5>"),
    ("mark", "<div data-x>Hello", "<div data-x>"),
    ("mark", '<video controls src="a b">', '<video controls src="a b">'),
    (
        "code",
        "{n, plural, one {# file} other {# files}} gone",
        "{n, plural, one {# file} other {# files}}",
    ),
    ("code", "Am {day, date, long} um", "{day, date, long}"),
    ("code", "{g, select, f {{n} ist da} other {weg}}!", "{g, select, f {{n} ist da} other {weg}}"),
    ("code", "with AT&amp;T now", "AT&amp;T"),
    ("mark", "Tom &amp; Jerry", "&amp;"),
    ("mark", "5 &euro; only", "&euro;"),
    ("mark", "one&nbsp;two", "&nbsp;"),
    ("mark", "a &#60; b", "&#60;"),
    ("sign", "Thanks :)", ":)"),
    ("sign", "Thanks :-)))", ":-)))"),
    ("sign", "Thanks ;) See you", ";)"),
    ("sign", "Sorry :(, no", ":("),
    ("sign", "haha xD that", "xD"),
    ("sign", "haha XDD", "XDD"),
    ("sign", "I love you <3", "<3"),
    ("sign", "well =D", "=D"),
    ("sign", "bis morgen ^^", "^^"),
    ("sign", "bis morgen ^_^!", "^_^"),
    ("sign", "so what -_-", "-_-"),
    ("sign", "who knows ¯\\_(ツ)_/¯", "¯\\_(ツ)_/¯"),
    ("sign", "Great :tada: everyone", ":tada:"),
    ("sign", "Great :+1:", ":+1:"),
    ("mark", "see [the page][1] or", "["),
    ("mark", "the page][my page] or", "][my page]"),
    ("mark", "the page][] or", "][]"),
    ("mark", "in 1990.[12][4] So", "[12][4]"),
    ("mark", "Berlin[3] is", "[3]"),
    ("mark", "北京[3]是", "[3]"),
    ("mark", "the end.[^my-note]", "[^my-note]"),
    ("mark", "the end,[b] so", "[b]"),
    ("code", "I ___ to school.", "___"),
    ("code", "姓名：____ 性别", "____"),
    ("code", "I write C++ code", "C++"),
    ("code", "C#代码", "C#"),
    ("code", "with Notepad++, so", "Notepad++"),
    ("mark", "<!DOCTYPE html>", "<!DOCTYPE html>"),
    ("mark", '<?xml version="1.0"?> A', '<?xml version="1.0"?>'),
    ("mark", "<script>let a = 1 < b;</script> A", "<script>let a = 1 < b;</script>"),
    ("mark", "<STYLE type='a'>p { b }</STYLE>", "<STYLE type='a'>p { b }</STYLE>"),
    ("mark", "<scripts>a</scripts>", "<scripts>"),
    ("mark", "Run <!-- do not touch --> it", "<!-- do not touch -->"),
]


@pytest.mark.parametrize(("sort", "text", "item"), FOUND)
def test_an_item_and_its_sort(sort: str, text: str, item: str) -> None:
    match = next(find_items(text), None)
    assert match
    assert (match.lastgroup, match.group()) == (sort, item)


@pytest.mark.parametrize(
    "text",
    [
        "e.g. this, i.e. that", "and/or", "60 km/h", "24/7", "3/4 of it", "50% des Geldes",
        "a < b and c > d", "iPhone", "5 US dollars", "$1.5 million", "US$ 3 Mio.",
        "in 2024 EU", "It's 3 o'clock.", "number #5", "well-known -- so",
        "U.S. Army", "Node. Then", "100%", "今天ABC", "a_", "10:30", "Tom & Jerry",
        "5 * 3", "a*b", "f**k", "2026-11", "19-20 Uhr", "the 1990s", "3.5.2024", "added",
        "12345678", "all *.c of", "see [1] (page 2)", "COVID-19",
        "type_ and class_", "_private", r"the \_WG\_ one", "a# b", "C#m", "__",
        "a ~ b", "好的~~", "~5",
        "a <b and c>", "a <select option>", "the <file name>", "<!-- open", "f(x)](",
        "问@小明你好吗", "看#新闻今天很好。", "100%的人",
        "(see 7) 8) and x)", "at 10:30:15", "a:b:c", "if x =(1)", "x ^ y", "f(x) <30", "a; b",
        "[12] is one", "([3])", "x[i]", "[^1]: A note", "[ ] or [x]",
        "<3 mm", "R&D", "AT&T", "Q&A;", "caf&eacute;", "l&rsquo;un", "{a, b}", "MAXD", "例如:(1)",
        "a:)b", "и/или", "un été/hiver", "打开报告.pdf吧", "größer/kleiner", "à 5 km/h",
    ],
)  # fmt: skip
def test_plain_text_holds_none(text: str) -> None:
    assert not list(find_items(text))


def _found(text: str) -> list[str]:
    return [match.group() for match in find_items(text)]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("_Please read this carefully._", ["_", "_"]),
        ("This is _very_ important, **_really_**.", ["_", "_", "**", "_", "_", "**"]),
        ("__Warning:__ do not touch type_ or it.", ["__", "__"]),
        ("_Read this_ and type_ it.", ["_", "_"]),
        ("~~bad~~ good", ["~~", "~~"]),
        ("_use the snake_case name_ here", ["_", "snake_case", "_"]),
        ("这是**很重要**的事情", ["**", "**"]),
        ('[the page](a_(b) "T. U") is _it_', ["[", '](a_(b) "T. U")', "_", "_"]),
    ],
)
def test_marks_come_in_pairs(text: str, items: list[str]) -> None:
    assert _found(text) == items


def test_links_and_code_are_in_no_language() -> None:
    text = "Siehe https://a.b/c, x_y und **das** 😀."
    assert without_names(text) == "Siehe  ,   und **das** 😀."
    assert without_names("nichts") == "nichts"


def test_what_is_never_broken() -> None:
    text = 'Use {n, date, a. B}, `a b`, <b> and [it](x "y") _now_.'
    broken = {text.index(item) for item in ("{n", "`a b`", "<b>", "](x")}
    assert broken.isdisjoint(unbroken(text))
    within = {
        at
        for item in ("n, date, a. B}", "a b`", "b>", '(x "y")')
        for at in range(text.index(item), text.index(item) + len(item))
    }
    assert unbroken(text) == within
    assert unbroken(text, text.index(">")) == set(range(text.index("(x"), text.index(" _now")))


AWKWARD = st.text(
    alphabet=st.one_of(
        st.sampled_from('aBD13[]+ .-/:;=^&,()<>{}%$@#_`~*!"\\€😀™\u20e3中か'), st.characters()
    )
)


@given(st.one_of(AWKWARD, st.from_regex(ITEM)))
def test_no_item_escapes_the_first_look(text: str) -> None:
    assert may_hold_items(text) or not ITEM.search(text)


def test_plain_sentences_need_one_look() -> None:
    assert not may_hold_items("He has three well-known towns (and 12 villages): Bath, Ely; Rye.")


HOSTILE = [
    "a_", "a.", "/a", "/-", "a/", "{", "{a", "%", "%(a", "`", "<a ", "<a b=", "1,", "1.", "€", "€1",
    "v1.", "aA", "a::", "--", "\\", "C:\\", "@", "#", "#1", "www.a!", "a@a.", "a.co", "$a", "a()",
    "_a", "_a ", " _a b_", "__", "~~a", "~~", "``", "` ``", "`a` ``", "[a](", "](a(", "](()",
    "](a \"", "[", "http://(a)", "www.a(", "()", "http://a()!", "<!--", "<!-- ", "<a b", "<a open ",
    "<a b c d ", "$", "$1", "1 ", "USD", "USD1", "1USD", "EUR ", "1'", "R$",
    "#中", "@中", "#a中", "中**", "<a b='", "<a data-b ",
    "{n,plural,", "{n,select{", "{n,date{}", "a&amp;", "&amp;", ":a", ":)", " :", " -_", "XD",
    "^", "&", "[1]", "a[1]", "[a][", "][", "[a][b]", "a[^", "a+", "+",
    "<script>", "<style", "<!a", "<?a", "a++", "C# ",
]  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", HOSTILE)
def test_time_is_linear_in_the_text(unit: str) -> None:
    text = unit * (60_000 // len(unit)) + " x"
    assert sum(1 for _ in find_items(text)) <= len(text)
    link = f"https://a.b/{text}"
    assert sum(1 for _ in find_items(link)) <= len(link)
