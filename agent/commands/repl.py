"""`hoptree repl`: a conversation at the prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def repl(
    index: Annotated[
        str | None,
        typer.Option(help="Folder of the index, or `es://host:port/corpus`.", show_default=False),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="A GGUF file.", show_default=False)] = None,
) -> None:
    """Ask in a conversation, follow-up questions too. This is what `hoptree` alone does.

    On a terminal the tree is drawn while it grows, and the answer streams under it; `/help` lists
    the commands. In a pipe every line of standard input is a question, and what is written is plain
    text, an empty line after each answer.

    Examples:

    - `hoptree repl --index my-index`
    - `hoptree repl < questions.txt`

    Exit code 0; in a pipe that of the first line that could not be answered.
    """
    from agent.repl.loop import run
    from agent.settings import load_settings

    given = {"index": index, "model": model}
    settings = load_settings({k: v for k, v in given.items() if v is not None})
    raise typer.Exit(run(settings))
