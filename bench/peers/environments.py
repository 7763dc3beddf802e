"""The peers' own virtual environments, made once from the package index."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import platformdirs

PINS: dict[str, tuple[str, ...]] = {
    # The newest releases. joeynmt imports importlib_metadata without asking for it.
    "joeynmt": ("joeynmt==2.3.0", "importlib_metadata==10.2.0"),
    "eole": ("eole==0.6.4",),
}
"""What is installed for each peer, beside the torch that our trainer has here."""
_READY = "installed.txt"


def default_folder() -> Path:
    """Where environments lie unless the command line says otherwise."""
    return platformdirs.user_cache_path("mltranslate", appauthor=False) / "bench-peers"


def python_of(peer: str, folder: Path) -> Path:
    """The interpreter of a peer's environment, which is made if it is not there.

    Raises:
        subprocess.CalledProcessError: it could not be made; what pip says stands on stderr.
    """
    torch = importlib.metadata.version("torch").partition("+")[0]
    return environment(folder / peer, (f"torch=={torch}", *PINS[peer]))


def environment(home: Path, pins: tuple[str, ...]) -> Path:
    """The interpreter of the environment in `home`, made anew unless it has these packages.

    Raises:
        subprocess.CalledProcessError: as for `python_of`.
    """
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = home / _READY
    if ready.is_file() and ready.read_text("utf-8").split() == list(pins):
        return python
    sys.stderr.write(f"installing {' '.join(pins)} into {home}\n")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    options = ["--quiet", "--prefer-binary", "--disable-pip-version-check"]
    subprocess.run([str(python), "-m", "pip", "install", *options, *pins], check=True, stdout=2)
    ready.write_text("\n".join(pins) + "\n", encoding="utf-8")
    return python
