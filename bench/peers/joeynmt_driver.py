"""joeynmt's own training command, with its own loop, batches, loss and optimiser.

It trains in fp32: on a CPU joeynmt turns its half precision off.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gate import Gate
from joeynmt import training
from joeynmt.batch import Batch

gate = Gate()


class Timed(training.TrainManager):
    """The trainer, let through step by step."""

    def train_and_validate(self, train_data: Any, valid_data: Any) -> None:
        """Train until the benchmark ends."""
        gate.introduce(sum(item.numel() for item in self.model.parameters()), "fp32")
        super().train_and_validate(train_data, valid_data)

    def _train_step(self, batch: Batch) -> tuple[float, int]:
        gate.step()
        mean, correct = super()._train_step(batch)
        gate.learnt(mean * batch.ntokens, batch.ntokens)
        return mean, correct


def configuration(spec: dict[str, Any]) -> dict[str, Any]:
    """Configure it for the benchmark's model and data."""
    corpus, run = Path(spec["corpus"]), Path(spec["run"])
    rare = 10**9
    return {
        "name": "speed", "joeynmt_version": "2.3.0", "model_dir": str(run / "model"),
        "use_cuda": False, "fp16": False, "random_seed": spec["seed"],
        "data": {
            "train": str(corpus / "train"), "dev": str(corpus / "dev"), "dataset_type": "plain",
            "src": _side("aa", corpus), "trg": _side("bb", corpus),
            "special_symbols": {},
        },
        "testing": {"batch_size": 8, "batch_type": "sentence", "eval_metrics": ["bleu"]},
        "training": {
            "optimizer": "adamw", "adam_betas": [0.9, 0.98], "weight_decay": spec["weight_decay"],
            "learning_rate": spec["learning_rate"], "learning_rate_min": 0.0,
            "scheduling": "exponential", "decrease_factor": 1.0,  # a constant rate
            "clip_grad_norm": 1.0, "loss": "crossentropy",
            "label_smoothing": spec["label_smoothing"], "normalization": "tokens",
            "batch_type": "token", "batch_size": spec["batch_tokens"], "batch_multiplier": 1,
            "epochs": rare, "updates": rare, "shuffle": True,
            "logging_freq": 100, "validation_freq": rare, "early_stopping_metric": "loss",
        },
        "model": {
            "tied_embeddings": True, "tied_softmax": True, "initializer": "xavier_uniform",
            "embed_initializer": "xavier_uniform",
            "encoder": _stack(spec, spec["encoder_layers"]),
            "decoder": _stack(spec, spec["decoder_layers"]),
        },
    }  # fmt: skip


def _side(language: str, corpus: Path) -> dict[str, Any]:
    words = str(corpus / "words.joeynmt")
    return {"lang": language, "level": "word", "lowercase": False, "voc_file": words}


def _stack(spec: dict[str, Any], layers: int) -> dict[str, Any]:
    embeddings = {"embedding_dim": spec["d_model"], "scale": True, "dropout": spec["dropout"]}
    return {
        "type": "transformer", "num_layers": layers, "num_heads": spec["heads"],
        "embeddings": embeddings, "hidden_size": spec["d_model"], "ff_size": spec["ffn"],
        "dropout": spec["dropout"], "layer_norm": "pre", "activation": "relu",
    }  # fmt: skip


if __name__ == "__main__":
    training.TrainManager = Timed
    chosen = configuration(gate.spec)
    Path(chosen["model_dir"]).mkdir(parents=True)
    training.train(rank=0, world_size=1, cfg=chosen, skip_test=True)
