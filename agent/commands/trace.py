"""`hoptree trace`: look at what runs did."""

from __future__ import annotations

import json
import secrets
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.commands.completion import run_ids
from agent.errors import TraceError, UsageError
from agent.settings import Settings, load_settings

if TYPE_CHECKING:
    from rich.console import Console

    from agent.viewer.views import RunView

PORT = 8747
app = typer.Typer(
    help="Look at what runs did: in a browser, as one HTML file, as a list.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


def _console() -> Console:
    from agent.cli import console

    return console()


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="What to listen on; others than this machine need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = PORT,
    token: Annotated[
        str | None,
        typer.Option(
            help="What a reader must show. Made up and printed where one is needed.",
            envvar="HOPTREE_VIEWER_TOKEN",
            show_default=False,
        ),
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    index: Annotated[
        str | None,
        typer.Option(help="Index for questions asked from the page.", show_default=False),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="A GGUF file for them.", show_default=False)
    ] = None,
) -> None:
    """Show all runs in a browser, those under way as they grow, and ask from there.

    Listens on this machine only, unless another host is named: then the printed address holds a
    token, without which nothing is shown. Ctrl-C ends it.

    Examples:

    - `hoptree trace serve --open`
    - `hoptree trace serve --host 0.0.0.0 --port 8080`
    """
    import uvicorn

    from agent.viewer.app import build
    from agent.viewer.guard import is_loopback

    if token == "":
        raise UsageError("the token is empty: leave it out, or give one")
    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    given = {"index": index, "model": model}
    settings = load_settings({k: v for k, v in given.items() if v is not None})
    with _listening(host, port) as listener:
        server = uvicorn.Server(
            uvicorn.Config(
                build(settings, host=host, token=token),
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=3,
            )
        )
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{listener.getsockname()[1]}/"
        address += f"?token={token}" if token is not None else ""
        print(f"{settings.traces} is shown at {address}", flush=True)
        if open_page:
            import webbrowser

            webbrowser.open(address)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:  # which is how it is ended
            return


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another --host or --port"
        ) from error


@app.command()
def show(
    run: Annotated[
        str,
        typer.Argument(
            help="Id of the run; `hoptree trace list` shows them.", autocompletion=run_ids
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the tree as JSON.")] = False,
) -> None:
    """Print a run as one question tree, with what was not tried, even if it has no answer yet.

    Of a question one plan must be solved (✓), of a plan every step, of a step one of its wordings
    by one of its answers. Behind a plan stands its estimated success, behind an answer its
    confidence; ✗ is what led nowhere, · what no path has tried.

    Examples:

    - `hoptree trace show 20260101-120000-abcdef`
    - `hoptree trace show 20260101-120000-abcdef --json`
    """
    from rich.text import Text

    from agent.outline import outline
    from agent.show import one_line

    view = _view(run)
    if as_json:
        print(view.tree.model_dump_json(indent=2))
        return
    out = _console()
    # A soft wrap would cut what does not fit a line.
    out.print(outline(view.tree, view.language), soft_wrap=False)
    if (adapter := view.settings.get("planner_lora")) is not None:
        out.print(Text(f"adapter that plans: {one_line(str(adapter))}", "dim"))


def _view(run: str) -> RunView:
    from agent.viewer.run import run_view
    from agent.viewer.store import TraceStore

    store = TraceStore(load_settings({}).traces)
    events = store.events(run)
    try:
        return run_view(events, running=store.running(run))
    except TraceError as error:
        raise TraceError(f"{store.path(run)} is not the trace of a run: {error}") from error


@app.command()
def export(
    run: Annotated[
        str,
        typer.Argument(
            help="Id of the run; `hoptree trace list` shows them.", autocompletion=run_ids
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="The file; - is standard output.", show_default="RUN.html"
        ),
    ] = None,
) -> None:
    """Write a run as one HTML file that needs no server and asks for nothing from outside.

    Examples:

    - `hoptree trace export 20260101-120000-abcdef`
    - `hoptree trace export 20260101-120000-abcdef --out run.html`
    """
    from agent.viewer.pages import exported_page

    html = exported_page(_view(run))
    if out == Path("-"):
        sys.stdout.write(html)
        return
    path = out if out is not None else Path(f"{run}.html")
    _write(path, html)
    _console().print(f"wrote {path}", markup=False)


def _write(path: Path, text: str) -> None:
    """Write a file as a whole or not at all."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            file.write(text)
        Path(file.name).replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


@app.command("list")
def list_runs(
    words: Annotated[
        list[str] | None, typer.Argument(help="Only runs whose question holds all of these words.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List runs, newest first: id, status, time, paths, question and answer.

    Examples:

    - `hoptree trace list`
    - `hoptree trace list --limit 5 --json`
    """
    from rich.text import Text

    from agent.show import one_line
    from agent.viewer.store import TraceStore
    from agent.viewer.views import Unreadable

    settings: Settings = load_settings({})
    listing = TraceStore(settings.traces).listing(" ".join(words or []), limit=limit)
    if as_json:
        print(json.dumps([run.model_dump(mode="json") for run in listing.runs], indent=2))
        return
    out = _console()
    for run in listing.runs:
        if isinstance(run, Unreadable):
            out.print(Text(one_line(f"{run.run}  unreadable: {run.reason}"), "red"))
            continue
        line = f"{run.run}  {run.status:<11} {run.seconds:6.1f} s {run.paths:2} paths  "
        line += run.question + (f" → {run.answer}" if run.answer is not None else "")
        out.print(Text(one_line(line)))
    if not listing.runs:
        out.print(f"no runs in {settings.traces}", markup=False)
