"""How fast the surfaces are: the first event after a question, and a long run in the viewer.

hoptree index --sample --index INDEX
python benchmarks/surfaces.py INDEX
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from agent import Agent, Settings
from agent.traces import TraceWriter
from graph.events import (
    Answered,
    Event,
    PathLeft,
    PathOpened,
    PathSolved,
    Planned,
    RunStarted,
    Token,
)

QUESTION = "When was the pianist who recorded Live at Shelly's Manne-Hole born?"


def quantiles(name: str, seconds: Sequence[float], bound: float) -> None:
    """Print the median and the largest of some times, in milliseconds."""
    ordered = sorted(seconds)
    median, largest = ordered[len(ordered) // 2] * 1000, ordered[-1] * 1000
    print(f"{name:58} {median:7.1f} {largest:7.1f}   (bound {bound * 1000:.0f})")


async def first_events(index: str, traces: Path, times: int) -> tuple[list[float], list[Event]]:
    """Time `astream` to its first event, the model being warm; return the events of a run."""
    seconds, events = [], []
    async with Agent(index, settings=Settings(traces=traces)) as agent:
        for _ in range(times + 1):
            begun, first, events = time.perf_counter(), 0.0, []
            async for event in agent.astream(QUESTION):
                first = first or time.perf_counter() - begun
                events.append(event)
            seconds.append(first)
    return seconds[1:], events  # the first one loaded the model


def long_run(events: Sequence[Event], count: int) -> list[Event]:
    """Return a run of so many events: a real one, its path left and walked again and again."""
    opened = next(n for n, event in enumerate(events) if isinstance(event, PathOpened))
    solved = next(n for n, event in enumerate(events) if isinstance(event, PathSolved))
    walk, end = events[opened:solved], list(events[solved + 1 :])
    outcome = events[solved]
    assert isinstance(outcome, PathSolved)
    failure = {"step": 1, "reason": "weak", "detail": "too weak"}
    made: list[Event] = list(events[:opened])
    number = 1
    while len(made) + len(walk) + 1 + len(end) < count:
        made += [e.model_copy(update={"number": number}) if e is walk[0] else e for e in walk]
        made.append(PathLeft.model_validate({"number": number, "failure": failure}))
        number += 1
    made += [outcome.model_copy(update={"number": number - 1})]
    text = [e for e in end if isinstance(e, Token)]
    filler = [text[0].model_copy() for _ in range(count - len(made) - len(end))]
    made += filler + end
    assert isinstance(made[-1], Answered) and isinstance(made[1], Planned)
    return made


@contextlib.contextmanager
def serving(index: str, traces: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "agent", "trace", "serve", "--port", "0", "--index", index]
    env = os.environ | {"HOPTREE_TRACES": str(traces)}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield re.findall(r"http://\S+?(?=/)", process.stdout.readline())[0]
    finally:
        process.terminate()
        process.wait()


def from_the_page(address: str, times: int) -> list[float]:
    """Time a question sent from the page to the first event that its live page gets."""
    seconds = []
    with httpx.Client(base_url=address, timeout=300, headers={"origin": address}) as client:
        [token] = set(re.findall(r'name="form_token" value="([^"]+)"', client.get("/").text))
        for _ in range(times + 1):
            begun = time.perf_counter()
            answer = client.post("/ask", data={"form_token": token, "question": QUESTION})
            while "/runs/" not in answer.headers["location"]:
                answer = client.get(answer.headers["location"])
                answer.headers.setdefault("location", str(answer.url.path))
            with client.stream("GET", f"{answer.headers['location']}/events") as events:
                lines = events.iter_lines()
                next(line for line in lines if line.startswith("event: part"))
                seconds.append(time.perf_counter() - begun)
                for _ in lines:  # to the end of the run, so that the next need not wait
                    pass
    return seconds[1:]


def opened(address: str, run: str, times: int) -> list[float]:
    with httpx.Client(timeout=60) as client:
        seconds = []
        for _ in range(times):
            begun = time.perf_counter()
            client.get(f"{address}/runs/{run}").raise_for_status()
            seconds.append(time.perf_counter() - begun)
    return seconds


def opened_in_chromium(address: str, run: str, times: int) -> tuple[list[float], list[float]]:
    """Time the page to its load event in a browser; also what its main thread worked for it.

    The second is the same on a busy machine.
    """
    from playwright.sync_api import sync_playwright

    seconds, worked = [], []
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        for _ in range(times):
            page = browser.new_page()
            tools = page.context.new_cdp_session(page)
            tools.send("Performance.enable", {"timeDomain": "threadTicks"})
            begun = time.perf_counter()
            page.goto(f"{address}/runs/{run}", wait_until="load")
            seconds.append(time.perf_counter() - begun)
            told = tools.send("Performance.getMetrics")["metrics"]
            worked += [each["value"] for each in told if each["name"] == "TaskDuration"]
            page.close()
        browser.close()
    return seconds, worked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("index")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--events", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        traces = Path(folder)
        api, events = asyncio.run(first_events(arguments.index, traces, arguments.times))
        start = events[0]
        assert isinstance(start, RunStarted)
        run = "long-run"
        with TraceWriter(traces, run) as trace:
            for event in long_run(
                [start.model_copy(update={"run": run}), *events[1:]], arguments.events
            ):
                trace.write(event)
        lines = len((traces / f"{run}.jsonl").read_bytes().splitlines())
        print(f"{os.cpu_count()} cores, {arguments.times} times each, a run of {lines} events")
        print(f"{'milliseconds':58} {'median':>7} {'largest':>7}")
        quantiles("Agent.astream to the first event, warm model", api, 0.2)
        with serving(arguments.index, traces) as address:
            page = from_the_page(address, arguments.times)
            quantiles("question sent from the page to its first live event", page, 0.2)
            quantiles("page of the long run, served", opened(address, run, arguments.times), 1.0)
            if shutil.which("chromium"):
                shown, worked = opened_in_chromium(address, run, arguments.times)
                quantiles("page of the long run, shown in Chromium", shown, 1.0)
                quantiles("… of it work of its main thread", worked, 1.0)


if __name__ == "__main__":
    main()
