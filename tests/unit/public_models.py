"""Small random models of the real classes of transformers, as they would come from a hub.

`python tests/unit/public_models.py` writes tests/data/public_models anew, with the tokens that
transformers' own generate gives for 50 sentences of each, and the logits that its models give for
some of them. The tests read them without transformers; `made.json` says which script made them.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sentencepiece
import torch

DATA = Path(__file__).parents[1] / "data" / "public_models"
EXPECTED = "expected.json"
LOGITS = "logits.safetensors"
MADE = "made.json"
SPLITTER = "sentencepiece.bpe.model"
MARKS = ("<s>", "<pad>", "</s>", "<unk>")
"""First ids of the multilingual models."""
FAMILIES = ("marian", "marian-many", "m2m-100", "nllb-200", "mbart-50")
SENTENCES = 50
MOST_TOKENS = 24
LOGIT_SENTENCES, LOGIT_TOKENS = 10, 5
"""Of which the goldens hold logits: more would make them large."""
BEAM = 4
SPREAD, END_BIAS = 0.3, 3.0
END_FACTORS = {"m2m-100": 1.5, "nllb-200": 1.9, "mbart-50": 4.0}
"""How much longer the end mark's embedding is: some outputs end early, others are cut."""
SEED, SEEDS = 5, {"nllb-200": 11}
SHAPE: dict[str, Any] = {
    "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24,
    "max_position_embeddings": 40, "dropout": 0.0,
}  # fmt: skip
LANGUAGES = {
    "marian": ("en", "de"),
    "marian-many": ("en", ">>fra<<"),
    "m2m-100": ("en", "de"),
    "nllb-200": ("eng_Latn", "deu_Latn"),
    "mbart-50": ("en_XX", "de_DE"),
}
"""Source and target as the public models name them."""
_SYLLABLES = {"source": "ba du ki lo me no ra su ti vo", "target": "schi ber te un zal ck au ge ir"}


def sentences(side: str, count: int, seed: int) -> list[str]:
    """Sentences of made-up words; some have characters that no vocabulary holds."""
    chance = random.Random(f"{side}{seed}")
    syllables = _SYLLABLES[side].split()

    def word() -> str:
        return "".join(chance.choices(syllables, k=chance.randint(1, 3)))

    found = [" ".join(word() for _ in range(chance.randint(1, 9))) for _ in range(count)]
    return [f"{text}{chance.choice(['', '.', ' Ж!'])}" for text in found]


def splitter(side: str, path: Path, *, kind: str = "unigram", normalise: str = "identity") -> None:
    """Train a SentencePiece model; the usual normalisation would add 240 kB to each file."""
    model = io.BytesIO()
    texts = [text.removesuffix(" Ж!") for text in sentences(side, 400, 1)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=60, model_type=kind,
        normalization_rule_name=normalise, minloglevel=2,
    )  # fmt: skip
    path.write_bytes(model.getvalue())


def make(family: str, folder: Path, *, normalise: str = "identity") -> tuple[Any, Any]:
    """Write a random model into `folder`; returns transformers' model and tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    if family.startswith("marian"):
        return _make_marian(family, folder, normalise)
    kind = "bpe" if family == "nllb-200" else "unigram"
    splitter("source", folder / SPLITTER, kind=kind, normalise=normalise)
    return _make_multilingual(family, folder)


def _make_marian(family: str, folder: Path, normalise: str) -> tuple[Any, Any]:
    import transformers

    names: list[str] = ["</s>", "<unk>"]
    for side in ("source", "target"):
        path = folder / f"{side}.spm"
        splitter(side, path, normalise=normalise)
        model = sentencepiece.SentencePieceProcessor(model_file=str(path))
        names += [model.id_to_piece(i) for i in range(3, len(model))]
    names = list(dict.fromkeys(names))
    # A piece of the source that the model does not have, as it happens when vocabularies are cut.
    names.remove("ki")
    names += [">>deu<<", ">>fra<<"] if family == "marian-many" else []
    names.append("<pad>")
    (folder / "vocab.json").write_text(json.dumps({n: i for i, n in enumerate(names)}), "utf-8")
    source, target = LANGUAGES[family]
    tokenizer = transformers.MarianTokenizer(
        str(folder / "source.spm"), str(folder / "target.spm"), str(folder / "vocab.json"),
        source_lang=source, target_lang=target,
    )  # fmt: skip
    tokenizer.save_pretrained(folder)
    pad = names.index("<pad>")
    config = transformers.MarianConfig(
        **SHAPE, vocab_size=len(names), pad_token_id=pad, decoder_start_token_id=pad,
        eos_token_id=0, forced_eos_token_id=None, activation_function="swish", scale_embedding=True,
    )  # fmt: skip
    model = _random(transformers.MarianMTModel(config), family)
    with torch.no_grad():
        model.final_logits_bias.normal_()
        model.final_logits_bias[0, config.eos_token_id] = END_BIAS
    model.save_pretrained(folder)
    return model, tokenizer


def _make_multilingual(family: str, folder: Path) -> tuple[Any, Any]:
    import transformers

    tokenizer = _tokenizer(family, folder)
    tokenizer.save_pretrained(folder)
    spm = sentencepiece.SentencePieceProcessor(model_file=str(folder / SPLITTER))
    size = len(spm) + 210
    common = {"vocab_size": size, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
    common |= {"bos_token_id": 0, "forced_eos_token_id": None, "scale_embedding": True}
    if family == "mbart-50":
        config = transformers.MBartConfig(**SHAPE, **common, activation_function="gelu")
        model = _random(transformers.MBartForConditionalGeneration(config), family)
    else:
        config = transformers.M2M100Config(**SHAPE, **common, activation_function="relu")
        model = _random(transformers.M2M100ForConditionalGeneration(config), family)
    model.save_pretrained(folder)
    return model, tokenizer


def _tokenizer(family: str, folder: Path) -> Any:
    """Tokenizer of a multilingual model, of the real class."""
    import transformers
    from transformers.convert_slow_tokenizer import SentencePieceExtractor

    source, target = LANGUAGES[family]
    sides = {"src_lang": source, "tgt_lang": target}
    if family == "mbart-50":
        return transformers.MBart50Tokenizer.from_pretrained(folder, **sides)
    spm = sentencepiece.SentencePieceProcessor(model_file=str(folder / SPLITTER))
    pieces = [spm.id_to_piece(i) for i in range(3, len(spm))]
    names = [*MARKS, *(sorted(pieces) if family == "m2m-100" else pieces)]
    ids = {name: index for index, name in enumerate(names)}
    if family == "m2m-100":
        (folder / "vocab.json").write_text(json.dumps(ids), "utf-8")
        return transformers.M2M100Tokenizer(
            str(folder / "vocab.json"), str(folder / SPLITTER), **sides
        )
    merges = SentencePieceExtractor(str(folder / SPLITTER)).extract(None)["merges"]
    return transformers.NllbTokenizer(vocab=ids, merges=merges, **sides)


def _random(model: Any, family: str) -> Any:
    """Give a model weights that make its outputs vary, and its sentences end."""
    torch.manual_seed(SEEDS.get(family, SEED))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "embed_positions" in name and not weight.requires_grad:
                continue
            if weight.ndim == 1:
                weight.add_(torch.randn_like(weight) * 0.1)
            elif "shared" in name:
                weight.copy_(torch.randn_like(weight) * SPREAD)
                weight[model.config.eos_token_id] *= END_FACTORS.get(family, 1.0)
            else:
                weight.copy_(torch.randn_like(weight) * 1.5 * weight.shape[1] ** -0.5)
    return model.eval()


def expect(
    family: str, folder: Path, model: Any, tokenizer: Any, texts: Sequence[str]
) -> list[dict[str, Any]]:
    """What transformers says of `texts`: ids, greedy and beam tokens, and greedy text."""
    tagged = [f">>fra<< {text}" if family == "marian-many" else text for text in texts]
    ids = tokenizer(tagged, return_tensors="pt", padding=True)
    banned = _no_text(family, folder, model)
    greedy = _generate(family, model, tokenizer, ids, banned, num_beams=1)
    beam = _generate(family, model, tokenizer, ids, banned, num_beams=BEAM)
    with all_candidates_may_end(model):
        ours = _generate(family, model, tokenizer, ids, banned, num_beams=BEAM, prefixed=True)
    return [
        {
            "text": text,
            "ids": [token for token in row if token != model.config.pad_token_id],
            "greedy": greedy[index],
            "greedy_text": tokenizer.decode(greedy[index], skip_special_tokens=True),
            "beam": beam[index],
            "beam_our_rule": ours[index],
        }
        for index, (text, row) in enumerate(zip(texts, ids["input_ids"].tolist(), strict=True))
    ]


def _generate(
    family: str, model: Any, tokenizer: Any, ids: Any, banned: Sequence[int], *,
    num_beams: int, prefixed: bool = False,
) -> list[list[int]]:  # fmt: skip
    """Tokens after the marks that decoding starts with, the end mark included.

    `banned` are what no search of ours produces either. With `prefixed` the language's token is
    part of the prompt instead of the first token that is forced.
    """
    keys: dict[str, Any] = {"max_new_tokens": MOST_TOKENS, "num_beams": num_beams}
    marks = _marks(family, model, tokenizer)
    if not family.startswith("marian"):
        if prefixed:
            keys["decoder_input_ids"] = torch.tensor([marks] * len(ids["input_ids"]))
        else:
            keys |= {"forced_bos_token_id": marks[-1], "max_new_tokens": MOST_TOKENS + 1}
    out = model.generate(
        **ids, do_sample=False, early_stopping=False, length_penalty=1.0,
        bad_words_ids=[[token] for token in banned], renormalize_logits=True, **keys,
    )  # fmt: skip
    return [_cut(row[len(marks) :], model.config.eos_token_id) for row in out.tolist()]


def _cut(tokens: list[int], end: int) -> list[int]:
    return tokens[: tokens.index(end) + 1] if end in tokens else tokens[:MOST_TOKENS]


def _token(family: str, language: str) -> str:
    return f"__{language}__" if family == "m2m-100" else language


@torch.inference_mode()
def logits(
    family: str, folder: Path, model: Any, tokenizer: Any, texts: Sequence[str]
) -> dict[str, torch.Tensor]:
    """What the model gives when it is fed fixed targets of random text, one after the other.

    `targets` (B, T - 1) are the ids that follow the marks, `text` (V,) the ids that are text or the
    end mark, and `logits` (B, T, V) what it gives for these after the marks and after each target.
    """
    tagged = [f">>fra<< {text}" if family == "marian-many" else text for text in texts]
    ids = tokenizer(tagged, return_tensors="pt", padding=True)
    banned = set(_no_text(family, folder, model))
    text = torch.tensor([i for i in range(model.config.vocab_size) if i not in banned])
    chance = torch.Generator().manual_seed(11)
    drawn = torch.randint(len(text), (len(texts), LOGIT_TOKENS - 1), generator=chance)
    marks = torch.tensor([_marks(family, model, tokenizer)] * len(texts))
    out = model(**ids, decoder_input_ids=torch.cat([marks, text[drawn]], dim=1)).logits
    return {
        "targets": text[drawn],
        "text": text,
        "logits": out[:, marks.shape[1] - 1 :, text].contiguous(),
    }


def _marks(family: str, model: Any, tokenizer: Any) -> list[int]:
    """What the decoder reads before the first token that it chooses."""
    start = [int(model.config.decoder_start_token_id)]
    if family.startswith("marian"):
        return start
    return [*start, tokenizer.convert_tokens_to_ids(_token(family, LANGUAGES[family][1]))]


class all_candidates_may_end:  # noqa: N801 - reads like a function
    """Let transformers' beam search finish any of its 2K candidates, as ours does, not the first K.

    Nothing else of its search is changed.
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    def __enter__(self) -> None:
        plain = self._model._update_finished_beams

        def update(**keys: Any) -> Any:
            mask = torch.ones_like(keys.pop("top_num_beam_mask"))
            return plain(top_num_beam_mask=mask, **keys)

        self._model._update_finished_beams = update

    def __exit__(self, *_: object) -> None:
        del self._model._update_finished_beams


def _no_text(family: str, folder: Path, model: Any) -> list[int]:
    """Ids that are neither text nor the end mark: no search of ours produces them."""
    if family.startswith("marian"):
        names = json.loads((folder / "vocab.json").read_text("utf-8"))
        text = {number for name, number in names.items() if name not in ("<unk>", "<pad>")}
        text -= {number for name, number in names.items() if name.startswith(">>")}
    else:
        spm = sentencepiece.SentencePieceProcessor(model_file=str(folder / SPLITTER))
        text = {MARKS.index("</s>"), *range(len(MARKS), len(spm) + 1)}
    return sorted(set(range(model.config.vocab_size)) - text)


def script_hash() -> str:
    """SHA-256 of this script: with another one the goldens may be others."""
    text = Path(__file__).read_text("utf-8")
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def main() -> None:
    """Write every golden folder."""
    import transformers
    from safetensors.torch import save_file

    shutil.rmtree(DATA, ignore_errors=True)
    for family in FAMILIES:
        folder = DATA / family
        model, tokenizer = make(family, folder)
        texts = sentences("source", SENTENCES, 9)
        found = expect(family, folder, model, tokenizer, texts)
        lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in found)
        (folder / EXPECTED).write_text(f"[\n{lines}\n]\n", "utf-8")
        save_file(logits(family, folder, model, tokenizer, texts[:LOGIT_SENTENCES]),
                  folder / LOGITS)  # fmt: skip
    made = {
        "script_sha256": script_hash(),
        "transformers": transformers.__version__,
        "torch": torch.__version__,
    }
    (DATA / MADE).write_text(json.dumps(made, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
