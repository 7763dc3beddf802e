import threading
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toy_corpus import WORDS, pairs, write_recipe

from mltranslate.errors import ConfigError
from mltranslate_train.config import DataConfig, Recipe, VocabularyConfig, load_recipe
from mltranslate_train.data import batches
from mltranslate_train.data.batches import Batch, Sampler, SamplerState
from mltranslate_train.data.prepare import prepare
from mltranslate_train.data.subwords import SubwordSampler
from mltranslate_train.tokenizer import END, PAD, UNKNOWN, Vocabulary, train_vocabulary


def make(folder: Path, algorithm: str) -> Vocabulary:
    lines = [side for pair in pairs(400) for side in pair]
    size = 290 if algorithm == "word" else 310
    config = VocabularyConfig(size=size, algorithm=algorithm, character_coverage=1)
    train_vocabulary(lines, ("aa", "bb"), config, folder / algorithm)
    return Vocabulary(folder / f"{algorithm}.model")


@pytest.fixture(scope="module", params=["bpe", "unigram"])
def vocabulary(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Vocabulary:
    return make(tmp_path_factory.mktemp("subwords"), request.param)


def sampler(
    vocabulary: Vocabulary, share: float = 1.0, alpha: float = 0.1, longest: int = 99
) -> SubwordSampler:
    data = DataConfig(
        corpora=(), directions=(), subword_sampling=share, subword_alpha=alpha, max_tokens=longest
    )  # fmt: skip
    return SubwordSampler(vocabulary, data)


TEXTS = st.lists(
    st.one_of(st.text(max_size=30), st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)),
    max_size=5,
)


@given(TEXTS, st.integers(0, 99))
def test_text_stays_the_same(vocabulary: Vocabulary, texts: list[str], seed: int) -> None:
    old = vocabulary.encode(texts)
    new = sampler(vocabulary).resample(old, [seed])
    assert vocabulary.decode(new) == vocabulary.decode(old)


def test_pieces_vary_with_the_seed_and_with_nothing_else(vocabulary: Vocabulary) -> None:
    old = vocabulary.encode([first for first, _ in pairs(100)])
    found = [sampler(vocabulary).resample(old, [seed]) for seed in (1, 2, 1)]
    changed = sum(one != two for one, two in zip(old, found[0], strict=True))
    assert changed > 20
    assert found[0] == found[2] != found[1]
    # Neither the thread nor what was drawn before matters.
    drawing = sampler(vocabulary)
    elsewhere: list[list[list[int]]] = []

    def draw() -> None:
        for seed in (7, 1):
            elsewhere.append(drawing.resample(old, [seed]))  # noqa: PERF401 - one after another

    for _ in range(2):
        thread = threading.Thread(target=draw)
        thread.start()
        thread.join()
    assert elsewhere[1] == elsewhere[3] == found[0]


def test_alpha_zero_leaves_merges_alone(tmp_path: Path) -> None:
    vocabulary = make(tmp_path, "bpe")
    old = vocabulary.encode([first for first, _ in pairs(50)])
    assert sampler(vocabulary, alpha=0.0).resample(old, [1]) == old
    pieces = sampler(vocabulary, alpha=1.0).resample(old, [1])
    texts = vocabulary.decode(old)
    # No merge at all: one piece a character, and one for the mark of the first word.
    assert [len(row) for row in pieces] == [len(text) + 1 for text in texts]


def test_longer_form_than_allowed_is_not_taken(vocabulary: Vocabulary) -> None:
    old = vocabulary.encode([first for first, _ in pairs(200)])
    longest = 14
    free = sampler(vocabulary).resample(old, [1])
    bound = sampler(vocabulary, longest=longest).resample(old, [1])
    assert max(map(len, free)) > longest
    for one, two, before in zip(free, bound, old, strict=True):
        assert two == (one if len(one) <= longest else before)


def test_sentence_with_unknown_pieces_is_kept(vocabulary: Vocabulary) -> None:
    row = [*vocabulary.encode(["sun moon"])[0], UNKNOWN]
    assert all(sampler(vocabulary).resample([row], [seed]) == [row] for seed in range(20))


def test_share_is_kept(vocabulary: Vocabulary) -> None:
    chosen = sampler(vocabulary, share=0.3).choose(10_000, [1])
    assert 2800 < len(chosen) < 3200
    assert len(set(chosen.tolist())) == len(chosen)


def test_vocabulary_of_whole_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no use for word\.model: only BPE and unigram"):
        sampler(make(tmp_path, "word"))
    with pytest.raises(ConfigError, match=r"does not fit vocabulary\.algorithm"):
        load_recipe(
            write_recipe(tmp_path), ["data.subword_sampling=0.1", "vocabulary.algorithm=word"]
        )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    folder = tmp_path_factory.mktemp("run")
    recipe = load_recipe(write_recipe(folder), ["vocabulary.algorithm=bpe"])
    prepare(recipe, folder / "run")
    data = replace(recipe.data, subword_sampling=0.5, subword_alpha=0.2)
    return replace(recipe, data=data), folder / "run"


def texts(vocabulary: Vocabulary, batch: Batch) -> list[tuple[str, str]]:
    marks = {PAD, END}
    sides = (batch.source[:, 1:].tolist(), batch.target_out.tolist())
    decoded = [
        vocabulary.decode([[i for i in row if i not in marks] for row in side]) for side in sides
    ]
    return list(zip(*decoded, strict=True))


def test_batches_with_sampling_resume_exactly_and_stay_within_bounds(
    run: tuple[Recipe, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_POOL", 128)
    recipe, folder = run
    whole = list(islice(Sampler(recipe, folder), 24))
    for cut in (3, 11, 17):
        state = SamplerState(**asdict(whole[cut - 1].state))
        rest = islice(Sampler(recipe, folder, state), 4)
        assert all(
            torch.equal(one.source, two.source) for one, two in zip(whole[cut:], rest, strict=False)
        )
    assert all(batch.source.numel() <= recipe.train.batch_tokens for batch in whole)
    vocabulary = Vocabulary(folder / "vocabulary.model")
    known = set(pairs(400)) | {(two, one) for one, two in pairs(400)}
    assert all(set(texts(vocabulary, batch)) <= known for batch in whole)
    plain = islice(
        Sampler(replace(recipe, data=replace(recipe.data, subword_sampling=0.0)), folder), 24
    )
    count = [
        sum(batch.target_tokens / len(batch.source) for batch in found) for found in (whole, plain)
    ]
    assert count[0] > count[1]
