import io
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack

from mltranslate import __version__, pipeline
from mltranslate.cli.main import main
from mltranslate.types import Translation

HEAVY = ("numpy", "onnxruntime", "textual", "sentencepiece", "platformdirs")
Feed = Callable[[bytes], None]


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> FakeDecoder:
    """The command translates with this decoder instead of a pack."""
    decoder, detector = FakeDecoder(pack=FakePack(max_source_tokens=5000)), FakeDetector()
    real = pipeline.Translator

    def translator(*arguments: Any) -> pipeline.Translator:
        return real(*arguments, decoder=decoder, detector=detector)

    monkeypatch.setattr(pipeline, "Translator", translator)
    monkeypatch.setattr("mltranslate.detect.detector.default_detector", lambda: detector)
    return decoder


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Feed:
    def give(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give


@pytest.mark.usefixtures("decoder")
def test_arguments_give_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "--to", "de", "Hello there.", "Two\nlines\n"]) == 0
    assert capsys.readouterr() == ("HELLO THERE.\nTWO\nLINES\n", "")


@pytest.mark.usefixtures("decoder")
def test_stdin_keeps_its_lines(feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
    feed("\ufeff  - Hello.  You!\r\n\r\n\t12\nno end".encode())
    assert main(["text", "--to", "German"]) == 0
    assert capsys.readouterr() == ("\ufeff  - HELLO.  YOU!\r\n\r\n\t12\nNO END", "")


def test_empty_input_gives_empty_output(
    decoder: FakeDecoder, feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    feed(b"")
    assert main(["text", "--to", "de"]) == 0
    assert capsys.readouterr() == ("", "")
    assert decoder.batches == []
    assert main(["text", "--to", "xx"]) == 2


@pytest.mark.usefixtures("decoder")
def test_json_has_every_field(feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "--to", "de", "--json", "Hello."]) == 0
    record = json.loads(capsys.readouterr().out)
    assert set(record) == set(Translation.__dataclass_fields__)
    assert (record["text"], record["route"], record["warnings"]) == ("HELLO.", ["en", "de"], [])
    assert record["detected"] == {"language": "en", "confidence": 0.9}
    feed(b"One.\r\n\nTwo. Three.")
    assert main(["text", "--to", "de", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["source_text"] for line in lines] == ["One.", "", "Two. Three."]
    assert [line["text"] for line in lines] == ["ONE.", "", "TWO. THREE."]


@pytest.mark.usefixtures("decoder")
def test_the_language_of_stdin_is_that_of_its_beginning(
    feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    feed(b"12\n" * 5000 + "你好。再见。\n".encode() * 1000 + b"x und y\n")
    assert main(["text", "--to", "en", "--json"]) == 0
    sources = [json.loads(line)["source"] for line in capsys.readouterr().out.splitlines()]
    assert sources[0] == "und"
    assert sources[-1] == "zh"


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("source", ["auto", "Chinese"])
def test_a_megabyte_on_one_line(
    source: str, feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "你好。再见。" * 60_000
    feed(text.encode())
    assert main(["text", "--to", "en", "--from", source]) == 0
    assert capsys.readouterr().out == " ".join(["你好。", "再见。"] * 60_000)


@pytest.mark.usefixtures("decoder")
def test_bad_utf8_is_refused_after_the_lines_before_it(
    feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    feed(b"Good line.\nBad \xff line.\n")
    assert main(["text", "--to", "de", "--from", "en"]) == 5
    out, err = capsys.readouterr()
    assert out == "GOOD LINE.\n"
    assert "byte 0xff at offset 15 in line 2" in err


@pytest.mark.usefixtures("decoder")
def test_warnings_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "--to", "en", "Hello there."]) == 0
    out, err = capsys.readouterr()
    assert out == "Hello there.\n"
    assert err.startswith("mltranslate: warning: nothing was translated")


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--beam", "0"], 2),
        (["--threads", "0"], 2),
        (["--from", "Klingon"], 2),
        (["--no-such-option"], 2),
        (["--beam", "many"], 2),
    ],
)
def test_wrong_options(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "--to", "de", *arguments, "Hi"]) == code
    assert capsys.readouterr().out == ""


def test_no_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: mltranslate" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"mltranslate {__version__}\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full")])
def test_interrupts_and_failures_have_codes(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(_options: object) -> int:
        raise error

    monkeypatch.setattr("mltranslate.cli.doctor.run", fail)
    monkeypatch.setattr("mltranslate.cli.main._forget_stdout", lambda: None)
    assert main(["doctor"]) == (130 if error is KeyboardInterrupt else 1)
    assert capfd.readouterr().err == (
        "" if error is KeyboardInterrupt else "mltranslate: error: disk full\n"
    )


@pytest.mark.usefixtures("decoder")
def test_detect_plain(feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", "Hello", "你好"]) == 0
    assert capsys.readouterr().out == "en\t0.9000\nzh\t0.9000\n"
    feed(b"Hello\n\nKatz und Maus")
    assert main(["detect", "--languages", "German,en"]) == 0
    assert capsys.readouterr().out == "en\t0.9000\nund\t0.9000\nde\t0.9000\n"


@pytest.mark.usefixtures("decoder")
def test_detect_json_and_wrong_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", "--json", "--top", "2", "Hello"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "text": "Hello",
        "detections": [{"language": "en", "confidence": 0.9}],
    }
    assert main(["detect", "--top", "0", "Hello"]) == 2
    assert main(["detect", "--languages", "en,Klingon", "Hello"]) == 2


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["text", "--help"], ["packs", "--help"], ["doctor", "--help"], ["--version"]],
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from mltranslate_tui.entry import main; code = main(sys.argv[1:]);"
        f"assert not set({HEAVY!r}) & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_without_a_terminal_the_command_line_answers() -> None:
    code = "import sys; from mltranslate_tui.entry import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"usage: mltranslate" in done.stderr


def test_on_a_terminal_the_app_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    from mltranslate_tui import app, entry

    monkeypatch.setattr(entry, "_on_terminal", lambda: True)
    monkeypatch.setattr(app, "main", lambda: 42)
    assert entry.main([]) == 42
    assert entry.main(["--version"]) == 0
