"""Traces: what was written is what is read, whatever ended the run."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from events_by_hand import EVENTS

from agent.errors import TraceError
from agent.traces import TraceWriter, new_run_id, read_trace
from graph.events import Event


def written(folder: Path, events: list[Event]) -> Path:
    with TraceWriter(folder, "run") as trace:
        for event in events:
            trace.write(event)
    return trace.path


def test_every_kind_of_event_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    assert read_trace(written(tmp_path / "new" / "folder", EVENTS)) == EVENTS


def test_an_event_is_on_disk_as_soon_as_it_is_written(tmp_path: Path) -> None:
    with TraceWriter(tmp_path, "run") as trace:
        for count, event in enumerate(EVENTS, 1):
            trace.write(event)
            assert read_trace(trace.path) == EVENTS[:count]


@pytest.mark.parametrize("lost", [1, 2, 40])
def test_last_line_that_was_torn_is_left_out(tmp_path: Path, lost: int) -> None:
    path = written(tmp_path, EVENTS[:3])
    path.write_bytes(path.read_bytes()[:-lost])
    assert read_trace(path) == EVENTS[:2]


def test_last_line_torn_inside_a_character_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, [EVENTS[1], EVENTS[0]])
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex("长".encode()) + 1])
    assert read_trace(path) == [EVENTS[1]]


@pytest.mark.parametrize("line", [b"{}", b"not json", b'{"type": "poem"}', b"\xff\xfe"])
def test_line_that_is_no_event_is_named(tmp_path: Path, line: bytes) -> None:
    path = written(tmp_path, EVENTS[:2])
    path.write_bytes(path.read_bytes() + line + b"\n" + path.read_bytes())
    with pytest.raises(TraceError, match=r"run\.jsonl:3 is not a trace event"):
        read_trace(path)


def test_missing_trace_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"none\.jsonl: No such file"):
        read_trace(tmp_path / "none.jsonl")


def test_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(TraceError, match=r"file/runs/run\.jsonl.*HOPTREE_TRACES"),
        TraceWriter(tmp_path / "file" / "runs", "run"),
    ):
        pass


def test_full_disk_is_told_once_and_does_not_hide_an_error(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").symlink_to("/dev/full")
    with (
        pytest.raises(TraceError, match=r"No space left.*HOPTREE_TRACES"),
        TraceWriter(tmp_path, "run") as trace,
    ):
        trace.write(EVENTS[0])
    with pytest.raises(KeyError), TraceWriter(tmp_path, "run") as trace:
        trace._file.write("what waits to be written")  # type: ignore[union-attr]
        raise KeyError


def test_run_ids_are_unique_and_sort_by_time() -> None:
    ids = []
    for _ in range(50):
        ids.append(new_run_id())
        time.sleep(0.001)
    assert len({new_run_id() for _ in range(50)}) == 50
    assert ids == sorted(ids)
