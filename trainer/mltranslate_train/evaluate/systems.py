"""What can be evaluated: runs, packs, and translations that are already in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from mltranslate.errors import DataError, UsageError
from mltranslate.limits import DEFAULT_BEAM
from mltranslate_train.evaluate.sets import PLAIN, Direction, TestSet, TextForm
from mltranslate_train.locations import is_path

if TYPE_CHECKING:
    from torch import Tensor

    from mltranslate.decode.types import Hypothesis

MANIFEST, BEST = "manifest.json", "best"
"""What tells the folder of a pack, and that of a run."""

Advance = Callable[[int], None]
"""Told how many more sentences are done."""
ProgressCallback = Callable[[int, int], None]
"""Told how many sentences are done, and out of how many."""


def silent(done: int, total: int) -> None:
    """Show no progress."""


def count(progress: ProgressCallback, total: int) -> Advance:
    """Add up what is done of `total` sentences, and tell `progress`."""
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        progress(done, total)

    return advance


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a system is asked to translate."""

    beam: int = DEFAULT_BEAM
    length_penalty: float | None = None
    """With a beam: power of the length that a sum of log-probabilities is divided by; None is 1 for
    runs and bare packs, and what the engine takes by itself for others."""
    device: str = "auto"
    """"cpu", "cuda", or "auto"."""
    precision: str = ""
    """Packs: "fp32", "fp16" or "int8"; default: the best for the device."""
    threads: int = 0
    """CPU threads; 0 leaves the system's choice."""
    bare: bool = False
    """Packs: decode each line as one sentence, without splitter and guards, as runs do."""
    form: TextForm = PLAIN

    @property
    def plain_length_penalty(self) -> float:
        """The one that was asked for, or 1."""
        return 1.0 if self.length_penalty is None else self.length_penalty


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemInfo:
    """The truth about what translated."""

    kind: str
    """"run", "pack" or "hypotheses"."""
    name: str
    version: str = ""
    device: str = ""
    provider: str = ""
    """Library, or onnxruntime execution provider, that really ran."""
    precision: str = ""
    beam: int = 0
    length_penalty: float = 1.0
    length_penalties: Mapping[str, float] = field(default_factory=dict)
    """Target languages that are searched with another one."""
    search: str = ""
    """"engine" with splitter and guards, "bare" line by line."""

    def line(self) -> str:
        """All of it on one line."""
        if self.kind == "hypotheses":
            return f"{self.name} (translations from files)"
        plain = self.length_penalty == 1 and not self.length_penalties
        others = "".join(f", {code} {one:g}" for code, one in self.length_penalties.items())
        penalty = "" if plain else f"length penalty {self.length_penalty:g}{others}, "
        return (
            f"{self.kind} {self.name} {self.version}, {self.precision} on {self.device} "
            f"({self.provider}), beam {self.beam}, {penalty}{self.search} search"
        )


class System(Protocol):
    """Something that has a translation for every line of a set."""

    @property
    def info(self) -> SystemInfo:
        """What it is, and what it really runs on."""

    @property
    def directions(self) -> Sequence[Direction]:
        """Directions that it is made for."""

    def outputs(
        self, dev: TestSet, direction: Direction, sources: Sequence[str], advance: Advance
    ) -> list[str]:
        """Translations of `sources`, the first lines of `dev`, in order."""


@runtime_checkable
class Translating(System, Protocol):
    """A system that can translate other text as well."""

    def translate(
        self, sources: Sequence[str], direction: Direction, advance: Advance
    ) -> list[str]:
        """Translations in order."""

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Subword ids of each text."""


@runtime_checkable
class Searching(Translating, Protocol):
    """A system whose search itself can be asked, sentence by sentence and without guards."""

    @property
    def files(self) -> Sequence[Path]:
        """Files that decide, byte by byte, what it says."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Its licence and training data, as far as it tells."""

    @property
    def room(self) -> int:
        """Longest source in subwords."""

    def text(self, pieces: Sequence[int]) -> str:
        """Text of subword ids."""

    def n_best(
        self, batch: Sequence[Sequence[int]], target: str, beam: int
    ) -> list[list[Hypothesis]]:
        """The `beam` best translations of each source in subword ids, best first."""


@runtime_checkable
class Sampling(Searching, Protocol):
    """A system that can also draw translations at random."""

    def sample(
        self, batch: Sequence[Sequence[int]], target: str, draws: Tensor, top: int
    ) -> list[Hypothesis]:
        """One translation of each source, as `mltranslate_train.search.sample` draws it."""


def open_system(
    text: str, settings: Settings, sets: Sequence[TestSet], wanted: Sequence[Direction]
) -> System:
    """The system that `text` names.

    It is the folder of a run or of a pack, a file or folder of translations, or else the name of
    a pack.

    Raises:
        UsageError: settings that the system cannot obey.
        PackError, DataError, DeviceError: it cannot be loaded as asked.
    """
    path = Path(text)
    if path.is_file():
        from mltranslate_train.evaluate.hypotheses import HypothesisFile

        return HypothesisFile.open(path, sets, wanted)
    if path.is_dir() and not (path / MANIFEST).is_file():
        return _open_folder(path, settings)
    if not path.is_dir() and is_path(text):
        raise DataError(f"there is no folder {text}", fix="Give a run's folder or a pack")
    _check_pack(settings)
    from mltranslate_train.evaluate.pack_system import PackSystem

    return PackSystem(path if path.is_dir() else text, settings)


def _open_folder(path: Path, settings: Settings) -> System:
    from mltranslate_train.evaluate.hypotheses import HypothesisFolder, find_files

    if not (path / BEST).is_dir() and (files := find_files(path)):
        return HypothesisFolder(path, files)
    if settings.precision not in ("", "fp32") or settings.bare:
        raise UsageError(
            "a run is searched line by line in fp32",
            fix="Leave --precision and --bare out, or export the run to a pack",
        )
    from mltranslate_train.evaluate.run_system import RunSystem

    return RunSystem(path, settings)


def _check_pack(settings: Settings) -> None:
    if settings.form != PLAIN and not settings.bare:
        raise UsageError(
            "the engine of a pack takes plain text, not tokenised",
            fix="Add --bare, which decodes each line as it is",
        )
