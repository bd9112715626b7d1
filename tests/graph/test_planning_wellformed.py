"""Which sub-questions are no whole questions, and that whole ones are let through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.planning import by_language
from graph.planning.check import check, rank
from graph.planning.learned import learned
from graph.planning.wellformed import flaw
from graph.types import Plan, SubQuestion

TRAIN = Path(__file__).parents[3] / "shared" / "data" / "train"


@pytest.mark.parametrize(
    "text",
    [
        "Where does Velvet Heron?",
        "What date did the Mayor of Lisbon?",
        "Which organization did DHC 87 ?",
        "What university did the winner of #1?",
        "Where does #1 at in Ohio?",
    ],
)
def test_an_auxiliary_needs_a_verb(text: str) -> None:
    assert flaw(text) == "has an auxiliary without a verb"


@pytest.mark.parametrize(
    "text",
    [
        "In which town is St. Olaf located end?",
        "Who is the author of The Book of Tides think Saturn?",
        "Where did Ada Lindqvist was in relation to the bridge?",
        "What is the county capital is Veldhoven?",
        "What was Ada Lindqvist performed the role of Juliet?",
        "What does #1 was chairman of make?",
    ],
)
def test_one_clause_has_one_verb(text: str) -> None:
    found = flaw(text)
    assert found is not None
    assert "too many" in found


@pytest.mark.parametrize(
    "text",
    [
        "What is the coronation of which prince of the realm?",
        "Who was the wife of who?",
        "What is the album of the band whose singer?",
    ],
)
def test_a_sub_question_asks_one_thing(text: str) -> None:
    assert flaw(text) == "asks two things"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("#1, later had a famous quarrel with what painter?", "another clause"),
        ("Ada Lindqvist, later had a famous quarrel with what painter?", "another clause"),
        ("#2, who won the seat for Oslo?", "another clause"),
        ("#1 magazine played a what in the film?", "a what"),
        ("How many rooms #1?", "no verb"),
        ("Which company owned by #1?", "no verb"),
        ("The opera was finished by #1?", "asks nothing"),
        ("?", "no words"),
    ],
)
def test_what_is_left_of_another_clause_is_no_question(text: str, problem: str) -> None:
    assert problem in str(flaw(text))


@pytest.mark.parametrize(
    "text",
    [
        "Where does #1 live?",
        "Which team does #1 coach?",
        "In what year did the director of Blue Harbour die?",
        "In which series did Ada Lindqvist play Mona Vale?",
        "Who did the voice of #1?",
        "Name a town in Portugal.",
        "Prior to Ada Lindqvist, who was the mayor of #1?",
        "When has Velvet Heron said it will close?",
        "What is the metric they use to rank #1?",
        "What did the people say #1 was called?",
        "In which city is the company that #1 founded located?",
        "Who is the man Ada Lindqvist was married to?",
        "What is the film #1 was in?",
        "Which city that has a castle is the capital of #1?",
        "What is the capital of the country in which #1 was born?",
        "Which film starring #1 was directed by Ada Lindqvist?",
        "When was the song that #1 wrote and sang released?",
        "#1 was founded in which year?",
        "#1, a painter, had a quarrel with whom?",
        "In 2011, who was the leader of #1?",
        "Which stadium hosts games of #1?",
        "What casinos border #1?",
        "How many people live in #1?",
        "Who was named the best player of #1?",
        "Is #1 in Portugal?",
        "Would #1 be older than Ada Lindqvist?",
        "Did #1 and Ada Lindqvist marry?",
    ],
)
def test_whole_questions_are_let_through(text: str) -> None:
    assert flaw(text) is None


NAMES = st.sampled_from(
    ["#1", "#12", "Ada Lindqvist", "The Blue Harbour", "DHC 87", "St. Olaf", "Ulm, Germany"]
)
SHAPES = st.sampled_from(
    [
        "When was {} born?",
        "Where did {} die?",
        "Who is the mother of {}?",
        "Which country is {} from?",
        "Who directed {}?",
        "What is the capital of {}?",
        "In what year was {} founded?",
        "Which award did {} receive?",
        "How many people live in {}?",
    ]
)


@given(SHAPES, NAMES)
def test_a_whole_question_stays_one_whatever_it_names(shape: str, name: str) -> None:
    assert flaw(shape.format(name)) is None


@given(st.text(max_size=60))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert flaw(text) == flaw(text)


def _plan(*texts: str) -> Plan:
    return Plan(steps=tuple(SubQuestion(text=t) for t in texts), planner="test", score=0.5)


def test_a_plan_with_a_broken_sub_question_is_refused_with_its_reason() -> None:
    question = "Which prize did the founder of Velvet Heron win?"
    broken = _plan("Who is the founder of Velvet Heron win?", "Which prize did #1?")
    assert check(question, broken) == ["step 2 has an auxiliary without a verb"]
    assert check(question, _plan("Who founded Velvet Heron?", "Which prize did #1 win?")) == []


def test_a_sub_question_may_have_the_flaw_that_the_question_has() -> None:
    question = "Ada Lindqvist, had a quarrel with the author of which book?"
    assert flaw(question) is not None
    assert flaw(question) is not None
    copied = "Ada Lindqvist, had a quarrel with which author?"
    assert check(question, _plan(copied, "Which book is by #1?")) == []


def test_chinese_sub_questions_are_not_parsed() -> None:
    assert (
        check("《红楼》的作者出生在哪里？", _plan("《红楼》的作者是谁？", "#1出生在哪里？")) == []
    )


def test_the_comma_behind_a_description_goes_with_it() -> None:
    question = "The painter, who founded Velvet Heron, later married what actress?"
    texts = [step.text for steps, _ in learned(question).plans for step in steps]
    assert not any("#1, later" in text for text in texts)


def test_where_one_split_is_broken_the_next_is_walked() -> None:
    question = "What type of tours does the host of Velvet Heron conduct?"
    plans = [plan for plan in rank(question, by_language(question)) if len(plan.steps) > 1]
    assert plans
    assert [step.text for step in plans[0].steps] == [
        "Who is the host of Velvet Heron?",
        "What type of tours does #1 conduct?",
    ]


@pytest.mark.shared
@pytest.mark.skipif(not TRAIN.is_dir(), reason=f"the training sets are not at {TRAIN}")
def test_nearly_all_sub_questions_that_people_wrote_are_let_through() -> None:
    rows = (TRAIN / "plans-strategyqa.jsonl").read_text(encoding="utf-8").splitlines()[1::10]
    texts = {" ".join(text.split()) for row in rows for text in json.loads(row)["steps"]}
    passed = sum(flaw(text) is None for text in texts)
    assert len(texts) > 400
    assert passed / len(texts) >= 0.98
