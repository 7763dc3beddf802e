"""The error family: every message says what went wrong, why, and what to do."""

import errno
import numbers
from types import UnionType

_IN_THE_WAY = {errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY}
_FORBIDDEN = {errno.EACCES, errno.ENOENT, errno.EPERM, errno.EROFS}


class MltError(Exception):
    """Base of all errors that a user can cause or mend.

    `what` is the failure, `why` its cause, `fix` the next step; `str()` joins them on one line.
    `exit_code` is what the command line returns (docs/exit-codes.md).
    """

    exit_code = 1

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what, why, fix)
        self.what = what
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        message = self.what + (f": {self.why}" if self.why else "")
        return message + (f". {self.fix}" if self.fix else "")


class UsageError(MltError):
    """An argument or a combination of arguments that makes no sense."""

    exit_code = 2


def check_kind(value: object, kind: type | UnionType, noun: str, fix: str) -> None:
    """Raise UsageError for an argument that is of no such type."""
    if not isinstance(value, kind):
        raise UsageError(f"a {type(value).__name__} is no {noun}", fix=fix)


def check_top(top: object) -> None:
    """Raise UsageError unless `top` is a number of candidates that can be listed."""
    check_kind(top, numbers.Integral, "number of candidates", "Give a whole number")
    if isinstance(top, int) and top < 1:
        raise UsageError(f"{top} candidates make no sense", fix="Give 1 or more")


class LanguageError(UsageError):
    """A language or direction that the pack does not offer."""


class ConfigError(UsageError):
    """A recipe or settings file with an unknown key or a wrong value."""


class PackError(MltError):
    """A model pack that is missing, damaged or of an unknown schema."""

    exit_code = 3


class DeviceError(MltError):
    """A requested device that cannot really be used."""

    exit_code = 4


class InputError(MltError):
    """Input that cannot be read as text, or that is larger than the limits allow."""

    exit_code = 5


class DataError(MltError):
    """Training data or a checkpoint that is missing, damaged or inconsistent."""

    exit_code = 6


class TrainingError(MltError):
    """A training run that cannot go on."""

    exit_code = 8


class DivergenceError(TrainingError):
    """A loss or gradient that is no finite number."""


class VerificationError(MltError):
    """An exported model that does not behave like the model that was trained."""

    exit_code = 7


class Cancelled(Exception):  # noqa: N818 - a signal, not a fault
    """A cancel token was set while work was under way."""


def reason(error: Exception) -> str:
    """Why something could not be read or written, on one line: an error of a library in words."""
    if isinstance(error, UnicodeDecodeError):
        return "it is no UTF-8"
    if isinstance(error, KeyError):
        return f"{error} is missing"
    text = error.strerror if isinstance(error, OSError) else None
    return text or " ".join(str(error).split()) or type(error).__name__


def remedy(error: OSError) -> str:
    """What helps where something could not be written: another place, permission, or room."""
    if error.errno in _IN_THE_WAY:
        return "Move away what stands there, or name another place"
    if error.errno in _FORBIDDEN:
        return "Permit it, or name another place"
    return "Make room on the disk, then run the same command again"
