"""The app's own colours: plain text above 7:1 on its ground, quiet text above 4.5:1."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="mltranslate-dark",
    dark=True,
    primary="#7fb4ca",
    secondary="#5c8a9c",
    accent="#e0b070",
    warning="#e0b070",
    error="#e58a84",
    success="#98bb8c",
    foreground="#dcdfe4",
    background="#16191f",
    surface="#1b1f27",
    panel="#252b35",
    variables={
        "border": "#7fb4ca",
        "border-blurred": "#3a4250",
        "footer-background": "#16191f",
        "footer-key-foreground": "#e0b070",
        "footer-description-foreground": "#9aa3b0",
        "input-selection-background": "#7fb4ca 35%",
        "block-cursor-background": "#7fb4ca",
        "block-cursor-foreground": "#16191f",
        "block-cursor-text-style": "none",
        "button-focus-text-style": "bold underline",
        "scrollbar": "#3a4250",
        "scrollbar-background": "#1b1f27",
        "scrollbar-hover": "#4d5869",
        "scrollbar-active": "#7fb4ca",
    },
)
"""For dark terminals."""

LIGHT = Theme(
    name="mltranslate-light",
    dark=False,
    primary="#1f6f8b",
    secondary="#4b8ba3",
    accent="#8a5a00",
    warning="#8a5a00",
    error="#a8322a",
    success="#3d6b32",
    foreground="#23272e",
    background="#f3f1ec",
    surface="#fbfaf7",
    panel="#e6e3db",
    variables={
        "border": "#1f6f8b",
        "border-blurred": "#c5c0b4",
        "footer-background": "#f3f1ec",
        "footer-key-foreground": "#8a5a00",
        "footer-description-foreground": "#5a6069",
        "input-selection-background": "#1f6f8b 25%",
        "block-cursor-background": "#1f6f8b",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "none",
        "button-focus-text-style": "bold underline",
        "scrollbar": "#c5c0b4",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-hover": "#a9a395",
        "scrollbar-active": "#1f6f8b",
    },
)
"""For light terminals."""


def other(theme: str) -> str:
    """Return the theme that the light and dark key changes to from `theme`."""
    return DARK.name if theme == LIGHT.name else LIGHT.name
