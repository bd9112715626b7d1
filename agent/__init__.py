"""hoptree: multi-hop question answering over your own documents.

Names are looked up when first used, so that `import agent` loads neither llama.cpp nor LangGraph
nor Elasticsearch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.answer import Answer
    from agent.api import Agent
    from agent.errors import HoptreeError
    from agent.llama import LlamaCppChat
    from agent.settings import Settings
    from graph.types import Limits

__all__ = ["Agent", "Answer", "HoptreeError", "Limits", "LlamaCppChat", "Settings"]

_HOME = {
    "Agent": "agent.api",
    "Answer": "agent.answer",
    "HoptreeError": "agent.errors",
    "Limits": "graph.types",
    "LlamaCppChat": "agent.llama",
    "Settings": "agent.settings",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
