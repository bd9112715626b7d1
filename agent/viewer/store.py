"""The folder of traces, as the viewer reads it: a list, one run, and a run as it is written."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import NamedTuple

from agent.errors import TraceError
from agent.traces import read_trace
from agent.viewer.run import run_summary
from agent.viewer.views import Listing, RunSummary, Status, Unreadable
from graph.events import Event, event_adapter

QUIET_SECONDS = 90.0
"""How long a trace without an end may stay as it is while its run counts as under way. No call
takes longer: a model call is stopped after 65 seconds (`graph.calls`)."""
POLL_SECONDS = 0.05
PAGE = 50
"""Runs on one page of the list."""
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


class NoSuchRunError(TraceError):
    """No trace has this id."""


class _Stamp(NamedTuple):
    """What changes when a file does."""

    modified: int
    size: int


class TraceStore:
    """Reads the traces of a folder. Files that did not change are not read again for the list."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[Path, tuple[_Stamp, RunSummary | Unreadable]] = {}

    def path(self, run: str) -> Path:
        """Return where the trace of a run is.

        Raises
        ------
        NoSuchRunError
            Where there is none, or the id is not one: it must not name a file elsewhere.
        """
        path = self.folder / f"{run}.jsonl"
        if not _RUN.fullmatch(run) or not path.is_file():
            raise NoSuchRunError(
                f"there is no run {run!r} in {self.folder}: see `hoptree trace list`"
            )
        return path

    def events(self, run: str) -> list[Event]:
        """Return the events of a run so far. Raises TraceError where they cannot be read."""
        return read_trace(self.path(run))

    def running(self, run: str) -> bool:
        """Return whether a run without an end was written to a short while ago."""
        return _fresh(self.path(run))

    # ── the list ──────────────────────────────────────────────────────────────────────────────

    def listing(
        self,
        words: str = "",
        status: Status | None = None,
        after: str | None = None,
        limit: int = PAGE,
    ) -> Listing:
        """List runs, newest first.

        Parameters
        ----------
        words
            Only runs whose question holds all of them, in any case.
        status
            Only runs of this status. Unreadable files are listed only where nothing is asked for.
        after
            The last run of the page before; None for the first page.
        """
        found: list[RunSummary | Unreadable] = []
        for summary in self._summaries(after):
            if not _fits(summary, words.casefold().split(), status):
                continue
            if len(found) == limit:
                return Listing(runs=tuple(found), older=found[-1].run)
            found.append(summary)
        return Listing(runs=tuple(found))

    def _summaries(self, after: str | None) -> Iterator[RunSummary | Unreadable]:
        try:
            names = sorted((path.name for path in self.folder.glob("*.jsonl")), reverse=True)
        except OSError as error:
            raise TraceError(f"cannot read {self.folder}: {error.strerror}") from error
        for name in names:
            if after is None or name < f"{after}.jsonl":
                yield self._summary(self.folder / name)

    def _summary(self, path: Path) -> RunSummary | Unreadable:
        run = path.name.removesuffix(".jsonl")
        try:
            stat = path.stat()
        except OSError as error:
            return Unreadable(run=run, reason=f"cannot read it: {error.strerror}")
        stamp = _Stamp(stat.st_mtime_ns, stat.st_size)
        known = self._known.get(path)
        if known is not None and known[0] == stamp and not _may_change(known[1]):
            return known[1]
        summary: RunSummary | Unreadable
        try:
            if not _RUN.fullmatch(run):
                raise TraceError("its name is not that of a run")
            summary = run_summary(read_trace(path), running=_fresh(path))
            if summary.run != run:
                raise TraceError(f"it holds the run {summary.run!r}")
        except TraceError as error:
            # The full path is no news to who lists the folder.
            summary = Unreadable(run=run, reason=str(error).replace(str(path), path.name))
        self._known[path] = stamp, summary
        return summary

    # ── a run under way ───────────────────────────────────────────────────────────────────────

    async def follow(self, run: str) -> AsyncGenerator[list[Event], None]:
        """Yield the events of a run as they are written, at first all that are there.

        Another process may write them. Where none came it yields an empty list, so that who follows
        can end it, as at the end of a run; it ends when nothing was written for `QUIET_SECONDS`.

        Raises
        ------
        TraceError
            Where there is no such run, or a line is not an event.
        """
        path, place = self.path(run), 0
        while True:
            events, place = await asyncio.to_thread(_read_from, path, place)
            yield events
            if not events:
                if not _fresh(path):
                    return
                await asyncio.sleep(POLL_SECONDS)


def _fresh(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < QUIET_SECONDS
    except OSError:
        return False


def _may_change(summary: RunSummary | Unreadable) -> bool:
    """Return whether time alone changes the summary: a run that goes quiet is not under way."""
    return isinstance(summary, RunSummary) and summary.status == "running"


def _fits(summary: RunSummary | Unreadable, words: list[str], status: Status | None) -> bool:
    if isinstance(summary, Unreadable):
        return not words and status is None
    question = summary.question.casefold()
    return all(word in question for word in words) and status in (None, summary.status)


def _read_from(path: Path, place: int) -> tuple[list[Event], int]:
    """Read the whole lines from a place in bytes on; return their events and where they end."""
    try:
        with path.open("rb") as file:
            file.seek(place)
            data = file.read()
    except OSError as error:
        raise TraceError(f"cannot read the trace {path}: {error.strerror}") from error
    whole = data[: data.rfind(b"\n") + 1]
    events = []
    for line in whole.splitlines():
        try:
            events.append(event_adapter.validate_json(line))
        except ValueError as error:
            raise TraceError(f"{path.name} holds a line that is not a trace event") from error
    return events, place + len(whole)
