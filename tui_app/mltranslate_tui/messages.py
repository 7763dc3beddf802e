"""What the engine thread tells the screen; it never touches a widget itself."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from mltranslate.errors import LanguageError, MltError
from mltranslate.types import Detection, Translation
from mltranslate_tui.choices import Offer, Pair
from mltranslate_tui.controller import Draft


class EngineOpened(Message):
    """The packs were found and read; the first model is still being loaded.

    `pair` is what to begin with, and `refusal` why that is not what was wished for; `left_out`
    says which packs cannot be used, and why.
    """

    def __init__(
        self,
        offer: Offer,
        pair: Pair,
        refusal: LanguageError | None,
        packs: Sequence[str],
        left_out: Sequence[str],
    ) -> None:
        super().__init__()
        self.offer = offer
        self.pair = pair
        self.refusal = refusal
        self.packs = tuple(packs)
        self.left_out = tuple(left_out)


class EngineReady(Message):
    """Texts can be translated."""


class ModelFailed(Message):
    """The model that was to be loaded first cannot be; those of other packs may."""

    def __init__(self, error: MltError) -> None:
        super().__init__()
        self.error = error


class EngineFailed(Message):
    """The engine could not be started; its thread has ended."""

    def __init__(self, error: MltError) -> None:
        super().__init__()
        self.error = error


class Detected(Message):
    """Candidate languages of the text of request `number`, most likely first."""

    def __init__(self, number: int, detections: Sequence[Detection]) -> None:
        super().__init__()
        self.number = number
        self.detections = tuple(detections)

    def can_replace(self, message: Message) -> bool:
        """Draw only the newest answer."""
        return isinstance(message, Detected)


class Partial(Message):
    """How far the translation of request `number` has come."""

    def __init__(self, number: int, draft: Draft) -> None:
        super().__init__()
        self.number = number
        self.draft = draft

    def can_replace(self, message: Message) -> bool:
        """Let a newer partial result stand for the older ones: it holds all of them."""
        return isinstance(message, Partial)


class Translated(Message):
    """The answer to request `number`, and the seconds that it took.

    They are None where it was asked again for its links: most of it comes from memory.
    `linked` are the characters whose words were to be linked; `links` is False where the pack
    cannot do that.
    """

    def __init__(
        self,
        number: int,
        translation: Translation,
        seconds: float | None,
        linked: range | None = None,
        *,
        links: bool = True,
    ) -> None:
        super().__init__()
        self.number = number
        self.translation = translation
        self.seconds = seconds
        self.linked = linked
        self.links = links


class Stopped(Message):
    """A translation was cancelled after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class TranslationFailed(Message):
    """Request `number` could not be answered."""

    def __init__(self, number: int, error: MltError) -> None:
        super().__init__()
        self.number = number
        self.error = error
