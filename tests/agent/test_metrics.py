"""Metrics against cases computed by hand."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.metrics import exact_match, f1, recall_at


@pytest.mark.parametrize(
    ("prediction", "answer", "em", "overlap"),
    [
        ("The Beatles", "the beatles.", 1.0, 1.0),
        ("Barack Obama", "Obama", 0.0, 2 / 3),  # precision 1/2, recall 1
        ("the cat sat on the mat", "a cat on a mat", 0.0, 6 / 7),  # 3 of 4, 3 of 3
        ("to be or not to be", "to be", 0.0, 1 / 2),  # 2 of 6, 2 of 2
        ("Paris", "London", 0.0, 0.0),
        ("don't", "dont", 1.0, 1.0),
        ("yes", "no", 0.0, 0.0),
        ("yes it is", "yes", 0.0, 0.0),  # HotpotQA: a verdict is right or wrong
        ("the", "a", 1.0, 1.0),
        ("", "Paris", 0.0, 0.0),
    ],
)
def test_english_scores(prediction: str, answer: str, em: float, overlap: float) -> None:
    assert exact_match(prediction, [answer]) == em
    assert f1(prediction, [answer]) == pytest.approx(overlap)


@pytest.mark.parametrize(
    ("prediction", "answer", "em", "overlap"),
    [
        ("四库全书", "《四库全书》", 1.0, 1.0),
        ("四库", "四库全书", 0.0, 2 / 3),  # 2 of 2, 2 of 4
        ("在北京市", "北京", 0.0, 2 / 3),  # 2 of 4, 2 of 2
        ("京北", "北京", 0.0, 1 / 2),  # the longest common run is one character
        ("1998年5月", "1998年", 0.0, 2 / 3),  # 1998, 年 of 1998, 年, 5, 月
        ("Windows 系统", "windows系统", 0.0, 1.0),
        ("上海", "北京", 0.0, 0.0),
    ],
)
def test_chinese_scores(prediction: str, answer: str, em: float, overlap: float) -> None:
    assert exact_match(prediction, [answer]) == em
    assert f1(prediction, [answer]) == pytest.approx(overlap)


def test_the_best_of_answer_and_aliases_counts() -> None:
    assert exact_match("SEN", ["Senegal", "SEN"]) == 1.0
    assert f1("Brian Moynihan", ["Brian Thomas Moynihan", "Moynihan"]) == pytest.approx(0.8)


def test_an_abstention_scores_nothing() -> None:
    assert exact_match(None, ["x"]) == f1(None, ["x"]) == 0.0


def test_recall_counts_the_supporting_passages_in_the_first_k() -> None:
    assert recall_at(2, ["a", "b", "c"], ["a", "c"]) == 0.5
    assert recall_at(3, ["a", "b", "c"], ["a", "c"]) == 1.0
    assert recall_at(5, ["a", "a"], ["a", "c"]) == 0.5
    assert recall_at(5, [], ["a"]) == 0.0
    assert recall_at(5, ["a"], []) is None


def test_recall_counts_the_parts_of_a_document_as_one() -> None:
    assert recall_at(2, ["a#2", "a#1", "a#7", "b", "c"], ["a", "b"]) == 1.0
    assert recall_at(1, ["a#2", "b"], ["a", "b"]) == 0.5
    assert recall_at(5, ["a#12", "a#x", "ab#1"], ["a", "a#x", "b"]) == pytest.approx(2 / 3)


def test_recall_knows_a_document_that_is_called_like_a_part() -> None:
    assert recall_at(1, ["a#1"], ["a#1"]) == 1.0
    assert recall_at(2, ["a#1", "a#2"], ["a#1", "a"]) == 1.0


# Few characters, so that two texts often share some, and are sometimes the same but for the marks.
LATIN = st.text("aAnoéİ1 .,-'", max_size=8)
HAN = st.text("北京市，《》· ", max_size=8).filter(lambda text: re.search("[北京市]", text))


@given(st.one_of(st.tuples(LATIN, LATIN), st.tuples(HAN, HAN)))
def test_f1_is_symmetric_bounded_and_at_least_em_for_one_script(texts: tuple[str, str]) -> None:
    a, b = texts
    assert 0.0 <= exact_match(a, [b]) <= f1(a, [b]) == f1(b, [a]) <= 1.0
    assert exact_match(a, [a]) == 1.0


@given(st.lists(st.sampled_from(["red", "cat", "Yes", "two"]), min_size=1, max_size=6))
def test_an_exact_match_has_full_f1(words: list[str]) -> None:
    text = " ".join(words)
    assert f1(text.upper() + ".", [text]) == exact_match(text.upper() + ".", [text]) == 1.0
