"""`/set`: the settings that can be changed in a conversation, checked as all settings are."""

from __future__ import annotations

from typing import Any

from agent.errors import UsageError
from agent.settings import Settings, load_settings
from graph.types import Limits

PARTS = ("index", "model", "context", "threads")
"""A change of one of these opens the model and the index anew."""
_PLAIN = (*PARTS, "max_question", "wording")
DEFAULT = "default"
"""The word that gives a setting back to the environment and `hoptree.toml`."""


def names() -> list[str]:
    """Return the names that can be set, those of the limits last."""
    return [*_PLAIN, *Limits.model_fields]


def values(settings: Settings) -> dict[str, Any]:
    """Return what is set now, by name."""
    plain = {name: getattr(settings, name) for name in _PLAIN}
    return plain | settings.limits.as_settings()


def changed(settings: Settings, name: str, value: str) -> Settings:
    """Return the settings with one of them changed.

    Raises
    ------
    UsageError
        Where there is no such setting, or the value is none for it.
    """
    name = name.removeprefix("limits.")
    if name not in names():
        raise UsageError(f"there is no setting {name!r}: /set alone lists them")
    given = settings.model_dump(include={*_PLAIN, "traces", "limits", "elasticsearch"})
    if name in Limits.model_fields:
        given["limits"] |= {name: value}
        if value == DEFAULT:
            del given["limits"][name]
    elif value == DEFAULT:
        del given[name]
    else:
        given[name] = value
    return load_settings(given)
