"""The compiled machine over scripted plans and facts, or over what a seed decides."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest
from fakes import Facts, FakeIndex, FakeReader, ScriptedModel
from hypothesis import strategies as st

import graph.planning as planning
from graph.calls import Calls
from graph.events import Answered, Event, Notice, PathOpened
from graph.machine import build, initial
from graph.nodes import planning as planning_node
from graph.types import Limits, Operator, Plan, SubQuestion, Way
from retrievers.passage import Hit

E = TypeVar("E")
MACHINE = build()
QUESTION = "Where was the director of Ikarie XB-1 born?"


def plan(*steps: str | SubQuestion, score: float = 0.8) -> Plan:
    taken = tuple(SubQuestion(text=s) if isinstance(s, str) else s for s in steps)
    return Plan(steps=taken, planner="test", score=score)


def operator(kind: Operator, *arguments: int, labels: tuple[str, ...] = ()) -> SubQuestion:
    return SubQuestion(
        text="Which one?", kind="operator", operator=kind, arguments=arguments, labels=labels
    )


class Machine:
    """The real machine over scripted plans and facts, with all that one run showed."""

    def __init__(self, facts: Facts, *, model: Any = None, limits: Limits | None = None) -> None:
        self.index = FakeIndex(facts)
        self.reader = FakeReader(facts)
        self.model = model if model is not None else ScriptedModel()
        limits = limits or Limits(accept=0.2, abstain=0.05)
        self.calls = Calls(self.model, self.reader, self.index, limits)
        self.events: list[Event] = []

    def stream(self, question: str, *, language: str = "en", searchable: bool = True) -> Any:
        self.calls.language = language
        return MACHINE.astream(
            initial(question, language, searchable),
            {"recursion_limit": 20 + self.calls.limits.max_paths * 40},
            context=self.calls,
            stream_mode="custom",
        )

    async def run(self, question: str = QUESTION, **how: Any) -> Answered:
        """Run to the end and return how it ended."""
        async for event in self.stream(question, **how):
            self.events.append(event)
        [ended] = self.all(Answered)
        assert self.events[-1] is ended
        return ended

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def origins(self) -> list[str]:
        """Why each path was opened."""
        return [event.path.origin for event in self.all(PathOpened)]

    @property
    def queries(self) -> list[str]:
        return [query for searched in self.index.searches for query in searched]

    @property
    def notices(self) -> list[str]:
        return [event.text for event in self.all(Notice)]


Script = Callable[..., Machine]


def proposing(patch: pytest.MonkeyPatch, plans: Sequence[Plan], *, ask_model: bool = False) -> None:
    """Let the planner propose these plans, after a call of the model if that is wanted."""

    async def propose(question: str, complete: planning.Complete, *, trained: bool) -> list[Plan]:
        if ask_model:
            await complete("Split the question.", {})
        return list(plans)

    patch.setattr(planning_node, "propose", propose)


@st.composite
def searches(draw: st.DrawFn) -> tuple[list[Plan], int, Limits]:
    """Draw plans of up to three hops, a seed that decides what is found, and limits."""
    plans = []
    for number in range(draw(st.integers(1, 3))):
        steps: list[str | SubQuestion] = [f"Who is the founder of X{number}?"]
        for hop in range(draw(st.integers(0, 2))):
            before = draw(st.integers(1, hop + 1))
            steps.append(f"Who is the {'abc'[hop]} of #{before}?")
        plans.append(plan(*steps, score=draw(st.sampled_from([0.3, 0.5, 0.8]))))
    limits = Limits(
        max_paths=draw(st.integers(1, 12)),
        max_retrieval_calls=draw(st.integers(1, 40)),
        accept=draw(st.sampled_from([0.5, 1.0])),
        risk=draw(st.sampled_from([None, 0.5, 0.9])),
        ways=draw(st.lists(st.sampled_from(Way), unique=True)),
    )
    return plans, draw(st.integers(0, 2**32)), limits


class Oracle(FakeIndex):
    """Finds up to three weak answers to any question, or none, as a seed decides."""

    def __init__(self, seed: int) -> None:
        super().__init__({})
        self._seed = seed
        self._facts: dict[str, dict[str, float]] = {}

    async def search(self, queries: Sequence[str], k: int = 10) -> list[list[Hit]]:
        for query in queries:
            drawn = zlib.crc32(f"{self._seed} {query}".encode())
            facts = {f"Person {(drawn >> n) % 97}": 0.2 + n / 10 for n in range(drawn % 4)}
            self._facts[query] = facts
            self._found |= FakeIndex({query: facts})._found
        return await super().search(queries, k)

    def reader(self) -> FakeReader:
        return FakeReader(self._facts)


async def searched(drawn: tuple[list[Plan], int, Limits]) -> Machine:
    """Run a search that was drawn to its end."""
    plans, seed, limits = drawn
    machine = Machine({}, limits=limits)
    oracle = Oracle(seed)
    machine.index = machine.calls.retriever = oracle
    machine.calls.reader = oracle.reader()
    with pytest.MonkeyPatch.context() as patch:
        proposing(patch, plans)
        await machine.run()
    return machine
