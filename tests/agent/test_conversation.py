"""How a question in a conversation is understood, and that a complete one stays as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.answer import Answer, PathTaken, StepTaken, Tree, Usage
from agent.conversation import Mention, Turn, turn_of, understand
from agent.conversation.turns import Gender, names
from agent.sample import questions_path
from graph.types import AnswerType, Plan, StepResult, SubQuestion, Verdict
from retrievers.analysis import language_of

DATE, PERSON, PLACE, NUMBER = (
    AnswerType.DATE,
    AnswerType.PERSON,
    AnswerType.PLACE,
    AnswerType.NUMBER,
)


def turn(
    question: str,
    answer: tuple[str, AnswerType, Gender | None],
    step: tuple[str, str] | None = None,
) -> Turn:
    """A turn with its answer, and perhaps a person found on the way and the last sub-question."""
    said = [Mention(text=answer[0], kind=answer[1], gender=answer[2], role="answer")]
    if step is not None:
        said.append(Mention(text=step[0], kind=PERSON, role="step"))
    known = {mention.text for mention in said}
    named = [m for m in names(question, language_of(question)) if m.text not in known]
    return Turn(
        question=question,
        answer=answer[0],
        last_step=step[1] if step else None,
        mentions=(*said, *named),
    )


PIANIST = turn(
    "When was the pianist who recorded Live at Shelly's Manne-Hole born?",
    ("September 23, 1935", DATE, None),
    ("Les McCann", "When was Les McCann born?"),
)
HUSBAND = turn("Who is the husband of Marie Curie?", ("Pierre Curie", PERSON, "male"))
DIRECTOR = turn(
    "When was the director of Inception born?",
    ("30 July 1970", DATE, None),
    ("Christopher Nolan", "When was Christopher Nolan born?"),
)
PRIZE = turn("Who won the Nobel Prize in Physics in 1921?", ("Albert Einstein", PERSON, None))
CITY = turn("Where was Ada Roe born?", ("Turku", PLACE, None))
MOTHER = turn("永昌大君的母亲是谁？", ("仁穆王后", PERSON, "female"))
FILM = turn("《没问题先生》的首映票房是多少？", ("1830万美元", NUMBER, None))
BANK = turn("香港上海汇丰银行哪一年在巴拿马城开设代表处？", ("1972年", DATE, None))


# ── pronouns ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "asked", "understood"),
    [
        (PIANIST, "Where was he born?", "Where was Les McCann born?"),
        (PIANIST, "And when did he die?", "When did Les McCann die?"),
        (PIANIST, "When was it recorded?", "When was Live at Shelly's Manne-Hole recorded?"),
        (PIANIST, "Did Ramsey Lewis play with him?", "Did Ramsey Lewis play with Les McCann?"),
        (
            PIANIST,
            "When did he and his wife marry?",
            "When did Les McCann and his wife marry?",
        ),
        (PRIZE, "Who is his first wife?", "Who is Albert Einstein's first wife?"),
        (CITY, "Who else was born there?", "Who else was born in Turku?"),
        (CITY, "Which river runs through that city?", "Which river runs through Turku?"),
        (MOTHER, "她是哪一年出生的？", "仁穆王后是哪一年出生的？"),
        (MOTHER, "他的妻子是谁？", "永昌大君的妻子是谁？"),
        (MOTHER, "谁是她的父亲？", "谁是仁穆王后的父亲？"),
        (FILM, "它是哪一年上映的？", "《没问题先生》是哪一年上映的？"),
        (FILM, "这部电影的导演是谁？", "《没问题先生》的导演是谁？"),
        (FILM, "其导演是谁？", "《没问题先生》的导演是谁？"),
        (BANK, "该银行的总部在哪里？", "香港上海汇丰银行的总部在哪里？"),
    ],
)
def test_a_pronoun_stands_for_what_was_last_named_of_its_kind(
    before: Turn, asked: str, understood: str
) -> None:
    found = understand(asked, [before])
    assert (found.asked, found.question) == (asked, understood)
    assert found.changed and found.why


@pytest.mark.parametrize(
    ("asked", "understood"),
    [
        ("When was he born?", "When was Pierre Curie born?"),
        ("When was she born?", "When was Marie Curie born?"),
    ],
)
def test_a_pronoun_never_stands_for_a_person_of_the_other_gender(
    asked: str, understood: str
) -> None:
    assert understand(asked, [HUSBAND]).question == understood


def test_what_fits_is_sought_further_back_where_the_last_turn_names_nothing_of_the_kind() -> None:
    assert understand("Who were his parents?", [PRIZE, FILM, BANK]).question == (
        "Who were Albert Einstein's parents?"
    )


def test_a_pronoun_for_which_nothing_was_named_is_left_and_told() -> None:
    found = understand("Who was born there?", [PIANIST])
    assert not found.changed
    assert "“there” refers to nothing" in found.why
    found = understand("那里有多少人口？", [MOTHER])
    assert not found.changed
    assert "那里" in found.why


# ── questions cut short ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "asked", "understood"),
    [
        (HUSBAND, "and his mother?", "Who is the mother of Pierre Curie?"),
        (HUSBAND, "And her mother?", "Who is the mother of Marie Curie?"),
        (PIANIST, "and his wife?", "When was the wife of Les McCann born?"),
        (PIANIST, "his birthplace?", "What is the birthplace of Les McCann?"),
        (MOTHER, "她的丈夫呢？", "仁穆王后的丈夫是谁？"),
        (PIANIST, "and Ramsey Lewis?", "When was Ramsey Lewis born?"),
        (PIANIST, "What about Ramsey Lewis?", "When was Ramsey Lewis born?"),
        (DIRECTOR, "and the film Dunkirk?", "When was the director of the film Dunkirk born?"),
        (HUSBAND, "and Angela Merkel?", "Who is the husband of Angela Merkel?"),
        (MOTHER, "光海君呢？", "光海君的母亲是谁？"),
        (BANK, "花旗银行呢？", "花旗银行哪一年在巴拿马城开设代表处？"),
        (DIRECTOR, "and the producer?", "When was the producer of Inception born?"),
        (HUSBAND, "and the daughter?", "Who is the daughter of Marie Curie?"),
        (MOTHER, "那父亲呢？", "永昌大君的父亲是谁？"),
        (BANK, "总部呢？", "香港上海汇丰银行的总部是哪里？"),
        (CITY, "And when?", "When was Ada Roe born?"),
        (BANK, "为什么？", "香港上海汇丰银行为什么在巴拿马城开设代表处？"),
        (PRIZE, "and in 1922?", "Who won the Nobel Prize in Physics in 1922?"),
    ],
)
def test_a_question_cut_short_repeats_the_one_before_with_one_thing_exchanged(
    before: Turn, asked: str, understood: str
) -> None:
    found = understand(asked, [before])
    assert found.question == understood
    assert found.why


@pytest.mark.parametrize("asked", ["hello", "ramsey lewis?", "and in 1922?", "何时？"])
def test_a_fragment_that_nothing_completes_is_left_and_told(asked: str) -> None:
    found = understand(asked, [HUSBAND, MOTHER] if asked == "何时？" else [HUSBAND])
    assert not found.changed
    assert found.why


def test_a_name_that_could_take_the_place_of_two_is_not_put_anywhere() -> None:
    older = turn("Who is older, Ada Roe or Mary Poe?", ("Ada Roe", PERSON, None))
    assert not understand("and Jane Doe?", [older]).changed


# ── nothing else changes ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "asked",
    [
        "Who is the mother of Ann Lee?",
        "Which actor married his co-star?",
        "Where did Bob say he was born?",
        "What is the population of Paris and its area?",
        "Is it true that Paris is big?",
        "How long does it take to reach Paris?",
        "Is there a film by Nolan?",
        "Who was a lawyer before he became president?",
        "其他成员有谁？",
        "吉他是谁发明的？",
        "他信是谁？",
        "土耳其的首都是哪里？",
        "永昌大君和他的母亲是谁？",
    ],
)
def test_a_complete_question_stays_letter_by_letter(asked: str) -> None:
    for before in ([], [PIANIST, HUSBAND, CITY], [MOTHER, FILM, BANK]):
        found = understand(asked, before)
        assert (found.question, found.why) == (asked, "")


@pytest.mark.parametrize(
    "before", [[HUSBAND, CITY, DIRECTOR], [BANK, FILM, MOTHER]], ids=["en", "zh"]
)
def test_no_question_of_the_sample_leans_on_a_conversation(before: list[Turn]) -> None:
    lines = questions_path().read_text(encoding="utf-8").splitlines()
    for question in (json.loads(line)["question"] for line in lines):
        assert understand(question, before).question == question


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_text_is_understood_without_failing_and_alone_stays_as_it_is(text: str) -> None:
    assert understand(text, []).question == text
    found = understand(text, [PIANIST, MOTHER])
    assert found.asked == text
    assert found.why or not found.changed


# ── what a turn remembers ─────────────────────────────────────────────────────────────────────


def test_a_turn_remembers_the_answer_then_the_steps_then_the_names() -> None:
    def taken(number: int, question: str, answer: str) -> StepTaken:
        verdict = Verdict(answer=answer, confidence=0.9, margin=0.5)
        return StepTaken(step=number, result=StepResult(question=question, verdict=verdict))

    plan = Plan(
        steps=(
            SubQuestion(text="Who is the mother of Ann Lee?", expects=PERSON),
            SubQuestion(text="Where was #1 born?", expects=PLACE),
        ),
        planner="linguistic",
        score=0.8,
    )
    path = PathTaken(
        number=1,
        plan=0,
        origin="plan 1",
        steps=(
            taken(1, "Who is the mother of Ann Lee?", "Mary Poe"),
            taken(2, "Where was Mary Poe born?", "Turku"),
        ),
        answer="Turku",
        confidence=0.8,
    )
    question = "Where was the mother of Ann Lee born?"
    answer = Answer(
        run="r",
        question=question,
        status="answered",
        answer="Turku",
        text="Turku.",
        confidence=0.8,
        citations=(),
        passages=(),
        notices=(),
        tree=Tree(question=question, plans=(plan,), paths=(path,)),
        usage=Usage(),
    )
    remembered = turn_of(answer)
    assert [(m.text, m.kind, m.role) for m in remembered.mentions] == [
        ("Turku", PLACE, "answer"),
        ("Mary Poe", PERSON, "step"),
        ("Ann Lee", PERSON, "name"),
    ]
    assert remembered.mentions[1].gender == "female"
    assert remembered.last_step == "Where was Mary Poe born?"
    assert understand("Who is her husband?", [remembered]).question == (
        "Who is Mary Poe's husband?"
    )


@pytest.mark.shared
@pytest.mark.parametrize("name", ["hotpotqa", "2wikimultihopqa", "musique"])
def test_no_development_question_leans_on_a_conversation(name: str) -> None:
    path = Path(__file__).parents[3] / "shared" / "data" / name / "questions.jsonl"
    if not path.exists():
        pytest.skip(f"the development set {path} is not there")
    for line in path.read_text(encoding="utf-8").splitlines():
        question = json.loads(line)["question"]
        assert understand(question, [HUSBAND, CITY, MOTHER]).question == question
