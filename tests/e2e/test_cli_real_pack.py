"""The real program on the pack that ships: the inputs and endings that break command lines.

Nothing here is skipped for want of a pack: a checkout without one fails.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from mltranslate.packs import list_packs
from mltranslate.routes import find_route
from mltranslate.runtime.providers import cuda_obstacle
from mltranslate.types import Translation

PROGRAM = (
    sys.executable,
    "-c",
    "import sys; from mltranslate_tui.entry import main; sys.exit(main())",
)
TIMEOUT = 240


def _run(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, *arguments], input=data, capture_output=True, timeout=TIMEOUT, check=False
    )


def _start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )


def _write_for_ever(stream: IO[bytes]) -> None:
    while True:
        stream.write(b"12:30\n" * 1000)


def test_arguments_are_translated() -> None:
    done = _run("text", "--to", "en", "Guten Morgen, wie geht es dir?")
    assert done.returncode == 0, done.stderr
    out = done.stdout.decode()
    assert out.endswith("\n")
    assert "morning" in out.lower()
    assert done.stderr == b""


def test_stdin_keeps_its_lines() -> None:
    data = "\ufeff- Guten Tag.\r\n\r\n\t12:30\nhttps://example.com/a 😀\n  Danke.".encode()
    done = _run("text", "--from", "de", "--to", "en", data=data)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().split("\n")
    assert len(lines) == 5
    assert lines[0].startswith("\ufeff- ")
    assert lines[0].endswith("\r")
    assert lines[1:4] == ["\r", "\t12:30", "https://example.com/a 😀"]
    assert lines[4].startswith("  ")
    assert "Guten" not in lines[0]


def test_json_is_one_whole_object_a_line() -> None:
    lines = b"Guten Tag.\n\nVielen Dank.\n"
    done = _run("text", "--to", "en", "--json", "--no-phrasebook", data=lines)
    records = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [record["source_text"] for record in records] == ["Guten Tag.", "", "Vielen Dank."]
    for record in records:
        assert set(record) == set(Translation.__dataclass_fields__)
        assert (record["source"], record["target"]) == ("de", "en")
        assert 0 < record["detected"]["confidence"] <= 1
        assert record["milliseconds"] >= 0
    assert (records[1]["pack"], records[1]["device"], records[1]["route"]) == ("", "", [])
    for record in (records[0], records[2]):
        assert record["device"] in ("cpu", "cuda")
        assert record["provider"].endswith("ExecutionProvider")
        assert record["pack"] in {f"{pack.name} {pack.version}" for pack in list_packs()}
    assert records[0]["route"] == ["de", "en"]
    assert records[0]["score"] < 0


def test_a_beam_and_the_embedded_pack_by_name() -> None:
    listed = _run("packs", "list", "--json")
    pack = json.loads(listed.stdout.decode().splitlines()[0])
    done = _run("text", "--to", "en", "--pack", pack["folder"], "--beam", "3", "Guten Tag.")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_a_phrase_is_looked_up_unless_it_is_not_to_be() -> None:
    asked = ("text", "--json", "--from", "en", "--to", "de", "cheers!")
    found, made = (json.loads(_run(*asked, *more).stdout) for more in ((), ("--no-phrasebook",)))
    assert (found["text"], found["phrases"], found["score"]) == ("Prost!", 1, None)
    assert (made["phrases"], made["score"] is None) == (0, False)
    assert found["pack"] == made["pack"]


def test_empty_input_gives_empty_output() -> None:
    done = _run("text", "--to", "en")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_bad_utf8_names_the_byte() -> None:
    done = _run("text", "--from", "de", "--to", "en", data=b"12\n3\xff4\n")
    assert done.returncode == 5
    assert done.stdout == b"12\n"
    assert b"byte 0xff at offset 4 in line 2" in done.stderr


def test_bad_utf8_in_an_argument() -> None:
    done = subprocess.run(
        [*(os.fsencode(part) for part in PROGRAM), b"text", b"--to", b"en", b"a\xff"],
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 5
    assert b"TEXT 1 is not valid UTF-8" in done.stderr


@pytest.mark.parametrize("sentence", ["Guten Tag. ", "12:30 ", "😀"])
def test_a_megabyte_on_one_line(sentence: str) -> None:
    data = sentence * (1_000_000 // len(sentence.encode()))
    done = _run("text", "--from", "de", "--to", "en", data=data.encode())
    assert done.returncode == 0, done.stderr
    if sentence == "Guten Tag. ":
        assert done.stdout.count(b" ") >= data.count(sentence)
        assert b"\n" not in done.stdout
    else:
        assert done.stdout.decode() == data


def test_results_appear_before_the_input_ends() -> None:
    with _start("text", "--from", "de", "--to", "en") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"Guten Tag.\n")
        assert process.stdout.readline().strip()
        process.stdin.close()
        assert process.wait(TIMEOUT) == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE convention")
def test_a_closed_pipe_ends_quietly() -> None:
    with _start("text", "--from", "de", "--to", "en") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"12\n")
        assert process.stdout.readline() == b"12\n"
        process.stdout.close()
        with pytest.raises(BrokenPipeError):
            _write_for_ever(process.stdin)
        assert process.wait(TIMEOUT) == 141
        assert process.stderr.read() == b""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_stops_a_running_translation() -> None:
    unlike = " ".join(f"Der Mann Nummer {n} sah das Haus und den Baum." for n in range(4000))
    with _start("text", "--from", "de", "--to", "en") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"12\n")
        assert process.stdout.readline() == b"12\n"
        process.stdin.write(unlike[:60_000].encode() + b"\n")
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT) == 130
        assert b"Traceback" not in process.stderr.read()


def test_detect() -> None:
    done = _run("detect", "--json", data=b"Guten Morgen, wie geht es dir?\n12:30\n")
    first, second = (json.loads(line) for line in done.stdout.decode().splitlines())
    assert first["detections"][0]["language"] == "de"
    assert second["detections"][0]["language"] == "und"
    plain = _run("detect", "--top", "2", "--languages", "en,German", "Where is the house?")
    assert plain.stdout.startswith(b"en\t")
    assert len(plain.stdout.split(b"\t")) == 4


def test_packs_are_listed_described_and_verified() -> None:
    assert _run("packs", "list").stdout.strip()
    info = json.loads(_run("packs", "info", "--json").stdout)
    assert ["de", "en"] in info["directions"]
    done = _run("packs", "verify")
    assert done.returncode == 0, done.stderr
    assert b": whole" in done.stdout


def test_a_damaged_pack_is_found(tmp_path: Path) -> None:
    info = json.loads(_run("packs", "info", "--json").stdout)
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in Path(info["folder"]).iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    largest = max(copy.iterdir(), key=lambda file: file.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)
    done = _run("packs", "verify", str(copy))
    assert done.returncode == 3
    assert b"damaged" in done.stderr


def test_doctor_reports_a_healthy_installation() -> None:
    done = _run("doctor", "--json")
    assert done.returncode == 0, done.stdout
    facts = json.loads(done.stdout)
    usable = {device["device"]: device["usable"] for device in facts["devices"]}
    assert usable == {"cpu": True, "cuda": not cuda_obstacle()}
    assert facts["detector"]["ok"]
    assert all(pack["ok"] for pack in facts["packs"])
    assert _run("doctor").stdout.startswith(b"mltranslate ")


def test_cuda_is_used_or_refused_with_the_reason() -> None:
    done = _run("text", "--device", "cuda", "--to", "en", "--json", "Guten Tag.")
    if cuda_obstacle():
        assert done.returncode == 4
        assert done.stdout == b""
        assert cuda_obstacle().encode() in done.stderr
    else:
        assert json.loads(done.stdout)["device"] == "cuda"


def test_a_missing_direction_says_what_there_is() -> None:
    done = _run("text", "--to", "Klingon", "Guten Tag.")
    assert done.returncode == 2
    assert b"Klingon (tlh) is not offered" in done.stderr
    done = _run("text", "--to", "Elvish", "Guten Tag.")
    assert done.returncode == 2
    assert b"unknown language 'Elvish'" in done.stderr


def test_a_language_of_another_pack_names_that_pack() -> None:
    packs = list_packs()
    small = min(packs, key=lambda pack: len(pack.languages))
    missing = min({code for pack in packs for code in pack.languages} - set(small.languages))
    other = next(pack for pack in packs if missing in pack.languages)
    refused = _run("text", "--pack", small.name, "--to", missing, "Hi.")
    assert refused.returncode == 2
    assert f"--pack {other.name}" in refused.stderr.decode()
    refused = _run("text", "--pack", small.name, "--to", "eo", "Hi.")
    assert refused.returncode == 2
    assert "--pack" not in refused.stderr.decode()


def test_without_a_pack_all_translate_together() -> None:
    packs = list_packs()
    codes = sorted({code for pack in packs for code in pack.languages})
    pairs = [(one, other) for one in codes for other in codes if one != other]
    routes = [find_route(packs, *pair) for pair in pairs]
    hops = max(routes, key=lambda hops: len({hop.by.name for hop in hops}))
    source, target = hops[0].source, hops[-1].target
    done = _run("text", "--from", source, "--to", target, "--json", "Internet.")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["route"] == [source, *(hop.target for hop in hops)]
    titles = dict.fromkeys(f"{hop.by.name} {hop.by.version}" for hop in hops)
    assert record["pack"] == " + ".join(titles)
    refused = _run("text", "--to", "eo", "Hi.")
    assert refused.returncode == 2
    assert all(code in refused.stderr.decode().split("one of: ")[1] for code in codes)


def test_a_stream_ends_with_what_comes_without_it() -> None:
    text = "The museum by the river opens at nine, and it is closed on Mondays. We go there by bus."
    options = ("text", "--from", "en", "--to", "de", "--json", "--threads", "1")
    plain = _run(*options, text)
    streamed = _run(*options, "--stream", text)
    assert plain.returncode == streamed.returncode == 0
    *drafts, last = [json.loads(line) for line in streamed.stdout.splitlines()]
    assert last["text"] == json.loads(plain.stdout)["text"]
    assert drafts, "the first sentence of all is looked at"
    assert all(list(one) == ["draft"] and one["draft"] for one in drafts)
