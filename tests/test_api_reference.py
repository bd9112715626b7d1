"""docs/api.md says what the docstrings say."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_api_reference_is_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "api_reference.py"))
    assert (ROOT / "docs" / "api.md").read_text(encoding="utf-8") == script["page"](), (
        "run `python scripts/api_reference.py`"
    )
