"""What makes a plan wrong, what a model may propose, and how references are filled."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.planning import by_language, propose
from graph.planning.check import MAX_STEPS, check, rank
from graph.planning.substitute import fill, references, rewordings
from graph.types import AnswerType, Operator, Plan, SubQuestion
from prompts.loader import render

QUESTION = "Who is the mother of the director of film Rio Bravo (1959 Film)?"
DIRECTOR = SubQuestion(text="Who is the director of film Rio Bravo (1959 Film)?")
MOTHER = SubQuestion(text="Who is the mother of #1?", expects=AnswerType.PERSON)


def plan(*steps: SubQuestion, score: float = 0.5) -> Plan:
    return Plan(steps=steps, planner="test", score=score)


def asked(text: str, expects: AnswerType = AnswerType.ANY) -> SubQuestion:
    return SubQuestion(text=text, expects=expects)


def operator(kind: Operator | None, *arguments: int, labels: tuple[str, ...] = ()) -> SubQuestion:
    return SubQuestion(
        text="Which?", kind="operator", operator=kind, arguments=arguments, labels=labels
    )


def test_a_right_plan_has_no_problems() -> None:
    assert check(QUESTION, plan(DIRECTOR, MOTHER)) == []


@pytest.mark.parametrize(
    "question",
    [
        "Which American musician was born first, Ann Lee or Bo Ek?",
        "Which 1970's musician was born first, Ann Lee or Bo Ek?",
        "which award-winning Danish musician was born first, Ann Lee or Bo Ek?",
    ],
)
def test_what_both_things_of_a_choice_are_may_be_left_unsaid(question: str) -> None:
    plans = rank(question, by_language(question))
    assert [step.text for step in plans[0].steps[:2]] == [
        "When was Ann Lee born?",
        "When was Bo Ek born?",
    ]


@pytest.mark.parametrize(
    "question",
    [
        "Which film was not released first, Air or Sea?",
        "Who never lived longer, Ann Lee or Bo Ek?",
        "Are Ann Lee and Bo Ek not American?",
        "Do Air and Sea not have the same director?",
        "Which film whose director was not born later, Air or Sea?",
        "哪部电影没有先上映，《红高粱》还是《霸王别姬》？",
        "林若川和高木健不都是中国人吗？",
        "《甲》和《乙》的导演国籍不相同吗？",
    ],
)
def test_a_comparison_that_is_negated_is_left_whole(question: str) -> None:
    assert by_language(question)
    assert rank(question, by_language(question)) == []


@pytest.mark.parametrize(
    ("question", "step"),
    [
        (
            "Where was the director of the film that did not win an Oscar born?",
            "Which film did not win an Oscar?",
        ),
        (
            "Which country did the director of Air not come from?",
            "Which country did #1 not come from?",
        ),
        ("《甲》的导演没有去过哪个国家？", "#1没有去过哪个国家？"),
        # in a title nothing is negated
        ("Which film was released first, “Not Now” or “Never”?", "When was “Not Now” released?"),
    ],
)
def test_a_negation_that_a_plan_keeps_does_not_hinder_it(question: str, step: str) -> None:
    plans = rank(question, by_language(question))
    assert step in [each.text for each in plans[0].steps]


_NOT_SAID = (
    ("Which film was{} released first, Air or Sea?", " not"),
    ("Who was{} older, Ann Lee or Bo Ek?", " never"),
    ("Were Ann Lee and Bo Ek{} born in the same country?", " not"),
    ("Are Air and Sea{} both films?", " not"),
    ("Who is the mother of the director who did{} direct Air?", " not"),
    ("Where did the founder of Air{} die?", " not"),
    ("Who{} directed the film that won the Prize?", " never"),
    ("林若川和高木健谁{}出生更早？", "不是"),
    ("林若川和高木健{}是同一个国家的人吗？", "不"),
    ("{}执导《甲》的导演出生在哪里？", "没有"),
    ("《甲》的导演{}出生在哪里？", "并非"),
)


@given(st.sampled_from(_NOT_SAID))
def test_a_negated_question_is_never_planned_as_its_opposite(said: tuple[str, str]) -> None:
    def texts(question: str) -> set[tuple[str, ...]]:
        plans = rank(question, by_language(question))
        return {tuple(s.text for s in p.steps if s.kind == "lookup") for p in plans}

    asked, negation = said
    assert not texts(asked.format("")) & texts(asked.format(negation))


def test_a_name_behind_what_is_chosen_may_not_be_left_unsaid() -> None:
    question = "Which musician moved to Denmark first, Ann Lee or Bo Ek?"
    steps = [asked("When was Ann Lee born?"), asked("When was Bo Ek born?")]
    chosen = operator(Operator.EARLIER, 1, 2, labels=("Ann Lee", "Bo Ek"))
    assert "“Denmark” is in no step" in check(question, plan(*steps, chosen))


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([DIRECTOR, asked("Who is the mother of #2?")], "refers to #2"),
        ([asked("Who is the director of #2?"), DIRECTOR], "refers to #2"),
        ([DIRECTOR, asked("Who is the mother of #7?")], "refers to #7"),
        ([DIRECTOR, asked("Who is the mother of #0?")], "refers to #0"),
        ([DIRECTOR, asked("Who is his mother?")], "not used"),
        ([asked(QUESTION.upper()), asked("Who is #1?")], "repeats the question"),
        ([DIRECTOR, DIRECTOR, asked("Who is #1 and #2?")], "repeats step 1"),
        ([asked("Who is the director?"), MOTHER], "is in no step"),
        ([asked("the director of Rio Bravo (1959 Film)"), MOTHER], "asks nothing"),
        ([DIRECTOR, asked("When was #1 born?", AnswerType.DATE)], "answers with a date"),
        ([DIRECTOR, asked("What film did #1?")], "auxiliary without a verb"),
        ([asked("Who is the director of Rio Bravo (1959 Film) and?"), MOTHER], "no whole question"),
        ([asked("Who is the of Rio Bravo (1959 Film)?"), MOTHER], "no whole question"),
        ([asked("Who is the where Rio Bravo (1959 Film) was made?"), MOTHER], "no whole question"),
        ([DIRECTOR, MOTHER, operator(None, 1, 2)], "without its kind"),
        ([DIRECTOR, MOTHER, operator(Operator.SAME, 1)], "too few"),
        ([DIRECTOR, MOTHER, operator(Operator.EARLIER, 1, 2, labels=("a", "b", "c"))], "labels"),
        ([asked(f"Who is number {n}?") for n in range(MAX_STEPS + 1)], "more than"),
        ([DIRECTOR, asked(f"Who is the mother of #1{' x' * 300}?")], "usable length"),
    ],
)
def test_a_wrong_plan_is_refused_with_its_reason(steps: list[SubQuestion], problem: str) -> None:
    assert any(problem in found for found in check(QUESTION, plan(*steps)))
    assert rank(QUESTION, [plan(*steps)]) == []


def test_a_year_of_the_question_may_not_get_lost() -> None:
    question = "Who was the mother of the king who ruled in 1381?"
    lost = plan(asked("Who was the king?"), asked("Who was the mother of #1?"))
    assert check(question, lost) == ["“1381” is in no step"]


def test_a_latin_name_of_a_chinese_question_may_not_get_lost() -> None:
    lost = plan(asked("这部电影的导演是谁？"), asked("#1出生在哪里？"))
    assert check("Titanic的导演出生在哪里？", lost) == ["“Titanic” is in no step"]


@settings(deadline=None)
@given(st.lists(st.integers(min_value=-1, max_value=9), min_size=1, max_size=MAX_STEPS))
def test_a_checked_plan_only_refers_backwards(targets: list[int]) -> None:
    steps = [asked(f"Who is person {n} of #{target}?") for n, target in enumerate(targets)]
    if not check("Who?", plan(*steps)):
        for number, step in enumerate(steps, 1):
            assert all(1 <= reference < number for reference in references(step.text))


@settings(deadline=None)
@given(st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=5))
def test_ranking_keeps_one_of_equal_plans_and_the_whole_question(scores: list[float]) -> None:
    same = [plan(DIRECTOR, MOTHER, score=score) for score in scores]
    whole = plan(asked(QUESTION), score=0.0)
    kept = rank(QUESTION, [whole, *same])
    assert whole in kept
    assert [p.score for p in kept if len(p.steps) == 2] == [max(scores)]


@settings(deadline=None)
@given(st.text(), st.dictionaries(st.integers(min_value=0, max_value=12), st.text()))
def test_filling_references_never_fails_and_leaves_unknown_ones(
    text: str, answers: dict[int, str]
) -> None:
    filled = fill(text, answers)
    if not references(text):
        assert filled == text


def test_an_answer_that_looks_like_a_reference_is_not_filled_again() -> None:
    assert fill("Who sang #1 after #2?", {1: "#2", 2: "Ann"}) == "Who sang #2 after Ann?"


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("When was #1 born?", "What is the date of birth of #1?"),
        ("Who is Ann Lee's father?", "Who is the father of Ann Lee?"),
        ("Who is the director of film A {0} (1959 Film)?", "Who directed film A {0} (1959 Film)?"),
        ("《活着》的导演是谁？", "谁是《活着》的导演？"),
        ("#1出生在哪里？", "#1的出生地是什么地方？"),
    ],
)
def test_a_reworded_question_asks_the_same_in_other_words(text: str, other: str) -> None:
    assert rewordings(text)[0] == other


@pytest.mark.parametrize(
    ("text", "wider"),
    [
        ("Who starred in Up (2009 film)?", ["Who starred in Up?"]),
        ("王牌（电影）是谁导演的？", ["王牌是谁导演的？"]),
        ("Who was king of France in 1500?", []),  # of another year another was
        ("How many moles of Fe(OH)3 form?", []),
        ("Who starred (if anyone) in #1?", ["Who starred in #1?"]),
        ("Who starred in #1 (not #2)?", []),
    ],
)
def test_where_no_other_words_are_known_a_question_is_generalised(
    text: str, wider: list[str]
) -> None:
    assert rewordings(text) == wider


@settings(deadline=None)
@given(st.text(max_size=80))
def test_rewordings_keep_every_reference_and_differ(text: str) -> None:
    question = f"Who is the mother of {text} #3?"
    for wording in rewordings(question):
        assert wording != question
        assert 3 in references(wording)


class FakeModel:
    """Writes what it is told, well-formed or not."""

    def __init__(self, written: str) -> None:
        self.written = written
        self.prompts: list[str] = []

    async def __call__(self, prompt: str, schema: dict[str, Any]) -> str:
        assert "steps" in schema["properties"]
        self.prompts.append(prompt)
        return self.written


# Grammar finds nothing to split here, so the model is asked.
OPEN = "Who taught Rio Bravo enough to win?"


async def test_a_model_plan_comes_before_the_whole_question() -> None:
    written = '{"steps": ["What is Rio Bravo?", "Who taught #1?"]}'
    model = FakeModel(f"Sure! {written}")
    plans = await propose(OPEN, model)
    assert [p.planner for p in plans] == ["model", "whole-question"]
    assert OPEN in model.prompts[0]


@pytest.mark.parametrize(
    "written",
    [
        "",
        "no JSON here",
        '{"steps": []}',
        '{"steps": ["  "]}',
        '{"steps": ["Who taught #2?", "Who won Rio Bravo?"]}',
        '{"steps": ["Who taught Rio Bravo enough to win?", "Who is #1?"]}',
        '{"steps": ["Who?"], "score": 1}',
    ],
)
async def test_what_the_model_says_counts_only_if_the_check_lets_it(written: str) -> None:
    plans = await propose(OPEN, FakeModel(written))
    assert [p.planner for p in plans] == ["whole-question"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_planning_prompt_holds_the_question_as_it_is(language: str) -> None:
    assert "Why $100 {x} ${question}?" in render(
        "plan", language, question="Why $100 {x} ${question}?"
    )


def test_a_template_that_lacks_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="question"):
        render("plan", "en")


def test_an_unknown_template_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        render("no_such_prompt", "en")


@pytest.mark.parametrize(
    ("question", "steps"),
    [
        (
            "Who died first, the actor who never married or Bob Ray?",
            ("When did the actor who never married die?", "When did Bob Ray die?"),
        ),
        (
            "Which died out first, the city without a river or Rome?",
            ("When did the city without a river die out?", "When did Rome die out?"),
        ),
    ],
)
def test_a_negation_that_describes_what_is_compared_is_kept_there(
    question: str, steps: tuple[str, str]
) -> None:
    earlier = SubQuestion(
        text=question,
        kind="operator",
        operator=Operator.EARLIER,
        arguments=(1, 2),
        labels=("one", "other"),
    )
    plan = Plan(steps=(*(SubQuestion(text=s) for s in steps), earlier), planner="test", score=0.8)
    assert not [problem for problem in check(question, plan) if "may hold it" in problem]
