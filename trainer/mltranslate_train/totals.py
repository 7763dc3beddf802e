"""Running numbers of a training run."""

from __future__ import annotations

from dataclasses import dataclass


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
