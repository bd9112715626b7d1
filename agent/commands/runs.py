"""`hoptree resume` and `hoptree fork`: go on with a run, or correct a step of one."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.commands.completion import run_ids
from agent.settings import Settings, load_settings

if TYPE_CHECKING:
    from rich.console import Console

    from agent.answer import Answer
    from graph.events import Event

Run = Annotated[
    str,
    typer.Argument(help="Id of the run: the name of its trace.", autocompletion=run_ids),
]
Index = Annotated[
    str | None,
    typer.Option("--index", help="Where the index is now; else that of the run.", show_default=""),
]
Model = Annotated[
    Path | None, typer.Option("--model", help="A GGUF file; else that of the run.", show_default="")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the machine form.")]
Explain = Annotated[bool, typer.Option(help="Print the tree with each step's verdict.")]


def _console(stderr: bool = False) -> Console:
    from agent.cli import console

    return console(stderr)


def _settings(run: str, index: str | None, model: Path | None) -> Settings:
    """Return the settings with the index and the model that the run was begun with.

    The adapter that plans belongs to the model: with another model it is that of the settings.
    A run whose trace names none goes on without one.
    """
    from agent.planners import NONE
    from agent.runs import started, told

    named = started(told(load_settings({}).traces, run)).settings
    changed = model is not None
    asked, written = named.get("index"), named.get("model")
    if index is None and isinstance(asked, str):
        address = re.search(r"es(?:\+https?)?://[^'\"]+", asked)
        index = address[0] if address else asked
    if model is None and isinstance(written, str) and Path(written).is_file():
        model = Path(written)
    given: dict[str, object] = {"index": index, "model": model}
    given = {k: v for k, v in given.items() if v is not None}
    if not changed:
        given["planner_lora"] = named.get("planner_lora") or NONE
    return load_settings(given)


def resume(
    run: Run,
    answer: Annotated[
        str | None,
        typer.Option(
            "--answer", help="What you answer to the step that the run asks about.", show_default=""
        ),
    ] = None,
    index: Index = None,
    model: Model = None,
    as_json: AsJson = False,
    explain: Explain = False,
) -> None:
    """Go on with a run that was killed or stopped, or that waits for your answer to a step.

    No model or retrieval call that had finished is made again. A run that has its answer shows it
    again.

    Examples:

    - `hoptree resume 20260101-120000-abcdef`
    - `hoptree resume 20260101-120000-abcdef --answer "Les McCann"`
    """
    from agent.api import Agent

    with Agent(settings=_settings(run, index, model)) as agent:
        if as_json:
            _print(agent.resume(run, answer))
        else:
            _show(agent.stream_resume(run, answer), explain)


def fork(
    run: Run,
    at: Annotated[int, typer.Option("--at", min=1, help="The step to correct, counted from 1.")],
    answer: Annotated[str, typer.Option("--answer", help="The right answer to that step.")],
    path: Annotated[
        int | None,
        typer.Option(min=1, help="The path it is a step of; else the answer's.", show_default=""),
    ] = None,
    index: Index = None,
    model: Model = None,
    as_json: AsJson = False,
    explain: Explain = False,
) -> None:
    """Correct a step of a run and go on from there, as a new run.

    What does not depend on the step is kept. `hoptree ask --explain` shows the steps.

    Examples:

    - `hoptree fork 20260101-120000-abcdef --at 1 --answer "Ramsey Lewis"`
    """
    from agent.api import Agent

    with Agent(settings=_settings(run, index, model)) as agent:
        if as_json:
            _print(agent.fork(run, at, answer, path=path))
        else:
            _show(agent.stream_fork(run, at, answer, path=path), explain)


def _print(answer: Answer) -> None:
    from agent.show import show_json

    show_json(answer)


def _show(events: Generator[Event, None, None], explain: bool) -> None:
    from agent.show import show_stream

    with contextlib.closing(events):
        show_stream(events, _console(), _console(stderr=True), explain)
