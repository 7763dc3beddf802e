import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.places import Edit, apply
from mltranslate.text.protected import STAND_INS, Masked, mask, parts

PIECES = st.lists(
    st.sampled_from(
        [
            "a word", "Berlin", "12", "，", ". ", " ", " ", "😀", "👩‍💻", "™", "€", "20€", "1️⃣",
            "<b>", "</b>", "{name}", "%s", "@anna", "@a1", "Linux", "https://a.b/c", "a.py",
            "你好", "(", ")", "\u200b",
        ]
    ),
    max_size=12,
).map("".join)  # fmt: skip
LANGUAGES = st.sampled_from(["en", "de", "zh", "ja"])


def test_a_mark_within_a_name_comes_after_it() -> None:
    url = "https://c.de/z"
    assert apply([Edit(0, len(url), url), Edit(6, 6, "😀")], f"{url}!") == f"{url}😀!"


def test_a_list_of_items_without_end_is_left_as_it_is() -> None:
    assert mask("ab 😀 " * 201) is None
    assert mask("ab 😀 " * 200) is not None


def _masked(sentence: str) -> Masked:
    made = mask(sentence, language="en")
    assert made
    return made


def _names(sentence: str) -> tuple[tuple[str, str], ...]:
    made = mask(sentence)
    return made.names if made else ()


@pytest.mark.parametrize(
    ("sentence", "seen"),
    [
        ("Visit https://a.b/c now.", "Visit @a1 now."),
        ("{name} has {count} of {total}", "@a1 has @b2 of @c3"),
        ("At {hours}:{minutes} it began.", "At @a1 it began."),
        ("Nice work 👍, thanks.", "Nice work, thanks."),
        ("I ❤️ this 😀 👍 city", "I this city"),
        ("super😀klasse", "super klasse"),
        ("我❤️你。", "我你。"),
        ("Click <b>Save</b> now", "Click Save now"),
        ("The Windows™ logo", "The Windows logo"),
        ("Tell @a1 about %s", "Tell @b2 about @c3"),
        ("Salut 😀 !", "Salut!"),
        ("This is **very important** text", "This is very important text"),
        ("![A picture of a cat](cat.png)", "A picture of a cat"),
        ("Read [**the** docs](https://a.b/c?x=1) now.", "Read the docs now."),
        ("Open on 2026-11-22 at 10:30", "Open on @a1 at 10:30"),
        ("READ https://a.b/C NOW, I SAID", "Read @a1 now, I said"),
        ("PLEASE 😀 READ <b>THIS</b>", "Please read this"),
        ("PRESS {NAME} AND snake_case", "Press @a1 and @b2"),
    ],
)
def test_what_the_model_sees(sentence: str, seen: str) -> None:
    assert _masked(sentence).text == seen


@pytest.mark.parametrize("sentence", ["", "A plain sentence, with 3 words.", "你好。"])
def test_there_may_be_nothing_to_hide(sentence: str) -> None:
    assert mask(sentence) is None


@pytest.mark.parametrize(
    ("sentence", "translation", "target", "result", "guessed"),
    [
        ("Visit www.a.b now.", "Jetzt @a1 besuchen.", "de", "Jetzt www.a.b besuchen.", False),
        ("%s and %d", "@b2 und @a1", "de", "%d und %s", False),
        ("Nice 👍, but late", "Schön, aber spät", "de", "Schön 👍, aber spät", False),
        ("Nice, 👍 but late", "Schön, aber spät", "de", "Schön, 👍 aber spät", False),
        ("Nice (👍) work", "Gute () Arbeit", "de", "Gute (👍) Arbeit", False),
        ("Come 👍 now please", "Komm bitte jetzt", "de", "Komm 👍 bitte jetzt", True),
        ("In Rom 🎉 we met", "Wir trafen uns in Rom", "de", "Wir trafen uns in Rom 🎉", False),
        ("Bye 👋.", "Tschüss.", "de", "Tschüss 👋.", False),
        ("The Windows™ logo", "Das Logo von Windows", "de", "Das Logo von Windows™", False),
        ("<b>Hello</b> Anna", "Hallo Anna", "de", "<b>Hallo</b> Anna", False),
        ("See <b>Berlin</b> now", "Jetzt Berlin sehen", "de", "Jetzt <b>Berlin</b> sehen", False),
        ("Ask <b>{name}</b> now", "Jetzt @a1 fragen", "de", "Jetzt <b>{name}</b> fragen", False),
        ("这很**重要**。", "This is important.", "en", "This is **important**.", True),
        ("他<b>很</b>忙，真的", "He is so busy", "en", "He <b>is</b> so busy", True),
        ("**警告：**不要碰。", "Warning: Hands off.", "en", "**Warning:** Hands off.", False),
        ("请读[这篇文章](a/b)吧", "Read this text", "en", "Read [this text](a/b)", True),
        ("点<br/>这里", "Click here", "en", "Click <br/> here", True),
        ("_Wait_ for ~~him~~", "Warte auf ihn", "de", "_Warte_ auf ~~ihn~~", True),
        ("Can you **count** it?", "Zählst du?", "de", "Zählst **du**?", True),
        ("I love 😍 this, really", "我很喜欢，真的", "zh", "我很喜欢，😍真的", True),
        ("It rose in 1990.[12]", "1990 stieg es.", "de", "1990 stieg es.[12]", False),
        ("北京[3]是首都。[4]", "It is the capital.", "en", "It is[3] the capital.[4]", True),
        ("See [Rom][1][2] now", "Siehe Rom jetzt", "de", "Siehe [Rom][1][2] jetzt", False),
        ("Thanks, Anna :)", "Danke, Anna", "de", "Danke, Anna :)", False),
        ("我很喜欢😍，真的", "I like it, really", "en", "I like it 😍, really", False),
    ],
)  # fmt: skip
def test_everything_is_put_back(
    sentence: str, translation: str, target: str, result: str, guessed: bool
) -> None:
    assert _masked(sentence).restore(translation, target) == (result, guessed)


@pytest.mark.parametrize("translation", ["Nichts.", "@a1 und @a1", "@a12", "x@a1x", "@A1"])
def test_a_stand_in_must_come_out_once(translation: str) -> None:
    assert _masked("Visit https://a.b/c now.").restore(translation, "de") is None


def test_what_was_not_translated_is_the_source() -> None:
    made = _masked("Come 👍 now {name} please")
    assert made.restore(made.text, "de") == (made.source, False)


def test_another_attempt_has_other_stand_ins() -> None:
    texts = {getattr(mask("Ask {name}.", attempt), "text", "") for attempt in range(len(STAND_INS))}
    assert len(texts) == len(STAND_INS)


def test_a_name_without_a_stand_in_goes_as_it_is() -> None:
    made = _masked("{a} {b} {c} {d} {e} {f}")
    assert made.text.endswith("{e} {f}")
    assert made.restore(made.text + "!", "de") == ("{a} {b} {c} {d} {e} {f}!", False)


@given(PIECES, LANGUAGES, st.integers(0, len(STAND_INS) - 1))
def test_nothing_is_lost_nor_doubled(sentence: str, target: str, attempt: int) -> None:
    """Whatever the model makes of the rest, as long as the stand-ins come out."""
    made = mask(sentence, attempt)
    if made is None:
        return
    words = [word for word, _ in made.names]
    found = made.restore(" ".join(["Ein", *words[::-1], "Satz, der 12 ist."]), target)
    given = " ".join(words)
    if any(given.count(word) > 1 for word in words):
        return
    assert found is not None
    for kept in (*(name for _, name in made.names), *(mark.text for mark in made.marks)):
        assert kept in found[0]
    assert not any(word in found[0] for word, name in made.names if word not in sentence)


@given(PIECES)
def test_parts_concatenate_and_are_shorter(sentence: str) -> None:
    spans = parts(sentence)
    assert "".join(span.text for span in spans) == sentence
    for span in spans:
        assert not span.translatable or span.text != sentence or not _names(sentence)


@given(st.text(), LANGUAGES)
def test_any_text_can_be_masked_and_restored(text: str, target: str) -> None:
    made = mask(text)
    if made:
        assert made.restore(made.text, target) == (text, False)
        made.restore("Something else.", target)


def test_words_that_the_model_cannot_spell_are_names() -> None:
    made = mask("The word 한국어 means H₂O 😀, see {x}.", language="en", knows=str.isascii)
    assert made
    assert made.text == "The word @a1 means @b2, see @c3."
    assert made.restore("Das Wort @a1 heißt @b2, siehe @c3.", "de") == (
        "Das Wort 한국어 heißt H₂O 😀, siehe {x}.", False,
    )  # fmt: skip
    assert [span.text for span in parts("The 한국어 word", str.isascii)] == [
        "The",
        " 한국어 ",
        "word",
    ]
    assert mask("The word 한국어 means Korean.", language="en") is None


def test_the_number_of_a_footnote_is_put_back() -> None:
    made = mask("The meaning¹ is clear.", language="en", knows=str.isascii)
    assert made
    assert (made.text, made.names) == ("The meaning is clear.", ())
    assert made.restore("Meaning is clear", "de") == ("Meaning¹ is clear", True)


def test_nothing_within_a_link_is_foreign() -> None:
    made = mask("See @안녕 and #한국 안녕.", language="en", knows=str.isascii)
    assert made
    assert [name for _, name in made.names] == ["@안녕", "#한국", "안녕"]
