"""Fixtures that several modules of unit tests share."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mltranslate.decode import Decoder
    from mltranslate.detect.detector import Detector
    from mltranslate_train.checkpoint import Checkpoint


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """What puts bytes on stdin."""

    def give(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give


@pytest.fixture(scope="session")
def detector() -> Detector:
    """The detector that ships with the program."""
    from mltranslate.detect.detector import Detector

    return Detector()


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, Decoder]:
    """A wild model: its run, and the decoder of its pack."""
    import toy_run

    return toy_run.untrained_decoder(tmp_path_factory.mktemp("untrained"))


@pytest.fixture(autouse=True)
def _one_form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short texts are asked for once, as the tests of other things count on."""
    if not request.path.name.startswith("test_forms"):
        monkeypatch.setattr("mltranslate.forms.is_fragment", lambda _: False)
