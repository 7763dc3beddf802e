"""What the app says: every sentence that depends on a result is made here, without widgets."""

from __future__ import annotations

from collections.abc import Sequence

from mltranslate.errors import MltError
from mltranslate.languages import asked_variety, describe
from mltranslate.types import BETWEEN_HOPS, UNDETERMINED, Caution, Detection, Translation
from mltranslate_tui.choices import AUTO, Offer, Pair
from mltranslate_tui.controller import Draft

_CAUTIONS = {
    Caution.LOOP: "It repeats itself: do not trust it",
    Caution.LENGTH: "Unusually long or short: compare",
    Caution.SPLIT: "A sentence was translated in pieces",
    Caution.PLACED: "Sign or number put back: compare",
    Caution.NUMBERS: "A number is missing here: compare",
    Caution.CHARACTERS: "Broken characters left out: compare",
    Caution.LOW_CONFIDENCE: "Source language unsure: F2 sets it",
    Caution.REWRITTEN: "Chinese already: only its characters changed",
}
_GRAVE = {
    Caution.UNTRANSLATED,
    Caution.UNOFFERED,
    Caution.OFF_TARGET,
    Caution.NUMBERS,
    Caution.LOOP,
}
_MILD = {Caution.SPLIT, Caution.PLACED, Caution.REWRITTEN}
_BAR_CELLS = 12


def name(code: str) -> str:
    """English name of a language; what is no language is called so."""
    return "No language" if code == UNDETERMINED else describe(code).name


def source_label(pair: Pair | None, detected: str | None) -> str:
    """Return what the source picker shows."""
    if pair is not None and pair.source != AUTO:
        return name(pair.source)
    if detected is None or detected == UNDETERMINED:
        return "Detect language"
    return f"{name(detected)}, detected"


def target_label(pair: Pair | None) -> str:
    """Return what the target picker shows."""
    return "Language" if pair is None else name(pair.asked)


def percent(confidence: float) -> str:
    """Write a probability for the eye: 0.971 is "97 %"."""
    return f"{round(100 * confidence)} %"


def detection_line(detections: Sequence[Detection]) -> str:
    """Name the detected language with its confidence, and the runner-up."""
    if not detections:
        return ""
    best, *others = detections
    if best.language == UNDETERMINED:
        return "No language: numbers, links or code"
    variety = f" ({best.variety})" if best.variety else ""
    line = f"{name(best.language)}{variety} {percent(best.confidence)}"
    rivals = [other for other in others if other.language != UNDETERMINED]
    if rivals and round(100 * rivals[0].confidence) >= 1:
        line += f", or {name(rivals[0].language)} {percent(rivals[0].confidence)}"
    return line


def doubt(code: str) -> str:
    """Say that the text does not seem to be in the chosen language, and what to do."""
    return f"Looks like {name(code)}: F6 unpins"


def no_source(code: str) -> str:
    """Say that nothing is translated from a language, and what to do."""
    return f"No pack translates from {name(code)}: F2 sets another."


def unoffered(pair: Pair, offered: Offer) -> str:
    """Say which language of a pair is not offered, and what to do."""
    if pair.target == AUTO:  # stands in for a second language to translate into
        return "No pack translates into another language."
    if pair.target not in offered.targets:
        return f"No pack translates into {name(pair.target)}: F3 sets another."
    return no_source(pair.source)


def characters(count: int) -> str:
    """Write a count of characters with its noun."""
    return "1 character" if count == 1 else f"{count:,} characters"


def duration(milliseconds: float) -> str:
    """Milliseconds below a second, else seconds."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def route(translation: Translation) -> str:
    """Name the languages that the text went through: "German → English → Simplified Chinese"."""
    if Caution.REWRITTEN in translation.warnings:
        return "Rewritten"
    if not translation.route:
        return "Not translated"
    *way, last = translation.route
    return " → ".join(map(name, (*way, translation.variety or last)))


def packs(translation: Translation) -> str:
    """Name and version of the pack that was used; of two, their names."""
    titles = translation.pack.split(BETWEEN_HOPS)
    if len(titles) == 1:
        return translation.pack
    return BETWEEN_HOPS.join(title.split()[0] for title in titles)


def offer(titles: Sequence[str], languages: Sequence[str]) -> tuple[str, ...]:
    """What can be translated with: the pack, or how many there are; and the languages."""
    return titles[0] if len(titles) == 1 else f"{len(titles)} packs", f"{len(languages)} languages"


def phrases(translation: Translation) -> str:
    """Say how many sentences were looked up; nothing if none was."""
    return f"{translation.phrases:,} looked up" if translation.phrases else ""


def facts(translation: Translation) -> tuple[str, ...]:
    """How a result was made, the most important first."""
    made = (
        route(translation),
        packs(translation),
        phrases(translation),
        f"{translation.device.upper()} {translation.precision}".strip(),
        duration(translation.milliseconds),
    )
    return tuple(fact for fact in made if fact)


def unlinked(translation: Translation, *, able: bool) -> str:
    """Say why a result has no links between words; `able` tells whether the pack makes any."""
    if not translation.route:
        return "No links: not translated"
    if len(translation.route) > 2:
        return f"No links through {name(translation.route[1])}"
    return "No links here" if able else "No links from this pack"


def cautions(translation: Translation, pair: Pair) -> tuple[str, ...]:
    """Return the warnings of a result as sentences, the gravest first."""
    found = sorted(translation.warnings, key=_mildness)
    if Caution.UNOFFERED in found:  # which says all
        found = [caution for caution in found if caution is not Caution.UNTRANSLATED]
    return tuple(_caution(caution, translation, pair) for caution in found)


def _mildness(caution: Caution) -> int:
    return 0 if caution in _GRAVE else 2 if caution in _MILD else 1


def _caution(caution: Caution, translation: Translation, pair: Pair) -> str:
    if caution is Caution.OFF_TARGET:
        return f"This may not be {name(translation.target)}"
    if caution is Caution.VARIETY:
        # The pair may have changed since: then it has no variety of what the text is in.
        asked = asked_variety(pair.asked, translation.target)
        kind = name(asked) if asked else f"the kind of {name(translation.target)} asked for"
        return f"Not surely {kind}: no pack promises it"
    if caution is Caution.GLOSSARY:
        return f"The glossary asks for: {', '.join(translation.missing_terms)}"
    if caution is Caution.UNOFFERED:
        return f"This looks like {name(translation.source)}, which no pack has: F2 sets another"
    if caution is not Caution.UNTRANSLATED:
        return _CAUTIONS[caution]
    if translation.source == translation.target:
        other = name(pair.spare if pair.source == AUTO else pair.source)
        return f"Already in {name(translation.target)}: F4 translates into {other}"
    return "Nothing here to translate"


def failure(error: MltError) -> str:
    """Say what went wrong, as the beginning of a sentence."""
    return _capitalised(error.what)


def sentence(text: str) -> str:
    """Begin with a capital and end with a stop."""
    return _capitalised(text) + ("" if text.endswith((".", "!", "?")) else ".")


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def progress_line(draft: Draft) -> str:
    """Draw a bar and the share that is done."""
    full = _BAR_CELLS * draft.done // max(draft.total, 1)
    bar = "━" * full + "╌" * (_BAR_CELLS - full)
    return f"{bar} {100 * draft.done // max(draft.total, 1):>3} %"
