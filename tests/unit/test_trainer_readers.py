import gzip
import json
import lzma
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_corpus import write

from mltranslate.errors import ConfigError, DataError
from mltranslate_train.config import CorpusConfig
from mltranslate_train.data.readers import Pair, Skipped, find_files, find_texts, lines
from mltranslate_train.data.readers.lines import count_lines, one_line, read_lines

WAY = [("aa", "bb")]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\t"))


def read(corpus: CorpusConfig, skipped: Skipped | None = None) -> list[tuple[str, str]]:
    (file,) = find_files([corpus], WAY)
    counted = Counter() if skipped is None else skipped
    return [(pair.first, pair.second) for pair in file.read(counted)]


def test_folder_reads_plain_and_compressed_files_either_way_round(tmp_path: Path) -> None:
    write(tmp_path / "aa-bb.tsv", "news\teins\tone\r\n")
    with lzma.open(tmp_path / "cc-aa.tsv.xz", "wt", encoding="utf-8") as file:
        file.write("talk\tuno\teins\n")
    files = find_files([CorpusConfig(folder=str(tmp_path))], [("bb", "aa"), ("aa", "cc")])
    assert [file.languages for file in files] == [("aa", "bb"), ("cc", "aa")]
    assert [(pair.origin, pair.first, pair.second) for file in files for pair in file] == [
        ("news", "eins", "one"),
        ("talk", "uno", "eins"),
    ]


def test_files_of_both_orders_serve_one_language_pair(tmp_path: Path) -> None:
    one, two = write(tmp_path / "1", "a\tb\n"), write(tmp_path / "2", "d\tc\n")
    corpora = [
        CorpusConfig(tsv=one, languages=("aa", "bb")),
        CorpusConfig(tsv=two, languages=("bb", "aa")),
    ]
    files = find_files(corpora, WAY)
    assert [file.languages for file in files] == [("aa", "bb")] * 2
    assert [(p.first, p.second) for file in files for p in file] == [("a", "b"), ("c", "d")]


@pytest.mark.parametrize("name", ["aa-bb.tsv", "aa-bb.tsv.xz"])
def test_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x\t\xff\tb\n")
    (file,) = find_files([CorpusConfig(folder=str(tmp_path))], WAY)
    with pytest.raises(DataError, match=r"aa-bb\.tsv.* cannot be read"):
        list(file)


def test_truncated_archive_is_named(tmp_path: Path) -> None:
    packed = lzma.compress(b"x\ta\tb\n" * 1000)
    (tmp_path / "aa-bb.tsv.xz").write_bytes(packed[: len(packed) // 2])
    (file,) = find_files([CorpusConfig(folder=str(tmp_path))], WAY)
    with pytest.raises(DataError, match="cannot be read"):
        list(file)


def test_plain_tsv_and_parallel_files_carry_their_origin(tmp_path: Path) -> None:
    tsv = write(tmp_path / "x.tsv", "a b\tc d\n")
    one, two = write(tmp_path / "x.aa", "e\n"), write(tmp_path / "x.bb", "f\n")
    corpora = [
        CorpusConfig(tsv=tsv, languages=("aa", "bb")),
        CorpusConfig(source=one, target=two, languages=("aa", "bb"), origin="mine"),
    ]
    read = [pair for file in find_files(corpora, WAY) for pair in file]
    assert [(pair.origin, pair.first, pair.second) for pair in read] == [
        ("x.tsv", "a b", "c d"),
        ("mine", "e", "f"),
    ]


def test_line_separator_characters_inside_a_side_do_not_split_it(tmp_path: Path) -> None:
    tsv = write(tmp_path / "x.tsv", "a\u2028b\x85c\td\n")
    (file,) = find_files([CorpusConfig(tsv=tsv, languages=("aa", "bb"))], WAY)
    assert [pair.first for pair in file] == ["a\u2028b\x85c"]


def test_malformed_line_is_named(tmp_path: Path) -> None:
    tsv = write(tmp_path / "x.tsv", "a\tb\nonly one side\n")
    (file,) = find_files([CorpusConfig(tsv=tsv, languages=("aa", "bb"))], WAY)
    with pytest.raises(DataError, match=r"x\.tsv:2 has 1 columns: 2 are needed"):
        list(file)


def test_parallel_files_of_unequal_length_are_refused(tmp_path: Path) -> None:
    one, two = write(tmp_path / "x.aa", "a\nb\n"), write(tmp_path / "x.bb", "c\n")
    (file,) = find_files([CorpusConfig(source=one, target=two, languages=("aa", "bb"))], WAY)
    with pytest.raises(DataError, match=r"x\.bb ends before line 2"):
        list(file)


@pytest.mark.parametrize(
    ("corpus", "error"),
    [
        (CorpusConfig(), ConfigError),
        (CorpusConfig(folder="x", tsv="y"), ConfigError),
        (CorpusConfig(tsv="missing.tsv"), ConfigError),
        (CorpusConfig(tsv="missing.tsv", languages=("aa", "bb")), DataError),
        (CorpusConfig(folder="missing"), DataError),
    ],
)
def test_unusable_corpus_is_refused(corpus: CorpusConfig, error: type[Exception]) -> None:
    with pytest.raises(error):
        find_files([corpus], WAY)


def test_direction_without_text_is_refused(tmp_path: Path) -> None:
    tsv = write(tmp_path / "x.tsv", "a\tb\n")
    with pytest.raises(DataError, match="no corpus has aa-cc"):
        find_files([CorpusConfig(tsv=tsv, languages=("aa", "bb"))], [*WAY, ("cc", "aa")])


def test_gzip_and_a_byte_order_mark_are_unpacked(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "aa-bb.tsv.gz", "wt", encoding="utf-8-sig") as file:
        file.write("x\tone\ttwo\n")
    (found,) = find_files([CorpusConfig(folder=str(tmp_path))], WAY)
    assert list(found) == [Pair("x", "one", "two")]


def test_undecodable_byte_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_bytes(b"a\tb\n" * 5000 + b"a\t\xff\n")
    with pytest.raises(DataError, match=r"x\.tsv:5001 cannot be read: it is no UTF-8"):
        read(CorpusConfig(tsv=str(path), languages=("aa", "bb")))


def test_overlong_line_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 100)
    path = write(tmp_path / "x.tsv", "a\tb\n" + "a" * 101 + "\tb\n")
    with pytest.raises(DataError, match=r"x\.tsv:2 is longer than 100 characters"):
        read(CorpusConfig(tsv=path, languages=("aa", "bb")))


# Every format gives back what was written.


def tsv_of(folder: Path, rows: list[tuple[str, str]]) -> CorpusConfig:
    text = "".join(f"{first}\t{second}\n" for first, second in rows)
    return CorpusConfig(tsv=write(folder / "x.tsv", text), languages=("aa", "bb"))


def parallel_of(folder: Path, rows: list[tuple[str, str]]) -> CorpusConfig:
    one = write(folder / "x.aa", "".join(f"{first}\n" for first, _ in rows))
    two = write(folder / "x.bb", "".join(f"{second}\r\n" for _, second in rows))
    return CorpusConfig(source=one, target=two, languages=("aa", "bb"))


def jsonl_of(folder: Path, rows: list[tuple[str, str]]) -> CorpusConfig:
    text = "".join(json.dumps({"id": 1, "bb": two, "aa": one}) + "\n" for one, two in rows)
    return CorpusConfig(jsonl=write(folder / "x.jsonl", text), languages=("aa", "bb"))


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def po_of(folder: Path, rows: list[tuple[str, str]]) -> CorpusConfig:
    entries = "".join(
        f'#: a.c:1\nmsgctxt {quoted(str(number))}\nmsgid ""\n{quoted(one)}\n'
        f"msgstr {quoted(two[:1])}\n{quoted(two[1:])}\n\n"
        for number, (one, two) in enumerate(rows)
    )
    return CorpusConfig(po=write(folder / "x.po", entries), languages=("aa", "bb"))


def tmx_of(folder: Path, rows: list[tuple[str, str]], head: str = "") -> CorpusConfig:
    units = "".join(
        f'<tu><tuv xml:lang="BB-xx"><seg>{escape(two)}</seg></tuv>'
        f'<tuv xml:lang="aa"><seg>{escape(one)}</seg></tuv></tu>'
        for one, two in rows
    )
    text = f'<?xml version="1.0"?>{head}<tmx version="1.4"><body>{units}</body></tmx>'
    return CorpusConfig(tmx=write(folder / "x.tmx", text), languages=("aa", "bb"))


def table_of(folder: Path, rows: list[tuple[str, str]]) -> CorpusConfig:
    text = "".join(f"{first}\t-\t{second}\n" for first, second in rows)
    return CorpusConfig(table=write(folder / "table.tsv", f"aa\tcc\tbb\n{text}"))


def test_table_gives_each_two_of_its_languages(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", "en\tde\tzh\none\teins\t一\ntwo\t\t二\n")
    files = find_files([CorpusConfig(table=path)], [("de", "en"), ("en", "zh"), ("zh", "de")])
    assert [file.languages for file in files] == [("en", "de"), ("en", "zh"), ("de", "zh")]
    skipped: Skipped = Counter()
    assert [[(p.first, p.second) for p in file.read(skipped)] for file in files] == [
        [("one", "eins")],
        [("one", "一"), ("two", "二")],
        [("eins", "一")],
    ]
    assert skipped == {("language missing", "t.tsv"): 2}


def test_only_the_wanted_columns_of_a_table_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", "en\tde\tzh\n")
    assert [f.languages for f in find_files([CorpusConfig(table=path)], [("zh", "en")])] == [
        ("en", "zh")
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "1 names no languages"),
        ("aa\nx\n", "1 names no languages"),
        ("aa\tbb\taa\n", "1 names no languages"),
        ("Good morning\tbb\n", "1 names no languages"),
        ("aa\tbb\tcc\nx\ty\n", "2 has 2 columns: the first line has 3"),
    ],
)
def test_malformed_table_is_named(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(DataError, match=rf"t\.tsv:{why}"):
        read(CorpusConfig(table=write(tmp_path / "t.tsv", text)))


def test_table_names_its_languages_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", "aa\tbb\n")
    with pytest.raises(ConfigError, match="languages are named twice"):
        read(CorpusConfig(table=path, languages=("aa", "bb")))


@given(rows=st.lists(st.tuples(TEXT.filter(bool), TEXT.filter(bool)), min_size=1, max_size=5))
def test_table_gives_back_any_text(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    assert read(table_of(tmp_path_factory.getbasetemp(), rows)) == rows


@pytest.mark.parametrize("make", [tsv_of, parallel_of])
@given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_columns_give_back_any_text(
    make: Callable[[Path, list[tuple[str, str]]], CorpusConfig],
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str]],
) -> None:
    corpus = make(tmp_path_factory.getbasetemp(), rows)
    start = rows[0][0].removeprefix("\ufeff")
    wanted = [(start, rows[0][1].removeprefix("\ufeff")), *rows[1:]]
    if make is tsv_of:  # a byte order mark can only stand at the start of a file
        wanted[0] = (start, rows[0][1])
    assert read(corpus) == wanted


@pytest.mark.parametrize("name", ["text", "text.gz"])
@given(text=st.text(st.sampled_from("a\u2028\ufeff\r\n"), max_size=8), block=st.integers(1, 9))
def test_lines_are_counted_as_they_are_read(
    name: str, tmp_path_factory: pytest.TempPathFactory, text: str, block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    read = len(list(read_lines(path)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "MAX_LINE", block)
        assert count_lines(path) == read


@pytest.mark.parametrize("make", [jsonl_of, po_of])
@given(rows=st.lists(st.tuples(TEXT.filter(bool), TEXT.filter(bool)), min_size=1, max_size=5))
def test_jsonl_and_po_give_back_any_text(
    make: Callable[[Path, list[tuple[str, str]]], CorpusConfig],
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str]],
) -> None:
    wanted = [(one_line(first), one_line(second)) for first, second in rows]
    assert read(make(tmp_path_factory.getbasetemp(), rows)) == wanted


XML_TEXT = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")
)


@given(rows=st.lists(st.tuples(XML_TEXT, XML_TEXT), min_size=1, max_size=5))
def test_tmx_gives_back_any_text(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    wanted = [(one_line(first), one_line(second)) for first, second in rows]
    assert read(tmx_of(tmp_path_factory.getbasetemp(), rows)) == wanted


@given(st.text())
def test_one_line_has_no_break_and_changes_nothing_else(text: str) -> None:
    assert not set(one_line(text)) & set("\t\r\n")
    assert one_line(one_line(text)) == one_line(text)
    assert one_line(text).replace(" ", "") == "".join(text.split(" ")).translate(
        dict.fromkeys(map(ord, "\t\r\n"))
    )


# JSON Lines


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "is no JSON"),
        ("[1, 2]", "is no JSON object"),
        ('{"aa": "x"}', "has no text under 'bb'"),
        ('{"aa": "x", "bb": null}', "has no text under 'bb'"),
        (r'{"aa": "x", "bb": "\ud800"}', "has a lone surrogate under 'bb'"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_malformed_json_line_is_named(tmp_path: Path, line: str, why: str) -> None:
    path = write(tmp_path / "x.jsonl", f'{{"aa": "1", "bb": "2"}}\n{line}\n')
    with pytest.raises(DataError, match=rf"x\.jsonl:2 {why}"):
        read(CorpusConfig(jsonl=path, languages=("aa", "bb")))


# gettext

CATALOGUE = """# Translators
#, fuzzy
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\\\n"

#. note
#: file.c:1
msgid "Open\\\\tthe "
"\\\\"file\\\\""
msgstr "Die Datei\\\\n öffnen"

#, c-format, fuzzy
#| msgid "before"
msgid "guess"
msgstr "geraten"

msgid "open"
msgstr ""

msgid "%d file"
msgid_plural "%d files"
msgstr[0] "%d Datei"
msgstr[1] "%d Dateien"

msgid "one form"
msgid_plural "forms"
msgstr[0] "Form"

msgid "zero to five"
msgid_plural "many"
msgstr[0] "0"
msgstr[1] "1"
msgstr[2] "2"
msgstr[3] "3"

#~ msgid "old"
#~ msgstr "alt"
""".replace("\\\\", "\\")


def test_catalogue_gives_what_is_translated_and_counts_the_rest(tmp_path: Path) -> None:
    path, skipped = write(tmp_path / "de.po", CATALOGUE), Counter[tuple[str, str]]()
    corpus = CorpusConfig(po=path, languages=("aa", "bb"))
    assert read(corpus, skipped) == [
        ('Open the "file"', "Die Datei öffnen"),
        ("%d file", "%d Datei"),
        ("%d files", "%d Dateien"),
        ("forms", "Form"),
    ]
    reasons = ("fuzzy", "untranslated", "plural forms", "obsolete")
    assert skipped == {(reason, "de.po"): 1 for reason in reasons}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('msgid "a"\nmsgstr b\n', ":2 is no line of a catalogue"),
        ('msgid "a"b"\nmsgstr "b"\n', ":1 is no line of a catalogue"),
        ('"a"\n', ":1 is a string without a keyword"),
        ('msgid "a"\nmsgid "b"\n', ":2 has a second msgid"),
        ('msgid "a"\n', ":1 ends a malformed entry: an entry needs"),
        ('msgstr "a"\n', ":1 ends a malformed entry: an entry needs"),
        ('msgid "a"\nmsgstr[0] "b"\n', ":2 ends a malformed entry: msgid_plural"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr "b"\n', ":3 ends a malformed entry: msgid_plural"),
        ('msgid "\\q"\nmsgstr "b"\n', r":1 has the unknown escape \\q"),
        ('msgid ""\nmsgstr "charset=KOI8-R"\n', " is in KOI8-R: .*msgconv"),
    ],
)
def test_malformed_catalogue_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "x.po", text)
    with pytest.raises(DataError, match=rf"x\.po{message}"):
        read(CorpusConfig(po=path, languages=("aa", "bb")))


# TMX

DOCTYPE = '<!DOCTYPE tmx SYSTEM "tmx14.dtd">'


def tmx(folder: Path, body: str, head: str = DOCTYPE) -> CorpusConfig:
    text = f'<?xml version="1.0"?>\n{head}\n<tmx version="1.4"><body>{body}</body></tmx>'
    return CorpusConfig(tmx=write(folder / "x.tmx", text), languages=("aa", "bb"))


def unit(**segments: str) -> str:
    variants = (
        f'<tuv xml:lang="{code.replace("_", "-")}"><seg>{seg}</seg></tuv>'
        for code, seg in segments.items()
    )
    return f"<tu>{''.join(variants)}</tu>"


def test_inline_markup_is_left_out_and_text_kept(tmp_path: Path) -> None:
    marked = 'Press <bpt i="1">&lt;b&gt;</bpt><hi>OK</hi><ept i="1">&lt;/b&gt;</ept>\n now'
    nested = 'x<ph>{<sub>title</sub>}</ph>y<it pos="begin">z</it>'
    assert read(tmx(tmp_path, unit(aa=marked, bb=nested))) == [("Press OK now", "xy")]


def test_region_variants_count_as_their_language_and_come_after_it(tmp_path: Path) -> None:
    units = (
        unit(AA_us="colour", bb_CH="x", aa="color", bb_DE="y")
        + unit(aa_US="1", bb="2", cc="3")
        + unit(aaa="no", bb="no")
        + '<tu><tuv lang="aa"><seg>old</seg></tuv><tuv lang="bb"><seg>alt</seg></tuv></tu>'
    )
    skipped = Counter[tuple[str, str]]()
    rows = read(tmx(tmp_path, units), skipped)
    assert rows == [("color", "x"), ("1", "2"), ("old", "alt")]
    assert skipped == {("language missing", "x.tmx"): 1}


def test_utf_16_memory_is_read_packed(tmp_path: Path) -> None:
    text = f'<?xml version="1.0" encoding="UTF-16"?><tmx>{unit(aa="ä", bb="😀")}</tmx>'
    path = tmp_path / "x.tmx.gz"
    path.write_bytes(gzip.compress(text.encode("utf-16")))
    assert read(CorpusConfig(tmx=str(path), languages=("bb", "aa"))) == [("😀", "ä")]


LAUGHS = "".join(
    f'<!ENTITY l{number} "{f"&l{number - 1};" * 10 if number else "ha"}">' for number in range(10)
)


@pytest.mark.parametrize(
    ("head", "body", "message"),
    [
        (f"<!DOCTYPE tmx [{LAUGHS}]>", unit(aa="&l9;", bb="x"), "it declares the entity 'l0'"),
        (
            '<!DOCTYPE tmx [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            unit(aa="&x;", bb="x"),
            "it declares the entity 'x'",
        ),
        (DOCTYPE, unit(aa="a&nbsp;b", bb="x"), "the entity 'nbsp' is not defined"),
        ("", unit(aa="a&nbsp;b", bb="x"), "undefined entity"),
        (DOCTYPE, "<tu>", "mismatched tag"),
    ],
)
def test_hostile_or_malformed_memory_is_refused(
    tmp_path: Path, head: str, body: str, message: str
) -> None:
    with pytest.raises(DataError, match=rf"x\.tmx:\d+ is no usable TMX: {message}"):
        read(tmx(tmp_path, body, head))


def test_other_xml_and_truncated_memory_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tmx"
    for text, message in (
        ("<html/>", "its root is 'html', not 'tmx'"),
        (f"<tmx><body>{unit(aa='1', bb='2')}", "no element found"),
        ('<?xml version="1.0" encoding="klingon"?><tmx/>', "klingon"),
    ):
        write(path, text)
        with pytest.raises(DataError, match=f"is no usable TMX: .*{message}"):
            read(CorpusConfig(tmx=str(path), languages=("aa", "bb")))


# Text in one language


def test_texts_are_found_by_language(tmp_path: Path) -> None:
    corpora = [
        CorpusConfig(text=write(tmp_path / "1.txt", "eins\n\n zwei \n"), languages=("aa",)),
        CorpusConfig(text=write(tmp_path / "2.txt", "one\n"), languages=("bb",), origin="mine"),
        tsv_of(tmp_path, [("a", "b")]),
    ]
    (file,) = find_texts(corpora, ["aa"])
    assert (file.language, file.origin, list(file)) == ("aa", "1.txt", ["eins", "zwei"])
    assert [text.origin for text in find_texts(corpora, ["bb", "aa"])] == ["1.txt", "mine"]
    assert len(find_files(corpora, WAY)) == 1
    with pytest.raises(DataError, match="no corpus has text in cc"):
        find_texts(corpora, ["cc"])
    with pytest.raises(ConfigError, match="has not one language"):
        find_texts([CorpusConfig(text="x", languages=("aa", "bb"))], ["aa"])
