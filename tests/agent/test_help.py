"""What the command line says of itself: help with examples that work, and shell completion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import typer.core
from hoptree_command import Hoptree

from agent.cli import app
from agent.commands.completion import run_ids
from agent.traces import TraceWriter
from graph.events import RunStarted

GROUP = typer.main.get_command(app)
assert isinstance(GROUP, typer.core.TyperGroup)
COMMANDS = {
    name: command
    for name, command in GROUP.commands.items()
    if not isinstance(command, typer.core.TyperGroup)
}


def examples(text: str | None) -> Iterator[list[str]]:
    """Yield the words of each `hoptree …` in a help text."""
    for line in re.findall(r"`hoptree ([^`]+)`", text or ""):
        yield re.sub(r'"[^"]*"', "", line).split()


COMMANDS |= {
    f"{group} {name}": command
    for group, commands in GROUP.commands.items()
    if isinstance(commands, typer.core.TyperGroup)
    for name, command in commands.commands.items()
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_examples_that_exist(name: str) -> None:
    found = [
        words
        for words in examples(COMMANDS[name].help)
        if words[: len(name.split())] == name.split()
    ]
    assert found
    known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    for words in found:
        assert {word for word in words if word.startswith("--")} <= known


def test_the_help_of_hoptree_begins_with_what_to_do_first() -> None:
    first = [words[0] for words in examples(GROUP.help)]
    assert first == ["repl", "index", "ask", "doctor"]
    assert set(first) <= COMMANDS.keys()


def completed(hoptree: Hoptree, words: str) -> str:
    """Return what bash is offered behind these words."""
    number = len(words.split(" ")) - 1
    env = {
        "_HOPTREE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(number),
    }
    return hoptree(env=env).stdout


def test_a_shell_completes_commands_and_runs(hoptree: Hoptree) -> None:
    assert {"repl", "resume"} <= set(completed(hoptree, "hoptree re").split())
    write_run(hoptree.folder / "runs", "20260101-120000-aaaaaa", "Who?")
    write_run(hoptree.folder / "runs", "20260102-120000-bbbbbb", "When?")
    assert completed(hoptree, "hoptree resume 202601").split() == [
        "20260102-120000-bbbbbb",
        "20260101-120000-aaaaaa",
    ]
    assert "complete_bash" in hoptree("--show-completion", env={"SHELL": "/bin/bash"}).stdout


def write_run(folder: Path, run: str, question: str) -> None:
    with TraceWriter(folder, run) as trace:
        trace.write(RunStarted(run=run, question=question, language="en", settings={}))


def test_what_is_no_trace_is_not_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOPTREE_TRACES", str(tmp_path))
    write_run(tmp_path, "one", "Who \x1b[2J?")
    (tmp_path / "broken.jsonl").write_text("{")
    (tmp_path / "empty.jsonl").touch()
    assert run_ids("") == [("one", "Who [2J?")]
    monkeypatch.setenv("HOPTREE_CONTEXT", "lots")
    assert run_ids("") == []
