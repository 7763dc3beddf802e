"""Exports a run to a verified pack: built beside its place, verified, then renamed into it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mltranslate.errors import UsageError
from mltranslate.packs.pack import Pack, read_pack
from mltranslate.packs.verify import verify_pack
from mltranslate_export.build import PackPlan, build_pack, write_manifest
from mltranslate_export.calibrate import calibrate
from mltranslate_export.card_member import add_card
from mltranslate_export.checkpoint import Checkpoint
from mltranslate_export.verify.pairs import Pair, by_direction
from mltranslate_export.verify.quality import MOST_CHRF_LOST
from mltranslate_export.verify.run import verify
from mltranslate_train.data.whole import writable


def export_pack(
    checkpoint: Checkpoint, out: Path, plan: PackPlan, pairs: Sequence[Pair], *,
    force: bool = False, most_chrf_lost: float = MOST_CHRF_LOST, card_sections: str = "",
) -> Pack:  # fmt: skip
    """Write the pack to `out / plan.name`, its card included, and return it.

    It is verified first; when that fails nothing is left behind. An existing pack is replaced
    only with `force`, and only by a verified one.

    Raises:
        UsageError: a pack of this name is there, and not `force`.
        DataError: no pair is of a direction that the pack has, or `out` cannot be written.
        VerificationError: the pack does not behave like the run.
    """
    place = out / plan.name
    if place.exists() and not force:
        raise UsageError(f"{place} exists already", fix="Replace it with --force")
    with writable(out):
        out.mkdir(parents=True, exist_ok=True)
    groups = by_direction(pairs, checkpoint.directions)
    ranges = calibrate(checkpoint, groups) if "int8" in plan.precisions else {}
    with writable(out), _staging(out) as folder:
        pack = build_pack(checkpoint, folder, plan, ranges=ranges)
        report = verify(pack, checkpoint, pairs, most_chrf_lost=most_chrf_lost)
        pack = write_manifest(checkpoint, folder, plan, report=report)
        verify_pack(add_card(pack, card_sections))
        _replace(folder, place)
    return read_pack(place)


def _replace(folder: Path, place: Path) -> None:
    if place.exists():
        # Two renames instead of a deletion first: the old pack survives a failure between them.
        old = folder.with_name(f"{folder.name}.old")
        place.rename(old)
        folder.rename(place)
        shutil.rmtree(old)
    else:
        folder.rename(place)


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """Make a folder beside the pack's place that is removed unless it was renamed."""
    folder = Path(tempfile.mkdtemp(prefix=".export-", dir=out))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
