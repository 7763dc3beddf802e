from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from mltranslate.errors import DataError
from mltranslate_train import checkpoint


def save(folder: Path, value: float, state: dict[str, object] | None = None) -> None:
    model = nn.Linear(2, 2)
    nn.init.constant_(model.weight, value)
    weights = dict(model.state_dict())
    optimizer = torch.optim.AdamW(model.parameters()).state_dict()
    saved = checkpoint.Checkpoint(
        weights, weights, optimizer, [checkpoint.rng_state()], state or {}
    )
    checkpoint.save_checkpoint(folder, saved)


def test_checkpoint_comes_back_whole(tmp_path: Path) -> None:
    save(tmp_path / "last", 2.0, {"step": 7})
    loaded = checkpoint.load_checkpoint(tmp_path / "last")
    assert torch.equal(loaded.model["weight"], torch.full((2, 2), 2.0))
    assert torch.equal(loaded.average["weight"], loaded.model["weight"])
    assert loaded.state == {"step": 7}
    assert set(loaded.optimizer) == {"state", "param_groups"}


def test_failed_write_leaves_the_previous_checkpoint(tmp_path: Path) -> None:
    save(tmp_path / "last", 1.0)
    with pytest.raises(TypeError):
        save(tmp_path / "last", 2.0, {"unserialisable": object()})
    loaded = checkpoint.load_checkpoint(tmp_path / "last")
    assert loaded.model["weight"][0, 0] == 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


def test_crash_between_the_two_renames_is_survived(tmp_path: Path) -> None:
    save(tmp_path / "last", 1.0)
    (tmp_path / "last").rename(tmp_path / "last.old")
    assert checkpoint.newest(tmp_path / "last") == tmp_path / "last.old"
    assert checkpoint.newest(tmp_path / "other") is None


def test_save_after_such_a_crash_never_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "last", 1.0)
    (tmp_path / "last").rename(tmp_path / "last.old")

    def crash(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.os, "replace", crash)
        with pytest.raises(SystemExit):
            save(tmp_path / "last", 2.0)
    assert checkpoint.newest(tmp_path / "last") == tmp_path / "last.old"
    save(tmp_path / "last", 2.0)
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


@pytest.mark.parametrize("content", [b"", b"junk", b"\x80\x02junk"])
def test_optimiser_state_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    save(tmp_path / "last", 1.0)
    (tmp_path / "last" / checkpoint.OPTIMIZER).write_bytes(content)
    with pytest.raises(DataError, match="cannot be read") as caught:
        checkpoint.load_checkpoint(tmp_path / "last")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="the state would be a GPU's of this kind")
def test_state_of_a_gpu_that_is_gone_is_left_out() -> None:
    packed = {"cpu": torch.get_rng_state(), "cuda": [torch.get_rng_state()]}
    torch.manual_seed(9)
    checkpoint.restore_rng(packed)
    assert torch.equal(torch.get_rng_state(), packed["cpu"])


@pytest.mark.parametrize("name", [checkpoint.MODEL, checkpoint.OPTIMIZER, checkpoint.STATE])
def test_damaged_checkpoint_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    save(tmp_path / "last", 1.0)
    path = tmp_path / "last" / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="cannot be read") as caught:
        checkpoint.load_checkpoint(tmp_path / "last")
    assert "\n" not in str(caught.value)


def test_exported_weights_carry_their_description(tmp_path: Path) -> None:
    checkpoint.save_weights(tmp_path / "best", {"w": torch.ones(2)}, {"step": 3})
    assert (tmp_path / "best" / checkpoint.ABOUT).read_text(encoding="utf-8") == '{\n "step": 3\n}'
    assert torch.equal(
        safetensors.torch.load_file(tmp_path / "best" / checkpoint.MODEL)["w"], torch.ones(2)
    )


def test_random_generator_continues_where_it_was(tmp_path: Path) -> None:
    save(tmp_path / "last", 1.0)
    expected = torch.rand(3)
    checkpoint.restore_rng(checkpoint.load_checkpoint(tmp_path / "last").rng[0])
    assert torch.equal(torch.rand(3), expected)


def test_weights_are_as_readable_as_their_neighbours(tmp_path: Path) -> None:
    save(tmp_path / "last", 1.0)
    checkpoint.save_weights(tmp_path / "best", {"weight": torch.zeros(1)}, {})
    modes = {path.stat().st_mode for path in tmp_path.glob("*/*")}
    assert len(modes) == 1
