"""A recipe of a language identifier, and a made-up corpus of five languages for it."""

import dataclasses
import lzma
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mltranslate_train.lid.corpus import Wanted

WORDS = {
    "en": [
        "the",
        "house",
        "water",
        "weather",
        "never",
        "always",
        "little",
        "people",
        "morning",
        "thing",
    ],
    "de": [
        "das",
        "haus",
        "wasser",
        "wetter",
        "niemals",
        "immer",
        "wenig",
        "leute",
        "morgen",
        "ding",
    ],
    "zh": ["我们", "天气", "房子", "总是", "早上"],
    "ja": ["私たち", "天気", "家屋", "毎日", "早朝"],
    "yy": ["hus", "vann", "dag", "aldri", "alltid", "folk", "ting", "liten"],
}
LANGUAGES = ("en", "de", "zh", "ja", "xx")
RECIPE = """
name = "toy"
version = "0"
main = ["en", "de", "zh", "ja"]
[languages]
en = ["Latn"]
de = ["Latn"]
zh = ["Hani"]
ja = ["Hani", "Kana"]
xx = ["Latn"]
[aliases]
yy = "xx"
[shares]
zh = 0.5
[sources]
made = "CC0-1.0"
words = "CC0-1.0"
[parallel]
[data]
folder = "corpus"
hold_out_one_in = 4
foreign_ratio = 4.0
main_foreign_ratio = 4.0
least_count = 1
excluded = []
main_share = 0.8
size_power = 0.5
[training]
examples = 6400
batch = 64
learning_rate = 0.5
head_learning_rate = 0.01
table_rows = 4096
width = 8
hidden = 16
length_power = 0.5
restricted = 0.5
report_steps = 10
save_every = 3200
tuning_examples = 300
seed = 7
[sampling]
words = 0.3
pairs = 0.1
short = 0.2
medium = 0.2
long = 0.2
whole = 0.1
han_runs = 0.3
cut = 0.5
inner = 0.3
folded = 0.2
typos = 0.05
undetermined = 0.1
undetermined_texts = 200
"""


def write_recipe(folder: Path) -> Path:
    """Write recipe and corpus; the recipe names the corpus from `folder`."""
    rng = random.Random(5)
    corpus = folder / "corpus"
    corpus.mkdir()
    with lzma.open(corpus / "words.tsv.xz", "wt", encoding="utf-8") as file:
        for language, words in WORDS.items():
            file.writelines(f"{language}\t{rank}\t{w}\n" for rank, w in enumerate(words, 1))
        file.write("de\t900\twater\nqq\t1\tignored\n")
    with lzma.open(corpus / "sentences.tsv.xz", "wt", encoding="utf-8") as file:
        for language, words in WORDS.items():
            glue = "" if language in ("zh", "ja") else " "
            for _ in range(120):
                sentence = glue.join(rng.choices(words, k=6))
                file.write(f"{language}\tmade\t{sentence}\n")
    path = folder / "lid.toml"
    path.write_text(RECIPE, "utf-8")
    return path


def wanted_of(
    *languages: str, sources: Sequence[str] = ("made",), one_in: int = 4, **changed: Any
) -> Wanted:
    """What these languages want of the corpus."""
    wanted = Wanted(
        languages=languages,
        aliases={"yy": "xx"},
        main=[language for language in languages if language != "xx"],
        sources=sources,
        foreign_ratio=4.0,
        main_foreign_ratio=4.0,
        hold_out_one_in=one_in,
        parallel={},
        least_count=1,
        unspaced=("zh", "ja"),
        excluded=(),
    )
    return dataclasses.replace(wanted, **changed)
