"""The row of keys."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Footer

SPARED = "toggle_links"
"""Action of the key that is left out where there is no room for all."""


class KeyRow(Footer):
    """Textual's footer; the style sheet knows the key that gives way."""

    def compose(self) -> ComposeResult:
        """Lay out the keys."""
        for key in super().compose():
            key.set_class(getattr(key, "action", "") == SPARED, "-spared")
            yield key
