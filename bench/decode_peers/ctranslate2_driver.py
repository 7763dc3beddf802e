"""CTranslate2: converts the weights of our model itself, and translates with the result.

Its vocabulary has the ids as words, so that both engines speak of the same tokens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from ctranslate2.specs import common_spec, transformer_spec
from turns import Call, Tokens, Turns

Weights = dict[str, Any]
LONGEST = 1 << 20


def make_spec(weights: Weights, about: dict[str, Any]) -> Any:
    """The model as CTranslate2 knows it; `weights` are kept, so each spec needs its own copy.

    `spec.optimize` quantises the arrays where they lie.
    """
    spec = transformer_spec.TransformerSpec.from_config(
        (about["encoder_layers"], about["decoder_layers"]), about["heads"], pre_norm=True,
        activation=common_spec.Activation.RELU,
    )  # fmt: skip
    for name, side in (("encoder", spec.encoder), ("decoder", spec.decoder)):
        embeddings = side.embeddings[0] if name == "encoder" else side.embeddings
        embeddings.weight = weights["embedding.weight"].copy()
        side.scale_embeddings = True
        side.position_encodings.encodings = weights["positions"].copy()
        _norm(side.layer_norm, weights, f"{name}_norm")
    for index, layer in enumerate(spec.encoder.layer):
        place = f"encoder_layers.{index}"
        _attention(layer.self_attention, weights, place, "attention", ("qkv", "out"))
        _feed_forward(layer.ffn, weights, place)
    for index, layer in enumerate(spec.decoder.layer):
        place = f"decoder_layers.{index}"
        _attention(layer.self_attention, weights, place, "self", ("qkv", "out"))
        _attention(layer.attention, weights, place, "cross", ("q", "kv", "out"))
        _feed_forward(layer.ffn, weights, place)
    spec.decoder.projection.weight = weights["embedding.weight"].copy()
    spec.decoder.projection.bias = weights["output_bias"].copy()
    words = [str(identity) for identity in range(len(weights["embedding.weight"]))]
    spec.register_source_vocabulary(words)
    spec.register_target_vocabulary(words)
    spec.config.add_source_bos = spec.config.add_source_eos = False
    spec.config.unk_token, spec.config.bos_token, spec.config.eos_token = "1", "2", "3"
    spec.config.decoder_start_token = str(about["start"])
    return spec


def _attention(layer: Any, weights: Weights, place: str, kind: str, parts: tuple[str, ...]) -> None:
    name = kind if kind == "attention" else f"{kind}_attention"
    _norm(layer.layer_norm, weights, f"{place}.{kind}_norm")
    for linear, part in zip(layer.linear, parts, strict=True):
        _linear(linear, weights, f"{place}.{name}.{part}")


def _feed_forward(layer: Any, weights: Weights, place: str) -> None:
    _norm(layer.layer_norm, weights, f"{place}.ffn_norm")
    _linear(layer.linear_0, weights, f"{place}.ffn.up")
    _linear(layer.linear_1, weights, f"{place}.ffn.down")


def _linear(layer: Any, weights: Weights, name: str) -> None:
    layer.weight = weights[f"{name}.weight"].copy()
    layer.bias = weights[f"{name}.bias"].copy()


def _norm(layer: Any, weights: Weights, name: str) -> None:
    layer.gamma = weights[f"{name}.weight"].copy()
    layer.beta = weights[f"{name}.bias"].copy()


def load(spec: dict[str, Any], model: str, kind: str) -> ctranslate2.Translator:
    """Convert one of the models to float32 or int8, with the vocabulary map beside it, and load."""
    source = Path(spec["folder"]) / model
    with np.load(source / "weights.npz") as file:
        made = make_spec(dict(file), spec["model"])
    made.validate()
    made.optimize(quantization=kind)
    target = source / f"ctranslate2.{kind}"
    target.mkdir()
    made.save(str(target))
    (target / "vmap.txt").write_bytes((Path(spec["folder"]) / "vmap.txt").read_bytes())
    return ctranslate2.Translator(
        str(target), device=spec["device"], compute_type=kind,
        inter_threads=1, intra_threads=spec["threads"],
    )  # fmt: skip


def call_of(translator: ctranslate2.Translator, case: dict[str, Any], options: Any) -> Call:
    """The timed call of a case: every group of sentences with its own limit, in order."""
    words = [
        ([[str(piece) for piece in pieces] for pieces in group["sources"]], group["limit"])
        for group in case["groups"]
    ]

    def call() -> Tokens:
        found: Tokens = []
        for sources, limit in words:
            results = translator.translate_batch(
                sources, beam_size=case["beam"], max_decoding_length=limit, max_input_length=0,
                **options,
            )  # fmt: skip
            found += [[int(word) for word in result.hypotheses[0]] for result in results]
        return found

    return call


def batching(case: dict[str, Any], tokens: int) -> dict[str, Any]:
    """How a case is cut: not at all, or by so many tokens, sorted by length."""
    if case["whole"]:
        return {"max_batch_size": 0}
    return {"max_batch_size": tokens, "batch_type": "tokens"}


def main() -> None:
    """Convert, load, and answer the benchmark."""
    turns = Turns()
    spec = turns.spec
    loaded = {
        f"{model}.{kind}": load(spec, model, kind)
        for model in spec["models"]
        for kind in ("float32", "int8")
    }

    def chosen(setting: str, name: str) -> Call:
        how, _, tokens = setting.partition("@")
        kind, _, mapped = how.partition("+")
        case = spec["cases"][name]
        options = batching(case, int(tokens or LONGEST))
        options["use_vmap"] = bool(mapped)
        return call_of(loaded[f"{case['model']}.{kind}"], case, options)

    turns.serve(chosen, {"version": ctranslate2.__version__})


if __name__ == "__main__":
    main()
