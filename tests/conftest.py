"""What every test gets: the four source folders, no network, no user folders, honest GPU skips."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE_FOLDERS = tuple(str(REPOSITORY / name) for name in (".", "tui_app", "trainer", "exporters"))
LOOPBACK = ("127.", "::1", "localhost")

# No test may depend on the speed of the machine.
settings.register_profile("mltranslate", deadline=None)
settings.load_profile("mltranslate")


def _refuse_network(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook: a test that leaves the machine fails, whichever library opened the connection."""
    if event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
        raise PermissionError(f"tests may not use the network: {address}")


sys.addaudithook(_refuse_network)


@pytest.fixture(autouse=True, scope="session")
def _isolated_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's packs and settings out, and let child processes import the sources."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATA", "CONFIG", "CACHE", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        patch.setenv("PYTHONPATH", os.pathsep.join(SOURCE_FOLDERS))
        yield


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout under test."""
    return REPOSITORY


def _cuda_devices() -> int:
    """Number of GPUs that the CUDA driver reports; 0 without a driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a GPU where the driver reports none."""
    marked = [item for item in items if "gpu" in item.keywords]
    if marked and _cuda_devices() == 0:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="the CUDA driver reports no GPU"))
