"""Decodes batches of sentences with the graphs of a pack."""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mltranslate.decode.coverage import Attention, by_coverage
from mltranslate.decode.feeds import Feeder, Feeds
from mltranslate.decode.outputs import hypotheses_of, of_size
from mltranslate.decode.reverse import Return, by_reverse
from mltranslate.decode.types import END, Hypothesis, Request, Search
from mltranslate.errors import DeviceError, PackError
from mltranslate.limits import DEFAULT_BEAM, DEFAULT_LENGTH_PENALTY
from mltranslate.packs.pack import Pack
from mltranslate.packs.shortlist import read_shortlists
from mltranslate.packs.verify import check_graph
from mltranslate.runtime.providers import choose_device
from mltranslate.runtime.sessions import Session, create_session, default_threads
from mltranslate.types import CancelToken

Ids = NDArray[np.int64]

_ABILITIES = {
    "prefix": "complete a translation or score its tokens",
    "length_penalty": "search with a length penalty",
    "top": "draw translations",
}
"""What the optional inputs of graphs are for; packs from before they were there lack them."""

_LARGE = 64 * 2**20
"""Bytes of weights from which on the products of one step are worth several threads; with less of
them, several batches at a time are."""

_PREFERRED = {"cpu": ("int8", "fp32"), "cuda": ("fp16", "fp32")}
"""Precisions of a device, best first; int8 graphs have kernels on the CPU only."""


class Decoder:
    """Greedy and beam search of one pack on one device.

    One graph is loaded at once, the others when they are first needed. Calls from several threads
    are allowed.

    Where the pack has a shortlist for the target language, only the ids that it gives for a
    sentence are scored. A sentence with subwords that it never saw, or with hardly any
    (`mltranslate.decode.feeds.SHORTLIST_FROM`), is decoded with the whole vocabulary;
    `Hypothesis.shortlist` says which it was.
    """

    def __init__(
        self,
        pack: Pack,
        *,
        device: str = "auto",
        precision: str | None = None,
        threads: int | None = None,
        shortlist: bool = True,
        beam: int = 1,
    ) -> None:
        """Choose device and precision and load the graph that searches with this beam.

        `threads` (default: the cores there are, up to four) are shared by the products of a large
        model, and decode a batch each of a small one, for which `workers` says how many calls may
        go on at a time. Without `shortlist` the whole vocabulary is always scored. Raises
        `DeviceError` if "cuda" cannot really be used, `PackError` if the pack lacks the precision
        or is damaged.
        """
        self.pack = pack
        self._device, self.precision, note = _choose(pack, device, precision)
        cores = threads or default_threads()
        alone = self._device != "cpu" or _weights(pack, self.precision) >= _LARGE
        self._threads, self.workers = (cores, 1) if alone else (1, cores)
        shortlists = read_shortlists(pack) if shortlist else {}
        self._feeder = Feeder(pack, shortlists)
        self.has_shortlists = bool(shortlists)
        """Whether any sentence is decoded with a shortlist."""
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        first = self._session(beam, short=self.has_shortlists)
        self.device = first.device
        self.provider = first.provider
        self.note = note or first.note
        """Why "auto" fell back to the CPU; empty otherwise."""

    @property
    def aligns(self) -> bool:
        """Whether the pack has a graph for `alignment`."""
        return bool(self.pack.manifest.variants[self.precision].aligned)

    def usual_length_penalty(self, target: str) -> float:
        """What suits beam search into `target`: what the pack says, or `DEFAULT_LENGTH_PENALTY`.

        It is 1 if the graphs take none.
        """
        if not self._takes_length_penalty:
            return 1.0
        return self.pack.manifest.length_penalties.get(target, DEFAULT_LENGTH_PENALTY)

    @functools.cached_property
    def _takes_length_penalty(self) -> bool:
        session = self._session(DEFAULT_BEAM, short=self.has_shortlists)
        return "length_penalty" in session.optional

    def prepare(self, beam: int) -> None:
        """Load the graphs that this beam needs, so that the first `decode` does not."""
        for short in sorted({self.has_shortlists, False}, reverse=True):
            self._session(beam, short=short)

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
        `repetition_guard` no 3-gram of subwords is produced twice, but for those of a prefix.
        Raises `LanguageError`, `InputError` or `UsageError` for requests that the pack cannot
        serve, `PackError` for a prefix if its graphs know none, and `Cancelled`.
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
        return self.search(
            requests, Search(beam=beam), cancel=cancel, repetition_guard=repetition_guard
        )

    def search(
        self,
        requests: Sequence[Request],
        search: Search,
        *,
        cancel: CancelToken | None = None,
        repetition_guard: bool = False,
    ) -> list[list[Hypothesis]]:
        """Like `n_best`, with everything that a search can be told.

        A coverage penalty raises `PackError` if the pack has no graph that aligns, and a reverse
        weight `LanguageError` where it does not translate back.
        """
        for request in requests:
            self._feeder.check(request)
            if search.reverse_weight:
                self._feeder.check_back(request)
        if search.coverage_penalty:
            self._aligned("search with a coverage penalty")
        has_shortlist = self._feeder.has_shortlist
        kinds = [(has_shortlist(request), request.prefix is not None) for request in requests]
        found: list[list[Hypothesis]] = [[]] * len(requests)
        for short, prefixed in set(kinds):
            rows = [row for row, kind in enumerate(kinds) if kind == (short, prefixed)]
            feeds = self._feeder.search([requests[row] for row in rows], search, short=short)
            feeds["guard"] = np.array(repetition_guard)
            run = self._run(feeds, search.beam, short, cancel)
            for row, its in zip(rows, hypotheses_of(run, search, short), strict=True):
                found[row] = its
        if search.coverage_penalty:
            look = functools.partial(self.alignment, cancel=cancel)
            return by_coverage(requests, found, search, look)
        if search.reverse_weight:
            back = functools.partial(self._said_back, cancel=cancel)
            most = min(self.pack.max_source_tokens, self.pack.max_target_tokens - 1)
            return by_reverse(requests, found, search, back, most)
        return found

    def token_scores(
        self,
        requests: Sequence[Request],
        hypotheses: Sequence[Hypothesis],
        *,
        cancel: CancelToken | None = None,
    ) -> list[tuple[float, ...]]:
        """Log-probability of every token of one hypothesis a request, its end mark included.

        They are what the search saw, without guard and length penalty. Raises `PackError` if the
        graphs do not give them, and `Cancelled`.
        """
        tokens = [(*one.pieces, END) if one.finished else one.pieces for one in hypotheses]
        found: list[tuple[float, ...]] = [()] * len(requests)
        for short in {one.shortlist for one in hypotheses}:
            rows = [row for row, one in enumerate(hypotheses) if one.shortlist is short]
            feeds = self._feeder.exactly(
                [requests[row] for row in rows], [tokens[row] for row in rows], short=short
            )
            feeds["guard"] = np.array(False)
            run = self._run(feeds, 1, short, cancel)
            for row, gains in zip(rows, run["gains"].tolist(), strict=True):
                found[row] = tuple(gains[: len(tokens[row])])
        return found

    def alignment(
        self,
        requests: Sequence[Request],
        hypotheses: Sequence[Hypothesis],
        *,
        cancel: CancelToken | None = None,
    ) -> list[Attention]:
        """What the subwords of one hypothesis a request look at: (T, S + 2) each.

        There is a row for each of its T pieces and a column for the source's tag, its S pieces and
        the end mark; a row adds up to 1 at most. Raises `PackError` if the pack has no graph that
        tells, and `Cancelled`.
        """
        session = self._aligned()
        # No search feeds a subword behind its last position.
        most = self.pack.max_target_tokens - 1
        feeds = self._feeder.whole(requests, [one.pieces[:most] for one in hypotheses])
        found = session.run(feeds, cancel=cancel)["attention"]
        return [
            of_size(rows, len(one.pieces), len(request.pieces) + 2)
            for rows, one, request in zip(found, hypotheses, requests, strict=True)
        ]

    def choices(self, request: Request) -> Ids | None:
        """Ids in rising order that are scored for this sentence; None: the whole vocabulary."""
        return self._feeder.choices(request)

    def _said_back(
        self, ways: Sequence[Return], cancel: CancelToken | None
    ) -> list[tuple[float, ...]]:
        """Log-probability of every token that is to be said back, for each request of `ways`."""
        found: dict[int, list[tuple[float, ...]]] = {}
        kinds = list(map(self._feeder.has_way_back, ways))
        for short in set(kinds):
            places = [place for place, kind in enumerate(kinds) if kind is short]
            feeds = self._feeder.back([ways[place] for place in places], short=short)
            feeds["guard"] = np.array(False)
            gains = iter(self._run(feeds, 1, short, cancel)["gains"].tolist())
            for place in places:
                rows = itertools.islice(gains, len(ways[place].requests))
                found[place] = [tuple(row[: len(ways[place].said)]) for row in rows]
        return [row for place in range(len(ways)) for row in found[place]]

    def _run(
        self, feeds: Feeds, beam: int, short: bool, cancel: CancelToken | None
    ) -> Mapping[str, NDArray[Any]]:
        session = self._session(beam, short=short)
        for name, deed in _ABILITIES.items():
            if name in feeds and name not in session.optional:
                raise PackError(
                    f"the pack {self.pack.name} cannot {deed}",
                    why="its graphs were exported before they could",
                    fix="Export it again with: mltranslate-export pack",
                )
        return session.run(feeds, cancel=cancel)

    def _session(self, beam: int, *, short: bool) -> Session:
        variant = self.pack.manifest.variants[self.precision]
        if short:
            name = variant.short_greedy if beam == 1 else variant.short_beam
        else:
            name = variant.greedy if beam == 1 else variant.beam
        # A whole output layer is transposed when it is loaded; beyond that the runtime's
        # optimisations only slow single sentences.
        return self._loaded(name, optimise=not short)

    def _aligned(self, deed: str = "align words") -> Session:
        name = self.pack.manifest.variants[self.precision].aligned
        if not name:
            raise PackError(
                f"the pack {self.pack.name} cannot {deed}",
                why="it was exported before packs had a graph for this, or its model is recurrent",
                fix="Export a Transformer again with: mltranslate-export pack",
            )
        return self._loaded(name, optimise=False)

    def _loaded(self, name: str, *, optimise: bool) -> Session:
        with self._lock:
            if name not in self._sessions:
                check_graph(self.pack, name)
                self._sessions[name] = create_session(
                    self.pack.folder / name,
                    device=self._device,
                    threads=self._threads,
                    optimise=optimise,
                )
            return self._sessions[name]


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


def _weights(pack: Pack, precision: str) -> int:
    """Bytes of the weights of a precision."""
    manifest = pack.manifest
    return manifest.members[manifest.variants[precision].weights].bytes
