"""What stands behind `hoptree index`: files in, a progress bar, a report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from agent.errors import UsageError
from agent.indexes import open_corpus
from agent.settings import Settings
from agent.show import safe
from retrievers.connection import is_address
from retrievers.documents import Document
from retrievers.embedded import EmbeddedIndex, IndexReport
from retrievers.loaders import LoadFailure, load
from retrievers.notices import listening

_SHOWN = 20
"""Failures named one by one; the rest are counted."""


def add_files(
    paths: Sequence[Path],
    settings: Settings,
    *,
    delete: Sequence[str] = (),
    prune: bool = False,
    rebuild: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[str, IndexReport]:
    """Index files and folders into the index that the settings name; return its place and a report.

    Raises
    ------
    UsageError
        Where a path does not exist, where nothing would be left, or where an embedded index is to
        be rebuilt: before anything is written.
    retrievers.errors.RetrieverError
        Where the index cannot be made or written.
    """
    _check(paths, settings, prune, rebuild)
    address = settings.index if is_address(settings.index) else None
    if address is not None:
        return _blocking(_on_node(address, settings, load(paths), delete, prune, rebuild, progress))
    folder = settings.index_folder
    return str(folder), _in_folder(folder, load(paths), delete, prune, progress)


def _check(paths: Sequence[Path], settings: Settings, prune: bool, rebuild: bool) -> None:
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise UsageError(f"there is no file or folder {missing[0]}")
    if not paths and (prune or rebuild):
        raise UsageError("--prune and --rebuild need FILES: without them nothing would be left")
    if rebuild and not is_address(settings.index):
        raise UsageError("--rebuild is for es:// addresses: delete the folder and index again")


def _blocking(work: Coroutine[Any, Any, tuple[str, IndexReport]]) -> tuple[str, IndexReport]:
    """Run the work to its end, in a thread of its own where this one runs an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def index_files(
    paths: Sequence[Path],
    settings: Settings,
    delete: Sequence[str],
    prune: bool,
    console: Console,
    *,
    rebuild: bool = False,
) -> IndexReport:
    """Do as `add_files`, with a bar of its progress, and say what was done."""
    _check(paths, settings, prune, rebuild)  # before a bar is drawn
    notices: list[str] = []
    with (
        listening(notices.append),
        Progress(
            TextColumn("indexing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("documents"),
            TimeElapsedColumn(),
            console=console,
        ) as bar,
    ):
        task = bar.add_task("index", total=None)

        def progress(done: int) -> None:
            bar.update(task, completed=done)

        place, report = add_files(
            paths, settings, delete=delete, prune=prune, rebuild=rebuild, progress=progress
        )
        bar.update(task, total=bar.tasks[task].completed)
    for failure in report.failed[:_SHOWN]:
        console.print(f"skipped {safe(str(failure))}", style="yellow", markup=False)
    if len(report.failed) > _SHOWN:
        console.print(f"skipped {len(report.failed) - _SHOWN} more", style="yellow")
    for notice in notices:
        console.print(safe(notice), style="yellow", markup=False)
    console.print(
        f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{report.deleted} deleted; {report.passages} passages in {safe(place)}",
        markup=False,
    )
    return report


def _in_folder(
    folder: Path,
    documents: Iterable[Document | LoadFailure],
    delete: Sequence[str],
    prune: bool,
    progress: Callable[[int], None],
) -> IndexReport:
    # Not in a thread, as a thread cannot be stopped by Ctrl-C.
    index = EmbeddedIndex.create(folder)
    try:
        report = index.index(documents, prune=prune, progress=progress)
        report.deleted += index.delete(delete)
        report.passages = index.passages()
    finally:
        index.close()
    return report


async def _on_node(
    address: str,
    settings: Settings,
    documents: Iterable[Document | LoadFailure],
    delete: Sequence[str],
    prune: bool,
    rebuild: bool,
    progress: Callable[[int], None],
) -> tuple[str, IndexReport]:
    corpus = open_corpus(address, settings)
    try:
        report = await corpus.aindex(documents, prune=prune, rebuild=rebuild, progress=progress)
        if delete:
            report.deleted += await corpus.adelete(delete)
            report.passages = await corpus.count()
    finally:
        await corpus.aclose()
    return corpus.settings.url, report
