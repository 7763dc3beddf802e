from pathlib import Path

import pytest
import torch
from torch.nn import functional
from toy_corpus import write_recipe

from mltranslate.errors import ConfigError, TrainingError
from mltranslate_train import objectives
from mltranslate_train.config import Recipe, load_recipe
from mltranslate_train.data.batches import Batch
from mltranslate_train.model.build import make_config, make_model
from mltranslate_train.objective import Objective, Translation, source_mask
from mltranslate_train.objectives import make_objective
from mltranslate_train.optim import DivergenceGuard
from mltranslate_train.tokenizer import PAD

BATCH = Batch(
    torch.tensor([[5, 9, 10, 3], [5, 9, 3, PAD]]),
    torch.tensor([[5, 20, 21], [5, 22, PAD]]),
    torch.tensor([[20, 21, 3], [22, 3, PAD]]),
)


def made(folder: Path, *sets: str) -> tuple[Recipe, Objective]:
    recipe = load_recipe(write_recipe(folder), list(sets))
    torch.manual_seed(1)
    model = make_model(make_config(recipe.model, 50))
    return recipe, make_objective(model, recipe.train, torch.float32)


def entropy(objective: Objective) -> torch.Tensor:
    model = objective.model
    states = model(BATCH.source, BATCH.target_in, source_mask(BATCH.source))
    return functional.cross_entropy(
        model.logits(states).flatten(0, 1), BATCH.target_out.flatten(),
        ignore_index=PAD, label_smoothing=0.1, reduction="sum",
    )  # fmt: skip


@pytest.mark.parametrize("r_drop", [0, 3])
def test_without_dropout_the_loss_is_the_entropy_of_real_tokens(
    tmp_path: Path, r_drop: int
) -> None:
    # Two passes without dropout agree, so that R-Drop adds nothing.
    _, objective = made(tmp_path, "model.dropout=0.0", f"train.r_drop={r_drop}")
    loss = objective(*objective.inputs(BATCH))
    assert objective.tokens(BATCH) == 5
    assert loss.item() == pytest.approx(entropy(objective).item(), rel=1e-4)
    loss.backward()
    embedding = objective.model.embedding.weight
    got, embedding.grad = embedding.grad, None
    entropy(objective).backward()
    assert got is not None
    assert embedding.grad is not None
    torch.testing.assert_close(got, embedding.grad, rtol=1e-3, atol=1e-5)


def test_with_dropout_the_passes_differ_and_their_divergence_counts(tmp_path: Path) -> None:
    losses = []
    for alpha in (1e-9, 5.0):
        _, objective = made(tmp_path, "model.dropout=0.3", f"train.r_drop={alpha}")
        torch.manual_seed(2)
        losses.append(objective(*objective.inputs(BATCH)).item())
    assert losses[1] > losses[0] * 1.01


def test_objective_that_no_one_offers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objectives, "OBJECTIVES", {"other": Translation})
    with pytest.raises(ConfigError, match="Choose one of other"):
        made(tmp_path)


def test_guard_stops_the_optimiser_from_the_first_bad_gradient_on() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([weight], lr=0.1, fused=True)
    guard = DivergenceGuard(optimizer, torch.device("cpu"), step=10)
    seen = []
    for value in (1.0, 1.0, float("inf"), 1.0, 1.0):
        weight.grad = torch.full((3,), value)
        guard.note(weight.grad.norm())
        optimizer.step()
        seen.append(weight.detach().clone())
    assert not torch.equal(seen[0], seen[1])
    assert torch.equal(seen[1], seen[2])
    assert torch.equal(seen[1], seen[4])
    with pytest.raises(TrainingError, match="diverged at step 13"):
        guard.check()
