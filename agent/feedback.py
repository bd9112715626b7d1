"""What people think of answers: one JSON line each, beside the traces."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.errors import FeedbackError, UsageError
from agent.traces import trace_path

Rating = Literal["good", "bad"]
Form = Literal["short", "sentence", "paragraph", "list", "table"]
_RUN = re.compile(r"[\w-]+")


class Feedback(BaseModel):
    """What a person thought of one answer, or did after it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    """Id of the run whose answer is meant."""
    rating: Rating | None = None
    form: Form | None = None
    """The form in which the answer would have been better."""
    dwell_seconds: float | None = Field(default=None, ge=0)
    """How long the answer was looked at before the next thing was done."""
    follow_up: str | None = None
    """The question that was asked next."""
    at: float = Field(default_factory=time.time)
    """Seconds since the epoch."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.rating is None and self.form is None and self.follow_up is None:
            raise ValueError("it says nothing: give a rating, a form or a follow-up")
        return self


def _path(traces: Path, run: str) -> Path:
    # In a folder of its own, as every `*.jsonl` beside the traces is the trace of a run.
    return traces / "feedback" / f"{run}.jsonl"


def given(run: str, **said: object) -> Feedback:
    """Return checked feedback on a run.

    Raises
    ------
    UsageError
        Where it says nothing, or something that is none.
    """
    try:
        return Feedback.model_validate({"run": run, **said})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        told = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"the feedback{' ' + name if name else ''} is wrong: {told}") from error


def store(traces: Path, feedback: Feedback) -> Path:
    """Append feedback to the file of its run, and return that file.

    Raises
    ------
    UsageError
        Where there is no such run.
    FeedbackError
        Where it cannot be written.
    """
    if not _RUN.fullmatch(feedback.run) or not trace_path(traces, feedback.run).exists():
        raise UsageError(f"there is no run {feedback.run!r} in {traces}")
    path = _path(traces, feedback.run)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(feedback.model_dump_json() + "\n")
    except OSError as error:
        raise FeedbackError(
            f"cannot write the feedback {path}: {error.strerror}; "
            "set HOPTREE_TRACES to a folder that can be written"
        ) from error
    return path


def read(traces: Path, run: str) -> list[Feedback]:
    """Return the feedback on a run, the oldest first.

    Raises
    ------
    FeedbackError
        Where it cannot be read.
    """
    path = _path(traces, run)
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Feedback.model_validate_json(line) for line in lines]
    except (OSError, ValueError) as error:
        raise FeedbackError(f"cannot read the feedback {path}: {error}") from error
