import math
from pathlib import Path

import pytest
import torch
from toy_text import CAUSAL, MASKED, RECURRENT, text_recipe

from mltranslate.errors import ConfigError, DataError, UsageError
from mltranslate_train import cli
from mltranslate_train.config import ModelSection
from mltranslate_train.data.prepare import VOCABULARY_FILE
from mltranslate_train.evaluate.likelihood import Likelihood, Scorer
from mltranslate_train.evaluate.run_system import read_best
from mltranslate_train.loop import train
from mltranslate_train.model.build import any_model_from_about, make_any_model, make_config
from mltranslate_train.model.language_model import LanguageModel
from mltranslate_train.model.seq2seq import TextModel
from mltranslate_train.tokenizer import END, Vocabulary


def small(architecture: str = "transformer", **keys: str) -> TextModel:
    if architecture == "transformer":
        keys |= {"heads": 2, "ffn": 16}  # type: ignore[dict-item]
    section = ModelSection(
        architecture=architecture, d_model=8, decoder_layers=2, dropout=0.0, max_length=12,
        **keys,  # type: ignore[arg-type]
    )  # fmt: skip
    torch.manual_seed(1)
    return make_any_model(make_config(section, 20, "language-model")).eval()


@pytest.mark.parametrize(
    "model",
    [small(), small(norm="post"), small(decoder="average"), small(decoder="ssru"), small("rnn"),
     small("rnn", cell="gru")],
)  # fmt: skip
def test_a_state_depends_on_what_stands_before_it_only(model: TextModel) -> None:
    ids = torch.randint(5, 20, (3, 10), generator=torch.Generator().manual_seed(2))
    changed = ids.clone()
    changed[:, 6:] = (changed[:, 6:] + 3) % 15 + 5
    one, two = model(ids), model(changed)
    assert torch.allclose(one[:, :6], two[:, :6], atol=1e-6)
    assert not torch.allclose(one[:, 6:], two[:, 6:], atol=1e-3)
    assert model.logits(one).shape == (3, 10, 20)


def test_keys_of_an_encoder_are_refused() -> None:
    with pytest.raises(ConfigError, match="encoder_layers 3 does not belong to a language model"):
        make_config(ModelSection(encoder_layers=3), 20, "language-model")
    section = ModelSection(architecture="rnn", attention="luong")
    with pytest.raises(ConfigError, match="attention 'luong' does not belong to an rnn language"):
        make_config(section, 20, "language-model")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lm")
    train(text_recipe(folder, *CAUSAL, "train.max_steps=60"), folder / "run")
    return folder / "run"


def by_hand(run: Path, language: str, text: str) -> float:
    """The chain rule, piece by piece."""
    about, weights = read_best(run)
    model = any_model_from_about(about).eval()
    model.load_state_dict(weights)
    assert isinstance(model, LanguageModel)
    vocabulary = Vocabulary(run / VOCABULARY_FILE)
    prefix, total = [vocabulary.tag_id(language)], 0.0
    for piece in [*vocabulary.encode([text])[0], END]:
        with torch.inference_mode():
            logits = model.logits(model(torch.tensor([prefix])))[0, -1]
        total += float(logits.log_softmax(-1)[piece])
        prefix.append(piece)
    return total


def test_likelihood_is_the_product_over_the_pieces(run: Path) -> None:
    texts = ["sun moon", "", "star tree rock bird", "ZZ?"]
    scorer = Scorer(run, "aa")
    found = list(scorer.score(texts))
    for text, likelihood in zip(texts, found, strict=True):
        assert likelihood.nats == pytest.approx(by_hand(run, "aa", text), abs=1e-3)
        assert likelihood.bytes == len(text.encode()) + 1
    assert found[1].pieces == 1
    # It has learnt something: text of the other language is less likely.
    assert next(iter(scorer.score(["nus noom"]))).nats < found[0].nats - 5


def test_score_prints_a_line_for_each_line(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "text"
    file.write_text("sun moon\n\nfire wind\n", encoding="utf-8")
    assert cli.main(["score", str(run), str(file), "--language", "aa"]) == 0
    printed = capsys.readouterr()
    rows = [[float(cell) for cell in line.split("\t")] for line in printed.out.splitlines()]
    assert len(rows) == 3
    likelihood = next(iter(Scorer(run, "aa").score(["sun moon"])))
    assert rows[0] == [pytest.approx(likelihood.nats, abs=1e-3),
                       pytest.approx(likelihood.perplexity, abs=1e-3)]  # fmt: skip
    assert printed.err.startswith("3 lines, ")
    assert "bits a byte" in printed.err


def test_score_refuses_what_it_cannot_score(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="language is not given"):
        Scorer(run)
    with pytest.raises(UsageError, match="there is no language 'cc'"):
        Scorer(run, "cc")
    with pytest.raises(DataError, match="line 2 is too long"):
        list(Scorer(run, "bb").score(["sun", "sun " * 100]))
    assert cli.main(["score", str(tmp_path), "--language", "aa"]) == 6
    assert "has no best weights" in capsys.readouterr().err


def test_a_language_model_is_not_asked_to_translate(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = f"{run.parent}/corpus/dev."
    assert cli.main(["evaluate", str(run), "--on", f"unseen={prefix}"]) == 6
    assert "does not translate" in capsys.readouterr().err


def test_a_masked_model_gives_no_probability(tmp_path: Path) -> None:
    train(text_recipe(tmp_path, *MASKED, "train.max_steps=2"), tmp_path / "run")
    with pytest.raises(DataError, match="gives no probability of a sentence"):
        Scorer(tmp_path / "run", "aa")


def test_a_recurrent_model_learns_too(tmp_path: Path) -> None:
    train(text_recipe(tmp_path, *RECURRENT, "train.max_steps=60"), tmp_path / "run")
    about, _ = read_best(tmp_path / "run")
    assert about["architecture"] == "rnn-language-model"
    assert "encoder_layers" not in about["model"]
    assert max(about["dev_perplexity"].values()) < 40  # a guess at random has about 300
    assert 0 < min(about["dev_bits_per_byte"].values()) < 3


def test_perplexity_of_nothing_and_of_the_impossible() -> None:
    assert Likelihood().perplexity == 1
    assert Likelihood(-1e9, 1, 1).perplexity == math.inf
    assert Likelihood(-2 * math.log(8), 2, 6).perplexity == pytest.approx(8)
    assert Likelihood(-2 * math.log(8), 2, 6).bits_per_byte == pytest.approx(1)
