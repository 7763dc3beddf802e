import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.languages import LANGUAGES
from mltranslate.text.sentences import sentence_starts

# "|" marks where a sentence has ended.
CASES = [
    ("en", "It is late.| We go home."),
    ("en-GB", "Dr. Smith met Mrs. Jones.| Messrs. Brown left."),
    ("en", "Dr. Smith met Mrs. Jones at 5 p.m.| The talk was long."),
    ("en", "The U.S. Army left.| He stayed in the U.S.| It was cold."),
    ("en", "J. R. R. Tolkien wrote it.| C. S. Lewis read it."),
    ("en", "It costs $3.50, i.e. Nothing.| Buy it!| Now?| Yes."),
    ("en", "See Fig. 3 and No. 5.| No.| Really."),
    ("en", "Visit example.com/a.b?c=d.| Or mail a.b@c.org.| Open main.py now."),
    ("en", '"Stop!" he said.| "Why?"| She left.'),
    ("en", "He said: “Stop.”| She did not."),
    ("en", "Well... maybe.| Well...| Then no."),
    ("en", "Wait…| What?!| (He left.)| Fine."),
    ("en", "e.g. this, approx. 5 km, etc. and so on."),
    ("en", "**Bold.**| Next."),
    ("en", "hello!| how are you?| fine"),
    ("de", "Am 3. Mai kam er.| Das war 1990.| Peter ging."),
    ("de", "Im 19. Jahrhundert lebte Ludwig XIV. König von Frankreich."),
    ("de", "Das ist z. B. Herr Dr. Müller, d. h. Nr. 5.| Das ist gut."),
    ("de", "Er kam als 3.| Das war gut."),
    ("de", "„Ja.“| Er ging usw.| Ende."),
    ("fr", "M. Dupont est là.| Bonjour !| Ça va ?| Oui."),
    ("fr", "« Non ! » dit-il.| « Si. »| Mme. Blanc rit."),
    ("de", "Ja!| »Nein!«| »Doch!«| Ende."),
    ("es", "¡Hola!| ¿Qué tal?| El Sr. López y la Sra. Díaz, EE. UU.| Bien."),
    ("it", "Il sig. Rossi è qui.| Perché?| Non so."),
    ("pt", "O Sr. Silva chegou.| A Dra. Ana também.| Sim!"),
    ("nl", "Dhr. De Vries, d.w.z. Jan.| Het regent."),
    ("pl", "Św. Jan żył w 3. Rzeszy.| To był koniec.| Nie?"),
    ("tr", "Sn. Yılmaz 3. Cadde'de oturuyor.| Bu doğru mu?| Evet."),
    ("ru", "— Привет! — сказал он.| И т. д. и т. п.| А. С. Пушкин жил на ул. Мойка.| Да."),
    ("uk", "Це вул. Шевченка.| Так?| О. Кобилянська писала."),
    ("ar", "مرحبا.| كيف حالك؟| أنا د. أحمد."),
    ("ko", "안녕하세요.| 네.| 잘 지내요?| 좋아요!"),
    ("zh", "你好。|再见！|真的吗？|他说……也许吧。"),
    ("zh", "“走吧。”他说。|“好。”|天黑了。"),
    ("zh", "价格是3.5元。|今天很好.|明天呢?|好"),
    ("ja", "元気ですか？|「はい。」と言った。|そうです。"),
    ("ja", "ABC社です。|「行く。」|「待て！」"),
    ("en", "Smith et al. 2019 saw it, on Fri. 5 May, at 77 Sunset Blvd. 500, ext. 55."),
    ("en", "Apple Inc. CEO Cook met Acme Ltd. Chairman Jones.| He left Apple Inc.| The end."),
    ("de", "Es sind max. 5 km, min. 3 m.| Er wohnt Hauptstr. 5.| Das ist seine Straße.| Gut."),
    (
        "de",
        "Prof. h. c. Müller, i. V. m. § 5, z. Hd. Herrn Maier, Bach & Co. KG, Inh. Ina Au.",
    ),
    ("de", "Wir sind Mo.-Fr. 9 bis 17 Uhr da, Fa. Schulz.| Danke."),
    ("fr", "Tél. 01 23 45.| Vers 50 av. J.-C. César vint."),
    ("es", "En el 500 a. C. Roma era así, aprox. 5 km, máx. 9, mín. 3.| Bien."),
    ("pt", "São aprox. 5 km.| Em 500 a. C. Roma caiu."),
    ("ru", "Груши и т. п.| Вася ел.| Груши и т. д.| Он ел.| Там, в 1990 г. Москва, тел. 5-55."),
    ("ru", "Это было в 1990 г.| Он жил в г. Она, макс. 5 лет."),
    (
        "en",
        "It was built in 1990.[12][3]| The next one, St.[a] Paul's, fell.[^n-1]| Why?[2]| Gone.",
    ),
    ("zh", "北京是首都。[4]|它很大。[^a]|真的"),
    ("xx", "Unknown language.| It works."),
]


@pytest.mark.parametrize(("language", "marked"), CASES)
def test_sentences_end_where_they_should(language: str, marked: str) -> None:
    text = marked.replace("|", "")
    ends = list(sentence_starts(text, language))
    found = "|".join(text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True))
    assert found == marked


def test_a_no_break_space_binds() -> None:
    assert list(sentence_starts("Vgl. S.\u00a0Meier.", "de")) == []
    assert list(sentence_starts("Das ist Z.\u202fB. ", "de")) == []


@given(
    st.text(alphabet=st.sampled_from('aB1 .!?…。！"”)(—-,\u00a0')), st.sampled_from([*LANGUAGES])
)
def test_offsets_ascend_inside_the_text(text: str, language: str) -> None:
    offsets = list(sentence_starts(text, language))
    assert offsets == sorted(set(offsets))
    assert all(0 < offset < len(text) for offset in offsets)
