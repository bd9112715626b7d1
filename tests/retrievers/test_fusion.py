"""Reciprocal rank fusion: its formula and its symmetries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.fusion import rrf

rankings = st.lists(st.lists(st.integers(0, 30), max_size=15), max_size=5)


def test_score_is_the_sum_of_reciprocal_ranks() -> None:
    fused = dict(rrf([["a", "b"], ["b", "c"]]))

    assert fused == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62})


def test_what_both_rankings_hold_beats_the_first_of_one() -> None:
    assert [item for item, _ in rrf([["a", "x"], ["b", "x"]])] == ["x", "a", "b"]


@given(rankings)
def test_every_item_comes_once_best_first(lists: list[list[int]]) -> None:
    fused = rrf(lists)

    assert {item for item, _ in fused} == {item for ranking in lists for item in ranking}
    assert len({item for item, _ in fused}) == len(fused)
    assert [score for _, score in fused] == sorted((s for _, s in fused), reverse=True)


@given(rankings, st.randoms(use_true_random=False))
def test_order_of_the_rankings_does_not_matter(lists: list[list[int]], random: object) -> None:
    shuffled = list(lists)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert rrf(shuffled) == rrf(lists)


@given(st.lists(st.integers(), unique=True), st.integers(1, 4))
def test_rankings_that_agree_are_kept(ranking: list[int], copies: int) -> None:
    assert [item for item, _ in rrf([ranking] * copies)] == ranking


@given(rankings)
def test_an_item_that_rises_in_one_ranking_never_loses(lists: list[list[int]]) -> None:
    for ranking in lists:
        if len(ranking) < 2:
            continue
        item = ranking[-1]
        raised = [[item, *ranking] if r is ranking else r for r in lists]
        assert dict(rrf(raised))[item] >= dict(rrf(lists))[item]
