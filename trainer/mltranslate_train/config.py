"""The recipe of a translation model: every key with its default and meaning."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from mltranslate.errors import ConfigError
from mltranslate_train.recipe_checks import check_recipe
from mltranslate_train.strict_toml import apply_override, build, read_extended


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusConfig:
    """One kind of parallel text: exactly one of `folder` … `po`, or `source` with `target`.

    Every file may be compressed with xz or gzip.
    """

    folder: str = ""
    """Folder of `<a>-<b>.tsv[.xz]` files: `origin TAB text in a TAB text in b`."""
    tsv: str = ""
    """One file of `text in a TAB text in b`; `languages` names a and b."""
    source: str = ""
    """Plain text, one sentence a line, parallel to `target`; `languages` names both."""
    target: str = ""
    tmx: str = ""
    """Translation memory (TMX 1.4), streamed; `languages` names the two to take out."""
    jsonl: str = ""
    """One JSON object a line, which has a text under each of the two codes in `languages`."""
    table: str = ""
    """Tab-separated columns, one a language; the first line names the languages."""
    po: str = ""
    """gettext catalogue; `languages` names those of msgid and of msgstr."""
    text: str = ""
    """Text in one language, for language models and masked pre-training; `languages` names it."""
    languages: tuple[str, ...] = ()
    origin: str = ""
    """Name of the file in weights and provenance; default: the file's name."""
    directions: tuple[str, ...] = ()
    """Which of the recipe's directions it is for; default: all. For machine-made text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterConfig:
    """What is dropped before training, counted by reason; 0, false or "" turns a rule off."""

    min_characters: int = 0
    """Shortest side, in characters."""
    max_characters: int = 0
    """Longest side, in characters."""
    max_ratio: float = 0.0
    """Longer side over shorter side, in characters weighted by the script's density."""
    script_share: float = 0.0
    """Least share of a side's letters that belong to its language's script."""
    language_confidence: float = 0.0
    """Least probability that the shipped identifier gives a side's own language."""
    copies: bool = False
    """Drop pairs whose two sides are the same letters."""
    digits: bool = False
    """Drop pairs whose two sides have different digits."""
    duplicates: bool = False
    """Drop all but the first of equal pairs, compared by letters and digits."""
    near_duplicates: float = 0.0
    """Drop a pair whose estimated Jaccard similarity to an earlier one is at least this."""
    decontaminate: tuple[str, ...] = ()
    """Plain text files (shell patterns) of test sets: drop pairs that share a side with a line."""
    trusted: tuple[str, ...] = ()
    """Origins (shell patterns) that only `decontaminate` may drop a pair of: "hotel", "Hotel" is a
    translation in a word list. Later pairs of other origins may still be duplicates of theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldoutConfig:
    """Pairs kept out of training for choosing and reporting."""

    origins: tuple[str, ...] = ()
    """Origins to draw from, as shell patterns."""
    per_mille: int = 0
    """Share of distinct texts, drawn by hash; every pair that has such a text is left out."""
    min_letters: int = 0
    """Letters and digits that the longer side of a drawn pair has at least: a greeting or a single
    word tells little as a test, and a model that never saw it cannot translate it."""
    lines: int = 500
    """Most pairs written as a dev set for one language pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseConfig:
    """Share of examples that get a noisy copy, by kind (after Mozilla's OpusTrainer)."""

    upper: float = 0.0
    """This, `title`, `lower` and `chat` teach to translate only from a side that they change."""
    title: float = 0.0
    lower: float = 0.0
    chat: float = 0.0
    """Lower case and no final stop, as people type into a chat or a search field."""
    fragments: float = 0.0
    """Of words and short phrases without a stop: with a capital, a stop or mark, or in capitals."""
    no_final_stop: float = 0.0
    typos: float = 0.0
    """Source side only: letters swapped, dropped, doubled or hit beside their key."""
    accents: float = 0.0
    """Source side only: Latin letters without their accents, as typed on a plain keyboard."""
    tags: float = 0.0
    """Inline markup around a word that both sides share, kept in both."""
    emoji: float = 0.0
    """Emoji at the same end of both sides, or after the one punctuation mark inside both."""
    pass_through: float = 0.0
    """Invented addresses, handles, file names, versions, codes, numbers and names.

    In place of a number or name that both sides share, or at the same end of both.
    """
    lines: float = 0.0
    """Random symbols and emoji that translate to themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageConfig:
    """One stage of a curriculum: weights and directions that hold from a step on."""

    from_step: int
    weights: dict[str, float] = field(default_factory=dict)
    """As `data.weights`, applied after them; the last match counts."""
    directions: tuple[str, ...] = ()
    """Those of `data.directions` and `data.languages` that are trained; default: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """What to train on."""

    corpora: tuple[CorpusConfig, ...]
    directions: tuple[str, ...] = ()
    """For example "en-de"; both ways need both entries.

    With train.objective "masked": pairs whose two sides are learnt from as one sequence.
    """
    languages: tuple[str, ...] = ()
    """Languages whose text is learnt from, with an objective other than "translation".

    It comes from `text` corpora, and from each side of parallel ones (of those in a `folder`
    only where both languages are named here).
    """
    weights: dict[str, float] = field(default_factory=dict)
    """Repetitions an epoch by origin (shell patterns, the last match counts); default 1.

    An example of weight 0.4 comes in two epochs of five.
    """
    temperature: float = 1.0
    """Directions are drawn in proportion to size ** (1 / temperature)."""
    direction_weights: dict[str, float] = field(default_factory=dict)
    """What multiplies the share of a direction after the temperature (shell patterns as "*-zh",
    the last match counts); default 1."""
    max_tokens: int = 128
    """Longest side of an example, in pieces, tag and end mark not counted."""
    licences: str | tuple[str, ...] = ""
    """TSV file, or several, with columns source and licence, copied into the pack's provenance."""
    holdout: HoldoutConfig = field(default_factory=HoldoutConfig)
    filter: FilterConfig = field(default_factory=FilterConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    curriculum: tuple[StageConfig, ...] = ()
    """Stages by rising `from_step`."""
    subword_sampling: float = 0.0
    """Draw another segmentation of this share of training sentences each time they come.

    BPE-dropout (Provilkov et al. 2020) with a "bpe" vocabulary, subword regularisation
    (Kudo 2018) with "unigram".
    """
    subword_alpha: float = 0.1
    """Probability to skip a merge ("bpe"), or smoothing of the lattice ("unigram")."""
    seed: int = 1

    @property
    def licence_tables(self) -> tuple[str, ...]:
        """The files of `licences`; none where it is not given."""
        tables = (self.licences,) if isinstance(self.licences, str) else self.licences
        return tuple(filter(None, tables))


@dataclass(frozen=True, slots=True, kw_only=True)
class VocabularyConfig:
    """The joint SentencePiece vocabulary."""

    size: int = 16000
    algorithm: str = "unigram"
    """"unigram", "bpe", or "word": text that was cut into pieces before, one space between."""
    sample: int = 1_000_000
    """Sentences drawn to train it on: each language's share is of all its text.

    Text of an origin comes in proportion to its weight, up to 1.
    """
    weights: dict[str, float] = field(default_factory=dict)
    """Parts of the sample by language, default 1 each; more for one gives it more pieces."""
    character_coverage: float = 0.9995
    languages: tuple[str, ...] = ()
    """Languages that get a tag; default: those of the directions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSection:
    """Shape of the model; the vocabulary's size comes from `vocabulary`."""

    architecture: str = "transformer"
    """"transformer" or "rnn"."""
    d_model: int = 256
    encoder_layers: int = 6
    decoder_layers: int = 2
    dropout: float = 0.1
    """On embeddings and on what each sub-layer adds (rnn: between layers, and on the output)."""
    word_dropout: float = 0.0
    """Translation: on whole embeddings, before their positions: the word is not seen at all."""
    max_length: int = 256
    embeddings: str = "shared"
    """"shared" by encoder, decoder and output; "target" shares decoder and output; "separate"."""
    heads: int = 8
    """Transformer: attention heads."""
    ffn: int = 1024
    """Transformer: width between the two layers of the feed-forward network."""
    norm: str = "pre"
    """Transformer: normalisation "pre" or "post" each sub-layer."""
    decoder: str = "attention"
    """Transformer: self-"attention", "average" attention or "ssru" among the target's tokens."""
    attention_dropout: float = 0.0
    """Transformer: on attention weights."""
    activation_dropout: float = 0.0
    """Transformer: between the two layers of the feed-forward network."""
    alignment_heads: int = 0
    """Transformer: cross-attention heads of the last but one layer that learn word alignments."""
    cell: str = "lstm"
    """Rnn: "lstm" or "gru"."""
    attention: str = "bahdanau"
    """Rnn: "bahdanau", "luong" or "none"."""
    bidirectional: bool = True
    """Rnn: the encoder reads both ways."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How to train."""

    max_steps: int
    max_minutes: float = 0.0
    """End after so many minutes of training steps, those of earlier starts included; 0: never."""
    decay_minutes: float = 0.0
    """Last of `max_minutes`, over which the learning rate falls linearly to zero."""
    objective: str = "translation"
    """"translation"; "masked": guess hidden pieces (BERT); "language-model": guess the next one."""
    batch_tokens: int = 4096
    """Padded tokens of the longer side in one batch."""
    accumulation: int = 1
    """Batches whose gradients are summed before a step."""
    optimizer: str = "adamw"
    """"adamw", or "muon": for the matrices of linear layers Muon, for the rest AdamW."""
    learning_rate: float = 1e-3
    warmup_steps: int = 1000
    decay_steps: int = 0
    """Last steps, over which the learning rate falls linearly to zero (warm-up, stable, decay)."""
    inverse_sqrt: bool = False
    """Between warm-up and decay: fall with 1 / sqrt(step) instead of staying."""
    beta2: float = 0.98
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    label_smoothing: float = 0.1
    r_drop: float = 0.0
    """Weight of the divergence between two dropout passes over a batch (Liang et al. 2021)."""
    sampled_softmax: int = 0
    """Pieces that the loss of a batch is computed over (Jean et al. 2015); 0 takes all."""
    alignment_weight: float = 0.0
    """Weight of the guided-alignment loss (Garg et al. 2019); needs model.alignment_heads."""
    ema_decay: float = 0.999
    """Decay a step of the averaged weights that are evaluated and exported; 0 turns it off."""
    average_last: int = 0
    """Evaluate and export the mean of this many last snapshots; needs ema_decay 0."""
    snapshot_every: int = 0
    """Steps between the snapshots of `average_last`."""
    patience: int = 0
    """Stop after this many evaluations without a better dev score; 0 never stops early."""
    parallel: str = "ddp"
    """Under torchrun: "ddp" keeps whole copies, "fsdp" shards weights and optimiser (FSDP2)."""
    prefetch: int = 8
    """Batches assembled ahead by a thread; 0 assembles them in the loop."""
    tensorboard: bool = False
    """Also write TensorBoard events; needs the package tensorboard."""
    precision: str = "auto"
    """"bf16", "fp32", or "auto": bf16 where the device has instructions for it."""
    autocast: bool = True
    """Add and normalise in fp32, multiply in `precision`; false: all of it in `precision`.

    Weights and optimiser are fp32 in any case. Without it a GPU moves less memory.
    """
    device: str = "auto"
    """"cpu", "cuda", or "auto"."""
    threads: int = 0
    """CPU threads; 0 leaves torch's choice."""
    compile: bool = False
    """Run the model through torch.compile, a Transformer layer by layer."""
    seed: int = 1
    log_every: int = 50
    save_every: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class DevSet:
    """Aligned plain text files `<prefix><language>`, one sentence a line."""

    name: str
    prefix: str
    lines: int = 200
    directions: tuple[str, ...] = ()
    """Which of `data.directions` are scored; all if empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig:
    """Evaluation during training, with the averaged weights."""

    every: int = 2000
    dev: tuple[DevSet, ...] = ()
    batch: int = 64
    beam: int = 1
    metric: str = "chrf"
    """Dev score that chooses the best weights and stops early: "chrf" or "bleu"."""
    joiner: str = ""
    """Mark at the end of a piece that the next one continues, as "@@"; joined before scoring."""
    tokenized: bool = False
    """The dev text is tokenised: BLEU takes it as it is."""
    samples: int = 4
    """Dev sentences whose translations are kept with every evaluation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuneConfig:
    """How weights of another run or pack are taken over (`run --from`)."""

    mode: str = "full"
    """What learns: "full", "frozen-encoder", "embeddings", or "lora"."""
    vocabulary: str = "parent"
    """"parent" takes its vocabulary over; "own" makes one, and takes over the pieces in common."""
    grow: bool = False
    """Allow a model wider than the parent, whose function it has at first (`finetune.grow`)."""
    rank: int = 8
    """LoRA (Hu et al. 2021): rank of the update of every linear layer but the output's."""
    alpha: float = 16.0
    """LoRA: the update is scaled by alpha / rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A whole training run."""

    name: str
    data: DataConfig
    train: TrainConfig
    vocabulary: VocabularyConfig = field(default_factory=VocabularyConfig)
    model: ModelSection = field(default_factory=ModelSection)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    finetune: FineTuneConfig = field(default_factory=FineTuneConfig)

    @property
    def directions(self) -> list[tuple[str, str]]:
        """Source and target codes, in the recipe's order."""
        return [_direction(text, "data.directions") for text in self.data.directions]

    def directions_at(self, step: int) -> list[tuple[str, str]]:
        """Those of `directions` that are trained at a step, counted from 1."""
        begun = [stage for stage in self.data.curriculum if stage.from_step <= max(step, 1)]
        chosen = begun[-1].directions if begun else ()
        return [
            pair for pair in self.directions if "-".join(pair) in (chosen or self.data.directions)
        ]

    def directions_of(self, dev: DevSet) -> list[tuple[str, str]]:
        """Those of `directions` that a dev set scores, in its own order."""
        return [_direction(text, f"dev set {dev.name}") for text in dev.directions] or (
            self.directions
        )

    @property
    def languages(self) -> list[str]:
        """Codes that get a tag, sorted."""
        used = {code for direction in self.directions for code in direction}
        return sorted(used | set(self.data.languages) | set(self.vocabulary.languages))


def _direction(text: str, where: str) -> tuple[str, str]:
    """Source and target code of "en-de"; raises ConfigError that says `where` it was found."""
    source, _, target = text.partition("-")
    if not source or not target or source == target:
        raise ConfigError(
            f"{where} has {text!r}",
            why="a direction is two different language codes joined by a hyphen",
            fix='Write it as "en-de"',
        )
    return source, target


def load_recipe(path: Path, overrides: typing.Sequence[str] = ()) -> Recipe:
    """Read a recipe; each override is `section.key=value` with a TOML value (or a bare word).

    Raises:
        ConfigError: the file, or one that it extends, is missing or no TOML, or has an unknown or
            wrong key.
    """
    table = read_extended(path)
    for override in overrides:
        apply_override(table, override)
    return make_recipe(table)


def make_recipe(table: dict[str, Any]) -> Recipe:
    """The recipe of a table as TOML gives it; raises ConfigError for an unknown or wrong key."""
    recipe: Recipe = build(Recipe, table)
    check_recipe(recipe)
    return recipe


def dump_recipe(recipe: Recipe) -> str:
    """The recipe as TOML that `load_recipe` reads back to an equal value."""
    return tomlkit.dumps(dataclasses.asdict(recipe))
