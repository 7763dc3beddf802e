"""From subword ids to subword ids: the search graphs of a pack behind one small class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mltranslate.decode.types import Hypothesis, Prefix, Request, Sampling, Search

if TYPE_CHECKING:
    from mltranslate.decode.decoder import Decoder
    from mltranslate.packs.tokenizer import Tokenizer

__all__ = ["Decoder", "Hypothesis", "Prefix", "Request", "Sampling", "Search", "Tokenizer"]


def __getattr__(name: str) -> Any:
    # Imported on first use: both load third-party packages.
    if name == "Decoder":
        from mltranslate.decode.decoder import Decoder

        return Decoder
    if name == "Tokenizer":
        from mltranslate.packs.tokenizer import Tokenizer

        return Tokenizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
