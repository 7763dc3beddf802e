import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.errors import reason, remedy


def failure(action: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it raises is the subject
        action()
    return caught.value


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: Path("/no/such").read_text("utf-8"), "No such file or directory"),
        (lambda: b"a\xff".decode(), "it is no UTF-8"),
        (lambda: {}["step"], "'step' is missing"),
        (lambda: json.loads("{\n"), "Expecting property name enclosed in double quotes: line 2"),
        (lambda: int([]), "int() argument must be"),  # type: ignore[call-overload]
    ],
)
def test_reason_is_in_words(action: Callable[[], object], words: str) -> None:
    assert reason(failure(action)).startswith(words)


@given(st.text())
def test_reason_is_one_line_and_never_empty(text: str) -> None:
    for error in (ValueError(text), OSError(text), OSError(errno.EIO, text or "x")):
        found = reason(error)
        assert found
        if not isinstance(error, OSError) or not error.strerror:
            assert found.splitlines() == [found]


def test_remedy_fits_the_cause(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for action in (
        lambda: (tmp_path / "file").mkdir(),
        lambda: (tmp_path / "file/x").mkdir(),
        lambda: tmp_path.write_text("x"),
    ):
        error = failure(action)
        assert isinstance(error, OSError)
        assert remedy(error).startswith("Move away")
    assert remedy(OSError(errno.EACCES, os.strerror(errno.EACCES))).startswith("Permit it")
    assert remedy(OSError(errno.ENOSPC, "full")).startswith("Make room")
