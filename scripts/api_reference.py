"""Write docs/api.md from the docstrings: `python scripts/api_reference.py`."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pydantic import BaseModel  # noqa: E402 (the repository's own packages come first)

import agent  # noqa: E402
import graph.events  # noqa: E402
import graph.types  # noqa: E402
import retrievers  # noqa: E402
from agent import answer, errors, feedback, runnable  # noqa: E402
from agent.conversation import turns  # noqa: E402

PAGE = ROOT / "docs" / "api.md"
CONTENT: dict[str, list[Any]] = {
    "Asking": [agent.Agent, agent.Conversation, turns.Understood],
    "Answers": [answer.Answer, answer.Usage, answer.Tree, answer.PathTaken, answer.StepTaken],
    "Settings": [agent.Settings, graph.types.Limits],
    "Events": [
        kind
        for _, kind in inspect.getmembers(graph.events, inspect.isclass)
        if kind.__module__ == "graph.events" and not kind.__name__.startswith("_")
    ],
    "Feedback": [feedback.Feedback],
    "In LangChain": [
        runnable.AgentRunnable,
        runnable.answer_in,
        retrievers.PassageRetriever,
        retrievers.LangChainRetriever,
    ],
    "Retrieval": [retrievers.Retriever, retrievers.Passage, retrievers.Hit],
    "Errors": [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__module__ == "agent.errors"
    ]
    + [retrievers.RetrieverError],
}
_SECTION = re.compile(r"^(\w[\w ]+)\n-+$", re.MULTILINE)


def page() -> str:
    """Return the whole reference as Markdown."""
    lines = [
        "# API reference",
        "",
        "Written by `python scripts/api_reference.py` from the docstrings; do not edit it here.",
        "",
    ]
    for heading, things in CONTENT.items():
        lines += [f"## {heading}", ""]
        for thing in things:
            lines += _class(thing) if inspect.isclass(thing) else _function(thing, "### ", "")
    return "\n".join(lines).rstrip() + "\n"


def _class(kind: type) -> list[str]:
    lines = [f"### `{kind.__module__}.{kind.__name__}`", ""]
    bases = [base.__name__ for base in kind.__bases__ if base.__module__ == kind.__module__]
    bases = [base for base in bases if not base.startswith("_")]
    if bases:
        lines += [f"A kind of `{bases[0]}`.", ""]
    lines += _doc(kind.__doc__ or "")
    if issubclass(kind, BaseModel) and kind.__module__ != "retrievers.langchain":
        lines += _fields(kind)
    else:
        init = vars(kind).get("__init__")
        if inspect.isfunction(init) and not issubclass(kind, Exception):
            lines[2:2] = [f"`{kind.__name__}{_signature(init)}`", ""]
    for name, member in vars(kind).items():
        function = member.__func__ if isinstance(member, classmethod) else member
        if not name.startswith("_") and inspect.isfunction(function) and function.__doc__:
            validator = issubclass(kind, BaseModel) and name.startswith("settings_")
            if not validator:
                lines += _function(function, "#### ", "")
    return lines


def _function(function: Any, heading: str, prefix: str) -> list[str]:
    awaited = inspect.iscoroutinefunction(function)
    name = f"{'await ' if awaited else ''}{prefix}{function.__name__}"
    return [f"{heading}`{name}{_signature(function)}`", "", *_doc(function.__doc__ or "")]


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    shown = [p for p in signature.parameters.values() if p.name != "self"]
    for place, parameter in enumerate(shown):
        if inspect.isfunction(parameter.default):
            shown[place] = parameter.replace(default=...)
    text = str(signature.replace(parameters=shown))
    return text.replace("'", "").replace("Ellipsis", "…").replace(" -> None", "")


def _doc(text: str) -> list[str]:
    """Return a docstring as Markdown: its sections in bold, its parameters as a list."""
    parts = _SECTION.split(inspect.cleandoc(text))
    lines = [*parts[0].strip().splitlines(), ""]
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        if title == "Examples":
            lines += ["```python", *body.strip().splitlines(), "```", ""]
            continue
        lines += [f"**{title}**", ""]
        for line in body.strip("\n").splitlines():
            named = line and not line.startswith(" ")
            lines.append(f"- `{line}`:" if named else f"  {line.strip()}".rstrip())
        lines.append("")
    return [line.replace("  # doctest: +SKIP", "") for line in lines]


def _fields(model: type[BaseModel]) -> list[str]:
    """Return the fields of a model with their types, defaults and what stands under them."""
    tree = ast.parse(inspect.getsource(model))
    [body] = [node.body for node in tree.body if isinstance(node, ast.ClassDef)]
    lines = []
    for node, following in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        default = f" = {ast.unparse(node.value)}" if node.value is not None else ""
        line = f"- `{node.target.id}: {ast.unparse(node.annotation)}{default}`"
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            line += ": " + " ".join(str(following.value.value).split())
        lines.append(line)
    return [*lines, ""] if lines else []


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
