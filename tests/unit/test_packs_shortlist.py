"""Shortlists of a pack: written, read back, and refused when they do not fit."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import toy_run
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.errors import PackError
from mltranslate.packs import Pack, read_pack
from mltranslate.packs.manifest import ShortlistInfo, ShortlistShape
from mltranslate.packs.shortlist import Shortlist, number_type, pack_shortlists, read_shortlists

SIZE = 288


def make(rows: dict[int, list[int]], always: list[int]) -> Shortlist:
    counts = np.array([len(rows.get(piece, [])) for piece in range(SIZE)])
    made = [one for piece in range(SIZE) for one in rows.get(piece, [])]
    return Shortlist.of(counts, np.array(made, np.int64), np.array(always, np.int64))


def written(folder: Path, **shortlists: Shortlist) -> Pack:
    """The toy pack as if it had these shortlists."""
    pack = read_pack(toy_run.toy_pack())
    (folder / "s.bin").write_bytes(pack_shortlists(list(shortlists.values())))
    targets = {
        code: ShortlistShape(candidates=len(one.candidates), always=len(one.always))
        for code, one in shortlists.items()
    }
    info = ShortlistInfo(file="s.bin", targets=targets)
    return Pack(folder=folder, manifest=dataclasses.replace(pack.manifest, shortlist=info))


ROWS = st.dictionaries(
    st.integers(0, SIZE - 1), st.lists(st.integers(4, SIZE - 1), max_size=6), max_size=20
)


@given(rows=ROWS, always=st.lists(st.integers(4, SIZE - 1), min_size=1, max_size=5))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[int, list[int]], always: list[int]
) -> None:
    one, other = make(rows, always), make({7: [8]}, [9])
    found = read_shortlists(written(tmp_path_factory.mktemp("pack"), en=one, de=other))
    assert list(found) == ["en", "de"]
    for piece in range(SIZE):
        allowed = np.zeros(SIZE, np.bool_)
        found["en"].mark([piece, piece], allowed)
        assert set(np.flatnonzero(allowed)) == {*rows.get(piece, []), *always}
        assert found["en"].covers([piece]) == bool(rows.get(piece))
    assert found["de"].covers([7, 7])
    assert not found["de"].covers([7, 6])


def test_no_words_need_no_candidates() -> None:
    assert make({}, [5]).covers([])


def test_pack_without_one_has_none() -> None:
    assert not read_shortlists(read_pack(toy_run.toy_pack()))


@pytest.mark.parametrize("damage", ["cut", "counts", "ids"])
def test_damaged_numbers_are_refused(tmp_path: Path, damage: str) -> None:
    pack = written(tmp_path, de=make({7: [8, 9], 30: [31]}, [5]))
    numbers = np.fromfile(tmp_path / "s.bin", "<u2")
    if damage == "cut":
        numbers = numbers[:-1]
    elif damage == "counts":
        numbers[7] = 3
    else:
        numbers[-1] = SIZE
    numbers.tofile(tmp_path / "s.bin")
    with pytest.raises(PackError, match="shortlist of the pack toy is damaged"):
        read_shortlists(pack)


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    pack = written(tmp_path, de=make({7: [8]}, [5]))
    (tmp_path / "s.bin").unlink()
    with pytest.raises(PackError, match="cannot be read"):
        read_shortlists(pack)


def test_large_vocabularies_have_wide_numbers() -> None:
    assert number_type(65_536) == np.dtype("<u2")
    assert number_type(65_537) == np.dtype("<u4")
