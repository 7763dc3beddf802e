"""The pictures of the app show what the packs that ship translate."""

from __future__ import annotations

from pathlib import Path

from bench.screenshots import PICTURES, take


async def test_a_picture_has_the_translation_and_the_pack(tmp_path: Path) -> None:
    links = next(picture for picture in PICTURES if "links" in picture.name)
    await take(links, tmp_path)
    shown = (tmp_path / f"{links.name}.svg").read_text("utf-8").replace("&#160;", " ")
    assert "Zeit ↔ time" in shown
    assert "core9-small" in shown
