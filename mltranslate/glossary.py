"""Glossaries: which words of a text are to become which words of its translation.

A file is UTF-8 text with a line for each term: source term, tab, target term, and, where it is not
for all languages, tab, source language, tab, target language. Empty lines and those that begin
with "#" say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mltranslate.errors import InputError, LanguageError, reason
from mltranslate.languages import covers, resolve, tag_of
from mltranslate.limits import MAX_GLOSSARY_BYTES, MAX_TERM_CHARACTERS
from mltranslate.text.casing import is_shouted
from mltranslate.text.terms import TermIndex, flat, is_word, one_line

_COLUMNS = (2, 4)
_LINE_ENDS = re.compile(r"\r\n|\n|\r")
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Term:
    """A term and how it is to be translated; both on one line and in NFC."""

    source: str
    target: str
    source_language: str = ""
    """Code of the language that it is for; empty: all."""
    target_language: str = ""
    """Tag of the language or variety, such as pt-BR, that it is for; empty: all."""

    def serves(self, source: str, target: str) -> bool:
        """Whether it is for translations from `source` into `target`."""
        return _serves(self.source_language, source) and _serves(self.target_language, target)

    @property
    def _closeness(self) -> tuple[int, bool]:
        """Larger for what names more languages, then for what names a variety."""
        named = bool(self.source_language) + bool(self.target_language)
        return named, "-" in self.target_language


@dataclass(frozen=True, slots=True)
class _Serving:
    """The terms for one direction, by their sources."""

    index: TermIndex
    terms: dict[str, Term]


class Glossary:
    """Terms to keep to; unchanging, and safe to use from several threads."""

    def __init__(self, terms: Iterable[Term | tuple[str, ...]]) -> None:
        """Take terms, or tuples of what the columns of a file hold.

        Raises InputError, which counts the terms from 1, for one that makes no sense or says
        something else than one before it.
        """
        rows = ((at, _columns(one, f"term {at}")) for at, one in enumerate(terms, start=1))
        self.terms = tuple(_checked(rows, "term"))
        """All terms in their order, equal ones once."""
        self._directions: dict[tuple[str, str], _Serving] = {}

    @classmethod
    def read(cls, path: str | Path) -> Glossary:
        """Read a file; InputError, which names file and line, where it cannot be understood."""
        return cls.parse(_text_of(Path(path)), str(path))

    @classmethod
    def parse(cls, text: str, name: str = "the glossary") -> Glossary:
        """Take the text of a file, which errors call `name`."""
        lines = enumerate(_LINE_ENDS.split(text.removeprefix("\ufeff")), start=1)
        rows = ((at, tuple(line.split("\t"))) for at, line in lines if _says_something(line))
        return cls(_checked(rows, f"{name}, line"))

    def to_tsv(self) -> str:
        """Return the text of a file with these terms."""
        rows = (
            (one.source, one.target, one.source_language, one.target_language)
            if one.source_language or one.target_language
            else (one.source, one.target)
            for one in self.terms
        )
        return "".join("\t".join(row) + "\n" for row in rows)

    def terms_in(self, text: str, source: str, target: str) -> tuple[Term, ...]:
        """Return the terms for this direction that stand in `text`, each once, by place.

        `target` is the variety, where one was asked for: terms for a variety are for it alone.
        None is looked for in links, code and placeholders.
        """
        serving = self._serving(source, target)
        if not serving.terms:
            return ()
        words = flat(text, with_names=False)
        found = serving.index.find(words, source, shouted=is_shouted(words))
        return tuple(dict.fromkeys(serving.terms[one.term] for one in found))

    def _serving(self, source: str, target: str) -> _Serving:
        known = self._directions.get((source, target))
        if known is None:
            # The last one of a word counts: what was said for these languages alone.
            serving = sorted(
                (one for one in self.terms if one.serves(source, target)),
                key=lambda one: one._closeness,
            )
            terms = {one.source: one for one in serving}
            known = self._directions[source, target] = _Serving(TermIndex(terms), terms)
        return known


def terms_of(terms: Sequence[Term], text: str, language: str) -> tuple[Term, ...]:
    """Return those of `terms` whose source stands in `text`, a part of a sentence."""
    index = TermIndex(one.source for one in terms)
    found = {one.term for one in index.find(flat(text), language, shouted=True)}
    return tuple(one for one in terms if one.source in found)


def missing(terms: Sequence[Term], text: str, language: str, *, shouted: bool) -> tuple[Term, ...]:
    """Return those of `terms` whose target does not stand in `text`, a translation.

    `shouted` says that its source is in capitals.
    """
    if not terms:
        return ()
    index = TermIndex(one.target for one in terms)
    texts = (one_line(text), flat(text))  # markup, that was put back, may stand within a term
    said = {term for form in texts for term in index.said(form, language, shouted=shouted)}
    return tuple(one for one in terms if one.target not in said)


def _serves(language: str, code: str) -> bool:
    return not language or covers(language, code)


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_GLOSSARY_BYTES + 1)
        if len(data) > MAX_GLOSSARY_BYTES:
            raise InputError(
                f"the glossary {path} is too large",
                why=f"it has more than {MAX_GLOSSARY_BYTES:,} bytes",
                fix="Leave out what is not needed",
            )
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}, is not valid UTF-8",
            why=f"byte 0x{data[error.start]:02x} at offset {error.start}",
            fix="Save the file as UTF-8",
        ) from error
    except OSError as error:
        raise InputError(
            f"the glossary {path} cannot be read", why=reason(error), fix="Name a readable file"
        ) from error


def _columns(one: object, place: str) -> tuple[str, ...]:
    """What a file would have in its columns for a term."""
    row: tuple[object, ...]
    if isinstance(one, Term):
        row = (one.source, one.target, one.source_language, one.target_language)
    else:
        row = tuple(one) if isinstance(one, Iterable) and not isinstance(one, str) else (one,)
    for column in row:
        if not isinstance(column, str):
            raise InputError(
                f"{place}: {column!r} is no text",
                why="a term is 2 or 4 strings",
                fix="Write: source term, target term, and perhaps 'de', 'en', with '' for all",
            )
    return tuple(map(str, row))


def _checked(rows: Iterable[tuple[int, tuple[str, ...]]], place: str) -> Iterator[Term]:
    """Yield each term once; `place` and the number of a row tell where a bad one is."""
    targets: dict[tuple[str, str, str], tuple[str, int]] = {}
    for number, row in rows:
        term = _term(row, f"{place} {number}")
        key = (term.source, term.source_language, term.target_language)
        known, before = targets.setdefault(key, (term.target, number))
        if known != term.target:
            unit = place.rpartition(" ")[2]
            raise InputError(
                f"{place} {number}: {term.source!r} is there twice",
                why=f"{unit} {before} says {known!r}, and here it is {term.target!r}",
                fix="Keep one of them",
            )
        if before == number:
            yield term


def _term(row: tuple[str, ...], place: str) -> Term:
    if len(row) not in _COLUMNS:
        raise InputError(
            f"{place}: {len(row)} {'column' if len(row) == 1 else 'columns'}",
            why="a term has 2 or 4, with tabs between",
            fix="Write: source term, tab, target term, and perhaps tab, de, tab, en",
        )
    source = _fit(row[0], place, flat)
    target = _fit(row[1], place, one_line)
    if source.startswith("#"):
        raise InputError(f"{place}: a term begins with '#'", fix="Leave it out: '#' is a comment")
    # Which variety a text is read in is seldom known; which one to write is asked for.
    means = (resolve, tag_of)
    languages = (_language(*one, place) for one in zip(row[2:], means, strict=False))
    return Term(source, target, *languages)


def _fit(text: str, place: str, plain: Callable[[str], str]) -> str:
    """The term as it is looked for, which `plain` no longer changes."""
    if _UNFIT.search(text):
        raise InputError(f"{place}: a term is no line of text", fix="Leave out control characters")
    term = text
    while (plainer := plain(term)) != term:
        term = plainer
    if not any(map(is_word, term)):
        raise InputError(f"{place}: a term has no letter or digit", fix="Give one, or leave it out")
    if len(term) > MAX_TERM_CHARACTERS:
        raise InputError(
            f"{place}: a term is too long",
            why=f"it has {len(term)} characters, and a term may have {MAX_TERM_CHARACTERS}",
            fix="Shorten it",
        )
    return term


def _language(spelling: str, meant: Callable[[str], str], place: str) -> str:
    """What a spelling means; empty for all."""
    text = spelling.strip()
    try:
        return meant(text) if text else ""
    except LanguageError as error:
        raise InputError(f"{place}: {error.what}", why=error.why, fix=error.fix) from error
