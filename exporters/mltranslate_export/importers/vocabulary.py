"""Rewrites the SentencePiece model of a public checkpoint to the ids that our packs fix.

Ours are 0 `<pad>`, 1 `<unk>`, 2 `<s>`, 3 `</s>`, then a tag for each language, then everything else
in the checkpoint's order. How a text is split does not depend on the ids, so that only they change;
the rows of the embedding are put into the same order.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentencepiece import sentencepiece_model_pb2

from mltranslate.errors import DataError

MARKS = ("<pad>", "<unk>", "<s>", "</s>")
_SCHEMA: Any = sentencepiece_model_pb2
"""Messages of SentencePiece's models; what protobuf makes has no types."""
_Piece = _SCHEMA.ModelProto.SentencePiece
_MARK_TYPES = (_Piece.CONTROL, _Piece.UNKNOWN, _Piece.CONTROL, _Piece.CONTROL)
_OWN_TYPES = (_Piece.CONTROL, _Piece.UNKNOWN)
NO_ROW = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Subwords in our order."""

    model: bytes
    """The SentencePiece model, serialised."""
    rows: tuple[int, ...]
    """For every id the row of the checkpoint's embedding, or `NO_ROW` if it has none."""
    tags: Mapping[str, int]
    """Language code to the id of its tag."""
    banned: tuple[int, ...]
    """Ids that no search may produce: all marks but the end mark, and all that is only read."""


def renumber(
    splitter: bytes, ids: Mapping[str, int], tags: Mapping[str, int | None], *,
    marks: Iterable[int] = (), read_only: Container[int] = frozenset(),
) -> Vocabulary:  # fmt: skip
    """Make our vocabulary of a SentencePiece model and the checkpoint's ids.

    `ids` has the id of every piece; what `splitter` does not know of them is produced but never
    read. `tags` has for every language code the id of its tag, or None where the model has none.
    `marks` are further ids that are no text, and `read_only` those that are never produced.

    A piece that `ids` lacks is read as `<unk>`.

    Raises:
        DataError: the SentencePiece model is damaged, or would split a text otherwise.
    """
    old = _parse(splitter)
    known = {piece.piece: piece for piece in old.pieces}
    _check_splits_alike(old, [piece for piece in ids if piece not in known])
    used = {*(ids[mark] for mark in MARKS if mark in ids), *marks}
    used.update(tag for tag in tags.values() if tag is not None)
    rows = [ids.get(mark, NO_ROW) for mark in MARKS]
    pieces = [_Piece(piece=m, score=0.0, type=t) for m, t in zip(MARKS, _MARK_TYPES, strict=True)]
    for code, tag in tags.items():
        pieces.append(_Piece(piece=f"<2{code}>", score=0.0, type=_Piece.CONTROL))
        rows.append(NO_ROW if tag is None else tag)
    banned = [number for number in range(len(rows)) if number != MARKS.index("</s>")]
    for piece, row in sorted(ids.items(), key=lambda item: item[1]):
        if row not in used:
            if row in read_only:
                banned.append(len(pieces))
            pieces.append(known.get(piece) or _Piece(piece=piece, score=0.0, type=_Piece.UNUSED))
            rows.append(row)
    for piece in old.pieces:
        if piece.piece not in ids and piece.type not in _OWN_TYPES:
            banned.append(len(pieces))
            pieces.append(piece)
            rows.append(ids["<unk>"])
    return Vocabulary(
        model=_serialise(old, pieces),
        rows=tuple(rows),
        tags={code: len(MARKS) + index for index, code in enumerate(tags)},
        banned=tuple(banned),
    )


def pieces_of(model: bytes) -> list[str]:
    """All pieces of a SentencePiece model, by their ids in it."""
    return [piece.piece for piece in _parse(model).pieces]


def _parse(model: bytes) -> Any:
    parsed = _SCHEMA.ModelProto()
    try:
        parsed.ParseFromString(model)
    except Exception as error:  # protobuf's own, whose place in the package has moved
        raise DataError("the SentencePiece model is damaged", why=str(error)) from error
    return parsed


def _check_splits_alike(model: Any, foreign: Sequence[str]) -> None:
    """Refuse to add pieces where merges could build them: they would change what is split."""
    text = [piece for piece in foreign if not piece.startswith("<")]
    if text and model.trainer_spec.model_type != _SCHEMA.TrainerSpec.UNIGRAM:
        raise DataError(
            "the vocabulary cannot be imported",
            why=f"its SentencePiece model is no unigram model and lacks {text[0]!r}",
        )


def _serialise(old: Any, pieces: Sequence[Any]) -> bytes:
    new = _SCHEMA.ModelProto()
    new.CopyFrom(old)
    del new.pieces[:]
    new.pieces.extend(pieces)
    spec = new.trainer_spec
    spec.vocab_size = len(pieces)
    spec.pad_id, spec.unk_id, spec.bos_id, spec.eos_id = range(len(MARKS))
    spec.pad_piece, spec.unk_piece, spec.bos_piece, spec.eos_piece = MARKS
    found: bytes = new.SerializeToString()
    return found
