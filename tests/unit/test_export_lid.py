"""The graph of a language identifier: two numbers in a byte, summed exactly."""

from __future__ import annotations

import numpy as np
import pytest

from mltranslate.runtime.sessions import create_session
from mltranslate_export.lid import TrainedLid, build_graph, pack, quantise, unfold

ROWS, WIDTH, UNITS, CLASSES = 32, 6, 5, 4


@pytest.fixture
def trained() -> TrainedLid:
    rng = np.random.default_rng(0)

    def some(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return TrainedLid(
        {"length_power": 0.5},
        table=some(ROWS, WIDTH),
        hidden_weight=some(UNITS, WIDTH),
        hidden_bias=some(UNITS),
        output_weight=some(CLASSES, WIDTH + UNITS),
        output_bias=some(CLASSES),
        tuning=[],
    )


def test_two_numbers_share_a_byte() -> None:
    table = np.array([[-7, 0, 7, 3], [0, 0, 0, 0]], np.int8)
    assert pack(table).tolist() == [[1 + 16 * 15, 8 + 16 * 11], [136, 136]]


def test_quantised_numbers_fit_four_bits(trained: TrainedLid) -> None:
    table, scales = quantise(trained.table)
    assert np.abs(table).max() == 7
    assert np.abs(table * scales - trained.table).max() < 1.0
    assert quantise(np.zeros((4, 2), np.float32))[0].tolist() == [[0, 0]] * 4


def test_unfolded_weights_take_sums_of_bytes(trained: TrainedLid) -> None:
    table, scales = quantise(trained.table)
    low, high = np.split(table.sum(axis=0, dtype=np.int64), 2)
    sums = np.concatenate([low + 16 * high, high])
    expected = trained.hidden_weight @ (table * scales).sum(axis=0)
    assert unfold(trained.hidden_weight, scales) @ sums == pytest.approx(expected, abs=1e-4)


def test_graph_gives_the_scores_of_the_quantised_table(trained: TrainedLid) -> None:
    table, scales = quantise(trained.table)
    session = create_session(
        build_graph(trained, table, scales).SerializeToString(), device="cpu", threads=1
    )
    rows = np.array([[3, 3, 31, 0], [7, 0, 0, 0]], np.int32)
    weights = np.array([[[1, 1, 1, 1]], [[1, 0, 0, 0]]], np.uint8)
    sizes = np.array([[4], [1]], np.float32)
    scores = session.run({"rows": rows, "weights": weights, "sizes": sizes})["scores"]
    whole = TrainedLid(**{**_fields(trained), "table": (table * scales).astype(np.float32)})
    assert scores[0] == pytest.approx(whole.scores(rows[0]), abs=1e-4)
    assert scores[1] == pytest.approx(whole.scores(rows[1, :1]), abs=1e-4)


def _fields(trained: TrainedLid) -> dict[str, object]:
    return {name: getattr(trained, name) for name in TrainedLid.__dataclass_fields__}
