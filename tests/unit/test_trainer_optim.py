import math
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from mltranslate.errors import DeviceError
from mltranslate_train.averaging import Averaging, MovingAverage
from mltranslate_train.config import TrainConfig
from mltranslate_train.device import (
    autocast,
    check_precision,
    choose_device,
    choose_precision,
)
from mltranslate_train.loss import fused_cross_entropy
from mltranslate_train.optim import (
    learning_rate,
    load_whole_state,
    make_optimizer,
    whole_state,
)  # fmt: skip

CONFIG = TrainConfig(max_steps=100, warmup_steps=10, decay_steps=20, learning_rate=1.0)


def test_rate_warms_up_stays_and_decays_to_almost_nothing() -> None:
    assert learning_rate(1, CONFIG) == pytest.approx(0.1)
    assert learning_rate(10, CONFIG) == learning_rate(80, CONFIG) == 1.0
    assert learning_rate(81, CONFIG) == pytest.approx(20 / 21)
    assert learning_rate(100, CONFIG) == pytest.approx(1 / 21)


def test_inverse_square_root_falls_after_the_warm_up() -> None:
    config = replace(CONFIG, inverse_sqrt=True, decay_steps=0)
    assert learning_rate(40, config) == pytest.approx(0.5)
    assert learning_rate(5, config) == pytest.approx(0.5)


def test_only_matrices_are_decayed() -> None:
    optimizer = make_optimizer(nn.Linear(3, 2), replace(CONFIG, weight_decay=0.5))
    decays = {
        tuple(p.shape): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]
    }
    assert decays == {(2, 3): 0.5, (2,): 0.0}


def test_resumed_optimizer_has_its_moments_and_obeys_the_recipe_of_now() -> None:
    model = nn.Linear(3, 2)
    before = make_optimizer(model, CONFIG)
    model(torch.ones(1, 3)).sum().backward()
    before.step()
    after = make_optimizer(model, replace(CONFIG, weight_decay=0.5, beta2=0.9))
    load_whole_state(after, whole_state(before))
    for weight in model.parameters():
        assert torch.equal(after.state[weight]["exp_avg"], before.state[weight]["exp_avg"])
        assert after.state[weight]["step"] == 1
    assert [group["weight_decay"] for group in after.param_groups] == [0.5, 0.0]
    assert {group["betas"] for group in after.param_groups} == {(0.9, 0.9)}


def test_average_follows_the_weights_and_comes_back_from_its_state() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = MovingAverage(model, decay=0.9)
    with torch.no_grad():
        model.weight.fill_(1.0)
    before = average.state_dict()["weight"].item()
    average.update(8000)
    expected = 1.0 + (before - 1.0) * 0.9**8
    assert average.state_dict()["weight"].item() == pytest.approx(expected, rel=1e-6)
    average.update(8001)  # between two updates nothing moves
    assert average.state_dict()["weight"].item() == pytest.approx(expected, rel=1e-6)
    other = MovingAverage(nn.Linear(1, 1, bias=False), decay=0.9)
    other.load(average.state_dict())
    assert torch.equal(other.state_dict()["weight"], average.state_dict()["weight"])


def test_average_of_the_first_steps_is_the_latest_weights() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = MovingAverage(model, decay=0.999)
    for step in range(1, 8):
        with torch.no_grad():
            model.weight.fill_(float(step))
        average.update(step)
        assert average.weights()["weight"].item() == step


def test_without_averaging_the_weights_are_the_latest() -> None:
    model = nn.Linear(2, 2)
    averaging = Averaging(model)
    with torch.no_grad():
        model.weight.fill_(3.0)
    averaging.update(1)
    assert torch.equal(averaging.weights()["weight"], model.weight)
    assert averaging.state_dict() == {}


@given(
    rows=st.integers(1, 700),
    smoothing=st.sampled_from([0.0, 0.1, 0.3]),
    seed=st.integers(0, 100),
)
def test_fused_loss_equals_torch_in_value_and_gradients(
    rows: int, smoothing: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    states = torch.randn(rows, 8, generator=generator, requires_grad=True)
    weight = torch.randn(37, 8, generator=generator, requires_grad=True)
    labels = torch.randint(0, 37, (rows,), generator=generator)
    fused = fused_cross_entropy(states, weight, labels, smoothing)
    gradients = torch.autograd.grad(fused / rows, (states, weight))
    plain = functional.cross_entropy(
        states @ weight.T, labels, label_smoothing=smoothing, reduction="sum"
    )
    expected = torch.autograd.grad(plain / rows, (states, weight))
    assert fused.item() == pytest.approx(plain.item(), rel=1e-4)
    for got, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-6)


def test_fused_loss_in_bf16_is_near_fp32_and_survives_huge_logits() -> None:
    generator = torch.Generator().manual_seed(0)
    states, weight = torch.randn(600, 16, generator=generator), torch.randn(50, 16)
    labels = torch.randint(0, 50, (600,), generator=generator)
    exact = fused_cross_entropy(states, weight, labels, 0.1).item()
    rounded = fused_cross_entropy(states.bfloat16(), weight, labels, 0.1).item()
    assert rounded == pytest.approx(exact, rel=0.01)
    assert math.isfinite(fused_cross_entropy(states * 1e3, weight, labels, 0.1).item())


def test_asking_for_missing_cuda_is_refused() -> None:
    if torch.cuda.is_available():
        assert choose_device(replace(CONFIG, device="cuda")).type == "cuda"
        return
    with pytest.raises(DeviceError, match="CUDA cannot be used for training"):
        choose_device(replace(CONFIG, device="cuda"))
    assert choose_device(CONFIG).type == "cpu"


@pytest.mark.parametrize("units", ["amx", "avx512-bf16", "cuda", ""])
@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_bf16_is_chosen_only_where_the_device_multiplies_it(
    kind: str, units: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: units == "amx")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: units == "avx512-bf16")
    # Older GPUs offer bf16 by emulation, which is slower than fp32.
    monkeypatch.setattr(
        torch.cuda,
        "is_bf16_supported",
        lambda including_emulation=True: including_emulation or units == "cuda",
    )
    has_them = units == "cuda" if kind == "cuda" else units in ("amx", "avx512-bf16")
    expected = torch.bfloat16 if has_them else torch.float32
    assert choose_precision(CONFIG, torch.device(kind)) is expected


def test_precision_is_what_was_asked_for() -> None:
    cpu = torch.device("cpu")
    assert choose_precision(replace(CONFIG, precision="bf16"), cpu) is torch.bfloat16
    assert choose_precision(replace(CONFIG, precision="fp32"), cpu) is torch.float32
    layer = nn.Linear(4, 4)
    with autocast(cpu, torch.bfloat16):
        assert layer(torch.zeros(1, 4)).dtype is torch.bfloat16
    with autocast(cpu, torch.float32):
        assert layer(torch.zeros(1, 4)).dtype is torch.float32


@pytest.mark.parametrize("fails", [True, False])
def test_an_lstm_in_bf16_is_refused_where_the_cpu_has_none(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forward(*_: object) -> tuple[torch.Tensor, None]:
        if fails:
            raise RuntimeError("could not create a primitive descriptor")
        return torch.zeros(1), None

    lstm, gru = nn.Sequential(nn.LSTM(2, 2)), nn.Sequential(nn.GRU(2, 2), nn.Linear(2, 2))
    monkeypatch.setattr(nn.LSTM, "forward", forward)
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    drawn = torch.get_rng_state()
    check_precision(gru, cpu, torch.bfloat16)
    check_precision(lstm, cpu, torch.float32)
    check_precision(lstm, cuda, torch.bfloat16)
    if fails:
        with pytest.raises(DeviceError, match=r"bf16.*\n?.*Set train.precision"):
            check_precision(lstm, cpu, torch.bfloat16)
    else:
        check_precision(lstm, cpu, torch.bfloat16)
    assert torch.equal(torch.get_rng_state(), drawn)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_freed_memory_is_kept_for_the_next_step_and_released_on_demand() -> None:
    code = (
        "import torch; from mltranslate_train.config import TrainConfig;"
        "from mltranslate_train.device import choose_device, release_freed_memory;"
        "choose_device(TrainConfig(max_steps=1, device='cpu'));"
        "rss = lambda: int(open('/proc/self/statm').read().split()[1]) >> 8;"
        "blocks = [torch.ones(2**18) for _ in range(300)]; pin = torch.ones(10);"
        "del blocks; kept = rss(); release_freed_memory(); print(kept - rss())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(run.stdout) > 200  # of 300 MiB
