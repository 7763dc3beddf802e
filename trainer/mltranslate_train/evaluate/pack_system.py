"""A pack as a system: through the whole engine, or through its decoder alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mltranslate.cli.interrupt import interruptible
from mltranslate.decode.decoder import Decoder
from mltranslate.decode.types import Hypothesis, Request, Search
from mltranslate.packs.pack import MANIFEST_NAME
from mltranslate.packs.store import find_pack
from mltranslate.pipeline import Translator
from mltranslate.types import CancelToken, Progress, Translation
from mltranslate_train.evaluate.batching import BATCH_TOKENS, length_batches
from mltranslate_train.evaluate.sets import Direction, TestSet
from mltranslate_train.evaluate.systems import Advance, Settings, SystemInfo

_GROWTH, _SLACK = 2, 16
"""Most target tokens of a sentence: twice the source's and a little more."""
_MOST = 1024


class PackSystem:
    """Translates with onnxruntime; raises PackError or DeviceError when it cannot as asked."""

    def __init__(self, pack: str | Path, settings: Settings) -> None:
        self._settings = settings
        self._bare = Search(beam=settings.beam, length_penalty=settings.plain_length_penalty)
        self._pack = find_pack(pack)
        self._decoder = Decoder(
            self._pack, device=settings.device, precision=settings.precision or None,
            threads=settings.threads or None, beam=settings.beam,
        )  # fmt: skip
        self._tokenizer = self._pack.tokenizer()
        self._translator = Translator(decoder=self._decoder, phrasebook=False)  # is no model
        self.directions = sorted(self._pack.directions)
        self.files = (self._pack.folder / MANIFEST_NAME,)  # it has the hashes of all others
        self.room = self._pack.max_source_tokens
        manifest = self._pack.manifest
        self.provenance = {"licence": manifest.licence, **manifest.provenance}

    @property
    def info(self) -> SystemInfo:
        """The pack, and what its graphs really run on."""
        return SystemInfo(
            kind="pack", name=self._pack.name, version=self._pack.version,
            device=self._decoder.device, provider=self._decoder.provider,
            precision=self._decoder.precision, beam=self._settings.beam,
            length_penalty=self._length_penalty(), length_penalties=self._length_penalties(),
            search="bare" if self._settings.bare else "engine",
        )  # fmt: skip

    def _length_penalty(self, target: str = "") -> float:
        """The one that is really used into a language, or into most."""
        asked = self._settings.length_penalty
        if asked is not None or self._settings.bare or self._settings.beam == 1:
            return self._settings.plain_length_penalty
        return self._decoder.usual_length_penalty(target)

    def _length_penalties(self) -> dict[str, float]:
        """Those of the languages that are searched with another one."""
        found = {code: self._length_penalty(code) for code in self._pack.languages}
        most = self._length_penalty()
        return {code: one for code, one in found.items() if one != most}

    def outputs(
        self, dev: TestSet, direction: Direction, sources: Sequence[str], advance: Advance
    ) -> list[str]:
        """Translations of the lines of a set."""
        return self.translate(sources, direction, advance)

    def translate(
        self, sources: Sequence[str], direction: Direction, advance: Advance
    ) -> list[str]:
        """Translations in order; raises LanguageError for a direction that the pack lacks."""
        search = self._decode if self._settings.bare else self._through_engine
        return search(sources, direction, advance)

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Subword ids by the pack's vocabulary."""
        return [list(self._tokenizer.encode(text)) for text in texts]

    def text(self, pieces: Sequence[int]) -> str:
        """Text by the pack's vocabulary."""
        return self._tokenizer.decode(pieces)

    def n_best(
        self, batch: Sequence[Sequence[int]], target: str, beam: int
    ) -> list[list[Hypothesis]]:
        """Ask the decoder alone, as with `bare`."""
        requests = [_request(tuple(pieces), target) for pieces in batch]
        search = replace(self._bare, beam=beam)
        return interruptible(lambda cancel: self._decoder.search(requests, search, cancel=cancel))

    def _through_engine(
        self, sources: Sequence[str], direction: Direction, advance: Advance
    ) -> list[str]:
        source, target = direction
        meter = _Meter(len(sources), advance)

        def work(cancel: CancelToken) -> list[Translation]:
            return self._translator.translate(
                list(sources), target, source, self._settings.beam, cancel, meter.show,
                length_penalty=self._settings.length_penalty,
            )  # fmt: skip

        return [result.text for result in interruptible(work)]

    def _decode(self, sources: Sequence[str], direction: Direction, advance: Advance) -> list[str]:
        room = self._pack.max_source_tokens
        encoded = [tuple(ids[:room]) for ids in self.pieces(sources)]
        outputs = [""] * len(encoded)
        budget = BATCH_TOKENS // self._settings.beam
        for rows in length_batches([len(ids) for ids in encoded], _MOST, budget):
            requests = [_request(encoded[row], direction[1]) for row in rows]
            for row, found in zip(rows, self._search(requests), strict=True):
                outputs[row] = found
            advance(len(rows))
        return outputs

    def _search(self, requests: Sequence[Request]) -> list[str]:
        found = interruptible(
            lambda cancel: self._decoder.search(requests, self._bare, cancel=cancel)
        )
        return [self._tokenizer.decode(best.pieces) for best, *_ in found]


def _request(pieces: tuple[int, ...], target: str) -> Request:
    most = len(pieces) * _GROWTH + _SLACK
    return Request(pieces=pieces, target=target, max_tokens=most)


class _Meter:
    """Turns the engine's count of sentences into a count of lines, which may hold several."""

    def __init__(self, lines: int, advance: Advance) -> None:
        self._lines = lines
        self._advance = advance
        self._told = 0

    def show(self, progress: Progress) -> None:
        """Tell what share of the lines came since the last time."""
        done = self._lines * progress.done // max(1, progress.total)
        self._advance(done - self._told)
        self._told = done
