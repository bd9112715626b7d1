"""Which path to walk next: pure functions over outcomes. The search is best-first by `promise`.

Loops are impossible: a path is opened only if its signature (plan, bound answers, wordings) was not
opened before, a step is reworded at most once, and runner-ups only go down a verdict's list.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Mapping, Sequence

from graph.planning.substitute import needs, rewordings
from graph.types import Bound, Failure, FailureReason, Outcome, Path, Plan, StepResult, Way
from prompts.loader import render

RUNNER_UPS = 2
"""How many runner-up answers of a step may open a path."""
REWORDED = 0.6
"""How much a reworded step is trusted, compared with its first wording."""
UNSURE = 0.4
"""Confidence of a step below which the answers it rests on are in doubt."""
IN_DOUBT = 0.1
"""How likely it is that nothing sure follows from a right answer, compared with a wrong one.

Over the training questions it is 0.05: nothing as sure as `UNSURE` follows 4 of 174 right answers
and 84 of 194 wrong ones (`training.calibration.fit` counts them). Their forms are those that the
planner and the reader know best; elsewhere more right answers lead nowhere, and twice as many are
allowed for.
"""


_FOUND_NOTHING = {FailureReason.NOTHING_RETRIEVED, FailureReason.NOTHING_READ}


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


def promise(plan: Plan, path: Path) -> float:
    """Estimate the probability that a path of a plan comes to the right answer.

    It is the plan's score times the confidence of every answer that is bound; a step that is still
    to be asked in other words counts `REWORDED`, any other that is not bound yet counts 1, so that
    no answer makes a path more promising.
    """
    open_wordings = len(path.wording.keys() - path.bound.keys())
    bound = math.prod(answer.confidence for answer in path.bound.values())
    return min(1.0, plan.score * bound * REWORDED**open_wordings)


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
    language: str = "en",
) -> list[Path]:
    """Return the paths that a failed or weak path suggests, in no particular order.

    They are the runner-up answers of the steps that the failed one depends on, and another wording
    of the failed step, unless it has one. In a path that ended in a weak answer, the last step is
    the one that failed. Where nothing sure followed from an answer, it is in doubt, with those
    before it in its verdict: by Bayes' rule the runner-up is then as likely as its probability over
    1 − (1 − `IN_DOUBT`) × theirs. `language` is that in which it is told why the paths are opened.
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
        dependants = {n for n in path.bound if number in upstream(plan, n)}
        if _in_doubt(plan, path, failure, number):
            # If the ones before were in doubt too, this one's confidence says so.
            boosted = bound.cluster == 0 or bound.confidence > clusters[bound.cluster].confidence
            doubted = clusters[:following] if boosted else clusters[bound.cluster : following]
            before = sum(cluster.confidence for cluster in doubted)
            confidence = min(1.0, confidence / (1 - (1 - IN_DOUBT) * min(before, 1.0)))
        kept = {n: b for n, b in path.bound.items() if n != number and n not in dependants}
        kept[number] = Bound(
            answer=clusters[following].text,
            confidence=confidence,
            question=bound.question,
            cluster=following,
        )
        told = {"answer": clusters[following].text, "step": str(number)}
        origin = render("origin_runner_up", language, **told)
        found.append(_opened(plan, path, Way.RUNNER_UP, origin, kept, path.wording))
    step = plan.steps[failure.step - 1]
    reworded = Way.REWORDING in ways and failure.step not in path.wording
    if step.kind == "lookup" and reworded:
        kept = {n: b for n, b in path.bound.items() if n != failure.step}
        for wording in rewordings(step.text)[:1]:
            told = {"wording": wording, "step": str(failure.step)}
            origin = render("origin_rewording", language, **told)
            words = {**path.wording, failure.step: wording}
            found.append(_opened(plan, path, Way.REWORDING, origin, kept, words))
    return found


def _in_doubt(plan: Plan, path: Path, failure: Failure, number: int) -> bool:
    """Return whether a lookup that rests on the answer of a step failed, or is unsure.

    Unless a lookup that asks on from it came to something sure: what fails later tells nothing.
    """
    for n, bound in path.bound.items():
        step = plan.steps[n - 1]
        if step.kind == "lookup" and number in needs(step) and bound.confidence >= UNSURE:
            return False
    failed = {failure.step} if failure.reason in _FOUND_NOTHING else set()
    unsure = {n for n, bound in path.bound.items() if bound.confidence < UNSURE}
    return any(
        plan.steps[n - 1].kind == "lookup" and number in upstream(plan, n) for n in failed | unsure
    )


def plan_origin(number: int, planner: str, language: str) -> str:
    """Say which plan it is, counted from 1, and whose.

    A planner is called by its name in `prompts`, or by its own where it has none there.
    """
    # The name of a planner that is not ours may be no part of a file's name either.
    with contextlib.suppress(FileNotFoundError, ValueError):
        planner = render(f"planner_{planner}", language)
    return render("origin_plan", language, number=str(number), planner=planner)


def _opened(
    plan: Plan,
    left: Path,
    way: Way,
    origin: str,
    bound: dict[int, Bound],
    wording: dict[int, str],
) -> Path:
    path = Path(plan=left.plan, origin=origin, way=way, prior=0, bound=bound, wording=wording)
    return path.model_copy(update={"prior": promise(plan, path)})


def pick(frontier: Sequence[Path], walked: Sequence[Path]) -> tuple[Path | None, list[Path]]:
    """Take the most promising path that was not walked; return it and what remains."""
    known = {path.signature() for path in walked}
    fresh: dict[tuple[object, ...], Path] = {}
    for path in sorted(frontier, key=lambda p: -p.prior):
        if path.signature() not in known:
            fresh.setdefault(path.signature(), path)
    remaining = list(fresh.values())
    return (remaining[0], remaining[1:]) if remaining else (None, [])
