"""Which device can really be used, and why not.

onnxruntime lists CUDA whenever it was built for it, and writes to stderr from C++ when the
provider then fails to load. So the libraries are tried here first, and CUDA is asked for only
when all of them load.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mltranslate.errors import DeviceError, MltError, UsageError

CPU_PROVIDER = "CPUExecutionProvider"
CUDA_PROVIDER = "CUDAExecutionProvider"
DEVICES = ("auto", "cpu", "cuda")

_SEVERITY_FATAL = 4
_INSTALL_FIX = 'Install the CUDA libraries with: pip install "mltranslate[cuda]"'


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """One device as the doctor shows it."""

    device: str
    provider: str
    usable: bool
    detail: str
    """Version of the runtime, or the reason why the device cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChoice:
    """The device to ask for, and the note a fallback leaves."""

    device: str
    """"cpu" or "cuda"."""
    note: str = ""
    """Why "auto" did not choose CUDA; empty if it did, or if the caller chose."""


@functools.cache
def runtime() -> Any:
    """Return the onnxruntime module, kept from writing to stderr; MltError if it is broken."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MltError(
            "onnxruntime does not load",
            why=" ".join(str(error).split()),
            fix="Install mltranslate again",
        ) from error
    onnxruntime.set_default_logger_severity(_SEVERITY_FATAL)
    return onnxruntime


def choose_device(device: str) -> DeviceChoice:
    """Resolve "auto", "cpu" or "cuda"; `DeviceError` if CUDA is demanded and cannot be used."""
    if device not in DEVICES:
        raise UsageError(f"unknown device {device!r}", fix=f"Choose one of {', '.join(DEVICES)}")
    if device == "cpu":
        return DeviceChoice(device="cpu")
    obstacle = cuda_obstacle()
    if not obstacle:
        return DeviceChoice(device="cuda")
    if device == "cuda":
        raise DeviceError("CUDA cannot be used", why=obstacle, fix="Use --device cpu or auto")
    return DeviceChoice(device="cpu", note=f"CUDA is not used: {obstacle}")


@functools.cache
def cuda_obstacle() -> str:
    """Say what keeps CUDA from being used, or nothing if every library loads."""
    ort = runtime()
    if CUDA_PROVIDER not in ort.get_available_providers():
        return "this onnxruntime is built without CUDA"
    return _driver_obstacle() or _library_obstacle(ort)


def describe_devices() -> list[DeviceReport]:
    """Report every device for the doctor: usable or not, and why."""
    try:
        version = f"onnxruntime {runtime().__version__}"
    except MltError as error:
        return [
            DeviceReport(device="cpu", provider=CPU_PROVIDER, usable=False, detail=str(error)),
            DeviceReport(device="cuda", provider=CUDA_PROVIDER, usable=False, detail=str(error)),
        ]
    obstacle = cuda_obstacle()
    cuda = obstacle or version
    return [
        DeviceReport(device="cpu", provider=CPU_PROVIDER, usable=True, detail=version),
        DeviceReport(device="cuda", provider=CUDA_PROVIDER, usable=not obstacle, detail=cuda),
    ]


def _driver_obstacle() -> str:
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return f"no NVIDIA driver ({name} does not load)"
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return "the NVIDIA driver does not start"
    return "" if count.value else "the NVIDIA driver finds no GPU"


def _library_obstacle(ort: Any) -> str:
    # preload_dlls reports missing libraries with print; the loader below says which one it was.
    with contextlib.redirect_stdout(io.StringIO()):
        ort.preload_dlls()
    suffix = ".dll" if sys.platform == "win32" else ".so"
    prefix = "" if sys.platform == "win32" else "lib"
    folder = Path(ort.__file__).parent / "capi"
    try:
        for part in ("shared", "cuda"):
            ctypes.CDLL(str(folder / f"{prefix}onnxruntime_providers_{part}{suffix}"))
    except OSError as error:
        return f"a CUDA library is missing ({error}). {_INSTALL_FIX}"
    return ""
