"""Models of CTranslate2 and packages of Argos Translate come out as CTranslate2 says.

What it said is in tests/data/ctranslate2_models, see `public_ct2_models`.
"""

import contextlib
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from public_ct2_models import DATA, EXPECTED, MADE, MOST_TOKENS, STORED, script_hash
from sentencepiece import SentencePieceProcessor
from test_import_model_bin import saved, written

from mltranslate.decode import Decoder, Hypothesis, Request
from mltranslate.errors import DataError, MltError
from mltranslate.packs import Pack
from mltranslate_export.build import PackPlan, build_pack
from mltranslate_export.calibrate import calibrate
from mltranslate_export.importers.ctranslate2_model import _dimensions, _settings
from mltranslate_export.importers.ctranslate2_weights import EMBEDDINGS, OUTPUT
from mltranslate_export.importers.load import load_public
from mltranslate_export.importers.model_bin import open_model_bin
from mltranslate_export.verify import parity
from mltranslate_export.verify.pairs import Pair

PLAN = PackPlan(name="toy", version="1.0.0", licence="CC0-1.0", precisions=("fp32", "int8"))
DIRECTION = ("en", "de")
# Of 50. CTranslate2 stops when four translations are finished, and lets only the first four of a
# step's eight candidates finish; with random weights that is seldom the same as our search.
EQUAL_BEAMS = {"argos": 25, "opennmt-py": 25, "old-opennmt-py": 15, "marian": 8, "nllb-200": 0}


def place(name: str) -> Path:
    return DATA / f"{name}.argosmodel" if name == "argos" else DATA / name


class Imported:
    """One golden model, imported."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        text = (DATA / f"{name}.{EXPECTED}").read_text("utf-8")
        self.expected: list[dict[str, Any]] = json.loads(text)
        self.checkpoint = load_public(place(name), [DIRECTION], folder)
        self.splitter = SentencePieceProcessor(model_file=str(self.checkpoint.vocabulary))
        self.requests = [
            Request(
                pieces=tuple(self.splitter.encode(entry["text"])),
                source="en",
                target="de",
                max_tokens=MOST_TOKENS,
            )
            for entry in self.expected
        ]
        pairs = [Pair(source="en", target="de", text=entry["text"], reference="x")
                 for entry in self.expected]  # fmt: skip
        ranges = calibrate(self.checkpoint, {DIRECTION: pairs})
        (folder / "pack").mkdir()
        self.pack: Pack = build_pack(self.checkpoint, folder / "pack", PLAN, ranges=ranges)
        self.decoder = Decoder(self.pack, device="cpu", precision="fp32")

    def tokens(self, hypothesis: Hypothesis) -> list[str]:
        pieces = [self.splitter.id_to_piece(piece) for piece in hypothesis.pieces]
        return pieces + ["</s>"] * hypothesis.finished

    def mean(self, score: float, tokens: list[str]) -> float:
        """CTranslate2's mean log-probability, of which the language's tag is one."""
        if self.checkpoint.source_tag == "target":
            return score
        return score * (len(tokens) + 1) / len(tokens)


@pytest.fixture(scope="module", params=sorted(STORED))
def imported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Imported:
    return Imported(request.param, tmp_path_factory.mktemp(request.param))


def test_the_goldens_are_of_the_script() -> None:
    made = json.loads((DATA / MADE).read_text("utf-8"))
    assert made["script_sha256"] == script_hash(), "run tests/unit/public_ct2_models.py"


def test_subwords(imported: Imported) -> None:
    lacking = set()
    for request, entry in zip(imported.requests, imported.expected, strict=True):
        wanted = [token for token in entry["source"] if token not in ("eng_Latn", "</s>")]
        found = [imported.splitter.id_to_piece(piece) for piece in request.pieces]
        lacking |= {piece for ours, piece in zip(found, wanted, strict=True) if ours != piece}
    # What no vocabulary has is the same there and here.
    assert lacking <= {"Ж", "Ж!"}


def test_greedy_tokens_and_log_probabilities(imported: Imported) -> None:
    for ours, entry in zip(
        imported.decoder.decode(imported.requests), imported.expected, strict=True
    ):
        assert imported.tokens(ours) == entry["greedy"]
        score = imported.mean(entry["greedy_score"], entry["greedy"])
        assert ours.score == pytest.approx(score, abs=1e-4)


def test_beam_tokens_and_log_probabilities(imported: Imported) -> None:
    equal = 0
    for ours, entry in zip(
        imported.decoder.decode(imported.requests, beam=4), imported.expected, strict=True
    ):
        if imported.tokens(ours) == entry["beam"]:
            equal += 1
            score = imported.mean(entry["beam_score"], entry["beam"])
            assert ours.score == pytest.approx(score, abs=1e-4)
    print(f"{imported.name}: {equal} of {len(imported.expected)} beam translations equal")
    assert equal >= EQUAL_BEAMS[imported.name]


def test_graphs_equal_the_model_in_torch(imported: Imported) -> None:
    for beam in (1, parity.BEAM):
        found = parity.compare(
            imported.decoder, imported.checkpoint, imported.requests[:10], beam=beam
        )
        found.check()


def test_int8_graphs_run(imported: Imported) -> None:
    found = Decoder(imported.pack, device="cpu", precision="int8").decode(imported.requests)
    assert sum(bool(hypothesis.pieces) or hypothesis.finished for hypothesis in found) == 50


def test_a_sentence_without_subwords_is_no_failure(imported: Imported) -> None:
    empty = Request(pieces=(), source="en", target="de", max_tokens=3)
    alone = imported.decoder.decode([empty])
    among = imported.decoder.decode([empty, imported.requests[0]])
    assert alone[0].pieces == among[0].pieces
    assert parity.compare(imported.decoder, imported.checkpoint, [empty], beam=1).different == 0


@pytest.mark.parametrize("name", sorted(STORED))
def test_provenance_says_how_the_weights_were_stored(name: str, tmp_path: Path) -> None:
    about = load_public(place(name), [DIRECTION], tmp_path).about["imported"]
    assert STORED[name] in about["stored_weights"]
    assert ("dequantised" in about["stored_weights"]) == STORED[name].startswith("int")


def changed(tmp_path: Path, change: dict[str, Any], name: str = "opennmt-py") -> Path:
    folder = tmp_path / "model"
    shutil.copytree(DATA / name, folder)
    about = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**about, **change}), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"add_source_bos": True}, "add_source_bos"),
        ({"decoder_start_token": "da"}, "starts with 'da'"),
        ({"decoder_start_token": None}, "starts with None"),
        ({"layer_norm_epsilon": 1e-6}, "layer_norm_epsilon"),
        ({"quantization_type": 1}, "AWQ"),
        ({"unk_token": "nothing"}, "lacks nothing, its unk_token"),
        ({"eos_token": "nothing"}, "lacks nothing, its eos_token"),
        ({"eos_token": "<unk>"}, "two of its marks are one"),
    ],
)
def test_variants_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_public(changed(tmp_path, change), [DIRECTION], tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("sentencepiece.model", None, "no SentencePiece model"),
        ("sentencepiece.model", b"\xff", "damaged"),
        ("shared_vocabulary.json", None, "neither shared_vocabulary"),
        ("shared_vocabulary.json", b'["<unk>", "<unk>"]', "twice"),
        ("shared_vocabulary.json", b'{"<unk>": 0}', "no list of tokens"),
        ("shared_vocabulary.json", b"[", "cannot be read"),
        ("shared_vocabulary.json", b"[" * 200_000, "cannot be read"),
        ("config.json", None, "config.json cannot be read"),
        ("config.json", b"[" * 200_000, "config.json cannot be read"),
    ],
    ids=range(9),
)
def test_damaged_folders_are_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    folder = changed(tmp_path, {})
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_public(folder, [DIRECTION], tmp_path)


BIN = (DATA / "opennmt-py" / "model.bin").read_bytes()
NAMED = [match.start() for match in re.finditer(rb"[a-z]+coder/", BIN)]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(NAMED), offset=st.integers(-8, 60), byte=st.integers(0, 255))
def test_a_damaged_model_is_no_other_failure(
    tmp_path_factory: pytest.TempPathFactory, place: int, offset: int, byte: int
) -> None:
    folder = changed(tmp_path_factory.mktemp("fuzz"), {})
    data = bytearray(BIN)
    data[min(place + offset, len(data) - 1)] = byte  # the last name ends the file
    (folder / "model.bin").write_bytes(data)
    with contextlib.suppress(MltError):
        load_public(folder, [DIRECTION], folder)


def test_settings_of_older_files(tmp_path: Path) -> None:
    flag, mark = np.array(1, np.int8), np.frombuffer(b"[END]", np.int8)
    arrays = {"with_source_eos": ("int8", flag), "eos_token": ("int8", mark),
              "with_target_bos": ("int8", np.array(0, np.int8))}  # fmt: skip
    (tmp_path / "model.bin").write_bytes(written(arrays, version=5))
    with open_model_bin(tmp_path / "model.bin") as stored:
        found = _settings(tmp_path, stored)
        assert stored.left() == []
    assert found["add_source_eos"]
    assert found["eos_token"] == found["decoder_start_token"] == "[END]"


def test_a_vocabulary_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = changed(tmp_path, {})
    path = folder / "shared_vocabulary.json"
    path.write_text(json.dumps([*json.loads(path.read_text("utf-8")), "more"]), "utf-8")
    with pytest.raises(DataError, match="differ in size"):
        load_public(folder, [DIRECTION], tmp_path)


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("mark", ["<unk>", "</s>"])
def test_a_side_without_a_mark_is_refused(tmp_path: Path, side: str, mark: str) -> None:
    folder = changed(tmp_path, {}, "marian")
    path = folder / f"{side}_vocabulary.json"
    tokens = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(["other" if t == mark else t for t in tokens]), "utf-8")
    with pytest.raises(DataError, match=f"lacks {mark}"):
        load_public(folder, [DIRECTION], tmp_path)


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("more", [1, -1])
def test_a_side_of_another_size_is_refused(tmp_path: Path, side: str, more: int) -> None:
    folder = changed(tmp_path, {}, "marian")
    path = folder / f"{side}_vocabulary.json"
    tokens = json.loads(path.read_text("utf-8"))
    wanted = [*tokens, "more"] if more > 0 else [t for t in tokens if t != tokens[5]]
    path.write_text(json.dumps(wanted), "utf-8")
    with pytest.raises(DataError, match=f"{len(wanted)} tokens"):
        load_public(folder, [DIRECTION], tmp_path)


@pytest.mark.parametrize("heads", [2.5, 0.0, -1.0])
def test_heads_are_whole(tmp_path: Path, heads: float) -> None:
    number, table = np.array(heads, np.float32), np.ones((2, 4), np.float32)
    arrays = {f"{side}/num_heads": ("float32", number) for side in ("encoder", "decoder")}
    path = saved(
        tmp_path, written({**arrays, EMBEDDINGS: ("float32", table)}, {OUTPUT: EMBEDDINGS})
    )
    with open_model_bin(path) as stored, pytest.raises(DataError, match="heads"):
        _dimensions(stored, one_vocabulary=False)


def test_languages_that_the_model_lacks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not translate from de into en"):
        load_public(place("argos"), [("de", "en")], tmp_path)
    with pytest.raises(DataError, match="does not know fr"):
        load_public(DATA / "nllb-200", [("en", "fr")], tmp_path)
    with pytest.raises(DataError, match="into one language"):
        load_public(DATA / "marian", [("en", "de"), ("en", "fr")], tmp_path)


def test_an_installed_package_is_read_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(place("argos")) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "translate-en_de-1_0"
    found = load_public(folder, [DIRECTION], tmp_path)
    (tmp_path / "other").mkdir()
    wanted = load_public(place("argos"), [DIRECTION], tmp_path / "other")
    assert found.name == "translate-en_de-1_0"
    assert wanted.name == "argos"
    ours, theirs = found.weights(), wanted.weights()
    assert all((ours[name] == theirs[name]).all() for name in theirs)
