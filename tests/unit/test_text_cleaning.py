import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.text.cleaning import clean, readable


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("ﬁnd the ﬂag", "find the flag"),
        ("The oﬃce, the waﬄe, oﬀ, ﬅ, ﬆ", "The office, the waffle, off, st, st"),
        ("a\ufeff house", "a house"),
        ("so\u00adft zero\u200bwidth no\u2060break", "soft zerowidth nobreak"),
        ("20 km² of H₂O, “ﬁn”", "20 km² of H₂O, “fin”"),
        ("\ufeff", ""),
        ("un caf&eacute;, s&#039;il vous pla&#xEE;t", "un café, s'il vous plaît"),
        ("&bdquo;Gr&ouml;&szlig;e&ldquo; &ndash; l&rsquo;un", "„Größe“ – l’un"),
        ("R&amp;D &lt;b&gt; &amp;eacute; &#38; &#65; &nosuch; &#9999999;",) * 2,
    ],
)
def test_ligatures_are_letters_and_what_shows_nothing_is_nothing(text: str, read: str) -> None:
    assert readable(text) == read


@given(st.text("aé&#e;cut1 \u0301\ufb01\u00ad\ufeff\u200b\n中", max_size=20))
def test_what_is_read_is_clean(text: str) -> None:
    assert clean(readable(text)) == readable(text) == readable(readable(text))
