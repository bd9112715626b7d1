"""Operators: what they answer, and that they refuse what is not certain."""

from __future__ import annotations

import datetime
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.operators import OperatorResult, apply
from graph.types import FailureReason, Operator, SubQuestion


def run(
    operator: str,
    *answers: str,
    labels: tuple[str, ...] = (),
    text: str = "Which one?",
    language: str = "en",
) -> OperatorResult:
    step = SubQuestion(
        text=text,
        kind="operator",
        operator=Operator(operator),
        arguments=tuple(range(1, len(answers) + 1)),
        labels=labels,
    )
    return apply(step, dict(enumerate(answers, start=1)), language)


def test_earlier_gives_the_label_of_the_first_date_and_says_why() -> None:
    result = run("earlier", "February 17, 1898", "23 May 1947", labels=("Film A", "Film B"))
    assert result.answer == "Film A"
    assert result.explanation == "17 February 1898 is before 23 May 1947"
    assert result.failure is None


def test_a_label_may_stand_for_the_answer_of_an_earlier_step() -> None:
    step = SubQuestion(
        text="Who is younger?",
        kind="operator",
        operator=Operator.LATER,
        arguments=(3, 4),
        labels=("#1", "#2"),
    )
    answers = {1: "Ann Lee", 2: "Bo Ek", 3: "1950", 4: "3 June 1960"}
    assert apply(step, answers).answer == "Bo Ek"


def test_without_labels_the_winning_answer_itself_is_given() -> None:
    assert run("smaller", "3 million", "2,500,000").answer == "2,500,000"


def test_three_dates_have_one_first() -> None:
    assert run("earlier", "1991", "1985", "May 1990", labels=("a", "b", "c")).answer == "b"


@pytest.mark.parametrize(
    ("operator", "answers", "reason"),
    [
        ("earlier", ("1990", "12 May 1990"), FailureReason.INCOMPARABLE),
        ("later", ("the 1990s", "1995"), FailureReason.INCOMPARABLE),
        ("earlier", ("c. 1870", "1872"), FailureReason.INCOMPARABLE),
        ("larger", ("5 km", "3 kg"), FailureReason.INCOMPARABLE),
        ("larger", ("$5", "€3"), FailureReason.INCOMPARABLE),
        ("larger", ("5 km", "3"), FailureReason.INCOMPARABLE),
        ("same", ("May 1990", "12 May 1990"), FailureReason.INCOMPARABLE),
        ("intersection", ("dog", "cat"), FailureReason.INCOMPARABLE),
        ("difference", ("6 ft", "3 kg"), FailureReason.INCOMPARABLE),
        ("earlier", ("1990", "1990"), FailureReason.TIE),
        ("larger", ("1 km", "1000 m"), FailureReason.TIE),
        ("earlier", ("Paris", "1990"), FailureReason.TYPE_MISMATCH),
        ("larger", ("many", "5"), FailureReason.TYPE_MISMATCH),
        ("larger", ("12 May 1990", "5"), FailureReason.TYPE_MISMATCH),
        ("both", ("yes", "Danish poet"), FailureReason.TYPE_MISMATCH),
        ("sum", ("3", "some"), FailureReason.TYPE_MISMATCH),
        ("difference", ("3", "2", "1"), FailureReason.TYPE_MISMATCH),
        ("earlier", ("1990",), FailureReason.TYPE_MISMATCH),
    ],
)
def test_what_is_not_certain_is_refused_with_its_reason(
    operator: str, answers: tuple[str, ...], reason: FailureReason
) -> None:
    result = run(operator, *answers)
    assert (result.answer, result.failure) == (None, reason)
    assert result.explanation


def test_labels_that_do_not_match_the_arguments_are_a_type_mismatch() -> None:
    assert run("earlier", "1990", "1991", labels=("a",)).failure == FailureReason.TYPE_MISMATCH


def test_a_missing_answer_is_the_callers_mistake() -> None:
    step = SubQuestion(text="Sum?", kind="operator", operator=Operator.SUM, arguments=(1, 2))
    with pytest.raises(ValueError, match="step 2"):
        apply(step, {1: "3"})


def test_a_lookup_cannot_be_computed() -> None:
    with pytest.raises(ValueError, match="lookup"):
        apply(SubQuestion(text="Who?"), {})


@pytest.mark.parametrize(
    ("a", "b", "winner"),
    [
        ("8,126 m", "26,400 ft", "a"),
        ("1.2亿", "1.5 million", "a"),
        ("三千公里", "1,900 miles", "b"),
        ("ninety minutes", "2 hours", "b"),
        ("26 January 1978 to 30 September 1996", "May 1983 – April 1986", "a"),
    ],
)
def test_larger_compares_across_units_words_and_languages(a: str, b: str, winner: str) -> None:
    assert run("larger", a, b, labels=("a", "b")).answer == winner


def test_more_compares_the_lengths_of_lists_only_where_more_is_asked() -> None:
    answers = ("Ann Lee and Bo Ek", "Cy Day")
    asked = run("larger", *answers, labels=("X", "Y"), text="Which has more directors?")
    assert asked.answer == "X"
    assert run("larger", *answers, text="Which is bigger?").failure == FailureReason.TYPE_MISMATCH


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("American", "United States", True),
        ("British", "Scottish", True),
        ("English", "Scottish", False),
        ("美国人", "美国", True),
        ("法国", "French", True),
        ("NYC", "New York City", True),
        ("Montreal, Quebec", "Montreal", True),
        ("Los Angeles, California", "San Diego, California", False),
        ("19 June 2013", "2013-06-19", True),
        ("1990", "1991", False),
        ("3.4 km", "3,400 m", True),
        ("Toy Story", "Toy Story 2", False),
        ("director", "actor and director", True),
        ("北京", "上海", False),
    ],
)
def test_same_and_different_are_opposite(a: str, b: str, same: bool) -> None:
    assert run("same", a, b).answer == ("yes" if same else "no")
    assert run("same", b, a).answer == ("yes" if same else "no")
    assert run("different", a, b).answer == ("no" if same else "yes")


def test_same_country_looks_at_the_country_in_an_answer() -> None:
    places = ("Paris, France", "Lyon, France")
    assert run("same", *places, text="Are both in the same country?").answer == "yes"
    assert run("same", *places, text="Are both in the same city?").answer == "no"
    labels = ("Sony Music", "Big Machine")
    assert run("same", *labels, text="Do they share a country music label?").answer == "no"
    people = ("French film director", "Italian-French painter")
    assert run("same", *people, text="Do they share a nationality?").answer == "yes"


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (("Hong Kong", "Shanghai"), "Were they born in the same city?"),
        (("Arabic", "French"), "Do they speak the same language?"),
        (("1917", "Dunkirk"), "Do they play in the same film?"),
        (("Ann Lee", "Bo Ek"), "Is the director of Day of Nation the same as that of Nation X?"),
    ],
)
def test_names_that_could_be_countries_or_dates_differ_as_names_do(
    answers: tuple[str, str], text: str
) -> None:
    assert run("same", *answers, text=text).answer == "no"


@pytest.mark.parametrize("operator", ["same", "different"])
@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (("Paris", "Lyon"), "Are both in the same country?"),
        (("林若川", "高木健"), "两位导演国籍相同吗？"),
        (("1917", "Ann Lee"), "Were they made in the same year?"),
        (("12 May 1990", "Prague"), "Were they born on the same day?"),
    ],
)
def test_answers_of_which_one_is_not_of_the_kind_asked_for_are_neither_the_same_nor_different(
    operator: str, answers: tuple[str, str], text: str
) -> None:
    for order in (answers, answers[::-1]):
        result = run(operator, *order, text=text)
        assert (result.answer, result.failure) == (None, FailureReason.INCOMPARABLE)


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (("Ann Lee", "Bo Ek"), "Do they have the same director?"),
        (("French", "Italian film director"), "Do they share a nationality?"),
        (("12 May 1990", "born in 1980"), "Were they born in the same year?"),
        (("France", "Rome, Italy"), "Were they born in the same place?"),
    ],
)
def test_answers_of_one_kind_that_differ_are_not_the_same(
    answers: tuple[str, str], text: str
) -> None:
    assert run("same", *answers, text=text).answer == "no"


def test_yes_and_no_follow_the_questions_language() -> None:
    assert run("same", "美国", "法国", text="国籍相同吗？", language="zh").answer == "否"
    assert run("both", "是", "yes", language="zh").answer == "是"


@pytest.mark.parametrize(
    ("answers", "both", "either"),
    [
        (("yes", "Yes."), "yes", "yes"),
        (("yes", "no"), "no", "yes"),
        (("No, never", "否"), "no", "no"),
    ],
)
def test_both_needs_all_and_either_needs_one(
    answers: tuple[str, ...], both: str, either: str
) -> None:
    assert run("both", *answers).answer == both
    assert run("either", *answers).answer == either


@pytest.mark.parametrize(
    ("answer", "phrase", "held"),
    [
        ("American film actors", "actor", "yes"),
        ("Danish poet", "actor", "no"),
        ("not an actor", "actor", "no"),
        ("American", "the United States", "yes"),
        ("中国电影演员", "演员", "yes"),
        ("不是演员", "演员", "no"),
    ],
)
def test_a_phrase_affirms_its_label_or_not(answer: str, phrase: str, held: str) -> None:
    assert run("both", answer, "yes", labels=(phrase,)).answer == held


def test_operators_that_run_at_once_do_not_disturb_each_other() -> None:
    nouns = [f"{'abcdefgh'[n % 8]}{'aeiou'[n % 5]}{'lmnrt'[n % 7 % 5]}{n}ers" for n in range(400)]

    def held(noun: str) -> str | None:
        return run("both", f"famous {noun}", "yes", labels=(noun.removesuffix("s"),)).answer

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(held, nouns)) == {"yes"}
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.parametrize(
    ("a", "b", "common"),
    [
        ("American film director", "Canadian film director and producer", "film director"),
        ("actor, singer and writer", "writers; singer", "singer and writer"),
        ("city in Ohio", "large city in Texas", "city"),
    ],
)
def test_intersection_finds_common_items_or_the_common_head(a: str, b: str, common: str) -> None:
    assert run("intersection", a, b).answer == common


def test_intersection_of_chinese_descriptions_is_their_common_end() -> None:
    result = run("intersection", "美国电影导演", "加拿大电影导演", language="zh")
    assert result.answer == "电影导演"


@pytest.mark.parametrize(
    ("answers", "count"),
    [
        (("Ann Lee, Bo Ek and Cy Day",), "3"),
        (("张三、李四和王五",), "3"),
        (("Obama", "Barack Obama", "Ann Lee"), "2"),
        (("five",), "5"),
        (("June 19, 2013",), "1"),
    ],
)
def test_count_counts_different_things_once(answers: tuple[str, ...], count: str) -> None:
    assert run("count", *answers).answer == count


def test_sum_adds_in_the_first_ones_unit() -> None:
    assert run("sum", "5 km", "300 m").answer == "5.3 km"
    assert run("sum", "three", "4").answer == "7"


@pytest.mark.parametrize(
    ("answers", "text", "language", "difference"),
    [
        (("1.5 million", "200,000"), "?", "en", "1300000"),
        (("2 hours", "90 minutes"), "?", "en", "0.5 hours"),
        (("12 May 1990", "3 March 1980"), "?", "en", "10 years"),
        (("12 May 1990", "13 May 1980"), "?", "en", "9 years"),
        (("1980年", "1990年"), "相差几年？", "zh", "10年"),
        (("44 BC", "AD 2"), "?", "en", "45 years"),
        (("5 March 1980", "3 March 1980"), "How many days apart?", "en", "2 days"),
    ],
)
def test_difference_of_numbers_units_and_dates(
    answers: tuple[str, ...], text: str, language: str, difference: str
) -> None:
    assert run("difference", *answers, text=text, language=language).answer == difference


@given(st.dates(min_value=datetime.date(1000, 1, 1)), st.dates(min_value=datetime.date(1000, 1, 1)))
def test_earlier_and_later_agree_with_the_calendar(a: datetime.date, b: datetime.date) -> None:
    texts = (f"{a.day} {a:%B} {a.year}", b.isoformat())
    earlier, later = run("earlier", *texts, labels=("a", "b")), run("later", *texts)
    if a == b:
        assert earlier.failure == later.failure == FailureReason.TIE
    else:
        assert earlier.answer == ("a" if a < b else "b")
        assert later.answer == texts[1 if a < b else 0]


@given(st.sampled_from(Operator), st.lists(st.text(max_size=30), min_size=1, max_size=3))
def test_no_answer_text_makes_an_operator_raise(operator: Operator, answers: list[str]) -> None:
    result = run(operator, *answers)
    assert (result.answer is None) == (result.failure is not None)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(["", "about ", "a total of "]))
def test_a_bound_holds_as_the_numbers_compare(number: int, limit: int, before: str) -> None:
    def held(bound: str) -> str | None:
        return run("both", f"{before}{number}", labels=(f"{bound} {limit}",)).answer

    assert held("more than") == ("yes" if number > limit else "no")
    assert held("less than") == ("yes" if number < limit else "no")
    assert held("at least") != held("fewer than")
    assert held("exactly") == ("yes" if number == limit else "no")


@given(st.integers(1000, 2100), st.integers(1000, 2100))
def test_a_bound_in_time_holds_as_the_years_compare(year: int, limit: int) -> None:
    def held(bound: str) -> str | None:
        return run("both", f"born in {year}", labels=(f"{bound} {limit}",)).answer

    assert held("before") == ("yes" if year < limit else "no")
    assert held("after") == ("yes" if year > limit else "no")
    assert held("in") == ("yes" if year == limit else "no")


@pytest.mark.parametrize(
    ("answer", "place", "held"),
    [
        ("Nairobi", "Africa", None),
        ("Africa and Asia", "Africa", "yes"),
        ("Europe", "Africa", "no"),
        ("Sydney", "Italy", None),
        ("Sydney, Australia", "Italy", "no"),
        ("意大利", "意大利", "yes"),
        ("罗马", "意大利", None),
        ("法国", "意大利人", "no"),
        ("中国", "中国人", "yes"),
    ],
)
def test_a_town_says_nothing_of_the_country_or_continent_around_it(
    answer: str, place: str, held: str | None
) -> None:
    assert run("both", answer, labels=(place,)).answer == held


@pytest.mark.parametrize(
    ("answer", "phrase", "held"),
    [
        ("American", "actor", None),
        ("1917", "an actor", None),
        ("five", "films", None),
        ("中国", "导演", None),
        ("American", "Danish", "no"),
        ("1917", "before 1910", "no"),
        ("American poet", "actor", "no"),
    ],
)
def test_a_bare_country_date_or_number_does_not_deny_what_one_is(
    answer: str, phrase: str, held: str | None
) -> None:
    assert run("both", answer, "yes", labels=(phrase,)).answer == held


def test_quantities_are_compared_in_the_dimension_that_all_of_them_have() -> None:
    result = run("larger", "10th of 14 peaks at 8,091 m", "8,051 metres", labels=("A", "B"))
    assert result.answer == "A"
