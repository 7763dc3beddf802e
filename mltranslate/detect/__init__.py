"""Language detection: the script gate and the n-gram classifier.

`detect(text)` uses one detector that is loaded at the first call and shared by all threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mltranslate.detect.detector import Detector, detect

__all__ = ["Detector", "detect"]


def __getattr__(name: str) -> object:
    # Lazy, so that importing this package loads neither numpy nor onnxruntime.
    if name in __all__:
        from mltranslate.detect import detector

        return getattr(detector, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
