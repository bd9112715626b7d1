"""The iterative planner: what was read names what a question only describes."""

from __future__ import annotations

import pytest

from graph.planning.iterative import linked, plans_from
from graph.planning.wellformed import flaw
from retrievers.passage import Passage

QUESTION = "How many rooms does the hotel owned by the founder of Acme Corporation have?"
FOUNDER = Passage(
    id="a",
    title="Acme Corporation",
    text="Acme Corporation was founded in 1950 by Wile Coyote, who also owned the Grand Mesa.",
)
HOTEL = Passage(
    id="b", title="Grand Mesa (hotel)", text="The Grand Mesa is a hotel with 120 rooms in Utah."
)
MENTION = Passage(
    id="c", title="Mesa Tower", text="Mesa Tower is a hotel built by Acme Corporation's founder."
)
STRANGER = Passage(id="d", title="Plaza", text="The Plaza is a hotel in New York.")


def asked(question: str, *passages: Passage) -> list[str]:
    plans = plans_from(question, passages)
    assert all(plan.planner == "iterative" and len(plan.steps) == 1 for plan in plans)
    return [plan.steps[0].text for plan in plans]


def test_the_description_gives_way_to_what_a_passage_on_its_name_mentions() -> None:
    assert asked(QUESTION, FOUNDER, HOTEL) == ["How many rooms does Grand Mesa have?"]


def test_the_description_gives_way_to_the_title_of_a_passage_that_mentions_its_name() -> None:
    assert asked(QUESTION, MENTION) == ["How many rooms does Mesa Tower have?"]


def test_a_passage_that_is_tied_to_no_name_of_the_question_is_no_lead() -> None:
    assert asked(QUESTION, STRANGER) == []


def test_the_passage_that_shares_most_of_the_description_comes_first() -> None:
    other = MENTION.model_copy(update={"id": "e", "title": "Coyote Park", "text": MENTION.text})
    weaker = other.model_copy(update={"text": "A hotel of Acme Corporation."})
    description = "the hotel owned by the founder of Acme Corporation"
    found = linked("Acme Corporation", description, QUESTION, [weaker, MENTION])
    assert [title for title, _ in found] == ["Mesa Tower", "Coyote Park"]


def test_a_title_may_hold_a_word_that_stands_for_a_name() -> None:
    portland = MENTION.model_copy(update={"title": "Portland Head Hotel"})
    assert asked(QUESTION, portland) == ["How many rooms does Portland Head Hotel have?"]


def test_what_is_left_around_a_title_has_to_be_a_question() -> None:
    band = Passage(id="f", title="Tin Cups", text="Tin Cups is a band of Ann Lee, a member.")
    question = "Where does the band that Ann Lee is a member of formed?"
    assert flaw("Where does Tin Cups?") not in (None, flaw(question))
    assert asked(question, band) == []


@pytest.mark.parametrize(
    "question",
    [
        "Which hotel has more rooms, Grand Mesa or Plaza?",
        "Who is a Danish chemist?",
        "Who is the owner of Acme Corporation?",
        "What is the hotel of Acme Corporation?",
        "where is it",
        "谁创立了Acme公司？",
        "",
    ],
)
def test_a_question_that_describes_nothing_by_a_name_gets_no_plan(question: str) -> None:
    assert plans_from(question, [FOUNDER, HOTEL, MENTION, STRANGER]) == []
