"""How much memory a process took at most, and how much it could take."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import torch

_CGROUP = Path("/sys/fs/cgroup")


def peak_memory(device: torch.device) -> int | None:
    """Most bytes that this process has taken, on `device`; None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    if sys.platform == "linux":
        # Not getrusage: that begins with the peak of the process that started this one.
        return _kilobytes(Path("/proc/self/status"), "VmHWM")
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return None


def free_memory(device: torch.device) -> int | None:
    """Bytes of `device` that are free; None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if sys.platform != "linux":
        return None
    free = [_kilobytes(Path("/proc/meminfo"), "MemAvailable"), _left_to_group(_CGROUP)]
    return min((size for size in free if size is not None), default=None)


def be_first_to_go() -> None:
    """Let the system end this process, and no other, where memory runs out."""
    if sys.platform == "linux":
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _kilobytes(path: Path, key: str) -> int | None:
    found = re.search(rf"^{key}:\s+(\d+) kB$", path.read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def _left_to_group(folder: Path) -> int | None:
    """What the process's control group (version 2) leaves, file pages that can go not counted."""
    try:
        limit = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        statistics = (folder / "memory.stat").read_text(encoding="ascii")
    except OSError:
        return None
    pages = re.search(r"^inactive_file (\d+)$", statistics, re.MULTILINE)
    return int(limit) - used + (int(pages[1]) if pages else 0) if limit != "max" else None
