"""The joint SentencePiece vocabulary (Kudo and Richardson 2018) with language tags."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import sentencepiece

from mltranslate.errors import DataError
from mltranslate_train.config import VocabularyConfig
from mltranslate_train.data.whole import whole_file

PAD, UNKNOWN, BEGIN, END, MASK = range(5)


def tag(language: str) -> str:
    """The control symbol that asks for a translation into `language`."""
    return f"<2{language}>"


def train_vocabulary(
    lines: Iterable[str], languages: Iterable[str], config: VocabularyConfig, prefix: Path
) -> None:
    """Train `prefix`.model; digits are single pieces and unseen characters fall back to bytes.

    Raises:
        DataError: the text is too little, or the size too small for its characters.
    """
    options = _trainer_options(languages, config)
    text = _non_empty(lines)
    first = next(text, None)
    if first is None:
        raise DataError(
            "there is no text to make a vocabulary of",
            why="the corpora are empty, or all their pairs were dropped",
            fix="See to data.corpora and data.filter in the recipe",
        )
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=chain([first], text), model_writer=model, **options
        )
    except RuntimeError as error:
        raise DataError(
            f"no vocabulary of {config.size} pieces can be made",
            why=str(error).rpartition("] ")[2].rstrip("."),
            fix="Change vocabulary.size in the recipe",
        ) from error
    with whole_file(Path(f"{prefix}.model")) as new:
        new.write_bytes(model.getvalue())


def _trainer_options(languages: Iterable[str], config: VocabularyConfig) -> dict[str, Any]:
    return {
        "model_type": config.algorithm,
        "vocab_size": config.size,
        "character_coverage": config.character_coverage,
        # Text is NFC already; NFKC would turn full-width punctuation into ASCII.
        "normalization_rule_name": "identity",
        "byte_fallback": True,
        "split_digits": True,
        "pad_id": PAD,
        "unk_id": UNKNOWN,
        "bos_id": BEGIN,
        "eos_id": END,
        "pad_piece": "<pad>",
        "control_symbols": ["<mask>", *(tag(language) for language in languages)],
        "input_sentence_size": config.sample,
        "shuffle_input_sentence": True,
        "minloglevel": 2,
    }


def _non_empty(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        text = line.strip()
        if text:
            yield text


class Vocabulary:
    """A trained vocabulary: pieces to ids and back, and the tags of its languages."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DataError(f"there is no vocabulary {path}", fix="Run `mltranslate-train prepare`")
        self.path = path
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
        except RuntimeError as error:
            raise DataError(
                f"the vocabulary {path} cannot be read",
                why="it is damaged, or no SentencePiece model",
                fix="Put the right file back, or prepare the data again in another folder",
            ) from error

    def __len__(self) -> int:
        return int(self._processor.get_piece_size())

    def tag_id(self, language: str) -> int:
        """Id of the language's tag; raises DataError if the vocabulary has none."""
        number = int(self._processor.piece_to_id(tag(language)))
        if number == UNKNOWN:
            raise DataError(
                f"the vocabulary {self.path} has no tag for {language!r}",
                fix="Train the vocabulary with that language",
            )
        return number

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Ids of each text, without tag and end mark."""
        ids: list[list[int]] = self._processor.encode(texts, num_threads=2)
        return ids

    def decode(self, ids: list[list[int]]) -> list[str]:
        """Texts of the ids; control symbols vanish."""
        return [self._processor.decode(row) for row in ids]
