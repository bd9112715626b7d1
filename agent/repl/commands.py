"""The commands of the REPL: their names, what they take, and what they say of themselves."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Literal

from agent.errors import UsageError

Takes = Literal["", "source", "step", "step and answer", "setting", "files", "feedback", "command"]


@dataclass(frozen=True)
class Command:
    """One command: how it is written, and what it does."""

    name: str
    takes: Takes
    """What kind of arguments it completes."""
    usage: str
    does: str


COMMANDS = {
    command.name: command
    for command in (
        Command("cite", "source", "/cite 2", "open source [2]: the passage, its quote highlighted"),
        Command("sources", "", "/sources", "list every passage found, the cited first"),
        Command("tree", "", "/tree", "draw the question tree with every path that was tried"),
        Command("why", "step", "/why [STEP]", "tell the verdict on each step, or on one, in words"),
        Command("retry", "", "/retry", "ask the last question again"),
        Command(
            "fork",
            "step and answer",
            '/fork 2 "ANSWER"',
            "go on from step 2 as if ANSWER had been found there",
        ),
        Command(
            "resume",
            "",
            "/resume [ANSWER]",
            "go on with a question that was stopped, or that waits for your ANSWER to a step",
        ),
        Command("set", "setting", "/set [NAME [VALUE]]", "show or change a setting"),
        Command("index", "files", "/index FILES…", "index files and folders"),
        Command(
            "feedback",
            "feedback",
            "/feedback good|bad [FORM]",
            "keep what you think of the answer; FORM is how you would rather have it: "
            "short, sentence, paragraph, list, table",
        ),
        Command("help", "command", "/help [COMMAND]", "say what the commands do"),
        Command("quit", "", "/quit", "leave, as does Ctrl-D"),
    )
}


def parsed(line: str) -> tuple[Command, list[str]]:
    """Return the command that a line beginning with a slash holds, and its arguments.

    Raises
    ------
    UsageError
        Where there is no such command, or a quotation mark is not closed.
    """
    name, _, rest = line.removeprefix("/").strip().partition(" ")
    command = COMMANDS.get(name)
    if command is None:
        raise UsageError(f"there is no command /{name}: /help lists them")
    try:
        given = shlex.split(rest.replace("“", '"').replace("”", '"'))
    except ValueError as error:
        raise UsageError(f"a quotation mark is not closed: {command.usage}") from error
    return command, given
