"""Subwords of a pack: text to ids and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mltranslate.errors import PackError, reason

if TYPE_CHECKING:
    from mltranslate.packs.pack import Pack


class Tokenizer:
    """The SentencePiece model of a pack. It changes no character: bring the text to NFC first."""

    def __init__(self, pack: Pack) -> None:
        """Load the model; `PackError` if it is damaged or has another size than the manifest."""
        from sentencepiece import SentencePieceProcessor

        info = pack.manifest.tokenizer
        path = pack.folder / info.file
        try:
            self._processor = SentencePieceProcessor(model_file=str(path))
        except (OSError, RuntimeError) as error:
            raise PackError(
                f"the vocabulary of the pack {pack.name} does not load",
                why=reason(error),
                fix="Get the pack again",
            ) from error
        self.size: int = self._processor.get_piece_size()
        if self.size != info.size:
            raise PackError(
                f"the vocabulary of the pack {pack.name} does not fit",
                why=f"it has {self.size} pieces, the manifest says {info.size}",
                fix="Get the pack again",
            )

    def encode(self, text: str) -> tuple[int, ...]:
        """Split a sentence into subword ids, without tag and end mark."""
        return tuple(self._processor.encode(text))

    def decode(self, ids: Sequence[int]) -> str:
        """Join subword ids to text; tags and other marks are dropped."""
        text: str = self._processor.decode(list(ids))
        return text

    def names(self, ids: Sequence[int]) -> list[str]:
        """Text of each id by itself, with the space that begins a word; bytes and marks by name."""
        return [piece.replace("\u2581", " ") for piece in self._processor.id_to_piece(list(ids))]

    def written(self, ids: Sequence[int]) -> list[bytes]:
        """UTF-8 that each of `ids` writes, as `surfaces` has them for all."""
        pieces = self._processor.id_to_piece(list(ids))
        return [self._surface(*one) for one in zip(pieces, ids, strict=True)]

    def surfaces(self) -> list[bytes]:
        """UTF-8 that each id writes, with the space that begins a word; nothing for marks."""
        read = self._processor
        return [self._surface(read.id_to_piece(piece), piece) for piece in range(self.size)]

    def single_bytes(self) -> frozenset[int]:
        """Ids that stand for one byte of a character without subwords."""
        return frozenset(filter(self._processor.is_byte, range(self.size)))

    def _surface(self, text: str, piece: int) -> bytes:
        read = self._processor
        if read.is_byte(piece):
            return bytes([int(text[1:-1], 16)])
        if read.is_control(piece) or read.is_unknown(piece) or read.is_unused(piece):
            return b""
        return text.replace("\u2581", " ").encode()
