import inspect
import io
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from fake_engine_parts import FakeDecoder, FakeDetector, FakePack, FakePhrasebook

from mltranslate import __version__, pipeline
from mltranslate.cli.main import main
from mltranslate.decode import Sampling, Search
from mltranslate.types import Translation
from mltranslate_tui import entry
from mltranslate_tui.app import main as app_main

HEAVY = ("numpy", "onnxruntime", "textual", "sentencepiece", "platformdirs")
Feed = Callable[[bytes], None]


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> FakeDecoder:
    """The command translates with this decoder instead of a pack."""
    decoder, detector = FakeDecoder(pack=FakePack(max_source_tokens=5000)), FakeDetector()
    real = pipeline.Translator

    def translator(*arguments: Any, **options: Any) -> pipeline.Translator:
        return real(*arguments, **options, decoder=decoder, detector=detector)

    monkeypatch.setattr(pipeline, "Translator", translator)
    monkeypatch.setattr("mltranslate.detect.detector.default_detector", lambda: detector)
    return decoder


@pytest.mark.usefixtures("decoder")
def test_arguments_give_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", "--to", "de", "Hello there.", "Two\nlines\n"]) == 0
    assert capsys.readouterr() == ("HELLO THERE.\nTWO\nLINES\n", "")


@pytest.mark.usefixtures("decoder")
def test_stdin_keeps_its_lines(feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
    feed("\ufeff  - Hello.  You!\r\n\r\n\t12\nno end".encode())
    assert main(["text", "--to", "German"]) == 0
    assert capsys.readouterr() == ("\ufeff  - HELLO.  YOU!\r\n\r\n\t12\nNO END", "")


DOCUMENT = (
    "---\ntitle: A day\n---\n# One.\n\n```py\nprint('a')\n```\n\nTwo.\n\n---\n"
    + "```\n"
    + "some und code\n" * 3000
    + "```\nThree.\n~~~\nto the end\n"
)


@pytest.mark.usefixtures("decoder")
def test_code_and_front_matter_of_stdin_are_kept(
    feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    feed(DOCUMENT.encode())
    assert main(["text", "--to", "de"]) == 0
    said = DOCUMENT.replace("One", "ONE").replace("Two", "TWO").replace("Three", "THREE")
    assert capsys.readouterr() == (said, "")


@pytest.mark.usefixtures("decoder")
def test_stdin_of_nothing_but_code_is_told(feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
    feed(b"~~~\nto the end\n")
    assert main(["text", "--to", "de"]) == 0
    out, err = capsys.readouterr()
    assert out == "~~~\nto the end\n"
    assert "nothing was translated" in err


@pytest.mark.usefixtures("decoder")
def test_lines_of_code_have_results_of_their_own(
    feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    feed(DOCUMENT.encode())
    assert main(["text", "--to", "de", "--json"]) == 0
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [result["source_text"] for result in results] == DOCUMENT.splitlines()
    assert {result["text"] for result in results if result["route"]} == {"# ONE.", "TWO.", "THREE."}
    title = results[1]
    assert (title["text"], title["source"], title["warnings"]) == (
        "title: A day", "und", ["untranslated"],
    )  # fmt: skip


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
    assert record["detected"] == {"language": "en", "confidence": 0.9, "variety": None}
    feed(b"One.\r\n\nTwo. Three.")
    assert main(["text", "--to", "de", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["source_text"] for line in lines] == ["One.", "", "Two. Three."]
    assert [line["text"] for line in lines] == ["ONE.", "", "TWO. THREE."]


def test_the_best_translations_are_listed(
    decoder: FakeDecoder, feed: Feed, capsys: pytest.CaptureFixture[str]
) -> None:
    decoder.others = lambda text: [(text.lower(), 0.25)]
    arguments = ["text", "--to", "de", "--from", "en", "--n-best", "2"]
    assert main([*arguments, 'Say "hi"\nnow.', "12"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[:2] for row in rows] == [["1", "-0.5000"], ["1", "-0.6607"], ["2", ""]]
    assert [json.loads(row[2]) for row in rows] == ['SAY "HI"\nNOW.', 'say "hi"\nNOW.', "12"]
    feed(b"One.\n\nTwo.")
    assert main(arguments) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [(row[0], json.loads(row[2])) for row in rows] == [
        ("1", "ONE."), ("1", "one."), ("2", ""), ("3", "TWO."), ("3", "two."),
    ]  # fmt: skip
    assert main([*arguments, "--json", "One."]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["alternatives"] == [
        {"text": "ONE.", "score": -0.5}, {"text": "one.", "score": -0.75},
    ]  # fmt: skip


def test_options_of_the_search(decoder: FakeDecoder, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["text", "--to", "de", "--from", "en", "Go."]
    drawn = Sampling(seed=3, temperature=0.5, top=7)
    wanted = {
        (): Search(beam=4),
        ("--length-penalty", "0.5"): Search(beam=4, length_penalty=0.5),
        ("--coverage-penalty", "0.2"): Search(beam=4, coverage_penalty=0.2),
        ("--reverse-weight", "0.3"): Search(beam=4, reverse_weight=0.3),
        ("--sample", "3", "--temperature", "0.5", "--top", "7"): Search(sampling=drawn),
    }
    for options in wanted:
        assert main([*arguments, *options]) == 0
    assert decoder.searches == list(wanted.values())
    capsys.readouterr()
    assert main([*arguments, "--json", "--token-scores"]) == 0
    found = json.loads(capsys.readouterr().out)["token_scores"]
    assert [one["token"] for one in found] == [*"GO.", "</s>"]
    assert {one["log_probability"] for one in found} == {-0.5}
    assert main([*arguments, "--json", "--alignment"]) == 0
    found = json.loads(capsys.readouterr().out)["alignment"]
    assert found == [{"source": [0, 2], "target": [0, 2]}]
    assert main([*arguments, "--alignment"]) == 2
    assert "Add --json" in capsys.readouterr().err


@pytest.mark.usefixtures("decoder")
def test_a_translation_is_completed(feed: Feed, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["text", "--to", "de", "--from", "en", "--prefix"]
    assert main([*arguments, "Guten", "Good morning."]) == 0
    assert capsys.readouterr().out == "GutenMORNING.\n"
    feed(b"Good morning.")
    assert main([*arguments, "Guten"]) == 2
    assert main([*arguments, "Guten", "One.", "Two."]) == 2
    assert main([*arguments, "G\udcff", "One."]) == 5
    assert "the prefix is not valid UTF-8" in capsys.readouterr().err


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
def test_people_are_told_the_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ["Hello.", "Good day.", "Katz und Maus.", "12"]
    assert main(["text", "--to", "zh", *texts]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["text", "--to", "zh", *texts]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "mltranslate: en to zh with fake 1.0.0 (cpu, int8)",
        "mltranslate: de to en to zh with fake 1.0.0 (cpu, int8)",
    ]
    assert main(["text", "--to", "zh", "--json", *texts]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("options", "told"), [((), ", phrasebook"), (("--no-phrasebook",), "")])
def test_people_are_told_of_phrases(
    options: tuple[str, ...],
    told: str,
    decoder: FakeDecoder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    decoder.pack.phrases = FakePhrasebook({"Hello.": ("Hallo.",)})
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["text", "--to", "de", "--from", "en", *options, "Hello."]) == 0
    out, err = capsys.readouterr()
    assert out == ("Hallo.\n" if told else "HELLO.\n")
    assert err == f"mltranslate: en to de with fake 1.0.0 (cpu, int8{told})\n"


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize(("text", "told"), [(b"Hello.\n", False), (b"Hello.\nYou.\n", True)])
def test_warnings_of_several_lines_say_where_to_look(
    feed: Feed, capsys: pytest.CaptureFixture[str], text: bytes, told: bool
) -> None:
    feed(text)
    assert main(["text", "--to", "en"]) == 0
    assert ("--json tells in which line" in capsys.readouterr().err) == told


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
        (["--n-best", "5"], 2),
        (["--n-best", "0"], 2),
        (["--token-scores"], 2),
        (["--top", "5"], 2),
        (["--sample", "1", "--beam", "4"], 2),
        (["--length-penalty", "9"], 2),
        (["--coverage-penalty", "-0.1"], 2),
        (["--coverage-penalty", "inf"], 2),
        (["--coverage-penalty", "0.2", "--beam", "1"], 2),
        (["--coverage-penalty", "0.2", "--sample", "1"], 2),
        (["--coverage-penalty", "0.2", "--reverse-weight", "0.2"], 2),
        (["--reverse-weight", "1.1"], 2),
        (["--reverse-weight", "0.2", "--beam", "1"], 2),
        (["--reverse-weight", "0.2", "--sample", "1"], 2),
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
    monkeypatch.setattr("mltranslate.cli.ending._forget_stdout", lambda: None)
    assert main(["doctor"]) == (130 if error is KeyboardInterrupt else 1)
    told = capfd.readouterr().err
    if error is KeyboardInterrupt:
        assert told == ""
    else:
        assert told.startswith("mltranslate: error: reading or writing failed: disk full. See")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["text", "--help"], ["packs", "--help"], ["doctor", "--help"], ["--version"]],
    ids=" ".join,
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


@pytest.mark.parametrize("arguments", [[], ["--to", "de"]])
def test_without_a_terminal_the_app_is_refused(arguments: list[str]) -> None:
    code = (
        "import sys; from mltranslate_tui.entry import main; code = main(sys.argv[1:]);"
        f"assert not set({HEAVY!r}) & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(b"mltranslate: error: there is no command, and the app needs")
    assert done.stderr.count(b"\n") == 1


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stands in for the app on a terminal: collects the options that it is opened with."""
    from mltranslate_tui import app

    calls: list[dict[str, Any]] = []

    def record(**options: Any) -> int:
        calls.append(options)
        return 42

    monkeypatch.setattr(app, "main", record)
    monkeypatch.setattr(entry, "_on_terminal", lambda: True)
    return calls


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], {}),
        (["--to", "German"], {"target": "German"}),
        (
            ["--pack", "p", "--device", "cpu", "--from", "en", "--to", "de", "--threads", "2"],
            {"pack": "p", "device": "cpu", "source": "en", "target": "de", "threads": 2},
        ),
    ],
)
def test_on_a_terminal_the_app_opens_with_its_options(
    arguments: list[str], options: dict[str, Any], opened: list[dict[str, Any]]
) -> None:
    assert entry.main(arguments) == 42
    assert opened == [options]
    assert set(options) <= set(inspect.signature(app_main).parameters)


@pytest.mark.parametrize("redirected", ["", "stdin", "stdout", "stderr"])
@pytest.mark.parametrize("stream", [io.StringIO(), None])
def test_the_app_needs_all_three_streams_on_a_terminal(
    redirected: str, stream: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for name in ("stdin", "stdout", "stderr"):
            patch.setattr(sys, name, stream if name == redirected else Tty())
        found = entry._on_terminal()
    assert found == (not redirected)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--threads", "0"],
        ["--device", "tpu"],
        ["--to"],
        ["--t", "de"],
        ["--device", "cpu", "packs", "list"],
        ["--pack", "p", "text", "--to", "de", "Hi"],
    ],
    ids=" ".join,
)
def test_wrong_options_do_not_open_the_app(
    arguments: list[str], opened: list[dict[str, Any]]
) -> None:
    assert entry.main(arguments) == 2
    assert opened == []


def test_help_shows_the_options_of_the_app(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(o in shown for o in ("--pack", "--device", "--from", "--to", "--threads", "packs"))
    assert main(["--help"]) == 0
    assert "--threads" not in capsys.readouterr().out


def test_complaints_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["packs", "info", "/no/such\nfolder"]) == 3
    err = capsys.readouterr().err
    assert "/no/such folder" in err
    assert err.count("\n") == 1
