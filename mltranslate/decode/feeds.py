"""From requests to the inputs of the search graphs."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mltranslate.decode.prefixes import Ids, Path, Spelling, path_feeds
from mltranslate.decode.reverse import Return
from mltranslate.decode.types import END, PAD, Prefix, Request, Search
from mltranslate.errors import InputError, LanguageError, UsageError
from mltranslate.packs.pack import Pack
from mltranslate.packs.shortlist import Shortlist

Feeds = dict[str, NDArray[Any]]
"""Inputs of a graph by their names."""

SHORTLIST_FROM = 7
"""Subwords from which on a sentence has a shortlist. What becomes of fewer is often made of
subwords that each of them hardly ever has a part in ("goodbye", "auf Wiedersehen")."""

_NOT_ALLOWED = np.float32(-60)
"""Added to the score of what only other sentences of a batch may choose. Beside a probability of 1
one of exp(-60) is nothing in fp32; exp of much less is a denormal number, which is slow to make."""


class Feeder:
    """Knows the tags, limits, shortlists and spelling of one pack."""

    def __init__(self, pack: Pack, shortlists: Mapping[str, Shortlist]) -> None:
        """`shortlists` by target language: those that are to be used."""
        self._pack = pack
        self._shortlists = shortlists
        self._known_spelling: Spelling | None = None
        self._lock = threading.Lock()

    def has_shortlist(self, request: Request) -> bool:
        """Whether only the ids of a shortlist are scored for this sentence."""
        shortlist = self._shortlists.get(request.target)
        if len(request.pieces) < SHORTLIST_FROM:
            return False
        return shortlist is not None and shortlist.covers(request.pieces)

    def choices(self, request: Request) -> Ids | None:
        """Ids in rising order that are scored for this sentence; None: the whole vocabulary."""
        if not self.has_shortlist(request):
            return None
        return self._restriction(self._allowed([request]))["shortlist"]

    def check(self, request: Request) -> None:
        """Raise `InputError` or `UsageError` for a request that the pack cannot serve."""
        size = self._pack.manifest.tokenizer.size
        if len(request.pieces) > self._pack.max_source_tokens:
            raise InputError(
                f"a sentence has {len(request.pieces)} subwords",
                why=f"the pack {self._pack.name} takes {self._pack.max_source_tokens}",
                fix="Split it first",
            )
        given = request.prefix.pieces if request.prefix else ()
        if len(given) >= self._pack.max_target_tokens:
            raise InputError(
                f"a prefix has {len(given)} subwords",
                why=f"the pack {self._pack.name} writes {self._pack.max_target_tokens - 1}",
                fix="Shorten it",
            )
        if any(not PAD < piece < size for piece in (*request.pieces, *given)):
            raise UsageError(f"a subword id is not between 1 and {size - 1}")
        if request.max_tokens < 1:
            raise UsageError(f"max_tokens {request.max_tokens} is less than 1")

    def check_back(self, request: Request) -> None:
        """Raise `LanguageError` for a request whose translation the pack does not translate."""
        if (request.target, request.source) not in self._pack.directions:
            raise LanguageError(
                f"the pack {self._pack.name} does not translate {request.target} to"
                f" {request.source or 'a language that is not told'}",
                why="a reverse weight asks how likely the source is as a translation back",
                fix="Leave the reverse weight out",
            )

    def search(self, requests: Sequence[Request], search: Search, *, short: bool) -> Feeds:
        """What a search takes, with a shortlist or without; all have a prefix, or none has."""
        feeds = self._sentences(requests)
        feeds |= _told(search, requests, int(feeds["max_tokens"].max()))
        allowed = self._allowed(requests) if short else None
        if allowed is not None:
            feeds |= self._restriction(allowed)
        prefixes = [request.prefix for request in requests if request.prefix]
        return feeds | self._prefixes(prefixes, allowed, feeds.get("shortlist"))

    def exactly(
        self, requests: Sequence[Request], tokens: Sequence[Sequence[int]], *, short: bool
    ) -> Feeds:
        """What a search takes that can produce nothing but `tokens`, one row a request."""
        allowed = self._allowed(requests) if short else None
        return self._forced(requests, tokens, allowed)

    def back(self, ways: Sequence[Return], *, short: bool) -> Feeds:
        """What a search takes that can produce nothing but `Return.said`, a row a request.

        With `short` all rows of a sentence have the same ids, which have these tokens.
        """
        requests = [one for way in ways for one in way.requests]
        tokens = [way.said for way in ways for _ in way.requests]
        allowed = self._allowed(requests) if short else np.zeros((0, 0), np.bool_)
        row = 0
        for way in ways if short else ():
            rows = slice(row, row := row + len(way.requests))
            allowed[rows] = allowed[rows].any(axis=0)
            allowed[rows, list(way.said)] = True
        return self._forced(requests, tokens, allowed if short else None)

    def has_way_back(self, way: Return) -> bool:
        """Whether the tokens of a sentence are scored among the ids of a shortlist."""
        listed = all(one.target in self._shortlists for one in way.requests)
        # The graph finds padding and end mark by their places.
        return listed and len(way.said) > SHORTLIST_FROM and min(way.said) >= END

    def _forced(
        self,
        requests: Sequence[Request],
        tokens: Sequence[Sequence[int]],
        allowed: NDArray[np.bool_] | None,
    ) -> Feeds:
        feeds = self._sentences(requests)
        if allowed is not None:
            feeds |= self._restriction(allowed)
        feeds["max_tokens"] = np.array([max(1, len(row)) for row in tokens], np.int64)
        paths = [Path(tuple((token,) for token in row)) for row in tokens]
        each = np.ones(self._pack.manifest.tokenizer.size, np.int64)
        return feeds | path_feeds(paths, each, feeds.get("shortlist"))

    def whole(self, requests: Sequence[Request], tokens: Sequence[Sequence[int]]) -> Feeds:
        """What a graph takes that reads `tokens`, a translation of each request without its end."""
        feeds = self._sentences(requests)
        target = np.full((len(tokens), max(1, *map(len, tokens))), PAD, np.int64)
        for row, ids in zip(target, tokens, strict=True):
            row[: len(ids)] = ids
        return {"source": feeds["source"], "start": feeds["start"], "target": target}

    def _sentences(self, requests: Sequence[Request]) -> Feeds:
        info = self._pack.manifest.tokenizer
        tags = [self._tag(request.tag_language(info.source_tag)) for request in requests]
        starts = [self._tag(request.target) for request in requests]
        longest = max(len(request.pieces) for request in requests) + 2
        source = np.full((len(requests), longest), PAD, np.int64)
        for row, tag, request in zip(source, tags, requests, strict=True):
            ids = (tag, *request.pieces, END)
            row[: len(ids)] = ids
        limit = self._pack.max_target_tokens
        steps = [min(request.max_tokens, limit) for request in requests]
        return {
            "source": source,
            "start": np.array(starts, np.int64),
            "max_tokens": np.array(steps, np.int64),
        }

    def _allowed(self, requests: Sequence[Request]) -> NDArray[np.bool_]:
        """Ids (B, V) that each sentence may have by its shortlist and its prefix."""
        allowed = np.zeros((len(requests), self._pack.manifest.tokenizer.size), np.bool_)
        for row, request in zip(allowed, requests, strict=True):
            self._shortlists[request.target].mark(request.pieces, row)
            if request.prefix:
                row[list(request.prefix.pieces)] = True
        # The graph finds them by their places: padding first, the end mark second.
        allowed[:, :END] = False
        allowed[:, [PAD, END]] = True
        return allowed

    def _restriction(self, allowed: NDArray[np.bool_]) -> Feeds:
        """All ids that the sentences may need, and which of them each may.

        A sentence must not use what its neighbours in the batch brought.
        """
        ids = np.flatnonzero(allowed[0] if len(allowed) == 1 else allowed.any(axis=0))
        penalty = np.logical_not(allowed.take(ids, axis=1)) * _NOT_ALLOWED
        return {"shortlist": ids, "penalty": penalty}

    def _prefixes(
        self, prefixes: Sequence[Prefix], allowed: NDArray[np.bool_] | None, shortlist: Ids | None
    ) -> Feeds:
        if not prefixes:
            return {}
        spelling = self._spelling()
        for prefix in prefixes:
            if not spelling.writes(prefix.pieces):
                raise InputError(
                    "a prefix cannot be completed",
                    why=f"the vocabulary of the pack {self._pack.name} lacks a character of it",
                    fix="Leave it out",
                )
        offered = [None] * len(prefixes) if allowed is None else list(allowed)
        paths = [spelling.path(one, row) for one, row in zip(prefixes, offered, strict=True)]
        return path_feeds(paths, spelling.advance, shortlist)

    def _spelling(self) -> Spelling:
        with self._lock:
            if self._known_spelling is None:
                tokenizer = self._pack.tokenizer()
                self._known_spelling = Spelling(tokenizer.surfaces(), tokenizer.single_bytes())
            return self._known_spelling

    def _tag(self, language: str) -> int:
        tags = self._pack.manifest.tokenizer.tags
        if language not in tags:
            raise LanguageError(
                f"the pack {self._pack.name} does not know the language {language!r}",
                fix=f"Choose one of {', '.join(tags)}",
            )
        return tags[language]


def _told(search: Search, requests: Sequence[Request], steps: int) -> Feeds:
    """Inputs for what a search does not do by itself."""
    feeds: Feeds = {}
    if search.beam > 1:
        feeds["beams"] = np.array(search.beam, np.int64)
    if not math.isclose(search.length_penalty, 1):
        feeds["length_penalty"] = np.array(search.length_penalty, np.float32)
    if search.sampling:
        seed, top = search.sampling.seed, search.sampling.top
        # A sentence's draws are its own, whatever stands beside it.
        own = (np.random.default_rng([seed, *request.pieces]) for request in requests)
        feeds["draws"] = np.stack([one.random(steps, np.float32) for one in own])
        feeds["temperature"] = np.array(search.sampling.temperature, np.float32)
        most = np.iinfo(np.int64).max
        feeds["top"] = np.array(min(top or most, most), np.int64)
    return feeds
