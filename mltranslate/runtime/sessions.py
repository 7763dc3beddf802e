"""Inference sessions that tell the truth about their device and can be stopped while they run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mltranslate.errors import Cancelled, DeviceError, MltError, PackError
from mltranslate.limits import MAX_DEFAULT_THREADS
from mltranslate.runtime.providers import CPU_PROVIDER, CUDA_PROVIDER, choose_device, runtime
from mltranslate.types import CancelToken

Array = NDArray[Any]


class Session:
    """A loaded graph. Runs from several threads at once are allowed."""

    device: str
    """"cpu" or "cuda": where the graph really runs."""
    provider: str
    """Execution provider really used."""
    note: str
    """Why "auto" fell back to the CPU; empty otherwise."""

    def __init__(self, session: Any, *, note: str = "") -> None:
        self._session = session
        self.provider = session.get_providers()[0]
        self.device = "cuda" if self.provider == CUDA_PROVIDER else "cpu"
        self.note = note
        self.inputs: tuple[str, ...] = tuple(value.name for value in session.get_inputs())
        self.optional: tuple[str, ...] = tuple(
            value.name for value in session.get_overridable_initializers()
        )
        """Inputs that may be left out."""
        self.outputs: tuple[str, ...] = tuple(value.name for value in session.get_outputs())

    def run(
        self, feeds: Mapping[str, Array], *, cancel: CancelToken | None = None
    ) -> dict[str, Array]:
        """Run the graph and give its outputs by name.

        Setting `cancel` from another thread stops the graph at its next node, also inside a
        decoding loop, and raises `Cancelled`; any other failure of the graph is an `MltError`.
        """
        options = runtime().RunOptions()
        with _terminating(options, cancel):
            try:
                values = self._session.run(None, dict(feeds), options)
            except Exception as error:  # onnxruntime has no common base class for its errors
                if cancel is not None and cancel.cancelled:
                    raise Cancelled from None
                raise MltError("the model failed to run", why=_first_line(error)) from error
        return dict(zip(self.outputs, (np.asarray(value) for value in values), strict=True))


def create_session(
    model: Path | bytes,
    *,
    device: str = "auto",
    threads: int | None = None,
    optimise: bool = True,
) -> Session:
    """Load a graph from a file or from its bytes.

    `device` is "auto", "cpu" or "cuda" (`DeviceError` if CUDA is not really used); `threads`
    defaults to the cores this process may use. Without `optimise` the runtime takes the graph as it
    is, which can be faster: see docs/speed.md. `PackError` if the graph is missing or damaged.
    """
    choice = choose_device(device)
    session = _load(model, choice.device, threads, optimise)
    if choice.device == "cuda" and session.get_providers()[0] != CUDA_PROVIDER:
        why = f"onnxruntime fell back to {session.get_providers()[0]}"
        if device == "cuda":
            raise DeviceError("CUDA cannot be used", why=why, fix="Use --device cpu or auto")
        return Session(session, note=f"CUDA is not used: {why}")
    return Session(session, note=choice.note)


def _load(model: Path | bytes, device: str, threads: int | None, optimise: bool) -> Any:
    source: Any = model if isinstance(model, bytes) else str(model)
    options = _options(threads)
    if not optimise:
        options.graph_optimization_level = runtime().GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return runtime().InferenceSession(source, options, providers=_providers(device))
    except Exception as error:  # onnxruntime has no common base class for its errors
        name = "in memory" if isinstance(model, bytes) else str(model)
        raise PackError(
            f"the graph {name} does not load",
            why=_first_line(error),
            fix="Verify the pack with: mltranslate packs verify",
        ) from error


def save_optimised(model: Path, target: Path) -> None:
    """Write the graph as the runtime optimises it for the CPU: for inspection, not for packs."""
    options = _options(1)
    options.optimized_model_filepath = str(target)
    runtime().InferenceSession(str(model), options, providers=[CPU_PROVIDER])


def default_threads() -> int:
    """Count the cores this process may run on, up to `MAX_DEFAULT_THREADS`."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, MAX_DEFAULT_THREADS)


def _options(threads: int | None) -> Any:
    options = runtime().SessionOptions()
    options.intra_op_num_threads = threads or default_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Spinning threads would burn a core between key strokes and starve other programs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Shapes differ at every decoding step, so a memory plan per shape only grows.
    options.enable_mem_pattern = False
    return options


def _providers(device: str) -> list[Any]:
    if device == "cpu":
        return [CPU_PROVIDER]
    return [(CUDA_PROVIDER, {"arena_extend_strategy": "kSameAsRequested"}), CPU_PROVIDER]


@contextmanager
def _terminating(options: Any, cancel: CancelToken | None) -> Iterator[None]:
    """Let `cancel` stop the run that uses `options`."""
    if cancel is None:
        yield
        return
    cancel.raise_if_cancelled()

    def terminate() -> None:
        options.terminate = True

    cancel.subscribe(terminate)
    try:
        yield
    finally:
        cancel.unsubscribe(terminate)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
