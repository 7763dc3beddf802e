"""CUDA for real: the provider that is told is the provider that runs. Skipped without a GPU."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mltranslate.runtime.providers import cuda_obstacle, describe_devices
from mltranslate.runtime.sessions import create_session
from mltranslate_export.graphs.builder import FLOAT, GraphBuilder

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def _cuda() -> None:
    if obstacle := cuda_obstacle():
        pytest.skip(f"CUDA cannot be used: {obstacle}")


def product() -> bytes:
    graph = GraphBuilder("product")
    left = graph.input("left", FLOAT, ["n", "n"])
    graph.output(graph.op("MatMul", left, left, name="square"), FLOAT, ["n", "n"])
    return graph.model().SerializeToString()


@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_session_runs_on_cuda_and_says_so(device: str) -> None:
    session = create_session(product(), device=device)
    assert (session.device, session.provider) == ("cuda", "CUDAExecutionProvider")
    assert session.note == ""
    left = np.eye(8, dtype=np.float32) * 3
    assert np.allclose(session.run({"left": left})["square"], left @ left)


def test_doctor_finds_cuda() -> None:
    assert describe_devices()[1].usable


def test_fp32_tokens_equal_the_oracle_on_cuda(tmp_path: Path) -> None:
    # The toy run lives beside the unit tests; a process of its own keeps their imports apart.
    unit = Path(__file__).resolve().parents[1] / "unit"
    program = (
        f"import sys; sys.path.insert(0, {str(unit)!r})\n"
        "import toy_run, test_export_graphs as graphs\n"
        "from mltranslate_export.checkpoint import load_run\n"
        "from mltranslate_export.verify import parity\n"
        "from mltranslate.decode import Decoder\n"
        "from mltranslate.packs import read_pack\n"
        "decoder = Decoder(read_pack(toy_run.toy_pack()), device='cuda', precision='fp32')\n"
        "run = load_run(toy_run.toy_run())\n"
        "for beam in (1, 4):\n"
        "    found = parity.compare(decoder, run, graphs.mixed_requests(1, 40), beam=beam)\n"
        "    assert found.different == 0, found\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
