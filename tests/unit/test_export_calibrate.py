"""Calibration sees every product, and what the model really feeds it."""

import toy_run
from torch import nn

from mltranslate_export.calibrate import calibrate
from mltranslate_export.checkpoint import load_run
from mltranslate_export.graphs.linear import LOGITS
from mltranslate_export.verify.pairs import by_direction, read_pairs


def test_every_product_has_a_range_around_zero() -> None:
    checkpoint = load_run(toy_run.toy_run())
    groups = by_direction(read_pairs(toy_run.toy_run() / "pairs.tsv"), checkpoint.directions)
    ranges = calibrate(checkpoint, groups)
    layers = [n for n, m in checkpoint.model.named_modules() if isinstance(m, nn.Linear)]
    assert sorted(ranges) == sorted([*layers, LOGITS])
    assert all(low <= 0 < high for low, high in ranges.values())
    rectified = [ranges[name][0] for name in layers if name.endswith("ffn.down")]
    assert rectified == [0.0] * 4
    assert ranges == calibrate(checkpoint, groups), "watching must leave the model as it was"
    assert "logits" not in vars(checkpoint.model)
