import errno
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_corpus import write_recipe

from mltranslate.errors import DataError, UsageError
from mltranslate_train.align import run as module
from mltranslate_train.align.cells import CELLS, chunks, expand, make_pairs
from mltranslate_train.align.heldout import format_links, parse_links
from mltranslate_train.align.lexicon import best_translations, read_lexicon, write_lexicons
from mltranslate_train.align.links import ShardLinks, write_links
from mltranslate_train.align.merge import pair_links
from mltranslate_train.align.model import Aligner, learn
from mltranslate_train.align.run import AlignSettings, align_shard, learn_shard
from mltranslate_train.align.score import AlignmentScore, between_words
from mltranslate_train.align.symmetrise import HEURISTICS, Link, symmetrise
from mltranslate_train.align.table import collect, find, keys_of
from mltranslate_train.config import load_recipe
from mltranslate_train.data.prepare import prepare
from mltranslate_train.data.shards import LINKS, Shard, ShardWriter

WORDS = 60
"""The first side has the pieces 10 … 69, the second 100 … 159; 160 is a word without meaning."""
Ids = tuple[list[int], list[int]]


def sentences(
    count: int, order: str, seed: int = 0
) -> Iterator[tuple[list[int], list[int], set[Link]]]:
    """Sentences without repeated words, their translations word by word, and the true links."""
    rng = random.Random(seed)
    for _ in range(count):
        words = rng.sample(range(WORDS), rng.randint(2, 12))
        places = list(range(len(words)))
        if order == "reversed":
            places.reverse()
        elif order == "mixed":
            rng.shuffle(places)
        second, links = [], set()
        for place in places:
            if rng.random() < 0.1:
                second.append(160)
            links.add((place, len(second)))
            second.append(100 + words[place])
        yield [10 + word for word in words], second, links


def corpus(count: int, order: str) -> tuple[list[Ids], list[set[Link]]]:
    rows = list(sentences(count, order))
    return [(first, second) for first, second, _ in rows], [links for *_, links in rows]


def f1(found: list[set[Link]], true: list[set[Link]]) -> float:
    score = AlignmentScore()
    for one, two in zip(found, true, strict=True):
        score.add(one, two)
    return 1 - score.error_rate  # without merely possible links the error rate is 1 - F1


def trained(pairs: list[Ids], *, diagonal: bool = True, iterations: int = 5) -> Aligner:
    whole = make_pairs(pairs)
    return learn(
        lambda: [whole], 200, iterations=iterations, limit=1 << 20, diagonal=diagonal
    )  # fmt: skip


@pytest.mark.parametrize("order", ["same", "reversed", "mixed"])
@pytest.mark.parametrize("diagonal", [True, False])
@pytest.mark.parametrize("heuristic", ["intersection", "grow-diag", "grow-diag-final-and"])
def test_true_links_are_found_in_any_order(order: str, diagonal: bool, heuristic: str) -> None:
    pairs, true = corpus(600, order)
    aligner = trained(pairs, diagonal=diagonal)
    assert f1(list(pair_links(aligner, make_pairs(pairs), heuristic)), true) > 0.95


def test_prior_follows_the_data() -> None:
    for order, low, high in (("same", 4, 20), ("reversed", 0, 0.01)):
        aligner = trained(corpus(600, order)[0])
        assert low <= aligner.forward.tension <= high
        assert low <= aligner.backward.tension <= high
    assert trained(corpus(100, "same")[0], diagonal=False).forward.tension == 0


def test_prior_helps_where_words_repeat() -> None:
    # The same word twice: only the place tells which is which.
    pairs, true = corpus(500, "same")
    doubled = [([*first, *first], [*second, *second]) for first, second in pairs]
    links = [
        one | {(first + len(pair[0]), second + len(pair[1])) for first, second in one}
        for one, pair in zip(true, pairs, strict=True)
    ]
    scores = [
        f1(list(pair_links(trained(doubled, diagonal=diagonal), make_pairs(doubled), "grow-diag")),
           links)
        for diagonal in (True, False)
    ]  # fmt: skip
    assert scores[0] > 0.95
    assert scores[1] < 0.7


def test_em_step_gives_the_posterior_that_is_computed_by_hand() -> None:
    # Two pairs: "5 6" - "7", "5" - "7". After one iteration from uniform probabilities 1/10:
    # a link has the prior 0.92 / 2 or 0.92, none 0.08; all made by chance 1/10.
    whole = make_pairs([([5, 6], [7]), ([5], [7])])
    aligner = learn(lambda: [whole], 10, iterations=1, limit=100)
    assert aligner.keys.tolist() == [5 << 16 | 7, 6 << 16 | 7]
    # One possible piece each: variational Bayes gives both all there is.
    assert aligner.forward.probabilities.tolist() == pytest.approx([1, 1])
    # Piece 7 makes 5 with counts 0.92 + 0.92, and 6 with 0.92.
    counts = np.array([1.84 + 0.01, 0.92 + 0.01])
    expected = [digamma_exp(count) / digamma_exp(counts.sum()) for count in counts]
    assert aligner.backward.probabilities.tolist() == pytest.approx(expected, rel=1e-4)


def digamma_exp(count: float) -> float:
    """exp(digamma) by the definition of digamma as a series."""
    series = sum(1 / (k + 1) - 1 / (k + count) for k in range(200_000))
    return float(np.exp(series - np.euler_gamma - (1 - count) / 200_000))


def test_probabilities_of_a_given_piece_make_one_at_most() -> None:
    aligner = trained(corpus(300, "mixed")[0])
    for way in (aligner.forward, aligner.backward):
        sums = np.bincount(way.given, way.probabilities, 200)
        assert sums.max() <= 1
        assert sums[np.unique(way.given)].min() > 0.5  # what the prior takes away


def write_shard(folder: Path, pairs: list[Ids]) -> Shard:
    with ShardWriter(folder, ("aa", "bb")) as writer:
        for number, (first, second) in enumerate(pairs):
            writer.add(f"origin {number % 2}", first, second)
    return Shard(folder)


def test_streaming_gives_what_one_chunk_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = write_shard(tmp_path / "shards/aa-bb", corpus(400, "mixed")[0])
    numbers = np.arange(len(shard))
    found = []
    for cells in (CELLS, 500):
        monkeypatch.setattr("mltranslate_train.align.cells.CELLS", cells)
        parts = list(chunks(shard, numbers))
        assert (len(parts) > 20) == (cells == 500)
        assert sum(len(part) for part in parts) == 400
        aligner = learn(lambda: chunks(shard, numbers), 200, iterations=5, limit=1 << 20)
        links = [links for part in parts for links in pair_links(aligner, part, "grow-diag")]
        found.append((aligner, links))
    (one, links), (two, others) = found
    assert np.array_equal(one.keys, two.keys)
    np.testing.assert_allclose(one.forward.probabilities, two.forward.probabilities, rtol=1e-3)
    assert one.backward.tension == pytest.approx(two.backward.tension)
    assert links == others


def test_cells_are_all_piece_pairs_of_a_sentence_pair() -> None:
    pairs = [([1, 2], [3, 4, 5]), ([6], [7])]
    cells = expand(make_pairs(pairs))
    keys = {(int(key) >> 16, int(key) & 0xFFFF) for key in keys_of(cells)}
    assert keys == {place for pair in pairs for place in itertools.product(*pair)}
    assert len(cells.distance) == 7
    assert cells.distance[-1] == 0
    assert cells.distance[0] == pytest.approx(1 / 4 - 1 / 6)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 50), max_size=30), max_size=12), st.integers(1, 60)
)  # fmt: skip
def test_table_holds_all_keys_or_the_most_frequent(
    chunks_of_keys: list[list[int]], limit: int
) -> None:
    flat = [key for chunk in chunks_of_keys for key in chunk]
    table = collect((np.array(chunk, np.uint32) for chunk in chunks_of_keys), limit)
    distinct = sorted(set(flat))
    assert len(table) == min(limit, len(distinct))
    assert (np.diff(table.astype(np.int64)) > 0).all()
    assert set(table.tolist()) <= set(distinct)
    if len(table):
        places, known = find(table, np.array(distinct, np.uint32))
        assert table[places[known]].tolist() == table.tolist()


def test_full_table_keeps_the_pairs_that_matter() -> None:
    pairs, true = corpus(600, "mixed")
    whole = make_pairs(pairs)
    distinct = len(collect([keys_of(expand(whole))], 1 << 20))
    aligner = learn(lambda: [whole], 200, iterations=5, limit=distinct // 4)
    assert len(aligner.keys) == distinct // 4
    assert f1(list(pair_links(aligner, whole, "grow-diag")), true) > 0.9


LINKS_SETS = st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)))


@given(LINKS_SETS, LINKS_SETS)
def test_heuristics_lie_between_intersection_and_union(
    forward: set[Link], backward: set[Link]
) -> None:
    found = [symmetrise(forward, backward, heuristic) for heuristic in HEURISTICS]
    both, either, grown, final = found
    assert both == forward & backward
    assert either == forward | backward
    assert both <= grown <= final <= either
    for links in found[:3]:
        mirrored = ({(b, a) for a, b in side} for side in (forward, backward))
        assert len(symmetrise(*mirrored, HEURISTICS[0])) == len(both)
        assert links >= both
    # Every piece that a link of the union touches is linked, or its neighbours took both ends.
    firsts, seconds = {first for first, _ in final}, {second for _, second in final}
    assert all(first in firsts or second in seconds for first, second in either)
    assert symmetrise(forward, forward, "grow-diag-final-and") == forward


def test_growing_takes_neighbours_of_bare_pieces_only() -> None:
    forward, backward = {(0, 0), (1, 1), (3, 3)}, {(0, 0), (0, 1), (2, 1)}
    # (0, 1) touches (0, 0) and 1 is bare; then (1, 1): 1 of the first side is; then (2, 1).
    assert symmetrise(forward, backward, "grow-diag") == {(0, 0), (0, 1), (1, 1), (2, 1)}
    assert symmetrise(forward, backward, "grow-diag-final-and") == {
        (0, 0), (0, 1), (1, 1), (2, 1), (3, 3),
    }  # fmt: skip
    # Not a neighbour: left out. A neighbour whose pieces both have links: left out.
    assert symmetrise({(0, 0), (5, 5)}, {(0, 0)}, "grow-diag") == {(0, 0)}
    square = {(0, 0), (1, 1)}
    assert symmetrise(square | {(0, 1)}, square, "grow-diag") == square


LINKED = st.lists(
    st.sets(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=6), min_size=1
)


@settings(max_examples=20, deadline=None)
@given(LINKED, st.sampled_from([200, 3000]), st.data())
def test_written_links_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, linked: list[set[Link]], width: int,
    data: st.DataObject,
) -> None:  # fmt: skip
    linked[0].add((width - 200, 3))
    folder = tmp_path_factory.mktemp("links") / "aa-bb"
    shard = write_shard(folder, [([1], [2])] * len(linked))
    assert write_links(shard, linked, width, {}) == sum(map(len, linked))
    some = data.draw(st.sets(st.integers(0, len(linked) - 1), min_size=1))
    places, counts = ShardLinks(shard).read(np.array(sorted(some)))
    ends = counts.cumsum().tolist()
    found = [
        {(int(a), int(b)) for a, b in places[end - count : end]}
        for end, count in zip(ends, counts.tolist(), strict=True)
    ]
    assert found == [linked[number] for number in sorted(some)]


def aligned_shard(folder: Path) -> Shard:
    shard = write_shard(folder, corpus(50, "same")[0])
    chosen = AlignSettings(iterations=2)
    align_shard(shard, learn_shard(shard, 200, chosen), chosen)
    return shard


def test_links_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    shard = aligned_shard(tmp_path / "run/shards/aa-bb")
    header = shard.folder / LINKS
    text = header.read_text("utf-8")
    ShardLinks(shard)
    for change in ({"pairs": 49}, {"tokens": 1}, {"links": 2}, {"format": 9}, {"bytes": 4}):
        header.write_text(json.dumps(json.loads(text) | change), "utf-8")
        with pytest.raises(DataError, match=r"no usable word alignments.*align .*run`"):
            ShardLinks(shard)
    for damage in ("", "[]", "{}", '{"format": 1'):
        header.write_text(damage, "utf-8")
        with pytest.raises(DataError, match=r"links\.json"):
            ShardLinks(shard)
    header.write_text(text, "utf-8")
    for name in ("links.bin", "links.index"):
        content = (shard.folder / name).read_bytes()
        for cut in (content[:-8], content[:-1], b""):
            (shard.folder / name).write_bytes(cut)
            with pytest.raises(DataError, match="no usable word alignments"):
                ShardLinks(shard)
        (shard.folder / name).write_bytes(content)
    (shard.folder / "links.index").write_bytes(b"\xff" * 8 * 51)
    with pytest.raises(DataError, match="index is damaged"):
        ShardLinks(shard).read(np.arange(3))
    # Data that is made again has no links.
    again = write_shard(shard.folder, corpus(50, "same")[0])
    with pytest.raises(DataError, match="none were made"):
        ShardLinks(again)


def test_full_disk_leaves_the_links_that_were_there(tmp_path: Path) -> None:
    shard = aligned_shard(tmp_path / "shards/aa-bb")
    before = {path.name: path.read_bytes() for path in shard.folder.iterdir()}

    def full() -> Iterator[set[Link]]:
        yield {(0, 0)}
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DataError, match=r"No space left on device\. Make room"):
        write_links(shard, full(), 100, {})
    with pytest.raises(DataError, match="no word of aa-bb could be aligned"):
        write_links(shard, [set()] * 50, 100, {})
    assert {path.name: path.read_bytes() for path in shard.folder.iterdir()} == before


def test_learning_from_a_sample_aligns_all(tmp_path: Path) -> None:
    pairs, true = corpus(1200, "mixed")
    shard = write_shard(tmp_path / "shards/aa-bb", pairs)
    chosen = AlignSettings(sample=600, heuristic="intersection")
    align_shard(shard, learn_shard(shard, 200, chosen), chosen)
    places, counts = ShardLinks(shard).read(np.arange(1200))
    assert len(counts) == 1200
    # The writer put each origin's pairs together.
    grouped = true[::2] + true[1::2]
    found = np.split(places, counts.cumsum()[:-1])
    assert f1([{(int(a), int(b)) for a, b in one} for one in found], grouped) > 0.95


def test_lexicon_has_the_best_translations_first(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "run/shards/aa-bb", corpus(600, "mixed")[0])
    with pytest.raises(DataError, match=r"align .*run --lexicon N"):
        read_lexicon(shard.folder, "aa", "bb")
    aligner = learn_shard(shard, 200, AlignSettings())
    write_lexicons(shard, aligner, 3)
    for source, target, shift in (("aa", "bb", 0), ("bb", "aa", 90)):
        table = read_lexicon(shard.folder, source, target)
        assert table.shape == (200, 3)
        assert table.dtype == np.uint16
        words = np.arange(10, 10 + WORDS) + shift
        assert (table[words, 0] == (words - 90 if shift else words + 90)).all()
    assert not best_translations(aligner, aligner.forward, 2)[5].any()  # no piece of the text


def test_only_the_lexicons_of_chosen_language_pairs_are_written(tmp_path: Path) -> None:
    run = tmp_path / "run"
    prepare(load_recipe(write_recipe(tmp_path)), run)
    with pytest.raises(UsageError, match="no sentence pairs of aa-cc"):
        module.align_run(run, AlignSettings(pairs=("aa-cc",)))
    module.align_run(run, AlignSettings(pairs=("bb-aa",), links=False), lexicon=3)
    [shard] = (run / "shards").iterdir()
    assert read_lexicon(shard, "aa", "bb").shape[1] == 3
    assert not list(shard.glob("links*"))


def test_settings_and_runs_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Choose one of intersection"):
        AlignSettings(heuristic="best")
    with pytest.raises(UsageError, match="iterations is 0"):
        AlignSettings(iterations=0)
    with pytest.raises(DataError, match="has no data"):
        module.align_run(tmp_path, AlignSettings())
    with pytest.raises(DataError, match="nothing to align"):
        learn(list, 10, iterations=1, limit=10)


@given(LINKS_SETS)
def test_links_as_text(links: set[Link]) -> None:
    assert parse_links(format_links(links)) == (links, links)


def test_gold_text_has_possible_links_and_nothing_else() -> None:
    assert parse_links("0-1 2p3\n") == ({(0, 1)}, {(0, 1), (2, 3)})
    for bad in ("0", "0-", "-1", "a-b", "0:1", "1-2-3", "²-1", "0--1"):
        with pytest.raises(DataError, match="is no link"):
            parse_links(bad)


def test_score_counts_as_its_authors_do() -> None:
    score = AlignmentScore()
    assert (score.error_rate, score.precision, score.recall) == (0, 1, 1)
    score.add({(0, 0), (1, 1), (2, 0)}, sure={(0, 0), (2, 2)}, possible={(1, 1)})
    assert score.precision == pytest.approx(2 / 3)
    assert score.recall == pytest.approx(1 / 2)
    assert score.error_rate == pytest.approx(1 - (1 + 2) / (3 + 2))
    assert between_words({(0, 0), (1, 0), (2, 1)}, [0, 0, 1], [0, 1]) == {(0, 0), (1, 1)}
