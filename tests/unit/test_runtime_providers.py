"""The truth about devices."""

import subprocess
import sys

import pytest

from mltranslate.errors import DeviceError, MltError, UsageError
from mltranslate.runtime import providers

OBSTACLE = "the driver is on holiday"


@pytest.fixture
def without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "cuda_obstacle", lambda: OBSTACLE)


@pytest.mark.usefixtures("without_cuda")
def test_cuda_without_cuda_says_why() -> None:
    with pytest.raises(DeviceError, match=OBSTACLE):
        providers.choose_device("cuda")


@pytest.mark.usefixtures("without_cuda")
def test_auto_falls_back_and_says_so() -> None:
    choice = providers.choose_device("auto")
    assert choice.device == "cpu"
    assert OBSTACLE in choice.note


def test_auto_takes_cuda_where_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "cuda_obstacle", lambda: "")
    assert providers.choose_device("auto") == providers.DeviceChoice(device="cuda")


def test_cpu_is_not_a_fallback() -> None:
    assert providers.choose_device("cpu") == providers.DeviceChoice(device="cpu")


def test_unknown_device_is_refused() -> None:
    with pytest.raises(UsageError, match="'gpu'"):
        providers.choose_device("gpu")


@pytest.mark.usefixtures("without_cuda")
def test_doctor_gets_every_device() -> None:
    cpu, cuda = providers.describe_devices()
    assert (cpu.usable, cuda.usable) == (True, False)
    assert cpu.detail.startswith("onnxruntime ")
    assert cuda.detail == OBSTACLE


def test_a_broken_runtime_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "onnxruntime":
                raise ImportError("DLL load failed:\n  a library is missing")

    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.setattr(providers, "runtime", providers.runtime.__wrapped__)
    with pytest.raises(MltError, match="does not load: DLL load failed: a library is missing"):
        providers.runtime()
    for device in providers.describe_devices():
        assert not device.usable
        assert "a library is missing" in device.detail


def test_a_runtime_without_cuda_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        def get_available_providers(self) -> list[str]:
            return ["CPUExecutionProvider"]

    monkeypatch.setattr(providers, "runtime", Plain)
    assert providers.cuda_obstacle.__wrapped__() == "this onnxruntime is built without CUDA"


def test_asking_for_cuda_writes_nothing_from_below() -> None:
    program = (
        "from mltranslate.errors import DeviceError\n"
        "from mltranslate.runtime.providers import choose_device, describe_devices\n"
        "from mltranslate.runtime.sessions import create_session\n"
        "describe_devices(); choose_device('auto')\n"
        "try: choose_device('cuda')\n"
        "except DeviceError: pass\n"
        "try: create_session(b'nonsense', device='cpu')\n"
        "except Exception as error: print(type(error).__name__)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("PackError\n", "")
