"""The question tree as a search has grown it: its paths, folded into OR and AND nodes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graph.paths import REWORDED, RUNNER_UPS, alternatives, promise
from graph.planning.substitute import fill, needs
from graph.state import State, memory_key
from graph.tree import AnswerNode, NodeState, PlanNode, QuestionNode, StepNode, WordingNode
from graph.types import Failure, FailureReason, Outcome, Path, Plan, StepResult, Verdict, Way


def question_tree(state: State, ways: Collection[Way] = frozenset(Way)) -> QuestionNode:
    """Return the tree of a search, finished or not; `replay.state_of` makes the state of a trace.

    `ways` are those that the search may take: they decide what is left to try.
    """
    walks = [*_walked(state), *_untried(state, frozenset(ways))]
    plans = tuple(
        _plan(number, plan, [walk for walk in walks if walk.path.plan == number], state["memory"])
        for number, plan in enumerate(state["plans"])
    )
    return QuestionNode(
        **_through(walks),
        estimate=max((plan.estimate for plan in plans), default=0.0),
        question=state["question"],
        plans=plans,
    )


@dataclass(frozen=True)
class _Walk:
    """A path as it ended, as it stands, or as it would be opened."""

    path: Path
    state: NodeState
    number: int | None = None
    answer: str | None = None
    failure: Failure | None = None

    @property
    def alive(self) -> bool:
        return self.state != "failed"


def _walked(state: State) -> list[_Walk]:
    ended = [
        _Walk(o.path, "failed" if o.answer is None else "solved", number, o.answer, o.failure)
        for number, o in enumerate(state["outcomes"], 1)
    ]
    if len(state["walked"]) > len(ended):
        ended.append(_Walk(state["path"], "open", len(state["walked"])))
    return ended


def _untried(state: State, ways: frozenset[Way]) -> list[_Walk]:
    """Return the paths that the ended ones suggest, and the plans that no path has followed."""
    plans, walked = state["plans"], state["walked"]
    suggested: list[Path] = []
    for number, outcome in enumerate(state["outcomes"], 1):
        left = outcome.failure is not None or number < len(walked)
        # Where a search ended with an answer, it had no reason to ask in other words.
        further = ways if left else ways & {Way.RUNNER_UP}
        suggested += alternatives(_left(outcome, plans), plans, state["memory"], further)
    followed = {path.plan for path in walked}
    suggested += [
        Path(plan=number, origin="", prior=plan.score)
        for number, plan in enumerate(plans)
        if number not in followed and (Way.PLAN in ways or (not walked and number == 0))
    ]
    known = {path.signature() for path in walked}
    return [_Walk(path, "untried") for path in suggested if path.signature() not in known]


def _left(outcome: Outcome, plans: Sequence[Plan]) -> Outcome:
    if outcome.failure is not None:
        return outcome
    last = len(plans[outcome.path.plan].steps)
    weak = Failure(step=last, reason=FailureReason.WEAK, detail="")
    return outcome.model_copy(update={"failure": weak})


def _through(walks: Iterable[_Walk]) -> dict[str, Any]:
    """Return what the paths through a node say of it, but for its estimate."""
    of: dict[NodeState, list[_Walk]] = {}
    numbers = []
    for walk in walks:
        of.setdefault(walk.state, []).append(walk)
        if walk.number is not None:
            numbers.append(walk.number)
    state: NodeState = next((s for s in ("solved", "open", "failed") if s in of), "untried")
    failure = of["failed"][-1].failure if state == "failed" else None
    return {"state": state, "failure": failure, "paths": tuple(numbers)}


def _plan(
    number: int, plan: Plan, walks: Sequence[_Walk], memory: Mapping[str, StepResult]
) -> PlanNode:
    solved = [walk for walk in walks if walk.state == "solved"]
    surest = max(solved, key=lambda walk: promise(plan, walk.path), default=None)
    return PlanNode(
        **_through(walks),
        estimate=max((promise(plan, w.path) for w in walks if w.alive), default=0.0),
        number=number + 1,
        planner=plan.planner,
        score=plan.score,
        answer=surest.answer if surest is not None else None,
        steps=tuple(_step(n, plan, walks, memory) for n in range(1, len(plan.steps) + 1)),
    )


def _step(
    number: int, plan: Plan, walks: Sequence[_Walk], memory: Mapping[str, StepResult]
) -> StepNode:
    step = plan.steps[number - 1]
    asked: dict[str, list[_Walk]] = {}
    texts: dict[str, str] = {}
    ahead = False
    for walk in walks:
        text = _asked(number, plan, walk, memory)
        if text is not None:
            asked.setdefault(memory_key(text), []).append(walk)
            texts.setdefault(memory_key(text), text)
        ahead = ahead or (text is None and walk.alive)
    wordings = tuple(
        _wording(number, texts[key], through, memory.get(key) if step.kind == "lookup" else None)
        for key, through in asked.items()
    )
    return StepNode(
        **_through(walk for through in asked.values() for walk in through),
        estimate=1.0 if ahead else max((w.estimate for w in wordings), default=0.0),
        number=number,
        text=step.text,
        kind=step.kind,
        wordings=wordings,
    )


def _asked(number: int, plan: Plan, walk: _Walk, memory: Mapping[str, StepResult]) -> str | None:
    """Return the words in which a path asks a step; None where it has not come so far."""
    path, step = walk.path, plan.steps[number - 1]
    bound = path.bound.get(number)
    if bound is not None and bound.question in memory:
        return memory[bound.question].question
    if not needs(step) <= path.bound.keys():
        return None
    answers = {n: b.answer for n, b in path.bound.items()}
    text = fill(path.wording.get(number, step.text), answers)
    here = bound is not None or walk.state == "open"
    here = here or (walk.failure is not None and walk.failure.step == number)
    if walk.state == "untried":
        here = here or number in path.wording
    else:
        here = here or memory_key(text) in memory
    return text if here else None


def _wording(
    number: int, question: str, walks: Sequence[_Walk], result: StepResult | None
) -> WordingNode:
    reworded = any(number in walk.path.wording for walk in walks)
    answers = _answers(number, walks, result.verdict if result is not None else None)
    estimates = [answer.estimate for answer in answers]
    if any(walk.alive and number not in walk.path.bound for walk in walks):
        estimates.append(REWORDED if reworded else 1.0)
    return WordingNode(
        **_through(walks),
        estimate=max(estimates, default=0.0),
        question=question,
        reworded=reworded,
        answers=answers,
    )


def _answers(
    number: int, walks: Sequence[_Walk], verdict: Verdict | None
) -> tuple[AnswerNode, ...]:
    """Return the vote's answers, as far down as the search may go, and what paths bound besides."""
    found: dict[str, tuple[int, float]] = {}
    if verdict is not None:
        found[verdict.answer] = (0, verdict.confidence)
        for rank, cluster in enumerate(verdict.clusters[1 : RUNNER_UPS + 1], 1):
            if cluster.confidence > 0:
                found.setdefault(cluster.text, (rank, cluster.confidence))
    for walk in walks:
        if (bound := walk.path.bound.get(number)) is not None:
            found.setdefault(bound.answer, (bound.cluster, bound.confidence))
    nodes = []
    for text, (rank, confidence) in found.items():
        through = [
            walk
            for walk in walks
            if number in walk.path.bound and walk.path.bound[number].answer == text
        ]
        # A runner-up is likelier than the vote had it, where nothing followed from the first.
        alive = [walk.path.bound[number].confidence for walk in through if walk.alive]
        nodes.append(
            AnswerNode(
                **_through(through),
                estimate=max(alive, default=0.0) if through else confidence,
                text=text,
                rank=rank,
                confidence=confidence,
            )
        )
    return tuple(nodes)
