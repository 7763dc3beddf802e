"""The wheel of the four-folder layout, and the editable install: both find their data."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

BUILD = "import sys; from hatchling import build; print(build.{hook}(sys.argv[1]))"
WHERE = "import mltranslate.locations as here; print(here.__file__); print(here.assets())"
PACKAGES = {"mltranslate", "mltranslate_tui", "mltranslate_train", "mltranslate_export"}


def _build(repository: Path, folder: Path, hook: str) -> Path:
    """Call a build hook of hatchling as pip would, without fetching anything."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD.format(hook=hook), str(folder)],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="session")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A freshly built wheel."""
    return zipfile.ZipFile(_build(repository, tmp_path_factory.mktemp("wheel"), "build_wheel"))


@pytest.fixture(scope="session")
def unpacked(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stands for the site-packages the wheel was installed into."""
    folder = tmp_path_factory.mktemp("site-packages")
    wheel.extractall(folder)
    return folder


def _files(folder: Path, pattern: str = "*") -> set[str]:
    return {
        file.relative_to(folder).as_posix()
        for file in folder.rglob(pattern)
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_only_the_four_packages_are_installed(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES


def test_every_asset_is_in_the_wheel(repository: Path, unpacked: Path) -> None:
    assert _files(unpacked / "mltranslate" / "assets") == _files(repository / "assets")


def test_every_recipe_is_in_the_wheel(repository: Path, unpacked: Path) -> None:
    recipes = _files(repository / "trainer" / "recipes")
    assert recipes
    assert _files(unpacked / "mltranslate_train" / "recipes") == recipes


def test_every_module_and_style_is_in_the_wheel(repository: Path, unpacked: Path) -> None:
    homes = {"mltranslate": ".", "mltranslate_tui": "tui_app"}
    homes |= {"mltranslate_train": "trainer", "mltranslate_export": "exporters"}
    for package, home in homes.items():
        source = repository / home / package
        assert _files(source, "*.py") <= _files(unpacked / package)
        assert _files(source, "*.tcss") <= _files(unpacked / package)


def test_the_licence_is_in_the_wheel(unpacked: Path) -> None:
    (licence,) = unpacked.glob("*.dist-info/licenses/LICENSE")
    assert "Apache License" in licence.read_text(encoding="utf-8")


def test_an_installed_wheel_uses_the_assets_inside_it(run_python: Run, unpacked: Path) -> None:
    module, assets = run_python(WHERE, path=[unpacked]).stdout.splitlines()
    assert Path(module).is_relative_to(unpacked)
    assert Path(assets) == unpacked / "mltranslate" / "assets"


def test_a_checkout_uses_the_assets_beside_it(run_python: Run, repository: Path) -> None:
    module, assets = run_python(WHERE).stdout.splitlines()
    assert Path(module).is_relative_to(repository)
    assert Path(assets) == repository / "assets"


def test_the_installed_wheel_translates_without_torch(
    run_python: Run, script_code: Callable[[str], str], unpacked: Path, no_training: str
) -> None:
    done = run_python(
        script_code("mltranslate"),
        *("text", "--from", "de", "--to", "en", "Guten Morgen."),
        path=[unpacked],
        customize=no_training,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("script", ["mltranslate", "mltranslate-train", "mltranslate-export"])
def test_every_console_script_answers(
    run_python: Run, script_code: Callable[[str], str], unpacked: Path, script: str
) -> None:
    done = run_python(script_code(script), "--help", path=[unpacked])
    assert done.returncode == 0, done.stderr
    assert f"usage: {script}" in done.stdout


def test_an_editable_install_copies_no_data(repository: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(_build(repository, tmp_path, "build_editable")) as editable:
        names = [name for name in editable.namelist() if ".dist-info/" not in name]
        (path_file,) = names
        folders = set(editable.read(path_file).decode().split("\n"))
    homes = (repository, *(repository / name for name in ("tui_app", "trainer", "exporters")))
    assert folders == {str(home) for home in homes}
