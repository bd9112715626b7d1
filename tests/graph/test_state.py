"""Under what a sub-question is remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.state import memory_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who is Ann Lee?", "who is  ann lee"),
        ("When was Conan O’Brien born?", "When was Conan O'Brien born?"),
        ("Who wrote “Emma”?", 'Who wrote "Emma"?'),
        ("Who ruled in 1914–1918?", "Who ruled in 1914-1918?"),
        ("《活着》的导演是谁？", "《活着》的导演是谁?"),
        ("谁是ＡＢＣ的导演？", "谁是ABC的导演"),
    ],
)
def test_what_differs_in_its_marks_alone_is_the_same_question(one: str, other: str) -> None:
    assert memory_key(one) == memory_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who is Ann Lee?", "Who is Anne Lee?"),
        ("Where is #1?", "Where is #2?"),
        ("Who is Bjork?", "Who is Björk?"),
        ("谁是导演？", "导演是谁？"),
    ],
)
def test_what_differs_in_a_letter_is_another_question(one: str, other: str) -> None:
    assert memory_key(one) != memory_key(other)


@given(st.text(max_size=60), st.sampled_from(["", " ", "  ", "?", "？", " ?"]))
def test_the_key_of_a_key_is_itself_whatever_stands_around_it(text: str, end: str) -> None:
    key = memory_key(text)
    assert memory_key(key) == key
    assert memory_key(f" {text}{end}") == key
