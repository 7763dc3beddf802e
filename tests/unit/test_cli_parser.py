"""What all programs of the project have in common."""

from collections.abc import Callable, Sequence

import pytest

from mltranslate import __version__
from mltranslate.cli.main import main as translate
from mltranslate_export.cli import main as export
from mltranslate_train.cli import main as train

Main = Callable[[Sequence[str]], int]
PROGRAMS = [
    ("mltranslate", translate),
    ("mltranslate-train", train),
    ("mltranslate-export", export),
]


def _code(main: Main, *arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.parametrize(("name", "main"), PROGRAMS)
def test_a_program_tells_its_version(
    name: str, main: Main, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _code(main, "--version") == 0
    assert capsys.readouterr().out == f"{name} {__version__}\n"


@pytest.mark.parametrize(
    ("main", "arguments"),
    [
        (translate, ("text", "--t", "de", "Hello")),
        (translate, ("detect", "--jso", "Hello")),
        (train, ("evaluate", "nothing", "--on", "a=b", "--thread", "1")),
        (export, ("pack", "nothing", "--ou", "packs")),
    ],
)
def test_shortened_options_are_refused(
    main: Main, arguments: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _code(main, *arguments) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "main"), PROGRAMS)
def test_a_program_says_what_it_is_for(
    name: str, main: Main, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _code(main, "--help") == 0
    _, _, text = capsys.readouterr().out.partition("\n\n")
    assert text[:1].isupper()
    assert name not in text.split("\n")[0]
