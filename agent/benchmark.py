"""What stands behind `hoptree eval`: the corpus indexed, the systems run, a table printed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from agent.api import Agent
from agent.errors import EvaluationError, UsageError
from agent.evaluation import EvalSummary, System, evaluate, load_questions, render
from agent.indexes import open_index
from agent.indexing import index_files
from agent.llama import LlamaCppChat, default_model
from agent.settings import Settings
from agent.systems import ClosedBook, HoptreeSystem, SingleShot
from retrievers.passage import Retriever

SYSTEMS = ("hoptree", "single-shot", "closed-book")


async def run(
    dataset: Path,
    systems: Sequence[str],
    limit: int | None,
    out: Path,
    settings: Settings,
    indexed: bool,
    console: Console,
) -> list[EvalSummary]:
    """Run systems over a question set, one after another, and print the table.

    Raises
    ------
    EvaluationError
        Where the folder holds no questions or no corpus, or results cannot be written.
    """
    unknown = [name for name in systems if name not in SYSTEMS]
    if unknown:
        raise UsageError(f"there is no system {unknown[0]!r}: choose from {', '.join(SYSTEMS)}")
    questions = load_questions(dataset, limit)
    if not indexed:
        corpus = dataset / "corpus.jsonl"
        if not corpus.is_file():
            raise EvaluationError(f"there is no {corpus}: put the passages there, or use --index")
        settings = settings.model_copy(update={"index": str(out / "index")})
        index_files([corpus], settings, [], False, console)
    settings = settings.model_copy(update={"traces": out / "traces"})
    model = LlamaCppChat(
        model_path=str(settings.model or default_model()),
        n_ctx=settings.context,
        n_threads=settings.threads,
    )
    retriever = open_index(settings.index, settings)
    if retriever is None:
        raise EvaluationError("there is no index to evaluate over")
    agent = Agent(retriever, model, settings=settings)
    summaries = []
    try:
        for name in systems:
            with Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=console,
            ) as bar:
                task = bar.add_task(f"{dataset.name} · {name}", total=len(questions))

                def tell(
                    done: int,
                    total: int,
                    em: float,
                    f1: float,
                    bar: Progress = bar,
                    name: str = name,
                ) -> None:
                    said = f"{dataset.name} · {name} · EM {em:.1f} F1 {f1:.1f}"
                    bar.update(bar.task_ids[0], completed=done, total=total, description=said)

                bar.update(task, completed=0)
                summaries.append(
                    await evaluate(
                        _system(name, agent, model, retriever),
                        questions,
                        name=name,
                        dataset=dataset.name,
                        settings={
                            "model": Path(model.model_path or "").name,
                            "limits": settings.limits.model_dump(),
                        },
                        out=out / "rows.jsonl",
                        progress=tell,
                    )
                )
    finally:
        await retriever.aclose()
        model.close()
    console.print(render(summaries))
    return summaries


def _system(name: str, agent: Agent, model: LlamaCppChat, retriever: Retriever) -> System:
    if name == "hoptree":
        return HoptreeSystem(agent)
    return ClosedBook(model) if name == "closed-book" else SingleShot(model, retriever)
