"""Choice of device and precision, and the truth about both."""

from __future__ import annotations

import contextlib
import ctypes
import sys

import torch
from torch import Tensor, nn

from mltranslate.errors import DeviceError
from mltranslate_train.config import TrainConfig


def choose_device(config: TrainConfig, number: int = 0) -> torch.device:
    """The device to train on, of several GPUs that of this `number`.

    Raises:
        DeviceError: CUDA was asked for and cannot be used, or there are fewer GPUs.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    _keep_freed_memory()
    if config.device == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            "CUDA cannot be used for training",
            why="torch sees no CUDA device" if torch.version.cuda else "this torch has no CUDA",
            fix="Set train.device to cpu or auto",
        )
    if config.device == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    if number >= torch.cuda.device_count():
        raise DeviceError(
            f"process {number} of this machine has no GPU",
            why=f"torch sees {torch.cuda.device_count()}",
            fix="Start as many processes as there are GPUs, or set train.device to cpu",
        )
    torch.cuda.set_device(number)
    # It makes a plan for every new shape of batch, which takes longer than a step.
    torch.backends.cuda.enable_cudnn_sdp(False)
    return torch.device("cuda", number)


def choose_precision(config: TrainConfig, device: torch.device) -> torch.dtype:
    """The precision of matrix products: bf16 where the hardware multiplies it, else fp32."""
    if config.precision != "auto":
        return torch.bfloat16 if config.precision == "bf16" else torch.float32
    fast = _gpu_has_bf16_units() if device.type == "cuda" else _cpu_has_bf16_units()
    return torch.bfloat16 if fast else torch.float32


def check_precision(model: nn.Module, device: torch.device, precision: torch.dtype) -> None:
    """Raise DeviceError for a model that `device` cannot train in `precision`."""
    if device.type != "cpu" or precision != torch.bfloat16:
        return
    if any(isinstance(part, nn.LSTM) for part in model.modules()) and not _cpu_has_bf16_lstm():
        raise DeviceError(
            "an LSTM cannot be trained in bf16 on this CPU",
            why="torch has no such LSTM for its instructions",
            fix="Set train.precision to auto or fp32",
        )


def _keep_freed_memory() -> None:
    """Let glibc reuse large blocks; fresh pages for every batch cost a tenth of a CPU step."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        trim_threshold, mmap_max = -1, -4  # M_TRIM_THRESHOLD, M_MMAP_MAX in malloc.h
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)


def release_freed_memory() -> None:
    """Give freed memory back to the system now and then; kept for ever, it grows in fragments."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def _gpu_has_bf16_units() -> bool:
    """Before Ampere, bf16 on a GPU is emulated and slower than fp32."""
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def _cpu_has_bf16_units() -> bool:
    """Without AMX or AVX512-BF16, bf16 on a CPU is emulated and slower than fp32."""
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def _cpu_has_bf16_lstm() -> bool:
    """Try one: torch emulates bf16 products on every CPU, but an LSTM only on some."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        lstm = nn.LSTM(1, 1)
        try:
            with autocast(torch.device("cpu"), torch.bfloat16):
                lstm(torch.zeros(1, 1, 1))
        except RuntimeError:
            return False
    return True


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor of the CPU on `device`; on CUDA the process does not wait for it.

    Only pinned memory is copied while kernels run: a copy from other memory waits for all of them.
    """
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def autocast(
    device: torch.device, precision: torch.dtype
) -> contextlib.AbstractContextManager[object]:
    """Mixed precision for the forward pass; weights and optimiser stay in fp32."""
    if precision == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=precision)
