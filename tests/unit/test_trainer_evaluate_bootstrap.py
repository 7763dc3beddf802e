import pytest
from sacrebleu.metrics import BLEU

from mltranslate.errors import DataError
from mltranslate_train.evaluate.bootstrap import compare
from mltranslate_train.evaluate.metrics import bleu, join_pieces, ter

REFERENCES = [f"the {one} dog saw {two} red birds today" for one in ("old", "big", "sad")
              for two in ("ten", "six", "two", "four")]  # fmt: skip
WORSE = [text.replace("saw", "was").replace("red birds", "bird") for text in REFERENCES]
MIXED = [*REFERENCES[:6], *WORSE[6:]]
METRICS = ["chrF2++", "BLEU", "TER"]


def test_identical_systems_do_not_differ() -> None:
    found = compare(WORSE, list(WORSE), REFERENCES, "en", samples=200)
    assert [item.metric for item in found] == METRICS
    for item in found:
        assert item.p_value == 1.0
        assert (item.difference.mean, item.difference.reach) == (0.0, 0.0)
        assert item.first == item.second
        assert item.first_score == item.second_score


def test_a_plain_difference_is_significant_and_has_the_right_sign() -> None:
    chrf, bleu_, ter_ = compare(WORSE, REFERENCES, REFERENCES, "en", samples=200)
    for better in (chrf, bleu_):
        assert better.p_value < 0.05
        assert better.difference.mean - better.difference.reach > 0
        assert better.second_score == pytest.approx(100.0)
    assert ter_.difference.mean + ter_.difference.reach < 0
    assert ter_.second_score == 0.0
    assert chrf.sentences == len(REFERENCES)


def test_swapping_the_systems_turns_the_difference_round() -> None:
    for there, back in zip(
        compare(WORSE, MIXED, REFERENCES, "en", samples=200),
        compare(MIXED, WORSE, REFERENCES, "en", samples=200),
        strict=True,
    ):
        assert there.difference.mean == pytest.approx(-back.difference.mean)
        assert there.p_value == back.p_value
        assert there.first == back.second


def test_the_signature_names_resamples_and_seed() -> None:
    for item in compare(WORSE, MIXED, REFERENCES, "en", samples=150):
        assert "bs:150" in item.signature
        assert "seed:12345" in item.signature
    tokenized = compare(WORSE, MIXED, REFERENCES, "en", tokenized=True, samples=150)
    assert "tok:none" in tokenized[1].signature


def test_degenerate_lists_are_refused() -> None:
    with pytest.raises(DataError, match="one sentence cannot be resampled"):
        compare(["a"], ["a"], ["a"], "en")
    with pytest.raises(DataError, match="0 translations"):
        compare([], [], [], "en")
    with pytest.raises(DataError, match=r"1 translations cannot be scored.*2 references"):
        compare(["a", "b"], ["a"], ["a", "b"], "en")


def test_ter_counts_edits_a_reference_word() -> None:
    # One substitution among four words, then also one insertion.
    assert ter(["a b c x"], ["a b c d"], "en").value == pytest.approx(25.0)
    assert ter(["a b c x y"], ["a b c d"], "en").value == pytest.approx(50.0)
    assert "asian:yes" in ter(["我很好"], ["我很好"], "zh").signature
    assert ter(["我很坏"], ["我很好"], "zh").value == pytest.approx(100 / 3)


def test_tokenised_text_is_scored_as_it_is() -> None:
    hypotheses, references = ["a man isn 't there ."], ["a man isn 't here ."]
    ours = bleu(hypotheses, references, "de", tokenized=True)
    theirs = BLEU(tokenize="none").corpus_score(hypotheses, [references])
    assert ours.value == theirs.score
    assert "tok:none" in ours.signature


def test_pieces_are_joined_by_their_mark() -> None:
    assert join_pieces("ein mo@@ gul@@ s fährt ei@@", "@@") == "ein moguls fährt ei"
    assert join_pieces("a@@b @@ c", "@@") == "a@@b c"
    assert join_pieces("mo@@ gul", "") == "mo@@ gul"
    assert join_pieces("mo￭ gul￭ s", "￭") == "moguls"
