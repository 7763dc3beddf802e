import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench/data_memory.py"


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="needs Linux's /proc")
def test_bench_prints_its_line_and_cleans_up(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCH), "--millions", "0.002", "--batches", "5"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)], check=True, capture_output=True, text=True
    )
    (line,) = done.stdout.splitlines()
    assert line.startswith("rss_mb pairs=2000 ")
    values = {key: float(value) for key, value in re.findall(r"(\w+)=([\d.]+)", line)}
    assert 0 < values["idle"] <= values["writer"] < 2000
    assert 0 < values["sampler"] < 2000
    assert values["drawn_per_cpu_s"] > 0
    assert not list(tmp_path.iterdir())
