"""What each language adds to the common rules for the end of a sentence.

A full stop ends a sentence unless something here binds it to the next word. The lists hold only
words after which a capital or a digit usually goes on with the same sentence; words such as
"etc." need no entry, because a small letter after a stop never begins a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceRules:
    """Sentence rules of one language; all words are case-folded and lack the final stop."""

    binds: frozenset[str] = frozenset()
    """Abbreviations that belong to the next word: titles, "e.g."."""
    binds_number: frozenset[str] = frozenset()
    """Abbreviations that belong to a number after them: "No. 5", "Fig. 2"."""
    number_endings: tuple[str, ...] = ()
    """Ends of such words: "Hauptstr. 5"."""
    may_bind: frozenset[str] = frozenset()
    """Abbreviations that go on unless a sure beginning is next: "Inc.", "et al."."""
    closes: frozenset[str] = frozenset()
    """Abbreviations that go on with nothing, though a part of one does: "и т. д."."""
    years: frozenset[str] = frozenset()
    """Words in `binds` that may also end a sentence, after a number: "в 1990 г."."""
    starters: frozenset[str] = frozenset()
    """Words that begin a sentence even after an initial, an ordinal, "U.S." or "Inc."."""
    ordinal_stop: bool = False
    """True when a stop after a number makes it an ordinal: "3. Mai"."""
    counted: frozenset[str] = frozenset()
    """Words with a capital before which such a number is an ordinal also where a line begins."""
    quote_goes_on: str = ""
    """Text that, right after a closed quotation, goes on with the same sentence."""


@cache
def rules_for(language: str) -> SentenceRules:
    """Return the rules of `language`, or the common ones for a language without any.

    A variety ("pt-BR") has those of its language.
    """
    language = language.partition("-")[0]
    row = _ROWS.get(language, {})
    return SentenceRules(
        binds=_COMMON_BINDS | _words(row.get("binds", "")),
        binds_number=_COMMON_NUMBER | _words(row.get("number", "")),
        number_endings=tuple(row.get("number_endings", "").split()),
        may_bind=_COMMON_MAY_BIND | _words(row.get("may_bind", "")),
        closes=_words(row.get("closes", "")),
        years=_words(row.get("years", "")),
        starters=_words(row.get("starters", "")),
        ordinal_stop=language in _ORDINAL_STOP,
        counted=_words(_COUNTED.get(language, "")),
        quote_goes_on=_QUOTE_GOES_ON.get(language, ""),
    )


def _words(line: str) -> frozenset[str]:
    return frozenset(line.casefold().split())


_COMMON_BINDS = _words("dr mr mrs ms prof st v vs e.g i.e cf")
_COMMON_NUMBER = _words("no nr p pp fig vol art tel ca op max min")
_COMMON_MAY_BIND = _words("al inc ltd corp co")

_ORDINAL_STOP = frozenset({"de", "pl", "tr"})

# Only what hardly ever begins an item of a numbered list.
_COUNTED = {
    "de": "januar jänner februar feber märz april mai juni juli august september oktober "
    "november dezember jan jän feb mär mrz apr jun jul aug sep sept okt nov dez "
    "jahrtausend jahrhundert jahrhunderts jh jahrzehnt jahr jahrestag geburtstag "
    "todestag hochzeitstag tag woche monat quartal halbjahr schuljahr lehrjahr "
    "semester trimester klasse jahrgang stunde halbzeit spieltag runde etappe "
    "wahlgang lesung platz rang liga bundesliga kreisklasse weltkrieg advent "
    "adventssonntag weihnachtstag weihnachtsfeiertag fc fsv ffc mannschaft "
    "vorsitzende vorsitzender stock stockwerk etage obergeschoss untergeschoss og ug "
    "kapitel akt szene strophe staffel auflage sinfonie symphonie "
    "bezirk senat strafsenat zivilsenat division armee korps mose samuel könige "
    "korinther",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października "
    "listopada grudnia dywizja korpus armia",
    "tr": "dünya lig ordu kolordu yüzyıl bölüm ünite sınıf gün hafta dönem tur madde",
}

# Regular expressions, matched where the quotation has closed.
_QUOTE_GOES_ON = {
    "ja": r"(?:と|って|という)",
    "zh": r"[^。！？\n]{0,3}[说說道问問喊叫答想]",
}

_ROWS: dict[str, dict[str, str]] = {
    "en": {
        "binds": "messrs mmes sr jr rev hon gen col lt sgt capt cpl maj adm gov sen rep pres mt ft "
        "ave dept approx incl esp viz",
        "number": "nos vols figs ch chap sec eq ed jan feb mar apr jun jul aug sept sep oct nov "
        "dec c ext blvd mon tue tues thu thur thurs fri",
        "starters": "the this that these those it he she we they i you but and so then there in "
        "on at when while after before if what who why how my his her our their yes no not",
    },
    "de": {
        "binds": "hr hrn fr frl dipl ing mag hl ev kath bzw z.b d.h u.a v.a i.d.r s.o s.u z.t o.g "
        "z d h u a o v i vgl inkl exkl ggf evtl sog bspw zzgl abzgl einschl geb gest phil rer med "
        "jur nat str mio mrd tsd stellv allg amtl städt ehem jr dt engl franz lat bes insb "
        "fa inh abt z.hd i.v.m i.s.d i.d.f i.h.v",
        "number": "nrn s abs kap bd aufl jg tab abb anm az tsd §§ jan feb mär apr jun jul aug "
        "sept sep okt nov dez rd mo.-fr mo.-sa mo.-so sa.-so",
        "number_endings": "str",
        "starters": "das die der den dem ein eine es er sie wir ihr ich du aber und doch dann da "
        "dort hier wenn als nach vor im in am auf mit so was wer wie warum nun auch nicht man "
        "mein sein unser dieser diese dieses danach dabei seitdem",
    },
    "fr": {
        "binds": "m mm mme mmes mlle mlles me mgr pr ste sts éd env p.ex ex cie bd boul av apr",
        "number": "n fasc chap janv févr avr juil sept oct nov déc t tél",
        "may_bind": "j.-c",
        "starters": "le la les l un une des il elle ils elles nous vous je tu on ce cette ces "
        "c mais et puis alors dans en à au quand si que qui pourquoi comment mon son notre leur",
    },
    "es": {
        "binds": "sr sra sres sras srta d dª dña dn fco lic ing arq gral cap cnel excmo excma "
        "ilmo ilma ud uds vd vds sto sta p.ej ej av avda admón cía ee ff",
        "number": "núm pág págs cap vol n tfno c tlf aprox máx mín",
        "starters": "el la los las un una unos unas lo él ella ellos ellas nosotros yo tú usted "
        "es esto eso este esta pero y entonces en cuando si qué quién por cómo mi su nuestro no",
    },
    "it": {
        "binds": "sig sigg sig.ra sig.na sigra sigrina dott dott.ssa dottssa avv ing arch geom rag "
        "on sen gen col cap ten ss s egr gent spett es p.es ecc.mo",
        "number": "pag pagg cap tav n gen feb mar apr mag giu lug ago sett ott nov dic sec",
        "starters": "il lo la i gli le l un una uno è egli lui lei loro noi voi io tu ma e poi "
        "allora nel in quando se che chi perché come questo questa mio suo nostro non",
    },
    "pt": {
        "binds": "sr sra srs sras srta dra profa d eng arq exmo exma ilmo ilma sto sta v.exa "
        "p.ex ex av pe gen cel cap",
        "number": "núm pág págs cap n vol jan fev abr mai jun jul ago set out nov dez séc "
        "aprox máx mín",
        "starters": "o a os as um uma ele ela eles elas nós eu tu você é isto isso este esta mas "
        "e então em no na quando se que quem por como meu seu nosso não",
    },
    "ru": {
        "binds": "г гг г-н г-жа гр им ул пр просп пл пер наб д стр корп кв т.е т.н т р оз "
        "акад доц инж тов св напр проф долл ред изд обл респ рис см ср",
        "number": "гл ч п пп ст с табл илл тыс млн млрд руб № янв февр апр авг сент окт нояб дек "
        "тел макс мин",
        "closes": "т.д т.п",
        "years": "г гг",
        "starters": "это этот эта эти он она оно они мы вы я ты но и а так потом затем там здесь "
        "в на когда если что кто почему как мой его её наш их не да нет",
    },
    "uk": {
        "binds": "м р п пан вул просп пл пров буд кв тобто т.з ім акад доц інж тов св напр проф "
        "ред вид обл див пор о",
        "number": "гл ч пп ст с табл рис тис млн млрд грн № січ лют бер квіт трав черв лип серп "
        "вер жовт лист груд тел макс мін",
        "closes": "т.д т.п",
        "years": "р",
        "starters": "це цей ця ці він вона воно вони ми ви я ти але і та а так потім там тут у в "
        "на коли якщо що хто чому як мій його її наш їх не так ні",
    },
    "pl": {
        "binds": "p pp ds ob ks bp św mgr inż hab doc dyr red płk gen kpt por ul al pl os m.in np "
        "tzw tzn im pt wg ww zob por s.a o prof.dr godz",
        "number": "r s str rozdz t poz ust zł tys mln mld ok sty lut kwi maj cze lip sie wrz paź "
        "lis gru wyd",
        "starters": "to ten ta te on ona ono oni one my wy ja ty ale i a więc potem tam tu w na "
        "kiedy gdy jeśli co kto dlaczego jak mój jego jej nasz ich nie tak",
    },
    "nl": {
        "binds": "dhr mevr mej drs ir mw ds jhr bv b.v bijv bijv.v d.w.z m.a.w o.a t.a.v i.p.v "
        "z.g zgn resp incl excl ing evt a.d v.d m.b.t",
        "number": "blz pag hfst afb jan feb mrt apr jun jul aug sept okt nov dec eeuw",
        "starters": "de het een dit dat deze die hij zij ze wij we jullie ik jij je maar en toen "
        "dan daar hier in op als wat wie waarom hoe mijn zijn haar ons niet er",
    },
    "tr": {
        "binds": "sn av doç yrd yard uzm öğr gör arş alb bşk gn müh mim sok cad mah apt bkz örn "
        "vb.ve hz",
        "number": "s sf cilt md bl tic şti yy",
        "starters": "bu şu o onlar biz siz ben sen ama ve sonra orada burada bir eğer ne kim "
        "neden nasıl benim onun bizim çünkü fakat ancak",
    },
    "ar": {"binds": "د أ م ا ص ب س ج ت ه ش ق.م أ.د", "number": "ص ج رقم ط ع ف"},
    "ko": {},
    "ja": {},
    "zh": {},
}
