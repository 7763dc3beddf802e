"""Public models beside transformers itself, where it is installed: no golden file between them."""

from pathlib import Path

import numpy as np
import pytest
from forced_logits import forced_logits
from public_models import FAMILIES, SENTENCES, expect, logits, make, sentences
from sentencepiece import SentencePieceProcessor
from test_import_public import MOST_OFF, MOST_TOKENS, TARGETS, rows_of

from mltranslate.decode import Decoder, Request
from mltranslate_export.build import PackPlan, build_pack
from mltranslate_export.importers.load import load_public

pytest.importorskip("transformers", reason="transformers is not installed; see docs/development.md")
PLAN = PackPlan(name="toy", version="1.0.0", licence="CC0-1.0", precisions=("fp32",))


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_and_greedy_tokens(family: str, tmp_path: Path) -> None:
    folder = tmp_path / family
    model, tokenizer = make(family, folder)
    # Other sentences than the goldens'.
    texts = sentences("source", SENTENCES, 10)
    target = TARGETS.get(family, "de")
    checkpoint = load_public(folder, [("en", target)], tmp_path)
    splitter = SentencePieceProcessor(model_file=str(checkpoint.vocabulary))
    requests = [
        Request(
            pieces=tuple(splitter.encode(text)), source="en", target=target, max_tokens=MOST_TOKENS
        )
        for text in texts
    ]
    rows = rows_of(folder, checkpoint)
    ours = {row: number for number, row in rows.items()}
    theirs = logits(family, folder, model, tokenizer, texts)
    targets = np.array([[ours[row] for row in line] for line in theirs["targets"].tolist()])
    found = forced_logits(checkpoint, requests, targets, tmp_path)
    text = [ours[row] for row in theirs["text"].tolist()]
    most = np.abs(found[:, :, text] - theirs["logits"].numpy()).max()
    print(f"{family}: logits of {len(texts)} sentences differ by at most {most:.1e}")
    assert most < MOST_OFF

    (tmp_path / "pack").mkdir()
    pack = build_pack(checkpoint, tmp_path / "pack", PLAN, ranges={})
    decoded = Decoder(pack, device="cpu", precision="fp32").decode(requests)
    expected = expect(family, folder, model, tokenizer, texts)
    for hypothesis, entry in zip(decoded, expected, strict=True):
        tokens = [rows[piece] for piece in hypothesis.pieces] + [rows[3]] * hypothesis.finished
        assert tokens == entry["greedy"]
