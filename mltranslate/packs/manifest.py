"""The manifest of a translation pack, schema 1 (docs/packs.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mltranslate.errors import PackError
from mltranslate.limits import (
    MAX_LENGTH_PENALTY,
    MAX_MANIFEST_BYTES,
    MAX_PACK_BYTES,
    MAX_PACK_MEMBERS,
    MIN_LENGTH_PENALTY,
)
from mltranslate.packs.fields import Fields, parse_object, refuse

SCHEMA = 1
KIND = "translation"
PRECISIONS = ("fp32", "fp16", "int8")
MANIFEST_NAME = "manifest.json"
SIGNATURE_NAME = "manifest.json.sig"

_MEMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Windows opens a device by these names, with any ending, in every folder.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+([+-][0-9A-Za-z.-]{1,40})?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SOURCE_TAG = re.compile("target|source")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_LANGUAGES = 512
_MAX_VOCABULARY = 1_000_000
_MAX_LENGTH = 65_536
_MAX_CANDIDATES = 2**28
_MAX_PHRASES = 10_000_000
_GRAPHS = ("greedy", "beam", "short_greedy", "short_beam")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of a pack."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerInfo:
    """The SentencePiece model and the ids that the decoders need."""

    file: str
    size: int
    """Number of ids."""
    pad: int
    eos: int
    tags: Mapping[str, int]
    """Language code to the id of its `<2xx>` tag."""
    source_tag: str = "target"
    """Whose tag a source starts with: "target" or "source"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The files of one precision."""

    greedy: str
    beam: str
    weights: str
    short_greedy: str = ""
    """Searches that score only the ids of a shortlist; empty in packs without one."""
    short_beam: str = ""
    aligned: str = ""
    """Tells which words come from which; empty in packs that cannot."""

    @property
    def searches(self) -> tuple[str, ...]:
        """Files of the graphs that search."""
        found = (self.greedy, self.beam, self.short_greedy, self.short_beam)
        return tuple(name for name in found if name)

    @property
    def graphs(self) -> tuple[str, ...]:
        """Files of all graphs that there are."""
        return (*self.searches, self.aligned) if self.aligned else self.searches


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortlistShape:
    """How many numbers the shortlist of one target language has."""

    candidates: int
    always: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortlistInfo:
    """Where the lexical shortlists are, and of which languages."""

    file: str
    targets: Mapping[str, ShortlistShape]
    """Target language to the size of its part, in the order of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhrasebookInfo:
    """Where the phrases of each language are (`mltranslate.packs.phrasebook`)."""

    rows: int
    """Lines of each file."""
    files: Mapping[str, str]
    """Language to its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a pack says about itself; every field is checked."""

    name: str
    version: str
    languages: tuple[str, ...]
    directions: frozenset[tuple[str, str]]
    tokenizer: TokenizerInfo
    max_source_tokens: int
    """Longest source in subwords, without tag and end mark."""
    max_target_tokens: int
    """Most tokens that can be produced, the end mark included."""
    variants: Mapping[str, Variant]
    """Precision to its files."""
    members: Mapping[str, Member]
    licence: str
    provenance: Mapping[str, Any]
    """Where the training data came from and how long the model was trained; for display."""
    report: str
    """Member that holds the measured report."""
    shortlist: ShortlistInfo | None = None
    """Absent in packs that always score the whole vocabulary."""
    phrasebook: PhrasebookInfo | None = None
    """Absent in packs that look nothing up."""
    length_penalties: Mapping[str, float] = field(default_factory=dict)
    """Target languages that another length penalty suits than the usual one."""


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest; `PackError` says which rule it breaks."""
    if len(data) > MAX_MANIFEST_BYTES:
        refuse(f"it is larger than {MAX_MANIFEST_BYTES} bytes")
    fields = Fields(parse_object(data), "manifest")
    _check_schema(fields)
    languages = _languages(fields)
    directions = _directions(fields, languages)
    members = _members(fields)
    shortlist = _shortlist(fields, languages)
    manifest = Manifest(
        name=_matching(fields.text("name"), _NAME, "name"),
        version=_matching(fields.text("version"), _VERSION, "version"),
        languages=languages,
        directions=directions,
        tokenizer=_tokenizer(fields.take("tokenizer"), languages),
        max_source_tokens=fields.integer("max_source_tokens", 1, _MAX_LENGTH),
        max_target_tokens=fields.integer("max_target_tokens", 1, _MAX_LENGTH),
        variants=_variants(fields, short=shortlist is not None),
        members=members,
        licence=fields.text("licence"),
        provenance=fields.mapping("provenance", 64),
        report=fields.text("report"),
        shortlist=shortlist,
        phrasebook=_phrasebook(fields, languages),
        length_penalties=_length_penalties(fields, {target for _, target in directions}),
    )
    fields.finish()
    if not _is_portable(manifest.name):
        refuse(f"the name {manifest.name!r} cannot be that of a folder on every system")
    _check_files(manifest)
    return manifest


def is_version(text: str) -> bool:
    """Whether a pack may have this version."""
    return bool(_VERSION.fullmatch(text))


def is_member_name(name: str) -> bool:
    """Whether a file of a pack may have this name: plain, on every system."""
    return bool(_MEMBER.fullmatch(name)) and _is_portable(name)


def _is_portable(name: str) -> bool:
    return not name.endswith(".") and not _DEVICE.fullmatch(name)


def _check_schema(fields: Fields) -> None:
    schema = fields.take("schema")
    if type(schema) is not int or schema != SCHEMA:
        raise PackError(
            f"the pack has manifest schema {schema!r}",
            why=f"this version of mltranslate reads schema {SCHEMA}",
            fix="Update mltranslate, or get the pack in the older schema",
        )
    if (kind := fields.text("kind")) != KIND:
        refuse(f"its kind is {kind!r}, not {KIND!r}")


def _languages(fields: Fields) -> tuple[str, ...]:
    codes = fields.items("languages", _MAX_LANGUAGES)
    for code in codes:
        if not isinstance(code, str) or not _LANGUAGE.fullmatch(code):
            refuse(f"{code!r} is not a language code")
    if len(set(codes)) != len(codes):
        refuse("a language is listed twice")
    return tuple(codes)


def _directions(fields: Fields, languages: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    pairs = fields.items("directions", _MAX_LANGUAGES**2)
    found = set()
    for pair in pairs:
        known = isinstance(pair, list) and len(pair) == 2 and all(p in languages for p in pair)
        if not known or pair[0] == pair[1]:
            refuse(f"{pair!r} is not a direction between two of its languages")
        found.add((pair[0], pair[1]))
    if len(found) != len(pairs):
        refuse("a direction is listed twice")
    return frozenset(found)


def _tokenizer(value: object, languages: tuple[str, ...]) -> TokenizerInfo:
    # It may be left out.
    value = {"source_tag": "target", **value} if isinstance(value, dict) else value
    fields = Fields(value, "tokenizer")
    size = fields.integer("size", 1, _MAX_VOCABULARY)
    tags = Fields(fields.mapping("tags", _MAX_LANGUAGES), "tokenizer.tags")
    info = TokenizerInfo(
        file=fields.text("file"),
        size=size,
        pad=fields.integer("pad", 0, 0),
        eos=fields.integer("eos", 3, 3),
        tags={code: tags.integer(code, 0, size - 1) for code in languages},
        source_tag=_matching(fields.text("source_tag"), _SOURCE_TAG, "tokenizer.source_tag"),
    )
    tags.finish()
    fields.finish()
    return info


def _shortlist(fields: Fields, languages: tuple[str, ...]) -> ShortlistInfo | None:
    if not fields.has("shortlist"):
        return None
    inner = Fields(fields.take("shortlist"), "shortlist")
    targets = {}
    for code, value in inner.mapping("targets", _MAX_LANGUAGES).items():
        if code not in languages:
            refuse(f"its shortlist is for {code!r}, which is none of its languages")
        shape = Fields(value, f"shortlist.targets.{code}")
        targets[code] = ShortlistShape(
            candidates=shape.integer("candidates", 0, _MAX_CANDIDATES),
            always=shape.integer("always", 1, _MAX_VOCABULARY),
        )
        shape.finish()
    info = ShortlistInfo(file=inner.text("file"), targets=targets)
    inner.finish()
    return info


def _phrasebook(fields: Fields, languages: tuple[str, ...]) -> PhrasebookInfo | None:
    if not fields.has("phrasebook"):
        return None
    inner = Fields(fields.take("phrasebook"), "phrasebook")
    rows = inner.integer("rows", 1, _MAX_PHRASES)
    named = inner.mapping("files", _MAX_LANGUAGES)
    inner.finish()
    if strange := next((code for code in named if code not in languages), None):
        refuse(f"its phrasebook is in {strange!r}, which is none of its languages")
    files = Fields(named, "phrasebook.files")
    return PhrasebookInfo(rows=rows, files={code: files.text(code) for code in named})


def _length_penalties(fields: Fields, targets: set[str]) -> dict[str, float]:
    if not fields.has("length_penalties"):
        return {}
    given = fields.mapping("length_penalties", _MAX_LANGUAGES)
    if strange := next((code for code in given if code not in targets), None):
        refuse(f"its length penalty is for {strange!r}, into which it has no direction")
    inner = Fields(given, "length_penalties")
    return {code: inner.number(code, MIN_LENGTH_PENALTY, MAX_LENGTH_PENALTY) for code in given}


def _variants(fields: Fields, *, short: bool) -> dict[str, Variant]:
    found = {}
    for precision, value in fields.mapping("variants", len(PRECISIONS)).items():
        if precision not in PRECISIONS:
            refuse(f"{precision!r} is not a known precision")
        files = Fields(value, f"variants.{precision}")
        names = [name for name in _GRAPHS if short or not name.startswith("short_")]
        names += ["aligned"] if files.has("aligned") else []
        found[precision] = Variant(**{name: files.text(name) for name in (*names, "weights")})
        files.finish()
    return found


def _members(fields: Fields) -> dict[str, Member]:
    found: dict[str, Member] = {}
    for name, value in fields.mapping("members", MAX_PACK_MEMBERS).items():
        if not is_member_name(name):
            refuse(f"{name!r} is not a plain file name")
        if name.lower() in (MANIFEST_NAME, SIGNATURE_NAME):
            refuse(f"{name!r} cannot be a member: it is the manifest or its signature")
        member = Fields(value, f"members.{name}")
        found[name] = Member(
            sha256=_matching(member.text("sha256"), _SHA256, f"the hash of {name}"),
            bytes=member.integer("bytes", 0, MAX_PACK_BYTES),
        )
        member.finish()
    if len({name.lower() for name in found}) != len(found):
        refuse("two members differ only in case")
    if sum(member.bytes for member in found.values()) > MAX_PACK_BYTES:
        refuse(f"its members are larger than {MAX_PACK_BYTES} bytes together")
    return found


def _check_files(manifest: Manifest) -> None:
    named = [manifest.tokenizer.file, manifest.report]
    for variant in manifest.variants.values():
        named += [*variant.graphs, variant.weights]
    if manifest.shortlist:
        named.append(manifest.shortlist.file)
    if manifest.phrasebook:
        named += manifest.phrasebook.files.values()
    for name in named:
        if name not in manifest.members:
            refuse(f"the file {name!r} is not among its members")


def _matching(text: str, pattern: re.Pattern[str], what: str) -> str:
    if not pattern.fullmatch(text):
        refuse(f"{what} {text!r} is malformed")
    return text
