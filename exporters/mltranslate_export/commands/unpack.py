"""`mltranslate-export unpack`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mltranslate.packs.store import load_pack
from mltranslate_export.unpack import unpack
from mltranslate_train.finetune.parent import locate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", metavar="PACK", help="name or folder of the pack")
    parser.add_argument(
        "--out", required=True, type=Path, help="folder to make, which `run --from` takes"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Unpack a pack; returns what was read from it."""
    return unpack(load_pack(locate(options.source)), options.out)
