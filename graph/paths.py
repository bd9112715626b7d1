"""Which path to walk next: pure functions over outcomes. The search is best-first.

Loops are impossible: a path is opened only if its signature (plan, bound answers, wordings) was not
opened before, a step is reworded at most once, and runner-ups only go down a verdict's list.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from graph.planning.substitute import needs, rewordings
from graph.types import Bound, Outcome, Path, Plan, StepResult, Way

RUNNER_UPS = 2
"""How many runner-up answers of a step may open a path."""
REWORDED = 0.6
"""How much a reworded step is trusted, compared with its first wording."""


def upstream(plan: Plan, step: int) -> set[int]:
    """Return the steps that `step` depends on, directly or not. Steps count from 1."""
    found: set[int] = set()
    ahead = list(needs(plan.steps[step - 1]))
    while ahead:
        number = ahead.pop()
        # A plan that was not checked may name a step that it lacks.
        if number not in found and 1 <= number <= len(plan.steps):
            found.add(number)
            ahead += needs(plan.steps[number - 1])
    return found


def ready(plan: Plan, path: Path) -> list[int]:
    """Return the unbound steps whose references are all bound."""
    return [
        number
        for number, step in enumerate(plan.steps, 1)
        if number not in path.bound and needs(step) <= path.bound.keys()
    ]


def bridging(outcomes: Sequence[Outcome], plans: Sequence[Plan]) -> list[str]:
    """Return the answers that paths went on from: those that another lookup asks about.

    They are what a question describes ("the actor who voices Batman"), and so not what it asks for.
    """
    found: dict[str, None] = {}
    for outcome in outcomes:
        steps = plans[outcome.path.plan].steps
        asked = {n for step in steps if step.kind == "lookup" for n in needs(step)}
        found |= {b.answer: None for n, b in outcome.path.bound.items() if n in asked}
    return list(found)


def alternatives(
    outcome: Outcome,
    plans: Sequence[Plan],
    memory: Mapping[str, StepResult],
    ways: Collection[Way] = frozenset(Way),
) -> list[Path]:
    """Return the paths that a failed or weak path suggests, in no particular order.

    They are the runner-up answers of the steps that the failed one depends on, and another wording
    of the failed step, unless it has one. In a path that ended in a weak answer, the last step is
    the one that failed.
    """
    path, failure = outcome.path, outcome.failure
    if failure is None:
        return []
    plan = plans[path.plan]
    found = []
    for number in sorted(upstream(plan, failure.step)) if Way.RUNNER_UP in ways else ():
        bound = path.bound.get(number)
        result = memory.get(bound.question) if bound else None
        if bound is None or result is None or result.verdict is None:
            continue
        clusters = result.verdict.clusters
        following = bound.cluster + 1
        if following > RUNNER_UPS or following >= len(clusters):
            continue
        confidence = clusters[following].confidence
        if confidence <= 0:
            continue
        # As probable as it is once those before it are known to be wrong.
        before = sum(cluster.confidence for cluster in clusters[:following])
        dependants = {n for n in path.bound if number in upstream(plan, n)}
        kept = {n: b for n, b in path.bound.items() if n != number and n not in dependants}
        kept[number] = Bound(
            answer=clusters[following].text,
            confidence=confidence,
            question=bound.question,
            cluster=following,
        )
        found.append(
            Path(
                plan=path.plan,
                origin=f"runner-up “{clusters[following].text}” for step {number}",
                prior=path.prior * min(1.0, confidence / max(1 - before, confidence)),
                bound=kept,
                wording=path.wording,
            )
        )
    step = plan.steps[failure.step - 1]
    reworded = Way.REWORDING in ways and failure.step not in path.wording
    if step.kind == "lookup" and reworded:
        found += [
            Path(
                plan=path.plan,
                origin=f"step {failure.step} reworded: “{wording}”",
                prior=path.prior * REWORDED,
                bound={n: b for n, b in path.bound.items() if n != failure.step},
                wording={**path.wording, failure.step: wording},
            )
            for wording in rewordings(step.text)[:1]
        ]
    return found


def pick(frontier: Sequence[Path], walked: Sequence[Path]) -> tuple[Path | None, list[Path]]:
    """Take the most promising path that was not walked; return it and what remains."""
    known = {path.signature() for path in walked}
    fresh: dict[tuple[object, ...], Path] = {}
    for path in sorted(frontier, key=lambda p: -p.prior):
        if path.signature() not in known:
            fresh.setdefault(path.signature(), path)
    remaining = list(fresh.values())
    return (remaining[0], remaining[1:]) if remaining else (None, [])
