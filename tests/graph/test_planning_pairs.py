"""Questions about two things: each is looked up, and a typed operator judges, shares or chooses."""

from __future__ import annotations

import pytest

from graph.operators import apply
from graph.planning import by_language, whole
from graph.planning.check import check, rank
from graph.planning.comparison import named_choice
from graph.planning.language import expected_type
from graph.support import vote
from graph.types import AnswerType, Candidate, FailureReason, Operator, Plan
from retrievers.passage import Hit, Passage


def first_plan(question: str) -> Plan:
    return rank(question, by_language(question))[0]


@pytest.mark.parametrize(
    ("question", "lookups", "label"),
    [
        (
            "Are Ann Lee and Bo Ek both of Armenian descent?",
            ["Of what descent is Ann Lee?", "Of what descent is Bo Ek?"],
            "Armenian",
        ),
        (
            "Are both Ann Lee and Bo Ek American?",
            ["What nationality is Ann Lee?", "What nationality is Bo Ek?"],
            "American",
        ),
        (
            "Did Ann Lee and Bo Ek both publish more than 15 novels?",
            ["How many novels did Ann Lee publish?", "How many novels did Bo Ek publish?"],
            "more than 15",
        ),
        (
            "Were Blue Dawn and Red Dusk both formed before 2010?",
            ["When was Blue Dawn formed?", "When was Red Dusk formed?"],
            "before 2010",
        ),
        (
            "Did both Ann Lee and Bo Ek work as stage actor?",
            ["What is Ann Lee?", "What is Bo Ek?"],
            "stage actor",
        ),
        (
            "Are Ann Lee and Bo Ek both associated with rock bands?",
            ["What is Ann Lee associated with?", "What is Bo Ek associated with?"],
            "rock bands",
        ),
        ("鲁迅和巴金都是作家吗？", ["鲁迅是什么？", "巴金是什么？"], "作家"),
        ("鲁迅和巴金都是中国人吗？", ["鲁迅是哪国人？", "巴金是哪国人？"], "中国人"),
        ("鲁迅和巴金都出生在绍兴吗？", ["鲁迅出生在哪里？", "巴金出生在哪里？"], "绍兴"),
        (
            "甲公司和乙公司都成立于2010年之前吗？",
            ["甲公司是什么时候成立的？", "乙公司是什么时候成立的？"],
            "早于2010年",
        ),
    ],
)
def test_what_is_said_of_both_is_looked_up_for_each_and_judged(
    question: str, lookups: list[str], label: str
) -> None:
    *sought, judge = first_plan(question).steps
    assert [step.text for step in sought] == lookups
    assert (judge.operator, judge.expects) == (Operator.BOTH, AnswerType.YES_NO)
    assert (judge.text, judge.labels) == (question, (label,))


@pytest.mark.parametrize(
    ("question", "lookups"),
    [
        ("Abies and Cupressus are both what?", ["What is Abies?", "What is Cupressus?"]),
        (
            "Both Kin and The Cove are what type of films?",
            ["What type of film is Kin?", "What type of film is The Cove?"],
        ),
        (
            "To what group of plants do both Abies and Cupressus belong?",
            [
                "To what group of plants does Abies belong?",
                "To what group of plants does Cupressus belong?",
            ],
        ),
        (
            "Polar Bear and Daiquiri are both examples of what?",
            ["What is Polar Bear?", "What is Daiquiri?"],
        ),
        ("冷杉和红豆杉有什么共同点？", ["冷杉是什么？", "红豆杉是什么？"]),
        ("冷杉和红豆杉都属于哪个科？", ["冷杉属于哪个科？", "红豆杉属于哪个科？"]),
    ],
)
def test_what_two_things_share_is_the_intersection_of_two_lookups(
    question: str, lookups: list[str]
) -> None:
    *sought, last = first_plan(question).steps
    assert [step.text for step in sought] == lookups
    assert (last.operator, last.arguments) == (Operator.INTERSECTION, (1, 2))


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        (
            "Which band has released more albums, Kodaline or Rivermaya?",
            "How many albums has Kodaline released?",
        ),
        (
            "Which author has won more Pulitzer Prizes, Ann Lee or Bo Ek?",
            "How many Pulitzer Prizes has Ann Lee won?",
        ),
        (
            "Which plant has more numerous species, Podocarpus or Abies?",
            "How many species does Podocarpus have?",
        ),
        (
            "Between Pine and Butea, which genus has the greatest number of species?",
            "How many species does Pine have?",
        ),
        ("Did Ann Lee or Bo Ek direct more films?", "How many films did Ann Lee direct?"),
        ("甲乐队和乙乐队哪个发行的专辑更多？", "甲乐队发行了多少专辑？"),
        ("北京和上海哪个人口更多？", "北京的人口是多少？"),
    ],
)
def test_what_one_has_more_of_is_counted_for_each(question: str, asked: str) -> None:
    first, _, last = first_plan(question).steps
    assert first.text == asked
    assert (last.operator, len(last.labels)) == (Operator.LARGER, 2)


def test_more_of_a_quality_is_no_count() -> None:
    question = "Is Lola more prevalent in films than Kin?"
    assert rank(question, by_language(question)) == []


def test_something_that_one_has_is_not_measured_as_if_it_were_the_one() -> None:
    question = "Which genus has a longer common name, Myrtus or Abies?"
    assert rank(question, by_language(question)) == []


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Is Dujiangyan City or Dazhou a county-level city?", "Which is a county-level city?"),
        ("Was Ann Lee or Bo Ek a singer?", "Which was a singer?"),
        ("都江堰和达州哪个是县级市？", "哪个是县级市？"),
        ("哪部电影获奖，《甲》还是《乙》？", "哪部电影获奖？"),
    ],
)
def test_a_choice_offers_two_names_and_is_no_yes_no_question(question: str, asked: str) -> None:
    choice = named_choice(question)
    assert choice is not None
    assert choice.asked == asked
    assert whole(question).steps[0].expects is AnswerType.ANY


@pytest.mark.parametrize(
    "question", ["本迪戈和基隆支持哪个政党？", "鲁迅和巴金的老师是谁？", "长江之间哪个湖最大？"]
)
def test_a_chinese_question_about_two_things_may_offer_no_choice(question: str) -> None:
    assert named_choice(question) is None


@pytest.mark.parametrize(
    ("question", "yes_no"),
    [
        ("Is the fox found in Africa?", True),
        ("Should wool be hand washed only?", True),
        ("If someone is a vegan, would they eat honey?", True),
        ("Have either Ann Lee or Bo Ek won a prize?", True),
        ("Is Lima or Quito further west?", False),
        ("Is Lola a film or a book?", False),
        ("Is the demand high or low?", False),
        ("Can you tell me who wrote Lola?", False),
        ("丙烯颜料有毒吗？", True),
        ("哪项法令规定申请人是否合格？", False),
        ("依照什么标准决定是否废除？", False),
    ],
)
def test_a_question_is_known_to_want_yes_or_no(question: str, yes_no: bool) -> None:
    assert (expected_type(question) is AnswerType.YES_NO) is yes_no


@pytest.mark.parametrize(
    ("question", "text", "span"),
    [
        ("Is the fox found in Africa?", "The fox lives in deserts of Africa.", "Africa"),
        ("丙烯颜料有毒吗？", "丙烯颜料有轻微毒性。", "轻微毒性"),
    ],
)
def test_a_yes_no_question_is_never_answered_by_another_span(
    question: str, text: str, span: str
) -> None:
    start = text.index(span)
    candidate = Candidate(
        passage_id="p", text=span, start=start, end=start + len(span), score=0.99, no_answer=0.0
    )
    hit = Hit(passage=Passage(id="p", title="", text=text), score=1.0)
    (step,) = whole(question).steps
    result = vote(question, [hit], [candidate], expects=step.expects)
    assert result.verdict is None
    assert result.failure is not None
    assert result.failure.reason is FailureReason.NOTHING_READ


def test_a_plan_for_yes_or_no_must_end_in_a_judgement() -> None:
    assert check("Did Ann Lee sing Lola?", whole("When did Ann Lee sing Lola?"))


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (("16", "twenty novels"), "yes"),
        (("16", "15"), "no"),
        (("16", "a few"), None),
    ],
)
def test_a_bound_on_a_number_is_judged_by_numbers(
    found: tuple[str, str], answer: str | None
) -> None:
    judge = first_plan("Did Ann Lee and Bo Ek both publish more than 15 novels?").steps[-1]
    assert apply(judge, dict(enumerate(found, 1))).answer == answer


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (("2008年", "1999年5月"), "是"),
        (("2008年", "2010年"), "否"),
        (("2008年", "不久以前"), None),
    ],
)
def test_a_bound_on_a_date_is_judged_by_dates(found: tuple[str, str], answer: str | None) -> None:
    judge = first_plan("甲公司和乙公司都成立于2010年之前吗？").steps[-1]
    assert apply(judge, dict(enumerate(found, 1)), "zh").answer == answer


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Which casino closed first, Lola or Kin?", "When did Lola close?"),
        ("Which mine entered service later, Lola or Kin?", "When did Lola enter service?"),
        ("Who won the title first, Ann Lee or Bo Ek?", "When did Ann Lee win the title?"),
        ("Which film did Ann Lee direct first, Lola or Kin?", "When did Ann Lee direct Lola?"),
        ("Which film did Ann Lee make first, Lola or Kin?", "When did Ann Lee make Lola?"),
        ("Which film was made first, Lola or Kin?", "When was Lola released?"),
        ("Which band was formed first, Lola or Kin?", "When was Lola founded?"),
    ],
)
def test_what_happened_to_two_things_is_asked_of_each(question: str, asked: str) -> None:
    steps = rank(question, by_language(question))[0].steps
    assert steps[0].text == asked
    assert steps[-1].operator in {Operator.EARLIER, Operator.LATER}
