"""`mltranslate text`: translate arguments or stdin."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mltranslate.cli.interrupt import interruptible
from mltranslate.cli.progress import ProgressBar
from mltranslate.cli.search import add_search_options, search_of
from mltranslate.cli.streams import (
    LONG_LINE,
    checked_arguments,
    complain,
    decoded,
    lines_of,
    standard_input,
    whole_lines,
    write,
    write_json,
)
from mltranslate.errors import LanguageError, UsageError
from mltranslate.languages import asked_variety, describe
from mltranslate.limits import MAX_DEFAULT_THREADS
from mltranslate.text.spans import gap
from mltranslate.text.verbatim import Run, runs_of_blocks, whole_kept
from mltranslate.types import (
    UNDETERMINED,
    Alternative,
    CancelToken,
    Caution,
    Detection,
    Progress,
    Translation,
)

if TYPE_CHECKING:
    from mltranslate.glossary import Glossary
    from mltranslate.pipeline import Translator

_AUTO = "auto"
_NAMED = 20
"""Languages or terms that a warning names at most."""
_SAMPLE = 6000
"""Characters of stdin that decide its language; until they are read, each block may correct it."""

_LONG_BLOCK = 2**20
"""Characters of code after which, by paragraphs, the end of its block is not waited for."""

_NO_LANGUAGE = Detection(language=UNDETERMINED, confidence=1.0)

_MEANINGS = {
    Caution.LOOP: "a sentence still repeats itself after a second try",
    Caution.LENGTH: "a sentence is implausibly long or short for its source",
    Caution.SPLIT: "a sentence was translated in pieces: too long, or around a link or code",
    Caution.PLACED: "an emoji, tag or sign was put back at a guessed place, or a number mended",
    Caution.NUMBERS: "a number of the source is not in the translation; compare",
    Caution.CHARACTERS: "the model wrote broken characters, which were left out; compare",
    Caution.LOW_CONFIDENCE: "the source language is uncertain; name it with --from",
    Caution.UNTRANSLATED: "nothing was translated: no language, or already the target language",
    Caution.REWRITTEN: "nothing was translated, only rewritten in the characters asked for",
    Caution.UNOFFERED: "a text is in a language that no pack in use has ({}) and was left alone",
    Caution.GLOSSARY: "the translation lacks what the glossary asks for: {}",
    Caution.OFF_TARGET: "the result does not seem to be in the target language",
    Caution.VARIETY: "no pack in use promises {}",
}

Commands = Any  # argparse keeps the type of its sub-parsers to itself


def register(commands: Commands) -> None:
    """Add this sub-command to the parser."""
    parser = commands.add_parser(
        "text",
        help="translate text",
        description="Translate each TEXT, or stdin line by line, to stdout.",
    )
    parser.add_argument("text", nargs="*", metavar="TEXT", help="text; stdin when there is none")
    parser.add_argument(
        "--from", dest="source", default=_AUTO, metavar="LANG", help="source language (auto)"
    )
    parser.add_argument(
        "--to", dest="target", required=True, metavar="LANG", help="target language"
    )
    parser.add_argument("--pack", help="name or folder of a pack (all together)")
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to run (auto)"
    )
    parser.add_argument(
        "--precision", choices=("fp32", "fp16", "int8"), help="precision (best for the device)"
    )
    parser.add_argument(
        "--threads", type=int, metavar="N", help=f"CPU threads (all, at most {MAX_DEFAULT_THREADS})"
    )
    parser.add_argument(
        "--glossary", metavar="FILE", help="terms with their translations, tabs between"
    )
    parser.add_argument(
        "--no-phrasebook",
        dest="phrasebook",
        action="store_false",
        help="look up no phrase in the phrasebook of a pack: the model translates all",
    )
    parser.add_argument(
        "--by-paragraph",
        action="store_true",
        help="detect each paragraph of stdin by itself, not stdin as a whole",
    )
    add_search_options(parser)
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a text, line or paragraph"
    )
    parser.add_argument(
        "--stream",
        action="store_true",
        help='with --json, of each TEXT {"draft": …} lines as its translation grows',
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Translate what the options say; the exit code."""
    from mltranslate.pipeline import Translator

    search = search_of(options)
    _check_by_paragraph(options)
    _check_stream(options)
    search["glossary"] = _glossary(options.glossary)
    translator = Translator(
        options.pack, options.device, options.threads, options.precision,
        phrasebook=options.phrasebook,
    )  # fmt: skip
    job = _Job(translator, options, search)
    try:
        if options.text:
            job.translate_arguments(checked_arguments(options.text))
        elif options.by_paragraph:
            job.translate_paragraphs()
        else:
            job.translate_stdin()
    finally:
        job.bar.clear()
    job.report()
    return 0


def _check_by_paragraph(options: argparse.Namespace) -> None:
    """Raise UsageError where --by-paragraph would do nothing."""
    if not options.by_paragraph:
        return
    if options.text:
        raise UsageError(
            "--by-paragraph is for stdin",
            why="every TEXT is detected by itself anyway",
            fix="Leave it out",
        )
    if options.source.casefold() != _AUTO:
        raise UsageError(
            "--by-paragraph detects languages, and --from names one", fix="Leave one of them out"
        )


def _check_stream(options: argparse.Namespace) -> None:
    """Raise UsageError where --stream would do nothing."""
    if options.stream and not options.json:
        raise UsageError("drafts of a translation are not plain text", fix="Add --json")
    if options.stream and not options.text:
        raise UsageError("--stream is for TEXT arguments", fix="Give TEXT, or leave it out")


def _paragraphs(runs: Sequence[Run]) -> list[Run]:
    """Cut what is prose of `runs` into paragraphs."""
    from mltranslate.detect.paragraphs import cut_paragraphs

    return [(part, kept) for run, kept in runs for part in ([run] if kept else cut_paragraphs(run))]


class _Job:
    """One run of the command: what to translate with, and what was noticed on the way."""

    def __init__(
        self, translator: Translator, options: argparse.Namespace, search: dict[str, Any]
    ) -> None:
        self.bar = ProgressBar()
        self._translator = translator
        self._options = options
        self._search = search
        self._source = ""
        self._target = ""
        self._sample = ""
        self._detection: Detection | None = None
        self._finished = 0
        self._lines = 0
        """Of stdin, where the output does not number them."""
        self._written = 0
        self._seen: set[Caution] = set()
        self._foreign: dict[str, None] = {}
        """Names of the languages that no pack has."""
        self._varieties: dict[str, None] = {}
        """What was asked for, and in which varieties texts came out."""
        self._missing: dict[str, None] = {}
        """Terms of the glossary that translations lack."""
        self._ways: dict[str, None] = {}
        """How texts were translated; none while none was."""

    def translate_arguments(self, texts: Sequence[str]) -> None:
        """Translate the arguments together, or one by one; each is detected by itself."""
        self._settle_languages()
        for group in [[text] for text in texts] if self._options.stream else [texts]:
            for result in self._translate(group, self._source or _AUTO, show_total=True):
                self._show(result)

    def translate_stdin(self) -> None:
        """Translate stdin as it comes, block by block, in bounded memory."""
        self._settle_languages()
        if self._options.json or self._options.n_best != 1:
            for runs in runs_of_blocks(whole_lines(decoded(standard_input()))):
                lines = [(line, kept) for run, kept in runs for line in lines_of(run)]
                for result in self._results(lines, runs):
                    self._show(result)
            return
        before = "\n"
        for runs in runs_of_blocks(whole_lines(decoded(standard_input()), self._language)):
            for (run, kept), result in zip(runs, self._results(runs, runs), strict=True):
                write(result.text if kept else gap(before, run, result.target) + result.text)
                self._lines += len(run.splitlines())
                before = run

    def translate_paragraphs(self) -> None:
        """Translate stdin as it comes, each paragraph from its own language."""
        from mltranslate.detect.paragraphs import ParagraphLanguages, whole_paragraphs

        self._settle_languages()
        languages = ParagraphLanguages()
        lines = whole_lines(decoded(standard_input()))
        blocks = runs_of_blocks(whole_paragraphs(lines, LONG_LINE))
        for runs in whole_kept(blocks, _LONG_BLOCK):
            parts = _paragraphs(runs)
            found = languages.settle([self._candidates(part, kept) for part, kept in parts])
            if self._options.json or self._options.n_best != 1:
                shown = [place for place, (part, _) in enumerate(parts) if not part.isspace()]
                texts = [parts[place][0].strip("\r\n") for place in shown]
                for result in self._translate(texts, [found[place] for place in shown]):
                    self._show(result)
                continue
            self._lines += sum(not part.isspace() for part, _ in parts)
            for result in self._translate([part for part, _ in parts], found):
                write(result.text)

    def report(self) -> None:
        """Say on stderr what the reader of the plain text should know; people learn the way too."""
        if self._options.json:
            return
        unit = "paragraph" if self._options.by_paragraph else "line"
        where = f" (--json tells in which {unit})" if self._lines > 1 else ""
        if self._ways or self._foreign or Caution.REWRITTEN in self._seen:
            self._seen.discard(Caution.UNTRANSLATED)
        if self._ways:
            self._seen.discard(Caution.REWRITTEN)
        if sys.stderr.isatty():
            for way in self._ways:
                complain(way)
        named = {
            Caution.UNOFFERED: self._foreign,
            Caution.VARIETY: self._varieties,
            Caution.GLOSSARY: self._missing,
        }
        for caution in sorted(self._seen):
            meaning = _MEANINGS[caution].format(_listing([*named.get(caution, ())]))
            hint = self._hint() if caution in (Caution.UNTRANSLATED, Caution.REWRITTEN) else ""
            complain(f"warning: {meaning}{hint}{where}")

    def _hint(self) -> str:
        """What helps where stdin as a whole was taken for text in the target language."""
        found = self._detection.language if self._detection else ""
        several = found == self._target and self._lines > 1
        return "; for several languages: --by-paragraph" if several else ""

    def _show(self, result: Translation) -> None:
        """Write the result of one text, or of one line of stdin."""
        self._written += 1
        if self._options.json:
            write_json(record(result))
        elif self._options.n_best != 1:
            write(listed(self._written, result))
        else:
            write(result.text if result.text.endswith("\n") else result.text + "\n")

    def _show_draft(self, text: str) -> None:
        self.bar.clear()
        write_json({"draft": text})

    def _translate(
        self,
        texts: Sequence[str],
        source: str | Detection | Sequence[Detection],
        *,
        show_total: bool = False,
    ) -> list[Translation]:
        def show(progress: Progress) -> None:
            total = progress.total if show_total else None
            self.bar.update(self._finished + progress.done, total)
            if progress.done == progress.total:
                self._finished += progress.total

        def work(cancel: CancelToken) -> list[Translation]:
            return self._translator.translate(
                texts, self._options.target, source, cancel=cancel, progress=show, draft=draft,
                **self._search,
            )  # fmt: skip

        draft = self._show_draft if self._options.stream else None
        results = interruptible(work)
        self.bar.clear()
        for result in results:
            self._seen.update(result.warnings)
            if Caution.UNOFFERED in result.warnings:
                self._foreign[describe(result.source).name] = None
            self._missing |= dict.fromkeys(result.missing_terms)
            if Caution.VARIETY in result.warnings:
                self._varieties[variety_of(result, self._options.target)] = None
            if result.route:
                self._ways[way_of(result)] = None
        return results

    def _results(self, parts: Sequence[Run], block: Sequence[Run]) -> list[Translation]:
        """Translate the `parts` of a `block` of stdin; those to keep are no language."""
        prose = "".join(run for run, kept in block if not kept)
        found: dict[bool, Iterator[Translation]] = {}
        for kind in sorted({kept for _, kept in parts}):
            source = _NO_LANGUAGE if kind else self._source_of(prose)
            texts = [part for part, kept in parts if kept == kind]
            found[kind] = iter(self._translate(texts, source))
        return [next(found[kept]) for _, kept in parts]

    def _candidates(self, paragraph: str, kept: bool) -> list[Detection]:
        from mltranslate.detect.paragraphs import CANDIDATES

        return [_NO_LANGUAGE] if kept else self._translator.candidates(paragraph, CANDIDATES)

    def _settle_languages(self) -> None:
        """Resolve languages before anything is read: wrong ones are refused on no input, too."""
        self._target = self._meant(self._options.target)
        if self._options.source.casefold() == _AUTO:
            self._source = ""
        else:
            self._source = self._meant(self._options.source)

    def _meant(self, spelling: str) -> str:
        """Code of a language on offer; where one pack was named, an error names another with it."""
        from mltranslate.languages import resolve

        if spelling.casefold() == _AUTO:
            raise LanguageError("auto is for --from only", fix="Name the target language: --to de")
        try:
            return resolve(spelling, self._translator.languages)
        except LanguageError as error:
            if self._options.pack is not None and (other := _pack_with(spelling)):
                fix = f"{error.fix}, or take another pack: --pack {other}"
                raise LanguageError(error.what, why=error.why, fix=fix) from None
            raise

    def _language(self) -> str:
        if self._source or self._detection is None:
            return self._source
        return self._detection.language

    def _source_of(self, text: str) -> str | Detection:
        """The language of stdin: given, or detected from as much as was read, up to a limit."""
        if self._source:
            return self._source
        unsure = self._detection is None or self._detection.language == UNDETERMINED
        if unsure or len(self._sample) < _SAMPLE:
            self._sample = text if unsure else self._sample + text
            self._detection = self._translator.detect(self._sample)
            self._sample = self._sample[:_SAMPLE]
        return self._detection or _AUTO


def way_of(result: Translation) -> str:
    """Say in a few words how a text was translated: "fr to en with core 1.0.0 (cpu, int8)"."""
    how = [result.device, result.precision, *(["phrasebook"] if result.phrases else [])]
    return f"{' to '.join(result.route)} with {result.pack} ({', '.join(how)})"


def variety_of(result: Translation, spelling: str) -> str:
    """Name the variety that was asked for, and the one that a text is in."""
    asked = describe(asked_variety(spelling, result.target)).name
    if result.variety:
        return f"{asked}, and a text is in {describe(result.variety).name}"
    language = describe(result.target).name
    return f"{asked}, and it cannot be told which kind of {language} a text is in"


def record(result: Translation) -> dict[str, Any]:
    """Return every field of a result as plain JSON values."""
    return dataclasses.asdict(result)


def listed(number: int, result: Translation) -> str:
    """Return a line for each alternative: number of the text, score, and the text in JSON.

    A text that was not translated is its only one, without a score.
    """
    found = result.alternatives or (Alternative(text=result.text, score=result.score),)
    return "".join(
        f"{number}\t{'' if one.score is None else f'{one.score:.4f}'}"
        f"\t{json.dumps(one.text, ensure_ascii=False)}\n"
        for one in found
    )


def _glossary(path: str | None) -> Glossary | None:
    from mltranslate.glossary import Glossary

    return None if path is None else Glossary.read(path)


def _listing(names: Sequence[str]) -> str:
    """The first of these names, and how many there are more."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _pack_with(spelling: str) -> str:
    """Name of the first pack that has a language, or ""."""
    from mltranslate.languages import resolve
    from mltranslate.packs import list_packs

    for pack in list_packs():
        try:
            resolve(spelling, pack.languages)
        except LanguageError:
            continue
        return pack.name
    return ""
