"""Small random models in CTranslate2's own format, as they would come from others.

`python tests/unit/public_ct2_models.py`, which needs ctranslate2 and torch, writes
tests/data/ctranslate2_models anew, with the tokens that CTranslate2 gives for 50 sentences of each,
and their mean log-probabilities. The tests read them without CTranslate2; `made.json` says which
script made them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import torch
from public_models import sentences, splitter

DATA = Path(__file__).parents[1] / "data" / "ctranslate2_models"
EXPECTED, MADE = "expected.json", "made.json"
SENTENCES, MOST_TOKENS, BEAM = 50, 24, 4
WIDTH, HEADS, FFN, LAYERS, PLACES = 16, 2, 24, (2, 1), 48
STORED = {
    "argos": "int8",
    "opennmt-py": "float32",
    "old-opennmt-py": "int16",
    "marian": "float16",
    "nllb-200": "bfloat16",
}
"""Every model and how it is stored."""
END_BIAS = {"argos": 0.8, "opennmt-py": 1.0, "old-opennmt-py": 2.5, "marian": 4.0, "nllb-200": 2.0}
ENDING = 0.5
SOURCE_TAG, TARGET_TAG = "eng_Latn", "deu_Latn"


def make(name: str, folder: Path) -> None:
    """Write the model `name` and its SentencePiece model into `folder`."""
    from ctranslate2.specs import common_spec, transformer_spec

    folder.mkdir(parents=True)
    marian = name == "marian"
    kind = "bpe" if name == "nllb-200" else "unigram"
    splitter("source", folder / ("source.spm" if marian else "sentencepiece.model"), kind=kind)
    spec = transformer_spec.TransformerSpec.from_config(
        LAYERS, HEADS, pre_norm=not marian,
        activation=common_spec.Activation.SWISH if marian else common_spec.Activation.RELU,
    )  # fmt: skip
    source, target = _vocabularies(name, folder)
    spec.register_source_vocabulary(source)
    spec.register_target_vocabulary(target)
    _fill(name, spec, len(source), len(target), target.index("</s>"))
    spec.config.add_source_eos = marian
    spec.decoder.start_from_zero_embedding = marian
    if name in ("nllb-200", "marian"):
        spec.config.decoder_start_token = "</s>"
    spec.validate()
    spec.optimize(quantization=STORED[name])
    spec.save(str(folder))
    if name == "old-opennmt-py":
        _age(folder)


def _vocabularies(name: str, folder: Path) -> tuple[list[str], list[str]]:
    model = sentencepiece.SentencePieceProcessor(model_file=str(_splitter(folder)))
    pieces = [model.id_to_piece(i) for i in range(3, len(model))]
    if name == "marian":
        # Each side has pieces that the other lacks; some of the source are in neither.
        others = [f"▁{word}" for word in ("der", "die", "das", "und", "ich")]
        return ["</s>", *pieces[2:], "<unk>"], ["</s>", *others, *pieces[20:], "<unk>"]
    if name == "nllb-200":
        shared = ["<s>", "<pad>", "</s>", "<unk>", *pieces, SOURCE_TAG, TARGET_TAG, "<mask>"]
    else:
        shared = ["<unk>", "<blank>", "<s>", "</s>", *pieces, "averyunlikelytoken0"]
    return shared, shared


def _splitter(folder: Path) -> Path:
    return next(path for path in folder.iterdir() if path.suffix in (".spm", ".model"))


def _fill(name: str, spec: Any, source: int, target: int, end: int) -> None:
    """Give every array random values that make outputs vary and end."""
    chance = np.random.default_rng(3)

    def table(rows: int, width: int, spread: float) -> Any:
        return (chance.standard_normal((rows, width)) * spread).astype(np.float32)

    def linear(layer: Any, rows: int, width: int, *, bias: bool = True) -> None:
        layer.weight = table(rows, width, 1.5 * width**-0.5)
        if bias:
            layer.bias = table(1, rows, 0.1)[0]

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = 1 + table(1, WIDTH, 0.1)[0], table(1, WIDTH, 0.1)[0]

    def attention(layer: Any) -> None:
        norm(layer.layer_norm)
        outputs = {2: (3, 1), 3: (1, 2, 1)}[len(layer.linear)]
        for inner, parts in zip(layer.linear, outputs, strict=True):
            # OpenNMT-py trains attention without biases by default.
            linear(inner, parts * WIDTH, WIDTH, bias=name in ("marian", "nllb-200"))

    for side in (spec.encoder, spec.decoder):
        for layer in side.layer:
            attention(layer.self_attention)
            if side is spec.decoder:
                attention(layer.attention)
            norm(layer.ffn.layer_norm)
            linear(layer.ffn.linear_0, FFN, WIDTH)
            linear(layer.ffn.linear_1, WIDTH, FFN)
        if name != "marian":
            norm(side.layer_norm)
    spec.decoder.embeddings.weight = table(target, WIDTH, 0.3)
    separate = name in ("marian", "opennmt-py")
    sources = table(source, WIDTH, 0.3) if separate else spec.decoder.embeddings.weight.copy()
    spec.encoder.embeddings[0].weight = sources
    # Equal arrays become second names of one.
    own_output = name == "opennmt-py"
    outputs = table(target, WIDTH, 0.3) if own_output else spec.decoder.embeddings.weight.copy()
    spec.decoder.projection.weight = outputs
    spec.decoder.projection.bias = table(1, target, 0.3)[0]
    spec.decoder.projection.bias[end] += END_BIAS[name]
    if name != "old-opennmt-py":  # It leaves positions to CTranslate2, as OpenNMT-tf does.
        spec.encoder.position_encodings.encodings = _waves()
        # The longer a translation is, the more it looks like its end.
        towards = outputs[end] / np.linalg.norm(outputs[end]) * ENDING
        spec.decoder.position_encodings.encodings = (
            _waves() + np.arange(PLACES, dtype="f4")[:, None] * towards
        )


def _waves() -> Any:
    """Positions as OpenNMT-py has them: sines and cosines by turns."""
    angle = np.arange(PLACES)[:, None] * 10000.0 ** (-np.arange(0, WIDTH, 2) / WIDTH)
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(PLACES, WIDTH).astype("f4")


def _age(folder: Path) -> None:
    """Make of a model one of version 5, which has no config.json and its vocabulary as lines."""
    path = folder / "model.bin"
    path.write_bytes(struct.pack("<I", 5) + path.read_bytes()[4:])
    (folder / "config.json").unlink()
    tokens = json.loads((folder / "shared_vocabulary.json").read_text("utf-8"))
    (folder / "shared_vocabulary.json").unlink()
    lines = "".join(f"{token}\n" for token in tokens)
    (folder / "shared_vocabulary.txt").write_bytes(lines.encode("utf-8"))


def expect(name: str, folder: Path, texts: Sequence[str]) -> list[dict[str, Any]]:
    """What CTranslate2 gives, in fp32, for `texts`: greedy and beam tokens."""
    import ctranslate2

    model = sentencepiece.SentencePieceProcessor(model_file=str(_splitter(folder)))
    translator = ctranslate2.Translator(str(folder), compute_type="float32", intra_threads=1)
    sources = [_framed(name, model.encode(text, out_type=str)) for text in texts]
    _, target = _vocabularies(name, folder)
    text_tokens = {*(model.id_to_piece(i) for i in range(3, len(model))), "</s>"}
    banned = [[token] for token in target if token not in text_tokens and token[:1] != "▁"]
    tagged = name == "nllb-200"
    options = {
        "target_prefix": [[TARGET_TAG]] * len(texts) if tagged else None,
        "max_decoding_length": MOST_TOKENS + tagged, "min_decoding_length": 0,
        "suppress_sequences": banned, "disable_unk": True, "return_end_token": True,
    }  # fmt: skip
    greedy = translator.translate_batch(sources, beam_size=1, return_scores=True, **options)
    beam = translator.translate_batch(sources, beam_size=BEAM, return_scores=True, **options)
    return [
        {
            "text": text,
            "source": source,
            "greedy": greedy[index].hypotheses[0][tagged:],
            "greedy_score": greedy[index].scores[0],
            "beam": beam[index].hypotheses[0][tagged:],
            "beam_score": beam[index].scores[0],
        }
        for index, (text, source) in enumerate(zip(texts, sources, strict=True))
    ]


def _framed(name: str, pieces: list[str]) -> list[str]:
    """Source as CTranslate2 is given it; Marian's end mark it adds by itself."""
    return [SOURCE_TAG, *pieces, "</s>"] if name == "nllb-200" else pieces


def _package(folder: Path) -> None:
    """Make a package of Argos Translate of a model's folder, which goes."""
    about = {"package_version": "1.0", "argos_version": "1.9.0", "from_code": "en", "to_code": "de",
             "from_name": "English", "to_name": "German"}  # fmt: skip
    inside = "translate-en_de-1_0"
    with zipfile.ZipFile(folder.with_suffix(".argosmodel"), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (
            (f"{inside}/metadata.json", json.dumps(about).encode()),
            (f"{inside}/README.md", b"# English - German version 1.0\n"),
            (f"{inside}/stanza/en/tokenize/model.pt", b"no concern of ours"),
            *(
                (f"{inside}/{'' if path.suffix == '.model' else 'model/'}{path.name}",
                 path.read_bytes())
                for path in sorted(folder.iterdir())
            ),
        ):  # fmt: skip
            archive.writestr(zipfile.ZipInfo(name), data)
    shutil.rmtree(folder)


def script_hash() -> str:
    """SHA-256 of this script: with another one the goldens may be others."""
    text = Path(__file__).read_text("utf-8")
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def main() -> None:
    """Write every golden folder."""
    import ctranslate2

    shutil.rmtree(DATA, ignore_errors=True)
    for name in STORED:
        folder = DATA / name
        make(name, folder)
        found = expect(name, folder, sentences("source", SENTENCES, 9))
        lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in found)
        if name == "argos":
            _package(folder)
        (DATA / f"{name}.{EXPECTED}").write_text(f"[\n{lines}\n]\n", "utf-8")
    made = {"script_sha256": script_hash(), "ctranslate2": ctranslate2.__version__,
            "torch": torch.__version__}  # fmt: skip
    (DATA / MADE).write_text(json.dumps(made, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
