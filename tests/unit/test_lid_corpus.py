"""What a language identifier learns from: texts of a corpus, words, and pieces drawn of them."""

from __future__ import annotations

import dataclasses
import lzma
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_lid import LANGUAGES, wanted_of, write_recipe

from mltranslate.detect.features import clean
from mltranslate.errors import DataError
from mltranslate.types import UNDETERMINED
from mltranslate_train.lid.corpus import Split, read_corpus
from mltranslate_train.lid.recipe import read_recipe
from mltranslate_train.lid.sampling import Sampler, fold
from mltranslate_train.lid.undetermined import undetermined


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_recipe(tmp_path)


def _words(split: Split, language: str) -> set[str]:
    return {*split.training[language].words, *split.held_out[language].words}


def test_words_of_another_language_are_dropped(recipe: Path) -> None:
    split = read_corpus(recipe.parent / "corpus", wanted_of("en", "de"))
    assert "water" in _words(split, "en")
    assert "water" not in _words(split, "de")
    assert set(split.training) == {"en", "de"}


def _add(path: Path, *lines: str) -> None:
    with lzma.open(path, "at", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def test_words_that_only_training_sentences_have_are_added(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    made = [f"Wort{chr(97 + one)}{chr(97 + two)}" for one in range(20) for two in range(20)]
    _add(folder / "sentences.tsv.xz", *(f"de\tmade\tEin {word}!" for word in made))
    split = read_corpus(folder, wanted_of("de"))
    held = {word.lower() for word in made} & set(
        "".join(split.held_out["de"].sentences).split(),
    )
    learnt = {word.lower() for word in made} - held
    assert held
    assert learnt <= _words(split, "de")
    assert not held & _words(split, "de")


def test_words_of_sentence_pairs_are_added_if_they_are_frequent(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    lines = ["made\tthe kettle\tder Kessel", "made\tkettle here\tein Kessel", "made\tx\tKlinge"]
    _add(folder / "en-de.tsv.xz", *lines, "other\tx\tFremdes", "other\ty\tFremdes")
    parallel = dict.fromkeys(("en", "de"), folder / "en-de.tsv.xz")
    split = read_corpus(folder, wanted_of("en", "de", parallel=parallel, least_count=2))
    assert "kettle" in _words(split, "en")
    assert "kessel" in _words(split, "de")
    assert not {"klinge", "fremdes", "kettle"} & _words(split, "de")
    assert split.sizes["made"] == 240 + 3 + 3
    assert all(
        " der kessel" not in part["de"].sentences for part in (split.training, split.held_out)
    )


def test_han_sentences_of_pairs_are_added(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    _add(folder / "en-zh.tsv.xz", "made\twatch\t手表很好", "made\tagain\t手表很好")
    split = read_corpus(folder, wanted_of("zh", parallel={"zh": folder / "en-zh.tsv.xz"}))
    assert split.training["zh"].sentences.count(" 手表很好") == 1
    assert "手表很好" not in _words(split, "zh")


def test_pairs_in_other_languages_are_refused(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    _add(folder / "en-fr.tsv.xz", "made\ta\tb")
    with pytest.raises(DataError, match="has no de"):
        read_corpus(folder, wanted_of("de", parallel={"de": folder / "en-fr.tsv.xz"}))


def test_what_others_are_judged_by_stays_unknown(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    known = read_corpus(folder, wanted_of("de"))
    sentence, word = known.training["de"].sentences[0], known.training["de"].words[0]
    held = known.held_out["de"].sentences[0]
    _add(folder / "exam.tsv.xz", *(f"any\tde\t{text.upper()}!" for text in (sentence, word, held)))
    split = read_corpus(folder, wanted_of("de", excluded=[folder / "exam.tsv.xz"]))
    assert word not in _words(split, "de")
    for part in (split.training["de"], split.held_out["de"]):
        assert not {sentence, held} & set(part.sentences)


def test_words_belong_to_the_main_language_that_has_them_most(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    _add(folder / "words.tsv.xz", "en\t20\tradio", "de\t30\tradio", "yy\t60\tradio")
    both = read_corpus(folder, wanted_of("en", "de", "xx"))
    assert all("radio" in _words(both, name) for name in ("en", "de", "xx"))
    one = read_corpus(folder, wanted_of("en", "de", "xx", main_foreign_ratio=1.0))
    assert [name for name in ("en", "de", "xx") if "radio" in _words(one, name)] == ["en", "xx"]


def test_alias_is_read_as_its_language(recipe: Path) -> None:
    split = read_corpus(recipe.parent / "corpus", wanted_of("xx"))
    assert "alltid" in _words(split, "xx")
    assert {line.language for line in split.sentences} == {"xx"}


def test_missing_language_and_missing_file(recipe: Path) -> None:
    with pytest.raises(DataError, match="no sentences in fr"):
        read_corpus(recipe.parent / "corpus", wanted_of("en", "fr"))
    with pytest.raises(DataError, match="cannot read"):
        read_corpus(recipe.parent, wanted_of("en"))


def test_sources_that_are_not_named_are_not_read(recipe: Path) -> None:
    folder = recipe.parent / "corpus"
    split = read_corpus(folder, wanted_of("en", "de", "zh", "ja", "xx"))
    assert split.sizes == {"made": 600, "words": 39}
    with pytest.raises(DataError, match="no sentences"):
        read_corpus(folder, wanted_of("en", sources=["other"]))


def test_damaged_row(recipe: Path) -> None:
    with lzma.open(recipe.parent / "corpus" / "words.tsv.xz", "wt", encoding="utf-8") as file:
        file.write("en\t1\n")
    with pytest.raises(DataError, match="line 1"):
        read_corpus(recipe.parent / "corpus", wanted_of("en"))


def test_split_keeps_no_text_on_both_sides(recipe: Path) -> None:
    split = read_corpus(recipe.parent / "corpus", wanted_of(*LANGUAGES))
    train = {text for part in split.training.values() for text in (*part.sentences, *part.words)}
    held = {text for part in split.held_out.values() for text in (*part.sentences, *part.words)}
    assert train
    assert held
    assert not train & held
    assert {clean(line.text) for line in split.sentences} <= held
    assert read_corpus(recipe.parent / "corpus", wanted_of(*LANGUAGES)) == split


def test_few_sentences_are_held_out_more(recipe: Path) -> None:
    split = read_corpus(recipe.parent / "corpus", wanted_of("en", one_in=100))
    assert len(split.sentences) == 120 // 5


def _drawn(sampler: Sampler, count: int) -> list[tuple[str, str]]:
    drawn = sampler.draw(count)
    text = drawn.letters.codes.tobytes().decode("utf-32-le")
    names = (*LANGUAGES, UNDETERMINED)
    texts = text.split("\0")[:-1]
    return [(one, names[label]) for one, label in zip(texts, drawn.labels.tolist(), strict=True)]


def test_sampler_is_reproducible_and_covers_all(recipe: Path) -> None:
    read = read_recipe(recipe)
    training = read_corpus(read.data.folder, wanted_of(*LANGUAGES)).training
    weights = dict.fromkeys(LANGUAGES, 1.0)
    one, other = (Sampler(training, read.sampling, weights, ["zh", "ja"], 3) for _ in range(2))
    drawn = _drawn(one, 2000)
    assert drawn == _drawn(other, 2000)
    assert {language for _, language in drawn} == {*LANGUAGES, UNDETERMINED}
    assert all(text[0] == " " and "  " not in text for text, _ in drawn)
    assert max(len(text) for text, _ in drawn) > 30


def test_sampler_cuts_what_is_there(recipe: Path) -> None:
    read = read_recipe(recipe)
    calm = dataclasses.replace(read.sampling, typos=0.0, folded=0.0, undetermined=0.0)
    training = read_corpus(read.data.folder, wanted_of(*LANGUAGES)).training
    sampler = Sampler(training, calm, dict.fromkeys(LANGUAGES, 1.0), ["zh", "ja"], 3)
    known = {
        language: " ".join((*part.sentences, *part.words)) for language, part in training.items()
    }
    for text, language in _drawn(sampler, 1000):
        first, _, second = text[1:].partition(" ")
        assert text[1:] in known[language] or (
            first in training[language].words and second in known[language]
        )


def test_slips_change_one_letter(recipe: Path) -> None:
    read = read_recipe(recipe)
    slips = dataclasses.replace(
        read.sampling, **dict.fromkeys(("pairs", "short", "medium", "long", "whole", "han_runs"), 0)
    )
    slips = dataclasses.replace(slips, typos=1.0, cut=0.0, folded=0.0, undetermined=0.0)
    training = read_corpus(read.data.folder, wanted_of("en")).training
    words = training["en"].words
    for text, _ in _drawn(Sampler(training, slips, {"en": 1.0}, [], 3), 300):
        word = text[1:]
        assert any(
            word == other or sorted(word) == sorted(other) or abs(len(word) - len(other)) == 1
            for other in words
        )


@given(st.randoms(use_true_random=False))
def test_undetermined_is_one_line(rng: random.Random) -> None:
    text = undetermined(rng)
    assert text
    assert "\n" not in text.strip()


@pytest.mark.parametrize(
    ("character", "expected"),
    [("ß", "s"), ("é", "e"), ("ł", "l"), ("ı", "i"), ("й", "и"), ("が", "が"), ("a", "a")],
)
def test_fold(character: str, expected: str) -> None:
    assert fold(character) == expected
