"""English statements: what a question and its answer become, and what they never hold."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graph.composing import MAX_BYTES, sentences
from graph.composing.english import statements
from graph.composing.verbs import past, third_person
from graph.composing.words import ADDED, HERE
from graph.planning.language import parser
from graph.values import parse_yes_no


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        # the subject is asked for
        ("Who directed Ikarie XB-1?", "Jindřich Polák", "Jindřich Polák directed Ikarie XB-1"),
        ("which team won the cup in 1950", "Ajax", "Ajax won the cup in 1950"),
        ("Whose daughter wrote Emma?", "Ann Lee", "Ann Lee's daughter wrote Emma"),
        ("Who teaches chess?", "young men", "Young men teach chess"),
        # what stands behind the verb
        ("Which film did Ann Lee direct in 1963?", "Emma", "Ann Lee directed Emma in 1963"),
        ("What does Ann Lee teach?", "chess", "Ann Lee teaches chess"),
        ("Which team did Ann Lee play for?", "Ajax", "Ann Lee played for Ajax"),
        ("What is Ann Lee known for?", "her novels", "Ann Lee is known for her novels"),
        ("What is the river called?", "the Rhine", "The river is called the Rhine"),
        # when and where
        ("When was Ann Lee born?", "1929", "Ann Lee was born in 1929"),
        ("When was Ann Lee born?", "5 May 1929", "Ann Lee was born on 5 May 1929"),
        ("When was Ann Lee born?", "in 1929", "Ann Lee was born in 1929"),
        ("When did Ann Lee die?", "after the war", "Ann Lee died after the war"),
        ("What year was Ann Lee born?", "1929", "Ann Lee was born in 1929"),
        ("On what date was Ann Lee born?", "May 1929", "Ann Lee was born in May 1929"),
        ("Where did Ann Lee die?", "Prague", "Ann Lee died in Prague"),
        ("In which city was Ann Lee born?", "Prague", "Ann Lee was born in Prague"),
        (
            "Where was the place of birth of Ann Lee?",
            "Rome",
            "The place of birth of Ann Lee was Rome",
        ),
        # how much, why and how
        ("How many people live in Prague?", "1.3 million", "1.3 million people live in Prague"),
        ("How many sons did Ann Lee have?", "one", "Ann Lee had one son"),
        ("How many rivers are there in France?", "300", "There are 300 rivers in France"),
        ("How old was Ann Lee?", "38", "Ann Lee was 38"),
        ("How tall is the tower?", "300 m", "The tower is 300 m tall"),
        (
            "How many years after the founding of Rome was Caesar born?",
            "653",
            "Caesar was born 653 years after the founding of Rome",
        ),
        ("Why did Ann Lee resign?", "the war", "Ann Lee resigned because of the war"),
        ("Why did Ann Lee resign?", "she was ill", "Ann Lee resigned because she was ill"),
        ("How was the valley formed?", "eroding rock", "The valley was formed by eroding rock"),
        # who and what something is
        ("Who is the mother of Ann Lee?", "Eva", "The mother of Ann Lee is Eva"),
        ("What nationality is Ann Lee?", "Czech", "The nationality of Ann Lee is Czech"),
        # a bridge is told in the question's words
        (
            "When was the pianist who recorded Live at Shelly's Manne-Hole born?",
            "September 23, 1935",
            "The pianist who recorded Live at Shelly's Manne-Hole was born on September 23, 1935",
        ),
        (
            "What is the date of birth of the director of film Emma?",
            "5 May 1929",
            "The date of birth of the director of the film Emma is 5 May 1929",
        ),
        # a question in the order of a statement
        ("Emma was filmed in which city?", "Prague", "Emma was filmed in Prague"),
        ("Ann Lee was born in what year?", "1929", "Ann Lee was born in 1929"),
        # a choice
        ("Who is older, Ann Lee or Bob Ray?", "Bob Ray", "Bob Ray is older"),
        ("Which is longer, the Nile or the Rhine?", "the Nile", "The Nile is longer"),
        ("Was Ann Lee or Bob Ray born first?", "Ann Lee", "Ann Lee was born first"),
        # yes and no
        ("Was Ann Lee born in Prague?", "yes", "Yes, Ann Lee was born in Prague"),
        ("Did Ann Lee write Emma?", "yes", "Yes, Ann Lee wrote Emma"),
        ("Did Ann Lee write Emma?", "no", "No, Ann Lee did not write Emma"),
        (
            "Are both films Emma and Jaws from the same country?",
            "yes",
            "Yes, both films Emma and Jaws are from the same country",
        ),
        (
            "Are both films Emma and Jaws from the same country?",
            "no",
            "No, films Emma and Jaws are not both from the same country",
        ),
        # a list
        ("Who wrote Emma?", "Ann Lee and Bob Ray", "Ann Lee and Bob Ray wrote Emma"),
        (
            "What are two examples of jawless fish?",
            "the lamprey and the hagfish",
            "Two examples of jawless fish are the lamprey and the hagfish",
        ),
    ],
)
def test_the_likeliest_statement(question: str, answer: str, said: str) -> None:
    assert statements(question, answer)[0] == said


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How tall is the tower?", "300"),
        ("Who is older, Ann Lee or Bob Ray?", "Eva Novák"),
        ("Was Ann Lee born in Prague?", "Rome"),
        ("Who directed Emma?", "yes"),
        ("Has Ann Lee ever been to Prague?", "no"),
        ("Tell me about Ann Lee", "a writer"),
        ("Which band did this American businessman, publisher and producer manage?", "Emma"),
        ("Where was she?", "He was in Rome. She was not."),
        ("Born?", "1929"),
        ("", "1929"),
        ("Who?", ""),
    ],
)
def test_no_statement_where_none_would_be_sound(question: str, answer: str) -> None:
    assert statements(question, answer) == []


def test_the_answer_alone_is_said_where_there_is_no_statement() -> None:
    assert sentences("Tell me about Ann Lee", "a writer", [1, 2]) == ["a writer [1][2]."]
    assert sentences("Has it ever", "yes", [3]) == ["Yes [3]."]


def test_a_sentence_has_one_full_stop() -> None:
    assert sentences("Who sang Emma?", "Sammy Davis Jr.", [])[0] == "Sammy Davis Jr. sang Emma."
    assert sentences("Where was Emma sung by Davis?", "the U.S.", [])[0].endswith("the U.S.")


@pytest.mark.parametrize(
    ("verb", "before", "now"),
    [
        ("write", "wrote", "writes"),
        ("die", "died", "dies"),
        ("marry", "married", "marries"),
        ("stop", "stopped", "stops"),
        ("open", "opened", "opens"),
        ("teach", "taught", "teaches"),
        ("play", "played", "plays"),
    ],
)
def test_verbs_take_the_form_of_their_helper(verb: str, before: str, now: str) -> None:
    assert (past(verb), third_person(verb)) == (before, now)


# ── whatever is asked ─────────────────────────────────────────────────────────────────────────

_HEADS = "Who What Which When Where Why How Whose Is Are Was Did Does Do Has Can In On".split()
_WORDS = (
    "is was were are did does the a of in on from by to and or both which who that born directed "
    "write play film city year many much old tall people country first same director mother "
    "not Emma Prague Ann Lee 1929 , 's ever called used for kind there"
).split()
questions = st.builds(
    lambda head, words, end: " ".join([head, *words]) + end,
    st.sampled_from(_HEADS),
    st.lists(st.sampled_from(_WORDS), max_size=12),
    st.sampled_from(["?", "", "??", '?"', "."]),
)
answers = st.one_of(
    st.sampled_from(
        ["1929", "5 May 1929", "Ann Lee", "yes", "no", "four", "300 m", "young men", "in Prague"]
    ),
    st.text(min_size=1, max_size=30),
)
anything = st.text(max_size=60)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _known(question: str) -> set[str]:
    """The words of a question, in all forms that a statement may give them."""
    words = _words(question)
    lemmas = {token.lemma_.casefold() for token in parser()(question)}
    formed = {form(word) for word in words for form in (past, third_person)}
    return words | lemmas | formed | {"s"}


@settings(deadline=None, max_examples=150)
@given(st.one_of(questions, anything), answers)
@example("Who's the director of film Emma?", "Ann Lee")
@example(f"Who is {HERE}?", "Ann Lee")
@example("Who is Ann Lee?", HERE)
def test_a_sentence_holds_the_answer_its_marks_and_no_strange_word(
    question: str, answer: str
) -> None:
    for said in sentences(question, answer, [1, 2]):
        assert said.endswith(" [1][2].")
        body = said.removesuffix(" [1][2].")
        bare = answer.strip()
        stopped = re.sub(r"(?<=[a-z]{4})\.$", "", bare)
        truth = parse_yes_no(bare) is not None and parse_yes_no(bare) is parse_yes_no(
            body.split(",")[0].strip(" .")
        )
        assert (
            any(f in body for f in (bare, stopped))
            or body.startswith(stopped[:1].upper() + stopped[1:])
            or truth
        )
        assert _words(body) <= _known(question) | _words(answer) | ADDED
        assert len(said.encode()) <= max(MAX_BYTES, len(answer.encode()) + 12)
