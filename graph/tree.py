"""The question tree: what was tried for each question, and what is left to try.

An OR node is solved by one of its alternatives: the question by a plan, a sub-question by one of
its wordings, a wording by one of the answers that were read for it. An AND node, a plan, needs all
of its steps. A step that refers to earlier answers is asked once for each of them, so that the tree
stays small though many paths lead through it.

States are as seen from the root: an answer may be well supported and still have led nowhere.
Estimates are probabilities of success: the largest of its alternatives for an OR node, plan score
times step confidences for an AND node, which is what the search chooses its paths by
(`paths.promise`; after Martelli and Montanari, 1973, "Additive AND/OR Graphs", with logarithms of
probabilities for costs).
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from graph.types import Failure

NodeState = Literal["solved", "failed", "open", "untried"]
"""A path through the node came to an answer; all of them were left; one is under way, or the search
was stopped on it; none was walked."""


class Node(BaseModel):
    """What every node of the tree tells."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: NodeState
    estimate: float = Field(ge=0, le=1)
    """Probability that it can be solved, as far as is known: 0 where nothing is left to try, 1 for
    a step of which nothing is known yet."""
    failure: Failure | None = None
    """Of a failed node: where and why the last path through it was left."""
    paths: tuple[int, ...] = ()
    """Numbers, from 1, of the paths that were walked through it."""


class AnswerNode(Node):
    """An answer to a sub-question: the first one of the vote, or a runner-up."""

    text: str
    rank: int = Field(ge=0)
    """0 for the first answer, 1 for the runner-up, and so on."""
    confidence: float = Field(ge=0, le=1)
    """Its probability to be right as the vote has it, whatever it and the others led to."""


class WordingNode(Node):
    """OR: a sub-question as it was asked, and its answers, the best first."""

    question: str
    """With earlier answers filled in."""
    reworded: bool
    """Whether the words are not those of the plan."""
    answers: tuple[AnswerNode, ...] = ()


class StepNode(Node):
    """OR: a step of a plan, in the wordings and about the earlier answers it was asked with."""

    number: int = Field(ge=1)
    text: str
    """As the plan has it, with `#k` for the answer of step k."""
    kind: Literal["lookup", "operator"]
    wordings: tuple[WordingNode, ...] = ()


class PlanNode(Node):
    """AND: a plan and all of its steps."""

    number: int = Field(ge=1)
    planner: str
    score: float = Field(ge=0, le=1)
    answer: str | None = None
    """The one of its surest solved path."""
    steps: tuple[StepNode, ...]


class QuestionNode(Node):
    """OR: the root, and its alternative plans in the order in which they were made."""

    question: str
    plans: tuple[PlanNode, ...] = ()
