"""The real engine behind the app: `mltranslate.pipeline`, imported where it is first used."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from mltranslate.errors import LanguageError, PackError
from mltranslate.limits import DEFAULT_BEAM
from mltranslate.locations import user_glossary
from mltranslate.types import CancelToken, Detection, Progress, Translation
from mltranslate_tui.blocks import blocks, merged
from mltranslate_tui.choices import AUTO, Offer, Pair
from mltranslate_tui.controller import Draft, DraftCallback

if TYPE_CHECKING:
    from mltranslate.packs.pack import Pack

DETECTION_CHARACTERS = 2000
"""How much of a text is looked at for its language; more would hardly change the answer."""


class PipelineEngine:
    """A translator and a detector over one pack, or over all together.

    Made in the engine thread: the imports and the packs' files take longer than a first paint.
    """

    def __init__(
        self, pack: str | None, device: str, threads: int | None, glossary: str | None = None
    ) -> None:
        """Read the manifests, and the glossary: the one named, or the user's own if there is one.

        Raises `MltError` where one of them cannot be read.
        """
        from mltranslate.glossary import Glossary
        from mltranslate.packs.store import survey_packs
        from mltranslate.pipeline import Translator

        own = user_glossary()
        named = glossary or (own if own.exists() else None)
        self._glossary = Glossary.read(named) if named else None
        damaged = survey_packs()[1] if pack is None else {}
        self.left_out = [f"{folder}: {error}" for folder, error in damaged.items()]
        self._translator = Translator(pack=pack, device=device, threads=threads)
        self._unlinked: set[tuple[str, str]] = set()

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

    def load(self, pair: Pair) -> None:
        """Load the detector and the models of `pair`; raises `PackError` or `DeviceError`.

        Other models wait for a text that needs them.
        """
        source = pair.spare if pair.source == AUTO else pair.source
        try:
            self._translator.load(DEFAULT_BEAM, source, pair.target)
        except LanguageError:  # no pack has this direction, which the first text will be told
            self._translator.load(DEFAULT_BEAM)

    def detect(self, text: str) -> Sequence[Detection]:
        """Return the likeliest languages of the packs, as many as a live label needs.

        Where the text surely is in a language that no pack has, it is that one alone.
        """
        from mltranslate.detect.live import CANDIDATES
        from mltranslate.text.cleaning import clean
        from mltranslate.text.verbatim import prose

        sample = clean(prose(text)[:DETECTION_CHARACTERS])
        return self._translator.candidates(sample, CANDIDATES)

    def translate(
        self,
        text: str,
        *,
        source: str | Detection,
        target: str,
        cancel: CancelToken,
        progress: DraftCallback,
        linked: range | None = None,
    ) -> Translation:
        """Translate one text, block by block; raises `MltError` or `Cancelled`.

        Drafts have the sentences that are done, and of a slow one its beginning. Blocks that begin
        in `linked` come with the links between their words, if the pack has any.
        """
        parts: list[Translation] = []
        making = _Making(progress, Draft(done=0, total=len(text)))
        way = source if isinstance(source, str) else source.language, target
        for block in blocks(text):
            translate = functools.partial(
                self._translator.translate,
                block,
                target=target,
                source=source,
                beam=DEFAULT_BEAM,
                cancel=cancel,
                progress=functools.partial(making.come, len(block)),
                draft=making.begin,
                glossary=self._glossary,
            )
            wanted = linked is not None and making.done.done in linked
            parts += self._with_links(translate, way) if wanted else translate()
            making.finish(block, parts[-1].text)
        return merged(parts)

    def links(self, source: str, target: str) -> bool:
        """Return False once the pack for these languages was found to link no words."""
        return (source, target) not in self._unlinked

    def _with_links(
        self, translate: Callable[..., list[Translation]], way: tuple[str, str]
    ) -> list[Translation]:
        """Call `translate` for links; without, if the pack is too old to have any, from then on."""
        if way in self._unlinked:
            return translate()
        try:
            return translate(alignment=True)
        except PackError:
            # If the pack is at fault without links as well, this raises it again.
            made = translate()
            if not self._too_old(made[0]):
                raise
            self._unlinked.add(way)
            return made

    def _too_old(self, made: Translation) -> bool:
        """Whether the pack that made this says that it has no graph that links words."""
        packs = dict(zip(self.packs, self._translator.packs, strict=True))
        if made.pack not in packs:  # two packs, which are not asked for links
            return False
        manifest = cast("Pack", packs[made.pack]).manifest
        return not manifest.variants[made.precision].aligned


class _Making:
    """Tells how far a text has come: by blocks, and by sentences within one."""

    def __init__(self, report: DraftCallback, nothing: Draft) -> None:
        self._report = report
        self.done = nothing
        """The blocks that are finished."""
        self._now = nothing

    def come(self, characters: int, block: Progress) -> None:
        """Tell how far a block of so many characters has come."""
        part = characters * block.done // max(block.total, 1)
        self._tell(replace(self._now, done=self.done.done + part))

    def begin(self, text: str) -> None:
        """Tell what the translation of the block begins with."""
        self._tell(replace(self._now, text=self.done.text + text))

    def finish(self, block: str, text: str) -> None:
        """Take a block as translated."""
        done = self.done
        self.done = replace(done, done=done.done + len(block), text=done.text + text)
        self._now = self.done

    def _tell(self, draft: Draft) -> None:
        self._now = draft
        self._report(draft)
