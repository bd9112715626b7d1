"""The trace of a run: one JSON line an event, appended as it happens."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from agent.errors import TraceError
from graph.events import Event, event_adapter


def new_run_id() -> str:
    """Return an id that sorts by time, to 1/4096 s, and is easy to type."""
    now = time.time()
    began = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
    return f"{began}-{int(now % 1 * 4096):03x}{secrets.token_hex(3)}"


def trace_path(folder: Path, run: str) -> Path:
    """Return the file of a run's trace."""
    return folder / f"{run}.jsonl"


def cut_torn_line(path: Path) -> None:
    """Cut off a last line that a kill left unfinished, so that the trace can go on after it."""
    try:
        with path.open("r+b") as file:
            content = file.read()
            file.truncate(content.rfind(b"\n") + 1)
    except OSError as error:
        raise TraceError(f"cannot mend the trace {path}: {error.strerror}") from error


class TraceWriter:
    """Appends the events of one run to `folder/run.jsonl`."""

    def __init__(self, folder: Path, run: str) -> None:
        self.path = trace_path(folder, run)
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        except OSError as failure:
            raise self._unwritable(failure) from failure
        return self

    def write(self, event: Event) -> None:
        """Append one event and flush it, so that a killed run keeps what it did."""
        if self._file is None:
            raise RuntimeError("the trace is not open")
        try:
            self._file.write(event.model_dump_json() + "\n")
            self._file.flush()
        except OSError as failure:
            raise self._unwritable(failure) from failure

    def _unwritable(self, failure: OSError) -> TraceError:
        return TraceError(
            f"cannot write the trace {self.path}: {failure.strerror}; "
            "set HOPTREE_TRACES to a folder that can be written"
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        except OSError as failure:
            if kind is None:
                raise self._unwritable(failure) from failure


def read_trace(path: Path) -> list[Event]:
    """Read a trace back. A last line cut by a kill is left out.

    Raises
    ------
    TraceError
        Where there is no such trace, or a line of it is not an event.
    """
    try:
        # As bytes: a text may hold other ends of a line, and a kill may cut a character.
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise TraceError(f"cannot read the trace {path}: {error.strerror}") from error
    events = []
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            break
        try:
            events.append(event_adapter.validate_json(line))
        except ValueError as error:
            raise TraceError(f"{path}:{number} is not a trace event") from error
    return events
