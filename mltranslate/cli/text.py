"""`mltranslate text`: translate arguments or stdin."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mltranslate.cli.interrupt import interruptible
from mltranslate.cli.progress import ProgressBar
from mltranslate.cli.search import add_search_options, check_search_options, search_of
from mltranslate.cli.streams import (
    checked_arguments,
    complain,
    decoded,
    lines_of,
    standard_input,
    whole_lines,
    write,
    write_json,
)
from mltranslate.errors import LanguageError
from mltranslate.languages import describe
from mltranslate.limits import MAX_DEFAULT_THREADS
from mltranslate.text.spans import gap
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
    from mltranslate.pipeline import Translator

_AUTO = "auto"
_SAMPLE = 6000
"""Characters of stdin that decide its language; until they are read, each block may correct it."""

_MEANINGS = {
    Caution.LOOP: "a sentence still repeats itself after a second try",
    Caution.LENGTH: "a sentence is implausibly long or short for its source",
    Caution.SPLIT: "a sentence was translated in pieces: too long, or around a link or code",
    Caution.PLACED: "an emoji, tag or sign was put back at a guessed place, or a number mended",
    Caution.NUMBERS: "a number of the source is not in the translation; compare",
    Caution.LOW_CONFIDENCE: "the source language is uncertain; name it with --from",
    Caution.UNTRANSLATED: "nothing was translated: no language, or already the target language",
    Caution.UNOFFERED: "a text is in a language that no pack in use has ({}) and was left alone",
    Caution.OFF_TARGET: "the result does not seem to be in the target language",
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
    add_search_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a text or line")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Translate what the options say; the exit code."""
    from mltranslate.pipeline import Translator

    check_search_options(options)
    translator = Translator(options.pack, options.device, options.threads, options.precision)
    job = _Job(translator, options)
    try:
        if options.text:
            job.translate_arguments(checked_arguments(options.text))
        else:
            job.translate_stdin()
    finally:
        job.bar.clear()
    job.report()
    return 0


class _Job:
    """One run of the command: what to translate with, and what was noticed on the way."""

    def __init__(self, translator: Translator, options: argparse.Namespace) -> None:
        self.bar = ProgressBar()
        self._translator = translator
        self._options = options
        self._search = search_of(options)
        self._source = ""
        self._sample = ""
        self._detection: Detection | None = None
        self._finished = 0
        self._lines = 0
        """Of stdin, where the output does not number them."""
        self._written = 0
        self._seen: set[Caution] = set()
        self._foreign: dict[str, None] = {}
        """Names of the languages that no pack has."""
        self._ways: dict[str, None] = {}
        """How texts were translated; none while none was."""

    def translate_arguments(self, texts: Sequence[str]) -> None:
        """Translate the arguments together; each is detected by itself."""
        self._settle_languages()
        for result in self._translate(texts, self._source or _AUTO, show_total=True):
            self._show(result)

    def translate_stdin(self) -> None:
        """Translate stdin as it comes, block by block, in bounded memory."""
        self._settle_languages()
        if self._options.json or self._options.n_best != 1:
            for text in whole_lines(decoded(standard_input())):
                for result in self._translate(lines_of(text), self._source_of(text)):
                    self._show(result)
            return
        before = "\n"
        for text in whole_lines(decoded(standard_input()), self._language):
            result = self._translate([text], self._source_of(text))[0]
            write(gap(before, text, result.target) + result.text)
            self._lines += len(text.splitlines())
            before = text

    def report(self) -> None:
        """Say on stderr what the reader of the plain text should know; people learn the way too."""
        if self._options.json:
            return
        where = " (--json tells in which line)" if self._lines > 1 else ""
        if self._ways or self._foreign:
            self._seen.discard(Caution.UNTRANSLATED)
        if sys.stderr.isatty():
            for way in self._ways:
                complain(way)
        for caution in sorted(self._seen):
            meaning = _MEANINGS[caution].format(", ".join(self._foreign))
            complain(f"warning: {meaning}{where}")

    def _show(self, result: Translation) -> None:
        """Write the result of one text, or of one line of stdin."""
        self._written += 1
        if self._options.json:
            write_json(record(result))
        elif self._options.n_best != 1:
            write(listed(self._written, result))
        else:
            write(result.text if result.text.endswith("\n") else result.text + "\n")

    def _translate(
        self, texts: Sequence[str], source: str | Detection, *, show_total: bool = False
    ) -> list[Translation]:
        def show(progress: Progress) -> None:
            total = progress.total if show_total else None
            self.bar.update(self._finished + progress.done, total)
            if progress.done == progress.total:
                self._finished += progress.total

        def work(cancel: CancelToken) -> list[Translation]:
            return self._translator.translate(
                texts, self._options.target, source, cancel=cancel, progress=show, **self._search
            )

        results = interruptible(work)
        self.bar.clear()
        for result in results:
            self._seen.update(result.warnings)
            if Caution.UNOFFERED in result.warnings:
                self._foreign[describe(result.source).name] = None
            if result.route:
                self._ways[way_of(result)] = None
        return results

    def _settle_languages(self) -> None:
        """Resolve languages before anything is read: wrong ones are refused on no input, too."""
        self._options.target = self._meant(self._options.target)
        if self._options.source.casefold() == _AUTO:
            self._source = ""
        else:
            self._source = self._meant(self._options.source)

    def _meant(self, spelling: str) -> str:
        """Code of a language on offer; where one pack was named, an error names another with it."""
        from mltranslate.languages import resolve

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
    return f"{' to '.join(result.route)} with {result.pack} ({result.device}, {result.precision})"


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
