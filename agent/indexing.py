"""What stands behind `hoptree index`: files in, a progress bar, a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from agent.errors import UsageError
from agent.settings import Settings
from agent.show import safe
from retrievers.embedded import EmbeddedIndex, IndexReport
from retrievers.loaders import load

_SHOWN = 20
"""Failures named one by one; the rest are counted."""


def index_files(
    paths: Sequence[Path], settings: Settings, delete: Sequence[str], prune: bool, console: Console
) -> IndexReport:
    """Index files and folders into the embedded index, and say what was done.

    Raises
    ------
    UsageError
        Where a path does not exist: before anything is written.
    retrievers.errors.RetrieverError
        Where the index cannot be made or written.
    """
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise UsageError(f"there is no file or folder {missing[0]}")
    index = EmbeddedIndex.create(settings.index_folder)
    try:
        with Progress(
            TextColumn("indexing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("documents"),
            TimeElapsedColumn(),
            console=console,
        ) as bar:
            task = bar.add_task("index", total=None)
            report = index.index(
                load(paths), prune=prune, progress=lambda done: bar.update(task, completed=done)
            )
            bar.update(task, total=bar.tasks[task].completed)
        report.deleted += index.delete(delete)
        report.passages = index.passages()
    finally:
        index.close()
    for failure in report.failed[:_SHOWN]:
        console.print(f"skipped {safe(str(failure))}", style="yellow", markup=False)
    if len(report.failed) > _SHOWN:
        console.print(f"skipped {len(report.failed) - _SHOWN} more", style="yellow")
    console.print(
        f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{report.deleted} deleted; {report.passages} passages in {settings.index_folder}"
    )
    return report
