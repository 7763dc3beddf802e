"""Model packs: reading their manifest, finding them, and checking every byte of them.

Their zip files, their installation and their signatures have modules of their own, which a
translation need not import.
"""

from mltranslate.packs.manifest import Manifest, TokenizerInfo, Variant, parse_manifest
from mltranslate.packs.pack import MANIFEST_NAME, Pack, read_pack
from mltranslate.packs.store import find_pack, list_packs, load_pack
from mltranslate.packs.verify import verify_pack

__all__ = [
    "MANIFEST_NAME",
    "Manifest",
    "Pack",
    "TokenizerInfo",
    "Variant",
    "find_pack",
    "list_packs",
    "load_pack",
    "parse_manifest",
    "read_pack",
    "verify_pack",
]
