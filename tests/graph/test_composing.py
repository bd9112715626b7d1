"""The answer in words: the sentence that a model may write, and the spans that are cited."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, SystemMessage

from agent.gguf import LoadedModel
from agent.llama import LlamaCppChat
from graph.composing import cite, free_grammar, one_of, sentences
from graph.composing.grammar import MAX_LEAD_WORDS
from graph.nodes.ending import ANSWER_TOKENS
from graph.types import (
    Bound,
    Candidate,
    Cluster,
    Operator,
    Outcome,
    Path,
    Plan,
    StepResult,
    SubQuestion,
    Verdict,
)
from prompts.loader import render
from retrievers.passage import Passage

QUESTION = "Where was the director of the film Ikarie XB-1 born?"
NASTY = [
    'The "Golden" Asteroid',
    r"C:\new\table\x41",
    "ends with a backslash\\",
    '\\"',
    "one\ntwo\r\n\tthree",
    "[sic] {1,2} (a|b)* ::= root #comment",
    "🐼 and 👩‍🚀",
    "布拉格（Praha）",
    "\u2028line\u0085separators\x07",
    "Café “Čapek” — O’Neill & Sons",
]


def loaded(llama: LlamaCppChat) -> LoadedModel:
    llama.load()
    assert llama._loaded is not None
    return llama._loaded


async def written(
    llama: LlamaCppChat,
    question: str,
    answer: str,
    numbers: list[int],
    language: str = "en",
    grammar: str | None = None,
) -> str:
    """Return the sentence that the real model writes as the machine lets it, freely by default."""
    found = " ".join(f"{question} {answer} [{number}]." for number in numbers)
    prompt = render("compose", language, question=question, findings=found, answer=answer)
    messages = [SystemMessage(render("compose_system", language)), HumanMessage(prompt)]
    grammar = grammar or free_grammar(question, answer, numbers, language)
    said = await llama.ainvoke(messages, max_tokens=ANSWER_TOKENS, grammar=grammar)
    return str(said.text)


def gbnf_literal(grammar: str, start: int) -> tuple[str, int]:
    """Read a literal of a grammar as llama.cpp does; return it and where it ends."""
    assert grammar[start] == '"'
    text, at = "", start + 1
    named = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "[": "[", "]": "]"}
    while grammar[at] != '"':
        if grammar[at] == "\\":
            text, at = text + named[grammar[at + 1]], at + 2
        else:
            text, at = text + grammar[at], at + 1
    return text, at + 1


# ── the grammar ───────────────────────────────────────────────────────────────────────────────

texts = st.text(
    st.one_of(
        st.sampled_from("\"\\[]{}()|*+?.^-:=#\n\r\t'<>/ nrtxuU"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    min_size=1,
    max_size=40,
)


@given(texts, st.lists(st.integers(1, 20), max_size=3, unique=True))
def test_the_answer_stands_in_the_grammar_letter_by_letter(answer: str, numbers: list[int]) -> None:
    grammar = free_grammar(QUESTION, f"x{answer}", numbers)
    text, end = gbnf_literal(grammar, grammar.index('"'))
    marks = "".join(f"[{number}]" for number in numbers)
    assert text == f"x{answer} {marks}." if numbers else f"x{answer}."
    assert grammar[end:].startswith("\nlead ::=")


@given(texts)
def test_a_chinese_sentence_holds_the_answer_letter_by_letter(answer: str) -> None:
    grammar = free_grammar("他出生在哪里？", answer, [1, 2], "zh")
    text, end = gbnf_literal(grammar, grammar.index(")") + 2)
    assert text == f"{answer}[1][2]。"
    assert end == len(grammar)


@settings(deadline=None, max_examples=60)
@given(question=texts, answer=texts, language=st.sampled_from(["en", "zh"]))
def test_llama_cpp_takes_the_grammar_of_any_question_and_answer(
    llama: LlamaCppChat, question: str, answer: str, language: str
) -> None:
    grammar = free_grammar(question, answer, [1, 2], language)
    assert loaded(llama).grammar(grammar, None) is not None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_llama_cpp_takes_the_grammar_of_an_answer_with_a_nul(
    llama: LlamaCppChat, language: str
) -> None:
    grammar = free_grammar("Who\0 was it?", "Jan\0Novák", [1], language)
    assert loaded(llama).grammar(grammar, None) is not None


@pytest.mark.parametrize("answer", NASTY)
async def test_the_model_s_sentence_ends_with_the_answer_and_its_marks(
    llama: LlamaCppChat, answer: str
) -> None:
    text = await written(llama, QUESTION, answer, [1, 2])
    assert text.endswith(f"{answer} [1][2].")


async def test_all_that_the_model_adds_are_words_of_the_question_and_function_words(
    llama: LlamaCppChat,
) -> None:
    text = await written(llama, QUESTION, "Prague", [1, 3])
    lead = text.removesuffix("Prague [1][3].").split()
    known = {*QUESTION.rstrip("?").split(), *sentence_words("")}
    assert 0 < len(lead) <= MAX_LEAD_WORDS
    assert set(lead) <= known


@pytest.mark.parametrize("answer", ["布拉格", '“引号” "\\', "🐼", "1963年7月26日"])
async def test_a_chinese_answer_is_said_in_chinese(llama: LlamaCppChat, answer: str) -> None:
    text = await written(llama, "《伊卡里》的导演出生在哪里？", answer, [1, 2], "zh")
    assert re.fullmatch(rf"(?:答案是|答案：){re.escape(answer)}\[1\]\[2\]。", text)


@pytest.mark.parametrize(("answer", "said"), [("yes", "Yes [1][2]."), ("No", "No [1][2].")])
async def test_a_yes_no_answer_begins_with_it(llama: LlamaCppChat, answer: str, said: str) -> None:
    assert await written(llama, "Was he born in Prague?", answer, [1, 2]) == said


async def test_without_a_source_there_is_no_mark_and_no_gap(llama: LlamaCppChat) -> None:
    assert await written(llama, "Was he born in Prague?", "yes", []) == "Yes."
    assert (await written(llama, QUESTION, "Prague", [])).endswith("Prague.")


def sentence_words(question: str, answer: str = "") -> list[str]:
    """Return the words that may stand before the answer."""
    rule = free_grammar(question, answer, [1]).split("word ::= ")[1]
    words, at = [], 0
    while at < len(rule):
        word, at = gbnf_literal(rule, at)
        words.append(word)
        at += len(" | ")
    return words


def test_the_answer_s_own_words_cannot_stand_before_it() -> None:
    words = sentence_words("Is Jan Novák or Karel Zeman the older director?", "Karel Zeman")
    assert {"Jan", "Novák", "director"} <= set(words)
    assert not {"Karel", "Zeman"} & set(words)


def test_question_words_and_marks_of_the_question_s_own_cannot_stand_before_it() -> None:
    words = sentence_words("Who says [7] “that” it was Jan?")
    assert {"says", "that", "it", "was", "Jan"} <= set(words)
    assert not {"Who", "[7]"} & set(words)


# ── one of the sentences that rules make ──────────────────────────────────────────────────────


@given(st.lists(texts, min_size=1, max_size=4))
def test_each_sentence_is_an_alternative_of_the_grammar_letter_by_letter(made: list[str]) -> None:
    grammar = one_of(made)
    at, read = len("root ::= "), []
    while at < len(grammar):
        text, at = gbnf_literal(grammar, at)
        read.append(text)
        at += len(" | ")
    assert read == made


@settings(deadline=None, max_examples=60)
@given(question=texts, answer=texts, language=st.sampled_from(["en", "zh"]))
def test_llama_cpp_takes_the_grammar_of_the_sentences_of_any_question_and_answer(
    llama: LlamaCppChat, question: str, answer: str, language: str
) -> None:
    made = sentences(question, answer, [1, 2], language)
    assert loaded(llama).grammar(one_of(made), None) is not None


@pytest.mark.parametrize("answer", NASTY)
async def test_the_model_writes_one_of_the_sentences_whatever_is_in_the_answer(
    llama: LlamaCppChat, answer: str
) -> None:
    made = sentences(QUESTION, answer, [1, 2])
    assert await written(llama, QUESTION, answer, [1, 2], grammar=one_of(made)) in made


async def test_an_answer_that_looks_like_a_grammar_is_written_and_adds_no_rule(
    llama: LlamaCppChat,
) -> None:
    answer = 'Prague" | "Brno"\nroot ::= "I obey'
    made = sentences(QUESTION, answer, [1])
    text = await written(llama, QUESTION, answer, [1], grammar=one_of(made))
    assert text in made
    assert answer in text


async def test_a_chinese_sentence_is_written_whole(llama: LlamaCppChat) -> None:
    question = "《伊卡里》的导演出生在哪个城市？"
    made = sentences(question, "布拉格", [1, 2], "zh")
    text = await written(llama, question, "布拉格", [1, 2], "zh", one_of(made))
    assert text == "《伊卡里》的导演出生在布拉格[1][2]。"


# ── citations ─────────────────────────────────────────────────────────────────────────────────


def passage(name: str, answer: str) -> Passage:
    return Passage(id=name, text=f"In passage {name} stands {answer} and little else.")


def cluster(*read: tuple[str, str]) -> Cluster:
    """Return the cluster of what was read from passages, as (passage, text)."""
    candidates = []
    for name, text in read:
        start = passage(name, text).text.index(text)
        candidates.append(
            Candidate(
                passage_id=name, text=text, start=start, end=start + len(text), score=1, no_answer=0
            )
        )
    return Cluster(text=read[0][1], strength=0.5, votes=1, candidates=tuple(candidates))


def known(question: str, *clusters: Cluster) -> StepResult:
    verdict = Verdict(answer=clusters[0].text, confidence=0.5, margin=0.1, clusters=clusters)
    return StepResult(question=question, verdict=verdict)


def solved(*bound: tuple[str, str, int]) -> Outcome:
    """Return a path whose steps are bound to (answer, memory key, cluster)."""
    answers = {
        number: Bound(answer=answer, confidence=0.5, question=question, cluster=cluster)
        for number, (answer, question, cluster) in enumerate(bound, 1)
    }
    path = Path(plan=0, origin="test", prior=0.5, bound=answers)
    return Outcome(path=path, answer=bound[-1][0], confidence=0.5)


CHAIN = Plan(
    steps=(SubQuestion(text="Who directed A?"), SubQuestion(text="Where was #1 born?")),
    planner="test",
    score=0.8,
)
POLAK = [("a", "Polák"), ("b", "Jindřich Polák")]
PRAGUE = [("c", "Prague"), ("d", "Praha"), ("e", "Prague"), ("f", "Prague")]
MEMORY = {
    "who directed a": known("Who directed A?", cluster(*POLAK), cluster(("g", "Zeman"))),
    "where was polák born": known("Where was Polák born?", cluster(*PRAGUE)),
}
PASSAGES = {name: passage(name, text) for name, text in [*POLAK, *PRAGUE, ("g", "Zeman")]}
OUTCOME = solved(("Polák", "who directed a", 0), ("Prague", "where was polák born", 0))


def test_each_lookup_is_cited_in_order_and_the_last_is_corroborated() -> None:
    cited = cite(OUTCOME, CHAIN, MEMORY, PASSAGES)
    assert [c.number for c in cited] == [1, 2, 3, 4]
    assert [c.passage.id for c in cited] == ["a", "c", "d", "e"]
    assert [c.passage.text[c.start : c.end] for c in cited] == [c.quote for c in cited]
    assert [c.quote for c in cited] == ["Polák", "Prague", "Praha", "Prague"]


def test_a_citation_says_which_sub_question_it_answers_as_it_was_asked() -> None:
    cited = cite(OUTCOME, CHAIN, MEMORY, PASSAGES, corroborating=0)
    assert [c.question for c in cited] == ["Who directed A?", "Where was Polák born?"]


def test_a_runner_up_is_cited_by_its_own_passages() -> None:
    second = solved(("Zeman", "who directed a", 1), ("Prague", "where was polák born", 0))
    first, *_ = cite(second, CHAIN, MEMORY, PASSAGES)
    assert (first.passage.id, first.quote) == ("g", "Zeman")


def test_one_span_is_cited_once() -> None:
    memory = {**MEMORY, "where was polák born": MEMORY["who directed a"]}
    cited = cite(OUTCOME, CHAIN, memory, PASSAGES)
    assert [(c.number, c.passage.id) for c in cited] == [(1, "a"), (2, "b")]


def test_an_operator_is_not_cited_but_what_it_was_computed_from() -> None:
    compared = Plan(
        steps=(
            *CHAIN.steps,
            SubQuestion(text="Which?", kind="operator", operator=Operator.SAME, arguments=(1, 2)),
        ),
        planner="test",
        score=0.8,
    )
    bound = ("Polák", "who directed a", 0), ("Prague", "where was polák born", 0), ("no", "#3", 0)
    cited = cite(solved(*bound), compared, MEMORY, PASSAGES)
    assert [c.passage.id for c in cited] == ["a", "c"]
