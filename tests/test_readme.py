"""README is a contract: what it says of commands, options and the machine is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
import typer.core

from agent.cli import app
from graph.machine import build

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(app)


def used() -> list[str]:
    """Return each `hoptree …` that README tells people to type."""
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", README, re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line.split("#")[0].strip() for line in lines if line.startswith("hoptree ")]


def test_no_figure_is_still_to_be_filled_in() -> None:
    assert "@@" not in README


def test_the_drawing_is_the_compiled_machine() -> None:
    [drawn] = re.findall(r"```mermaid\n(.*?)```", README, re.DOTALL)
    assert drawn.strip() == build().get_graph().draw_mermaid().strip()


@pytest.mark.parametrize("line", used())
def test_a_command_of_the_readme_exists_with_its_options(line: str) -> None:
    command, words = COMMANDS, line.split()[1:]
    while isinstance(command, typer.core.TyperGroup):
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r" (--[\w-]+)", re.sub(r'"[^"]*"', "", line))) <= known


def test_the_targets_of_make_exist() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = set(re.findall(r"\bmake (demo|test|lint|setup)\b", README))
    assert {"demo", "test", "lint"} <= named <= set(targets)


def test_every_file_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:agent|graph|training|examples|benchmarks)/[\w./-]*)`", README)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
