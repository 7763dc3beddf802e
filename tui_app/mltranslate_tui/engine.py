"""The real engine behind the app: `mltranslate.pipeline`, imported where it is first used."""

from __future__ import annotations

from collections.abc import Sequence

from mltranslate.limits import DEFAULT_BEAM
from mltranslate.types import CancelToken, Detection, Progress, ProgressCallback, Translation
from mltranslate_tui.blocks import blocks, merged
from mltranslate_tui.controller import Draft, DraftCallback

DETECTION_CHARACTERS = 2000
"""How much of a text is looked at for its language; more would hardly change the answer."""


class PipelineEngine:
    """A translator and a detector over one pack.

    Made in the engine thread: the imports and the pack's files take longer than a first paint.
    """

    def __init__(self, pack: str | None, device: str, threads: int | None) -> None:
        from mltranslate.pipeline import Translator

        # One sentence at a time is what typing needs, and more threads only slow that down.
        self._translator = Translator(pack=pack, device=device, threads=threads or 1)

    @property
    def languages(self) -> Sequence[str]:
        """Codes that the pack offers."""
        return self._translator.languages

    @property
    def pack(self) -> str:
        """Name and version of the pack."""
        return f"{self._translator.pack.name} {self._translator.pack.version}"

    def load(self) -> None:
        """Load model and detector; raises `PackError` or `DeviceError`."""
        self._translator.load(beam=DEFAULT_BEAM)

    def detect(self, text: str) -> Sequence[Detection]:
        """Return the likeliest languages among those of the pack, as many as a live label needs."""
        from mltranslate.detect.detector import default_detector
        from mltranslate.detect.live import CANDIDATES
        from mltranslate.sentences import clean

        detector = default_detector()
        known = [code for code in self.languages if code in detector.languages]
        return detector.detect(clean(text[:DETECTION_CHARACTERS]), known, top=CANDIDATES)

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
