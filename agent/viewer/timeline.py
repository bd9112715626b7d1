"""Where the time of a run went: intervals of work, and what is left between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.viewer.views import LANES, Lane, Slice, Timeline
from graph.events import CandidatesRead, Event, ModelCalled, Retrieved, RunResumed, RunStarted

Interval = tuple[float, float]


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the intervals in order, those that touch or overlap as one."""
    whole: list[Interval] = []
    for start, end in sorted(intervals):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((start, end))
    return whole


def gaps(intervals: Sequence[Interval], end: float) -> list[Interval]:
    """Return what lies between the joined intervals, from 0 to `end`."""
    edges = [0.0, *(edge for interval in intervals for edge in interval), end]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(start, stop) for start, stop in pairs if stop > start]


def timeline(events: Sequence[Event]) -> Timeline:
    """Lay out a run: each event was written when what it tells of ended.

    The time in which a run was stopped is left out.
    """
    times, busy = clock(events), []
    seconds = times[-1] if times else 0.0
    for event, end in zip(events, times, strict=True):
        if isinstance(event, ModelCalled | Retrieved | CandidatesRead):
            lane, label = _named(event)
            start = max(0.0, end - event.seconds)
            busy.append(Slice(lane=lane, start=start, end=end, label=label))
    idle = [
        Slice(lane="idle", start=start, end=end, label="between the calls")
        for start, end in gaps(joined((s.start, s.end) for s in busy), seconds)
    ]
    slices = (*busy, *idle)
    totals = {
        lane: sum(b - a for a, b in joined((s.start, s.end) for s in slices if s.lane == lane))
        for lane in LANES
    }
    return Timeline(seconds=seconds, slices=slices, totals=totals)


def clock(events: Iterable[Event]) -> list[float]:
    """Return when each event was told, in seconds of `elapsed`; never earlier than the one before.

    The clock of the machine may be set back during a run.
    """
    times: list[float] = []
    total = begun = last = 0.0
    for event in events:
        if isinstance(event, RunStarted | RunResumed):
            total, begun = total + max(0.0, last - begun), event.at
        last = event.at
        times.append(max(total + max(0.0, last - begun), times[-1] if times else 0.0))
    return times


def _named(event: ModelCalled | Retrieved | CandidatesRead) -> tuple[Lane, str]:
    match event:
        case ModelCalled():
            return "model", event.purpose
        case Retrieved():
            return "retrieval", "; ".join(event.queries)
        case CandidatesRead():
            return "reading", event.question
