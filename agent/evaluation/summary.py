"""The figures of a run."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict

from agent.evaluation.rows import EvalRow

if TYPE_CHECKING:
    from rich.table import Table

Key = TypeVar("Key", bound=Hashable)


class Slice(BaseModel):
    """The F1 of the questions of one kind."""

    model_config = ConfigDict(frozen=True)

    n: int
    f1: float
    """In percent."""


class EvalSummary(BaseModel):
    """The figures of one system on one data set. EM, F1 and recall are in percent of all rows."""

    model_config = ConfigDict(frozen=True)

    system: str
    dataset: str
    n: int
    em: float
    f1: float
    recall_at_5: float | None
    """Over the questions that name supporting passages; None where none does."""
    answered: int
    abstained: int
    errors: int
    f1_by_type: dict[str, Slice]
    f1_by_hops: dict[int, Slice]
    median_seconds: float
    p95_seconds: float
    """Nearest rank. Seconds and tokens are over the questions that did not end in error."""
    prompt_tokens_per_question: float
    output_tokens_per_question: float

    @property
    def tokens_per_question(self) -> float:
        """Model tokens, in and out."""
        return self.prompt_tokens_per_question + self.output_tokens_per_question


def summarise(rows: Sequence[EvalRow], *, system: str, dataset: str = "") -> EvalSummary:
    """Return the figures of `rows`, which may be none."""
    recalls = [row.recall_at_5 for row in rows if row.recall_at_5 is not None]
    sound = [row for row in rows if row.status != "error"]
    seconds = sorted(row.seconds for row in sound)
    return EvalSummary(
        system=system,
        dataset=dataset,
        n=len(rows),
        em=_percent([row.em for row in rows]),
        f1=_percent([row.f1 for row in rows]),
        recall_at_5=_percent(recalls) if recalls else None,
        answered=sum(row.status == "answered" for row in rows),
        abstained=sum(row.status == "abstained" for row in rows),
        errors=sum(row.status == "error" for row in rows),
        f1_by_type=_slices(rows, lambda row: row.type),
        f1_by_hops=_slices(rows, lambda row: row.hops),
        median_seconds=statistics.median(seconds) if seconds else 0.0,
        p95_seconds=seconds[math.ceil(0.95 * len(seconds)) - 1] if seconds else 0.0,
        prompt_tokens_per_question=_mean([row.prompt_tokens for row in sound]),
        output_tokens_per_question=_mean([row.output_tokens for row in sound]),
    )


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 0.0


def _percent(values: Sequence[float]) -> float:
    return 100 * _mean(values)


def _slices(rows: Sequence[EvalRow], key: Callable[[EvalRow], Key]) -> dict[Key, Slice]:
    groups: dict[Key, list[float]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row.f1)
    return {name: Slice(n=len(f1s), f1=_percent(f1s)) for name, f1s in sorted(groups.items())}


def render(summaries: Sequence[EvalSummary]) -> Table:
    """Return a table with one column a summary, for a rich console."""
    from rich.table import Table

    table = Table(title="Evaluation")
    table.add_column("")
    for summary in summaries:
        table.add_column(f"{summary.system}\n{summary.dataset}".strip(), justify="right")
    lines: list[tuple[str, Callable[[EvalSummary], str]]] = [
        ("questions", lambda s: str(s.n)),
        ("EM", lambda s: f"{s.em:.1f}"),
        ("F1", lambda s: f"{s.f1:.1f}"),
        ("recall@5", lambda s: "–" if s.recall_at_5 is None else f"{s.recall_at_5:.1f}"),
        ("answered / abstained / errors", lambda s: f"{s.answered} / {s.abstained} / {s.errors}"),
        ("seconds, median / p95", lambda s: f"{s.median_seconds:.2f} / {s.p95_seconds:.2f}"),
        (
            "model tokens a question, in + out",
            lambda s: f"{s.prompt_tokens_per_question:.0f} + {s.output_tokens_per_question:.0f}",
        ),
    ]
    for label, form in lines:
        table.add_row(label, *(form(summary) for summary in summaries))
    kinds = sorted({kind for s in summaries for kind in s.f1_by_type})
    hops = sorted({hop for s in summaries for hop in s.f1_by_hops})
    for kind in kinds if len(kinds) > 1 else []:
        table.add_row(
            f"F1, {kind or 'no type'}", *(_slice(s.f1_by_type.get(kind)) for s in summaries)
        )
    for hop in hops if len(hops) > 1 else []:
        name = f"F1, {hop} hop{'s' * (hop != 1)}"
        table.add_row(name, *(_slice(s.f1_by_hops.get(hop)) for s in summaries))
    return table


def _slice(part: Slice | None) -> str:
    return f"{part.f1:.1f} ({part.n})" if part else "–"
