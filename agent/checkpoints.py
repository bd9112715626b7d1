"""Checkpoints: one SQLite file a run, beside its trace, from which a killed run goes on."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import json
import sqlite3
import zlib
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from pydantic import BaseModel, TypeAdapter

import graph.types
import retrievers.passage
from agent.errors import TraceError
from graph.journal import Journal
from graph.state import State

_HOMES = (graph.types, retrievers.passage)
"""Where the types of the state are; nothing else is read back from a checkpoint."""
_T = TypeVar("_T")
_SIDE_FILES = ("", "-wal", "-shm", "-journal")


def checkpoint_path(folder: Path, run: str) -> Path:
    """Return the file that holds the checkpoints of a run."""
    return folder / f"{run}.sqlite"


def state_types() -> list[type]:
    """Return the types that a checkpoint may hold, besides plain data."""
    return [
        kind
        for home in _HOMES
        for kind in vars(home).values()
        if inspect.isclass(kind)
        and issubclass(kind, BaseModel | StrEnum)
        and kind.__module__ == home.__name__
    ]


@functools.cache
def _mark() -> int:
    """Return a number that changes with what a checkpoint may hold: SQLite's `user_version`."""
    schemas = [TypeAdapter(kind).json_schema() for kind in state_types()]
    marked = [version("hoptree"), sorted(State.__annotations__), *schemas]
    return zlib.crc32(json.dumps(marked, sort_keys=True).encode()) & 0x7FFFFFFF or 1


class Checkpoints(AsyncSqliteSaver):
    """LangGraph's saver for one run: it also notes how many events each checkpoint covers."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        serde = JsonPlusSerializer(
            allowed_msgpack_modules=[(kind.__module__, kind.__name__) for kind in state_types()]
        )
        super().__init__(connection, serde=serde)
        self._path = path
        self._journal = Journal()
        self._begun = 0
        self._from_checkpoint = False
        self._stopped = False
        self._at_work: set[asyncio.Task[Any]] = set()

    async def _whole(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Do a piece of work to its end, also where the run is stopped meanwhile."""
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Close the file once nothing is at work on it.

        A statement that is left half done would keep it open, and locked: the process could not
        resume the run.
        """
        while self._at_work:
            await asyncio.wait(self._at_work)
        await self.conn.close()

    async def covered(self, config: RunnableConfig) -> int:
        """Return how many events the last checkpoint covers; 0 where there is none."""
        saved = await self.aget_tuple(config)
        self._from_checkpoint = saved is not None
        return int(cast("dict[str, Any]", saved.metadata)["events"]) if saved is not None else 0

    def follow(self, journal: Journal) -> None:
        """Note the events of this journal from now on."""
        self._journal, self._begun = journal, journal.count

    @property
    def done(self) -> bool:
        """Whether the run has told how it ended, so that nothing is left to resume."""
        return self._journal.ended

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return await self._whole(super().aget_tuple(config))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        if self._stopped:
            return config
        # The first one, of the input alone, may be written while the first node runs.
        first = metadata.get("source") == "input"
        events = self._begun if first else self._journal.count
        noted = cast("CheckpointMetadata", {**metadata, "events": events})
        with _told(self._path):
            saved = await self._whole(super().aput(config, checkpoint, noted, new_versions))
        if self._from_checkpoint:  # else the whole run is told again, not one step of it
            self._journal.settle()
        return saved

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        # Of a node that was stopped LangGraph keeps what it had, and that it is over: resumed, the
        # run would not come to it again. What is there already is what it goes on from.
        self._stopped |= any(isinstance(value, asyncio.CancelledError) for _, value in writes)
        if self._stopped:
            return
        with _told(self._path):
            await self._whole(super().aput_writes(config, writes, task_id, task_path))


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise TraceError(f"the run {path.stem} is at work elsewhere: wait for it") from error
        raise TraceError(
            f"cannot write the checkpoints {path}: {error}; "
            "set HOPTREE_TRACES to a folder that can be written"
        ) from error
    except sqlite3.DatabaseError as error:
        raise TraceError(f"{path} holds no checkpoints: {error}") from error


async def _locked(path: Path) -> aiosqlite.Connection:
    """Open the checkpoints in a file and lock it."""
    connection = await aiosqlite.connect(path, timeout=0)
    try:
        # The lock of the file is the lock of the run: a kill lets go of it. NORMAL loses nothing to
        # a kill, only to a loss of power, and the trace is no safer than that.
        await connection.executescript(
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        )
        row = await (await connection.execute("PRAGMA user_version")).fetchone()
        found = row[0] if row else 0
        if found not in (0, _mark()):
            raise TraceError(
                f"the checkpoints of the run {path.stem} are of another version of hoptree: "
                "ask the question again, or fork the run"
            )
        await connection.execute(f"PRAGMA user_version={_mark()}")
        await connection.commit()
    except BaseException:
        await connection.close()
        raise
    return connection


@contextlib.asynccontextmanager
async def opened(folder: Path, run: str) -> AsyncIterator[Checkpoints]:
    """Open the checkpoints of a run for this process alone.

    They are deleted at the end of a run that has its answer: a fork needs its trace only.

    Raises
    ------
    TraceError
        Where another process has the run, another version of hoptree wrote it, or the file cannot
        be used.
    """
    path = checkpoint_path(folder, run)
    with _told(path):
        opening = asyncio.ensure_future(_locked(path))
        try:
            connection = await asyncio.shield(opening)
        except asyncio.CancelledError:
            # Its thread goes on, and would tell an event loop that is closed by then; a statement
            # that is left half read would keep the lock.
            with contextlib.suppress(sqlite3.Error, TraceError):
                await (await opening).close()
            raise
    saver = Checkpoints(connection, path)
    try:
        yield saver
    finally:
        done = saver.done
        await saver.aclose()
    if done:
        for side in _SIDE_FILES:
            path.with_name(path.name + side).unlink(missing_ok=True)
