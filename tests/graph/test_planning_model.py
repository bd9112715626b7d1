"""How a model writes the steps of a plan, and what an adapter is trained to write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.planning import by_language
from graph.planning.check import check
from graph.planning.model import plan_prompt, propose_by_model, step_of, written_step
from graph.types import AnswerType, Operator, SubQuestion
from training.planner.plans import break_plans, hop_plans, plan_rows
from training.reader.examples import DevelopmentQuestionError

CHOICE = "Which film came out first, Blind Shaft or The Mask Of Fu Manchu?"
_LABELS = st.text(st.characters(categories=["L", "N", "Zs"]), min_size=1).map(str.strip)


@given(
    st.sampled_from(Operator),
    st.lists(st.integers(1, 8), min_size=1, max_size=4),
    st.lists(_LABELS.filter(bool), max_size=3),
)
def test_an_operator_is_read_as_it_is_written(
    operator: Operator, arguments: list[int], labels: list[str]
) -> None:
    step = SubQuestion(
        text=CHOICE,
        kind="operator",
        operator=operator,
        arguments=tuple(arguments),
        labels=tuple(labels),
    )
    read = step_of(written_step(step), CHOICE)
    assert read.model_copy(update={"expects": step.expects}) == step


@given(st.text(min_size=1))
def test_any_text_of_a_step_is_read(text: str) -> None:
    step = step_of(text, CHOICE)
    assert step.kind == "operator" or step.text == text


@pytest.mark.parametrize(
    "text", ["earlier", "earlier of the two", "later of #1 and #2", "best of #1"]
)
def test_what_only_looks_like_an_operator_is_a_question(text: str) -> None:
    assert step_of(text, CHOICE).kind == "lookup"


async def _propose(question: str, *steps: str) -> list[SubQuestion]:
    async def complete(prompt: str, schema: dict[str, object]) -> str:
        return json.dumps({"steps": steps})

    plan = await propose_by_model(question, complete)
    assert plan is not None
    assert check(question, plan) == []
    return list(plan.steps)


async def test_a_model_can_compare_what_it_looked_up() -> None:
    steps = await _propose(
        CHOICE,
        "When was Blind Shaft released?",
        "When was The Mask Of Fu Manchu released?",
        "earlier of #1, #2: Blind Shaft | The Mask Of Fu Manchu",
    )
    last = steps[-1]
    assert (last.operator, last.arguments, last.text) == (Operator.EARLIER, (1, 2), CHOICE)
    assert last.labels == ("Blind Shaft", "The Mask Of Fu Manchu")


async def test_an_agreement_answers_yes_or_no() -> None:
    steps = await _propose(
        "Are Stanari and Krasnoye in the same country?",
        "In which country is Stanari?",
        "In which country is Krasnoye?",
        "same of #1, #2",
    )
    assert steps[-1].expects is AnswerType.YES_NO


@pytest.mark.parametrize(
    "question",
    [
        CHOICE,
        "Who is the child of the director of film Devotion (1929 Film)?",
        "Were Joe Gallivan and John Loone from the same country?",
    ],
)
def test_a_plan_of_grammar_can_be_written_and_read_again(question: str) -> None:
    plan = by_language(question)[0]
    read = [step_of(written_step(step), question) for step in plan.steps]
    assert read == list(plan.steps)


@pytest.mark.parametrize("question", [CHOICE, "《色，戒》的导演出生在哪里？"])
def test_the_prompt_of_a_trained_model_is_the_shorter_one(question: str) -> None:
    short, long = (plan_prompt(question, trained=trained) for trained in (True, False))
    assert question in short
    assert len(short) < len(long) / 2


# ── what the adapter is trained on ────────────────────────────────────────────────────────────


def _rows(folder: Path, name: str, *rows: dict[str, object]) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


BAND = {
    "id": "HOTPOT_dev_1",
    "question": "Where was the band that recorded Glass Harbour formed?",
    "steps": ["return the band that recorded Glass Harbour", "return where was #1 formed"],
    "operators": "['select', 'project']",
}


def test_a_chain_of_break_becomes_questions_in_the_question_s_words(tmp_path: Path) -> None:
    [(number, row)] = break_plans(_rows(tmp_path, "plans.jsonl", BAND))
    assert (number, row.kind) == (0, "bridge")
    assert row.plan.steps == ["Which band recorded Glass Harbour?", "Where was #1 formed?"]


def test_a_plan_of_grammar_that_misses_the_gold_hops_is_not_trained_on(tmp_path: Path) -> None:
    asked = "Who is the child of the director of film Devotion (1929 Film)?"
    gold = [["Devotion", "director", "A"], ["A", "child", "B"]]
    wrong = [["Devotion", "director", "A"], ["A", "spouse", "B"]]
    rows = [
        {"question": asked, "type": "compositional", "answer": "B", "evidences": hops}
        for hops in (gold, wrong)
    ]
    found = list(hop_plans(_rows(tmp_path, "hops.jsonl", *rows)))
    assert [number for number, _ in found] == [0]


def _data(folder: Path, development: str) -> Path:
    _rows(folder, "hotpotqa/questions.jsonl", {"question": development})
    other = BAND | {"question": "Where was the band that recorded Blue Harbour formed?"}
    other["steps"] = ["return the band that recorded Blue Harbour", "return where was #1 formed"]
    _rows(folder, "train/plans-break.jsonl", BAND, other)
    for name in ("hops-2wikimultihopqa", "reading-xquad-en", "plans-strategyqa"):
        _rows(folder, f"train/{name}.jsonl")
    return folder


def test_a_development_question_is_not_trained_on(tmp_path: Path) -> None:
    data = _data(tmp_path, "Where was the band that recorded Blue Harbour formed?")
    train, held = plan_rows(data, 10, {})
    assert (len(train), [row.question for row in held]) == (0, [BAND["question"]])


def test_a_step_that_is_a_development_question_fails_the_training(tmp_path: Path) -> None:
    data = _data(tmp_path, "Which band recorded Blue Harbour?")
    with pytest.raises(DevelopmentQuestionError, match="Blue Harbour"):
        plan_rows(data, 10, {})
