from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltranslate_train.data import order
from mltranslate_train.data.order import permuted, shuffled

KEYS = st.integers(0, 2**64 - 1)


@given(st.integers(1, 700), KEYS)
def test_permutation_takes_every_number_once(size: int, key: int) -> None:
    found = permuted(np.arange(size, dtype=np.uint64), size, np.full(1, key, np.uint64))
    assert sorted(found.tolist()) == list(range(size))


@given(
    st.integers(1, 60), st.integers(0, 200), st.integers(0, 90), KEYS,
    st.sampled_from([(4, 8), (4, 16), (1, 4)]),
)  # fmt: skip
def test_any_part_of_the_stream_is_the_same_as_of_the_whole(
    size: int, start: int, count: int, seed: int, sizes: tuple[int, int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "BLOCK", sizes[0])
        patch.setattr(order, "WINDOW", sizes[1])
        whole = shuffled(0, start + count, size, seed)
        assert shuffled(start, count, size, seed).tolist() == whole[start:].tolist()
        for turn in range(0, len(whole) - size + 1, size):
            assert sorted(whole[turn : turn + size]) == list(range(size))


def test_passes_and_seeds_have_orders_of_their_own() -> None:
    size = order.WINDOW + order.BLOCK + 10
    orders = [shuffled(turn * size, size, size, 7) for turn in range(2)]
    orders.append(shuffled(0, size, size, 8))
    for one in range(3):
        assert np.array_equal(np.sort(orders[one]), np.arange(size))
        for two in range(one):
            assert (orders[one] == orders[two]).mean() < 0.001


def test_a_window_reads_blocks_from_everywhere_and_mixes_them() -> None:
    size = 40 * order.WINDOW
    window = shuffled(0, order.WINDOW, size, 7)
    blocks = Counter((window - window.min()) // order.BLOCK)
    assert len(blocks) < 2 * order.WINDOW // order.BLOCK + 2  # few places on the disk …
    tenths = np.histogram(window, bins=10, range=(0, size))[0]
    assert tenths.min() > 0.05 * order.WINDOW  # … from all over the file …
    assert (np.abs(np.diff(window)) == 1).mean() < 0.01  # … and no neighbours side by side
    # Places and numbers do not go together.
    assert abs(np.corrcoef(np.arange(len(window)), window)[0, 1]) < 0.02


def test_first_place_is_even_over_the_seeds() -> None:
    firsts = Counter(int(shuffled(0, 1, 10, seed)[0]) for seed in range(5000))
    assert all(400 < firsts[number] < 600 for number in range(10))


def test_large_streams_cost_no_memory_and_no_time() -> None:
    # Ten thousand million examples: an array of them would need 80 GB.
    found = shuffled(10**13 + 5, 1000, 10**10, 3)
    assert len(set(found.tolist())) == 1000
    assert 0 <= found.min() < found.max() < 10**10
