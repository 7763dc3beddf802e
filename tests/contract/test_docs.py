"""The documentation tells the truth: its commands parse, its options and files exist."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = (*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md")))
SCRIPTS = ("mltranslate", "mltranslate-train", "mltranslate-export")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
MAKE_RUN = re.compile(r"""^make run ARGS=(['"])(.*)\1""")
OTHER_PROGRAMS_OPTIONS = frozenset({"--net", "--format", "--fix", "--check"})


class Parsed(Exception):  # noqa: N818 - a signal: the command line was understood
    """Raised in place of running the command."""


def _blocks(language: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for found, body in FENCE.findall(page.read_text(encoding="utf-8")):
            if found in language:
                yield page, body


def _simple_commands(line: str) -> Iterator[list[str]]:
    """The programs of one shell line, without its comment, redirections and pipes."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    command: list[str] = []
    skip = False
    for word in lexer:
        if skip:
            skip = False
        elif word in ("<", ">", ">>"):
            skip = True
        elif word in ("|", "&&", ";", "&"):
            yield command
            command = []
        else:
            command.append(word)
    yield command


def _documented_commands() -> list[tuple[str, ...]]:
    """Every command line of ours in a shell block, as argument lists, without repetitions."""
    found: dict[tuple[str, ...], None] = {}
    for _page, body in _blocks(("", "sh", "bash", "console")):
        for raw in body.replace("\\\n", " ").splitlines():
            line = raw.removeprefix("$ ").strip()
            if inside := MAKE_RUN.match(line):
                line = f"mltranslate {inside[2]}"
            for command in _simple_commands(line):
                if command and command[0] in SCRIPTS:
                    found[tuple(command)] = None
    return list(found)


def _outcome(
    arguments: tuple[str, ...], entry: Callable[[], object], patch: pytest.MonkeyPatch
) -> argparse.ArgumentParser | str:
    """Run a console script up to the moment its arguments are parsed.

    Returns its parser, or what it printed when it refused them.
    """
    parse = argparse.ArgumentParser.parse_args
    parsers: list[argparse.ArgumentParser] = []

    def stop(self: argparse.ArgumentParser, *args: object, **options: object) -> None:
        parsers.append(self)
        parse(self, *args, **options)  # type: ignore[call-overload]
        raise Parsed

    patch.setattr(argparse.ArgumentParser, "parse_args", stop)
    patch.setattr(sys, "argv", list(arguments))
    try:
        code = entry()
    except Parsed:
        return parsers[0]
    except SystemExit as end:
        code = end.code
    if not parsers:
        return "never parsed its arguments with argparse"
    return parsers[0] if code == 0 else f"refused: {code}"


def _entry(script: str, console_scripts: dict[str, str]) -> Callable[[], object]:
    module, function = console_scripts[script].split(":")
    entry: Callable[[], object] = getattr(importlib.import_module(module), function)
    return entry


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings
    for child in _sub_commands(parser).values():
        yield from _options(child)


def _sub_commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return {
        name: child
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, child in action.choices.items()
    }


def _help(
    words: tuple[str, ...], entry: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> argparse.ArgumentParser:
    with monkeypatch.context() as patch:
        parser = _outcome((*words, "--help"), entry, patch)
    assert isinstance(parser, argparse.ArgumentParser), parser
    return parser


def _program_options(
    script: str, entry: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Options of a program; each sub-command is asked, as it may add its own only when chosen."""
    for name in _sub_commands(_help((script,), entry, monkeypatch)):
        yield from _options(_help((script, name), entry, monkeypatch))


@pytest.mark.parametrize("command", _documented_commands(), ids=" ".join)
def test_documented_commands_parse(
    command: tuple[str, ...],
    console_scripts: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if len(command) == 1:
        pytest.skip("opens the app")
    outcome = _outcome(command, _entry(command[0], console_scripts), monkeypatch)
    assert isinstance(outcome, argparse.ArgumentParser), capsys.readouterr().err


def test_a_wrong_command_does_not_parse(
    console_scripts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = ("mltranslate", "text", "--no-such-option")
    outcome = _outcome(wrong, _entry("mltranslate", console_scripts), monkeypatch)
    assert not isinstance(outcome, argparse.ArgumentParser)


def test_the_readme_documents_all_three_programs() -> None:
    assert {command[0] for command in _documented_commands()} == set(SCRIPTS)


def test_options_named_in_the_text_exist(
    console_scripts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = set(OTHER_PROGRAMS_OPTIONS)
    for script in SCRIPTS:
        known |= set(_program_options(script, _entry(script, console_scripts), monkeypatch))
    named = {
        (page.name, option)
        for page in PAGES
        for span in CODE_SPAN.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
        for option in OPTION.findall(span)
    }
    assert named
    assert {(page, option) for page, option in named if option not in known} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_linked_files_exist(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_python_examples_of_the_readme_run(
    run_python: Callable[..., subprocess.CompletedProcess[str]], network_guard: str
) -> None:
    examples = [body for page, body in _blocks(("python",)) if page.name == "README.md"]
    assert examples
    for example in examples:
        done = run_python(example, customize=network_guard)
        assert done.returncode == 0, done.stderr
