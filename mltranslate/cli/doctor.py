"""`mltranslate doctor`: what this installation can really do, found out by trying."""

from __future__ import annotations

import argparse
import dataclasses
import platform
import sys
from pathlib import Path
from typing import Any

from mltranslate import __version__, locations
from mltranslate.cli.packs import installed_folders, verify_all
from mltranslate.cli.streams import write, write_json
from mltranslate.errors import MltError, PackError

Commands = Any  # argparse keeps the type of its sub-parsers to itself

_LIBRARIES = ("numpy", "sentencepiece", "opencc", "platformdirs", "textual")
_FAST_FLAGS = (
    "sse4_2 avx avx2 fma f16c avx_vnni avx512f avx512bw avx512_vnni avx512_bf16 amx_int8 "
    "amx_bf16 asimd asimddp asimdhp i8mm bf16 sve"
)
"""CPU features that decide how fast integer and half-precision matrices are multiplied."""


def register(commands: Commands) -> None:
    """Add this sub-command to the parser."""
    parser = commands.add_parser(
        "doctor",
        help="report what this installation can really do",
        description="Try devices, packs and language identifier, and report what works.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Report; the exit code is PackError's when no pack or no identifier is usable."""
    facts = examine()
    if options.json:
        write_json(facts)
    else:
        write("".join(f"{line}\n" for line in _lines(facts)))
    healthy = facts["detector"]["ok"] and any(pack["ok"] for pack in facts["packs"])
    return 0 if healthy else PackError.exit_code


def examine() -> dict[str, Any]:
    """Return everything the doctor knows, as plain JSON values."""
    from mltranslate.runtime.providers import describe_devices
    from mltranslate.runtime.sessions import default_threads

    return {
        "mltranslate": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "executable": sys.executable,
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "cpu": {"machine": platform.machine(), "threads": default_threads(), "features": _flags()},
        "devices": [dataclasses.asdict(device) for device in describe_devices()],
        "detector": _detector(),
        "packs": _packs(),
        "locations": {
            "assets": str(locations.assets()),
            "user packs": str(locations.user_packs()),
            "settings": str(locations.user_config()),
            "glossary": str(locations.user_glossary()),
        },
    }


def _version(distribution: str) -> str | None:
    from importlib import metadata  # slow, and every command imports this module

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _flags() -> list[str] | None:
    """Features that matter, where the system tells them without a library (Linux), or None."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            return [flag for flag in _FAST_FLAGS.split() if flag in value.split()]
    return None


def _detector() -> dict[str, Any]:
    from mltranslate.detect.detector import default_detector

    try:
        return {"ok": True, "languages": list(default_detector().languages), "error": None}
    except MltError as error:
        return {"ok": False, "languages": [], "error": str(error)}


def _packs() -> list[dict[str, Any]]:
    """Verify all packs, in their order of choice, and name the directions that each serves."""
    from mltranslate.packs.store import survey_packs
    from mltranslate.routes import shares

    try:
        folders = installed_folders()
    except PackError:
        return []
    packs, _ = survey_packs()
    serving = dict(zip((pack.folder for pack in packs), shares(packs), strict=True))
    return [
        {**outcome, "serves": [list(pair) for pair in sorted(serving.get(folder, ()))]}
        for folder, outcome in zip(folders, verify_all(folders), strict=True)
    ]


def _lines(facts: dict[str, Any]) -> list[str]:
    cpu, detector, devices = facts["cpu"], facts["detector"], facts["devices"]
    features = "unknown" if cpu["features"] is None else " ".join(cpu["features"]) or "none"
    lines = [
        f"mltranslate {facts['mltranslate']}",
        f"python      {facts['python']} ({facts['executable']})",
        f"system      {facts['system']}",
        f"cpu         {cpu['machine']}, {cpu['threads']} threads, features: {features}",
    ]
    lines += [f"library     {name} {found or '-'}" for name, found in facts["libraries"].items()]
    lines += [
        f"device      {one['device']}: {_word(one['usable'])} ({one['detail']})" for one in devices
    ]
    lines.append(f"detector    {_state(detector, ' '.join(detector['languages']))}")
    for pack in facts["packs"]:
        state = _state(pack, f"whole, serves {len(pack['serves'])} directions")
        lines.append(f"pack        {pack['pack']}: {state}")
    if not facts["packs"]:
        lines.append("pack        none found")
    return lines + [f"location    {name}: {path}" for name, path in facts["locations"].items()]


def _word(usable: bool) -> str:
    return "usable" if usable else "not usable"


def _state(facts: dict[str, Any], good: str) -> str:
    return good if facts["ok"] else f"not usable ({facts['error']})"
