"""`mltranslate packs`: which packs there are, what they say, and whether they are whole."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltranslate.cli.streams import complain, write, write_json
from mltranslate.errors import PackError

if TYPE_CHECKING:
    from mltranslate.packs.pack import Pack

Commands = Any  # argparse keeps the type of its sub-parsers to itself


def register(commands: Commands) -> None:
    """Add this sub-command and its own to the parser."""
    parser = commands.add_parser("packs", help="list and check model packs", allow_abbrev=False)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list the packs that can be used")
    listing.set_defaults(run=run_list)
    info = actions.add_parser("info", help="show what a pack says of itself")
    info.add_argument("pack", nargs="?", metavar="PACK", help="name or folder (the one that ships)")
    info.set_defaults(run=run_info)
    verify = actions.add_parser("verify", help="check every byte of a pack against its hashes")
    verify.add_argument("pack", nargs="?", metavar="PACK", help="name or folder (all packs)")
    verify.set_defaults(run=run_verify)
    for action in (listing, info, verify):
        action.add_argument("--json", action="store_true", help="one JSON object a pack")


def run_list(options: argparse.Namespace) -> int:
    """List the packs; the exit code."""
    from mltranslate.packs.store import list_packs

    for pack in list_packs():
        if options.json:
            write_json(describe(pack))
        else:
            write(f"{pack.name} {pack.version}\t{' '.join(pack.languages)}\t{pack.folder}\n")
    return 0


def run_info(options: argparse.Namespace) -> int:
    """Show one pack; the exit code."""
    from mltranslate.packs.store import find_pack

    facts = describe(find_pack(options.pack))
    if options.json:
        write_json(facts)
        return 0
    write("".join(f"{line}\n" for line in _outline(facts)))
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Check one pack or all of them; the exit code is that of the last failure."""
    code = 0
    for outcome in verify_all([options.pack] if options.pack else installed_folders()):
        if options.json:
            write_json(outcome)
        elif outcome["ok"]:
            write(f"{outcome['pack']}: whole\n")
        if not outcome["ok"]:
            complain(f"error: {outcome['error']}")
            code = PackError.exit_code
    return code


def describe(pack: Pack) -> dict[str, Any]:
    """Return the facts of a manifest as plain JSON values."""
    manifest = pack.manifest
    return {
        "name": pack.name,
        "version": pack.version,
        "folder": str(pack.folder),
        "languages": list(pack.languages),
        "directions": [list(pair) for pair in sorted(pack.directions)],
        "precisions": list(pack.precisions),
        "max_source_tokens": pack.max_source_tokens,
        "bytes": sum(member.bytes for member in manifest.members.values()),
        "licence": manifest.licence,
        "provenance": dict(manifest.provenance),
    }


def installed_folders() -> list[Path]:
    """Return the folders of all packs, the damaged ones too; PackError when there is none."""
    from mltranslate import locations
    from mltranslate.packs.pack import MANIFEST_NAME

    parents = (locations.user_packs(), locations.embedded_packs())
    found = [path.parent for one in parents for path in sorted(one.glob(f"*/{MANIFEST_NAME}"))]
    if not found:
        raise PackError(
            "there is no pack", why=f"{parents[1]} has none", fix="Name the folder of one"
        )
    return found


def verify_all(packs: list[str] | list[Path]) -> list[dict[str, Any]]:
    """Verify packs by name or folder; one plain record for each: pack, ok, error."""
    from mltranslate.packs.store import load_pack
    from mltranslate.packs.verify import verify_pack

    outcomes = []
    for name in packs:
        try:
            pack = load_pack(name)
            verify_pack(pack)
            outcomes.append({"pack": f"{pack.name} {pack.version}", "ok": True, "error": None})
        except PackError as error:
            outcomes.append({"pack": str(name), "ok": False, "error": str(error)})
    return outcomes


def _outline(value: Any, depth: int = 0) -> Iterator[str]:
    """Nested records as indented lines, lists of plain values on one line."""
    indent = "  " * depth
    for key, inner in value.items():
        label = f"{indent}{key.replace('_', ' ')}:"
        if isinstance(inner, dict):
            yield label
            yield from _outline(inner, depth + 1)
        elif isinstance(inner, list) and any(isinstance(item, dict) for item in inner):
            yield label
            yield from (f"{indent}  {_line(item)}" for item in inner)
        else:
            yield f"{label} {_line(inner)}"


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_line(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(" to ".join(v) if isinstance(v, list) else _line(v) for v in value)
    return f"{value:,}" if isinstance(value, int) else str(value)
