"""Yes/no questions about one thing: looked up, then judged by a typed operator."""

from __future__ import annotations

import pytest

from graph import operators
from graph.planning import by_language
from graph.planning.kind import decompose_kind
from graph.types import AnswerType, Operator


@pytest.mark.parametrize(
    ("question", "lookups", "kind"),
    [
        (
            "Was Les McCann an American jazz pianist?",
            ["What is Les McCann?"],
            "an American jazz pianist",
        ),
        ("Is Portrait of a Lady a film?", ["What is Portrait of a Lady?"], "a film"),
        (
            "Was the founder of Acme Corporation a lawyer?",
            ["Who is the founder of Acme Corporation?", "What is #1?"],
            "a lawyer",
        ),
        ("Is the Red Fox found in Africa?", ["Where is the Red Fox found?"], "Africa"),
        (
            "Did Les McCann record more than 15 albums?",
            ["How many albums did Les McCann record?"],
            "more than 15",
        ),
        (
            "Was Acme Corporation founded before 1990?",
            ["When was Acme Corporation founded?"],
            "before 1990",
        ),
        ("北京是中国的首都吗？", ["北京是什么？"], "中国的首都"),
    ],
)
def test_what_the_thing_is_is_looked_up_and_judged(
    question: str, lookups: list[str], kind: str
) -> None:
    *sought, judge = by_language(question)[0].steps
    assert [step.text for step in sought] == lookups
    assert (judge.operator, judge.expects) == (Operator.BOTH, AnswerType.YES_NO)
    assert (judge.arguments, judge.labels) == ((len(sought),), (kind,))


@pytest.mark.parametrize(
    ("found", "answer"),
    [("American jazz pianist and vocalist", "yes"), ("American drummer", "no")],
)
def test_the_judge_says_yes_where_the_answer_says_all_of_the_kind(found: str, answer: str) -> None:
    steps = decompose_kind("Was Les McCann an American jazz pianist?")
    assert steps is not None
    assert operators.apply(steps[-1], {1: found}).answer == answer


@pytest.mark.parametrize(
    "question",
    [
        "Who is a lawyer?",
        "Is Ann Lee a member of a band?",
        "Was Ann Lee or Bo Ek a singer?",
        "Is he a lawyer?",
        "Was Ann Lee born in a town?",
        "Is Ann Lee associated with Jazz Fest?",
        "这是什么吗？",
        "谁是导演？",
        "",
    ],
)
def test_other_questions_are_left_to_the_other_planners(question: str) -> None:
    assert decompose_kind(question) is None
