"""From the events of a run to what is shown of it. Pure: nothing is read but the events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.answer import PathTaken, StepTaken, Tree, tree_of, usage_of
from agent.errors import TraceError
from agent.viewer.timeline import timeline
from agent.viewer.views import (
    CallView,
    CandidateView,
    Found,
    Mark,
    PathState,
    PathView,
    RunSummary,
    RunView,
    SearchView,
    Status,
    StepState,
    StepView,
)
from graph.events import (
    Answered,
    CandidatesRead,
    Event,
    Inherited,
    ModelCalled,
    Notice,
    PathLeft,
    PathOpened,
    PathSolved,
    Planned,
    Retrieved,
    RunFailed,
    RunResumed,
    RunStarted,
    StepAsked,
    Token,
    Voted,
)
from graph.planning.substitute import fill, needs
from graph.replay import is_by_a_person
from graph.state import memory_key
from graph.types import Candidate, Failure, FailureReason, Plan, StepResult, SubQuestion
from retrievers.passage import Hit, Passage

_ON_A_PATH = (CandidatesRead, Voted, StepAsked, PathSolved, PathLeft)


def run_view(events: Sequence[Event], *, running: bool = False) -> RunView:
    """Show a run, finished or not.

    Parameters
    ----------
    events
        All events of the run so far, in the order in which they happened.
    running
        Whether a run that has not come to its end is still under way.

    Raises
    ------
    TraceError
        Where the events are not those of a run, or not in their order.
    """
    started = _started(events)
    tree, usage = tree_of(events), usage_of(events)
    assert tree.root is not None  # events have one
    answered = next((e for e in reversed(events) if isinstance(e, Answered)), None)
    status = _status(events, running)
    calls = [e for e in events if isinstance(e, ModelCalled)]
    searches = [e for e in events if isinstance(e, Retrieved)]
    return RunView(
        run=started.run,
        question=started.question,
        language=started.language,
        started=started.at,
        status=status,
        now=_now(events[-1]) if status == "running" else None,
        answer=answered.answer if answered else None,
        text=answered.text if answered else _told(events),
        confidence=answered.confidence if answered and answered.answer is not None else None,
        error=next((e.error for e in reversed(events) if isinstance(e, RunFailed)), None)
        if status == "failed"
        else None,
        notices=tuple(e.text for e in events if isinstance(e, Notice)),
        citations=answered.citations if answered else (),
        plans=len(tree.plans),
        paths=_paths(tree, _evidence(events), answered, status == "running"),
        tree=tree.root,
        calls=tuple(
            CallView(number=number, **call.model_dump(exclude={"type", "at"}))
            for number, call in enumerate(calls, 1)
        ),
        searches=tuple(
            SearchView(
                number=number,
                queries=search.queries,
                counts=tuple(map(len, search.hits)),
                seconds=search.seconds,
            )
            for number, search in enumerate(searches, 1)
        ),
        timeline=timeline(events),
        usage=usage,
        settings=started.settings,
        forked_from=started.forked_from,
        corrected=started.corrected,
        asked=_asked(events) if status == "waiting" else None,
        events=len(events),
        passages=_passages(events),
    )


def run_summary(events: Sequence[Event], *, running: bool = False) -> RunSummary:
    """Show a run in one line of a list. Raises and takes what `run_view` does."""
    started, usage = _started(events), usage_of(events)
    answered = next((e for e in reversed(events) if isinstance(e, Answered)), None)
    return RunSummary(
        run=started.run,
        question=started.question,
        language=started.language,
        started=started.at,
        status=_status(events, running),
        answer=answered.answer if answered else None,
        seconds=usage.seconds,
        paths=sum(isinstance(e, PathOpened) for e in events),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
    )


def _started(events: Sequence[Event]) -> RunStarted:
    """Return the first event; see whether the others come in an order that a run has."""
    if not events or not isinstance(events[0], RunStarted):
        raise TraceError("it does not begin with the start of a run")
    plans = opened = 0
    for event in events:
        if isinstance(event, Planned):
            plans = len(event.plans)
        elif isinstance(event, PathOpened):
            opened += 1
            if event.path.plan >= plans:
                raise TraceError(f"path {event.number} follows a plan that was never made")
        elif isinstance(event, _ON_A_PATH) and not opened:
            raise TraceError("something happened on a path before any was opened")
    return events[0]


def _status(events: Sequence[Event], running: bool) -> Status:
    for event in reversed(events):
        if isinstance(event, Answered):
            return event.status
    if _asked(events) is not None:
        return "waiting"
    if isinstance(events[-1], RunFailed):
        return "failed"
    return "running" if running else "unfinished"


def _asked(events: Sequence[Event]) -> StepResult | None:
    """Return what a person is asked about, where that is how the run stands."""
    last = next((e for e in reversed(events) if not isinstance(e, RunFailed)), None)
    return last.result if isinstance(last, StepAsked) else None


def _told(events: Sequence[Event]) -> str:
    """Return what was said of an answer so far; what was said before a resumption is void."""
    text = ""
    for event in events:
        if isinstance(event, Token):
            text += event.text
        elif isinstance(event, RunResumed):
            text = ""
    return text.strip()


def _now(event: Event) -> str:
    """Say what a run does after this event."""
    match event:
        case RunStarted():
            return "making plans"
        case RunResumed():
            return "going on"
        case PathOpened():
            return f"searching on path {event.number}"
        case Retrieved():
            return "reading what was found"
        case CandidatesRead():
            return f"voting on step {event.step}"
        case Voted():
            verdict = event.result.verdict
            said = f"found “{verdict.answer}”" if verdict else "found nothing"
            return f"step {event.step}: {said}"
        case PathLeft():
            return "choosing another path"
        case PathSolved() | Token():
            return "writing the answer"
        case _:
            return "working"


# ── what each step was decided on ─────────────────────────────────────────────────────────────


@dataclass
class _Evidence:
    """What the events tell of the steps beyond the tree."""

    hits: dict[tuple[int, str], dict[str, Hit]] = field(default_factory=dict)
    """By path (from 0) and query, then by passage."""
    any_hit: dict[str, Hit] = field(default_factory=dict)
    """The last hit of each passage, for whatever query."""
    read: dict[tuple[int, int], CandidatesRead] = field(default_factory=dict)
    """By path (from 0) and step."""


def _evidence(events: Sequence[Event]) -> _Evidence:
    found, path = _Evidence(), -1
    for event in events:
        match event:
            case PathOpened():
                path += 1
            case Retrieved():
                for query, hits in zip(event.queries, event.hits, strict=False):
                    known = {hit.passage.id: hit for hit in hits}
                    found.hits[path, memory_key(query)] = known
                    found.any_hit |= known
            case CandidatesRead():
                found.read[path, event.step] = event
            case _:
                pass
    return found


def _passages(events: Sequence[Event]) -> dict[str, Passage]:
    passages: dict[str, Passage] = {}
    for event in events:
        if isinstance(event, Retrieved):
            passages |= {hit.passage.id: hit.passage for hits in event.hits for hit in hits}
        elif isinstance(event, Inherited):
            passages |= {passage.id: passage for passage in event.passages}
        elif isinstance(event, Answered):
            passages |= {passage.id: passage for passage in event.passages}
            passages |= {cited.passage.id: cited.passage for cited in event.citations}
    return passages


# ── the tree ──────────────────────────────────────────────────────────────────────────────────


def _paths(
    tree: Tree, evidence: _Evidence, answered: Answered | None, running: bool
) -> tuple[PathView, ...]:
    chosen = _chosen(tree, answered)
    views: list[PathView] = []
    decided: dict[str, str] = {}
    for index, taken in enumerate(tree.paths):
        plan = tree.plans[taken.plan]
        current = running and index == len(tree.paths) - 1
        state = _path_state(taken, index == chosen, current)
        views.append(
            PathView(
                id=f"p{index + 1}",
                number=taken.number,
                plan=taken.plan,
                planner=plan.planner,
                plan_score=plan.score,
                origin=taken.origin,
                state=state,
                answer=taken.answer,
                confidence=taken.confidence if taken.answer is not None else None,
                failure=taken.failure,
                steps=_steps(taken, plan, index, evidence, state == "running", decided),
            )
        )
    return tuple(views)


def _chosen(tree: Tree, answered: Answered | None) -> int | None:
    """Return the place of the path that the answer was taken from.

    Of paths to the same answer it is the one most trusted: by its plan and its own confidence.
    """
    if answered is None or answered.answer is None:
        return None
    same = [n for n, path in enumerate(tree.paths) if path.answer == answered.answer]

    def trusted(place: int) -> float:
        path = tree.paths[place]
        return tree.plans[path.plan].score * path.confidence

    return max(same, key=trusted, default=None)


def _path_state(taken: PathTaken, chosen: bool, current: bool) -> PathState:
    if chosen:
        return "chosen"
    if taken.answer is not None:
        return "solved"
    if taken.failure is not None:
        return "left"
    return "running" if current else "unfinished"


def _steps(
    taken: PathTaken,
    plan: Plan,
    index: int,
    evidence: _Evidence,
    current: bool,
    decided: dict[str, str],
) -> tuple[StepView, ...]:
    """Show every step of the plan, whether it was taken or not.

    `decided` maps a sub-question to the step that it was decided in; it is added to.
    """
    results = {step.step: step for step in taken.steps}
    answers = dict(taken.bound)
    for number, step in results.items():
        if step.result.verdict is not None:
            answers[number] = step.result.verdict.answer
    views = []
    for number, planned in enumerate(plan.steps, 1):
        step_taken = results.get(number)
        view = StepView(
            id=f"p{index + 1}s{number}",
            step=number,
            planned=planned.text,
            question=fill(planned.text, answers),
            kind=planned.kind,
            expects=planned.expects,
            operator=planned.operator,
            state=_step_state(number, planned, step_taken, taken, answers, current),
            answer=answers.get(number),
        )
        failed = taken.failure is not None and taken.failure.step == number
        if failed and taken.answer is None:
            view = view.model_copy(update={"failure": taken.failure})
        if step_taken is not None:
            view = _decided(view, step_taken, index, evidence, decided)
        views.append(view)
    return tuple(views)


def _step_state(
    number: int,
    planned: SubQuestion,
    step: StepTaken | None,
    path: PathTaken,
    answers: Mapping[int, str],
    current: bool,
) -> StepState:
    if step is not None:
        if step.result.verdict is None:
            return "failed"
        if is_by_a_person(step.result.verdict):
            return "corrected"
        if step.remembered:
            return "remembered"
        return "computed" if planned.kind == "operator" else "answered"
    if number in path.bound:
        return "given"
    if path.failure is not None and path.failure.step == number:
        return "failed"
    if current:
        return "running" if needs(planned) <= answers.keys() else "waiting"
    return "untried"


def _decided(
    view: StepView,
    step: StepTaken,
    index: int,
    evidence: _Evidence,
    decided: dict[str, str],
) -> StepView:
    result = step.result
    verdict = result.verdict
    earlier = decided.get(memory_key(result.question))
    told = view.model_copy(
        update={
            "question": result.question,
            "result": result,
            "confidence": verdict.confidence if verdict else None,
            "failure": result.failure or view.failure,
            "evidence": earlier if step.remembered else None,
        }
    )
    read = evidence.read.get((index, step.step))
    if (step.remembered and earlier is not None) or (read is None and not result.passages):
        return told
    decided.setdefault(memory_key(result.question), view.id)
    # A fork remembers what was read in the run that it corrects; the verdict holds the best of it.
    clusters = verdict.clusters if verdict else ()
    candidates = (
        read.candidates if read is not None else tuple(c for k in clusters for c in k.candidates)
    )
    return told.model_copy(
        update={
            "candidates": _weighed(candidates, result),
            "found": _found(result, candidates, index, evidence),
            "reading_seconds": read.seconds if read is not None else None,
        }
    )


def _weighed(candidates: Sequence[Candidate], result: StepResult) -> tuple[CandidateView, ...]:
    clusters = result.verdict.clusters if result.verdict else ()
    ranks = {passage: rank for rank, passage in enumerate(result.passages, 1)}
    place = {c: n for n, cluster in enumerate(clusters, 1) for c in cluster.candidates}
    heaviest = sorted(candidates, key=lambda c: c.probability, reverse=True)
    return tuple(
        CandidateView(
            candidate=c, rank=ranks.get(c.passage_id), weight=c.probability, cluster=place.get(c)
        )
        for c in heaviest
    )


def _found(
    result: StepResult, candidates: Sequence[Candidate], index: int, evidence: _Evidence
) -> tuple[Found, ...]:
    winner = result.verdict.clusters[0] if result.verdict and result.verdict.clusters else None
    winning = set(winner.candidates) if winner else set()
    carriers = {candidate.passage_id for candidate in winning}
    supporters = set(winner.supporters) if winner else set()
    hits = evidence.hits.get((index, memory_key(result.question)), {})
    found = []
    for rank, passage in enumerate(result.passages, 1):
        hit = hits.get(passage) or evidence.any_hit.get(passage)
        marks = [
            Mark(
                start=c.start,
                end=c.end,
                kind="answer" if c in winning else "candidate",
                score=c.probability,
            )
            for c in candidates
            if c.passage_id == passage
        ]
        if hit is not None:
            marks += [Mark(start=start, end=end, kind="query") for start, end in hit.spans]
        found.append(
            Found(
                passage=passage,
                rank=rank,
                score=hits[passage].score if passage in hits else None,
                lexical_rank=hit.lexical_rank if hit is not None else None,
                dense_rank=hit.dense_rank if hit is not None else None,
                title_rank=hit.title_rank if hit is not None else None,
                phrase_rank=hit.phrase_rank if hit is not None else None,
                role="carries"
                if passage in carriers
                else "supports"
                if passage in supporters
                else "none",
                marks=tuple(marks),
            )
        )
    return tuple(found)


# ── in words ──────────────────────────────────────────────────────────────────────────────────

_LEFT = {
    FailureReason.NOTHING_RETRIEVED: "no passage was found",
    FailureReason.NOTHING_READ: "no passage held an answer",
    FailureReason.TYPE_MISMATCH: "an answer was not of the kind that was needed",
    FailureReason.INCOMPARABLE: "the answers could not be compared",
    FailureReason.TIE: "neither answer won",
    FailureReason.STUCK: "a step refers to one that is never answered",
    FailureReason.WEAK: "the answer was too weak to stop at",
    FailureReason.BUDGET: "a limit was reached",
}


def why_left(failure: Failure) -> str:
    """Say in a few words why a path was left."""
    return _LEFT.get(failure.reason, failure.reason.value.replace("_", " "))
