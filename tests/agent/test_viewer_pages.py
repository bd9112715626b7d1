"""The viewer's pages over HTTP: what they show, as HTML and as JSON, and what they refuse."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import traced_runs as made
from starlette.testclient import TestClient

from agent.api import Agent
from agent.errors import QuestionError
from agent.settings import Settings
from agent.traces import TraceWriter
from agent.viewer.app import build
from agent.viewer.asking import WAITING, Asker, QueueFullError
from agent.viewer.pages import INLINE
from agent.viewer.store import PAGE, QUIET_SECONDS, TraceStore
from graph.events import Event, RunFailed, RunResumed, RunStarted

ADDRESS = "http://127.0.0.1:8747"
RUN = "20260101-000000-abcdef"


class TracingAgent:
    """Stands in for an agent: writes the events that a test made, and can be held between two."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held: asyncio.Event | None = None
        """Where set, a run goes on after its third event only once this is set."""
        self.asked: list[tuple[object, ...]] = []
        self.closed = False

    def astream(self, question: str) -> AsyncGenerator[Event, None]:
        self.asked.append(("ask", question))
        if question == "refused":
            return self._refused()
        return self._told(made.run(f"asked-{len(self.asked)}", question))

    def astream_fork(
        self, run: str, step: int, answer: str, *, path: int
    ) -> AsyncGenerator[Event, None]:
        self.asked.append(("fork", run, step, answer, path))
        if answer == "refused":
            return self._refused()
        return self._told(made.run(f"asked-{len(self.asked)}"))

    async def astream_resume(self, run: str, answer: str | None) -> AsyncGenerator[Event, None]:
        self.asked.append(("resume", run, answer))
        with TraceWriter(self.folder, run) as trace:
            for event in [RunResumed(run=run, settings={}), *made.run(run)[9:]]:
                trace.write(event)
                yield event

    async def _refused(self) -> AsyncGenerator[Event, None]:
        raise QuestionError("the question is refused: ask another")
        yield

    async def _told(self, events: list[Event]) -> AsyncGenerator[Event, None]:
        begun = events[0]
        assert isinstance(begun, RunStarted)
        with TraceWriter(self.folder, begun.run) as trace:
            try:
                for place, event in enumerate(events):
                    if place == 3 and self.held is not None:
                        await self.held.wait()
                    trace.write(event)
                    yield event
            except BaseException as error:
                trace.write(RunFailed(error=type(error).__name__))
                raise

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "runs").mkdir()
    return Settings(traces=tmp_path / "runs", index=str(tmp_path / "none"))


@pytest.fixture
def agent(settings: Settings) -> TracingAgent:
    return TracingAgent(settings.traces)


@pytest.fixture
def client(settings: Settings, agent: TracingAgent) -> Iterator[TestClient]:
    app = build(settings, make_agent=lambda: cast("Agent", agent))
    with TestClient(app, base_url=ADDRESS, follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def run(settings: Settings) -> Path:
    return made.written(settings.traces, made.run())


def form_token(client: TestClient) -> str:
    [token] = set(re.findall(r'name="form_token" value="([^"]+)"', client.get("/").text))
    return token


def post(client: TestClient, address: str, /, **fields: str) -> Any:
    return client.post(address, data={"form_token": form_token(client), **fields})


def wait_for(found: Callable[[], object]) -> None:
    """Wait until something is so; the test fails where it never is."""
    last = time.monotonic() + 20
    while not found():
        assert time.monotonic() < last
        time.sleep(0.01)


def hold(client: TestClient, agent: TracingAgent) -> Callable[[], object]:
    """Let no run go past its third event until what is returned is called."""
    assert client.portal is not None
    portal, held = client.portal, asyncio.Event()
    agent.held = held
    return lambda: portal.call(held.set)


# ── the list ──────────────────────────────────────────────────────────────────────────────────


def test_the_list_shows_the_newest_run_first_with_its_figures(
    client: TestClient, settings: Settings
) -> None:
    made.written(settings.traces, made.run("20260101-000000-aaaaaa", "The older?"))
    made.written(settings.traces, made.run("20260102-000000-aaaaaa", "The newer?"))
    page = client.get("/").text
    assert page.index("The newer?") < page.index("The older?")
    assert "6.0 s · 2 paths · 48 tokens" in page
    [newer, older] = client.get("/runs.json").json()["runs"]
    assert (newer["question"], older["question"]) == ("The newer?", "The older?")
    assert (newer["status"], newer["answer"], newer["paths"]) == ("answered", "1950", 2)


def test_runs_are_found_by_words_of_their_question_and_by_status(
    client: TestClient, settings: Settings
) -> None:
    made.written(settings.traces, made.run("a", "Where was ANN born?"))
    made.written(settings.traces, made.run("b", "Where did Bob die?"))
    made.written(settings.traces, [*made.run("c", "Was Ann born?")[:4], RunFailed(error="gone")])

    def found(**asked: str) -> set[str]:
        return {run["run"] for run in client.get("/runs.json", params=asked).json()["runs"]}

    assert found() == {"a", "b", "c"}
    assert found(q="born ann") == {"a", "c"}
    assert found(status="failed") == {"c"}
    assert found(q="ann", status="answered") == {"a"}
    assert "No run fits" in client.get("/", params={"q": "nobody"}).text
    assert client.get("/", params={"status": "odd"}).status_code == 400


def test_a_long_list_has_pages(client: TestClient, settings: Settings) -> None:
    for number in range(PAGE + 3):
        made.written(settings.traces, made.run(f"run-{number:03}")[:1])
    first = client.get("/runs.json").json()
    rest = client.get("/runs.json", params={"after": first["older"]}).json()
    assert [len(first["runs"]), len(rest["runs"]), rest["older"]] == [PAGE, 3, None]
    names = [run["run"] for run in first["runs"] + rest["runs"]]
    assert names == sorted(names, reverse=True)
    assert f"after={first['older']}" in html.unescape(client.get("/").text)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("foreign.jsonl", b'{"hello": "world"}\n'),
        ("binary.jsonl", bytes(range(256)) + b"\n"),
        ("empty.jsonl", b""),
        ("with space.jsonl", b""),
        ("..jsonl", b""),
        ("renamed.jsonl", made.run()[0].model_dump_json().encode() + b"\n"),
        ("no-order.jsonl", made.run()[5].model_dump_json().encode() + b"\n"),
    ],
)
def test_a_file_that_holds_no_run_is_told_as_unreadable_and_breaks_nothing(
    client: TestClient, settings: Settings, run: Path, name: str, content: bytes
) -> None:
    (settings.traces / name).write_bytes(content)
    shown = {r["run"]: r for r in client.get("/runs.json").json()["runs"]}
    assert shown.keys() == {RUN, name.removesuffix(".jsonl")}
    assert shown[name.removesuffix(".jsonl")]["reason"]
    page = client.get("/")
    assert page.status_code == 200 and "unreadable" in page.text and made.QUESTION in page.text


def test_a_folder_of_a_trace_name_and_a_lost_link_are_unreadable(
    client: TestClient, settings: Settings
) -> None:
    (settings.traces / "folder.jsonl").mkdir()
    (settings.traces / "link.jsonl").symlink_to(settings.traces / "nowhere")
    assert client.get("/").text.count("run unreadable") == 2
    assert client.get("/runs/folder").status_code == 404


def test_a_run_that_goes_on_is_seen_in_the_list(client: TestClient, settings: Settings) -> None:
    events = made.run()
    made.written(settings.traces, events[:4])
    assert client.get("/runs.json").json()["runs"][0]["status"] == "running"
    with TraceWriter(settings.traces, RUN) as trace:
        for event in events[4:]:
            trace.write(event)
    assert client.get("/runs.json").json()["runs"][0]["status"] == "answered"


def test_a_run_without_an_end_that_is_quiet_is_unfinished(
    client: TestClient, settings: Settings
) -> None:
    path = made.written(settings.traces, made.run()[:4])
    assert TraceStore(settings.traces).running(RUN)
    quiet = time.time() - QUIET_SECONDS - 1
    os.utime(path, (quiet, quiet))
    assert client.get(f"/runs/{RUN}.json").json()["status"] == "unfinished"
    assert client.get("/runs.json").json()["runs"][0]["status"] == "unfinished"


def test_a_list_without_traces_says_how_to_make_one(tmp_path: Path) -> None:
    with TestClient(build(Settings(traces=tmp_path / "none")), base_url=ADDRESS) as client:
        assert "hoptree ask" in client.get("/").text


# ── a run ─────────────────────────────────────────────────────────────────────────────────────


def test_the_page_of_a_run_shows_all_that_is_known_of_it(client: TestClient, run: Path) -> None:
    page = html.unescape(client.get(f"/runs/{RUN}").text)
    for shown in (
        made.QUESTION,
        'href="#cite1"',
        "Ann Lee",
        "runner-up “Bob Ray” for step 1",
        "no passage was found",  # why the first path was left, in words
        "nothing on Ann Lee",
        "“Ann Lee” has 2 independent votes",
        '<mark class="answer" title="answer, 0.81">Ann Lee</mark>',
        "carries the answer",
        "states it too",
        'class="support',
        "[human] When?",
        "Born in 1950 [1].",
        "the search ended early",
        "40 + 8 tokens, 10 from cache",
        "25%",  # of the prompt from the cache
        "Fork from here",
    ):
        assert shown in page, shown


def test_the_json_of_a_run_is_what_its_page_is_made_of(client: TestClient, run: Path) -> None:
    by_name = client.get(f"/runs/{RUN}.json")
    by_header = client.get(f"/runs/{RUN}", headers={"accept": "application/json"})
    assert by_name.headers["content-type"] == "application/json"
    assert by_name.json() == by_header.json()
    assert by_name.json()["paths"][1]["steps"][1]["result"]["verdict"]["answer"] == "1950"
    browser = client.get(f"/runs/{RUN}", headers={"accept": "text/html,application/json;q=0.9"})
    assert browser.headers["content-type"].startswith("text/html")


def test_a_long_run_holds_the_evidence_of_its_first_steps_and_leads_to_the_rest(
    client: TestClient, settings: Settings
) -> None:
    paths = INLINE + 10
    made.written(settings.traces, made.long_run("long", paths))
    page = client.get("/runs/long").text
    assert page.count('class="path is-') == paths
    assert 'id="p1s1f1"' in page and f'id="p{paths}s2f1"' in page  # the first, the answer's
    last = f"p{paths - 1}s1"
    assert f'id="{last}f1"' not in page and f'href="/runs/long/steps/{last}"' in page
    step = client.get(f"/runs/long/steps/{last}")
    assert f'id="{last}f1"' in step.text and "Bob Ray" in step.text
    as_json = client.get(f"/runs/long/steps/{last}", headers={"accept": "application/json"})
    assert as_json.json()["candidates"][0]["candidate"]["text"] == "Ann Lee"
    assert client.get("/runs/long/steps/p99s9").status_code == 404
    assert f'id="{last}f1"' in client.get("/runs/long.html").text  # one file holds all


def test_the_trace_and_the_one_file_can_be_saved(client: TestClient, run: Path) -> None:
    trace = client.get(f"/runs/{RUN}.jsonl")
    assert trace.content == run.read_bytes()
    assert trace.headers["content-disposition"] == f'attachment; filename="{RUN}.jsonl"'
    page = client.get(f"/runs/{RUN}.html")
    assert made.QUESTION in page.text and "attachment" in page.headers["content-disposition"]


@pytest.mark.parametrize(
    "name", ["none", "..", "%2e%2e%2fsecret", "a/../../secret", "..%5csecret", "a" * 200, "%00"]
)
def test_no_address_leads_out_of_the_folder_of_traces(
    client: TestClient, settings: Settings, name: str
) -> None:
    made.written(settings.traces.parent, made.run("secret"))
    for address in (f"/runs/{name}", f"/runs/{name}.jsonl", f"/runs/{name}/events"):
        answer = client.get(address, follow_redirects=True)
        assert answer.status_code == 404 or answer.url.path == "/"
        assert made.QUESTION not in answer.text
    assert client.get("/static/../app.py").status_code == 404


def test_an_unreadable_run_and_an_unknown_address_are_told_in_a_sentence(
    client: TestClient, settings: Settings
) -> None:
    (settings.traces / "broken.jsonl").write_text("{}\n")
    assert client.get("/runs/broken").status_code == 422
    assert "is not a trace event" in client.get("/runs/broken.json").json()["error"]
    assert client.get("/nowhere").status_code == 404
    assert client.get("/ask").status_code == 405


def test_two_runs_are_compared_however_they_are_named(client: TestClient, run: Path) -> None:
    made.written(run.parent, made.run("other"))
    page = client.get("/compare", params={"a": RUN, "b": "other"}).text
    assert "Both found the same, step by step." in page
    ticked = client.get(f"/compare?run={RUN}&run=other", headers={"accept": "application/json"})
    assert ticked.json()["told"] == ["Both found the same, step by step."]
    for names in ("", f"?run={RUN}", f"?run={RUN}&run=other&run=other"):
        assert client.get(f"/compare{names}").status_code == 400
    assert client.get("/compare", params={"a": RUN, "b": "none"}).status_code == 404


# ── a run under way ───────────────────────────────────────────────────────────────────────────


def told(client: TestClient, run: str) -> list[tuple[str, str]]:
    """The server-sent events of a run, until it has ended."""
    lines = client.get(f"/runs/{run}/events").text.splitlines()
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return list(zip(names, data, strict=True))


def test_a_live_page_becomes_the_page_of_the_ended_run(
    client: TestClient, agent: TracingAgent, settings: Settings
) -> None:
    held = hold(client, agent)
    answer = post(client, "/ask", question="Live?")
    assert answer.status_code == 303
    [run] = re.findall(r"/runs/([\w-]+)$", answer.headers["location"])

    page = client.get(f"/runs/{run}").text
    assert f'data-live="/runs/{run}/events"' in page and "searching on path 1" in page
    assert "Path 2" not in page and "Fork from here" not in page
    held()

    events = told(client, run)
    assert events[-1] == ("end", "answered")
    parts = {p["id"]: p["html"] for p in (json.loads(d) for n, d in events if n == "part")}
    whole = client.get(f"/runs/{run}").text
    assert "data-live" not in whole
    for name, part in parts.items():
        assert part in whole, name
    assert {"head", "p1", "p2", "time", "calls"} <= parts.keys()


def test_a_run_that_another_process_writes_is_followed_to_its_end(
    client: TestClient, settings: Settings
) -> None:
    events = made.run()
    path = made.written(settings.traces, events[:4])

    async def later() -> None:
        await asyncio.sleep(0.3)
        lines = [event.model_dump_json().encode() + b"\n" for event in events[4:]]
        for half in (lines[0][:40], lines[0][40:]):  # a line that is not whole yet
            with path.open("ab") as file:
                file.write(half)
            await asyncio.sleep(0.15)
        with path.open("ab") as file:
            file.writelines(lines[1:])

    assert client.portal is not None
    writing = client.portal.start_task_soon(later)
    followed = told(client, RUN)
    writing.result()
    assert ("now", "reading what was found") in followed
    assert followed[-1] == ("end", "answered")
    assert any(json.loads(data)["id"] == "p2" for name, data in followed if name == "part")


def test_a_run_that_breaks_off_ends_its_live_page(client: TestClient, settings: Settings) -> None:
    path = made.written(settings.traces, made.run()[:4])
    with path.open("ab") as file:
        file.write(b"not an event\n")
    assert told(client, RUN)[-1][0] == "end"
    quiet = made.written(settings.traces, made.run("quiet")[:4])
    past = time.time() - QUIET_SECONDS - 1
    os.utime(quiet, (past, past))
    assert told(client, "quiet")[-1] == ("end", "unfinished")


# ── asking, forking, going on, stopping ───────────────────────────────────────────────────────


def test_questions_asked_from_the_page_run_one_after_another(
    client: TestClient, agent: TracingAgent
) -> None:
    held = hold(client, agent)
    first = post(client, "/ask", question="First?").headers["location"]
    second = post(client, "/ask", question="Second?").headers["location"]
    assert first.startswith("/runs/") and second.startswith("/asked/")
    waiting = client.get(second)
    assert "Waiting for 1 other question" in waiting.text and "Second?" in waiting.text
    told_json = client.get(second, headers={"accept": "application/json"}).json()
    assert (told_json["before"], told_json["run"]) == (1, None)

    held()
    wait_for(lambda: client.get(second).status_code == 303)
    assert client.get(second).headers["location"] == "/runs/asked-2"
    assert agent.asked == [("ask", "First?"), ("ask", "Second?")]


def test_a_question_that_is_refused_says_why_and_can_be_asked_otherwise(
    client: TestClient,
) -> None:
    page = client.get(post(client, "/ask", question="refused").headers["location"]).text
    assert "the question is refused: ask another" in page
    assert 'value="refused"' in page and 'http-equiv="refresh"' not in page
    assert post(client, "/ask", question="  ").status_code == 400
    assert client.get("/asked/none").status_code == 404
    assert post(client, "/ask", question="And then?").status_code == 303


async def test_too_many_questions_are_refused(agent: TracingAgent) -> None:
    asker = Asker(lambda: cast("Agent", agent))
    agent.held = asyncio.Event()
    for _ in range(WAITING + 1):
        asker.ask("?", lambda agent: agent.astream("?"))
    with pytest.raises(QueueFullError, match="let some of them end"):
        asker.ask("?", lambda agent: agent.astream("?"))
    await asker.aclose()


def test_a_step_is_forked_with_the_answer_of_a_person(
    client: TestClient, agent: TracingAgent, run: Path
) -> None:
    forked = post(client, f"/runs/{RUN}/fork", path="2", step="1", answer=" Cy Fox ")
    assert forked.headers["location"] == "/runs/asked-1"
    assert agent.asked == [("fork", RUN, 1, "Cy Fox", 2)]
    for fields in ({"answer": ""}, {"answer": "x", "step": "one"}, {"answer": "x", "path": ""}):
        asked = {"path": "1", "step": "1", **fields}
        assert post(client, f"/runs/{RUN}/fork", **asked).status_code == 400
    assert post(client, "/runs/none/fork", path="1", step="1", answer="x").status_code == 404
    refused = post(client, f"/runs/{RUN}/fork", path="1", step="9", answer="refused")
    page = client.get(refused.headers["location"]).text
    assert "the question is refused" in page and f'href="/runs/{RUN}">Back to the run' in page


def test_a_run_that_was_left_goes_on_from_its_page(
    client: TestClient, agent: TracingAgent, settings: Settings
) -> None:
    made.written(settings.traces, [*made.run()[:9], RunFailed(at=made.START + 3, error="killed")])
    assert "Go on with this run" in client.get(f"/runs/{RUN}").text
    on = post(client, f"/runs/{RUN}/resume")
    assert on.headers["location"] == f"/runs/{RUN}"
    assert agent.asked == [("resume", RUN, None)]
    wait_for(lambda: client.get(f"/runs/{RUN}.json").json()["status"] == "answered")


def test_a_run_is_stopped_from_its_page(client: TestClient, agent: TracingAgent) -> None:
    hold(client, agent)
    location = post(client, "/ask", question="Endless?").headers["location"]
    assert "/stop" in client.get(location).text
    assert post(client, f"{location}/stop").headers["location"] == location
    assert client.get(f"{location}.json").json()["status"] == "failed"
    assert post(client, f"{location}/stop").status_code == 400


def test_closing_the_viewer_closes_the_agent(settings: Settings, agent: TracingAgent) -> None:
    app = build(settings, make_agent=lambda: cast("Agent", agent))
    with TestClient(app, base_url=ADDRESS, follow_redirects=False) as client:
        post(client, "/ask", question="Closed?")
    assert agent.closed
