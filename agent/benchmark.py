"""What stands behind `hoptree eval`: the corpus indexed, then the systems run over it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from agent.api import Agent
from agent.errors import EvaluationError, UsageError
from agent.evaluation import (
    EvalQuestion,
    EvalSummary,
    System,
    evaluate,
    load_questions,
)
from agent.indexes import open_index
from agent.indexing import index_files
from agent.llama import LlamaCppChat, default_model
from agent.settings import Settings
from agent.systems import ClosedBook, HoptreeSystem, SingleShot
from retrievers.passage import Retriever

SYSTEMS = ("hoptree", "single-shot", "closed-book")


def run(
    dataset: Path,
    systems: Sequence[str],
    limit: int | None,
    out: Path,
    settings: Settings,
    indexed: bool,
    console: Console,
) -> list[EvalSummary]:
    """Run systems over a question set, one after another.

    Questions that `out` has answers of for the same systems and settings are not asked again.

    Raises
    ------
    UsageError
        Where there is no such system.
    EvaluationError
        Where the folder holds no questions or no corpus, or results cannot be written.
    ModelError
        Where the model cannot be loaded.
    """
    unknown = [name for name in systems if name not in SYSTEMS]
    if unknown:
        raise UsageError(f"there is no system {unknown[0]!r}: choose from {', '.join(SYSTEMS)}")
    questions = load_questions(dataset, limit)
    model = LlamaCppChat(
        model_path=str(settings.model or default_model()),
        n_ctx=settings.context,
        n_threads=settings.threads,
    )
    model.load()  # or each question would fail for itself
    decisive: dict[str, object] = {
        "model": Path(model.model_path or "").name,
        "limits": settings.limits.model_dump(),
    }
    if indexed:
        decisive["index"] = settings.index
    else:
        corpus = dataset / "corpus.jsonl"
        if not corpus.is_file():
            raise EvaluationError(f"there is no {corpus}: put the passages there, or use --index")
        settings = settings.model_copy(update={"index": str(out / "index")})
        index_files([corpus], settings, [], False, console)
    settings = settings.model_copy(update={"traces": out / "traces"})
    retriever = open_index(settings.index, settings)
    if retriever is None:
        raise EvaluationError("there is no index to evaluate over")
    agent = Agent(retriever, model, settings=settings)
    dataset_name = dataset.resolve().name

    async def measure() -> list[EvalSummary]:
        try:
            return [
                await _evaluated(
                    name,
                    _system(name, agent, model, retriever),
                    questions,
                    dataset_name,
                    decisive,
                    out,
                    console,
                )
                for name in systems
            ]
        finally:
            await retriever.aclose()

    try:
        return asyncio.run(measure())
    finally:
        model.close()


async def _evaluated(
    name: str,
    system: System,
    questions: Sequence[EvalQuestion],
    dataset: str,
    settings: Mapping[str, object],
    out: Path,
    console: Console,
) -> EvalSummary:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    ) as bar:
        task = bar.add_task(f"{dataset} · {name}", total=len(questions), completed=0)

        def tell(done: int, total: int, em: float, f1: float) -> None:
            said = f"{dataset} · {name} · EM {em:.1f} F1 {f1:.1f}"
            bar.update(task, completed=done, total=total, description=said)

        return await evaluate(
            system,
            questions,
            name=name,
            dataset=dataset,
            settings=settings,
            out=out / "rows.jsonl",
            progress=tell,
            retry_errors=True,
        )


def _system(name: str, agent: Agent, model: LlamaCppChat, retriever: Retriever) -> System:
    if name == "hoptree":
        return HoptreeSystem(agent)
    return ClosedBook(model) if name == "closed-book" else SingleShot(model, retriever)
