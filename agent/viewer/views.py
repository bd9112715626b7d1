"""What the viewer shows, as typed data: the HTML pages and their JSON forms are made from these."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.answer import Usage
from graph.events import Citation, Correction
from graph.tree import QuestionNode
from graph.types import AnswerType, Candidate, Failure, Operator, StepResult
from retrievers.passage import Passage

Status = Literal[
    "running", "waiting", "answered", "abstained", "closed_book", "failed", "unfinished"
]
"""A run that waits asks a person; one that is unfinished was killed, and can go on."""
PathState = Literal["chosen", "solved", "left", "running", "unfinished"]
StepState = Literal[
    "answered",
    "computed",
    "remembered",
    "given",
    "corrected",
    "failed",
    "running",
    "waiting",
    "untried",
]
"""A given step was answered on an earlier path, a corrected one by a person."""
Lane = Literal["model", "retrieval", "reading", "idle"]
LANES: tuple[Lane, ...] = ("model", "retrieval", "reading", "idle")


class View(BaseModel):
    """Base of what is shown."""

    model_config = ConfigDict(frozen=True)


class Mark(View):
    """A span of a passage that is highlighted, in characters of its text."""

    start: int
    end: int
    kind: Literal["answer", "candidate", "query"]
    """Read from here and of the winning cluster; read from here; a word of the query."""
    score: float | None = None
    """Of a candidate: the reader's score times the probability that the passage holds an answer."""


class Found(View):
    """A passage that was read for a step."""

    passage: str
    """Its id, under which `RunView.passages` holds it."""
    rank: int
    """From 1, in the order in which the passages were found."""
    score: float | None = None
    """The retriever's, fused from its rankings; None where the trace does not say."""
    lexical_rank: int | None = None
    dense_rank: int | None = None
    title_rank: int | None = None
    phrase_rank: int | None = None
    role: Literal["carries", "supports", "none"] = "none"
    """The winning answer was read from it; it states that answer; neither."""
    marks: tuple[Mark, ...] = ()


class CandidateView(View):
    """An answer that was read from a passage, and what the vote made of it."""

    candidate: Candidate
    rank: int | None
    """The place of its passage among those of the step; None where it is none of them."""
    weight: float
    """The reader's score times the probability that the passage holds an answer, in [0, 1]."""
    cluster: int | None = None
    """From 1, the place of its cluster in the verdict; None where the verdict names none."""


class StepView(View):
    """One step of one path: what was asked, found, read and decided."""

    id: str
    """Unique on the page, such as `p1s2`."""
    step: int
    planned: str
    """The step as the plan has it, with `#k` for the answer of step k."""
    question: str
    """The step as it was sought."""
    kind: Literal["lookup", "operator"]
    expects: AnswerType
    operator: Operator | None = None
    state: StepState
    answer: str | None = None
    confidence: float | None = None
    result: StepResult | None = None
    failure: Failure | None = None
    found: tuple[Found, ...] = ()
    candidates: tuple[CandidateView, ...] = ()
    """Heaviest first."""
    reading_seconds: float | None = None
    evidence: str | None = None
    """The id of the earlier step whose passages and candidates decided this one too."""


class PathView(View):
    """One path of the tree."""

    id: str
    number: int
    plan: int
    planner: str
    plan_score: float
    origin: str
    """Why it was opened, in words."""
    state: PathState
    answer: str | None = None
    confidence: float | None = None
    failure: Failure | None = None
    """Why it was left."""
    steps: tuple[StepView, ...] = ()


class CallView(View):
    """One call of the model."""

    number: int
    purpose: str
    prompt: str
    output: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    seconds: float
    finish_reason: str


class SearchView(View):
    """One retrieval round trip."""

    number: int
    queries: tuple[str, ...]
    counts: tuple[int, ...]
    """How many passages each query found."""
    seconds: float


class Slice(View):
    """A stretch of a run in which something worked, in seconds from the start of the run."""

    lane: Lane
    start: float
    end: float
    label: str


class Timeline(View):
    """Where the time of a run went. Idle is what none of the others account for."""

    seconds: float
    slices: tuple[Slice, ...] = ()
    totals: dict[Lane, float]
    """Seconds in which a lane was busy, however many worked in it at once."""


class RunView(View):
    """A run, finished or not, as far as its events tell."""

    run: str
    question: str
    language: str
    started: float
    """Seconds since the epoch."""
    status: Status
    now: str | None = None
    """What a run under way does at the moment, in words."""
    answer: str | None = None
    text: str = ""
    confidence: float | None = None
    error: str | None = None
    notices: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    plans: int = 0
    paths: tuple[PathView, ...] = ()
    tree: QuestionNode
    """All of it as one OR/AND tree, with what was not tried."""
    calls: tuple[CallView, ...] = ()
    searches: tuple[SearchView, ...] = ()
    timeline: Timeline
    usage: Usage
    settings: dict[str, str | int | float | bool | None]
    forked_from: str | None = None
    corrected: Correction | None = None
    """What a person corrected in the run that it was forked from."""
    asked: StepResult | None = None
    """What a run that waits asks a person about."""
    events: int
    passages: dict[str, Passage]
    """Every passage that was found, by id."""


class RunSummary(View):
    """A run as the list shows it."""

    run: str
    question: str
    language: str
    started: float
    status: Status
    answer: str | None = None
    seconds: float
    paths: int
    input_tokens: int
    output_tokens: int


class Unreadable(View):
    """A file among the traces that holds no run, with the reason in one sentence."""

    run: str
    reason: str


class Listing(View):
    """One page of the list of runs, newest first."""

    runs: tuple[RunSummary | Unreadable, ...]
    older: str | None = None
    """The last run of this page where there are more: the next page begins after it."""
