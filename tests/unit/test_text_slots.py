import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.slots import SLOT, frames, is_titled


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dear Anna", [("Dear {}", "Anna")]),
        ("Dear Mr. Smith", [("Dear Mr. {}", "Smith"), ("Dear {}", "Mr. Smith")]),
        ("Happy birthday, Anna!", [("Happy birthday, {}!", "Anna")]),
        ("Salut O’Neil-Roux !", [("Salut {} !", "O’Neil-Roux")]),
        ("Liebe Frau Müller", [("Liebe Frau {}", "Müller"), ("Liebe {}", "Frau Müller")]),
        ("Anna", []),
        ("Dear friends", []),
        ("Уважаемый Иван", []),
        ("Dear {}", []),
        ("", []),
        ("Dear " * 20 + "Anna", []),
    ],
)  # fmt: skip
def test_names_at_the_end(text: str, found: list[tuple[str, str]]) -> None:
    assert list(frames(text)) == found


@given(st.text("Ab .!é-{}", max_size=20))
def test_the_name_fits_into_the_slot(text: str) -> None:
    for frame, name in frames(text):
        assert frame.replace(SLOT, name) == text


def test_titles() -> None:
    assert is_titled("Dear Mr. {}")
    assert is_titled("Sehr geehrte Frau {}")
    assert not is_titled("Dear {}")
    assert not is_titled("{}様")
