"""The decoder of a pack: what it accepts, what it tells, and how it stops."""

import math
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import toy_run
from hypothesis import given
from hypothesis import strategies as st

from mltranslate.decode import Decoder, Request, Tokenizer
from mltranslate.decode import decoder as module
from mltranslate.errors import (
    Cancelled,
    DeviceError,
    InputError,
    LanguageError,
    PackError,
    UsageError,
)
from mltranslate.packs import Pack, read_pack
from mltranslate.pipeline import Translator
from mltranslate.runtime import providers, sessions
from mltranslate.runtime.sessions import Session, default_threads
from mltranslate.types import CancelToken
from mltranslate_export.build import PackPlan, build_pack
from mltranslate_export.checkpoint import load_run


@pytest.fixture(scope="module")
def pack() -> Pack:
    return read_pack(toy_run.toy_pack())


@pytest.fixture(scope="module")
def decoder(pack: Pack) -> Decoder:
    return Decoder(pack, device="cpu", threads=1)


def request(*pieces: int, target: str = "de", max_tokens: int = 12) -> Request:
    return Request(pieces=pieces, target=target, max_tokens=max_tokens)


def test_cpu_prefers_int8_and_tells_the_truth(decoder: Decoder) -> None:
    assert (decoder.device, decoder.precision) == ("cpu", "int8")
    assert decoder.provider == "CPUExecutionProvider"
    assert decoder.note == ""


@pytest.mark.parametrize(
    ("beam", "token_scores", "graphs"),
    [(1, False, ["greedy"]), (4, False, ["beam"]), (4, True, ["beam", "greedy"])],
)
def test_a_translation_loads_the_graphs_of_its_search_alone(
    pack: Pack, monkeypatch: pytest.MonkeyPatch, beam: int, token_scores: bool, graphs: list[str]
) -> None:
    loaded: list[str] = []
    real = sessions.create_session

    def record(path: Path, **options: Any) -> sessions.Session:
        loaded.append(path.name)
        return real(path, **options)

    monkeypatch.setattr("mltranslate.decode.decoder.create_session", record)
    translator = Translator(pack=pack.folder, device="cpu", threads=1)
    [result] = translator.translate("ai bo cu di", "de", "en", beam, token_scores=token_scores)
    assert (result.text, result.device) == ("di cu bo ai", "cpu")
    variant = pack.manifest.variants["int8"]
    assert sorted(loaded) == sorted(getattr(variant, graph) for graph in graphs)


def test_order_and_count_are_kept(pack: Pack, decoder: Decoder) -> None:
    tokenizer = pack.tokenizer()
    texts = ["ai bo cu di", "mu", "lo ik hu", ""]
    requests = [request(*tokenizer.encode(text)) for text in texts]
    found = decoder.decode(requests)
    assert [tokenizer.decode(h.pieces) for h in found[:3]] == ["di cu bo ai", "mu", "hu ik lo"]
    assert len(found) == 4
    assert all(h.score <= 0 for h in found)


def test_target_tag_changes_the_output(pack: Pack, decoder: Decoder) -> None:
    pieces = pack.tokenizer().encode("ai bo cu di")
    there, back = decoder.decode([request(*pieces), request(*pieces, target="en")])
    assert there.pieces != back.pieces
    assert back.pieces == pieces


def test_nothing_in_nothing_out(decoder: Decoder) -> None:
    assert decoder.decode([]) == []


@pytest.mark.parametrize("piece", [-1, 0, 288, 10**9])
def test_ids_outside_the_vocabulary_are_refused(decoder: Decoder, piece: int) -> None:
    with pytest.raises(UsageError, match="subword id"):
        decoder.decode([request(5, piece)])


def test_unknown_target_is_refused(decoder: Decoder) -> None:
    with pytest.raises(LanguageError, match="'fr'"):
        decoder.decode([request(5, target="fr")])


def test_too_long_source_is_refused(pack: Pack, decoder: Decoder) -> None:
    decoder.decode([request(*[20] * pack.max_source_tokens, max_tokens=2)])
    with pytest.raises(InputError, match="subwords"):
        decoder.decode([request(*[20] * (pack.max_source_tokens + 1))])


@pytest.mark.parametrize("beam", [0, -1, 33])
def test_beam_has_bounds(decoder: Decoder, beam: int) -> None:
    with pytest.raises(UsageError, match="beam"):
        decoder.decode([request(5)], beam=beam)


def test_no_steps_are_refused(decoder: Decoder) -> None:
    with pytest.raises(UsageError, match="max_tokens"):
        decoder.decode([request(5, max_tokens=0)])


def test_weights_that_are_no_numbers_give_an_empty_hypothesis(pack: Pack, tmp_path: Path) -> None:
    """A pack whose files are whole may still hold a model that has diverged."""
    copy = tmp_path / "pack"
    shutil.copytree(pack.folder, copy)
    variant = pack.manifest.variants["fp32"]
    damaged = copy / variant.weights
    damaged.write_bytes(b"\xff" * damaged.stat().st_size)
    decoder = Decoder(read_pack(copy), device="cpu", precision="fp32", threads=1)
    (found,) = decoder.decode([request(5, 6, max_tokens=3)])
    assert not found.finished
    assert math.isnan(found.score)


def test_steps_beyond_the_positions_are_bounded(decoder: Decoder) -> None:
    for beam in (1, 2):
        (found,) = decoder.decode([request(20, 21, max_tokens=10**9)], beam=beam)
        assert len(found.pieces) <= decoder.pack.max_target_tokens


def test_missing_precision_is_refused(pack: Pack) -> None:
    with pytest.raises(PackError, match="no fp16"):
        Decoder(pack, device="cpu", precision="fp16")


def test_cuda_without_cuda_is_refused(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "cuda_obstacle", lambda: "no driver")
    with pytest.raises(DeviceError, match="no driver"):
        Decoder(pack, device="cuda")
    assert "no driver" in Decoder(pack, device="auto").note


def test_int8_is_not_passed_off_as_cuda(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "cuda_obstacle", lambda: "")
    with pytest.raises(DeviceError, match="no variant"):
        Decoder(pack, device="cuda", precision="int8")
    chosen = Decoder(pack, device="auto", precision="int8")
    assert chosen.device == "cpu"
    assert "no variant" in chosen.note


def test_cancel_stops_a_decoder_in_its_loop(tmp_path: Path) -> None:
    run = toy_run.untrained_run(tmp_path, max_length=60_000)
    folder = tmp_path / "pack"
    folder.mkdir()
    plan = PackPlan(name="endless", version="0.0.1", licence="CC0-1.0", precisions=("fp32",))
    decoder = Decoder(build_pack(load_run(run), folder, plan, ranges={}), device="cpu", threads=1)
    for beam in (1, 4):
        before = decoder.decode([request(20, max_tokens=2)], beam=beam)
        token = CancelToken()
        timer = threading.Timer(0.3, token.cancel)
        timer.start()
        with pytest.raises(Cancelled):
            decoder.decode([request(20, 21, max_tokens=60_000)], beam=beam, cancel=token)
        timer.join()
        assert decoder.decode([request(20, max_tokens=2)], beam=beam) == before


def test_two_threads_share_a_decoder(decoder: Decoder) -> None:
    expected = [decoder.decode([request(20 + n, 30)], beam=2) for n in range(6)]
    found: dict[int, object] = {}

    def work(n: int) -> None:
        found[n] = decoder.decode([request(20 + n, 30)], beam=2)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[n] for n in range(6)] == expected


@pytest.mark.parametrize(
    ("large", "graph_threads", "workers"),
    [pytest.param(2**40, 1, 3, id="small"), pytest.param(0, 3, 1, id="large")],
)
def test_threads_decode_a_batch_each_of_a_small_model(
    pack: Pack, monkeypatch: pytest.MonkeyPatch, large: int, graph_threads: int, workers: int
) -> None:
    given: list[int] = []
    real = module.create_session

    def record(*arguments: Any, threads: int, **options: Any) -> Session:
        given.append(threads)
        return real(*arguments, threads=threads, **options)

    monkeypatch.setattr(module, "create_session", record)
    monkeypatch.setattr(module, "_LARGE", large)
    assert Decoder(pack, device="cpu", threads=3).workers == workers
    assert given == [graph_threads]
    assert Decoder(pack, device="cpu").workers == (default_threads() if workers > 1 else 1)


def test_graph_that_reads_elsewhere_is_not_loaded(pack: Pack, tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    shutil.copytree(pack.folder, folder)
    graph = folder / "int8.greedy.onnx"
    # The same length, so that only the scan of the graph can see it.
    graph.write_bytes(graph.read_bytes().replace(b"int8.bin", b"../x.bin"))
    with pytest.raises(PackError, match=r"\.\./x\.bin"):
        Decoder(read_pack(folder), device="cpu")


@given(st.text())
def test_tokenizer_gives_back_any_text(text: str) -> None:
    tokenizer = Tokenizer(read_pack(toy_run.toy_pack()))
    pieces = tokenizer.encode(text)
    assert all(3 < piece < tokenizer.size for piece in pieces)
    assert tokenizer.decode(pieces).split() == text.replace("\u2581", " ").split()


def test_damaged_vocabulary_is_a_pack_error(pack: Pack, tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    shutil.copytree(pack.folder, folder)
    path = folder / pack.manifest.tokenizer.file
    path.write_bytes(b"\xff" * path.stat().st_size)
    with pytest.raises(PackError, match="vocabulary"):
        read_pack(folder).tokenizer()
