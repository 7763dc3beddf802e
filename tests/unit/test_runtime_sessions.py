"""Sessions: loading, running, and stopping a loop inside a graph."""

import threading
from pathlib import Path

import numpy as np
import pytest

from mltranslate.errors import Cancelled, MltError, PackError
from mltranslate.limits import MAX_DEFAULT_THREADS
from mltranslate.runtime.sessions import Session, create_session, default_threads
from mltranslate.types import CancelToken
from mltranslate_export.graphs.builder import BOOL, INT64, GraphBuilder


def endless_loop() -> Session:
    """Count from `first` for `steps` steps, one node at a time."""
    graph = GraphBuilder("count")
    first, steps = graph.input("first", INT64, []), graph.input("steps", INT64, [])
    body = graph.body("body")
    body.input("step", INT64, [])
    going = body.input("going", BOOL, [])
    value = body.input("value", INT64, [])
    body.output(body.op("Identity", going), BOOL, [])
    body.output(body.op("Add", value, body.constant(1)), INT64, [])
    graph.output(graph.op("Loop", steps, "", first, body=body.graph(), name="last"), INT64, [])
    return create_session(graph.model().SerializeToString(), device="cpu", threads=1)


def feeds(steps: int) -> dict[str, np.ndarray]:
    return {"first": np.array(5, np.int64), "steps": np.array(steps, np.int64)}


def test_session_tells_where_it_runs() -> None:
    session = endless_loop()
    assert (session.device, session.provider) == ("cpu", "CPUExecutionProvider")
    assert (session.inputs, session.outputs) == (("first", "steps"), ("last",))
    assert session.run(feeds(10))["last"] == 15


def test_cancel_stops_a_loop_inside_the_graph() -> None:
    session, token = endless_loop(), CancelToken()
    timer = threading.Timer(0.2, token.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        session.run(feeds(2**62), cancel=token)
    timer.join()
    assert session.run(feeds(3))["last"] == 8, "the session serves the next call"


def test_cancelled_token_starts_nothing() -> None:
    session, token = endless_loop(), CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        session.run(feeds(2**62), cancel=token)


def test_cancel_after_the_run_is_harmless() -> None:
    session, token = endless_loop(), CancelToken()
    assert session.run(feeds(1), cancel=token)["last"] == 6
    assert token._callbacks == []
    token.cancel()


def test_wrong_input_is_one_line() -> None:
    with pytest.raises(MltError, match="the model failed to run") as caught:
        endless_loop().run({"first": np.zeros(2, np.float32), "steps": np.array(1, np.int64)})
    assert "\n" not in str(caught.value)


def test_missing_or_broken_graph_is_a_pack_error(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"none\.onnx"):
        create_session(tmp_path / "none.onnx", device="cpu")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x00\xff" * 50)
    with pytest.raises(PackError, match=r"broken\.onnx"):
        create_session(broken, device="cpu")


def test_threads_default_to_the_cores_up_to_a_limit() -> None:
    assert 1 <= default_threads() <= MAX_DEFAULT_THREADS
