"""A one-line button."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Static


class Chip(Static):
    """A label that runs an action when clicked, or when it has the focus and Enter is pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space,down", "press", "Open", show=False)
    ]

    def __init__(
        self, label: str, action: str, *, widget_id: str, tooltip: str, focusable: bool = False
    ) -> None:
        super().__init__(label, id=widget_id, markup=False)
        self._action = action
        self.can_focus = focusable
        self.tooltip = tooltip

    async def on_click(self) -> None:
        """Run the action."""
        await self.action_press()

    async def action_press(self) -> None:
        """Run the action."""
        await self.run_action(self._action)
