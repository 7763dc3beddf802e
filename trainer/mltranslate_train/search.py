"""Greedy and beam search in torch: the oracle that the exported graphs must equal token for token.

Sampling, which graphs do not have, is for synthetic training data.

Shape suffixes: B sentences, K beams, R = B * K rows, S source length, T tokens so far,
V vocabulary.

All searches score a hypothesis by its mean log-probability a token, the end mark included, and
take at most `max_tokens` steps a sentence. Beam search keeps K unfinished prefixes and a pool of
the K best finished ones; a sentence is done when the pool is full and no prefix scores better than
its worst member (the rule of most toolkits; it is a heuristic, as a mean can still rise). What it
divides the sum by is the number of tokens, or a power of it: the length penalty (Wu et al. 2016 in
its plain form), of which more than 1 favours longer output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from mltranslate.decode.types import BEGIN, END, PAD, UNFINISHED_PENALTY, UNKNOWN, Hypothesis
from mltranslate_train.model.seq2seq import Seq2Seq, Tree, map_tensors

NEVER = (PAD, UNKNOWN, BEGIN)
"""Ids that no search produces unless told otherwise."""

_INFINITY = float("inf")


def greedy(
    model: Seq2Seq,
    source: Tensor,
    start: Tensor,
    max_tokens: Tensor,
    *,
    guard: bool = False,
    banned: Sequence[int] = NEVER,
) -> list[Hypothesis]:
    """Take the best token at every step.

    `source` (B, S) holds `<2xx> pieces </s>` padded with 0, `start` (B,) the first decoder input,
    `max_tokens` (B,) the most steps a sentence. With `guard` no 3-gram is produced twice.
    """
    inputs = (source, start, max_tokens)
    return _one_by_one(model, inputs, lambda logprobs, _: logprobs.max(dim=1), guard, banned)


def sample(
    model: Seq2Seq,
    source: Tensor,
    start: Tensor,
    max_tokens: Tensor,
    *,
    draws: Tensor,
    top: int = 0,
    guard: bool = False,
    banned: Sequence[int] = NEVER,
) -> list[Hypothesis]:
    """Draw every token from the model's distribution; other arguments as for `greedy`.

    `draws` (B, T) has a number in [0, 1) for every step of every sentence, which alone decides
    the draw: a sentence gets the same translation whatever stands beside it. With `top` only the
    so many likeliest tokens of a step are drawn from (Fan et al. 2018), without it all of them
    (Edunov et al. 2018). Scores are those of the whole distribution.
    """

    def choose(logprobs: Tensor, step: int) -> tuple[Tensor, Tensor]:
        return _draw(logprobs, draws[:, step], top)

    return _one_by_one(model, (source, start, max_tokens), choose, guard, banned)


def _draw(logprobs: Tensor, chances: Tensor, top: int) -> tuple[Tensor, Tensor]:
    """Token by the inverse of the cumulative distribution: log-probabilities and ids (B,)."""
    every = torch.arange(logprobs.shape[1], device=logprobs.device).expand_as(logprobs)
    kept, tokens = logprobs.topk(min(top, logprobs.shape[1])) if top else (logprobs, every)
    mass = kept.double().exp().cumsum(dim=1)
    wanted = chances.to(mass)[:, None] * mass[:, -1:]
    place = torch.searchsorted(mass, wanted, right=True).clamp(max=kept.shape[1] - 1)
    return kept.gather(1, place)[:, 0], tokens.gather(1, place)[:, 0]


def _one_by_one(
    model: Seq2Seq,
    inputs: tuple[Tensor, Tensor, Tensor],
    choose: Callable[[Tensor, int], tuple[Tensor, Tensor]],
    guard: bool,
    banned: Sequence[int],
) -> list[Hypothesis]:
    """One prefix a sentence; `choose` takes log-probabilities (B, V) and the number of the step.

    It gives the log-probability and the id (B,) of each next token.
    """
    source, start, max_tokens = inputs
    with _inference(model):
        stepper = _Stepper(model, source, 1, banned)
        batch, steps = len(source), int(max_tokens.max())
        tokens = source.new_zeros(batch, 0)
        total = torch.zeros(batch, device=source.device)
        done = torch.zeros(batch, dtype=torch.bool, device=source.device)
        last = start
        for step in range(steps):
            logprob, token = choose(stepper(last, step, tokens if guard else None), step)
            total = total + logprob.masked_fill(done, 0.0)
            last = token.masked_fill(done, PAD)
            tokens = torch.cat([tokens, last[:, None]], dim=1)
            done = done | (token == END) | (step + 1 >= max_tokens)
            if bool(done.all()):
                break
    lengths = (tokens != PAD).sum(dim=1)
    return [
        _hypothesis(row, mean)
        for row, mean in zip(tokens.tolist(), (total / lengths).tolist(), strict=True)
    ]


def beam(
    model: Seq2Seq,
    source: Tensor,
    start: Tensor,
    max_tokens: Tensor,
    *,
    size: int,
    guard: bool = False,
    banned: Sequence[int] = NEVER,
    length_penalty: float = 1.0,
) -> list[Hypothesis]:
    """Best hypothesis of every sentence with `size` beams; arguments as for `n_best`."""
    found = n_best(
        model, source, start, max_tokens, size=size, guard=guard, banned=banned,
        length_penalty=length_penalty,
    )  # fmt: skip
    return [hypotheses[0] for hypotheses in found]


def n_best(
    model: Seq2Seq,
    source: Tensor,
    start: Tensor,
    max_tokens: Tensor,
    *,
    size: int,
    guard: bool = False,
    banned: Sequence[int] = NEVER,
    length_penalty: float = 1.0,
) -> list[list[Hypothesis]]:
    """Find the `size` best hypotheses of every sentence, best first; arguments as for `greedy`.

    They are ranked by the sum of log-probabilities over length ** `length_penalty`.
    """
    with _inference(model):
        stepper = _Stepper(model, source, size, banned)
        state = Beam.begin(len(source), size, source.device, length_penalty)
        last = start.repeat_interleave(size)
        for step in range(int(max_tokens.max())):
            logprobs = stepper(last, step, state.tokens.flatten(0, 1) if guard else None)
            candidates = state.expand(logprobs.view(len(source), size, -1))
            state.finish(candidates, step + 1, max_tokens)
            rows = state.prune(candidates)
            if bool(state.done.all()):
                break
            stepper.reorder(rows)
            last = state.tokens[:, :, -1].flatten()
    return state.hypotheses()


@dataclass(frozen=True, slots=True)
class Candidates:
    """The 2K best continuations of a sentence: enough for K prefixes even if K of them end."""

    totals: Tensor
    """Summed log-probabilities (B, 2K), falling."""
    beams: Tensor
    """Beam that each continues (B, 2K)."""
    tokens: Tensor
    """Prefix and new token (B, 2K, T + 1)."""

    @property
    def ended(self) -> Tensor:
        """True (B, 2K) where the new token is the end mark."""
        return self.tokens[:, :, -1] == END


@dataclass(slots=True)
class Beam:
    """Unfinished prefixes and the pool of finished hypotheses of a batch."""

    tokens: Tensor
    """Prefixes (B, K, T)."""
    totals: Tensor
    """Their summed log-probabilities (B, K), falling; minus infinity where there is none."""
    pool: Tensor
    """Finished hypotheses (B, K, T), padded."""
    ranks: Tensor
    """Their totals over length ** length_penalty (B, K), falling, less the one if unfinished."""
    done: Tensor
    """True (B,) for sentences that need no further step."""
    length_penalty: float

    @classmethod
    def begin(
        cls, batch: int, size: int, device: torch.device, length_penalty: float = 1.0
    ) -> Beam:
        """One empty prefix a sentence, and an empty pool."""
        tokens = torch.zeros(batch, size, 0, dtype=torch.int64, device=device)
        empty = torch.full((batch, size), -_INFINITY, device=device)
        totals = empty.index_fill(1, torch.zeros(1, dtype=torch.int64, device=device), 0.0)
        done = torch.zeros(batch, dtype=torch.bool, device=device)
        return cls(tokens, totals, tokens, empty, done, length_penalty)

    def expand(self, logprobs: Tensor) -> Candidates:
        """Best continuations of all prefixes by the next token's log-probabilities (B, K, V)."""
        size, vocabulary = logprobs.shape[1:]
        scores = (self.totals[:, :, None] + logprobs).flatten(1)
        totals, index = scores.topk(2 * size, dim=1)
        beams = index.div(vocabulary, rounding_mode="floor")
        grown = torch.cat([_rows(self.tokens, beams), (index % vocabulary)[:, :, None]], dim=2)
        return Candidates(totals, beams, grown)

    def finish(self, candidates: Candidates, length: int, max_tokens: Tensor) -> None:
        """Move ended candidates, and all at a sentence's last step, to the pool if good enough."""
        last = (length >= max_tokens)[:, None]
        scale = length**self.length_penalty
        ranks = candidates.totals / scale - UNFINISHED_PENALTY * ~candidates.ended
        ranks = ranks.masked_fill(~(candidates.ended | last), -_INFINITY)
        longer = torch.cat([self.pool, self.pool.new_zeros(*self.pool.shape[:2], 1)], dim=2)
        self.ranks, kept = torch.cat([self.ranks, ranks], 1).topk(self.ranks.shape[1], dim=1)
        self.pool = _rows(torch.cat([longer, candidates.tokens], dim=1), kept)
        alive = candidates.totals.masked_fill(candidates.ended, -_INFINITY).amax(dim=1)
        self.done = self.done | last[:, 0] | (alive / scale <= self.ranks[:, -1])

    def prune(self, candidates: Candidates) -> Tensor:
        """Keep the best unfinished candidates; returns the row (R,) that each one continues."""
        batch, size = self.totals.shape
        alive = candidates.totals.masked_fill(candidates.ended, -_INFINITY)
        totals, kept = alive.topk(size, dim=1)
        self.totals = totals.masked_fill(self.done[:, None], -_INFINITY)
        self.tokens = _rows(candidates.tokens, kept)
        first = torch.arange(batch, device=totals.device)[:, None] * size
        return (first + candidates.beams.gather(1, kept)).flatten()

    def hypotheses(self) -> list[list[Hypothesis]]:
        """List the pools, best first, with the mean log-probability a token as score."""
        cut = self.ranks <= -UNFINISHED_PENALTY
        lengths = (self.pool != PAD).sum(dim=2).clamp_min(1)
        means = (self.ranks + UNFINISHED_PENALTY * cut) * lengths ** (self.length_penalty - 1)
        return [
            [_hypothesis(row, mean) for row, mean in zip(rows, found, strict=True)]
            for rows, found in zip(self.pool.tolist(), means.tolist(), strict=True)
        ]


class _Stepper:
    """Log-probabilities of the next token, with the caches of R rows kept inside."""

    def __init__(self, model: Seq2Seq, source: Tensor, size: int, banned: Sequence[int]) -> None:
        mask = (source != PAD)[:, None, None, :]
        memories = model.memories(model.encode(source, mask))
        self._model = model
        self._mask = mask.repeat_interleave(size, dim=0)
        self._memories = map_tensors(lambda part: part.repeat_interleave(size, dim=0), memories)
        self._caches: Tree | None = None
        self._bias = torch.zeros(model.config.vocabulary_size, device=source.device)
        self._bias[list(banned)] = -_INFINITY

    def __call__(self, last: Tensor, step: int, guarded: Tensor | None) -> Tensor:
        """Feed token ids (R,); gives (R, V). No 3-gram of `guarded` (R, T) can come again."""
        logits, self._caches = self._model.step(
            last, step, self._memories, self._mask, self._caches
        )
        logits = logits.float() + self._bias
        if guarded is not None:
            logits = block_repeats(logits, guarded)
        return logits.log_softmax(dim=-1)

    def reorder(self, rows: Tensor) -> None:
        """Let row i continue what was row `rows[i]`."""
        if self._caches is not None:
            self._caches = map_tensors(lambda part: part[rows], self._caches)


def block_repeats(logits: Tensor, tokens: Tensor) -> Tensor:
    """Give minus infinity (R, V) to tokens that would complete a 3-gram of `tokens` (R, T)."""
    if tokens.shape[1] < 3:
        return logits
    same = (tokens[:, :-2] == tokens[:, -2:-1]) & (tokens[:, 1:-1] == tokens[:, -1:])
    penalty = torch.zeros_like(same, dtype=logits.dtype).masked_fill(same, -_INFINITY)
    return logits.scatter_add(1, tokens[:, 2:], penalty)


def _rows(table: Tensor, index: Tensor) -> Tensor:
    """Rows (B, N, T) of `table` (B, M, T) by `index` (B, N)."""
    return table.gather(1, index[:, :, None].expand(-1, -1, table.shape[2]))


def _hypothesis(tokens: list[int], score: float) -> Hypothesis:
    if END in tokens:
        return Hypothesis(pieces=tuple(tokens[: tokens.index(END)]), score=score, finished=True)
    return Hypothesis(pieces=tuple(t for t in tokens if t != PAD), score=score, finished=False)


@contextmanager
def _inference(model: Seq2Seq) -> Iterator[None]:
    """Switch to evaluation mode without gradients, and back afterwards."""
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(training)
