"""eole's own training command, with its own loop, batches, loss and optimiser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import eole.trainer
from eole import train_single
from eole.config.run import TrainConfig
from gate import Gate
from torch import nn

gate = Gate()


class Timed(eole.trainer.Trainer):
    """The trainer, let through step by step."""

    def train(self, *args: Any, **options: Any) -> Any:
        """Train until the benchmark ends."""
        self.train_loss.register_forward_hook(_note)
        count = sum(item.numel() for item in self.model.parameters())
        gate.introduce(count, gate.spec["precision"])
        return super().train(*args, **options)

    def _train_step(self, *args: Any, **options: Any) -> None:
        gate.step()
        super()._train_step(*args, **options)


def _note(_module: nn.Module, _inputs: Any, outputs: Any) -> None:
    statistics = outputs[1]
    gate.learnt(statistics.loss, statistics.n_tokens)


def configuration(spec: dict[str, Any]) -> TrainConfig:
    """Configure it for the benchmark's model and data."""
    corpus, run = Path(spec["corpus"]), Path(spec["run"])
    rare = 10**9
    return TrainConfig(
        seed=spec["seed"], share_vocab=True, save_data=str(run), overwrite=True,
        src_vocab=str(corpus / "words.eole"),
        src_vocab_size=spec["vocabulary"], tgt_vocab_size=spec["vocabulary"],
        data={"corpus": {"path_src": str(corpus / "train.aa"), "path_tgt": str(corpus / "train.bb"),
                         "transforms": []}},
        report_every=100,
        training={
            "model_path": str(run / "model"), "world_size": 1, "gpu_ranks": [],
            "compute_dtype": spec["precision"], "use_amp": True,
            "optim": "adamw", "adam_beta2": 0.98, "weight_decay": spec["weight_decay"],
            "learning_rate": spec["learning_rate"], "decay_method": "none", "max_grad_norm": 1.0,
            "label_smoothing": spec["label_smoothing"], "normalization": "tokens",
            "batch_type": "tokens", "batch_size": spec["batch_tokens"], "batch_size_multiple": 1,
            # Text is read and cut within the loop, as everybody else here does it: workers would
            # work on between the windows, and take the processor away from the others.
            "num_workers": 0, "bucket_size": 2**15,
            "dropout": [spec["dropout"]], "attention_dropout": [spec["dropout"]],
            "param_init_method": "xavier_uniform",
            "log_attention_entropy": False, "train_steps": rare,
            "valid_steps": rare, "save_checkpoint_steps": rare,
        },
        model={
            "architecture": "transformer", "hidden_size": spec["d_model"],
            "heads": spec["heads"], "transformer_ff": spec["ffn"],
            "share_embeddings": True, "share_decoder_embeddings": True,
            "add_qkvbias": True, "add_ffnbias": True, "add_final_linear_bias": True,
            "embeddings": {"word_vec_size": spec["d_model"], "position_encoding": True,
                           "position_encoding_type": "SinusoidalInterleaved"},
            "encoder": {"encoder_type": "transformer", "layers": spec["encoder_layers"]},
            "decoder": {"decoder_type": "transformer", "layers": spec["decoder_layers"]},
        },
    )  # fmt: skip


if __name__ == "__main__":
    eole.trainer.Trainer = Timed
    train_single.main(configuration(gate.spec), device_id=-1)
