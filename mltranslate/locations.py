"""The only module that knows where files live."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def assets() -> Path:
    """Folder of the data that ships with the program.

    An installed wheel carries it inside the package; a checkout has it beside the package.
    """
    packaged = _PACKAGE / "assets"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "assets"


def embedded_packs() -> Path:
    """Folder of the model packs that ship with the program, one sub-folder each."""
    return assets() / "packs"


def embedded_lid() -> Path:
    """Folder of the language identifier that ships with the program."""
    return assets() / "lid"


def user_packs() -> Path:
    """Folder of the packs that the user installed; it need not exist."""
    # Imported here so that `mltranslate --help` loads nothing third-party.
    from platformdirs import user_data_path

    return user_data_path("mltranslate") / "packs"


def user_glossary() -> Path:
    """Return the glossary that the app uses where none is named; it need not exist."""
    return user_config().with_name("glossary.tsv")


def user_config() -> Path:
    """The user's settings file; it need not exist."""
    from platformdirs import user_config_path

    return user_config_path("mltranslate") / "config.toml"
