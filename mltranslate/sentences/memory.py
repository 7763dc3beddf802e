"""Memory of the latest translations."""

from __future__ import annotations

import threading
from collections import OrderedDict

from mltranslate.decode.types import Search
from mltranslate.renderings import Rendering
from mltranslate.sentences.work import Sentence

REMEMBERED = 4096
"""Sentences kept in memory, so that typing on translates only the sentence that changed."""

_Key = tuple[Sentence, Search]


class Memory:
    """The latest renderings; the one unused for longest is forgotten first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, Rendering] = OrderedDict()

    def __contains__(self, key: _Key) -> bool:
        return key in self._kept

    def get(self, key: _Key) -> Rendering | None:
        """Return what was put there, if it is still known."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: _Key, rendering: Rendering) -> None:
        """Keep a rendering, the latest of all."""
        with self._lock:
            self._kept[key] = rendering
            self._kept.move_to_end(key)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
