"""The model card of a pack, made of its manifest and report (after Mitchell et al. 2019).

Every figure in it is one of theirs; what people have to say stands between two rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from mltranslate.languages import describe
from mltranslate.packs.card import printable
from mltranslate.routes import PIVOT
from mltranslate_export.lineage import Lineage
from mltranslate_train.finetune.ancestry import ancestors
from mltranslate_train.report.markdown import code, escape, table

Record = Mapping[str, Any]

_RULE = "---\n"
_WITHIN_WORD = re.compile(r"(?<=[^\W_])\\_(?=[^\W_])")
"""An escape that Markdown does not need: between letters or digits, "_" emphasises nothing."""
_TRAINED = (
    ("architecture", "architecture"),
    ("parameters", "parameters"),
    ("step", "steps"),
    ("target_tokens", "target tokens"),
)
_BEFORE = ("step", "target_tokens", "training_seconds")
_INTRO = "A translation model for mltranslate, as its manifest and report describe it.\n"
_INTRO_TO_SECTIONS = (
    "A translation model for mltranslate. What stands between the two rules was written by the "
    "pack's makers; all else, every figure included, was taken from its manifest and report.\n"
)
_DATA = (
    "Pairs of sentences that were prepared, their noisy copies included, and the licence as the "
    "source states it. A model may have read only some of them, and some more than once."
)
_QUALITY = (
    "chrF2++ of greedy search on the sentences of the verification: what the one costs against the "
    "other on such text. Of other text it says nothing."
)
_COMPARED = {"int8": "int8 against fp32", "shortlist": "Shortlist against whole vocabulary"}
_ABOUT_LOSS = ("direction", "sentences", "equal", "signature")
_LIMITS = (
    "It translates sentence by sentence, and does not see the sentences around.",
    "A translation can be wrong, leave things out or invent some, and still read well. Do not rely "
    "on it where a mistake does harm.",
)


def model_card(manifest: Record, report: Record, sections: str = "") -> str:
    """The card as Markdown; `sections` is what `read_sections` gives, or nothing.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the provenance or the report is not as
            this exporter writes them.
    """
    provenance = manifest["provenance"]
    lineage = Lineage(provenance)
    parts = [
        f"# {_plain(manifest['name'])} {_plain(manifest['version'])}\n",
        _INTRO_TO_SECTIONS if sections else _INTRO,
        table(("pack", ""), _pack_rows(manifest)),
        *([_RULE, sections, _RULE] if sections else []),
        "## Directions\n",
        table(("from", "into, directly"), _direction_rows(manifest["directions"])),
        _routes(manifest),
        "## Model and training\n",
        table(("", ""), _training_rows(provenance, lineage)),
        *_before(lineage),
        *_data(provenance),
        *_quality(report),
        *_cost(report),
        "## Limits\n",
        "".join(f"* {line}\n" for line in (*_length_limits(manifest), *_LIMITS)),
    ]
    return "\n".join(parts)


def _pack_rows(manifest: Record) -> Iterator[tuple[str, str]]:
    yield "licence of the weights", _plain(manifest["licence"])
    yield "languages", ", ".join(_language(code) for code in manifest["languages"])
    yield "directions", str(len(manifest["directions"]))
    yield "precision", ", ".join(map(_plain, manifest["variants"]))
    if phrasebook := manifest.get("phrasebook"):
        yield "phrasebook", _phrasebook(phrasebook)
    for target, penalty in manifest.get("length_penalties", {}).items():
        yield f"length penalty of beam search into {_language(target)}", f"{float(penalty):g}"
    yield "bytes, without this card", _number(sum(m["bytes"] for m in manifest["members"].values()))


def _phrasebook(phrasebook: Record) -> str:
    count, languages = _number(phrasebook["rows"]), len(phrasebook["files"])
    return f"{count} words and phrases in {languages} languages, looked up instead of translated"


def _direction_rows(directions: Iterable[Sequence[str]]) -> Iterator[tuple[str, str]]:
    ordered = sorted(tuple(pair) for pair in directions)
    for source, pairs in groupby(ordered, lambda pair: pair[0]):
        yield _language(source), ", ".join(_plain(target) for _, target in pairs)


def _routes(manifest: Record) -> str:
    codes = manifest["languages"]
    direct = {tuple(pair) for pair in manifest["directions"]}
    others = [
        (a, b) for a in codes for b in codes
        if a != b and (a, b) not in direct and {(a, PIVOT), (PIVOT, b)} <= direct
    ]  # fmt: skip
    if not others:
        return "There are no others.\n"
    return (
        f"{len(others)} others go through {describe(PIVOT).name}: mistakes add up on the way, and "
        f"what {describe(PIVOT).name} does not tell apart is lost.\n"
    )


def _training_rows(provenance: Record, lineage: Lineage) -> Iterator[tuple[str, str]]:
    yield from ((label, _value(provenance[key])) for key, label in _TRAINED if provenance.get(key))
    for key, value in provenance.get("model", {}).items():
        yield _plain(key.replace("_", " ")), _value(value)
    if modules := provenance.get("int8_modules_in_fp32"):
        yield "in fp32 also with int8", _value(modules)
    yield from _time_rows(provenance.get("training", {}))
    if made_of := lineage.origin(provenance):
        yield "made of models below", _plain(made_of)
    if "imported" in provenance:
        imported = provenance["imported"].items()
        yield "imported", "; ".join(f"{_plain(k)} {_value(v)}" for k, v in imported)


def _time_rows(training: Record) -> Iterator[tuple[str, str]]:
    if "seconds" in training:
        yield "seconds of training steps", _number(training["seconds"])
        yield "energy", "not measured by the trainer"
    for place in training.get("where", []):
        yield "trained on", ", ".join(f"{_plain(k)} {_value(v)}" for k, v in place.items())


def _before(lineage: Lineage) -> Iterator[str]:
    """The models that it came from, each before those that it was made of itself."""
    if lineage.models:
        yield "### Models before it\n"
        head = ("", "model", "steps", "target tokens", "seconds of training steps", "made of")
        yield table(head, (_before_row(model, lineage) for model in lineage.models))


def _before_row(model: Record, lineage: Lineage) -> tuple[str, ...]:
    known = (_number(model[key]) if key in model else "" for key in _BEFORE)
    return (
        str(lineage.number(model)), _plain(model["name"]), *known,
        _plain(lineage.origin(model)),
    )  # fmt: skip


def _data(provenance: Record) -> Iterator[str]:
    sources = list(provenance.get("sources", []))
    if sources:
        pairs = sum(source["pairs"] for source in sources)
        yield "## Training data\n"
        yield f"{_number(len(sources))} sources, {_number(pairs)} pairs. {_DATA}\n"
        yield table(("source", "licence", "pairs"), map(_source_row, sources), right=1)
    older = [s for s in _inherited(provenance) if s["name"] not in {one["name"] for one in sources}]
    if older:
        yield "Read only by the models that it started from:\n"
        yield table(("source", "licence", "pairs"), map(_source_row, older), right=1)


def _inherited(provenance: Record) -> list[Record]:
    """Sources of all ancestors, each by the first that names it."""
    found: dict[str, Record] = {}
    for ancestor in ancestors(provenance):
        for source in ancestor.get("sources", []):
            found.setdefault(source["name"], source)
    return list(found.values())


def _source_row(source: Record) -> tuple[str, str, str]:
    licence = _plain(source["licence"]) or "not stated"
    return _plain(source["name"]), licence, _number(source["pairs"])


def _quality(report: Record) -> Iterator[str]:
    for key, title in _COMPARED.items():
        losses = report.get(key)
        if losses:
            yield f"## {title}\n"
            yield f"{_QUALITY}\n"
            yield from _losses(losses)


def _losses(found: Record) -> Iterator[str]:
    rows = found["directions"]
    names = [name for name in rows[0] if name not in _ABOUT_LOSS]
    yield table(
        ("direction", "n", *map(_plain, names), "same text"),
        (
            (
                _plain(row["direction"]), _number(row["sentences"]),
                *(f"{row[name]:.1f}" for name in names), f"{100 * row['equal']:.1f} %",
            )
            for row in rows
        ),
        right=2 + len(names),
    )  # fmt: skip
    signatures = dict.fromkeys(printable(row["signature"]) for row in rows)
    yield f"Lost in the mean: {found['mean_lost']:.2f}. {', '.join(map(code, signatures))}\n"


def _cost(report: Record) -> Iterator[str]:
    variants = report.get("variants")
    if not variants:
        return
    machine = report["machine"]
    yield "## Speed and memory\n"
    yield (
        f"Measured on {_plain(machine['processor'])}, cores: {_plain(machine['cores'])}, "
        f"{_plain(machine['runtime'])}; medians, other programs may have run beside.\n"
    )
    head = ("precision", "threads", "ms a sentence, greedy", "ms, beam 4", "n",
            "tokens/s in batches", "n in batches", "peak bytes")  # fmt: skip
    yield table(head, (_cost_row(name, found) for name, found in variants.items()), right=7)


def _cost_row(precision: str, found: Record) -> tuple[str, ...]:
    speed, memory = found["speed"], found["memory"]
    return (
        _plain(precision), _number(speed["threads"]), f"{speed['greedy_ms']:.2f}",
        f"{speed['beam4_ms']:.2f}", _number(speed["sentences"]),
        _number(speed["tokens_a_second"]), _number(speed["batched_sentences"]),
        _number(memory["peak_bytes"]) if memory else "–",
    )  # fmt: skip


def _length_limits(manifest: Record) -> Iterator[str]:
    source, target = manifest["max_source_tokens"], manifest["max_target_tokens"]
    yield f"A sentence of more than {_number(source)} subwords is cut into parts."
    yield f"A translation ends after {_number(target)} subwords at the latest."


def _language(code: str) -> str:
    name = describe(code).name
    return f"{_plain(name)} ({_plain(code)})" if name != code else _plain(code)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_plain(key)} {_value(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return _number(value) if type(value) is int else _plain(value)


def _number(value: int) -> str:
    return f"{value:,}"


def _plain(value: object) -> str:
    """One line that shows as it is, and that a terminal does not obey."""
    return _WITHIN_WORD.sub("_", escape(printable(str(value)))).replace(r"\#", "#")
