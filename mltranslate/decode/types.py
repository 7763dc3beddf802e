"""Plain values of the decoders: what is asked for, what is found, and the fixed token ids."""

from __future__ import annotations

from dataclasses import dataclass

PAD = 0
UNKNOWN = 1
BEGIN = 2
END = 3
"""Ids that every vocabulary of this project shares."""

UNFINISHED_PENALTY = 100.0
"""Beam search takes this off the rank of a hypothesis cut at its limit, so that every finished one
comes before it; mean log-probabilities stay far above its negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One sentence to translate: its subword ids, without tag and end mark."""

    pieces: tuple[int, ...]
    target: str
    """Language code to translate into."""
    max_tokens: int
    """Most tokens to produce, the end mark included."""
    source: str = ""
    """Language code of the sentence; only packs whose sources start with its tag need it."""

    def tag_language(self, source_tag: str) -> str:
        """Code of the language whose tag the source starts with, by the manifest's `source_tag`."""
        return self.source if source_tag == "source" else self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One translation: its subword ids, without the end mark."""

    pieces: tuple[int, ...]
    score: float
    """Mean log-probability a token (natural log), the end mark included."""
    finished: bool
    """False when `max_tokens` was reached before the end mark."""
    shortlist: bool = False
    """True when only the ids of a shortlist were scored: among them is the score a probability."""
