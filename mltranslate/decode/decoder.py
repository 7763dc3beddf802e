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
from mltranslate.packs.shortlist import read_shortlists
from mltranslate.packs.verify import check_graph
from mltranslate.runtime.providers import choose_device
from mltranslate.runtime.sessions import Session, create_session
from mltranslate.types import CancelToken

Ids = NDArray[np.int64]

_NOT_ALLOWED = np.float32(-60)
"""Added to the score of what only other sentences of a batch may choose. Beside a probability of 1
one of exp(-60) is nothing in fp32; exp of much less is a denormal number, which is slow to make."""

_PREFERRED = {"cpu": ("int8", "fp32"), "cuda": ("fp16", "fp32")}
"""Precisions of a device, best first; int8 graphs have kernels on the CPU only."""


class Decoder:
    """Greedy and beam search of one pack on one device.

    The greedy graph is loaded at once, the others when they are first needed. Calls from several
    threads are allowed.

    Where the pack has a shortlist for the target language, only the ids that it gives for a
    sentence are scored. A sentence with subwords that it never saw is decoded with the whole
    vocabulary; `Hypothesis.shortlist` says which it was.
    """

    def __init__(
        self,
        pack: Pack,
        *,
        device: str = "auto",
        precision: str | None = None,
        threads: int | None = None,
        shortlist: bool = True,
    ) -> None:
        """Choose device and precision and load the greedy graph.

        Without `shortlist` the whole vocabulary is always scored. Raises `DeviceError` if "cuda"
        cannot really be used, `PackError` if the pack lacks the precision or is damaged.
        """
        self.pack = pack
        self._threads = threads
        self._device, self.precision, note = _choose(pack, device, precision)
        self._shortlists = read_shortlists(pack) if shortlist else {}
        self.has_shortlists = bool(self._shortlists)
        """Whether any sentence is decoded with a shortlist."""
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        greedy = self._session(1, short=self.has_shortlists)
        self.device = greedy.device
        self.provider = greedy.provider
        self.note = note or greedy.note
        """Why "auto" fell back to the CPU; empty otherwise."""

    def prepare(self, beam: int) -> None:
        """Load the graph that this beam needs, so that the first `decode` does not."""
        self._session(beam, short=self.has_shortlists)

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
        for request in requests:
            self._check(request)
        short = [self._has_shortlist(request) for request in requests]
        found: list[list[Hypothesis]] = [[]] * len(requests)
        for kind in set(short):
            rows = [row for row, its in enumerate(short) if its is kind]
            feeds = self._feeds([requests[row] for row in rows], short=kind)
            feeds["guard"] = np.array(repetition_guard)
            for row, hypotheses in zip(rows, self._search(feeds, beam, kind, cancel), strict=True):
                found[row] = hypotheses
        return found

    def choices(self, request: Request) -> Ids | None:
        """Ids in rising order that are scored for this sentence; None: the whole vocabulary."""
        if not self._has_shortlist(request):
            return None
        return self._restriction([request])["shortlist"]

    def _has_shortlist(self, request: Request) -> bool:
        shortlist = self._shortlists.get(request.target)
        return shortlist is not None and shortlist.covers(request.pieces)

    def _search(
        self, feeds: dict[str, NDArray[Any]], beam: int, short: bool, cancel: CancelToken | None
    ) -> list[list[Hypothesis]]:
        session = self._session(beam, short=short)
        if beam == 1:
            found = session.run(feeds, cancel=cancel)
            return [[h] for h in _greedy_hypotheses(found["tokens"], found["totals"], short)]
        feeds["beams"] = np.array(beam, np.int64)
        found = session.run(feeds, cancel=cancel)
        return [
            [_beam_hypothesis(row, rank, short) for row, rank in zip(rows, ranks, strict=True)]
            for rows, ranks in zip(found["tokens"].tolist(), found["ranks"].tolist(), strict=True)
        ]

    def _session(self, beam: int, *, short: bool) -> Session:
        variant = self.pack.manifest.variants[self.precision]
        if short:
            name = variant.short_greedy if beam == 1 else variant.short_beam
        else:
            name = variant.greedy if beam == 1 else variant.beam
        with self._lock:
            if name not in self._sessions:
                check_graph(self.pack, name)
                # A whole output layer is transposed when it is loaded; beyond that the runtime's
                # optimisations only slow single sentences.
                self._sessions[name] = create_session(
                    self.pack.folder / name,
                    device=self._device,
                    threads=self._threads,
                    optimise=not short,
                )
            return self._sessions[name]

    def _feeds(self, requests: Sequence[Request], *, short: bool) -> dict[str, NDArray[Any]]:
        info = self.pack.manifest.tokenizer
        tags = [self._tag(request.tag_language(info.source_tag)) for request in requests]
        starts = [self._tag(request.target) for request in requests]
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
            **(self._restriction(requests) if short else {}),
        }

    def _restriction(self, requests: Sequence[Request]) -> dict[str, NDArray[Any]]:
        """All ids that the sentences may need, and which of them each may.

        A sentence must not use what its neighbours in the batch brought.
        """
        allowed = np.zeros((len(requests), self.pack.manifest.tokenizer.size), np.bool_)
        for row, request in zip(allowed, requests, strict=True):
            self._shortlists[request.target].mark(request.pieces, row)
        # The graph finds them by their places: padding first, the end mark second.
        allowed[:, :END] = False
        allowed[:, [PAD, END]] = True
        ids = np.flatnonzero(allowed[0] if len(allowed) == 1 else allowed.any(axis=0))
        penalty = np.logical_not(allowed.take(ids, axis=1)) * _NOT_ALLOWED
        return {"shortlist": ids, "penalty": penalty}

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


def _greedy_hypotheses(tokens: Ids, totals: NDArray[np.float32], short: bool) -> list[Hypothesis]:
    found = []
    for row, total in zip(tokens.tolist(), totals.tolist(), strict=True):
        pieces, finished = _pieces(row)
        mean = total / max(1, len(pieces) + finished)  # weights that are no numbers give nothing
        found.append(Hypothesis(pieces=pieces, score=mean, finished=finished, shortlist=short))
    return found


def _beam_hypothesis(row: list[int], rank: float, short: bool) -> Hypothesis:
    pieces, finished = _pieces(row)
    score = rank + UNFINISHED_PENALTY if rank <= -UNFINISHED_PENALTY else rank
    return Hypothesis(pieces=pieces, score=score, finished=finished, shortlist=short)


def _pieces(tokens: list[int]) -> tuple[tuple[int, ...], bool]:
    """What stands before the end mark, or all but padding, and whether there is an end mark."""
    if END in tokens:
        return tuple(tokens[: tokens.index(END)]), True
    return tuple(token for token in tokens if token != PAD), False
