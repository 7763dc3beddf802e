"""Capitals that sentences are given for the model, and lose again behind it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.starts import lowered_start, raised_start

KNOWN = ("die", "Die", "Hund", "winter", "Winter", "in", "In", "tom", "Tom", "Maria")
"""A vocabulary, the frequent words first; all others are spelt."""


def encode(text: str) -> tuple[int, ...]:
    return (KNOWN.index(text),) if text in KNOWN else tuple(100 + ord(char) for char in text)


@pytest.mark.parametrize(
    ("text", "language", "raised"),
    [
        ("the meeting is on Monday", "en", "The meeting is on Monday"),
        ("yesterday i was late, and i'm sorry", "en", "Yesterday I was late, and I'm sorry"),
        ("What do i know?", "en", "What do I know?"),
        ("élise, tu viens avec nous ?", "fr", "Élise, tu viens avec nous ?"),
        ("мы вчера ходили в кино", "ru", "Мы вчера ходили в кино"),
        ("how are you?", "en", "How are you?"),
        # Words and short phrases are tried in both forms elsewhere.
        ("good morning", "en", None),
        ("dog", "en", None),
        ("dog.", "en", None),
        # Names, and what is no word.
        ("iPhone sales are rising again", "en", None),
        ("npm install fails on my machine", "en", None),
        ("e.g. this one is small here", "en", None),
        ("x1 is the first of all of them", "en", None),
        ("The meeting is on Monday", "en", None),
        ("das i, das fehlt in diesem Wort", "de", "Das i, das fehlt in diesem Wort"),
        ("明天我们去看电影，好吗？", "zh", None),
        ("", "en", None),
    ],
)
def test_a_capital_for_the_model(text: str, language: str, raised: str | None) -> None:
    assert raised_start(text, language, encode) == raised


def test_a_vocabulary_without_capitals_gets_none() -> None:
    def spelt(text: str) -> tuple[int, ...]:
        return tuple(piece for char in text for piece in range(3 if char.isupper() else 1))

    assert raised_start("the meeting is on Monday", "en", spelt) is None


@pytest.mark.parametrize(
    ("text", "source", "language", "lowered"),
    [
        ("Le train part.", "the train leaves.", "fr", "le train part."),
        ("¿Dónde está?", "where is it then?", "es", "¿dónde está?"),
        ("Die Züge fahren.", "the trains are running.", "de", "die Züge fahren."),
        ("Tom!", "tom is here", "ru", "tom!"),
        ("Die Katze", "so is the cat", "fr", "die Katze"),
        ("Maria est ici.", "here is Mary now", "fr", "Maria est ici."),
        # Nouns, names, and what English has a capital for.
        ("Züge fahren.", "trains are running.", "de", "Züge fahren."),
        ("Hund beißt Mann.", "dog bites a man.", "de", "Hund beißt Mann."),
        ("Winter kommt.", "winter is coming.", "de", "Winter kommt."),
        ("In der Stadt", "in the town they", "de", "in der Stadt"),
        ("Maria vient demain.", "tomorrow Maria comes.", "fr", "Maria vient demain."),
        ("I'm late, sorry.", "ich bin spät dran.", "en", "I'm late, sorry."),
        ("NATO meldet es.", "the alliance says so.", "de", "NATO meldet es."),
        ("Sie haben es.", "you have got it all.", "de", "Sie haben es."),
        # What came through comes back.
        ("Git échoue, et Git aussi.", "git fails, and so does it.", "fr",
         "git échoue, et git aussi."),
        ("Hier échoue Git.", "git failed yesterday", "fr", "hier échoue git."),
        # What began with a capital keeps it.
        ("Le train part.", "The train leaves.", "fr", "Le train part."),
        ("", "the train leaves.", "fr", ""),
        ("12 trains", "the twelve trains", "fr", "12 trains"),
    ],
)  # fmt: skip
def test_small_again(text: str, source: str, language: str, lowered: str) -> None:
    assert lowered_start(text, source, language, encode) == lowered


@given(st.text("aB ié'., 1"), st.text("aB ié'., 1"), st.sampled_from(["en", "de", "fr"]))
def test_only_capitals_change(text: str, source: str, language: str) -> None:
    assert lowered_start(text, source, language, encode).casefold() == text.casefold()
    raised = raised_start(text, language, encode)
    assert raised is None or raised.casefold() == text.casefold() != raised


@pytest.mark.timeout(5)
def test_time_is_linear() -> None:
    text = "a'" * 50_000
    raised_start(text, "en", encode)
    lowered_start("A-" * 50_000, text, "fr", encode)
