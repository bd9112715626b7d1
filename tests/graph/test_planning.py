"""Planning by grammar: what a question is split into, in English and Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.planning import by_language, propose
from graph.planning.check import check, rank
from graph.planning.language import expected_type
from graph.planning.masking import Masked
from graph.types import AnswerType, Operator, Plan

CHAINS = {
    "Who is the mother of the director of film Polish-Russian War (Film)?": [
        "Who is the director of film Polish-Russian War (Film)?",
        "Who is the mother of #1?",
    ],
    "Where did the composer of film What'S Your Husband Doing?? die?": [
        "Who is the composer of film What'S Your Husband Doing???",
        "Where did #1 die?",
    ],
    "When was the director of film Mr. Orchid (1946 Film) born?": [
        "Who is the director of film Mr. Orchid (1946 Film)?",
        "When was #1 born?",
    ],
    "When is the director of film The Price She Paid 's birthday?": [
        "Who is the director of film The Price She Paid?",
        "What is the birthday of #1?",
    ],
    "What is the date of death of Henry Lascelles, 5Th Earl Of Harewood's father?": [
        "Who is Henry Lascelles, 5Th Earl Of Harewood's father?",
        "What is the date of death of #1?",
    ],
    "Which country the performer of song Long Black Limousine is from?": [
        "Who is the performer of song Long Black Limousine?",
        "Which country is #1 from?",
    ],
    "Which award did the singer of Hungry Eyes win?": [
        "Who is the singer of Hungry Eyes?",
        "Which award did #1 win?",
    ],
    "What was the population of the city where Penobscot Marine Museum is located?": [
        "In which city is Penobscot Marine Museum located?",
        "What was the population of #1?",
    ],
    "When did the woman who played Ripley in Alien marry?": [
        "Who played Ripley in Alien?",
        "When did #1 marry?",
    ],
    "What is the population of the capital of the country where Lagos is located?": [
        "In which country is Lagos located?",
        "What is the capital of #1?",
        "What is the population of #2?",
    ],
    "Who is the maternal grandfather of Agnes Of Burgundy, Duchess Of Aquitaine?": [
        "Who is the mother of Agnes Of Burgundy, Duchess Of Aquitaine?",
        "Who is the father of #1?",
    ],
    "The Kellock Commission was appointed by a prime minister who served how long in office?": [
        "The Kellock Commission was appointed by which prime minister?",
        "#1 served how long in office?",
    ],
    "《霸王别姬》的导演的母亲是谁？": ["《霸王别姬》的导演是谁？", "#1的母亲是谁？"],
    "饰演程蝶衣的那位演员出生在哪里？": ["谁饰演程蝶衣？", "#1出生在哪里？"],
    "周树人的外祖父是谁？": ["周树人的母亲是谁？", "#1的父亲是谁？"],
    "《三体》的作者出生的城市的人口是多少？": [
        "《三体》的作者是谁？",
        "#1出生的城市是什么？",
        "#2的人口是多少？",
    ],
}


def first_plan(question: str) -> Plan:
    return rank(question, by_language(question))[0]


@pytest.mark.parametrize("question", CHAINS)
def test_a_nested_question_is_asked_from_the_inside_out(question: str) -> None:
    assert [step.text for step in first_plan(question).steps] == CHAINS[question]


COMPARISONS = [
    (
        "Which film has the director who was born first, Lola (1981 Film) or One Minute To Play?",
        ["Who is the director of Lola (1981 Film)?", "Who is the director of One Minute To Play?"],
        ["When was #1 born?", "When was #2 born?"],
        Operator.EARLIER,
        ("Lola (1981 Film)", "One Minute To Play"),
    ),
    (
        "Who is younger, Daniel Darc or Thomas Worthington (Governor)?",
        [],
        ["When was Daniel Darc born?", "When was Thomas Worthington (Governor) born?"],
        Operator.LATER,
        ("Daniel Darc", "Thomas Worthington (Governor)"),
    ),
    (
        "Which singer is older, Shirley Manson or Jim Kerr?",
        [],
        ["When was Shirley Manson born?", "When was Jim Kerr born?"],
        Operator.EARLIER,
        ("Shirley Manson", "Jim Kerr"),
    ),
    (
        "Which band has more constant members, Lilys or Ratatat?",
        [],
        [
            "How many constant members does Lilys have?",
            "How many constant members does Ratatat have?",
        ],
        Operator.LARGER,
        ("Lilys", "Ratatat"),
    ),
    (
        "Are director of film Seenu (1999 Film) and director of film Crash And Burn both from the "
        "same country?",
        ["Who is the director of Seenu (1999 Film)?", "Who is the director of Crash And Burn?"],
        ["What nationality is #1?", "What nationality is #2?"],
        Operator.SAME,
        (),
    ),
    (
        "Do both films Kraurya and Penniless Hearts have the directors that share the same "
        "nationality?",
        ["Who is the director of Kraurya?", "Who is the director of Penniless Hearts?"],
        ["What nationality is #1?", "What nationality is #2?"],
        Operator.SAME,
        (),
    ),
    (
        "Are both villages, Stanari and Krasnoye, Belgorod Oblast, located in the same country?",
        [],
        ["In which country is Stanari?", "In which country is Krasnoye, Belgorod Oblast?"],
        Operator.SAME,
        (),
    ),
    (
        "Does Rafael Novoa (Actor) have the same nationality as Gayleen Aiken?",
        [],
        ["What nationality is Rafael Novoa (Actor)?", "What nationality is Gayleen Aiken?"],
        Operator.SAME,
        (),
    ),
    (
        "Were Frank Tashlin and George Kuchar both animators?",
        [],
        ["What is Frank Tashlin?", "What is George Kuchar?"],
        Operator.BOTH,
        ("animators",),
    ),
    (
        "Was Ada Lovelace born before Alan Turing?",
        [],
        ["When was Ada Lovelace born?", "When was Alan Turing born?"],
        Operator.EARLIER,
        ("yes", "no"),
    ),
    (
        "What country of origin does Eric Lucassen and Mark Rutte have in common?",
        [],
        [
            "What is the country of origin of Eric Lucassen?",
            "What is the country of origin of Mark Rutte?",
        ],
        Operator.INTERSECTION,
        (),
    ),
    (
        "哪部电影的导演更早出生，《活着》还是《英雄》？",
        ["《活着》的导演是谁？", "《英雄》的导演是谁？"],
        ["#1是什么时候出生的？", "#2是什么时候出生的？"],
        Operator.EARLIER,
        ("《活着》", "《英雄》"),
    ),
    (
        "张艺谋和陈凯歌谁年纪更大？",
        [],
        ["张艺谋是什么时候出生的？", "陈凯歌是什么时候出生的？"],
        Operator.EARLIER,
        ("张艺谋", "陈凯歌"),
    ),
    (
        "《活着》和《霸王别姬》的导演是同一个国家的吗？",
        ["《活着》的导演是谁？", "《霸王别姬》的导演是谁？"],
        ["#1是哪国人？", "#2是哪国人？"],
        Operator.SAME,
        (),
    ),
]


@pytest.mark.parametrize(
    ("question", "bridges", "compared", "operator", "labels"),
    COMPARISONS,
    ids=[row[0] for row in COMPARISONS],
)
def test_a_comparison_looks_up_each_side_and_ends_in_its_operator(
    question: str,
    bridges: list[str],
    compared: list[str],
    operator: Operator,
    labels: tuple[str, ...],
) -> None:
    *lookups, last = first_plan(question).steps
    assert [step.text for step in lookups] == bridges + compared
    assert (last.operator, last.labels) == (operator, labels)
    assert last.arguments == (len(bridges) + 1, len(bridges) + 2)


@pytest.mark.parametrize(
    "question",
    [
        "Who directed The Godfather?",
        "In what year was Marie Curie born?",
        "What kind of acts of resistance did Martin Luther King, Jr. support?",
        "中国的首都是哪里？",
        "北京大学的校长是谁？",
        "《格斗天王》的主演人员有哪些？",
    ],
)
def test_a_question_with_nothing_nested_gets_no_plan_of_steps(question: str) -> None:
    assert [p for p in rank(question, by_language(question)) if len(p.steps) > 1] == []


def test_kinship_with_two_readings_gives_two_plans_the_likelier_first() -> None:
    question = "Who is the aunt of Diana Forbes-Robertson?"
    plans = rank(question, by_language(question))
    assert [plan.steps[0].text for plan in plans] == [
        "Who is the father of Diana Forbes-Robertson?",
        "Who is the mother of Diana Forbes-Robertson?",
    ]
    assert plans[0].score > plans[1].score


TITLES = ["Film (1965 Film)", "Of Mice And Men", "Anne Of Cleves", "Wagon Train", "Rio Bravo"]
ROLES = ["director", "composer", "producer", "author"]
KIN = ["mother", "father", "spouse", "child"]


@settings(max_examples=40, deadline=None)
@given(
    title=st.sampled_from(TITLES),
    role=st.sampled_from(ROLES),
    kin=st.lists(st.sampled_from(KIN), min_size=1, max_size=3),
)
def test_a_chain_of_any_depth_unwinds_to_its_links(title: str, role: str, kin: list[str]) -> None:
    question = f"Who is the {' of the '.join([*kin, role])} of {title}?"
    expected = [f"Who is the {role} of {title}?"]
    expected += [f"Who is the {k} of #{n}?" for n, k in enumerate(reversed(kin), 1)]
    assert [step.text for step in first_plan(question).steps] == expected


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=120))
def test_any_text_gets_plans_that_pass_the_check_or_none(text: str) -> None:
    for plan in rank(text, by_language(text)):
        assert check(text, plan) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*TITLES, "who", "the", "of", ",", "or", "director"]), max_size=12))
def test_masking_loses_no_word_of_a_question(words: list[str]) -> None:
    question = " ".join(["Who", *words])
    masked = Masked(question)
    assert masked.unmask(masked.text).rstrip("?").split() == question.split()


def test_a_common_noun_in_capitals_begins_no_name() -> None:
    assert Masked("Who is the CEO of Acme Corp's owner?").titles() == ["Acme Corp"]
    assert Masked("Who wrote MPLA of Angola?").titles() == ["MPLA of Angola"]
    asked = [
        [step.text for step in plan.steps] for plan in by_language("Who is the CEO of A B's owner?")
    ]
    assert ["Who is A B's owner?", "Who is the CEO of #1?"] in asked


@pytest.mark.parametrize("thing", ["countrywide", "the bank"])
def test_when_something_was_done_is_not_which_one_was(thing: str) -> None:
    plan = first_plan(f"When was {thing} bought by the company that built Fort Hill?")
    assert [step.text for step in plan.steps] == [
        "Which company built Fort Hill?",
        f"When was {thing} bought by #1?",
    ]
    assert plan.steps[-1].expects is AnswerType.DATE


async def test_the_whole_question_is_always_the_last_plan() -> None:
    question = "Who is the mother of the director of film Rio Bravo?"
    plans = await propose(question)
    assert len(plans) > 1
    assert [step.text for step in plans[-1].steps] == [question]
    assert plans[-1].planner == "whole-question"


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("Who sang the #1 hit of 1990?", "Who sang the No. 1 hit of 1990?"),
        ("Who wrote #9 Dream?", "Who wrote No. 9 Dream?"),
        ("What was new in C#7?", "What was new in C# 7?"),
    ],
)
async def test_a_number_sign_of_the_user_s_refers_to_no_step(question: str, whole: str) -> None:
    plans = await propose(question)
    assert [step.text for step in plans[-1].steps] == [whole]
    assert all(check(whole, plan) == [] for plan in plans)


@pytest.mark.parametrize(
    ("question", "steps"),
    [
        ("Titanic的导演出生在哪里", ["Titanic的导演是谁？", "#1出生在哪里？"]),
        (
            "The Dark Knight 的导演出生在哪里？",
            ["The Dark Knight的导演是谁？", "#1出生在哪里？"],
        ),
        (
            "《 活着 》 的导演1997年获得了什么奖？",
            ["《活着》的导演是谁？", "#1 1997年获得了什么奖？"],
        ),
        (
            "Titanic和Avatar哪个更早上映？",
            [
                "Titanic是什么时候上映的？",
                "Avatar是什么时候上映的？",
                "Titanic和Avatar哪个更早上映？",
            ],
        ),
    ],
)
def test_a_chinese_question_may_hold_latin_letters_and_digits(
    question: str, steps: list[str]
) -> None:
    assert [step.text for step in first_plan(question).steps] == steps


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who founded Rome?", AnswerType.PERSON),
        ("What film director was born in Ulm?", AnswerType.PERSON),
        ("In what year was it released?", AnswerType.DATE),
        ("#1 is based in what Ohio city?", AnswerType.PLACE),
        ("#1 served how long in office?", AnswerType.NUMBER),
        ("Are they from the same country?", AnswerType.YES_NO),
        ("What is it called?", AnswerType.ANY),
        ("#1出生在哪里？", AnswerType.PLACE),
        ("他们是同一个人吗？", AnswerType.YES_NO),
        ("What is the gauge of the Victorian lines?", AnswerType.ANY),
        ("What was the reason the Italian court gave?", AnswerType.ANY),
        ("What is the name of the director?", AnswerType.PERSON),
        ("Which award did the performer of Air receive?", AnswerType.ANY),
        ("In what area were the grants?", AnswerType.PLACE),
        ("In what area does he live?", AnswerType.PLACE),
        ("What area does the park cover?", AnswerType.NUMBER),
        ("他出生那年的美国总统是谁？", AnswerType.PERSON),
        ("他在那年搬到了哪里？", AnswerType.PLACE),
        ("他出生在那一年？", AnswerType.DATE),
        ("How often does Doctor Who travel alone?", AnswerType.ANY),
        ("他於什麼時候辭職？", AnswerType.DATE),
        ("誰寫的？", AnswerType.PERSON),
        ("位於哪裡？", AnswerType.PLACE),
        ("他葬在何處？", AnswerType.PLACE),
        ("政府如何處理這個問題？", AnswerType.ANY),
        ("他為何處境困難？", AnswerType.ANY),
        ("他住在哪兒？", AnswerType.PLACE),
        ("他有許多高明的決定但是被誰所託累了？", AnswerType.PERSON),
    ],
)
def test_the_expected_answer_type_follows_the_question_word_and_its_noun(
    question: str, kind: AnswerType
) -> None:
    assert expected_type(question) is kind
