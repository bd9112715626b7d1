"""What goes into an operator and what comes out."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from graph.types import FailureReason, Operator


class OperatorResult(BaseModel):
    """An answer with its explanation, or the reason why there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: str | None
    explanation: str
    """One sentence: how the answer was computed, or why it could not be."""
    failure: FailureReason | None = None
    """TYPE_MISMATCH, INCOMPARABLE or TIE; None where there is an answer."""


@dataclass(frozen=True)
class Step:
    """An operator step with its references filled in."""

    operator: Operator
    text: str
    answers: tuple[str, ...]
    labels: tuple[str, ...]
    language: str

    def say(self, english: str, chinese: str) -> str:
        """Return the sentence in the question's language."""
        return chinese if self.language == "zh" else english


def failed(reason: FailureReason, explanation: str) -> OperatorResult:
    """Return a result without an answer."""
    return OperatorResult(answer=None, explanation=explanation, failure=reason)
