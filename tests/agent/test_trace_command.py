"""`hoptree trace`: runs as a list, as one file, and served."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import traced_runs as made
from hoptree_command import Hoptree

from graph.events import Notice

RUN = "20260101-000000-abcdef"


@pytest.fixture
def traces(hoptree: Hoptree) -> Path:
    return hoptree.folder / "runs"


# ── list ──────────────────────────────────────────────────────────────────────────────────────


def test_runs_are_listed_newest_first_one_a_line(hoptree: Hoptree, traces: Path) -> None:
    made.written(traces, made.run(RUN))
    made.written(traces, made.run("20260102-000000-abcdef", "Who\x1b[2J sang\nit?"))
    (traces / "broken.jsonl").write_text("{}\n")
    done = hoptree("trace", "list")
    assert (done.returncode, done.stderr) == (0, "")
    broken, newer, older = done.stdout.splitlines()
    assert broken == "broken  unreadable: broken.jsonl:1 is not a trace event"
    assert newer == "20260102-000000-abcdef  answered       6.0 s  2 paths  Who[2J sang it? → 1950"
    assert older.startswith(RUN)


def test_the_list_is_searched_and_cut_and_comes_as_json(hoptree: Hoptree, traces: Path) -> None:
    for number in range(3):
        made.written(traces, made.run(f"run-{number}", f"Question {number}?"))
    assert hoptree("trace", "list", "QUESTION", "1").stdout.startswith("run-1 ")
    assert len(hoptree("trace", "list", "--limit", "2").stdout.splitlines()) == 2
    told = json.loads(hoptree("trace", "list", "--json").stdout)
    assert [run["run"] for run in told] == ["run-2", "run-1", "run-0"]


def test_a_list_without_runs_says_so(hoptree: Hoptree, traces: Path) -> None:
    done = hoptree("trace", "list")
    assert (done.returncode, done.stdout) == (0, f"no runs in {traces}\n")


# ── show ──────────────────────────────────────────────────────────────────────────────────────


def test_a_run_is_shown_as_one_tree_of_alternatives(hoptree: Hoptree, traces: Path) -> None:
    made.written(traces, made.run(RUN))
    done = hoptree("trace", "show", RUN)
    assert (done.returncode, done.stderr) == (0, "")
    assert "✓ plan 1, by the linguistic planner → 1950" in done.stdout
    assert "✗ Ann Lee (0.70) path 1: left at step 2" in done.stdout
    assert "✗ When was Ann Lee born? path 1: nothing on Ann Lee" in done.stdout
    assert "· What is the date of birth of Ann Lee? (reworded) not tried" in done.stdout
    told = json.loads(hoptree("trace", "show", RUN, "--json").stdout)
    assert (told["question"], told["state"]) == (made.QUESTION, "solved")


def test_the_plans_of_a_chinese_run_are_named_in_chinese(hoptree: Hoptree, traces: Path) -> None:
    begun, *rest = made.run(RUN, "谁的歌？")
    made.written(traces, [begun.model_copy(update={"language": "zh"}), *rest])
    assert "✓ 方案1（规划器：语法分析） → 1950" in hoptree("trace", "show", RUN).stdout


def test_a_run_without_an_answer_is_shown_as_far_as_it_came(hoptree: Hoptree, traces: Path) -> None:
    made.written(traces, made.run(RUN)[:6])
    assert "… plan 1" in hoptree("trace", "show", RUN).stdout
    made.written(traces, made.run("begun")[:1])
    assert hoptree("trace", "show", "begun").stdout == f"· {made.QUESTION}\n"


# ── export ────────────────────────────────────────────────────────────────────────────────────


def test_a_run_is_exported_as_one_file(hoptree: Hoptree, traces: Path) -> None:
    made.written(traces, [*made.run(RUN), Notice(text="旧金山 🐼")])
    done = hoptree("trace", "export", RUN)
    assert (done.returncode, done.stdout) == (0, f"wrote {RUN}.html\n")
    page = (hoptree.folder / f"{RUN}.html").read_text(encoding="utf-8")
    assert made.QUESTION in page and "旧金山 🐼" in page
    assert hoptree("trace", "export", RUN, "-o", "-").stdout == page
    assert hoptree("trace", "export", RUN, "-o", "two words.html").returncode == 0
    assert (hoptree.folder / "two words.html").read_text(encoding="utf-8") == page
    assert sorted(path.suffix for path in hoptree.folder.iterdir() if path.is_file()) == [
        ".html",
        ".html",
    ]


def test_what_cannot_be_exported_is_told_in_one_sentence(hoptree: Hoptree, traces: Path) -> None:
    made.written(traces, made.run(RUN))
    (traces / "broken.jsonl").write_text("{}\n")
    (traces / "empty.jsonl").write_text("")
    assert "there is no run 'none'" in hoptree("trace", "show", "none").stderr
    for arguments, code, told in (
        (("none",), 6, "there is no run 'none'"),
        (("../runs/" + RUN,), 6, "there is no run"),
        (("broken",), 6, "broken.jsonl:1 is not a trace event"),
        (("empty",), 6, "is not the trace of a run"),
        ((RUN, "-o", "nowhere/one.html"), 2, "cannot write nowhere/one.html"),
    ):
        done = hoptree("trace", "export", *arguments)
        assert (done.returncode, done.stdout) == (code, ""), arguments
        assert done.stderr.startswith("hoptree: ") and told in done.stderr
        assert len(done.stderr.splitlines()) == 1


# ── serve ─────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def serving(
    hoptree: Hoptree, *options: str, env: dict[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = hoptree.start("trace", "serve", "--port", "0", *options, env=env)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def test_the_viewer_says_where_it_is_and_ends_in_peace_on_ctrl_c(
    hoptree: Hoptree, traces: Path
) -> None:
    made.written(traces, made.run(RUN))
    with serving(hoptree) as (process, told):
        [address] = re.findall(rf"^{traces} is shown at (http://127\.0\.0\.1:\d+/)$", told.strip())
        assert made.QUESTION in httpx.get(address).text
        # A live page that nobody closes does not hold it up.
        made.written(traces, made.run("live")[:4])
        with httpx.stream("GET", f"{address}runs/live/events") as live:
            assert live.headers["content-type"].startswith("text/event-stream")
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0
        assert process.stderr is not None and process.stderr.read() == ""


def test_beyond_this_machine_a_token_is_made_up_and_needed(hoptree: Hoptree, traces: Path) -> None:
    with serving(hoptree, "--host", "0.0.0.0") as (_, told):
        [port, token] = re.findall(r"http://0\.0\.0\.0:(\d+)/\?token=(\S{24,})", told)[0]
        address = f"http://127.0.0.1:{port}/"
        assert httpx.get(address).status_code == 401
        with httpx.Client() as client:
            first = client.get(address, params={"token": token}, follow_redirects=True)
            assert first.status_code == 200 and "token" not in str(first.url)
    with serving(hoptree, env={"HOPTREE_VIEWER_TOKEN": "mine"}) as (_, told):
        assert told.rstrip().endswith("/?token=mine")


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_an_address_that_cannot_be_had_is_told(hoptree: Hoptree, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = hoptree("trace", "serve", "--host", host, "--port", port)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"hoptree: cannot listen on {host}:{port}: ")
    assert done.stderr.rstrip().endswith("choose another --host or --port")


def test_a_token_that_is_empty_is_no_token(hoptree: Hoptree) -> None:
    done = hoptree("trace", "serve", "--token", "")
    assert (done.returncode, done.stderr.split(":")[1]) == (2, " the token is empty")


def test_other_commands_load_nothing_of_the_viewer() -> None:
    code = (
        "import sys, agent, agent.cli; names = 'starlette', 'uvicorn', 'langgraph'; "
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
