"""Running numbers of a training run."""

from __future__ import annotations

from dataclasses import dataclass

from mltranslate_train.config import TrainConfig


@dataclass(slots=True)
class Totals:
    """What a run has done so far; all of it survives a resume, and all processes have the same."""

    step: int = 0
    target_tokens: int = 0
    seconds: float = 0.0
    best_score: float = -1.0
    evaluations_since_best: int = 0
    measure: str = ""
    """What the best score is of; empty if none was taken."""

    def scored(self, score: float, measure: str) -> bool:
        """Count an evaluation; true if no one before by the same `measure` was as good."""
        if self.measure not in ("", measure):
            self.best_score, self.evaluations_since_best = -1.0, 0
        self.measure = measure
        better = score > self.best_score
        self.best_score = max(score, self.best_score)
        self.evaluations_since_best = 0 if better else self.evaluations_since_best + 1
        return better

    def at_end(self, config: TrainConfig) -> bool:
        """Whether the run has made all its steps, or used all its minutes."""
        return self.step >= config.max_steps or 0 < config.max_minutes <= self.seconds / 60

    def finished(self, config: TrainConfig) -> str:
        """Why no step is left, and what would allow more; empty while there are steps to do."""
        if self.step >= config.max_steps:
            return (
                f"it has made {self.step} steps, and train.max_steps is {config.max_steps}. To "
                f"train on, raise it in the recipe or with --set train.max_steps={2 * self.step}"
            )
        if self.at_end(config):
            return (
                f"it has trained for {self.seconds / 60:.1f} minutes, and train.max_minutes is "
                f"{config.max_minutes}. To train on, raise it; 0 sets no limit"
            )
        if 0 < config.patience <= self.evaluations_since_best:
            return (
                f"the last {self.evaluations_since_best} evaluations brought nothing better. To "
                f"train on, raise train.patience, which is {config.patience}; 0 never stops a run"
            )
        return ""
