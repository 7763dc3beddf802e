"""What of a document is no prose: fenced code and front matter."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mltranslate.text.spans import cut, join
from mltranslate.text.verbatim import prose, runs, runs_of_blocks, units, whole_kept

LINES = st.text(alphabet=st.one_of(st.sampled_from("aB1 \t\r#|>-.!?。•😀:{}"), st.characters()))
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["~~~", "```", "---\n", "<script>", "</script>", *"aB1 \t\r\n#|>-+.!?。`~:"]
        ),
        st.characters(codec="utf-8"),
    )
).map("".join)
PLAIN = LINES.map(lambda text: text.translate({ord(mark): "" for mark in "`~"}))
FENCES = st.tuples(st.sampled_from("`~"), st.integers(3, 6)).map(lambda one: one[0] * one[1])
NEW_LINES = st.sampled_from(["\n", "\r\n"])


def _kept(text: str) -> list[str]:
    return [run for run, kept in runs(text) if kept]


def _sentences(text: str, language: str = "en") -> list[str]:
    return [span.text for span in cut(text, language) if span.translatable]


_DEEP = "     - ```\n       c\n       ```\n"
CODE = "```python\nprint('Hello world')\n```\n"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("One.\n" + CODE + "Two.", [CODE]),
        ("~~~\nOne.\n~~~\nTwo.", ["~~~\nOne.\n~~~\n"]),
        ("```\r\nOne.\r\n```\r\nTwo.", ["```\r\nOne.\r\n```\r\n"]),
        ("```\nOne.\n\nStill code.", ["```\nOne.\n\nStill code."]),
        ("````\n```\nOne.\n```\n````\nTwo.", ["````\n```\nOne.\n```\n````\n"]),
        ("```\n~~~\nOne.\n```\nTwo.", ["```\n~~~\nOne.\n```\n"]),
        ("```\nOne.\n``` not closed\nTwo.", ["```\nOne.\n``` not closed\nTwo."]),
        ("```\nOne.\n`````  \nTwo.", ["```\nOne.\n`````  \n"]),
        ("```\n    ```\nOne.\n   ```\nTwo.", ["```\n    ```\nOne.\n   ```\n"]),
        ("1. Do:\n\n    ```sh\n    make it\n    ```\nTwo.", ["    ```sh\n    make it\n    ```\n"]),
        ("- ```sh\n  make it\n  ```\nTwo.", ["- ```sh\n  make it\n  ```\n"]),
        ("> ```\n> One.\n> ```\n> Two.", ["> ```\n> One.\n> ```\n"]),
        ("> ```\n> One.\nTwo.", ["> ```\n> One.\n"]),
        ("```\n> ```\nOne.\n```\nTwo.", ["```\n> ```\nOne.\n```\n"]),
        ("10. ```\n    code\n    ```\nText", ["10. ```\n    code\n    ```\n"]),
        ("- a\n  - ```\n    code\n    ```\nText", ["  - ```\n    code\n    ```\n"]),
        ("1. a:\n   - b:\n     - ```\n       c\n       ```\n\nTwo.", [_DEEP]),
        ("-\t```\n\tcode\n\t```\nTwo.", ["-\t```\n\tcode\n\t```\n"]),
        ("- > ```\n  > code\n  > ```\nText.", ["- > ```\n  > code\n  > ```\n"]),
        ("> - > ```\n>   > code\n>   > ```\nText.", ["> - > ```\n>   > code\n>   > ```\n"]),
        ("> 10. ~~~\n>     code\n>     ~~~\n> Text.", ["> 10. ~~~\n>     code\n>     ~~~\n"]),
        ("\ufeff```\nOne.\n```\nTwo.", ["\ufeff```\nOne.\n```\n"]),
        ("\ufeff> ~~~\n> One.\nTwo.", ["\ufeff> ~~~\n> One.\n"]),
        ("```code``` and words\nTwo.", []),
        ("~~~ Chapter One ~~~\nTwo.", []),
        ("``\nOne.\n``\n", []),
        ("Words ```\nOne.\n", []),
        ("", []),
    ],
)
def test_fenced_blocks(text: str, kept: list[str]) -> None:
    assert _kept(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("One.\n<script>\nlet a = 1;\n</script>\nTwo.", ["<script>\nlet a = 1;\n</script>\n"]),
        (" <Style a='b'>\np { b }\n\n </STYLE>\nTwo.", [" <Style a='b'>\np { b }\n\n </STYLE>\n"]),
        ("<script>a()</script>\nTwo.", []),
        ("Put <script> here.\nTwo.", []),
        ("<scripted>\nTwo.", []),
        ("<script>\n```\n</script>\nTwo.", ["<script>\n```\n</script>\n"]),
        ("```\n<script>\n```\nTwo.", ["```\n<script>\n```\n"]),
        ("<style>\nTwo.", ["<style>\nTwo."]),
    ],
)  # fmt: skip
def test_scripts_and_styles(text: str, kept: list[str]) -> None:
    assert _kept(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Chapter One\n~~~~~~~~~~~\n\nTwo.", ["~~~~~~~~~~~\n"]),
        ("Chapter One\r\n~~~~~~ \r\nTwo.", ["~~~~~~ \r\n"]),
        ("FAQ\n~~~\nOne.\n\nTwo\n~~~~\nThree.", ["~~~\n", "~~~~\n"]),
        ("Like this:\n~~~\nx = 1\n~~~\nTwo.", ["~~~\nx = 1\n~~~\n"]),
        ("Like this:\n~~~~ sh\nmake\n~~~~\nTwo.", ["~~~~ sh\nmake\n~~~~\n"]),
        ("- Do:\n  ~~~~\n  make\n  ~~~~\nTwo.", ["  ~~~~\n  make\n  ~~~~\n"]),
        ("One.\n \n~~~~\nx = 1\n~~~~\nTwo.", ["~~~~\nx = 1\n~~~~\n"]),
        ("```\n~~~\n```\n~~~~\nx = 1\n~~~~\n", ["```\n~~~\n```\n~~~~\nx = 1\n~~~~\n"]),
    ],
)
def test_an_underline_opens_no_block(text: str, kept: list[str]) -> None:
    assert _kept(text) == kept
    blocks = text.splitlines(keepends=True)
    assert "".join(run for found in runs_of_blocks(blocks) for run, kept in found if kept) == (
        "".join(kept)
    )


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("---\ntitle: A day\n---\nOne.", ["---\ntitle: A day\n---\n"]),
        ("---\r\ntitle: A day\r\n---\r\nOne.", ["---\r\ntitle: A day\r\n---\r\n"]),
        ("---\n# by hand\ntags:\n\n- a b\n  - c d\n...\nOne.", None),
        ("---\n\n# One\n\n- Two.\n\n---\n\n# Three\n", ["---\n", "---\n"]),
        ("---\n\ntitle: A day\n---\nOne.", ["---\n", "---\n"]),
        ("---\n- One, two?\n- Three.\n---\n", ["---\n", "---\n"]),
        ("---\n# One\n\nNote: two.\n---\nOne.", ["---\n", "---\n"]),
        ("---\n# One\n---\nOne.", ["---\n", "---\n"]),
        ("---\n  One.\na: b\n---\nOne.", ["---\n", "---\n"]),
        ("\ufeff---\n'a b': \"c\"\nlist: [\n  One,\n]\n---\nOne.", None),
        ("+++\ntitle = \"A day\"\n[extra]\nx = '''\nOne two.\n'''\n+++\nOne.", None),
        ("---\ntitle: A day\nno key here\n---\nOne.", ["---\n", "---\n"]),
        ("---\n\nOne.\n\n---\nTwo.", ["---\n", "---\n"]),
        ("---\ntitle: never closed\n", ["---\n"]),
        ("+++\nOne.\n+++\n", ["+++\n", "+++\n"]),
        ("\n---\ntitle: A day\n---\nOne.", ["---\n", "---\n"]),
        ("One.\n---\ntitle: A day\n---\n", ["---\n", "---\n"]),
        ("-----\ntitle: A day\n---\nOne.", ["---\n"]),
    ],
)
def test_front_matter(text: str, kept: list[str] | None) -> None:
    assert _kept(text) == ([text.removesuffix("One.")] if kept is None else kept)


def test_a_fence_in_front_matter_opens_nothing() -> None:
    assert _sentences("---\na: |\n  ```\n---\nOne.") == ["One."]


def test_a_document_keeps_its_code_and_head() -> None:
    text = f"---\ntitle: A day out\n---\n\n# A day\n\n{CODE}\nOne. Two.\n"
    assert _sentences(text) == ["A day", "One.", "Two."]
    said = join(cut(text, "en"), ["EIN TAG", "EINS.", "ZWEI."], "de")
    assert said == f"---\ntitle: A day out\n---\n\n# EIN TAG\n\n{CODE}\nEINS. ZWEI.\n"


@given(PLAIN, PLAIN, FENCES, st.lists(LINES.map(lambda line: f"x{line}")), NEW_LINES)
def test_a_block_is_kept_and_the_rest_is_as_if_it_were_not_there(
    before: str, after: str, fence: str, code: list[str], end: str
) -> None:
    assume(not before.startswith(("---", "+++", "\ufeff")) and not after.startswith(("-", "+")))
    assume("\n" not in before + after + "".join(code))
    block = end.join([f"{fence}sh", *code, fence, ""])
    text = f"{before}{end}{block}{after}"
    spans = cut(text, "en")
    assert "".join(span.text for span in spans) == text
    assert any(block in span.text for span in spans if not span.translatable)
    found = [span.text for span in spans if span.translatable]
    assert found == _sentences(before) + _sentences(after.removeprefix("\ufeff"))
    assert prose(text) == f"{before}{end}{after}"


@given(TEXTS)
def test_runs_concatenate_to_the_text(text: str) -> None:
    found = runs(text)
    assert "".join(run for run, _ in found) == text
    assert all(run for run, _ in found)
    assert "".join(units(text)) == text


@given(st.lists(TEXTS))
def test_a_text_in_blocks_of_lines_has_the_runs_of_the_whole(parts: list[str]) -> None:
    lines = [f"{part}\n" for part in parts]
    text = "".join(lines)
    found = [run for block in runs_of_blocks(lines) for run in block]
    assert "".join(run for run, kept in found if kept) == "".join(_kept(text))
    assert "".join(run for run, kept in found if not kept) == prose(text)


def test_a_line_may_come_in_parts() -> None:
    blocks = ["```\nOne.", "```\nTwo.\n```\nThree.", "```\nFour."]
    assert list(runs_of_blocks(blocks)) == [
        [("```\nOne.", True)],
        [("```\nTwo.\n```\n", True), ("Three.", False)],
        [("```\nFour.", False)],
    ]


def test_a_head_is_waited_for_only_while_it_may_be_one() -> None:
    def grouped(blocks: list[str]) -> list[str]:
        return ["".join(run for run, _ in found) for found in runs_of_blocks(blocks)]

    assert grouped(["---\n", "a: b\n", "---\n", "One.\n"]) == ["---\na: b\n---\n", "One.\n"]
    assert grouped(["---\n", "One.\n", "---\n"]) == ["---\nOne.\n", "---\n"]
    assert grouped(["One.\n", "---\n"]) == ["One.\n", "---\n"]
    assert grouped(["---\n", "a: b\n"]) == ["---\na: b\n"]
    assert len(grouped(["---\n", *["a: b\n"] * 50_000])[0]) < 100_000
    assert grouped([]) == []


def _whole_kept(blocks: list[str], longest: int) -> list[list[tuple[str, bool]]]:
    return list(whole_kept(runs_of_blocks(blocks), longest))


def test_code_in_several_blocks_is_one_run() -> None:
    blocks = ["One.\n\n```\na\n\n", "b\n\n", "c\n```\nTwo.\n\n", "Three.\n"]
    assert _whole_kept(blocks, 1000) == [
        [("One.\n\n", False)],
        [("```\na\n\nb\n\nc\n```\n", True), ("Two.\n\n", False)],
        [("Three.\n", False)],
    ]
    assert _whole_kept(["```\na\n\n", "b\n"], 1000) == [[("```\na\n\nb\n", True)]]
    assert _whole_kept(["> ```\n> a\n", "Two.\n"], 1000) == [
        [("> ```\n> a\n", True), ("Two.\n", False)]
    ]
    assert _whole_kept([], 1000) == []


def test_code_without_end_is_not_waited_for() -> None:
    found = _whole_kept(["```\n", *["a\n\n"] * 5], 7)
    assert found == [[("```\na\n\n" + "a\n\n", True)], [("a\n\n" * 3, True)]]


@given(st.lists(TEXTS), st.integers(0, 99))
def test_no_run_to_keep_goes_on_behind_another(parts: list[str], longest: int) -> None:
    blocks = [f"{part}\n" for part in parts]
    found = _whole_kept(blocks, longest)
    assert all(found)
    assert "".join(run for block in found for run, _ in block) == "".join(blocks)
    assert "".join(run for block in found for run, kept in block if kept) == "".join(
        _kept("".join(blocks))
    )
    for one, following in pairwise(found):
        assert not (one[-1][1] and following[0][1]) or len(one[-1][0]) > longest


def test_units_are_translated_by_themselves_as_in_the_whole() -> None:
    text = f"---\na: b\n---\nOne.\n{CODE}\nTwo.\n---\nc: d\n---\nThree"
    assert list(units(text)) == [
        "---\na: b\n---\n", f"One.\n{CODE}", "\n", "Two.\n---\n", "c: d\n---\n", "Three",
    ]  # fmt: skip
    assert list(units("One\n~~~~\nTwo | three\nFour | five\n")) == [
        "One\n~~~~\n", "Two | three\n", "Four | five\n",
    ]  # fmt: skip


@given(TEXTS)
def test_units_have_the_sentences_of_the_whole(text: str) -> None:
    assert [one for unit in units(text) for one in _sentences(unit)] == _sentences(text)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit", ["`", "```", "``` ", "~", "> ", "\n```", "\n~~~a", "> ```\n", "- ", "---\na: b\n"]
)
def test_time_is_linear_in_the_text(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    assert "".join(run for run, _ in runs(text)) == text
    lines = ["```\n", *(text + "\n").splitlines(keepends=True)]
    whole = [run for block in _whole_kept(lines, 2**20) for run, _ in block]
    assert "".join(whole) == "".join(lines)
    quoted = "> " * 50_000 + "```\n" + text
    assert "".join(run for run, _ in runs(quoted)) == quoted
