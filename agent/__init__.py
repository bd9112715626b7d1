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
    from agent.conversation import Conversation
    from agent.errors import HoptreeError
    from agent.settings import Settings

__all__ = ["Agent", "Answer", "Conversation", "HoptreeError", "Settings"]

_HOME = {
    "Agent": "api",
    "Answer": "answer",
    "Conversation": "conversation",
    "HoptreeError": "errors",
    "Settings": "settings",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
