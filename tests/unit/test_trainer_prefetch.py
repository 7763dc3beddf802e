import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from toy_corpus import write_recipe

from mltranslate_train.config import load_recipe
from mltranslate_train.data.batches import Batch, Sampler, SamplerState
from mltranslate_train.data.prefetch import prefetch
from mltranslate_train.data.prepare import prepare


def numbered(count: int, seen: list[int] | None = None) -> Iterator[Batch]:
    for number in range(count):
        if seen is not None:
            seen.append(number)
        row = torch.full((1, 2), number)
        yield Batch(row, row, row, SamplerState(batch=number + 1))


def threads() -> int:
    return sum(thread.name == "prefetch" for thread in threading.enumerate())


@pytest.mark.parametrize("size", [0, 1, 3])
def test_batches_come_in_order_with_their_states(size: int) -> None:
    with prefetch(numbered(20), size) as batches:
        found = list(batches)
    assert [int(batch.source[0, 0]) for batch in found] == list(range(20))
    assert [batch.state.batch for batch in found] == list(range(1, 21))
    assert threads() == 0


@pytest.mark.parametrize("size", [0, 1, 3])
def test_error_reaches_the_loop_after_the_batches_before_it(size: int) -> None:
    def failing() -> Iterator[Batch]:
        yield from numbered(2)
        raise OSError("the disk is gone")

    with prefetch(failing(), size) as batches:
        assert [next(batches).state.batch for _ in range(2)] == [1, 2]
        with pytest.raises(OSError, match="the disk is gone"):
            next(batches)
    assert threads() == 0


def test_thread_works_ahead_and_no_further_than_told() -> None:
    seen: list[int] = []
    with prefetch(numbered(50, seen), 4) as batches:
        next(batches)
        deadline = time.monotonic() + 10
        while len(seen) < 6 and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(0.05)
        # One was taken, four lie ready, and one waits for room.
        assert len(seen) == 6


@pytest.mark.parametrize("taken", [0, 1, 7])
def test_leaving_the_block_ends_the_thread(taken: int) -> None:
    with suppress(KeyboardInterrupt), prefetch(numbered(10**9), 3) as batches:
        for _ in range(taken):
            next(batches)
        assert threads() == 1
        raise KeyboardInterrupt
    assert threads() == 0


def test_state_of_the_batch_used_last_continues_exactly(tmp_path: Path) -> None:
    recipe, run = load_recipe(write_recipe(tmp_path)), tmp_path / "run"
    prepare(recipe, run)
    plain = iter(Sampler(recipe, run))
    whole = [next(plain) for _ in range(12)]
    state = None
    for start in (0, 5, 9):
        sampler = Sampler(recipe, run, state)
        with prefetch(iter(sampler), 2) as batches:
            for number in range(start, {0: 5, 5: 9, 9: 12}[start]):
                batch = next(batches)
                assert torch.equal(batch.source, whole[number].source)
                assert batch.state == whole[number].state
                state = batch.state


@pytest.mark.gpu
def test_pinned_batches_lie_in_pinned_memory() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs CUDA")
    with prefetch(numbered(3), 2, pin=True) as batches:
        assert all(batch.source.is_pinned() and batch.state.batch for batch in batches)
