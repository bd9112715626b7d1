"""What the shell completes besides commands and options."""

from __future__ import annotations

import contextlib
import json

from agent.errors import HoptreeError

_NEWEST = 50
"""Runs that are offered: those before them are seldom meant, and each is a file to open."""


def run_ids(incomplete: str) -> list[tuple[str, str]]:
    """Return the ids of the newest runs that begin so, the newest first, with their questions."""
    from agent.settings import load_settings
    from agent.show import one_line

    offered: list[tuple[str, str]] = []
    # A shell that completes has no place for an error.
    with contextlib.suppress(HoptreeError, OSError):
        paths = load_settings({}).traces.glob(f"{incomplete}*.jsonl")
        for path in sorted(paths, reverse=True)[:_NEWEST]:
            with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
                with path.open(encoding="utf-8") as file:
                    first = json.loads(file.readline())
                offered.append((path.stem, one_line(str(first["question"]))))
    return offered
