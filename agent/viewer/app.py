"""The viewer's server: its addresses, each of which answers as HTML or as JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TYPE_CHECKING, get_args
from urllib.parse import parse_qsl

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from agent.errors import TraceError, UsageError
from agent.settings import Settings
from agent.viewer import pages
from agent.viewer.asking import Asker, Job
from agent.viewer.compare import compare
from agent.viewer.guard import FORM_TOKEN, Guard, is_our_form
from agent.viewer.pages import Around
from agent.viewer.run import run_view
from agent.viewer.store import NoSuchRunError, TraceStore
from agent.viewer.views import RunSummary, RunView, Status, View
from graph.events import Event

if TYPE_CHECKING:
    from agent.api import Agent

STATUSES: tuple[Status, ...] = get_args(Status)
FORM_BYTES = 64 * 1024
"""The largest form that is taken."""
CALM_SECONDS = 0.1
"""The least time between two updates of a live page: to draw takes time from the model."""
GRACE_SECONDS = 1.0
"""How long a live page may take to end when the server does."""
TURN_SECONDS = 0.5
"""How long the page after a question waits for its run before it shows itself."""


def build(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    make_agent: Callable[[], Agent] | None = None,
) -> Starlette:
    """Return the viewer over the traces of the settings.

    Parameters
    ----------
    host
        What the server listens on: others than a loopback address need a `token`.
    make_agent
        Makes what answers questions from the page, when the first is asked. None: an `Agent` of
        these settings.
    """

    def of_settings() -> Agent:
        from agent.api import Agent

        return Agent(settings=settings)

    viewer = _Viewer(TraceStore(settings.traces), Asker(make_agent or of_settings))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await viewer.asker.aclose()

    return Starlette(
        routes=viewer.routes(),
        middleware=[Middleware(Guard, host=host, token=token)],
        exception_handlers={
            NoSuchRunError: _told("No such run", 404),
            TraceError: _told("Unreadable", 422),
            UsageError: _told("Not possible", 400),
            HTTPException: _http_error,
        },
        lifespan=lifespan,
    )


class _Viewer:
    """The endpoints, over one folder of traces and one agent."""

    def __init__(self, store: TraceStore, asker: Asker) -> None:
        self.store = store
        self.asker = asker

    def routes(self) -> list[Route | Mount]:
        return [
            Route("/", self.runs),
            Route("/runs.json", self.runs),
            Route("/runs/{run}.json", self.run),
            Route("/runs/{run}.jsonl", self.trace),
            Route("/runs/{run}.html", self.export),
            Route("/runs/{run}", self.run),
            Route("/runs/{run}/steps/{step}", self.step),
            Route("/runs/{run}/events", self.events),
            Route("/runs/{run}/stop", self.stop, methods=["POST"]),
            Route("/runs/{run}/fork", self.fork, methods=["POST"]),
            Route("/runs/{run}/resume", self.resume, methods=["POST"]),
            Route("/compare", self.compare),
            Route("/compare.json", self.compare),
            Route("/ask", self.ask, methods=["POST"]),
            Route("/asked/{job}", self.asked),
            Mount("/static", StaticFiles(directory=pages.STATIC)),
        ]

    # ── looking ───────────────────────────────────────────────────────────────────────────────

    async def runs(self, request: Request) -> Response:
        words = request.query_params.get("q", "")
        status = request.query_params.get("status") or None
        if status is not None and status not in STATUSES:
            raise UsageError(f"there is no status {status!r}: choose one of {', '.join(STATUSES)}")
        listing = await asyncio.to_thread(
            self.store.listing, words, status, request.query_params.get("after")
        )
        form_token = _form_token(request)
        return await _answer(
            request, listing, lambda: pages.list_page(listing, words, status, form_token)
        )

    async def _view(self, run: str) -> RunView:
        def read() -> RunView:
            return run_view(self.store.events(run), running=self.store.running(run))

        return await asyncio.to_thread(read)

    def _around(self, request: Request, run: str) -> Around:
        own = self.asker.job_of(run) is not None
        return Around(form_token=_form_token(request), forms=True, own=own)

    async def run(self, request: Request) -> Response:
        view = await self._view(request.path_params["run"])
        around = self._around(request, view.run)

        def page() -> str:
            return pages.run_page(view, around._replace(others=self._others(view)))

        return await _answer(request, view, page)

    def _others(self, view: RunView) -> tuple[RunSummary, ...]:
        """Return the latest other runs, those of the same question first."""
        runs = self.store.listing().runs
        others = [run for run in runs if isinstance(run, RunSummary) and run.run != view.run]
        return tuple(sorted(others, key=lambda run: run.question != view.question))

    async def step(self, request: Request) -> Response:
        view = await self._view(request.path_params["run"])
        steps = {step.id: step for path in view.paths for step in path.steps}
        step = steps.get(request.path_params["step"])
        if step is None:
            raise HTTPException(404, f"the run {view.run} has no such step")
        return await _answer(request, step, lambda: pages.step_page(view, step))

    async def trace(self, request: Request) -> Response:
        path = self.store.path(request.path_params["run"])
        data = await asyncio.to_thread(path.read_bytes)
        return Response(data, media_type="application/jsonl", headers=_attached(path.name))

    async def export(self, request: Request) -> Response:
        view = await self._view(request.path_params["run"])
        html = await asyncio.to_thread(pages.exported_page, view)
        return HTMLResponse(html, headers=_attached(f"{view.run}.html"))

    async def compare(self, request: Request) -> Response:
        asked = request.query_params
        runs = [asked[name] for name in ("a", "b") if name in asked] + asked.getlist("run")
        if len(runs) != 2:
            raise UsageError("choose two runs to compare")
        comparison = compare(*[await self._view(run) for run in runs])
        return await _answer(request, comparison, lambda: pages.compare_page(comparison))

    async def events(self, request: Request) -> Response:
        run = request.path_params["run"]
        self.store.path(run)  # which raises here, and not in the stream
        leaving = anyio.Event()
        return EventSourceResponse(
            self._told_live(run, self._around(request, run), leaving),
            shutdown_event=leaving,
            shutdown_grace_period=GRACE_SECONDS,
        )

    async def _told_live(
        self, run: str, around: Around, leaving: anyio.Event
    ) -> AsyncGenerator[ServerSentEvent, None]:
        """Tell each part of the page that changed, as it changes, until the run has ended.

        `leaving` is set when the server is about to end.
        """
        events: list[Event] = []
        told: dict[str, str] = {}

        def changes(running: bool) -> tuple[RunView, dict[str, str]]:
            view = run_view(events, running=running)
            shown = pages.pieces(view, around._replace(own=around.own and running))
            return view, {name: html for name, html in shown.items() if told.get(name) != html}

        try:
            async with contextlib.aclosing(self.store.follow(run)) as batches:
                async for batch in batches:
                    if leaving.is_set():
                        return
                    if not batch:
                        continue
                    events += batch
                    view, changed = await asyncio.to_thread(changes, True)
                    for name, html in changed.items():
                        yield ServerSentEvent(json.dumps({"id": name, "html": html}), event="part")
                    told |= changed
                    if view.now is not None:
                        yield ServerSentEvent(view.now, event="now")
                    else:
                        break
                    await asyncio.sleep(CALM_SECONDS)
            view, changed = await asyncio.to_thread(changes, False)
            for name, html in changed.items():
                yield ServerSentEvent(json.dumps({"id": name, "html": html}), event="part")
            yield ServerSentEvent(view.status.replace("_", " "), event="end")
        except TraceError as error:
            yield ServerSentEvent(str(error), event="end")

    # ── asking ────────────────────────────────────────────────────────────────────────────────

    async def ask(self, request: Request) -> Response:
        fields = await _form(request)
        question = fields.get("question", "").strip()
        if not question:
            raise UsageError("the question is empty: ask something")
        return await self._queued(
            request, self.asker.ask(question, lambda agent: agent.astream(question))
        )

    async def fork(self, request: Request) -> Response:
        """Take a run's path with a person's answer to one step, as a run of its own."""
        fields = await _form(request)
        view = await self._view(request.path_params["run"])
        answer = fields.get("answer", "").strip()
        if not answer:
            raise UsageError("the answer to the step is empty: say what is right")
        try:
            step, path = int(fields.get("step", "")), int(fields.get("path", ""))
        except ValueError as error:
            raise UsageError("the step and the path are numbers, counted from 1") from error
        return await self._queued(
            request,
            self.asker.ask(
                f"{view.question} (step {step}: {answer})",
                lambda agent: agent.astream_fork(view.run, step, answer, path=path),
                of=view.run,
            ),
        )

    async def resume(self, request: Request) -> Response:
        """Go on with a run that was killed or stopped, or that asks a person."""
        fields = await _form(request)
        view = await self._view(request.path_params["run"])
        answer = fields.get("answer", "").strip() or None
        return await self._queued(
            request,
            self.asker.ask(
                view.question,
                lambda agent: agent.astream_resume(view.run, answer),
                resumed=view.run,
                of=view.run,
            ),
        )

    async def _queued(self, request: Request, job: Job) -> Response:
        await _begun(job)
        if _wants_json(request):
            return JSONResponse(_job_json(job, self.asker.before(job)), 202)
        return RedirectResponse(f"/runs/{job.run}" if job.run else f"/asked/{job.id}", 303)

    async def asked(self, request: Request) -> Response:
        job = self.asker.job(request.path_params["job"])
        if job is None:
            raise HTTPException(404, "this question is no longer known: see the list of runs")
        await _begun(job)
        before = self.asker.before(job)
        if _wants_json(request):
            return JSONResponse(_job_json(job, before))
        if job.run is not None:
            return RedirectResponse(f"/runs/{job.run}", 303)
        return HTMLResponse(pages.waiting_page(job, before, _form_token(request)))

    async def stop(self, request: Request) -> Response:
        await _form(request)
        run = request.path_params["run"]
        job = self.asker.job_of(run)
        if job is None:
            raise UsageError("this run is not under way on this server")
        self.asker.stop(job)
        if job.task is not None:
            await asyncio.wait([job.task], timeout=TURN_SECONDS)
        return RedirectResponse(f"/runs/{run}", 303)


async def _begun(job: Job) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(job.begun.wait(), TURN_SECONDS)


def _job_json(job: Job, before: int) -> dict[str, object]:
    return {"job": job.id, "question": job.question, "run": job.run, "error": job.error} | (
        {} if job.ended else {"before": before}
    )


# ── requests and responses ────────────────────────────────────────────────────────────────────


def _form_token(request: Request) -> str:
    return str(request.scope["state"][FORM_TOKEN])


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form of ours.

    Raises
    ------
    HTTPException
        Where the form is too large, not text, or of another site.
    """
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > FORM_BYTES:
            raise HTTPException(413, "the form is too large")
    try:
        fields = dict(parse_qsl(data.decode("ascii"), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError as error:
        raise HTTPException(400, "the form is not valid UTF-8") from error
    if not is_our_form(request, fields):
        raise HTTPException(403, "this form is out of date: open its page again")
    return fields


def _wants_json(request: Request) -> bool:
    if request.url.path.endswith(".json"):
        return True
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


async def _answer(request: Request, view: View, html: Callable[[], str]) -> Response:
    form = view.model_dump_json if _wants_json(request) else html
    media_type = "application/json" if _wants_json(request) else "text/html"
    text = await asyncio.to_thread(form)
    return Response(text, media_type=media_type, headers={"vary": "accept"})


def _attached(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


def _message(request: Request, title: str, sentence: str, code: int) -> Response:
    if _wants_json(request):
        return JSONResponse({"error": sentence}, code)
    return HTMLResponse(pages.message_page(title, sentence), code)


def _told(title: str, code: int) -> Callable[[Request, Exception], Response]:
    def handle(request: Request, error: Exception) -> Response:
        return _message(request, title, str(error), code)

    return handle


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = {404: "Not found", 405: "Not possible"}.get(error.status_code, "Refused")
    return _message(request, title, error.detail, error.status_code)
