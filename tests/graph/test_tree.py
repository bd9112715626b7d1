"""The OR/AND tree of a search: what solves what, what is left to try, and what it is worth."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from scripted_machine import QUESTION, Machine, Script, operator, plan, searched, searches

from agent.answer import tree_of
from graph.events import Event, PathOpened, PathSolved, RunStarted, StepAsked
from graph.growing import question_tree
from graph.paths import REWORDED, promise
from graph.replay import state_of
from graph.tree import AnswerNode, Node, QuestionNode, StepNode, WordingNode
from graph.types import FailureReason, Limits, Operator, Plan, Way

pytestmark = pytest.mark.usefixtures("as_read")

CHAIN = plan("Who is the director of Ikarie XB-1?", "Where was #1 born?")
WHOLE = plan(QUESTION, score=0.05)
TWO_DIRECTORS = {
    "Who is the director of Ikarie XB-1?": {"Jan Novák": 0.8, "Jindřich Polák": 0.7},
    "Where was Jindřich Polák born?": {"Prague": 0.9},
}
EASY = Limits(accept=0.1, abstain=0.05)


def grown(machine: Machine, ways: tuple[Way, ...] = tuple(Way)) -> QuestionNode:
    return question_tree(state_of(machine.events), ways)


def under(node: Node) -> Iterator[Node]:
    """Yield a node and all nodes below it."""
    yield node
    for name in ("plans", "steps", "wordings", "answers"):
        for child in getattr(node, name, ()):
            yield from under(child)


async def test_a_chain_is_one_plan_with_its_steps_and_their_answers(scripted: Script) -> None:
    machine = scripted([CHAIN, WHOLE], TWO_DIRECTORS, limits=EASY)
    await machine.run()
    tree = grown(machine)
    assert tree.state == "solved"
    chain, whole = tree.plans
    assert (chain.state, chain.answer) == ("solved", "Prague")
    assert (whole.state, whole.answer, whole.estimate) == ("untried", None, 0.05)
    first, second = chain.steps
    [asked] = first.wordings
    novak, polak = asked.answers
    assert (novak.text, novak.rank, novak.state) == ("Jan Novák", 0, "failed")
    assert novak.failure is not None
    assert (novak.failure.step, novak.failure.reason) == (2, FailureReason.NOTHING_RETRIEVED)
    assert (polak.text, polak.rank, polak.state) == ("Jindřich Polák", 1, "solved")
    asked_of = {w.question: w.state for w in second.wordings}
    assert asked_of["Where was Jan Novák born?"] == "failed"
    assert asked_of["Where was Jindřich Polák born?"] == "solved"


async def test_a_plan_is_worth_its_score_times_what_its_steps_are(scripted: Script) -> None:
    facts = {**TWO_DIRECTORS, "Who is the director of Ikarie XB-1?": {"Jindřich Polák": 0.7}}
    machine = scripted([CHAIN], facts, limits=EASY)
    await machine.run()
    [chain] = grown(machine).plans
    assert [step.estimate for step in chain.steps] == pytest.approx([0.7, 0.9])
    assert chain.estimate == pytest.approx(0.8 * 0.7 * 0.9)


async def test_what_no_path_has_come_to_is_untried_and_nothing_speaks_against_it(
    scripted: Script,
) -> None:
    machine = scripted([CHAIN, WHOLE], {}, limits=Limits(ways=(Way.PLAN,), max_paths=1))
    await machine.run()
    chain, whole = grown(machine, (Way.PLAN,)).plans
    first, second = chain.steps
    assert (chain.state, chain.estimate) == ("failed", 0)
    assert (first.state, first.estimate) == ("failed", 0)
    assert (second.state, second.estimate, second.wordings) == ("untried", 0, ())
    assert (whole.steps[0].state, whole.steps[0].estimate) == ("untried", 1)
    # Where no other plan may be tried, nothing is left.
    assert grown(machine, ()).estimate == 0


async def test_another_wording_is_left_to_try_where_the_search_may_take_it(
    scripted: Script,
) -> None:
    facts = {"Who is the director of Ikarie XB-1?": {"Jan Novák": 0.9}}
    machine = scripted([CHAIN], facts, limits=Limits(ways=()))
    await machine.run()
    [chain] = grown(machine, (Way.REWORDING,)).plans
    other = chain.steps[1].wordings[1]
    assert (other.question, other.reworded) == ("What is the birthplace of Jan Novák?", True)
    assert (other.state, other.estimate) == ("untried", REWORDED)
    assert chain.estimate == pytest.approx(0.8 * 0.9 * REWORDED)
    [chain] = grown(machine, ()).plans
    assert len(chain.steps[1].wordings) == 1
    assert chain.estimate == 0


async def test_a_computed_step_has_the_answer_of_its_operator(scripted: Script) -> None:
    compared = plan(
        "Name the birthday of Ann Lee.",
        "Name the birthday of Bo Ek.",
        operator(Operator.EARLIER, 1, 2, labels=("Ann Lee", "Bo Ek")),
    )
    facts = {
        "Name the birthday of Ann Lee.": {"17 February 1898": 0.9},
        "Name the birthday of Bo Ek.": {"23 May 1947": 0.9},
    }
    machine = scripted([compared], facts, limits=EASY)
    await machine.run()
    [node] = grown(machine).plans
    assert node.steps[2].kind == "operator"
    [computed] = node.steps[2].wordings
    assert [(a.text, a.confidence, a.state) for a in computed.answers] == [("Ann Lee", 1, "solved")]


async def test_a_search_that_goes_on_is_open_where_it_stands(scripted: Script) -> None:
    machine = scripted([CHAIN, WHOLE], TWO_DIRECTORS, limits=EASY)
    await machine.run()
    opened = next(n for n, event in enumerate(machine.events) if isinstance(event, PathOpened))
    tree = question_tree(state_of(machine.events[: opened + 1]))
    assert [node.state for node in tree.plans] == ["open", "untried"]
    [asked] = tree.plans[0].steps[0].wordings
    assert (asked.state, asked.answers) == ("open", ())
    assert tree.estimate == tree.plans[0].estimate == pytest.approx(0.8)


def test_before_there_are_plans_the_tree_is_the_question_alone() -> None:
    begun: Event = RunStarted(run="r", question=QUESTION, language="en", settings={})
    tree = question_tree(state_of([begun]))
    assert (tree.question, tree.state, tree.plans) == (QUESTION, "untried", ())


async def test_the_ways_of_a_run_decide_what_its_trace_leaves_to_try(scripted: Script) -> None:
    machine = scripted([CHAIN], {}, limits=Limits(ways=()))
    await machine.run()
    wordings = []
    for ways in ("", "rewording"):
        told: dict[str, str | int | float | bool | None] = {"ways": ways}
        begun = RunStarted(run="r", question=QUESTION, language="en", settings=told)
        root = tree_of([begun, *machine.events]).root
        assert root is not None
        wordings.append([w.question for w in root.plans[0].steps[0].wordings])
    assert wordings[0] == [CHAIN.steps[0].text]
    assert wordings[1] == [CHAIN.steps[0].text, "Who directed Ikarie XB-1?"]


# ── of any search ─────────────────────────────────────────────────────────────────────────────


@settings(deadline=None, max_examples=60)
@given(searches())
async def test_a_plan_is_solved_by_all_of_its_steps_and_anything_else_by_one_of_its_alternatives(
    drawn: tuple[list[Plan], int, Limits],
) -> None:
    machine = await searched(drawn)
    tree = grown(machine, drawn[2].ways)
    solved = {event.number for event in machine.all(PathSolved)}
    assert (tree.state == "solved") == bool(solved)
    for node in under(tree):
        if isinstance(node, QuestionNode):
            assert (node.state == "solved") == any(p.state == "solved" for p in node.plans)
        elif isinstance(node, StepNode):
            assert (node.state == "solved") == any(w.state == "solved" for w in node.wordings)
        elif isinstance(node, WordingNode):
            assert (node.state == "solved") == any(a.state == "solved" for a in node.answers)
        assert (node.state == "solved") == bool(solved & set(node.paths))
        assert (node.state == "untried") == (not node.paths)
        assert (node.state == "failed") == (node.failure is not None)
    for chosen in tree.plans:
        assert (chosen.state == "solved") == all(step.state == "solved" for step in chosen.steps)


@settings(deadline=None, max_examples=60)
@given(searches())
async def test_every_path_that_was_walked_can_be_followed_through_the_tree(
    drawn: tuple[list[Plan], int, Limits],
) -> None:
    machine = await searched(drawn)
    state = state_of(machine.events)
    tree = question_tree(state, drawn[2].ways)
    assert tree.paths == tuple(range(1, len(machine.all(PathOpened)) + 1))
    for number, outcome in enumerate(state["outcomes"], 1):
        node = tree.plans[outcome.path.plan]
        assert number in node.paths
        for step in node.steps:
            bound = outcome.path.bound.get(step.number)
            answers = [a for w in step.wordings for a in w.answers if number in a.paths]
            assert [a.text for a in answers] == ([bound.answer] if bound is not None else [])


@settings(deadline=None, max_examples=60)
@given(searches())
async def test_no_plan_is_worth_more_than_its_steps_and_no_failure_is_worth_anything(
    drawn: tuple[list[Plan], int, Limits],
) -> None:
    machine = await searched(drawn)
    state = state_of(machine.events)
    tree = question_tree(state, drawn[2].ways)
    assert tree.estimate == max(node.estimate for node in tree.plans)
    for number, node in enumerate(tree.plans):
        product = node.score * math.prod(step.estimate for step in node.steps)
        assert node.estimate <= product + 1e-9
        came_to = [
            promise(state["plans"][number], outcome.path)
            for outcome in state["outcomes"]
            if outcome.path.plan == number and outcome.answer is not None
        ]
        assert node.estimate >= max(came_to, default=0.0)
        for wording in (w for step in node.steps for w in step.wordings):
            for answer in wording.answers:
                assert answer.estimate == 0 or answer.estimate >= answer.confidence
                assert wording.estimate >= answer.estimate
    if not drawn[2].ways:
        assert all(n.estimate == 0 for p in tree.plans for n in [p] if n.state == "failed")


@settings(deadline=None, max_examples=30)
@given(searches())
async def test_the_tree_is_the_same_from_the_trace_and_grows_with_every_event(
    drawn: tuple[list[Plan], int, Limits],
) -> None:
    machine = await searched(drawn)
    begun = RunStarted(run="r", question=QUESTION, language="en", settings=drawn[2].as_settings())
    events: list[Event] = [begun, *machine.events]
    root = tree_of(events).root
    assert root == question_tree(state_of(events), drawn[2].ways)
    assert root is not None
    assert QuestionNode.model_validate_json(root.model_dump_json()) == root
    seen = 0
    for length in range(1, len(events) + 1):
        tree = question_tree(state_of(events[:length]), drawn[2].ways)
        assert len(tree.paths) >= seen
        seen = len(tree.paths)
        assert not isinstance(events[length - 1], StepAsked)
        for node in under(tree):
            assert isinstance(node, AnswerNode) or node.estimate <= 1
