"""Makes a checkpoint, from which a pack is exported, of a public model on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from mltranslate.errors import DataError
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_export.importers.argos import FOLDER, METADATA, open_argos, unpack_argos
from mltranslate_export.importers.codes import named_language
from mltranslate_export.importers.ctranslate2_model import Ctranslate2Model
from mltranslate_export.importers.hugging_face import HuggingFaceModel
from mltranslate_export.importers.model import ARCHITECTURE, ImportedTransformer
from mltranslate_export.importers.model_bin import MODEL
from mltranslate_export.importers.public import PublicModel, Subwords
from mltranslate_export.importers.vocabulary import Vocabulary, renumber

_FRAME = 2
"""Tag and end mark of a source."""

Direction = tuple[str, str]


def load_public(source: Path, directions: Sequence[Direction], work: Path) -> Checkpoint:
    """Read the model in the folder or Argos package `source` for translating in `directions`.

    Its vocabulary, with our ids, is written into the folder `work`; a package is unpacked there.

    Raises:
        DataError: the model is not whole, is of no family that can be imported, or does not know a
            language of `directions`.
    """
    public = _open(source, work)
    _check_languages(source, public, directions)
    vocabulary = _vocabulary(public.subwords, directions)
    path = work / "vocabulary.model"
    path.write_bytes(vocabulary.model)
    model = _model(public, vocabulary)
    origin = source.resolve()
    return Checkpoint(
        name=(origin.stem if origin.is_file() else origin.name).lower(),
        model=model,
        vocabulary=path,
        about={
            "architecture": ARCHITECTURE,
            "languages": list(vocabulary.tags),
            "directions": [list(pair) for pair in directions],
            "imported": {"family": public.label, "folder": origin.name, **public.about()},
        },
        tags=vocabulary.tags,
        banned=vocabulary.banned,
        max_source_tokens=model.config.max_length - _FRAME,
        source_tag="source" if public.tag_follows else "target",
    )


def _open(source: Path, work: Path) -> PublicModel:
    if source.is_file():
        return open_argos(unpack_argos(source, work / "package"))
    if (source / METADATA).is_file() and (source / FOLDER).is_dir():
        return open_argos(source)
    return Ctranslate2Model(source) if (source / MODEL).is_file() else HuggingFaceModel(source)


def _vocabulary(subwords: Subwords, directions: Sequence[Direction]) -> Vocabulary:
    languages = dict.fromkeys(code for pair in directions for code in pair)
    tags = {code: subwords.tags.get(code) for code in languages}
    marks = (*subwords.marks, *subwords.tags.values())
    return renumber(
        subwords.splitter, subwords.ids, tags, marks=marks, read_only=subwords.read_only
    )


def _model(public: PublicModel, vocabulary: Vocabulary) -> ImportedTransformer:
    """The model with its weights; memory holds them once, in fp32."""
    shape = public.shape(len(vocabulary.rows))
    with torch.device("meta"):
        model = ImportedTransformer(shape)
    public.fill(model, vocabulary.rows)
    return model.eval()


def _check_languages(source: Path, public: PublicModel, directions: Sequence[Direction]) -> None:
    """Refuse languages that the model does not know, as far as its files tell."""
    tags = public.subwords.tags
    if not tags:
        _check_only_target(source, public, directions)
        return
    # Where only targets have tags, the model takes whatever sources it was trained on.
    needed = {code for pair in directions for code in pair[0 if public.tag_follows else 1 :]}
    unknown = sorted(code for code in needed if code not in tags)
    if unknown:
        raise DataError(
            f"the model in {source} does not know {', '.join(unknown)}",
            why=f"it knows {', '.join(tags)}",
            fix="Use its codes in the verification data",
        )


def _check_only_target(source: Path, public: PublicModel, directions: Sequence[Direction]) -> None:
    """A vocabulary without tags has one target; other files often name both sides."""
    expected = [named_language(code) for code in public.languages]
    for pair in directions:
        if any(known and known != code for known, code in zip(expected, pair, strict=True)):
            raise DataError(
                f"the model in {source} does not translate from {pair[0]} into {pair[1]}",
                why=f"its files say {' to '.join(map(str, expected))}",
                fix="Leave only sentences of its direction in the verification data",
            )
    targets = sorted({target for _, target in directions})
    if len(targets) > 1:
        raise DataError(
            f"the model in {source} translates into one language",
            why=f"its vocabulary has no language tags, the verification data {', '.join(targets)}",
            fix="Leave only sentences of its target language there",
        )
