"""What stands behind `hoptree eval`: the corpus indexed, then the systems run over it."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
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
from agent.readers.encoder_reader import CHINESE, ENGLISH
from agent.settings import Settings
from agent.systems import ClosedBook, HoptreeSystem, SingleShot
from retrievers.passage import Retriever

SYSTEMS = ("hoptree", "single-shot", "closed-book")
READERS = tuple(
    file
    for layout in (ENGLISH, CHINESE)
    for file in (layout.weights, layout.weights.with_suffix(".json"))
)
_MIB = 2**20


def run(
    dataset: Path,
    systems: Sequence[str],
    limit: int | None,
    out: Path,
    settings: Settings,
    indexed: bool,
    console: Console,
    learn: bool = False,
) -> list[EvalSummary]:
    """Run systems over a question set, one after another.

    Questions that `out` has answers of are not asked again, where the system, the version of
    hoptree, the models, the limits, the vote and the corpus are the same.

    With `learn` the trust in sources is learned from each question for the next, so that the
    figures depend on their order.

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
        planner_lora=str(settings.planner_lora),
        n_ctx=settings.context,
        n_threads=settings.threads,
    )
    model.load()  # or each question would fail for itself
    settings = settings.model_copy(
        update={"voting": settings.voting.model_copy(update={"learn": learn})}
    )
    decisive: dict[str, object] = {
        "hoptree": version("hoptree"),
        "model": model_mark(Path(model.model_path or "")),
        "context": settings.context,
        "readers": [_digest(file) for file in READERS],
        "limits": settings.limits.model_dump(),
        "voting": settings.voting.model_dump(),
    }
    if (adapter := model.planner_adapter) is not None:
        decisive["planner_lora"] = model_mark(adapter.path)
    if indexed:
        decisive["index"] = settings.index
    else:
        corpus = dataset / "corpus.jsonl"
        if not corpus.is_file():
            raise EvaluationError(f"there is no {corpus}: put the passages there, or use --index")
        settings = settings.model_copy(update={"index": str(out / "index")})
        index_files([corpus], settings, [], False, console)
        decisive["corpus"] = _digest(corpus)
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


def model_mark(gguf: Path) -> str:
    """Return what tells a model from another of the same name: its size, its first and last MiB.

    The first holds what the model says of itself, the last some of its weights; all of it would
    take seconds to read.
    """
    with gguf.open("rb") as file:
        digest = hashlib.sha256(file.read(_MIB))
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _MIB))
        digest.update(file.read(_MIB))
    return f"{gguf.name} {size} {digest.hexdigest()}"


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror}") from error


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
