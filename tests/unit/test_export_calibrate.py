"""Calibration sees every product, and what the model really feeds it."""

import numpy as np
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
    for name, (low, high) in ranges.items():
        module = checkpoint.model.get_submodule("embedding" if name == LOGITS else name)
        assert low.shape == high.shape == (module.weight.shape[1],)
        assert (low <= 0).all()
        assert (high >= 0).all()
        assert high.any()
        assert not (low.any() and name.endswith("ffn.down")), "what comes out of a rectifier"
    again = calibrate(checkpoint, groups)
    for name, found in ranges.items():
        np.testing.assert_array_equal(found, again[name], "watching must leave the model as it was")
    assert "logits" not in vars(checkpoint.model)
