"""Offline multilingual translation.

    from mltranslate import Translator, detect, translate

    translate("Guten Morgen.", target="en")[0].text

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mltranslate.detect.detector import detect
    from mltranslate.glossary import Glossary
    from mltranslate.pipeline import Translator, translate
    from mltranslate.types import Detection, Translation

__version__ = "0.1.0"
__all__ = [
    "Detection",
    "Glossary",
    "Translation",
    "Translator",
    "__version__",
    "detect",
    "translate",
]

_HOMES = {
    "Detection": "mltranslate.types",
    "Glossary": "mltranslate.glossary",
    "Translation": "mltranslate.types",
    "Translator": "mltranslate.pipeline",
    "translate": "mltranslate.pipeline",
}


def __getattr__(name: str) -> Any:
    if name == "detect":
        return import_module("mltranslate.detect")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _CallablePackage(ModuleType):
    """The sub-package `mltranslate.detect`, which is the public function of that name as well."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Detect the language of a text; see `mltranslate.detect.detector.detect`."""
        return import_module("mltranslate.detect.detector").detect(*args, **options)


class _Package(ModuleType):
    """The top package, which makes `detect` callable as soon as the import system has loaded it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "detect" and isinstance(value, ModuleType):
            value.__class__ = _CallablePackage
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
