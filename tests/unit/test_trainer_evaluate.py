from dataclasses import replace
from pathlib import Path

import pytest
import torch
from toy_corpus import write_recipe

from mltranslate.errors import DataError
from mltranslate_train import search
from mltranslate_train.config import DevSet, Recipe, load_recipe
from mltranslate_train.data.prepare import prepare
from mltranslate_train.evaluate import translate as module
from mltranslate_train.evaluate.during import check_dev_sets, dev_scores, read_side
from mltranslate_train.evaluate.metrics import bleu, chrf
from mltranslate_train.evaluate.translate import translate
from mltranslate_train.model.build import make_config, make_model
from mltranslate_train.model.seq2seq import Seq2Seq
from mltranslate_train.search import Hypothesis
from mltranslate_train.tokenizer import END, PAD, Vocabulary


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Vocabulary, Seq2Seq]:
    """An untrained model with the toy vocabulary."""
    folder = tmp_path_factory.mktemp("evaluate")
    recipe = load_recipe(write_recipe(folder))
    prepare(recipe, folder / "run")
    vocabulary = Vocabulary(folder / "run/vocabulary.model")
    torch.manual_seed(1)
    return recipe, vocabulary, make_model(make_config(recipe.model, len(vocabulary)))


def dev_set(folder: Path, first: str, second: str, lines: int = 10) -> DevSet:
    for language, text in (("aa", first), ("bb", second)):
        (folder / f"dev.{language}").write_bytes(text.encode())
    return DevSet(name="dev", prefix=f"{folder.as_posix()}/dev.", lines=lines)


def test_translations_come_in_order_from_length_batches(
    toy: tuple[Recipe, Vocabulary, Seq2Seq], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, vocabulary, model = toy
    widths = []

    def echo(_: Seq2Seq, source: torch.Tensor, *__: torch.Tensor) -> list[Hypothesis]:
        widths.append(source.shape[1])
        rows = [[i for i in row[1:] if i not in (PAD, END)] for row in source.tolist()]
        return [Hypothesis(pieces=tuple(row), score=0.0, finished=True) for row in rows]

    monkeypatch.setattr(search, "greedy", echo)
    texts = ["sun moon star tree rock", "sun", "sun moon star", "moon", "", "fish lake"]
    assert translate(model, vocabulary, texts, "bb", batch=2) == texts
    assert widths == sorted(widths)
    assert len(widths) == 3


def test_long_source_is_cut_and_output_limited(
    toy: tuple[Recipe, Vocabulary, Seq2Seq], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, vocabulary, model = toy
    seen: list[tuple[int, int, list[int]]] = []

    def note(
        _: Seq2Seq, source: torch.Tensor, start: torch.Tensor, limits: torch.Tensor
    ) -> list[Hypothesis]:
        seen.append((source.shape[1], int(source[0, 0]), limits.tolist()))
        assert start.tolist() == source[:, 0].tolist()
        return [Hypothesis(pieces=(), score=0.0, finished=True)] * len(source)

    monkeypatch.setattr(search, "greedy", note)
    translate(model, vocabulary, ["sun " * 100, "sun"], "bb")
    width, tag, limits = seen[0]
    assert width == model.config.max_length
    assert tag == vocabulary.tag_id("bb")
    pieces = len(vocabulary.encode(["sun"])[0])
    assert limits == [2 * pieces + module._SLACK, model.config.max_length - 1]


def test_scoring_leaves_the_random_generator_alone(
    toy: tuple[Recipe, Vocabulary, Seq2Seq], tmp_path: Path
) -> None:
    recipe, vocabulary, model = toy
    dev = dev_set(tmp_path, "sun\nmoon\n", "nus\nnoom\n")
    recipe = replace(recipe, evaluate=replace(recipe.evaluate, dev=(dev,)))
    state = torch.get_rng_state()
    scores = dev_scores(
        recipe, model.config, dict(model.state_dict()), vocabulary, torch.device("cpu")
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert set(scores.chrf) == set(scores.bleu) == {"dev:aa-bb", "dev:bb-aa"}
    assert scores.mean == pytest.approx(sum(scores.chrf.values()) / 2)


def test_a_dev_set_may_score_some_directions_only(
    toy: tuple[Recipe, Vocabulary, Seq2Seq], tmp_path: Path
) -> None:
    recipe, vocabulary, model = toy
    dev = replace(dev_set(tmp_path, "sun\nmoon\n", "nus\nnoom\n"), directions=("bb-aa",))
    recipe = replace(recipe, evaluate=replace(recipe.evaluate, dev=(dev,)))
    check_dev_sets(recipe)
    weights = dict(model.state_dict())
    scores = dev_scores(recipe, model.config, weights, vocabulary, torch.device("cpu"))
    assert set(scores.chrf) == {"dev:bb-aa"}


def test_only_line_feeds_end_lines(tmp_path: Path) -> None:
    dev = dev_set(tmp_path, "a\u2028b\x85c\x0bd\re\r\nf\ng\n", "", lines=2)
    assert read_side(dev, "aa") == ["a\u2028b\x85c\x0bd\re", "f"]


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    dev = dev_set(tmp_path, "\ufeffa\n\ufeffb\n", "")
    assert read_side(dev, "aa") == ["a", "\ufeffb"]


@pytest.mark.parametrize("second", ["a\n", ""])
def test_dev_sets_that_are_not_parallel_are_refused(
    toy: tuple[Recipe, Vocabulary, Seq2Seq], tmp_path: Path, second: str
) -> None:
    dev = dev_set(tmp_path, "a\nb\n" if second else "", second)
    recipe = replace(toy[0], evaluate=replace(toy[0].evaluate, dev=(dev,)))
    with pytest.raises(DataError, match="dev are not parallel"):
        check_dev_sets(recipe)


def test_lines_that_are_not_used_are_parallel_too(
    toy: tuple[Recipe, Vocabulary, Seq2Seq], tmp_path: Path
) -> None:
    dev = dev_set(tmp_path, "a\nb\nc\n", "b\nc\n", lines=2)  # its first line is missing
    recipe = replace(toy[0], evaluate=replace(toy[0].evaluate, dev=(dev,)))
    with pytest.raises(DataError, match=r"dev are not parallel.*'aa': 3, 'bb': 2"):
        check_dev_sets(recipe)


def test_missing_and_unreadable_dev_sets_are_refused(
    toy: tuple[Recipe, Vocabulary, Seq2Seq], tmp_path: Path
) -> None:
    dev = dev_set(tmp_path, "a\n", "a\n")
    recipe = replace(toy[0], evaluate=replace(toy[0].evaluate, dev=(dev,)))
    check_dev_sets(recipe)
    (tmp_path / "dev.bb").write_bytes(b"\xff\n")
    with pytest.raises(DataError, match=r"dev\.bb:1 cannot be read: it is no UTF-8"):
        check_dev_sets(recipe)
    (tmp_path / "dev.bb").unlink()
    with pytest.raises(DataError, match=r"dev\.bb cannot be read: No such file"):
        check_dev_sets(recipe)


def test_scores_carry_size_and_signature_and_refuse_unequal_lists() -> None:
    score = chrf(["ein Haus"], ["ein Haus"])
    assert (score.value, score.sentences) == (pytest.approx(100.0), 1)
    assert "nw:2" in score.signature
    assert "tok:zh" in bleu(["房子"], ["房子"], "zh").signature
    for metric in (chrf, lambda one, two: bleu(one, two, "de")):
        with pytest.raises(DataError, match=r"1 translations cannot be scored.*2 references"):
            metric(["a"], ["a", "b"])
        with pytest.raises(DataError, match="0 translations"):
            metric([], [])
