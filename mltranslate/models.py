"""The packs that a translator may use, each with its model, which is loaded when it is needed."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mltranslate.abbreviations import AbbreviationTranslator
from mltranslate.constraints import TermTranslator
from mltranslate.drafts import Drafter
from mltranslate.forms import FormTranslator
from mltranslate.phrases import PhraseTranslator
from mltranslate.protection import ProtectingTranslator
from mltranslate.scripts import ScriptTranslator
from mltranslate.sentences.parts import DecoderLike, PackLike
from mltranslate.sentences.translator import SentenceTranslator
from mltranslate.starts import StartTranslator

if TYPE_CHECKING:
    from mltranslate.packs.pack import Pack


class Model:
    """A pack and, from the first use on, its decoder; safe to use from several threads.

    The sentences that it remembers are its own: packs never mix.
    """

    def __init__(
        self, pack: PackLike, load: Callable[[int], DecoderLike], *, phrasebook: bool = True
    ) -> None:
        """Take a pack; `load` is called once, with a beam, when the model is first needed.

        Its phrasebook, if it has one, is left alone unless `phrasebook`.
        """
        self.pack = pack
        self._load = load
        self._phrasebook = pack.phrasebook() if phrasebook else None
        self._lock = threading.Lock()
        self._loaded: tuple[DecoderLike, ProtectingTranslator, Drafter] | None = None

    @property
    def directions(self) -> frozenset[tuple[str, str]]:
        """Pairs (source, target) that it translates directly."""
        return self.pack.directions

    @property
    def title(self) -> str:
        """Name and version of the pack."""
        return f"{self.pack.name} {self.pack.version}"

    def prepare(self, beam: int) -> None:
        """Load what this beam needs, and no more; raises as `decoder` does."""
        self._whole(beam)[0].prepare(beam)

    def open_phrasebook(self, source: str, target: str) -> None:
        """Load the phrases of a direction, if there are any; raises PackError."""
        if self._phrasebook:
            self._phrasebook.open(source, target)

    def salutation(self, text: str, source: str, target: str) -> int:
        """Characters that `text` begins with and the phrasebook has as a salutation, or 0."""
        return self._phrasebook.salutation(text, source, target) if self._phrasebook else 0

    @property
    def decoder(self) -> DecoderLike:
        """The decoder: its `device`, `provider` and `precision` are the ones really used.

        Raises PackError or DeviceError when it cannot be loaded as asked.
        """
        return self._whole()[0]

    @property
    def sentences(self) -> ProtectingTranslator:
        """What translates sentences with the decoder; raises as `decoder` does."""
        return self._whole()[1]

    @property
    def drafts(self) -> Drafter:
        """What translates sentences and tells how far it has come; raises as `decoder` does."""
        return self._whole()[2]

    def _whole(self, beam: int = 1) -> tuple[DecoderLike, ProtectingTranslator, Drafter]:
        # Not held by other models: while one is loaded, the others go on.
        with self._lock:
            if self._loaded is None:
                decoder = self._load(beam)
                plain = SentenceTranslator(decoder)
                formed = FormTranslator(TermTranslator(plain))
                phrases = PhraseTranslator(formed, plain, self._phrasebook)
                begun = StartTranslator(phrases, plain.subwords)
                whole = ProtectingTranslator(
                    AbbreviationTranslator(ScriptTranslator(begun)),
                    plain.knows,
                    aligns=decoder.aligns,
                )
                self._loaded = (
                    decoder,
                    whole,
                    Drafter(plain, whole, phrases.settles, begun.as_begun),
                )
            return self._loaded


def model_of(decoder: DecoderLike, *, phrasebook: bool = True) -> Model:
    """Return the model of a decoder that is loaded already."""
    return Model(decoder.pack, lambda _: decoder, phrasebook=phrasebook)


def find_models(
    pack: str | Path | None,
    device: str,
    threads: int | None,
    precision: str | None,
    *,
    phrasebook: bool = True,
) -> Sequence[Model]:
    """Return the model of one pack, or of all packs in their order of choice; loads none.

    Raises PackError when the pack is missing or damaged, or when there is none at all.
    """
    from mltranslate.packs.store import find_packs

    load = functools.partial(_decoder, device=device, threads=threads, precision=precision)
    return [
        Model(one, functools.partial(load, one), phrasebook=phrasebook) for one in find_packs(pack)
    ]


def _decoder(
    pack: Pack, beam: int, *, device: str, threads: int | None, precision: str | None
) -> DecoderLike:
    from mltranslate.decode.decoder import Decoder

    return Decoder(pack, device=device, threads=threads, precision=precision, beam=beam)
