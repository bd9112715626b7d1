"""What the tests of the search share."""

from __future__ import annotations

import pytest

from graph.support import scoring


@pytest.fixture
def as_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a verdict be as probable as the fake reader says, so that a test can say it."""
    monkeypatch.setattr(scoring, "scorer", lambda name: scoring.Weighted())
    monkeypatch.setattr(scoring, "calibration", lambda: scoring.Calibration(about="", curves={}))
