"""Trust in sources: learned from agreement with what others decide, and set by a person."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support_cases import FRAMES, QUESTION, candidate, case, hit

from graph.support import explain, vote
from graph.support.building import answers, support_graph
from graph.support.trust import LEAST, REMEMBERED, UNNAMED, Record, lessons, together, trust
from graph.types import StepResult, Voting

WEIGHTED = Voting(scoring="weighted")
TRUE, FALSE = "Jindřich Polák", "Jan Novák"


def decided(
    said: list[tuple[str, str]], voting: Voting = WEIGHTED
) -> tuple[StepResult, dict[str, str]]:
    """Return a verdict over (source, answer) pairs, one passage each, and the passages' sources."""
    hits = [hit(n, FRAMES[n].format(text), source=source) for n, (source, text) in enumerate(said)]
    read = [candidate(h, text, score=0.9) for h, (_, text) in zip(hits, said, strict=True)]
    result = vote(QUESTION, hits, read, voting=voting)
    return result, {h.passage.id: h.passage.source for h in hits}


def test_who_agrees_with_what_others_decide_has_agreed_and_who_does_not_has_not() -> None:
    found = lessons(*decided([("a", TRUE), ("b", TRUE), ("c", TRUE), ("liar", FALSE)]))
    assert found["a"].agreed > 0 and found["a"].disagreed == 0
    assert found["liar"].disagreed > 0 and found["liar"].agreed == 0


def test_a_source_does_not_confirm_itself() -> None:
    assert "a" not in lessons(*decided([("a", TRUE)]))
    assert "a" not in lessons(*decided([("a", TRUE), ("a", TRUE)]))


def test_a_copy_elsewhere_confirms_nobody() -> None:
    text = FRAMES[0].format(TRUE)
    hits = [hit(0, text, source="a"), hit(1, text, source="mirror")]
    read = [candidate(h, TRUE, score=0.9) for h in hits]
    found = lessons(vote(QUESTION, hits, read, voting=WEIGHTED), {"p0": "a", "p1": "mirror"})
    assert found == {}


def test_who_states_the_winner_agrees_whatever_else_was_read_there() -> None:
    hits = [hit(n, FRAMES[n].format(TRUE), source=name) for n, name in enumerate("abc")]
    read = [candidate(h, TRUE, score=0.9) for h in hits[:2]]
    read.append(candidate(hits[2], "academy", score=0.9))
    found = lessons(
        vote(QUESTION, hits, read, voting=WEIGHTED), {f"p{n}": "abc"[n] for n in (0, 1, 2)}
    )
    assert found["c"].seen == 1
    assert found["c"].disagreed == 0


def test_a_failure_teaches_nothing() -> None:
    assert lessons(vote(QUESTION, [], []), {}) == {}


def test_passages_without_a_source_only_tell_how_much_agreement_is_usual() -> None:
    found = lessons(*decided([("", TRUE), ("", TRUE), ("", TRUE), ("liar", FALSE)]))
    assert found[UNNAMED].agreed > 0
    assert set(trust(found)) == {"liar"}


def test_a_source_that_keeps_lying_loses_its_vote_to_an_honest_one() -> None:
    said = [("a", TRUE), ("b", TRUE), ("c", TRUE), ("liar", FALSE)]
    records: dict[str, Record] = {}
    for _ in range(40):
        records = together(records, [lessons(*decided(said))])
    trusts = trust(records)
    assert trusts["liar"] < 0.3
    assert trusts["a"] == 1
    result, _ = decided([("a", TRUE), ("liar", FALSE)], Voting(scoring="weighted", sources=trusts))
    assert result.verdict is not None
    assert result.verdict.answer == TRUE
    ballot = result.verdict.clusters[1].ballots[0]
    assert ballot.trust == {"liar": trusts["liar"]}


def test_the_explanation_tells_the_trust_that_changed_a_vote() -> None:
    result, _ = decided([("gossip.example", TRUE)], Voting(sources={"gossip.example": 0.5}))
    assert "the source gossip.example is trusted 0.50 of 1" in explain(result)
    full, _ = decided([("gossip.example", TRUE)])
    assert "gossip.example" not in explain(full)


def test_where_passages_seldom_confirm_each_other_to_be_unconfirmed_is_no_fault() -> None:
    usual = {name: Record(seen=60, agreed=5, disagreed=45) for name in ("a", "b", "c")}
    assert min(trust(usual).values()) > 0.8
    alone = trust({"a": usual["a"], UNNAMED: Record(seen=90, agreed=80, disagreed=10)})
    assert alone["a"] < 0.3


counts = st.floats(min_value=0, max_value=80)
records = st.builds(
    Record, seen=st.integers(min_value=0, max_value=500), agreed=counts, disagreed=counts
)
all_records = st.dictionaries(st.sampled_from([UNNAMED, "a", "b", "c"]), records)


@given(all_records, records, st.floats(min_value=0.1, max_value=10))
def test_trust_never_falls_with_agreement_nor_rises_with_disagreement(
    others: dict[str, Record], record: Record, more: float
) -> None:
    def trusted(changed: Record) -> float:
        return trust(others | {"it": changed})["it"]

    agreed = record.model_copy(update={"agreed": record.agreed + more})
    disagreed = record.model_copy(update={"disagreed": record.disagreed + more})
    assert trusted(agreed) >= trusted(record) - 1e-12
    assert trusted(disagreed) <= trusted(record) + 1e-12
    assert agreed.share(0.8) > record.share(0.8) or record.disagreed == 0
    assert disagreed.share(0.8) < record.share(0.8)


@given(all_records)
def test_trust_lies_between_the_least_and_one(found: dict[str, Record]) -> None:
    trusts = trust(found)
    assert all(LEAST <= value <= 1 for value in trusts.values())
    assert UNNAMED not in trusts


@given(all_records, st.dictionaries(st.sampled_from(["a", "z"]), st.floats(0, 1)))
def test_what_a_person_set_stands(found: dict[str, Record], given_trust: dict[str, float]) -> None:
    assert given_trust.items() <= trust(found, given_trust).items()


@given(records, records)
def test_what_was_seen_long_ago_fades(old: Record, new: Record) -> None:
    both = old.and_then(new)
    assert both.seen == old.seen + new.seen
    limit = max(REMEMBERED, new.agreed + new.disagreed)
    assert both.agreed + both.disagreed <= limit + 1e-6


names = st.sampled_from([TRUE, FALSE, "Karel Zeman", "Věra Chytilová"])
told = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), names), min_size=1, max_size=6)
trusts = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.floats(0, 1))


@settings(deadline=None, max_examples=40)
@given(told, trusts)
def test_trust_never_changes_which_answers_are_possible(
    said: list[tuple[str, str]], trusted: dict[str, float]
) -> None:
    hits = [hit(n, FRAMES[n].format(text), source=source) for n, (source, text) in enumerate(said)]
    read = [candidate(h, text) for h, (_, text) in zip(hits, said, strict=True)]
    plain = support_graph(QUESTION, hits, read)
    weighed = support_graph(QUESTION, hits, read, trust=trusted)
    assert answers(weighed) == answers(plain)


@settings(deadline=None, max_examples=40)
@given(told, st.sampled_from(["a", "b", "c"]), st.floats(0, 1))
# Two answers that tie but for rounding.
@example([*[(s, "Jindřich Polák") for s in "aba"], ("a", "Karel Zeman")], "b", 0.0)
@pytest.mark.parametrize("scoring", ["learned", "weighted"])
def test_less_trust_never_strengthens_an_answer(
    scoring: str, said: list[tuple[str, str]], source: str, trusted: float
) -> None:
    strengths = []
    for sources in ({}, {source: trusted}):
        voting = Voting.model_validate({"scoring": scoring, "sources": sources})
        result, _ = decided(said, voting)
        clusters = result.verdict.clusters if result.verdict is not None else ()
        strengths.append({cluster.text: cluster.strength for cluster in clusters})
    before, after = strengths
    for text, strength in after.items():
        assert strength <= before.get(text, 1.0) + 1e-9


def test_an_unknown_source_is_trusted_fully() -> None:
    hits, read = case([(TRUE, 0.7)])
    result = vote(QUESTION, hits, read)
    assert result.verdict is not None
    assert result.verdict.clusters[0].ballots[0].trust == {}
