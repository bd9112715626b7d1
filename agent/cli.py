"""The command line: `hoptree index`, `ask`, `repl`, `resume`, `fork`, `sources`, `eval`, …"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core
from rich.console import Console

from agent.commands import runs, sources, trace
from agent.commands.repl import repl
from agent.errors import HoptreeError, UsageError
from agent.settings import Settings, load_settings
from agent.show import Output, safe

_HELP = """
Answer multi-hop questions over your own documents, on your own machine.

Alone, on a terminal, it holds a conversation (`hoptree repl`). To begin:

- `hoptree index my-notes/ papers/*.pdf` reads your documents into an index
- `hoptree ask "Who leads the team that wrote …?"` answers from it, with citations
- `hoptree doctor` looks whether everything is in place

Settings such as index, model and limits can stand in `hoptree.toml`, or in the environment as
`HOPTREE_…`.
"""
_EXIT_CODES = """
Exit codes: 0 done, also where no answer was found; 1 doctor found a fault, or something unexpected
failed; 2 the command, a setting or the question is wrong; 3 some documents were not indexed;
4 index; 5 model; 6 trace; 7 evaluation; 8 a step waits for your answer; 130 stopped by Ctrl-C.
"""


class _Commands(typer.core.TyperGroup):
    """The commands, any of which ends in peace where the reader of its output goes away."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:  # which typer would make an exit code of 1
            _let_output_go()
            raise typer.Exit(0) from error


app = typer.Typer(
    name="hoptree",
    cls=_Commands,
    epilog=_EXIT_CODES,
    help=_HELP,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
_debug = False
Index = Annotated[
    str | None,
    typer.Option(
        "--index", help="Folder of the index, or `es://host:port/corpus`.", show_default=False
    ),
]
Model = Annotated[Path | None, typer.Option("--model", help="A GGUF file.", show_default=False)]


def console(stderr: bool = False) -> Console:
    """Return what a command prints on: standard output, or standard error."""
    kind = Console if stderr else Output
    return kind(stderr=stderr, highlight=False, emoji=False, soft_wrap=True)


@app.callback()
def _common(
    ctx: typer.Context,
    debug: Annotated[bool, typer.Option(help="Show the traceback of an error.")] = False,
) -> None:
    global _debug
    _debug = debug
    if ctx.invoked_subcommand is None:
        if sys.stdin is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
            print(ctx.get_help())
            raise typer.Exit(2)
        repl()


def _settings(index: str | None, model: Path | None) -> Settings:
    given = {"index": index, "model": model}
    return load_settings({k: v for k, v in given.items() if v is not None})


@app.command()
def index(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="JSONL, Markdown, text, HTML or PDF files, or folders of them."),
    ] = None,
    index: Index = None,
    delete: Annotated[
        list[str] | None, typer.Option("--delete", help="Id of a document to remove.")
    ] = None,
    prune: Annotated[
        bool, typer.Option(help="Remove documents that are no longer in FILES.")
    ] = False,
    sample: Annotated[bool, typer.Option(help="Index the sample corpus that ships.")] = False,
    rebuild: Annotated[
        bool, typer.Option(help="Elasticsearch: fill a new index from FILES and swap it in.")
    ] = False,
) -> None:
    """Index documents. Unchanged ones are skipped, changed ones replaced.

    The index can be searched while this runs, and a run that is stopped is completed by the next.

    Examples:

    - `hoptree index my-notes/ papers/*.pdf`
    - `hoptree index --sample --index .hoptree/sample`
    - `hoptree index my-notes/ --prune` also forgets what is no longer there
    - `hoptree index my-notes/ --index es://elastic@127.0.0.1:9200/corpus`

    Exit code 0; 3 where some files or documents could not be indexed (the others are).
    """
    from agent.indexing import index_files
    from agent.sample import corpus_path

    paths = [*(files or []), *([corpus_path()] if sample else [])]
    if not paths and not delete:
        raise UsageError("nothing to index: name files or folders, or use --sample")
    report = index_files(
        paths,
        _settings(index, None),
        delete or [],
        prune,
        console(stderr=True),
        rebuild=rebuild,
    )
    raise typer.Exit(3 if report.failed else 0)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question; - reads it from standard input.")],
    index: Index = None,
    model: Model = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the machine form.")] = False,
    explain: Annotated[bool, typer.Option(help="Print the tree with each step's verdict.")] = False,
    max_paths: Annotated[int | None, typer.Option(min=1, max=64, help="Most paths to try.")] = None,
    max_seconds: Annotated[float | None, typer.Option(min=0.1, help="Time limit.")] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=0, help="Most tokens of the model, read and written.")
    ] = None,
    max_retrievals: Annotated[
        int | None, typer.Option(min=1, help="Most round trips to the index.")
    ] = None,
    ask_below: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Ask me about a step that is less sure than this."),
    ] = None,
    risk: Annotated[
        float | None,
        typer.Option(help="Answer only what is wrong with at most this probability, say 0.1."),
    ] = None,
) -> None:
    """Answer a question, with citations.

    Examples:

    - `hoptree ask "When was the pianist who recorded Live at Shelly's Manne-Hole born?"`
    - `hoptree ask --explain --max-seconds 20 "…"` shows the tree, and how each step was decided
    - `hoptree ask --json - < question.txt`

    Exit code 0 also where no path led to an answer: the text then says what is missing.
    """
    from agent.api import Agent
    from agent.show import show_json, show_stream

    if question == "-":
        question = _standard_input()
    settings = _settings(index, model)
    changed = {
        "max_paths": max_paths,
        "max_seconds": max_seconds,
        "max_model_tokens": max_tokens,
        "max_retrieval_calls": max_retrievals,
        "ask_below": ask_below,
        "risk": risk,
    }
    if risk is not None and not 0 < risk < 1:
        raise UsageError("--risk is a probability between 0 and 1: 0.1 lets one answer in ten err")
    limits = settings.limits.model_copy(
        update={name: value for name, value in changed.items() if value is not None}
    )
    with Agent(settings=settings) as agent:
        if as_json:
            show_json(agent.ask(question, limits=limits))
        else:
            with contextlib.closing(agent.stream(question, limits=limits)) as events:
                show_stream(events, console(), console(stderr=True), explain)


app.command()(runs.resume)
app.command()(runs.fork)


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"the question is not valid UTF-8 (byte {error.start}): convert it first"
        ) from error


@app.command("eval")
def evaluate(
    dataset: Annotated[
        Path, typer.Argument(help="A folder with corpus.jsonl and questions.jsonl.")
    ],
    system: Annotated[
        list[str] | None,
        typer.Option(help="hoptree, single-shot or closed-book; may be given several times."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N questions.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for one JSON line per question.")] = None,
    index: Index = None,
    model: Model = None,
    learn: Annotated[
        bool,
        typer.Option("--learn", help="Learn from each question how far sources are trusted."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summaries as JSON.")] = False,
) -> None:
    """Measure systems on a question set: EM, F1, recall@5, seconds, tokens.

    The corpus is indexed first, next to the results. A run that was stopped goes on where it was.

    Examples:

    - `hoptree eval data/musique --limit 20`
    - `hoptree eval data/musique --system hoptree --system single-shot --out results`
    """
    from agent.benchmark import run
    from agent.evaluation import render

    summaries = run(
        dataset,
        system or ["hoptree"],
        limit,
        out if out is not None else Path("eval") / dataset.resolve().name,
        _settings(index, model),
        index is not None,
        console(stderr=True),
        learn,
    )
    if as_json:
        print(json.dumps([s.model_dump(mode="json") for s in summaries], indent=2))
    else:
        console().print(render(summaries))


@app.command()
def doctor(
    index: Index = None,
    model: Model = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Look whether everything is in place, and say what to do where it is not.

    The model, the encoder, the parser, the readers, the traces, the disk and the index; of
    Elasticsearch the node, its version, licence, disk, and the corpus with its mapping and
    analysers.

    Examples:

    - `hoptree doctor`
    - `hoptree doctor --index es://elastic@127.0.0.1:9200/corpus --json`

    Exit code 0; 1 where something is at fault.
    """
    from agent.doctor import examine, show

    findings = examine(_settings(index, model))
    if as_json:
        print(json.dumps([finding.model_dump() for finding in findings], indent=2))
    else:
        show(findings, console())
    raise typer.Exit(1 if any(finding.status == "fault" for finding in findings) else 0)


app.command()(sources.sources)
app.command()(repl)
app.add_typer(trace.app, name="trace")


def _let_output_go() -> None:
    """Write what is still buffered to nowhere: the reader of our output went away."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _guarded(command: Callable[[], object]) -> int:
    """Run the command and write all its output; return its exit code."""
    code = _exit_code(command)
    if sys.stdout is None:  # closed by whoever started us
        return code
    try:
        sys.stdout.flush()  # Python's own flush, at exit, would show a traceback
    except BrokenPipeError:
        _let_output_go()
    except OSError as error:
        _let_output_go()
        told = f"hoptree: the output could not be written: {error.strerror}"
        console(stderr=True).print(told, style="red", markup=False)
        return code or 1
    return code


def _exit_code(command: Callable[[], object]) -> int:
    """Run the command; turn what goes wrong into one sentence and an exit code."""
    from retrievers.errors import RetrieverError

    told = console(stderr=True)
    try:
        command()
    except SystemExit as stop:
        if stop.code == 130:  # so typer ends on Ctrl-C
            told.print("\nstopped", style="yellow")
        return stop.code if isinstance(stop.code, int) else 1
    except (HoptreeError, RetrieverError) as error:
        if _debug:
            traceback.print_exc()
        told.print(f"hoptree: {safe(str(error))}", style="red", markup=False)
        return error.exit_code
    except Exception as error:
        if _debug:
            traceback.print_exc()
        told.print(
            f"hoptree: unexpected {type(error).__name__}: {safe(str(error))} (--debug shows where)",
            style="red",
            markup=False,
        )
        return 1
    return 0


def main() -> None:
    """Entry point of the `hoptree` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # whose encoding may lack a character of a passage
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_guarded(app))
