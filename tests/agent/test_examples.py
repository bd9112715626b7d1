"""The examples, run as a person runs them: over the sample index, which they expect in a place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hoptree_command import Hoptree

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda script: script.stem)
def test_an_example_answers_its_question(
    script: Path, hoptree: Hoptree, sample_index: Path
) -> None:
    (hoptree.folder / ".hoptree").mkdir()
    (hoptree.folder / ".hoptree" / "sample").symlink_to(sample_index)
    done = subprocess.run(
        [sys.executable, script],
        cwd=hoptree.folder,
        env=hoptree.env,  # with HOPTREE_THREADS=1
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "path 1: " in done.stdout
    assert "September 23, 1935" in done.stdout
