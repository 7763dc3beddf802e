"""Decodes batches of sentences with the graphs of a pack."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mltranslate.decode.types import END, PAD, UNFINISHED_PENALTY, Hypothesis, Request
from mltranslate.errors import DeviceError, InputError, LanguageError, PackError, UsageError
from mltranslate.limits import MAX_BEAM
from mltranslate.packs.pack import Pack
from mltranslate.packs.verify import check_graph
from mltranslate.runtime.providers import choose_device
from mltranslate.runtime.sessions import Session, create_session
from mltranslate.types import CancelToken

Ids = NDArray[np.int64]

_PREFERRED = {"cpu": ("int8", "fp32"), "cuda": ("fp16", "fp32")}
"""Precisions of a device, best first; int8 graphs have kernels on the CPU only."""


class Decoder:
    """Greedy and beam search of one pack on one device.

    The greedy graph is loaded at once, the beam graph when it is first asked for. Calls from
    several threads are allowed.
    """

    def __init__(
        self,
        pack: Pack,
        *,
        device: str = "auto",
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        """Choose device and precision and load the greedy graph.

        Raises `DeviceError` if "cuda" cannot really be used, `PackError` if the pack lacks the
        precision or is damaged.
        """
        self.pack = pack
        self._threads = threads
        self._device, self.precision, note = _choose(pack, device, precision)
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        greedy = self._session("greedy")
        self.device = greedy.device
        self.provider = greedy.provider
        self.note = note or greedy.note
        """Why "auto" fell back to the CPU; empty otherwise."""

    def prepare(self, beam: int) -> None:
        """Load the graph that this beam needs, so that the first `decode` does not."""
        self._session("greedy" if beam == 1 else "beam")

    def decode(
        self,
        requests: Sequence[Request],
        *,
        beam: int = 1,
        cancel: CancelToken | None = None,
        repetition_guard: bool = False,
    ) -> list[Hypothesis]:
        """Decode one batch; the best hypothesis of every request, in order.

        A `max_tokens` beyond the model's positions counts as `pack.max_target_tokens`. With
        `repetition_guard` no 3-gram of subwords is produced twice. Raises `LanguageError`,
        `InputError` or `UsageError` for requests that the pack cannot serve, and `Cancelled`.
        """
        return [found[0] for found in self.n_best(
            requests, beam=beam, cancel=cancel, repetition_guard=repetition_guard
        )]  # fmt: skip

    def n_best(
        self,
        requests: Sequence[Request],
        *,
        beam: int,
        cancel: CancelToken | None = None,
        repetition_guard: bool = False,
    ) -> list[list[Hypothesis]]:
        """Like `decode`, with all `beam` hypotheses of every request, best first."""
        if not 1 <= beam <= MAX_BEAM:
            raise UsageError(f"beam {beam} is not between 1 and {MAX_BEAM}")
        if not requests:
            return []
        feeds: dict[str, NDArray[Any]] = self._feeds(requests)
        feeds["guard"] = np.array(repetition_guard)
        if beam == 1:
            found = self._session("greedy").run(feeds, cancel=cancel)
            return [[h] for h in _greedy_hypotheses(found["tokens"], found["totals"])]
        feeds["beams"] = np.array(beam, np.int64)
        found = self._session("beam").run(feeds, cancel=cancel)
        return [
            [_beam_hypothesis(row, rank) for row, rank in zip(rows, ranks, strict=True)]
            for rows, ranks in zip(found["tokens"], found["ranks"].tolist(), strict=True)
        ]

    def _session(self, search: str) -> Session:
        with self._lock:
            if search not in self._sessions:
                variant = self.pack.manifest.variants[self.precision]
                name = variant.greedy if search == "greedy" else variant.beam
                check_graph(self.pack, name)
                self._sessions[search] = create_session(
                    self.pack.folder / name, device=self._device, threads=self._threads
                )
            return self._sessions[search]

    def _feeds(self, requests: Sequence[Request]) -> dict[str, NDArray[Any]]:
        info = self.pack.manifest.tokenizer
        tags = [self._tag(request.tag_language(info.source_tag)) for request in requests]
        starts = [self._tag(request.target) for request in requests]
        for request in requests:
            self._check(request)
        longest = max(len(request.pieces) for request in requests) + 2
        source = np.full((len(requests), longest), PAD, np.int64)
        for row, tag, request in zip(source, tags, requests, strict=True):
            ids = (tag, *request.pieces, END)
            row[: len(ids)] = ids
        limit = self.pack.max_target_tokens
        steps = [min(request.max_tokens, limit) for request in requests]
        return {
            "source": source,
            "start": np.array(starts, np.int64),
            "max_tokens": np.array(steps, np.int64),
        }

    def _tag(self, language: str) -> int:
        tags = self.pack.manifest.tokenizer.tags
        if language not in tags:
            raise LanguageError(
                f"the pack {self.pack.name} does not know the language {language!r}",
                fix=f"Choose one of {', '.join(tags)}",
            )
        return tags[language]

    def _check(self, request: Request) -> None:
        size = self.pack.manifest.tokenizer.size
        if len(request.pieces) > self.pack.max_source_tokens:
            raise InputError(
                f"a sentence has {len(request.pieces)} subwords",
                why=f"the pack {self.pack.name} takes {self.pack.max_source_tokens}",
                fix="Split it first",
            )
        if any(not PAD < piece < size for piece in request.pieces):
            raise UsageError(f"a subword id is not between 1 and {size - 1}")
        if request.max_tokens < 1:
            raise UsageError(f"max_tokens {request.max_tokens} is less than 1")


def _choose(pack: Pack, device: str, precision: str | None) -> tuple[str, str, str]:
    """Settle device, precision and the note of a fallback."""
    choice = choose_device(device)
    if precision is not None and precision not in pack.precisions:
        raise PackError(
            f"the pack {pack.name} has no {precision} variant",
            fix=f"Choose one of {', '.join(pack.precisions)}",
        )
    wanted = (precision,) if precision else pack.precisions
    usable = [p for p in _PREFERRED[choice.device] if p in wanted]
    if usable:
        return choice.device, usable[0], choice.note
    why = f"the pack {pack.name} has no variant for it among {', '.join(wanted)}"
    if device == "auto" and choice.device == "cuda":
        on_cpu = [p for p in _PREFERRED["cpu"] if p in wanted]
        if on_cpu:
            return "cpu", on_cpu[0], f"CUDA is not used: {why}"
    raise DeviceError(f"{choice.device} cannot be used", why=why, fix="Use another pack or device")


def _greedy_hypotheses(tokens: Ids, totals: NDArray[np.float32]) -> list[Hypothesis]:
    lengths = (tokens != PAD).sum(axis=1)
    means = (totals / lengths).tolist()
    return [_hypothesis(row.tolist(), mean) for row, mean in zip(tokens, means, strict=True)]


def _beam_hypothesis(row: Ids, rank: float) -> Hypothesis:
    cut = rank <= -UNFINISHED_PENALTY
    return _hypothesis(row.tolist(), rank + UNFINISHED_PENALTY if cut else rank)


def _hypothesis(tokens: list[int], score: float) -> Hypothesis:
    if END in tokens:
        return Hypothesis(pieces=tuple(tokens[: tokens.index(END)]), score=score, finished=True)
    pieces = tuple(token for token in tokens if token != PAD)
    return Hypothesis(pieces=pieces, score=score, finished=False)
