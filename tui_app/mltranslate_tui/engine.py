"""The real engine behind the app: `mltranslate.pipeline`, imported where it is first used."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from mltranslate.errors import LanguageError
from mltranslate.limits import DEFAULT_BEAM
from mltranslate.types import (
    UNDETERMINED,
    CancelToken,
    Detection,
    Progress,
    ProgressCallback,
    Translation,
)
from mltranslate_tui.blocks import blocks, merged
from mltranslate_tui.choices import AUTO, Offer, first_pair, locale_language
from mltranslate_tui.controller import Draft, DraftCallback

DETECTION_CHARACTERS = 2000
"""How much of a text is looked at for its language; more would hardly change the answer."""


class PipelineEngine:
    """A translator and a detector over one pack, or over all together.

    Made in the engine thread: the imports and the packs' files take longer than a first paint.
    """

    def __init__(
        self,
        pack: str | None,
        device: str,
        threads: int | None,
        *,
        source: str = AUTO,
        target: str | None = None,
    ) -> None:
        from mltranslate.packs.store import survey_packs
        from mltranslate.pipeline import Translator

        self._wished = (source, target)
        damaged = survey_packs()[1] if pack is None else {}
        self.left_out = [f"{folder}: {error}" for folder, error in damaged.items()]
        # One sentence at a time is what typing needs, and more threads only slow that down.
        self._translator = Translator(pack=pack, device=device, threads=threads or 1)

    @property
    def offer(self) -> Offer:
        """Languages of the packs: those of one direction are not offered both ways."""
        pairs = [pair for pack in self._translator.packs for pair in pack.directions]
        ends = ({source for source, _ in pairs}, {target for _, target in pairs})
        known = self._translator.languages
        sources, targets = (tuple(code for code in known if code in end) for end in ends)
        return Offer(sources, targets)

    @property
    def packs(self) -> Sequence[str]:
        """Names and versions of the packs in their order of choice."""
        return [f"{pack.name} {pack.version}" for pack in self._translator.packs]

    def load(self) -> None:
        """Load the detector and the models of the first pair; raises `PackError` or `DeviceError`.

        Other models wait for a text that needs them.
        """
        spoken = locale_language(os.environ)
        try:
            pair = first_pair(self.offer, *self._wished, spoken=spoken)
            source = pair.spare if pair.source == AUTO else pair.source
            self._translator.load(DEFAULT_BEAM, source, pair.target)
        except LanguageError:  # of wishes, which the screen tells, or of a guess
            self._translator.load(DEFAULT_BEAM)

    def detect(self, text: str) -> Sequence[Detection]:
        """Return the likeliest languages of the packs, as many as a live label needs.

        Where the text surely is in a language that no pack has, it is that one alone.
        """
        from mltranslate.detect.detector import default_detector
        from mltranslate.detect.elsewhere import detectable
        from mltranslate.detect.live import CANDIDATES
        from mltranslate.sentences import clean

        detector = default_detector()
        meant = detectable(self._translator.languages, detector.languages)
        if not meant:
            return [Detection(language=UNDETERMINED, confidence=1.0)]
        sample = clean(text[:DETECTION_CHARACTERS])
        if other := self._translator.elsewhere(sample):
            return [other]
        return [
            replace(found, language=meant.get(found.language, found.language))
            for found in detector.detect(sample, list(meant), top=CANDIDATES)
        ]

    def translate(
        self,
        text: str,
        *,
        source: str | Detection,
        target: str,
        cancel: CancelToken,
        progress: DraftCallback,
    ) -> Translation:
        """Translate one text, block by block; raises `MltError` or `Cancelled`."""
        language = source.language if isinstance(source, Detection) else source
        parts: list[Translation] = []
        for block, report in _reported(blocks(text), language, parts, progress):
            parts += self._translator.translate(
                block,
                target=target,
                source=source,
                beam=DEFAULT_BEAM,
                cancel=cancel,
                progress=report,
            )
        return merged(parts)


def _reported(
    pieces: Sequence[str], language: str, parts: Sequence[Translation], progress: DraftCallback
) -> Sequence[tuple[str, ProgressCallback]]:
    """Pair every block with a callback that adds what was done before it, and `parts` so far."""
    from mltranslate.text.spans import cut

    counts = [sum(span.translatable for span in cut(piece, language)) for piece in pieces]

    def callback(index: int) -> ProgressCallback:
        def report(block: Progress) -> None:
            fraction = block.done / max(block.total, 1)
            done = sum(counts[:index]) + round(fraction * counts[index])
            shown = "".join(part.text for part in parts)
            progress(Draft(done=done, total=sum(counts), text=shown))

        return report

    return [(piece, callback(index)) for index, piece in enumerate(pieces)]
