"""What the viewer makes of a run's events, whether or not the run has ended."""

from __future__ import annotations

import html
import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
import traced_runs as made
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import TraceError
from agent.viewer.compare import compare
from agent.viewer.marks import excerpt, segments
from agent.viewer.pages import Around, cited, exported_page, run_page, web_link
from agent.viewer.run import run_summary, run_view
from agent.viewer.timeline import clock, gaps, joined, timeline
from agent.viewer.views import Mark, RunView, StepView
from graph.events import (
    Answered,
    Correction,
    Event,
    PathSolved,
    RunFailed,
    RunResumed,
    RunStarted,
    StepAsked,
    Token,
    Voted,
    elapsed,
)
from graph.replay import by_a_person
from graph.types import Failure, FailureReason


def steps(view: RunView) -> dict[str, StepView]:
    return {step.id: step for path in view.paths for step in path.steps}


def until(kind: type, number: int = 1) -> list[Event]:
    """The events of the run up to the `number`th of a kind."""
    events = made.run()
    places = [place for place, event in enumerate(events) if isinstance(event, kind)]
    return events[: places[number - 1] + 1]


# ── the tree ──────────────────────────────────────────────────────────────────────────────────


def test_every_path_is_shown_with_how_it_ended() -> None:
    first, second = run_view(made.run()).paths

    assert (first.state, first.answer, first.failure) == ("left", None, made.NOT_FOUND)
    assert (second.state, second.answer, second.confidence) == ("chosen", "1950", 0.27)
    assert (second.origin, second.planner) == ("runner-up “Bob Ray” for step 1", "linguistic")


def test_what_was_tried_and_what_was_not_is_one_tree() -> None:
    tree = run_view(made.run()).tree
    [plan] = tree.plans
    assert (plan.answer, plan.paths) == ("1950", (1, 2))
    states = {w.question: w.state for w in plan.steps[1].wordings}
    assert states["When was Ann Lee born?"] == "failed"
    assert states["When was Bob Ray born?"] == "solved"
    assert states["What is the date of birth of Ann Lee?"] == "untried"


def test_every_step_of_a_plan_is_shown_with_how_it_went() -> None:
    shown = steps(run_view(made.run()))

    assert {id: step.state for id, step in shown.items()} == {
        "p1s1": "answered",
        "p1s2": "failed",
        "p2s1": "given",
        "p2s2": "answered",
    }
    assert shown["p1s2"].question == "When was Ann Lee born?"
    assert shown["p1s2"].planned == "When was #1 born?"
    assert shown["p1s2"].failure == made.NOT_FOUND
    assert (shown["p2s1"].answer, shown["p2s2"].answer) == ("Bob Ray", "1950")


def test_a_path_that_was_solved_but_not_answered_from_is_told_apart() -> None:
    events = made.run()
    weak = Failure(step=2, reason=FailureReason.WEAK, detail="too weak")
    place = next(n for n, event in enumerate(events) if isinstance(event, PathSolved))
    solved = events[place]
    assert isinstance(solved, PathSolved)
    lesser = solved.outcome.model_copy(update={"answer": "1949", "confidence": 0.1})
    events[8:9] = [
        PathSolved(at=made.START + 2.5, number=1, outcome=lesser),
        events[8].model_copy(update={"failure": weak}),
    ]
    first, second = run_view(events).paths
    assert (first.state, first.answer, first.failure) == ("solved", "1949", weak)
    assert second.state == "chosen"


def test_the_path_that_answered_is_known_though_the_answer_is_surer_than_it() -> None:
    events = made.run()
    ended = events[-1]
    assert isinstance(ended, Answered)
    events[-1] = ended.model_copy(update={"confidence": 0.9})  # as two paths say the same
    assert [path.state for path in run_view(events).paths] == ["left", "chosen"]


def test_a_remembered_step_leads_to_the_one_that_decided_it() -> None:
    events = made.run()
    again = Voted(at=made.START + 3.5, step=1, result=made.SUNG, remembered=True)
    events.insert(12, again)
    step = steps(run_view(events))["p2s1"]
    assert (step.state, step.evidence, step.found) == ("remembered", "p1s1", ())


# ── what a step was decided on ────────────────────────────────────────────────────────────────


def test_a_step_shows_its_passages_with_the_spans_that_were_read_from_them() -> None:
    view = run_view(made.run())
    singer, other = steps(view)["p1s1"].found

    assert (singer.passage, singer.rank, singer.role) == ("p-singer", 1, "carries")
    assert (other.passage, other.rank, other.role) == ("p-other", 2, "supports")
    assert (singer.lexical_rank, singer.dense_rank, other.lexical_rank) == (0, None, 1)
    marked = {view.passages[singer.passage].text[m.start : m.end]: m.kind for m in singer.marks}
    assert marked == {"Ann Lee": "answer", "Bob Ray": "candidate"}


def test_candidates_come_heaviest_first_with_their_cluster() -> None:
    shown = steps(run_view(made.run()))["p1s1"].candidates
    assert [(c.candidate.text, c.cluster) for c in shown] == [("Ann Lee", 1), ("Bob Ray", 2)]
    assert shown[0].weight == pytest.approx(0.9 * 0.9)


def test_a_passage_that_the_trace_lacks_is_named_without_its_text() -> None:
    events = [e for e in made.run() if e.type != "retrieved"]
    answered = events[-1]
    assert isinstance(answered, Answered)
    events[-1] = answered.model_copy(update={"passages": ()})
    view = run_view(events)
    assert [found.passage for found in steps(view)["p1s1"].found] == ["p-singer", "p-other"]
    assert "p-singer</code>, whose text the trace does not hold" in run_page(view, Around())


# ── a run as far as it has come ───────────────────────────────────────────────────────────────


def test_a_run_under_way_says_what_it_does_and_what_waits() -> None:
    view = run_view(until(Voted), running=True)
    assert (view.status, view.now) == ("running", "step 1: found “Ann Lee”")
    assert view.paths[0].state == "running"
    assert [step.state for step in view.paths[0].steps] == ["answered", "running"]

    begun = run_view(made.run()[:3], running=True)
    assert [step.state for step in begun.paths[0].steps] == ["running", "waiting"]
    assert begun.now == "searching on path 1"


def test_what_was_said_of_the_answer_is_shown_before_it_is_whole() -> None:
    view = run_view(until(Token), running=True)
    assert (view.text, view.answer, view.now) == ("Born in 1950", None, "writing the answer")


def test_a_run_that_was_killed_is_unfinished_and_one_that_failed_says_why() -> None:
    assert run_view(until(Voted)).status == "unfinished"
    assert run_view(until(Voted)).paths[0].state == "unfinished"
    failed = run_view([*until(Voted), RunFailed(at=made.START + 9, error="OSError: gone")])
    assert (failed.status, failed.error) == ("failed", "OSError: gone")


def test_what_was_said_before_a_run_went_on_is_void_and_the_pause_costs_nothing() -> None:
    left = until(Token)
    on = RunResumed(at=made.START + 1000.0, run="r", settings={})
    view = run_view([*left, on, Token(at=made.START + 1001.0, text="Anew")], running=True)
    assert view.text == "Anew"
    assert view.usage.seconds == view.timeline.seconds == pytest.approx(6.0)


def test_a_run_that_waits_shows_what_it_asks() -> None:
    events = [*until(Voted), StepAsked(at=made.START + 3, step=2, result=made.BORN)]
    view = run_view(events, running=True)
    assert (view.status, view.asked, view.now) == ("waiting", made.BORN, None)


def test_a_fork_says_what_a_person_corrected() -> None:
    correction = Correction(path=1, step=1, answer="Bob Ray")
    events = made.run("fork")
    events[0] = events[0].model_copy(update={"forked_from": "parent", "corrected": correction})
    given_answer = by_a_person("Who sang the hit?", "Bob Ray")
    events.insert(10, Voted(at=made.START + 2.5, step=1, result=given_answer, remembered=True))
    view = run_view(events)
    assert (view.forked_from, view.corrected) == ("parent", correction)
    assert steps(view)["p2s1"].state == "corrected"


@pytest.mark.parametrize(
    "events",
    [
        [],
        made.run()[1:],
        [made.run()[0], made.run()[5]],
        [made.run()[0], made.run()[2]],
    ],
    ids=["empty", "without its start", "a step before a path", "a path before a plan"],
)
def test_events_that_are_no_run_are_refused_with_a_reason(events: list[Event]) -> None:
    with pytest.raises(TraceError):
        run_view(events)
    with pytest.raises(TraceError):
        run_summary(events)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 30))
def test_any_part_of_a_run_in_any_order_is_shown_or_refused(seed: int, lost: int) -> None:
    shuffled = made.run()
    random.Random(seed).shuffle(shuffled)
    for events in (shuffled[lost:], [made.run()[0], *shuffled[lost:]]):
        try:
            view = run_view(events, running=bool(seed % 2))
        except TraceError:
            continue
        assert "<h1" in run_page(view, Around(forms=True))


@settings(deadline=None)
@given(st.integers(1, len(made.run())))
def test_every_beginning_of_a_run_is_shown(length: int) -> None:
    view = run_view(made.run()[:length], running=True)
    assert view.events == length
    assert RunView.model_validate_json(view.model_dump_json()) == view
    assert made.QUESTION in run_page(view, Around())
    assert run_summary(made.run()[:length], running=True).status == view.status


# ── where the time went ───────────────────────────────────────────────────────────────────────


def test_the_timeline_accounts_for_every_second() -> None:
    totals = run_view(made.run()).timeline.totals
    assert totals == pytest.approx({"model": 2.0, "retrieval": 1.5, "reading": 1.0, "idle": 1.5})
    assert sum(totals.values()) == pytest.approx(run_view(made.run()).usage.seconds)


intervals = st.lists(
    st.tuples(st.floats(0, 10), st.floats(0, 5)).map(lambda pair: (pair[0], sum(pair))), max_size=20
)


@settings(deadline=None)
@given(intervals)
def test_joined_intervals_and_their_gaps_fill_the_whole(some: list[tuple[float, float]]) -> None:
    whole = joined(some)
    assert all(a[1] < b[0] for a, b in pairwise(whole))
    busy = sum(b - a for a, b in whole)
    assert busy + sum(b - a for a, b in gaps(whole, 15.0)) == pytest.approx(15.0)


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50), max_size=15), st.sets(st.integers(0, 14)))
def test_the_clock_of_a_run_never_goes_back(moves: Sequence[float], resumed: set[int]) -> None:
    at, events = made.START, [made.run()[0]]
    for place, move in enumerate(moves):
        at += move
        kind = (
            RunResumed(at=at, run="r", settings={}) if place in resumed else Token(at=at, text="")
        )
        events.append(kind)
    times = clock(events)
    assert times == sorted(times) and times[0] == 0.0
    assert timeline(events).seconds >= elapsed(events)


# ── highlighting ──────────────────────────────────────────────────────────────────────────────

marks = st.builds(
    lambda start, size, kind, score: Mark(start=start, end=start + size, kind=kind, score=score),
    st.integers(-3, 30),
    st.integers(-2, 30),
    st.sampled_from(["answer", "candidate", "query"]),
    st.none() | st.floats(0, 1),
)


@settings(deadline=None)
@given(st.text(max_size=30), st.lists(marks, max_size=8))
def test_highlighting_changes_nothing_of_the_text(text: str, some: list[Mark]) -> None:
    pieces = segments(text, some)
    assert "".join(piece.text for piece in pieces) == text
    for place, kind in enumerate(_painted(text, some)):
        at = 0
        for piece in pieces:
            if at <= place < at + len(piece.text):
                assert (piece.mark.kind if piece.mark else None) == kind
            at += len(piece.text)


def _painted(text: str, some: list[Mark]) -> list[str | None]:
    """Paint each character alone: the weakest kind first, so that the strongest stays."""
    painted: list[str | None] = [None] * len(text)
    for kind in ("query", "candidate", "answer"):
        for mark in some:
            if mark.kind == kind:
                for place in range(max(0, mark.start), min(len(text), mark.end)):
                    painted[place] = kind
    return painted


def test_an_excerpt_keeps_the_span_and_says_where_it_was_cut() -> None:
    text = "a" * 300 + "SPAN" + "b" * 300
    before, span, after = excerpt(text, 300, 304)
    assert (before.text[0], span.text, after.text[-1]) == ("…", "SPAN", "…")
    assert "".join(piece.text for piece in excerpt("x SPAN y", 2, 6)) == "x SPAN y"


def test_only_marks_of_known_sources_become_links() -> None:
    answered = made.run()[-1]
    assert isinstance(answered, Answered)
    pieces = cited("Born [2] in 1950 [1].", answered.citations)
    assert [(piece.text, piece.number) for piece in pieces] == [
        ("Born [2] in 1950 ", None),
        ("[1]", 1),
        (".", None),
    ]


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("HTTP://example.org", "HTTP://example.org"),
        ("javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        (" javascript:alert(1)", None),
        ("data:text/html,<script>", None),
        ("file:///etc/passwd", None),
        ("//example.org", None),
        ("https:", None),
        ("http://[", None),
        ("notes/a.md", None),
        (None, None),
    ],
)
def test_only_addresses_on_the_web_become_links(url: str | None, link: str | None) -> None:
    assert web_link(url) == link


# ── two runs ──────────────────────────────────────────────────────────────────────────────────


def test_a_run_compared_with_itself_differs_in_nothing() -> None:
    view = run_view(made.run())
    compared = compare(view, view)
    assert compared.told == ("Both found the same, step by step.",)
    assert not any(pair.differs for pair in compared.steps)
    assert not any(figure.differs for figure in compared.figures)


def test_what_differs_between_two_runs_is_told_in_words() -> None:
    one = run_view(made.run())
    events = made.run("other")
    begun, ended = events[0], events[-1]
    assert isinstance(begun, RunStarted) and isinstance(ended, Answered)
    correction = Correction(path=2, step=2, answer="1951")
    settings = {**begun.settings, "max_paths": 2}
    events[0] = begun.model_copy(
        update={"forked_from": one.run, "corrected": correction, "settings": settings}
    )
    events[12] = Voted(
        at=made.START + 3.5, step=2, result=by_a_person("When was Bob Ray born?", "1951")
    )
    events[-1] = ended.model_copy(update={"answer": "1951"})
    compared = compare(one, run_view(events))
    assert compared.told == (
        "B is forked from A: a person answered step 2 with “1951”.",
        "B gives another answer: “1951” for “1950”.",
        "They part at “When was Bob Ray born?”: A says “1950”, B says “1951”.",
        "Settings that differ: max_paths.",
    )
    assert [pair.question for pair in compared.steps if pair.differs] == ["When was Bob Ray born?"]
    assert [figure.name for figure in compared.figures if figure.differs] == ["Answer"]


def test_steps_that_ask_the_same_of_other_answers_stand_side_by_side() -> None:
    one = run_view(made.run()[:9])
    events = made.run("other")[:9]
    swapped = made.SUNG.model_copy(
        update={"verdict": made.SUNG.verdict.model_copy(update={"answer": "Cy Fox"})}  # type: ignore[union-attr]
    )
    events[5] = Voted(at=made.START + 2.0, step=1, result=swapped)
    events[7] = Voted(
        at=made.START + 2.5,
        step=2,
        result=made.UNBORN.model_copy(update={"question": "When was Cy Fox born?"}),
    )
    pairs = compare(one, run_view(events)).steps
    assert [(pair.question, pair.differs) for pair in pairs] == [
        ("Who sang the hit?", True),
        ("When was #1 born?", False),
    ]


# ── one file ──────────────────────────────────────────────────────────────────────────────────


def test_an_exported_run_asks_for_nothing_and_has_no_forms() -> None:
    page = html.unescape(exported_page(run_view(made.run())))
    assert "default-src 'none'" in page
    for outside in ('src="', "<form", "<link", "@import", "url(", 'href="/'):
        assert outside not in page, outside
    assert 'href="https://example.org/hit"' in page
