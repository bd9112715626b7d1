"""The learned planner: which splits there are, which is taken, and the questions it makes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.planning import LEARNED, LINGUISTIC, by_language, nested
from graph.planning.check import check, rank
from graph.planning.clauses import present
from graph.planning.insitu import fronted
from graph.planning.learned import applied, learned, likelihoods, load_weights, prepared
from graph.planning.splits import LONGEST

SPLITS = {
    "Where was the band that recorded the album Glass Harbour formed?": [
        "Which band recorded the album Glass Harbour?",
        "Where was #1 formed?",
    ],
    "Glass Harbour is a song by a Danish rock band formed in what year?": [
        "Glass Harbour is a song by which Danish rock band?",
        "In what year was #1 formed?",
    ],
    "Ida Holm grew up in a town in what county?": [
        "Ida Holm grew up in which town?",
        "In what county is #1?",
    ],
}


@pytest.mark.parametrize("question", SPLITS)
def test_a_description_is_asked_for_first_in_the_question_s_own_words(question: str) -> None:
    plan = rank(question, by_language(question))[0]
    assert [step.text for step in plan.steps] == SPLITS[question]


def test_the_probabilities_of_all_splits_and_of_none_sum_to_one() -> None:
    chances = likelihoods(prepared("Where was the band that recorded Glass Harbour formed?"))
    assert sum(chances) == pytest.approx(1)
    assert len(chances) > 2


def test_a_question_with_nothing_to_split_is_left_whole() -> None:
    found = learned("Who painted Glass Harbour?")
    assert found.whole > 0.5
    assert all(chance < 0.35 for _, chance in found.plans)


def test_a_question_too_long_to_split_gets_no_plan() -> None:
    assert learned("Where was " + "the band of " * LONGEST + "Rome formed?").plans == []


def test_the_two_parts_of_a_nested_split_hold_every_word_of_the_question() -> None:
    question = "Where was the band that recorded Glass Harbour formed?"
    ready = prepared(question)
    for split in ready.splits:
        assert "".join(ready.parts(split)) == question
        if split.kind == "nested":
            before, phrase, after = ready.parts(split)
            space = " " if phrase.endswith(" ") else ""
            assert applied(ready, split, 3)[1] == f"{before}#3{space}{after}"


def test_an_agreeing_plan_is_proposed_once_and_trusted_as_grammar_is() -> None:
    plans = nested("Who is the mother of the director of the film Glass Harbour?")
    assert [plan.planner for plan in plans[:1]] == [LINGUISTIC]
    assert plans[0].score == pytest.approx(0.8)
    firsts = [plan.steps[0].text for plan in plans if len(plan.steps) == len(plans[0].steps)]
    assert len(firsts) == len(set(firsts))


def test_kinship_keeps_its_trust_though_no_word_of_it_can_be_split() -> None:
    question = "Who is the maternal grandfather of Ida Holm?"
    plan = rank(question, by_language(question))[0]
    assert (plan.planner, plan.score) == (LINGUISTIC, pytest.approx(0.8))


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("#1 was formed in what year?", "In what year was #1 formed?"),
        ("#2 is of what nationality?", "Of what nationality is #2?"),
        ("#1 has how many residents?", "How many residents does #1 have?"),
        ("#1 won what award in 1995?", "#1 won what award in 1995?"),
        ("Where was #1 formed?", "Where was #1 formed?"),
    ],
)
def test_a_question_word_at_the_end_comes_first(said: str, asked: str) -> None:
    assert fronted(said) == asked


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="the a of who in is was band Film Rome's, #1?\"()", max_size=60))
def test_any_text_gets_splits_of_known_probability(text: str) -> None:
    if not text.strip():
        return
    found = learned(text)
    assert 0 <= found.whole <= 1
    for steps, chance in found.plans:
        assert steps and 0 < chance <= 1


def test_every_learned_plan_that_is_ranked_passes_the_check() -> None:
    for question in SPLITS:
        for plan in rank(question, by_language(question)):
            assert check(question, plan) == []
            assert plan.planner in {LEARNED, LINGUISTIC}


def test_the_shipped_weights_know_all_three_ways() -> None:
    kinds = {sign.partition(":")[0] for sign in load_weights().signs}
    assert kinds == {"whole", "nested", "in_situ"}


@pytest.mark.parametrize(
    ("question", "asked", "then"),
    [
        (
            "Who directed the film starring Ida Holm and Bo Ek?",
            "Which film stars Ida Holm and Bo Ek?",
            "Who directed #1?",
        ),
        (
            "In what year was the actor, who played Tom in Glass Harbour, born?",
            "Who played Tom in Glass Harbour?",
            "In what year was #1 born?",
        ),
    ],
)
def test_the_parts_of_a_split_are_asked_as_a_person_would(
    question: str, asked: str, then: str
) -> None:
    plans = rank(question, by_language(question))
    assert [step.text for step in plans[0].steps] == [asked, then]


def test_a_verb_is_put_into_the_present_of_one() -> None:
    verbs = ["star", "watch", "carry", "play", "be", "have", "go", "focus"]
    assert [present(verb) for verb in verbs] == [
        "stars",
        "watches",
        "carries",
        "plays",
        "is",
        "has",
        "goes",
        "focuses",
    ]
