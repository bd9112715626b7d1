"""Asks a system every question, one after another, and writes each row as it comes."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from agent.evaluation.dataset import EvalQuestion
from agent.evaluation.rows import EvalRow, RowLog
from agent.evaluation.summary import EvalSummary, summarise
from agent.metrics import exact_match, f1, recall_at

RECALL_AT = 5


class SystemAnswer(BaseModel):
    """What a system says to a question, and what it cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: str | None
    """None where the system abstained."""
    passages: list[str] = Field(default_factory=list)
    """Ids of the passages that it found, best first."""
    prompt_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    """What else is worth keeping: the tree, the citations."""


class System(Protocol):
    """Something that answers questions."""

    async def answer(self, question: str) -> SystemAnswer:
        """Answer one question."""
        ...


class Progress(Protocol):
    """Told after each question, and once at the start for those already done."""

    def __call__(self, done: int, total: int, em: float, f1: float) -> None:
        """`em` and `f1` are the running averages in percent."""
        ...


def fingerprint(name: str, settings: Mapping[str, Any]) -> str:
    """Return a short hash of a system and its settings: equal for equal ones, in any key order."""
    content = json.dumps([name, dict(settings)], sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


async def evaluate(
    system: System,
    questions: Sequence[EvalQuestion],
    *,
    name: str,
    dataset: str = "",
    settings: Mapping[str, Any] | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
    retry_errors: bool = False,
) -> EvalSummary:
    """Ask `system` every question and score its answers.

    With `out`, each row is written there as it comes, and questions that `out` already has rows of
    for the same name and settings are not asked again. An exception from the system becomes a row
    with status “error”, scored 0; cancellation and Ctrl-C end the run and keep the rows.

    Parameters
    ----------
    name
        What the system is called in the rows (“hoptree”, “single-shot”, “closed-book”).
    settings
        What decides its answers (model, limits, index): part of the fingerprint.
    retry_errors
        Ask those again whose row is an error.

    Raises
    ------
    EvaluationError
        If `out` cannot be read or written.
    """
    mark = fingerprint(name, settings or {})
    with nullcontext() if out is None else RowLog(out) as log:
        rows: dict[str, EvalRow] = {}
        for question in questions:
            row = log.rows.get((mark, question.id)) if log else None
            if row and not (retry_errors and row.status == "error"):
                rows[question.id] = row
        if progress:
            progress(len(rows), len(questions), *_running(rows))
        for question in questions:
            if question.id in rows:
                continue
            row = await _ask(system, question, name, mark)
            if log:
                log.append(row)
            rows[question.id] = row
            if progress:
                progress(len(rows), len(questions), *_running(rows))
    return summarise([rows[q.id] for q in questions], system=name, dataset=dataset)


def _running(rows: Mapping[str, EvalRow]) -> tuple[float, float]:
    count = max(len(rows), 1)
    return (
        100 * sum(row.em for row in rows.values()) / count,
        100 * sum(row.f1 for row in rows.values()) / count,
    )


async def _ask(system: System, question: EvalQuestion, name: str, mark: str) -> EvalRow:
    known = {
        "system": name,
        "fingerprint": mark,
        "id": question.id,
        "question": question.question,
        "answer": question.answer,
        "aliases": question.aliases,
        "type": question.type,
        "hops": question.hops,
        "supporting_passages": question.supporting_passages,
    }
    begun = time.perf_counter()
    try:
        given = await system.answer(question.question)
    except Exception as error:  # one bad question must not cost the run
        return EvalRow(
            **known,
            status="error",
            error=f"{type(error).__name__}: {error}".encode(errors="replace").decode(),
            em=0.0,
            f1=0.0,
            recall_at_5=recall_at(RECALL_AT, (), question.supporting_passages),
            seconds=time.perf_counter() - begun,
        )
    em, overlap = _scores(given.answer, question)
    return EvalRow(
        **known,
        status="abstained" if given.answer is None else "answered",
        prediction=given.answer,
        em=em,
        f1=overlap,
        recall_at_5=recall_at(RECALL_AT, given.passages, question.supporting_passages),
        passages=tuple(given.passages),
        prompt_tokens=given.prompt_tokens,
        output_tokens=given.output_tokens,
        seconds=given.seconds,
        extra=given.extra,
    )


def _scores(answer: str | None, question: EvalQuestion) -> tuple[float, float]:
    if not question.answerable:  # as SQuAD 2.0: only an abstention is right
        return (float(answer is None),) * 2
    return exact_match(answer, question.answers), f1(answer, question.answers)
