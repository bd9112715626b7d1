"""Questions of numbers and of two things: which are looked up, and what is computed."""

from __future__ import annotations

import pytest

from graph.operators import apply
from graph.planning import WHOLE, by_language
from graph.planning.arithmetic import decompose_arithmetic
from graph.planning.check import rank
from graph.types import Operator

PLANS = [
    (
        "How many years after the Treaty of Essen was signed did Holm leave the League?",
        ["When was the Treaty of Essen signed?", "When did Holm leave the League?"],
        Operator.DIFFERENCE,
        ["3 May 1901", "7 June 1911"],
        "10 years",
    ),
    (
        "How many years older is Ida Holm than Per Lind?",
        ["When was Ida Holm born?", "When was Per Lind born?"],
        Operator.DIFFERENCE,
        ["1 May 1950", "2 June 1961"],
        "11 years",
    ),
    (
        "How many more Emmy Awards has Ida Holm won than Per Lind?",
        ["How many Emmy Awards has Ida Holm won?", "How many Emmy Awards has Per Lind won?"],
        Operator.DIFFERENCE,
        ["7", "4"],
        "3",
    ),
    (
        "What is the combined population of Essen and Lund?",
        ["What is the population of Essen?", "What is the population of Lund?"],
        Operator.SUM,
        ["500,000", "90,000"],
        "590000",
    ),
    (
        "How many children did Ida Holm have?",
        ["Who are the children of Ida Holm?"],
        Operator.COUNT,
        ["Anna, Per and Lise"],
        "3",
    ),
    (
        "Was either Ida Holm or Per Lind born in Indiana?",
        ["Where was Ida Holm born?", "Where was Per Lind born?"],
        Operator.EITHER,
        ["Lund, Sweden", "Gary, Indiana"],
        "yes",
    ),
    (
        "Are Lund Airport and Essen Airport both located in Oregon?",
        ["Where is Lund Airport located?", "Where is Essen Airport located?"],
        Operator.BOTH,
        ["Salem, Oregon", "Reno, Nevada"],
        "no",
    ),
    (
        "Rimo Peak and Passu Sar are both located in which country?",
        ["In what country is Rimo Peak located?", "In what country is Passu Sar located?"],
        Operator.INTERSECTION,
        ["Pakistan", "Pakistan"],
        "Pakistan",
    ),
    (
        "What film studio produced both Glass Harbour and The Long Pier?",
        [
            "What film studio produced Glass Harbour?",
            "What film studio produced The Long Pier?",
        ],
        Operator.INTERSECTION,
        ["Nordisk", "Nordisk"],
        "Nordisk",
    ),
]


@pytest.mark.parametrize(("question", "asked", "operator", "answers", "answer"), PLANS)
def test_two_lookups_and_the_operator_that_answers(
    question: str, asked: list[str], operator: Operator, answers: list[str], answer: str
) -> None:
    plan = rank(question, by_language(question))[0]
    assert [step.text for step in plan.steps[:-1]] == asked
    assert plan.steps[-1].operator is operator
    computed = apply(plan.steps[-1], dict(enumerate(answers, 1)))
    assert computed.answer == answer


def test_a_list_is_counted_only_after_the_number_was_sought() -> None:
    question = "How many children did Ida Holm have?"
    assert rank(question, by_language(question))[0].score < WHOLE


def test_who_lived_longer_is_two_differences_and_the_larger() -> None:
    question = "Who lived longer, Ida Holm or Per Lind?"
    plan = rank(question, by_language(question))[0]
    answers = {1: "1900", 2: "1910", 3: "1980", 4: "1985"}
    for number in (5, 6):
        age = apply(plan.steps[number - 1], answers).answer
        assert age is not None
        answers[number] = age
    assert apply(plan.steps[-1], answers).answer == "Ida Holm"


@pytest.mark.parametrize(
    "question",
    [
        "How many years did the war last?",
        "How much is the fish?",
        "What is the population of Essen?",
        "How many people live in Essen and Lund?",
    ],
)
def test_nothing_is_computed_where_nothing_is_compared(question: str) -> None:
    assert decompose_arithmetic(question) is None
