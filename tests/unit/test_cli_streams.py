import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.cli.streams import BLOCK, checked_arguments, decoded, lines_of, whole_lines
from mltranslate.errors import InputError


@given(st.text(), st.integers(0, 20))
def test_any_text_is_decoded_in_blocks(text: str, padding: int) -> None:
    data = (" " * (BLOCK - padding) + text).encode(errors="replace")
    assert "".join(decoded(io.BytesIO(data))) == data.decode()


@pytest.mark.parametrize(
    ("data", "offset", "line", "before"),
    [
        (b"\xff", 0, 1, ""),
        (b"ok\nno\xe4n", 5, 2, "ok\nno"),
        (b"cut \xe4\xbd", 4, 1, "cut "),
        (b"a\n" * BLOCK + b"\x80", 2 * BLOCK, BLOCK + 1, "a\n" * BLOCK),
        (b"x" * (BLOCK - 1) + b"\xe4\xbdz", BLOCK - 1, 1, "x" * (BLOCK - 1)),
    ],
)
def test_bad_utf8_names_byte_and_line(data: bytes, offset: int, line: int, before: str) -> None:
    good: list[str] = []
    with pytest.raises(InputError, match=rf"at offset {offset} in line {line}\b"):
        good.extend(decoded(io.BytesIO(data)))
    assert "".join(good) == before


@given(st.lists(st.text()))
def test_whole_lines_concatenate_and_end_with_a_line(blocks: list[str]) -> None:
    texts = list(whole_lines(blocks))
    assert "".join(texts) == "".join(blocks)
    assert all(text.endswith("\n") for text in texts[:-1])


def test_a_very_long_line_is_cut_between_sentences() -> None:
    blocks = ["This is Mr. Smith. " * 400] * 20
    texts = list(whole_lines(blocks, lambda: "en"))
    assert "".join(texts) == "".join(blocks)
    assert len(texts) > 3
    assert all(text.endswith("Smith.") for text in texts[:-1])
    assert list(whole_lines(blocks)) == ["".join(blocks)]


def test_a_line_without_any_sentence_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mltranslate.cli.streams.MAX_INPUT_CHARACTERS", 100_000)
    assert len(list(whole_lines(["x" * 1000] * 100, lambda: "en"))) == 1
    with pytest.raises(InputError, match="too long"):
        list(whole_lines(["x" * 1000] * 101, lambda: "en"))


def test_lines_of() -> None:
    assert lines_of("a\r\n\nb") == ["a", "", "b"]
    assert lines_of("a\n") == ["a"]
    assert lines_of("\n\n") == ["", ""]


def test_arguments_that_are_no_utf8_are_refused() -> None:
    assert checked_arguments(["a", "ü"]) == ["a", "ü"]
    with pytest.raises(InputError, match="TEXT 2 is not valid UTF-8"):
        checked_arguments(["a", "b\udcff"])
