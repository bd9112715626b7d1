"""Which quantity a question asks for, and which texts could be it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.values import could_be_quantity, quantity_asked

HEIGHT = "How tall is Broad Peak?"


@pytest.mark.parametrize(
    ("text", "question", "possible"),
    [
        ("8,051 m", HEIGHT, True),
        ("8,051 metres (26,414 ft)", HEIGHT, True),
        ("the 12th highest mountain on Earth at 8,051 metres", HEIGHT, True),
        ("second highest mountain in India", HEIGHT, False),
        ("one of the highest mountains", HEIGHT, False),
        ("250 South Street", HEIGHT, False),
        ("$1.1 billion", HEIGHT, False),
        ("1957", HEIGHT, False),
        ("three hours", HEIGHT, False),
        ("3,000 km", "How long is the Danube?", True),
        ("95 minutes", "How long is the film?", True),
        ("1870 to 1939", "How long was the theatre in use?", True),
        ("a river in Europe", "How long is the Danube?", False),
        ("70 kg", "What is the weight of the stone?", True),
        ("70 km", "What is the weight of the stone?", False),
        ("516 km²", "What is the area of the lake?", True),
        ("516 km", "What is the area of the lake?", False),
        ("Arctic", "In which area did supply rise?", True),
        ("1.3 million people", "What is the population of Kigali?", True),
        ("$1.3 million", "What is the population of Kigali?", False),
        ("capital of Rwanda", "What is the population of Kigali?", False),
        ("$35 million", "What was the budget of the film?", True),
        ("20 million Swiss francs", "What was the budget of the film?", True),
        ("35 minutes", "What was the budget of the film?", False),
        ("four", "How many novels did Ann Lee publish?", True),
        ("twice", "How many times has the team won the cup?", True),
        ("one of her novels", "How many novels did Ann Lee publish?", False),
        ("Boston", "How many novels did Ann Lee publish?", False),
        ("3 July 1976", "How many records did Ann Lee sell?", False),
        ("1976", "How many records did Ann Lee sell?", True),
        ("5,500,000", "How many square kilometres does the basin cover?", True),
        ("39", "How old was Ann Lee when she died?", True),
        ("海拔1,750米", "这座山有多高？", True),
        ("约65厘米", "马来穿山甲的体长约是多少？", True),
        ("1107萬平方公里", "這個國家的面積是多少？", True),
        ("印度第二高峰", "这座山有多高？", False),
        ("32亿日元", "这座山有多高？", False),
        ("1992年", "这座山的高度是多少？", False),
        ("超过半年", "战争持续了多久？", True),
        ("汤姆", "麦高文有许多高明的决定，被谁拖累了？", True),
    ],
)
def test_a_quantity_has_the_dimension_that_is_asked_for(
    text: str, question: str, possible: bool
) -> None:
    assert could_be_quantity(text, question) is possible


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_stands_there_is_judged_and_only_by_what_is_asked(
    text: str, question: str
) -> None:
    assert could_be_quantity(text, question) or quantity_asked(question)


@given(
    st.integers(min_value=0, max_value=10**7),
    st.sampled_from([("length", ["m", "km", "feet", "米"]), ("mass", ["kg", "pounds", "公斤"])]),
    st.data(),
    st.sampled_from(["", "about ", "约", "the peak at "]),
)
def test_a_number_with_a_unit_fits_its_own_dimension_alone(
    number: int, units: tuple[str, list[str]], data: st.DataObject, before: str
) -> None:
    dimension, names = units
    text = f"{before}{number} {data.draw(st.sampled_from(names))}"
    assert could_be_quantity(text, "How tall is it?") is (dimension == "length")
    assert could_be_quantity(text, "How heavy is it?") is (dimension == "mass")
    assert not could_be_quantity(text, "What is the area of it?")
