"""The real program in a pseudo-terminal: keys go in, and what is on the screen is read."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mltranslate.limits import DEFAULT_BEAM
from mltranslate.pipeline import Translator

ROWS, COLUMNS = 24, 80
PATIENCE = 120.0
"""Seconds after which something that never comes fails the test."""
SENTENCE = "Guten Morgen, wie geht es dir?"
WHOLE_PROGRAM = "from mltranslate_tui.entry import main; raise SystemExit(main())"
BROKEN_PACK = (
    "from mltranslate_tui.entry import main;"
    "raise SystemExit(main(['--pack', '/no/such/pack', '--device', 'cpu']))"
)
WITHOUT_MODEL = f"""
import sys
sys.path.append({str(Path(__file__).parents[1] / "tui")!r})
from fake_engine import FakeEngine
from mltranslate_tui.app import TranslatorApp
TranslatorApp(FakeEngine, target="en").run()
"""
CTRL_N, CTRL_Q, ESCAPE = b"\x0e", b"\x11", b"\x1b"

_TOKEN = re.compile(
    r"\x1b\[(?P<arguments>[0-9;?<=>:]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]P_^].*?(?:\x07|\x1b\\)|\x1b[^\[]|(?P<control>[\x00-\x1f])|(?P<text>[^\x00-\x1f]+)",
    re.DOTALL,
)


class Screen:
    """As much of a terminal as Textual uses: absolute cursor moves, line ends and text."""

    def __init__(self) -> None:
        self._rows = [[" "] * COLUMNS for _ in range(ROWS)]
        self._row = self._column = 0
        self._rest = ""

    def feed(self, output: str) -> None:
        for token in _TOKEN.finditer(self._complete(output)):
            if token["final"] == "H":
                row, _, column = token["arguments"].partition(";")
                self._row, self._column = int(row or 1) - 1, int(column or 1) - 1
            elif token["control"] == "\r":
                self._column = 0
            elif token["control"] == "\n":
                self._row, self._column = self._row + 1, 0
            elif token["text"]:
                self._write(token["text"])

    def _complete(self, output: str) -> str:
        """Hold back a control sequence whose end has not been read yet."""
        output = self._rest + output
        start = output.rfind("\x1b")
        cut = len(output) if start < 0 or _TOKEN.match(output, start) else start
        self._rest = output[cut:]
        return output[:cut]

    def _write(self, text: str) -> None:
        for char in text:
            if self._row < ROWS and self._column < COLUMNS:
                self._rows[self._row][self._column] = char
            self._column += 1

    def text(self, left: int = 0, right: int = COLUMNS) -> str:
        """What stands between two columns, with every run of white space as one space."""
        return " ".join(" ".join("".join(row[left:right]) for row in self._rows).split())

    @property
    def translation(self) -> str:
        """What stands in the right-hand pane."""
        return self.text(COLUMNS // 2 + 1, COLUMNS - 2)


class Terminal:
    """A program on one side of a pseudo-terminal, and its screen on the other."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.screen = Screen()
        self.output = ""
        self._master = master
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def until(self, condition: Callable[[], bool]) -> None:
        """Read until `condition` holds; fails with the screen when it never does."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            ended = not self._read() and self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                pytest.fail(f"the awaited screen never came; the last one was:\n{self}")

    def wait(self) -> int:
        """Read until the program ends; returns its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read() or self.process.poll() is None:
            assert time.monotonic() < deadline, "the program did not end"
        return self.process.wait()

    def _read(self) -> bool:
        if not select.select([self._master], [], [], 0.1)[0]:
            return False
        try:
            data = self._decoder.decode(os.read(self._master, 65536))
        except OSError:  # Linux says so when the other side is closed.
            return False
        self.output += data
        self.screen.feed(data)
        return bool(data)

    def __str__(self) -> str:
        return "\n".join("".join(row) for row in self.screen._rows)


@contextmanager
def terminal(program: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environ = {
        **os.environ,
        "TERM": "xterm-256color",
        "LANG": "en_US.UTF-8",
        "LC_ALL": "en_US.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environ,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_typed_sentence_is_translated_on_the_screen() -> None:
    # Fails, as it should, where no pack is embedded: the program would be of no use.
    expected = Translator().translate(SENTENCE, target="en", beam=DEFAULT_BEAM)[0]
    assert expected.text != SENTENCE
    with terminal(WHOLE_PROGRAM) as shown:
        shown.until(lambda: "Type or paste text here" in shown.screen.text())
        shown.press(SENTENCE.encode())
        shown.until(lambda: " ".join(expected.text.split()) in shown.screen.translation)
        shown.until(lambda: "German, detected" in shown.screen.text())
        shown.until(lambda: "German → English" in shown.screen.text())
        shown.press(CTRL_Q)
        assert shown.wait() == 0
    assert "Traceback" not in shown.output


def test_missing_pack_is_explained_on_the_screen() -> None:
    with terminal(BROKEN_PACK) as shown:
        shown.until(lambda: "Something is wrong" in shown.screen.text())
        shown.until(lambda: "/no/such/pack" in shown.screen.text())
        shown.press(ESCAPE)
        shown.until(lambda: "Something is wrong" not in shown.screen.text())
        shown.press(CTRL_Q)
        assert shown.wait() == 0
    assert "Traceback" not in shown.output


def test_what_is_drawn_follows_the_text() -> None:
    with terminal(WITHOUT_MODEL) as shown:
        shown.until(lambda: "Ready" in shown.screen.text())
        shown.press(b"guten")
        shown.until(lambda: "[en] guten" in shown.screen.translation)
        shown.until(lambda: "The translation appears here" not in shown.screen.translation)
        shown.press(CTRL_N)
        shown.until(lambda: "The translation appears here" in shown.screen.translation)
        shown.press(CTRL_Q)
        assert shown.wait() == 0
