"""`mltranslate packs`: which packs there are, whether they are whole, how they come and go."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltranslate.cli.streams import complain, write, write_json
from mltranslate.errors import PackError
from mltranslate.languages import describe as describe_language

if TYPE_CHECKING:
    from mltranslate.packs.manifest import Manifest
    from mltranslate.packs.pack import Pack

Commands = Any  # argparse keeps the type of its sub-parsers to itself

_ANCESTORS = 2
"""Depth from which on a record tells of what the pack's model was made from."""
_MOST = 20
"""Longest list that is told of that."""
_DEEPEST = 5
"""Depth from which on records are told by the number of their entries: distant ancestors."""


def register(commands: Commands) -> None:
    """Add this sub-command and its own to the parser."""
    parser = commands.add_parser(
        "packs",
        help="list, check and install model packs",
        description="List, show, check, install, remove and export model packs.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser(
        "list", help="list the packs that can be used, in their order of choice"
    )
    listing.set_defaults(run=run_list)
    info = actions.add_parser("info", help="show what a pack says of itself")
    info.add_argument(
        "pack", nargs="?", metavar="PACK", help="name or folder (the first that ships)"
    )
    info.add_argument("--card", action="store_true", help="show its model card, in Markdown")
    info.set_defaults(run=run_info)
    verify = actions.add_parser("verify", help="check every byte of a pack against its hashes")
    verify.add_argument(
        "pack", nargs="?", metavar="PACK", help="name, folder or zip file (all packs)"
    )
    verify.add_argument(
        "--key", type=Path, metavar="PEM", help="public key whose owner must have signed it"
    )
    verify.set_defaults(run=run_verify)
    _register_store(actions)
    for action in (listing, info, verify):
        action.add_argument("--json", action="store_true", help="one JSON object a pack")


def _register_store(actions: Commands) -> None:
    install = actions.add_parser("install", help="install a pack from a zip file for this user")
    install.add_argument("file", type=Path, metavar="FILE", help="zip file of a pack")
    install.add_argument("--replace", action="store_true", help="replace a pack of this name")
    install.add_argument(
        "--key", type=Path, metavar="PEM", help="public key whose owner must have signed it"
    )
    install.set_defaults(run=run_install)
    remove = actions.add_parser("remove", help="remove a pack that was installed")
    remove.add_argument("pack", metavar="PACK", help="name")
    remove.set_defaults(run=run_remove)
    export = actions.add_parser("export", help="write a pack as a zip file")
    export.add_argument("pack", metavar="PACK", help="name or folder")
    export.add_argument("file", type=Path, metavar="FILE", help="zip file to write")
    export.add_argument("--replace", action="store_true", help="replace FILE")
    export.add_argument(
        "--sign", type=Path, metavar="PEM", help="sign it with this Ed25519 private key"
    )
    export.set_defaults(run=run_export)


def run_list(options: argparse.Namespace) -> int:
    """List the packs in their order of choice; the exit code."""
    from mltranslate.packs.store import list_packs
    from mltranslate.routes import shares

    packs = list_packs()
    for pack, share in zip(packs, shares(packs), strict=True):
        if options.json:
            write_json({**describe(pack), "serves": [list(pair) for pair in sorted(share)]})
        else:
            serves = f"{len(share)} of {len(pack.directions)} directions"
            codes = " ".join(pack.languages)
            write(f"{pack.name} {pack.version}\t{codes}\t{pack.folder}\t{serves}\n")
    return 0


def run_info(options: argparse.Namespace) -> int:
    """Show one pack; the exit code."""
    from mltranslate.packs.store import find_pack

    pack = find_pack(options.pack)
    if options.card:
        return _show_card(pack, as_json=options.json)
    facts = describe(pack)
    if options.json:
        write_json(facts)
        return 0
    told = [f"{describe_language(code).name} ({code})" for code in pack.languages]
    write("".join(f"{line}\n" for line in _outline({**facts, "languages": told})))
    return 0


def _show_card(pack: Pack, *, as_json: bool) -> int:
    from mltranslate.packs.card import read_card

    card = read_card(pack)
    if as_json:
        write_json({"name": pack.name, "version": pack.version, "card": card})
    else:
        write(card)
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Check one pack or all of them; the exit code is that of the last failure."""
    code = 0
    packs: list[str] | list[Path] = [options.pack] if options.pack else installed_folders()
    for outcome in verify_all(packs, options.key):
        if options.json:
            write_json(outcome)
        elif outcome["ok"]:
            write(f"{outcome['pack']}: whole\n")
        if not outcome["ok"]:
            complain(f"error: {outcome['error']}")
            code = PackError.exit_code
    return code


def run_install(options: argparse.Namespace) -> int:
    """Install a pack from a zip file; the exit code."""
    from mltranslate.packs.install import install_pack

    pack = install_pack(options.file, replace=options.replace, key=options.key)
    write(f"{pack.name} {pack.version}: installed in {pack.folder}\n")
    return 0


def run_remove(options: argparse.Namespace) -> int:
    """Remove an installed pack; the exit code."""
    from mltranslate.packs.install import remove_pack

    write(f"{options.pack}: removed from {remove_pack(options.pack).parent}\n")
    return 0


def run_export(options: argparse.Namespace) -> int:
    """Write a pack as a zip file; the exit code."""
    from mltranslate.packs.archive import write_archive
    from mltranslate.packs.store import load_pack

    pack = load_pack(options.pack)
    write_archive(pack, options.file, key=options.sign, replace=options.replace)
    write(f"{pack.name} {pack.version}: written to {options.file}\n")
    return 0


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
        "phrases": manifest.phrasebook.rows if manifest.phrasebook else 0,
        "licence": manifest.licence,
        "provenance": dict(manifest.provenance),
    }


def installed_folders() -> list[Path]:
    """Return the folders of all packs, the damaged ones too; PackError when there is none."""
    from mltranslate import locations
    from mltranslate.packs.store import pack_folders

    found = pack_folders()
    if not found:
        why = f"{locations.embedded_packs()} has none"
        raise PackError("there is no pack", why=why, fix="Name the folder of one")
    return found


def verify_all(packs: list[str] | list[Path], key: Path | None = None) -> list[dict[str, Any]]:
    """Verify packs by name, folder or zip file; one plain record for each: pack, ok, error.

    With `key`, a public key in PEM, each must be signed. Raises as `check_signature` does where the
    key cannot be used.
    """
    outcomes = []
    for name in packs:
        try:
            manifest = _verified(name, key)
            title = f"{manifest.name} {manifest.version}"
            outcomes.append({"pack": title, "ok": True, "error": None})
        except PackError as error:
            outcomes.append({"pack": str(name), "ok": False, "error": str(error)})
    return outcomes


def _verified(name: str | Path, key: Path | None) -> Manifest:
    from mltranslate.packs.archive import verify_archive
    from mltranslate.packs.signature import verify_signature
    from mltranslate.packs.store import load_pack, pack_folders
    from mltranslate.packs.verify import verify_pack

    # A pack that is installed is meant rather than a file that happens to be called like it.
    if Path(name).is_file() and name not in {folder.name for folder in pack_folders()}:
        return verify_archive(Path(name), key=key)
    pack = load_pack(name)
    verify_pack(pack)
    if key:
        verify_signature(pack.folder, key)
    return pack.manifest


def _outline(value: Any, depth: int = 0) -> Iterator[str]:
    """Nested records as indented lines, lists of plain values on one line."""
    indent = "  " * depth
    for key, inner in value.items():
        label = f"{indent}{key.replace('_', ' ')}:"
        nested = isinstance(inner, dict)
        if not nested and not _has_records(inner):
            yield f"{label} {_line(inner)}"
        elif depth >= _DEEPEST or (not nested and depth >= _ANCESTORS and len(inner) > _MOST):
            yield f"{label} {len(inner)} entries, all of them with --json"
        elif nested:
            yield label
            yield from _outline(inner, depth + 1)
        else:
            yield label
            for item in inner:
                yield from _entry(item, depth + 1)


def _has_records(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _entry(item: Any, depth: int) -> Iterator[str]:
    """One of a list of records: a line, or an outline under a dash if it holds others."""
    indent = "  " * depth
    if isinstance(item, dict) and any(isinstance(inner, dict) for inner in item.values()):
        yield f"{indent}-"
        yield from _outline(item, depth + 1)
    else:
        yield f"{indent}{_line(item)}"


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_line(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(" to ".join(v) if isinstance(v, list) else _line(v) for v in value)
    return f"{value:,}" if isinstance(value, int) else str(value)
