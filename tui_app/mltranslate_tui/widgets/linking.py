"""Both texts with the words marked that belong together."""

from __future__ import annotations

from mltranslate.types import Translation
from mltranslate_tui import links, wording
from mltranslate_tui.links import Found
from mltranslate_tui.widgets.areas import SourceArea, TargetArea


class Linking:
    """Marks the word under the cursor and its links; the cursor is that of the text with the focus.

    Where none of them has it, the cursor of the source counts.
    """

    def __init__(self, source: SourceArea, target: TargetArea) -> None:
        self.on = False
        self._source = source
        self._target = target
        self._came_from: tuple[str, int] | None = None
        """The text and the place in the source that the cursor of the translation is due to."""

    @property
    def place(self) -> int | None:
        """The character of the source around which links are needed; None while none are wanted."""
        if not self.on:
            return None
        if not self._target.has_focus or self._came_from != self._origin:
            return self._source.index
        # Lines of the translation are those of the source.
        line = min(self._target.cursor_location[0], self._source.document.line_count - 1)
        return self._source.start_of(line)

    def draw(self, result: Translation | None, *, able: bool) -> str:
        """Mark the words, and return what is to be said about them.

        `result` is None where there is none, or an outdated one; `able` tells whether its pack
        makes links.
        """
        from_target = self._target.has_focus
        # Without links, keys scroll the translation.
        self._target.show_cursor = self.on and from_target
        found, said = None, "Links on" if self.on else ""
        if self.on and result is not None and self._shows(result):
            if from_target:
                self._enter(result)
            at = (self._target if from_target else self._source).index
            found = links.found(result, at, of_source=not from_target)
            said = _said(result, found, at, of_source=not from_target, able=able)
        here, there = (self._source, self._target)[:: -1 if from_target else 1]
        here.mark([found.word] if found else ())
        there.mark(found.others if found else (), "linked")
        return said

    @property
    def _origin(self) -> tuple[str, int]:
        """Where the cursor of the source is, and in which text."""
        return self._source.text, self._source.index

    def _shows(self, result: Translation) -> bool:
        """Whether both texts are those that were linked, character by character."""
        return (self._source.text, self._target.text) == (result.source_text, result.text)

    def _enter(self, result: Translation) -> None:
        """Put the cursor of the translation where that of the source is, if this is newer."""
        if self._came_from == self._origin:
            return
        self._came_from = self._origin
        found = links.found(result, self._source.index, of_source=True)
        if found:
            self._target.enter(self._target.location_of(found.others[0][0]))
        else:
            line = min(self._source.cursor_location[0], self._target.document.line_count - 1)
            self._target.enter((line, 0))


def _said(result: Translation, found: Found | None, at: int, *, of_source: bool, able: bool) -> str:
    if found:
        return links.told(result, found, of_source=of_source)
    if not result.alignment:
        return wording.unlinked(result, able=able)
    text = result.source_text if of_source else result.text
    return "No link here" if links.is_word(text, at) else "Links on"
