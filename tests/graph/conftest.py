"""What the tests of the search share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from fakes import Facts
from scripted_machine import Machine, Script, proposing

from graph.support import scoring
from graph.types import Plan


@pytest.fixture
def as_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a verdict be as probable as the fake reader says, so that a test can say it."""
    monkeypatch.setattr(scoring, "scorer", lambda name: scoring.Weighted())
    monkeypatch.setattr(scoring, "calibration", lambda: scoring.Calibration(about="", curves={}))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Script:
    """Make a machine whose planner proposes the plans that the test gives."""

    def start(
        plans: Sequence[Plan], facts: Facts, *, plan_tokens: bool = False, **more: Any
    ) -> Machine:
        proposing(monkeypatch, plans, ask_model=plan_tokens)
        return Machine(facts, **more)

    return start
