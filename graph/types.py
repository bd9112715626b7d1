"""The data of a search over a question tree. Everything here can be written to a checkpoint."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class AnswerType(StrEnum):
    """What kind of thing a sub-question asks for."""

    PERSON = "person"
    PLACE = "place"
    ORGANISATION = "organisation"
    WORK = "work"
    DATE = "date"
    NUMBER = "number"
    YES_NO = "yes_no"
    ENTITY = "entity"
    """A named thing of no particular kind."""
    ANY = "any"
    """Nothing is known about the answer: a phrase, a reason, a description."""


class Operator(StrEnum):
    """A step computed from earlier answers by typed code, never by a model."""

    EARLIER = "earlier"
    """The label whose date comes first (older person, earlier film)."""
    LATER = "later"
    """The label whose date comes last (younger person, later film)."""
    LARGER = "larger"
    SMALLER = "smaller"
    SAME = "same"
    """yes when all arguments mean the same, else no."""
    DIFFERENT = "different"
    BOTH = "both"
    """yes when all arguments are affirmative, else no."""
    EITHER = "either"
    INTERSECTION = "intersection"
    """What the arguments (lists or phrases) have in common."""
    COUNT = "count"
    SUM = "sum"
    DIFFERENCE = "difference"

    @property
    def fewest(self) -> int:
        """How many arguments it needs at least."""
        return 1 if self in {Operator.COUNT, Operator.BOTH, Operator.EITHER, Operator.SUM} else 2


class SubQuestion(BaseModel):
    """One step of a plan: a lookup to be sought, or an operator over earlier answers.

    `#k` in `text` or in a label stands for the answer of step k, counted from 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=1)
    kind: Literal["lookup", "operator"] = "lookup"
    expects: AnswerType = AnswerType.ANY
    operator: Operator | None = None
    arguments: tuple[int, ...] = ()
    """Step numbers (from 1) whose answers the operator compares; empty for a lookup."""
    labels: tuple[str, ...] = ()
    """For a choice: what is answered when the argument at that place wins ("Film A", or "#1")."""


class Plan(BaseModel):
    """An acyclic list of steps whose last one answers the question. See `planning.check`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[SubQuestion, ...] = Field(min_length=1)
    planner: str
    score: float = Field(ge=0, le=1)
    """How likely the plan is judged to be right, before anything was sought."""


class Candidate(BaseModel):
    """One answer read from one passage: always a span of that passage's text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passage_id: str
    text: str = Field(min_length=1)
    start: int = Field(ge=0)
    end: int
    """`passage.text[start:end] == text`, in characters."""
    score: float = Field(ge=0, le=1)
    """Probability that this span is the best answer, given that the passage holds one."""
    no_answer: float = Field(ge=0, le=1)
    """Probability that the passage holds no answer to the question."""

    @property
    def probability(self) -> float:
        """The reader's probability that the passage answers the question, and with this span."""
        return self.score * (1 - self.no_answer)


class Ballot(BaseModel):
    """One independent vote for an answer, which several passages may share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passages: tuple[str, ...] = Field(min_length=1)
    """Ids of the passages behind it, the one that speaks loudest first."""
    weight: float = Field(ge=0, le=1)
    """The mean of the tellings of one story; of several stories the heaviest counts."""
    read: bool = True
    """Whether the answer was read from one of them; else they only state it."""
    shared: Literal["document", "source", "copy", "retelling"] | None = None
    """Why they share a vote; None for a passage that has one of its own."""
    trust: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    """The sources behind it that are trusted less than fully, which its weight shows, and how far
    they are."""


class Cluster(BaseModel):
    """Candidates that mean the same, and what speaks for them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    """The canonical form: the text of the strongest candidate, or the name of the country that it
    says by its adjective, where a country is asked for."""
    strength: float = Field(ge=0, le=1)
    """What its votes come to, by themselves; see `graph.support.scoring`."""
    votes: int = Field(ge=1)
    """Independent groups of passages behind it: copies and one source count once."""
    candidates: tuple[Candidate, ...] = Field(min_length=1)
    """Strongest first, so that `candidates[0]` is the one to cite."""
    supporters: tuple[str, ...] = ()
    """Ids of passages that state the answer although it was not read from them."""
    ballots: tuple[Ballot, ...] = ()
    """The votes, heaviest first."""
    confidence: float = Field(default=0.0, ge=0, le=1)
    """Probability that it is the right answer; those of a verdict's clusters sum to at most 1."""


class FailureReason(StrEnum):
    """Why a step found no answer, and so why its path was left."""

    NOTHING_RETRIEVED = "nothing_retrieved"
    NOTHING_READ = "nothing_read"
    TYPE_MISMATCH = "type_mismatch"
    INCOMPARABLE = "incomparable"
    TIE = "tie"
    STUCK = "stuck"
    """The step refers to one that the plan never answers."""
    WEAK = "weak"
    """The path ended in an answer, but too weak a one to stop at."""
    BUDGET = "budget"


class Failure(BaseModel):
    """Where and why a path was left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int = Field(ge=1)
    reason: FailureReason
    detail: str


class Verdict(BaseModel):
    """What the support graph decided on one step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: str
    confidence: float = Field(ge=0, le=1)
    margin: float = Field(ge=0, le=1)
    """Strength of the winner less that of the runner-up."""
    clusters: tuple[Cluster, ...] = ()
    """Best first; empty for an operator."""
    explanation: str = ""


class StepResult(BaseModel):
    """What seeking one sub-question brought: a verdict or a failure, never both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    """The sub-question with its references filled in."""
    passages: tuple[str, ...] = ()
    """Ids of the passages read, best first."""
    verdict: Verdict | None = None
    failure: Failure | None = None


class Bound(BaseModel):
    """An answer bound to a step of a path."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: str
    confidence: float = Field(ge=0, le=1)
    question: str
    """The filled sub-question: the key of its StepResult in the search's memory."""
    cluster: int = 0
    """Which of the verdict's clusters is bound: 0 the winner, 1 the runner-up, …"""


class Way(StrEnum):
    """A way on after a path failed or ended in a weak answer."""

    RUNNER_UP = "runner_up"
    """Another answer of an earlier step."""
    REWORDING = "rewording"
    """Other words for the step that failed."""
    PLAN = "plan"
    """Another plan of those proposed at the start."""
    LEARNED = "learned"
    """A new plan from what was read."""


class Path(BaseModel):
    """One plan with the answers bound so far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: int = Field(ge=0)
    """Index into the tree's plans."""
    origin: str
    """Why the path was opened, in words."""
    way: Way = Way.PLAN
    """What opened it."""
    prior: float = Field(ge=0, le=1)
    """Estimated probability of success when it was opened (`graph.paths.promise`); the search is
    best-first by it."""
    bound: dict[int, Bound] = Field(default_factory=dict)
    """Step number (from 1) to answer."""
    wording: dict[int, str] = Field(default_factory=dict)
    """Step number to a wording that replaces the plan's own."""

    def signature(self) -> tuple[object, ...]:
        """Return what makes two paths the same search, so that none is walked twice."""
        return (
            self.plan,
            tuple(sorted((k, b.question, b.answer) for k, b in self.bound.items())),
            tuple(sorted(self.wording.items())),
        )


class Outcome(BaseModel):
    """How one path ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    answer: str | None = None
    confidence: float = Field(default=0.0, ge=0, le=1)
    """Product of the confidences of the path's lookups: the probability that all are right."""
    failure: Failure | None = None


Wording = Literal["rules", "free"]
"""How the answer is put in words: one of the sentences that rules make of the question and the
answer, or the model's own, of the question's words."""


class Voting(BaseModel):
    """How votes are weighed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scoring: Literal["learned", "weighted"] = "learned"
    """`learned` weighs a vote by all that is known of it, `weighted` by the reader's probability
    and the retrieval score alone; benchmarks/README.md compares them."""
    sources: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    """How far a source is to be trusted, by its name or the host of its URLs: 0 takes its votes
    away, 1 is full trust. What is said here stands, whatever is learned."""
    learn: bool = True
    """Whether how far a source is trusted is learned from how often it agrees with winning
    verdicts; what was learned is kept beside the index."""


class Limits(BaseModel):
    """Bounds of one question's search. Reaching one ends it with the best answer so far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_paths: int = Field(default=6, ge=1, le=64)
    max_seconds: float = Field(default=60.0, gt=0)
    max_model_tokens: int = Field(default=4000, ge=0)
    max_retrieval_calls: int = Field(default=30, ge=1)
    """Round trips to the index; all sub-questions that are ready share one."""
    passages: int = Field(default=10, ge=1, le=100)
    """Passages retrieved and read for a sub-question."""
    accept: float = Field(default=0.4, ge=0, le=1)
    """A path this sure ends the search; a weaker one is kept while others are tried.

    Of 194 training questions of several hops, all new to the reader, the best plans' paths of 177
    were this sure, and 93 % of those right (of forms that the planner knows; benchmarks/README.md).
    """
    abstain: float = Field(default=0.2, ge=0, le=1)
    """Where no path is sure by itself, nothing is answered below this confidence.

    Of training lookups that no reader saw, 245 of 247 English and all 210 Chinese verdicts are this
    sure, and 78 and 74 % of them right.
    """
    risk: float | None = Field(default=None, gt=0, lt=1)
    """The most likely that an answer may be wrong: where its confidence is below 1 − risk, nothing
    is answered, and the search goes on that long. None: `abstain` decides."""
    ask_below: float = Field(default=0.0, ge=0, le=1)
    """A person is asked about a step that is less sure than this. 0 never asks."""
    ways: tuple[Way, ...] = tuple(Way)
    """How the search may go on after a failure. None: it ends with its first path."""

    @field_validator("ways", mode="before")
    @classmethod
    def _named(cls, ways: Any) -> Any:
        """Take `runner_up,plan`, as it stands in a trace, and in any order."""
        named = [way for way in ways.split(",") if way] if isinstance(ways, str) else ways
        return sorted({Way(way) for way in named}, key=list(Way).index)

    def as_settings(self) -> dict[str, str | int | float | bool | None]:
        """Return the limits as a trace holds them; `Limits.model_validate` reads them back."""
        return {**self.model_dump(exclude={"ways"}), "ways": ",".join(self.ways)}

    @property
    def enough(self) -> float:
        """The least confidence to answer with."""
        return self.abstain if self.risk is None else 1 - self.risk

    @property
    def sure(self) -> float:
        """The confidence that ends the search."""
        return max(self.accept, self.enough)
