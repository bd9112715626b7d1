"""Reciprocal rank fusion: its formula and its symmetries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.fusion import Rankings, fused_hits, in_turns, rrf
from retrievers.passage import Passage

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


@given(rankings, st.data())
def test_weight_of_a_ranking_scales_what_it_adds(
    lists: list[list[int]], data: st.DataObject
) -> None:
    weights = [data.draw(st.floats(0.1, 4)) for _ in lists]
    fused = dict(rrf(lists, weights=weights))

    alone = [dict(rrf([ranking], weights=[w])) for ranking, w in zip(lists, weights, strict=True)]
    for item, score in fused.items():
        assert score == pytest.approx(sum(scores.get(item, 0) for scores in alone))
    assert rrf(lists, weights=[1.0] * len(lists)) == rrf(lists)


# ── in turns ──────────────────────────────────────────────────────────────────────────────────


def test_rankings_take_turns_and_a_known_item_costs_none() -> None:
    assert in_turns([["a", "b", "c"], ["a", "x"], ["y"]]) == ["a", "x", "y", "b", "c"]


@given(rankings)
def test_every_item_has_its_turn_once(lists: list[list[int]]) -> None:
    merged = in_turns(lists)

    assert len(set(merged)) == len(merged)
    assert set(merged) == {item for ranking in lists for item in ranking}


@given(rankings, st.integers(0, 15))
def test_no_ranking_is_crowded_out(lists: list[list[int]], rounds: int) -> None:
    merged = in_turns(lists)
    first = set(merged[: rounds * len(lists)])

    for ranking in lists:
        assert set(list(dict.fromkeys(ranking))[:rounds]) <= first


@given(st.lists(st.integers(), unique=True), st.integers(1, 4))
def test_rankings_that_agree_take_turns_as_one(ranking: list[int], copies: int) -> None:
    assert in_turns([ranking] * copies) == ranking


# ── hits ──────────────────────────────────────────────────────────────────────────────────────


def loaded(ids: list[str]) -> dict[str, Passage]:
    return {id_: Passage(id=id_, text=id_) for id_ in ids}


def test_hit_tells_its_place_in_every_list() -> None:
    found = Rankings(lexical=["a", "b"], dense=["b"], title=["c"], phrase=["b", "a"])
    hits = {hit.passage.id: hit for hit in fused_hits(found, 10, loaded)}

    b = hits["b"]
    assert (b.lexical_rank, b.dense_rank, b.title_rank, b.phrase_rank) == (1, 0, None, 0)
    assert hits["c"].title_rank == 0
    assert hits["c"].score == pytest.approx(1 / 61)


def test_named_title_lifts_a_passage_over_those_of_equal_words() -> None:
    [first, *_] = fused_hits(Rankings(lexical=["a", "b"], dense=["a", "b"], title=["b"]), 1, loaded)

    assert first.passage.id == "b"


small = st.lists(st.text("abcd", min_size=1, max_size=1), unique=True)


@given(small, small, small, small, st.integers(-1, 5))
def test_hits_are_the_best_of_all_lists(
    lexical: list[str], dense: list[str], title: list[str], phrase: list[str], k: int
) -> None:
    hits = fused_hits(Rankings(lexical, dense, title, phrase), k, loaded)

    assert len(hits) == min(max(k, 0), len({*lexical, *dense, *title, *phrase}))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
