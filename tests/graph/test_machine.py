"""The compiled machine: what is sought when, what follows a failure, and how a search ends."""

from __future__ import annotations

import asyncio
import itertools
import re
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from fakes import (
    Facts,
    FakeIndex,
    FakeReader,
    ModelWithAdapter,
    ScriptedGrammarModel,
    ScriptedModel,
)
from hypothesis import given, settings
from scripted_machine import MACHINE, QUESTION, Machine, Script, operator, plan, searched, searches

import graph.planning as planning
from agent.answer import tree_of
from agent.llama import LlamaCppChat
from graph import calls as calls_module
from graph.events import (
    Answered,
    CandidatesRead,
    ModelCalled,
    Notice,
    PathLeft,
    PathOpened,
    PathSolved,
    Planned,
    Retrieved,
    RunStarted,
    Token,
    Voted,
    event_adapter,
)
from graph.machine import initial
from graph.nodes import backtracking as backtracking_node
from graph.nodes import seeking
from graph.planning.model import plan_prompt
from graph.state import memory_key
from graph.types import AnswerType, Candidate, FailureReason, Limits, Operator, Plan, Way
from retrievers.passage import Passage

DIRECTOR, HOME = "Who is the director of Ikarie XB-1?", "Where was #1 born?"
POLAK_S_HOME, NOVAK_S_HOME = "Where was Jindřich Polák born?", "Where was Jan Novák born?"


CHAIN = plan(DIRECTOR, HOME)
FOUND = {DIRECTOR: {"Jindřich Polák": 0.9}, POLAK_S_HOME: {"Prague": 0.9}}
COMPARISON = plan(
    "Name the director of Alpha.",
    "Name the director of Beta.",
    "Name the birthday of #1.",
    "Name the birthday of #2.",
    operator(Operator.EARLIER, 3, 4, labels=("Alpha", "Beta")),
)
COMPARED = {
    "Name the director of Alpha.": {"Ann Lee": 0.9, "Una Voss": 0.6},
    "Name the director of Beta.": {"Bo Ek": 0.9},
    "Name the birthday of Ann Lee.": {"17 February 1898": 0.9},
    "Name the birthday of Una Voss.": {"3 May 1901": 0.9},
    "Name the birthday of Bo Ek.": {"23 May 1947": 0.9},
}
EASY = Limits(accept=0.1, abstain=0.05)
"""Takes the first answer that is not very weak."""


pytestmark = pytest.mark.usefixtures("as_read")


# ── seeking ───────────────────────────────────────────────────────────────────────────────────


async def test_a_chain_is_answered_step_by_step(scripted: Script) -> None:
    machine = scripted([CHAIN], FOUND)
    ended = await machine.run()
    assert ended.status == "answered"
    assert ended.answer == "Prague"
    assert ended.confidence == pytest.approx(0.9 * 0.9)
    assert machine.index.searches == [(DIRECTOR,), (POLAK_S_HOME,)]
    assert machine.notices == []


async def test_all_ready_sub_questions_are_searched_in_one_round_trip(scripted: Script) -> None:
    machine = scripted([COMPARISON], COMPARED, limits=EASY)
    ended = await machine.run()
    assert machine.index.searches == [
        ("Name the director of Alpha.", "Name the director of Beta."),
        ("Name the birthday of Ann Lee.", "Name the birthday of Bo Ek."),
    ]
    assert [event.queries for event in machine.all(Retrieved)] == machine.index.searches
    assert ended.answer == "Alpha"


class Together(FakeReader):
    """Reads only once as many readings are under way as a hop has sub-questions."""

    def __init__(self, facts: Facts, hop: int) -> None:
        super().__init__(facts)
        self._all_there = threading.Barrier(hop, timeout=30)

    def read(self, *given: Any, **named: Any) -> list[Candidate]:
        self._all_there.wait()
        return super().read(*given, **named)


async def test_a_comparison_of_four_lookups_takes_the_steps_of_a_chain_of_two(
    scripted: Script,
) -> None:
    async def rounds(plans: list[Plan], facts: Facts, hop: int) -> list[str]:
        machine = scripted(plans, facts, limits=EASY)
        machine.calls.reader = Together(facts, hop)
        taken = [
            sorted(update)
            async for update in MACHINE.astream(
                initial(QUESTION, "en", True), context=machine.calls, stream_mode="updates"
            )
        ]
        # The readings of a hop are one super-step: each ends in an update of its own.
        return [node for node, _ in itertools.groupby(name for [name] in taken)]

    chain = await rounds([CHAIN], FOUND, 1)
    assert chain == ["plan", "seek", "read", "settle", "seek", "read", "settle", "compose"]
    assert await rounds([COMPARISON], COMPARED, 2) == chain


async def test_each_sub_question_is_read_and_voted_on_by_itself(scripted: Script) -> None:
    machine = scripted([COMPARISON], COMPARED, limits=EASY)
    await machine.run()
    assert sorted(machine.reader.questions) == sorted(machine.queries)
    read = {event.step: event.question for event in machine.all(CandidatesRead)}
    assert read[2] == "Name the director of Beta."
    assert read[3] == "Name the birthday of Ann Lee."
    assert sorted(event.step for event in machine.all(Voted)) == [1, 2, 3, 4, 5]


async def test_two_steps_that_come_to_ask_the_same_are_sought_once(scripted: Script) -> None:
    facts = {
        "Name the director of Alpha.": {"Ann Lee": 0.9},
        "Name the director of Beta.": {"Ann Lee": 0.9},
        "Name the home of Ann Lee.": {"Rome": 0.9},
    }
    one = plan(
        *COMPARISON.steps[:2],
        "Name the home of #1.",
        "Name the home of #2.",
        operator(Operator.SAME, 3, 4),
    )
    machine = scripted([one], facts)
    ended = await machine.run()
    assert ended.answer == "yes"
    assert machine.queries.count("Name the home of Ann Lee.") == 1
    assert machine.reader.questions.count("Name the home of Ann Lee.") == 1
    told = {event.step: event.remembered for event in machine.all(Voted)}
    assert told[3] is False
    assert told[4] is True


async def test_a_whole_question_is_searched_again_with_what_its_first_passages_say(
    scripted: Script,
) -> None:
    facts = {QUESTION: {"Prague": 0.9, "Jan Novák": 0.3}}
    machine = scripted([planning.whole(QUESTION)], facts)
    await machine.run()
    first, second = machine.index.searches
    assert first == (QUESTION,)
    assert len(second) == 2
    assert all(query.startswith(QUESTION) for query in second)
    assert "Prague" in second[0]
    assert "Jan Novák" in second[1]


async def test_what_a_bridge_leads_to_is_read_in_turns_with_what_the_question_found(
    scripted: Script,
) -> None:
    facts = {QUESTION: dict.fromkeys(("Oslo", "Rome", "Bonn", "Kyiv"), 0.1)}
    [hits] = await FakeIndex(facts).search([QUESTION])
    bridges = seeking.bridges(QUESTION, hits)
    facts |= {bridge: {f"Town {n}": 0.1, f"City {n}": 0.1} for n, bridge in enumerate(bridges)}
    machine = scripted([planning.whole(QUESTION)], facts)
    await machine.run()

    read = machine.all(Voted)[0].result.passages
    turn = [f"{asked}/0" for asked in (QUESTION, *bridges)]
    assert list(read[:8]) == [*turn, *(id_.replace("/0", "/1") for id_ in turn)]
    assert list(read[8:]) == [f"{QUESTION}/2", f"{QUESTION}/3"]
    [searched] = [event for event in machine.all(Retrieved) if event.queries == (QUESTION,)]
    assert [hit.passage.id for hit in searched.hits[0]] == [f"{QUESTION}/{n}" for n in range(4)]


async def test_a_whole_question_asked_in_vain_gets_new_plans_from_what_it_brought(
    scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned = plan("Name the home of Jan Novák.", score=0.3)
    given: list[tuple[str, list[str]]] = []

    def plans_from(question: str, passages: Sequence[Passage]) -> list[Plan]:
        given.append((question, [passage.id for passage in passages]))
        return [learned]

    monkeypatch.setattr(backtracking_node, "plans_from", plans_from)
    facts = {QUESTION: {"Jan Novák": 0.1}, "Name the home of Jan Novák.": {"Rome": 0.9}}
    machine = scripted([planning.whole(QUESTION)], facts)
    ended = await machine.run()
    [(question, brought)] = given
    assert question == QUESTION
    assert brought == [hit.passage.id for hit in machine.all(Retrieved)[0].hits[0]]
    assert [path.path.plan for path in machine.all(PathOpened)] == [0, 1]
    assert machine.all(Planned)[-1].plans[1] == learned
    assert ended.answer == "Rome"


async def test_no_more_passages_are_asked_for_than_the_limit_says(scripted: Script) -> None:
    facts = {DIRECTOR: {"Jindřich Polák": 0.9, "Jan Novák": 0.2, "Karel Zeman": 0.1}}
    machine = scripted([CHAIN], facts, limits=Limits(passages=2))
    await machine.run()
    assert [len(hits) for hits in machine.all(Retrieved)[0].hits] == [2]


# ── backtracking ──────────────────────────────────────────────────────────────────────────────

TWO_DIRECTORS = {
    DIRECTOR: {"Jan Novák": 0.8, "Jindřich Polák": 0.7},
    POLAK_S_HOME: {"Prague": 0.9},
}


async def test_runner_up_answer_opens_a_new_path(scripted: Script) -> None:
    limits = EASY.model_copy(update={"ways": (Way.RUNNER_UP,)})
    machine = scripted([CHAIN], TWO_DIRECTORS, limits=limits)
    ended = await machine.run()
    assert ended.answer == "Prague"
    first, second = machine.all(PathOpened)
    assert first.path.bound == {}
    assert second.path.bound[1].answer == "Jindřich Polák"
    assert "Jindřich Polák" in second.path.origin
    [left] = machine.all(PathLeft)
    assert (left.number, left.failure.step) == (1, 2)
    assert left.failure.reason is FailureReason.NOTHING_RETRIEVED
    assert machine.queries == [DIRECTOR, NOVAK_S_HOME, POLAK_S_HOME]


async def test_the_runner_up_s_own_passage_is_cited(scripted: Script) -> None:
    machine = scripted([CHAIN], TWO_DIRECTORS, limits=EASY)
    ended = await machine.run()
    assert [c.quote for c in ended.citations] == ["Jindřich Polák", "Prague"]


async def test_a_failed_step_is_asked_in_other_words(scripted: Script) -> None:
    reworded = "What is the birthplace of Jindřich Polák?"
    facts = {DIRECTOR: {"Jindřich Polák": 0.9}, reworded: {"Prague": 0.9}}
    machine = scripted([CHAIN], facts)
    ended = await machine.run()
    assert ended.answer == "Prague"
    assert machine.queries == [DIRECTOR, POLAK_S_HOME, reworded]
    assert machine.all(PathOpened)[1].path.wording == {2: "What is the birthplace of #1?"}
    assert "reworded" in machine.origins[1]


async def test_passages_that_say_nothing_are_told_apart_from_no_passages(scripted: Script) -> None:
    machine = scripted([CHAIN], {DIRECTOR: {"Jindřich Polák": 0.0}})
    await machine.run()
    assert machine.all(PathLeft)[0].failure.reason is FailureReason.NOTHING_READ
    assert machine.all(PathLeft)[1].failure.reason is FailureReason.NOTHING_RETRIEVED


async def test_the_next_plan_is_tried_when_the_first_fails(scripted: Script) -> None:
    other = plan("Name the film's maker.", "Name the town of #1.", score=0.4)
    facts = {"Name the film's maker.": {"Jindřich Polák": 0.9}}
    facts |= {"Name the town of Jindřich Polák.": {"Prague": 0.9}}
    machine = scripted([plan("Name the man.", "Name the home of #1."), other], facts)
    ended = await machine.run()
    assert ended.answer == "Prague"
    assert [event.path.plan for event in machine.all(PathOpened)] == [0, 1]
    assert machine.queries[0] == "Name the man."


async def test_the_whole_question_is_the_last_path(scripted: Script) -> None:
    plans = [
        plan("Name the man.", "Name the home of #1.", score=0.8),
        plan("Name the maker.", "Name the town of #1.", score=0.5),
        planning.whole("Name the town of the film's maker."),
    ]
    machine = scripted(plans, {"Name the town of the film's maker.": {"Prague": 0.9}})
    ended = await machine.run("Name the town of the film's maker.")
    assert [event.path.plan for event in machine.all(PathOpened)] == [0, 1, 2]
    assert ended.answer == "Prague"


async def test_the_whole_question_is_not_answered_by_what_it_describes(scripted: Script) -> None:
    plans = [CHAIN, planning.whole(QUESTION)]
    read = {"the Czech director Jindřich Polák": 0.9, "Prague": 0.4}
    facts = {DIRECTOR: {"Jindřich Polák": 0.9}, QUESTION: read}
    machine = scripted(plans, facts)
    ended = await machine.run()
    assert ended.answer == "Prague"
    machine = scripted(plans[1:], facts)
    # Where no path came by the director, nothing tells that the question does not ask for them.
    assert (await machine.run()).answer == "the Czech director Jindřich Polák"


async def test_no_lookup_is_answered_by_what_the_whole_question_says(scripted: Script) -> None:
    question = "Name the chairman of the company that bought Boston Bank."
    chain = plan("Name the company that bought Boston Bank.", "Name the chairman of #1.")
    facts = {
        "Name the company that bought Boston Bank.": {"Acme": 0.9},
        "Name the chairman of Acme.": {"Boston Bank": 0.8, "Ann Lee": 0.5},
    }
    assert (await scripted([chain], facts).run(question)).answer == "Ann Lee"
    # Asked by itself, the step may well be answered so.
    assert (
        await scripted([planning.whole("Name the chairman of Acme.")], facts).run(
            "Name the chairman of Acme."
        )
    ).answer == "Boston Bank"


async def test_a_part_of_a_longer_name_in_the_question_may_answer_a_lookup(
    scripted: Script,
) -> None:
    chain = plan("Name the director of London Town.", "Name the town that #1 died in.")
    facts = {
        "Name the director of London Town.": {"Ann Lee": 0.9},
        "Name the town that Ann Lee died in.": {"London": 0.8},
    }
    machine = scripted([chain], facts)
    ended = await machine.run("Name the town that the director of London Town died in.")
    assert ended.answer == "London"


async def test_the_planner_s_last_plan_is_the_whole_question() -> None:
    question = "Who is the mother of the director of the film Ikarie XB-1?"
    machine = Machine({"Something else entirely": {"Prague": 0.9}}, limits=Limits(max_paths=20))
    ended = await machine.run(question)
    [planned] = machine.all(Planned)
    assert len(planned.plans) > 1
    assert planned.plans[-1] == planning.whole(question)
    assert question in machine.queries
    assert ended.status == "abstained"


async def test_remembered_results_are_not_retrieved_or_read_again(scripted: Script) -> None:
    facts = {k: v for k, v in COMPARED.items() if k != "Name the birthday of Ann Lee."}
    machine = scripted([COMPARISON], facts, limits=EASY)
    ended = await machine.run()
    assert ended.answer == "Alpha"
    assert len(machine.all(PathOpened)) == 2
    assert sorted(machine.queries) == sorted(set(machine.queries))
    assert sorted(machine.reader.questions) == sorted(set(machine.reader.questions))
    second = machine.events.index(machine.all(PathOpened)[1])
    told = [event for event in machine.events[second:] if isinstance(event, Voted)]
    assert {event.step: event.remembered for event in told} == {3: False, 4: True, 5: False}


async def test_no_path_is_walked_twice(scripted: Script) -> None:
    machine = scripted([COMPARISON, CHAIN], {}, limits=Limits(max_paths=64))
    await machine.run()
    signatures = [event.path.signature() for event in machine.all(PathOpened)]
    assert len(signatures) > 2
    assert len(signatures) == len(set(signatures))


@pytest.mark.parametrize("text", ["Name the #1 hit.", "Name the author of #9 Dream."])
async def test_a_step_that_refers_to_what_is_never_answered_fails_its_path(
    scripted: Script, text: str
) -> None:
    machine = scripted([plan(text), plan(SURE, score=0.5)], {SURE: {"Prague": 0.9}})
    assert (await machine.run()).answer == "Prague"
    [left] = machine.all(PathLeft)
    assert left.failure.reason is FailureReason.STUCK


# ── operators ─────────────────────────────────────────────────────────────────────────────────


async def test_an_operator_step_is_computed_not_sought(scripted: Script) -> None:
    machine = scripted([COMPARISON], COMPARED, limits=EASY)
    ended = await machine.run()
    assert "Which one?" not in machine.queries
    [computed] = [event.result for event in machine.all(Voted) if event.step == 5]
    assert computed.verdict is not None
    assert computed.verdict.answer == ended.answer == "Alpha"
    assert "17 February 1898" in computed.verdict.explanation
    assert computed.verdict.clusters == ()


async def test_a_computed_answer_is_as_sure_as_what_it_was_computed_from(scripted: Script) -> None:
    ended = await scripted([COMPARISON], COMPARED, limits=EASY).run()
    ann = 9 / (1 + 9 + 1.5)  # of the odds of 0.9 and of 0.6, beside those of neither
    assert ended.confidence == pytest.approx(ann * 0.9**3)


async def test_an_operator_feeds_the_next_lookup(scripted: Script) -> None:
    elder = plan(*COMPARISON.steps, "Name the town of #5.")
    facts = {**COMPARED, "Name the town of Alpha.": {"Rome": 0.9}}
    machine = scripted([elder], facts, limits=EASY)
    assert (await machine.run()).answer == "Rome"
    assert machine.queries[-1] == "Name the town of Alpha."


async def test_what_cannot_be_compared_leaves_the_path(scripted: Script) -> None:
    facts = {**COMPARED, "Name the birthday of Bo Ek.": {"a quiet village": 0.9}}
    machine = scripted([COMPARISON], facts, limits=Limits(accept=0.2, abstain=0.05, max_paths=1))
    ended = await machine.run()
    assert ended.status == "abstained"
    [left] = machine.all(PathLeft)
    assert left.failure.step == 5
    assert left.failure.reason in {FailureReason.TYPE_MISMATCH, FailureReason.INCOMPARABLE}
    assert "a quiet village" in left.failure.detail


# ── how sure ──────────────────────────────────────────────────────────────────────────────────

WEAK, SURE = "Name the man's town.", "Name the maker's town."


async def test_a_sure_path_ends_the_search(scripted: Script) -> None:
    plans = [plan(WEAK, score=0.8), plan(SURE, score=0.7)]
    machine = scripted(plans, {WEAK: {"Prague": 0.8}, SURE: {"Rome": 0.9}})
    assert (await machine.run()).answer == "Prague"
    assert SURE not in machine.queries


async def test_a_weak_path_goes_on_and_a_better_one_answers(scripted: Script) -> None:
    plans = [plan(WEAK, score=0.8), plan(SURE, score=0.7)]
    machine = scripted(plans, {WEAK: {"Prague": 0.15}, SURE: {"Rome": 0.9}})
    ended = await machine.run()
    assert ended.answer == "Rome"
    [left] = machine.all(PathLeft)
    assert left.failure.reason is FailureReason.WEAK
    assert [solved.outcome.answer for solved in machine.all(PathSolved)] == ["Prague", "Rome"]


async def test_of_weak_paths_the_best_answers_once_all_were_tried(scripted: Script) -> None:
    plans = [plan(WEAK, score=0.8), plan(SURE, score=0.7)]
    machine = scripted(plans, {WEAK: {"Prague": 0.18}, SURE: {"Rome": 0.1}})
    ended = await machine.run()
    assert ended.status == "answered"
    assert ended.answer == "Prague"
    assert ended.confidence == pytest.approx(0.167, abs=1e-3)  # less than 0.18: Rome speaks against
    assert [solved.outcome.answer for solved in machine.all(PathSolved)] == ["Prague", "Rome"]
    assert machine.notices == ["Another path found “Rome” (0.07)."]


async def test_a_path_that_is_sure_by_itself_answers_though_others_make_it_less_sure(
    scripted: Script,
) -> None:
    plans = [plan(WEAK, score=0.8), plan(SURE, score=0.4), plan("Name the town.", score=0.2)]
    facts = {WEAK: {"Prague": 0.1}, SURE: {"Rome": 0.3}, "Name the town.": {"Milan": 0.9}}
    machine = scripted(plans, facts)
    ended = await machine.run()
    assert ended.answer == "Rome"
    assert ended.confidence < machine.calls.limits.accept
    assert "Name the town." not in machine.queries


async def test_where_the_risk_is_bound_all_paths_together_have_to_be_sure(
    scripted: Script,
) -> None:
    plans = [plan(WEAK, score=0.8), plan(SURE, score=0.3), plan("Name the town.", score=0.2)]
    facts = {WEAK: {"Prague": 0.4}, SURE: {"Rome": 0.6}, "Name the town.": {"Prague": 0.9}}
    machine = scripted(plans, facts, limits=Limits(risk=0.5))
    ended = await machine.run()
    assert [solved.outcome.answer for solved in machine.all(PathSolved)] == [
        *("Prague", "Rome", "Prague")
    ]
    assert ended.status == "abstained" or ended.confidence >= 0.5
    told = [left.failure.detail for left in machine.all(PathLeft)]
    assert told[1] == "“Rome” is too weak an answer to stop at (0.15)"


async def test_the_reader_is_not_shown_the_two_names_of_a_choice(scripted: Script) -> None:
    question = "Which film is on poetry, Race to Nowhere or SlamNation?"
    machine = scripted([plan(question)], {})
    await machine.run(question)
    assert machine.queries == [question]
    assert machine.reader.questions == ["Which film is on poetry?"]


# ── limits ────────────────────────────────────────────────────────────────────────────────────


async def test_the_limit_of_paths_ends_the_search_and_is_told(scripted: Script) -> None:
    plans = [plan(f"Name the man {n}.", "Name the home of #1.") for n in range(5)]
    machine = scripted(plans, {}, limits=Limits(max_paths=3))
    ended = await machine.run()
    assert len(machine.all(PathOpened)) == 3
    assert machine.notices == ["The search ended early: the limit of 3 paths was reached."]
    assert "3 path(s)" in ended.text


async def test_the_limit_of_paths_is_told_where_only_other_words_were_left(
    scripted: Script,
) -> None:
    machine = scripted(
        [plan("When was Ann Lee born?")], {}, limits=Limits(accept=0.2, abstain=0.05, max_paths=1)
    )
    await machine.run()
    assert machine.notices == ["The search ended early: the limit of 1 paths was reached."]


async def test_a_search_that_tried_all_there_was_has_reached_no_limit(scripted: Script) -> None:
    plans = [plan(f"Name the man {n}.", "Name the home of #1.") for n in range(3)]
    machine = scripted(plans, {}, limits=Limits(max_paths=3))
    await machine.run()
    assert len(machine.all(PathOpened)) == 3
    assert machine.notices == []


async def test_the_time_limit_ends_the_search_and_is_told(scripted: Script) -> None:
    machine = scripted([CHAIN], FOUND, limits=Limits(max_seconds=30))

    def age(searches: int) -> None:
        machine.calls.started = time.monotonic() - 31

    machine.calls.retriever = FakeIndex(FOUND, on_search=age)
    ended = await machine.run()
    assert ended.status == "abstained"
    assert machine.notices == ["The search ended early: the time limit of 30 s was reached."]
    [left] = machine.all(PathLeft)
    assert left.failure.reason is FailureReason.BUDGET
    assert left.failure.step == 2
    assert machine.reader.questions == [DIRECTOR]


async def test_the_token_limit_ends_the_search_and_is_told(scripted: Script) -> None:
    model = ScriptedModel(tokens=(90, 20))
    limits = Limits(max_model_tokens=100)
    machine = scripted([CHAIN], FOUND, plan_tokens=True, model=model, limits=limits)
    ended = await machine.run()
    assert ended.status == "abstained"
    told = "The search ended early: the limit of 100 model tokens was reached."
    assert machine.notices == [told]
    assert machine.queries == [DIRECTOR]


async def test_the_limit_of_retrieval_calls_ends_the_search_and_is_told(scripted: Script) -> None:
    machine = scripted([CHAIN], TWO_DIRECTORS, limits=Limits(max_retrieval_calls=2))
    ended = await machine.run()
    assert ended.status == "abstained"
    told = "The search ended early: the limit of 2 retrieval calls was reached."
    assert machine.notices == [told]
    assert machine.index.searches == [(DIRECTOR,), (NOVAK_S_HOME,)]


async def test_a_limit_that_was_enough_is_not_told(scripted: Script) -> None:
    machine = scripted([CHAIN], FOUND, limits=Limits(max_retrieval_calls=2))
    ended = await machine.run()
    assert ended.answer == "Prague"
    assert machine.notices == []


async def test_a_whole_question_is_not_searched_again_over_the_limit(scripted: Script) -> None:
    limits = Limits(max_retrieval_calls=1)
    machine = scripted([planning.whole(QUESTION)], {QUESTION: {"Prague": 0.9}}, limits=limits)
    await machine.run()
    assert machine.index.searches == [(QUESTION,)]


@pytest.mark.parametrize(
    ("ways", "origins"),
    [
        ((), ["plan 1"]),
        ((Way.PLAN,), ["plan 1", "plan 2"]),
        ((Way.RUNNER_UP,), ["plan 1", "runner-up"]),
        ((Way.REWORDING,), ["plan 1", "step 2 reworded"]),
        (
            (Way.PLAN, Way.RUNNER_UP, Way.REWORDING),
            ["plan 1", "plan 2", "runner-up", "step 2 reworded"],
        ),
    ],
)
async def test_only_the_ways_on_that_the_limits_name_are_taken(
    scripted: Script, ways: tuple[Way, ...], origins: list[str]
) -> None:
    facts = {DIRECTOR: {"Jindřich Polák": 0.9, "Jan Novák": 0.8}}
    plans = [CHAIN, plan("Name the town.", score=0.7)]
    machine = scripted(plans, facts, limits=Limits(ways=ways, max_paths=64))
    await machine.run()
    assert {opened.path.way for opened in machine.all(PathOpened)[1:]} == set(ways)
    opened = [re.split(r"[ ,:]+[“b]", origin)[0] for origin in machine.origins]
    assert sorted(set(opened)) == origins


async def test_a_limit_ends_the_search_with_the_best_answer_so_far(scripted: Script) -> None:
    plans = [plan(WEAK, score=0.8), plan(SURE, score=0.7)]
    facts = {WEAK: {"Prague": 0.18}, SURE: {"Rome": 0.9}}
    machine = scripted(plans, facts, limits=Limits(accept=0.2, abstain=0.05, max_paths=1))
    ended = await machine.run()
    assert ended.answer == "Prague"
    assert machine.notices == ["The search ended early: the limit of 1 paths was reached."]


# ── the ends ──────────────────────────────────────────────────────────────────────────────────


async def test_abstention_says_what_was_found_and_what_is_missing(scripted: Script) -> None:
    machine = scripted([CHAIN], {DIRECTOR: {"Jindřich Polák": 0.9}})
    ended = await machine.run()
    assert ended.status == "abstained"
    assert ended.answer is None
    assert ended.citations == ()
    assert f"Found: {DIRECTOR} Jindřich Polák" in ended.text
    assert "Missing: " in ended.text
    assert f"Tried: {DIRECTOR} Jindřich Polák → {POLAK_S_HOME} –" in ended.text
    assert f"{len(machine.all(PathOpened))} path(s)" in ended.text
    assert "".join(token.text for token in machine.all(Token)) == ended.text
    assert [passage.id for passage in ended.passages] == [f"{DIRECTOR}/0"]
    assert machine.all(ModelCalled) == []


async def test_an_answer_too_weak_to_claim_is_missing_not_claimed(scripted: Script) -> None:
    machine = scripted([plan(WEAK)], {WEAK: {"Prague": 0.04}})
    ended = await machine.run()
    assert ended.status == "abstained"
    assert ended.answer is None
    assert "Found: " not in ended.text
    assert "Missing: “Prague” is too weak an answer to stop at (0.04)" in ended.text


async def test_abstention_in_chinese_is_in_chinese(scripted: Script) -> None:
    plans = [plan("导演是谁？", "#1的家在何处？"), plan("导演住在哪里？")]
    machine = scripted(
        plans, {"导演是谁？": {"波拉克": 0.9}}, limits=Limits(accept=0.2, abstain=0.05, max_paths=1)
    )
    ended = await machine.run("导演的家在何处？", language="zh")
    assert ended.status == "abstained"
    assert "已知：导演是谁？ 波拉克" in ended.text
    assert "缺少：没有找到与“波拉克的家在何处？”有关的段落" in ended.text
    assert machine.notices == ["搜索提前结束：已试过上限的1条路径。"]
    assert not any(letter.isascii() and letter.isalpha() for letter in ended.text)
    assert machine.origins == ["方案1（规划器：test）"]


@pytest.mark.parametrize(
    "planner", ["linguistic", "learned", "model", "iterative", "whole-question"]
)
async def test_all_that_a_chinese_run_tells_is_chinese(scripted: Script, planner: str) -> None:
    asked = [plan("导演是谁？", "#1的家在何处？"), plan("导演住在哪里？")]
    plans = [each.model_copy(update={"planner": planner}) for each in asked]
    facts = {"导演是谁？": {"波拉克": 0.9, "诺瓦克": 0.5}, "诺瓦克的家在何处？": {"罗马": 0.02}}
    machine = scripted(plans, facts)
    await machine.run("导演的家在何处？", language="zh")
    told = [*machine.origins, *machine.notices]
    told += [event.failure.detail for event in machine.all(PathLeft)]
    verdicts = [e.result.verdict for e in machine.all(Voted) if e.result.verdict is not None]
    told += [verdict.explanation for verdict in verdicts]
    assert len(machine.origins) > 2 and verdicts
    assert not any(letter.isascii() and letter.isalpha() for text in told for letter in text)


async def test_a_verdict_is_told_in_the_language_of_the_run(scripted: Script) -> None:
    latin = "谁写了The Tale of Genji？"  # by itself an English question
    machine = scripted([plan(latin)], {latin: {"紫式部": 0.9}})
    await machine.run("谁写了那部日本的古典长篇小说？", language="zh")
    [voted] = machine.all(Voted)
    assert voted.result.verdict is not None
    assert voted.result.verdict.explanation.startswith("“紫式部”得1张独立票")


async def test_without_an_index_the_model_answers_alone_and_it_is_told() -> None:
    model = ScriptedModel(replies=("He was born in Prague.",))
    machine = Machine(FOUND, model=model)
    ended = await machine.run(searchable=False)
    assert ended.status == "closed_book"
    assert ended.answer is None
    assert ended.text == "He was born in Prague."
    assert ended.citations == ended.passages == ()
    assert len(machine.notices) == 1
    assert machine.notices[0].startswith("No sources")
    assert machine.events.index(machine.all(Notice)[0]) < machine.events.index(
        machine.all(Token)[0]
    )
    assert model.prompts == [QUESTION]
    assert machine.index.searches == []


async def test_each_citation_is_a_span_of_its_passage_and_of_its_sub_question(
    scripted: Script,
) -> None:
    machine = scripted([COMPARISON], COMPARED, limits=EASY)
    ended = await machine.run()
    assert [c.number for c in ended.citations] == [1, 2, 3, 4]
    for citation in ended.citations:
        assert citation.passage.text[citation.start : citation.end] == citation.quote
        assert citation.passage.id.startswith(citation.question)
    quotes = [citation.quote for citation in ended.citations]
    assert quotes == ["Ann Lee", "Bo Ek", "17 February 1898", "23 May 1947"]


async def test_the_passages_that_carry_the_answer_come_first(scripted: Script) -> None:
    machine = scripted([CHAIN], TWO_DIRECTORS, limits=EASY)
    ended = await machine.run()
    ids = [passage.id for passage in ended.passages]
    assert ids[:2] == [f"{DIRECTOR}/1", f"{POLAK_S_HOME}/0"]
    assert sorted(ids) == sorted(set(ids))
    assert f"{DIRECTOR}/0" in ids


async def test_the_answer_is_streamed_as_the_model_writes_it(scripted: Script) -> None:
    model = ScriptedModel(replies=("He was born in Prague [1][2].",))
    machine = scripted([CHAIN], FOUND, model=model)
    ended = await machine.run()
    assert ended.text == "He was born in Prague [1][2]."
    assert len(machine.all(Token)) > 3
    assert "".join(token.text for token in machine.all(Token)).strip() == ended.text
    [prompt] = model.prompts
    assert f"Question: {QUESTION}" in prompt
    assert f"{DIRECTOR} Jindřich Polák [1]. {POLAK_S_HOME} Prague [2]." in prompt


@pytest.mark.parametrize(
    "said", ["I do not know.", "He was born in Prague.", "He was born in Prague [1].", ""]
)
async def test_a_model_that_loses_the_answer_or_its_sources_is_completed(
    scripted: Script, said: str
) -> None:
    machine = scripted([CHAIN], FOUND, model=ScriptedModel(replies=(said,)))
    ended = await machine.run()
    assert ended.text.startswith(said)
    assert ended.text.endswith("In short: Prague [1][2].")
    assert "".join(token.text for token in machine.all(Token)).strip() == ended.text


async def test_a_model_that_can_be_bound_is_bound_to_the_sentences_of_the_answer(
    scripted: Script,
) -> None:
    model = ScriptedGrammarModel()
    await scripted([CHAIN], FOUND, model=model).run()
    [options] = model.options
    assert '"The director of Ikarie XB-1 was born in Prague [1][2]."' in options["grammar"]


async def test_a_model_that_words_freely_is_bound_to_the_words_of_the_question(
    scripted: Script,
) -> None:
    model = ScriptedGrammarModel()
    machine = scripted([CHAIN], FOUND, model=model)
    machine.calls.wording = "free"
    await machine.run()
    [options] = model.options
    assert '"Prague [1][2]."' in options["grammar"]
    assert 'word ::= "was" | "the" | "director"' in options["grammar"]


async def test_the_real_model_says_the_answer_with_its_marks(
    scripted: Script, llama: LlamaCppChat
) -> None:
    ended = await scripted([CHAIN], FOUND, model=llama).run()
    assert ended.text.endswith("Prague [1][2].")
    assert "In short" not in ended.text


async def test_a_chinese_question_is_answered_in_chinese(
    scripted: Script, llama: LlamaCppChat
) -> None:
    facts = {"导演是谁？": {"波拉克": 0.9}, "波拉克的家在何处？": {"布拉格": 0.9}}
    machine = scripted([plan("导演是谁？", "#1的家在何处？")], facts, model=llama)
    ended = await machine.run("导演的家在何处？", language="zh")
    assert ended.text == "导演的家在布拉格[1][2]。"


@pytest.mark.parametrize(
    ("answer", "said"), [("Ono", "I do not know of one [1]."), ("1", "It is the last [1].")]
)
async def test_an_answer_inside_a_word_or_a_mark_is_not_taken_for_said(
    scripted: Script, answer: str, said: str
) -> None:
    model = ScriptedModel(replies=(said,))
    asked = "Which of the albums was it?"
    ended = await scripted([plan(asked)], {asked: {answer: 0.9}}, model=model).run()
    assert ended.text.endswith(f"In short: {answer} [1].")


@pytest.mark.parametrize("answer", ["布拉格", "Beyond"])
async def test_an_answer_in_a_chinese_sentence_is_found_without_spaces(
    scripted: Script, answer: str
) -> None:
    model = ScriptedModel(replies=(f"该片由{answer}完成[1]。",))
    machine = scripted([plan("谁完成了它？")], {"谁完成了它？": {answer: 0.9}}, model=model)
    assert (await machine.run("谁完成了它？", language="zh")).text == f"该片由{answer}完成[1]。"


# ── planning by the model ─────────────────────────────────────────────────────────────────────


@pytest.fixture
def no_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planners that need no model find nothing."""
    monkeypatch.setattr(planning, "by_language", lambda question: [])


@pytest.mark.usefixtures("no_grammar")
async def test_where_grammar_finds_no_plan_the_model_is_asked_under_a_schema() -> None:
    written = '{"steps": ["Who is the director of Ikarie XB-1?", "Where was #1 born?"]}'
    model = ScriptedGrammarModel(replies=(written, "Prague"))
    machine = Machine(FOUND, model=model)
    ended = await machine.run()
    assert ended.answer == "Prague"
    assert [event.purpose for event in machine.all(ModelCalled)] == ["plan", "compose"]
    planning_options, composing_options = model.options
    assert "steps" in planning_options["json_schema"]["properties"]
    assert "json_schema" not in composing_options
    [planned] = machine.all(Planned)
    assert [p.planner for p in planned.plans] == ["model", "whole-question"]
    assert planned.plans[0].steps[1].expects is AnswerType.PLACE


@pytest.mark.usefixtures("no_grammar")
@pytest.mark.parametrize("question", [QUESTION, "伊卡里一号的导演出生在哪里？"])
async def test_an_adapter_computes_plans_in_both_languages_and_nothing_else(question: str) -> None:
    model = ModelWithAdapter(replies=("no plan", "Prague"))
    machine = Machine({question: {"Prague": 0.9}}, model=model)
    machine.calls.planner_languages = model.planner_adapter.languages
    await machine.run(question, language="en" if question == QUESTION else "zh")
    planning_options, *others = model.options
    assert planning_options["planner_lora"] is True
    assert not any("planner_lora" in options for options in others)


@pytest.mark.usefixtures("no_grammar")
async def test_an_adapter_is_not_asked_in_a_language_that_it_does_not_plan_in() -> None:
    question = "伊卡里一号的导演出生在哪里？"
    model = ScriptedGrammarModel(replies=("no plan", "Prague"))
    machine = Machine({question: {"Prague": 0.9}}, model=model)
    machine.calls.planner_languages = ("en",)
    await machine.run(question, language="zh")
    assert not any("planner_lora" in options for options in model.options)
    assert model.prompts[0] == plan_prompt(question, trained=False)


@pytest.mark.usefixtures("no_grammar")
async def test_a_plan_of_an_adapter_is_checked_as_any_other() -> None:
    written = '{"steps": ["Who is Ann Lee?", "Where was #3 born?"]}'
    model = ModelWithAdapter(replies=(written, "Prague"))
    machine = Machine({QUESTION: {"Prague": 0.9}}, model=model)
    machine.calls.planner_languages = model.planner_adapter.languages
    assert (await machine.run()).answer == "Prague"
    [planned] = machine.all(Planned)
    assert [plan.planner for plan in planned.plans] == ["whole-question"]


@pytest.mark.usefixtures("no_grammar")
@pytest.mark.parametrize("written", ["", "I cannot.", '{"steps": []}', '{"steps": ["Who", ', "}{"])
async def test_a_model_that_writes_no_plan_leaves_the_whole_question(written: str) -> None:
    machine = Machine({QUESTION: {"Prague": 0.9}}, model=ScriptedModel(replies=(written,)))
    ended = await machine.run()
    [planned] = machine.all(Planned)
    assert [p.planner for p in planned.plans] == ["whole-question"]
    assert ended.answer == "Prague"


# ── stopping ──────────────────────────────────────────────────────────────────────────────────


async def test_cancelling_a_run_stops_the_model(scripted: Script) -> None:
    model = ScriptedModel(replies=("He was",), hangs=True)
    machine = scripted([CHAIN], FOUND, model=model)
    task = asyncio.create_task(machine.run())
    await model.hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.stopped.is_set()
    assert machine.all(Answered) == []


async def test_leaving_the_stream_stops_the_model(scripted: Script) -> None:
    model = ScriptedModel(replies=("He was",), hangs=True)
    stream = scripted([CHAIN], FOUND, model=model).stream(QUESTION)
    async for event in stream:
        if isinstance(event, Token):
            break
    await model.hanging.wait()
    await stream.aclose()
    await asyncio.wait_for(model.stopped.wait(), timeout=30)


async def test_a_model_that_hangs_does_not_take_the_answer_with_it(
    scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LEAST_MODEL_SECONDS", "MODEL_SECONDS", "GRACE_SECONDS"):
        monkeypatch.setattr(calls_module, name, 0.5)
    machine = scripted([CHAIN], FOUND, model=ScriptedModel(replies=("He was",), hangs=True))
    ended = await machine.run()
    assert ended.status == "answered"
    assert ended.text == "He was  In short: Prague [1][2]."
    [told] = machine.notices
    assert "The model was stopped (compose)" in told


async def test_a_reader_that_hangs_does_not_take_the_run_with_it(
    scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging(FakeReader):
        def read(self, *_: object) -> list[Any]:  # type: ignore[override]
            time.sleep(1)
            return []

    for name in ("LEAST_READ_SECONDS", "READ_SECONDS"):
        monkeypatch.setattr(calls_module, name, 0.2)
    machine = scripted([CHAIN], FOUND, limits=Limits(max_paths=1))
    machine.calls.reader = Hanging(FOUND)
    ended = await machine.run()
    assert ended.status == "abstained"
    assert any("Reading took over 0.2 s" in told for told in machine.notices)


async def test_a_reader_that_fails_ends_the_run_with_its_error(scripted: Script) -> None:
    class Broken(FakeReader):
        def read(self, *_: object) -> list[Any]:  # type: ignore[override]
            raise OSError("the reader's file is gone")

    machine = scripted([CHAIN], FOUND)
    machine.calls.reader = Broken(FOUND)
    with pytest.raises(OSError, match="the reader's file is gone"):
        await machine.run()


# ── that it always ends ───────────────────────────────────────────────────────────────────────


@settings(deadline=None, max_examples=60)
@given(searches())
async def test_whatever_is_found_no_path_is_walked_twice_and_no_limit_is_passed(
    drawn: tuple[list[Plan], int, Limits],
) -> None:
    limits, machine = drawn[2], await searched(drawn)
    [ended] = machine.all(Answered)
    if limits.risk is not None:
        assert ended.status == "abstained" or ended.confidence >= 1 - limits.risk
    opened = [event.path for event in machine.all(PathOpened)]
    signatures = [path.signature() for path in opened]
    assert len(signatures) == len(set(signatures)) <= limits.max_paths
    assert len(machine.index.searches) <= limits.max_retrieval_calls
    assert {path.way for path in opened[1:]} <= set(limits.ways)
    asked = [memory_key(q) for event in machine.all(CandidatesRead) for q in [event.question]]
    assert len(asked) == len(set(asked))  # nothing is read twice


# ── the trace ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("plans", "facts"),
    [
        ([CHAIN], FOUND),
        ([CHAIN, planning.whole(QUESTION)], TWO_DIRECTORS),
        ([COMPARISON], COMPARED),
        ([plan(WEAK), plan(SURE, score=0.7)], {WEAK: {"Prague": 0.3}, SURE: {"Rome": 0.2}}),
        ([CHAIN, COMPARISON], {}),
    ],
    ids=["chain", "runner-up", "comparison", "weak", "nothing"],
)
async def test_the_trace_replays_to_the_same_tree(
    scripted: Script, plans: list[Plan], facts: Facts
) -> None:
    machine = scripted(plans, facts, limits=Limits(max_paths=4))
    await machine.run()
    started = RunStarted(run="r", question=QUESTION, language="en", settings={})
    events = [started, *machine.events]
    lines = [event.model_dump_json() for event in events]
    replayed = [event_adapter.validate_json(line) for line in lines]
    assert replayed == events
    tree = tree_of(replayed)
    assert tree == tree_of(events)
    assert tree.question == QUESTION
    assert list(tree.plans) == plans
    assert [path.origin for path in tree.paths] == machine.origins
    left = {event.number: event.failure for event in machine.all(PathLeft)}
    assert {p.number: p.failure for p in tree.paths if p.failure is not None} == left
    solved = {event.number: event.outcome.answer for event in machine.all(PathSolved)}
    assert {p.number: p.answer for p in tree.paths if p.answer is not None} == solved
    assert left.keys() | solved.keys() == {path.number for path in tree.paths}
    assert sum(len(path.steps) for path in tree.paths) == len(machine.all(Voted))


async def test_one_machine_serves_many_questions_at_once(scripted: Script) -> None:
    first, second = scripted([CHAIN], FOUND), scripted([CHAIN], TWO_DIRECTORS)
    ended = await asyncio.gather(first.run(), second.run())
    assert [answered.status for answered in ended] == ["answered", "answered"]
    assert first.index.searches == [(DIRECTOR,), (POLAK_S_HOME,)]
    assert second.queries[:2] == [DIRECTOR, NOVAK_S_HOME]
