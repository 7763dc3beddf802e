"""What ships as data: its size, and that it says where it comes from."""

from __future__ import annotations

from pathlib import Path

from mltranslate import locations

MEBIBYTE = 2**20
MAX_PACKS = 45 * MEBIBYTE
MAX_WEIGHTS = 90 * MEBIBYTE
MAX_LID = 5 * MEBIBYTE


def _bytes_below(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_a_checkout_uses_its_own_assets(repository: Path) -> None:
    assert locations.assets() == repository / "assets"


def test_the_embedded_packs_are_there_and_small() -> None:
    weights = _bytes_of_weights()
    assert 0 < _bytes_below(locations.embedded_packs()) - weights < MAX_PACKS


def test_weights_to_fine_tune_are_small_where_they_ship() -> None:
    """Where they do not, `mltranslate-export unpack` reads them back: test_export_unpack.py."""
    assert _bytes_of_weights() < MAX_WEIGHTS


def _bytes_of_weights() -> int:
    """What no translation needs: the weights that others can fine-tune."""
    files = locations.embedded_packs().rglob("weights.safetensors")
    return sum(file.stat().st_size for file in files)


def test_the_language_identifier_is_there_and_small() -> None:
    assert 0 < _bytes_below(locations.embedded_lid()) < MAX_LID


def test_the_notices_name_what_must_be_attributed() -> None:
    notices = (locations.assets() / "NOTICES" / "README.md").read_text(encoding="utf-8")
    for name in ("Tatoeba", "CC BY 2.0 FR", "FLORES"):
        assert name in notices
