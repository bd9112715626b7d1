"""Where the time of a run went: intervals of work, and what is left between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.viewer.views import LANES, Lane, Slice, Timeline
from graph.events import CandidatesRead, Event, ModelCalled, Retrieved

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


def timeline(events: Sequence[Event], seconds: float) -> Timeline:
    """Lay out a run that took `seconds`; each event was written when what it tells of ended."""
    begun = events[0].at if events else 0.0
    busy = [
        Slice(
            lane=lane,
            start=min(max(0.0, event.at - begun - event.seconds), seconds),
            end=min(max(0.0, event.at - begun), seconds),
            label=label,
        )
        for event in events
        if isinstance(event, ModelCalled | Retrieved | CandidatesRead)
        for lane, label in [_named(event)]
    ]
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


def _named(event: ModelCalled | Retrieved | CandidatesRead) -> tuple[Lane, str]:
    match event:
        case ModelCalled():
            return "model", event.purpose
        case Retrieved():
            return "retrieval", "; ".join(event.queries)
        case CandidatesRead():
            return "reading", event.question
